"""The student notebook and the solution of a sheet: plain .ipynb files that need no repository."""

import posixpath
import re
from collections import Counter
from pathlib import Path
from typing import Any

import nbformat

from _ext.actmax_launch import Repository
from classroom import student
from classroom.sheets import TEACHERS, Cell, Question, Sheet

TICKS = re.compile(
    r"^(`{3,})\{(\w[\w:-]*)\}([^\n]*)\n((?::[^\n]*\n)*)(.*?)^\1 *$", re.DOTALL | re.M
)
LINK = re.compile(r"(?<!!)\[([^\]\n]+)\]\(((?:\.\./|\./|#)[^)\s]*|[\w/-]+\.md(?:#[\w-]+)?)\)")
HEADING = re.compile(r"^# .*\n*")
FIXED = {"deletable": False, "editable": False}
FOLDED = {"cellView": "form", "jupyter": {"source_hidden": True}}  # Colab, JupyterLab
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
INSTALL = """\
# @title Packages
# What this sheet needs; nothing happens where it is installed already.
import importlib.util

missing = [name for name in {names} if importlib.util.find_spec(name) is None]
if missing:
    %pip install --quiet {{" ".join(missing)}}"""


def student_notebook(sheet: Sheet, where: Repository) -> nbformat.NotebookNode:
    """What a student gets: blank answers, public checks, hints; no outputs.

    Links to the book lead to `where` it is kept; if that is not said they become plain text.
    """
    return _notebook(sheet, "blank", where)


def solution_notebook(sheet: Sheet, where: Repository) -> nbformat.NotebookNode:
    """The same with the reference answers, the notes for teachers, rubric and model answer."""
    return _notebook(sheet, "solution", where)


def text_of(notebook: nbformat.NotebookNode) -> str:
    """The file's content; the same for the same notebook on every machine."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def questions_table(sheet: Sheet, link: Any = None) -> str:
    """A Markdown table of the questions; `link(question)` is where a title leads to."""
    rows = ["| | question | points | minutes |", "|--:|:--|--:|--:|"]
    for question in sheet.questions:
        title = f"[{question.title}]({link(question)})" if link else question.title
        rows.append(f"| {question.number} | {title} | {question.points} | {question.minutes} |")
    rows.append(f"| | **together** | **{sheet.points}** | **{sheet.minutes}** |")
    return "\n".join(rows)


def stated(sheet: Sheet, cell: Cell, first: bool) -> str:
    """A text cell without the sheet's own title; a question says what it earns and takes."""
    source = HEADING.sub("", cell.source, count=1) if first else cell.source
    for question in sheet.questions:
        heading = f"## Question {question.number}. {question.title}"
        if cell.question == question.name and source.startswith(heading):
            return f"{heading}\n\n{worth(question)}{source.removeprefix(heading)}"
    return source


def worth(question: Question) -> str:
    """Points and minutes of a question, in words."""
    points = f"{question.points} point{'s' if question.points != 1 else ''}"
    return f"*{points}, about {question.minutes} minutes*"


def plain_markdown(source: str, where: Repository) -> str:
    """MyST as Markdown that any notebook shows: folded hints, links that lead somewhere.

    Raises ValueError for a directive or a role that a notebook cannot show.
    """

    def folded(found: re.Match) -> str:
        _, name, title, options, body = found.groups()
        if name != "admonition":
            raise ValueError(f"a notebook cannot show the directive {{{name}}}")
        opened = "" if "dropdown" in options else " open"
        summary = f"<details{opened}>\n<summary><b>{title.strip()}</b></summary>"
        return f"{summary}\n\n{body.strip()}\n\n</details>"

    source = TICKS.sub(folded, source)
    strange = re.search(r"^(?:`{3,}|:{3,})\{\w[^\n]*|\{[a-z][\w:]*\}`[^`\n]*`", source, re.M)
    if strange:
        raise ValueError(f"a notebook cannot show {strange[0]!r}")
    return LINK.sub(lambda found: _linked(found[1], found[2], where), source)


