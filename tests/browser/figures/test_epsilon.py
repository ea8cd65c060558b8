"""The ε slider: the pictures, their changes, the numbers and the chart are those of one ε."""

from functools import partial

import pytest

from actmax_lib import widgets
from actmax_lib._robustness import epsilon
from tests.browser.figure_checks import (
    assert_every_control_moves,
    control,
    numbers,
    seen,
    slide,
)
from tests.browser.figures.conftest import PAGE, watched
from tests.browser.figures.sheets import manifest, settled

EPS = [0, 0.5, 2, None]
# data set -> classes, own, targets, level of its first tile
SETS = {"gray": (["coat", "shoe", "bag"], 0, [2, 1], 0),
        "colour": (["cat", "ship", "deer", "dog"], 1, [2, 0, 3], 100)}  # fmt: skip


def entry(data, network, level, target):
    return (network * len(EPS) + level) * len(SETS[data][2]) + target


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Entry k has p = k / 100, the norm k / 10 and the largest change k / 50."""
    here = tmp_path_factory.mktemp("epsilon")
    files = []
    for data, (classes, own, targets, first) in SETS.items():
        count = 2 * len(EPS) * len(targets)
        per = {"p": 100, "own_p": 200, "norm": 10, "most": 50}
        still = {n * len(EPS) * len(targets) + t for n in (0, 1) for t in range(len(targets))}
        told = {name: [k / by for k in range(count)] for name, by in per.items()}
        told["most"] = [0 if k in still else v for k, v in enumerate(told["most"])]
        files.append(manifest(
            here, data, 2 * count, 6, first, classes=classes, own=own, targets=targets, eps=EPS,
            networks=[{"label": "plain"}, {"label": "robust"}], **told,
        ))  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACTMAX_STATIC", "1")
        html = str(widgets.figure(
            "epsilon", **epsilon(files), level=1,
            alt="Grey squares and a chart, drawn for a test.", caption="An attack, ε by ε.",
        ))  # fmt: skip
    (here / "page.html").write_text(PAGE.format(html), encoding="utf-8")
    return here


@pytest.fixture
def page(browser, folder):
    with watched(browser) as go:
        yield partial(go, folder / "page.html")


def shows(page, figure, data, level, target):
    """Both pictures, both changes, and the numbers of both networks."""
    first, screens = SETS[data][3], figure.query_selector_all("canvas")
    for network in (0, 1):
        k = entry(data, network, level, target)
        settled(page, screens[network], 0.5, 0.5, first + 2 * k)
        settled(page, screens[2 + network], 0.5, 0.5, first + 2 * k + 1)
        found, side = numbers(page, figure), "ab"[network]
        assert found[f"{side}.p"] == pytest.approx(k / 100, abs=6e-4)
        assert found[f"{side}.norm"] == pytest.approx(k / 10, abs=6e-3)


def test_it_starts_as_told(page):
    window, figure = page()
    shows(window, figure, "gray", 1, 0)
    text = figure.query_selector(".am-statement").text_content()
    assert text.startswith('Within ε = 0.5 (ℓ2) of the photograph (coat), towards "bag".')
    assert "plain: bag 2 %, coat 1 %." in text
    assert "robust: bag 10 %, coat 5 %." in text
    names = [c.get_attribute("aria-label") for c in figure.query_selector_all("canvas")]
    assert names[3] == "Its change, of ℓ2 norm 1.00 and at most 0.200 in a pixel; gray is none."


def test_every_epsilon_and_target_is_painted_and_stated(page):
    window, figure = page()
    for target in (1, 0):
        control(figure, "target").select_option(str(target))
        for level in (0, 2, 3):
            slide(figure, "level", level)
            shows(window, figure, "gray", level, target)
    assert control(figure, "level").get_attribute("aria-valuetext") == "ε = ∞"
    text = figure.query_selector(".am-statement").text_content()
    assert text.startswith('ε = ∞, towards "bag": no ball is left, only the box.')


def test_another_photograph_has_its_own_targets(page):
    window, figure = page()
    control(figure, "target").select_option("1")
    control(figure, "data").select_option("1")
    shows(window, figure, "colour", 1, 1)
    options = control(figure, "target").evaluate("c => [...c.options].map(o => o.textContent)")
    assert options == ["deer", "cat", "dog"]
    control(figure, "target").select_option("2")
    shows(window, figure, "colour", 1, 2)
    control(figure, "data").select_option("0")  # it has two: the last
    shows(window, figure, "gray", 1, 1)


def test_the_chart_is_a_slider_too(page):
    window, figure = page()
    chart = figure.query_selector_all("canvas")[4]
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    middle = box["y"] + box["height"] / 2

    def at(level):
        return box["x"] + 30 + (box["width"] - 38) * (level + 0.4) / (len(EPS) - 0.2)

    window.mouse.move(at(2), middle)
    shows(window, figure, "gray", 1, 0)  # no button is down
    window.mouse.down()
    shows(window, figure, "gray", 2, 0)
    window.mouse.move(at(3.3), middle)
    window.mouse.up()
    shows(window, figure, "gray", 3, 0)
    assert control(figure, "level").input_value() == "3"


def test_the_keyboard_moves_every_control(page):
    window, figure = page()
    assert set(assert_every_control_moves(window, figure)) == {"data", "target", "level"}


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_it_fits_a_telephone_and_both_modes(page, mode):
    window, figure = page((390, 800), mode)
    before = seen(window, figure)
    assert window.evaluate("() => document.documentElement.scrollWidth") <= 390
    shows(window, figure, "gray", 1, 0)
    window.evaluate("m => { document.documentElement.dataset.theme = m }",
                    "dark" if mode == "light" else "light")  # fmt: skip
    assert seen(window, figure) != before
