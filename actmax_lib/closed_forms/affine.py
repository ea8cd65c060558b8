"""Affine f(x) = w'x + b: with a penalty, a Gaussian prior, on a ball or on a box.

All are one program, max w'x - R(x), and its value is the Fenchel conjugate R*(w): chapter
*l2-closed-forms*; Rockafellar, *Convex Analysis* (1970), section 12.
"""

import math
from typing import Any

import numpy as np
import scipy.linalg

from actmax_lib import checks
from actmax_lib.closed_forms.base import (
    EPS,
    Solution,
    array,
    axis,
    finite,
    matching,
    penalty_weight,
    positive,
    quiet,
    scalar,
    symmetric,
    unit,
)
from actmax_lib.errors import UnboundedProblemError


@quiet
def affine_l2(w: Any, b: Any, lam: Any) -> Solution:
    """max over R^d of w'x + b - lam |x|^2, at x = w / (2 lam) (eq:l2:solution).

    w: (d,); b: a number; lam > 0, else UnboundedProblemError.
    """
    w, b = array("w", w, 1), scalar("b", b)
    lam = penalty_weight("lam", lam, w)
    x = w / (2 * lam)
    return finite(Solution(x, float(w @ x) + b, -float(w @ x) / 2))


@quiet
def affine_l2_path(w: Any, lam: Any, eta: Any, T: Any, x0: Any = None) -> np.ndarray:
    """All iterates x_0 ... x_T of gradient ascent on w'x - lam |x|^2: (T + 1, d), exactly.

    x_t = x* + (1 - 2 lam eta)^t (x_0 - x*) (eq:l2:contraction, eq:l2:path); it converges for
    0 < eta < 1/lam. eta > 0: the step; x0: (d,) the start, the origin if None.
    """
    w = array("w", w, 1)
    lam, eta = penalty_weight("lam", lam, w), positive("eta", eta)
    steps = np.arange(checks.count("T", T, at_least=0) + 1)
    start = np.zeros_like(w) if x0 is None else matching("x0", x0, w.shape)
    pull = 2 * lam * eta
    kept = (1 - pull) ** steps
    # expm1 keeps the first steps exact where the pull is tiny
    gone = -np.expm1(steps * math.log1p(-pull)) if pull < 1 else 1 - kept
    path = np.outer(gone, w / (2 * lam)) + np.outer(kept, start)
    if not np.isfinite(path).all():
        raise ValueError(f"the path leaves float64: eta must be < 1/lam = {1 / lam:g}, got {eta!r}")
    return path


@quiet
def affine_gaussian(w: Any, b: Any, mu: Any, Sigma: Any) -> Solution:
    """max of w'x + b - (x - mu)' inv(Sigma) (x - mu) / 2, at x = mu + Sigma w (eq:l2:gaussian).

    mu: (d,), or a number for all; Sigma: (d, d) symmetric, not negative. A singular Sigma allows
    mu + range(Sigma) only (pseudo-inverse). A negative eigenvalue raises UnboundedProblemError.
    """
    w, b = array("w", w, 1), scalar("b", b)
    mu = matching("mu", mu, w.shape)
    Sigma = symmetric("Sigma", Sigma, len(w))
    eigenvalues, vectors = scipy.linalg.eigh(Sigma)
    if eigenvalues[0] < -len(w) * EPS * 8 * np.abs(eigenvalues).max():
        v = vectors[:, 0]
        raise UnboundedProblemError(
            f"Sigma has the negative eigenvalue {eigenvalues[0]:g}: it is no covariance, and the "
            "prior grows for ever along .direction; give a positive semi-definite Sigma",
            v if w @ v >= 0 else -v,
        )
    step = Sigma @ w
    x = mu + step
    return finite(Solution(x, float(w @ x) + b, -float(w @ step) / 2))


@quiet
def affine_ball(w: Any, b: Any, x0: Any, eps: Any, p: Any) -> Solution:
    """max of w'x + b over the p-norm ball |x - x0|_p <= eps: the dual norm (prop:l2:ball).

    The value is f(x0) + eps |w|_q with 1/p + 1/q = 1. x0: (d,), or a number for all; eps >= 0;
    p in [1, inf]; float("inf") is the FGSM step x0 + eps sign(w), with sign(0) = 0. On ties for
    p = 1 the maximisers fill a polytope, and ``others`` are its further corners.
    """
    w, b = array("w", w, 1), scalar("b", b)
    x0, eps = matching("x0", x0, w.shape), scalar("eps", eps)
    p = math.inf if p in (math.inf, "inf") else scalar("p", p)
    if eps < 0:
        raise ValueError(f"eps, the radius of the ball, must be >= 0, got {eps!r}")
    if p < 1:
        raise ValueError(f"p must be in [1, inf], got {p!r}: below 1 the ball is not convex")
    d, top = len(w), np.abs(w).max()
    if eps == 0 or top == 0:
        flat = np.concatenate([np.eye(d), -np.eye(d)]) if eps else None
        return Solution(x0, float(w @ x0) + b, 0.0, unique=eps == 0, flat=flat)
    size = np.abs(w) / top
    steps, flat = [], None
    if p == 1:
        tied = np.flatnonzero(size >= 1 - 8 * EPS)
        steps = [axis(d, i, w[i]) for i in tied]
        flat = np.stack([s - steps[0] for s in steps[1:]]) if len(tied) > 1 else None
    elif p == math.inf:
        steps = [np.sign(w)]
        free = np.flatnonzero(w == 0)
        flat = np.stack([axis(d, i, s) for i in free for s in (1, -1)]) if len(free) else None
    else:
        q = p / (p - 1)
        power = size ** (q - 1)
        steps = [np.sign(w) * power / (size @ power) ** (1 / p)]
    points = [x0 + eps * step for step in steps]
    f = float(w @ x0) + b + eps * float(w @ steps[0])
    return finite(Solution(points[0], f, 0.0, tuple(points[1:]), flat is None, flat))


