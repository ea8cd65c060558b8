"""Marks for answers in words: a form to fill in (words.csv) and the record of all that was given.

The record, marks.json, keeps beside each mark the text that it was given for. A form only adds to
it: an empty cell, a missing row or another folder of submissions never takes a mark away.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from classroom.sheets import Sheet

COMMENT = "comment"  # the column that a student reads
COLUMNS = ("student", "question", "points", "of", "earlier", COMMENT, "answer")
Key = tuple[str, str]  # (student, question)
Results = Mapping[str, Mapping[str, Any]]  # by student; "words" has the answers


class BadMarks(ValueError):
    """The file with marks for answers in words cannot be used; the message says where and why."""


@dataclass(frozen=True)
class Mark:
    """points: None as long as there are only remarks; answer: the text that they are for, None
    where the form did not show one; own: the teacher's further columns by name."""

    points: float | None
    answer: str | None
    own: Mapping[str, str] = field(default_factory=dict)

    @property
    def comment(self) -> str:
        return self.own.get(COMMENT, "")


Marks = Mapping[Key, Mark]


def plain(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    risky = isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r")
    return f"'{value}" if risky else value


def short(points: float) -> float | int:
    """2 for 2.0: so it is read, and written."""
    return int(points) if float(points).is_integer() else points


def table(rows: Sequence[Sequence[Any]]) -> str:
    """CSV that spreadsheets open as it is meant: with a byte order mark, and never a formula."""
    held = io.StringIO()
    csv.writer(held, lineterminator="\n").writerows([plain(v) for v in row] for row in rows)
    return "\ufeff" + held.getvalue()


def is_for(mark: Mark | None, answer: str) -> bool:
    """Whether a mark was given for this text; a spreadsheet may have changed its white space."""
    if mark is None or mark.points is None:
        return False
    return mark.answer is None or mark.answer.split() in (answer.split(), plain(answer).split())


def form(sheet: Sheet, results: Results, marks: Marks) -> str:
    """words.csv: a row for each answer, student by student, with the marks given so far.

    A mark for another text stands in "earlier": only a new one makes it valid for this text.
    """
    own = {name for mark in marks.values() for name in mark.own} - {COMMENT}
    names = [*COLUMNS, *sorted(own)]
    rows: list[Sequence[Any]] = [names]
    for question in sheet.questions:
        for student, result in results.items():
            answer, mark = (
                result["words"].get(question.name, ""),
                marks.get((student, question.name)),
            )
            if not question.words or not (answer or mark):
                continue
            points = "" if mark is None or mark.points is None else short(mark.points)
            valid = is_for(mark, answer)
            cells = {"student": student, "question": question.name, "of": question.points}
            cells |= {"points" if valid else "earlier": points, "answer": answer}
            cells |= mark.own if mark else {}
            rows.append([cells.get(name, "") for name in names])
    return table(rows)


def read_form(path: Path, sheet: Sheet) -> dict[Key, Mark]:
    """What a teacher has filled into a form, as any spreadsheet saves it. Raises BadMarks."""
    names, lines = _lines(path)
    if names and not {"student", "question", "points"} <= set(names):
        raise BadMarks(f"{path} has no columns student, question, points")
    most = {q.name: q.points for q in sheet.questions if q.words}
    found: dict[Key, Mark] = {}
    for number, line in lines:
        row = dict(zip(names, (cell.strip() for cell in line), strict=False))
        student, question = row.get("student", "").removeprefix("'"), row.get("question", "")
        own = {n: row.get(n, "") for n in names if n not in COLUMNS or n == COMMENT}
        own = {name: text for name, text in own.items() if name and text}
        given = row.get("points", "")
        if not question or not (given or own):
            continue
        where = f"{path}, row {number} ({student})"
        if question not in most:
            raise BadMarks(f"{where}: no question in words of this sheet is called {question!r}")
        points = _points(given, most[question], where) if given else None
        mark = Mark(points, row.get("answer"), own)
        if found.setdefault((student, question), mark) != mark:
            raise BadMarks(f"{where}: {question} of this student has another mark above")
    return found


def _lines(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header in lower case, and (number, cells) of each row."""
    try:
        text = path.read_text("utf-8-sig")
        if text[:4].casefold() == "sep=":  # a spreadsheet's own first line
            text = text.partition("\n")[2]
        head = text.partition("\n")[0]
        sign = max(",;\t", key=head.count)
        rows = list(csv.reader(io.StringIO(text), delimiter=sign))
    except UnicodeDecodeError:
        raise BadMarks(f"{path} is not in UTF-8: save it as 'CSV UTF-8'") from None
    except (OSError, csv.Error) as error:
        raise BadMarks(f"{path} cannot be read: {error}") from None
    names = [name.strip().casefold() for name in rows[0]] if rows else []
    return names, [(k, row) for k, row in enumerate(rows[1:], start=2) if row]


def _points(given: str, most: float, where: str) -> float:
    try:
        points = float(given.replace(",", "."))
    except ValueError:
        points = -1.0
    if not 0 <= points <= most:
        raise BadMarks(f"{where}: {given!r} is no mark; it is a number from 0 to {most}")
    return points


def merged(record: Marks, given: Marks, results: Results) -> dict[Key, Mark]:
    """The record with a form's marks: what is filled in wins, what is empty changes nothing.

    A form without the answers is for those of now.
    """
    made = dict(record)
    for (student, question), new in given.items():
        old = made.get((student, question), Mark(None, None))
        points, answer = new.points, new.answer
        if points is None:
            points, answer = old.points, old.answer
        elif answer is None and student in results:
            answer = results[student]["words"].get(question)
        made[student, question] = Mark(points, answer, {**old.own, **new.own})
    return made


def load(path: Path) -> dict[Key, Mark]:
    """The record, empty where there is none. Raises BadMarks."""
    if not path.is_file():
        return {}
    try:
        told = json.loads(path.read_text("utf-8"))
        return {(t.pop("student"), t.pop("question")): Mark(**t) for t in told}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadMarks(f"{path} is damaged: {type(error).__name__}: {error}") from None


def dump(marks: Marks) -> str:
    """The record as text."""
    rows = [{"student": s, "question": q} | asdict(mark) for (s, q), mark in marks.items()]
    return json.dumps(rows, indent=1, ensure_ascii=False)
