"""Claims of chapters/formulation/l2-closed-forms.md: priors and parametrizations."""

import itertools

import numpy as np
import scipy.optimize
import torch

from actmax_lib import closed_forms as cf

from . import claim
from .tools import broken, climb, rng, worst


def _gaussians(seed, rank=None):
    r = rng(seed)
    for d in (2, 3, 5):
        A = r.normal(size=(d, rank or d + 2))
        yield r.normal(size=d), float(r.normal()), r.normal(size=d), A


@claim(
    "eq:l2:gaussian",
    "eq:l2:gaussian-value",
    "prop:l2:gaussian",
    statement="With the prior N(μ, Σ): x* = μ + Σw, L* = w'μ + b + w'Σw/2; Σ = I/(2λ) is ℓ2.",
    tol=1e-5,
)
def gaussian():
    errors = []
    for w, b, mu, A in _gaussians(12):
        S = A @ A.T + 0.3 * np.eye(len(w))

        def L(x, w=w, b=b, mu=mu, S=S):
            return w @ x + b - (x - mu) @ np.linalg.solve(S, x - mu) / 2

        found, got = climb(L, mu), cf.affine_gaussian(w, b, mu, S)
        errors += [found - mu - S @ w, got.x - mu - S @ w]
        errors += [L(found) - (w @ mu + b + w @ S @ w / 2), got.value - L(found)]
        flat = cf.affine_gaussian(w, b, 0, np.eye(len(w)) / (2 * 0.7))
        errors += [flat.x - w / 1.4, flat.value - cf.affine_l2(w, b, 0.7).value]
    return worst(*errors)


@claim(
    "prop:l2:gaussian-singular",
    statement="With singular Σ on μ + range Σ: same x* and value.",
    tol=1e-5,
)
def gaussian_singular():
    errors = []
    for w, b, mu, A in _gaussians(13, rank=1):
        S = A @ A.T
        pinv = np.linalg.pinv(S)

        def L(z, w=w, b=b, mu=mu, A=A, pinv=pinv):
            x = mu + A @ z
            return w @ x + b - (x - mu) @ pinv @ (x - mu) / 2

        z, got = climb(L, np.zeros(1)), cf.affine_gaussian(w, b, mu, S)
        errors += [mu + A @ z - got.x, L(z) - got.value, got.x - mu - S @ w]
        errors += [got.value - (w @ mu + b + w @ S @ w / 2)]
    return worst(*errors)


@claim(
    "eq:l2:clip",
    statement="With an ℓ2 prior around μ on a box, x* = clip(μ + w/(2λ)), the fixed point of "
    "clipped ascent.",
    tol=1e-6,
)
def clip():
    r, errors = rng(14), []
    for _ in range(10):
        d, lam = 5, r.uniform(0.2, 3)
        w, mu = r.normal(size=d) * 3, r.uniform(0, 1, size=d)
        best = np.clip(mu + w / (2 * lam), 0, 1)
        found = scipy.optimize.minimize(
            lambda x, w=w, lam=lam, mu=mu: lam * ((x - mu) ** 2).sum() - w @ x,
            np.full(d, 0.5),
            jac=lambda x, w=w, lam=lam, mu=mu: 2 * lam * (x - mu) - w,
            bounds=[(0, 1)] * d,
            options={"ftol": 1e-15, "gtol": 1e-12},
        )
        x = r.uniform(size=d)
        for _ in range(500):
            x = np.clip(x + 0.1 / lam * (w - 2 * lam * (x - mu)), 0, 1)
        errors += [found.x - best, x - best]
    return worst(*errors)


@claim(
    "eq:l2:reparam",
    "prop:l2:reparam",
    statement="x = Az with λ|z|² gives x* = AA'w/(2λ), the prior Σ = AA'/(2λ); without a penalty "
    "an invertible A keeps the maximiser on a box and changes the path.",
    tol=1e-5,
)
def reparam():
    r, errors = rng(15), []
    for d, k in ((4, 4), (5, 2), (2, 6)):
        A, w, lam = r.normal(size=(d, k)), r.normal(size=d), r.uniform(0.5, 2)
        z = climb(lambda z, A=A, w=w, lam=lam: w @ A @ z - lam * z @ z, np.zeros(k))
        S = A @ A.T / (2 * lam)
        errors += [A @ z - A @ A.T @ w / (2 * lam), A @ z - cf.affine_gaussian(w, 0, 0, S).x]
    A, w = r.normal(size=(3, 3)), r.normal(size=3)
    in_z = scipy.optimize.linprog(
        -w @ A, A_ub=np.vstack([A, -A]), b_ub=np.ones(6), bounds=(None, None)
    )
    errors.append(A @ in_z.x - cf.affine_box(w, 0, -1, 1).x)
    first = A @ A.T @ w  # the first step of ascent in z, seen in x
    cosine = first @ w / np.linalg.norm(first) / np.linalg.norm(w)
    return worst(*errors, broken(cosine < 0.999))


@claim(
    "prop:l2:deep-linear",
    statement="A deep linear network has x* = (W_L ⋯ W_1)'e_k / (2λ): depth does not show.",
    tol=1e-6,
)
def deep_linear():
    torch_rng = torch.Generator().manual_seed(0)
    sizes, lam, k = (5, 7, 6, 4), 0.8, 2
    layers = [
        torch.randn(n, m, generator=torch_rng, dtype=torch.float64)
        for m, n in itertools.pairwise(sizes)
    ]
    x = torch.zeros(5, dtype=torch.float64, requires_grad=True)
    for _ in range(200):
        out = x
        for layer in layers:
            out = layer @ out
        (g,) = torch.autograd.grad(out[k] - lam * x.square().sum(), x)
        x = (x + 0.1 / lam * g).detach().requires_grad_()
    product = np.linalg.multi_dot([layer.numpy() for layer in reversed(layers)])
    single = cf.affine_l2(product[k], 0, lam)
    return worst(x.detach().numpy() - product[k] / (2 * lam), single.x - product[k] / (2 * lam))
