"""Judge many submissions, each in a process of its own, and keep what was found.

A run can be stopped at any time and goes on where it was.
"""

import contextlib
import ctypes
import hashlib
import json
import multiprocessing
import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from classroom import groups, report
from classroom.judge import answered, judge
from classroom.sandbox import Failed, Limits
from classroom.sheets import Sheet
from classroom.submissions import Submission
from classroom.wall import Wall

PLAIN = "graded without a sandbox: the code could read this machine and change these grades"
LATEST = 60.0  # seconds beyond a submission's own after which its judge is ended
JUDGE = 8_000_000_000  # bytes of memory that a judge may hold, whatever it is sent
DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


@dataclass(frozen=True)
class Run:
    """What all submissions of a grading have in common."""

    sheet: Sheet
    out: Path
    seed: int
    wall: Wall
    limits: Limits

    @cached_property
    def rules(self) -> str:
        """Of the checks and the code they are run by, as they are when the grading begins."""
        ours = sorted(Path(__file__).parent.glob("*.py"))
        files = [self.sheet.folder / "hidden.py", self.sheet.folder / "sheet.md", *ours]
        return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()

    def key(self, submission: Submission, content: bytes) -> str:
        """Changes with anything that could change the grade."""
        told = [self.seed, self.wall.unsafe, asdict(self.limits), self.rules]
        told += [[q.name for q in self.sheet.questions], submission.name, submission.id]
        told += [submission.file, submission.flags, submission.problem]
        return hashlib.sha256(json.dumps(told).encode() + content).hexdigest()


def nothing(sheet: Sheet, problem: str) -> dict[str, Any]:
    """The result of a submission that could not be judged."""
    questions = [answered(question, []) for question in sheet.questions]
    told = {"total": 0, "points": sheet.points, "problem": problem, "flags": [], "words": {}}
    return told | {"questions": questions, "log": ""}


def one(run: Run, submission: Submission, content: bytes, key: str) -> None:
    """Judge a submission and write down all about it; in a process of its own."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # and its sandbox with it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DIES_WITH_PARENT, signal.SIGTERM)
        if os.getppid() != multiprocessing.parent_process().pid:  # it ended before that
            sys.exit(143)
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    most = JUDGE if hard == resource.RLIM_INFINITY else min(JUDGE, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
    if submission.problem:
        result = nothing(run.sheet, submission.problem)
    else:
        try:
            result = judge(run.sheet, content, run.seed, run.wall, run.limits)
        except (Exception, Failed) as error:
            result = failed(run, f"{type(error).__name__}: {error}")
    save(run, submission, key, result)


def failed(run: Run, why: str) -> dict[str, Any]:
    """The result where the grader and not the student is at fault."""
    told = "It could not be graded because of a fault of the grader; your teacher has been told."
    return nothing(run.sheet, told) | {"flags": [f"NOT GRADED: {why[:300]}"], "failed": True}


def save(run: Run, submission: Submission, key: str, result: dict[str, Any]) -> None:
    """Write a student's files; the result last, for it says that all is there."""
    student = submission.student
    flags = [*submission.flags, *result["flags"], *([PLAIN] if run.wall.unsafe else [])]
    result |= {"key": key, "file": submission.file, "flags": flags}
    result |= {"name": submission.name, "id": submission.id}
    log = f"{submission.file}\n" + "".join(f"flag: {flag}\n" for flag in flags) + result["log"]
    log = "".join(c if c.isprintable() or c in "\n\t" else "?" for c in log)
    told = [f"{q['name']}/{c['check']}: {c['kind']}: {c['message']}\n"
            for q in result["questions"] for c in q["checks"]]  # fmt: skip
    report.write(run.out / "logs" / f"{student}.log", log + "\n" + "".join(told))
    report.write(run.out / "results" / f"{student}.json", json.dumps(result))


def kept(run: Run, student: str, key: str) -> dict[str, Any] | None:
    """What an earlier run found about the very same submission, if it is still right."""
    try:
        result = json.loads((run.out / "results" / f"{student}.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return result if result.get("key") == key and not result.get("failed") else None


def graded(run: Run, submissions: Sequence[Submission], jobs: int) -> dict[str, dict[str, Any]]:
    """The results by student. One bad submission never stops the others."""
    context = multiprocessing.get_context("fork")
    results: dict[str, dict[str, Any]] = {}
    waiting, running, began = list(submissions), {}, time.monotonic()
    fresh = 0
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                submission = waiting.pop(0)
                content, submission = _content(submission)
                key = run.key(submission, content)
                result = kept(run, submission.student, key)
                if result is not None:
                    results[submission.student] = result
                    continue
                process = context.Process(target=one, args=(run, submission, content, key))
                process.start()
                end = time.monotonic() + run.limits.seconds + LATEST
                running[process.sentinel] = process, submission, key, end
            wait(list(running), 1.0)
            for sentinel, (process, submission, key, end) in list(running.items()):
                if process.is_alive() and time.monotonic() < end:
                    continue
                late = process.is_alive()
                end_judge(process)
                del running[sentinel]
                result = kept(run, submission.student, key)
                if result is None:
                    result = _lost(run, submission, key, late, process.exitcode)
                process.close()
                results[submission.student] = result
                fresh += 1
                left = (len(waiting) + len(running)) * (time.monotonic() - began) / fresh
                _progress(len(results), len(submissions), submission.student, result, left)
    finally:
        for process, *_ in running.values():
            end_judge(process)
        if not run.wall.unsafe:
            groups.sweep()
    return {submission.student: results[submission.student] for submission in submissions}


def end_judge(process: multiprocessing.Process) -> None:
    """Let a judge end its sandbox, then end it."""
    process.terminate()
    process.join(15)
    process.kill()
    process.join()


def _lost(
    run: Run, submission: Submission, key: str, late: bool, code: int | None
) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        path = run.out / "results" / f"{submission.student}.json"
        result = json.loads(path.read_text("utf-8"))
        if result.get("key") == key:  # the judge itself said that it failed
            return result
    why = "the judge did not end in time" if late else f"the judge ended with code {code}"
    result = failed(run, why)
    save(run, submission, key, result)
    return result


def _content(submission: Submission) -> tuple[bytes, Submission]:
    try:
        return submission.read(), submission
    except OSError as error:
        told = f"The notebook cannot be read: {error.strerror or error}."
        return b"", replace(submission, problem=told)


def _progress(done: int, of: int, student: str, result: dict[str, Any], left: float) -> None:
    unit = f"{left / 60:.0f} min" if left > 90 else f"{left:.0f} s"
    said = f"{done}/{of} {student}: {result['total']}, {unit} left"
    if sys.stderr.isatty():
        print(f"\r\x1b[K{said}", end="\n" if done == of else "", file=sys.stderr, flush=True)
    else:
        print(said, file=sys.stderr, flush=True)
