"""The training loop and its losses: what they count, and what they leave alone."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import chi2
from torch import nn

from actmax_lib import data, score_matching
from actmax_lib.training import (
    accuracy,
    anti_score_matching,
    cross_entropy,
    fit,
    gradient_norm,
    own_logit,
    penalized,
)
from actmax_lib.training import score_matching as matched
from actmax_lib.zoo.fashion import FashionNet
from scripts.train_fashion import fresh


class Bowls(nn.Module):
    """f_k(x) = ½ a_k ‖x‖²: gradient a_k x and trace a_k d are known."""

    def __init__(self, a: list[float]) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.tensor(a, dtype=torch.float64))

    def forward(self, x):
        return x.flatten(1).square().sum(1, keepdim=True) * self.a / 2


@pytest.fixture(scope="module")
def sample():
    return data.load("fashion-mnist", "sample")


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def tiny(seed=0):
    return fresh(lambda: FashionNet((4, 6, 8)), seed)


def penalty_of(loss, net, x, y):
    with torch.no_grad():
        plain = cross_entropy(net, x, y, generator())
    return float(loss(net, x, y, generator()).detach() - plain)


def batch(n=6, d=5, classes=3):
    x = torch.randn(n, d, dtype=torch.float64, generator=generator(1))
    return x, torch.arange(n) // 2 % classes  # the first half has other labels than the second


def test_own_logit_takes_each_samples_label():
    x, y = batch()
    net = Bowls([1.0, -2.0, 5.0])
    expected = torch.stack([net(x)[i, label] for i, label in enumerate(y)])
    assert torch.equal(own_logit(net, y)(x), expected)


def test_gradient_norm_is_half_the_square_of_the_own_logits_gradient():
    x, y = batch()
    net, weight = Bowls([1.0, -2.0, 5.0]), 0.3
    got = gradient_norm(weight)(net, x, y, generator())
    half = len(x) // 2
    squares = (net.a[y][:half, None] * x[:half]).square().sum(1)
    expected = cross_entropy(net, x, y, generator()) + weight * squares.mean() / 2
    assert torch.allclose(got, expected, rtol=1e-12)


def test_the_penalty_reaches_the_parameters():
    x, y = batch()
    net = Bowls([1.0, -2.0, 5.0])
    loss = gradient_norm(0.3)
    loss(net, x, y, generator()).backward()
    h = 1e-6
    for k in range(3):
        ends = []
        for sign in (1, -1):
            moved = Bowls((net.a.detach() + sign * h * torch.eye(3)[k]).tolist())
            ends.append(float(loss(moved, x, y, generator()).detach()))
        assert math.isclose((ends[0] - ends[1]) / (2 * h), float(net.a.grad[k]), rel_tol=1e-6)


@pytest.mark.parametrize("antithetic", [True, False])
def test_score_matching_is_the_papers_sum(antithetic):
    # E h = a d; E ½‖g‖² exact; E h² from the laws of variance of the chapter
    n, d, sigma, mu, weight = 20_000, 4, 0.5, 0.2, 0.7
    x = torch.full((n, d), 0.3, dtype=torch.float64)
    y = torch.zeros(n, dtype=torch.long)
    net = Bowls([-1.5, 0.0])
    loss = matched(weight, sigma=sigma, mu=mu, antithetic=antithetic)
    rest = penalty_of(loss, net, x, y) / weight
    a, g2 = -1.5, 1.5**2 * 0.09 * d
    variance = 2 * a**2 * d + (0 if antithetic else 4 * g2 / sigma**2)
    expected = a * d + g2 / 2 + mu * ((a * d) ** 2 + variance)
    assert abs(rest - expected) < 4.5 * math.sqrt(variance / (n / 2)) * (1 + 2 * mu * abs(a * d))


@pytest.mark.parametrize(("a", "most"), [(3.0, 2.0), (-3.0, 2.0)])
def test_anti_score_matching_is_capped_from_above(a, most):
    x, y = batch(n=4000, classes=1)
    net = Bowls([a])
    loss = anti_score_matching(0.5, sigma=0.1, most=most)
    rest = penalty_of(loss, net, x, y) / 0.5
    if a > 0:  # the estimates a ‖v‖²/σ² are a times a χ² of 5 degrees of freedom
        capped = chi2(5).expect(lambda v: np.minimum(a * v, most))
        assert rest == pytest.approx(-capped, abs=0.02)
    else:
        assert rest == pytest.approx(-a * 5, abs=4.5 * abs(a) * math.sqrt(10 / 2000))


@pytest.mark.parametrize("sigma", [0.1, 0.5])
def test_anti_score_matching_looks_as_far_as_sigma(sigma):
    """A kink, whose trace is seen as 2/σ √(2/π) a coordinate (chapter score-matching)."""

    class Kink(nn.Module):
        def forward(self, x):
            return x.abs().sum(1, keepdim=True)

    x, y = torch.zeros(20_000, 3, dtype=torch.float64), torch.zeros(20_000, dtype=torch.long)
    rest = penalty_of(anti_score_matching(1.0, sigma=sigma), Kink(), x, y)
    sd = 2 / sigma * math.sqrt(3 * (1 - 2 / math.pi) / 10_000)
    assert abs(rest + 3 * 2 / sigma * math.sqrt(2 / math.pi)) < 4.5 * sd


def test_only_the_share_of_the_batch_is_penalised():
    x, y = batch(n=8)
    seen = []

    def penalty(f, part, generator):
        seen.append(part)
        return f(part) * 0

    penalized(1.0, penalty, share=0.25)(Bowls([1.0, 1.0, 1.0]), x, y, generator())
    assert torch.equal(seen[0], x[:2])


def test_an_epoch_uses_each_sample_once_and_full_batches_only(sample):
    rows = []

    def spy(net, x, y, generator):
        rows.append(x.flatten(1)[:, 0])
        return net(x).sum() * 0

    x = torch.arange(70.0).reshape(70, 1, 1, 1).expand(70, 1, 28, 28)
    fit(tiny(), spy, x, torch.zeros(70, dtype=torch.long), epochs=2, batch=32)
    assert [len(r) for r in rows] == [32] * 4
    for epoch in (rows[:2], rows[2:]):
        assert len(torch.cat(epoch).unique()) == 64
    assert not torch.equal(torch.cat(rows[:2]), torch.cat(rows[2:]))


@pytest.mark.parametrize(("steep", "kept"), [(0.1, 0.1), (50.0, 1.0), (-50.0, -1.0)])
def test_each_step_has_its_own_gradient_cut_to_length_one(steep, kept):
    net, seen = nn.Linear(1, 1, bias=False), []

    def loss(net, x, y, generator):
        assert net.training
        if net.weight.grad is not None:
            seen.append(float(net.weight.grad))
        return (net.weight - net.weight.detach()).sum() * steep + 3

    history = fit(net.eval(), loss, torch.zeros(8, 1), torch.zeros(8), epochs=3, batch=2)
    assert seen == pytest.approx([kept] * 11, rel=1e-4)
    assert history == [3.0] * 3  # the mean over the steps


def test_the_learning_rate_is_the_one_given():
    """Adam's steps along a constant gradient are those of the cycle: from lr/25 to lr and to 0."""
    moves = []
    for lr in (1e-2, 1e-3):
        net, seen = fresh(lambda: nn.Linear(1, 1, bias=False), 0), []

        def loss(net, x, y, generator, seen=seen):
            seen.append(float(net.weight.detach()))
            return net.weight.sum()

        fit(net, loss, torch.zeros(40, 1), torch.zeros(40), epochs=1, batch=1, lr=lr)
        moves.append(-np.diff(seen) / lr)
    np.testing.assert_allclose(*moves, rtol=1e-2)
    assert moves[0][0] == pytest.approx(1 / 25, rel=1e-3)
    assert 0.8 < moves[0].max() < 1.2  # the momentum has a cycle too
    assert moves[0].argmax() < 20  # up sooner than down
    assert moves[0][-1] < 1 / 25


