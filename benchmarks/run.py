"""Images x steps per second of an ascent on EfficientNet-Lite0, against the limit and Lucent.

    make bench        # installs what only this needs, then runs this file

In one run, round after round in turn, because the machine's speed drifts: only ratios within a
round are compared. See README.md.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import torch
from efficientnet_lite_pytorch import EfficientNet
from lucent_peer import Lucent
from torch import Tensor, nn

from actmax_lib import compose, fourier, logit, maximize, robust, zoo
from actmax_lib.zoo.weights import weights_file

NETWORK, SIZE = "efficientnet-lite0", 224
CLASSES = (130, 985, 967, 292, 950, 1, 9, 340, 355, 404, 417, 446, 574, 817, 888, 933)
TARGETS = {"ours / limit, at most": 1.25, "Lucent / ours, at least": 3.5}
TARGET_BATCH = 4
STEPS = 4  # a round times these, after one that is not counted
WHAT = {
    "limit": "forward and gradient to the image of the bare network, folded, channels last",
    "ours": "maximize(logit, fourier, transform=robust()) on the same network",
    "Lucent": "render_vis, default transforms, fft and decorrelate, on the reference network",
    "Lucent, our network": "the same on our frozen, folded, channels-last network",
}
Contestant = Callable[[], Callable[[Callable], None]]


class Clock:
    """Times between ticks; a tick waits for the device."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def __call__(self, x: Tensor, *_streams) -> Tensor:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.times.append(time.perf_counter())
        return x

    def seconds_per_step(self) -> float:
        steps = [b - a for a, b in zip(self.times, self.times[1:], strict=False)]
        return statistics.median(steps[1:])  # the first step allocates


def contestants(device: torch.device, batch: int) -> dict[str, Contestant]:
    """By name: prepare() -> run(tick). Only ``run`` is timed, from tick to tick."""
    net = zoo.load(NETWORK, device=device)
    classes = [CLASSES[k % len(CLASSES)] for k in range(batch)]

    def limit(tick: Clock) -> None:
        images = torch.rand(batch, 3, SIZE, SIZE, device=device).requires_grad_()
        rows = torch.arange(batch, device=device)
        columns = torch.tensor(classes, device=device)
        for _ in range(STEPS + 2):
            tick(images)
            torch.autograd.grad(net(images)[rows, columns].sum(), images)

    def ours(tick: Clock) -> None:
        image = fourier(3, SIZE, decorrelate=True)
        maximize(logit(net, classes), image, transform=compose(tick, robust()), steps=STEPS + 2)

    def lucent(peer: Lucent) -> Contestant:
        def prepare() -> Callable[[Clock], None]:
            copy = peer.prepare()
            return lambda tick: peer.run(copy, classes, STEPS + 2, tick)

        return prepare

    plain = Lucent(reference(device), "_fc", size=SIZE, preprocess=True)
    on_ours = Lucent(net, "classifier", size=SIZE, preprocess=False)
    return {
        "limit": lambda: limit,
        "ours": lambda: ours,
        "Lucent": lucent(plain),
        "Lucent, our network": lucent(on_ours),
    }


def reference(device: torch.device) -> nn.Module:
    """The network as its authors publish it: what Lucent's reader would load."""
    net = EfficientNet.from_name(NETWORK, image_size=None)  # Lucent changes the picture's size
    net.load_state_dict(torch.load(weights_file(NETWORK), weights_only=True))
    return net.to(device).eval()


def race(entries: dict[str, Contestant], rounds: int, say: Callable[[str], None]) -> dict:
    """Seconds a step by name, one number a round; who starts a round takes turns."""
    seconds: dict[str, list[float]] = {name: [] for name in entries}
    names = list(entries)
    for k in range(rounds + 1):  # round 0 warms up
        turn = k % len(names)
        for name in names[turn:] + names[:turn]:
            run, clock = entries[name](), Clock()
            run(clock)
            if k > 0:
                seconds[name].append(clock.seconds_per_step())
        if k > 0:
            say(
                f"  round {k}/{rounds}: "
                + ", ".join(f"{n} {s[-1]:.3f} s" for n, s in seconds.items())
            )
    return seconds


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median and quartiles."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": middle, "quartiles": [low, high]}


def ratio(seconds: dict[str, list[float]], a: str, b: str) -> dict[str, float]:
    """Of a's time to b's, round by round."""
    return spread([x / y for x, y in zip(seconds[a], seconds[b], strict=True)])


def summary(batch: int, seconds: dict[str, list[float]]) -> dict:
    return {
        "batch": batch,
        "seconds_per_step": {name: spread(values) for name, values in seconds.items()},
        "images_times_steps_per_second": {
            name: spread([batch / value for value in values]) for name, values in seconds.items()
        },
        "ours / limit": ratio(seconds, "ours", "limit"),
        **{f"{name} / ours": ratio(seconds, name, "ours") for name in seconds if "Lucent" in name},
        "rounds": seconds,
    }


def machine(device: torch.device) -> dict:
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [x for x in cpuinfo.read_text().splitlines() if x.startswith("model name")]
        name = lines[0].split(":")[1].strip() if lines else name
    gpu = torch.cuda.get_device_name(device) if device.type == "cuda" else None
    threads = torch.get_num_threads()
    return {"cpu": name, "cores": os.cpu_count(), "torch_threads": threads, "gpu": gpu}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--output", type=Path, help="default: results/speed-<device>.json")
    options = parser.parse_args()
    device = torch.device(options.device)
    output = options.output or Path(__file__).parent / "results" / f"speed-{device.type}.json"
    results = []
    for batch in options.batches:
        print(f"batch {batch}", flush=True)
        seconds = race(
            contestants(device, batch), options.rounds, lambda line: print(line, flush=True)
        )
        results.append(summary(batch, seconds))
    packages = ("torch", "torch-lucent", "kornia", "torchvision", "efficientnet_lite_pytorch")
    record = {
        "what": f"seconds a step of ascent on {NETWORK}, {SIZE} x {SIZE}",
        "contestants": WHAT,
        "command": "make bench" if len(sys.argv) == 1 else "python " + " ".join(sys.argv),
        "date": datetime.date.today().isoformat(),
        "machine": machine(device),
        "versions": {"python": platform.python_version(), **{p: version(p) for p in packages}},
        "targets": {"batch": TARGET_BATCH, **TARGETS},
        "results": results,
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(record, indent=1) + "\n")
    print(f"\n{table(results)}\n\nwritten to {output}")


def table(results: Sequence[dict]) -> str:
    lines = ["batch | who | images x steps / s | seconds / step (quartiles)"]
    for result in results:
        for name, rate in result["images_times_steps_per_second"].items():
            s = result["seconds_per_step"][name]
            low, high = s["quartiles"]
            lines.append(
                f"{result['batch']:5} | {name:19} | {rate['median']:6.1f} | "
                f"{s['median']:.3f} ({low:.3f} to {high:.3f})"
            )
        for key in [key for key in result if " / " in key]:
            low, high = result[key]["quartiles"]
            lines.append(f"      | {key}: {result[key]['median']:.2f} ({low:.2f} to {high:.2f})")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
