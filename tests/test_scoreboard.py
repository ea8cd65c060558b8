"""The scoreboard's rule, its pairs, and that its rows speak of what there is."""

import re
from pathlib import Path

import numpy as np
import pytest

from scripts import scoreboard as script
from scripts.measure_zoo import PLANS
from scripts.scoreboard import ALL, CONTROL, ROWS, Row, differences, scoreboard, verdict

ROOT = Path(__file__).resolve().parents[1]
ROW = Row("a", "A is more.", None, "robust", "standard", "much", 1)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ([1.0, 1.1, 0.9], "as predicted"),
        ([-1.0, -1.1, -0.9], "the opposite"),
        ([1.0, 1.1, -0.1], "undecided"),  # one seed says otherwise
        ([0.1, 1.0, 2.0], "undecided"),  # all above 0, and 1.03 is less than twice .95
        ([1.0, 2.0, 3.0], "undecided"),  # 2 is not more than twice 1
        ([1.01, 2.0, 3.0], "as predicted"),
        ([0.0, 0.0, 0.0], "undecided"),  # no difference is no finding
        ([0.0, 1.0, 1.0, 1.0, 1.0, 1.0], "undecided"),  # nor is it of one sign
        ([1.0, 1.0], "undecided"),  # two seeds are too few
        ([], "not measured"),
    ],
)
def test_rule(found, told):
    assert verdict(found, 1) == told
    swapped = {"as predicted": "the opposite", "the opposite": "as predicted"}
    assert verdict(found, -1) == swapped.get(told, told)
    assert verdict([-d for d in found], -1) == told


def test_pairs_are_of_the_same_seed():
    networks = {
        "zoo-standard-2": {"much": 100.0},
        "zoo-standard-0": {"much": 1.0},
        "zoo-robust-0": {"much": 3.5},
        "zoo-robust-1": {"much": 50.0},  # has no partner
        "zoo-robust-2": {"much": 101.0},
        "zoo-very-robust-0": {"much": 1e6},  # another method
    }
    assert differences(ROW, networks, "zoo") == {0: 2.5, 2: 1.0}
    alone = Row("a", "", None, "robust", None, "much", 1)
    assert differences(alone, networks, "zoo") == {0: 3.5, 1: 50.0, 2: 101.0}
    assert differences(ROW, networks, "other") == {}


def test_entries_of_lists_and_numbers_that_are_not_there():
    networks = {
        "zoo-robust-0": {"much": [1.0, 5.0], "little": None},
        "zoo-standard-0": {"much": [4.0, 2.0], "little": 1.0},
    }
    second = Row("a", "", None, "robust", "standard", "much[1]", 1)
    assert differences(second, networks, "zoo") == {0: 3.0}
    assert differences(Row("a", "", None, "robust", "standard", "little", 1), networks, "zoo") == {}
    assert differences(Row("a", "", None, "robust", "standard", "none", 1), networks, "zoo") == {}


def test_a_row_of_the_file():
    networks = {f"zoo-robust-{k}": {"much": v} for k, v in enumerate((0.5, 0.7, 0.9))}
    networks |= {f"zoo-standard-{k}": {"much": v} for k, v in enumerate((0.1, 0.2, 0.6))}
    row = script.told(ROW, differences(ROW, networks, "zoo"))
    found = np.array([0.4, 0.5, 0.3])
    assert row["differences"] == pytest.approx(found)
    assert row["measured"] == pytest.approx([found.mean(), found.std(ddof=1)])
    assert row["seeds"] == [0, 1, 2]
    assert (row["predicted"], row["verdict"]) == ("+", "as predicted")
    assert row["experiment"] == "robust against standard"
    one = script.told(ROW, {0: 0.4})
    assert (one["measured"], one["verdict"]) == ([0.4, None], "undecided")
    none = script.told(ROW, {})
    assert (none["measured"], none["verdict"]) == ([None, None], "not measured")


def test_correlation_over_networks():
    a, b = [0.1, 0.9, 0.3, 0.4, 0.2], [1.0, 30.0, 4.0, 3.0, 2.0]
    networks = {f"zoo-m{k}-0": {"a": p, "b": q} for k, (p, q) in enumerate(zip(a, b, strict=True))}
    networks[f"zoo-{CONTROL}-0"] = {"a": 100.0, "b": -100.0}
    networks["zoo-m1-1"] = {"a": 100.0, "b": -100.0}  # another seed
    networks["zoo-m9-0"] = {"a": None, "b": 1.0}
    ranks = [np.argsort(np.argsort(v)) for v in (a, b)]
    expected = np.corrcoef(*ranks)[0, 1]
    row = Row("a", "", None, ALL, None, "a ~ b", 1)
    assert differences(row, networks, "zoo") == {0: pytest.approx(expected)}
    del networks["zoo-m4-0"]
    assert differences(row, networks, "zoo") == {}  # four are too few


def test_rows_speak_of_methods_sources_and_measures_that_there_are():
    known = set(PLANS["fashion"].methods())
    bibliography = set(re.findall(r"^@\w+\{(\w+),", (ROOT / "references.bib").read_text(), re.M))
    assert len({row.key for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert row.methods() <= known, row
        assert row.source is None or row.source in bibliography, row.source
        assert abs(row.sign) == 1
        assert row.claim.endswith(".")
        assert row.ours != row.theirs


def test_everyone_who_claims_has_a_row():
    authors = {row.source for row in ROWS}
    assert authors >= {
        "ross2018improving", "etmann2019connection", "wang2019smooth", "boopathy2020proper",
        "mangla2020saliency", "srinivas2021rethinking", "tsipras2019robustness",
        "engstrom2019adversarial", "santurkar2019image", "kaur2019perceptually", None,
    }  # fmt: skip
    assert any(row.ours == CONTROL for row in ROWS)


def test_a_data_set_has_the_rows_of_its_methods():
    board = scoreboard({}, "cifar", PLANS["cifar"].methods())
    held = {method for row in board for method in row["methods"]} - {ALL, None}
    assert held == {"standard", "pgd-l2", "gradient-norm", "score-matched"}
    assert {row["verdict"] for row in board} == {"not measured"}
    assert len(scoreboard({}, "fashion", PLANS["fashion"].methods())) == len(ROWS)
