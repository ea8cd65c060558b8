"""What a grading leaves: grades.csv and grades.json, feedback for students, words to be marked."""

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from classroom.sheets import Sheet

Result = Mapping[str, Any]
Marks = Mapping[tuple[str, str], tuple[float, str]]  # (student, question): points, the answer
WORDS = ("student", "question", "points", "of", "answer")
KIND = {
    "passed": "right",
    "wrong": "not right",
    "blank": "not answered yet",
    "missing": "not found",
    "raised": "an error",
    "slow": "too slow",
    "died": "ended the program",
    "unreadable": "no usable answer",
}


class BadMarks(ValueError):
    """The file with marks for answers in words cannot be used; the message says where."""


def write(path: Path, text: str) -> None:
    """Write a whole file or nothing."""
    made = path.with_name(f".{path.name}.part")
    made.write_text(text, "utf-8")
    os.replace(made, path)


def table(rows: Sequence[Sequence[Any]]) -> str:
    """CSV that spreadsheets open as it is meant: with a byte order mark, and never a formula."""
    held = io.StringIO()
    csv.writer(held, lineterminator="\n").writerows([_plain(v) for v in row] for row in rows)
    return "\ufeff" + held.getvalue()


def _plain(value: Any) -> Any:
    risky = isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r")
    return f"'{value}" if risky else value


def marks_of(path: Path, sheet: Sheet) -> dict[tuple[str, str], tuple[float, str]]:
    """The marks that a teacher has filled into a words.csv. Raises BadMarks."""
    try:
        text = path.read_text("utf-8-sig")
        delimiter = ";" if text.split("\n", 1)[0].count(";") > 1 else ","
        rows = list(csv.DictReader(io.StringIO(text), delimiter=delimiter))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadMarks(f"{path} cannot be read: {error}") from None
    if rows and not {"student", "question", "points"} <= rows[0].keys():
        raise BadMarks(f"{path} has no columns student, question, points")
    most = {q.name: q.points for q in sheet.questions if q.words}
    found = {}
    for line, row in enumerate(rows, start=2):
        given = (row["points"] or "").strip().replace(",", ".")
        if not given:
            continue
        try:
            points = float(given)
        except ValueError:
            points = -1.0
        if row["question"] not in most or not 0 <= points <= most[row["question"]]:
            told = f"{row['points']!r} is no mark for {row['question']!r}"
            raise BadMarks(f"{path}, row {line} ({row['student']}): {told}")
        found[row["student"].removeprefix("'"), row["question"]] = points, row.get("answer") or ""
    return found


def grades(sheet: Sheet, results: Mapping[str, Result], marks: Marks) -> list[list[Any]]:
    """The rows of grades.csv; the words' column is empty until they are marked."""
    names = [q.name for q in sheet.questions]
    rows: list[list[Any]] = [["student", "file", "total", "of", *names, "flags"]]
    for student, result in results.items():
        earned = {q["name"]: q["earned"] for q in result["questions"]}
        flags = [result["problem"]] if result["problem"] else []
        flags += result["flags"]
        for question in sheet.questions:
            if question.words:
                earned[question.name], told = _marked(student, question.name, result, marks)
                flags += [told] if told else []
        total = sum(points for points in earned.values() if points is not None)
        cells = ["" if earned[n] is None else _short(earned[n]) for n in names]
        row = [student, result["file"], _short(total), sheet.points, *cells, "; ".join(flags)]
        rows.append(row)
    return rows


def _marked(student: str, question: str, result: Result, marks: Marks) -> tuple[Any, str]:
    answer = result["words"].get(question, "")
    if (student, question) not in marks:
        return (None, "") if answer else (0, "")  # nothing written, nothing to mark
    points, about = marks[student, question]
    same = _plain(answer).split() == about.split() or not about
    return points, "" if same else f"the answer to {question} is not the one that was marked"


def _short(points: float) -> float | int:
    return int(points) if float(points).is_integer() else points


def words(sheet: Sheet, results: Mapping[str, Result], marks: Marks) -> tuple[str, str]:
    """words.csv, to be filled in, and words.md, to be read."""
    rows: list[Sequence[Any]] = [WORDS]
    parts = [f"# {sheet.title}: answers in words\n"]
    for question in sheet.questions:
        if not question.words:
            continue
        parts.append(f"## Question {question.number}. {question.title} ({question.points})\n")
        for student, result in results.items():
            answer = result["words"].get(question.name, "")
            mark = marks.get((student, question.name))
            if answer or mark:
                points = "" if mark is None else _short(mark[0])
                rows.append([student, question.name, points, question.points, answer])
                parts += [f"### {student}\n", f"{len(answer.split())} words\n", _quoted(answer)]
    return table(rows), "\n".join(parts)


def _quoted(text: str) -> str:
    """Foreign text in our Markdown: no HTML, no pictures fetched from elsewhere."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace("![", "!&#91;")
    return "".join(f"> {line}\n" for line in text.splitlines())


def feedback(sheet: Sheet, student: str, result: Result) -> str:
    """What the student should see, as Markdown."""
    most = sum(q.points for q in sheet.questions if not q.words)
    parts = [f"# {sheet.title}: {student}\n", f"**{result['total']} of {most} points**\n"]
    for question in (q for q in sheet.questions if q.words):
        parts.append(
            f"Question {question.number}, answered in words, is marked by a person "
            f"(up to {question.points} more points).\n"
        )
    if result["problem"]:
        told = "Nothing could be graded. Please hand in again, or ask.\n"
        return "\n".join([*parts, _quoted(result["problem"]), told])
    for question in result["questions"]:
        if not question["words"]:
            parts += _of_question(question)
    return "\n".join(parts)


def _of_question(question: Mapping[str, Any]) -> list[str]:
    head = f"## Question {question['number']}. {question['title']}"
    parts = [f"{head}: {question['earned']} of {question['points']}\n"]
    if {found["kind"] for found in question["checks"]} == {"blank"}:
        return [*parts, "Not answered yet. The hint in the sheet is a good place to begin.\n"]
    said = set()
    for found in question["checks"]:
        lines = [f"* {KIND[found['kind']]}: {found['title']} ({found['points']})"]
        if found["kind"] != "passed" and found["message"] not in said:
            said.add(found["message"])
            lines += [f"  {line}".rstrip() for line in _quoted(found["message"]).splitlines()]
        parts.append("\n".join(lines) + "\n")
    return parts


def write_all(out: Path, sheet: Sheet, run: Mapping, results: Mapping, marks: Marks) -> None:
    """All files that tell of the whole class."""
    kept = {s: {k: v for k, v in r.items() if k not in ("log", "key")} for s, r in results.items()}
    for (student, question), (points, _) in marks.items():
        if student in kept:
            kept[student].setdefault("marks", {})[question] = points
    write(out / "grades.csv", table(grades(sheet, results, marks)))
    write(out / "grades.json", json.dumps({"run": run, "students": kept}, indent=1))
    spreadsheet, page = words(sheet, results, marks)
    write(out / "words.csv", spreadsheet)
    write(out / "words.md", page)
