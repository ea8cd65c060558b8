"""Claims of chapters/probability/bayes.md: Bayes' rule and the hybrid joint."""

import itertools

import numpy as np
import torch
from scipy.integrate import quad
from scipy.special import log_softmax, logsumexp
from scipy.stats import multivariate_normal, norm

from actmax_lib.densities import Gaussian, GaussianClasses, hybrid_joint, implicit_density

from . import claim
from .tools import broken, climb, rng, worst

DEFINITIONS = {
    "eq:bayes:three": "names the three scores of a class",
    "eq:bayes:hybrid": "defines the joint of a classifier and a density",
    "eq:bayes:gamma": "defines the family of objectives",
}


def spd(r, d):
    """A random covariance."""
    A = r.normal(size=(d, d))
    return A @ A.T + 0.3 * np.eye(d)


def classes(seed, *, shared, d=3, K=3):
    """Means, covariances, priors; and the log joint (N, K) by SciPy, not by the library."""
    r = rng(seed)
    means, priors = r.normal(size=(K, d)) * 2, r.dirichlet(np.full(K, 4.0))
    covariances = np.stack([spd(r, d)] * K if shared else [spd(r, d) for _ in range(K)])

    def log_joint(x):
        parts = [
            multivariate_normal(m, S).logpdf(x) for m, S in zip(means, covariances, strict=True)
        ]
        return np.stack(parts, -1) + np.log(priors)

    return means, covariances, priors, log_joint


@claim(
    "eq:bayes:rule",
    "eq:bayes:log-rule",
    statement="p(k|x) p(x) = p(x|k) p(k) for Gaussian classes; p(k|x) measured as a frequency in "
    "small balls (2 million draws; error in standard errors).",
    tol=4.5,
)
def rule():
    _, _, priors, log_joint = classes(0, shared=False, d=2)
    means, covariances, _, _ = classes(0, shared=False, d=2)
    r, n = rng(1), 2_000_000
    k = r.choice(3, p=priors, size=n)
    x = np.empty((n, 2))
    for j in range(3):
        x[k == j] = r.multivariate_normal(means[j], covariances[j], size=(k == j).sum())
    errors = []
    for at in (means[0], (means[0] + means[1]) / 2):
        near = np.linalg.norm(x - at, axis=1) < 0.08
        stated = np.exp(log_joint(at) - logsumexp(log_joint(at)))
        seen = np.bincount(k[near], minlength=3) / near.sum()
        errors.append((seen - stated) / np.sqrt(stated * (1 - stated) / near.sum()))
        library = GaussianClasses(means, covariances, priors)
        t = torch.tensor(at[None])
        left = library.log_posterior(t) + library.log_marginal(t)[:, None]
        right = library.log_conditional(t) + library.priors.log()
        errors.append(broken(np.allclose(left, right, atol=1e-12)))
        errors.append(broken(np.allclose(left, log_joint(at), atol=1e-9)))
    return worst(*errors)


@claim(
    "prop:bayes:prototype",
    statement="log p(k|x) + log p(x) and log p(x|k) have the same maximiser (BFGS on each); for "
    "Gaussian classes it is the mean.",
    tol=1e-5,
)
def prototype():
    errors = []
    for seed, shared in itertools.product(range(4), (True, False)):
        means, _, _, log_joint = classes(seed, shared=shared)

        def bayes(x, f=log_joint):
            return log_softmax(f(x))[0] + logsumexp(f(x))

        found = climb(bayes, means[0] + 0.7)
        given_k = climb(lambda x, f=log_joint: f(x)[0], means[0] - 0.7)
        errors += [found - given_k, found - means[0]]
    return worst(*errors)


@claim(
    "eq:bayes:unification",
    statement="f_k = log p(k|x) + log p(x) + log Z for logits of a finite Z, by quadrature.",
    tol=1e-8,
)
def unification():
    def logits(x):
        return np.array([-(x**2) + 1, 2 - np.abs(x - 1) ** 3, np.sin(x) - x**2 / 4 - 1])

    Z = quad(lambda x: np.exp(logits(x)).sum(), -40, 40, limit=400, epsabs=1e-12)[0]
    errors, grid = [], np.linspace(-12, 12, 4001)
    density = implicit_density(torch.tensor(logits(grid).T), grid[1] - grid[0])
    errors.append(density.log_Z.item() - np.log(Z))
    for i in (500, 2000, 2777):
        f = logits(grid[i])
        certainty, marginal = log_softmax(f), logsumexp(f) - np.log(Z)
        errors.append(f - certainty - marginal - np.log(Z))
        errors.append(density.log_posterior[i].numpy() - certainty)
        errors.append(density.log_marginal[i].item() - marginal)
    return worst(*errors)


