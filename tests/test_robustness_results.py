"""chapters/results/robustness-*.json are what the committed networks give."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from actmax_lib import data, metrics, zoo
from actmax_lib.attacks import Robustness, robust_accuracy
from actmax_lib.zoo import trained
from scripts import (
    measure_score_matching,
    measure_zoo,
    robust_numbers,
    train_fashion,
    train_zoo,
)
from scripts.measure_zoo import PLANS
from scripts.scoreboard import ALL, scoreboard

FOUND = {name: json.loads(plan.file.read_text()) for name, plan in PLANS.items()
         if plan.file.exists()}  # fmt: skip
EACH = pytest.mark.parametrize("name", PLANS)
# as in test_score_matching_results.py: rounding moves single pictures
LOOSE = {"gan_test": 0.03, "cosine_to_mean": 0.01, "high_frequency_pictures": 0.02}


def photos(name: str, count: int):
    try:
        test = data.load(PLANS[name].data, "test", download=False)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    return test.images(range(count)), test.labels[:count]


@EACH
def test_it_is_whole_and_of_the_networks_that_are_here(name):
    told, entries, plan = FOUND[name], trained.manifest(), PLANS[name]
    recipes = {**train_fashion.recipes(1), **train_zoo.recipes()}
    wanted = {key for key in recipes if key.startswith(name)} - {*measure_zoo.NO_ROW}
    assert told["manifest"]["missing"] == []
    assert not told["manifest"]["preliminary"]
    assert set(told["networks"]) == wanted == set(told["manifest"]["networks"])
    for network, digest in told["manifest"]["networks"].items():
        assert digest == entries[network]["sha256"]
        assert told["networks"][network]["accuracy"] == entries[network]["accuracy"]
    assert all(judge in entries for judge in told["manifest"]["judges"].values())
    settings = json.loads(json.dumps(measure_zoo.asdict(plan)))
    assert told["manifest"]["settings"] == settings | {"version": measure_zoo.VERSION}
    assert told["eps"] == {ball: eps for ball, (_, eps) in plan.eps.items()}


@EACH
def test_means_and_deviations_are_those_of_the_networks(name):
    told = FOUND[name]
    for method, measures in told["methods"].items():
        runs = [row for network, row in told["networks"].items()
                if network.rpartition("-")[0] == f"{name}-{method}"]  # fmt: skip
        for key, (mean, sd) in measures.items():
            values = [run[key] for run in runs]
            if any(value is None for value in values):
                assert (mean, sd) == (None, None)
                continue
            assert mean == pytest.approx(np.mean(values, axis=0), abs=1e-12), (method, key)
            if len(runs) > 1:
                assert sd == pytest.approx(np.std(values, axis=0, ddof=1), abs=1e-12)


@EACH
def test_the_scoreboard_follows_from_the_networks(name):
    told = FOUND[name]
    assert told["scoreboard"] == scoreboard(told["networks"], name, PLANS[name].methods())
    for row in told["scoreboard"]:  # and by another route
        ours, theirs = row["methods"]
        if ours == ALL or theirs is None or "[" in row["measure"]:
            continue
        found = [
            told["networks"][f"{name}-{ours}-{seed}"][row["measure"]]
            - told["networks"][f"{name}-{theirs}-{seed}"][row["measure"]] for seed in row["seeds"]
        ]  # fmt: skip
        sure = len(found) >= 3 and abs(np.mean(found)) > 2 * np.std(found, ddof=1)
        signs = set(np.sign(found))
        if not sure or len(signs) > 1:
            assert row["verdict"] in ("undecided", "not measured")
        else:
            wanted = {"+": {1.0}, "-": {-1.0}}[row["predicted"]]
            assert row["verdict"] == ("as predicted" if signs == wanted else "the opposite")


@EACH
def test_the_numbers_agree_with_each_other(name):
    for network, row in FOUND[name]["networks"].items():
        assert row["robust_linf"] <= row["square_linf"] + 1e-9, network
        if name == "fashion":
            assert row["robust_linf_double"] <= row["robust_linf"], network
        else:
            assert row["robust_l2"] <= row["robust_l2_half"], network
        for key, value in row.items():
            if key.startswith(("robust", "square", "masked")) or "gan" in key:
                assert 0 <= value <= 1, (network, key)
        assert -1 <= row["alpha_correlation"] <= 1
        assert len(row["log_density_ratio"]) == len(FOUND[name]["noises"])


@pytest.mark.parametrize("network", ["fashion-standard-1", "fashion-score-matched-2"])
def test_pictures_are_those_of_the_chapter_score_matching(network):
    """The same networks, recipe and judge: another file, another script, the same numbers."""
    other = json.loads(measure_score_matching.OUT.read_text())["networks"][network]
    for key, loose in LOOSE.items():
        assert abs(FOUND["fashion"]["networks"][network][key] - other[key]) < loose, key


def test_a_network_measured_again():
    name, plan = "fashion-standard-0", PLANS["fashion"]
    told, net = FOUND["fashion"]["networks"][name], zoo.load(name, device="cpu")
    count = FOUND["fashion"]["manifest"]["settings"]["near"]
    again = robust_numbers.boundaries(net, *photos("fashion", count))
    for key in ("distance", "alpha", "linear_robustness"):
        assert again[key] == pytest.approx(told[key], rel=0.01), key
    assert abs(again["alpha_correlation"] - told["alpha_correlation"]) < 0.03
    other = FOUND["fashion"]["networks"]["fashion-pgd-l2-0"]
    assert abs(again["distance"] - other["distance"]) > 0.1  # another network does not pass for it
    labels = measure_score_matching.starts(plan.shape)[1]
    plain = measure_zoo.pictures(net, plan)["plain_pictures"]
    cosine = metrics.cosine_to_mean(plain, labels, data.class_means("fashion-mnist")).mean()
    assert abs(float(cosine) - told["plain_cosine_to_mean"]) < LOOSE["cosine_to_mean"]


@pytest.mark.parametrize("ball", ["l2", "linf"])
def test_a_network_attacked_again(ball):
    told = FOUND["fashion"]
    count = told["manifest"]["settings"]["photos"]
    net = zoo.load("fashion-standard-2", device="cpu")
    run = robust_accuracy(
        net, *photos("fashion", count), eps=told["eps"][ball], norm=ball, steps=20, restarts=1,
        queries=0,
    )  # fmt: skip
    row = told["networks"]["fashion-standard-2"]
    assert abs(run.accuracy - row[f"robust_{ball}"] - row["masked_linf"]) <= 0.03


def test_what_falls_in_a_small_ball_is_not_attacked_in_a_large_one(monkeypatch):
    """And the shares are of all photographs, whatever is left of them."""
    asked = []

    def fake(net, x, y, *, eps, norm, queries, **_):
        asked.append((norm, eps, x[:, 0].tolist(), queries))
        standing = x[:, 0] > eps
        return Robustness(norm, eps, standing, standing, standing if queries else None, {})

    monkeypatch.setattr(robust_numbers, "robust_accuracy", fake)
    x = torch.tensor([[0.1], [0.5], [0.9], [0.3]])
    eps = {"linf": ("linf", 0.2), "linf_double": ("linf", 0.4), "l2": ("l2", 1.0),
           "l2_double": ("l2", 2.0)}  # fmt: skip
    plan = replace(PLANS["fashion"], eps=eps, queries=7)
    found = robust_numbers.attacked(None, x, torch.zeros(4), plan)
    assert found == {
        "robust_linf": 0.75, "square_linf": 0.75, "masked_linf": 0, "robust_linf_double": 0.5,
        "robust_l2": 0, "robust_l2_double": 0,
    }  # fmt: skip
    rows = [(norm, [round(v, 1) for v in left], queries) for norm, _, left, queries in asked]
    assert rows == [
        ("linf", [0.1, 0.5, 0.9, 0.3], 7), ("linf", [0.5, 0.9, 0.3], 0),
        ("l2", [0.1, 0.5, 0.9, 0.3], 0),
    ]  # fmt: skip
