"""Grade a class on this machine: a folder of submissions in, grades.csv out."""

import argparse
import contextlib
import fcntl
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from classroom import report
from classroom.batch import PLAIN, Run, graded
from classroom.sandbox import Limits
from classroom.sheets import SHEETS, Sheet, load
from classroom.submissions import NoSubmissions, find
from classroom.wall import Refused, Wall


@contextlib.contextmanager
def alone(out: Path) -> Iterator[None]:
    """Only one grading at a time may write to a folder. Raises BlockingIOError."""
    for name in ("results", "logs", "feedback"):
        (out / name).mkdir(parents=True, exist_ok=True)
    with (out / "run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def seed_of(out: Path, sheet: Sheet, asked: int | None) -> int:
    """The seed asked for, that of the run that is continued, or a fresh one."""
    path = out / "run.json"
    if asked is None and path.is_file():
        told = json.loads(path.read_text("utf-8"))
        if told.get("sheet") == sheet.name:
            return int(told["seed"])
    return int.from_bytes(os.urandom(8), "big") if asked is None else asked


def grade(
    sheet: Sheet,
    submissions: Path,
    out: Path,
    *,
    jobs: int | None = None,
    seed: int | None = None,
    unsafe: bool = False,
    limits: Limits | None = None,
    words: Path | None = None,
) -> dict[str, dict[str, Any]]:
    """Grade all submissions and write the files; returns the results by student.

    Raises wall.Refused, submissions.NoSubmissions, report.BadMarks, BlockingIOError.
    """
    limits = limits or Limits(memory=sheet.memory)
    out.mkdir(parents=True, exist_ok=True)
    wall = Wall(unsafe, (Path(__file__).parents[1], sheet.folder, out, submissions))
    wall.check()
    found = find(submissions, sheet.name)
    with alone(out):
        old = words or (out / "words.csv" if (out / "words.csv").is_file() else None)
        marks = report.marks_of(old, sheet) if old else {}
        run = Run(sheet, out, seed_of(out, sheet, seed), wall, limits)
        record = {"sheet": sheet.name, "seed": run.seed, "sandbox": not unsafe,
                  "warning": PLAIN if unsafe else "", "limits": asdict(limits)}  # fmt: skip
        report.write(out / "run.json", json.dumps(record, indent=1))
        sheet.hidden()  # once, not in every judge
        assert wall.fonts is not None  # made here, for all judges
        results = graded(run, found, jobs or len(os.sched_getaffinity(0)))
        report.write_all(out, sheet, record, results, marks)
    return results


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; 0: all graded, 1: some could not be, 2: nothing was done."""
    parser = argparse.ArgumentParser(
        prog="python -m classroom grade", description="Grade a sheet's submissions."
    )
    parser.add_argument("sheet", help=f"one of {', '.join(SHEETS)}, or a sheet's folder")
    parser.add_argument("submissions", type=Path, help="a folder or zip file")
    parser.add_argument("--out", type=Path, required=True, help="a folder for all results")
    parser.add_argument("--words", type=Path, help="words.csv with your marks filled in")
    parser.add_argument("--jobs", type=int, help="judges at a time (default: one per core)")
    parser.add_argument("--seed", type=int, help="repeat a grading (default: fresh, or continued)")
    parser.add_argument("--memory", type=float, help="GB a submission (default: the sheet's)")
    parser.add_argument("--cell-seconds", type=float, default=30.0)
    parser.add_argument("--seconds", type=float, default=300.0, help="a submission, all in all")
    parser.add_argument("--unsafe", action="store_true", help="without a sandbox: not advised")
    told = parser.parse_args(argv)
    try:
        sheet = load(Path(told.sheet) if "/" in told.sheet else told.sheet)
        limits = Limits(
            memory=told.memory or sheet.memory, cell=told.cell_seconds, seconds=told.seconds
        )
        results = grade(
            sheet, told.submissions, told.out, jobs=told.jobs, seed=told.seed,
            unsafe=told.unsafe, limits=limits, words=told.words,
        )  # fmt: skip
    except Refused as refused:
        print(f"No sandbox: {refused}.", file=sys.stderr)
        print("Students' code would run with all your rights; --unsafe does so.", file=sys.stderr)
        return 2
    except (NoSubmissions, report.BadMarks, FileNotFoundError) as error:
        print(f"Nothing was graded: {error}.", file=sys.stderr)
        return 2
    except BlockingIOError:
        print(f"Another grading writes to {told.out}.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped; the same command goes on from here.", file=sys.stderr)
        return 130
    bad = [student for student, result in results.items() if result.get("failed")]
    print(f"{len(results)} graded; see {told.out / 'grades.csv'}", file=sys.stderr)
    if bad:
        print(f"NOT graded, the same command tries again: {', '.join(bad)}", file=sys.stderr)
    return 1 if bad else 0
