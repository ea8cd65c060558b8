"""What scripts/train_fashion.py minimises: losses that differ in one thing, and the evidence bound.

A linear f has no trace, so that what a loss says of it is what it says of the gradient alone.
"""

import math

import pytest
import torch
from torch import distributions, nn

from actmax_lib.training import cross_entropy
from scripts import train_fashion
from scripts.train_fashion import LOSSES, Coder, elbo, fresh

pytestmark = pytest.mark.usefixtures("one_thread")


def penalty(name, net, x):
    """What the recipe adds to cross-entropy."""
    y = torch.zeros(len(x), dtype=torch.long)
    given = LOSSES[name](net, x, y, torch.Generator().manual_seed(0)).detach()
    return float(given - cross_entropy(net, x, y, torch.Generator()).detach())


@pytest.fixture(scope="module")
def linear():
    net = fresh(lambda: nn.Linear(5, 3), 0).double()
    nn.init.normal_(net.weight, std=5.0, generator=torch.Generator().manual_seed(1))
    square = float(net.weight[0].square().sum().detach())
    return net, torch.zeros(40_000, 5, dtype=torch.float64), square


def test_recipes_weigh_the_gradient_alike(linear):
    net, x, square = linear
    assert penalty("standard", net, x) == 0
    for name in ("gradient-norm", "score-matched"):
        assert penalty(name, net, x) == pytest.approx(0.1 * square / 2, rel=1e-9)
    assert penalty("anti-score-matched", net, x) == pytest.approx(0, abs=1e-9)


def test_heavy_gradient_norm_is_what_one_sided_hides(linear):
    """h = 2 g'v/σ², normal with the variance s²: E[h + μh²] is known, and so is its spread."""
    net, x, square = linear
    mu, sigma, n = 1e-3, 0.01, len(x) // 2
    s2 = 4 * square / sigma**2
    error = 0.1 * math.sqrt((s2 + 2 * mu**2 * s2**2) / n)
    heavy = penalty("heavy-gradient-norm", net, x)
    assert abs(penalty("one-sided", net, x) - heavy) < 4.5 * error < 0.1 * heavy


def test_anti_score_matching_raises_the_trace():
    """f = ½a‖x‖² has the trace 5a; the recipe pays 1e-4 for each unit of it, up to 1000."""

    class Bowl(nn.Module):
        def __init__(self, a):
            super().__init__()
            self.a = a

        def forward(self, x):
            return self.a * x.square().sum(1, keepdim=True).expand(-1, 3) / 2

    x = torch.zeros(20_000, 5, dtype=torch.float64)
    sd = math.sqrt(10 / 10_000)
    assert abs(penalty("anti-score-matched", Bowl(2.0), x) + 1e-4 * 10) < 4.5e-4 * 2 * sd
    assert penalty("anti-score-matched", Bowl(1e5), x) == pytest.approx(-0.1)


def test_elbo_is_the_evidence_bound():
    net, x = fresh(Coder, 0), fresh(lambda: torch.rand(3, 1, 28, 28), 1)
    with torch.no_grad():
        net.encoder[-1].weight.mul_(30)  # codes that are far from N(0, I)
        found = float(elbo(net, x, None, torch.Generator().manual_seed(4)))
        mean, log_var = net.encoder(x).chunk(2, 1)
        code = distributions.Normal(mean, log_var.exp().sqrt())
        noise = torch.randn(mean.shape, generator=torch.Generator().manual_seed(4))
        p = net.decoder(mean + code.stddev * noise)
        fit = -(x * p.log() + (1 - x) * (1 - p).log()).sum((1, 2, 3))
        surprise = distributions.kl_divergence(code, distributions.Normal(0.0, 1.0)).sum(1)
    assert found == pytest.approx(float((fit + surprise).mean()), rel=1e-5)
    assert float(surprise.min()) > 1  # so that it is seen beside the misfit


def test_a_recipe_is_measured_on_the_test_split_and_seeds_differ(monkeypatch):
    asked, seeds = [], []
    split = train_fashion.data.load("fashion-mnist", "sample")
    monkeypatch.setattr(
        train_fashion.data, "load", lambda name, part: (asked.append((name, part)), split)[1]
    )
    monkeypatch.setattr(train_fashion, "fit", lambda *a, seed=None, **options: seeds.append(seed))
    nets = [train_fashion.recipes(1)[f"fashion-standard-{seed}"][1](split)[0] for seed in (0, 1, 0)]
    assert seeds == [0, 1, 0]
    assert asked == [("fashion-mnist", "test")] * 3
    assert torch.equal(nets[0].conv1.weight, nets[2].conv1.weight)
    assert not torch.equal(nets[0].conv1.weight, nets[1].conv1.weight)


def test_each_name_is_trained_with_its_own_loss(monkeypatch):
    seen = []
    monkeypatch.setattr(train_fashion, "classifier", lambda loss, *rest: seen.append(loss))
    recipes = train_fashion.recipes(1)
    for name in LOSSES:
        recipes[f"fashion-{name}-2"][1](None)
    assert seen == list(LOSSES.values())
