"""Claims of chapters/networks/measured-pictures.md.

What the trained networks say is asserted on the page itself, from the committed results.
"""

import inspect
import itertools

import numpy as np
import torch
from torch import nn

from actmax_lib import function, metrics

from . import Check, claim
from .tools import broken, rng, worst

DEFINITIONS = {
    "eq:measured:transfer": "defines what a judge says; `metrics.transfer` is tested against NumPy",
}


@claim(
    "eq:measured:held-out",
    statement="held_out_value is the mean of f over the transforms: for a linear f and shifts "
    "along a ring, the dot product with w averaged over the shifts.",
    tol=2e-2,
)
def held_out():
    r = rng(71)
    w, x = r.normal(size=(1, 6, 8)), r.normal(size=(3, 1, 6, 8))
    f = function(lambda x: (x * torch.from_numpy(w)).sum((1, 2, 3)), "dot")

    def turned(x, streams):  # by one of four quarter rounds
        steps = (4 * streams.uniform(1)[:, 0]).long().tolist()
        return torch.stack([y.roll(2 * k, -1) for y, k in zip(x, steps, strict=True)])

    got = metrics.held_out_value(f, torch.from_numpy(x), turned, draws=4000)
    mean = np.mean([np.roll(w, -2 * k, -1) for k in range(4)], axis=0)
    spread = np.std([(x * np.roll(w, -2 * k, -1)).sum((1, 2, 3)) for k in range(4)], axis=0)
    return worst((got.numpy() - (x * mean).sum((1, 2, 3))) / spread / 5)


@claim(
    "prop:measured:selection",
    "eq:measured:selection",
    statement="The estimate of the best of several by their own estimates exceeds the best value "
    "on average, which is at least the value of the one chosen.",
    tol=0,
)
def selection():
    r = rng(72)
    failures = 0
    for n, m in ((2, 1), (5, 4), (20, 8)):
        v = r.normal(size=n) / 2
        seen = v + r.normal(size=(200_000, n)) / np.sqrt(m)  # means of m draws
        chosen = seen.argmax(1)
        own, true = seen.max(1).mean(), v[chosen].mean()
        slack = 4 * seen.max(1).std() / np.sqrt(len(seen))
        fresh = (v[chosen] + r.normal(size=len(seen))).mean()  # new draws do not flatter
        failures += broken(own >= v.max() - slack, v.max() >= true, abs(fresh - true) < 0.02)
        failures += broken(own > true + 0.1)  # and here strictly
    return failures


@claim(
    "eq:measured:spectrum",
    statement="spectrum_distance is the root mean square over eight half octaves of the log ratio "
    "of ring powers, under a Hann window of mean square 1; by a plain DFT.",
    tol=1e-9,
)
def spectrum():
    r = rng(73)
    pictures, photos = r.uniform(size=(2, 1, 34, 37)), r.uniform(size=(3, 1, 41, 32))

    def logs(images):
        n, m = images.shape[2:]
        hann = [0.5 - 0.5 * np.cos(2 * np.pi * np.arange(k) / k) for k in (n, m)]
        window = np.outer(*hann)
        window /= np.sqrt(np.mean(window**2))
        waves_n, waves_m = (np.exp(-2j * np.pi * np.outer(a, a) / len(a)) for a in
                            (np.arange(n), np.arange(m)))  # fmt: skip
        f = np.hypot(*np.meshgrid(np.fft.fftfreq(n), np.fft.fftfreq(m), indexing="ij"))
        found = []
        for y in images[:, 0]:
            centred = window * (y - (window * y).sum() / window.sum())
            power = np.abs(waves_n @ centred @ waves_m) ** 2 / (n * m)
            edges = 2.0 ** (-5 + np.arange(9) / 2)
            rings = itertools.pairwise(edges)
            found.append([np.log(power[(f > a) & (f <= b)].mean()) for a, b in rings])
        return np.array(found)

    expected = np.sqrt(((logs(pictures) - logs(photos).mean(0)) ** 2).mean(1))
    got = metrics.spectrum_distance(torch.from_numpy(pictures), torch.from_numpy(photos))
    return worst(got.numpy() - expected)


@claim(
    "eq:measured:diversity",
    statement="seed_diversity is the mean over pairs of seeds of the root mean square difference.",
    tol=1e-12,
)
def diversity():
    x = rng(74).uniform(size=(3, 5, 2, 4, 6))
    pairs = [(i, j) for i in range(5) for j in range(i)]
    expected = [np.mean([np.sqrt(((k[i] - k[j]) ** 2).mean()) for i, j in pairs]) for k in x]
    return worst(metrics.seed_diversity(torch.from_numpy(x)).numpy() - expected)


@claim(
    "eq:measured:path",
    statement="A class picture with cosine t to its class's axis has path similarity t √(1+a²) "
    "when photographs have a private part a; one of another class has 0.",
    tol=1e-6,
)
def path():
    errors = []
    for a, t in ((0.5, 0.3), (1.2, 0.6)):
        each, classes = 3, 3
        size = classes + classes * each + classes
        natural = np.zeros((classes * each, size))
        labels = np.repeat(np.arange(classes), each)
        for i, k in enumerate(labels):
            natural[i, k], natural[i, classes + i] = 1, a
        made = np.zeros((classes, size))
        made[:, :classes] = t * np.eye(classes)
        made[:, -classes:] = np.sqrt(1 - t * t) * np.eye(classes)
        for turned, expected in ((0, t * np.sqrt(1 + a * a)), (1, 0.0)):
            got = metrics.path_similarity(
                nn.Identity(), [""], torch.from_numpy(np.roll(made, turned, 0)), range(classes),
                torch.from_numpy(natural), labels, measure="cosine",
            )  # fmt: skip
            errors.append(float(got.normalized) - expected)
    return worst(*errors)


@claim(
    "prop:measured:clusters",
    "eq:measured:clusters",
    statement="The variance of a mean over K classes of S pictures is (τ² + σ²/S)/K, "
    "1 + (S-1)ρ times what KS independent pictures would have; the clustered interval follows it.",
    tol=0.05,
)
def clusters():
    r = rng(75)
    errors = []
    for tau, sigma, K, S in ((1.0, 0.5, 20, 3), (0.3, 1.0, 30, 4)):
        y = tau * r.normal(size=(40_000, K, 1)) + sigma * r.normal(size=(40_000, K, S))
        variance = (tau**2 + sigma**2 / S) / K
        rho = tau**2 / (tau**2 + sigma**2)
        ratio = variance * K * S / (tau**2 + sigma**2)
        errors += [y.mean((1, 2)).var() / variance - 1, ratio - (1 + (S - 1) * rho)]
        lengths = []
        for values in y[:400]:
            found = metrics.interval(values.ravel(), np.repeat(np.arange(K), S), resamples=1000)
            lengths.append(found.high - found.low)
        # percentiles of K clusters see the variance times (K-1)/K
        expected = 2 * 1.96 * np.sqrt(variance * (K - 1) / K)
        errors.append(np.mean(lengths) / expected - 1)
    level = inspect.signature(metrics.interval).parameters["level"].default
    return Check(worst(*errors), {"95 %": 100 * level})
