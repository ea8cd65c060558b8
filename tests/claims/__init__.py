"""Claim -> test -> measured error, for what the chapters state.

A module here has the name of its chapter's file (``-`` written ``_``), with ``__part`` behind it
where one file would be too long. Each claim measures how far
a statement is from true, by a route that does not use the statement itself. ``coverage`` reads the
chapters and finds what has no claim; the appendix *verified-claims* prints ``table()``.
"""

import functools
import importlib
import math
import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass, field

NOT_CHAPTERS = {"coverage", "tools"}


@dataclass(frozen=True)
class Check:
    """A measured error, and the numbers typed in the chapter: text as printed -> computed value.

    A percentage is written "82 %", and its value is 82, not 0.82.
    """

    error: float
    numbers: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Claim:
    """labels: the equations and statements it checks; tol: the largest error accepted."""

    labels: tuple[str, ...]
    statement: str
    tol: float
    run: Callable[[], float | Check]

    @property
    def module(self) -> str:
        return self.run.__module__.rpartition(".")[2]

    @property
    def chapter(self) -> str:
        """The chapter's file without its ending."""
        return self.module.partition("__")[0].replace("_", "-")

    @property
    def name(self) -> str:
        return f"{self.module}.{self.run.__name__}"


_REGISTRY: dict[str, Claim] = {}


def claim(*labels: str, statement: str, tol: float) -> Callable:
    """Register a function without arguments that returns a measured error >= 0, or a Check."""

    def register(run: Callable[[], float | Check]) -> Callable[[], float | Check]:
        entry = Claim(labels, statement, tol, run)
        if entry.name in _REGISTRY:
            raise ValueError(f"two claims are called {entry.name}; rename one")
        _REGISTRY[entry.name] = entry
        return run

    return register


@functools.cache
def _modules() -> tuple:
    names = [m.name for m in pkgutil.iter_modules(__path__) if m.name not in NOT_CHAPTERS]
    return tuple(importlib.import_module(f"{__name__}.{name}") for name in names)


def all_claims() -> list[Claim]:
    """Every claim of every chapter module, in the order written."""
    _modules()
    return list(_REGISTRY.values())


def definitions() -> dict[str, str]:
    """Numbered equations that only fix notation: label -> reason (each module's DEFINITIONS)."""
    merged: dict[str, str] = {}
    for module in _modules():
        merged.update(getattr(module, "DEFINITIONS", {}))
    return merged


@functools.cache
def measure(entry: Claim) -> Check:
    """Run a claim, once."""
    result = entry.run()
    if isinstance(result, Check):
        return Check(float(result.error), {k: float(v) for k, v in result.numbers.items()})
    return Check(float(result))


def as_printed(text: str, value: float) -> bool:
    """Is ``text`` the ``value`` rounded to the digits printed?"""
    found = re.fullmatch(r"([-−]?)(\d*)\.?(\d*)(?:e([-+]?\d+))?\s*%?", text.strip())
    if not found or not math.isfinite(value):
        return False
    sign, whole, decimals, exponent = found.groups()
    scale = 10.0 ** int(exponent or 0)
    printed = float(f"{whole or 0}.{decimals or 0}") * scale * (-1 if sign else 1)
    half_a_digit = 0.5 * 10.0 ** -len(decimals) * scale
    return abs(value - printed) <= half_a_digit * (1 + 1e-9)


def holds(entry: Claim) -> bool:
    """Is the error within ``tol`` and every number as printed? False for a NaN."""
    check = measure(entry)
    return 0 <= check.error <= entry.tol and all(
        as_printed(text, value) for text, value in check.numbers.items()
    )


def table() -> list[dict]:
    """One row a claim for the appendix: chapter, labels, statement, test, error, tol, ok."""
    return [
        {
            "chapter": entry.chapter,
            "labels": entry.labels,
            "statement": entry.statement,
            "test": f"tests/test_claims.py::test_claim[{entry.name}]",
            "error": measure(entry).error,
            "tol": entry.tol,
            "numbers": measure(entry).numbers,
            "ok": holds(entry),
        }
        for entry in all_claims()
    ]
