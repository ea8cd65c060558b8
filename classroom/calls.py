"""Call a student's functions with data and judge a check: one set of rules, here and sandboxed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any
from zlib import crc32

import numpy as np

from classroom.checks import AnswerError, Blank, Check, Unreadable
from classroom.wire import WireError, changed, decode, encode, snapshot


@dataclass(frozen=True)
class Outcome:
    """What a check found.

    kind: passed, wrong (an assertion failed), blank, missing (no such function), raised (an error
    in the student's code), slow, died, unreadable (the answer is no data or has no usable form).
    """

    check: str
    title: str
    question: str
    points: int
    earned: int
    kind: str
    message: str


class Local:
    """A function of this process under the wall's rules: copies go in, data come out."""

    def __init__(self, name: str, function: Callable):
        self.name, self._function = name, function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The answer as data. Raises AnswerError, or AssertionError for a changed argument."""
        theirs: list[Callable] = []
        content, back = encode((args, kwargs), theirs), CallBacks(theirs)
        args, kwargs = decode(content, lambda number: lambda *a: decode(back(number, encode(a))))
        before = snapshot(args, kwargs)
        try:
            answer = self._function(*args, **kwargs)
        except NotImplementedError as error:
            raise Blank(self.name, ("NotImplementedError",), str(error)) from None
        except Exception as error:
            back.complain()
            names = tuple(c.__name__ for c in type(error).__mro__)
            raise AnswerError(self.name, names, str(error)) from None
        back.complain()
        unharmed(self.name, changed(before, args, kwargs))
        try:
            return decode(encode(answer))
        except WireError as error:
            raise Unreadable(self.name, ("WireError",), str(error)) from None


class CallBacks:
    """The judge's functions that a student's code may call: data in, data out.

    An AssertionError of theirs is the judge's word on the answer: it is kept until the call ends.
    """

    def __init__(self, functions: list[Callable]):
        self._functions, self._refused = functions, None

    def __call__(self, number: int, content: bytes) -> bytes:
        """Call function `number`; raises RuntimeError in the words that the student's code gets."""
        try:
            return encode(self._functions[number](*decode(content)))
        except Exception as error:
            if isinstance(error, AssertionError):
                self._refused = self._refused or error
            said = str(error)[:300]
            raise RuntimeError(f"the function you were given refuses this: {said}") from None

    def complain(self) -> None:
        """Raise what one of the functions asserted, if any did."""
        if self._refused is not None:
            raise self._refused


def unharmed(name: str, argument: str) -> None:
    """Assert that no argument was changed; `argument` is what `wire.changed` says."""
    which = f"number {argument}" if argument.isdigit() else f"`{argument}`"
    assert not argument, f"{name} changes its argument {which} in place; work on a copy"


def run(check: Check, functions: Mapping[str, Callable], seed: int) -> Outcome:
    """One check on proxies by name (`Local`, or those of a sandbox). Never raises for an answer."""
    missing = [name for name in check.needs if name not in functions]
    if missing:
        return _outcome(check, "missing", _missing(missing[0], functions))
    given = {name: functions[name] for name in check.needs}
    if "rng" in check.body.__code__.co_varnames[: check.body.__code__.co_argcount]:
        given["rng"] = np.random.default_rng([seed, crc32(check.name.encode())])
    try:
        with np.errstate(all="ignore"):
            check.body(**given)
    except Blank:
        return _outcome(check, "blank", "not answered yet")
    except AnswerError as error:
        return _outcome(check, error.kind, _told(error))
    except AssertionError as error:
        return _outcome(check, "wrong", str(error) or check.title)
    except Exception as error:  # the answer's form broke the check: the answer is at fault
        message = f"this check cannot read the answer's form ({type(error).__name__})"
        return _outcome(check, "unreadable", message)
    return _outcome(check, "passed", "ok")


def _outcome(check: Check, kind: str, message: str) -> Outcome:
    earned = check.points if kind == "passed" else 0
    message = "".join(c if c.isprintable() or c == "\n" else "?" for c in message)[:600]
    fields = (check.name, check.title, check.question, check.points)
    return Outcome(*fields, earned, kind, message)


def _told(error: AnswerError) -> str:
    if error.kind == "slow":
        return f"{error.function} took too long"
    if error.kind == "died":
        return f"{error.function} ended the whole program"
    if error.kind == "unreadable":
        return f"{error.function} returns something that is not data: {error.text}"
    name = error.names[0] if error.names else "an error"
    return f"{error.function} raised {name}: {error.text}"


def _missing(name: str, functions: Mapping[str, Callable]) -> str:
    near = get_close_matches(name, functions, n=1)
    hint = f" There is `{near[0]}`: did you rename it?" if near else ""
    return f"There is no function `{name}` in the notebook.{hint}"
