"""What students must not find, and a search that looks into every corner of what they get."""

import base64
import binascii
import inspect
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from bs4 import BeautifulSoup, Comment

from classroom import student
from classroom.sheets import SOLUTION, Sheet

SHORTEST = 12  # letters and digits: `return x` gives nothing away
TEACHERS = ("solution", "rubric", "model")


def plain(text: str) -> str:
    """Letters and digits alone: no layout, quoting or markup can hide a line."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def public_text(sheet: Sheet) -> str:
    """Everything of the source that students are meant to see, and the helpers given to all."""
    cells = [cell for cell in sheet.cells if cell.kind not in TEACHERS]
    shown = [sheet.code(c, "blank") if c.is_code else c.source for c in cells]
    return "\n".join([inspect.getsource(student), *shown])


def secrets(sheet: Sheet) -> dict[str, str]:
    """Plain text to where it comes from: each line of answers, notes, checks and wrong answers."""
    found: dict[str, str] = {}
    for cell in sheet.cells:
        if cell.kind == "answer":
            for solution in SOLUTION.finditer(cell.source):
                found = _lines(solution[0], f"answer to {cell.question}") | found
        elif cell.kind in TEACHERS:
            found = _lines(re.sub(r"[|]|(?<=[.:;]) ", "\n", cell.source), cell.kind) | found
    for check in sheet.hidden():
        found = _lines(inspect.getsource(check.body), f"check {check.name}") | found
        found = _lines(f"{check.name}\n{check.title}", f"check {check.name}") | found
    for mutant in sheet.mutants():
        found = _lines(inspect.getsource(mutant.body), f"wrong answer {mutant.name}") | found
        found = _lines(f"{mutant.name}\n{mutant.slip}", f"wrong answer {mutant.name}") | found
    shown = plain(public_text(sheet))
    return {text: where for text, where in found.items() if text not in shown}


def _lines(text: str, where: str) -> dict[str, str]:
    lines = {plain(line): where for line in text.splitlines()}
    return {line: where for line, where in lines.items() if len(line) >= SHORTEST}


def leaks(content: bytes, name: str, hidden: dict[str, str]) -> list[str]:
    """Where in a file (zip, notebook, page or text) something hidden can be read."""
    problems = []
    for where, text in texts(content, name):
        shown = plain(text)
        problems += [f"{where}: {found}" for line, found in hidden.items() if line in shown]
    return sorted(set(problems))


def texts(content: bytes, name: str) -> Iterator[tuple[str, str]]:
    """(where, text) of everything that can be read in a file, encoded text included."""
    if name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield f"{name}, comment", archive.comment.decode("utf-8", "replace")
            for member in archive.infolist():
                yield f"{name}, comment", member.comment.decode("utf-8", "replace")
                yield from texts(archive.read(member), f"{name}/{member.filename}")
        return
    text = content.decode("utf-8", "replace")
    yield name, name
    if name.endswith((".ipynb", ".json")):
        strings = list(_strings(json.loads(text)))
    elif name.endswith(".html"):
        page = BeautifulSoup(text, "html.parser")
        values = [str(v) for tag in page.find_all(True) for v in tag.attrs.values()]
        strings = [page.get_text(), *page.find_all(string=lambda s: isinstance(s, Comment))]
        strings += values + [str(tag.string) for tag in page.find_all(["script", "style"])]
    else:
        strings = [text]
    for string in strings:
        yield name, string
        for encoded in re.findall(r"[A-Za-z0-9+/\n]{24,}={0,2}", string):
            try:
                inside = base64.b64decode(encoded)
            except binascii.Error:
                continue
            yield f"{name}, encoded", inside.decode("utf-8", "replace")


def _strings(value) -> Iterator[str]:
    """Every text of a JSON value; a list of lines as one."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        if value and all(isinstance(part, str) for part in value):
            yield "".join(value)
        else:
            for part in value:
                yield from _strings(part)


def files_of(folder: Path) -> Iterator[Path]:
    """All files below a folder."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file())
