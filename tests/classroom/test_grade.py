"""A class is graded: tables, feedback, logs; stopped and continued; words marked and merged."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from classroom import batch, marks, report, watching
from classroom.grade import grade, main, numbers
from classroom.sandbox import Limits
from tests.classroom.engine import (
    BLANK,
    CLIMB,
    IMPORTS,
    QUICK,
    needs_sandbox,
    notebook,
    right,
    rows,
    tiny,
)

WORK = {
    "anna": right(),
    "bob": notebook(IMPORTS, BLANK, CLIMB),
    "cy": right("while True: pass", double="def double(x):\n    return 3 * x"),
    "dee": b"{",
}


@pytest.fixture
def place(tmp_path):
    """The tiny sheet and four submissions."""
    (tmp_path / "in").mkdir()
    for name, content in WORK.items():
        (tmp_path / "in" / f"{name}.ipynb").write_bytes(content)
    return tiny(tmp_path), tmp_path / "in", tmp_path / "out"


def totals(out):
    return {student: float(row["total"]) for student, row in rows(out / "grades.csv").items()}


@needs_sandbox
def test_a_class(place, capsys):
    sheet, given, out = place
    results = grade(sheet, given, out, limits=QUICK, jobs=2, seed=5)
    assert list(results) == list(WORK)
    table = rows(out / "grades.csv")
    assert {s: r["total"] for s, r in table.items()} == {
        "anna": "9", "bob": "5", "cy": "5", "dee": "0",
    }  # fmt: skip
    assert {r["of"] for r in table.values()} == {"12"}
    assert (table["bob"]["double"], table["bob"]["climb"], table["bob"]["in-words"]) == (
        "0", "5", "",
    )  # fmt: skip
    assert "took too long" in table["cy"]["flags"]
    assert "cut off" in table["dee"]["flags"]
    assert table["anna"]["flags"] == ""
    everything = json.loads((out / "grades.json").read_text())
    assert everything["run"]["seed"] == 5
    assert everything["run"]["sandbox"] is True
    assert everything["students"]["cy"]["questions"][0]["checks"][0]["kind"] == "wrong"
    said = {name: (out / "feedback" / f"{name}.md").read_text() for name in WORK}
    assert "**9 of 9 points so far**" in said["anna"]
    assert "A person marks this one (up to 3 points)" in said["anna"]
    assert {s: r["to mark"] for s, r in table.items()} == {
        "anna": "3", "bob": "3", "cy": "3", "dee": "0",
    }  # fmt: skip
    assert "Not answered yet. The hint" in said["bob"]
    assert "not right: Twice a vector." in said["cy"]
    assert "> not twice the vector" in said["cy"]
    assert "Please hand in again" in said["dee"]
    assert "took too long" not in said["cy"]  # that is the teacher's to know
    assert "cell 2 TimeIsUp" in (out / "logs" / "cy.log").read_text()
    progress = capsys.readouterr().err.splitlines()
    assert len(progress) == 4
    assert all(" left" in line for line in progress)


@needs_sandbox
def test_who_is_finished_is_not_graded_again(place, monkeypatch):
    sheet, given, out = place
    first = grade(sheet, given, out, limits=QUICK)
    times = {p.name: p.stat().st_mtime_ns for p in (out / "results").iterdir()}
    (given / "bob.ipynb").write_bytes(right())
    (given / "eve.ipynb").write_bytes(right())
    second = grade(sheet, given, out, limits=QUICK)
    again = {
        p.name for p in (out / "results").iterdir() if p.stat().st_mtime_ns != times.get(p.name)
    }
    assert again == {"bob.json", "eve.json"}
    assert second["bob"]["total"] == 9
    assert {s: second[s] for s in ("anna", "cy", "dee")} == {
        s: first[s] for s in ("anna", "cy", "dee")
    }
    for name, old, new in (
        ("hidden.py", "points=5", "points=4"),
        ("sheet.md", 'climb", "points": 5', 'climb", "points": 4'),
    ):
        path = sheet.folder / name
        path.write_text(path.read_text().replace(old, new, 1))
    assert totals(out)["anna"] == 9
    grade(tiny_again(sheet), given, out, limits=QUICK)
    assert totals(out)["anna"] == 8  # the checks have changed
    (given / "anna.ipynb").unlink()
    grade(tiny_again(sheet), given, out, limits=QUICK)
    assert "anna" not in totals(out)


def ended(pids):
    """Whether all these processes end, some seconds being left to them."""
    for _ in range(200):
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            return True
        time.sleep(0.1)
    return False


def tiny_again(sheet):
    from classroom.sheets import load

    return load(sheet.folder)


@needs_sandbox
def test_killed_in_the_middle_and_continued(tmp_path):
    sheet = tiny(tmp_path)
    given, out, whole = tmp_path / "in", tmp_path / "out", tmp_path / "whole"
    given.mkdir()
    lucky = "def double(x):\n    return 2 * x if np.sum(x) > 0 else 3 * x"
    for k in range(5):
        (given / f"s{k}.ipynb").write_bytes(right(double=lucky) if k % 2 else right())
    command = [sys.executable, "-m", "classroom", "grade", f"{sheet.folder}/", str(given)]
    command += ["--jobs", "1"]
    process = subprocess.Popen([*command, "--out", str(out)], stderr=subprocess.DEVNULL)
    while len(list((out / "results").glob("*.json"))) < 2:
        assert process.poll() is None
        time.sleep(0.05)
    family = watching.family(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert ended(family)
    done = len(list((out / "results").glob("*.json")))
    assert 2 <= done < 5
    assert not (out / "grades.csv").exists()
    assert subprocess.run([*command, "--out", str(out)]).returncode == 0
    seed = json.loads((out / "run.json").read_text())["seed"]
    command += ["--seed", str(seed)]
    assert subprocess.run([*command, "--out", str(whole)]).returncode == 0
    assert (out / "grades.csv").read_bytes() == (whole / "grades.csv").read_bytes()


def test_a_table_is_no_program():
    text = marks.table([["=1+1", "@x", "-2", "+", "\tx", "fine", -2, 'a"b\nc']])
    (row,) = csv.reader(io.StringIO(text.lstrip("\ufeff")))
    assert row == ["'=1+1", "'@x", "'-2", "'+", "'\tx", "fine", "-2", 'a"b\nc']
    assert report._quoted("<script>\n![x](http://y)") == "> &lt;script>\n> !&#91;x](http://y)\n"


@needs_sandbox
def test_a_judge_that_fails_is_no_fault_of_the_student(place, monkeypatch, capsys):
    sheet, given, out = place

    def judge(sheet, content, *rest):
        if content == WORK["anna"]:
            os._exit(3)
        if content == WORK["bob"]:
            raise RuntimeError("disk on fire")
        if content == WORK["cy"]:
            time.sleep(60)
        return batch.nothing(sheet, "")

    monkeypatch.setattr(batch, "judge", judge)
    monkeypatch.setattr(batch, "LATEST", 0.0)
    results = grade(sheet, given, out, limits=Limits(seconds=2.0), jobs=4)
    assert {s for s, r in results.items() if r.get("failed")} == {"anna", "bob", "cy"}
    flags = {s: r["flags"] for s, r in rows(out / "grades.csv").items()}
    assert "NOT GRADED: the judge ended with code 3" in flags["anna"]
    assert "NOT GRADED: RuntimeError: disk on fire" in flags["bob"]
    assert "NOT GRADED: the judge did not end in time" in flags["cy"]
    assert "your teacher has been told" in (out / "feedback" / "anna.md").read_text()
    monkeypatch.undo()
    results = grade(sheet, given, out, limits=QUICK)  # tried again, of itself
    assert results["anna"]["total"] == 9
    capsys.readouterr()


def test_the_command_refuses_without_a_sandbox(place, monkeypatch, capsys, tmp_path):
    sheet, given, out = place
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    told = [f"{sheet.folder}/", str(given), "--out", str(out)]
    assert main(told) == 2
    said = capsys.readouterr().err
    assert "No sandbox: bubblewrap (bwrap) is not installed" in said
    assert "--unsafe" in said
    assert not (out / "grades.csv").exists()
    (given / "cy.ipynb").unlink()
    assert main([*told, "--unsafe", "--jobs", "2"]) == 0
    assert totals(out) == {"anna": 9, "bob": 5, "dee": 0}
    assert all(
        "graded without a sandbox" in row["flags"] for row in rows(out / "grades.csv").values()
    )
    assert json.loads((out / "run.json").read_text())["warning"]


@needs_sandbox
def test_the_command_says_what_it_cannot_do(place, capsys, tmp_path):
    sheet, given, out = place
    assert main(["nothing-like-this", str(given), "--out", str(out)]) == 2
    assert main([f"{sheet.folder}/", str(tmp_path / "no"), "--out", str(out)]) == 2
    (tmp_path / "m.csv").write_text("student,question,points\nanna,in-words,99\n")
    told = [f"{sheet.folder}/", str(given), "--out", str(out)]
    assert main([*told, "--words", str(tmp_path / "m.csv")]) == 2
    assert "row 2 (anna)" in capsys.readouterr().err
    from classroom.grade import alone

    with alone(out):
        assert main(told) == 2
    assert "Another grading" in capsys.readouterr().err


@needs_sandbox
def test_some_questions_are_graded_alone_and_then_all(place, capsys):
    sheet, given, out = place
    told = [f"{sheet.folder}/", str(given), "--out", str(out), "--seed", "3"]
    told += ["--cell-seconds", "1.5"]
    assert main([*told, "--questions", "2-3"]) == 0
    table = rows(out / "grades.csv")
    assert (table["anna"]["total"], table["anna"]["of"], table["anna"]["to mark"]) == (
        "5",
        "8",
        "3",
    )
    assert "double" not in table["anna"]
    said = (out / "feedback" / "anna.md").read_text()
    assert "Question 2. Upwards: 5 of 5" in said
    assert "Question 1" not in said
    assert main(told) == 0  # nothing of the part is taken for the whole
    assert totals(out) == {"anna": 9, "bob": 5, "cy": 5, "dee": 0}
    assert main([*told, "--questions", "2,7"]) == 2
    assert "tiny has no question 7" in capsys.readouterr().err
    assert numbers("1-3,7") == {1, 2, 3, 7}
    for wrong in ("", "3-1", "a", "1,,2", "1-"):
        with pytest.raises(SystemExit):
            main([*told, "--questions", wrong])


def test_the_module_knows_its_commands():
    for argv, code in (([], 2), (["--help"], 0), (["nothing"], 2), (["grade", "--help"], 0)):
        done = subprocess.run([sys.executable, "-m", "classroom", *argv], capture_output=True)
        assert done.returncode == code
