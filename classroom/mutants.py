"""Wrong answers that a sheet's hidden checks must reject: the grader is graded with them."""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType


@dataclass(frozen=True)
class Mutant:
    """A wrong answer for `function`; the check `by` rejects it, `slip` names the mistake."""

    name: str
    function: str
    by: str
    slip: str
    listed: bool
    body: Callable


def mutant(
    function: str, by: str, slip: str, listed: bool = False
) -> Callable[[Callable], Callable]:
    """Make a function a wrong answer for `function`; listed: a mistake known beforehand."""

    def registered(body: Callable) -> Callable:
        body.mutant = Mutant(body.__name__, function, by, slip, listed, body)
        return body

    return registered


def mutants_of(module: ModuleType) -> list[Mutant]:
    """The mutants of a module in the order in which they are written."""
    return [value.mutant for value in vars(module).values() if hasattr(value, "mutant")]
