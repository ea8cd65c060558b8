"""Files of a grading: each mark to its student, words of strangers quoted, nothing half written."""

import json
import os
import shutil
from dataclasses import fields, replace
from pathlib import Path

import pytest

from classroom import batch, report
from classroom.batch import Run
from classroom.claims import NAMES, found
from classroom.grade import main
from classroom.sandbox import Limits
from classroom.submissions import Submission
from classroom.wall import Wall
from tests.classroom.engine import tiny

EVIL = "\x1b[31m<script>\n![x](http://y)"


def result(sheet, answer=""):
    """A result without points."""
    told = {"words": {"in-words": answer}, "file": "x.ipynb", "name": "", "id": ""}
    return batch.nothing(sheet, "") | told


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "grades.csv"
    report.write(path, "old")

    def fails(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr(Path, "write_text", fails)
    with pytest.raises(OSError, match="full"):
        report.write(path, "new")
    monkeypatch.undo()
    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(OSError, match="full"):
        report.write(path, "new")
    assert path.read_text() == "old"


@pytest.mark.parametrize("kind", report.KIND)
def test_feedback_says_what_became_of_a_check_and_quotes_strangers(kind, tmp_path):
    sheet = tiny(tmp_path)
    told = result(sheet)
    ok = {"kind": "passed", "title": "Another.", "points": 1, "message": "ok"}
    one = {"kind": kind, "title": "Twice.", "points": 2, "message": EVIL}
    told["questions"][0]["checks"] = [ok, one]
    said = report.feedback(sheet, "anna", told, {}).splitlines()
    (line,) = [line for line in said if "Twice. (2)" in line]
    words = {
        "passed": "right", "wrong": "not right", "blank": "not answered yet",
        "missing": "not found", "raised": "an error", "slow": "too slow",
        "died": "ended the program", "unreadable": "no usable answer",
    }  # fmt: skip
    assert line == f"* {words[kind]}: Twice. (2)"
    quoted = [line.strip() for line in said if "script" in line or "http" in line]
    assert quoted == ([] if kind == "passed" else ["> \x1b[31m&lt;script>", "> !&#91;x](http://y)"])


def test_a_message_is_said_once(tmp_path):
    sheet = tiny(tmp_path)
    told = result(sheet)
    same = {"kind": "slow", "title": "One.", "points": 1, "message": "double took too long"}
    told["questions"][0]["checks"] = [same, same | {"title": "Two."}]
    said = report.feedback(sheet, "anna", told, {})
    assert said.count("double took too long") == 1
    assert "* too slow: Two. (1)\n  (as above)\n" in said


def test_a_problem_is_quoted(tmp_path):
    sheet = tiny(tmp_path)
    said = report.feedback(sheet, "anna", batch.nothing(sheet, EVIL), {}).splitlines()
    assert [line for line in said if "script" in line or "http" in line] == [
        "> \x1b[31m&lt;script>", "> !&#91;x](http://y)",
    ]  # fmt: skip


def run_of(folder, out=None):
    return Run(tiny(folder), out or folder, 5, Wall(), Limits())


def test_a_log_moves_no_cursor(tmp_path):
    run = run_of(tmp_path)
    for name in ("logs", "feedback", "results"):
        (tmp_path / name).mkdir()
    held = result(run.sheet) | {"log": "a\x1b[2J\x9b\rb\nc\td\u202e", "flags": ["\x07"]}
    batch.save(run, Submission("anna", "\x1b.ipynb"), "key", held)
    said = (tmp_path / "logs" / "anna.log").read_text()
    assert all(c.isprintable() or c in "\n\t" for c in said)
    assert "a?[2J??b\nc\td?" in said


LIMITS = [f.name for f in fields(Limits)]


@pytest.mark.parametrize("name", LIMITS)
def test_another_limit_is_another_grading(name, tmp_path):
    run, work = run_of(tmp_path), Submission("anna", "anna.ipynb")
    other = replace(run, limits=replace(run.limits, **{name: getattr(run.limits, name) + 1}))
    assert run.key(work, b"x") == replace(run).key(work, b"x")
    assert other.key(work, b"x") != run.key(work, b"x")


def test_what_else_makes_another_grading(tmp_path):
    run, work = run_of(tmp_path), Submission("anna", "anna.ipynb")
    key = run.key(work, b"x")
    others = [
        replace(run, seed=6).key(work, b"x"),
        replace(run, wall=Wall(unsafe=True)).key(work, b"x"),
        run.key(work, b"y"),
        run.key(replace(work, file="b.ipynb"), b"x"),
        run.key(replace(work, flags=("late",)), b"x"),
        run.key(replace(work, problem="damaged"), b"x"),
        run.key(replace(work, name="Anna"), b"x"),
        run.key(replace(work, id="7"), b"x"),
        replace(run, sheet=run.sheet.only({1, 3})).key(work, b"x"),
    ]
    assert len({key, *others}) == len(others) + 1


RULES = ("calls", "checks", "claims", "driver", "inside", "judge", "reading", "remote", "wire")


@pytest.mark.parametrize("name", ["hidden.py", "sheet.md", *(f"{rule}.py" for rule in RULES)])
def test_other_checks_or_rules_are_another_grading(name, tmp_path, monkeypatch):
    run, work = run_of(tmp_path), Submission("anna", "anna.ipynb")
    for path in Path(batch.__file__).parent.glob("*.py"):
        shutil.copy(path, tmp_path)
    monkeypatch.setattr(batch, "__file__", str(tmp_path / "batch.py"))
    key = run.key(work, b"x")
    place = run.sheet.folder if name in ("hidden.py", "sheet.md") else tmp_path
    with (place / name).open("a") as held:
        held.write("\n")
    assert replace(run).key(work, b"x") != key


def test_options_of_the_command_are_the_limits(tmp_path, monkeypatch):
    seen = []

    def graded(run, *_):
        seen.append(run.limits)
        return {}

    monkeypatch.setattr("classroom.grade.graded", graded)
    sheet, out = tiny(tmp_path), tmp_path / "out"
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "anna.ipynb").write_bytes(b"{}")
    told = [f"{sheet.folder}/", str(tmp_path / "in"), "--out", str(out), "--unsafe"]
    more = ["--memory", "0.7", "--seconds", "77", "--cell-seconds", "3"]
    for extra, wanted in ((more, (0.7, 77, 3)), ([], (sheet.memory, 300, 30))):
        assert main([*told, *extra]) == 0
        limits = json.loads((out / "run.json").read_text())["limits"]
        assert (limits["memory"], limits["seconds"], limits["cell"]) == wanted
        assert limits == vars(seen[-1])


def test_claims_are_cut_to_form():
    told = {
        "names": ["double", "a b", "", "1x", 3, None, "x.y", ["z"], "größe"],
        "words": {"in-words": "mine", "other": "forged", "n": 3},
        "stopped": [[1, "why", ["f", 2]], [True, "x", []], ["1", "x", []], [2, "x"], 4],
    }
    seen = found(told, {}, ["in-words", "n"])
    assert seen.names == ["double", "größe"]
    assert seen.words == {"in-words": "mine", "n": ""}
    assert seen.stopped == [(1, "why", ["f", ""])]
    many = found({"names": [f"f{k}" for k in range(NAMES + 5)]}, {}, [])
    assert NAMES == 2000
    assert len(many.names) == NAMES
    assert found({"words": {"w": "x" * 10**6}}, {}, ["w"]).words == {"w": "x" * 20_000}