def _posterior(x):
    """p(k|x) of a network-like classifier on the line: (N, 3)."""
    return np.exp(log_softmax(np.stack([x, np.tanh(3 * x) + 1, -(x**2) / 5], -1), axis=-1))


@claim(
    "eq:bayes:hybrid-prior",
    "eq:bayes:hybrid-rule",
    "prop:bayes:hybrid",
    statement="p(k|x) q(x) is a joint with marginal q and class probabilities q(k) = ∫p(k|x)q(x)dx,"
    " and obeys Bayes' rule for any q (a Gaussian, a two-peaked and a flat q; quadrature).",
    tol=1e-7,
)
def hybrid():
    grid = np.linspace(-12, 12, 6001)
    dx, errors = grid[1] - grid[0], []
    several = {
        "gaussian": lambda x: norm.pdf(x, 1, 0.7),
        "two": lambda x: 0.3 * norm.pdf(x, -3, 0.5) + 0.7 * norm.pdf(x, 2, 1),
        "wide": lambda x: norm.pdf(x, 0, 1.7),
    }
    posterior = _posterior(grid)
    for q in several.values():
        made = hybrid_joint(torch.tensor(np.log(posterior)), torch.tensor(np.log(q(grid))), dx)
        for k in range(3):
            mass = quad(lambda x, k=k, q=q: _posterior(np.array(x))[k] * q(x), -12, 12, limit=300)[
                0
            ]
            errors.append(made.class_prior[k].item() - mass)
            given = _posterior(np.array(0.4))[k] * q(0.4) / mass  # q(x|k) by its definition
            at = np.argmin(np.abs(grid - 0.4))
            errors.append(made.log_conditional[at, k].item() - np.log(given))
        total = (made.log_conditional.exp() * dx).sum(0).numpy()
        errors += [total - 1, made.log_marginal.exp().numpy() - q(grid)]
        left = np.log(posterior) + np.log(q(grid))[:, None]
        right = made.log_conditional + made.class_prior.log()
        errors.append(left - right.numpy())
        errors.append(broken(abs(made.class_prior.numpy() - 1 / 3).max() > 0.05))
    return worst(*errors)


@claim(
    "eq:bayes:twice",
    "prop:bayes:twice",
    statement="Adding log q to the logit instead is log p(k|x) + log p(x) + log q(x) + const: its "
    "maximiser differs from that of log q(x|k) (search on a grid), and equals it where p is "
    "constant on a box.",
    tol=1e-9,
)
def twice():
    grid = np.linspace(-10, 10, 20001)
    log_joint = np.stack([norm.logpdf(grid), norm.logpdf(grid, 2)], -1) - np.log(2)  # the logits
    log_q = logsumexp(log_joint, axis=1)  # the true marginal
    right = grid[(log_softmax(log_joint, axis=1)[:, 0] + log_q).argmax()]
    wrong = grid[(log_joint[:, 0] + log_q).argmax()]
    product = norm.logpdf(grid) + log_q  # p(x|k) q(x), the product of experts
    gap = log_joint[:, 0] + log_q - product
    flat = log_joint - log_q[:, None]  # logits whose own marginal is constant
    again = grid[(flat[:, 0] + log_q).argmax()]
    parts = log_softmax(log_joint, axis=1)[:, 0] + logsumexp(log_joint, axis=1) + log_q
    same = log_joint[:, 0] + log_q - parts
    moved = broken(wrong > 0.1, wrong == grid[product.argmax()])
    return worst(gap - gap[0], right - 0, again - right, same, moved)


@claim(
    "remark:bayes:l2-is-a-gaussian",
    statement="-λ|x|² is log N(0, I/(2λ)) up to a constant.",
    tol=1e-9,
)
def l2_is_a_gaussian():
    errors = []
    for lam, d in itertools.product((0.1, 2.0), (1, 4)):
        x = rng(0).normal(size=(30, d))
        q = Gaussian(np.zeros(d), np.eye(d) / (2 * lam)).log_prob(torch.tensor(x)).numpy()
        gap = q + lam * (x**2).sum(1)
        errors.append(gap - gap[0])
    return worst(*errors)
