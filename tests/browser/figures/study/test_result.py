"""The first and the last screen: how long it takes, and what the answers were."""

import json

import pytest
from scipy import stats

from actmax_lib.study.statistics import d_prime
from tests.browser.figure_checks import figures
from tests.browser.figures.study.reader import KEYS, plan
from tests.browser.figures.study.sheets import DESIGN
from tests.browser.figures.study.test_pictures import expected

OTHER = {"left": "right", "right": "left"}
SURE = ("unsure", "fairly", "sure")
PAPER = {"natural": 415 / 450, "synthetic": 369 / 450, "none": 0.431}
_ROWS = """() => [...document.querySelectorAll(".am-study tr")].map(
  row => [...row.children].map(cell => cell.textContent))"""
_COLOUR = """([canvas, name]) => {
  const probe = document.createElement("i");
  probe.style.color = getComputedStyle(canvas).getPropertyValue(name);
  canvas.parentElement.append(probe);
  const found = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
  probe.remove();
  return found;
}"""
_PIXELS = """([canvas, places]) => {
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  const pen = copy.getContext("2d", { willReadFrequently: true });
  pen.drawImage(canvas, 0, 0);
  const ratio = canvas.width / canvas.clientWidth;
  return places.map(([x, y]) => [...pen.getImageData(x * ratio, y * ratio, 1, 1).data.slice(0, 3)]);
}"""


def pixels(visit, canvas, *places):
    """Colours of a canvas at (x, y), CSS pixels."""
    return visit.page.evaluate(_PIXELS, [canvas, places])


def key(mode):
    return f"actmax-study:{DESIGN.stimuli}:{mode}"


def ended(show, given, seed=2, mode="matching", length="short", name="page"):
    """The last screen of a session whose answers the browser has kept; given(trial) each."""
    visit, reader = show(name)
    trials = plan(seed, mode, length)[0]
    kept = {"id": "s0123abcd", "seed": seed, "mode": mode, "length": length}
    kept = json.dumps(kept | {"answers": [given(trial) for trial in trials]})
    visit.page.evaluate("given => localStorage.setItem(...given)", [key(mode), kept])
    visit.page.reload()
    figures(visit.page)
    if mode == "occlusion":
        reader.tab_to("mode")
        visit.page.keyboard.press("ArrowDown")
        visit.page.wait_for_selector("[name=resume]")
    reader.press("resume")
    visit.page.wait_for_selector(".am-study table")
    return visit, reader, trials


def mixed(trial):
    """Right: natural but at p70, synthetic at p90, none, catch. Sure in this order; practice wrong.

    Of the main questions 20 of 36 take 5 s, and all others 1 s.
    """
    easy = {"natural": ("extreme", "p90"), "synthetic": ("p90",)}
    right = trial.phase != "practice"
    if trial.phase == "main":
        right = trial.level in easy.get(trial.condition, (trial.level,))
    sure = {"natural": 3, "synthetic": 2}.get(trial.condition, 1)
    slow = trial.phase == "main" and (trial.condition == "synthetic" or trial.level == "p70")
    return [trial.side if right else OTHER[trial.side], sure, 5000 if slow else 1000]


def test_each_number_stands_in_its_row(show):
    visit, *_ = ended(show, mixed)
    rows = {row[0]: row[1:] for row in visit.page.evaluate(_ROWS)}
    assert rows["photographs"][0] == "8 of 12"
    assert rows["synthetic pictures"][0] == "4 of 12"
    assert rows["no examples"][0] == "12 of 12"
    assert rows["sure"] == ["8 of 12", "67 %", "98 % / 95 %"]
    assert rows["fairly"] == ["4 of 12", "33 %", "87 % / 81 %"]
    assert rows["unsure"] == ["0 of 0", "–", "78 % / 72 %"]
    levels = ("most extreme", "10th against 90th percentile", "30th against 70th percentile")
    assert [rows[level][0] for level in levels] == ["4 of 8", "8 of 8", "0 of 8"]
    text = visit.page.text_content(".am-study")
    assert "24 of 36 right, practice and controls not counted" in text
    assert "you got 4 right" in text
    assert "shareBorowski et al.: photographs / synthetic" in text
    assert "Median time a question: 5.0 s" in text
    ends = stats.binomtest(8, 12).proportion_ci(method="exact")
    d, *sides = (d_prime(p) for p in (8 / 12, *ends))
    told = "{:.2f} ({:.1f} to {:.1f})".format(d, *sides).replace("-", "−")
    assert rows["photographs"][2] == told
    low, high = (100 * end for end in stats.binomtest(11, 12).proportion_ci(method="exact"))
    told = "11 of 12 right, about the 92 % of Borowski et al., has an interval from"
    assert f"{told} {low:.0f} % to {high:.0f} %" in text


@pytest.mark.parametrize(
    ("natural", "synthetic", "points", "apart"),
    [(8, 4, "+33", False), (4, 8, "−33", False), (12, 2, "+83", True), (2, 12, "−83", True)],
)
def test_what_one_reader_s_difference_is_worth(show, natural, synthetic, points, apart):
    left = {"natural": natural, "synthetic": synthetic, "none": 12}

    def given(trial):
        if trial.phase == "main":
            left[trial.condition] -= 1
        right = trial.phase != "main" or left[trial.condition] >= 0
        return [trial.side if right else OTHER[trial.side], 2, 900]

    visit, *_ = ended(show, given)
    own = visit.page.text_content(".am-honest")
    told = f"Photographs minus synthetic pictures is {points} points here. The two intervals"
    assert own.startswith(told)
    assert ("do not overlap" in own) == apart


