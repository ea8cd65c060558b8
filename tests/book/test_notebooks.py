"""The notebooks beside the pages: in sync, code only, a first cell that installs the library."""

import importlib.util
import re
import shutil

import jupytext
import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from packaging.requirements import Requirement

from _ext.actmax_launch import Repository, repository
from scripts import notebooks
from scripts.gates import Book
from tests.book.books import HEADER, ROOT, cell

NOWHERE = Repository("", "main", "")
SOMEWHERE = Repository("https://github.com/someone/a-book", "main", "")
PAGE = (
    HEADER
    + "(tiny)=\n# A {ref}`tiny <x>` page\n\n"
    + cell("import math\nfrom myst_nb import glue\n\nimport torch")
    + "## Only words\n\nNothing runs.\n\n## Numbers of $x$\n\n```python\n# no heading\n```\n\n"
    + cell("x = 1\n# a comment")
    + "### Deeper\n\n#### Deepest\n\n"
    + cell("glue('two', 2 * x, display=False)", ":tags: [remove-cell]")
    + "````{note}\n# no heading either\n```{tip}\ninner\n```\n# nor this\n````\n\n"
    + cell("from myst_nb import glue")
    + "## Exercises\n\n:::{exercise-start} Add two\n:label: ex:tiny:add\n:::\nAdd.\n"
    + ":::{exercise-end}\n:::\n\n:::{solution-start} ex:tiny:add\n:class: dropdown\n:::\n"
    + cell("1 + 1")
    + ":::{solution-end}\n:::\n\n## After\n"
)


@pytest.fixture
def tiny(tmp_path):
    """A book of one page, with its notebook."""
    (tmp_path / "_config.yml").write_text("title: Tiny\nrepository: {url: ''}\n")
    (tmp_path / "_toc.yml").write_text(
        "format: jb-book\nroot: intro\nchapters:\n  - file: chapters/part/page\n"
        "  - file: chapters/assignments/sheet\n"
    )
    (tmp_path / "intro.md").write_text("# Without code\n")
    for name in ("chapters/part/page", "chapters/assignments/sheet"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / f"{name}.md").write_text(PAGE)
    (tmp_path / "chapters/assignments/sheet.ipynb").write_text("made by another command")
    assert notebooks.main([], tmp_path) == 0
    return tmp_path


def cells(folder) -> list[tuple[str, str]]:
    """(kind, source) of the cells of the tiny book's notebook."""
    made = nbformat.read(folder / "chapters/part/page.ipynb", as_version=4).cells
    return [(entry.cell_type, entry.source) for entry in made]


def test_the_committed_notebooks_are_those_of_their_pages(capsys):
    assert notebooks.main(["--check"]) == 0, capsys.readouterr().out


def test_every_page_with_code_has_one_or_a_reason():
    book = Book(ROOT, ROOT)
    code = {name for name in book.documents() if "{code-cell}" in book.text(name)}
    chapters = {name for name in code if not name.startswith("chapters/assignments/")}
    assert set(notebooks.LEFT_OUT) <= chapters
    assert set(notebooks.documents()) == chapters - set(notebooks.LEFT_OUT)
    assert {name for name in chapters if "/appendix/" not in name} <= set(notebooks.documents())
    for name in notebooks.LEFT_OUT:
        assert not (ROOT / f"{name}.ipynb").exists()


@pytest.mark.parametrize("name", notebooks.documents())
def test_a_notebook_holds_the_code_and_nothing_to_hide(name):
    page = jupytext.read(ROOT / f"{name}.md")
    made = nbformat.read(ROOT / f"{name}.ipynb", as_version=4)
    nbformat.validate(made)
    code = [entry for entry in made.cells if entry.cell_type == "code"]
    assert all(not entry.outputs and entry.execution_count is None for entry in code)
    assert {key for entry in made.cells for key in entry.metadata} == set()
    written = [entry.source for entry in page.cells if entry.cell_type == "code"]
    without = [text.replace("from myst_nb import glue\n", "") for text in written]
    assert [entry.source for entry in code][1:] == without
    title = re.search(r"^# (.+)$", (ROOT / f"{name}.md").read_text(), re.MULTILINE)[1]
    assert made.cells[0].source.startswith(f"# {title}\n")
    words = "\n".join(entry.source for entry in made.cells if entry.cell_type == "markdown")
    assert not re.search(r"\{[\w:]+\}`|^:::|^```", words, re.MULTILINE)


def test_what_is_taken_from_a_page(tiny):
    (_, opening), (_, first), *rest = cells(tiny)
    assert opening.startswith("# A tiny page\n")
    assert "is in `chapters/part/page.md` of the book" in opening  # no link that leads nowhere
    assert "](" not in opening
    assert "def glue(" in first
    assert rest == [
        ("code", "import math\n\nimport torch"),
        ("markdown", "## Numbers of $x$"),
        ("code", "x = 1\n# a comment"),
        ("markdown", "### Deeper\n\n#### Deepest"),
        ("code", "glue('two', 2 * x, display=False)"),
        ("markdown", "## Exercises\n\n### Solution: Add two"),
        ("code", "1 + 1"),
    ]


