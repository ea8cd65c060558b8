"""`data.result` in a checkout; tests/install asks the same of an installed copy."""

import pytest

from actmax_lib import data
from actmax_lib.data import results
from tests.book.books import ROOT


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("quality.json", "chapters/results/quality.json"),
        ("study", "chapters/results/study"),
        ("ascent/ascent-weights.js", "chapters/results/ascent/ascent-weights.js"),
        ("benchmarks/speed-cpu.json", "benchmarks/results/speed-cpu.json"),
    ],
)
def test_a_result_is_where_its_command_leaves_it(name, place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert data.result(name) == ROOT / place
    assert data.result(name).exists()


@pytest.mark.parametrize("name", ["../../pyproject.toml", "/etc", "study/..", ""])
def test_only_results_are_given(name):
    with pytest.raises(ValueError, match="is not a result of the book; closest names: '"):
        data.result(name)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("qualty.json", "quality.json"), ("speed-cpu.json", "benchmarks/speed-cpu.json")],
)
def test_a_slip_is_answered_with_what_was_meant(name, meant):
    with pytest.raises(ValueError, match=f"closest names: .*'{meant}'"):
        data.result(name)


def test_a_library_without_its_results_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "_PACKAGE", tmp_path / "site" / "actmax_lib")
    with pytest.raises(FileNotFoundError, match="install the library from its repository"):
        data.result("quality.json")


def test_an_installed_copy_looks_into_itself_first(tmp_path, monkeypatch):
    package = tmp_path / "actmax_lib"
    for place in (package / "results", tmp_path / "chapters/results"):
        place.mkdir(parents=True)
        (place / "one.json").write_text("{}")
    monkeypatch.setattr(results, "_PACKAGE", package)
    assert data.result("one.json") == package / "results" / "one.json"
