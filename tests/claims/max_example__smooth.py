"""Claims of chapters/formulation/max-example.md: the smooth maximum."""

import itertools
import math

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.special import entr, logsumexp, softmax

from actmax_lib import closed_forms as cf

from . import claim
from .tools import broken, climb, rng, worst

LAMS = (0.2, 1.0, 3.0)


def _L(x, lam, beta):
    return logsumexp(beta * x, axis=-1) / beta - lam * (x * x).sum(-1)


def _fixed_point(p, c):
    """Iterate p <- softmax(c p), over the last axis: ascent with step 1/(2λ), x = p/(2λ)."""
    for _ in range(200_000):
        before = p
        p = np.exp(c * (p - p.max(-1, keepdims=True)))
        p = p / p.sum(-1, keepdims=True)
        if np.abs(p - before).max() < 1e-15:
            break
    return p


@claim("eq:max:smooth", statement="max x <= f_β(x) <= max x + log(d)/β, both sharp.", tol=1e-12)
def bounds():
    errors = []
    for beta, d in itertools.product((0.3, 4.0, 500.0), (1, 2, 10)):
        x = rng(1).normal(size=(500, d)) * 3
        direct = np.log(np.exp(beta * (x - x.max(1)[:, None])).sum(1)) / beta + x.max(1)
        over = direct - x.max(1)
        errors += [min(over.min(), 0), max(over.max() - math.log(d) / beta, 0)]
        errors.append(logsumexp(beta * np.full(d, 0.7)) / beta - 0.7 - math.log(d) / beta)
        errors.append(logsumexp(beta * x, axis=1) / beta - direct)
        alone = np.r_[1e4, np.zeros(d - 1)]
        errors.append(logsumexp(beta * alone) / beta / 1e4 - 1)
    return worst(*errors)


@claim(
    "eq:max:stationary",
    "eq:max:tanh",
    statement="The maximisers (found by BFGS) satisfy x = softmax(βx)/(2λ), Σx = 1/(2λ), for d = 2 "
    "u = tanh(βu/2)/(2λ).",
    tol=1e-6,
)
def stationary():
    errors = []
    for lam, part, d in itertools.product(LAMS, (0.5, 1.2, 3.0), (2, 3, 5)):
        beta = part * 4 * lam
        start = np.r_[1, np.zeros(d - 1)] / (2 * lam)
        x = climb(lambda x, lam=lam, beta=beta: _L(x, lam, beta), start)
        errors += [x - softmax(beta * x) / (2 * lam), x.sum() - 1 / (2 * lam)]
        if d == 2:
            u = x[0] - x[1]
            errors.append(u - math.tanh(beta * u / 2) / (2 * lam))
        for point in cf.smooth_max(lam, beta, d).local:
            errors.append(point - softmax(beta * point) / (2 * lam))
    return worst(*errors)


def _count(lam, beta, d=2):
    """How many global maximisers a search from many starts finds, and the best value."""
    c = beta / (2 * lam)
    starts = [*np.eye(d), np.full(d, 1 / d), *rng(0).dirichlet(np.ones(d), 20)]
    ends = _fixed_point(np.array(starts), c) / (2 * lam)
    values = _L(ends, lam, beta)
    best = ends[values > values.max() - 1e-10 / lam]
    return len(np.unique(np.round(best * 2 * lam, 3), axis=0)), values.max()


@claim(
    "eq:max:critical",
    "prop:max:pitchfork",
    statement="d = 2: one maximiser for β <= β_c = 4λ, where L_β stops being concave, two above; "
    "they tend to those of the maximum.",
    tol=1e-6,
)
def pitchfork():
    errors = []
    for lam in LAMS:
        critical = 4 * lam
        for part, count in ((0.5, 1), (0.99, 1), (1.01, 2), (1.2, 2), (4, 2)):
            found, value = _count(lam, part * critical)
            got = cf.smooth_max(lam, part * critical)
            errors += [broken(found == count, len(got.maximisers) == count), got.value - value]
        p = np.stack([np.linspace(0.001, 0.999, 999), 1 - np.linspace(0.001, 0.999, 999)], -1)
        for part in (0.999, 1.001):
            # Hessian of f_β in terms of its softmax p: β (diag p - pp')
            tops = [
                np.linalg.eigvalsh(part * critical * (np.diag(q) - np.outer(q, q)))[-1] for q in p
            ]
            errors.append(max(tops) - part * critical / 2)
            errors.append(broken((max(tops) <= 2 * lam) == (part < 1)))
        cold = cf.smooth_max(lam, 400 * lam).maximisers
        errors.append(np.subtract(sorted(map(tuple, cold)), [[0, 1], [1, 0]] / np.array(2 * lam)))
    return worst(*errors)


@claim(
    "eq:max:onset",
    statement="u² / (12(β - 4λ)/β³) tends to 1 as β falls to 4λ (at β = 4λ(1 + 1e-5)).",
    tol=1e-4,
)
def onset():
    errors = []
    for lam in LAMS:
        ratios = []
        for small in (1e-3, 1e-4, 1e-5):
            beta = 4 * lam * (1 + small)
            u = 1 / (2 * lam)  # Newton on u = tanh(βu/2)/(2λ), not the library
            for _ in range(200):
                t = math.tanh(beta * u / 2)
                u -= (u - t / (2 * lam)) / (1 - beta * (1 - t * t) / (4 * lam))
            ratios.append(u**2 * beta**3 / (12 * (beta - 4 * lam)) - 1)
        errors += [ratios[-1], broken(abs(ratios[0]) > abs(ratios[1]) > abs(ratios[2]))]
    return worst(errors)


