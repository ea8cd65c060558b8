"""How a judge counts: seeds and draws, what is not tried, whose fault it was, two alarms."""

import runpy
from collections import Counter
from types import SimpleNamespace

import pytest

from classroom import batch, hosted, judge
from classroom.calls import Local, Outcome, run
from classroom.checks import check
from classroom.grade import grade
from classroom.remote import Remote, Session
from classroom.sheets import load
from tests.classroom.engine import QUICK, needs_sandbox, notebook, right, tiny, wall

DRAWS = '''
@check("climb", points=1)
def draws(climb, rng):
    """Its draws are told."""
    raise AssertionError(f"drawn: {rng.random()}")
'''
OURS = '''
@check("climb", points=1)
def ours(climb, rng):
    """It calls with what is no data."""
    climb(object(), 1.0)
'''


def class_of_one(folder, extra):
    """The tiny sheet with one check more, worth no points, and one right answer to it."""
    sheet = tiny(folder)
    with (sheet.folder / "hidden.py").open("a") as held:
        held.write(extra.replace("points=1", "points=0"))
    (folder / "in").mkdir()
    (folder / "in" / "anna.ipynb").write_bytes(right())
    return load(sheet.folder), folder / "in"


def test_a_seed_reaches_the_checks_and_is_fresh_each_time(tmp_path):
    sheet, given = class_of_one(tmp_path, DRAWS)

    def drawn(seed):
        out = tmp_path / f"out{seed}"
        result = grade(sheet, given, out, limits=QUICK, seed=seed, unsafe=True)["anna"]
        return [c["message"] for q in result["questions"] for c in q["checks"] if "draws" in str(c)]

    (first,), (second,) = drawn(3), drawn(4)
    assert first.startswith("drawn: 0.")
    assert first != second


def test_fresh_seeds_are_fresh(tmp_path, monkeypatch):
    sheet, given = class_of_one(tmp_path, "")
    seen = []
    monkeypatch.setattr("classroom.grade.graded", lambda run, *_: seen.append(run.seed) or {})
    for name in ("a", "b", "c", "a"):
        grade(sheet, given, tmp_path / name, unsafe=True)
    assert len(set(seen[:3])) == 3
    assert seen[3] == seen[0]  # continued
    held = [runpy.run_path(hosted.__file__)["SEED"] for _ in range(3)]
    assert len(set(held)) == 3


def test_two_checks_draw_each_their_own():
    seen = []

    def one(f, rng):
        """Draws."""
        seen.append(rng.random())

    def two(f, rng):
        """Draws, too."""
        seen.append(rng.random())

    for body in (one, two):
        run(check("q", points=1)(body).check, {"f": Local("f", abs)}, 1)
    assert seen[0] != seen[1]


def test_a_mistake_of_ours_is_not_the_students(tmp_path):
    sheet, given = class_of_one(tmp_path, OURS)
    result = grade(sheet, given, tmp_path / "out", limits=QUICK, unsafe=True)["anna"]
    assert result.get("failed")
    assert result["flags"][0].startswith("NOT GRADED: Failed: WireError")
    assert "your teacher has been told" in result["problem"]


def tried(monkeypatch, kinds, left=99.0):
    """The names of the checks that are tried where each ends as told, and all outcomes."""
    seen, session = [], SimpleNamespace(left=left)

    def one(found, *_):
        seen.append(found.name)
        return Outcome(found.name, "", found.question, 1, 0, kinds[found.name], "")

    monkeypatch.setattr(judge, "_one", one)
    told = [SimpleNamespace(name=n, title="", question=n[0], points=1) for n in kinds]
    return seen, judge.judged(told, session, 1)


@pytest.mark.parametrize("loss", ["slow", "died"])
def test_a_question_that_ends_the_program_twice_is_left_alone(loss, monkeypatch):
    kinds = dict.fromkeys(["a1", "b1", "a2", "a3", "b2", "b3"], loss) | {"c1": "passed"}
    seen, outcomes = tried(monkeypatch, kinds)
    assert seen == ["a1", "b1", "a2", "b2", "c1"]
    assert Counter(o.message for o in outcomes) == {
        "": 5, "not tried, after what happened before": 2,
    }  # fmt: skip


def test_wrong_answers_are_no_losses(monkeypatch):
    kinds = dict(
        zip(["a1", "a2", "a3", "a4"], ["wrong", "raised", "unreadable", "blank"], strict=True)
    )
    assert tried(monkeypatch, kinds)[0] == list(kinds)


def test_after_its_time_nothing_is_tried(monkeypatch):
    seen, outcomes = tried(monkeypatch, {"a1": "passed", "b1": "passed"}, left=0.0)
    assert seen == []
    assert [(o.kind, o.earned) for o in outcomes] == [("slow", 0)] * 2
    assert "time for this notebook is used up" in outcomes[0].message


@needs_sandbox
def test_one_who_swallows_an_alarm_gets_another():
    # a sleep: Python 3.11 lets no `except` catch what is raised in a bare `while True: pass`
    loop = "import time\ntry:\n    time.sleep(99)\nexcept BaseException: pass\nwhile True: pass"
    call = "def f():\n" + "".join(f"    {line}\n" for line in loop.splitlines())
    with Session(notebook(loop, call), wall(), QUICK) as session:
        assert [cell for cell, _, _ in session.start().stopped] == [0]
        assert session.starts == 1
        with pytest.raises(Exception) as caught:  # noqa: PT011 - its kind is asked at once
            session.call("f", (), {}, 0.3)
        assert caught.value.kind == "slow"
        assert session.starts == 1


@needs_sandbox
def test_what_a_call_back_refuses_is_wrong_on_both_sides_whatever_is_raised_then():
    @check("q", points=1)
    def asks(f):
        """f asks with numbers."""

        def g(x):
            assert not isinstance(x, str), "no text"
            return x

        f(g)

    source = "def f(g):\n    try:\n        g('text')\n    except Exception:\n        {}['other']"
    held = {}
    exec(source, held)
    here = run(asks.check, {"f": Local("f", held["f"])}, 1)
    with Session(notebook(source), wall(), QUICK) as session:
        assert run(asks.check, {"f": Remote(session, "f")}, 1) == here
    assert (here.kind, here.message.splitlines()[0]) == ("wrong", "no text")


def test_a_failed_judge_is_written_down_as_such(tmp_path):
    told = batch.failed(SimpleNamespace(sheet=tiny(tmp_path)), "x" * 999)
    assert told["failed"]
    assert told["flags"] == ["NOT GRADED: " + "x" * 300]
