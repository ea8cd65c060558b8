"""Nothing that judges or answers can be found in what students get, however it is hidden."""

import base64
import io
import json
import re
import tomllib
import zipfile

import pytest

from classroom import packages
from classroom.build import committed
from classroom.notebooks import solution_notebook, student_notebook, text_of
from classroom.pages import page
from classroom.rubric import rubric
from classroom.sheets import ROOT, SHEETS, load
from tests.classroom.built import GITHUB, NOWHERE, tiny
from tests.classroom.leaks import files_of, leaks, plain, public_text, secrets

sheets = pytest.mark.parametrize("name", SHEETS)
HTML = ROOT / "_build" / "html"


@sheets
def test_there_is_a_lot_to_hide(name):
    sheet, hidden = load(name), secrets(load(name))
    origins = set(hidden.values())
    assert {f"check {c.name}" for c in sheet.hidden()} <= origins
    assert {f"wrong answer {m.name}" for m in sheet.mutants()} <= origins
    assert {"solution", "rubric", "model"} <= origins
    coded = {f"answer to {q.name}" for q in sheet.questions if not q.words}
    assert coded <= origins


@sheets
@pytest.mark.parametrize("where", [NOWHERE, GITHUB], ids=["local", "github"])
def test_page_notebook_and_hand_out(name, where):
    sheet = load(name)
    hidden, notebook = secrets(sheet), text_of(student_notebook(sheet, where))
    given = {"page.md": page(sheet, where).encode(), "sheet.ipynb": notebook.encode()}
    given["handout.zip"] = packages.hand_out(sheet, notebook)
    assert [problem for key in given for problem in leaks(given[key], key, hidden)] == []


@sheets
def test_the_committed_files(name):
    sheet = load(name)
    for path in committed(sheet):
        assert leaks(path.read_bytes(), path.name, secrets(sheet)) == []


@sheets
def test_the_built_book(name):
    built = HTML / "chapters" / "assignments" / f"{name}.html"
    if not built.is_file():
        pytest.skip("the book is not built with the sheets in it: make book")
    hidden = secrets(load(name))
    long = {line: where for line, where in hidden.items() if len(line) >= 30}
    files = [built, HTML / "searchindex.js"]
    files += [p for p in files_of(HTML / "_sources") if "assignments" in p.parts]
    files += [p for p in files_of(HTML / "_downloads") if p.suffix == ".ipynb"]
    assert sum(path.stem == name for path in files) >= 3
    problems = []
    for path in files:  # in another sheet's files a short line is somebody else's
        looked_for = hidden if path.stem == name else long
        problems += leaks(path.read_bytes(), path.name, looked_for)
    assert problems == []
    strange = [p.name for p in files_of(HTML) if p.name in ("hidden.py", "mutants.py", "sheet.md")]
    assert strange == []


def test_the_wheel():
    told = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    packed = []
    for package in told["packages"]:
        folder = ROOT / told["package-dir"].get(package, package.replace(".", "/"))
        for pattern in ["*.py", *told["package-data"].get(package, [])]:
            packed += [path.relative_to(ROOT).as_posix() for path in folder.glob(pattern)]
    assert len(packed) > 50
    assert [path for path in packed if re.search("classroom|assignments|hidden|mutant", path)] == []


@sheets
def test_the_search_finds_the_teachers_files(name):
    """The same search, where there is something to find: all of it."""
    sheet = load(name)
    hidden, folder = secrets(sheet), sheet.folder
    everything = b"\n".join(path.read_bytes() for path in files_of(folder) if path.suffix != ".pyc")
    assert len(leaks(everything, "all.txt", hidden)) == len({*hidden.values()})
    assert leaks(rubric(sheet).encode(), "rubric.md", hidden)
    solved = text_of(solution_notebook(sheet, NOWHERE)).encode()
    found = {problem.split(": ", 1)[1] for problem in leaks(solved, "s.ipynb", hidden)}
    assert {"model", "rubric", "solution"} <= found


LINE = "        raise ValueError('empty')"
TITLE = "Twice the vector, for random vectors."
CODED = base64.b64encode(f"secret notes\n{LINE}\nmore notes".encode()).decode()


@pytest.mark.parametrize(
    "plant",
    [
        lambda nb: nb["cells"][4].update(outputs=[_output(LINE)]),
        lambda nb: nb["cells"][4]["metadata"].update(checks=[{"by": TITLE}]),
        lambda nb: nb["cells"][4]["metadata"].update({TITLE: 1}),
        lambda nb: nb["metadata"].update(otter={"tests": {"q1": LINE}}),
        lambda nb: nb["cells"][0].update(attachments={"x": {"text/plain": LINE}}),
        lambda nb: nb["cells"][0].update(source=["<!--", LINE.replace(" ", "  "), "-->"]),
        lambda nb: nb["cells"][2].update(id="random_vectors"),
        lambda nb: nb["metadata"].update(blob=CODED),
    ],
    ids=["output", "metadata", "key", "tests", "attachment", "comment", "id", "encoded"],
)
def test_a_leak_planted_in_a_notebook_is_found(tmp_path, plant):
    sheet = tiny(tmp_path)
    notebook = json.loads(text_of(student_notebook(sheet, NOWHERE)))
    assert leaks(json.dumps(notebook).encode(), "x.ipynb", secrets(sheet)) == []
    plant(notebook)
    found = leaks(json.dumps(notebook).encode(), "x.ipynb", secrets(sheet))
    assert found
    assert all(re.search("answer to double|random_vectors", problem) for problem in found)


def _output(text):
    return {"output_type": "stream", "name": "stdout", "text": [text]}


@pytest.mark.parametrize("how", ["member", "name", "comment", "nested"])
def test_a_leak_planted_in_a_zip_is_found(tmp_path, how):
    sheet = tiny(tmp_path)
    content = io.BytesIO(packages.hand_out(sheet, text_of(student_notebook(sheet, NOWHERE))))
    with zipfile.ZipFile(content, "a") as archive:
        if how == "member":
            archive.writestr("tiny/.cache", TITLE)
        elif how == "name":
            archive.writestr("tiny/random_vectors.txt", "")
        elif how == "comment":
            archive.comment = LINE.encode()
        else:
            archive.writestr("tiny/old.zip", packages.zipped({"a.py": LINE}))
    assert leaks(content.getvalue(), "handout.zip", secrets(sheet))


@pytest.mark.parametrize(
    "html",
    [
        "<span>raise</span> <b>ValueError</b>(<i>'empty'</i>)",
        "<!-- Twice the vector, for random vectors. -->",
        "<img alt='Twice the vector, for random vectors.'>",
        "<script>x = 'squares the vector'</script>",
    ],
)
def test_a_leak_planted_in_a_page_is_found(tmp_path, html):
    assert leaks(f"<p>{html}</p>".encode(), "x.html", secrets(tiny(tmp_path)))


@sheets
def test_what_students_read_gives_no_answer_away(name):
    """The return line of an answer stands nowhere in statement, hints and public checks."""
    sheet, given = load(name), []
    shown = plain(public_text(sheet))
    for cell in sheet.cells:
        if cell.kind == "answer":
            blank = sheet.code(cell, "blank")
            lines = [line for line in sheet.code(cell, "solution").splitlines() if "return" in line]
            lines = [line for line in lines if line not in blank and len(plain(line)) >= 20]
            given += [line.strip() for line in lines if plain(line) in shown]
    assert given == []
