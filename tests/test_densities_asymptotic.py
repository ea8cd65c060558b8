"""Slopes at infinity, and the verdict on exp(f), for networks of many kinds."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch import nn

from actmax_lib.densities import asymptotic_slope, check_normalisable
from actmax_lib.errors import UnnormalisableError


def seeded(build, seed=0):
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        net = build()
        for p in net.parameters():  # biases that matter
            if p.ndim == 1:
                nn.init.normal_(p, std=2.0)
    return net.double()


def mlp():
    return nn.Sequential(
        nn.Linear(5, 20), nn.ReLU(), nn.Linear(20, 20), nn.ReLU(), nn.Linear(20, 3)
    )


def convolutional():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3), nn.LeakyReLU(0.1), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Dropout(0.5), nn.Linear(6, 3),
    )  # fmt: skip


class Skip(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(5, 5), nn.Linear(5, 3)

    def forward(self, x):
        return self.b(x + torch.relu(self.a(x)))


def directions(shape, n=30, seed=1):
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(seed)).double()


def far_slope(net, x, t=1e6):
    """By its definition, between t and 2t."""
    with torch.no_grad():
        return (net(2 * t * x) - net(t * x)) / t


@pytest.mark.parametrize(
    ("build", "shape"),
    [(mlp, (5,)), (convolutional, (1, 8, 8)), (Skip, (5,)), (lambda: nn.Linear(5, 2), (5,))],
)
def test_slope_is_the_limit(build, shape):
    net = seeded(build).eval()
    x = directions(shape)
    slope = asymptotic_slope(net, x)
    torch.testing.assert_close(slope, far_slope(net, x), rtol=1e-6, atol=1e-6)
    assert float((slope - net(x).detach()).abs().max()) > 0.1  # the biases mattered


def test_slope_is_exactly_the_network_without_biases():
    net, bare = seeded(mlp), seeded(mlp)
    for p in bare.parameters():
        if p.ndim == 1:
            nn.init.zeros_(p)
    x = directions((5,))
    torch.testing.assert_close(asymptotic_slope(net, x), bare(x).detach(), rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(asymptotic_slope(net, 3 * x), 3 * bare(x).detach())


def test_no_bias_is_too_large():
    """Even where it decides the sign at 2^30 x, it does not at infinity."""
    net = nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1)).double()
    with torch.no_grad():
        net[0].weight.fill_(-1.0)
        net[0].bias.fill_(1e12)
        net[2].weight.fill_(3.0)
    x = torch.tensor([[1.0], [-1.0]]).double()
    assert asymptotic_slope(net, x).flatten().tolist() == [0, 3]
    parts = nn.Unflatten(1, (1, 1)), nn.Conv1d(1, 1, 1), nn.BatchNorm1d(1), nn.ReLU(), nn.Flatten()
    net = nn.Sequential(*parts).double().eval()
    nn.init.constant_(net[1].weight, -3.0)
    slopes = [0.0, 3 / math.sqrt(1 + net[2].eps)]  # the running variance is 1
    for huge in (net[1].bias, net[2].bias, net[2].running_mean):
        for part in (net[1].bias, net[2].bias, net[2].running_mean):
            nn.init.zeros_(part)
        nn.init.constant_(huge, -1e12 if huge is net[2].running_mean else 1e12)
        assert asymptotic_slope(net, x).flatten().tolist() == pytest.approx(slopes, abs=1e-9)


@pytest.mark.parametrize("unit", [nn.Softplus(10.0), nn.GELU(), nn.SiLU(), nn.ELU()])
def test_smooth_units_have_the_slope_of_the_relu_they_tend_to(unit):
    smooth, sharp = (
        seeded(lambda u=u: nn.Sequential(nn.Linear(5, 9), u, nn.Linear(9, 3)))
        for u in (unit, nn.ReLU())
    )
    x = directions((5,))
    torch.testing.assert_close(asymptotic_slope(smooth, x), asymptotic_slope(sharp, x))


def test_bounded_units_have_slope_zero():
    net = seeded(lambda: nn.Sequential(nn.Linear(5, 9), nn.Tanh(), nn.Linear(9, 3)))
    assert (asymptotic_slope(net, directions((5,))) == 0).all()


def test_biases_the_library_does_not_know_cancel():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.tensor([2.0, -3.0]))
            self.shift = nn.Parameter(torch.tensor([5.0, 100.0]))

        def forward(self, x):
            return x * self.scale + self.shift

    x = directions((2,))
    expected = x * torch.tensor([2.0, -3.0]).double()
    torch.testing.assert_close(asymptotic_slope(Own().double(), x), expected)


@pytest.mark.parametrize("fn", [lambda x: x * x, lambda x: x * x.abs().sqrt()])
def test_a_network_that_multiplies_is_refused(fn):
    class Own(nn.Module):
        def forward(self, x):
            return fn(x)

    with pytest.raises(ValueError, match="straight line"):
        asymptotic_slope(Own(), directions((2,)))


def test_single_precision_network():
    net = seeded(mlp)
    exact = asymptotic_slope(net, directions((5,)))
    rough = asymptotic_slope(seeded(mlp).float(), directions((5,)))
    assert rough.dtype == torch.float32
    torch.testing.assert_close(rough.double(), exact, rtol=1e-4, atol=1e-4)


def test_the_network_is_left_as_it_was():
    net = seeded(convolutional).train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    ids = [id(p) for p in net.parameters()]
    state = torch.get_rng_state()
    asymptotic_slope(net, directions((1, 8, 8)))
    assert net.training
    assert [id(p) for p in net.parameters()] == ids
    assert all(p.requires_grad and p.grad is None for p in net.parameters())
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)


# ---- normalisable or not


def line(slope_right, slope_left):
    """f(x) = slope_right x for x > 0, slope_left |x| for x < 0, plus a bias."""
    net = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1)).double()
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[1.0], [-1.0]]))
        net[0].bias.zero_()
        net[2].weight.copy_(torch.tensor([[slope_right, slope_left]]))
        net[2].bias.fill_(3.0)
    return net


BOTH = torch.tensor([[2.0], [-0.5]], dtype=torch.float64)


@pytest.mark.parametrize(("right", "left"), [(-1.0, -2.0), (-0.1, -0.2)])
def test_falling_everywhere_is_normalisable(right, left):
    net = line(right, left)
    assert check_normalisable(net, BOTH) == pytest.approx(max(right, left))
    mass, _ = quad(
        lambda t: math.exp(net(torch.tensor([[t]]).double()).item()), -200, 200, limit=400
    )
    assert mass == pytest.approx(math.exp(3) * (-1 / right - 1 / left), rel=1e-6)


@pytest.mark.parametrize(
    ("right", "left", "ray", "word"),
    [(0.5, -1.0, 2.0, "grows"), (-1.0, 0.5, -0.5, "grows"), (0.0, -1.0, 2.0, "stays level")],
)
def test_the_ray_is_named(right, left, ray, word):
    with pytest.raises(UnnormalisableError, match=rf"direction = \({ray:g}\).*{word}") as caught:
        check_normalisable(line(right, left), BOTH)
    assert caught.value.direction.tolist() == [ray]
    assert check_normalisable(line(right, left), BOTH, lam=0.1) == -math.inf


def test_linear_logits_are_never_normalisable():
    net = seeded(lambda: nn.Linear(4, 3))
    for k in (None, 0, 1, 2):
        with pytest.raises(UnnormalisableError) as caught:
            check_normalisable(net, directions((4,)), k)
        ray = caught.value.direction
        slopes = net.weight.detach() @ ray
        assert float(slopes.max() if k is None else slopes[k]) > 0


def test_one_class_may_be_finite_where_another_is_not():
    net = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 2)).double()
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[1.0], [-1.0]]))
        net[2].weight.copy_(torch.tensor([[-1.0, -1.0], [1.0, -1.0]]))
    assert check_normalisable(net, BOTH, k=0) == pytest.approx(-1)
    for k in (1, None):
        with pytest.raises(UnnormalisableError, match="f_1"):
            check_normalisable(net, BOTH, k=k)


def test_a_single_level_ray_is_enough():
    """f = -|x1|: the ray along x2 alone is level, and the mass in a box of side 2R grows with R."""
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1)).double()
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]))
        net[2].weight.copy_(torch.tensor([[-1.0, -1.0]]))
    with pytest.raises(UnnormalisableError, match="level"):
        check_normalisable(net, torch.tensor([[1.0, 0.0], [0.0, 1.0]]).double())
    masses = [2 * R * 2 * (1 - math.exp(-R)) for R in (10, 20, 40)]  # exact, over the box
    assert np.all(np.diff(masses) > 10)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda n: asymptotic_slope(n, torch.zeros(2, 5)), ValueError, r"directions\[0\] is 0"),
        (lambda n: asymptotic_slope(n, torch.zeros(5)), ValueError, r"shape \(N, ...\)"),
        (lambda n: asymptotic_slope(n, torch.zeros(0, 5)), ValueError, "at least one"),
        (lambda n: asymptotic_slope(n, torch.full((1, 5), math.nan)), ValueError, "NaN"),
        (lambda n: asymptotic_slope(n, [[1.0]]), TypeError, "tensor"),
        (lambda n: asymptotic_slope(lambda x: x, torch.ones(1, 5)), TypeError, "Module"),
        (lambda n: asymptotic_slope(nn.ReLU(), torch.ones(1, 5, 2)), ValueError, "logits of shape"),
        (lambda n: check_normalisable(n, torch.ones(1, 5), k=3), ValueError, "k 3 is out of range"),
        (lambda n: check_normalisable(n, torch.ones(1, 5), lam=-1), ValueError, "lam must be >= 0"),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call(seeded(mlp))
