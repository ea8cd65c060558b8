"""Measure the zoo of the chapter *robustness*: `python -m scripts.measure_zoo [fashion] [cifar]`.

Writes chapters/results/robustness-fashion.json and -cifar.json from the networks that
`actmax_lib/zoo/trained/` has: a row a network, mean and sd over seeds a method, and the scoreboard.
What has been measured of a network is kept, so a stopped run goes on where it was. One thread.
"""

import argparse
import json
import re
import statistics
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from actmax_lib import data, metrics, zoo
from actmax_lib.zoo import trained
from scripts import train_fashion, train_zoo
from scripts.measure_score_matching import NOISES, STEPS, of_photographs, of_pictures, starts
from scripts.results import RESULTS, kept, machine
from scripts.robust_numbers import attacked, boundaries, class_means, pictures
from scripts.scoreboard import RULE, scoreboard

VERSION = 1  # of measures and attacks: raise it when one of them changes, and all is measured again


@dataclass(frozen=True)
class Plan:
    """How a data set's networks are measured. Lengths are in units of images in [0, 1]."""

    prefix: str
    data: str
    shape: tuple[int, ...]
    lr: float  # length of a step of the class pictures
    eps: Mapping[str, tuple[str, float]]  # of "robust_..."; growing in each norm
    photos: int = 200
    near: int = 100  # those of them whose boundary is looked for
    steps: int = 50
    queries: int = 500  # of the Square attack

    @property
    def file(self):
        return RESULTS / f"robustness-{self.prefix}.json"

    def methods(self) -> list[str]:
        """All there should be, in the order of the table."""
        if self.prefix == "cifar":
            return list(dict.fromkeys(["standard", *train_zoo.CIFAR]))
        return [*train_fashion.LOSSES, *train_zoo.FASHION]


PLANS = {
    "fashion": Plan(
        "fashion", "fashion-mnist", (1, 28, 28), 0.175,
        {"l2": ("l2", 1.5), "linf": ("linf", 0.1), "linf_double": ("linf", 0.2)},
    ),
    "cifar": Plan(
        "cifar", "cifar-10", (3, 32, 32), 0.35,
        {"l2_half": ("l2", 0.25), "l2": ("l2", 0.5), "linf": ("linf", 8 / 255)},
        photos=100, near=50, queries=300,  # a picture costs nine times as much
    ),
}  # fmt: skip
NO_ROW = ("fashion-judge", "fashion-decoder")
QUICK = {"photos": 40, "near": 40, "steps": 10, "queries": 100}


class Bench:
    """The data and the networks that a plan needs; row: of one method only, as "fashion-fgsm"."""

    def __init__(self, plan: Plan, folder: Path | None = None, row: str | None = None) -> None:
        self.plan, self.folder = plan, folder
        self.test = data.load(plan.data, "test")
        entries = trained.manifest(folder)
        methods = "|".join(plan.methods()) if row is None else row.partition("-")[2]
        pattern = rf"{plan.prefix}-({methods})-(\d+)"
        names = [name for name in entries if re.fullmatch(pattern, name)]
        self.names = sorted(names, key=lambda name: name[-1])  # the first seed of all before others
        self.hashes = {name: entry["sha256"] for name, entry in entries.items()}
        self.means = class_means(plan.data)

    def photos(self, count: int) -> tuple[Tensor, Tensor]:
        return self.test.images(range(count)), self.test.labels[:count]

    def judge(self, name: str) -> str:
        """The network that says what the pictures of ``name`` show, and never saw them made."""
        if self.plan.prefix == "fashion":
            return "fashion-judge"
        seed = int(name[-1])
        return f"cifar-standard-{(seed + 1) % len(train_zoo.SEEDS)}"

    def row(self, name: str) -> dict:
        """Every number of one network."""
        plan, net = self.plan, trained.build(name, self.folder)
        row = {"accuracy": net.manifest["accuracy"]}
        for part, settings, make in (
            ("photographs", plan.photos, lambda: of_photographs(net, *self.photos(plan.photos))),
            ("attacks", asdict(plan), lambda: attacked(net, *self.photos(plan.photos), plan)),
            ("boundary", plan.near, lambda: boundaries(net, *self.photos(plan.near))),
        ):
            row |= {k: v.tolist() for k, v in self.kept(name, part, settings, make).items()}
        recipe = [plan.shape, plan.lr, STEPS, "logit"]
        made = self.kept(name, "pictures", recipe, lambda: pictures(net, plan))
        for prefix in ("", "plain_"):
            images = torch.from_numpy(made[f"{prefix}pictures"])
            row |= {prefix + k: v for k, v in self.seen(name, images).items()}
        print(name, {k: round(v, 3) for k, v in row.items() if isinstance(v, float)}, flush=True)
        return row

    def kept(self, name: str, part: str, settings: Any, make: Callable[[], dict]) -> dict:
        """What ``make`` gives, or gave for the same network and settings."""
        key = [VERSION, self.hashes[name], settings]
        found = kept(f"{name}-{part}", key, lambda: {k: np.array(v) for k, v in make().items()})
        return {k: v for k, v in found.items() if k != "seconds"}

    def seen(self, name: str, images: Tensor) -> dict:
        """What has to do with class pictures; None where the network to ask is not there yet."""
        labels = starts(self.plan.shape)[1]
        others = [f"{name[:-1]}{seed}" for seed in train_zoo.SEEDS]
        asked = [trained.build(other, self.folder) for other in others
                 if other != name and other in self.names]  # fmt: skip
        judge = self.judge(name)
        judged = judge in zoo.names()
        found = of_pictures(
            images, labels, zoo.load(judge if judged else name, device="cpu"), self.means
        )
        shares = [metrics.gan_test(other, images, labels) for other in asked]
        found["gan_test"] = found["gan_test"] if judged else None
        return found | {"transfer": statistics.fmean(shares) if shares else None}


