"""The figures that show pictures: the film of an ascent, with and without each ingredient."""

import numpy as np
import pytest

from tests.browser.figure_checks import (
    control,
    numbers,
    operate,
    seen,
    slide,
    wait_for_rest,
)


def test_film_shows_the_frame_and_states_its_value(show):
    page, figure = show("film")
    operate(page, control(figure, "film"))
    slide(figure, "frame", 2)
    stated = numbers(page, figure)
    assert (stated["step"], stated["value"]) == (6, 13)
    label = figure.query_selector("canvas").get_attribute("aria-label")
    assert label == "Picture of daisy, step 6 of 9: objective f 13.00."
    # The canvas shows frame 2 of film 1: its mean colour, read back from the pixels.
    frames = np.random.default_rng(0).random((4, 2, 3, 16, 16))
    mean = figure.query_selector("canvas").evaluate(
        """c => { const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
          const s = [0, 0, 0]; d.forEach((v, i) => { if (i % 4 < 3) s[i % 4] += v });
          return s.map(v => v / (d.length / 4) / 255) }"""
    )
    assert mean == pytest.approx(frames[2, 1].mean(axis=(1, 2)), abs=0.004)


def test_film_plays_to_its_end_and_stops(show):
    page, figure = show("film")
    assert numbers(page, figure)["step"] == 9  # a page nobody touches shows the end
    slide(figure, "frame", 1)
    play = control(figure, "play")
    operate(page, play)
    seen(page, figure)
    assert play.text_content() == "Pause"
    page.wait_for_function("b => b.textContent === 'Play'", arg=play)
    assert numbers(page, figure)["step"] == 9
    operate(page, play)  # from the end it starts again
    assert numbers(page, figure)["step"] < 9
    operate(page, play)
    wait_for_rest(page, figure)
    assert play.text_content() == "Play"


def test_ingredients_offer_what_was_rendered_and_nothing_else(show):
    page, figure = show("ingredients")

    def enabled():
        seen(page, figure)
        boxes = ("fourier", "colour", "robust")
        return [control(figure, box).is_enabled() for box in boxes]

    assert enabled() == [False, False, True]  # from 111 one step down the ladder
    assert "not rendered without this" in figure.text_content()
    operate(page, control(figure, "robust"))
    assert enabled() == [False, True, True]
    operate(page, control(figure, "class"))
    stated = numbers(page, figure)
    assert (stated["p.daisy"], stated["value"]) == (0.81, 12)  # combination 110: 6/8 + 1/16
    operate(page, control(figure, "combo-000"))
    assert numbers(page, figure)["value"] == 0
    assert enabled() == [True, False, False]
    alt = figure.query_selector("img.am-picture").get_attribute("alt")
    assert alt == "Picture made for daisy with none of the ingredients."