def test_it_runs_like_the_page(tiny):
    namespace = {}
    for kind, source in cells(tiny):
        if kind == "code":
            exec(source, namespace)
    assert namespace["x"] == 1


def _change(page, old, new):
    page.write_text(page.read_text().replace(old, new))


@pytest.mark.parametrize(
    "fault",
    [
        lambda root: _change(root / "chapters/part/page.md", "x = 1\n", "x = 2\n"),
        lambda root: _change(root / "chapters/part/page.md", "## Numbers", "## Many numbers"),
        lambda root: _change(root / "chapters/part/page.md", "Add two", "Add three"),
        lambda root: _change(root / "_config.yml", "''", "https://github.com/someone/a-book"),
        lambda root: _change(root / "chapters/part/page.ipynb", '"outputs": []', '"outputs": [ ]'),
        lambda root: (root / "chapters/part/page.ipynb").unlink(),
        lambda root: shutil.copy(
            root / "chapters/part/page.ipynb", root / "chapters/part/old.ipynb"
        ),
        lambda root: shutil.copy(root / "chapters/part/page.ipynb", root / "intro.ipynb"),
    ],
    ids=["code", "heading", "exercise", "address", "edited", "missing", "stray", "stray root"],
)
def test_an_old_notebook_is_found(tiny, fault, capsys):
    assert notebooks.main(["--check"], tiny) == 0
    fault(tiny)
    before = {path: path.read_bytes() for path in tiny.rglob("*.ipynb")}
    assert notebooks.main(["--check"], tiny) == 1
    assert ".ipynb: " in capsys.readouterr().out
    assert before == {path: path.read_bytes() for path in tiny.rglob("*.ipynb")}


def test_prose_is_no_reason(tiny):
    _change(tiny / "chapters/part/page.md", "Nothing runs.", "Really nothing runs.")
    assert notebooks.main(["--check"], tiny) == 0


def test_a_change_in_one_cell_changes_no_other_id(tiny):
    def ids():
        made = nbformat.read(tiny / "chapters/part/page.ipynb", as_version=4).cells
        return [entry.id for entry in made]

    before = ids()
    _change(tiny / "chapters/part/page.md", "1 + 1", "1 + 2")
    assert notebooks.main([], tiny) == 0
    assert [one == two for one, two in zip(before, ids(), strict=True)] == [True] * 8 + [False]
    assert len(set(before)) == len(before)


@pytest.fixture
def pip(monkeypatch):
    """Runs a first cell as IPython does; returns what it told pip, one entry a call."""

    def go(source: str, there: bool) -> list[str]:
        asked = []

        class Shell:
            def run_line_magic(self, name, line, **_):
                asked.append(f"{name} {line}")

        find = importlib.util.find_spec
        with monkeypatch.context() as patch:
            if not there:
                patch.setattr(
                    importlib.util,
                    "find_spec",
                    lambda n, *a: None if n == "actmax_lib" else find(n, *a),
                )
            code = TransformerManager().transform_cell(source)
            exec(code, {"get_ipython": Shell})
        return asked

    return go


def first_cell(where: Repository) -> str:
    return notebooks.notebook("intro", ROOT, where).cells[1].source


def test_the_library_is_installed_where_it_is_missing(pip):
    (line,) = pip(first_cell(SOMEWHERE), there=False)
    asked = Requirement(re.fullmatch(r'pip install -q "(.+)"', line)[1])
    assert (asked.name, asked.extras) == ("actmax-lib", {"notebooks"})
    assert asked.url == "git+https://github.com/someone/a-book@main"
    assert pip(first_cell(SOMEWHERE), there=True) == []


def test_without_an_address_it_says_what_to_do(pip):
    assert pip(first_cell(NOWHERE), there=True) == []
    with pytest.raises(ModuleNotFoundError, match=r"pip install '.\[notebooks\]'"):
        pip(first_cell(NOWHERE), there=False)


def test_an_address_makes_the_link_to_the_chapter_one_of_the_web():
    opening = notebooks.notebook("chapters/appendix/data", ROOT, SOMEWHERE).cells[0].source
    assert "(https://github.com/someone/a-book/blob/main/chapters/appendix/data.md)" in opening


def test_all_notebooks_name_the_address_of_the_settings():
    where = repository(ROOT)
    for name in notebooks.documents():
        made = nbformat.read(ROOT / f"{name}.ipynb", as_version=4)
        assert (f"git+{where.url}@" in made.cells[1].source) == bool(where.url)
