"""The figure of the linear unit states the closed forms and climbs by the law of ascent."""

import numpy as np
import pytest

from actmax_lib import UnboundedProblemError, closed_forms
from tests.browser.figure_checks import (
    control,
    numbers,
    operate,
    seen,
    slide,
    wait_for_rest,
)


def test_linear_states_the_closed_form(show):
    page, figure = show("linear")
    for lam, w in ((0.05, (1.5, -0.5)), (0.3, (-3, 0)), (0.5, (0, 0)), (2.0, (0.05, 2.5))):
        for name, value in (("lam", lam), ("w1", w[0]), ("w2", w[1])):
            slide(figure, name, value)
        stated = numbers(page, figure)
        exact = closed_forms.affine_l2(w, 0.0, lam)
        assert [stated["x_star.0"], stated["x_star.1"]] == pytest.approx(exact.x, abs=1e-3)
        assert stated["top"] == pytest.approx(exact.value, abs=1e-3)


def test_linear_climbs_along_the_law_of_gradient_ascent(show):
    page, figure = show("linear")
    slide(figure, "lam", 0.4)
    for _ in range(5):
        operate(page, control(figure, "step"))
    stated = numbers(page, figure)
    exact = closed_forms.affine_l2_path([1.2, 0.8], 0.4, 0.2, 5, x0=[-1.5, 1.0])
    last = np.asarray(exact).reshape(-1, 2)[-1]
    assert [stated["x.0"], stated["x.1"]] == pytest.approx(last, abs=1e-3)
    assert stated["steps"] == 5
    parts = stated["f"] + stated["omega"]
    assert parts == pytest.approx(stated["value"], abs=2e-3)
    assert stated["value"] == pytest.approx(last @ [1.2, 0.8] - 0.4 * last @ last, abs=1e-3)


def test_linear_climb_ends_at_the_maximiser(show):
    page, figure = show("linear", reduced_motion="reduce")
    operate(page, control(figure, "climb"))
    stated = numbers(page, figure)  # at once, because no motion is wanted
    exact = closed_forms.affine_l2([1.2, 0.8], 0.0, 0.3)
    assert [stated["x.0"], stated["x.1"]] == pytest.approx(exact.x, abs=1e-3)
    assert control(figure, "climb").text_content() == "Climb"


def test_linear_without_penalty_says_that_there_is_no_maximiser(show):
    page, figure = show("linear", reduced_motion="reduce")
    slide(figure, "lam", 0)
    with pytest.raises(UnboundedProblemError):
        closed_forms.affine_l2([1.2, 0.8], 0.0, 0.0)
    stated = numbers(page, figure)
    assert stated["top"] == float("inf")
    assert "x_star.0" not in stated
    assert "No maximiser: L grows without bound" in figure.text_content()
    operate(page, control(figure, "climb"))
    wait_for_rest(page, figure)
    assert numbers(page, figure)["value"] > stated["value"] + 5
    for name in ("w1", "w2"):
        slide(figure, name, 0)
    assert numbers(page, figure)["top"] == 0
    assert "every x is a maximiser" in figure.text_content()


def test_linear_says_when_the_step_is_too_long(show):
    page, figure = show("linear")
    slide(figure, "lam", 1)
    for eta, words in ((0.98, "ends there"), (1.0, "to and fro"), (1.02, "too long")):
        slide(figure, "eta", eta)
        seen(page, figure)
        assert words in figure.query_selector(".am-statement").text_content()


def test_linear_point_and_arrow_are_dragged_by_the_pointer(show):
    page, figure = show("linear")
    box = figure.query_selector("canvas").bounding_box()
    # The frame of [-3, 3]^2 inside the canvas, in pixels: left 30, right 8, top 8, bottom 24.
    scale = (box["width"] - 38) / 6

    def at(x, y):
        return box["x"] + 30 + (x + 3) * scale, box["y"] + 8 + (3 - y) * (box["height"] - 32) / 6

    for name, start, end in (("x", (-1.5, 1), (1, -2)), ("w", (1.2, 0.8), (-2, 2))):
        page.mouse.move(*at(*start))
        page.mouse.down()
        page.mouse.move(*at(0, 0), steps=3)
        page.mouse.move(*at(*end), steps=3)
        page.mouse.up()
        seen(page, figure)
        values = [float(control(figure, f"{name}{i}").input_value()) for i in (1, 2)]
        assert values == pytest.approx(end, abs=0.051)