@claim(
    "eq:max:symmetric-value",
    statement="L_β at the symmetric point is 1/(8λ) + log(2)/β; a search beats it only for β > 4λ.",
    tol=1e-12,
)
def symmetric_value():
    errors = []
    for lam, beta in itertools.product(LAMS, (0.5, 2.0, 8.0, 64.0)):
        x = np.full(2, 1 / (4 * lam))
        direct = math.log(2 * math.exp(beta * x[0])) / beta - lam * x @ x
        errors += [direct - 1 / (8 * lam) - math.log(2) / beta]
        errors += [cf.smooth_max(lam, beta).symmetric_value - direct]
    for beta in (2, 4, 4.4, 8, 64):
        best = minimize_scalar(
            lambda u, beta=beta: -_L(np.array([0.25 + u / 2, 0.25 - u / 2]), 1, beta),
            bounds=(0, 0.5),
            method="bounded",
            options={"xatol": 1e-10},
        )
        errors.append(-best.fun - cf.smooth_max(1, beta).value)
        beaten = -best.fun > 1 / 8 + math.log(2) / beta + 1e-9
        errors.append(broken(beaten == (beta > 4)))
    return worst(errors)


@claim(
    "eq:max:weights",
    statement="max L_β = max over the simplex of |p|²/(4λ) + H(p)/β, x = p/(2λ) (a fine grid "
    "for d = 2, 3; random p never above it for d = 10).",
    tol=1e-4,
)
def weights():
    errors = []
    fine = np.linspace(0, 1, 1001)
    pairs = np.stack([fine, 1 - fine], -1)
    some = np.linspace(0, 1, 301)
    a, b = (v.ravel() for v in np.meshgrid(some, some))
    triples = np.stack([a, b, 1 - a - b], -1)[a + b <= 1]
    for lam, d, part in itertools.product(LAMS, (2, 3, 10), (0.7, 0.95, 1.0, 1.05, 2.0)):
        beta = part * cf.first_order_beta(lam, d)

        def reward(p, lam=lam, beta=beta):
            return (p * p).sum(-1) / (4 * lam) + entr(p).sum(-1) / beta

        got = cf.smooth_max(lam, beta, d)
        for x in got.maximisers:
            errors.append((reward(2 * lam * x) - _L(x, lam, beta)) * lam)
        sizes = rng(d).choice([0.05, 0.3, 1, 10], size=(4000, 1))
        gamma = rng(d + 1).gamma(np.broadcast_to(sizes, (4000, d))) + 1e-300
        points = {2: pairs, 3: np.clip(triples, 0, 1)}.get(d, gamma / gamma.sum(1, keepdims=True))
        best = _L(climb(lambda x, m=(lam, beta): _L(x, *m), got.x + 1e-3 / lam), lam, beta)
        top = reward(points).max()
        errors += [max(top - best, 0) * lam, (best - top) * lam if d < 10 else 0]
    return worst(errors)


@claim(
    "eq:max:first-order",
    "eq:max:jump",
    "prop:max:potts",
    statement="d >= 3: at β_1 = 4λ(d-1)ln(d-1)/(d-2) the symmetric and the broken points are "
    "equally high, with p_max = (d-1)/d; they swap there, below 2dλ, both local maximisers.",
    tol=1e-6,
)
def potts():
    errors = []
    for lam, d in itertools.product(LAMS, (3, 4, 10)):
        beta1 = 4 * lam * (d - 1) * math.log(d - 1) / (d - 2)
        start = np.r_[0.99, np.full(d - 1, 0.01 / (d - 1))]

        def gap(beta, start=start, lam=lam, d=d):
            """The broken point's value minus the symmetric point's, by iteration."""
            p = _fixed_point(start, beta / (2 * lam))
            return _L(p / (2 * lam), lam, beta) - _L(np.full(d, 1 / (2 * lam * d)), lam, beta), p

        # where the two are equally high, found without the formula's help
        even = brentq(lambda beta, gap=gap: gap(beta)[0], beta1 * 0.996, beta1 * 1.05, rtol=1e-13)
        errors += [(even - beta1) / lam, gap(beta1)[1].max() - (d - 1) / d]
        for part, count in ((0.997, 1), (1.003, d)):
            errors.append(broken(_count(lam, part * beta1, d)[0] == count))
            got = cf.smooth_max(lam, part * beta1, d)
            errors.append(broken(len(got.maximisers) == count, len(got.local) == d + 1))
        tilt = np.full(d, 1 / d) + 1e-4 * (np.eye(d)[0] - 1 / d)
        back, away = (_fixed_point(tilt, part * d) for part in (0.98, 1.02))  # β = 2dλ is c = d
        errors.append(broken(beta1 < 2 * d * lam, np.ptp(back) < 1e-5, np.ptp(away) > 0.1))
        errors.append(cf.first_order_beta(lam, d) / lam - beta1 / lam)
    return worst(errors)
