"""Nothing deletes answers at its first press."""

import pytest

from actmax_lib.study import records
from tests.browser.figure_checks import figures
from tests.browser.figures.study.reader import plan
from tests.browser.figures.study.sheets import DESIGN
from tests.browser.figures.study.test_result import ended, key, mixed

_SHOWN = ".am-study .am-ask:not([hidden])"


def kept(visit):
    """The session that the browser has, or None."""
    return visit.page.evaluate("key => JSON.parse(localStorage.getItem(key))", key("matching"))


def stopped(show, count=24):
    """At the start screen, with the answers of a session begun."""
    visit, reader = show()
    reader.begin(3)
    reader.play(plan(3)[1], 0, count)
    if count:
        reader.to_question()
    reader.press("halt")
    return visit, reader, kept(visit)


@pytest.mark.parametrize("name", ["start", "forget"])
def test_the_start_screen_asks_before_it_deletes(show, tmp_path, name):
    visit, reader, before = stopped(show)
    assert len(before["answers"]) == 24
    reader.press(name)
    text = visit.page.text_content(_SHOWN)
    assert "deletes the 24 answers kept in this browser. Export them first, or press" in text
    visit.page.wait_for_function(
        "text => document.querySelector('[role=status]').textContent.includes(text)",
        arg="deletes the 24 answers",
    )
    assert kept(visit) == before
    with visit.page.expect_download() as waiting:
        visit.page.click(f"{_SHOWN} [name=export]")
    waiting.value.save_as(tmp_path / "cut.csv")
    with pytest.raises(records.RecordError, match="24 of 43"):
        records.read(tmp_path / "cut.csv", DESIGN)
    visit.page.reload()
    figures(visit.page)
    assert kept(visit) == before
    assert visit.page.query_selector(_SHOWN) is None
    reader.press(name)  # after the reload this is a first press once more
    assert kept(visit) == before
    visit.page.wait_for_timeout(600)
    reader.press(name)
    if name == "forget":
        assert kept(visit) is None
    else:
        visit.page.wait_for_selector(".am-study [name=next]")
        assert kept(visit)["answers"] == []
        assert kept(visit)["id"] != before["id"]


@pytest.mark.parametrize(
    ("name", "label"),
    [("again", "The same seed again"), ("other", "Another seed"), ("forget", "Forget")],
)
def test_the_last_screen_asks_before_it_deletes(show, name, label):
    visit, reader, _ = ended(show, mixed)
    before = kept(visit)
    assert visit.page.get_attribute(".am-study [name=export]", "class") == "am-main"
    assert "The next session with this question replaces" in visit.page.text_content(".am-last")
    reader.press(name)
    text = visit.page.text_content(_SHOWN)
    assert "deletes the 43 answers" in text
    assert f"press “{label}" in text
    assert kept(visit) == before
    visit.page.wait_for_timeout(600)
    reader.press(name)
    if name == "forget":
        assert kept(visit) is None
        return
    visit.page.wait_for_selector(".am-study [name=next]")
    assert kept(visit)["answers"] == []
    assert (kept(visit)["seed"] == before["seed"]) == (name == "again")


def test_the_start_screen_asks_after_a_finished_session_too(show):
    visit, reader, _ = ended(show, mixed)
    reader.press("halt")
    reader.press("start")
    assert "deletes the 43 answers" in visit.page.text_content(_SHOWN)
    assert len(kept(visit)["answers"]) == 43


def test_a_double_click_a_held_key_and_another_button_are_no_second_press(show):
    visit, reader, before = stopped(show, 4)
    visit.page.dblclick("[name=start]")
    visit.page.wait_for_timeout(600)
    reader.tab_to("start")
    visit.page.wait_for_timeout(600)
    visit.page.click("[name=forget]")  # asks on its own account
    assert "“Forget my answers” again" in visit.page.text_content(_SHOWN)
    visit.page.wait_for_timeout(600)
    reader.tab_to("start")
    for _ in range(12):
        visit.page.keyboard.down("Enter")
        visit.page.wait_for_timeout(60)
    visit.page.keyboard.up("Enter")
    assert kept(visit) == before
    assert "“Start” again" in visit.page.text_content(_SHOWN)


def test_a_question_about_one_session_is_not_about_another(show):
    """Answers given after the question are asked about anew; the other mode is not asked about."""
    visit, reader, _ = stopped(show, 4)
    reader.press("start")
    reader.tab_to("mode")
    visit.page.keyboard.press("ArrowDown")
    visit.page.wait_for_selector(_SHOWN, state="detached")
    visit.page.keyboard.press("ArrowUp")
    visit.page.wait_for_selector("[name=resume]")
    reader.press("start")
    reader.press("resume")
    reader.play(plan(3)[1], 4, 6)
    reader.to_question()
    reader.press("halt")
    visit.page.wait_for_selector(_SHOWN, state="detached")
    visit.page.wait_for_timeout(600)
    reader.press("start")
    assert "deletes the 6 answers" in visit.page.text_content(_SHOWN)
    assert len(kept(visit)["answers"]) == 6


def test_a_session_without_an_answer_gives_way_at_once(show):
    visit, reader, before = stopped(show, 0)
    reader.press("start")
    visit.page.wait_for_selector(".am-study [name=next]")
    assert kept(visit)["id"] != before["id"]


def test_the_square_test_says_what_it_shows_and_whose_numbers_are_near(show):
    visit, reader = show()
    reader.tab_to("mode")
    visit.page.keyboard.press("ArrowDown")
    visit.page.wait_for_function(
        "text => document.querySelector('.am-study').textContent.includes(text)",
        arg="one photograph twice, with a gray square at two places",
    )
    visit, *_ = ended(show, mixed_squares, mode="occlusion")
    text = visit.page.text_content(".am-study")
    assert "Zimmermann et al. (2021) asked a similar question" in text
    assert "68 % (± 4) right with synthetic pictures, 60 % (± 3) without examples" in text


def mixed_squares(trial):
    return [trial.side, 2, 1000]
