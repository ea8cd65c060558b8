"""Claims of chapters/formulation/l2-closed-forms.md: other penalties, norm balls, boxes."""

import math

import numpy as np
import scipy.optimize

from actmax_lib import closed_forms as cf

from . import claim
from .tools import (
    affine_instances,
    broken,
    climb,
    each_coordinate,
    linear_program,
    rng,
    slope,
    worst,
)


@claim(
    "eq:l2:conjugate",
    "prop:l2:conjugate",
    statement="max w'x - R(x) = R*(w) and the maximiser is ∇R*(w): R = log Σ exp (R* the negative "
    "entropy), a quadratic, ℓp, elastic net.",
    tol=1e-5,
)
def conjugate():
    r, errors = rng(16), []
    p = r.dirichlet(np.ones(4))  # R*(p) = Σ p log p on the simplex
    x = climb(lambda x: p @ x - math.log(np.exp(x).sum()), np.zeros(4))
    errors += [p @ x - math.log(np.exp(x).sum()) - (p * np.log(p)).sum()]
    A = r.normal(size=(4, 6))
    Q, w = A @ A.T + np.eye(4), r.normal(size=4)
    x = climb(lambda x: w @ x - x @ Q @ x / 2, np.zeros(4))
    errors += [x - np.linalg.solve(Q, w), w @ x - x @ Q @ x / 2 - w @ np.linalg.solve(Q, w) / 2]
    w = r.normal(size=5) * 2
    for call in (
        lambda w: cf.affine_l2(w, 0, 0.7),
        lambda w: cf.affine_lp(w, 0, 0.7, 1.5),
        lambda w: cf.affine_lp(w, 0, 0.7, 3),
        lambda w: cf.elastic_net(w, 0, 0.4, 0.6),
    ):
        errors.append(slope(lambda v, call=call: call(v).value, w) - call(w).x)
    return worst(*errors)


def _against_search(penalty, solve, formula, seed, reach):
    """A closed form and its formula against a search in each coordinate."""
    errors = []
    for w, _, _ in affine_instances(seed, 4):
        x, value = each_coordinate(lambda t, v: v * t - penalty(t), w, reach)
        got, written = solve(w), formula(w)
        scale = 1 + np.abs(x).max()
        errors += [(got.x - x) / scale, (written[0] - x) / scale]
        errors += [(got.value - value) / (1 + value), (written[1] - value) / (1 + value)]
    return worst(*errors)


@claim("eq:l2:lp", statement="The ℓp penalty: maximiser and conjugate, p = 1.5, 2, 3.5.", tol=1e-5)
def lp():
    lam, errors = 0.9, []
    for p in (1.5, 2.0, 3.5):

        def formula(w, p=p):
            ratio = np.abs(w) / (lam * p)
            return np.sign(w) * ratio ** (1 / (p - 1)), (p - 1) * lam * (
                ratio ** (p / (p - 1))
            ).sum()

        errors.append(
            _against_search(
                lambda t, p=p: lam * abs(t) ** p,
                lambda w, p=p: cf.affine_lp(w, 0, lam, p),
                formula,
                17,
                200.0,
            )
        )
    return worst(errors)


@claim("eq:l2:elastic-net", statement="Elastic net: x* = S(w)/(2λ₂), R* = |S(w)|²/(4λ₂).", tol=1e-6)
def elastic_net():
    lam1, lam2 = 1.3, 0.6

    def formula(w):
        soft = np.sign(w) * np.maximum(np.abs(w) - lam1, 0)
        return soft / (2 * lam2), soft @ soft / (4 * lam2)

    return _against_search(
        lambda t: lam1 * abs(t) + lam2 * t * t,
        lambda w: cf.elastic_net(w, 0, lam1, lam2),
        formula,
        18,
        30.0,
    )


def _ball_search(w, p, r):
    """max w'x over the unit p-ball: BFGS over directions y, x = y / |y|_p, and a linear program."""
    if p in (1, math.inf):
        d = len(w)
        rows = np.ones((1, 2 * d)) if p == 1 else np.hstack([np.eye(d)] * 2)
        found = scipy.optimize.linprog(-np.r_[w, -w], A_ub=rows, b_ub=np.ones(len(rows)))
        return found.x[:d] - found.x[d:]
    y = climb(lambda y: w @ y / np.linalg.norm(y, p), w + 0.1 * r.normal(size=w.shape))
    return y / np.linalg.norm(y, p)


@claim(
    "eq:l2:ball-value",
    "eq:l2:ball-solution",
    "eq:l2:fgsm",
    "prop:l2:ball",
    statement="On a p-norm ball the maximum is f(x₀) + ε|w|_q, for p = 1, 1.5, 2, 3, ∞; the "
    "maximisers are the stated ones, several on ties (p = 1) and zeros (p = ∞).",
    tol=1e-5,
)
def ball():
    r, errors = rng(19), []
    for p in (1, 1.5, 2, 3, math.inf):
        q = {1: math.inf, math.inf: 1}.get(p) or p / (p - 1)
        for _ in range(5):
            w, x0, eps = r.normal(size=4), r.normal(size=4), r.uniform(0.1, 2)
            found, got = x0 + eps * _ball_search(w, p, r), cf.affine_ball(w, 0, x0, eps, p)
            size = np.abs(w)
            top = np.eye(4)[size.argmax()]
            step = {1: np.sign(w) * top, 2: w / np.linalg.norm(w), math.inf: np.sign(w)}.get(p)
            if 1 < p < math.inf:
                general = np.sign(w) * size ** (q - 1) / np.linalg.norm(w, q) ** (q - 1)
                step = general if step is None else step
                errors.append(general - step)
            value = w @ x0 + eps * np.linalg.norm(w, q)
            errors += [found - x0 - eps * step, got.x - found, w @ found - value, got.value - value]
    tie = cf.affine_ball([1, -1, 0.5], 0, 0, 2, 1)
    free = cf.affine_ball([1, 0], 0, 0, 2, math.inf)
    errors += [np.subtract(tie.maximisers, [[2, 0, 0], [0, -2, 0]])]
    errors += [broken(not tie.unique, not free.unique)]
    return worst(*errors)


@claim("eq:l2:box", statement="On a box: u_i where w_i > 0, l_i where w_i < 0.", tol=1e-9)
def box():
    r, errors = rng(20), []
    for _ in range(10):
        w, lo = r.normal(size=6), r.normal(size=6)
        hi = lo + r.exponential(size=6)
        state, value = linear_program(w, lo, hi)
        x = np.where(w > 0, hi, lo)
        errors += [broken(state == "optimal"), w @ x - value, cf.affine_box(w, 0, lo, hi).x - x]
    return worst(*errors)


@claim(
    "eq:l2:penalty-ball",
    statement="λ = |w|/(2ε): the penalty and the ball of radius ε have the same maximiser.",
    tol=1e-12,
)
def penalty_ball():
    errors = []
    for w, b, eps in affine_instances(21):
        lam = np.linalg.norm(w) / (2 * eps)
        x = cf.affine_l2(w, b, lam).x
        errors += [(x - cf.affine_ball(w, b, 0, eps, 2).x) / eps, np.linalg.norm(x) / eps - 1]
        other = cf.affine_l2(w, b, 1.1 * lam).x  # another λ has another maximiser
        errors.append(broken(np.linalg.norm(other) < 0.95 * eps))
    return worst(*errors)
