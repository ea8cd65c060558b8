"""The pictures on the screen are those of the schedule; it fits a telephone and is accessible."""

import pytest

from tests.browser import page_checks
from tests.browser.figures.study.reader import plan, settled
from tests.browser.figures.study.sheets import colour, synthetic

NARROW = (360, 740)
# what each canvas shows: of the nine tiles of a block the middles, of a picture its middle
_SEEN = """() => [...document.querySelectorAll(".am-trial canvas")].map(c => {
  const pen = new OffscreenCanvas(c.width, c.height).getContext("2d", { willReadFrequently: true });
  pen.drawImage(c, 0, 0);
  const at = (x, y) => [...pen.getImageData(x * c.width, y * c.height, 1, 1).data.slice(0, 3)];
  const block = /^Nine/.test(c.getAttribute("aria-label"));
  const places = block ? [1/6, 3/6, 5/6] : [0.5];
  return places.flatMap(y => places.map(x => at(x, y)));
})"""
_LABELS = "cs => cs.map(c => c.getAttribute('aria-label'))"
_SAYS = "text => document.querySelector('[role=status]').textContent.startsWith(text)"
WRONG_RIGHT = {"extreme": (18, 19), "p90": (20, 21), "p70": (22, 23), "occlusion": (25, 24)}


def expected(trial, mode):
    """Colours of what the schedule asks for, in the order of the document."""
    natural = (trial.batch, trial.unit)
    examples = synthetic(trial.unit) if trial.condition == "synthetic" else natural
    pair, source = WRONG_RIGHT[trial.level], natural
    if trial.phase == "catch":
        pair = (4, 13) if mode == "matching" else (19, 24)
        source = examples if mode == "matching" else natural
    shown = [[list(colour(*source, column))] for column in pair]
    if trial.side == "left":
        shown.reverse()
    if trial.condition == "none":
        return shown
    nines = [[list(colour(*examples, k + first)) for k in range(9)] for first in (0, 9)]
    return [nines[0], *shown, nines[1]]


def painted(page, wanted):
    """What the canvases show as soon as it is what is wanted, or at last."""
    return settled(page, lambda: page.evaluate(_SEEN), wanted.__eq__)


@pytest.mark.parametrize(("seed", "mode"), [(1, "matching"), (14, "occlusion")])
def test_every_question_shows_what_the_schedule_says(show, seed, mode):
    visit, reader = show("inside")  # a browser shows, but does not read out, pictures from disk
    trials, answers = plan(seed, mode)
    reader.begin(seed, mode)
    for trial, given in zip(trials, answers, strict=True):
        reader.to_question()
        wanted = expected(trial, mode)
        assert painted(visit.page, wanted) == wanted, trial
        reader.answer(given)
        reader.go_on()


def test_nothing_but_the_pictures_tells_the_answer(show):
    """The document of a question is the same whichever side is right."""
    texts = {"left": set(), "right": set()}
    for seed in (1, 2, 3, 4):
        visit, reader = show("inside")
        first = plan(seed)[0][0]
        reader.begin(seed)
        reader.to_question()
        painted(visit.page, expected(first, "matching"))  # a canvas has its size from then on
        texts[first.side].add(visit.page.inner_html(".am-trial"))
    assert len(texts["left"] | texts["right"]) == 1
    assert texts["left"] == texts["right"]


def test_pictures_have_words(show):
    visit, reader = show()
    trials, answers = plan(1)
    reader.begin(1)
    for trial, given in list(zip(trials, answers, strict=True))[:4]:
        reader.to_question()
        kind = {"natural": "photographs", "synthetic": "synthetic pictures"}.get(trial.condition)
        pair = ["The picture in question, left.", "The picture in question, right."]
        least, most = (f"Nine {kind} that activate the unit {end}." for end in ("least", "most"))
        assert visit.page.eval_on_selector_all(".am-trial canvas", _LABELS) == (
            [least, *pair, most] if kind else pair
        )
        reader.answer(given)
        reader.go_on()


def test_the_status_line_says_question_and_answer(show):
    visit, reader = show()
    trials, answers = plan(1)
    reader.begin(1)
    reader.to_question()
    visit.page.wait_for_function(_SAYS, arg="Which of the two pictures activates")
    reader.answer(answers[0])
    visit.page.wait_for_function(_SAYS, arg="✓" if answers[0][0] == trials[0].side else "✗")


