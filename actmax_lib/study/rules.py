"""What a row of answers must be, alone and with the others; `records.read` asks all of it."""

import re
import zlib
from collections.abc import Sequence
from pathlib import Path

from actmax_lib.study.session import SIDES, Design, Trial
from actmax_lib.study.table import RecordError, Row, shown

COLUMNS = (
    "version", "stimuli", "mode", "length", "session", "seed", "trial", "of", "phase", "condition",
    "unit", "batch", "level", "side", "answer", "confidence", "correct", "rt_ms", "check",
)  # fmt: skip
SAME = ("version", "stimuli", "mode", "length", "session", "seed", "of")  # in every row
NUMBERS = ("seed", "trial", "of", "unit", "batch", "confidence", "correct", "rt_ms")
ASKED = ("phase", "condition", "unit", "batch", "level", "side")  # given by the schedule
WHOLE = re.compile("0|[1-9][0-9]{0,9}")
SESSION = re.compile("s[0-9a-f]{8}")


def chained(previous: str, fields: Sequence[str]) -> str:
    """The check of a row: "x" and eight hex digits of the CRC-32 of ``previous`` and ``fields``.

    previous: the check of the row before, "" for the first; fields: the other 18, as text.
    """
    return f"x{zlib.crc32(','.join([previous, *fields]).encode()):08x}"


def header(path: Path, head: Row, body: list[Row], design: Design) -> None:
    """Raise RecordError unless there are answers under the header of this study."""
    cells, wanted = head.cells, ",".join(COLUMNS)
    if cells == COLUMNS:
        if not body:
            raise RecordError(path, "holds a header and no answer", head.line, "truncated")
        return
    if cells[0] == "participant" and cells[1:] == COLUMNS:
        reason = "is a table that merge wrote; give the files that were exported"
        raise RecordError(path, reason, head.line, "merged")
    if cells[0] == "version" and body and body[0].cells[0] != str(design.version):
        found = shown(body[0].cells[0], 20)
        reason = f"has version {found!r}; this book's is {str(design.version)!r}"
        raise RecordError(path, reason, body[0].line, "another version")
    if not body and wanted.startswith(",".join(cells)):
        raise RecordError(path, "ends inside its header", head.line, "truncated")
    added = [shown(name, 20) for name in cells if name not in COLUMNS]
    lost = [name for name in COLUMNS if name not in cells]
    if len(lost) > len(COLUMNS) // 2:
        reason = f"is not a CSV of this study: its first line is {shown(','.join(cells), 40)!r}"
        raise RecordError(path, reason, head.line, "not a record")
    parts = {"added": added, "missing": lost, "in another order": [] if added or lost else ["all"]}
    told = "; ".join(f"{what}: {', '.join(names[:5])}" for what, names in parts.items() if names)
    raise RecordError(path, f"has other columns ({told})", head.line, "damaged")


def record(path: Path, row: Row, last: bool) -> dict[str, str]:
    if row.cells == COLUMNS:
        reason = "has a second header: several files in one; give each session its own"
        raise RecordError(path, reason, row.line, "merged")
    found, wanted = len(row.cells), len(COLUMNS)
    if found < wanted:
        reason = f"{'its last' if last else 'a'} row is cut: {found} of {wanted} cells"
        raise RecordError(path, reason, row.line, "truncated")
    if found > wanted:
        reason = f"a row has {found} cells, not {wanted}: two in one line, or a column too many"
        raise RecordError(path, reason, row.line, "damaged")
    return dict(zip(COLUMNS, row.cells, strict=True))