@quiet
def affine_box(w: Any, b: Any, lo: Any, hi: Any) -> Solution:
    """max of w'x + b over lo <= x <= hi: the upper bound where w > 0, the lower where w < 0.

    lo, hi: (d,) or numbers; infinite bounds are allowed. Where w is 0, x is free: the middle, or
    the point nearest to 0 if a bound is infinite. UnboundedProblemError where w points out through
    an open side.
    """
    w, b = array("w", w, 1), scalar("b", b)
    lo = matching("lo", lo, w.shape, infinite=True)
    hi = matching("hi", hi, w.shape, infinite=True)
    wrong = np.flatnonzero((lo > hi) | (lo == np.inf) | (hi == -np.inf))
    if len(wrong):
        i = wrong[0]
        raise ValueError(f"lo[{i}] = {lo[i]} and hi[{i}] = {hi[i]} leave no point; need lo <= hi")
    out = np.where(w > 0, hi, np.where(w < 0, lo, 0.0))
    if np.isinf(out).any():
        raise UnboundedProblemError(
            "f grows for ever along .direction, where the box is open; give finite lo and hi there",
            unit(np.where(np.isinf(out), w, 0.0)),
        )
    free = w == 0
    closed = free & np.isfinite(lo) & np.isfinite(hi)
    x = np.where(free, np.clip(0.0, lo, hi), out)
    x[closed] = lo[closed] / 2 + hi[closed] / 2
    wide = np.flatnonzero(free & (hi > lo))
    ways = [axis(len(w), i, s) for i in wide for s in (1, -1) if (hi if s > 0 else lo)[i] != x[i]]
    flat = np.stack(ways) if ways else None
    return finite(Solution(x, float(w @ x) + b, 0.0, unique=flat is None, flat=flat))


@quiet
def elastic_net(w: Any, b: Any, lam1: Any, lam2: Any) -> Solution:
    """max of w'x + b - lam1 |x|_1 - lam2 |x|^2 (eq:l2:elastic-net).

    It is at x = soft(w, lam1) / (2 lam2), soft(w, t) = sign(w) max(|w| - t, 0).
    lam1, lam2 >= 0. With lam2 = 0 it is unbounded iff max|w| > lam1, and not unique iff they are
    equal (then ``flat`` holds the free half-lines from 0); eq:l2:l1.
    """
    w, b = array("w", w, 1), scalar("b", b)
    lam1, lam2 = scalar("lam1", lam1), scalar("lam2", lam2)
    if lam1 < 0:
        raise ValueError(f"lam1 must be >= 0, got {lam1!r}")
    soft = np.sign(w) * np.maximum(np.abs(w) - lam1, 0)
    if lam2 < 0 or (lam2 == 0 and soft.any()):
        i = int(np.argmax(np.abs(w)))
        raise UnboundedProblemError(
            f"lam2 = {lam2!r} does not hold |w[{i}]| = {abs(w[i]):g}, above lam1 = {lam1:g}, back: "
            "f + omega grows for ever along .direction; give lam2 > 0, or lam1 >= max|w|"
            if lam2 == 0
            else f"lam2 must be >= 0, got {lam2!r}: f + omega grows for ever along .direction",
            axis(len(w), i, w[i]),
        )
    if lam2 == 0:
        ways = [
            axis(len(w), i, s)
            for i in np.flatnonzero(np.abs(w) == lam1)
            for s in ((w[i],) if lam1 else (1, -1))
        ]
        flat = np.stack(ways) if ways else None
        return Solution(np.zeros_like(w), b, 0.0, unique=flat is None, flat=flat)
    x = soft / (2 * lam2)
    omega = -lam1 * float(np.abs(x).sum()) - lam2 * float(x @ x)
    return finite(Solution(x, float(w @ x) + b, omega))


@quiet
def affine_lp(w: Any, b: Any, lam: Any, p: Any) -> Solution:
    """max of w'x + b - lam sum |x_i|^p, p >= 1 (eq:l2:lp; p = 1 is elastic_net with lam2 = 0).

    x_i = sign(w_i) (|w_i| / (lam p))^(1 / (p - 1)). lam > 0, else UnboundedProblemError.
    """
    w, b = array("w", w, 1), scalar("b", b)
    lam, p = penalty_weight("lam", lam, w), scalar("p", p)
    if p < 1:
        raise ValueError(f"p must be >= 1, got {p!r}: |x|^p with p < 1 holds no affine f back")
    if p == 1:
        return elastic_net(w, b, lam, 0.0)
    x = np.sign(w) * (np.abs(w) / (lam * p)) ** (1 / (p - 1))
    gain = float(w @ x)
    return finite(Solution(x, gain + b, -gain / p))
