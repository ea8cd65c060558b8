"""What checks are made of: `close` has no broadcasting and never raises, errors have names."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classroom.calls import Local
from classroom.checks import Blank, check, checks_of, close, refuses, unpack


class Evil:
    """Lies about everything that can be asked."""

    def __array__(self, *a, **k):
        raise RuntimeError("no")

    def __eq__(self, other):
        return True

    __hash__ = None


@given(st.floats(-1e6, 1e6), st.floats(1e-12, 1e-3))
def test_close_is_relative_and_absolute(value, tol):
    edge = tol * (1 + abs(value))
    assert close(value + 0.9 * edge, value, tol)
    assert not close(value + 1.2 * edge, value, tol)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (1.0, [1.0]),  # no broadcasting
        ([1.0, 1.0], 1.0),
        ([[1.0]], [1.0]),
        (math.nan, math.nan),
        (math.inf, math.inf),
        ([math.nan, 1.0], [1.0, 1.0]),
        (True, 1.0),
        (1, True),
        ("1.0", 1.0),
        (None, 0.0),
        ([[1.0], [1.0, 2.0]], [1.0]),
        (Evil(), 1.0),
        ({}, 0.0),
        (lambda: 1.0, 1.0),
    ],
)
def test_close_knows_what_is_not_an_answer(answer, expected):
    assert not close(answer, expected)


def test_close_takes_whole_numbers_truth_values_and_complex_ones():
    assert close(3, 3.0)
    assert close([True, False], np.array([True, False]))
    assert not close([True, True], [True, False])
    assert close(1 + 1e-9j, 1 + 0j)
    assert not close(1 + 1e-3j, 1 + 0j)


def test_refuses_wants_that_error():
    def f(what):
        if what is None:
            return 1.0
        raise what("no")

    class Unbounded(ValueError):
        pass

    proxy = Local("f", f)
    with pytest.raises(AssertionError, match=r"f should raise ValueError here; it returns 1\.0"):
        refuses(ValueError, proxy, None)
    assert raised_by(f, ValueError, ValueError) is None
    assert raised_by(f, "Unbounded", Unbounded) is None
    assert raised_by(f, ValueError, Unbounded) is None  # a subclass
    assert "raises KeyError where it should raise ValueError" in raised_by(f, ValueError, KeyError)
    assert "raises ValueError where" in raised_by(f, "Unbounded", ValueError)


def raised_by(f, wanted, thrown):
    """What `refuses` complains about when f throws that class."""
    try:
        refuses(wanted, Local("f", lambda: f(thrown)))
    except AssertionError as error:
        return str(error)


def test_a_blank_is_no_refusal():
    def blank():
        raise NotImplementedError("later")

    with pytest.raises(Blank):
        refuses(NotImplementedError, Local("blank", blank))


def test_unpack_says_what_it_got():
    assert unpack((1, 2), "a, b") == (1, 2)
    for answer, said in [(None, "nothing"), (1.0, "float"), ((1, 2, 3), "tuple of 3")]:
        with pytest.raises(AssertionError, match=f"tuple \\(a, b\\), not {said}"):
            unpack(answer, "a, b")


def test_checks_keep_their_order_title_and_needs():
    @check("q", points=2)
    def second(g, f, rng):
        """Title.

        More.
        """

    @check("q", points=1, seconds=30)
    def first(f):
        """Another."""

    found = checks_of(SimpleNamespace(second=second, other=3, first=first))
    assert [(c.name, c.title, c.points, c.seconds, c.needs) for c in found] == [
        ("second", "Title.", 2, 10, ("g", "f")),
        ("first", "Another.", 1, 30, ("f",)),
    ]
    with pytest.raises(ValueError, match="docstring"):
        check("q", points=1)(lambda f: None)
