"""What counts and what the report says of it, against answers that are known."""

import json
import math
import re
import statistics as plain

import pytest
from scipy import stats

from actmax_lib.study.merge import gather, report
from actmax_lib.study.records import read
from actmax_lib.study.session import schedule
from actmax_lib.study.statistics import binomial_interval, clustered, d_prime, paired
from actmax_lib.study.told import text
from tests.study.sessions import DESIGN, file, played


def scored(seed, natural, synthetic, none=3, catch=4, mode="matching", length="short"):
    """A rule of right answers: the first so many of each condition, and of the catch trials."""
    wanted = {"natural": natural, "synthetic": synthetic, "none": none, "catch": catch}
    order: dict[str, list[int]] = {key: [] for key in wanted}
    for trial in schedule(seed, mode, length, DESIGN):
        if trial.phase != "practice":
            order["catch" if trial.phase == "catch" else trial.condition].append(trial.index)
    right = {index for key, some in order.items() for index in some[: wanted[key]]}
    return lambda trial: trial.index in right


def class_of(folder, scores, **how):
    """A file a participant, a.csv, b.csv, ..., with these (natural, synthetic) of 6 each."""
    paths = []
    for k, score in enumerate(scores):
        content = played(k, session=f"s{k:08x}", right=scored(k, *score), noise=k, **how)
        paths.append(file(folder, content, f"{chr(97 + k)}.csv"))
    return paths


def several(folder, count, right, **how):
    """Files of ``count`` participants with other seeds, all with this rule of right answers."""
    return [
        file(folder, played(k, session=f"s{k:08x}", right=right, **how), f"{k}.csv")
        for k in range(count)
    ]


SCORES = [(6, 4), (5, 5), (6, 3), (4, 4), (5, 2)]


@pytest.fixture
def five(tmp_path):
    return report(gather(class_of(tmp_path, SCORES), DESIGN))["modes"]["matching"]


def test_accuracy_is_clustered_by_participant(five):
    for place, condition in enumerate(("natural", "synthetic")):
        counts = [score[place] for score in SCORES]
        found = five["conditions"][condition]
        shares = [k / 6 for k in counts]
        error = plain.stdev(shares) / math.sqrt(5)
        half = stats.t.ppf(0.975, 4) * error
        assert (found["correct"], found["total"], found["participants"]) == (sum(counts), 30, 5)
        assert found["value"] == pytest.approx(plain.mean(shares))
        assert found["two_se"] == pytest.approx(2 * error)
        assert found["low"] == pytest.approx(found["value"] - half)
        assert found["high"] == pytest.approx(min(1, found["value"] + half))
        assert found["interval"] == "clustered"
        assert found["d_prime"] == pytest.approx(d_prime(sum(counts) / 30))


def test_difference_is_paired_by_participant(five):
    natural, synthetic = ([s[k] / 6 for s in SCORES] for k in (0, 1))
    wanted, found = paired(natural, synthetic), five["paired"]
    assert {key: found[key] for key in vars(wanted)} == pytest.approx(vars(wanted))
    assert (found["natural_better"], found["synthetic_better"], found["participants"]) == (3, 0, 5)


def test_the_interval_over_units_counts_units(tmp_path):
    """All people agree, and are always wrong about units 1 and 7: units differ, people do not."""
    paths = several(tmp_path, 3, lambda trial: trial.unit not in (1, 7), length="full")
    found = report(gather(paths, DESIGN))
    cell = found["modes"]["matching"]["conditions"]["natural"]
    wanted = clustered([3 * (u not in (1, 7)) for u in range(15)], [3] * 15)
    assert cell["over_units"] == {"low": wanted.low, "high": wanted.high, "units": 15}
    assert cell["interval"] == "exact"
    assert f"{'the same over units':<32} [{wanted.low:.3f}, {wanted.high:.3f}]" in text(found)


def test_the_paper_stands_beside_it(tmp_path):
    told = text(report(gather(class_of(tmp_path, SCORES), DESIGN)))
    assert "5 participants are few" in told
    (row,) = (line for line in told.splitlines() if line.startswith("the paper"))
    assert re.split(r"  +", row) == ["the paper", "0.922 +/- 0.018", "0.820 +/- 0.043", "-"]


