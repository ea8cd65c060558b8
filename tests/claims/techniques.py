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
    fourier,
    function,
    interpolation,
    inversion,
    layer,
    maximize,
    pixels,
    point,
)
from actmax_lib.preconditioners import spectral
from actmax_lib.stops import plateau
from actmax_lib.streams import Streams
from actmax_lib.transparency import alpha_penalty, over, transparent

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


@claim(
    "eq:techniques:over",
    statement="The picture over a scene is alpha x + (1 - alpha) s.",
    tol=1e-12,
)
def on_a_scene():
    r = rng(7)
    x, s = r.uniform(size=(2, 4, 3, 5)), r.uniform(size=(2, 3, 3, 5))
    expected = x[:, 3:] * x[:, :3] + (1 - x[:, 3:]) * s
    return worst(over(torch.from_numpy(x), torch.from_numpy(s)).numpy() - expected)


@claim(
    "prop:techniques:opaque",
    "eq:techniques:opaque",
    statement="A climb with alpha of a linear unit on random scenes makes opaque the pixels whose "
    "half sum of absolute weights is above the price a pixel, and no others (pixels nearer than a "
    "third to the price are left out).",
    tol=0.0,
)
def opaque():
    r, wrong, counted = rng(8), 0, 0
    for price in (20.0, 40.0):
        w = torch.from_numpy(r.normal(size=(3, 6, 6)) * r.uniform(0, 1.5, size=(6, 6)))
        f = function(lambda x, w=w: (w.to(x) * x).sum((1, 2, 3)))
        image = transparent(pixels(3, 6))
        run = maximize(f + alpha_penalty(price), image, steps=300, lr=0.2, seed=3)
        alpha = run.images[0, 3].numpy()
        gain = 0.5 * w.abs().sum(0).numpy() / (price / 36)
        wrong += int((alpha[gain > 4 / 3] < 0.9).sum() + (alpha[gain < 2 / 3] > 0.1).sum())
        counted += int((gain > 4 / 3).sum() > 3) + int((gain < 2 / 3).sum() > 3)
    return wrong + broken(counted == 4)


@claim(
    "prop:techniques:spectral",
    "eq:techniques:spectral",
    statement="Plain gradient ascent on preconditioned pixels and on Fourier coordinates draws "
    "the same pictures; without the preconditioner, others. Odd and even sizes.",
    tol=1e-9,
)
def same_way():
    errors = []
    for size, decay in (((9, 12), 1.0), ((8, 7), 0.5)):
        net = _net(9)
        f = 20 * layer(net, "2")
        plain = {"steps": 12, "optimizer": "gradient", "schedule": "constant", "lr": 0.1}
        x = 0.2 + 0.6 * torch.from_numpy(rng(9).uniform(size=(1, 1, *size)))
        waves = maximize(f, fourier(start=x, decay=decay), **plain).images
        product = maximize(f, pixels(start=x), precondition=spectral(decay), **plain).images
        errors += [(waves - product).numpy()]
        errors.append(
            broken((maximize(f, pixels(start=x), **plain).images - waves).abs().max() > 0.01)
        )
    return worst(*errors)


@claim(
    "eq:techniques:revive",
    statement="Where all ReLUs are shut, a step goes along the weights of those whose gradient "
    "asks them to open; without help there is none; where one is open, help changes nothing.",
    tol=1e-12,
)
def woken():
    r = rng(10)
    W, w = r.normal(size=(6, 4)), r.normal(size=6)
    plain = {"steps": 1, "optimizer": "gradient", "schedule": "constant", "lr": 0.01}
    errors = []
    for bias, awake in ((np.full(6, -9.0), False), (np.r_[9.0, np.full(5, -9.0)], True)):
        net = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 1)).double()
        with torch.no_grad():
            for target, value in zip(
                net.parameters(), (W, bias, w[None], np.zeros(1)), strict=True
            ):
                target.copy_(torch.from_numpy(value))
        x = torch.from_numpy(r.normal(size=(1, 4)))
        f = direction(net, "2", np.ones(1))
        for revive in (0, 16):
            open_ = (W @ x[0].numpy() + bias > 0) | (not awake and revive > 0) & (w > 0)
            run = maximize(f, point(x), revive=revive, **plain)
            errors.append((run.images - x)[0].numpy() - 0.01 * W.T @ (w * open_))
    return worst(*errors, broken((w > 0).any(), (w < 0).any()))


@claim(
    "eq:techniques:plateau",
    statement="plateau stops at the first multiple of its window where the window's mean rises by "
    "no more than the gain, against a loop over a known history.",
    tol=0.0,
)
def levelled():
    wrong = 0
    for seed, m, gain in itertools.product(range(3), (4, 7), (0.0, 0.02)):
        h = np.log1p(np.arange(200.0))[:, None] * [1.0, 2.0] + 0.1 * rng(seed).normal(size=(200, 2))
        stop, found, expected = plateau(m, gain), None, None
        for t in range(1, 201):
            if found is None and stop(t, torch.from_numpy(h[:t])):
                found = t
            if expected is None and t >= 2 * m and t % m == 0:
                late, early = h[t - m : t].mean(0), h[t - 2 * m : t - m].mean(0)
                expected = t if (late - early <= gain * np.abs(early)).all() else None
        wrong += found != expected
    return wrong


@claim(
    "remark:techniques:scenes",
    statement="The random scenes have the mean 1/2 at every pixel, to the error of 4000 draws.",
    tol=5.0,
)
def scenes():
    image = transparent(pixels(1, 4))
    seen, _ = image.views(None)
    x = torch.zeros(4000, 2, 4, 4, dtype=torch.float64)  # alpha 0: the scene alone
    drawn = seen(x, Streams(range(4000), dtype=torch.float64))
    error = drawn.std(0) / 4000**0.5
    return worst(((drawn.mean(0) - 0.5) / error).numpy())
