"""chapters/results/score-matching.json is what the committed networks give."""

import json
import statistics

import pytest

from actmax_lib import data, zoo
from actmax_lib.zoo import trained
from scripts import measure_score_matching as script
from scripts.train_fashion import LOSSES, SEEDS

TOLD = json.loads(script.OUT.read_text(encoding="utf-8"))
# 120 steps of equal length from the same noise: rounding that depends on the machine moves
# single pictures, and the means over a hundred of them by about this much.
LOOSE = {"gan_test": 0.03, "cosine_to_mean": 0.01, "high_frequency_pictures": 0.02}


def test_it_speaks_of_the_networks_that_are_here():
    entries = trained.manifest()
    names = [f"fashion-{method}-{seed}" for method in LOSSES for seed in SEEDS]
    assert TOLD["manifest"]["networks"] == {name: entries[name]["sha256"] for name in names}
    assert TOLD["manifest"]["judge"] == entries["fashion-judge"]["sha256"]
    accuracies = {name: TOLD["networks"][name]["accuracy"] for name in names}
    assert accuracies == {name: entries[name]["accuracy"] for name in names}


def test_the_summary_is_the_mean_and_the_sample_deviation():
    for method in LOSSES:
        for measure in ("accuracy", "gan_test", "cosine_to_mean", "trace"):
            runs = [TOLD["networks"][f"fashion-{method}-{seed}"][measure] for seed in SEEDS]
            mean, sd = TOLD["methods"][method][measure]
            assert mean == pytest.approx(statistics.mean(runs), abs=1e-12)
            assert sd == pytest.approx(statistics.stdev(runs), abs=1e-12)


@pytest.mark.parametrize("name", ["fashion-standard-1", "fashion-score-matched-2"])
def test_a_network_measured_again(name):
    try:
        test = data.load("fashion-mnist", "test", download=False)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    again = script.measure(
        zoo.load(name, device="cpu"), zoo.load("fashion-judge", device="cpu"), test
    )
    told = TOLD["networks"][name]
    assert set(again) == set(told)
    for key in ("trace", "gradient_norm", "high_frequency_gradients", "log_density_ratio"):
        assert again[key] == pytest.approx(told[key], rel=1e-3)
    for key, loose in LOOSE.items():
        assert abs(again[key] - told[key]) < loose, key


def test_another_network_does_not_pass_for_it():
    one, other = (TOLD["networks"][f"fashion-standard-{seed}"] for seed in (0, 1))
    assert any(abs(one[key] - other[key]) > loose for key, loose in LOOSE.items())
    assert abs(one["gradient_norm"] / other["gradient_norm"] - 1) > 1e-3
