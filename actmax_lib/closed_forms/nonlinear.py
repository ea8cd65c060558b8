"""Quadratic f, and maxima of coordinates or of affine pieces, with the l2 penalty."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg

from actmax_lib import checks
from actmax_lib.closed_forms.base import (
    EPS,
    Solution,
    array,
    finite,
    matching,
    penalty_weight,
    quiet,
    scalar,
    symmetric,
)
from actmax_lib.errors import UnboundedProblemError


@dataclass(frozen=True, eq=False)
class MaxCoordinate(Solution):
    """saddle: (d,), the stationary point on the diagonal, no maximiser (None if d = 1)."""

    saddle: np.ndarray | None = None
    saddle_value: float | None = None


@dataclass(frozen=True, eq=False)
class MaxAffine(Solution):
    """local: all local maximisers, the global ones among them; pieces: which row made each."""

    local: tuple[np.ndarray, ...] = ()
    pieces: tuple[int, ...] = ()


@quiet
def quadratic(H: Any, w: Any, b: Any, lam: Any) -> Solution:
    """max of x'Hx/2 + w'x + b - lam |x|^2, at x = inv(2 lam I - H) w (prop:l2:quadratic).

    H: (d, d) symmetric; any finite lam. lambda_max(H) > 2 lam is unbounded. If equal: unbounded
    where w has a part in the top eigenspace; otherwise x is the shortest maximiser and the rows of
    ``flat`` span the rest (orthonormal, both ways). "Equal" means to rounding.
    """
    w, b, lam = array("w", w, 1), scalar("b", b), scalar("lam", lam)
    H = symmetric("H", H, len(w))
    eigenvalues, vectors = scipy.linalg.eigh(H)
    gaps = 2 * lam - eigenvalues
    rounding = 16 * len(w) * EPS * max(np.abs(eigenvalues).max(), 2 * abs(lam))
    parts = vectors.T @ w
    tied = np.abs(gaps) <= rounding
    if gaps[-1] < -rounding:
        v = vectors[:, -1]
        raise UnboundedProblemError(
            f"H has the eigenvalue {eigenvalues[-1]:g} > 2 lam = {2 * lam:g}: f + omega grows for "
            f"ever along .direction; give lam > {eigenvalues[-1] / 2:g}",
            v if w @ v >= 0 else -v,
        )
    if tied.any() and np.linalg.norm(parts[tied]) > 16 * len(w) * EPS * np.linalg.norm(w):
        v = vectors[:, tied] @ parts[tied]
        raise UnboundedProblemError(
            f"lambda_max(H) = 2 lam = {2 * lam:g} and w has a part in that eigenspace: f + omega "
            f"grows for ever along .direction; give lam > {lam:g}",
            v / np.linalg.norm(v),
        )
    x = vectors[:, ~tied] @ (parts[~tied] / gaps[~tied])
    f = float(x @ H @ x) / 2 + float(w @ x) + b
    omega = -lam * float(x @ x)
    flat = vectors[:, tied].T.copy() if tied.any() else None
    return finite(Solution(x, f, omega, unique=flat is None, flat=flat))


@quiet
def max_coordinate(lam: Any, d: Any = 2) -> MaxCoordinate:
    """max of max_i x_i - lam |x|^2 over R^d: the d points e_i / (2 lam) (prop:max:many).

    lam > 0, else UnboundedProblemError; d >= 1. The saddle is (1, ..., 1) / (2 lam d).
    """
    d = checks.count("d", d)
    lam = penalty_weight("lam", lam, np.eye(d)[0])
    first, *others = np.eye(d) / (2 * lam)
    saddle = np.full(d, 1 / (2 * lam * d)) if d > 1 else None
    return MaxCoordinate(
        first, 1 / (2 * lam), -1 / (4 * lam), tuple(others), d == 1,
        saddle=saddle, saddle_value=1 / (4 * lam * d) if d > 1 else None,
    )  # fmt: skip


@quiet
def max_affine(W: Any, b: Any, lam: Any) -> MaxAffine:
    """max of max_j (W_j'x + b_j) - lam |x|^2: the best piece (prop:max:pieces).

    W: (pieces, d); b: (pieces,), or a number for all; lam > 0, else UnboundedProblemError. Row j
    makes the candidate W_j / (2 lam); it is a local maximiser iff no other piece is as high there
    (equal rows aside). ``others`` are the global maximisers tied with ``x``, to rounding.
    """
    W = array("W", W, 2)
    b = matching("b", b, (len(W),))
    lam = penalty_weight("lam", lam, W[int(np.argmax(np.abs(W).max(1)))])
    centres = W / (2 * lam)
    heights = W @ centres.T + b[:, None]  # heights[i, j]: piece i at the centre of piece j
    values = (W * centres).sum(1) / 2 + b
    own = np.diagonal(heights)
    if not (np.isfinite(heights).all() and np.isfinite(values).all()):
        raise ValueError("the maximum is too large for float64; rescale W, or take a larger lam")
    rounding = 16 * EPS * np.abs(heights).max()
    same = (W[:, None] == W[None]).all(-1)
    beaten = (~same & (heights >= own - rounding)).any(0) | (same & (b[:, None] > b)).any(0)
    repeats = np.triu(same & (b[:, None] == b), 1).any(0)
    order = np.argsort(-values, kind="stable")
    best = values[order[0]]
    beaten[order[0]] = False
    pieces = tuple(int(j) for j in order if not (beaten[j] or repeats[j]))
    local = tuple(centres[j].copy() for j in pieces)
    top = [j for j in pieces if values[j] >= best - rounding]
    x, *others = (centres[j].copy() for j in top)
    f = float(own[top[0]])
    return MaxAffine(
        x, f, -lam * float(x @ x), tuple(others), not others, local=local, pieces=pieces
    )
