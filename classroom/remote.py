"""A student's notebook in a sandbox, and its functions as if they were here.

The same rules as `calls.Local`: what a check finds is the same on either side of the wall.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any

from classroom import frames
from classroom.calls import CallBacks, unharmed
from classroom.checks import AnswerError, Blank, Died, Slow, Unreadable
from classroom.claims import Found, found, raised
from classroom.groups import tasks_limit
from classroom.sandbox import Failed, Gone, Limits, Sandbox, TimeUp
from classroom.wall import Wall
from classroom.wire import WireError, decode, encode

GRACE = 2.0  # seconds that the other side has to end a call by itself, then all of it ends
START = 60.0  # seconds for Python to begin on a busy machine
TALK = 20_000  # characters of a log of each start


class Session:
    """A notebook's sandbox, begun anew where the code ends it; within limits over all."""

    def __init__(
        self,
        notebook: bytes,
        wall: Wall,
        limits: Limits,
        words: Sequence[tuple[str, int]] = (),
    ):
        self.reason, self.starts, self.logs = "", 0, []
        self._notebook, self._wall, self._limits = notebook, wall, limits
        self._words, self._skip = list(words), {}
        self._sandbox: Sandbox | None = None
        self._end = time.monotonic() + limits.seconds
        self.found = Found()

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    @property
    def left(self) -> float:
        """Seconds left to this submission."""
        return self._end - time.monotonic()

    def _stop(self) -> None:
        if self._sandbox is not None:
            self._sandbox.close()
            self.logs.append(self._sandbox.log[:TALK] + f"\n[{self._sandbox.reason or 'done'}]")
            self._sandbox = None

    def _ended(self, reason: str) -> None:
        if self._sandbox is not None:
            self.reason = str(self._sandbox.kill(reason))
            self._stop()

    def start(self) -> Found:
        """Run the cells, those left out that ended everything; raises Gone if it cannot be."""
        while self._sandbox is None:
            if self.left <= 0:
                raise Gone("used all the time there is")
            if self.starts > self._limits.restarts:
                raise Gone(f"ended the program {self.starts} times; the last time it {self.reason}")
            self.starts += 1
            self._sandbox, at = Sandbox(self._wall, self._limits), [None]
            try:
                self.found = self._run(at)
            except (Gone, TimeUp, WireError) as error:
                told = {TimeUp: "never ended", WireError: "wrote into the grader's pipe"}
                self._ended(told.get(type(error), str(error)))
                if at[0] is not None:
                    self._skip[at[0]] = self.reason
        return self.found

    def _run(self, at: list[int | None]) -> Found:
        box, limits = self._sandbox, self._limits
        settings = {
            "skip": list(self._skip), "words": [list(w) for w in self._words],
            "cell": limits.cell, "memory": limits.memory, "files": limits.files,
            "seconds": limits.seconds, "tasks": tasks_limit(limits.threads),
            "fonts": self._wall.fonts_inside,
        }  # fmt: skip
        box.send(b"S", encode(settings), START)
        box.send(b"N", self._notebook, START)
        limit = START
        while True:
            kind, content = box.receive(max(0.0, min(limit, self.left)))
            if kind == b"Y":
                return found(decode(content), self._skip, [name for name, _ in self._words])
            if kind == b"Q":
                raise box.kill("used up its memory")
            if kind != b"P":
                raise WireError("not a message for this moment")
            cell = decode(content)
            if type(cell) is not int or not -1 <= cell < 10_000:
                raise WireError("not a cell")
            at[0] = cell if cell >= 0 else None
            limit = limits.cell + GRACE

    def call(self, name: str, args: tuple, kwargs: dict, seconds: float) -> Any:
        """The answer of the student's function `name`. Raises as `calls.Local` does."""
        try:
            self.start()
        except Gone as gone:
            raise Died(name, (), str(gone)) from None
        theirs: list[Callable] = []
        content, back = encode((args, kwargs), theirs), CallBacks(theirs)
        seconds = max(0.1, min(seconds, self.left))
        try:
            kind, reply = self._asked(name, content, back, seconds)
        except TimeUp:
            self._ended("never ended")
            raise Slow(name) from None
        except Gone as gone:
            self._ended(str(gone))
            raise Died(name, (), self.reason) from None
        except WireError as error:
            self._ended("wrote into the grader's pipe")
            raise Unreadable(name, ("WireError",), str(error)) from None
        return _answer(name, kind, reply, back)

    def _asked(
        self, name: str, content: bytes, back: CallBacks, seconds: float
    ) -> tuple[bytes, bytes]:
        box, end = self._sandbox, time.monotonic() + seconds + GRACE
        asked = secrets.randbits(32)  # nobody can have answered it before
        box.send(b"C", encode([asked, name, seconds]), seconds + GRACE)
        box.send(b"G", content, seconds + GRACE)
        while True:
            kind, reply = box.receive(max(0.0, end - time.monotonic()))
            if len(reply) < frames.NUMBER.size:
                raise WireError("the answer is no message")
            (number,) = frames.NUMBER.unpack_from(reply)
            reply = reply[frames.NUMBER.size :]
            if kind == b"B":
                try:
                    sent, what = b"R", back(number, reply)
                except RuntimeError as refused:
                    sent, what = b"X", str(refused).encode(errors="replace")
                box.send(sent, what, max(0.0, end - time.monotonic()))
            elif number == asked and kind in (b"A", b"M", b"E", b"U", b"T"):
                return kind, reply
            else:
                raise WireError("the answer is none to this call")


def _answer(name: str, kind: bytes, reply: bytes, back: CallBacks) -> Any:
    text = reply[:1000].decode(errors="replace")
    if kind == b"T":
        raise Slow(name)
    if kind == b"E":
        names, said = raised(reply)
        if "NotImplementedError" in names:
            raise Blank(name, names, said)
        back.complain()
        raise AnswerError(name, names, said)
    back.complain()
    if kind == b"M":
        unharmed(name, text)
    if kind == b"A":
        try:
            return decode(reply)
        except WireError as error:
            text = str(error)
    raise Unreadable(name, ("WireError",), text)


class Remote:
    """A function of the notebook; `seconds` a call may take is the judge's to set."""

    def __init__(self, session: Session, name: str):
        self.name, self.seconds, self._session = name, 10.0, session

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The answer as data; see `calls.Local`. Raises Failed for a mistake of ours."""
        try:
            return self._session.call(self.name, args, kwargs, self.seconds)
        except (AnswerError, AssertionError):
            raise
        except Exception as error:  # else the check would take it for the student's
            raise Failed(f"{type(error).__name__}: {error}") from error
