"""Claims of chapters/probability/score-matching.md: the losses and their minimisers."""

import numpy as np
import scipy.optimize
import sympy
import torch
from scipy import integrate, special, stats

from actmax_lib import score_matching as sm

from . import claim
from .tools import broken, rng, slope, worst

DEFINITIONS = {
    "eq:score:score": "defines the score",
    "eq:score:explicit": "defines the explicit loss",
    "eq:score:implicit": "defines the implicit loss",
    "eq:score:hutchinson": "defines an estimator; its laws are prop:score:hutchinson",
    "eq:score:one-sided": "defines an estimator; its laws are prop:score:taylor",
    "eq:score:antithetic": "defines an estimator; its laws are prop:score:taylor",
    "eq:score:penalty": "quotes a training loss",
    "eq:score:denoising": "defines a loss; what it fits is prop:score:denoising",
    "eq:score:sliced": "defines a loss; its mean is prop:score:sliced",
    "eq:score:class": "defines the loss of a classifier",
}


def legendre(lo, hi, n=60):
    """Nodes and weights on [lo, hi]."""
    x, w = np.polynomial.legendre.leggauss(n)
    return (lo + hi + (hi - lo) * x) / 2, w * (hi - lo) / 2


@claim(
    "eq:score:boundary",
    "prop:score:identity",
    statement="J_E = J + ½E|∇log p|² - B on boxes, B the flux of p s through the four sides, and "
    "B = 0 for a mixture on the line (quadrature).",
    tol=1e-9,
)
def identity():
    errors, r = [], rng(0)
    for _ in range(5):
        c, a, b = r.normal(size=5), r.normal(size=2), r.normal(size=2)
        x1, w1 = legendre(-1, 0.7)
        x2, w2 = legendre(0.2, 2)
        X, Y = np.meshgrid(x1, x2, indexing="ij")
        W = np.outer(w1, w2)

        def log_p(X, Y, c=c):
            return c[0] * X + c[1] * Y + c[2] * X * Y - c[3] ** 2 * X**2 + np.sin(c[4] * Y)

        def s(X, Y, a=a, b=b):
            return np.sin(a[0] * X + a[1] * Y), np.exp(b[0] * X) * Y * b[1]

        Z = (W * np.exp(log_p(X, Y))).sum()
        p = np.exp(log_p(X, Y)) / Z
        t = (
            c[0] + c[2] * Y - 2 * c[3] ** 2 * X,
            c[1] + c[2] * X + c[4] * np.cos(c[4] * Y),
        )
        s1, s2 = s(X, Y)
        trace = a[0] * np.cos(a[0] * X + a[1] * Y) + np.exp(b[0] * X) * b[1]
        explicit = (W * p * ((s1 - t[0]) ** 2 + (s2 - t[1]) ** 2)).sum() / 2
        implicit = (W * p * (trace + (s1**2 + s2**2) / 2)).sum()
        constant = (W * p * (t[0] ** 2 + t[1] ** 2)).sum() / 2
        flux = 0.0
        for side, sign in ((0.7, 1), (-1, -1)):
            flux += sign * (w2 * np.exp(log_p(side, x2)) * s(side, x2)[0]).sum() / Z
        for side, sign in ((2, 1), (0.2, -1)):
            flux += sign * (w1 * np.exp(log_p(x1, side)) * s(x1, side)[1]).sum() / Z
        errors.append(explicit - implicit - constant + flux)
    x, w = legendre(-12, 12, 400)
    p = (stats.norm.pdf(x, -1, 0.8) + 2 * stats.norm.pdf(x, 1.5, 0.6)) / 3
    r1, r2 = stats.norm.pdf(x, -1, 0.8) / 3 / p, 2 * stats.norm.pdf(x, 1.5, 0.6) / 3 / p
    t = -r1 * (x + 1) / 0.64 - r2 * (x - 1.5) / 0.36
    for k in (0.3, 1.7):
        s, ds = np.tanh(k * x) - x, k / np.cosh(k * x) ** 2 - 1
        gap = (w * p * ((s - t) ** 2 / 2 - ds - s**2 / 2 - t**2 / 2)).sum()
        errors.append(gap)
    return worst(*errors)