def test_the_same_seed_gives_the_same_bits_and_moves_no_global_state(sample):
    x, y = sample.images()[:256], sample.labels[:256]
    before = torch.random.get_rng_state()
    runs = []
    for seed in (0, 0, 1):
        net = tiny()
        history = fit(net, matched(0.01), x, y, epochs=1, batch=64, seed=seed)
        runs.append((history, net.classifier.weight.detach()))
    assert torch.equal(before, torch.random.get_rng_state())
    assert runs[0][0] == runs[1][0]
    assert torch.equal(runs[0][1], runs[1][1])
    assert not torch.equal(runs[0][1], runs[2][1])


def test_it_learns_and_leaves_evaluation_mode(sample):
    net = tiny()
    x, y = sample.images(), sample.labels
    history = fit(net, cross_entropy, x, y, epochs=3, batch=64)
    assert history[2] < history[1] < history[0]
    assert not net.training
    assert accuracy(net, x, y) > 0.6  # a tenth by chance


def test_the_penalties_move_what_they_are_about(sample):
    x, y = sample.images(), sample.labels
    traces, norms = {}, {}
    losses = {
        "standard": cross_entropy,
        "matched": matched(0.03),
        "anti": anti_score_matching(1e-3),
        "norm": gradient_norm(0.3),
    }
    for name, loss in losses.items():
        net = tiny()
        fit(net, loss, x, y, epochs=3, batch=64)
        with torch.no_grad():
            h, squares = score_matching.density_terms(
                own_logit(net, y[:300]), x[:300], sigma=0.1, probes=4, generator=generator()
            )
        traces[name], norms[name] = float(h.mean()), float(squares.mean())
    assert traces["matched"] < traces["standard"] < traces["anti"]
    assert norms["norm"] < norms["standard"] / 2


def test_accuracy_counts_every_image_once():
    net = nn.Linear(2, 2, bias=False)
    net.weight.data = torch.eye(2)
    x = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert accuracy(net, x, torch.tensor([0, 1, 1, 0, 0]), batch=2) == 0.6


def test_bad_input(sample):
    x, y = sample.images()[:64], sample.labels[:64]
    with pytest.raises(ValueError, match="63 labels"):
        fit(tiny(), cross_entropy, x, y[:63], epochs=1)
    with pytest.raises(ValueError, match="at least one batch of 128"):
        fit(tiny(), cross_entropy, x, y, epochs=1)
    with pytest.raises(ValueError, match="epochs"):
        fit(tiny(), cross_entropy, x, y, epochs=0, batch=32)
    with pytest.raises(ValueError, match="0 images"):
        accuracy(tiny(), x[:0], y[:0])
    with pytest.raises(ValueError, match="share"):
        penalized(1.0, lambda f, x, g: x, share=1.5)
    for bad in (math.nan, math.inf, -math.inf):
        with pytest.raises(ArithmeticError, match="epoch 0"):
            fit(tiny(), lambda net, x, y, g, b=bad: 0 * net(x).sum() + b, x, y, epochs=1, batch=32)
