"""The live network as a reader meets it: film first, Start, settings, eraser, and without it."""

import io
import json

import pytest
import torch
from PIL import Image

from actmax_lib import widgets
from actmax_lib._ascent import ascent
from scripts.export_live import WEIGHTS, normals, start, unpacked
from scripts.results import RESULTS
from tests.browser import harness, page_checks
from tests.browser.figure_checks import (
    assert_every_control_moves,
    control,
    figures,
    numbers,
    operate,
    seen,
    slide,
)
from tests.browser.figures.conftest import PAGE, visited

MANIFEST = RESULTS / "ascent.json"
TEXT = (RESULTS / "ascent" / WEIGHTS).read_text(encoding="utf-8")
KNOWN = json.loads(MANIFEST.read_text(encoding="utf-8"))
HORSE = KNOWN["classes"].index("horse")


# every step that the figure states from now on
_WATCH = """f => { window.steps = []; new MutationObserver(() => {
  const step = Number(f.querySelector("[data-name=steps]").value);
  if (step !== (window.steps.at(-1) ?? Infinity)) window.steps.push(step);
}).observe(f.querySelector("dl"), { childList: true }) }"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pages with the figure: the weights beside it, in it, missing, damaged."""
    here = tmp_path_factory.mktemp("ascent")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACTMAX_STATIC", "1")
        state = ascent(MANIFEST, ".")
    inside = ascent(MANIFEST, ".")["weights"]
    (here / WEIGHTS).write_text(TEXT, encoding="utf-8")
    (here / "damaged.js").write_text(TEXT.replace('"weights": "', '"weights": "AAAA'))
    addresses = {
        "beside": WEIGHTS, "inside": inside, "missing": "nowhere.js", "damaged": "damaged.js",
        "none": "",
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACTMAX_STATIC", "1")
        for name, address in addresses.items():
            html = str(widgets.figure(
                "ascent", alt="Two pictures, painted by two networks, for a test.",
                caption="The ascent.", **state | {"weights": address, "rest": 15},
            ))  # fmt: skip
            (here / f"{name}.html").write_text(PAGE.format(html), encoding="utf-8")
    return here


@pytest.fixture
def show(browser, folder):
    """Function `show(name)` -> (visit, figure); complaints fail, but of a file that is missing."""
    visits = []

    def go(name="beside", size=harness.DESKTOP, mode="light", before=""):
        if not before:
            visit = visited(browser, folder / f"{name}.html", size, mode)
        else:
            visit = harness.Visit(browser.new_context().new_page())
            visit.watch()
            visit.page.add_init_script(before)
            visit.page.goto((folder / f"{name}.html").as_uri())
        visits.append((name, visit))
        return visit, figures(visit.page)[0]

    yield go
    for name, visit in visits:
        assert visit.foreign == []
        if name != "missing":
            assert (visit.console, visit.failed) == ([], [])
        visit.page.context.close()


def told(figure):
    return figure.query_selector(".am-statement").text_content()


def waited(visit, figure, test, what):
    """The numbers, once test(numbers, statement before them) holds."""
    for _ in range(300):
        text = told(figure)
        found = numbers(visit.page, figure)
        if test(found, text):
            return found
        visit.page.wait_for_timeout(100)
    raise AssertionError(f"{what}: {found}, {told(figure)}")


def live(visit, figure):
    """Both networks running, paused at the start; by the keyboard."""
    operate(visit.page, control(figure, "one"))
    waited(visit, figure, lambda n, t: t.startswith("Paused") and n["steps"] == 1, "one step")
    operate(visit.page, control(figure, "again"))
    return waited(visit, figure, lambda n, t: n["steps"] == 0, "start again")


def after(visit, figure, steps):
    """The numbers after so many presses of One step."""
    for k in range(steps):
        operate(visit.page, control(figure, "one"))
        found = waited(visit, figure, lambda n, t, k=k: n["steps"] == k + 1, f"step {k + 1}")
    return found


def middle(figure, n):
    """Colour of the picture n at its middle."""
    shot = figure.query_selector_all("canvas")[n].screenshot()
    image = Image.open(io.BytesIO(shot)).convert("RGB")
    return image.getpixel((image.width // 2 - 2, image.height // 2 - 2))


def test_before_start_there_is_the_film_and_no_weights(show):
    visit, figure = show()
    at = HORSE * len(KNOWN["steps"])
    found = numbers(visit.page, figure)
    assert found["steps"] == KNOWN["steps"][-1]
    assert found["logit.0"] == pytest.approx(KNOWN["logit"][at + 5], abs=0.006)
    slide(figure, "frame", 1)
    control(figure, "class").select_option("1")
    found = numbers(visit.page, figure)
    half = len(KNOWN["logit"]) // 2
    at = len(KNOWN["steps"]) + 1
    assert found["steps"] == KNOWN["steps"][1]
    assert found["p.1"] == pytest.approx(KNOWN["p"][half + at], abs=6e-4)
    assert "made beforehand" in told(figure)
    assert not control(figure, "lam").is_enabled()
    assert not [url for url in visit.requests if url.endswith(".js")]
    assert visit.page.workers == []


@pytest.mark.parametrize("name", ["beside", "inside"])
def test_start_runs_both_networks_until_pause(show, name):
    visit, figure = show(name)
    operate(visit.page, control(figure, "start"))
    waited(visit, figure, lambda n, t: n["steps"] >= 5 and t.startswith("Climbing"), "no climb")
    assert len(visit.page.workers) == 2
    operate(visit.page, control(figure, "start"))
    first = waited(visit, figure, lambda n, t: t.startswith("Paused"), "no pause")
    visit.page.wait_for_timeout(300)
    again = numbers(visit.page, figure)
    assert again["steps"] - first["steps"] <= 1  # one may have been under way
    visit.page.wait_for_timeout(300)
    assert numbers(visit.page, figure) == again
    for n, net in enumerate(unpacked(TEXT).values()):
        assert again[f"logit.{n}"] > net(start(1))[0, HORSE].item() + 0.2


def test_it_rests_by_itself(show):
    visit, figure = show()
    operate(visit.page, control(figure, "start"))
    end = waited(visit, figure, lambda n, t: t.startswith("Paused") and n["steps"] > 9, "no rest")
    assert end["steps"] == 15
    assert end["rate"] > 0


def test_every_setting_is_that_of_the_step(show):
    """Stated logits against steps written here, with all settings away from their defaults."""
    visit, figure = show()
    live(visit, figure)
    assert after(visit, figure, 2)["steps"] == 2
    operate(visit.page, control(figure, "again"))
    for name, value in {"step": 0.3, "lam": 0.1, "noise": 0.02, "eps": 1}.items():
        slide(figure, name, value)
    control(figure, "class").select_option("3")
    found = after(visit, figure, 4)
    assert "λ = 0.100; noise, σ = 0.020; not farther than ε = 0.5" in told(figure)
    xi = torch.from_numpy(normals(1, 5 * 3072)).float().view(5, 1, 3, 32, 32)
    for n, net in enumerate(unpacked(TEXT).values()):
        x = x0 = start(1)
        for step in range(4):
            x = x.detach().requires_grad_()
            (g,) = torch.autograd.grad(net(x)[0, 3] - 0.1 * (x - 0.5).square().sum(), x)
            x = x.detach() + 0.3 * g / g.norm() + 0.02 * xi[step + 1]
            x = (x0 + (x - x0) * min(1, 0.5 / float((x - x0).norm()))).clamp(0, 1)
        assert found[f"logit.{n}"] == pytest.approx(net(x)[0, 3].item(), abs=0.006)
        assert found[f"p.{n}"] == pytest.approx(net(x).softmax(1)[0, 3].item(), abs=6e-4)


def test_other_noise_is_that_of_the_next_seed(show):
    visit, figure = show()
    before = live(visit, figure)
    operate(visit.page, control(figure, "other"))
    found = waited(visit, figure, lambda n, t: n != before, "the same noise")
    nets = unpacked(TEXT)
    expected = [net(start(2))[0, HORSE].item() for net in nets.values()]
    assert [found["logit.0"], found["logit.1"]] == pytest.approx(expected, abs=0.006)


def test_what_is_erased_by_pointer_or_by_key_grows_again(show):
    visit, figure = show()
    live(visit, figure)
    after(visit, figure, 3)
    gray = (128, 128, 128)
    assert gray not in (middle(figure, 0), middle(figure, 1))
    canvas = figure.query_selector_all("canvas")[1]
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    visit.page.mouse.move(x + 60, y)
    visit.page.mouse.down()
    visit.page.mouse.move(x, y, steps=4)
    visit.page.mouse.up()
    waited(visit, figure, lambda *_: middle(figure, 1) == gray, "not erased")
    assert middle(figure, 0) == gray  # in both
    assert float(control(figure, "across").input_value()) == 16
    slide(figure, "step", 1)
    operate(visit.page, control(figure, "one"))
    waited(visit, figure, lambda n, t: n["steps"] == 4, "no step")
    assert gray not in (middle(figure, 0), middle(figure, 1))
    operate(visit.page, control(figure, "erase"))
    waited(visit, figure, lambda *_: middle(figure, 0) == gray, "not erased by key")
    assert numbers(visit.page, figure)["steps"] == 4


@pytest.mark.parametrize(
    ("name", "before", "why"),
    [
        ("missing", "", "the weights are not to be had"),
        ("damaged", "", "the weights do not fit the network"),
        ("none", "", "this page came without the weights"),
        ("beside", "delete globalThis.Worker", "this browser has no Workers"),
        ("beside", "globalThis.Worker = class { constructor() { throw Error('not allowed') } }",
         "not allowed"),
    ],
)  # fmt: skip
def test_where_it_cannot_run_the_film_plays_and_the_reason_is_said(show, name, before, why):
    visit, figure = show(name, before=before)
    operate(visit.page, control(figure, "start"))
    waited(visit, figure, lambda n, t: t.startswith("The networks cannot run here"), "no word")
    assert f"({why})" in told(figure)
    waited(visit, figure, lambda *_: not visit.page.workers, "a Worker is left")
    assert control(figure, "start").text_content() == "Play the film"
    figure.evaluate(_WATCH)
    operate(visit.page, control(figure, "start"))
    visit.page.wait_for_function("last => window.steps.at(-1) === last", arg=KNOWN["steps"][-1])
    steps = visit.page.evaluate("window.steps")
    assert steps == sorted(set(steps) & set(KNOWN["steps"]))
    assert len(steps) > 2  # a starved browser may leave frames out
    assert control(figure, "class").is_enabled()
    assert not control(figure, "one").is_enabled()


def test_the_keyboard_moves_every_control(show):
    visit, figure = show()
    assert set(assert_every_control_moves(visit.page, figure)) >= {"class", "frame", "start", "one"}
    live(visit, figure)
    moved = assert_every_control_moves(visit.page, figure)
    assert set(moved) == {
        "class", "step", "lam", "noise", "eps", "across", "down", "radius", "start", "one", "erase",
        "again", "other",
    }  # fmt: skip


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_it_fits_a_telephone_and_is_accessible(show, mode):
    visit, figure = show("beside", harness.PHONE, mode)
    assert page_checks.violates_wcag(visit.page) == []
    live(visit, figure)
    assert page_checks.violates_wcag(visit.page) == []
    assert visit.page.evaluate("() => document.documentElement.scrollWidth") <= 390
    boxes = [canvas.bounding_box() for canvas in figure.query_selector_all("canvas")]
    assert boxes[0]["y"] == boxes[1]["y"]  # side by side
    assert all(len(c.get_attribute("aria-label")) > 60 for c in figure.query_selector_all("canvas"))


def test_a_change_of_theme_changes_the_ink_and_not_the_pictures(show):
    visit, figure = show()
    live(visit, figure)
    colour = "f => getComputedStyle(f.querySelector('legend')).color"
    before, ink = seen(visit.page, figure), figure.evaluate(colour)
    visit.page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert seen(visit.page, figure) == before
    assert figure.evaluate(colour) != ink