@pytest.mark.parametrize(("mode", "question"), [("light", "matching"), ("dark", "occlusion")])
def test_every_screen_is_accessible_and_fits_a_telephone(show, mode, question):
    visit, reader = show(size=NARROW, mode=mode)
    _, answers = plan(1, question)

    def sound(tall=None):
        assert page_checks.violates_wcag(visit.page) == []
        assert page_checks.wider_than_the_screen(visit.page) == []
        if tall:
            box = visit.page.query_selector(".am-study").bounding_box()
            assert box["height"] <= tall

    sound()
    reader.begin(1, question)
    sound(NARROW[1] - 60)
    for k, given in enumerate(answers):
        reader.to_question()
        if k < 3:
            sound(NARROW[1] - 120)  # the theme's bar above, a margin below
        reader.answer(given)
        if k < 3:
            sound(NARROW[1] - 120)
        reader.go_on()
    visit.page.click("summary")
    sound()
    reader.press("halt")
    sound()


@pytest.mark.parametrize("question", ["matching", "occlusion"])
def test_a_question_with_its_answer_is_within_a_small_telephone(show, question):
    """640 px less the theme's bar, and some of the browser's own; fingers find the buttons."""
    visit, reader = show(size=(360, 640))
    _, answers = plan(1, question)
    reader.begin(1, question)
    for given in answers[:3]:
        reader.to_question()
        reader.answer(given)
        assert visit.page.query_selector("[name=next]").is_visible()
        assert visit.page.query_selector(".am-study").bounding_box()["height"] <= 500
        boxes = [b.bounding_box() for b in visit.page.query_selector_all(".am-answers button")]
        assert all(box["width"] >= 44 and 44 <= box["height"] <= 48 for box in boxes)
        reader.go_on()


def test_the_book_s_button_to_the_top_does_not_cover_a_question(show):
    """The theme shows it, with an inline style, over the lower part of the screen."""
    visit, reader = show(size=NARROW)
    visit.page.evaluate(
        """() => document.body.insertAdjacentHTML("beforeend", `<button id="pst-back-to-top"
          style="display: block; position: fixed; top: 90vh">Back to top</button>`)"""
    )
    pill = visit.page.query_selector("#pst-back-to-top")
    assert pill.is_visible()
    reader.begin(1)
    assert pill.is_visible()
    reader.to_question()
    assert not pill.is_visible()
    reader.press("halt")
    assert pill.is_visible()


def test_keys_are_named_where_there_are_keys(show):
    for touch in (False, True):
        visit, reader = show(size=NARROW, has_touch=touch, is_mobile=touch)
        reader.begin(1)
        reader.to_question()
        for text in ("Keys 1 to 6 answer.", "Enter goes on."):
            hint = visit.page.query_selector(".am-hint")
            assert hint.text_content() == text
            assert hint.is_visible() != touch
            reader.answer(("left", 1))


def test_buttons_are_large_enough_for_a_finger_and_answer_it(show):
    visit, reader = show(size=NARROW, has_touch=True)
    trials, _ = plan(1)
    reader.begin(1)
    visit.page.tap("[name=next]")
    buttons = visit.page.query_selector_all(".am-answers button")
    boxes = [button.bounding_box() for button in buttons]
    assert len(boxes) == 6
    assert all(box["width"] >= 44 and box["height"] >= 44 for box in boxes)
    assert [box["x"] for box in boxes] == sorted(box["x"] for box in boxes)
    visit.page.tap(f"[name={trials[0].side}-2]")
    assert visit.page.text_content(".am-question").startswith("✓")
    visit.page.tap("[name=next]")
    assert reader.place() == 2


def test_a_question_does_not_move_what_is_on_the_screen(show):
    """Buttons stay where they are, from question to answer and from one kind to the other."""
    visit, reader = show(size=NARROW)
    _, answers = plan(1)
    reader.begin(1)
    places = set()
    for given in answers[:12]:
        reader.to_question()
        for _ in range(2):
            top = visit.page.query_selector(".am-study").bounding_box()["y"]
            box = visit.page.query_selector(".am-answers").bounding_box()
            places.add((round(box["y"] - top), round(box["height"])))
            reader.answer(given)
        reader.go_on()
    assert len(places) == 1


def test_a_change_of_theme_keeps_the_question(show):
    visit, reader = show("inside")
    reader.begin(1)
    reader.to_question()
    before = expected(plan(1)[0][0], "matching")
    assert painted(visit.page, before) == before
    ink = "() => getComputedStyle(document.querySelector('.am-name')).color"
    colour_before = visit.page.evaluate(ink)
    visit.page.evaluate("document.documentElement.dataset.theme = 'dark'")
    visit.page.wait_for_function(f"before => ({ink})() !== before", arg=colour_before)
    assert painted(visit.page, before) == before
    assert reader.place() == 1
