"""The errors a reader can meet. Each names the argument, the value and the remedy."""

import difflib
from collections.abc import Iterable
from typing import Any


class UnboundedProblemError(ValueError):
    """The objective has no maximum: it grows for ever along ``direction`` (chapter *ill-posed*).

    direction: array of shape (d,), or None where the argument alone cannot tell it.
    """

    def __init__(self, message: str, direction: Any = None) -> None:
        super().__init__(message)
        self.direction = direction


class UnnormalisableError(ValueError):
    """exp(f) has no finite integral, so there is no density (chapter *implicit-density*).

    direction: array of shape (d,), a ray along which f does not fall, or None.
    """

    def __init__(self, message: str, direction: Any = None) -> None:
        super().__init__(message)
        self.direction = direction


class NonFiniteError(ArithmeticError):
    """A NaN or an infinity appeared during the ascent.

    step: first bad step; term: name of the term that made it; images: (N, ...) the last good ones.
    """

    def __init__(self, message: str, *, step: int, term: str, images: Any) -> None:
        super().__init__(message)
        self.step = step
        self.term = term
        self.images = images


def closest(name: str, names: Iterable[str], n: int = 5) -> str:
    """A phrase that offers the ``names`` most like ``name``."""
    names = [candidate for candidate in names if candidate]
    near = difflib.get_close_matches(name, names, n=n, cutoff=0.3) or names[:n]
    return "closest names: " + ", ".join(map(repr, near)) if near else "there are no names"
