"""What a grading leaves: grades.csv and grades.json, feedback for students, words to be marked."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from classroom.marks import Mark, Marks, dump, form, is_for, short, table
from classroom.sheets import Question, Sheet

Result = Mapping[str, Any]
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


def write(path: Path, text: str) -> None:
    """Write a whole file or nothing."""
    made = path.with_name(f".{path.name}.part")
    made.write_text(text, "utf-8")
    os.replace(made, path)


def grades(sheet: Sheet, results: Mapping[str, Result], marks: Marks) -> list[list[Any]]:
    """The rows of grades.csv. "to mark": points that wait for a person; their cells are empty."""
    names = [q.name for q in sheet.questions]
    head = ["student", "name", "id", "file", "total", "of", "to mark", *names, "flags"]
    rows: list[list[Any]] = [head]
    for student, result in results.items():
        earned = {q["name"]: q["earned"] for q in result["questions"]}
        flags = [result["problem"]] if result["problem"] else []
        flags += result["flags"]
        for question in sheet.questions:
            if question.words:
                earned[question.name], told = _marked(student, question.name, result, marks)
                flags += [told] if told else []
        total = sum(points for points in earned.values() if points is not None)
        waiting = sum(q.points for q in sheet.questions if earned[q.name] is None)
        cells = ["" if earned[n] is None else short(earned[n]) for n in names]
        who = [student, result["name"], result["id"], result["file"]]
        rows.append([*who, short(total), sheet.points, waiting, *cells, "; ".join(flags)])
    return rows


def _marked(student: str, question: str, result: Result, marks: Marks) -> tuple[Any, str]:
    """Points of an answer in words, None as long as nobody has given any; and a flag."""
    answer, mark = result["words"].get(question, ""), marks.get((student, question))
    if mark is None or mark.points is None:
        return (None, "") if answer else (0, "")  # nothing written, nothing to mark
    same = is_for(mark, answer)
    told = f"the answer to {question} is not the one that was marked"
    return mark.points, "" if same else told


def to_read(sheet: Sheet, results: Mapping[str, Result]) -> str:
    """words.md: all answers in words, question by question."""
    parts = [f"# {sheet.title}: answers in words\n"]
    for question in sheet.questions:
        if not question.words:
            continue
        parts.append(f"## Question {question.number}. {question.title} ({question.points})\n")
        for student, result in results.items():
            if answer := result["words"].get(question.name, ""):
                count = len(answer.split())
                told = f"{count} word{'s' * (count != 1)}\n"
                parts += [f"### {student}\n", told, _quoted(answer)]
    return "\n".join(parts)


def _quoted(text: str) -> str:
    """Foreign text in our Markdown: no HTML, no pictures fetched from elsewhere."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace("![", "!&#91;")
    return "".join(f"> {line}\n" for line in text.splitlines())


def feedback(sheet: Sheet, student: str, result: Result, marks: Marks) -> str:
    """What the student should see, as Markdown."""
    of_words = {q.name: _marked(student, q.name, result, marks) for q in sheet.questions if q.words}
    waiting = [q for q in sheet.questions if q.words and of_words[q.name][0] is None]
    total = result["total"] + sum(points or 0 for points, _ in of_words.values())
    most = sheet.points - sum(q.points for q in waiting)
    so_far = " so far" * bool(waiting)
    parts = [f"# {sheet.title}: {student}\n", f"**{short(total)} of {most} points{so_far}**\n"]
    if result["problem"]:
        told = "Nothing could be graded. Please hand in again, or ask.\n"
        parts += [_quoted(result["problem"]), told]
    for question, found in zip(sheet.questions, result["questions"], strict=True):
        if question.words:
            parts += _of_words(
                question, *of_words[question.name], marks.get((student, question.name))
            )
        elif not result["problem"]:
            parts += _of_question(found)
    return "\n".join(parts)


def _of_words(
    question: Question, points: float | None, changed: str, mark: Mark | None
) -> list[str]:
    head = f"## Question {question.number}. {question.title}"
    if points is None:
        return [f"{head}\n", f"A person marks this one (up to {question.points} points).\n"]
    parts = [f"{head}: {short(points)} of {question.points}\n"]
    if mark is None:
        parts.append("Nothing was written.\n")
    elif changed:
        parts.append("This is the mark of an earlier answer of yours.\n")
    return parts + ([_quoted(mark.comment)] if mark and mark.comment else [])


def _of_question(question: Mapping[str, Any]) -> list[str]:
    head = f"## Question {question['number']}. {question['title']}"
    parts = [f"{head}: {question['earned']} of {question['points']}\n"]
    if {found["kind"] for found in question["checks"]} == {"blank"}:
        return [*parts, "Not answered yet. The hint in the sheet is a good place to begin.\n"]
    said = set()
    for found in question["checks"]:
        lines = [f"* {KIND[found['kind']]}: {found['title']} ({found['points']})"]
        if found["kind"] != "passed" and found["message"] in said:
            lines.append("  (as above)")
        elif found["kind"] != "passed":
            said.add(found["message"])
            lines += [f"  {line}".rstrip() for line in _quoted(found["message"]).splitlines()]
        parts.append("\n".join(lines) + "\n")
    return parts


def write_all(out: Path, sheet: Sheet, run: Mapping, results: Mapping, marks: Marks) -> None:
    """All files that tell of the whole class, and what the students should see."""
    kept = {s: {k: v for k, v in r.items() if k not in ("log", "key")} for s, r in results.items()}
    for (student, question), mark in marks.items():
        if student in kept and mark.points is not None:
            kept[student].setdefault("marks", {})[question] = mark.points
    write(out / "marks.json", dump(marks))  # before the form that it was read from
    write(out / "words.csv", form(sheet, results, marks))
    write(out / "words.md", to_read(sheet, results))
    for student, result in results.items():
        write(out / "feedback" / f"{student}.md", feedback(sheet, student, result, marks))
    write(out / "grades.json", json.dumps({"run": run, "students": kept}, indent=1))
    write(out / "grades.csv", table(grades(sheet, results, marks)))
