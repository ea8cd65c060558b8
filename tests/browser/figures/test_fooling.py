"""The figure of the circuit: its numbers by formula, its climbs by the proposition, its limits."""

import numpy as np
import pytest

from tests.browser.figure_checks import control, numbers, operate, seen, slide

CENTRES = np.array([[-1.3, 0.4], [1.2, -1.5]])
T, RADIUS, STRENGTH = np.array([1.2, 1.6]), 2.2, 1.5


def f(x):
    """The landscape, written anew."""
    a, b = np.exp(-((np.asarray(x)[..., None, :] - CENTRES) ** 2).sum(-1) / 1.6).T
    return 1.5 * (a - b)


def set_state(figure, **values):
    for name, value in values.items():
        slide(figure, name, value)


def told(figure):
    return figure.query_selector(".am-statement").text_content()


def test_fooling_states_f_the_circuit_and_the_steepest_slope(show):
    page, figure = show("fooling")
    stated = numbers(page, figure)
    assert stated["plain"] == pytest.approx(f(T), abs=1e-3)
    assert stated["top"] == pytest.approx(f(T) + STRENGTH * RADIUS, abs=1e-3)
    side = np.linspace(-RADIUS, RADIUS, 441)
    x = T + np.stack(np.meshgrid(side, side), -1).reshape(-1, 2)
    x, h = x[np.abs(x - T).sum(1) <= RADIUS], 1e-5
    slopes = [np.abs(f(x + h * e) - f(x - h * e)).max() / (2 * h) for e in np.eye(2)]
    assert stated["steepest"] == pytest.approx(max(slopes), abs=0.01)
    assert stated["steepest"] < STRENGTH


def test_fooling_climb_ends_at_t_and_the_honest_one_on_the_hill(show):
    page, figure = show("fooling")
    for t in ((1.2, 1.6), (1.4, 1.6), (1.4, 1.4)):
        set_state(figure, t1=t[0], t2=t[1])
        stated = numbers(page, figure)
        assert [stated["fooled.0"], stated["fooled.1"]] == pytest.approx(t, abs=0.02)
        end = np.array([stated["honest.0"], stated["honest.1"]])
        around = end + 0.2 * np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]])
        assert f(around).argmax() == 0  # a hill of f, and far from t
        assert (stated["right"], stated["caught"]) == (20, 0)
        assert "answers are the same" in told(figure)
        assert "ends at t" in told(figure)


def test_fooling_weak_circuit_does_not_hold_the_climb(show):
    page, figure = show("fooling")
    set_state(figure, strength=0.05, start1=-0.2, start2=0.9)
    stated = numbers(page, figure)
    assert stated["steepest"] > 0.05
    assert abs(stated["fooled.0"] - T[0]) > 0.5
    assert "not above the steepest slope" in told(figure)
    assert stated["right"] == 20


def test_fooling_start_outside_climbs_as_if_there_were_nothing(show):
    page, figure = show("fooling")
    set_state(figure, start1=-2.0, start2=-1.0)
    stated = numbers(page, figure)
    for i in (0, 1):
        assert stated[f"fooled.{i}"] == stated[f"honest.{i}"]
    assert "does not feel it" in told(figure)


def test_fooling_ball_with_data_in_it_is_found_out(show):
    page, figure = show("fooling")
    before = numbers(page, figure)
    set_state(figure, radius=round(before["nearest"] - 0.06, 2))
    assert numbers(page, figure)["caught"] == 0
    set_state(figure, radius=4.0, strength=3.0)
    stated = numbers(page, figure)
    assert stated["nearest"] < 4 < stated["nearest"] + 4
    assert stated["caught"] > 0
    assert stated["right"] < 20
    assert "a test that compares values shows it" in told(figure)


def test_fooling_t_is_dragged_and_reset_by_keyboard(show):
    page, figure = show("fooling")
    first = seen(page, figure)
    canvas = figure.query_selector("canvas").bounding_box()
    scale = (canvas["width"] - 38) / 6
    x = canvas["x"] + 30 + (T[0] + 3) * scale
    y = canvas["y"] + 8 + (3 - T[1]) * (canvas["height"] - 32) / 6
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 0.5 * scale, y, steps=3)
    page.mouse.up()
    stated = numbers(page, figure)
    assert float(control(figure, "t1").input_value()) == pytest.approx(T[0] - 0.5, abs=0.11)
    assert stated["fooled.0"] == pytest.approx(T[0] - 0.5, abs=0.12)
    operate(page, control(figure, "reset"))
    assert seen(page, figure) == first
