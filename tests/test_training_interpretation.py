"""Interpretation discrepancy (Boopathy et al. 2020): the sum, its maximum, and what bounds it."""

import numpy as np
import pytest
import torch
from torch import nn

from actmax_lib.training import cross_entropy, interpretation_discrepancy
from actmax_lib.training.interpretation import discrepancy
from actmax_lib.zoo.fashion import FashionNet
from tests.nets import seeded

pytestmark = pytest.mark.usefixtures("one_thread")


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


class Places(nn.Module):
    """I_k(x) = w_k x at each place: the discrepancy of two classes is known, and its maximum."""

    def __init__(self, classes=2, scale=1.0):
        super().__init__()
        self.w = nn.Parameter(torch.linspace(-2, 3, classes, dtype=torch.float64))
        self.scale = scale

    def maps(self, x):
        return self.scale * self.w.view(-1, 1, 1) * x

    def forward(self, x):
        return (self.w.view(-1, 1, 1) * x).flatten(2).sum(2) + 0.5  # a bias of its own


def images(n=5, side=4):
    x = torch.rand(n, 1, side, side, dtype=torch.float64, generator=generator())
    return 0.3 + 0.4 * x


def net():
    return seeded(FashionNet, (3, 4, 5)).double().train()


def test_the_sum_term_by_term():
    maps, moved = torch.randn(2, 4, 3, 2, 2, dtype=torch.float64, generator=generator())
    labels = torch.tensor([2, 0, 1, 2])
    for got, a, b, y in zip(discrepancy(maps, moved, labels), maps, moved, labels, strict=True):
        others = [t for t in range(3) if t != y]
        raised = [np.exp(float(b[t].sum())) for t in others]
        expected = float((a[y] - b[y]).abs().sum())
        for t, e in zip(others, raised, strict=True):
            expected += e / sum(raised) * float((a[t] - b[t]).abs().sum())
        assert float(got) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("steps", [1, 5])
def test_the_maximum_is_found_where_it_is_known(steps):
    """Σ_hw (|w_0| + |w_1|) |δ_hw| is greatest at any corner: ε (2 + 3) × 16 places."""
    model, x, y = Places(), images(), torch.tensor([0, 1, 0, 1, 1])
    loss = interpretation_discrepancy(0.3, 0.1, steps=steps)(model, x, y, generator())
    rest = loss - cross_entropy(model, x, y, generator())
    assert float(rest.detach()) == pytest.approx(0.3 * 0.1 * 5 * 16, rel=1e-12)
    (slope,) = torch.autograd.grad(rest, model.w)  # and it trains: d|w| = sign w
    assert torch.allclose(slope, 0.3 * 0.1 * 16 * torch.tensor([-1.0, 1.0], dtype=slope.dtype))


def test_it_is_worse_than_chance_and_never_out_of_the_ball():
    model, x, y = net(), torch.rand(4, 1, 28, 28, dtype=torch.float64), torch.arange(4)
    weight, eps = 0.01, 0.1
    got = interpretation_discrepancy(weight, eps)(model, x, y, generator())
    found = float((got - cross_entropy(model, x, y, generator())).detach()) / weight
    with torch.no_grad():
        corners = [
            float(discrepancy(model.maps(x), model.maps((x + d).clamp(0, 1)), y).mean())
            for d in eps * torch.randn(30, *x.shape, generator=generator()).sign().double()
        ]
        doubled = interpretation_discrepancy(weight, 2 * eps)(model, x, y, generator())
    assert found > 1.5 * max(corners)
    assert float(doubled.detach()) > float(got.detach())


def test_it_leaves_the_network_as_it_was():
    model, x, y = net(), torch.rand(4, 1, 28, 28, dtype=torch.float64), torch.arange(4)
    state = torch.random.get_rng_state()
    loss = interpretation_discrepancy(0.01, 0.1, steps=2)
    loss(model, x, y, generator()).backward()
    assert torch.equal(state, torch.random.get_rng_state())
    assert model.training
    assert all(p.requires_grad for p in model.parameters())
    assert float(model.conv1.weight.grad.abs().max()) > 0
    a, b, c = (float(loss(model, x, y, generator(seed)).detach()) for seed in (1, 1, 2))
    assert a == b != c


# P27


def test_no_answer_changes_without_its_maps():
    """½(‖ΔI_t‖₁ + ‖ΔI_u‖₁) ≥ ½ |Δ(f_t - f_u)| ≥ ½ (f_t - f_u)(x), of 400 pairs of pictures."""
    model = net().eval()
    x, other = torch.rand(2, 400, 1, 28, 28, dtype=torch.float64, generator=generator())
    other = torch.where(torch.arange(400).view(-1, 1, 1, 1) % 2 == 0, other**4, 1 - other**4)
    with torch.no_grad():
        f, g = model(x), model(other)
        gaps = (model.maps(x) - model.maps(other)).abs().flatten(2).sum(2)
    t, u, rows = f.argmax(1), g.argmax(1), torch.arange(400)
    changed = t != u
    assert int(changed.sum()) > 50
    left = (gaps[rows, t] + gaps[rows, u]) / 2
    gap, after = f[rows, t] - f[rows, u], g[rows, t] - g[rows, u]
    assert bool((left >= (gap - after).abs() / 2 - 1e-9).all())
    assert bool(((gap - after).abs() >= gap)[changed].all())


def test_maps_that_do_not_sum_to_the_logits_are_told():
    """A thousandth of each map: the answer changes and the maps hardly do."""
    x = images()
    x[:, :, :2] *= -1  # the sum is near 0, so that ε changes the answer
    x = (x - x.mean((2, 3), keepdim=True) + 0.002).clamp(-0.5, 0.5)

    class Around(Places):  # pictures about 0 in the box [0, 1]
        def maps(self, x):
            return super().maps(x - 0.5)

        def forward(self, x):
            return super().forward(x - 0.5)

    loss = interpretation_discrepancy(1.0, 0.4, steps=3)

    def attacked(model):
        for seed in range(20):
            loss(model, x + 0.5, torch.zeros(5, dtype=torch.long), generator(seed))

    attacked(Around())  # the right ones are let by
    with pytest.raises(ArithmeticError, match=r"maps do not sum to the logits: see net\.maps"):
        attacked(Around(scale=1e-3))


@pytest.mark.parametrize("label", [2, -1, -100])
def test_bad_input(label):
    y = torch.tensor([0, 1, label, 0, 1])
    loss = interpretation_discrepancy(1.0, 0.1)
    with pytest.raises(ValueError, match=f"label {label} is out of range: there are 2 logits"):
        loss(Places(), images(), y, generator())
    with pytest.raises(ValueError, match="steps"):
        interpretation_discrepancy(1.0, 0.1, steps=0)
    with pytest.raises(AttributeError, match="maps"):
        loss(nn.Linear(4, 2), images(), y, generator())


def test_the_shares_of_a_discrepancy_move_with_the_maps():
    """π is climbed and trained too: by finite differences."""
    generator = torch.Generator().manual_seed(0)
    maps, moved = torch.randn(2, 4, 3, 2, 2, dtype=torch.float64, generator=generator)
    labels = torch.tensor([2, 0, 1, 2])
    torch.autograd.gradcheck(lambda z: discrepancy(maps, z, labels), moved.requires_grad_())