@claim(
    "eq:score:gaussian",
    "prop:score:gaussian",
    statement="s = -P(x - m): the fit is the mean and the inverse covariance (differences); "
    "N(0, 1): J_E = J + ½ = ½(a-1)² + ½a²m² (sympy).",
    tol=1e-6,
)
def gaussian():
    a, m, x = sympy.symbols("a m x", real=True)
    normal = [1, 0, 1, 0, 3]  # E xⁿ

    def mean(g):
        powers = sympy.Poly(sympy.expand(g), x).all_coeffs()[::-1]
        return sum(c * moment for c, moment in zip(powers, normal, strict=False))

    s = -a * (x - m)
    explicit, implicit = mean((s + x) ** 2 / 2), mean(sympy.diff(s, x) + s**2 / 2)
    stated = (a - 1) ** 2 / 2 + a**2 * m**2 / 2
    zero = [sympy.simplify(explicit - stated), sympy.simplify(implicit + sympy.S.Half - stated)]
    errors = [broken(*(z == 0 for z in zero))]

    r = rng(1)
    for d in (1, 3):
        x = r.normal(size=(300, d)) @ r.normal(size=(d, d)) + r.normal(size=d)

        def loss(v, x=x, d=d):
            P, m = v[: d * d].reshape(d, d), v[d * d :]
            P = (P + P.T) / 2
            return -np.trace(P) + (((x - m) @ P) ** 2).sum(1).mean() / 2

        S = np.cov(x.T, bias=True).reshape(d, d)
        best = np.concatenate([np.linalg.inv(S).ravel(), x.mean(0)])
        errors.append(slope(loss, best, 1e-6))
        for step in r.normal(size=(20, d * d + d)):
            errors.append(broken(loss(best + step / 3) > loss(best)))
        P, centre = torch.tensor(np.linalg.inv(S)), torch.tensor(x.mean(0))
        value = sm.implicit(lambda x, P=P, m=centre: -(x - m) @ P, torch.tensor(x)).mean().item()
        errors.append(value - loss(best))
    return worst(*errors)


@claim(
    "eq:score:box",
    "prop:score:box",
    statement="U[0, 1], s = cx: J = c + c²/6, J_E = c²/6, B = c; the minimisers are -3 and 0.",
    tol=1e-7,
)
def box():
    def implicit(c):
        return integrate.quad(lambda x: c + (c * x) ** 2 / 2, 0, 1)[0]

    def explicit(c):
        return integrate.quad(lambda x: (c * x) ** 2 / 2, 0, 1)[0]

    errors = []
    for c in (-3, 0.5, 2):
        errors += [implicit(c) - c - c**2 / 6, explicit(c) - c**2 / 6]
        errors.append(implicit(c) - explicit(c) - (c * 1 - c * 0))
    for loss, at in ((implicit, -3), (explicit, 0)):
        errors.append(scipy.optimize.minimize_scalar(loss).x - at)
    return worst(*errors)


@claim(
    "eq:score:exponential",
    "prop:score:exponential",
    statement="f = θ'ψ(x): J is a convex parabola with the minimiser -M⁻¹E[Δψ] (differences of "
    "the library's loss).",
    tol=1e-6,
)
def exponential():
    r, errors = rng(2), []
    for _ in range(3):
        x = torch.tensor(r.normal(size=(60, 2)))
        W, c = torch.tensor(r.normal(size=(2, 4))), torch.tensor(r.normal(size=4))

        def psi(x, W=W, c=c):
            return torch.cat([torch.sin(x @ W + c), x**2], 1)

        def loss(theta, x=x, psi=psi):
            theta = torch.tensor(theta)
            return sm.implicit(sm.score_of(lambda x: psi(x) @ theta), x).mean().item()

        slopes = torch.cos(x @ W + c)[:, :, None] * W.T
        squares = 2 * x[:, :, None] * torch.eye(2)
        D = torch.cat([slopes, squares], 1)
        laplacian = torch.cat(
            [-torch.sin(x @ W + c) * W.square().sum(0), torch.full((60, 2), 2.0)], 1
        )
        M = (D @ D.mT).mean(0)
        best = -torch.linalg.solve(M, laplacian.mean(0)).numpy()
        errors.append(slope(loss, best, 1e-4))
        for step in r.normal(size=(3, 6)):
            rise = loss(best + step) - loss(best)
            errors += [rise - step @ M.numpy() @ step / 2, broken(rise > 0)]
    return worst(*errors)


