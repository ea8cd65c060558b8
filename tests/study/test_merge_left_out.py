"""Which files count: what is left out is named and changes no number."""

import os

from actmax_lib.study.merge import expanded, gather, report
from actmax_lib.study.told import text
from tests.study.sessions import DESIGN, file, forged, joined, played, table
from tests.study.test_merge import SCORES, class_of


def test_what_is_left_out_changes_no_number(tmp_path):
    """Every kind of fault beside five good files: the same result, every fault named."""
    good = class_of(tmp_path, SCORES)
    alone = report(gather(good, DESIGN))
    whole = good[0].read_text()
    bad = {
        "cut.csv": whole[:900],
        "stopped.csv": played(2, session="s00000aaa", count=9),
        "version.csv": forged(whole, version="2"),
        "stimuli.csv": forged(whole, stimuli="ffffffff"),
        "edited.csv": joined([[c.replace("left", "right") for c in r] for r in table(whole)]),
        "copy.csv": whole.replace("\n", "\r\n"),
        "empty.csv": "",
        "joined.csv": whole + whole,
        "other.csv": "name,grade\n",
    }
    paths = good + [file(tmp_path, content, name) for name, content in bad.items()]
    found = report(gather(paths, DESIGN))
    assert found["modes"] == alone["modes"]
    kinds = {os.path.basename(one["file"]): one["kind"] for one in found["left_out"]}
    assert kinds == {
        "cut.csv": "truncated", "stopped.csv": "truncated", "version.csv": "another version",
        "stimuli.csv": "other stimuli", "edited.csv": "tampered", "copy.csv": "copy",
        "empty.csv": "empty", "joined.csv": "merged", "other.csv": "not a record",
    }  # fmt: skip
    told = text(found)
    section = told[told.index("LEFT OUT") :]
    for name in bad:
        assert name in section
    assert told.startswith("5 of 14 files counted, 9 left out.")


def test_a_name_does_not_reach_the_terminal_raw(tmp_path):
    bad = file(tmp_path, "hello", "a\x1b[31m.csv")
    good = file(tmp_path, played(), "b\x1b[31m.csv")
    told = text(report(gather([bad, good], DESIGN)))
    assert "\x1b" not in told
    assert "a\\x1b[31m.csv, line 1: is not a CSV of this study" in told


def test_of_copies_the_first_counts(tmp_path):
    first = file(tmp_path, played(), "first.csv")
    again = file(tmp_path, "\ufeff" + played(), "again.csv")
    found = gather([first, again], DESIGN)
    assert [s.path for s in found.sessions] == [first]
    assert [(e.path, e.kind) for e in found.left_out] == [(again, "copy")]
    assert f"copy of {first}" in found.left_out[0].reason


def test_of_a_session_with_two_contents_none_counts(tmp_path):
    paths = [file(tmp_path, played(noise=k % 2), f"{k}.csv") for k in range(3)]
    other = file(tmp_path, played(7, session="s0000002b"), "other.csv")
    found = gather([*paths, other], DESIGN)
    assert [s.path for s in found.sessions] == [other]
    assert [(e.path, e.kind) for e in found.left_out] == [(p, "conflict") for p in paths]
    assert all("s0000002a" in e.reason for e in found.left_out)


def test_an_early_export_does_not_disturb_the_whole_one(tmp_path):
    early = file(tmp_path, played(count=12), "early.csv")
    late = file(tmp_path, played(), "late.csv")
    found = gather([early, late], DESIGN)
    assert [s.path for s in found.sessions] == [late]
    assert [e.kind for e in found.left_out] == ["truncated"]


def test_files_of_arguments(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deep").mkdir()
    (tmp_path / "none").mkdir()
    for name in ("b.csv", "a.CSV", ".hidden.csv", "note.txt", "x[1].csv", "deep/c.csv"):
        (tmp_path / name).write_text("")

    def names(*given):
        return [str(path) for path in expanded(given)]

    assert names("*.csv") == ["b.csv", "x[1].csv"]
    assert names(".") == ["a.CSV", "b.csv", "x[1].csv"]
    assert names("x[1].csv") == ["x[1].csv"]
    assert names("b.csv", "./b.csv", tmp_path / "b.csv", "*.csv") == ["b.csv", "x[1].csv"]
    assert names("**/c.csv") == ["deep/c.csv"]
    assert names("none", "gone*.csv") == ["none", "gone*.csv"]
    assert [e.kind for e in gather(["none", "gone*.csv"], DESIGN).left_out] == ["unreadable"] * 2
