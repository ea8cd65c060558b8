"""A call lets only data through, finds changed arguments, and tells what went wrong in words."""

import numpy as np
import pytest

from classroom.calls import Local, run
from classroom.checks import AnswerError, Blank, Unreadable, check, close

X = np.arange(3.0)


def told(body, **functions):
    """What a check on these functions comes to."""
    return run(body.check, {n: Local(n, f) for n, f in functions.items()}, seed=7)


@check("q", points=3)
def doubled(f, rng):
    """f doubles."""
    for _ in range(3):
        x = rng.standard_normal(4)
        assert close(f(x), 2 * x), "f does not double"


def test_the_kinds_of_outcome():
    def blank(x):
        raise NotImplementedError

    cases = {
        "passed": (lambda x: 2 * x, "ok"),
        "wrong": (lambda x: 3 * x, "f does not double"),
        "blank": (blank, "not answered yet"),
        "raised": (lambda x: {}["no"], "f raised KeyError: 'no'"),
        "unreadable": (lambda x: object(), "not a value of type object"),
    }
    for kind, (f, words) in cases.items():
        found = told(doubled, f=f)
        assert (found.kind, found.earned) == (kind, 3 if kind == "passed" else 0)
        assert words in found.message
    found = told(doubled, F=abs, double=abs)
    assert (found.kind, found.earned) == ("missing", 0)
    assert told(doubled, ff=abs).message.endswith("There is `ff`: did you rename it?")


def test_seed_and_check_settle_the_draws():
    seen = []

    def body(f, rng):
        """Draws."""
        seen.append(rng.random())

    marked = check("q", points=1)(body)
    for seed in (1, 1, 2):
        run(marked.check, {"f": Local("f", abs)}, seed)
    assert seen[0] == seen[1] != seen[2]


def test_an_argument_changed_in_place_is_told():
    def f(x, y):
        y["inside"][0] += 1
        return x

    with pytest.raises(AssertionError, match="changes its argument number 2 in place"):
        Local("f", f)(X, {"inside": np.zeros(2)})
    with pytest.raises(AssertionError, match="argument `y`"):
        Local("f", f)(X, y={"inside": np.zeros(2)})
    kept = np.zeros(2)
    with pytest.raises(AssertionError):
        Local("f", f)(X, {"inside": kept})
    assert kept.tolist() == [0, 0]  # the judge's own array is never handed over


def test_arguments_with_nan_and_generators_are_not_called_changed():
    rng = np.random.default_rng(3)
    expected = np.random.default_rng(3).random()
    assert Local("f", lambda x, r: r.random())(np.array([np.nan]), rng) == expected
    assert rng.random() == expected  # the student's generator is a copy


def test_call_backs_record_and_copy():
    asked = []

    def gradient(x):
        asked.append(x)
        return -x

    def ascent(grad, x):
        x = x.copy()
        for _ in range(3):
            g = grad(x)
            x += g / 2
            g[:] = 0
        return x

    assert close(Local("ascent", ascent)(gradient, X), X / 8)
    assert [a.tolist() for a in asked] == [(X / 2**n).tolist() for n in range(3)]


def test_a_word_of_the_judge_from_inside_a_call_back_is_the_outcome():
    @check("q", points=1)
    def shapes(f):
        """f asks for vectors."""

        def vector(x):
            assert np.ndim(x) == 1, "the function wants a vector"
            return x

        f(vector)

    def swallows(g):
        try:
            return g(1.0)
        except Exception:
            return 1.0

    assert told(shapes, f=lambda g: g(1.0)).message.startswith("the function wants a vector")
    assert told(shapes, f=swallows).kind == "wrong"
    assert told(shapes, f=lambda g: g(X)).kind == "passed"


def test_errors_carry_the_names_of_their_classes():
    class Unbounded(ValueError):
        pass

    def f():
        raise Unbounded("up")

    with pytest.raises(AnswerError) as caught:
        Local("f", f)()
    assert caught.value.names[:2] == ("Unbounded", "ValueError")
    with pytest.raises(Blank):
        Local("f", lambda: (_ for _ in ()).throw(NotImplementedError()))()
    with pytest.raises(Unreadable):
        Local("f", lambda: [object()])()


def test_an_answer_that_breaks_the_check_is_at_fault():
    @check("q", points=1)
    def adds(f):
        """f is a number."""
        assert f() + 1 == 2

    assert told(adds, f=lambda: "x").kind == "unreadable"
    assert told(adds, f=lambda: 1).kind == "passed"


def test_messages_are_short_and_printable():
    @check("q", points=1)
    def repeats(f):
        """f is short."""
        raise AssertionError(f())

    said = told(repeats, f=lambda: "\x1b[31m" + "a" * 10_000).message
    assert len(said) == 600
    assert said.isprintable()
