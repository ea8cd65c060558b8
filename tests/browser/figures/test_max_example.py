"""The figure of max(x1, x2): closed forms, basins, the tie, the merging of two maximisers."""

import itertools

import numpy as np
import pytest

from actmax_lib import closed_forms
from tests.browser.figure_checks import (
    control,
    numbers,
    operate,
    seen,
    slide,
    wait_for_rest,
)


def test_max_example_states_the_closed_form_of_the_smooth_maximum(show):
    page, figure = show("max-example")
    for lam, octave in itertools.product([0.25, 0.5, 1.0], [-1, 0, 1, 2, 2.125, 3, 6]):
        slide(figure, "lam", lam)
        slide(figure, "beta", octave)
        _compare_with_smooth_max(page, figure, lam, octave)


def _compare_with_smooth_max(page, figure, lam, octave):
    stated = numbers(page, figure)
    exact = closed_forms.smooth_max(lam, 2.0**octave, 2)
    expected = sorted([tuple(exact.x), *map(tuple, exact.others)], reverse=True)
    several = 2.0**octave > 4 * lam
    found = [(stated[f"x_star_{k}.0"], stated[f"x_star_{k}.1"]) for k in range(1, 2 + several)]
    assert np.array(found) == pytest.approx(np.array(expected), abs=1e-3)
    assert stated["top"] == pytest.approx(exact.value, abs=1e-3)
    assert ("saddle.0" in stated) == several
    if several:
        assert stated["saddle_value"] == pytest.approx(exact.symmetric_value, abs=1e-3)


def test_max_example_states_the_closed_form_of_the_hard_maximum(show):
    page, figure = show("max-example")
    for lam in (0.25, 1.0, 2.0):
        slide(figure, "lam", lam)
        stated = numbers(page, figure)
        exact = closed_forms.max_coordinate(lam, 2)
        found = {(stated[f"x_star_{k}.0"], stated[f"x_star_{k}.1"]) for k in (1, 2)}
        assert found == {tuple(map(float, x)) for x in (exact.x, *exact.others)}
        assert [stated["saddle.0"], stated["saddle.1"]] == pytest.approx(exact.saddle, abs=1e-3)
        assert stated["saddle_value"] == pytest.approx(exact.saddle_value, abs=1e-3)
        assert stated["top"] == pytest.approx(exact.value, abs=1e-3)


def _drop(page, figure, x, y):
    box = figure.query_selector("canvas").bounding_box()
    low, side = -1, 2.2
    px = 30 + (x - low) / (side - low) * (box["width"] - 38)
    py = 8 + (side - y) / (side - low) * (box["height"] - 32)
    tap = page.touchscreen.tap if page.evaluate("navigator.maxTouchPoints") else page.mouse.click
    tap(box["x"] + px, box["y"] + py)
    wait_for_rest(page, figure)
    return numbers(page, figure)


@pytest.mark.parametrize("touch", [False, True])
def test_max_example_start_climbs_to_the_maximiser_of_its_side(show, touch):
    page, figure = show("max-example", reduced_motion="reduce", has_touch=touch)
    operate(page, control(figure, "clear"))
    counts = {1: 0, 2: 0}
    for start, side in (((1.2, 0.9), 1), ((0.9, 1.2), 2), ((-0.2, -0.9), 1), ((1.9, -0.5), 1)):
        stated = _drop(page, figure, *start)
        counts[side] += 1
        end = (1, 0) if side == 1 else (0, 1)
        assert (stated["end.0"], stated["end.1"]) == pytest.approx(end, abs=1e-3)
        assert {1: stated["to_1"], 2: stated["to_2"]} == counts
        told = figure.query_selector(".am-statement").text_content()
        assert f"climbed to maximiser {side}" in told


def test_max_example_tie_climbs_to_the_saddle(show):
    page, figure = show("max-example", reduced_motion="reduce")
    stated = _drop(page, figure, 1.5, 1.5)
    assert (stated["end.0"], stated["end.1"]) == pytest.approx((0.5, 0.5), abs=1e-3)
    assert (stated["to_1"], stated["to_2"]) == (1, 1)  # those the figure starts with
    assert "tie" in figure.query_selector(".am-statement").text_content()


def test_max_example_start_is_dropped_by_keyboard_and_merges_below_the_split(show):
    page, figure = show("max-example", reduced_motion="reduce")
    slide(figure, "beta", 0)  # beta = 1 < 4 lam = 2
    slide(figure, "start1", 2)
    slide(figure, "start2", -1)
    operate(page, control(figure, "drop"))
    wait_for_rest(page, figure)
    stated = numbers(page, figure)
    exact = closed_forms.smooth_max(0.5, 1.0, 2)
    assert (stated["end.0"], stated["end.1"]) == pytest.approx(exact.x, abs=1e-3)
    assert "one maximiser" in figure.query_selector(".am-statement").text_content()


def test_max_example_climb_is_seen_on_its_way(show):
    page, figure = show("max-example")
    operate(page, control(figure, "drop"))
    first = seen(page, figure)
    assert "end.0" not in numbers(page, figure)  # nothing is said to have ended while it climbs
    page.wait_for_timeout(200)
    assert seen(page, figure) != first
