"""A climb on a GPU: batches, precisions, layouts, compilation, CUDA graphs, and the roofline.

    python benchmarks/gpu.py            # results/gpu.json; again: goes on where it was stopped
    python benchmarks/gpu.py --smoke    # a tiny network on the CPU: only that the script runs

Every entry is written as soon as it is measured, under a key that says what it is.
"""

import argparse
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from contestants import NETWORK, SIZE
from gpu_measures import PRECISIONS, Bench, tiny
from run import about, written

from actmax_lib import zoo

BATCHES = (1, 4, 16, 64, 128, 256, 512)
STEPS = 16
MIDDLE = 64  # the batch at which layouts, compilation and graphs are compared


def measure(done: dict[str, Any], keep: Callable[[], None], bench: Bench, batches) -> None:
    """Fill ``done``; what is there already is not measured again, what failed is tried again."""

    def entry(key: str, make: Callable[[], dict]) -> None:
        if key in done and "could not run" not in done[key]:
            return
        try:
            done[key] = make()
        except torch.OutOfMemoryError:
            done[key] = {"could not run": "out of memory"}
        except Exception as error:  # told, and the rest still measured
            done[key] = {"could not run": f"{type(error).__name__}: {error}"[:300]}
        if bench.device.type == "cuda":
            torch.cuda.empty_cache()
        keep()
        print(f"{key}: {done[key]}", flush=True)

    on_gpu, middle = bench.device.type == "cuda", min(MIDDLE, max(batches))
    for name in PRECISIONS:
        entry(f"peak {name}", lambda name=name: bench.peak(name))
        for b in batches:
            entry(f"sweep {name} {b}", lambda n=name, b=b: bench.sweep(n, b, done[f"peak {n}"]))
        if name != "fp32":
            entry(f"parity {name}", lambda name=name: bench.parity(name))
    for last in (True, False):
        key = f"layout {'channels last' if last else 'contiguous'} {middle}"
        entry(key, lambda last=last: bench.layout(last, middle))
    for what, make in (("compiled", bench.compiled), ("graph", bench.graph)):
        for b in dict.fromkeys([min(batches), middle]):
            no = {"could not run": "only measured on a GPU"}
            entry(f"{what} {b}", lambda make=make, b=b, no=no: make(b) if on_gpu else no)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batches", type=int, nargs="+", default=list(BATCHES))
    parser.add_argument("--smoke", action="store_true", help="a tiny network on the CPU")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results/gpu.json")
    options = parser.parse_args(arguments)
    if options.smoke:
        bench = Bench(torch.device("cpu"), tiny, size=16, n=64, steps=2)
    elif torch.cuda.is_available():
        bench = Bench(torch.device("cuda"), partial(zoo.load, NETWORK), SIZE, n=8192, steps=STEPS)
    else:
        raise SystemExit("no GPU here; --smoke runs the script on the CPU with a tiny network")
    now = about(bench.device)
    old = json.loads(options.output.read_text()) if options.output.exists() else {}
    same = all(old.get(key) == now[key] for key in ("machine", "versions"))
    record = {
        "what": f"a climb of {'a tiny network' if options.smoke else NETWORK}, "
        f"{bench.size} x {bench.size}, on one device",
        **now,
        "smoke": options.smoke,
        "entries": old.get("entries", {}) if same and old.get("smoke") == options.smoke else {},
    }
    measure(record["entries"], lambda: written(options.output, record), bench, options.batches)


if __name__ == "__main__":
    main()
