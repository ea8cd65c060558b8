"""Which files count: each session once, whole and unchanged; the others with their reasons."""

import glob
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from actmax_lib.study.records import Session, read
from actmax_lib.study.session import Design, load_design
from actmax_lib.study.table import RecordError, shown


@dataclass(frozen=True)
class Gathered:
    """``sessions`` that count, in the order of their files, and what was ``left_out``, and why."""

    sessions: tuple[Session, ...]
    left_out: tuple[RecordError, ...]
    design: Design


def expanded(arguments: Iterable[str | Path]) -> list[Path]:
    """Files named by paths, folders (their *.csv) and patterns, each file once.

    A name that matches nothing stays in the list, so that reading it says so.
    """
    found: dict[Path, Path] = {}
    for argument in map(str, arguments):
        path = Path(argument)
        if path.is_dir():
            paths = sorted(
                p for p in path.iterdir()
                if p.suffix.lower() == ".csv" and not p.name.startswith(".")
            )  # fmt: skip
        elif path.exists():  # also a name that has brackets in it
            paths = [path]
        else:
            paths = sorted(map(Path, glob.glob(argument, recursive=True)))
        for one in paths or [path]:
            found.setdefault(one.resolve(), one)
    return list(found.values())


def gather(paths: Iterable[str | Path], design: Design | None = None) -> Gathered:
    """Read the files; a session counts once.

    Of identical copies the first counts. Where files give one session different answers nobody can
    tell which is right: none of them counts.
    """
    design = design or load_design()
    good: dict[str, list[Session]] = {}
    left: list[RecordError] = []
    for path in paths:
        try:
            session = read(path, design)
        except RecordError as error:
            left.append(error)
        else:
            good.setdefault(session.id, []).append(session)
    kept = []
    for first, *others in good.values():
        if all(other.rows == first.rows for other in others):
            kept.append(first)
            reason = f"is a copy of {shown(first.path)} (session {first.id}), which counts"
            left += [RecordError(other.path, reason, kind="copy") for other in others]
            continue
        for one in (first, *others):
            rest = ", ".join(shown(o.path) for o in (first, *others) if o is not one)
            reason = f"has session {one.id} as {rest}, with other answers; none of them counts"
            left.append(RecordError(one.path, reason, kind="conflict"))
    return Gathered(tuple(kept), tuple(left), design)
