"""Data, and only data, as bytes: what may cross the wall between a judge and a student's code.

Runs on both sides of the wall, in the sandbox with NumPy alone. Never pickle: to load one is to run
it. Allowed: None, bool, int, float, complex, str, list, tuple, dict with str keys and NumPy arrays
of numbers, truth values or text. NumPy scalars and torch tensors become plain ones, sets sorted
lists. Arguments (not answers) may also hold generators and functions: of a function only its number
crosses, and a call of it goes back over the wall.
"""

import base64
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

LIMIT = 64_000_000  # bytes of a message
DEPTH = 20
DTYPE = re.compile(r"[<>|][biufcU]\d{1,7}")


class WireError(ValueError):
    """Something that is not data, or bytes that are not a message."""


def encode(value: Any, functions: list[Callable] | None = None) -> bytes:
    """`value` as bytes. With a list, functions are appended to it and generators may cross.

    Raises WireError for anything that is not data, too deep (20) or too large (64 MB).
    """
    try:
        content = json.dumps(_packed(value, functions, DEPTH), separators=(",", ":")).encode()
    except WireError:
        raise
    except Exception as error:  # an object that lies about what it is
        raise WireError(f"this cannot be sent as data ({type(error).__name__})") from None
    if len(content) > LIMIT:
        raise WireError(f"{len(content)} bytes are too many; the limit is {LIMIT}")
    return content


def decode(content: bytes, function: Callable[[int], Callable] | None = None) -> Any:
    """The value of `encode`; `function(number)` stands for a function of the other side.

    Without `function`, functions and generators are refused. Raises WireError.
    """
    if len(content) > LIMIT:
        raise WireError(f"{len(content)} bytes are too many; the limit is {LIMIT}")
    try:
        return _unpacked(json.loads(content), function, DEPTH)
    except WireError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError,
            MemoryError, AttributeError) as error:  # fmt: skip
        raise WireError(f"this is not a message ({type(error).__name__})") from None


def _packed(value: Any, functions: list[Callable] | None, depth: int) -> Any:
    if depth == 0:
        raise WireError(f"this is nested more than {DEPTH} deep")
    if value is None or type(value) in (bool, int, str, float):
        return value
    if type(value) is complex:
        return {"c": [value.real, value.imag]}
    if type(value).__module__.startswith("torch") and hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if isinstance(value, np.generic):
        return _packed(value.item(), functions, depth)
    if isinstance(value, np.ndarray):
        return _array(np.asarray(value))
    if isinstance(value, list):
        return [_packed(v, functions, depth - 1) for v in value]
    if isinstance(value, tuple):
        return {"t": [_packed(v, functions, depth - 1) for v in value]}
    if isinstance(value, set | frozenset):
        return [_packed(v, functions, depth - 1) for v in sorted(value)]
    if isinstance(value, Mapping):
        if not all(type(key) is str for key in value):
            raise WireError("a dict may only have text as keys")
        return {"d": {k: _packed(v, functions, depth - 1) for k, v in value.items()}}
    if functions is not None and isinstance(value, np.random.Generator):
        return {"g": _plain(value.bit_generator.state)}
    if functions is not None and callable(value):
        functions.append(value)
        return {"f": len(functions) - 1}
    raise WireError(f"only numbers, text, lists, tuples, dicts and arrays, not {_kind(value)}")


def _kind(value: Any) -> str:
    return f"a value of type {type(value).__name__[:60]}"


def _plain(state: Any) -> Any:
    """The state of a generator: nested dicts of big integers."""
    return {k: _plain(v) for k, v in state.items()} if isinstance(state, dict) else state


def _array(value: np.ndarray) -> Any:
    if not DTYPE.fullmatch(value.dtype.str):
        raise WireError(f"an array of numbers or text, not of dtype {str(value.dtype)[:60]}")
    if value.nbytes > LIMIT // 2:
        raise WireError(f"an array of {value.nbytes} bytes is too large")
    content = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
    return {"a": [value.dtype.str, list(value.shape), content]}


def _unpacked(value: Any, function: Callable[[int], Callable] | None, depth: int) -> Any:
    if depth == 0:
        raise WireError(f"this is nested more than {DEPTH} deep")
    if isinstance(value, list):
        return [_unpacked(v, function, depth - 1) for v in value]
    if not isinstance(value, dict):
        return value
    ((tag, held),) = value.items()
    if tag == "t":
        return tuple(_unpacked(v, function, depth - 1) for v in held)
    if tag == "d":
        return {str(k): _unpacked(v, function, depth - 1) for k, v in held.items()}
    if tag == "c":
        return complex(float(held[0]), float(held[1]))
    if tag == "a":
        return _unpacked_array(*held)
    if function is not None and tag == "g":
        bits = np.random.PCG64()
        bits.state = held
        return np.random.Generator(bits)
    if function is not None and tag == "f":
        return function(int(held))
    raise WireError("this is not a message (unknown tag)")


def _unpacked_array(dtype: str, shape: Sequence[int], content: str) -> np.ndarray:
    if not (isinstance(dtype, str) and DTYPE.fullmatch(dtype)) or len(shape) > 16:
        raise WireError("this is not an array of numbers or text")
    if not all(type(n) is int and 0 <= n <= LIMIT for n in shape):
        raise WireError("this is not the shape of an array")
    raw, kind = base64.b64decode(content, validate=True), np.dtype(dtype)
    if kind.itemsize * math.prod(shape) != len(raw):
        raise WireError("an array's bytes do not fit its shape")
    return np.frombuffer(raw, kind).reshape(shape).copy()


def snapshot(args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, bytes]:
    """The bytes of each argument by its number or name; generators and functions left out."""
    named = {str(number + 1): value for number, value in enumerate(args)} | dict(kwargs)
    fixed = {k: v for k, v in named.items() if not isinstance(v, np.random.Generator)}
    return {k: encode(v, []) for k, v in fixed.items() if not callable(v)}


def changed(before: Mapping[str, bytes], args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """The first argument that is not as in the `snapshot` before the call; "" if all are."""
    try:
        after = snapshot(args, kwargs)
    except WireError:
        return next(iter(before), "")
    return next((name for name, content in before.items() if after.get(name) != content), "")
