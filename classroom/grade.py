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

from classroom import marks, report
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

    Raises wall.Refused, submissions.NoSubmissions, marks.BadMarks, BlockingIOError.
    """
    limits = limits or Limits(memory=sheet.memory)
    out.mkdir(parents=True, exist_ok=True)
    wall = Wall(unsafe, (Path(__file__).parents[1], sheet.folder, out, submissions))
    wall.check()
    found = find(submissions, sheet.name)
    with alone(out):
        record = marks.load(out / "marks.json")
        forms = [out / "words.csv"] if (out / "words.csv").is_file() else []
        forms += [words] if words else []  # the later one wins
        given = [marks.read_form(path, sheet) for path in forms]  # refused before the grading
        run = Run(sheet, out, seed_of(out, sheet, seed), wall, limits)
        about = {"sheet": sheet.name, "seed": run.seed, "sandbox": not unsafe,
                 "questions": [q.name for q in sheet.questions],
                 "warning": PLAIN if unsafe else "", "limits": asdict(limits)}  # fmt: skip
        report.write(out / "run.json", json.dumps(about, indent=1))
        sheet.hidden()  # once, not in every judge
        assert wall.fonts is not None  # made here, for all judges
        results = graded(run, found, jobs or len(os.sched_getaffinity(0)))
        for form in given:
            record = marks.merged(record, form, results)
        known = {path.stem for path in (out / "results").glob("*.json")}
        if lost := sorted({student for student, _ in record if student not in known}):
            told = "Marks without a submission, kept in marks.json"
            print(f"{told}: {', '.join(lost)}", file=sys.stderr)
        report.write_all(out, sheet, about, results, record)
    return results


def numbers(text: str) -> set[int]:
    """{1, 2, 3, 7} for "1-3,7". Raises ValueError for anything else, the empty set included."""
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        some = range(int(first), int(last if dash else first) + 1)
        if not some:
            raise ValueError(f"{part} is empty")
        found |= set(some)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; 0: all graded, 1: some could not be, 2: nothing was done."""
    parser = argparse.ArgumentParser(
        prog="python -m classroom grade",
        description="Grade a sheet's submissions on this machine, each in a sandbox.",
        epilog="Example: python -m classroom grade formulation submissions/ --out grades/",
    )
    parser.add_argument("sheet", help=f"one of {', '.join(SHEETS)}, or a sheet's folder")
    parser.add_argument("submissions", type=Path, help="a folder or zip file")
    parser.add_argument("--out", type=Path, required=True, help="a folder for all results")
    add = parser.add_argument
    add("--words", type=Path, help="another words.csv with marks filled in")
    add("--questions", type=numbers, help="only these, as in 1-4,9 (default: all)")
    add("--jobs", type=int, help="judges at a time (default: one per core)")
    add("--seed", type=int, help="repeat a grading (default: fresh, or continued)")
    add("--memory", type=float, help="GB for a submission (default: the sheet's)")
    add("--cell-seconds", type=float, default=30.0, help="for a cell (default: %(default)g)")
    add("--seconds", type=float, default=300.0, help="for a submission (default: %(default)g)")
    add("--unsafe", action="store_true", help="no sandbox: their code can do all that you can")
    told = parser.parse_args(argv)
    try:
        sheet = load(Path(told.sheet) if "/" in told.sheet else told.sheet)
        sheet = sheet.only(told.questions) if told.questions else sheet
    except (ValueError, FileNotFoundError) as error:
        print(f"Nothing was graded: {error}.", file=sys.stderr)
        return 2
    try:
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
    except (NoSubmissions, marks.BadMarks) as error:
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
