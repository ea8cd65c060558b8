"""Images x steps per second of an ascent on EfficientNet-Lite0, against the limit and Lucent.

    make bench        # installs what only this needs, then runs this file

In one run, round after round in turn, because the machine's speed drifts: only ratios within a
round are compared. See README.md.
"""

import argparse
import datetime
import gc
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import torch
from report import summary, table
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
Run = Callable[[Callable[[Tensor], Tensor]], None]  # calls its argument in every step


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


def classes(batch: int) -> list[int]:
    """One class an image."""
    return [CLASSES[k % len(CLASSES)] for k in range(batch)]


def on_our_network(device: torch.device, batch: int) -> dict[str, Run]:
    net = zoo.load(NETWORK, device=device)

    def limit(tick: Clock) -> None:
        images = torch.rand(batch, 3, SIZE, SIZE, device=device).requires_grad_()
        rows = torch.arange(batch, device=device)
        columns = torch.tensor(classes(batch), device=device)
        for _ in range(STEPS + 2):
            tick(images)
            torch.autograd.grad(net(images)[rows, columns].sum(), images)

    def ours(tick: Clock) -> None:
        target, image = logit(net, classes(batch)), fourier(3, SIZE, decorrelate=True)
        maximize(target, image, transform=compose(tick, robust()), steps=STEPS + 2)

    return {"limit": limit, "ours": ours}


def contestants(device: torch.device, batch: int) -> dict[str, Callable[[], Run]]:
    """By name, a function that prepares a run. Only the run is timed, from tick to tick."""
    from lucent_peer import Lucent  # not needed to test the rest

    def lucent(*options) -> Callable[[], Run]:
        peer = Lucent(*options, size=SIZE)
        return lambda: peer.prepare(classes(batch), STEPS + 2)

    ours = {name: lambda run=run: run for name, run in on_our_network(device, batch).items()}
    return {
        **ours,
        "Lucent": lucent(reference(device), "_fc", True),
        "Lucent, our network": lucent(zoo.load(NETWORK, device=device), "classifier", False),
    }


def reference(device: torch.device) -> nn.Module:
    """The network as its authors publish it: what Lucent's reader would load."""
    from efficientnet_lite_pytorch import EfficientNet

    net = EfficientNet.from_name(NETWORK, image_size=None)  # Lucent changes the picture's size
    net.load_state_dict(torch.load(weights_file(NETWORK), weights_only=True))
    return net.to(device).eval()


def race(entries: dict[str, Callable[[], Run]], rounds: int, say: Callable[[str], None]) -> dict:
    """Seconds a step by name, one number a round; who starts a round takes turns."""
    seconds: dict[str, list[float]] = {name: [] for name in entries}
    names = list(entries)
    for k in range(rounds + 1):  # round 0 warms up
        turn = k % len(names)
        for name in names[turn:] + names[:turn]:
            run, clock = entries[name](), Clock()
            run(clock)
            del run
            gc.collect()  # Lucent's hooks hold its last activations in a cycle: gigabytes
            if k > 0:
                seconds[name].append(clock.seconds_per_step())
        if k > 0:
            say(
                f"  round {k}/{rounds}: "
                + ", ".join(f"{n} {s[-1]:.3f} s" for n, s in seconds.items())
            )
    return seconds


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


if __name__ == "__main__":
    main()
