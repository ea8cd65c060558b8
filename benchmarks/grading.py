"""How long a class takes: 100 copies of sheet 1 graded, against running one without a grader.

    python benchmarks/grading.py [--copies 100] [--jobs 2]

One notebook in nbclient (a kernel of its own, no sandbox, nothing judged) is the measure: seconds
depend on the machine, the ratio hardly. Half of the copies are right, a quarter blank, a quarter
wrong in a way that its checks know. Writes results/grading.json.
"""

import argparse
import csv
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from _ext.actmax_launch import Repository  # noqa: E402 - the repository is on the path only now
from classroom.notebooks import solution_notebook, student_notebook  # noqa: E402 - as above
from classroom.sheets import load  # noqa: E402 - as above

SHEET = "formulation"
RESULTS = Path(__file__).parent / "results" / "grading.json"


def copies(folder: Path, count: int) -> int:
    """Write that many submissions; returns the points of a right one."""
    sheet, nowhere = load(SHEET), Repository("", "", "")
    right, blank = solution_notebook(sheet, nowhere), student_notebook(sheet, nowhere)
    slip = {**right, "cells": [_negated(cell) for cell in right["cells"]]}
    for number in range(count):
        made = (right, blank, right, slip)[number % 4]
        (folder / f"student{number:03d}.ipynb").write_text(json.dumps(made), "utf-8")
    return sum(question.points for question in sheet.questions if not question.words)


def _negated(cell: dict) -> dict:
    """Divisions become products: wrong in most questions, and it still runs."""
    if "-answer-" not in cell["id"]:
        return cell
    return {**cell, "source": cell["source"].replace(" / ", " * ")}


def plainly(rounds: int) -> list[float]:
    """Seconds to run the right notebook as Jupyter does, from start to end of its kernel."""
    seconds = []
    for _ in range(rounds):
        notebook = solution_notebook(load(SHEET), Repository("", "", ""))
        notebook = nbformat.from_dict(notebook)
        began = time.perf_counter()
        NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
        seconds.append(time.perf_counter() - began)
    return seconds


def main() -> None:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--copies", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=RESULTS)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        given, graded = Path(place, "in"), Path(place, "out")
        given.mkdir()
        full = copies(given, told.copies)
        before = plainly(2)
        command = [sys.executable, "-m", "classroom", "grade", SHEET, str(given)]
        command += ["--out", str(graded), "--jobs", str(told.jobs)]
        began = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
        seconds = time.perf_counter() - began
        once = statistics.median([*before, *plainly(1)])
        with (graded / "grades.csv").open(encoding="utf-8-sig", newline="") as table:
            totals = [float(row["total"]) for row in csv.DictReader(table)]
    assert totals.count(full) == told.copies // 2
    assert totals.count(0) >= told.copies // 4
    result = {
        "command": "python benchmarks/grading.py",
        "what": f"sheet {SHEET}: half right, a quarter blank, a quarter wrong",
        "copies": told.copies,
        "jobs": told.jobs,
        "cores": len(os.sched_getaffinity(0)),
        "load of the machine, 1 minute": round(os.getloadavg()[0], 1),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "seconds": round(seconds, 1),
        "seconds a copy": round(seconds / told.copies, 2),
        "seconds to run one plainly in nbclient, median of 3": round(once, 2),
        "a copy, graded / run once plainly": round(seconds / told.copies / once, 2),
    }
    told.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
