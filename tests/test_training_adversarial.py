"""Training on changed images: the identities that the losses rest on, and what they leave alone."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm
from torch import nn

from actmax_lib.training import (
    cross_entropy,
    fgsm_training,
    noise_training,
    pgd_training,
    saliency_guided,
)
from tests.nets import seeded

pytestmark = pytest.mark.usefixtures("one_thread")


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def linear(d=16, seed=0):
    return seeded(lambda: nn.Sequential(nn.Flatten(), nn.Linear(d, 2)), seed=seed).double()


def smooth(seed=0):
    make = lambda: nn.Sequential(nn.Flatten(), nn.Linear(16, 12), nn.Softplus(3), nn.Linear(12, 3))  # noqa: E731  # used once, here
    return seeded(make, seed=seed).double()


def batch(n=6, low=0.3, high=0.7, classes=2):
    x = torch.rand(n, 1, 4, 4, dtype=torch.float64, generator=generator(1))
    return low + (high - low) * x, torch.arange(n) % classes


def heights(net, x, y):
    """(y f(x), w) of a linear network of two classes as logistic regression, in NumPy."""
    weight, bias = (p.detach().numpy() for p in net[1].parameters())
    w, b = weight[1] - weight[0], bias[1] - bias[0]
    return (2 * y.numpy() - 1) * (x.flatten(1).numpy() @ w + b), w


def value(loss, net, x, y, seed=0):
    return float(loss(net, x, y, generator(seed)).detach())


class Spy(nn.Module):
    """Keeps what it is asked, and in which mode."""

    def __init__(self, net):
        super().__init__()
        self.net, self.seen = net, []

    def forward(self, x):
        self.seen.append((x.detach().clone(), self.training))
        return self.net(x)


def changed(loss, net, x, y, seed=0):
    """The images that a loss trains on."""
    spy = Spy(net)
    loss(spy, x, y, generator(seed))
    return spy.seen[-1][0]


# Identities


@pytest.mark.parametrize("loss", [fgsm_training(0.1), pgd_training(0.1, "linf", steps=4)])
def test_the_adversarial_logistic_loss_is_exact(loss):
    """P25: max ℓ over the cube is log(1 + exp(-y f + ε‖w‖₁)), to rounding."""
    net, (x, y) = linear(), batch()
    height, w = heights(net, x, y)
    expected = np.log1p(np.exp(-height + 0.1 * np.abs(w).sum())).mean()
    assert value(loss, net, x, y) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("steps", "reached"), [(1, 0.85), (7, 0.97), (200, 0.98)])
def test_steps_in_the_2_norm_come_close_to_its_dual(steps, reached):
    net, (x, y) = linear(), batch()
    height, w = heights(net, x, y)
    exact = lambda eps: np.log1p(np.exp(-height + eps * np.linalg.norm(w))).mean()  # noqa: E731  # a formula
    got = value(pgd_training(0.25, "l2", steps=steps), net, x, y)
    assert exact(0.25 * reached) < got <= exact(0.25) * (1 + 1e-12)


@pytest.mark.parametrize("loss", [fgsm_training, lambda eps: pgd_training(eps, "linf", 3)])
def test_to_first_order_it_is_a_penalty_on_the_gradient(loss):
    """P25: ℓ + ε‖∇ℓ‖₁ + O(ε²), so half of ε leaves a quarter of the rest."""
    net, (x, y) = smooth(), batch(classes=3)
    z = x.clone().requires_grad_()
    plain = nn.functional.cross_entropy(net(z), y)
    (g,) = torch.autograd.grad(plain * len(x), z)
    slope = float(g.abs().flatten(1).sum(1).mean())
    rest = [value(loss(e), net, x, y) - float(plain.detach()) - e * slope for e in (2e-3, 1e-3)]
    assert 3.9 < rest[0] / rest[1] < 4.1


def test_saliency_of_itself_on_a_linear_network_is_fgsm_to_the_bit():
    """Mangla et al. 2020, and at the edges of the box too."""
    net, (x, y) = linear(), batch(low=0.0, high=1.0)
    guided, attacked = saliency_guided(net, 0.1, most=1).at(1.0), fgsm_training(0.1)
    moved = changed(guided, net, x, y)
    assert torch.equal(moved, changed(attacked, net, x, y))
    assert float(moved.min()) == 0
    assert value(guided, net, x, y) == value(attacked, net, x, y)


@pytest.mark.parametrize(("progress", "q"), [(0.0, 0.0), (0.5, 0.35), (1.0, 0.7)])
def test_a_growing_share_of_the_pixels_follows_the_teacher(progress, q):
    teacher, (x, y) = linear(), batch(n=2000)
    moved = changed(saliency_guided(teacher, 0.1).at(progress), linear(seed=9), x, y)
    step = (moved - x) / 0.1
    assert torch.allclose(step.abs(), torch.ones_like(step))
    _, w = heights(teacher, x, y)
    away = torch.from_numpy(np.sign(w)).view(1, 1, 4, 4) * (1 - 2 * y.view(-1, 1, 1, 1))
    agree = (step.sign() == away).double()
    p, n = q + (1 - q) / 2, agree.numel()
    assert abs(float(agree.mean()) - p) < 4.5 * math.sqrt(p * (1 - p) / n)
    pixels = agree.flatten(1) - p  # each pixel has a coin of its own
    assert abs(float((pixels[:, 0] * pixels[:, 1]).mean())) < 4.5 * p * (1 - p) / math.sqrt(2000)


def test_noise_is_normal_and_not_clipped():
    """E log(1 + exp(-(m + σ‖w‖ z))) over z ~ N(0, 1), by quadrature."""
    net, (x, y) = linear(), batch(n=1)
    height, w = heights(net, x, y)
    spread = 0.4 * np.linalg.norm(w)
    law = lambda z, k: np.log1p(np.exp(-height[0] - spread * z)) ** k * norm.pdf(z)  # noqa: E731  # a formula
    mean, square = (quad(law, -12, 12, args=(k,))[0] for k in (1, 2))
    n = 20_000
    got = value(noise_training(0.4), net, x.expand(n, -1, -1, -1), y.expand(n))
    assert abs(got - mean) < 4.5 * math.sqrt((square - mean**2) / n)
    moved = changed(noise_training(0.4), net, x.expand(100, -1, -1, -1), y.expand(100))
    assert float(moved.min()) < 0 < 1 < float(moved.max())


# What they leave alone

LOSSES = {
    "fgsm": lambda net: fgsm_training(0.1),
    "pgd": lambda net: pgd_training(0.1, "l2", 2),
    "guided": lambda net: saliency_guided(net, 0.1).at(0.5),
    "noise": lambda net: noise_training(0.1),
}


@pytest.mark.parametrize("name", LOSSES)
def test_only_the_last_pass_trains(name):
    """Batch norm sees the changed images once; the weights' gradient is that of ℓ at them."""
    net = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(16), nn.Linear(16, 2)).double().train()
    x, y = batch()
    spy, other = Spy(net), linear()
    loss = LOSSES[name](other.train())
    before = torch.random.get_rng_state()
    loss(spy.train(), x, y, generator()).backward()
    assert torch.equal(before, torch.random.get_rng_state())
    assert [mode for _, mode in spy.seen] == [False] * (len(spy.seen) - 1) + [True]
    assert int(net[1].num_batches_tracked) == 1
    assert net.training
    assert other.training
    assert all(p.grad is None and p.requires_grad for p in other.parameters())
    got = [p.grad.clone() for p in net.parameters()]
    net.zero_grad()
    cross_entropy(net, spy.seen[-1][0], y, generator()).backward()
    assert all(torch.equal(a, p.grad) for a, p in zip(got, net.parameters(), strict=True))


@pytest.mark.parametrize("name", ["pgd", "guided", "noise"])
def test_the_generator_is_the_only_chance(name):
    net, (x, y) = linear(), batch()
    loss = LOSSES[name](net)
    assert value(loss, net, x, y, 3) == value(loss, net, x, y, 3) != value(loss, net, x, y, 4)
