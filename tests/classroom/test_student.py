"""What stands in the first cell of each student notebook: one rule for `close`, and kind words."""

import math

import numpy as np
import pytest

from classroom import checks, student

both = pytest.mark.parametrize("close", [student.close, checks.close])


@both
@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1.0, [1.0]), ([1.0, 1.0], 1.0), ([[1.0]], [1.0]),  # no broadcasting
        (math.nan, math.nan), (math.inf, math.inf), (1.0, math.inf), (1.0, -math.inf),
        (1.0, math.nan), (math.inf, 1.0), ([1.0, 2.0], [1.0, math.inf]),
        (None, 0.0), ("one", 1.0), ([[1.0], [1.0, 2.0]], [1.0]), ({}, 0.0),
        (1.0, 1.0 + 3e-8), (-1.0, 1.0), (1 + 5j, 1.0), (np.array([1 + 5j]), [1.0]),
    ],
)  # fmt: skip
def test_what_is_not_close(close, a, b):
    assert close(a, b) is False


@both
def test_what_is_close(close):
    assert close(1.0, 1.0 + 1e-8) is True
    assert close([[1e6, 2]], np.array([[1e6 + 9e-3, 2]])) is True
    assert close(np.zeros((0, 2)), np.ones((0, 2))) is True
    assert close(1.0, 1.2, tol=0.1) is True
    assert close(1.0, 1.3, tol=0.1) is False


def half(x):
    """What is to be checked, replaced in each case."""
    raise NotImplementedError


def eight(half):
    """x = 8."""
    assert half(8.0) == 4, "one of two equal parts"


CASES = {
    "ok": (lambda x: x / 2, "ok: x = 8."),
    "wrong": (lambda x: x, "not yet: x = 8.\n    one of two equal parts"),
    "blank": (half, "not answered yet: x = 8."),
    "an error": (lambda x: 1 / 0, "your code stopped: x = 8.\n    ZeroDivisionError: div"),
}


@pytest.mark.parametrize("name", CASES)
def test_public_says_what_it_found_and_never_raises(name, monkeypatch, capsys):
    function, said = CASES[name]
    monkeypatch.setitem(globals(), "half", function)
    assert student.public(eight) is eight
    printed = capsys.readouterr().out
    assert printed.startswith(said)


def test_public_names_the_function_that_is_not_there(monkeypatch, capsys):
    monkeypatch.delitem(globals(), "half")
    student.public(eight)
    assert capsys.readouterr().out == ("not there yet: run the cell that defines 'half' first\n")


def test_show_draws_or_says_why_not(monkeypatch, capsys):
    seen = []

    def picture(half):
        seen.append(half(8.0))

    assert student.show(picture) is picture
    later = "the figure appears when the question is answered\n"
    assert (seen, capsys.readouterr().out) == ([], later)
    for function, said in ((CASES["ok"][0], ""), (CASES["an error"][0], "cannot be drawn: Zero")):
        monkeypatch.setitem(globals(), "half", function)
        student.show(picture)
        assert said in capsys.readouterr().out
    assert seen == [4]
    monkeypatch.delitem(globals(), "half")
    student.show(picture)
    assert capsys.readouterr().out == later
