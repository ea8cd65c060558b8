"""chapters/results/score-matching.json is what the committed networks give."""

import json
import statistics

import pytest

from actmax_lib import data, metrics, zoo
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


def test_the_script_sums_up_what_is_here():
    for method, measures in script.summary(TOLD["networks"]).items():
        for key, (mean, sd) in measures.items():
            assert mean == pytest.approx(TOLD["methods"][method][key][0], rel=1e-9)
            assert sd == pytest.approx(TOLD["methods"][method][key][1], rel=1e-9)


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
    assert again["cosine_by_class"] == pytest.approx(told["cosine_by_class"], abs=0.03)
    way = [again["gan_test_on_the_way"], told["gan_test_on_the_way"]]
    assert way[0] == pytest.approx(way[1], abs=0.05)
    photos = metrics.high_frequency_share(test.images(range(script.PHOTOS))).mean()
    assert float(photos) == pytest.approx(TOLD["data"]["high_frequency"], rel=1e-5)


def test_the_numbers_agree_with_each_other():
    for row in TOLD["networks"].values():
        assert statistics.mean(row["cosine_by_class"]) == pytest.approx(row["cosine_to_mean"])
        last = row["gan_test_on_the_way"][-1]  # the frame before the last step
        assert last == pytest.approx(row["gan_test"], abs=0.03)
        assert row["gan_test_on_the_way"][0] < 0.3  # at the start there is noise, of any class
        assert len(row["gan_test_on_the_way"]) == len(TOLD["steps"])
        assert len(row["log_density_ratio"]) == len(TOLD["noises"])
    assert TOLD["data"]["judge_accuracy"] == trained.manifest()["fashion-judge"]["accuracy"]
    assert TOLD["noises"] == list(script.NOISES)
    for method, told in TOLD["methods"].items():  # lists entry by entry
        runs = [TOLD["networks"][f"fashion-{method}-{seed}"]["cosine_by_class"] for seed in SEEDS]
        pairs = zip(*told["cosine_by_class"], *runs, strict=True)
        for mean, sd, *three in pairs:
            assert (mean, sd) == pytest.approx((statistics.mean(three), statistics.stdev(three)))


def test_another_network_does_not_pass_for_it():
    one, other = (TOLD["networks"][f"fashion-standard-{seed}"] for seed in (0, 1))
    assert any(abs(one[key] - other[key]) > loose for key, loose in LOOSE.items())
    assert abs(one["gradient_norm"] / other["gradient_norm"] - 1) > 1e-3
