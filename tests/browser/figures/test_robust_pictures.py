"""Networks side by side: what is chosen is what is painted, in the pictures and in the strip."""

import json
from functools import partial

import pytest

from actmax_lib import widgets
from actmax_lib._robustness import robust_pictures
from tests.browser.figure_checks import (
    assert_every_control_moves,
    control,
    numbers,
    seen,
    slide,
)
from tests.browser.figures.conftest import PAGE, watched
from tests.browser.figures.sheets import grey, manifest, settled

# data set -> methods as in its manifest, classes, steps, level of its first tile
SETS = {
    "gray": (["standard", "noise", "pgd-l2"], ["shoe", "bag"], [0, 8, 120], 0),
    "colour": (["standard", "pgd-l2"], ["cat", "dog", "ship"], [0, 120], 100),
}
RECIPES = ["no regularizer", "weak pull"]
ROBUST = {"standard": 0.1, "noise": 0.8, "pgd-l2": 0.5}  # so B of the slider: standard, pgd, noise
COSINE = {"standard": (0.2, 0.3), "noise": (0.9, 0.95), "pgd-l2": (0.6, 0.7)}


def level(data, method, recipe, k, step):
    """The grey of a tile: the noise first, then network, recipe, class, step."""
    methods, classes, steps, first = SETS[data]
    if step == 0:
        return first
    at = (methods.index(method) * len(RECIPES) + recipe) * len(classes) + k
    return first + 1 + at * (len(steps) - 1) + step - 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    here = tmp_path_factory.mktemp("robust")
    files = []
    for data, (methods, classes, steps, first) in SETS.items():
        count = 1 + len(methods) * len(RECIPES) * len(classes) * (len(steps) - 1)
        files.append(manifest(
            here, data, count, 5, first, classes=classes, steps=steps, length=0.25,
            recipes=[{"label": label, "lambda": 0.0} for label in RECIPES],
            networks=[{"method": m, "label": f"the {m}", "name": f"{data}-{m}-0",
                       "accuracy": 0.75} for m in methods],
        ))  # fmt: skip
    rows = {
        f"gray-{m}-0": {"robust_l2": r, "plain_cosine_to_mean": COSINE[m][0],
                        "cosine_to_mean": COSINE[m][1]}
        for m, r in ROBUST.items()
    }  # fmt: skip
    told = {"eps": {"l2": 1.5}, "networks": rows}
    (here / "measured.json").write_text(json.dumps(told))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACTMAX_STATIC", "1")
        html = str(widgets.figure(
            "robust-pictures", **robust_pictures(files, [here / "measured.json"]),
            alt="Grey squares and a chart, drawn for a test.", caption="Networks side by side.",
        ))  # fmt: skip
    (here / "page.html").write_text(PAGE.format(html), encoding="utf-8")
    return here


@pytest.fixture
def page(browser, folder):
    with watched(browser) as go:
        yield partial(go, folder / "page.html")


def canvases(figure):
    """(picture A, picture B, chart, strip)."""
    return figure.query_selector_all("canvas")


def shows(page, figure, data, a, b, *, recipe=0, k=0, step=2):
    for canvas, method in zip(canvases(figure)[:2], (a, b), strict=True):
        settled(page, canvas, 0.5, 0.6, level(data, method, recipe, k, step))


def test_it_starts_as_told(page):
    window, figure = page()
    shows(window, figure, "gray", "standard", "pgd-l2")
    found = numbers(window, figure)
    assert (found["a.accuracy"], found["a.robust"], found["a.cosine"]) == (75, 10, 0.2)
    assert (found["b.accuracy"], found["b.robust"], found["b.cosine"]) == (75, 50, 0.6)
    text = figure.query_selector(".am-statement").text_content()
    assert text.startswith("gray, shoe: the same noise after 120 steps of length 0.25, no regular")
    assert text.endswith("from the least robust to the most (ℓ2, ε = 1.5).")


def test_every_choice_is_painted(page):
    window, figure = page()
    control(figure, "class").select_option("2")
    control(figure, "recipe").select_option("1")
    control(figure, "a").select_option("2")  # the most robust: noise
    slide(figure, "step", 1)
    shows(window, figure, "gray", "noise", "pgd-l2", recipe=1, k=1, step=1)
    assert numbers(window, figure)["a.cosine"] == 0.95
    name = canvases(figure)[0].get_attribute("aria-label")
    assert name == 'Picture A of bag by the network "the noise" after 8 steps, weak pull.'


