"""What the processes of a sandbox use together: their number and memory, read from /proc."""

import math
import os
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
PROC = Path("/proc")


def family(root: int, most: float = math.inf) -> list[int]:
    """A process and all that came from it; the search ends when more than `most` are found."""
    found = [root]
    for pid in found:
        if len(found) > most:
            break
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children") as listed:
                    found += [int(child) for child in listed.read().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found if PROC.exists() else []


def tasks(pids: list[int]) -> int:
    """Processes and threads."""
    return sum(_quietly(lambda pid: len(os.listdir(f"/proc/{pid}/task")), pid) for pid in pids)


def memory(pids: list[int], limit: float) -> float:
    """Bytes that these processes hold; exact (shared pages count once) where near the limit."""
    resident = sum(_quietly(_resident, pid) for pid in pids)
    if resident > 0.8 * limit and len(pids) > 1:
        resident = sum(_quietly(_proportional, pid) for pid in pids)
    return resident + sum(_quietly(_nameless, pid) for pid in pids)


def _quietly(read, pid: int) -> float:
    try:
        return read(pid)
    except (OSError, ValueError, IndexError):  # it ended meanwhile
        return 0


def _resident(pid: int) -> float:
    return int((PROC / str(pid) / "statm").read_text().split()[1]) * PAGE


def _proportional(pid: int) -> float:
    for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return _resident(pid)


def _nameless(pid: int) -> float:
    """Memory that a process keeps in nameless files (memfd), which no limit of files counts."""
    total = 0
    with os.scandir(f"/proc/{pid}/fd") as held:
        for entry in held:
            if os.readlink(entry.path).startswith("/memfd:"):
                total += os.stat(entry.path).st_blocks * 512
    return total
