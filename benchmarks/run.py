"""Images x steps per second of an ascent on EfficientNet-Lite0, against the limit and the peers.

    make bench        # installs what only this needs, then runs this file and recognition.py

In one run, round after round in turn, because the machine's speed drifts: only ratios within a
round are compared. See README.md.
"""

import argparse
import datetime
import gc
import json
import os
import platform
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from contestants import (
    DELTAS,
    EARLY,
    NETWORK,
    PEERS,
    SIZE,
    TARGET_BATCH,
    WHAT,
    Clock,
    Run,
    contestants,
)
from report import summary, table

ROUNDS = {1: 8, 4: 10, 16: 3}
TARGETS = {
    "ours / limit, at most": 1.15,
    "Lucent / ours, at least": 4.0,
    "ours, early layer / ours, at most": 0.5,
}
PACKAGES = (
    "torch", "torch-lucent", "horama", "dreamlens", "kornia", "torchvision",
    "efficientnet_lite_pytorch",
)  # fmt: skip


def race(
    entries: dict[str, Callable[[], Run]],
    rounds: int,
    say: Callable[[str], None],
    may_fail: tuple[str, ...] = (),
) -> tuple[dict[str, list[float]], dict[str, str]]:
    """Seconds a step by name, one number a round; who starts a round takes turns.

    Round 0 warms up. One of ``may_fail`` that raises there does not take part in the others; the
    second dictionary says why.
    """
    names, why_not = list(entries), {}
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for k in range(rounds + 1):
        turn = k % len(names)
        for name in names[turn:] + names[:turn]:
            clock = Clock()
            try:
                run = entries[name]()
                run(clock)
                del run
            except Exception as error:
                if k > 0 or name not in may_fail:
                    raise
                why_not[name] = f"{type(error).__name__}: {error}"
                say(f"  {name} cannot take part: {why_not[name]}")
                continue
            gc.collect()  # Lucent's hooks hold its last activations in a cycle: gigabytes
            if k > 0:
                seconds[name].append(clock.seconds_per_step())
        if k == 0:
            names = [name for name in names if name not in why_not]
        else:
            latest = ", ".join(f"{name} {seconds[name][-1]:.3f} s" for name in names)
            say(f"  round {k}/{rounds}: {latest}")
    return {name: seconds[name] for name in names}, why_not


def machine(device: torch.device) -> dict:
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [x for x in cpuinfo.read_text().splitlines() if x.startswith("model name")]
        name = lines[0].split(":")[1].strip() if lines else name
    gpu = torch.cuda.get_device_name(device) if device.type == "cuda" else None
    threads = torch.get_num_threads()
    return {"cpu": name, "cores": os.cpu_count(), "torch_threads": threads, "gpu": gpu}


def versions(packages: tuple[str, ...] = PACKAGES) -> dict[str, str]:
    """Of Python and of those packages that are there."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def about(device: torch.device) -> dict:
    """What a result has to say about how it came to be."""
    script, *arguments = sys.argv
    return {
        "command": " ".join(["python", f"benchmarks/{Path(script).name}", *arguments]),
        "date": datetime.date.today().isoformat(),
        "machine": machine(device),
        "versions": versions(),
    }


def written(output: Path, record: dict) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    part = output.with_suffix(".part")
    part.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    part.replace(output)  # whole or not at all


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batches", type=int, nargs="+", default=list(ROUNDS))
    parser.add_argument("--rounds", type=int, help=f"at every batch; default by batch: {ROUNDS}")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--output", type=Path, help="default: results/speed-<device>.json")
    options = parser.parse_args()
    device = torch.device(options.device)
    output = options.output or Path(__file__).parent / "results" / f"speed-{device.type}.json"
    results, why_not = [], {}
    for batch in options.batches:
        print(f"batch {batch}", flush=True)
        rounds = options.rounds or ROUNDS.get(batch, 4)
        seconds, missing = race(
            contestants(device, batch), rounds, lambda line: print(line, flush=True), PEERS
        )
        results.append(summary(batch, seconds))
        why_not |= {name: f"batch {batch}: {reason}" for name, reason in missing.items()}
    record = {
        "what": f"seconds a step of ascent on {NETWORK}, {SIZE} x {SIZE}",
        "contestants": WHAT,
        "not equal": DELTAS,
        "could not run": why_not,
        "early layer": EARLY,
        **about(device),
        "targets": {"batch": TARGET_BATCH, **TARGETS},
        "results": results,
    }
    print(f"\n{table(results)}\n")
    written(output, record)
    print(f"written to {output}")


if __name__ == "__main__":
    main()
