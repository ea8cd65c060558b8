"""Contract 6, on the way: NaN and Inf stop the run, Ctrl-C returns the work so far."""

import importlib
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from actmax_lib import NonFiniteError, affine, function, l2, linear, logit, maximize, pixels, point
from actmax_lib.climb import Climb
from tests import nets

pytestmark = pytest.mark.usefixtures("one_thread")
verb = importlib.import_module("actmax_lib.maximize")
COARSE = {"optimizer": "gradient", "schedule": "constant", "lr": 0.25}


def root(x):  # the value is finite everywhere, the gradient is not at 0
    return x.square().sum(1).sqrt()


def log(x):
    return x[:, 0].log()


def calls(make):
    """An objective ``fn(x)`` whose k-th evaluation is ``make(k, fn)(x)``."""
    counter = iter(range(10_000))
    return lambda x: make(next(counter), x)


def assert_stops(step, term, last_good, objective, image, **how):
    with pytest.raises(NonFiniteError) as caught:
        maximize(objective, image, **{"steps": 20} | COARSE | how)
    error = caught.value
    assert (error.step, error.term) == (step, term)
    assert term in str(error)
    assert f"step {step}" in str(error)
    torch.testing.assert_close(error.images, torch.as_tensor(last_good, dtype=error.images.dtype))


def one():
    """x starts at 1 and never leaves [0, 2]."""
    return point([[1.0]], box=(0.0, 2.0))


VALUE = {  # x = 1, 0.5, 0: log 0 is -inf at step 2
    "one term": lambda: (2, "log", [[0.5]], affine([-2.0]) + 0 * function(log), one()),
    "first of all": lambda: (0, "log", [[-1.0]], function(log) + l2(1), point([[-1.0]])),
    "one of three images": lambda: (
        2, "log", [[0.5], [1.0], [1.5]], affine([-2.0]) + 0 * function(log),
        point([[1.0], [1.5], [2.0]], box=(0.0, 2.0)),
    ),
}  # fmt: skip
GRADIENT = {
    "one term": lambda: (4, "root", [[0.25]], affine([-2.0]) + function(root), one()),
    "constant term": lambda: (
        4, "root", [[0.25]],
        function(lambda x: torch.ones(len(x)), "one") + affine([-2.0]) + function(root),
        one(),
    ),
    "after a term that has NaN from NaN": lambda: (
        3, "root", [[0.25]], l2(1e-12) + affine([-2.5]) + function(root), one(),
    ),
    "first of all": lambda: (0, "root", [[0.0]], affine([1.0]) + function(root), point([[0.0]])),
}  # fmt: skip


@pytest.mark.parametrize("case", VALUE)
def test_a_value_that_is_not_finite(case):
    assert_stops(*VALUE[case]())


class Far(Climb):
    """Looks at its flags as rarely as on a GPU."""

    def __init__(self, *args):
        super().__init__(*args)
        self.check_every = 32


@pytest.mark.parametrize("case", GRADIENT)
@pytest.mark.parametrize("kind", [Climb, Far])
def test_a_gradient_that_is_not_finite(monkeypatch, case, kind):
    monkeypatch.setattr(verb, "Climb", kind)
    assert_stops(*GRADIENT[case]())


def test_on_a_cpu_the_run_ends_at_the_first_bad_step():
    evaluations = []
    f = function(lambda x: [evaluations.append(1), x.sum(1) * math.nan][1])
    with pytest.raises(NonFiniteError):
        maximize(f, point([[0.0]]), steps=50)
    assert len(evaluations) == 1


def test_the_last_step_is_looked_at_too():
    f = affine([1e10]) + l2(1e-3)
    assert_stops(1, "affine", [[0.0]], f, point(torch.zeros(1, 1)), lr=1e30, steps=1)


@given(st.integers(0, 70))
def test_the_step_is_right_however_rarely_the_loop_looks(at):
    def bad(k, x):
        return x.flatten(1).sum(1) * (math.nan if k >= at else 1.0)

    def run(f, steps):
        return maximize(l2(1) + f, linear(torch.eye(2), torch.zeros(2)), steps=steps, **COARSE)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verb, "Climb", Far)
        with pytest.raises(NonFiniteError) as caught:
            run(function(calls(bad), "bad"), 71)
    assert (caught.value.step, caught.value.term) == (at, "bad")
    # the last good image is the one before the bad step; there is none before the start
    good = run(affine([1.0, 1]), at - 1).images if at > 1 else torch.zeros(1, 2)
    torch.testing.assert_close(caught.value.images, good)


