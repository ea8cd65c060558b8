"""Notebooks run outside the repository, with the library from its wheel, and find all they name.

Executed here are the quickest of each folder, all with ACTMAX_SLOW=1 (ten minutes). For the others
the ordinary run checks what can break on the way out: imports, names, and results that are read.
"""

import ast
import fnmatch
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest

from scripts.notebooks import documents
from tests.install.conftest import ROOT
from tests.install.quick import SECONDS, outside


def code(name: str) -> list[str]:
    """The code cells of a committed notebook, without the first, which installs the library."""
    cells = nbformat.read(ROOT / f"{name}.ipynb", as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "code"][1:]


@pytest.fixture(scope="module")
def ran(installed, request):
    """All notebooks that a test of this run asks for, two at a time; a Future by name."""
    program = Path(__file__).with_name("running.py")
    asked = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    names = [name for name in outside() if {"name": name} in asked]
    with ThreadPoolExecutor(2) as pool:
        yield {name: pool.submit(installed.run, program, ROOT / f"{name}.ipynb") for name in names}


def test_every_notebook_has_been_measured():
    new, old = set(documents()) - set(SECONDS), set(SECONDS) - set(documents())
    told = "measure it: ACTMAX_SLOW=1 pytest tests/install -rP -k NAME, and note it in quick.py"
    assert not new, f"{told}: {sorted(new)}"
    assert not old, f"no longer there, to be left out of quick.py: {sorted(old)}"


@pytest.mark.parametrize("name", outside())
def test_a_notebook_runs_outside_the_repository(installed, ran, name):
    result = ran[name].result()
    assert result.returncode == 0, result.stderr[-3000:]
    found = json.loads(result.stdout)
    print(f"{name}: {found['seconds']} s")
    assert Path(found["library"]) == installed.site / "actmax_lib"
    assert found["complaints"] == []


def test_nothing_was_left_behind(installed, ran):
    for future in ran.values():
        future.exception()  # all have ended
    assert list(installed.away.iterdir()) == []


def imports(source: str) -> set[str]:
    """The import statements of a cell, those in functions too, each as a line of its own."""
    wanted = (ast.Import, ast.ImportFrom)
    return {ast.unparse(node) for node in ast.walk(ast.parse(source)) if isinstance(node, wanted)}


def test_every_import_of_every_notebook_is_there(installed):
    found = sorted({line for name in documents() for cell in code(name) for line in imports(cell)})
    assert len(found) > 50
    program = "\n".join(found) + "\nimport actmax_lib\nprint(actmax_lib.__file__)"
    assert installed.python(program).startswith(str(installed.site))


def read(source: str) -> set[str]:
    """What a cell asks `data.result` for, as patterns: `*` where a name is put together."""
    asked = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "data.result":
            (given,) = node.args
            if isinstance(given, ast.Constant):
                asked.add(given.value)
            elif isinstance(given, ast.JoinedStr):
                asked.add("".join(getattr(part, "value", "") if isinstance(part, ast.Constant)
                                  else "*" for part in given.values))  # fmt: skip
    return asked


def test_every_result_that_a_notebook_reads_is_in_the_package(installed):
    asked = {pattern for name in documents() for cell in code(name) for pattern in read(cell)}
    assert {"study", "benchmarks/speed-cpu.json", "robustness-*.json"} <= asked
    folder = installed.site / "actmax_lib" / "results"
    there = [path.relative_to(folder).as_posix() for path in folder.rglob("*")]
    assert [p for p in sorted(asked) if not fnmatch.filter(there, p)] == []


def test_no_notebook_reads_a_file_by_its_place_in_the_repository():
    for name in documents():
        for cell in code(name):
            for node in ast.walk(ast.parse(cell)):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    inside = node.value.startswith(("../", "chapters/", "benchmarks/"))
                    assert not inside or name_is_fine(node.value), (name, node.value)


def name_is_fine(text: str) -> bool:
    """The address of the built site, which a live figure does not ask; names of `data.result`."""
    return text == "../../_static" or text.endswith(".json")


def test_no_name_is_undefined():
    rules = ["--isolated", "--select", "F821,F823,F632,E9", "--output-format", "json"]
    files = [str(ROOT / f"{name}.ipynb") for name in documents()]
    command = [sys.executable, "-m", "ruff", "check", *rules, *files]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert json.loads(said.stdout) == [], said.stdout


def test_results_say_what_is_wrong(installed):
    program = (
        "from actmax_lib import data\n"
        "print(len(data.result('study.json').read_bytes()))\n"
        "print(data.result('study').is_dir())\n"
        "for wrong in ('qualiti.json', '../web/kit.js', ''):\n"
        "    try:\n        data.result(wrong)\n"
        "    except ValueError as error:\n        print(error)\n"
    )
    size, folder, near, *others = installed.python(program).splitlines()
    assert int(size) == (ROOT / "chapters/results/study.json").stat().st_size
    assert folder == "True"
    assert "'qualiti.json' is not a result of the book" in near
    assert "'quality.json'" in near
    assert all("is not a result of the book" in line for line in others)
    assert len(others) == 2
