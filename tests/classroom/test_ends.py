"""However a judge ends, killed outright too, what it began behind the wall ends with it."""

import os
import signal
import time
from pathlib import Path

import pytest

from classroom import groups
from classroom import wall as walls
from classroom.remote import Session
from classroom.sandbox import Limits, Sandbox
from classroom.wall import Wall
from tests.classroom.engine import QUICK, needs_sandbox, no_survivor, notebook, wall

pytestmark = needs_sandbox
__all__ = ["no_survivor"]
MARK = "ENDS_WITH_ITS_JUDGE"


@pytest.fixture
def marked(monkeypatch):
    """What is started behind a wall is known by a word of its own, and ended at last."""
    word = f"{MARK}-{os.getpid()}-{time.monotonic_ns()}"
    monkeypatch.setitem(walls.ENVIRONMENT, MARK, word)
    assert wall().fonts is not None  # made before, that a start be quick
    assert wall().seals is not None
    yield word
    for pid in processes(word):
        os.kill(pid, signal.SIGKILL)
    groups.sweep()


def processes(word, inside=False):
    """Those with the word in their arguments or environment; inside: the student's Python."""
    found = []
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        try:
            said = [Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ")]
        except OSError:
            continue
        if word.encode() in said[1] + said[0] * (not inside):
            found.append(pid)
    return found


def gone(word):
    """What is left, some seconds being given."""
    for _ in range(60):
        if not processes(word):
            return []
        time.sleep(0.1)
    return processes(word)


def judge(work):
    """A process that does this and then sleeps."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
            time.sleep(60)
        finally:
            os._exit(0)
    return pid


def end(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


@pytest.mark.parametrize("times", range(3))
def test_a_judge_killed_right_after_it_began_a_sandbox(marked, times, monkeypatch):
    def begun(fd, *_):  # what it would read first
        os.kill(os.getpid(), signal.SIGKILL)

    def work():
        monkeypatch.setattr(os, "fdopen", begun)
        Sandbox(wall(), QUICK)

    pid = judge(work)
    assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGKILL
    assert gone(marked) == []


def test_a_judge_killed_while_a_cell_never_ends(marked):
    limits = Limits(memory=0.6, cell=60)
    pid = judge(lambda: Session(notebook("while True: pass"), wall(), limits).start())
    try:
        for _ in range(200):
            if processes(marked, inside=True):
                break
            time.sleep(0.05)
        assert processes(marked, inside=True)
        time.sleep(1)  # at the cell by now
    finally:
        end(pid)
    assert gone(marked) == []


@pytest.mark.usefixtures("no_survivor")
@pytest.mark.parametrize("way", ["close", "kill"])
def test_all_behind_a_wall_is_ended_by_us_and_not_by_its_parents_end(way, monkeypatch):
    command = Wall.command

    def bare(*told):
        return [word for word in command(*told) if word != "--die-with-parent"]

    monkeypatch.setattr(Wall, "command", bare)
    stays = "import os, time\nif os.fork() == 0:\n    while True: time.sleep(9)"
    with Session(notebook(stays), wall(), QUICK) as session:
        session.start()
        first = session._sandbox._root
        assert Path(f"/proc/{first}").exists()
        if way == "kill":
            session._sandbox.kill("was told to")
            for _ in range(30):
                if not Path(f"/proc/{first}").exists():
                    break
                time.sleep(0.1)
            assert not Path(f"/proc/{first}").exists()


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import os\ntry:\n    while True: os.fork()\nexcept OSError: os._exit(0)", "processes"),
        # shared pages, which the limit on a process's own does not count
        ("import mmap\nm = mmap.mmap(-1, 10**9)\nwhile True: m.write(bytes(10**6))", "memory"),
    ],
    ids=["processes", "memory"],
)
def test_what_the_kernel_ends_before_the_watcher_looks_is_told(monkeypatch, code, told):
    bound = groups.Group(64, 1e8)
    bound.close()
    if len(bound.folders) < 1:
        pytest.skip("this machine lets nobody make control groups")
    monkeypatch.setattr(Sandbox, "_excess", lambda self: "")
    limits = Limits(memory=0.3, processes=30, threads=60, cell=20, seconds=60, restarts=1)
    with Session(notebook(code), wall(), limits) as session:
        found = session.start()
    assert told in found.stopped[0][1]
