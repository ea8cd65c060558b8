"""The benchmark's arithmetic, its order of runs, and that the committed results follow from their
rounds. Nothing is timed here. Peers, roofline and GPU script: ``test_benchmarks_*.py``."""

import importlib
import json
import sys
from pathlib import Path

import pytest
import torch

FOLDER = Path(__file__).parents[1] / "benchmarks"
SPEED = sorted(FOLDER.glob("results/speed-*.json"))
RECOGNITION = sorted(FOLDER.glob("results/recognition-*.json"))


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
def who():
    return module("contestants")


@pytest.fixture(scope="module")
def bench():
    return module("run")


@pytest.fixture(scope="module")
def recognition():
    return module("recognition")


def test_a_clock_drops_the_first_step_and_takes_the_median(who):
    clock = who.Clock()
    clock.times = [0.0, 9.0, 10.0, 12.0, 15.0, 19.0]  # steps of 9, 1, 2, 3, 4 seconds
    assert clock.seconds_per_step() == 2.5
    x = torch.rand(1, 2)
    assert clock(x) is x
    assert len(clock.times) == 7


def test_ratios_are_taken_within_a_round(report):
    seconds = {"a": [1.0, 10.0, 100.0], "b": [2.0, 20.0, 50.0]}
    assert report.ratio(seconds, "a", "b") == {"median": 0.5, "quartiles": [0.5, 1.25]}


def test_a_summary_has_the_ratios_of_those_who_ran(report):
    seconds = {"limit": [1.0, 1.0], "ours": [2.0, 2.0], "ours, early layer": [1.0, 1.0],
               "Horama": [6.0, 6.0]}  # fmt: skip
    found = report.summary(4, seconds)
    ratios = {key: value["median"] for key, value in found.items() if " / " in key}
    assert ratios == {"ours / limit": 2.0, "ours, early layer / ours": 0.5, "Horama / ours": 3.0}
    assert found["images_times_steps_per_second"]["Horama"]["median"] == 4 / 6
    assert "Horama / ours: 3.00" in report.table([found])


def contestant(bench, who, order, name, fails=False):
    def run(tick):
        order.append(name)
        for _ in range(who.STEPS + 2):
            tick(torch.zeros(1))
        if fails:
            raise ValueError("no crops")

    return lambda: run


def test_every_round_runs_everyone_and_starts_with_another(bench, who):
    order = []
    entries = {name: contestant(bench, who, order, name) for name in "abc"}
    seconds, why_not = bench.race(entries, rounds=3, say=lambda line: None)
    assert {name: len(values) for name, values in seconds.items()} == {"a": 3, "b": 3, "c": 3}
    assert "".join(order) == "abc" + "bca" + "cab" + "abc"
    assert why_not == {}


def test_a_peer_that_fails_is_told_and_left_out_and_only_a_peer(bench, who):
    order = []
    entries = {name: contestant(bench, who, order, name, fails=name == "b") for name in "abc"}
    seconds, why_not = bench.race(entries, 2, lambda line: None, may_fail=("b",))
    assert list(seconds) == ["a", "c"]
    assert {len(values) for values in seconds.values()} == {2}
    assert why_not == {"b": "ValueError: no crops"}
    assert order.count("b") == 1
    with pytest.raises(ValueError, match="no crops"):
        bench.race(entries, 2, lambda line: None, may_fail=("a", "c"))


def test_a_peer_that_is_not_installed_harms_only_itself(who, monkeypatch):
    monkeypatch.setattr(who, "on_our_network", lambda device, batch: {"limit": None, "ours": None,
                        "limit, early layer": None, "ours, early layer": None})  # fmt: skip
    monkeypatch.setattr(who.zoo, "load", lambda name, device: torch.nn.Identity())
    monkeypatch.setitem(sys.modules, "dreamlens_peer", None)
    entries = who.contestants(torch.device("cpu"), who.TARGET_BATCH)
    assert set(entries) == set(who.WHAT)
    with pytest.raises(ImportError):
        entries["DreamLens"]()
    assert set(who.contestants(torch.device("cpu"), 1)) == set(who.EVERY_BATCH)
    assert set(who.DELTAS) == set(who.PEERS)


def test_our_contestants_and_the_limits_tick_once_a_step(who, monkeypatch):
    monkeypatch.setattr(who, "SIZE", 32)
    for name, run in who.on_our_network(torch.device("cpu"), batch=1).items():
        clock = who.Clock()
        run(clock)
        assert len(clock.times) == who.STEPS + 2, name


