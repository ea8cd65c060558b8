"""What every closed form returns, and the checks of its arguments."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from actmax_lib import checks
from actmax_lib.errors import UnboundedProblemError

EPS = float(np.finfo(np.float64).eps)

# overflow is answered by `finite`, not by a warning
quiet = np.errstate(over="ignore", under="ignore", invalid="ignore")


@dataclass(frozen=True, eq=False)
class Solution:
    """A global maximum of f + omega.

    x: (d,) float64, a maximiser; f, omega: the two terms there (omega is 0 where the problem has a
    constraint instead of a penalty). others: the further isolated maximisers, or, where the
    maximisers fill a polytope, its further corners. unique: is x the only maximiser? flat: None or
    (k, d); x + t * flat[i] is also a maximiser for every t >= 0 that is small enough.
    """

    x: np.ndarray
    f: float
    omega: float
    others: tuple[np.ndarray, ...] = ()
    unique: bool = True
    flat: np.ndarray | None = None

    @property
    def value(self) -> float:
        """L(x) = f(x) + omega(x), the maximum."""
        return self.f + self.omega

    @property
    def maximisers(self) -> tuple[np.ndarray, ...]:
        """``x`` and the ``others``."""
        return (self.x, *self.others)


def array(name: str, value: Any, ndim: int, *, infinite: bool = False) -> np.ndarray:
    """A fresh float64 copy of ``value`` with ``ndim`` axes; finite unless ``infinite``."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = (value if value.is_complex() else value.double()).numpy()
    if np.iscomplexobj(value):
        raise TypeError(f"{name} is complex; give real numbers")
    try:
        out = np.array(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be an array of real numbers, got {value!r}") from error
    if out.ndim != ndim or 0 in out.shape:
        wanted = "(d,)" if ndim == 1 else "(rows, columns)"
        raise ValueError(f"{name} must have shape {wanted}, none of them 0; got {out.shape}")
    if np.isnan(out).any() or not (infinite or np.isfinite(out).all()):
        bad = out[~np.isfinite(out)].flat[0]
        raise ValueError(f"{name} contains {bad}; replace it with a finite number")
    return out


def matching(
    name: str, value: Any, shape: tuple[int, ...], *, infinite: bool = False
) -> np.ndarray:
    """``value`` as an array of exactly this shape; a scalar is repeated for a vector."""
    if len(shape) == 1 and (value.ndim if hasattr(value, "ndim") else np.ndim(value)) == 0:
        value = np.full(shape, float(value))
    out = array(name, value, len(shape), infinite=infinite)
    if out.shape != shape:
        raise ValueError(f"{name} must have shape {shape} to match w, got {out.shape}")
    return out


def scalar(name: str, value: Any) -> float:
    """``value`` as a finite float (Python, NumPy or a tensor with one element)."""
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    return checks.real(name, value)


def positive(name: str, value: Any) -> float:
    """``value`` as a finite float > 0."""
    value = scalar(name, value)
    if value <= 0:
        raise ValueError(f"{name} must be > 0, got {value!r}")
    return value


def symmetric(name: str, value: Any, d: int) -> np.ndarray:
    """``value`` as a symmetric (d, d) matrix."""
    matrix = matching(name, value, (d, d))
    if not np.allclose(matrix, matrix.T, rtol=1e-10, atol=1e-12 * np.abs(matrix).max()):
        raise ValueError(f"{name} is not symmetric; give ({name} + {name}.T) / 2")
    return (matrix + matrix.T) / 2


def unit(vector: np.ndarray) -> np.ndarray:
    """``vector`` scaled to length 1; safe for huge and tiny entries."""
    vector = vector / np.abs(vector).max()
    return vector / np.linalg.norm(vector)


def penalty_weight(name: str, value: Any, ascent: np.ndarray) -> float:
    """A weight of a norm penalty: > 0, else unbounded along ``ascent`` (any direction if it is 0).

    Only the weight 0 with nothing to ascend is bounded; there every point is a maximiser.
    """
    value = scalar(name, value)
    if value > 0:
        return value
    if not ascent.any():
        if value == 0:
            raise ValueError(
                f"{name} must be > 0, got 0.0: with w = 0 as well every point is a maximiser"
            )
        ascent = np.eye(len(ascent))[0]
    raise UnboundedProblemError(
        f"{name} must be > 0, got {value!r}: f + omega grows for ever along .direction; "
        f"give a positive {name}, or maximise over a box or a ball",
        unit(ascent),
    )


def finite(solution: Solution) -> Solution:
    """``solution``, or an error where float64 could not hold it."""
    values = np.concatenate([*solution.maximisers, [solution.f, solution.omega]])
    if not np.isfinite(values).all():
        raise ValueError(
            "the maximum is too large for float64; rescale w, or take a larger penalty weight"
        )
    return solution


def axis(d: int, i: int, sign: float = 1.0) -> np.ndarray:
    """The direction ``sign * e_i`` in R^d."""
    out = np.zeros(d)
    out[i] = math.copysign(1.0, sign)
    return out
