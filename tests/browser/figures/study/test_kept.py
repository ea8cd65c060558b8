"""What the browser keeps, what it may not be trusted with, and pictures that do not come."""

import json

import pytest

from actmax_lib.study import records
from tests.browser.figure_checks import figures
from tests.browser.figures.study.reader import plan
from tests.browser.figures.study.sheets import DESIGN

KEY = f"actmax-study:{DESIGN.stimuli}:matching"
OFF = """Object.defineProperty(window, "localStorage",
  { get() { throw new DOMException("no", "SecurityError") } })"""
FULL = (
    """Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError") }"""
)


@pytest.mark.parametrize("before", [OFF, FULL], ids=["none", "full"])
def test_without_a_memory_it_says_so_and_works(show, tmp_path, before):
    visit, reader = show(before=before)
    _, answers = plan(3)
    reader.begin(3)
    assert "when you leave or reload it, your answers are lost" in visit.page.text_content(
        ".am-study"
    )
    reader.play(answers, 0, 12)
    reader.press("halt")
    reader.press("resume")  # the page itself has them
    reader.play(answers, 12)
    file, _ = reader.export(tmp_path)
    assert len(records.read(file, DESIGN).answers) == 43


def test_with_a_memory_nothing_of_the_kind_is_said(show):
    visit, reader = show()
    reader.begin(3)
    assert "answers are lost" not in visit.page.text_content(".am-study")


def test_forget_leaves_nothing(show):
    visit, reader = show()
    _, answers = plan(3)
    reader.begin(3)
    reader.play(answers, 0, 4)
    reader.press("halt")
    kept = visit.page.evaluate("key => JSON.parse(localStorage.getItem(key))", KEY)
    assert [given[:2] for given in kept["answers"]] == [list(given) for given in answers[:4]]
    reader.press_again("forget")
    assert visit.page.evaluate("localStorage.length") == 0
    visit.page.wait_for_selector("[name=resume]", state="detached")  # with the next frame
    visit.page.reload()
    figures(visit.page)
    assert visit.page.query_selector("[name=resume]") is None


def test_a_session_s_name_has_eight_digits_whatever_is_drawn(show):
    visit, reader = show(before="crypto.getRandomValues = bytes => bytes.fill(7)")
    reader.begin(3)
    kept = visit.page.evaluate("key => JSON.parse(localStorage.getItem(key))", KEY)
    assert kept["id"] == "s07070707"


def test_the_two_questions_are_kept_apart(show):
    visit, reader = show()
    _, answers = plan(3)
    reader.begin(3)
    reader.play(answers, 0, 5)
    reader.press("halt")
    reader.begin(8, "occlusion")
    reader.play(plan(8, "occlusion")[1], 0, 2)
    reader.press("halt")
    told = "text => document.querySelector('.am-memory').textContent.includes(text)"
    visit.page.wait_for_function(
        told, arg="answered 2 of the 43 questions of the session with the seed 8"
    )
    reader.tab_to("mode")
    visit.page.keyboard.press("ArrowUp")
    visit.page.wait_for_function(told, arg="seed 3")


@pytest.mark.parametrize("damage", ["{", "null", '"x"', "cut", "other stimuli"])
def test_damaged_or_foreign_memories_are_ignored(show, damage):
    visit, reader = show()
    _, answers = plan(3)
    reader.begin(3)
    reader.play(answers, 0, 4)
    text = visit.page.evaluate("key => localStorage.getItem(key)", KEY)
    key, text = {
        "cut": (KEY, json.dumps(json.loads(text) | {"answers": [["left", 9, 1]]})),
        "other stimuli": ("actmax-study:deadbeef:matching", text),
    }.get(damage, (KEY, damage))
    visit.page.evaluate(
        "([key, text]) => { localStorage.clear(); localStorage.setItem(key, text) }", [key, text]
    )
    visit.page.reload()
    figures(visit.page)
    assert visit.page.query_selector("[name=resume]") is None
    reader.begin(4)
    reader.play(answers, 0, 4)


def test_a_missing_sheet_is_named_and_asked_for_again(show, own):
    sheet = own / "study" / "study-batch-07.webp"
    content = sheet.read_bytes()
    sheet.unlink()
    visit, reader = show(here=own)
    visit.faults = True
    visit.page.fill("[name=seed]", "0")
    reader.press("start")
    said = "() => document.querySelector('.am-study .am-statement').textContent.includes(%r)"
    visit.page.wait_for_function(said % "study-batch-07.webp did not come. Start tries again.")
    sheet.write_bytes(content)
    reader.press("start")
    visit.page.wait_for_selector(".am-study [name=next]")


def test_a_sheet_of_something_else_is_refused(show, own):
    (own / "study" / "study-batch-07.webp").write_bytes(
        (own / "study" / "study-synthetic-cifar.webp").read_bytes()
    )
    visit, reader = show(here=own)
    visit.page.fill("[name=seed]", "0")
    reader.press("start")
    visit.page.wait_for_function(
        "() => document.querySelector('.am-study').textContent"
        ".includes('study-batch-07.webp is not of this study')"
    )
