"""``python -m actmax_lib.study``: what it prints, writes and returns."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from actmax_lib.study import records
from actmax_lib.study.__main__ import main
from actmax_lib.study.session import load_design, schedule

ROOT = Path(__file__).resolve().parents[2]


def play(folder, name, seed, session, wrong=(), mode="matching", length="short"):
    """A file of the book's own design, all right but the trials ``wrong``."""
    given = []
    for trial in schedule(seed, mode, length, load_design()):
        side = trial.side
        if trial.index in wrong:
            side = "left" if side == "right" else "right"
        given.append((side, 2, 1000 + trial.index))
    path = folder / name
    path.write_text(
        records.write(given, session=session, seed=seed, mode=mode, length=length), encoding="utf-8"
    )
    return path


@pytest.fixture
def two(tmp_path):
    play(tmp_path, "ada.csv", 3, "s00000001", wrong=(5, 9, 20))
    play(tmp_path, "zoë.csv", 4, "s00000002", wrong=(4, 30))
    return tmp_path


def test_all_good_is_0_and_some_left_out_is_1(two, capsys):
    assert main(["merge", str(two / "*.csv")]) == 0
    assert "2 of 2 files counted, 0 left out" in capsys.readouterr().out
    (two / "broken.csv").write_text((two / "ada.csv").read_text()[:800])
    assert main(["merge", str(two)]) == 1
    told = capsys.readouterr().out
    assert "2 of 3 files counted, 1 left out" in told
    assert f"{two / 'broken.csv'}, line " in told


def test_none_good_is_2(tmp_path, capsys):
    (tmp_path / "a.csv").write_text("hello")
    assert main(["merge", str(tmp_path / "a.csv"), str(tmp_path / "gone.csv")]) == 2
    out, err = capsys.readouterr()
    assert "hello" in out
    assert "gone.csv: is not there" in out
    assert "no file counted" in err


def test_the_catch_bar_drops_and_says_so(two, capsys):
    design = load_design()
    caught = [t.index for t in schedule(5, "matching", "short", design) if t.phase == "catch"]
    play(two, "guess.csv", 5, "s00000003", wrong=caught)
    assert main(["merge", str(two), "--catch", "0.8"]) == 0
    told = capsys.readouterr().out
    assert "2 of 3 files counted, 0 left out" in told
    assert "DROPPED by --catch" in told
    assert main(["merge", str(two / "guess.csv"), "--catch", "0.8"]) == 2
    assert main(["merge", str(two), "--catch", "80"]) == 2
    assert "catch must be" in capsys.readouterr().err


def test_json_and_csv_hold_what_counts_and_nothing_else(two, capsys):
    (two / "broken.csv").write_text((two / "ada.csv").read_text()[:800])
    found, pooled = two / "result.json", two / "all.csv"
    asked = ["merge", str(two / "*.csv"), "--json", str(found), "--csv", str(pooled)]
    assert main(asked) == 1
    first = capsys.readouterr().out
    told = json.loads(found.read_text(encoding="utf-8"))
    assert told["counted"] == 2
    assert [os.path.basename(one["file"]) for one in told["left_out"]] == ["broken.csv"]
    lines = pooled.read_text(encoding="utf-8").splitlines()
    trials = len(schedule(3, "matching", "short", load_design()))
    assert lines[0] == ",".join(("participant", *records.COLUMNS))
    assert len(lines) == 1 + 2 * trials
    assert {line.split(",")[0] for line in lines[1:]} == {"1", "2"}
    assert [line.split(",", 1)[1] for line in lines[1 : trials + 1]] == (
        (two / "ada.csv").read_text().splitlines()[1:]
    )
    assert "zo" not in pooled.read_text(encoding="utf-8")  # no names of files, so none of people
    assert main(asked) == 1  # again: the earlier results are no input
    assert capsys.readouterr().out == first


def test_a_participant_has_one_number_over_both_modes_and_no_rows_when_dropped(two):
    caught = [t.index for t in schedule(5, "matching", "short", load_design())
              if t.phase == "catch"]  # fmt: skip
    play(two, "guess.csv", 5, "s00000003", wrong=caught)
    play(two, "pia.csv", 6, "s00000004", mode="occlusion")
    found, pooled = two / "result.json", two / "all.csv"
    asked = ["--catch", "0.8", "--json", str(found), "--csv", str(pooled)]
    assert main(["merge", str(two), *asked]) == 0
    people = [p for m in json.loads(found.read_text())["modes"].values() for p in m["participants"]]
    told = {p["participant"]: p["session"] for p in people}
    assert told == {1: "s00000001", 2: "s00000003", 3: "s00000004", 4: "s00000002"}
    rows = {tuple(line.split(",")[:6:5]) for line in pooled.read_text().splitlines()[1:]}
    assert rows == {("1", "s00000001"), ("3", "s00000004"), ("4", "s00000002")}


@pytest.mark.parametrize("option", ["--csv", "--json"])
def test_answers_are_never_overwritten(two, option, capsys):
    """``merge --csv *.csv``, as a shell writes it out, would replace the first participant."""
    files = sorted(map(str, two.glob("*.csv")))
    before = Path(files[0]).read_bytes()
    assert main(["merge", option, *files]) == 2
    assert Path(files[0]).read_bytes() == before
    out, err = capsys.readouterr()
    assert "no earlier result of merge" in err
    assert out == ""


def test_a_folder_that_is_not_there_is_said(two, capsys):
    assert main(["merge", str(two), "--csv", str(two / "none" / "all.csv")]) == 2
    assert "none" in capsys.readouterr().err


def test_as_a_command_with_a_plain_terminal(two):
    """In another process, with quoted patterns, and a name that ASCII has not."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "actmax_lib.study", "merge", "*.csv"]
    done = subprocess.run(command, cwd=two, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "zo\\xeb.csv" in done.stdout


def test_schedule_prints_every_trial(capsys):
    assert main(["schedule", "7", "--length", "full"]) == 0
    lines = capsys.readouterr().out.splitlines()
    trials = schedule(7, "matching", "full", load_design())
    assert len(lines) == 1 + len(trials)
    assert lines[5].split() == [
        str(getattr(trials[4], name))
        for name in ("index", "phase", "condition", "unit", "batch", "level", "side")
    ]
    assert main(["schedule", "-1"]) == 2