def test_the_slider_carries_the_noise_from_the_least_robust_to_the_most(page):
    window, figure = page()
    for at, method in enumerate(sorted(ROBUST, key=ROBUST.get)):
        slide(figure, "b", at)
        shows(window, figure, "gray", "standard", method)
        assert control(figure, "b").get_attribute("aria-valuetext") == f"the {method}"
    slide(figure, "step", 0)  # the same noise for all
    shows(window, figure, "gray", "standard", "noise", step=0)


def test_all_classes_are_painted_at_once(page):
    window, figure = page()
    control(figure, "class").select_option("0")
    for canvas, method in zip(canvases(figure)[:2], ("standard", "pgd-l2"), strict=True):
        for k, x in enumerate((0.25, 0.75)):
            settled(window, canvas, x, 0.3, level("gray", method, 0, k, 2))
    strip = canvases(figure)[3]
    cell, height = 96, strip.bounding_box()["height"]
    width = strip.bounding_box()["width"]
    for at, method in enumerate(sorted(ROBUST, key=ROBUST.get)):
        for k in (0, 1):
            x, y = (at + 0.5) * cell / width, (k + 0.5) * cell / height
            settled(window, strip, x, y, level("gray", method, 0, k, 2))


def test_a_click_in_the_strip_or_on_a_dot_gives_a_network_to_b(page):
    window, figure = page()
    _, _, chart, strip = canvases(figure)
    strip.scroll_into_view_if_needed()
    box = strip.bounding_box()
    window.mouse.click(box["x"] + 2.5 * 96, box["y"] + 40)
    shows(window, figure, "gray", "standard", "noise")
    window.mouse.click(box["x"] + 3.5 * 96, box["y"] + 40)  # beside the last one
    shows(window, figure, "gray", "standard", "noise")
    window.mouse.click(box["x"] + 0.5 * 96, box["y"] + 40)
    shows(window, figure, "gray", "standard", "standard")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    # robust accuracy from -0.04 to 1.04; cosine: 0 ... 0.9 with 8 and 14 hundredths around
    x = box["x"] + 34 + (box["width"] - 42) * (0.5 + 0.04) / 1.08
    y = box["y"] + 8 + (box["height"] - 32) * (1.14 * 0.9 - 0.6) / (1.22 * 0.9)
    window.mouse.click(x, y)
    shows(window, figure, "gray", "standard", "pgd-l2")
    window.mouse.click(x + 25, y)
    shows(window, figure, "gray", "standard", "pgd-l2")


def test_another_data_set_has_its_own_classes_methods_and_no_chart(page):
    window, figure = page()
    slide(figure, "b", 2)  # noise, which the other set has not
    control(figure, "class").select_option("2")
    control(figure, "data").select_option("1")
    shows(window, figure, "colour", "standard", "pgd-l2", k=1, step=1)
    options = control(figure, "class").evaluate("c => [...c.options].map(o => o.textContent)")
    assert options == ["all classes", "cat", "dog", "ship"]
    found = numbers(window, figure)
    assert set(found) == {"a.accuracy", "b.accuracy"}  # nothing was measured
    assert not canvases(figure)[2].is_visible()
    control(figure, "data").select_option("0")
    shows(window, figure, "gray", "standard", "noise", k=1)
    assert canvases(figure)[2].is_visible()


def test_the_keyboard_moves_every_control(page):
    window, figure = page()
    moved = assert_every_control_moves(window, figure)
    assert set(moved) == {"data", "class", "recipe", "a", "b", "step"}


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_it_fits_a_telephone_and_both_modes(page, mode):
    window, figure = page((390, 800), mode)
    before = seen(window, figure)
    assert window.evaluate("() => document.documentElement.scrollWidth") <= 390
    shows(window, figure, "gray", "standard", "pgd-l2")
    assert grey(canvases(figure)[3], 0.1, 0.5) == level("gray", "standard", 0, 0, 2)
    window.evaluate("m => { document.documentElement.dataset.theme = m }",
                    "dark" if mode == "light" else "light")  # fmt: skip
    assert seen(window, figure) != before