def test_the_early_layer_is_a_third_of_the_way_and_the_rest_does_not_run(who, monkeypatch):
    net = who.zoo.load(who.NETWORK)
    parts = [name for name, _ in net.named_children() if name not in ("blocks", "pool")]
    assert "stem" in parts
    assert "head" in parts
    order = ["stem", *(f"blocks.{k}" for k in range(len(net.blocks))), "head"]
    assert (order.index(who.EARLY) + 1) * 3 == len(order)
    ran = []
    net.blocks[order.index(who.EARLY)].register_forward_hook(lambda *_: ran.append("next"))
    monkeypatch.setattr(who, "SIZE", 32)
    monkeypatch.setattr(who.zoo, "load", lambda name, device: net)
    runs = who.on_our_network(torch.device("cpu"), batch=1)
    for name, stops in [("limit, early layer", True), ("ours, early layer", True), ("ours", False)]:
        ran.clear()
        runs[name](lambda x, *_: x)
        # the first pass finds the way, and the last look at the picture is another
        assert (len(ran) <= 2) if stops else (len(ran) > who.STEPS), (name, len(ran))


def test_a_camera_keeps_pictures_and_stops_its_watch_meanwhile(recognition, monkeypatch):
    now = iter([100.0, 101.0, 109.0, 110.0, 110.0, 112.0, 119.0])
    camera = recognition.Camera(clock=lambda: next(now))
    monkeypatch.setattr(recognition, "EVERY", 2)
    x = torch.zeros(1)
    for k in range(3):
        assert camera(x) is x
        x += 1  # what is kept is a copy
        assert len(camera.frames) == k // 2 + 1
    assert camera.seconds == [1.0, 4.0]  # 112 - 100 - 8 away
    assert [float(f) for f in camera.frames] == [0.0, 2.0]


def test_recognised_is_the_first_time_that_enough_pictures_are(recognition):
    seconds = [0.0, 1.0, 2.0, 3.0]
    ranks = [[9, 9, 9, 9], [0, 0, 5, 4], [0, 0, 0, 1], [0, 9, 9, 9]]
    assert recognition.reached(seconds, ranks, 1) == 2.0
    assert recognition.reached(seconds, ranks, 5) == 1.0
    assert recognition.reached(seconds[:2], ranks[:2], 1) is None


def test_ranks_count_the_likelier_classes(recognition):
    class Judge(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(()))

        def forward(self, images):  # class k likelier the larger its number; 3 classes
            return images[:, 0, 0, :1] * torch.tensor([0.0, 1.0, 2.0])

    frames = [torch.ones(2, 3, 4, 4)]
    assert recognition.ranks(Judge(), frames, [2, 0]) == [[0, 2]]


def test_the_ratio_of_times_tells_what_never_came(recognition):
    def one(ours, lucent):
        return {"ours": {"t": ours, "seconds": [0, 9]}, "Lucent": {"t": lucent, "seconds": [0, 60]}}

    found = recognition.ratio([one(2.0, 8.0), one(4.0, 8.0), one(3.0, None), one(None, 1.0)], "t")
    assert found == {"ratios": [4.0, 2.0], "median": 3.0, "at_least": [20.0], "ours_never": 1}


def test_there_are_results():
    assert "speed-cpu.json" in {file.name for file in SPEED}
    assert "recognition-cpu.json" in {file.name for file in RECOGNITION}


@pytest.mark.parametrize("file", SPEED, ids=lambda file: file.name)
def test_results_follow_from_their_rounds(report, who, file):
    record = json.loads(file.read_text())
    assert {"machine", "versions", "command", "date", "not equal", "could not run"} <= set(record)
    assert record["contestants"] == who.WHAT
    assert [result["batch"] for result in record["results"]] == [1, 4, 16]
    for result in record["results"]:
        assert result == json.loads(json.dumps(report.summary(result["batch"], result["rounds"])))
        everyone = who.WHAT if result["batch"] == who.TARGET_BATCH else who.EVERY_BATCH
        assert set(result["rounds"]) == set(everyone) - set(record["could not run"])


@pytest.mark.parametrize("file", RECOGNITION, ids=lambda file: file.name)
def test_times_to_recognition_follow_from_their_ranks(recognition, file):
    record = json.loads(file.read_text())
    assert {"machine", "versions", "command", "date", "judge", "network"} <= set(record)
    assert record["judge"] != record["network"]
    for one in record["rounds"]:
        for name in ("ours", "Lucent"):
            found = one[name]
            assert found == recognition.measured(found["seconds"], found["ranks"])
            assert len(found["seconds"]) == record["steps"][name] // record["every"]
    for top in ("top1", "top5"):
        expected = recognition.ratio(record["rounds"], f"seconds_to_{top}")
        assert record["Lucent / ours"][top] == expected
