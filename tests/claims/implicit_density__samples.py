"""Claims of chapters/probability/implicit-density.md: mode and sample, and JEM."""

import math

import numpy as np
from scipy.special import log_softmax, logsumexp
from scipy.stats import chi2, multivariate_normal

from . import claim
from .tools import rng, worst


def _covariance(r, d):
    A = r.normal(size=(d, d))
    return A @ A.T + 0.3 * np.eye(d)


@claim(
    "eq:implicit:mode-gap",
    "eq:implicit:norms",
    "prop:implicit:mode",
    statement="log p(mode) - E log p = d/2 for every Gaussian (2·10⁵ draws), |x|²/σ² is "
    "chi-squared: mean d, variance 2d (in standard errors).",
    tol=4.5,
)
def mode():
    errors = []
    for d in (1, 3, 10):
        r = rng(d)
        S, mu = _covariance(r, d), r.normal(size=d)
        p = multivariate_normal(mu, S)
        x = p.rvs(200_000, random_state=d).reshape(-1, d)
        gap = p.logpdf(mu) - p.logpdf(x)
        errors.append((gap.mean() - d / 2) / (gap.std() / math.sqrt(len(x))))
    for d in (1, 20, 784):
        s2 = 1.7**2
        mean, variance, excess = (float(v) for v in chi2(d, scale=s2).stats("mvk"))
        errors += [1e9 * (mean / (d * s2) - 1), 1e9 * (variance / (2 * d * s2**2) - 1)]
        norms = s2 * (rng(d).normal(size=(2000, d)) ** 2).sum(1)
        errors.append((norms.mean() - d * s2) / (s2 * math.sqrt(2 * d / 2000)))
        spread = math.sqrt((excess + 2) / 2000)
        errors.append((norms.var() / (2 * d * s2**2) - 1) / spread)
    return worst(*errors)


def _net(theta, x):
    """Logits of a small network with all its weights in one vector, less |x|²/4."""
    W, b, V = theta[:10].reshape(2, 5), theta[10:15], theta[15:].reshape(5, 3)
    return np.tanh(x @ W + b) @ V - (x * x).sum(1, keepdims=True) / 4


@claim(
    "eq:implicit:jem-split",
    "eq:implicit:jem-gradient",
    "prop:implicit:jem",
    statement="Differences of log p_θ(x) and log p_θ(x, k) in every weight: E of the slope of LSE "
    "under the model (on a grid) is the slope of log Z.",
    tol=1e-7,
)
def jem():
    errors = []
    g = np.linspace(-9, 9, 121)
    grid = np.stack(np.meshgrid(g, g), -1).reshape(-1, 2)
    cell = (g[1] - g[0]) ** 2
    for seed in range(3):
        r = rng(seed)
        theta, x = r.normal(size=30), r.normal(size=(4, 2)) * 2

        def lse(theta, x):
            return logsumexp(_net(theta, x), axis=1)

        def log_z(theta):
            return logsumexp(lse(theta, grid)) + math.log(cell)

        weight = np.exp(lse(theta, grid) - log_z(theta)) * cell
        logits = _net(theta, x)
        joint = logits - log_z(theta)
        posterior = log_softmax(logits, axis=1)
        errors.append(joint - posterior - (lse(theta, x) - log_z(theta))[:, None])
        for e in np.eye(30):
            h = 1e-5 * e

            def d(f, theta=theta, h=h):
                return (f(theta + h) - f(theta - h)) / 2e-5

            left = d(lambda t, x=x: lse(t, x) - log_z(t))
            right = d(lambda t, x=x: lse(t, x)) - weight @ d(lambda t: lse(t, grid))
            errors.append(left - right)
    return worst(*errors)
