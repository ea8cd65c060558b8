"""The benchmark's arithmetic, and that the results in the repository are consistent with it."""

import importlib
import json
import sys
from pathlib import Path

import pytest
import torch

FOLDER = Path(__file__).parents[1] / "benchmarks"
RESULTS = sorted(FOLDER.glob("results/*.json"))


def module(name):
    sys.path.insert(0, str(FOLDER))  # they import each other as scripts do
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(FOLDER))


@pytest.fixture(scope="module")
def report():
    return module("report")


@pytest.fixture(scope="module")
def bench():
    return module("run")


def test_a_clock_drops_the_first_step_and_takes_the_median(bench):
    clock = bench.Clock()
    clock.times = [0.0, 9.0, 10.0, 12.0, 15.0, 19.0]  # steps of 9, 1, 2, 3, 4 seconds
    assert clock.seconds_per_step() == 2.5
    x = torch.rand(1, 2)
    assert clock(x) is x
    assert len(clock.times) == 7


def test_ratios_are_taken_within_a_round(report):
    seconds = {"a": [1.0, 10.0, 100.0], "b": [2.0, 20.0, 50.0]}
    assert report.ratio(seconds, "a", "b") == {"median": 0.5, "quartiles": [0.5, 1.25]}


def test_every_round_runs_everyone_and_starts_with_another(bench):
    order = []

    def contestant(name):
        def run(tick):
            order.append(name)
            for _ in range(bench.STEPS + 2):
                tick(torch.zeros(1))

        return lambda: run

    entries = {name: contestant(name) for name in "abc"}
    seconds = bench.race(entries, rounds=3, say=lambda line: None)
    assert {name: len(values) for name, values in seconds.items()} == {"a": 3, "b": 3, "c": 3}
    assert "".join(order) == "abc" + "bca" + "cab" + "abc"


def test_our_contestant_and_the_limit_tick_once_a_step(bench):
    for name, run in bench.on_our_network(torch.device("cpu"), batch=1).items():
        clock = bench.Clock()
        run(clock)
        assert len(clock.times) == bench.STEPS + 2, name


def test_there_are_results():
    assert "speed-cpu.json" in {file.name for file in RESULTS}


@pytest.mark.parametrize("file", RESULTS, ids=lambda file: file.name)
def test_results_follow_from_their_rounds(report, file):
    record = json.loads(file.read_text())
    assert {"machine", "versions", "command", "date", "contestants"} <= set(record)
    assert [result["batch"] for result in record["results"]] == [1, 4, 16]
    for result in record["results"]:
        assert result == json.loads(json.dumps(report.summary(result["batch"], result["rounds"])))
        assert set(result["rounds"]) == set(record["contestants"])
