"""The playground: what the controls choose is what is shown and stated."""

import hashlib
import io
import json
from functools import partial

import numpy as np
import pytest
from PIL import Image

from actmax_lib import widgets
from tests.browser.figure_checks import (
    assert_every_control_moves,
    control,
    numbers,
    operate,
    seen,
    slide,
)
from tests.browser.figures.conftest import PAGE, watched

FAMILIES = [("nothing", []), ("ℓ2", [0.1, 0.5, 2.0]), ("learned", [1.0, 4.0])]
CLASSES, SEEDS, STEPS, SIZE, COLUMNS = ["trouser", "bag"], [0, 7], [16, 64, 256], 8, 10
TILES = 6 * 3 * 2 * 2  # strengths, steps, seeds, classes


def tile(level, steps, seed, k):
    """Place of a picture; level counts the strengths of all families."""
    return ((level * 3 + steps) * 2 + seed) * 2 + k


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    """A grid whose tile k is grey of the level k, with the logit k and the share k / TILES."""
    here = tmp_path_factory.mktemp("playground")
    rows = -(-TILES // COLUMNS)
    sheet = np.zeros((rows * SIZE, COLUMNS * SIZE), np.uint8)
    for k in range(TILES):
        top, left = SIZE * (k // COLUMNS), SIZE * (k % COLUMNS)
        sheet[top : top + SIZE, left : left + SIZE] = k
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, "webp", lossless=True)
    (here / "grid.webp").write_bytes(buffer.getvalue())
    families = [{"key": n, "label": n, "symbol": "λ", "strengths": s} for n, s in FAMILIES]
    text = {
        "sheet": "grid.webp", "sha256": hashlib.sha256(buffer.getvalue()).hexdigest(),
        "command": "none", "columns": COLUMNS, "size": SIZE, "classes": CLASSES, "seeds": SEEDS,
        "steps": STEPS, "families": families, "logit": list(range(TILES)),
        "high": [k / TILES for k in range(TILES)], "data": {"logit": [5, 9], "high": [0.1, 0.2]},
    }  # fmt: skip
    (here / "grid.json").write_text(json.dumps(text))
    return here / "grid.json"


@pytest.fixture
def page(browser, manifest):
    """The figure on a page of its own, at any size; complaints of the browser fail the test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACTMAX_STATIC", "1")
        html = str(widgets.figure(
            "playground", **widgets.playground(manifest), a=[0, 0, 2], b=[1, 1, 0],
            alt="Two grey squares and a chart, drawn for a test.", caption="A playground.",
        ))  # fmt: skip
    file = manifest.parent / "page.html"
    file.write_text(PAGE.format(html), encoding="utf-8")
    with watched(browser) as go:
        yield partial(go, file)


def grey(figure, which):
    """The level of the picture shown on the left (0) or right (1), read from its canvas."""
    return figure.query_selector_all("canvas")[which].evaluate(
        """c => { const copy = document.createElement("canvas").getContext("2d");
          copy.drawImage(c, c.width / 2, c.height / 2, 1, 1, 0, 0, 1, 1);
          return copy.getImageData(0, 0, 1, 1).data[0]; }"""
    )


def shown(page, figure):
    """(tile on the left, tile on the right), as painted, equal to what is stated."""
    stated = numbers(page, figure)
    both = grey(figure, 0), grey(figure, 1)
    assert (stated["a.logit"], stated["b.logit"]) == both
    assert [stated["a.high"], stated["b.high"]] == pytest.approx(
        [k / TILES for k in both], abs=6e-4
    )
    return both


def test_it_starts_as_told(page):
    window, figure = page()
    assert shown(window, figure) == (tile(0, 2, 0, 0), tile(2, 0, 0, 0))
    assert not control(figure, "a-strength").is_enabled()  # nothing has no strength
    assert control(figure, "b-strength").is_enabled()


def test_every_choice_is_painted_and_stated(page):
    window, figure = page()
    control(figure, "class").select_option("1")
    control(figure, "seed").select_option("1")
    assert shown(window, figure) == (tile(0, 2, 1, 1), tile(2, 0, 1, 1))
    assert numbers(window, figure)["data.logit"] == 9
    control(figure, "a-family").select_option("2")
    slide(figure, "a-strength", 1)
    slide(figure, "a-steps", 1)
    assert shown(window, figure) == (tile(5, 1, 1, 1), tile(2, 0, 1, 1))
    text = figure.query_selector(".am-statement").text_content()
    assert "A: learned, λ = 4, 64 steps." in text
    assert "B: ℓ2, λ = 0.5, 16 steps." in text
    label = figure.query_selector("canvas").get_attribute("aria-label")
    assert label.startswith("Picture A made for bag: learned, λ = 4, 64 steps; logit")


def test_a_strength_that_the_next_family_does_not_have_becomes_its_last(page):
    window, figure = page()
    slide(figure, "b-strength", 2)
    assert shown(window, figure)[1] == tile(3, 0, 0, 0)
    control(figure, "b-family").select_option("2")
    assert shown(window, figure)[1] == tile(5, 0, 0, 0)
    control(figure, "b-family").select_option("0")
    assert shown(window, figure)[1] == tile(0, 0, 0, 0)
    assert not control(figure, "b-strength").is_enabled()


def test_a_click_on_a_dot_gives_it_to_picture_b(page):
    """The dots are those of the last number of steps; beside them a click does nothing."""
    window, figure = page()
    control(figure, "class").select_option("1")
    before = shown(window, figure)
    canvas = figure.query_selector_all("canvas")[2]
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    fastest = best = TILES - 1  # of the shares times TILES, of the logits; the least logit is 0

    def place(k):
        """Where the chart has tile k: the frame is 34, 8, 8, 24 pixels from the edges."""
        across, down = box["width"] - 42, box["height"] - 32
        return (
            box["x"] + 34 + across * (k / fastest + 0.04) / 1.1,
            box["y"] + 8 + down * (1.08 - k / best) / 1.14,
        )

    cursor = "c => c.style.cursor"
    for level, family, strength in ((4, 2, 0), (0, 0, 0), (2, 1, 1)):
        k = tile(level, 2, 0, 1)
        window.mouse.click(*place(k))
        assert shown(window, figure) == (before[0], k)
        assert control(figure, "b-family").input_value() == str(family)
        assert control(figure, "b-strength").input_value() == str(strength)
        assert canvas.evaluate(cursor) == "pointer"
        assert canvas.get_attribute("title").startswith(FAMILIES[family][0])
    x, y = place(tile(2, 2, 0, 1))
    window.mouse.click(x - 20, y - 20)
    assert shown(window, figure)[1] == tile(2, 2, 0, 1)
    assert canvas.evaluate(cursor) == canvas.get_attribute("title") == ""


def test_the_keyboard_moves_every_control(page):
    window, figure = page()
    moved = assert_every_control_moves(window, figure)
    assert {"class", "seed", "a-family", "a-steps", "b-family", "b-strength", "b-steps"} <= set(
        moved
    )
    operate(window, control(figure, "b-steps"))
    shown(window, figure)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_it_fits_a_telephone_and_both_modes(page, mode):
    window, figure = page((390, 800), mode)
    before = seen(window, figure)
    assert window.evaluate("() => document.documentElement.scrollWidth") <= 390
    shown(window, figure)
    window.evaluate("m => { document.documentElement.dataset.theme = m }",
                    "dark" if mode == "light" else "light")  # fmt: skip
    assert seen(window, figure) != before  # the chart is painted anew


def test_a_sheet_that_is_another_is_refused(manifest):
    other = manifest.parent / "other.json"
    other.write_text(manifest.read_text().replace('"sha256": "', '"sha256": "0'))
    with pytest.raises(ValueError, match=r"grid.webp is not the picture that other.json describes"):
        widgets.playground(other)
