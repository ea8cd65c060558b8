"""Control groups: a hard bound on processes and memory where we may make one, which root may.

Others are bound by RLIMIT_NPROC, which the kernel does not hold root to.
"""

import contextlib
import itertools
import os
import signal
import time
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
# Where the door is shut after all, the watcher alone has to do.
ENTER = '{ echo $$ > "$0/cgroup.procs"; } 2>/dev/null; exec "$@"'
EVENTS = (  # where the kernel counts them, in version 2 and in version 1
    ("pids.events", "max", "processes"),
    ("memory.events", "oom_kill", "memory"),
    ("memory.oom_control", "oom_kill", "memory"),
)
SLACK = 1.25  # our own watcher, which can say why, should be first
_number = itertools.count()


class Group:
    """Groups for the processes of one sandbox; none where the machine does not let us."""

    def __init__(self, tasks: int, memory: float):
        most = int(memory * SLACK)
        self.folders: list[Path] = []
        if os.geteuid() != 0 or not ROOT.exists():
            return
        sweep()
        self._add(ROOT, {"pids.max": tasks}, {"memory.max": most})  # cgroups, version 2
        self._add(ROOT / "pids", {"pids.max": tasks}, {})
        self._add(ROOT / "memory", {"memory.limit_in_bytes": most}, {})

    def _add(self, parent: Path, needed: dict[str, int], wanted: dict[str, int]) -> None:
        if not (parent / "cgroup.procs").exists():
            return
        folder = parent / f"{_prefix()}{os.getpid()}-{next(_number)}"
        try:
            folder.mkdir()
            for name, value in needed.items():
                (folder / name).write_text(str(value))
        except OSError:
            with contextlib.suppress(OSError):
                folder.rmdir()
            return
        for name, value in wanted.items():
            with contextlib.suppress(OSError):
                (folder / name).write_text(str(value))
        self.folders.append(folder)

    def around(self, command: list[str]) -> list[str]:
        """The command that runs `command` in the groups."""
        for folder in self.folders:
            command = ["/bin/sh", "-c", ENTER, str(folder), *command]
        return command

    def full(self) -> str:
        """Which bound was met, "processes" or "memory"; "" if none was."""
        for folder in self.folders:
            for name, key, what in EVENTS:
                with contextlib.suppress(OSError, ValueError):
                    counts = dict(line.split() for line in (folder / name).read_text().splitlines())
                    if int(counts.get(key, 0)):
                        return what
        return ""

    def close(self) -> None:
        """Remove the groups; their processes have been ended before."""
        for folder in self.folders:
            for _ in range(50):
                with contextlib.suppress(OSError):
                    folder.rmdir()
                    break
                time.sleep(0.02)


def _prefix() -> str:
    """Of the names of our groups; numbers of processes mean something in one namespace alone."""
    return f"actmax-grading-{os.stat('/proc/self/ns/pid').st_ino}-"


def sweep() -> None:
    """Remove what judges that were killed have left; their processes, too."""
    for parent in (ROOT, ROOT / "pids", ROOT / "memory"):
        for folder in parent.glob(f"{_prefix()}*-*"):
            judge = folder.name.removeprefix(_prefix()).split("-")[0]
            if not Path(f"/proc/{judge}").exists():
                with contextlib.suppress(OSError):
                    for pid in (folder / "cgroup.procs").read_text().split():
                        os.kill(int(pid), signal.SIGKILL)
                    time.sleep(0.05)
                with contextlib.suppress(OSError):
                    folder.rmdir()


def tasks_limit(threads: int) -> int:
    """RLIMIT_NPROC for a sandbox: before Linux 5.14 it counts all that a user runs anywhere."""
    major, minor = (int(part) for part in os.uname().release.split(".")[:2])
    own = os.geteuid() != 0 and os.uname().sysname == "Linux" and (major, minor) >= (5, 14)
    return threads if own else 4096