def test_bars_are_as_high_as_their_shares(show):
    """Of the reader and of the paper, by the first coloured pixel from above, and in words."""
    visit, *_ = ended(show, mixed)
    canvas = visit.page.wait_for_selector("canvas[aria-label^=Bars]")
    visit.page.wait_for_function("c => c.width === Math.round(c.clientWidth)", arg=canvas)
    box = canvas.bounding_box()
    width, height = box["width"] - 54, box["height"] - 36  # what the frame leaves
    own = {"natural": 8 / 12, "synthetic": 4 / 12, "none": 1}
    words = {"natural": "photographs", "synthetic": "synthetic pictures", "none": "no examples"}
    label = canvas.get_attribute("aria-label")
    for k, (kind, share) in enumerate(own.items()):
        low, high = stats.binomtest(round(12 * share), 12).proportion_ci(method="exact")
        told = f"{words[kind]}: you {100 * share:.0f} % ({100 * low:.0f} % to {100 * high:.0f} %)"
        assert f"{told}; Borowski et al. {100 * PAPER[kind]:.0f} %" in label
        for middle, value, blue in ((k - 0.18, share, True), (k + 0.18, PAPER[kind], False)):
            x = 46 + (middle - 0.1 + 0.6) / 3.2 * width  # beside the whisker
            column = pixels(visit, canvas, *([x, y] for y in range(int(height))))
            top = next(y for y, (r, _, b) in enumerate(column) if (b - r if blue else r - b) > 60)
            assert 1.22 * (1 - (top - 12) / height) == pytest.approx(value, abs=0.015), kind


@pytest.mark.parametrize("mode", ["matching", "occlusion"])
def test_a_missed_question_comes_back_as_it_was_with_the_right_answer_marked(show, mode):
    wrong = ("main", "catch")
    visit, _, trials = ended(
        show, lambda t: [OTHER[t.side] if t.phase in wrong else t.side, 2, 900], 1, mode,
        name="inside",
    )  # fmt: skip
    visit.page.click("summary")
    strips = visit.page.query_selector_all(".am-missed canvas")
    asked = [trial for trial in trials if trial.phase in wrong]
    assert len(strips) == len(asked) == 40
    visit.page.wait_for_function("c => c.width === Math.round(c.clientWidth)", arg=strips[-1])
    green = visit.page.evaluate(_COLOUR, [strips[0], "--am-green"])
    for trial, strip in list(zip(asked, strips, strict=True))[::3]:
        width = strip.evaluate("c => c.clientWidth")
        height = round(width / 3.6)
        side = 0.72 * height
        edges = [width / 2 - side - 4, width / 2 + 4]
        shown = expected(trial, mode)
        left, right = shown if trial.condition == "none" else shown[1:3]
        middles = ((x + side / 2, height / 2) for x in edges)
        assert pixels(visit, strip, *middles) == [*left, *right]
        borders = ((x, height / 2) for x in edges)
        marked = [found == green for found in pixels(visit, strip, *borders)]
        assert marked == [trial.side == "left", trial.side == "right"]
        if trial.condition != "none":
            for tiles, start in ((shown[0], 0), (shown[3], width - height)):
                places = [(start + height * part, height * part) for part in (1 / 6, 1 / 2)]
                assert pixels(visit, strip, *places) == [tiles[0], tiles[4]]


def test_again_keeps_question_and_length(show):
    visit, reader, _ = ended(show, mixed, 21, "occlusion", "full")
    reader.press_again("again")
    visit.page.wait_for_selector(".am-study [name=next]")
    assert visit.page.text_content(".am-head") == "Session with the seed 21: 97 questions"
    reader.to_question()
    assert "gray squares" in visit.page.text_content(".am-question")


def test_the_first_screen_says_how_long_it_takes(show):
    """At 7 to 12 seconds a question."""
    visit, reader = show()
    said = "text => document.querySelector('.am-study > div > .am-statement').textContent === text"
    asks = "two photographs each: {}; a seed is drawn at the start."
    visit.page.wait_for_function(said, arg="43 questions, " + asks.format("5 to 9 minutes"))
    reader.tab_to("length")
    visit.page.keyboard.press("ArrowDown")
    visit.page.wait_for_function(said, arg="97 questions, " + asks.format("11 to 19 minutes"))


def test_each_button_gives_the_answer_it_says_and_names_its_key(show):
    visit, reader = show()
    reader.begin(1)
    for k, ((side, sure), digit) in enumerate(KEYS.items()):
        reader.to_question()
        control = visit.page.query_selector(f"[name={side}-{sure}]")
        assert control.text_content() == f"{SURE[sure - 1]}{side} · {digit}"
        control.click()
        kept = visit.page.evaluate("key => JSON.parse(localStorage.getItem(key))", key("matching"))
        assert [given[:2] for given in kept["answers"]][k:] == [[side, sure]]
        reader.go_on()
