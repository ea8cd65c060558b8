"""Every gate passes a good book and catches each fault planted in a bad one."""

import json
import os

import pytest

from scripts import gates
from scripts.gates import __main__ as command
from tests.book.books import ROOT

# gate, page on which books.BAD plants the fault, words of the problem it has to report
PLANTED = [
    ("current", "", "ended with an error or a warning"),
    ("every_cell_ran", "chapters/raises", "code cell 2 did not run"),
    ("every_cell_ran", "chapters/nested", "1 code cells written, 0 executed"),
    ("every_cell_ran", "chapters/headless", "never executed"),
    ("every_cell_ran", "chapters/off", "never executed"),
    ("every_cell_ran", "chapters/skipped", "skipped without a `reason`"),
    ("no_traceback", "chapters/raises", "raised ZeroDivisionError"),
    ("no_traceback", "chapters/raises.html", "shows a traceback"),
    ("no_traceback", "chapters/raises", "error report"),
    ("no_stderr", "chapters/stderr", "wrote to stderr: oh"),
    ("no_stderr", "chapters/stderr.html", "shows error output"),
    ("images_described", "chapters/pictures.html", "no alt text"),
    ("images_described", "chapters/pictures.html", "empty alt text"),
    ("images_described", "chapters/pictures.html", "file name for alt text: plot.png"),
    ("images_described", "chapters/pictures.html", "file name for alt text: ../_images/"),
    ("images_described", "chapters/pictures.html", "too short to describe it: image"),
    ("nothing_external", "chapters/foreign.html", "loads https://cdn.example.org/x.js"),
    ("nothing_external", "chapters/foreign.html", "loads //example.org/y.png"),
    ("links_resolve", "chapters/links.html", "nowhere.html leads to no file"),
    ("links_resolve", "chapters/links.html", "#nothing leads to no anchor"),
    ("links_resolve", "chapters/links.html", "../intro.html#gone leads to no anchor"),
    ("links_resolve", "chapters/links.html", "the id two occurs more than once"),
]


def run(folder, gate):
    """Problems that one gate finds in a built book."""
    return gates.GATES[gate](gates.Book(folder, folder / "_build" / "html"))


@pytest.mark.parametrize("gate", gates.GATES)
def test_the_good_book_passes(good, gate):
    assert good[1].returncode == 0, good[1].stdout
    assert run(good[0], gate) == []


@pytest.mark.parametrize(("gate", "page", "words"), PLANTED)
def test_a_planted_fault_is_caught(bad, gate, page, words):
    problems = run(bad[0], gate)
    assert any(page in problem and words in problem for problem in problems), problems


@pytest.mark.parametrize("gate", gates.GATES)
def test_a_gate_blames_only_pages_with_its_fault(bad, gate):
    blamed = {page.removesuffix(".html") for name, page, _ in PLANTED if name == gate}
    for problem in run(bad[0], gate):
        assert any(page in problem for page in blamed), problem


def test_every_gate_has_a_planted_fault():
    elsewhere = {
        "every_entry_has_a_page"
    }  # below: a book without a page does not come out of a build
    assert {gate for gate, _, _ in PLANTED} | elsewhere == set(gates.GATES)


def test_a_missing_page_is_caught(good_copy):
    (good_copy.html / "chapters" / "first.html").unlink()
    assert gates.every_entry_has_a_page(good_copy) == ["chapters/first: no page"]


def test_a_missing_source_is_caught(good_copy):
    (good_copy.source / "chapters" / "first.md").unlink()
    assert gates.every_entry_has_a_page(good_copy) == ["chapters/first: no source"]


def test_a_doubled_entry_and_an_empty_list_are_caught(good_copy):
    toc = good_copy.source / "_toc.yml"
    toc.write_text(toc.read_text() + "  - file: chapters/first\n")
    assert gates.every_entry_has_a_page(good_copy) == ["chapters/first: twice in _toc.yml"]
    toc.write_text("format: jb-book\n")
    assert gates.every_entry_has_a_page(good_copy) == ["_toc.yml names no document"]


def test_cells_run_out_of_order_are_caught(good_copy):
    path = good_copy.html.parent / "executed" / "chapters" / "first.ipynb"
    notebook = json.loads(path.read_text())
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    code[0]["execution_count"], code[1]["execution_count"] = 2, 1
    path.write_text(json.dumps(notebook))
    assert any("out of order" in problem for problem in gates.every_cell_ran(good_copy))


def test_an_external_style_sheet_import_is_caught(good_copy):
    sheet = good_copy.html / "_static" / "book.css"
    sheet.write_text("@import 'https://fonts.example.org/a.css';\n" + sheet.read_text())
    assert gates.nothing_external(good_copy) == [
        "_static/book.css loads https://fonts.example.org/a.css"
    ]


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("chapters/first.md", "chapters/first changed"),
        ("actmax_lib/__init__.py", "the library, its data or a pin changed"),
        ("actmax_lib/data.txt", "the library, its data or a pin changed"),
        ("requirements.txt", "the library, its data or a pin changed"),
    ],
)
def test_an_old_book_is_not_taken_for_the_present_one(good_copy, file, words):
    assert gates.current(good_copy) == []
    path = good_copy.source / file
    path.write_text(path.read_text() + "# a change\n")
    assert any(words in problem for problem in gates.current(good_copy))


def test_a_book_without_a_record_is_caught(good_copy):
    (good_copy.html.parent / "record.json").unlink()
    assert gates.current(good_copy) == ["no record of a build: run `make book`"]


def test_the_command_fails_on_a_problem(good_copy, capsys):
    assert command.main([str(good_copy.html)]) == 0
    (good_copy.html / "intro.html").unlink()
    assert command.main([str(good_copy.html)]) == 1
    assert "intro: no page" in capsys.readouterr().out


@pytest.mark.parametrize("gate", gates.GATES)
def test_this_book_passes(gate):
    assert os.path.isfile(ROOT / "_build" / "html" / "index.html"), "run `make book` first"
    assert run(ROOT, gate) == []