def _linked(text: str, target: str, where: Repository) -> str:
    if not where.url or target.startswith("#"):
        return text
    path = posixpath.normpath(posixpath.join("chapters/assignments", target.split("#")[0]))
    return f"[{text}]({where.source(path)})"


def _notebook(sheet: Sheet, version: str, where: Repository) -> nbformat.NotebookNode:
    names, count = _Names(), 0
    cells = [_markdown("title", _opening(sheet, version))]
    cells += [_code("install", INSTALL.format(names=list(sheet.packages)), FIXED | FOLDED)]
    helpers = f"# @title Helpers for the checks: run this first\n{_helpers()}"
    cells += [_code("helpers", helpers, FIXED | FOLDED)]
    for cell in sheet.cells:
        if cell.kind in TEACHERS and version == "blank":
            continue
        name, first = names(sheet, cell), False
        if cell.is_code:
            cells.append(_code(name, sheet.code(cell, version), _metadata(cell)))
            continue
        if cell.kind == "text":
            first, count = count == 0, count + 1
        source = plain_markdown(stated(sheet, cell, first), where).strip()
        if cell.kind in TEACHERS:
            source = f"**{TOLD[cell.kind]}**\n\n{source}"
        if source:
            cells.append(_markdown(name, source, _metadata(cell)))
    told = {"kernelspec": KERNEL, "language_info": {"name": "python"}, "assignment": sheet.name}
    made = nbformat.v4.new_notebook(cells=cells, metadata=told)
    made.nbformat_minor = 5
    return made


TOLD = {"solution": "Note for the teacher", "rubric": "Rubric", "model": "Model answer"}


def _opening(sheet: Sheet, version: str) -> str:
    title = f"# Sheet {sheet.number}. {sheet.title}"
    if version == "solution":
        return f"{title}: solution\n\n{questions_table(sheet)}"
    return (
        f"{title}\n\n{questions_table(sheet)}\n\n"
        "Run the cells from the top; the first two hold packages and helpers. Before you hand in: "
        "restart the kernel, run all cells, save. Hand in this one file."
    )


def _helpers() -> str:
    source = Path(student.__file__).read_text("utf-8")
    return re.sub(r'\A""".*?"""\n+', "", source, flags=re.DOTALL).strip()


def _metadata(cell: Cell) -> dict[str, Any]:
    if cell.carries:
        return FIXED | FOLDED
    if cell.kind == "reply":
        return {"deletable": False, "answer": cell.question}
    return {"deletable": False} if cell.kind in ("answer", "public") else {}


def _markdown(name: str, source: str, metadata: dict | None = None) -> nbformat.NotebookNode:
    return nbformat.v4.new_markdown_cell(source, id=name, metadata=metadata or {})


def _code(name: str, source: str, metadata: dict | None = None) -> nbformat.NotebookNode:
    return nbformat.v4.new_code_cell(source.strip("\n"), id=name, metadata=metadata or {})


class _Names:
    """Cell ids that stay the same when another question changes: q1, q1-answer-f, q1-public-2."""

    def __init__(self):
        self._seen: Counter[str] = Counter()

    def __call__(self, sheet: Sheet, cell: Cell) -> str:
        if cell.kind == "reply":
            return self._once(f"answer-{cell.question}")
        where = f"q{sheet.question(cell.question).number}" if cell.question else "start"
        if cell.kind == "answer" and cell.functions:
            return self._once(f"{where}-answer-{cell.functions[0]}")
        if cell.kind == "text" and cell.question and not self._seen[where]:
            return self._once(where)
        return self._once(f"{where}-{cell.kind}")

    def _once(self, name: str) -> str:
        name = re.sub(r"[^\w-]", "-", name, flags=re.ASCII)[:58]
        self._seen[name] += 1
        return name if self._seen[name] == 1 else f"{name}-{self._seen[name]}"
