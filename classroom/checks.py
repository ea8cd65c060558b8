"""What hidden checks are made of: plain functions that assert, each worth some points.

A check's parameters name the functions of a student that it calls; `rng` is a generator with the
hidden seed of this grading. The functions are proxies: arguments and answers are data, see `wire`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from types import ModuleType
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Check:
    """One hidden check. `needs` are the students' functions it calls; `seconds` a call may take."""

    name: str
    title: str
    question: str
    points: int
    seconds: float
    needs: tuple[str, ...]
    body: Callable[..., None]


class AnswerError(Exception):
    """A call of a student's function that gave no answer; `kind` as in `calls.Outcome`.

    `names` are the names of the exception's class and its bases, `text` its words.
    """

    kind = "raised"

    def __init__(self, function: str, names: tuple[str, ...] = (), text: str = ""):
        super().__init__(f"{function}: {text}")
        self.function, self.names, self.text = function, names, text


class Blank(AnswerError):
    """The function raises NotImplementedError: it was left as it was handed out."""

    kind = "blank"


class Slow(AnswerError):
    """The call took longer than it may."""

    kind = "slow"


class Died(AnswerError):
    """The process that ran the call is gone."""

    kind = "died"


class Unreadable(AnswerError):
    """The answer is not data, see `wire`."""

    kind = "unreadable"


def check(question: str, points: int, seconds: float = 10.0) -> Callable[[Callable], Callable]:
    """Make a function a check of `question`; the first line of its docstring is the title."""

    def registered(body: Callable) -> Callable:
        if not body.__doc__:
            raise ValueError(
                f"{body.__name__} needs a docstring: its first line is shown to people"
            )
        title = body.__doc__.strip().splitlines()[0]
        needs = tuple(name for name in signature(body).parameters if name != "rng")
        body.check = Check(body.__name__, title, question, points, seconds, needs, body)
        return body

    return registered


def checks_of(module: ModuleType) -> list[Check]:
    """The checks of a module in the order in which they are written."""
    return [value.check for value in vars(module).values() if hasattr(value, "check")]


def close(answer: Any, expected: Any, tol: float = 1e-8) -> bool:
    """Whether an answer has the shape of `expected`, both are finite, within tol (1 + |expected|).

    Never raises: an answer of any other kind is not close. No broadcasting. A truth value is no
    number, and a number no truth value.
    """
    try:
        answer, expected = np.asarray(answer), np.asarray(expected)
        if answer.shape != expected.shape or (answer.dtype.kind == "b") != (
            expected.dtype.kind == "b"
        ):
            return False
        if answer.dtype.kind not in "biufc":
            return False
        if answer.dtype.kind == "b":
            return bool(np.array_equal(answer, expected))
        if not (np.isfinite(answer).all() and np.isfinite(expected).all()):
            return False
        return bool((np.abs(answer - expected) <= tol * (1 + np.abs(expected))).all())
    except Exception:
        return False


def refuses(error: type[Exception] | str, function: Callable, *args: Any, **kwargs: Any) -> bool:
    """Assert that a call raises an error of that class, a subclass included; True if it does."""
    wanted = error if isinstance(error, str) else error.__name__
    name = getattr(function, "name", "the function")
    try:
        answer = function(*args, **kwargs)
    except AnswerError as failed:
        if failed.kind != "raised":
            raise
        found = failed.names[0] if failed.names else "an error"
        if wanted not in failed.names:
            said = f"{name} raises {found} where it should raise {wanted}"
            raise AssertionError(said) from None
    else:
        said = repr(answer)
        said = said if len(said) < 80 else said[:77] + "..."
        raise AssertionError(f"{name} should raise {wanted} here; it returns {said}")
    return True


def fresh(rng: np.random.Generator) -> np.random.Generator:
    """A generator for a student's function; the draws of the check stay its own."""
    return np.random.default_rng(int(rng.integers(2**63)))


def unpack(answer: Any, names: str) -> tuple:
    """The parts of an answer that should be a tuple of `names` ("x, f_x, L_x")."""
    n = len(names.split(","))
    ok = isinstance(answer, tuple | list) and len(answer) == n
    assert ok, f"the answer should be a tuple ({names}), not {_short(answer)}"
    return tuple(answer)


def _short(answer: Any) -> str:
    if isinstance(answer, tuple | list):
        return f"{type(answer).__name__} of {len(answer)}"
    return "nothing (None)" if answer is None else type(answer).__name__
