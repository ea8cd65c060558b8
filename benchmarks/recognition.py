"""Seconds until a network that took no part recognises the pictures: ours and Lucent's.

    PYTHONPATH=.bench python benchmarks/recognition.py

Same network, same classes, both with their defaults. Pictures are kept on the way and judged
afterwards, so that neither keeping nor judging is timed. Which step of a climb a judge first agrees
with is a matter of luck, so there are several rounds, each with its own seed.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from contestants import NETWORK, SIZE, Run, classes
from run import about, written
from torch import Tensor

from actmax_lib import compose, fourier, logit, maximize, robust, zoo

JUDGE = "efficientnet-lite1"
PICTURES, ENOUGH = 4, 3
STEPS = {"ours": 64, "Lucent": 96}
EVERY = 2  # steps between kept pictures


class Camera:
    """Keeps every ``EVERY``-th picture with its time; its own work does not count."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.clock, self.calls, self.away = clock, 0, 0.0
        self.frames: list[Tensor] = []
        self.seconds: list[float] = []
        self.begin = clock()

    def __call__(self, x: Tensor, *_streams) -> Tensor:
        if x.is_cuda:
            torch.cuda.synchronize()
        now = self.clock()
        if self.calls % EVERY == 0:
            self.frames.append(x.detach().cpu().clone())
            self.seconds.append(now - self.begin - self.away)
        self.calls += 1
        self.away += self.clock() - now
        return x


def ours(device: torch.device, seed: int) -> Run:
    net = zoo.load(NETWORK, device=device)

    def run(tick: Callable) -> None:
        maximize(
            logit(net, classes(PICTURES)), fourier(3, SIZE), transform=compose(tick, robust()),
            steps=STEPS["ours"], seed=seed,
        )  # fmt: skip

    return run


def lucent(device: torch.device, seed: int) -> Run:
    from lucent_peer import Lucent

    torch.manual_seed(seed)
    peer = Lucent(zoo.load(NETWORK, device=device), "classifier", False, size=SIZE)
    return peer.prepare(classes(PICTURES), STEPS["Lucent"], seed)


def ranks(judge: torch.nn.Module, frames: Sequence[Tensor], wanted: Sequence[int]) -> list:
    """At each frame, for each picture, how many classes the judge finds likelier than its own."""
    found = []
    for images in frames:
        p = zoo.probabilities(judge, images.to(next(judge.parameters()).device).clamp(0, 1)).cpu()
        own = p.gather(1, torch.tensor(wanted)[:, None])
        found.append((p > own).sum(1).tolist())
    return found


def reached(seconds: Sequence[float], rank: Sequence[Sequence[int]], top: int) -> float | None:
    """When ``ENOUGH`` pictures were first among the judge's ``top`` classes; None for never."""
    for when, ranks_then in zip(seconds, rank, strict=True):
        if sum(r < top for r in ranks_then) >= ENOUGH:
            return when
    return None


def measured(seconds: Sequence[float], rank: Sequence[Sequence[int]]) -> dict:
    return {
        "seconds_to_top1": reached(seconds, rank, 1),
        "seconds_to_top5": reached(seconds, rank, 5),
        "seconds": list(seconds),
        "ranks": [list(r) for r in rank],
    }


def ratio(rounds: Sequence[dict], key: str) -> dict:
    """Lucent's time over ours, by round; a round in which Lucent never got there is a bound."""
    ratios, bounds = [], []
    for one in rounds:
        our, their = one["ours"][key], one["Lucent"][key]
        if our is None or our == 0:
            continue
        (ratios if their is not None else bounds).append(
            (one["Lucent"]["seconds"][-1] if their is None else their) / our
        )
    return {
        "ratios": ratios,
        "median": statistics.median(ratios) if ratios else None,
        "at_least": bounds,  # Lucent's whole run over our time
        "ours_never": sum(one["ours"][key] is None for one in rounds),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--output", type=Path, help="default: results/recognition-<device>.json")
    options = parser.parse_args()
    device = torch.device(options.device)
    output = options.output or Path(__file__).parent / f"results/recognition-{device.type}.json"
    judge, rounds = zoo.load(JUDGE, device=device), []
    for seed in range(options.rounds):
        entries = {"ours": ours, "Lucent": lucent}
        one = {"seed": seed}
        for name in list(entries)[:: 1 if seed % 2 == 0 else -1]:
            run = entries[name](device, seed)
            camera = Camera()
            run(camera)
            one[name] = measured(camera.seconds, ranks(judge, camera.frames, classes(PICTURES)))
            print(f"round {seed}, {name}: " + ", ".join(
                f"{key} {one[name][key]}" for key in ("seconds_to_top1", "seconds_to_top5")
            ), flush=True)  # fmt: skip
        rounds.append(one)
    record = {
        "what": f"seconds until {ENOUGH} of {PICTURES} pictures of {NETWORK} are {JUDGE}'s first "
        "class (top1), or among its first five (top5)",
        **about(device),
        "network": NETWORK, "judge": JUDGE, "classes": classes(PICTURES), "size": SIZE,
        "pictures": PICTURES, "enough": ENOUGH, "steps": STEPS, "every": EVERY,
        "Lucent / ours": {k: ratio(rounds, f"seconds_to_{k}") for k in ("top1", "top5")},
        "rounds": rounds,
    }  # fmt: skip
    written(output, record)
    print(f"written to {output}")


if __name__ == "__main__":
    main()
