"""Checks of arguments, shared by the nouns and the verb."""

import math
import numbers
from typing import Any

import numpy as np
import torch
from torch import Tensor

from actmax_lib.errors import UnboundedProblemError


def real_tensor(name: str, value: Any) -> Tensor:
    """``value`` as a finite floating-point tensor; Python numbers and lists become float64.

    Raises TypeError for integer or complex tensors, ValueError for NaN, Inf or nothing at all.
    """
    with torch.inference_mode(False):  # a constant made here must be usable in a backward pass
        if isinstance(value, Tensor):
            tensor = value.detach().clone()
        else:  # np.array copies: read-only and reversed arrays are welcome
            given_numbers = not hasattr(value, "dtype")
            try:
                array = np.array(value, dtype=float if given_numbers else None)
                tensor = torch.from_numpy(array)
            except (TypeError, ValueError) as error:
                raise TypeError(
                    f"{name} must be an array of real numbers, got {value!r}"
                ) from error
    if not tensor.is_floating_point():
        raise TypeError(
            f"{name} has dtype {tensor.dtype}; give floating-point values "
            "(for 8-bit images: image.float() / 255)"
        )
    if tensor.numel() == 0:
        raise ValueError(f"{name} is empty (shape {tuple(tensor.shape)}); give at least one value")
    if not bool(torch.isfinite(tensor).all()):
        raise ValueError(f"{name} holds NaN or Inf; replace them with finite values")
    return tensor


def real(name: str, value: Any, *, above: float = -math.inf, below: float = math.inf) -> float:
    """``value`` as a finite float strictly between ``above`` and ``below``."""
    if isinstance(value, (Tensor, np.ndarray)) and value.ndim == 0:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a real number, got {value!r}")
    value = float(value)
    if not (math.isfinite(value) and above < value < below):
        raise ValueError(f"{name} must be a finite number in ({above:g}, {below:g}), got {value!r}")
    return value


def weight(name: str, value: Any) -> float:
    """A regularization weight: λ > 0, else nothing holds the objective back."""
    value = real(name, value)
    if value <= 0:
        raise UnboundedProblemError(
            f"{name} must be > 0, got {value!r}: a regularizer with {name} <= 0 does not hold the "
            "objective back; leave it out of the sum to climb without it"
        )
    return value


def count(name: str, value: Any, *, at_least: int = 1) -> int:
    """``value`` as an int of ``at_least`` this size."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if value < at_least:
        raise ValueError(f"{name} must be at least {at_least}, got {value}")
    return int(value)


def indices(name: str, value: Any) -> tuple[tuple[int, ...], bool]:
    """Index or indices as a tuple, and whether they were given as a list (one an image)."""
    if isinstance(value, (Tensor, np.ndarray)):
        value = value.tolist()
    many = not isinstance(value, numbers.Real)
    if isinstance(value, (str, bytes)) or (many and not hasattr(value, "__iter__")):
        raise TypeError(f"{name} must be an integer or a list of integers, got {value!r}")
    given = tuple(count(name, v, at_least=0) for v in (value if many else (value,)))
    if not given:
        raise ValueError(f"{name} is an empty list; give at least one index")
    return given, many


def in_range(name: str, given: tuple[int, ...], size: int, what: str) -> None:
    """Raise ValueError when an index is not one of 0 ... size - 1."""
    for index in given:
        if index >= size:
            raise ValueError(f"{name} {index} is out of range: {what}: 0 to {size - 1}")


def entries(name: str, size: int, x: Tensor) -> None:
    """Raise ValueError when one image of the batch x has not ``size`` entries."""
    if x[0].numel() != size:
        raise ValueError(f"{name} has {size} entries, an image has {x[0].numel()}")


def image_size(size: Any) -> tuple[int, int]:
    """``size`` as (height, width), each at least 1."""
    if isinstance(size, numbers.Real):
        size = (size, size)
    pair = tuple(size) if hasattr(size, "__iter__") else ()
    if len(pair) != 2:
        raise ValueError(f"size must be an integer or (height, width), got {size!r}")
    return count("size", pair[0]), count("size", pair[1])
