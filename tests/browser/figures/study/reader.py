"""A reader of the figure "study" in a browser: goes through sessions by keyboard or pointer."""

import random

from actmax_lib.study.session import schedule
from tests.browser.figures.study.sheets import DESIGN

KEYS = {("left", 3): "1", ("left", 2): "2", ("left", 1): "3",
        ("right", 1): "4", ("right", 2): "5", ("right", 3): "6"}  # fmt: skip


def plan(seed, mode="matching", length="short", share=0.7, luck=0):
    """The trials of a session, and answers (side, confidence), a ``share`` of them right."""
    rng = random.Random(luck)
    trials = schedule(seed, mode, length, DESIGN)
    other = {"left": "right", "right": "left"}
    answers = [
        (t.side if rng.random() < share else other[t.side], rng.choice([1, 2, 3])) for t in trials
    ]
    return trials, answers


def right(pairs, test):
    """(correct, total) of the main trials that pass a test of (trial, confidence)."""
    hits = [side == t.side for t, (side, sure) in pairs if t.phase == "main" and test(t, sure)]
    return sum(hits), len(hits)


def settled(page, look, good, tries=160):
    """What ``look()`` says as soon as it is good, or at last: a busy machine paints late."""
    while not good(found := look()) and tries:
        page.wait_for_timeout(50)
        tries -= 1
    return found


class Reader:
    """Hands on a page that shows one figure "study"."""

    def __init__(self, page):
        self.page = page
        page.set_default_timeout(8000)

    def tab_to(self, name):
        """Move the focus to a control by Tab alone."""
        for _ in range(60):
            if self.page.evaluate("document.activeElement?.getAttribute('name')") == name:
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"no way to {name!r} by Tab")

    def press(self, name):
        """Tab to a button and press it."""
        self.tab_to(name)
        self.page.keyboard.press("Enter")

    def press_again(self, name):
        """Press a button that asks first, and once more when it is no double click any more."""
        self.press(name)
        self.page.wait_for_timeout(600)
        self.press(name)

    def begin(self, seed, mode="matching", length="short"):
        """From the start screen to the screen before the practice, by keyboard."""
        for name, moved in (("mode", mode == "occlusion"), ("length", length == "full")):
            self.tab_to(name)
            self.page.keyboard.press("ArrowDown" if moved else "ArrowUp")
        self.tab_to("seed")
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(str(seed))
        self.press("start")
        self.page.wait_for_selector(".am-study [name=next]")

    def on_question(self):
        return self.page.query_selector(".am-pair") is not None

    def place(self):
        """Number of the question that is open, from its text."""
        return int(self.page.text_content(".am-where").split(" of ")[0])

    def to_question(self):
        """Through a break, if there is one."""
        if not self.on_question():
            self.page.keyboard.press("Enter")
            self.page.wait_for_selector(".am-pair")

    def answer(self, given):
        """Answer the open question by key; returns what is then said."""
        self.page.keyboard.press(KEYS[given])
        return self.page.text_content(".am-question")

    def go_on(self):
        self.page.keyboard.press("Enter")

    def play(self, answers, first=0, last=None):
        """Answer the questions ``first`` to ``last`` and go on after each."""
        for given in answers[first:last]:
            self.to_question()
            self.answer(given)
            self.go_on()

    def export(self, folder, name="session.csv"):
        """What Export gives, by keyboard, saved in ``folder``."""
        with self.page.expect_download() as waiting:
            self.press("export")
        waiting.value.save_as(folder / name)
        return folder / name, waiting.value.suggested_filename

    def data(self):
        """The numbers of the last screen, unrounded."""
        return dict(self.page.evaluate(
            """() => [...document.querySelectorAll(".am-study data")]
              .map(d => [d.dataset.name, Number(d.value)])"""
        ))  # fmt: skip
