"""Zip files of a sheet: what students get, and the autograder for otter-grader and Gradescope."""

import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

from classroom import carried
from classroom.carried import LIBRARY, NETWORKS
from classroom.sheets import ROOT, Question, Sheet

DATE = (2020, 1, 1, 0, 0, 0)  # the same content makes the same file
ENGINE = ("__init__", "wire", "checks", "calls", "hosted")
PYTHON = "3.11"
READ_ME = """\
Sheet {number}. {title}
About {minutes} minutes, {points} points.

Open {name}.ipynb in Jupyter, VS Code or Google Colab and work through it from the top.
It needs Python 3.11 or newer with {packages}; its first cell installs what is missing.
Do not rename the functions you are asked to write. Before you hand in: restart the kernel,
run all cells, save. Hand in {name}.ipynb.
"""
TEST = '''\
"""Hidden checks of question {number} of sheet {sheet}; written by `python -m classroom build`."""

from checks_{sheet} import hidden
from classroom.hosted import judge
from otter.test_files import test_case

OK_FORMAT = False
name = {name!r}
points = None
'''
CASE = """

@test_case(name={title!r}, points={points}, hidden=True)
def case_{number}(env):
    judge(hidden.{check}, env)
"""


def hand_out(sheet: Sheet, notebook: str) -> bytes:
    """The zip file for students: the notebook and how to work with it."""
    told = READ_ME.format(
        number=sheet.number, title=sheet.title, minutes=sheet.minutes, points=sheet.points,
        name=sheet.name, packages=", ".join(sheet.packages),
    )  # fmt: skip
    return zipped({f"{sheet.name}/{sheet.name}.ipynb": notebook, f"{sheet.name}/README.txt": told})


def zipped(files: dict[str, str]) -> bytes:
    """A zip file of these texts by path; the same bytes for the same texts."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, DATE), text, zipfile.ZIP_DEFLATED)
    return content.getvalue()


def otter_installed() -> bool:
    """Whether otter-grader is there (`make assignments` installs it)."""
    return find_spec("otter") is not None


def autograder(sheet: Sheet, target: Path) -> None:
    """Write the autograder zip with `otter generate`.

    Raises RuntimeError with otter's own words when it fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        support = stage(sheet, at)
        made = at / "autograder.zip"
        command = [sys.executable, "-m", "otter", "generate", "--tests-dir", "tests"]
        command += ["--config", "otter_config.json", "--requirements", "requirements.txt"]
        command += ["--no-environment", "--python-version", PYTHON, "--output-path", made.name]
        command += support
        done = subprocess.run(command, cwd=at, capture_output=True, text=True, check=False)
        if done.returncode or not made.is_file():
            raise RuntimeError(f"otter generate failed: {done.stdout}{done.stderr}"[-2000:])
        shutil.copyfile(made, target)


def stage(sheet: Sheet, folder: Path) -> list[str]:
    """Write what `otter generate` reads: tests, the checks, settings, pinned packages.

    Returns the names of the folders that the tests import from.
    """
    (folder / "tests").mkdir()
    for question in sheet.questions:
        if not question.words:
            path = folder / "tests" / f"q{question.number}-{question.name}.py"
            path.write_text(test_file(sheet, question), "utf-8")
    needs = sheet.packages
    files = [ROOT / "classroom" / f"{name}.py" for name in ENGINE]
    if "classroom.carried" in (sheet.folder / "hidden.py").read_text("utf-8"):
        networks = [LIBRARY / "zoo" / "trained" / f"{n}.safetensors" for n in NETWORKS.values()]
        files += [Path(carried.__file__), *networks]
        needs += ("safetensors",)
    for path in files:
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    (folder / f"checks_{sheet.name}").mkdir()
    shutil.copyfile(sheet.folder / "hidden.py", folder / f"checks_{sheet.name}" / "hidden.py")
    settings = {"show_hidden": True, "print_summary": False, "logo": False}
    (folder / "otter_config.json").write_text(json.dumps(settings), "utf-8")
    (folder / "requirements.txt").write_text(requirements(needs), "utf-8")
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name != "tests")


def test_file(sheet: Sheet, question: Question) -> str:
    """One of otter's exception-based test files: a case a hidden check."""
    name = f"Question {question.number}. {question.title}"
    text = TEST.format(number=question.number, sheet=sheet.name, name=name)
    checks = [check for check in sheet.hidden() if check.question == question.name]
    for number, check in enumerate(checks, start=1):
        told = {"title": check.title, "points": check.points, "check": check.name}
        text += CASE.format(number=number, **told)
    return text


def requirements(packages: tuple[str, ...]) -> str:
    """The packages of a sheet with the versions of the tested set."""
    pins = (ROOT / "constraints.txt").read_text("utf-8")
    found = {name: re.search(rf"^{name}==.*$", pins, re.MULTILINE) for name in packages}
    return "".join(f"{pin[0] if pin else name}\n" for name, pin in found.items())
