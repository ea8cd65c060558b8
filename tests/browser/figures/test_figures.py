"""What every live figure does: start, move, redraw, stay accessible, obey a kernel."""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe

from actmax_lib import widgets
from tests.browser import harness
from tests.browser.figure_checks import (
    assert_control_moves,
    assert_every_control_moves,
    control,
    figures,
    seen,
    slide,
    wait_for_rest,
)
from tests.browser.figures.conftest import ALT, NAMES


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_all_figures_start_on_one_page_without_network(browser, folder, scheme):
    with harness.serve(folder) as base:
        url = f"{base}all.html" if scheme == "http" else (folder / "all.html").as_uri()
        visit = harness.open_page(browser, url)
        try:
            assert len(figures(visit.page)) == len(NAMES)
            ids = visit.page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
            assert len(ids) == len(set(ids))
            assert (visit.foreign, visit.console, visit.failed) == ([], [], [])
        finally:
            visit.page.context.close()


@pytest.mark.parametrize("name", NAMES)
def test_every_control_moves_the_figure(show, name):
    page, figure = show(name, reduced_motion="reduce")
    moved = assert_every_control_moves(page, figure)
    expected = {
        "linear": {"lam", "eta", "w1", "w2", "x1", "x2", "climb", "step", "reset"},
        "max-example": {"lam", "beta", "start1", "start2", "drop", "scatter", "clear"},
        "film": {"film", "frame", "play"},
        "bayes": {
            "mu11",
            "mu12",
            "mu21",
            "mu22",
            "sd1",
            "sd2",
            "gamma",
            "lam",
            "show",
            "kind",
            "shade",
            "reset",
        },
        "langevin": {"step", "temperature", "density", "play", "one", "leap", "reset"},
        "fooling": {"radius", "strength", "t1", "t2", "start1", "start2", "reset"},
        "trace": {"sigma", "gradient", "h1", "h2", "probes", "again"},
        "ingredients": {"class", "robust", "combo-000", "combo-100", "combo-111"},
    }
    assert expected[name] <= set(moved)


_DEAD = {
    # On the window, so that it comes before the figure's own listener.
    "silent": "() => addEventListener('input', e => e.stopImmediatePropagation(), true)",
    # As a frozen ipywidget: the handle and the control's own number move, the picture does not.
    "frozen": """i => { const clone = i.cloneNode(true); i.replaceWith(clone);
        clone.addEventListener("input", () => {
          clone.parentElement.querySelector("output").textContent = clone.value }) }""",
}


@pytest.mark.parametrize(
    ("name", "slider", "kind"), [("linear", "lam", "silent"), ("max-example", "beta", "frozen")]
)
def test_a_planted_dead_slider_is_caught(show, name, slider, kind):
    page, figure = show(name)
    control(figure, slider).evaluate(_DEAD[kind])
    with pytest.raises(AssertionError, match=f"control '{slider}' is dead"):
        assert_control_moves(page, figure, control(figure, slider))


@pytest.mark.parametrize("name", NAMES)
def test_a_change_of_theme_redraws(show, name):
    page, figure = show(name)
    light = wait_for_rest(page, figure)
    colour = "f => getComputedStyle(f.querySelector('dt, legend, label')).color"
    inks = [figure.evaluate(colour)]
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    dark = seen(page, figure)
    inks.append(figure.evaluate(colour))
    assert inks[0] != inks[1]
    if figure.query_selector("canvas"):
        assert dark != light
    page.evaluate("dispatchEvent(new Event('beforeprint'))")  # paper is white
    assert seen(page, figure) == light
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert seen(page, figure) == dark
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    assert seen(page, figure) == light


@pytest.mark.parametrize("mode", harness.MODES)
@pytest.mark.parametrize("size", [harness.DESKTOP, harness.PHONE])
def test_accessible_and_no_wider_than_the_page(show, size, mode):
    page, _ = show("all", size, mode)
    page.wait_for_timeout(100)
    tags = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    found = Axe().run(page, options=tags).response["violations"]
    assert [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_canvases_are_crisp_and_named(show):
    page, _ = show("all", device_scale_factor=3)
    sizes = page.eval_on_selector_all(
        "canvas", "cs => cs.map(c => [c.width, c.clientWidth, c.getAttribute('aria-label')])"
    )
    assert sizes
    for pixels, width, text in sizes:
        assert pixels == 3 * width
        assert len(text) >= 20


def test_controls_keep_their_keys_from_jupyterlab(show):
    page, _ = show("all")
    keys = page.eval_on_selector_all(
        ".actmax-live :is(input, select, button)",
        "items => items.map(i => i.dataset.lmSuppressShortcuts)",
    )
    assert len(keys) > 20
    assert set(keys) == {"true"}


_LIVE = """async source => {
  const heard = {}, state = STATE, saved = [];
  const model = {get: k => state[k],
    set(k, v) { state[k] = v; (heard.change ?? []).forEach(f => f()) },
    on: (e, f) => (heard[e] ??= []).push(f), off(e, f) { heard[e] = heard[e].filter(g => g !== f) },
    save_changes: () => saved.push(structuredClone(state))};
  const el = document.createElement("div");
  document.querySelector("main").replaceChildren(el);
  const url = URL.createObjectURL(new Blob([source], {type: "text/javascript"}));
  const end = await (await import(url)).default.render({model, el});
  Object.assign(window, {model, state, saved, end, heard});
}"""


def test_a_live_kernel_drives_the_same_module(show, monkeypatch):
    """The host of a kernel: no page around the figure, a model that another side changes too."""
    monkeypatch.delenv("ACTMAX_STATIC", raising=False)
    figure = widgets.figure("linear", alt=ALT, caption="From a kernel.")
    state = {key: getattr(figure, key) for key in figure.keys if key[0] != "_"}
    state = {key: value for key, value in state.items() if key not in ("layout", "tabbable")}
    page, _ = show("linear")
    page.evaluate(_LIVE.replace("STATE", json.dumps(state, default=str)), str(figure._esm))
    handle = page.query_selector("figure.actmax-figure")
    assert "From a kernel." in handle.query_selector("figcaption").text_content()
    assert ALT in handle.text_content()
    before = seen(page, handle)
    page.evaluate("model.set('lam', 1.5)")  # as Python would
    assert seen(page, handle) != before
    assert control(handle, "lam").input_value() == "1.5"
    slide(handle, "w1", -1)  # as the reader would
    assert page.evaluate("saved.at(-1).w[0]") == -1
    page.evaluate("end()")
    before = seen(page, handle)
    page.evaluate("model.set('lam', 0.5)")
    assert seen(page, handle) == before
    assert page.evaluate("heard.change.length") == 0
