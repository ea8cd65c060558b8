"""A file as rows of cells, as it is after a spreadsheet has saved it again, and what is wrong."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

LIMIT = 2**20  # bytes; a full session has some 10 000
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # .xlsx, .ods and other archives; .xls
UTF16 = (b"\xff\xfe", b"\xfe\xff")
KINDS = {
    "unreadable": "no such file, or none that can be read",
    "too large": "more bytes than a session can have",
    "empty": "nothing in it",
    "not text": "a workbook, a picture, another encoding",
    "not a record": "text, but not the answers of this study",
    "merged": "a table that merge wrote, or several sessions in one file",
    "another version": "of the study's format",
    "other stimuli": "answers to other pictures",
    "truncated": "cut off, or stopped before the last trial",
    "repeated": "a trial is there twice",
    "missing": "a trial in the middle is not there",
    "order": "all trials are there, in another order",
    "damaged": "columns or numbers are not as they were exported",
    "tampered": "changed after the export: check, schedule or score do not agree",
    "copy": "the same session as another file",
    "conflict": "another file has the same session with other answers",
}
"""What can be wrong with a file: the ``kind`` of a RecordError."""


class RecordError(ValueError):
    """A file that cannot be counted.

    path: the file; reason: in words; line: where, from 1, or None; kind: one of ``KINDS``.
    """

    def __init__(
        self, path: str | Path, reason: str, line: int | None = None, kind: str = "damaged"
    ) -> None:
        super().__init__(f"{shown(path)}{f', line {line}' if line else ''}: {reason}")
        self.path, self.reason, self.line, self.kind = Path(path), reason, line, kind


@dataclass(frozen=True)
class Row:
    """Cells of a row, and the line of the file where it ends."""

    line: int
    cells: tuple[str, ...]


def shown(text: object, length: int = 1000) -> str:
    """``text`` on one line, without what would move the cursor of a terminal, cut to ``length``."""
    safe = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text)[: length + 1])
    return safe if len(safe) <= length else f"{safe[: length - 3]}..."


def rows(path: Path) -> list[Row]:
    """All rows that are not blank, cells without surrounding spaces.

    A byte order mark, UTF-16, "," ";" or tab between cells, quotes, any line ending, blank rows
    and blank columns on the right are as good as the file that was exported. Raises RecordError
    for a file that is missing, too large, empty, not text, or not CSV.
    """
    text = _text(path)
    head = text.lstrip().splitlines()[0]
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count), strict=True
    )
    found = []
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            while cells and not cells[-1]:
                cells.pop()
            if cells:
                found.append(Row(reader.line_num, tuple(cells)))
    except csv.Error as error:
        if "unexpected end" in str(error):
            reason = "ends inside a quoted cell: cut off, or a quotation mark too many"
            raise RecordError(path, reason, reader.line_num, "truncated") from None
        reason = f"is not CSV ({error})"
        raise RecordError(path, reason, reader.line_num, "not a record") from None
    if not found:
        raise RecordError(path, "is empty", kind="empty")
    return found


def _text(path: Path) -> str:
    try:
        if not path.is_file():  # a folder, or a pipe that would never end
            reason = "is not there" if not path.exists() else "is not a file"
            if path.is_dir():
                reason = "is a folder without CSV files; further down: a pattern with **/*.csv"
            raise RecordError(path, reason, kind="unreadable")
        with path.open("rb") as file:
            raw = file.read(LIMIT + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, RecordError):
            raise
        reason = f"cannot be read ({getattr(error, 'strerror', None) or error})"
        raise RecordError(path, reason, kind="unreadable") from None
    if len(raw) > LIMIT:
        raise RecordError(path, f"is larger than {LIMIT} bytes, no session is", kind="too large")
    if raw.startswith(WORKBOOKS):
        reason = "is a workbook or an archive, not text; save it as CSV, or export it again"
        raise RecordError(path, reason, kind="not text")
    try:
        text = raw.decode("utf-16" if raw.startswith(UTF16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        reason = f"is not UTF-8 text (byte {error.start}); export it again"
        raise RecordError(path, reason, kind="not text") from None
    if "\0" in text:
        raise RecordError(path, "is not text: it holds zero bytes", kind="not text")
    if not text.strip():
        raise RecordError(path, "is empty", kind="empty")
    return text
