"""What is built from a sheet: in step with its source, and fit for the people who get it."""

import ast
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile

import nbformat
import pytest

from classroom import build, packages
from classroom.notebooks import plain_markdown, solution_notebook, student_notebook, text_of
from classroom.pages import page
from classroom.rubric import printable, rubric
from classroom.sheets import ROOT, SHEETS, load
from tests.classroom.built import GITHUB, NOWHERE, printed, ran, tiny
from tests.classroom.leaks import leaks, secrets

sheets = pytest.mark.parametrize("name", SHEETS)
ID = re.compile(r"[a-zA-Z0-9-_]{1,64}")
METADATA = {"answer", "cellView", "deletable", "editable", "jupyter"}


def public_checks(sheet):
    """How many public checks the sheet has."""
    return sum(cell.source.count("@public") for cell in sheet.cells if cell.kind == "public")


@sheets
def test_committed_files_are_what_their_source_makes(name):
    assert build.differing(load(name)) == [], "run `make assignments` and commit the result"


def test_a_committed_file_out_of_step_is_named(tmp_path, capsys):
    sheet = tiny(tmp_path)
    assert build.main([str(sheet.folder), "--check"]) == 1
    assert capsys.readouterr().out.count("tiny.") == 2
    for path, text in build.committed(sheet).items():
        path.write_text(text, "utf-8")
    assert build.main([str(sheet.folder), "--check"]) == 0
    source = sheet.folder / "sheet.md"
    source.write_text(source.read_text("utf-8").replace("Say why.", "Say why not."), "utf-8")
    assert build.main([str(sheet.folder), "--check"]) == 1
    assert "tiny.md is not what its source makes" in capsys.readouterr().out


def test_an_unknown_sheet_is_refused_in_words(capsys):
    with pytest.raises(SystemExit) as ended:
        build.main(["formulations"])
    assert ended.value.code == 2
    assert "there is formulation, maxima" in capsys.readouterr().err


@sheets
def test_student_notebook(name):
    sheet = load(name)
    notebook = json.loads(text_of(student_notebook(sheet, NOWHERE)))
    cells = notebook["cells"]
    ids = [cell["id"] for cell in cells]
    assert len(ids) == len(set(ids))
    assert all(ID.fullmatch(i) for i in ids)
    assert {key for cell in cells for key in cell["metadata"]} <= METADATA
    assert set(notebook["metadata"]) == {"assignment", "kernelspec", "language_info"}
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    for question in sheet.questions:
        if question.words:
            assert f"answer-{question.name}" in ids
        for function in question.functions:
            (at,) = [c for c in code if f"def {function}(" in "".join(c["source"])]
            assert at["id"].startswith(f"q{question.number}-answer-")
            assert f"Question {question.number} is not answered yet" in "".join(at["source"])
    assert len(sheet.questions) == sum(
        bool(re.search(r"^## Question \d", "".join(cell["source"]), re.M)) for cell in cells
    )


@sheets
def test_packages_are_those_that_the_notebook_imports(name):
    sheet = load(name)
    code = [c for c in student_notebook(sheet, NOWHERE).cells if c.cell_type == "code"]
    trees = [ast.walk(ast.parse(c.source)) for c in code if c.id != "install"]
    nodes = [node for tree in trees for node in tree]
    found = {a.name for node in nodes if isinstance(node, ast.Import) for a in node.names}
    found |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    found = {module.split(".")[0] for module in found} - sys.stdlib_module_names
    assert {"numpy"} <= found <= set(sheet.packages)


@sheets
def test_a_blank_notebook_runs_and_says_what_is_missing(name, tmp_path):
    sheet = load(name)
    notebook = student_notebook(sheet, NOWHERE)
    asked = "import sys\nprint([m for m in ('actmax_lib', 'classroom') if m in sys.modules])"
    notebook.cells.append(nbformat.v4.new_code_cell(asked, id="asked"))
    *lines, own = printed(ran(notebook, tmp_path))
    assert own == "[]", "the notebook needs this project"
    assert sum(line.startswith("not answered yet: ") for line in lines) == public_checks(sheet)
    assert not [line for line in lines if line.startswith(("ok: ", "not yet", "your code"))]
    assert list(tmp_path.iterdir()) == [], "the notebook leaves files behind"


@sheets
def test_the_solution_runs_and_passes_every_public_check(name, tmp_path):
    sheet = load(name)
    lines = printed(ran(solution_notebook(sheet, NOWHERE), tmp_path))
    assert sum(line.startswith("ok: ") for line in lines) == public_checks(sheet)
    bad = ("not ", "your code", "the figure ")
    assert [line for line in lines if line.startswith(bad)] == []


@sheets
def test_page(name):
    sheet, text = load(name), page(load(name), NOWHERE)
    assert f"{{download}}`{name}.ipynb`" in text
    assert "{code-cell}" not in text, "a page of blanks has nothing to run"
    assert "http" not in text.split("## Question 1")[0]
    for question in sheet.questions:
        assert f"(#sheet-{name}-{question.name})" in text
        assert f"(sheet-{name}-{question.name})=\n## Question {question.number}. " in text
    for cell in sheet.cells:
        if cell.kind == "public":
            assert cell.source.strip() in text


def test_where_the_project_is_kept_decides_about_links(tmp_path):
    sheet = tiny(tmp_path)
    colab = "https://colab.research.google.com/github/someone/book/blob/main/chapters/assignments/"
    assert f"{colab}tiny.ipynb" in page(sheet, GITHUB)
    assert "An ill-posed question" in text_of(student_notebook(sheet, NOWHERE))
    assert "ill-posed.md" not in text_of(student_notebook(sheet, NOWHERE))
    link = "(https://github.com/someone/book/blob/main/chapters/formulation/ill-posed.md)"
    assert link in text_of(student_notebook(sheet, GITHUB))


