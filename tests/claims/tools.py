"""Independent routes the claims share: linear programs, searches, differences."""

from collections.abc import Callable

import numpy as np
import scipy.optimize


def rng(seed: int = 0) -> np.random.Generator:
    """A generator of its own for each claim."""
    return np.random.default_rng(seed)


def affine_instances(seed: int, count: int = 20):
    """Random (w, b, lam) for w'x + b with a penalty lam."""
    r = rng(seed)
    for _ in range(count):
        d = int(r.integers(1, 12))
        yield r.normal(size=d) * 3, float(r.normal()), float(10 ** r.uniform(-1, 1))


def worst(*errors) -> float:
    """The largest absolute entry of numbers and arrays; NaN if there is one."""
    return float(max(np.abs(np.asarray(e, dtype=float)).max(initial=0.0) for e in errors))


def broken(*conditions: bool) -> int:
    """How many of the conditions are false: an error with tolerance 0."""
    return sum(not bool(c) for c in conditions)


def climb(fn: Callable, start, **options) -> np.ndarray:
    """A local maximiser of ``fn`` found from ``start`` by BFGS."""
    found = scipy.optimize.minimize(lambda x: -fn(x), start, options={"gtol": 1e-9} | options)
    return found.x


def slope(fn: Callable, x: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """Central differences of ``fn`` at ``x``."""
    return np.array([(fn(x + h * e) - fn(x - h * e)) / (2 * h) for e in np.eye(len(x))])


def linear_program(w: np.ndarray, lo=None, hi=None) -> tuple[str, float]:
    """max w'x over a box by a solver: ("optimal" or "unbounded", value)."""
    sides = list(zip(np.broadcast_to(lo, w.shape), np.broadcast_to(hi, w.shape), strict=True))
    found = scipy.optimize.linprog(-w, bounds=sides)
    return {0: "optimal", 3: "unbounded"}[found.status], -(found.fun or 0.0)


def each_coordinate(fn: Callable, w: np.ndarray, reach: float) -> tuple[np.ndarray, float]:
    """The maximiser and maximum of sum_i fn(x_i, w_i), searched coordinate by coordinate."""
    points, total = [], 0.0
    for v in w:
        best = (0.0, fn(0.0, v))
        for side in ((-reach, 0), (0, reach)):
            found = scipy.optimize.minimize_scalar(
                lambda t, v=v: -fn(t, v), bounds=side, method="bounded", options={"xatol": 1e-12}
            )
            best = max(best, (found.x, -found.fun), key=lambda pair: pair[1])
        points.append(best[0])
        total += best[1]
    return np.array(points), total
