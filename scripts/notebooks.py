"""The notebook beside each page: title, link, section headings and code, without outputs.

`python -m scripts.notebooks` writes them; `--check` says which are not what their page gives, and
ends with 1 if there is any. Run it after every change of a code cell, a heading or of `repository:`
in _config.yml. A notebook needs nothing of the repository: its first cell installs the library.
"""

import argparse
import hashlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import jupytext
import nbformat

from _ext.actmax_launch import Repository, repository
from classroom.notebooks import KERNEL, text_of
from scripts.gates import Book

ROOT = Path(__file__).resolve().parents[1]

# Pages with code cells that have no notebook, with the reason.
LEFT_OUT = {
    "chapters/appendix/api": "reads the library's sources and the names of its tests",
    "chapters/appendix/instructors": "counts what is in the sheets, the hidden checks too",
    "chapters/appendix/notation": "checks its own text against the library",
    "chapters/appendix/verified-claims": "runs tests/claims, which only the repository has",
}
GLUE = re.compile(r"^from myst_nb import glue(\n|\Z)", re.MULTILINE)
STAND_IN = '''def glue(name, value, display=True):
    """On the page, a number for its sentences; here they are not, so it goes nowhere."""
'''
INSTALL = """# The library of the book, where it is missing (as on Colab).
import importlib.util

if importlib.util.find_spec("actmax_lib") is None:
    %pip install -q "actmax-lib[notebooks] @ git+{url}@{branch}"
    import actmax_lib  # if this fails, the lines above say why
"""
EXPLAIN = """# The library of the book has to be installed.
import importlib.util

if importlib.util.find_spec("actmax_lib") is None:
    raise ModuleNotFoundError(
        "actmax_lib is missing. In the folder of the book: pip install '.[notebooks]'"
    )
"""
EXERCISE = re.compile(r"\{exercise-start\}[ \t]*(?P<title>[^\n]*)\n(?::[^\n]*\n)*?:label: (\S+)")
SOLUTION = re.compile(r"\{solution-start\}[ \t]*(\S+)")
FENCE = re.compile(r"^[ \t>]*(`{3,}|~{3,}|:{3,})")
HEADING = re.compile(r"^(#{1,4}) +(.+?) *$")


def documents(root: Path = ROOT) -> list[str]:
    """The pages of _toc.yml that have a notebook, but for the sheets: `classroom` makes theirs."""
    book = Book(root, root / "_build" / "html")
    return [
        name
        for name in book.documents()
        if name not in LEFT_OUT
        and not name.startswith("chapters/assignments/")
        and "```{code-cell}" in book.text(name)
    ]


def headings(markdown: str, exercises: dict[str, str]) -> Iterator[tuple[int, str]]:
    """(level, text) of each heading of a Markdown cell, and of each solution that begins in it."""
    inside = ""
    for line in markdown.splitlines():
        if (solution := SOLUTION.search(line)) and solution[1] in exercises:
            yield 3, f"Solution: {exercises[solution[1]]}"
        fence = FENCE.match(line)
        if fence and not inside:
            inside = fence[1]
        elif fence and fence[1].startswith(inside) and not line.strip(" \t>`~:"):
            inside = ""
        elif not inside and (heading := HEADING.match(line)):
            yield len(heading[1]), plain(heading[2])


def plain(text: str) -> str:
    """A heading without roles that only the page understands."""
    return re.sub(r"\{[\w:]+\}`(?:([^`<]*?) *<[^`>]*>|([^`]*))`", r"\1\2", text)


def notebook(name: str, root: Path, where: Repository) -> nbformat.NotebookNode:
    """The notebook of one page."""
    page = (root / f"{name}.md").read_text(encoding="utf-8")
    exercises = {label: title for title, label in EXERCISE.findall(page)}
    made, pending, title = [], [], ""
    for cell in jupytext.reads(page, "md:myst").cells:
        if cell.cell_type == "markdown":
            for level, text in headings(cell.source, exercises):
                if level == 1:
                    title = text
                    continue
                # a section without code of its own says nothing here
                pending = [(n, other) for n, other in pending if n < level] + [(level, text)]
        elif cell.cell_type == "code":
            if pending:
                text = "\n\n".join(f"{'#' * level} {text}" for level, text in pending)
                made.append(nbformat.v4.new_markdown_cell(text))
                pending = []
            made.append(nbformat.v4.new_code_cell(GLUE.sub("", cell.source).strip("\n")))
    first = [nbformat.v4.new_markdown_cell(opening(name, title, where))]
    install = INSTALL.format(url=where.url, branch=where.branch) if where.url else EXPLAIN
    if GLUE.search(page):
        install += f"\n\n{STAND_IN}"
    first.append(nbformat.v4.new_code_cell(install.strip("\n")))
    made = numbered([cell for cell in first + made if cell.source])
    metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    return nbformat.v4.new_notebook(cells=made, metadata=metadata)


def opening(name: str, title: str, where: Repository) -> str:
    """Title, and where the text to this code is."""
    file = f"{name}.md"
    place = f"[{file}]({where.source(file)})" if where.url else f"`{file}` of the book"
    return (
        f"# {title}\n\nThe code of a page of *Activation Maximization*, to run and to change. "
        f"The text that belongs to it is in {place}.\n\n"
        f"*For authors: this file is made from that page by `python -m scripts.notebooks`.*"
    )


def numbered(cells: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Ids from the content, so that a change in one cell does not change the others."""
    seen: set[str] = set()
    for cell in cells:
        digest = hashlib.sha256(cell.source.encode("utf-8")).hexdigest()
        cell["id"] = next(d for k in range(50) if (d := digest[k : k + 8]) not in seen)
        seen.add(cell["id"])
    return cells


def written(name: str, root: Path, where: Repository) -> str:
    """The file of one notebook."""
    return text_of(notebook(name, root, where))


def stray(root: Path, names: list[str]) -> list[Path]:
    """Notebooks beside the Markdown that no page gives."""
    folders = [root, *(root / "chapters").glob("*/")]
    found = [path for folder in folders for path in folder.glob("*.ipynb")]
    mine = {root / f"{name}.ipynb" for name in names}
    return sorted(p for p in found if p not in mine and p.parent.name != "assignments")


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Command line; the number of problems decides the exit status."""
    parser = argparse.ArgumentParser(prog="python -m scripts.notebooks", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, say what is old")
    checking = parser.parse_args(arguments).check
    names, where = documents(root), repository(root)
    problems = [f"{path.relative_to(root)}: no page gives it" for path in stray(root, names)]
    for name in names:
        path, text = root / f"{name}.ipynb", written(name, root, where)
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        if checking:
            problems.append(f"{name}.ipynb: old or missing; run python -m scripts.notebooks")
        else:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}.ipynb")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