def test_myst_becomes_markdown_that_a_notebook_shows():
    hint = "```{admonition} A *hint*\n:class: dropdown tip\n\nAdd $x$.\n\n- once\n```\nAfter."
    shown = plain_markdown(hint, NOWHERE)
    assert shown.startswith("<details>\n<summary><b>A *hint*</b></summary>\n\nAdd $x$.\n\n- once")
    assert shown.endswith("</details>\nAfter.")
    assert "details open" in plain_markdown(hint.replace("dropdown ", ""), NOWHERE)
    assert plain_markdown("See [the max](../a/b.md#c) and [it](#here).", NOWHERE) == (
        "See the max and it."
    )
    kept = "[web](https://example.org) and ![a picture](data:x) and a list `[1](2)`"
    assert plain_markdown(kept, GITHUB) == kept


@pytest.mark.parametrize(
    "myst", ["```{figure} x.png\n```", ":::{note}\na\n:::", "see {cite}`someone`", "{eq}`a`"]
)
def test_myst_that_a_notebook_cannot_show_is_refused(myst):
    with pytest.raises(ValueError, match="a notebook cannot show"):
        plain_markdown(f"Before.\n\n{myst}\n", NOWHERE)


@sheets
def test_rubric_adds_up(name):
    sheet, text = load(name), rubric(load(name))
    parts = re.split(r"^## Question \d+\. ", text, flags=re.MULTILINE)[1:]
    assert len(parts) == len(sheet.questions)
    for question, part in zip(sheet.questions, parts, strict=True):
        column = r"\|\s*(\d+)\s*(?=\|)" if question.words else r"\| (\d+) \| \|$"
        found = [int(number) for number in re.findall(column, part, re.MULTILINE)]
        assert sum(found) == question.points, (question.name, found)
        told = [m.slip for m in sheet.mutants() if m.function in question.functions]
        assert all(slip in part for slip in told)
    assert "**Model answer.**" in parts[-1]


@pytest.mark.parametrize("name", SHEETS)
def test_every_table_of_a_rubric_has_a_column_to_fill_in(name):
    page = printable(rubric(load(name)))
    tables = re.findall(r"<table>.*?</table>", page, re.DOTALL)
    assert len(tables) > len(load(name).questions)
    for table in tables:
        heads = re.findall(r"<th[^>]*>(.*?)</th>", table)
        assert heads[-1] == "earned"
        rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)[1:]
        assert rows
        assert {len(re.findall(r"<td", row)) for row in rows} == {len(heads)}


def test_printed_rubric_is_one_file_with_nothing_live(tmp_path):
    html = printable(rubric(tiny(tmp_path)))
    assert ">Twice the vector, for random vectors.</td>" in html
    assert "<script" not in html
    assert "src=" not in html
    assert "&lt;b&gt;" in printable("# Rubric\n\n<b>")


def test_hand_out(tmp_path):
    sheet = tiny(tmp_path)
    notebook = text_of(student_notebook(sheet, NOWHERE))
    content = packages.hand_out(sheet, notebook)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == ["tiny/tiny.ipynb", "tiny/README.txt"]
        assert archive.read("tiny/tiny.ipynb").decode() == notebook
        assert "numpy, scipy" in archive.read("tiny/README.txt").decode()
    assert packages.hand_out(sheet, notebook) == content


def test_all_files_of_a_sheet(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(packages, "otter_installed", lambda: False)
    sheet, out = tiny(tmp_path), tmp_path / "out"
    (out / "tiny").mkdir(parents=True)
    (out / "tiny" / "tiny-autograder.zip").write_text("of an older run")
    assert build.main([str(sheet.folder), "--out", str(out)]) == 0
    assert "otter-grader is not installed" in capsys.readouterr().out
    made = sorted(path.name for path in (out / "tiny").iterdir())
    ends = ["handout.zip", "rubric.html", "rubric.md", "solution.ipynb"]
    assert made == [f"tiny-{end}" for end in ends]
    assert build.differing(sheet) == []
    written = (out / "tiny" / "tiny-handout.zip").read_bytes()
    assert leaks(written, "handout.zip", secrets(sheet)) == []
    with zipfile.ZipFile(io.BytesIO(written)) as archive:
        assert archive.read("tiny/tiny.ipynb") == (tmp_path / "tiny.ipynb").read_bytes()


def test_the_autograders_packages_are_those_of_the_tested_set():
    pins = (ROOT / "constraints.txt").read_text("utf-8")
    for name in SHEETS:
        for line in packages.requirements(load(name).packages).splitlines():
            assert f"\n{line}\n" in pins


def make(*arguments):
    """Run make as from a shell of its own, not as a part of `make test`."""
    clean = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    command = ["make", *arguments]
    return subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, check=False)


needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


@needs_make
def test_make_assignments_and_grade_are_told_of():
    said = make("help").stdout
    assert "make assignments " in said
    assert "make grade " in said


@needs_make
@pytest.mark.parametrize("given", [[], ["SHEET=maxima"], ["SUBMISSIONS=x"]])
def test_make_grade_asks_for_what_it_needs(given, tmp_path):
    result = make("grade", f"VENV={tmp_path / 'venv'}", *given)
    assert result.returncode != 0
    assert "make grade SHEET=formulation SUBMISSIONS=folder" in result.stdout
    assert not (tmp_path / "venv").exists()


@needs_make
def test_make_grade_keeps_grades_where_make_clean_does_not_reach():
    said = make("-n", "grade", "SHEET=maxima", "SUBMISSIONS=in box").stdout
    assert 'classroom grade maxima "in box" --out "grades/maxima"' in said
