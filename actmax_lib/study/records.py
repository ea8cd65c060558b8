"""The answers of a session as CSV, and back: whole and unchanged, or a RecordError says why not.

A row's check is a CRC of the row and of the check before it. It finds a file that was cut, edited
by accident or improved by hand; whoever writes a program can make a row that passes. No file
proves who answered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from actmax_lib import checks
from actmax_lib.study import rules
from actmax_lib.study.rules import ASKED, COLUMNS, SESSION, chained
from actmax_lib.study.session import SIDES, Design, Trial, load_design, schedule
from actmax_lib.study.table import RecordError, rows, shown

__all__ = ["COLUMNS", "Answer", "RecordError", "Session", "chained", "read", "write"]


@dataclass(frozen=True)
class Answer:
    """What a participant said to a trial.

    answer: "left" or "right"; confidence: 1 (unsure) to 3 (sure); rt_ms: milliseconds.
    """

    trial: Trial
    answer: str
    confidence: int
    rt_ms: int

    @property
    def correct(self) -> bool:
        """Whether the answer is the side of the right one."""
        return self.answer == self.trial.side


@dataclass(frozen=True)
class Session:
    """A whole session: ``answers`` to all trials of its schedule, ``rows`` the text of the file."""

    path: Path
    id: str
    mode: str
    length: str
    seed: int
    answers: tuple[Answer, ...]
    rows: tuple[tuple[str, ...], ...]


def write(
    answers: Sequence[tuple[str, int, int]], *, session: str, seed: int, mode: str, length: str,
    design: Design | None = None,
) -> str:  # fmt: skip
    """The CSV that the page exports for these answers.

    answers: (side, confidence, milliseconds) in the order of the schedule of ``seed``, fewer where
    a participant stopped; session: "s" and eight hex digits. Raises ValueError for an answer that
    cannot be given.
    """
    design = design or load_design()
    trials = schedule(seed, mode, length, design)
    if not SESSION.fullmatch(session):
        raise ValueError(f"session must be s and eight hex digits, got {session!r}")
    if len(answers) > len(trials):
        raise ValueError(f"{len(answers)} answers for {len(trials)} trials")
    lines, check = [",".join(COLUMNS)], ""
    for trial, (side, confidence, rt_ms) in zip(trials, answers, strict=False):
        if side not in SIDES or confidence not in (1, 2, 3):
            raise ValueError(f"answer {side!r}, confidence {confidence!r}; use {SIDES} and 1, 2, 3")
        asked = [getattr(trial, name) for name in ASKED]
        said = (side, confidence, int(side == trial.side), checks.count("rt_ms", rt_ms, at_least=0))
        same = (design.version, design.stimuli, mode, length, session, seed)
        fields = [*map(str, (*same, trial.index, len(trials), *asked, *said))]
        check = chained(check, fields)
        lines.append(",".join([*fields, check]))
    return "\n".join(lines) + "\n"


def read(path: str | Path, design: Design | None = None) -> Session:
    """The session in a CSV file of the page, also after a spreadsheet saved it again.

    design: whose sessions count, the book's when None. Raises RecordError for anything else than
    one whole session: ``kind`` says what is wrong, ``line`` where.
    """
    path, design = Path(path), design or load_design()
    head, *body = rows(path)
    rules.header(path, head, body, design)
    table = [rules.record(path, row, row is body[-1]) for row in body]
    first = table[0]
    for name, known, kind in (
        ("version", design.version, "another version"), ("stimuli", design.stimuli, "other stimuli")
    ):  # fmt: skip
        if first[name] != str(known):
            reason = f"has {name} {shown(first[name], 20)!r}; this book's is {str(known)!r}"
            raise RecordError(path, reason, body[0].line, kind)
    for row, record in zip(body, table, strict=True):
        rules.one_session(path, row, record, first)
    seed, mode, length = int(first["seed"]), first["mode"], first["length"]
    try:
        trials = schedule(seed, mode, length, design)
    except ValueError as error:  # of another mode, length or seed than there are
        raise RecordError(path, shown(error, 200), body[0].line, "tampered") from None
    rules.complete(path, body, [int(r["trial"]) for r in table], len(trials), first["of"])
    rules.unchanged(path, body)
    answers = []
    for row, record, trial in zip(body, table, trials, strict=True):
        rules.answered(path, row, record, trial)
        said = record["answer"], int(record["confidence"]), int(record["rt_ms"])
        answers.append(Answer(trial, *said))
    lines = tuple(row.cells for row in body)
    return Session(path, first["session"], mode, length, seed, tuple(answers), lines)
