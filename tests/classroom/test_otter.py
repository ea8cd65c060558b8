"""The autograder package, made and run by otter-grader itself, and what a student can do to it."""

import json
import os
import subprocess
import sys
import zipfile
from importlib.util import find_spec

import nbformat
import pytest

from classroom import hosted, packages
from classroom.checks import check
from classroom.notebooks import student_notebook
from classroom.sheets import SHEETS, load
from tests.classroom.built import NOWHERE, tiny
from tests.classroom.leaks import leaks, plain, secrets

needs_otter = pytest.mark.skipif(
    find_spec("otter") is None, reason="needs otter-grader: make assignments installs it"
)
RIGHT = """def double(x):
    if len(x) == 0:
        raise ValueError('empty')
    return 2 * x"""
PARTLY = RIGHT.replace("raise ValueError('empty')", "pass")
WRONG = RIGHT.replace("2 * x", "3 * x")
THIRD = "def half(x):\n    return x / 3"
PATCH = """import numpy as np
np.allclose = np.isclose = np.array_equal = lambda *a, **k: True
np.testing.assert_allclose = np.testing.assert_array_equal = lambda *a, **k: None"""
FORGE = "import classroom.checks\nclassroom.checks.close = lambda *a, **k: True"


def answered(sheet, double, half, first):
    """The student notebook with answers, and a cell of the student's own."""
    notebook = student_notebook(sheet, NOWHERE)
    for cell in notebook.cells:
        if cell.id == "q1-answer-double":
            cell.source = double
        if cell.id == "q2-answer-half" and half:
            cell.source = half
    notebook.cells.insert(3, nbformat.v4.new_code_cell(first, id="own"))
    return notebook


@pytest.fixture(scope="module")
def autograder(tmp_path_factory):
    """(sheet, the zip that `otter generate` makes of it)."""
    folder = tmp_path_factory.mktemp("otter")
    sheet = tiny(folder)
    packages.autograder(sheet, folder / "autograder.zip")
    return sheet, folder / "autograder.zip"


def graded(package, notebook, folder):
    """What `otter run` says of a notebook, as Gradescope reads it."""
    nbformat.write(notebook, folder / "submission.ipynb")
    command = [sys.executable, "-m", "otter", "run", "-a", str(package), "-o", str(folder)]
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}
    subprocess.run(
        [*command, "submission.ipynb"],
        cwd=folder, env=clean, check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    told = json.loads((folder / "results.json").read_text("utf-8"))["tests"]
    return [test for test in told if test["name"].startswith("Question")]


@needs_otter
def test_the_package_has_what_gradescope_asks_for(autograder):
    with zipfile.ZipFile(autograder[1]) as archive:
        names = set(archive.namelist())
        environment = archive.read("environment.yml").decode()
    assert {"run_autograder", "setup.sh", "tests/q1-double.py"} <= names
    assert {"files/classroom/hosted.py", "files/checks_tiny/hidden.py"} <= names
    assert not [name for name in names if "mutant" in name or "sheet.md" in name]
    assert "otter-grader[grading,plugins]==7.0.0" in environment
    assert "numpy==" in environment
    assert "python=3.11" in environment


@needs_otter
@pytest.mark.parametrize(
    ("double", "half", "first", "scores"),
    [
        (RIGHT, "", "", [3, 0]),
        (PARTLY, THIRD, PATCH, [2, 0]),  # the checks compare by arithmetic, not by these functions
        (WRONG, THIRD, FORGE, [3, 2]),  # but they share the student's process: this wins there
    ],
    ids=["full and blank", "partial, patched numpy", "forged"],
)
def test_otter_run(autograder, tmp_path, double, half, first, scores):
    sheet, package = autograder
    told = graded(package, answered(sheet, double, half, first), tmp_path)
    assert [test["name"] for test in told] == ["Question 1. Twice", "Question 2. Half"]
    assert [test["score"] for test in told] == scores
    assert [test["max_score"] for test in told] == [3, 2]
    assert {test["visibility"] for test in told} == {"after_published"}
    said = told[0]["output"] + told[1]["output"]
    assert ("not answered yet" in said) == (not half)
    assert ("double should raise ValueError here" in said) == (double == PARTLY)
    body = {k: v for k, v in secrets(sheet).items() if k not in plain(titles(sheet))}
    assert leaks(said.encode(), "feedback.txt", body) == []


def titles(sheet):
    """What a student may read of the hidden checks: their titles, and how they are called."""
    return " ".join(f"{found.title} judge(hidden.{found.name}, env)" for found in sheet.hidden())


@pytest.mark.parametrize("name", SHEETS)
def test_files_for_otter_carry_every_check_and_its_points(name, tmp_path):
    sheet = load(name)
    packages.stage(sheet, tmp_path)
    texts = [path.read_text("utf-8") for path in sorted((tmp_path / "tests").iterdir())]
    assert len(texts) == sum(not question.words for question in sheet.questions)
    for found in sheet.hidden():
        (text,) = [text for text in texts if f"judge(hidden.{found.name}, env)" in text]
        assert f"points={found.points}, hidden=True" in text
    # alone, as on the hosted machine: only what was staged, and the packages of the sheet
    tried = f"import sys; sys.path.insert(0, '.'); from checks_{name} import hidden; "
    tried += "import classroom; print(classroom.__file__)"
    command = [sys.executable, "-c", tried]
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        command, cwd=tmp_path, env=clean, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert str(tmp_path) in done.stdout
    left = (p.name for folder in tmp_path.iterdir() for p in folder.glob("*") if folder.is_dir())
    assert not {"student.py", "mutants.py", "sheet.md"} & set(left)


def test_the_reference_is_judged_right_in_the_same_process():
    sheet = load("formulation")
    held = sheet.namespace("solution")
    for found in sheet.hidden():
        hosted.judge(found.body, held)


def test_a_check_that_never_ends_is_ended(monkeypatch):
    @check("q", points=1)
    def patience(f):
        """It ends."""
        f()

    def endless():
        while True:
            pass

    monkeypatch.setattr(hosted, "LIMIT", 0.2)
    with pytest.raises(AssertionError, match=r"took|Timeout"):
        hosted.judge(patience, {"f": endless})


def test_a_missing_function_is_told_in_words():
    @check("q", points=1)
    def there(double):
        """It is there."""

    with pytest.raises(AssertionError, match=r"no function `double`.*did you rename it"):
        hosted.judge(there, {"doubled": lambda x: x})
