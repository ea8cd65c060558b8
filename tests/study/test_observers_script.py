"""The observers' script on small made-up sheets: who sees what, and how it is counted."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats as scipy_stats

from actmax_lib import zoo
from actmax_lib.study import embeddings, statistics
from actmax_lib.study.stimuli import BATCHES, QUERIES, Stimuli
from scripts import measure_study as script
from scripts import study_tables as tables

LAYERS = ("convs.2", "convs.3")


def made_up(seed: int = 0) -> Stimuli:
    """Two units of a CIFAR-10 network with sheets of soft noise, in memory."""
    rng = np.random.default_rng(seed)
    units = [
        {"network": "cifar", "name": "cifar-standard-0", "layer": layer, "channel": 3 + k,
         "picked": bool(k)} for k, layer in enumerate(LAYERS)
    ]  # fmt: skip
    names = [f"study-batch-{b:02d}.webp" for b in range(BATCHES)] + ["study-synthetic-cifar.webp"]
    stimuli = Stimuli({"units": units, "files": [{"file": name} for name in names]}, Path())
    for name in names:
        columns = 18 if "synthetic" in name else 26
        coarse = rng.integers(0, 256, (len(units), columns, 4, 4, 3), dtype=np.uint8)
        stimuli._held[name] = coarse.repeat(8, 2).repeat(8, 3)
    return stimuli


@torch.no_grad()
def third(net: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The third convolution of a CifarNet, by hand."""
    for conv in net.convs[:2]:
        x = net.act(conv(x if len(x[0]) > 3 else (x - net.mean) / net.sd))
    return net.convs[2](net.pool(x))


@pytest.fixture(scope="module")
def stimuli() -> Stimuli:
    return made_up()