def test_practice_and_catch_trials_are_no_main_trials(tmp_path):
    """All practice wrong, all catch trials wrong, all main trials right."""
    paths = [
        file(
            tmp_path,
            played(k, session=f"s{k:08x}", right=lambda trial: trial.phase == "main"),
            f"{k}.csv",
        )
        for k in range(3)
    ]
    found = report(gather(paths, DESIGN))["modes"]["matching"]
    for condition in ("natural", "synthetic", "none"):
        assert found["conditions"][condition]["value"] == 1
        assert found["conditions"][condition]["total"] == 18
    assert (found["catch"]["correct"], found["catch"]["total"]) == (0, 12)


def test_levels_layers_and_confidence_add_up(five):
    for table_of in ("levels", "layers", "by_confidence"):
        for condition, whole in five["conditions"].items():
            cells = [cell[condition] for cell in five[table_of].values() if condition in cell]
            assert sum(cell["correct"] for cell in cells) == whole["correct"]
            assert sum(cell["total"] for cell in cells) == whole["total"]
    assert list(five["levels"]) == ["extreme", "p90", "p70"]
    assert list(five["layers"]) == ["net-a a.1", "net-a a.2", "net-b b.1"]
    assert {cell["natural"]["total"] for cell in five["levels"].values()} == {10}


def test_a_level_is_counted_by_level(tmp_path):
    """Wrong at p70 and nowhere else."""
    paths = [
        file(
            tmp_path,
            played(k, session=f"s{k:08x}", right=lambda trial: trial.level != "p70"),
            f"{k}",
        )
        for k in range(3)
    ]
    levels = report(gather(paths, DESIGN))["modes"]["matching"]["levels"]
    values = {level: cell["synthetic"]["value"] for level, cell in levels.items()}
    assert values == {"extreme": 1, "p90": 1, "p70": 0}


def test_the_hardest_units_come_first(tmp_path):
    """Unit 7 always wrong, unit 2 wrong with synthetic references only; all without none."""

    def right(trial):
        return trial.unit != 7 and (trial.unit, trial.condition) not in {
            (2, "synthetic"), (3, "none")
        }  # fmt: skip

    paths = several(tmp_path, 2, right, length="full")
    hardest = report(gather(paths, DESIGN))["modes"]["matching"]["hardest"]
    assert [(h["unit"], h["correct"], h["total"]) for h in hardest] == [(7, 0, 4), (2, 2, 4)]
    assert (hardest[0]["layer"], hardest[0]["channel"]) == ("a.2", 20)


def test_one_participant_has_an_exact_interval(tmp_path):
    found = report(gather(class_of(tmp_path, [(5, 4)]), DESIGN))
    cell = found["modes"]["matching"]["conditions"]["natural"]
    assert (cell["low"], cell["high"]) == binomial_interval(5, 6)
    assert (cell["interval"], cell["se"]) == ("exact", None)
    assert found["modes"]["matching"]["paired"]["low"] is None
    assert "How much people differ is unknown" in text(found)
    assert "+0.167" in text(found)


def test_participants_who_agree_are_not_certainty(tmp_path):
    found = report(gather(class_of(tmp_path, [(6, 4), (6, 4), (6, 4)]), DESIGN))
    cell = found["modes"]["matching"]["conditions"]["natural"]
    assert (cell["low"], cell["high"]) == binomial_interval(18, 18)
    assert cell["interval"] == "exact"
    assert found["modes"]["matching"]["paired"]["t"] is None
    told = text(found)
    assert "That is no certainty" in told
    assert "no t test" in told
    assert "infinite" in told
    json.dumps(found, allow_nan=False)


