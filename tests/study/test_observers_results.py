"""The observers' committed numbers: of these sheets and these networks, and made by this code."""

import json
import math

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from actmax_lib import zoo
from actmax_lib.study.observers import share
from actmax_lib.study.statistics import HUMAN
from actmax_lib.study.stimuli import LEVELS, Stimuli
from scripts import measure_study as script
from scripts import study_tables as tables

TOLD = json.loads(script.OUT.read_text(encoding="utf-8"))
STIMULI = Stimuli.load(script.STUDY)
CONVS_3 = [k for k, unit in enumerate(TOLD["units"]) if unit["scope"] == "cifar convs.3"]
ALL_LEVELS = [*LEVELS, "occlusion"]


def counted(observer: str, condition: str, level: str) -> list[float | None]:
    (one,) = (
        c for c in TOLD["counts"]
        if (c["observer"], c["condition"], c["level"]) == (observer, condition, level)
    )  # fmt: skip
    assert one["mode"] == tables.mode_of(level)
    return one["correct"]


def test_it_is_of_these_sheets_units_and_networks():
    manifest = TOLD["manifest"]
    assert manifest["stimuli"] == STIMULI.manifest["stimuli"]
    assert manifest["sheets"] == {f["file"]: f["sha256"][:16] for f in STIMULI.manifest["files"]}
    assert manifest["networks"] == script.networks(STIMULI.units)
    for told, unit in zip(TOLD["units"], STIMULI.units, strict=True):
        assert all(told[key] == unit[key] for key in ("network", "layer", "channel", "picked"))
    # the unit's own network is nobody's eye but the oracle's
    assert not {unit["name"] for unit in STIMULI.units} & {
        *script.INDEPENDENT.values(), *script.ROBUST.values()
    }  # fmt: skip


def test_everybody_took_every_part():
    expected = {
        (o, c, level)
        for o in ("pixels", "random-network", "independent", "robust", *tables.VARIANTS,
                  "noise-limited", "noise-limited-synthetic", "oracle", "coin")
        for c in ("natural", "synthetic") for level in ALL_LEVELS
    }  # fmt: skip
    expected |= {(o, "none", level) for o in ("oracle", "coin") for level in ALL_LEVELS}
    expected |= {("contrast", "none", level) for level in LEVELS} | {
        ("centre", "none", "occlusion")
    }
    without = {n["observer"] for n in TOLD["noise"] if n["tau"] is None}
    expected = {key for key in expected if key[0] not in without}
    assert {(c["observer"], c["condition"], c["level"]) for c in TOLD["counts"]} == expected
    for one in TOLD["counts"]:
        took_part = [v is not None for v in one["correct"]]
        cifar = [unit["network"] == "cifar" for unit in TOLD["units"]]
        assert took_part == (cifar if one["observer"] == "robust" else [True] * 30)
        assert all(0 <= v <= 20 for v in one["correct"] if v is not None)


def test_the_unit_itself_is_always_right_and_the_coin_half_the_time():
    total = right = 0
    for level in ALL_LEVELS:
        for condition in script.CONDITIONS:
            assert counted("oracle", condition, level) == [20] * 30
            total += 600
            right += sum(counted("coin", condition, level))
    assert binomtest(int(right), total).pvalue > 0.001


def test_tables_follow_from_the_counts():
    assert tables.rows(TOLD["units"], TOLD["counts"]) == TOLD["rows"]
    assert tables.paired(TOLD["units"], TOLD["counts"]) == TOLD["paired"]
    for row in TOLD["rows"]:  # and by hand, over units
        if row["scope"] == "all" and row["low"] is not None:
            right = counted(row["observer"], row["condition"], row["level"])
            shares = np.array([v / 20 for v in right if v is not None])
            assert row["value"] == pytest.approx(shares.mean(), abs=1e-5)
            t = {30: 2.04523, 15: 2.14479}[len(shares)]
            half = t * shares.std(ddof=1) / math.sqrt(len(shares))
            assert row["high"] == pytest.approx(min(1, row["value"] + half), abs=1e-4)
            assert row["low"] == pytest.approx(max(0, row["value"] - half), abs=1e-4)


def test_margins_are_the_counts_before_counting_and_noise_makes_people_of_them():
    for name, conditions in TOLD["margins"].items():
        for condition, levels in conditions.items():
            for level, values in levels.items():
                shares = np.reshape(values, (30, 20)) > 0
                assert shares.sum(1).tolist() == counted(name, condition, level)
    for one in TOLD["noise"]:
        if one["tau"] is not None:
            margins = TOLD["margins"][one["base"]][one["fitted_to"]]["extreme"]
            mean = np.mean([0.5 * (1 + math.erf(v / (2 * one["tau"]))) for v in margins])
            people = sum(HUMAN[one["fitted_to"]]) / 450
            assert mean == pytest.approx(people, abs=1e-3)


def one_by_one(e, unit: int, batch: int, condition: str, level: str) -> float:
    """Lead of the right answer in one trial, cosine by cosine, in NumPy; e: pictures to rows."""

    def directions(pictures: torch.Tensor) -> np.ndarray:
        rows = np.asarray(e(pictures), float)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    low, high = map(directions, STIMULI.references(unit, batch, condition))
    wrong, right = (
        np.mean([q @ r for r in high]) - np.mean([q @ r for r in low])
        for q in directions(STIMULI.queries(unit, batch, level))
    )
    return wrong - right if level == "occlusion" else right - wrong


def pixels(pictures: torch.Tensor) -> np.ndarray:
    mean, sd = np.array([[0.491, 0.482, 0.447], [0.247, 0.243, 0.262]])
    x = pictures.permute(0, 2, 3, 1).double().numpy()
    return ((x - mean) / sd).reshape(len(x), -1)


@torch.no_grad()
def lite1(pictures: torch.Tensor) -> torch.Tensor:
    """Channel means of the block that corresponds to blocks.10 of Lite0: the third of its stage."""
    net = zoo.load("efficientnet-lite1", device="cpu")
    x = torch.nn.functional.interpolate(pictures, size=128, mode="bilinear", antialias=True)
    return net.blocks[:14](net.stem((x * 255 - 127) / 128)).mean((2, 3))


@pytest.mark.parametrize("condition", tables.PAIR)
def test_margins_come_out_again_trial_by_trial(condition):
    assert TOLD["units"][22]["scope"] == "imagenet blocks.10"
    for name, e, trials in (
        ("pixels", pixels, [(0, 0), (6, 19), (14, 8)]), ("independent", lite1, [(22, 3)])
    ):  # fmt: skip
        for level in ALL_LEVELS:
            told = np.reshape(TOLD["margins"][name][condition][level], (30, 20))
            for unit, batch in trials:
                found = one_by_one(e, unit, batch, condition, level)
                assert found == pytest.approx(told[unit, batch], rel=1e-2, abs=1e-5)


def test_a_layer_comes_out_again_from_the_committed_sheets():
    assert len(CONVS_3) == 5
    right = differ = 0
    for k in CONVS_3:
        for (observer, condition, level), margins in script.margins_of(STIMULI, k).items():
            found, told = share(margins).sum(), counted(observer, condition, level)[k]
            assert abs(found - told) <= 1, (k, observer, condition, level)  # a near tie may turn
            differ += found != told
            right += 1
            if observer == "independent" and condition != "none":
                near = TOLD["margins"][observer][condition][level][20 * k : 20 * k + 20]
                np.testing.assert_allclose(margins, near, rtol=1e-2, atol=1e-4)
    assert right > 5 * 50
    assert differ <= 5
