"""The GPU script in its smoke mode on the CPU, its arithmetic, and that it goes on where it was."""

import contextlib
import json

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from actmax_lib import zoo
from tests.test_benchmarks import FOLDER, module


@pytest.fixture(scope="module")
def gpu():
    return module("gpu")


@pytest.fixture(scope="module")
def roofline():
    return module("roofline")


@pytest.fixture
def small(gpu, monkeypatch):
    """Peaks without matrices: every test below is about what is made of them."""
    measures = module("gpu_measures")
    peak = {"matmul FLOP/s": 100.0, "conv FLOP/s": 50.0, "bytes/s": 10.0}
    monkeypatch.setattr(measures, "peaks", lambda device, dtype, n: peak)
    monkeypatch.setattr(measures, "seconds_of", lambda call, device: (call(), 0.5)[1])
    return measures


def test_flops_are_those_torch_counts(roofline):
    net = zoo.load("efficientnet-lite0", device="cpu", fold=False)
    images = torch.rand(2, 3, 32, 32)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(images)
    assert sum(flops for flops, _ in roofline.work(net, images)) == counter.get_total_flops()


def test_numbers_moved_and_the_least_time(roofline):
    net = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.ReLU(), nn.Identity(), nn.Flatten())
    work = roofline.work(net.requires_grad_(False), torch.rand(1, 3, 6, 6))
    conv = 2.0 * 4 * 16 * 27, 3 * 36 + 4 * 16 + 4 * 27
    assert work == [conv, (0.0, 2 * 64)]  # the last two layers move nothing
    peak = {"matmul FLOP/s": 1000.0, "conv FLOP/s": 10.0, "bytes/s": 1e9}
    least = roofline.least_seconds(work, peak, itemsize=4, batch=3)
    assert least == pytest.approx(2 * (3 * conv[0] / 1000 + 3 * 128 * 4 / 1e9))
    slow = peak | {"bytes/s": 1.0}
    assert roofline.least_seconds(work, slow, 2, 1) == 2 * 2 * (conv[1] + 128)


def test_a_median_over_repeats(roofline, monkeypatch):
    now = iter([0, 1, 10, 11, 20, 25, 30, 32, 40, 43, 50, 57, 60, 61])
    monkeypatch.setattr(roofline.time, "perf_counter", lambda: float(next(now)))
    assert roofline.seconds_of(lambda: None, torch.device("cpu")) == 3.0  # of 5, 2, 3, 7, 1


def entries(gpu, output, *options):
    gpu.main(["--smoke", "--batches", "1", "2", "--output", str(output), *options])
    return json.loads(output.read_text())


def test_smoke_mode_measures_everything_a_cpu_can(gpu, small, tmp_path, capsys):
    record = entries(gpu, tmp_path / "gpu.json")
    assert {"machine", "versions", "command", "date", "what"} <= set(record)
    assert record["smoke"] is True
    found = record["entries"]
    expected = [f"sweep {p} {b}" for p in ("fp32", "tf32", "bf16") for b in (1, 2)]
    assert set(expected) < set(found)
    net = small.tiny(torch.device("cpu"))
    flops = sum(f for f, _ in module("roofline").work(net, torch.rand(1, 3, 16, 16)))
    for key in expected:
        one = found[key]
        assert one["FLOP/s"] * one["seconds per step"] == pytest.approx(2 * flops * int(key[-1]))
        assert one["of the matmul peak"] == pytest.approx(one["FLOP/s"] / 100)
        assert one["ours / limit"] == one["seconds per step"] / 0.5
        assert one["of the roofline"] > 0
    cannot = {key for key, one in found.items() if "could not run" in one}
    assert cannot == {f"{what} {b}" for what in ("compiled", "graph") for b in (1, 2)}
    assert "sweep bf16 2" in capsys.readouterr().out


def test_parity_is_against_fp32_and_sees_bf16(gpu, small, tmp_path):
    found = entries(gpu, tmp_path / "gpu.json")["entries"]
    assert found["parity tf32"]["logits, largest relative"] == 0  # a CPU has no tf32
    assert found["parity tf32"]["pictures, largest"] == 0
    assert 0 < found["parity bf16"]["logits, largest relative"] < 0.05
    assert 0 < found["parity bf16"]["pictures, mean"] <= found["parity bf16"]["pictures, largest"]


def test_it_goes_on_where_it_was_stopped(gpu, small, tmp_path, monkeypatch):
    output = tmp_path / "gpu.json"
    sweep, calls = small.Bench.sweep, []

    def stops(self, name, batch, peak):
        calls.append((name, batch))
        if (name, batch) == ("tf32", 1) and calls.count(("tf32", 1)) == 1:
            raise KeyboardInterrupt
        return sweep(self, name, batch, peak)

    monkeypatch.setattr(small.Bench, "sweep", stops)
    with pytest.raises(KeyboardInterrupt):
        entries(gpu, output)
    first = json.loads(output.read_text())["entries"]
    assert list(first) == ["peak fp32", "sweep fp32 1", "sweep fp32 2", "peak tf32"]
    second = entries(gpu, output)["entries"]
    assert {key: second[key] for key in first} == first
    assert calls.count(("fp32", 1)) == 1
    assert "sweep bf16 2" in second
    # another machine's numbers are not mixed in
    record = json.loads(output.read_text())
    output.write_text(json.dumps(record | {"machine": {"gpu": "another"}}))
    entries(gpu, output)
    assert calls.count(("fp32", 1)) == 2


def test_memory_that_runs_out_is_told_and_tried_again(gpu, small, tmp_path, monkeypatch):
    sweep, full = small.Bench.sweep, [True]

    def out_of_memory(self, name, batch, peak):
        if batch == 2 and full[0]:
            raise torch.OutOfMemoryError("too much")
        return sweep(self, name, batch, peak)

    monkeypatch.setattr(small.Bench, "sweep", out_of_memory)
    found = entries(gpu, tmp_path / "gpu.json")["entries"]
    assert found["sweep fp32 2"] == {"could not run": "out of memory"}
    assert found["sweep fp32 1"]["images x steps per second"] > 0
    full[0] = False
    assert "FLOP/s" in entries(gpu, tmp_path / "gpu.json")["entries"]["sweep fp32 2"]


def test_precision_is_set_and_given_back():
    measures = module("gpu_measures")
    knobs = (torch.backends.cuda.matmul, torch.backends.cudnn.conv)
    before = [knob.fp32_precision for knob in knobs]
    for name, expected in [("fp32", "ieee"), ("tf32", "tf32"), ("bf16", "ieee")]:
        with contextlib.suppress(KeyError), measures.precision(name) as autocast:
            found = autocast, [knob.fp32_precision for knob in knobs]
            raise KeyError("given back in any case")
        assert found == (torch.bfloat16 if name == "bf16" else None, [expected, expected])
        assert [knob.fp32_precision for knob in knobs] == before


def test_without_a_gpu_it_says_so(gpu, monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match="no GPU here"):
        gpu.main(["--output", str(tmp_path / "gpu.json")])
    assert not list(tmp_path.iterdir())


def test_committed_gpu_results_are_of_a_gpu():
    for file in FOLDER.glob("results/gpu*.json"):
        record = json.loads(file.read_text())
        assert record["machine"]["gpu"], file
        assert record["smoke"] is False, file
