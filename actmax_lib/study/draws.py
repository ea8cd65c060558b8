"""Random draws that Python and a browser make alike (the twin is ``web/study-session.js``)."""

from collections.abc import Sequence
from typing import TypeVar

from actmax_lib import checks

Item = TypeVar("Item")
_WORD = 2**32


class Draws:
    """Uniform draws and shuffles of a seed in 0 ... 2³² - 1, by mulberry32.

    The same seed gives the same draws on every machine, in Python and in JavaScript. Good enough
    to order the trials of an experiment, no more: a period of 2³² is no Monte Carlo generator.
    Raises TypeError for a seed that is no integer, ValueError for one outside the range.
    """

    def __init__(self, seed: int) -> None:
        self._state = checks.count("seed", seed, at_least=0)
        if self._state >= _WORD:
            raise ValueError(f"seed must be below 2**32, got {seed}")

    def uniform(self) -> float:
        """The next draw, a multiple of 2⁻³² in [0, 1)."""
        self._state = (self._state + 0x6D2B79F5) % _WORD
        t = self._state
        t = (t ^ (t >> 15)) * (t | 1) % _WORD
        t = ((t + (t ^ (t >> 7)) * (t | 61)) % _WORD) ^ t
        return (t ^ (t >> 14)) / _WORD

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        """A new list of ``items`` in random order (Fisher and Yates, from the end)."""
        mixed = list(items)
        for k in range(len(mixed) - 1, 0, -1):
            j = int(self.uniform() * (k + 1))
            mixed[k], mixed[j] = mixed[j], mixed[k]
        return mixed