def summary(rows: Mapping[str, Mapping], plan: Plan) -> dict[str, dict]:
    """method -> measure -> [mean, sd] over seeds (n - 1 in the sd); lists entry by entry."""
    found = {}
    for method in plan.methods():
        runs = [row for name, row in rows.items() if name[:-2] == f"{plan.prefix}-{method}"]
        if runs:
            found[method] = {key: spread([run[key] for run in runs]) for key in runs[0]}
    return found


def spread(values: list) -> list:
    """[mean, sd]; None where it cannot be said."""
    if any(value is None for value in values):
        return [None, None]
    if isinstance(values[0], list):
        return [list(part) for part in zip(*map(spread, zip(*values, strict=True)), strict=True)]
    return [statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None]


def measured(bench: Bench) -> dict:
    """The whole file's content."""
    plan = bench.plan
    rows = {name: bench.row(name) for name in bench.names}
    wanted = [name for name in {**train_fashion.recipes(1), **train_zoo.recipes()}
              if name.startswith(plan.prefix) and name not in NO_ROW]  # fmt: skip
    x, _ = bench.photos(plan.photos)
    return {
        "manifest": {
            "command": f"python -m scripts.measure_zoo {plan.prefix}",
            "preliminary": plan != PLANS[plan.prefix],
            "networks": {name: bench.hashes[name] for name in rows},
            "missing": [name for name in wanted if name not in rows],
            "judges": {name: bench.judge(name) for name in rows},
            "settings": asdict(plan) | {"version": VERSION},
            "rule": RULE,
            **machine(),
        },
        "data": {"high_frequency": float(metrics.high_frequency_share(x).mean())},
        "eps": {name: eps for name, (_, eps) in plan.eps.items()},
        "noises": list(NOISES),
        "methods": summary(rows, plan),
        "networks": rows,
        "scoreboard": scoreboard(rows, plan.prefix, plan.methods()),
    }


def compare(row: str, folder: Path) -> None:
    """Print the numbers of a row that was trained again beside those of the book."""
    prefix, _, method = row.partition("-")
    bench = Bench(PLANS[prefix], folder, row)
    ours = summary({name: bench.row(name) for name in bench.names}, bench.plan)[method]
    book = json.loads(bench.plan.file.read_text())["methods"][method]
    print(f"\n{row}: mean ± sd over {len(bench.names)} seeds, trained here | in the book")
    for measure, values in ours.items():
        if not isinstance(values[0], list):
            print(f"{measure:32}{told(values):>20} | {told(book[measure])}")


def told(values: list) -> str:
    """ "mean ± sd" with what there is of it."""
    return " ± ".join(f"{value:.3f}" for value in values if value is not None) or "-"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="*", help="fashion, cifar; default: both")
    parser.add_argument("--quick", action="store_true", help="few photographs: says preliminary")
    parser.add_argument("--row", help="compare one row, such as fashion-fgsm, with the book's")
    parser.add_argument("--folder", type=Path, help="where its networks are; with --row")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.row:
        compare(args.row, args.folder)
        raise SystemExit
    for name in args.data or PLANS:
        plan = replace(PLANS[name], **QUICK) if args.quick else PLANS[name]
        plan.file.write_text(json.dumps(measured(Bench(plan)), indent=1, allow_nan=False) + "\n")
