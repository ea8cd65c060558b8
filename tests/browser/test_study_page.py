"""The experiment on its page of the built book, with the real stimuli: played, exported, merged."""

from functools import partial

import pytest

from actmax_lib.study import records
from scripts.results import RESULTS
from tests.browser import harness
from tests.browser.figure_checks import figures
from tests.browser.figures.study.reader import Reader, plan, settled
from tests.browser.figures.study.test_session import CONDITIONS, merged

PAGE = "chapters/networks/do-pictures-help.html"
# colours of a canvas: how many different ones it has, on a grid
_COLOURS = """cs => cs.map(c => {
  const pen = new OffscreenCanvas(24, 24).getContext("2d", { willReadFrequently: true });
  pen.drawImage(c, 0, 0, 24, 24);
  return new Set(new Uint32Array(pen.getImageData(0, 0, 24, 24).data.buffer)).size;
})"""


@pytest.fixture
def study(visit):
    """Function `study(size, mode)` -> (visit, Reader), the focus in the figure."""

    def go(size=harness.DESKTOP, mode="light"):
        made = visit(PAGE, size, mode)
        return made, ready(made)

    return go


def ready(made):
    """A reader of the page, at the figure's first control."""
    running = figures(made.page)
    figure = next(f for f in running if f.get_attribute("data-figure") == "study")
    figure.query_selector("select, button").focus()
    return Reader(made.page)


def test_the_short_session_is_played_by_keyboard_reloaded_exported_and_merged(study, tmp_path):
    made, reader = study()
    trials, answers = plan(seed=2021, share=0.75)
    reader.begin(2021)
    reader.play(answers, 0, 20)
    made.page.reload()
    made.settle()
    reader = ready(made)
    reader.press("resume")
    made.page.wait_for_selector(".am-study .am-head")
    for trial, given in list(zip(trials, answers, strict=True))[20:]:
        reader.to_question()
        assert reader.place() == trial.index
        look = partial(made.page.eval_on_selector_all, ".am-trial canvas", _COLOURS)
        pictures = settled(made.page, look, lambda found: min(found) > 30)
        assert len(pictures) == (2 if trial.condition == "none" else 4)
        assert min(pictures) > 30  # photographs and syntheses, not an empty frame
        assert ("✓" in reader.answer(given)) == (given[0] == trial.side)
        reader.go_on()
    made.page.wait_for_selector(".am-study table")
    found = reader.data()
    file, _ = reader.export(tmp_path)
    session = records.read(file)
    assert [(a.trial, (a.answer, a.confidence)) for a in session.answers] == (
        list(zip(trials, answers, strict=True))
    )
    status, report = merged(file, tmp_path)
    assert status == 0
    for kind in CONDITIONS:
        hits = [given[0] == t.side for t, given in zip(trials, answers, strict=True)
                if (t.phase, t.condition) == ("main", kind)]  # fmt: skip
        told = report["modes"]["matching"]["conditions"][kind]
        played = (sum(hits), len(hits))
        assert (told["correct"], told["total"]) == played
        assert (found[f"{kind}.correct"], found[f"{kind}.total"]) == played
    assert (made.foreign, made.console, made.failed) == ([], [], [])


@pytest.mark.parametrize("size", [(360, 740), (360, 640)])
@pytest.mark.parametrize(("mode", "question"), [("light", "matching"), ("dark", "occlusion")])
def test_a_question_fits_one_screen_of_a_telephone(study, mode, question, size):
    """And nothing of the page lies over it, such as its button to the top."""
    made, reader = study(size, mode)
    _, answers = plan(7, question)
    reader.begin(7, question)
    for given in answers[:5]:
        reader.to_question()
        reader.answer(given)
        made.page.mouse.wheel(0, -1)  # scrolling up is what brings the theme's button
        inside = made.page.evaluate(
            """() => {
              const box = document.querySelector(".am-study");
              const ends = [...document.querySelectorAll(
                ".am-where, .am-answers button, .am-foot")];
              return ends.map(e => e.getBoundingClientRect()).every(r => r.bottom <= innerHeight &&
                box.contains(document.elementFromPoint(r.x + 9, r.y + r.height / 2)));
            }"""
        )
        assert inside, "a part of the question is off the screen, or under the page's bar"
        assert made.page.evaluate("document.documentElement.scrollWidth") <= size[0]
        reader.go_on()


def test_the_page_loads_no_sheet_before_it_is_asked(study):
    made, reader = study()
    sheets = {path.name for path in (RESULTS / "study").iterdir()}
    assert not [url for url in made.requests if url.rsplit("/", 1)[-1] in sheets]
    reader.begin(1)
    asked = {url.rsplit("/", 1)[-1] for url in made.requests} & sheets
    assert len(asked) == 6
