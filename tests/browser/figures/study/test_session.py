"""The experiment as a reader takes it: by keyboard, over reloads, to its result and its CSV."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from actmax_lib.study import records, statistics
from tests.browser.figure_checks import assert_every_control_moves, figures
from tests.browser.figures.study.reader import plan, right
from tests.browser.figures.study.sheets import DESIGN

CONDITIONS = ("natural", "synthetic", "none")


def merged(file, folder):
    """What `python -m actmax_lib.study merge` makes of one file: (exit status, report)."""
    out = folder / "merged.json"
    command = [sys.executable, "-m", "actmax_lib.study", "merge", str(file), "--json", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(out.read_text(encoding="utf-8"))


def test_the_whole_test_by_keyboard_over_reloads_exported_and_merged(show, tmp_path):
    visit, reader = show()
    trials, answers = plan(seed=11)
    reader.begin(11)
    reader.play(answers, 0, 8)
    reader.to_question()
    reader.answer(answers[8])  # its feedback is on the screen when the page goes
    for first, last in ((9, 9), (9, 16), (16, 30)):  # in a block, at its end, in another
        reader.play(answers, first, last)
        visit.page.reload()
        figures(visit.page)
        memory = visit.page.text_content(".am-memory")
        assert f"answered {last} of the 43 questions of the session with the seed 11" in memory
        reader.press("resume")
        visit.page.wait_for_selector(".am-head")
        assert visit.page.text_content(".am-head") == f"{last} of 43 questions answered"
    reader.play(answers, 30)
    visit.page.wait_for_selector(".am-study table")

    found = reader.data()
    pairs = list(zip(trials, answers, strict=True))
    for kind in CONDITIONS:
        correct, total = right(pairs, lambda t, _, kind=kind: t.condition == kind)
        assert (found[f"{kind}.correct"], found[f"{kind}.total"], total) == (correct, 12, 12)
        exact = stats.binomtest(correct, 12).proportion_ci(method="exact")
        stated = [found[f"{kind}.{name}"] for name in ("low", "high", "d")]
        d = float(statistics.d_prime(correct / 12))
        assert stated == pytest.approx([exact.low, exact.high, d], abs=1e-9)
    for sure in (1, 2, 3):
        score = right(pairs, lambda t, c, sure=sure: t.condition != "none" and c == sure)
        assert (found[f"sure.{sure}.correct"], found[f"sure.{sure}.total"]) == score
    for level in ("extreme", "p90", "p70"):
        score = right(pairs, lambda t, _, v=level: t.condition != "none" and t.level == v)
        assert (found[f"level.{level}.correct"], found[f"level.{level}.total"]) == score
    caught = [given[0] == t.side for t, given in pairs if t.phase == "catch"]
    assert (found["catch.correct"], found["catch.total"]) == (sum(caught), 4)

    honest = visit.page.query_selector_all(".am-honest")[1].text_content()
    k = np.arange(13)
    both = np.outer(stats.binom.pmf(k, 12, 415 / 450), stats.binom.pmf(k, 12, 369 / 450))
    shares = [100 * part.sum() for part in (np.tril(both, -1), np.diag(both), np.triu(both, 1))]
    assert (
        "ahead in {:.0f} % of such sessions, equal in {:.0f} %, behind in {:.0f} %".format(*shares)
        in honest
    )

    file, name = reader.export(tmp_path)
    session = records.read(file, DESIGN)
    assert name == f"study-matching-{session.id}.csv"
    assert [(a.trial, (a.answer, a.confidence)) for a in session.answers] == pairs
    status, report = merged(file, tmp_path)
    assert status == 0
    for kind, told in report["modes"]["matching"]["conditions"].items():
        assert (told["correct"], told["total"]) == (found[f"{kind}.correct"], 12)


@pytest.mark.parametrize("mode", ["matching", "occlusion"])
def test_every_answer_is_told_and_wrong_ones_come_back_at_the_end(show, mode):
    visit, reader = show()
    trials, answers = plan(2, mode, share=0.6, luck=1)
    reader.begin(2, mode)
    verb = {"matching": "activates it more", "occlusion": "lowers it more"}[mode]
    classes = "() => [...document.querySelectorAll('.am-pair > div')].map(d => d.className)"
    for trial, given in zip(trials, answers, strict=True):
        reader.to_question()
        assert reader.place() == trial.index
        hit = given[0] == trial.side
        told = f"{'✓ Right' if hit else '✗ No'}: the {trial.side} one {verb}."
        assert reader.answer(given) == told
        boxes = ["am-right", "" if hit else "am-wrong"]
        assert visit.page.evaluate(classes) == boxes[:: 1 if trial.side == "left" else -1]
        pressed = visit.page.get_attribute(".am-study [aria-pressed=true]", "name")
        assert pressed == f"{given[0]}-{given[1]}"
        reader.go_on()
    missed = [(t, given) for t, given in zip(trials, answers, strict=True)
              if t.phase != "practice" and given[0] != t.side]  # fmt: skip
    assert visit.page.text_content("summary") == f"The questions you missed ({len(missed)})"
    texts = [p.text_content() for p in visit.page.query_selector_all(".am-missed p")]
    order = [["sure", "fairly", "unsure"].index(re.search(r"\((\w+)\)", t)[1]) for t in texts]
    assert order == sorted(order)
    said = [
        (u.channel, u.layer, given[0], t.side)
        for t, given in missed
        for u in [DESIGN.units[t.unit]]
    ]
    words = (
        r"Channel (\d+) of ([\w.]+), .* you chose (\w+) \(\w+\); the answer was the (\w+)-hand one"
    )
    told = [re.match(words, text) for text in texts]
    assert sorted((int(m[1]), m[2], m[3], m[4]) for m in told) == sorted(said)


def test_only_the_sheets_of_a_session_are_asked_for_and_only_when_it_starts(show):
    visit, reader = show()

    def asked():
        return sorted({url.split("/")[-1] for url in visit.requests if url.endswith(".webp")})

    assert asked() == []
    reader.begin(18)
    batches = sorted(f"study-batch-{k % 20:02d}.webp" for k in (18, 25, 31, 21))
    assert asked() == [*batches, "study-synthetic-cifar.webp", "study-synthetic-imagenet.webp"]


def test_the_full_session_has_every_unit_and_its_breaks_say_the_score(show):
    visit, reader = show()
    trials, answers = plan(5, length="full", share=0.8)
    reader.begin(5, length="full")
    heads = []
    scores = []
    nexts = []
    for given in answers:
        if not reader.on_question():
            texts = [p.text_content() for p in visit.page.query_selector_all(".am-study p")]
            heads.append(int(texts[0].split()[0]) if texts[0][0].isdigit() else 0)
            nexts.append(texts[-1])
            scores += re.findall(r": (\d+) of (\d+) right", texts[1])
        reader.play([given])
    assert heads == [0, 3, 18, 34, 50, 66, 82]
    told = {kind: [n for n in nexts[1:] if kind in n] for kind in (
        "questions without examples, to see what you would guess anyway.",
        "questions with photographs as examples.",
        "was nearly as low or as high as it would go.",
    )}  # fmt: skip
    assert [len(found) for found in told.values()] == [2, 2, 2]
    ends = [*heads, 97]
    for (first, last), (correct, total) in zip(
        zip(heads[:6], ends[1:7], strict=True), scores, strict=True
    ):
        hits = [answers[k][0] == trials[k].side for k in range(first, last)]
        assert (int(correct), int(total)) == (sum(hits), len(hits))
    assert reader.data()["natural.total"] == 30


def test_times_are_of_the_question_and_not_of_the_break(show, tmp_path):
    visit, reader = show()
    _, answers = plan(4)
    reader.begin(4)
    visit.page.wait_for_timeout(400)
    reader.to_question()
    visit.page.wait_for_timeout(250)
    reader.answer(answers[0])
    visit.page.wait_for_timeout(400)
    reader.go_on()
    reader.answer(answers[1])
    reader.press("halt")
    file, _ = reader.export(tmp_path)
    times = [int(line.split(",")[17]) for line in file.read_text().splitlines()[1:]]
    assert 250 <= times[0] < 390
    assert times[1] < 250


def test_stop_keeps_the_answers_and_an_unfinished_session_is_known_as_such(show, tmp_path):
    _, reader = show()
    _, answers = plan(6, "occlusion")
    reader.begin(6, "occlusion")
    reader.play(answers, 0, 10)
    reader.press("halt")
    file, _ = reader.export(tmp_path)
    with pytest.raises(records.RecordError, match="10 of 43") as found:
        records.read(file, DESIGN)
    assert found.value.kind == "truncated"
    reader.press("resume")
    reader.play(answers, 10)
    file, _ = reader.export(tmp_path)
    assert [(a.answer, a.confidence) for a in records.read(file, DESIGN).answers] == answers


def test_a_held_key_a_modified_one_and_one_elsewhere_answer_nothing_twice(show):
    visit, reader = show()
    reader.begin(9)
    reader.to_question()
    visit.page.keyboard.press("Control+1")
    visit.page.keyboard.press("7")
    assert visit.page.query_selector(".am-study [name=next]").is_hidden()
    for _ in range(4):
        visit.page.keyboard.down("1")  # the same key, held
    assert "one activates it more" in visit.page.text_content(".am-question")
    visit.page.keyboard.up("1")
    visit.page.keyboard.press("6")  # it has been answered
    reader.go_on()
    assert reader.place() == 2
    visit.page.evaluate("document.activeElement.blur()")
    visit.page.keyboard.press("3")
    assert visit.page.query_selector(".am-study [name=next]").is_hidden()


def test_the_same_seed_asks_the_same_again_and_another_another(show, tmp_path):
    visit, reader = show()
    trials, answers = plan(21)
    reader.begin(21)
    reader.play(answers)
    first, _ = reader.export(tmp_path, "first.csv")
    reader.press_again("again")
    visit.page.wait_for_selector(".am-study [name=next]")
    reader.play(answers)
    second, _ = reader.export(tmp_path, "second.csv")
    sessions = [records.read(file, DESIGN) for file in (first, second)]
    assert sessions[0].id != sessions[1].id
    assert [a.trial for a in sessions[1].answers] == list(trials)
    reader.press_again("other")
    visit.page.wait_for_selector(".am-study [name=next]")
    seed = re.search(r"seed (\d+)", visit.page.text_content(".am-head"))[1]
    assert seed != "21"


def test_a_seed_that_is_none_starts_nothing(show):
    visit, reader = show()
    for wrong in ("4294967296", "-1", "1e3", "seven"):
        visit.page.fill("[name=seed]", wrong)
        reader.press("start")
        assert visit.page.text_content(".am-statement").startswith("The seed is a whole number")
    visit.page.fill("[name=seed]", "4294967295")
    reader.press("start")
    visit.page.wait_for_selector(".am-study [name=next]")
    assert "seed 4294967295" in visit.page.text_content(".am-head")


def test_without_a_seed_one_is_drawn(show):
    heads = set()
    for _ in range(2):
        visit, reader = show()
        reader.press("start")
        visit.page.wait_for_selector(".am-study [name=next]")
        heads.add(visit.page.text_content(".am-head"))
    assert len(heads) == 2


def test_the_keyboard_moves_every_control_of_the_start_screen(show):
    visit, _ = show("inside")
    figure = figures(visit.page)[0]
    moved = assert_every_control_moves(visit.page, figure)
    assert moved == ["mode", "length", "seed", "draw", "start"]
