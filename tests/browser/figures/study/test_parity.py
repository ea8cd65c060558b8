"""The study's JavaScript against its Python twins: schedule, CSV, statistics."""

from dataclasses import asdict, astuple
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from actmax_lib.study import records, statistics
from actmax_lib.study.session import load_design, schedule

WEB = Path(__file__).resolve().parents[4] / "web"
DESIGN = load_design()
_LISTED = "map(t => [t.index, t.phase, t.condition, t.unit, t.batch, t.level, t.side])"


@pytest.fixture(scope="module")
def page(browser):
    """A page with the functions of the schedule and of the statistics, and the design."""
    context = browser.new_context()
    page = context.new_page()
    for name in ("normals", "study-session", "study-score"):
        page.add_script_tag(content=(WEB / f"{name}.js").read_text(encoding="utf-8"))
    page.evaluate("design => { window.design = design }", asdict(DESIGN))
    yield page
    context.close()


def test_every_seed_gives_the_same_session(page):
    seeds = [*range(60), 2**31 - 1, 2**31, 2**32 - 20, 2**32 - 1]
    rng = np.random.default_rng(0)
    seeds += rng.integers(2**32, size=60).tolist()
    for mode in ("matching", "occlusion"):
        for length in ("short", "full"):
            found = page.evaluate(
                "([seeds, mode, length]) => "
                f"seeds.map(seed => schedule(seed, mode, length, design).{_LISTED})",
                [seeds, mode, length],
            )
            for seed, trials in zip(seeds, found, strict=True):
                assert trials == [list(astuple(t)) for t in schedule(seed, mode, length, DESIGN)]


def test_an_odd_design_too(page):
    """Without one of the picked units: 29, so one side is drawn."""
    design = type(DESIGN)(3, "0badcafe", 25, DESIGN.units[:4] + DESIGN.units[5:])
    for seed in range(40):
        found = page.evaluate(
            f"([seed, own]) => schedule(seed, 'matching', 'full', own).{_LISTED}",
            [seed, asdict(design)],
        )
        assert found == [list(astuple(t)) for t in schedule(seed, "matching", "full", design)]


@pytest.mark.parametrize(("mode", "length"), [("matching", "short"), ("occlusion", "full")])
def test_the_csv_is_that_of_python_to_the_byte(page, mode, length):
    rng = np.random.default_rng(1)
    total = len(schedule(8, mode, length, DESIGN))
    for seed, count in [(8, total), (2**32 - 1, total), (0, 5), (77, 0)]:
        answers = [
            [["left", "right"][rng.integers(2)], int(rng.integers(1, 4)), int(rng.integers(10**5))]
            for _ in range(count)
        ]
        told = {"id": "s00c0ffee", "seed": seed, "mode": mode, "length": length}
        found = page.evaluate("s => csv(s, design)", told | {"answers": answers})
        same = {"session": told["id"], "seed": seed, "mode": mode, "length": length}
        assert found == records.write([tuple(a) for a in answers], **same, design=DESIGN)


def test_what_is_kept_is_not_trusted(page):
    good = {"id": "s0123abcd", "seed": 4, "mode": "matching", "length": "short"}
    good["answers"] = [["left", 3, 1200], ["right", 1, 0]]
    bad = [
        None, 7, [], {}, good | {"mode": "occlusion"}, good | {"length": "endless"},
        good | {"seed": -1}, good | {"seed": 2**32}, good | {"seed": "4"}, good | {"id": "s0123"},
        good | {"answers": {}}, good | {"answers": [["up", 3, 1]]}, good | {"answers": [None]},
        good | {"answers": [["left", 4, 1]]}, good | {"answers": [["left", 2, -1]]},
        good | {"answers": [["left", 2, 0.5]]}, good | {"answers": [["left", 2, 10**10]]},
        good | {"answers": [["left", 2, 5]] * 44},
    ]  # fmt: skip
    ask = "kept => isSession(kept, 'matching', design)"
    assert page.evaluate(ask, good) is True
    assert page.evaluate(ask, good | {"answers": [["left", 2, 5]] * 43}) is True
    assert [kept for kept in bad if page.evaluate(ask, kept)] == []


def test_intervals_are_exact(page):
    for n in (1, 4, 12, 30, 97):
        found = page.evaluate("n => Array.from({length: n + 1}, (_, k) => interval(k, n))", n)
        for k, pair in enumerate(found):
            exact = stats.binomtest(k, n).proportion_ci(method="exact")
            assert pair == pytest.approx([exact.low, exact.high], abs=1e-10)
            assert pair == pytest.approx(statistics.binomial_interval(k, n), abs=1e-10)


def test_d_prime(page):
    shares = [0.0, 1e-6, 0.03, 0.25, 0.5, 0.82, 0.922, 0.999999, 1.0]
    found = page.evaluate("shares => shares.map(p => String(dPrime(p)))", shares)
    expected = [float(statistics.d_prime(p)) for p in shares]
    assert [float(v.replace("Infinity", "inf")) for v in found] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("n", [12, 30])
def test_what_one_reader_can_resolve(page, n):
    """Against arrays of scipy's probabilities, and a simulation of the pooled test."""
    a, b = 0.922, 0.82
    found = page.evaluate("([n, a, b]) => resolution(n, a, b)", [n, a, b])
    k = np.arange(n + 1)
    joint = np.outer(stats.binom.pmf(k, n, a), stats.binom.pmf(k, n, b))
    low, high = np.transpose([statistics.binomial_interval(i, n) for i in k])
    apart = (low[:, None] > high[None]) | (low[None] > high[:, None])
    expected = [np.tril(joint, -1).sum(), np.trace(joint), np.triu(joint, 1).sum()]
    assert [found[key] for key in ("ahead", "tie", "behind")] == pytest.approx(expected, abs=1e-9)
    assert found["apart"] == pytest.approx(joint[apart].sum(), abs=1e-9)
    rng = np.random.default_rng(0)
    power = {}
    for readers in (found["readers"], found["readers"] // 2):
        x, y = rng.binomial(n * readers, [a, b], (20_000, 2)).T / (n * readers)
        se = np.sqrt((x * (1 - x) + y * (1 - y)) / (n * readers))
        power[readers] = np.mean(np.abs(x - y) > stats.norm.isf(0.025) * np.maximum(se, 1e-9))
    assert min(power.values()) < 0.7 < 0.78 < power[found["readers"]] < 0.88


def test_medians_and_tallies(page):
    values = [[1000, 900, 20], [4, 1, 3, 20], [7]]  # as words they would be in another order
    assert page.evaluate("v => v.map(median)", values) == [900, 3.5, 7]
    trials = [{"side": "left", "kind": k % 2} for k in range(6)]
    answers = [["left", 1, 0], ["left", 2, 0], ["right", 3, 0], ["left", 3, 0]]
    ask = "([t, a, kind]) => tally(t, a, x => x.kind === kind)"
    found = [page.evaluate(ask, [trials, answers, kind]) for kind in (0, 1)]
    assert [(one["correct"], one["total"], one["value"]) for one in found] == [
        (1, 2, 0.5),
        (2, 2, 1),
    ]
