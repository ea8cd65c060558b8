"""The schedule is balanced, shows nothing twice, and follows the paper's order."""

import json
from collections import Counter
from dataclasses import replace
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from actmax_lib.study.session import Design, Trial, Unit, load_design, schedule

DESIGN = load_design()
SEEDS = st.integers(0, 2**32 - 1)
SIZES = {"short": (12, 43), "full": (30, 97)}
sessions = st.tuples(SEEDS, st.sampled_from(["matching", "occlusion"]), st.sampled_from([*SIZES]))


def of(trials, phase, condition=None):
    return [t for t in trials if t.phase == phase and condition in (None, t.condition)]


def layer(unit):
    return (DESIGN.units[unit].name, DESIGN.units[unit].layer)


def blocks(trials):
    """Main and catch trials, cut where the condition changes."""
    rest = [t for t in trials if t.phase != "practice"]
    return [(condition, list(part)) for condition, part in groupby(rest, lambda t: t.condition)]


@given(sessions)
def test_each_unit_once_a_condition_at_one_level(how):
    seed, mode, length = how
    trials = schedule(seed, mode, length, DESIGN)
    count, total = SIZES[length]
    assert [t.index for t in trials] == list(range(1, total + 1))
    asked = {c: of(trials, "main", c) for c in ("none", "natural", "synthetic")}
    pairs = [sorted((t.unit, t.level) for t in part) for part in asked.values()]
    assert pairs[0] == pairs[1] == pairs[2]
    units = [unit for unit, _ in pairs[0]]
    assert len(set(units)) == len(units) == count
    assert set(Counter(map(layer, units)).values()) == {count // 6}
    if length == "short":
        assert not any(DESIGN.units[u].picked for u in units)
    levels = Counter(level for _, level in pairs[0])
    names = ["occlusion"] if mode == "occlusion" else ["extreme", "p90", "p70"]
    assert levels == dict.fromkeys(names, count // len(names))


@given(sessions)
def test_the_right_answer_is_on_both_sides_equally_often(how):
    trials = schedule(*how, DESIGN)
    for condition in ("none", "natural", "synthetic"):
        sides = Counter(t.side for t in of(trials, "main", condition))
        assert sides["left"] == sides["right"] > 0


@given(sessions)
def test_no_photograph_comes_back(how):
    trials = schedule(*how, DESIGN)
    met = [(t.unit, t.batch) for t in trials]
    assert len(set(met)) == len(met)
    batch = {c: {t.batch for t in of(trials, "main", c)} for c in ("natural", "synthetic", "none")}
    further = {t.batch for t in trials if t.phase != "main"}
    seed = how[0]
    expected = [{(seed + k) % 20} for k in (0, 7, 13, 3)]
    assert [*batch.values(), further] == expected


@given(sessions)
def test_the_order_is_that_of_the_paper(how):
    trials = schedule(*how, DESIGN)
    count = SIZES[how[2]][0]
    practice = trials[:3]
    assert [t.phase for t in practice] == ["practice"] * 3
    assert [t.condition for t in practice] == ["natural", "synthetic", "none"]
    assert all(DESIGN.units[t.unit].picked for t in practice)
    parts = blocks(trials)
    order = [condition for condition, _ in parts]
    assert order[0] == order[5] == "none"
    assert order[1:3] == order[3:5]
    assert set(order[1:3]) == {"natural", "synthetic"}
    caught = []
    for condition, part in parts:
        main, catch = of(part, "main"), of(part, "catch")
        assert len(main) == count // 2
        assert len(catch) == (condition != "none")
        caught += catch
        assert not {t.unit for t in catch} & {t.unit for t in main}
    units = [t.unit for t in [*practice, *caught]]
    assert len(set(units)) == 7
    assert {t.level for t in [*practice, *caught]} <= {"extreme", "occlusion"}


def test_a_seed_says_it_all_and_seeds_differ():
    assert schedule(5, "matching", "full", DESIGN) == schedule(5, "matching", "full", DESIGN)
    orders = {tuple(t.unit for t in schedule(s, "matching", "short", DESIGN)) for s in range(200)}
    assert len(orders) == 200


def test_over_many_seeds_nothing_can_be_guessed():
    """Sides, the type that starts, places of catch trials and choice of units are even."""
    many = [schedule(seed, "matching", "short", DESIGN) for seed in range(1200)]

    def even(hits):
        return stats.binomtest(sum(hits), len(hits)).pvalue > 0.005

    for index in (0, 3, 20, 42):
        assert even([trials[index].side == "left" for trials in many])
    assert even([blocks(trials)[1][0] == "natural" for trials in many])
    catches = [t for trials in many for t in of(trials, "catch")]
    assert even([t.side == "left" for t in catches])
    places = Counter(
        [t.phase for t in part].index("catch")
        for trials in many
        for condition, part in blocks(trials)
        if condition != "none"
    )
    assert sorted(places) == list(range(7))
    assert stats.chisquare(list(places.values())).pvalue > 0.005
    chosen = Counter(t.unit for trials in many for t in of(trials, "main", "none"))
    drawn = [u for u, unit in enumerate(DESIGN.units) if not unit.picked]
    assert stats.chisquare([chosen[u] for u in drawn]).pvalue > 0.005
    extreme = [t.side == "left" for s in many for t in of(s, "main") if t.level == "extreme"]
    assert even(extreme)
    assert even([s[3].unit in {t.unit for t in blocks(s)[1][1]} for s in many])  # halves are mixed
    kinds = Counter((layer(t.unit), t.level) for s in many for t in of(s, "main", "none"))
    assert len(kinds) == 18  # a level must not stand for a layer
    assert stats.chisquare(list(kinds.values())).pvalue > 0.005
    for index in range(3):
        practised = Counter(trials[index].unit for trials in many)
        assert len(practised) == 6
        assert stats.chisquare(list(practised.values())).pvalue > 0.005


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mode": "guessing"}, "mode='guessing' is unknown; use one of matching, occlusion"),
        ({"length": "long"}, "length='long' is unknown; use one of short, full"),
        ({"seed": -3}, "seed must be at least 0"),
    ],
)
def test_sessions_that_there_are_not(change, words):
    given = {"seed": 1, "mode": "matching", "length": "short"} | change
    with pytest.raises(ValueError, match=words):
        schedule(**given, design=DESIGN)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"batches": 13}, "batches=13 repeat within a session"),
        ({"units": DESIGN.units[:13]}, "13 units are too few for a session; 14 do"),
        ({"units": DESIGN.units[:14]}, "2 units are picked; practice needs 3"),
        ({"units": (*DESIGN.units, Unit("cifar", "n", "fc", 0, False))}, "'fc' has fewer than 2"),
    ],
)
def test_designs_that_fill_no_session(change, words):
    with pytest.raises(ValueError, match=words):
        replace(DESIGN, **change)


