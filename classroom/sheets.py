"""Read a sheet: one MyST source, hidden checks and wrong answers beside it."""

import contextlib
import importlib.util
import io
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import jupytext

from classroom import student
from classroom.checks import Check, checks_of
from classroom.mutants import Mutant, mutants_of

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "chapters" / "assignments"
SHEETS = ("formulation", "maxima", "probability", "sampling", "pictures", "people")
HEADING = re.compile(r"^## Question (\d+)\. (.+)$", re.MULTILINE)
SOLUTION = re.compile(r"^( *)# BEGIN SOLUTION\n.*?^ *# END SOLUTION\n?", re.DOTALL | re.MULTILINE)
REFERENCE = re.compile(r"<q:([\w-]+)>")  # in a text, the number of the question of that name
CARRY = re.compile(r"^# CARRY: (\S+)$", re.MULTILINE)
TEACHERS = ("solution", "rubric", "model")  # kinds of text that students never get


@dataclass(frozen=True)
class Cell:
    """A cell of the source.

    kind: text, reply (where words are written), solution, rubric, model; of code: setup, answer,
    public, given. `question` is the question it stands in, "" before the first.
    """

    kind: str
    source: str
    question: str
    tags: tuple[str, ...] = ()

    @property
    def is_code(self) -> bool:
        return self.kind in ("setup", "answer", "public", "given")

    @property
    def carries(self) -> str | None:
        """The name of the data that the notebook carries in this cell, if any."""
        found = CARRY.search(self.source)
        return found[1] if found else None

    @property
    def functions(self) -> tuple[str, ...]:
        """Names defined at the left margin."""
        return tuple(re.findall(r"^(?:def|class) (\w+)", self.source, re.MULTILINE))


@dataclass(frozen=True)
class Question:
    """A question; `functions` is what students write, `words` whether it is answered in words."""

    name: str
    number: int
    title: str
    points: int
    minutes: int
    functions: tuple[str, ...]
    words: bool


@dataclass(frozen=True)
class Sheet:
    """A sheet as written; see the module and CONTRIBUTING for the format."""

    name: str
    folder: Path
    number: int
    title: str
    packages: tuple[str, ...]
    memory: float
    chapters: tuple[str, ...]
    cells: tuple[Cell, ...]
    questions: tuple[Question, ...]
    metadata: Mapping[str, Any] = field(repr=False)

    @property
    def points(self) -> int:
        return sum(question.points for question in self.questions)

    @property
    def minutes(self) -> int:
        return sum(question.minutes for question in self.questions)

    @cached_property
    def _hidden(self) -> ModuleType:
        return _module(self.folder / "hidden.py", f"hidden_{self.name}")

    def hidden(self) -> list[Check]:
        """The hidden checks, in order. Raises ValueError where their points are not the sheet's."""
        checks, points = checks_of(self._hidden), {q.name: q.points for q in self.questions}
        known = {cell.question for cell in self.cells}
        if strays := [check.name for check in checks if check.question not in known]:
            raise ValueError(f"{self.name}: no question for the hidden checks {', '.join(strays)}")
        checks = [check for check in checks if check.question in points]
        for question in self.questions:
            earned = sum(check.points for check in checks if check.question == question.name)
            if earned != question.points and not question.words:
                told = f"question {question.name} has {question.points} points, its checks {earned}"
                raise ValueError(f"{self.name}: {told}")
        return checks

    def only(self, numbers: Collection[int]) -> "Sheet":
        """The sheet with these of its questions. Raises ValueError for one that is not there."""
        if unknown := set(numbers) - {q.number for q in self.questions}:
            raise ValueError(f"{self.name} has no question {min(unknown)}")
        return replace(self, questions=tuple(q for q in self.questions if q.number in numbers))

    def mutants(self) -> list[Mutant]:
        """The wrong answers, in order."""
        return mutants_of(_module(self.folder / "mutants.py", f"mutants_{self.name}"))

    def code(self, cell: Cell, version: str) -> str:
        """A code cell's text in the "solution" or the "blank" version, carried data filled in."""
        if cell.carries:
            from classroom.carried import carried  # reads networks: only where a sheet needs them

            return CARRY.sub(lambda found: carried(found[1]), cell.source)
        if cell.kind != "answer":
            return cell.source
        if version == "blank":
            return blank(cell.source, self.question(cell.question).number)
        return re.sub(r"^ *# (BEGIN|END) SOLUTION\n?", "", cell.source, flags=re.MULTILINE)

    def question(self, name: str) -> Question:
        return next(question for question in self.questions if question.name == name)

    def namespace(self, version: str, *kinds: str) -> dict[str, Any]:
        """What a notebook of this version holds after its set-up and answers have run.

        More `kinds` ("public", "given") run, too, in their place; what they print is in "printed".
        """
        held: dict[str, Any] = {"__name__": "__main__"}
        heard = io.StringIO()
        with contextlib.redirect_stdout(heard):
            exec(compile(Path(student.__file__).read_text("utf-8"), "student.py", "exec"), held)
            for number, cell in enumerate(self.cells):
                if cell.kind in ("setup", "answer", *kinds):
                    where = f"<{self.name}, cell {number}>"
                    exec(compile(self.code(cell, version), where, "exec"), held)
        held["printed"] = heard.getvalue()
        return held