def one_session(path: Path, row: Row, record: dict[str, str], first: dict[str, str]) -> None:
    for name in NUMBERS:
        if not WHOLE.fullmatch(record[name]):
            found = shown(record[name], 20)
            reason = (
                f"{name} is {found!r}, not a whole number as exported; did a program format it?"
            )
            raise RecordError(path, reason, row.line, "damaged")
    for name in SAME:
        if record[name] != first[name]:
            found = f"{shown(record[name], 20)!r}, in its first row {shown(first[name], 20)!r}"
            kind = "merged" if name == "session" else "tampered"
            raise RecordError(path, f"{name} is {found}", row.line, kind)
    if not SESSION.fullmatch(record["session"]):
        reason = f"session is {shown(record['session'], 20)!r}, not s and eight hex digits"
        raise RecordError(path, reason, row.line, "tampered")


def complete(path: Path, body: list[Row], numbers: list[int], trials: int, of: str) -> None:
    """Raise RecordError unless the trials are 1 ... ``trials``, each once, in order."""
    if int(of) != trials:
        reason = f"of is {of}, but the session of this seed has {trials} trials"
        raise RecordError(path, reason, body[0].line, "tampered")
    lines: dict[int, int] = {}
    for row, number in zip(body, numbers, strict=True):
        if not 1 <= number <= trials:
            raise RecordError(path, f"trial {number} of {trials}", row.line, "tampered")
        if number in lines:
            reason = f"trial {number} is there twice, first in line {lines[number]}"
            raise RecordError(path, reason, row.line, "repeated")
        lines[number] = row.line
    lost = [number for number in range(1, trials + 1) if number not in lines]
    if lost and lost[0] == len(lines) + 1:
        reason = f"{len(lines)} of {trials} trials: cut off, or stopped before the end"
        raise RecordError(path, reason, body[-1].line, "truncated")
    if lost:
        some = ", ".join(map(str, lost[:5])) + (", ..." if len(lost) > 5 else "")
        what = f"trial {some} is" if len(lost) == 1 else f"trials {some} are"
        raise RecordError(path, f"{what} missing ({len(lines)} of {trials})", kind="missing")
    if numbers != sorted(numbers):
        at = next(k for k, number in enumerate(numbers) if number != k + 1)
        reason = "its rows are in another order; sort them by trial, or export it again"
        raise RecordError(path, reason, body[at].line, "order")


def unchanged(path: Path, body: list[Row]) -> None:
    """Raise RecordError unless every row has its check. It names the rows that were changed."""
    previous, changed = "", []
    for number, row in enumerate(body, 1):
        *fields, check = row.cells
        right = chained(previous, fields)
        if row is body[-1] and check != right and right.startswith(check):
            reason = "its last row is cut inside its last cell"
            raise RecordError(path, reason, row.line, "truncated")
        if check != right:
            changed.append((number, row.line))
        previous = check
    if changed:
        some = ", ".join(str(number) for number, _ in changed[:5])
        some = f"trial {some}" if len(changed) == 1 else f"trials {some}"
        if len(changed) > 5:
            some += f" and {len(changed) - 5} more"
        reason = f"changed after the export: the check does not match the row of {some}"
        raise RecordError(path, reason, changed[0][1], "tampered")


def answered(path: Path, row: Row, record: dict[str, str], trial: Trial) -> None:
    """Raise RecordError unless the row asks what the schedule asks, and scores its answer."""
    for name in ASKED:
        wanted = str(getattr(trial, name))
        if record[name] != wanted:
            reason = (
                f"{name} of trial {trial.index} is {shown(record[name], 20)!r}; "
                f"the session of this seed has {wanted!r}"
            )
            raise RecordError(path, reason, row.line, "tampered")
    for name, known in (
        ("answer", SIDES),
        ("confidence", ("1", "2", "3")),
        ("correct", ("0", "1")),
    ):
        if record[name] not in known:
            reason = f"{name} is {shown(record[name], 20)!r}, not one of {', '.join(known)}"
            raise RecordError(path, reason, row.line, "tampered")
    if record["correct"] != str(int(record["answer"] == trial.side)):
        reason = (
            f"trial {trial.index} counts {record['correct']}, but the answer is "
            f"{record['answer']} and the right one {trial.side}"
        )
        raise RecordError(path, reason, row.line, "tampered")