def test_an_odd_number_of_units_leaves_one_side_to_chance():
    few = [unit for unit in DESIGN.units if not (unit.picked and unit.layer == "convs.2")]
    design = replace(DESIGN, units=tuple(few))
    lefts = []
    for seed in range(100):
        sides = [t.side for t in of(schedule(seed, "matching", "full", design), "main", "none")]
        lefts.append(sides.count("left"))
    assert set(lefts) == {14, 15}


def test_the_book_s_design_is_what_the_study_asks_for():
    assert len(DESIGN.units) == 30
    assert [len(units) for units in DESIGN.layers] == [5] * 6
    assert [sum(DESIGN.units[u].picked for u in units) for units in DESIGN.layers] == [1] * 6
    assert len({(u.name, u.layer, u.channel) for u in DESIGN.units}) == 30
    assert len(DESIGN.stimuli) == 8
    assert int(DESIGN.stimuli, 16) >= 0


def test_a_design_of_one_s_own(tmp_path):
    units = [{"network": "n", "name": "x", "layer": "a", "channel": k, "picked": k > 10}
             for k in range(14)]  # fmt: skip
    told = {"version": 4, "stimuli": "00c0ffee", "batches": 30, "units": units}
    (tmp_path / "own.json").write_text(json.dumps(told))
    design = load_design(tmp_path / "own.json")
    assert design == Design(
        4, "00c0ffee", 30, tuple(Unit("n", "x", "a", k, k > 10) for k in range(14))
    )
    first = schedule(9, "occlusion", "short", design)[0]
    assert isinstance(first, Trial)
    assert first.batch == 12
