"""Claims of chapters/networks/techniques.md: alpha, other ways up, help for ReLUs, stopping."""

import itertools

import numpy as np
import torch
from torch import nn

from actmax_lib import direction, fourier, function, layer, maximize, pixels, point
from actmax_lib.preconditioners import spectral
from actmax_lib.stops import plateau
from actmax_lib.streams import Streams
from actmax_lib.transparency import alpha_penalty, over, transparent

from . import claim
from .techniques import _net
from .tools import broken, rng, worst


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
        plain = {"steps": 12, "optimizer": "gradient", "schedule": "constant", "lr": 0.5}
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
