"""Claims of chapters/probability/implicit-density.md: Langevin steps and temperature."""

import itertools
import math

import numpy as np
import torch
from scipy.linalg import solve_discrete_lyapunov
from scipy.special import logsumexp

from actmax_lib import function, maximize, point, sampling

from . import claim
from .tools import broken, rng, worst


def _covariance(r, d):
    A = r.normal(size=(d, d))
    return A @ A.T + 0.3 * np.eye(d)


def _spread(x, C):
    """z-scores of the covariance entries of independent N(0, C) rows."""
    white = np.linalg.solve(np.linalg.cholesky(C), x.T)
    n, d = x.shape
    return (white @ white.T / n - np.eye(d)) * np.sqrt(n / (1 + np.eye(d)))


def _wells(x):
    return -(x**4) / 4 + x**2 + 0.3 * x


def _slope(x):
    return -(x**3) + 2 * x + 0.3


@claim(
    "eq:implicit:recursion",
    "eq:implicit:law",
    statement="One dimension: the variance of 20 000 chains after 1, 2, 5 and many steps, in "
    "standard errors from its recursion; the limit is T σ²/(1 - ε/(4σ²)), 4 for ε = 3, σ = T = 1.",
    tol=4.5,
)
def law():
    scores = []
    for eps, s2, T in ((0.1, 1, 1), (1, 1, 1), (3, 1, 1), (0.5, 0.25, 2), (1, 4, 0.5)):
        chain = sampling.ula(
            lambda x, s2=s2: -x / s2,
            torch.zeros(20_000, 1, dtype=torch.float64),
            step=eps, steps=150, temperature=T, seed=1,
        )  # fmt: skip
        v, exact = 0.0, T * s2 / (1 - eps / (4 * s2))
        for t in range(150):
            v = (1 - eps / (2 * s2)) ** 2 * v + eps * T
            if t in (0, 1, 4, 149):
                scores.append(_spread(chain.samples[t].numpy(), np.array([[v]])))
        scores.append(1e6 * (v / exact - 1) if eps > 0.1 else 0)
        scores.append(_spread(chain.last.numpy(), np.array([[exact]])))
    scores.append(1e9 * (sampling.stationary_covariance([[1.0]], 3).item() - 4))
    return worst(*scores)


@claim(
    "eq:implicit:law-matrix",
    "prop:implicit:law",
    statement="The covariance T Σ (I - ε/4 Σ⁻¹)⁻¹ solves the Lyapunov equation; the recursion "
    "reaches it below ε = 4 λ_min and leaves for infinity above.",
    tol=1e-8,
)
def law_matrix():
    errors = []
    for seed, part, T in itertools.product(range(4), (0.2, 0.7, 0.97), (0.3, 1.0)):
        r = rng(seed)
        d = int(r.integers(1, 6))
        S = _covariance(r, d)
        P, I = np.linalg.inv(S), np.eye(d)  # noqa: E741
        limit = 4 * np.linalg.eigvalsh(S)[0]
        eps = part * limit
        A = I - eps / 2 * P
        law = T * S @ np.linalg.inv(I - eps / 4 * P)
        errors.append((solve_discrete_lyapunov(A, eps * T * I) - law) / np.abs(law).max())
        errors.append((sampling.stationary_covariance(S, eps, T).numpy() - law) / np.abs(law).max())
        start = r.normal(size=d)
        far = np.linalg.matrix_power(I - 1.05 * limit / 2 * P, 2000) @ start
        near = np.linalg.matrix_power(A, 2**24) @ start
        errors.append(broken(np.linalg.norm(far) > 1e6, np.linalg.norm(near) < 1e-6))
    return worst(*errors)


