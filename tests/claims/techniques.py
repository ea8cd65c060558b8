"""Claims of chapters/networks/techniques.md.

What the trained networks show is measured and asserted on the page itself.
"""

import itertools

import numpy as np
import torch
from torch import nn

from actmax_lib import (
    accentuation,
    caricature,
    direction,
    diversity,
    function,
    interpolation,
    inversion,
    maximize,
    point,
)

from . import claim
from .tools import broken, rng, worst

SAME = nn.Sequential(nn.Identity())  # its layer "0" is the picture itself


def _net(seed: int) -> nn.Module:
    """A small smooth convolutional network in float64."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Conv2d(4, 3, 3))
    return net.double().requires_grad_(False)


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float((a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b))


@claim(
    "eq:techniques:measures",
    statement="Dot, cosine and dot-cosine of channels with a direction, as means over positions; "
    "where the cosine is at least 1/10, dot-cosine is the lengths times its power p + 1.",
    tol=1e-12,
)
def measures():
    errors = []
    for seed, p in itertools.product(range(3), (0.0, 1.0, 2.5)):
        r = rng(seed)
        a, v = r.normal(size=(2, 5, 3, 4)) + 0.4, r.normal(size=5) + 0.4
        columns = a.reshape(2, 5, -1).transpose(0, 2, 1)
        dot = columns @ v
        size = np.linalg.norm(columns, axis=2) * np.linalg.norm(v)
        c = dot / size
        pure = np.where(c >= 0.1, size * np.abs(c) ** (p + 1), dot * 0.1**p)
        for name, expected in {"dot": dot, "cosine": c, "dot_cosine": pure}.items():
            f = direction(SAME, "0", v, measure=name, power=p)
            errors.append(f(torch.from_numpy(a)).numpy() - expected.mean(1))
    return worst(*errors, broken((c < 0.1).any(), (c > 0.1).any()))


@claim(
    "eq:techniques:diversity",
    statement="Diversity is minus the mean cosine of Gram matrices, and the same after positions "
    "are permuted.",
    tol=1e-12,
)
def gram():
    r = rng(4)
    a = r.normal(size=(4, 3, 2, 5))
    A = a.reshape(4, 3, -1)
    G = [m @ m.T for m in A]
    expected = [-np.mean([_cosine(G[n], G[m]) for m in range(4) if m != n]) for n in range(4)]
    f = diversity(SAME, "0")
    moved = A.copy()
    moved[1] = A[1][:, r.permutation(10)]
    both = [f(torch.from_numpy(x.reshape(a.shape))).numpy() for x in (a, moved)]
    return worst(*(values - expected for values in both))


@claim(
    "eq:techniques:interpolation",
    statement="Picture k of n climbs (1 - t) f + t g with t = k / (n - 1).",
    tol=1e-12,
)
def path():
    f, g = function(lambda x: x.sum(1)), function(lambda x: x.square().sum(1))
    x = rng(5).normal(size=(5, 3))
    t = np.arange(5) / 4
    expected = (1 - t) * x.sum(1) + t * (x**2).sum(1)
    return worst(interpolation(f, g, 5)(torch.from_numpy(x)).numpy() - expected)


@claim(
    "eq:techniques:inversion",
    "eq:techniques:caricature",
    statement="Inversion, and caricature with the floor and the number of positions, against "
    "NumPy on the activations themselves.",
    tol=1e-12,
)
def compared_with_a_picture():
    errors = []
    for seed in range(4):
        r = rng(seed)
        x, ref = r.normal(size=(3, 2, 4, 5)), r.normal(size=(1, 2, 4, 5))
        x[0] += 2 * ref[0]
        distance = ((x - ref) ** 2).sum((1, 2, 3)) / (ref**2).sum()
        c = np.array([_cosine(one, ref[0]) for one in x])
        drawn = (x * ref).sum((1, 2, 3)) / 20 * np.maximum(c, 0.1) ** 2
        seen = torch.from_numpy(x)
        errors.append(inversion(SAME, "0", torch.from_numpy(ref))(seen).numpy() + distance)
        errors.append(caricature(SAME, "0", torch.from_numpy(ref))(seen).numpy() - drawn)
    return worst(*errors)


@claim(
    "prop:techniques:paired",
    "eq:techniques:paired",
    statement="The price of another draw is 2 tr Cov, by counting all pairs of shifts of a small "
    "network; and an accentuated photograph starts with the distance 0 under every draw.",
    tol=1e-9,
)
def same_draw():
    r, net = rng(6), _net(6)
    x, ref = (torch.from_numpy(r.uniform(size=(1, 1, 8, 8))) for _ in range(2))
    shifts = list(itertools.product(range(-2, 3), repeat=2))
    A, R = (np.stack([net(p.roll(s, (2, 3))).flatten().numpy() for s in shifts]) for p in (x, ref))
    errors = []
    for a, b in ((A, R), (R, R)):
        paired = ((a - b) ** 2).sum(1).mean()
        crossed = np.mean([((u - w) ** 2).sum() for u in a for w in b])
        covariance = ((a - a.mean(0)) * (b - b.mean(0))).mean(0).sum()
        errors.append((crossed - paired - 2 * covariance) / crossed)

    def moved(p, streams):
        return p + 0.3 * streams.normal(*p.shape[1:])

    still = function(lambda p: 0 * p.sum((1, 2, 3)))
    f = accentuation(still, net, "2", ref, 1.0)
    one = {"transform": moved, "steps": 1, "lr": 1e-300}
    errors.append(maximize(f, point(ref), **one).history.numpy())
    other = maximize(f, point(x), **one).history
    return worst(*errors, broken(other.abs().min() > 1e-3))