@claim(
    "prop:score:denoising",
    statement="J_σ(s) minus the explicit loss on the blurred data is one number for all s, for "
    "data on three points and on [0, 1] (quadrature).",
    tol=1e-9,
)
def denoising():
    errors = []
    e, we = np.polynomial.hermite_e.hermegauss(150)
    we = we / we.sum()
    points, weights = np.array([-1.0, 0.2, 2.0]), np.array([0.5, 0.3, 0.2])
    walls = legendre(0, 1, 80)
    for (x, w), sigma in (((points, weights), 0.7), (walls, 0.5)):
        noisy = x[:, None] + sigma * e
        parts = w * stats.norm.pdf(noisy[..., None], x, sigma)
        blurred = -(parts * (noisy[..., None] - x)).sum(-1) / sigma**2 / parts.sum(-1)
        W = w[:, None] * we
        gaps = []
        for s in (np.sin, lambda t: -3 * t, lambda t: t**2 - 1):
            loss = (W * (s(noisy) + e / sigma) ** 2).sum() / 2
            gaps.append(loss - (W * (s(noisy) - blurred) ** 2).sum() / 2)
        errors.append(np.ptp(gaps))
        # the best line is the score of a normal density: the mean and variance of the blurred data
        mean = (W * noisy).sum()
        spread = (W * (noisy - mean) ** 2).sum()
        rise = -(W * (noisy - mean) * e / sigma).sum() / spread
        errors += [-1 / rise - (w @ (x - w @ x) ** 2 + sigma**2), mean - w @ x]
    variance = -1 / rise
    errors.append(variance - 1 / 12 - sigma**2)
    return worst(*errors)


@claim(
    "eq:score:gauge",
    "prop:score:gauge",
    statement="f_k = log p(k|x) + g: the class-conditional loss is ½E|g' - (log p)'|², so it is 0 "
    "exactly for g = log p + const (quadrature, three classes on the line).",
    tol=1e-9,
)
def gauge():
    means, sds, prior = np.array([-2.0, 0.0, 1.5]), np.array([0.7, 1.0, 0.5]), [0.2, 0.5, 0.3]
    x, w = legendre(-11, 11, 500)
    logs = np.log(prior) + stats.norm.logpdf(x[:, None], means, sds)  # log p(x, k)
    marginal = special.logsumexp(logs, axis=1)
    own = -(x[:, None] - means) / sds**2  # (log p(x|k))'
    posterior = np.exp(logs - marginal[:, None])
    total = (posterior * own).sum(1)  # (log p)'
    errors = []
    for dg in (np.cos(x), 0 * x, -x, total):
        slopes = (own - total[:, None]) + dg[:, None]  # f_k' = (log p(k|x))' + g'
        joint = np.exp(logs)
        class_loss = (w[:, None] * joint * (slopes - own) ** 2).sum() / 2
        errors.append(class_loss - (w * np.exp(marginal) * (dg - total) ** 2).sum() / 2)
    errors.append(class_loss)  # the last g is the right one
    return worst(*errors)


@claim(
    "remark:score:softplus",
    statement="softplus with β has a curvature of at most β/4 (search).",
    tol=1e-9,
)
def softplus():
    errors = []
    for beta in (1.0, 10.0):
        t = torch.linspace(-2, 2, 4001, dtype=torch.float64)[:, None]
        bend = sm.exact_trace(
            sm.score_of(lambda t, b=beta: torch.nn.functional.softplus(t, b)[:, 0]), t
        )
        errors.append(bend.max().item() - beta / 4)
        errors.append(max(0.0, -bend.min().item()))
    return worst(*errors)