def cosines(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(np.mean([float(torch.cosine_similarity(a, one, 0)) for one in b]))


def test_margins_are_those_of_the_trials_asked_for_one_by_one(stimuli):
    e = embeddings.pixels
    found = script.by_references(script.Unit(stimuli, 1), script.on(e))
    assert len(found) == 2 * 4
    for (_, condition, level), margins in found.items():
        for batch in (0, 7, 19):
            low, high = (e(side) for side in stimuli.references(1, batch, condition))
            wrong, right = (cosines(q, high) - cosines(q, low)
                            for q in e(stimuli.queries(1, batch, level)))  # fmt: skip
            told = wrong - right if level == "occlusion" else right - wrong
            assert margins[batch] == pytest.approx(told, abs=1e-6)


@pytest.mark.parametrize("level", list(QUERIES))
def test_another_query_changes_its_own_trials_alone(level):
    one, other = made_up(), made_up()
    sheet = other._held["study-batch-05.webp"]
    sheet[0, QUERIES[level][1]] = 255 - sheet[0, QUERIES[level][1]]
    for name in ("pixels", "independent", "independent-last"):
        before, after = (
            script.by_references(
                unit, script.embeddings_of(unit, script.network("cifar-standard-2"))[name]
            )
            for unit in (script.Unit(s, 0) for s in (one, other))
        )
        changed = {
            (condition, at, batch)
            for (_, condition, at), margins in before.items()
            for batch in np.flatnonzero(np.abs(margins - after["", condition, at]) > 1e-9).tolist()
        }
        assert changed == {("natural", level, 5), ("synthetic", level, 5)}


def test_centred_takes_off_the_mean_of_the_trials_references(stimuli):
    e = embeddings.pixels
    found = script.by_references(script.Unit(stimuli, 0), script.on(e), centred=True)
    for condition, level in (("natural", "p90"), ("synthetic", "occlusion")):
        low, high = (e(side) for side in stimuli.references(0, 4, condition))
        zero = torch.cat([low, high]).mean(0)
        wrong, right = (cosines(q - zero, high - zero) - cosines(q - zero, low - zero)
                        for q in e(stimuli.queries(0, 4, level)))  # fmt: skip
        told = wrong - right if level == "occlusion" else right - wrong
        assert found["", condition, level][4] == pytest.approx(told, abs=1e-5)


def test_oracle_looks_at_pictures_and_not_at_where_they_lie(stimuli):
    """The made-up sheets have the right answer on either side, as it comes."""
    found = script.without_references(script.Unit(stimuli, 0))
    net, right = zoo.load("cifar-standard-0", device="cpu"), 0
    for level in QUERIES:
        for batch in range(BATCHES):
            value = third(net, stimuli.queries(0, batch, level))[:, 3].mean((1, 2))
            lead = float(value[1] - value[0]) * (-1 if level == "occlusion" else 1)
            assert found["oracle", "natural", level][batch] == pytest.approx(lead, abs=1e-5)
            right += lead > 0
    assert 20 < right < 60
    flipped = made_up()
    for sheet in flipped._held.values():
        if sheet.shape[1] == 26:
            for wrong, good in QUERIES.values():
                sheet[:, [wrong, good]] = sheet[:, [good, wrong]]
    turned = script.without_references(script.Unit(flipped, 0))
    for key, margins in found.items():
        if key[0] == "coin":  # it never looks
            np.testing.assert_array_equal(turned[key], margins)
        else:
            np.testing.assert_allclose(turned[key], -margins, atol=1e-5)


UNITS = [
    {"network": n, "name": "net", "layer": layer, "channel": c, "picked": c == 2}
    for n, layer in (("cifar", "a"), ("cifar", "b"), ("imagenet", "a")) for c in range(3)
]  # fmt: skip


def planted() -> dict[tuple[str, str, str], np.ndarray]:
    """Margins of observers whose units differ much, and whose trials of a unit agree."""
    rng = np.random.default_rng(0)
    made = {}
    for name in ("pixels", "independent", "robust"):
        for condition, bonus in (("natural", 1.6), ("synthetic", 1.0)):
            for level in QUERIES:
                made[name, condition, level] = rng.normal(bonus, 1, (9, 1)) + rng.normal(
                    0, 0.2, (9, BATCHES)
                )
    for key in made:
        if key[0] == "robust":
            made[key][6:] = np.nan  # no units of the ImageNet network
    return made


@pytest.fixture(scope="module")
def told() -> dict:
    return tables.content(UNITS, planted())


def row(told: dict, **wanted: str) -> dict:
    (found,) = (r for r in told if all(r[k] == v for k, v in wanted.items()))
    return found


def test_intervals_are_over_units_and_not_over_trials(told):
    for scope, units in (("all", range(9)), ("drawn", (0, 1, 3, 4, 6, 7)), ("cifar b", (3, 4, 5))):
        found = row(told["rows"], observer="pixels", condition="synthetic", level="p90",
                    scope=scope)  # fmt: skip
        right = (planted()["pixels", "synthetic", "p90"] > 0).mean(1)[list(units)]
        low, high = scipy_stats.t.interval(
            0.95, len(right) - 1, right.mean(), scipy_stats.sem(right)
        )
        assert (found["value"], found["units"]) == (
            pytest.approx(right.mean(), abs=1e-5),
            len(units),
        )
        assert (found["correct"], found["total"]) == (right.sum() * 20, len(units) * 20)
        for end, limit in (("low", max(low, 0)), ("high", min(high, 1))):
            assert found[end] == pytest.approx(limit, abs=1e-4)
        if scope == "all":
            naive = scipy_stats.binomtest(int(found["correct"]), found["total"]).proportion_ci()
            assert high - low > 2 * (naive.high - naive.low)


def test_who_took_no_part_is_not_counted(told):
    counted = row(told["counts"], observer="robust", condition="natural", level="extreme")
    assert counted["correct"][6:] == [None] * 3
    found = row(told["rows"], observer="robust", condition="natural", level="extreme", scope="all")
    assert (found["units"], found["total"]) == (6, 120)
    scopes = {r["scope"] for r in told["rows"] if r["observer"] == "robust"}
    assert scopes == {"all", "drawn", "picked", "cifar", "cifar a", "cifar b"}


def test_paired_is_natural_less_synthetic_of_the_same_units(told):
    found = row(told["paired"], observer="pixels", level="p70", scope="all")
    a, b = ((planted()["pixels", c, "p70"] > 0).mean(1) for c in ("natural", "synthetic"))
    told_ = scipy_stats.ttest_rel(a, b)
    interval = told_.confidence_interval()
    assert found["difference"] == pytest.approx((a - b).mean(), abs=1e-5)
    assert found["p"] == pytest.approx(told_.pvalue, rel=1e-4)
    assert (found["low"], found["high"]) == pytest.approx(tuple(interval), abs=1e-4)
    assert found["difference"] > 0  # as planted


def test_no_interval_where_all_units_agree():
    margins = {("oracle", c, level): np.ones((9, BATCHES)) for c in tables.PAIR
               for level in QUERIES} | planted()  # fmt: skip
    for r in tables.content(UNITS, margins)["rows"]:
        if r["observer"] == "oracle":
            assert (r["value"], r["low"], r["high"]) == (1, None, None)


def test_noise_is_fitted_to_one_condition_and_predicts_the_other(told):
    assert tables.human("natural") == pytest.approx((0.92222, 0.018), abs=5e-4)
    assert tables.human("synthetic") == pytest.approx((0.82, 0.043), abs=5e-4)
    margins = planted()
    for one in told["noise"]:
        fitted, other = (
            margins[one["base"], c, "extreme"].ravel()
            for c in (one["fitted_to"], {"natural": "synthetic"}.get(one["fitted_to"], "natural"))
        )
        assert one["reaches"] == pytest.approx((fitted > 0).mean(), abs=1e-4)
        if one["tau"] is None:
            assert one["predicts"] is None
            continue

        def mean(m: np.ndarray, tau: float) -> float:
            return float(np.mean([0.5 + 0.5 * math.erf(v / (2 * tau)) for v in m]))

        assert mean(fitted, one["tau"]) == pytest.approx(one["target"], abs=1e-4)
        assert mean(other, one["tau"]) == pytest.approx(one["predicts"], abs=1e-4)
    fitted = row(told["noise"], observer="noise-limited")
    shown = row(told["rows"], observer="noise-limited", condition="synthetic", level="extreme",
                scope="all")  # fmt: skip
    assert shown["value"] == pytest.approx(fitted["predicts"], abs=1e-4)
    assert told["margins"]["pixels"]["natural"]["p70"][21] == pytest.approx(
        margins["pixels", "natural", "p70"][1, 1], rel=1e-3
    )


def test_counts_alone_give_every_row_again(told):
    assert tables.rows(UNITS, told["counts"]) == told["rows"]
    assert tables.paired(UNITS, told["counts"]) == told["paired"]
    assert statistics.HUMAN["trials"] == 45
