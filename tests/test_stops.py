"""Stopping early: what `stop` is given, when the run ends, and the ready-made plateau."""

import importlib

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from actmax_lib import NonFiniteError, affine, function, l2, logit, maximize, noise, pixels, point
from actmax_lib.climb import Climb
from actmax_lib.stops import plateau
from tests import nets
from tests.contracts import assert_no_trace

pytestmark = pytest.mark.usefixtures("one_thread")
verb = importlib.import_module("actmax_lib.maximize")
NET = nets.cnn()
CONSTANT = {"schedule": "constant"}


def after(n, seen=None):
    def stop(step, history):
        if seen is not None:
            seen.append((step, history.clone()))
        return step == n

    return stop


@pytest.mark.parametrize("n", [1, 4, 9])
def test_a_run_ends_where_it_is_told_to_and_is_the_shorter_run(n):
    seen = []
    f, how = logit(NET, [1, 2]) + l2(0.01), {"transform": noise(0.1), **CONSTANT}
    run = maximize(f, pixels(3, 8), steps=9, stop=after(n, seen), frames=9, **how)
    short = maximize(f, pixels(3, 8), steps=n, frames=9, **how)
    assert run.stopped == n == len(run.history)
    assert (short.stopped, run.interrupted) == (None, False)
    assert torch.equal(run.images, short.images)
    assert torch.equal(run.history, short.history)
    assert torch.equal(run.frames, short.frames)
    assert run.terms.keys() == short.terms.keys()
    assert [step for step, _ in seen] == list(range(1, n + 1))
    for step, history in seen:
        assert torch.equal(history, run.history[:step])


def test_a_stop_that_never_comes():
    run = maximize(affine([1.0]), point([[0.0]]), steps=5, stop=lambda step, history: False)
    assert (run.stopped, len(run.history)) == (None, 5)
    run = maximize(affine([1.0]), point([[0.0]]), steps=5, stop=lambda *_: torch.tensor(True))
    assert (run.stopped, len(run.history)) == (1, 1)  # a tensor will do


def test_ctrl_c_in_it_returns_the_work_so_far():
    def stop(step, history):
        if step == 3:
            raise KeyboardInterrupt
        return False

    run = maximize(affine([1.0]), point([[0.0]]), steps=9, stop=stop)
    assert (run.interrupted, run.stopped, len(run.history)) == (True, None, 3)


@pytest.mark.parametrize("check_every", [1, 32])
def test_a_stop_does_not_hide_a_nan(monkeypatch, check_every):
    class Far(Climb):
        def __init__(self, *args):
            super().__init__(*args)
            self.check_every = check_every

    monkeypatch.setattr(verb, "Climb", Far)
    falling = affine([-1.0]) + 0 * function(lambda x: x[:, 0].log(), "log")
    how = {"optimizer": "gradient", "lr": 0.5, "steps": 20, **CONSTANT}
    start = point([[1.0]], box=(0.0, 2.0))
    with pytest.raises(NonFiniteError) as caught:  # log 0 at step 2
        maximize(falling, start, stop=after(4), **how)
    assert (caught.value.step, caught.value.term) == (2, "log")
    assert maximize(falling, start, stop=after(1), **how).stopped == 1


def test_errors_in_it_say_where_and_leave_nothing():
    def stop(step, history):
        return {}[step]

    with pytest.raises(KeyError) as caught:
        maximize(affine([1.0]), point([[0.0]]), stop=stop)
    assert "at step 1 of 256" in caught.value.__notes__[0]
    assert_no_trace([NET], lambda: maximize(logit(NET, 1), pixels(3, 8), stop=stop), KeyError)
    with pytest.raises(TypeError, match="stop must be callable, got 5"):
        maximize(affine([1.0]), point([[0.0]]), stop=5)


# --- plateau --------------------------------------------------------------------------------------


def first_stop(values, window, gain):
    """Written out: the first multiple of the window where no image's mean has risen enough."""
    for step in range(2 * window, len(values) + 1, window):
        risen = False
        for k in range(values.shape[1]):
            late = np.mean(values[step - window : step, k])
            early = np.mean(values[step - 2 * window : step - window, k])
            risen = risen or late - early > gain * abs(early)
        if not risen:
            return step
    return None


@given(st.integers(0, 200), st.integers(1, 9), st.sampled_from([0, 0.05, 0.5]), st.booleans())
def test_plateau_against_its_definition(seed, window, gain, negative):
    rng = np.random.default_rng(seed)
    climb = 1 - np.exp(-np.arange(60)[:, None] / rng.uniform(1, 30, 2))
    values = 5 * climb + 0.1 * rng.normal(size=(60, 2)) - 6 * negative
    stop, history = plateau(window, gain), torch.from_numpy(values)
    found = next((n for n in range(1, 61) if stop(n, history[:n])), None)
    assert found == first_stop(values, window, gain)


def test_a_run_ends_on_a_plateau_and_waits_for_its_slowest_image():
    f = affine([1.0, 1.0]) + l2(0.5)  # its maximum is 1, at (1, 1)
    how = {"steps": 2000, "optimizer": "gradient", "lr": 0.1, **CONSTANT}
    near = maximize(f, point([[1.0, 1.0]]), stop=plateau(8), **how)
    far = maximize(f, point([[50.0, 50.0]]), stop=plateau(8), **how)
    assert near.stopped == 16
    assert 16 < far.stopped < 200
    assert float(far.values) > 0.95
    both = maximize(f, point([[1.0, 1.0], [50.0, 50.0]]), stop=plateau(8), **how)
    assert both.stopped == far.stopped


def test_plateau_looks_once_a_window():
    class Blind:
        def __getitem__(self, at):
            raise AssertionError("looked")

    stop = plateau(8)
    assert not any(stop(n, Blind()) for n in range(1, 40) if n < 16 or n % 8)
    with pytest.raises(AssertionError, match="looked"):
        stop(24, Blind())


@pytest.mark.parametrize("wrong", [(0, 0.1), (2.5, 0.1), (4, -0.1), (4, float("nan")), (4, "0")])
def test_plateaus_that_are_none(wrong):
    with pytest.raises((ValueError, TypeError), match="must be"):
        plateau(*wrong)
