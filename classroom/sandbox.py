"""One process behind the wall, within limits. Out come bytes, and a reason when it ends."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from classroom import frames, watching
from classroom.groups import Group
from classroom.wall import INSIDE, Wall, copied, plain_environment

KEPT = 10_000  # bytes of output kept from the beginning, and as many from the end


class Gone(Exception):
    """The process is no more; the message says why, in words that follow "the code"."""


class Failed(BaseException):
    """The sandbox itself failed: no fault of the code in it, and no check may take it for one."""


class TimeUp(Exception):
    """No message within the time."""


@dataclass(frozen=True)
class Limits:
    """What a submission may use: gigabytes, numbers, seconds."""

    memory: float = 2.0
    files: float = 0.1  # the scratch folder, /tmp and /dev/shm each
    processes: int = 64
    threads: int = 512
    output: float = 50e6  # bytes printed
    cell: float = 30.0
    seconds: float = 300.0  # all in all
    restarts: int = 8


class Sandbox:
    """A running process behind the wall, with a pipe each way and a watcher."""

    def __init__(self, wall: Wall, limits: Limits):
        self.limits, self.reason = limits, ""
        self._head, self._tail, self._printed = b"", b"", 0
        self._group = Group(limits.threads, limits.memory * 1e9)
        self._folder = tempfile.TemporaryDirectory() if wall.unsafe else None
        try:
            self._start(wall)
        except OSError as error:
            raise Failed(f"no sandbox could be started: {error}") from error
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def _start(self, wall: Wall) -> None:
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        told, shut = os.pipe()
        # can be read, too: else a bwrap whose judge is gone dies of SIGPIPE half way, and what it
        # has begun waits for ever
        info = os.open(f"/proc/self/fd/{told}", os.O_RDWR) if sys.platform == "linux" else shut
        ends = [theirs_in, theirs_out]
        home = None
        if self._folder is not None:
            home = Path(self._folder.name)
            command = [sys.executable, "-I", "-B", str(copied(home)), *map(str, ends)]
            environment = plain_environment(home)
        else:
            python = [sys.executable, "-I", "-B", f"{INSIDE}/driver.py", *map(str, ends)]
            command, environment = wall.command(python, self.limits.files, info), {}
            command = self._group.around(command)
            ends = [*ends, info]
        self._process = subprocess.Popen(
            command, pass_fds=ends, env=environment, cwd=home, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        for fd in {theirs_in, theirs_out, info, shut}:
            os.close(fd)
        try:
            with os.fdopen(told) as read:
                said = read.read()
        except BaseException:  # told to end just now
            self._root = self._process.pid
            self.kill("was told to end")
            raise
        if not said and not wall.unsafe:
            printed = self._process.communicate()[0].decode(errors="replace")
            raise Failed(f"no sandbox could be started: {printed[:300]}")
        self._root = self._process.pid if wall.unsafe else json.loads(said)["child-pid"]
        with contextlib.suppress(OSError):  # a machine whose memory is full ends this first
            Path(f"/proc/{self._root}/oom_score_adj").write_text("1000")
        for fd in (self._in, self._out):
            os.set_blocking(fd, False)

    def send(self, kind: bytes, content: bytes, seconds: float) -> None:
        """Raises Gone, or TimeUp where the other side does not read."""
        end, left = time.monotonic() + seconds, memoryview(frames.framed(kind, content))
        while left:
            ready = select.select([], [self._out], [], max(0, end - time.monotonic()))[1]
            if not ready:
                raise TimeUp
            try:
                left = left[os.write(self._out, left) :]
            except BlockingIOError:
                continue
            except OSError:
                raise self._gone() from None

    def receive(self, seconds: float) -> tuple[bytes, bytes]:
        """The next message: its letter and content. Raises Gone or TimeUp."""
        end = time.monotonic() + seconds
        kind, size = frames.HEADER.unpack(self._exactly(frames.HEADER.size, end))
        if size > frames.LIMIT:
            raise self.kill("wrote something into the grader's pipe")
        return kind, self._exactly(size, end)

    def _exactly(self, size: int, end: float) -> bytes:
        content = bytearray()
        while len(content) < size:
            if not select.select([self._in], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeUp
            try:
                part = os.read(self._in, min(size - len(content), 1 << 20))
            except BlockingIOError:
                continue
            if not part:
                raise self._gone()
            content += part
        return bytes(content)

    def _gone(self) -> Gone:
        return self.kill("ended the whole program")

    def kill(self, reason: str) -> Gone:
        """End everything in the sandbox; the first reason stays. Returns what to raise."""
        full = self._group.full()  # the kernel may be before the watcher
        self.reason = self.reason or (self._too_much(full) if full else reason)
        self._end()
        return Gone(self.reason)

    def _end(self) -> None:
        if self._process.poll() is None:
            plain = self._folder is not None  # no namespace: whatever can be found
            for pid in watching.family(self._root) if plain else [self._root]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)  # a namespace's first takes all others along
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)  # one that has only begun, too
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _watch(self) -> None:
        stream = self._process.stdout
        os.set_blocking(stream.fileno(), False)
        looked = 0.0
        while not self._ended.is_set():
            select.select([stream], [], [], 0.05)
            part = stream.read(1 << 16)
            if part:
                self._keep(part)
            elif part == b"" and self._process.poll() is not None:
                return
            elif part == b"":  # closed by the code, which lives on
                self._ended.wait(0.05)
            if time.monotonic() - looked > 0.05:
                looked = time.monotonic()
                excess = self._excess()
                if excess:
                    self.kill(excess)

    def _keep(self, part: bytes) -> None:
        self._printed += len(part)
        room = KEPT - len(self._head)
        self._head, part = self._head + part[:room], part[room:]
        self._tail = (self._tail + part)[-KEPT:]

    def _excess(self) -> str:
        limits = self.limits
        pids = watching.family(self._root, limits.processes)
        if self._printed > limits.output:
            return f"printed more than {limits.output / 1e6:g} MB"
        if len(pids) > limits.processes or watching.tasks(pids) > limits.threads:
            return self._too_much("processes")
        if watching.memory(pids, limits.memory * 1e9) > limits.memory * 1e9:
            return self._too_much("memory")
        return ""

    def _too_much(self, what: str) -> str:
        if what == "processes":
            return f"started more than {self.limits.processes} processes"
        return f"used more than {self.limits.memory:g} GB of memory"

    @property
    def log(self) -> str:
        """What was printed, the middle left out where it is long."""
        cut = self._printed - len(self._head) - len(self._tail)
        middle = f"\n[... {cut} bytes left out ...]\n".encode() if cut else b""
        return (self._head + middle + self._tail).decode(errors="replace")

    def close(self) -> None:
        """End everything and free what was held."""
        self._end()
        self._ended.set()
        self._watcher.join()
        self._process.stdout.close()
        for fd in (self._in, self._out):
            os.close(fd)
        self._group.close()
        if self._folder is not None:
            self._folder.cleanup()