def blank(source: str, number: int) -> str:
    """An answer cell as it is handed out: signature and docstring stay."""
    if not SOLUTION.search(source):
        raise ValueError(f"question {number}: no # BEGIN SOLUTION ... # END SOLUTION in {source!r}")
    told = f'raise NotImplementedError("Question {number} is not answered yet.")\n'
    return SOLUTION.sub(lambda found: found[1] + told, source).rstrip("\n")


def load(name: str | Path) -> Sheet:
    """The sheet of that name, or in that folder. Raises ValueError where the format is not kept."""
    folder = Path(name) if isinstance(name, Path) else FOLDER / name
    notebook = jupytext.read(folder / "sheet.md")
    told, cells, questions, current = notebook.metadata["assignment"], [], [], ""
    for cell in notebook.cells:
        if "question" in cell.metadata:
            questions.append(_question(cell, len(questions) + 1))
            current = questions[-1].name
        cells.append(_cell(cell, current))
    names = [question.name for question in questions]
    if len(set(names)) < len(names):
        raise ValueError(f"{folder.name}: two questions have one name, {sorted(names)}")
    numbers = {question.name: str(question.number) for question in questions}
    for k, cell in enumerate(cells):
        if lost := set(REFERENCE.findall(cell.source)) - set(numbers):
            raise ValueError(f"{folder.name}: <q:{lost.pop()}> is no question")
        source = REFERENCE.sub(lambda found: numbers[found[1]], cell.source)
        cells[k] = replace(cell, source=source)
    return Sheet(
        folder.name,
        folder,
        int(told["number"]),
        str(told["title"]),
        tuple(told["packages"]),
        float(told.get("memory", 2)),
        tuple(told.get("chapters", ())),
        tuple(cells),
        tuple(questions),
        dict(notebook.metadata),
    )


def _question(cell: Any, number: int) -> Question:
    told, heading = cell.metadata, HEADING.search(cell.source)
    if heading is None or int(heading[1]) != number:
        raise ValueError(
            f"question {told['question']} has to begin with '## Question {number}. ...'"
        )
    functions = tuple(told.get("functions", ()))
    words = bool(told.get("words", False))
    if words == bool(functions):
        raise ValueError(f"question {told['question']}: either functions to write or words")
    sizes = int(told["points"]), int(told["minutes"])
    return Question(told["question"], number, heading[2], *sizes, functions, words)


def _cell(cell: Any, question: str) -> Cell:
    tags = tuple(cell.metadata.get("tags", ()))
    if cell.cell_type == "code":
        kinds = [tag for tag in ("setup", "answer", "public") if tag in tags]
        return Cell(kinds[0] if kinds else "given", cell.source, question, tags)
    kinds = [kind for kind in TEACHERS if kind in cell.metadata]
    if "answer" in cell.metadata:
        kinds = ["reply"]
    return Cell(kinds[0] if kinds else "text", cell.source, question, tags)


def _module(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