@claim(
    "eq:implicit:temperature",
    "prop:implicit:temperature",
    statement="x + α score + s ξ is the step s² for p^(1/T), T = s²/(2α) (whole chains); as α "
    "falls with s² = 2αT the variance on a Gaussian tends to T σ², and sgld reports this T.",
    tol=2e-4,
)
def temperature():
    errors = []
    for s2, T in itertools.product((0.5, 2.0), (0.1, 1.0, 3.0)):
        gaps = []
        for alpha in (1e-2, 1e-3, 1e-4):
            s = math.sqrt(2 * alpha * T)
            variance = s * s / (1 - (1 - alpha / s2) ** 2)  # of the recursion v = a² v + s²
            gaps.append(variance / (T * s2) - 1)
            chain = sampling.sgld(lambda x: -x, [[0.0]], drift=alpha, noise=s, steps=1)
            errors.append(chain.temperature - T)
        errors += [gaps[-1], broken(abs(gaps[0]) > abs(gaps[1]) > abs(gaps[2]))]
        # exactly: the step of size s² at temperature 1 for p^(1/T), here a double well
        how = {"steps": 30, "seed": 3}
        own = sampling.sgld(_slope, torch.ones(9, 2).double(), drift=0.02, noise=0.3, **how)
        power = lambda x, T=own.temperature: _slope(x) / T  # noqa: E731
        same = sampling.ula(power, torch.ones(9, 2).double(), step=0.09, **how)
        errors.append((own.samples - same.samples).abs().max().item())
    return worst(*errors)


@claim(
    "prop:implicit:cold",
    statement="Temperature 0 is gradient ascent with step ε/2: every bit of the library's own.",
    tol=0,
)
def cold():
    bad = 0
    for seed in range(4):
        x0 = torch.from_numpy(rng(seed).normal(size=(6, 3)))
        f = function(lambda x: (torch.cos(2 * x) - x**4 / 9).sum(1))
        how = {"optimizer": "gradient", "schedule": "constant", "lr": 0.025, "steps": 40}
        climbed = maximize(f, point(x0), **how).images
        chain = sampling.ula(sampling.score_of(f), x0, step=0.05, steps=40, temperature=0)
        bad += broken(torch.equal(chain.last, climbed))
    return bad


@claim(
    "eq:implicit:accept",
    "prop:implicit:mala",
    statement="p(x) q(y|x) a(x, y) is symmetric on a grid of a double well, so p is invariant "
    "under the kernel, and not under the proposals alone; moments of the library's mala.",
    tol=4.5,
)
def mala():
    errors = []
    g = np.linspace(-6, 6, 601)
    log_p = _wells(g) - logsumexp(_wells(g))
    for eps in (0.1, 0.5, 1.0):
        mean = g + eps / 2 * _slope(g)
        log_q = -((g[None] - mean[:, None]) ** 2) / (2 * eps)  # log q(y|x), rows x
        log_q = log_q - math.log(math.sqrt(2 * math.pi * eps) / (g[1] - g[0]))
        log_a = np.minimum(0, (log_p[None] - log_p[:, None]) + log_q.T - log_q)
        flow = np.exp(log_p[:, None] + log_q + log_a)
        errors.append(1e9 * (flow - flow.T))
        kernel = np.exp(log_q + log_a)
        np.fill_diagonal(kernel, 0)
        kernel += np.diag(1 - kernel.sum(1))
        p = np.exp(log_p)
        errors.append(1e9 * (p @ kernel - p))
        unadjusted = np.exp(log_q - logsumexp(log_q, axis=1)[:, None])
        errors.append(10 * broken(np.abs(p @ unadjusted - p).sum() > 0.01 * eps))
    x = g[:, None] ** np.arange(1, 9)
    m = np.exp(log_p) @ x
    x0 = torch.zeros(8000, 1, dtype=torch.float64)
    chain = sampling.mala(lambda x: _wells(x)[:, 0], x0, step=0.6, steps=300, keep=300)
    found = (chain.last.numpy() ** np.arange(1, 5)).mean(0)
    errors.append((found - m[:4]) / np.sqrt((m[1::2] - m[:4] ** 2) / 8000))
    return worst(*errors)
