"""Do live figures move when their controls move? Used on test pages and on the built book."""

from playwright.sync_api import ElementHandle, Page

# What a reader sees change: canvas pixels, pictures, numbers, sentences. A control's own handle and
# its own <output> do not count: those of a dead slider move too.
_SEEN = """figure => JSON.stringify([
  [...figure.querySelectorAll("canvas")].map(c => c.toDataURL()),
  [...figure.querySelectorAll(".actmax-live img")].map(i => i.getAttribute("src")),
  [...figure.querySelectorAll("data")].map(d => d.dataset.name + "=" + d.value),
  [...figure.querySelectorAll(".am-statement")].map(s => s.textContent)])"""

_FRAMES = "() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))"


def figures(page: Page) -> list[ElementHandle]:
    """The live figures of a page, all of them running (a figure that is not fails the test)."""
    found = page.query_selector_all("figure.actmax-figure[data-figure]")
    for figure in found:
        page.wait_for_function("f => f.dataset.ready", arg=figure, timeout=10_000)
        state, name = figure.get_attribute("data-ready"), figure.get_attribute("data-figure")
        assert state == "true", f"figure {name}: {figure.text_content()}"
    return found


def seen(page: Page, figure: ElementHandle) -> str:
    """Everything in the figure that its controls are there to change, two frames from now."""
    page.evaluate(_FRAMES)
    return figure.evaluate(_SEEN)


def numbers(page: Page, figure: ElementHandle) -> dict[str, float]:
    """The numbers stated in a figure, as written there: a vector's parts are name.0, name.1, ..."""
    page.evaluate(_FRAMES)
    pairs = figure.evaluate(
        """f => [...f.querySelectorAll("data")].map(d => [d.dataset.name, d.textContent])"""
    )
    return {name: float(text.replace("−", "-").replace("∞", "inf")) for name, text in pairs}


def control(figure: ElementHandle, name: str) -> ElementHandle:
    """The control with this name attribute."""
    found = figure.query_selector(f"[name='{name}']")
    assert found, f"no control {name!r}"
    return found


def slide(figure: ElementHandle, name: str, value: float) -> None:
    """Put a slider to a value, as a pointer would."""
    control(figure, name).evaluate(
        """(input, v) => { input.value = v;
             input.dispatchEvent(new Event("input", {bubbles: true})); }""",
        value,
    )


def wait_for_rest(page: Page, figure: ElementHandle, patience: int = 80) -> str:
    """Let a climb or a film come to its end; returns what is then seen."""
    last = ""
    for _ in range(patience):
        now = seen(page, figure)
        if now == last:
            return now
        last = now
        page.wait_for_timeout(120)
    raise AssertionError("the figure does not come to rest")


def operate(page: Page, item: ElementHandle) -> None:
    """Use a control with the keyboard alone."""
    item.focus()
    kind = item.evaluate("i => i.type")
    if kind == "range":
        up = item.evaluate("i => Number(i.value) < (Number(i.min) + Number(i.max)) / 2")
        for _ in range(3):
            page.keyboard.press("ArrowRight" if up else "ArrowLeft")
    elif kind == "select-one":
        last = item.evaluate("i => i.selectedIndex === i.length - 1")
        page.keyboard.press("ArrowUp" if last else "ArrowDown")
    elif kind == "checkbox":
        page.keyboard.press("Space")
    else:
        page.keyboard.press("Enter")


def assert_control_moves(page: Page, figure: ElementHandle, item: ElementHandle) -> None:
    """Fail unless using this control by keyboard changes what the figure shows."""
    name = item.get_attribute("name") or item.text_content()
    before = wait_for_rest(page, figure)
    text = item.text_content()
    operate(page, item)
    for _ in range(12):
        if seen(page, figure) != before:
            break
        page.wait_for_timeout(50)
    else:
        raise AssertionError(
            f"figure {figure.get_attribute('data-figure')}: control {name!r} is dead"
        )
    if item.evaluate("i => i.type") == "button" and item.text_content() != text:
        operate(page, item)  # what was started (Play, Climb) is stopped again


def assert_every_control_moves(page: Page, figure: ElementHandle) -> list[str]:
    """`assert_control_moves` for each control that is not disabled; returns their names."""
    moved = []
    inputs = figure.query_selector_all("input, select")
    assert inputs, f"figure {figure.get_attribute('data-figure')} has no controls"
    for item in inputs:
        if item.is_enabled():
            assert_control_moves(page, figure, item)
            moved.append(item.get_attribute("name"))
    for item in figure.query_selector_all("button:not([aria-pressed='true'])"):
        operate(page, inputs[0])  # so that Reset has something to undo
        assert_control_moves(page, figure, item)
        moved.append(item.get_attribute("name"))
    return moved