def test_catch_trials_name_and_drop(tmp_path):
    paths = class_of(tmp_path, SCORES[:3])
    careless = played(9, session="s00000009", right=scored(9, 2, 2, catch=2), rt=(10, 400))
    paths.append(file(tmp_path, careless, "z.csv"))
    kept = report(gather(paths, DESIGN))
    assert kept["counted"] == 4
    notes = [p["notes"] for p in kept["modes"]["matching"]["participants"]]
    assert notes[:3] == [[], [], []]
    assert notes[3][0] == "catch 2 of 4"
    assert "median answer after" in notes[3][1]
    assert "no. 4: catch 2 of 4" in text(kept)
    assert "once in 16" in text(kept)
    strict = report(gather(paths, DESIGN), catch=0.8)
    assert (strict["counted"], strict["dropped"], strict["left_out"]) == (3, 1, [])
    assert strict["modes"]["matching"]["conditions"]["natural"]["correct"] == 17
    assert "1 dropped by --catch 0.8" in text(strict)
    assert "DROPPED" in text(strict)
    assert report(gather(paths, DESIGN), catch=0.5)["counted"] == 4
    nobody = report(gather(paths[3:], DESIGN), catch=1)
    assert nobody["counted"] == 0
    assert "DROPPED" in text(nobody)
    with pytest.raises(ValueError, match="catch"):
        report(gather(paths, DESIGN), catch=80)


def test_times_and_confidence_are_told(tmp_path):
    """The median of people's medians: who has a full session does not count more."""
    paths = [
        file(tmp_path, played(1, session="s00000001", rt=(1000, 1000)), "a.csv"),
        file(tmp_path, played(2, session="s00000002", rt=(2000, 2000)), "b.csv"),
        file(tmp_path, played(3, length="full", session="s00000003", rt=(9000, 9000)), "c.csv"),
    ]
    found = report(gather(paths, DESIGN))["modes"]["matching"]
    said = [
        a.confidence for path in paths for a in read(path, DESIGN).answers
        if a.trial.phase == "main" and a.trial.condition == "none"
    ]  # fmt: skip
    assert found["conditions"]["none"]["median_rt_ms"] == 2000
    assert found["conditions"]["none"]["confidence"] == pytest.approx(plain.mean(said))
    assert [p["median_rt_ms"] for p in found["participants"]] == [1000, 2000, 9000]


def test_one_side_every_time_is_named(tmp_path):
    path = file(tmp_path, played(right=lambda trial: trial.side == "left"))
    (person,) = report(gather([path], DESIGN))["modes"]["matching"]["participants"]
    assert "answered left every time" in person["notes"]


def test_modes_are_not_mixed(tmp_path):
    paths = class_of(tmp_path, [(6, 6)])
    other = played(3, "occlusion", session="s000000ff", right=lambda trial: False)
    paths.append(file(tmp_path, other, "other.csv"))
    found = report(gather(paths, DESIGN))
    assert found["modes"]["matching"]["conditions"]["natural"]["value"] == 1
    assert found["modes"]["occlusion"]["conditions"]["natural"]["value"] == 0
    assert list(found["modes"]["occlusion"]["levels"]) == ["occlusion"]
    told = text(found)
    assert told.index("== matching ==") < told.index("== occlusion ==")
    assert "the paper" not in told[told.index("== occlusion ==") :]
    (row,) = (line for line in told.splitlines() if "-infinite" in line)  # d' of no right answer
    assert row.split() == ["d'", "-infinite", "-infinite", "-infinite"]


def test_lengths_and_seeds_are_told(tmp_path):
    paths = [file(tmp_path, played(5, session=f"s{k:08x}", noise=k), f"{k}") for k in range(2)]
    assert "All used one seed" in text(report(gather(paths, DESIGN)))
    paths.append(file(tmp_path, played(6, length="full", session="s000000aa"), "full"))
    told = text(report(gather(paths, DESIGN)))
    assert "Short and full sessions together" in told
    assert "All used one seed" not in told


def test_sessions_with_one_seed_are_named(tmp_path):
    for k, seed in enumerate((5, 6, 5)):
        file(tmp_path, played(seed, session=f"s{k:08x}", noise=k), f"{k}.csv")
    people = report(gather(sorted(tmp_path.iterdir()), DESIGN))["modes"]["matching"]["participants"]
    assert "the same seed as no. 3; one person twice?" in people[0]["notes"]
    assert not any("seed" in note for note in people[1]["notes"])
    assert "the same seed as no. 1; one person twice?" in people[2]["notes"]
    assert all(p["counted"] for p in people)
