"""Claims of chapters/networks/pictures-that-lie.md.

What the trained networks show is measured and asserted on the page itself.
"""

import itertools

import numpy as np
import torch
from torch import nn

from actmax_lib import closed_forms as cf
from actmax_lib import function, maximize, point
from actmax_lib.fooling import fooled

from . import claim
from .tools import broken, rng, worst

DEFINITIONS = {"eq:lie:circuit": "defines the circuit that the chapter adds to a network"}


def _net(seed: int, d: int = 2, outputs: int = 2, smooth: bool = True) -> nn.Module:
    """A small network on [0, 1]^d, in float64."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        act = nn.Tanh() if smooth else nn.ReLU()
        net = nn.Sequential(nn.Linear(d, 16), act, nn.Linear(16, outputs))
    return net.double().requires_grad_(False)


def _grid(box, n: int, d: int = 2) -> torch.Tensor:
    line = np.linspace(*box, n)
    return torch.from_numpy(np.stack(np.meshgrid(*[line] * d), -1).reshape(-1, d))


def _slopes(net, x: torch.Tensor) -> torch.Tensor:
    """Partial derivatives of the first logit."""
    x = x.clone().requires_grad_()
    return torch.autograd.grad(net(x)[:, 0].sum(), x)[0]


@claim(
    "prop:lie:null",
    "eq:lie:cosine",
    statement="w + Mu with u orthogonal to all data: the same on the data, the ℓ2 picture has the "
    "stated cosine with u, and the prior with the data's mean and covariance gives μ + Σw.",
    tol=1e-10,
)
def null_space():
    errors = []
    for seed, M in itertools.product(range(3), (0.5, 10.0, 1e3)):
        r = rng(seed)
        basis, _ = np.linalg.qr(r.normal(size=(7, 7)))
        data = r.normal(size=(40, 4)) @ basis[:4] + 2 * basis[0]
        u, w = 3 * basis[5], r.normal(size=4) @ basis[:4] + basis[6]
        errors.append((data @ (w + M * u) - data @ w) / M)
        lam = 0.7
        best = cf.affine_l2(w + M * u, 0.0, lam).x
        errors.append((best - (w + M * u) / (2 * lam)) / M)
        cosine = best @ u / np.linalg.norm(best) / np.linalg.norm(u)
        errors.append(cosine - M * 3 / np.sqrt(w @ w + 9 * M * M))
        mu, Sigma = data.mean(0), np.cov(data.T)
        both = [cf.affine_gaussian(v, 0.0, mu, Sigma).x for v in (w, w + M * u)]
        errors += [(both[1] - both[0]) / M, both[0] - mu - Sigma @ w]
    return worst(*errors, broken(cosine > 0.99))


@claim(
    "prop:lie:bump",
    "eq:lie:peak",
    "eq:lie:steps",
    statement="Outside the ball nothing changes; with A > L the value falls from t at least as "
    "fast as (A - L) times the ℓ1 distance (on a grid, L from the gradients there); gradient "
    "ascent is in the stated box after the stated number of steps and stays; with a large Ar, t "
    "is best of all.",
    tol=1e-9,
)
def circuit():
    errors = []
    for seed in range(4):
        net, r = _net(seed), rng(seed)
        t = torch.from_numpy(r.uniform(-0.3, 0.3, 2))
        radius = 0.8
        x = t + _grid((-1.5, 1.5), 121)
        size = (x - t).abs().sum(1)
        inside = size < radius
        # differences on a grid miss the largest slope by little: 1 % is added to it
        L = 1.01 * float(_slopes(net, x[inside]).abs().max())
        for A in (1.2 * L, 5 * L, 200.0):
            liar = fooled(net, t, strength=A, radius=radius, start=t, classes=0)
            f, lie = net(x)[:, 0].detach(), liar(x)[:, 0].detach()
            top = float(liar(t[None])[0, 0])
            errors.append(broken(torch.equal(f[~inside], lie[~inside])))
            below = lie - (top - (A - L) * size)
            errors.append(max(0.0, float(below[inside].max())))
            if A * radius >= float(f.max() - net(t[None])[0, 0]):
                errors.append(broken(float(lie.max()) <= top + 1e-12))
            eta = 0.05 * radius / (A + L)
            starts = t + torch.tensor([[0.5, -0.2], [-0.1, 0.6], [0.0, 0.3], [-0.35, -0.35]])
            n = int(np.ceil(0.6 / eta / (A - L)))
            steps = {"optimizer": "gradient", "schedule": "constant", "lr": eta}
            climb = function(lambda y, liar=liar: liar(y)[:, 0])
            for extra in (0, 1, 7):
                ends = maximize(climb, point(starts), steps=n + extra, **steps).images
                errors.append(max(0.0, float((ends - t).abs().max()) - eta * (A + L)))
    return worst(*errors)


@claim(
    "eq:lie:touched",
    statement="Where the circuit answers, the mean contrast about mid-grey is below r/d plus that "
    "of t (random images, near and far; the bound is nearly reached).",
    tol=0,
)
def touched():
    errors, tight = [], []
    r = rng(5)
    for d in (3, 10, 200):
        t = r.uniform(0.2, 0.8, d)
        radius = 0.15 * d
        push = np.where(t > 0.5, 1, -1) * r.uniform(0, 0.3, (4000, d))
        x = t + push * r.choice([1, 1, -1], size=(4000, 1))
        touched = np.abs(x - t).sum(1) < radius
        contrast, bound = np.abs(x - 0.5).mean(1), radius / d + np.abs(t - 0.5).mean()
        errors.append(broken((contrast[touched] < bound).all(), touched.any(), ~touched.all()))
        tight.append(contrast[touched].max() / bound)
    return worst(*errors, broken(max(tight) > 0.9))


@claim(
    "prop:lie:median",
    statement="Over cyclic shifts the circuit's mean is largest at the pixelwise medians of the "
    "shifted-back picture, and only there (searched over all pictures of the occurring values and "
    "values between them).",
    tol=1e-12,
)
def median():
    errors = []
    for seed in range(4):
        r = rng(seed)
        t = r.choice([0.0, 1.0, 0.4], size=4)
        shifts = r.integers(-1, 2, size=9 if seed % 2 else 5)
        levels = [0.0, 0.2, 0.4, 0.7, 1.0]
        pictures = np.array(list(itertools.product(levels, repeat=4)))
        values = np.mean([9.0 - np.abs(np.roll(pictures, s, 1) - t).sum(1) for s in shifts], axis=0)
        best = pictures[values > values.max() - 1e-9]
        back = np.median([np.roll(t, -s) for s in shifts], axis=0)  # odd numbers: unique medians
        errors += [broken(len(best) == 1), best[0] - back]
    return worst(*errors)


@claim(
    "prop:lie:independent",
    statement="Networks with random values on random data, fooled in the box [0, 1]²: the data's "
    "values stay, and the best point of a fine grid is the one nearest to t.",
    tol=1e-9,
)
def independent():
    errors = []
    for seed in range(5):
        r = rng(seed)
        net = _net(seed, outputs=1, smooth=False)
        data = torch.from_numpy(r.uniform(0, 1, (8, 2)))
        t = torch.from_numpy(r.uniform(0, 1, 2))
        radius = 0.9 * float((data - t).abs().sum(1).min())
        x = torch.cat([_grid((0, 1), 161), t[None]])
        f = net(x)[:, 0].detach()
        L = 2 * float(_slopes(net, x).abs().max())
        A = max(L, 1.1 * float(f.max() - f[-1]) / radius)
        liar = fooled(net, t, strength=A, radius=radius, data=data, start=t)
        lie = liar(x)[:, 0].detach()
        errors.append(broken(torch.equal(liar(data), net(data)), int(lie.argmax()) == len(x) - 1))
        second = float(lie[:-1].max())
        errors.append(broken(second < float(lie[-1]) or bool((x[:-1] == t).all(1).any())))
    return worst(*errors)
