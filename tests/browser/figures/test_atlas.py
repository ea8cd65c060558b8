"""The atlas: what is found, chosen and stated, by pointer and by keyboard."""

import hashlib
import io
import json

import numpy as np
import pytest
from PIL import Image

from actmax_lib import widgets
from actmax_lib.atlas.figure import state
from actmax_lib.atlas.files import AtlasFileError
from tests.browser import harness, page_checks
from tests.browser.figure_checks import (
    assert_every_control_moves,
    control,
    figures,
    numbers,
    seen,
)
from tests.browser.figures.conftest import PAGE, visited

COUNT, COLUMNS, ROWS, SIDE = 150, 8, 5, 10  # four sheets of forty tiles, the last not full
NAMES = [f"class {k}" for k in range(200)]
NAMES[7], NAMES[12], NAMES[130] = "tabby cat", "catfish", "flamingo"


def rank(k):
    return 1 if k % 3 == 0 else 3 if k % 3 == 1 else 30


def judged(k):
    """The judge's probability of class k: all different."""
    return ((37 * k) % COUNT) / COUNT


def colour(k):
    return (k, 255 - k, 60 + k)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    """An atlas whose tile k has the colour k and the value k."""
    here = tmp_path_factory.mktemp("atlas")
    (here / "atlas").mkdir()
    each, sheets = COLUMNS * ROWS, []
    for s in range(-(-COUNT // each)):
        pixels = np.zeros((ROWS * SIDE, COLUMNS * SIDE, 3), np.uint8)
        for place in range(each):
            top, left = SIDE * (place // COLUMNS), SIDE * (place % COLUMNS)
            pixels[top : top + SIDE, left : left + SIDE] = colour((s * each + place) % 200)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "webp", lossless=True)
        (here / "atlas" / f"atlas-{s}.webp").write_bytes(buffer.getvalue())
        digest = hashlib.sha256(buffer.getvalue()).hexdigest()
        sheets.append({"file": f"atlas-{s}.webp", "sha256": digest})
    rows = [
        [
            k,
            k,
            0.75,
            (k + 1) % 200 if k == 12 else k,
            0.5,
            judged(k),
            rank(k),
            [[k, 0.5], [9, 0.25]],
        ]
        for k in range(COUNT)
    ]
    told = {
        "tile": {"columns": COLUMNS, "rows": ROWS}, "sheets": sheets, "names": NAMES,
        "classes": rows,
    }  # fmt: skip
    (here / "atlas.json").write_text(json.dumps(told))
    return here / "atlas.json"


@pytest.fixture
def page(browser, manifest):
    """The figure on a page of its own, beside its sheets; complaints of the browser fail."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACTMAX_STATIC", "1")
        html = str(widgets.figure(
            "atlas", **state(manifest, "atlas/"), selected=130, judge="Lite1",
            alt="Small squares, each of another colour, drawn for a test.", caption="An atlas.",
        ))  # fmt: skip
    file = manifest.parent / "page.html"
    file.write_text(PAGE.format(html), encoding="utf-8")
    visits = []

    def go(size=harness.DESKTOP, mode="light"):
        visit = visited(browser, file, size, mode)
        visits.append(visit)
        return visit, figures(visit.page)[0]

    yield go
    for visit in visits:
        assert (visit.foreign, visit.console, visit.failed) == ([], [], [])
        visit.page.context.close()


def listed(figure):
    """The names of the pictures listed, in order."""
    marked = figure.query_selector_all(".am-tile:not([hidden]) span")
    return [item.text_content()[2:] for item in marked]


def chosen(window, figure):
    """The name shown large, None when there is none; its value is that of its class."""
    told = numbers(window, figure)  # first: it waits for the frame in which the figure answers
    name = figure.query_selector(".am-large h4").text_content()
    if not name:
        assert not figure.query_selector("button[name=close]").is_visible()
        return None
    k = NAMES.index(name)
    assert told["value"] == k
    assert told[f"judge.{k}"] == 0.5
    ticked = figure.query_selector_all("[role=option][aria-selected=true]")
    assert [item.get_attribute("data-index") for item in ticked] == [str(k)]
    return name


def painted(window, item, expected):
    """The colour in the middle of an element, as the screen shows it; a sheet may come late."""
    item.scroll_into_view_if_needed()
    for _ in range(30):
        window.wait_for_timeout(150)
        shot = Image.open(io.BytesIO(item.screenshot())).convert("RGB")
        found = shot.getpixel((shot.width // 2, shot.height // 2))
        if found == expected:
            break
    return found


def focused(window):
    return window.evaluate("() => document.activeElement.dataset.index")


def test_each_tile_and_the_large_picture_show_their_class(page):
    visit, figure = page()
    window = visit.page
    assert chosen(window, figure) == "flamingo"
    assert painted(window, figure.query_selector(".am-large .am-sprite"), colour(130)) == colour(
        130
    )
    for k in (0, 7, 39, 40, 149):
        tile = figure.query_selector(f"[data-index='{k}']")
        assert painted(window, tile.query_selector(".am-sprite"), colour(k)) == colour(k)
        tile.click()
        assert chosen(window, figure) == NAMES[k]
        assert painted(window, figure.query_selector(".am-large .am-sprite"), colour(k)) == colour(
            k
        )


def sheets_asked(visit, count):
    """The sheets asked for, when there are ``count`` of them and a moment has passed."""
    for _ in range(30):
        visit.page.wait_for_timeout(300)
        asked = {url.rsplit("/", 1)[1] for url in visit.requests if url.endswith(".webp")}
        if len(asked) >= count:
            break
    return asked


def test_sheets_come_when_they_are_looked_at(page):
    visit, figure = page(harness.PHONE)
    asked = sheets_asked(visit, 2)
    assert asked == {"atlas-0.webp", "atlas-3.webp"}  # the first tiles, and the one shown large
    control(figure, "find").fill("class 90")
    asked = sheets_asked(visit, 3)
    assert asked == {"atlas-0.webp", "atlas-2.webp", "atlas-3.webp"}


def test_a_class_is_found_by_its_name(page):
    visit, figure = page()
    window = visit.page
    box = control(figure, "find")
    box.fill("CAT")
    seen(window, figure)
    assert listed(figure) == ["catfish", "tabby cat"]  # names that begin so come first
    text = figure.query_selector(".am-statement").text_content()
    assert text == "2 of 150 pictures, with “CAT” in the name."
    box.press("Enter")
    assert chosen(window, figure) == "catfish"
    assert "it rather sees class 13" in figure.query_selector(".am-verdict").text_content()
    box.fill("zebra")
    seen(window, figure)
    assert listed(figure) == []
    box.press("Enter")
    assert chosen(window, figure) == "catfish"
    box.fill("")
    seen(window, figure)
    assert listed(figure) == NAMES[:COUNT]


@pytest.mark.parametrize(
    ("show", "passes"),
    [(0, {1, 3, 30}), (1, {1}), (2, {1, 3}), (3, {30})],
)
def test_only_those_the_judge_agrees_with_or_not(page, show, passes):
    visit, figure = page()
    control(figure, "show").select_option(str(show))
    seen(visit.page, figure)
    expected = [NAMES[k] for k in range(COUNT) if rank(k) in passes]
    assert listed(figure) == expected
    assert figure.query_selector(".am-statement").text_content().startswith(f"{len(expected)} of ")


def test_the_order_follows_the_judge(page):
    visit, figure = page()
    for order, factor in ((1, -1), (2, 1)):
        control(figure, "order").select_option(str(order))
        seen(visit.page, figure)
        assert listed(figure) == [
            NAMES[k] for k in sorted(range(COUNT), key=lambda k: factor * judged(k))
        ]


def test_arrows_walk_over_the_grid_and_escape_closes(page):
    visit, figure = page()
    window = visit.page
    keys = window.keyboard
    control(figure, "find").focus()
    keys.press("ArrowDown")
    assert focused(window) == "0"
    across = figure.evaluate(
        """f => { const all = [...f.querySelectorAll(".am-tile")];
             return all.findIndex(t => t.offsetTop !== all[0].offsetTop) }"""
    )
    assert across > 2
    for key, index in (
        ("ArrowRight", 1), ("ArrowDown", 1 + across), ("ArrowUp", 1), ("ArrowUp", 1),
        ("ArrowLeft", 0), ("ArrowLeft", 0), ("PageDown", 4 * across), ("End", COUNT - 1),
        ("ArrowRight", COUNT - 1), ("ArrowDown", COUNT - 1), ("Home", 0), ("ArrowRight", 1),
    ):  # fmt: skip
        keys.press(key)
        assert focused(window) == str(index), key
    stops = figure.query_selector_all(".am-tile[tabindex='0']")
    assert [stop.get_attribute("data-index") for stop in stops] == ["1"]
    keys.press("Enter")
    assert chosen(window, figure) == "class 1"
    keys.press("ArrowRight")
    keys.press("Space")
    assert chosen(window, figure) == "class 2"
    keys.press("Escape")
    assert chosen(window, figure) is None
    assert focused(window) == "2"
    keys.press("Enter")
    assert chosen(window, figure) == "class 2"  # and the frame in which the button comes has passed
    figure.query_selector("button[name=close]").focus()
    keys.press("Enter")
    assert chosen(window, figure) is None
    assert focused(window) == "2"  # focus does not fall off the page with its button


def test_a_stop_that_is_filtered_away_moves_to_one_that_is_there(page):
    visit, figure = page()
    control(figure, "show").select_option("3")
    seen(visit.page, figure)
    stops = figure.query_selector_all(".am-tile[tabindex='0']")
    assert [stop.get_attribute("data-index") for stop in stops] == ["2"]
    assert stops[0].is_visible()


def test_the_keyboard_moves_every_control(page):
    visit, figure = page()
    moved = assert_every_control_moves(visit.page, figure)
    assert set(moved) == {"find", "show", "order", "close"}


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_it_fits_a_telephone_and_is_accessible(page, mode):
    visit, figure = page((390, 800), mode)
    assert visit.page.evaluate("() => document.documentElement.scrollWidth") <= 390
    assert page_checks.violates_wcag(visit.page) == []
    assert chosen(visit.page, figure) == "flamingo"


def test_without_a_static_page_the_sheets_are_part_of_the_state(manifest, monkeypatch):
    monkeypatch.delenv("ACTMAX_STATIC", raising=False)
    made = state(manifest, "nowhere")
    assert all(src.startswith("data:image/webp;base64,") for src in made["sheets"])
    monkeypatch.setenv("ACTMAX_STATIC", "1")
    made = state(manifest, "../../_static/")
    assert made["sheets"] == [f"../../_static/atlas-{k}.webp" for k in range(4)]


def test_a_sheet_that_is_another_is_refused(manifest, tmp_path):
    other = tmp_path / "atlas.json"
    other.write_text(manifest.read_text())
    (tmp_path / "atlas").mkdir()
    with pytest.raises(AtlasFileError, match=r"atlas-0.webp: is missing, atlas.json names it"):
        state(other, ".")
    (tmp_path / "atlas" / "atlas-0.webp").write_bytes(b"RIFF")
    with pytest.raises(AtlasFileError, match=r"is not the sheet that atlas.json describes"):
        state(other, ".")