def test_a_network_that_makes_nan():
    net = nets.cnn()
    net.head.register_forward_hook(lambda _m, _i, output: output / 0 * 0)
    with pytest.raises(NonFiniteError, match="value of logit\\(1\\) is NaN or Inf at step 0"):
        maximize(logit(net, 1) + l2(1), pixels(3, 8))


# --- Ctrl-C ---------------------------------------------------------------------------------------


def assert_returns_the_work_so_far(at, steps=12):
    def interrupting(k, x):
        if k == at:
            raise KeyboardInterrupt
        return x.flatten(1).sum(1)

    f = function(calls(interrupting), "sum") - l2(0.1) / 2
    image = pixels(1, 4)
    run = maximize(f, image, steps=steps, frames=steps, seed=[3, 4])
    assert run.interrupted
    whole = maximize(function(lambda x: x.flatten(1).sum(1), "sum") - l2(0.1) / 2, image,
                     steps=steps, frames=steps, seed=[3, 4])  # fmt: skip
    assert not whole.interrupted
    assert run.history.shape == (at, 2)
    assert torch.equal(run.history, whole.history[:at])
    assert torch.equal(run.terms["sum"], whole.terms["sum"][:at])
    assert torch.equal(run.images, whole.frames[at])
    assert len(run.frames) == len(run.frame_steps) <= at + 1
    assert torch.equal(run.frames, whole.frames[: len(run.frames)])
    assert run.values.isfinite().all()


@given(st.integers(0, 11))
def test_ctrl_c_returns_the_work_so_far(at):
    assert_returns_the_work_so_far(at)


def test_an_error_in_mid_run_says_where():
    def failing(k, x):
        if k == 3:
            raise RuntimeError("planted")
        return x.flatten(1).sum(1)

    with pytest.raises(RuntimeError, match="planted") as caught:
        maximize(function(calls(failing)), pixels(1, 4), steps=9)
    assert "at step 3 of 9" in caught.value.__notes__[0]


def test_what_the_end_needs_is_tried_at_the_start():
    """The values at the end are without T; a run must not be lost for them."""
    seen = []

    def watched(x, streams):
        seen.append(1)
        return x[:, :, :4, :4]

    with pytest.raises(ValueError, match="w has 16 entries, an image has 25") as caught:
        maximize(affine(torch.ones(16)), pixels(1, 5), transform=watched, steps=30)
    assert not seen
    assert "image itself too" in caught.value.__notes__[0]


# --- planted faults -------------------------------------------------------------------------------


def blind(self, done):
    """A loop that does not look."""


def every_term(self):
    return " + ".join(self.objective.names)


def start_again(self, step, bad):
    self.good = torch.ones_like(self.good)
    raise NonFiniteError("x", step=step, term="log", images=self.good)


def late(self, done):
    if not bool(self.alive):
        self.fail(done + 1, ~self.record[done - 1].isfinite().all(dim=1))


@pytest.mark.parametrize(("method", "fault"), [
    ("check", blind), ("check", late), ("fail", start_again), ("with_bad_gradient", every_term),
])  # fmt: skip
def test_contract_6_catches_a_worse_stop(monkeypatch, method, fault):
    monkeypatch.setattr(Climb, method, fault)
    case = GRADIENT if method == "with_bad_gradient" else VALUE
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        assert_stops(*case["one term"]())


def test_contract_6_catches_lost_work(monkeypatch):
    result = Climb.result
    forgetful = lambda self, done, interrupted, s: result(self, max(done - 1, 0), interrupted, s)  # noqa: E731
    monkeypatch.setattr(Climb, "result", forgetful)
    with pytest.raises(AssertionError):
        assert_returns_the_work_so_far(4)
    monkeypatch.setattr(
        Climb, "result", lambda self, done, interrupted, s: result(self, done, False, s)
    )
    with pytest.raises(AssertionError):
        assert_returns_the_work_so_far(4)
