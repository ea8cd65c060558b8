"""One style: ruff's rules and format, in modules and in the code cells of the chapters."""

import subprocess
import sys
from pathlib import Path

import jupytext
import pytest

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = [ROOT / "intro.md", *sorted((ROOT / "chapters").rglob("*.md"))]


# Rules that would make a cell longer without telling its reader more.
NOT_IN_CELLS = {
    "I001": "imports are grouped by what the page uses them for",
    "E402": "a path is shown before the import that needs it",
    "PT": "for test functions",
    "B905": "zip(a, b) reads as in the text",
    "RUF007": "as B905",
    "RUF017": "sums of two short lists",
}
# In a sheet the first cell of the notebook gives names, and imports wait for the student's answer.
GIVEN = 'builtins = ["public", "close", "show", "CARRIED"]'
IN_SHEETS = ["--config", GIVEN, "--extend-ignore", "F401"]


def ruff(*arguments: str | Path) -> str:
    """What ruff complains about; empty when it is content."""
    command = [sys.executable, "-m", "ruff", *map(str, arguments)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode in (0, 1), result.stderr
    return result.stdout if result.returncode else ""


def cells_of(chapter: Path, folder: Path) -> Path:
    """The chapter as a notebook file, which ruff reads cell by cell."""
    notebook = folder / f"{chapter.stem}.ipynb"
    jupytext.write(jupytext.read(chapter), notebook)
    return notebook


def content(*arguments: str | Path) -> None:
    """Fail with all that ruff says, if it says anything."""
    complaints = ruff(*arguments)
    assert not complaints, complaints


def test_rules():
    content("check", ".")


def test_format():
    content("format", "--check", ".")


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_code_cells(chapter, tmp_path):
    notebook = cells_of(chapter, tmp_path)
    settings = ["--config", str(ROOT / "pyproject.toml")]
    own = IN_SHEETS if "assignments" in chapter.parts else []
    content("check", *settings, "--ignore", ",".join(NOT_IN_CELLS), *own, notebook)
    # 84 columns: what a page shows without a scroll bar
    content("format", "--check", "--diff", *settings, "--line-length", "84", notebook)


@pytest.mark.parametrize("fault", ["import os\n", "x = {'a':1}\n"])
def test_a_planted_fault_is_caught(tmp_path, fault):
    chapter = tmp_path / "bad.md"
    header = "---\njupytext: {text_representation: {extension: .md, format_name: myst}}\n---\n"
    chapter.write_text(f"{header}\n```{{code-cell}}\n{fault}```\n")
    notebook = cells_of(chapter, tmp_path)
    settings = ["--config", str(ROOT / "pyproject.toml")]
    assert ruff("check", *settings, notebook) + ruff("format", "--check", *settings, notebook)
