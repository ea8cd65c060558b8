"""Claims of chapters/probability/bayes.md: the path from certain to common."""

import itertools
import math

import numpy as np
from scipy.optimize import brentq, minimize, minimize_scalar
from scipy.special import log_softmax, logsumexp, softmax
from scipy.stats import norm

from actmax_lib.densities import GaussianClasses, gamma_path

from . import claim
from .bayes import classes
from .tools import broken, climb, rng, worst


@claim(
    "eq:bayes:gamma-stationary",
    statement="Shared Σ: the maximiser of L_γ (BFGS) satisfies γx = μ_k + (γ - 1)m(x), with m(x) "
    "the posterior mean of the means.",
    tol=1e-5,
)
def stationary():
    errors = []
    for seed, gamma in itertools.product(range(4), (0.2, 0.6, 1.0, 3.0, 20.0)):
        means, covariances, priors, log_joint = classes(seed, shared=True)

        def value(x, f=log_joint, gamma=gamma):
            return (f(x)[0] + (gamma - 1) * logsumexp(f(x))) / gamma

        x = climb(value, means[0])
        m = softmax(log_joint(x)) @ means
        errors.append(x - (means[0] + (gamma - 1) * m) / gamma)
        found = gamma_path(GaussianClasses(means, covariances[0], priors), 0, [gamma])[0].numpy()
        errors.append(max(value(x) - value(found), 0))
        errors.append(found - (means[0] + (gamma - 1) * softmax(log_joint(found)) @ means) / gamma)
    return worst(*errors)


@claim(
    "prop:bayes:gamma",
    statement="γ = 1 is the mean; for a shared Σ and γ <= 1 every start climbs to the same point; "
    "as γ grows log p(x_γ) reaches the maximum of log p (search).",
    tol=1e-4,
)
def gamma():
    errors = []
    for seed, shared in itertools.product(range(3), (True, False)):
        means, covariances, priors, log_joint = classes(seed, shared=shared, d=2)
        library = GaussianClasses(means, covariances, priors)
        path = gamma_path(library, 0, [1.0, 1e6]).numpy()
        errors.append(path[0] - means[0])

        def log_p(x, f=log_joint):
            return logsumexp(f(x))

        top = max(log_p(climb(log_p, m)) for m in means)
        errors.append(top - log_p(path[1]))
        if shared:
            for gamma in (0.1, 0.5):

                def cost(x, f=log_joint, gamma=gamma):
                    return -(f(x)[0] + (gamma - 1) * logsumexp(f(x))) / gamma

                starts = rng(seed).normal(size=(6, 2)) * 5
                options = {"gtol": 1e-9}
                ends = np.array([minimize(cost, s, options=options).x for s in starts])
                errors += [
                    np.ptp(ends, axis=0),
                    ends[0] - gamma_path(library, 0, [gamma])[0].numpy(),
                ]
    return worst(*errors)


@claim(
    "prop:bayes:trade-off",
    statement="Along the path, by a search on a fine grid and so for any two functions: log p(x_γ) "
    "does not fall and log p(k|x_γ) does not rise with γ.",
    tol=1e-12,
)
def trade_off():
    errors, moved, gammas = [], [], np.geomspace(0.02, 50, 60)
    x = np.linspace(-15, 15, 6001)
    for seed in range(6):
        r = rng(seed)
        certainty = log_softmax(r.normal(size=(3, 6)) @ np.sin(np.outer(np.arange(1, 7), x)), 0)[0]
        log_q = -0.05 * x**2 + np.cos(3 * x + seed)  # nothing is concave here
        best = [(certainty + g * log_q).argmax() for g in gammas]
        falls = np.minimum(np.diff(log_q[best]), 0)
        rises = np.maximum(np.diff(certainty[best]), 0)
        errors += [falls, rises]
        moved.append(min(np.ptp(log_q[best]), np.ptp(certainty[best])))
    return worst(*errors, broken(max(moved) > 0.1))


@claim(
    "eq:bayes:gamma-line",
    statement="Means 0 and 2, sd 1: x_γ = 2(γ - 1)p_2(x)/γ, its root, a search, and the library's "
    "path agree for seven γ.",
    tol=1e-5,
)
def line():
    errors, gammas = [], (0.05, 0.25, 0.5, 1.0, 2.0, 10.0, 100.0)
    found = gamma_path(GaussianClasses([[0.0], [2.0]], [[1.0]]), 0, gammas).flatten().numpy()

    def joint(x):
        return np.array([norm.logpdf(x), norm.logpdf(x, 2)])

    for gamma, ours in zip(gammas, found, strict=True):

        def p2(x):
            return 1 / (1 + math.exp(2 - 2 * x))

        root = brentq(lambda x, g=gamma: x - 2 * (g - 1) * p2(x) / g, -40, 1.0)
        best = minimize_scalar(
            lambda x, g=gamma: -(joint(x)[0] + (g - 1) * logsumexp(joint(x))) / g,
            bounds=(-40, 1), method="bounded", options={"xatol": 1e-9},
        )  # fmt: skip
        errors += [root - ours, best.x - root]
    return worst(*errors, broken((np.diff(found) > 0).all()))


@claim(
    "remark:bayes:a-jump-of-the-path",
    statement="Means 0 and 6, priors 1/5 and 4/5: between γ = 1 and 200 the path jumps from the "
    "own class to the other, where the best value is on both sides (fine grid).",
    tol=0,
)
def jump():
    library = GaussianClasses([[0.0], [6.0]], [[1.0]], [0.2, 0.8])
    x = np.linspace(-3, 9, 12001)
    joint = np.stack([norm.logpdf(x), norm.logpdf(x, 6)], -1) + np.log([0.2, 0.8])
    gammas = np.geomspace(1, 200, 9)
    grid = [x[(joint[:, 0] + (g - 1) * logsumexp(joint, axis=1)).argmax()] for g in gammas]
    path = gamma_path(library, 0, gammas).flatten().numpy()
    return broken(
        np.abs(path - grid).max() < 1e-3,
        np.diff(path).max() > 4,
        (np.diff(path) > -1e-9).all(),
    )
