"""Inside the sandbox: run a notebook's cells, then the calls of its functions that a judge wants.

Of ours, only this file and what it imports from `classroom` are there. The student's code can do
what it likes to this process: nothing but frames of data leaves it, and the judge trusts none.
"""

import os
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from classroom import frames, reading, wire
from classroom.inside import TimeIsUp, alarm, limited, run_cell, said, shell

sys.path.pop(0)
NO_THREAD = "RuntimeError: can't start new thread"


def full(error: str) -> bool:
    """Whether that error says that a bound on memory or threads was met; NumPy has its own."""
    return error.split(":")[0].endswith("MemoryError") or error.startswith(NO_THREAD)


class Pipes:
    """The way to the judge and back."""

    def __init__(self, inward: int, outward: int):
        self._in, self._out, self._lock = inward, outward, threading.RLock()
        self._alone = os.getpid()
        for fd in (inward, outward):
            os.set_inheritable(fd, False)

    def send(self, kind: bytes, content: bytes = b"") -> None:
        if os.getpid() != self._alone:  # a process that the student forked comes out here
            os._exit(0)
        left = memoryview(frames.framed(kind, content))
        while left:
            left = left[os.write(self._out, left) :]

    def receive(self, *kinds: bytes) -> tuple[bytes, bytes]:
        """The next message of one of these kinds; others are left-overs of a call cut short."""
        while True:
            kind, size = frames.HEADER.unpack(self._exactly(frames.HEADER.size))
            content = self._exactly(size)
            if kind in kinds:
                return kind, content

    def _exactly(self, size: int) -> bytes:
        parts = []
        while size:
            part = os.read(self._in, min(size, 1 << 20))
            if not part:
                os._exit(0)
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def function(self, number: int) -> Callable:
        """What stands for a function of the judge."""

        def given(*args: Any) -> Any:
            content = frames.NUMBER.pack(number) + wire.encode(args)
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])  # no half messages
            try:
                with self._lock:
                    self.send(b"B", content)
                    kind, reply = self.receive(b"R", b"X")
            finally:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])
            if kind == b"X":
                raise RuntimeError(reply.decode())
            return wire.decode(reply)

        return given


def run_all(pipes: Pipes, found: list[dict[str, str]], told: dict[str, Any]) -> Any:
    """Run the cells but those to skip, tell the judge, return the interpreter."""
    interpreter, errors = shell(), {}

    def run(k: int) -> None:
        pipes.send(b"P", wire.encode(k))
        print(f"\n--- cell {k + 1} ---", flush=True)
        errors[k] = run_cell(interpreter, found[k]["source"], told["cell"])
        sys.stdout.flush()
        if full(errors[k]):  # what it holds would starve the others
            pipes.send(b"Q")
            os._exit(0)

    ran = [k for k, c in enumerate(found) if c["kind"] == "code" and k not in told["skip"]]
    for k in ran:
        run(k)
    for k in ran:  # cells in another order: once more those that lacked a name
        if errors[k].startswith("NameError"):
            run(k)
    pipes.send(b"P", wire.encode(-1))
    stopped = [
        [k, errors.get(k, ""), reading.defined(found[k]["source"])]
        for k, c in enumerate(found)
        if c["kind"] == "code" and errors.get(k, "skipped")
    ]
    own = interpreter.user_ns.keys() - interpreter.user_ns_hidden.keys()
    names = [n for n in interpreter.user_ns if n in own and callable(interpreter.user_ns[n])]
    texts = {name: reading.words(found, name, number) for name, number in told["words"]}
    pipes.send(b"Y", wire.encode({"names": names[-2000:], "stopped": stopped, "words": texts}))
    return interpreter


def answer(pipes: Pipes, interpreter: Any) -> None:
    """One call: wait for it, make it, tell what came of it."""
    number, name, seconds = wire.decode(pipes.receive(b"C")[1])
    content = pipes.receive(b"G")[1]
    try:
        args, kwargs = wire.decode(content, pipes.function)
        before = wire.snapshot(args, kwargs)
        function = interpreter.user_ns[name]
        alarm(seconds)
        value = function(*args, **kwargs)
        alarm(0)
        which = wire.changed(before, args, kwargs)
        kind, reply = (b"M", which.encode()) if which else data(value, seconds)
    except TimeIsUp:
        alarm(0)
        kind, reply = b"T", b""
    except BaseException as error:
        alarm(0)
        traceback.print_exc()
        names = [c.__name__[:80] for c in type(error).__mro__][:20]
        kind, reply = b"E", wire.encode([names, said(error)[:600]])
    sys.stdout.flush()
    pipes.send(kind, frames.NUMBER.pack(number) + reply)


def data(value: Any, seconds: float) -> tuple[bytes, bytes]:
    """An answer as a message; to write it down may take as long as to find it."""
    alarm(seconds)
    try:
        reply = wire.encode(value)
    except wire.WireError as error:
        alarm(0)
        return b"U", str(error).encode(errors="replace")
    alarm(0)
    if len(reply) > frames.LIMIT - 100:
        return b"U", f"{len(reply)} bytes are too many".encode()
    return b"A", reply


def main(inward: int, outward: int) -> None:
    """Serve until the judge closes the pipe."""
    pipes = Pipes(inward, outward)
    told = wire.decode(pipes.receive(b"S")[1])
    content = pipes.receive(b"N")[1]
    limited(told["memory"], told["files"], told["seconds"], told["tasks"])
    if told["fonts"]:  # else each first figure looks for all fonts of the machine
        os.makedirs(os.environ["MPLCONFIGDIR"], exist_ok=True)
        shutil.copy(told["fonts"], os.environ["MPLCONFIGDIR"])
    try:
        found = reading.cells(content)
    except reading.Unusable as error:
        pipes.send(b"Y", wire.encode({"unusable": str(error)}))
        return
    interpreter = run_all(pipes, found, told)
    while True:
        answer(pipes, interpreter)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
