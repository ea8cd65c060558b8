"""Claims of chapters/probability/bayes.md: Gaussian classes, LDA and its mean."""

import itertools

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import expit, log_softmax

from actmax_lib import function, gaussian_prior, maximize, point
from actmax_lib.densities import GaussianClasses

from . import claim
from .bayes import classes, spd
from .tools import broken, climb, rng, slope, worst


@claim(
    "eq:bayes:gaussian",
    statement="log p(x, k) = log π_k - ½(x - μ_k)'Σ_k⁻¹(x - μ_k) - ½ log det(2πΣ_k) (SciPy).",
    tol=1e-9,
)
def gaussian():
    errors = []
    for seed, shared in itertools.product(range(5), (True, False)):
        means, covariances, priors, log_joint = classes(seed, shared=shared)
        x = rng(seed).normal(size=(20, 3)) * 3
        away = x[:, None] - means
        quadratic = np.einsum("nki,kij,nkj->nk", away, np.linalg.inv(covariances), away)
        stated = np.log(priors) - quadratic / 2
        stated = stated - np.linalg.slogdet(2 * np.pi * covariances)[1] / 2
        library = GaussianClasses(means, covariances, priors).log_joint(torch.tensor(x)).numpy()
        errors += [stated - log_joint(x), library - log_joint(x)]
    return worst(*errors)


@claim(
    "eq:bayes:lda",
    "eq:bayes:lda-gap",
    "prop:bayes:lda",
    statement="Shared Σ: the logits w_k'x + b_k have the softmax p(k|x); log p(x, k) - f_k is "
    "-½x'Σ⁻¹x - ½ log det(2πΣ), the same for every class.",
    tol=1e-9,
)
def lda():
    errors = []
    for seed in range(6):
        means, covariances, priors, log_joint = classes(seed, shared=True)
        S = covariances[0]
        W = np.linalg.solve(S, means.T).T
        b = -(W * means).sum(1) / 2 + np.log(priors)
        x = rng(seed).normal(size=(20, 3)) * 3
        f, joint = x @ W.T + b, log_joint(x)
        errors.append(log_softmax(f, axis=1) - log_softmax(joint, axis=1))
        gap = -np.einsum("ni,ij,nj->n", x, np.linalg.inv(S), x) / 2
        gap -= np.linalg.slogdet(2 * np.pi * S)[1] / 2
        errors.append(joint - f - gap[:, None])
        library = GaussianClasses(means, S, priors).lda_logits()
        errors += [library[0].numpy() - W, library[1].numpy() - b]
    return worst(*errors)


def _climb(W, omega):
    """The library's ascent on one linear logit an image, from the origin."""
    w = torch.tensor(W)
    start = point(np.zeros_like(W))
    options = {"optimizer": "gradient", "schedule": "constant", "lr": 1.0, "steps": 120}
    return maximize(function(lambda x: (x * w).sum(1)) + omega, start, **options).images.numpy()


@claim(
    "eq:bayes:mean",
    "prop:bayes:mean",
    "eq:bayes:centred",
    statement="The LDA logit with Ω = log N(0, Σ) is maximised at μ_k, the centred logits with "
    "log N(mean of the means, Σ) too (ascent by the library, and BFGS).",
    tol=1e-5,
)
def mean():
    errors = []
    for seed in range(4):
        r = rng(seed)
        means, basis = r.normal(size=(4, 3)), np.linalg.qr(r.normal(size=(3, 3)))[0]
        S = basis @ np.diag(r.uniform(1, 4, size=3)) @ basis.T  # a step of 1 is then stable
        W = np.linalg.solve(S, means.T).T
        centre, centred = means.mean(0), W - W.mean(0)
        errors.append(_climb(W, gaussian_prior(np.zeros(3), S)) - means)
        errors.append(_climb(centred, gaussian_prior(centre, S)) - means)
        wrong = _climb(centred, gaussian_prior(np.zeros(3), S))
        errors.append(broken((np.linalg.norm(wrong - means, axis=1) > 1e-2).all()))
        P = np.linalg.inv(S)
        for k in range(4):

            def cost(x, w=W[k], P=P):
                return x @ P @ x / 2 - w @ x

            errors.append(minimize(cost, np.zeros(3), options={"gtol": 1e-9}).x - means[k])
    return worst(*errors)


@claim(
    "eq:bayes:whitened",
    statement="The LDA logit with the l2 penalty is maximised at Σ⁻¹μ_k/(2λ) (BFGS), which points "
    "along μ_k iff μ_k is an eigenvector of Σ.",
    tol=1e-5,
)
def whitened():
    errors = []
    for seed, lam in itertools.product(range(4), (0.2, 1.0)):
        r = rng(seed)
        means, S = r.normal(size=(3, 3)), spd(r, 3)
        W, b = (t.numpy() for t in GaussianClasses(means, S).lda_logits())
        for k in range(3):
            found = climb(lambda x, k=k, W=W, b=b, lam=lam: W[k] @ x + b[k] - lam * x @ x, means[k])
            errors.append(found - np.linalg.solve(S, means[k]) / (2 * lam))
            cos = found @ means[k] / np.linalg.norm(found) / np.linalg.norm(means[k])
            errors.append(broken(cos < 1 - 1e-3))
        axis = np.linalg.eigh(S)[1][:, 0]
        along = np.linalg.solve(S, axis)
        errors.append(np.abs(along @ axis) / np.linalg.norm(along) - 1)
    return worst(*errors)


@claim(
    "eq:bayes:sigmoid",
    statement="Two classes of a shared Σ: p(1|x) = σ(w'x + c), w = Σ⁻¹(μ_1 - μ_2).",
    tol=1e-9,
)
def sigmoid():
    errors = []
    for seed in range(6):
        means, covariances, priors, log_joint = classes(seed, shared=True, K=2)
        P = np.linalg.inv(covariances[0])
        w = P @ (means[0] - means[1])
        c = (means[1] @ P @ means[1] - means[0] @ P @ means[0]) / 2 + np.log(priors[0] / priors[1])
        x = rng(seed).normal(size=(30, 3)) * 4
        stated = expit(x @ w + c)
        errors.append(stated - np.exp(log_softmax(log_joint(x), axis=1)[:, 0]))
        gradient = slope(lambda v, w=w, c=c: np.log(expit(v @ w + c)), x[0])
        library = GaussianClasses(means, covariances[0], priors)
        t = torch.tensor(x[:1], requires_grad=True)
        (ours,) = torch.autograd.grad(library.log_posterior(t)[0, 0], t)
        errors.append((gradient - ours[0].numpy()) * 1e-2)
    return worst(*errors)
