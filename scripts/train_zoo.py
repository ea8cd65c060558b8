"""Train the zoo of the chapter *robustness*: `python -m scripts.train_zoo [NAME ...]`.

Without names it trains what `actmax_lib/zoo/trained/` does not have yet; a run that was stopped
goes on after its last whole epoch. One thread a process: the same bits on the same machine, and
two processes fit on two cores. `--row` trains one row of the table and compares it with the book's.
"""

import argparse
import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from actmax_lib import data, zoo
from actmax_lib.data.dataset import Dataset
from actmax_lib.training import (
    Scheduled,
    accuracy,
    cross_entropy,
    double_backprop,
    fgsm_training,
    fit,
    gradient_norm,
    insensitivity,
    interpretation_discrepancy,
    mirrored,
    noise_training,
    pgd_training,
    saliency_alignment,
    saliency_guided,
    score_matching,
    smooth_kernels,
)
from actmax_lib.training.losses import Loss
from actmax_lib.zoo import trained
from actmax_lib.zoo.cifar import CifarNet
from actmax_lib.zoo.fashion import FashionNet
from scripts.results import KEPT, sha256
from scripts.train_fashion import fresh

EPOCHS = 4
SEEDS = (0, 1, 2)
# What ε and σ are, in units of [0, 1]: as strong in the 2-norm as in the ∞-norm, roughly.
FASHION_EPS = {"l2": 1.5, "linf": 0.1}
CIFAR_EPS = {"l2": 0.5}


def teacher(method: str, seed: int, folder: Path) -> nn.Module:
    """The trained network that a saliency-guided one learns from, of the same seed."""
    name = f"fashion-{method}-{seed}"
    return trained.build(name, folder if name in trained.manifest(folder) else None)


# method -> (seed, folder of trained networks) -> loss. Weights λ were chosen on seed 0 with a fifth
# of the data, for the most robust network that keeps about 85 % of its answers.
FASHION: dict[str, Callable[[int, Path], Loss | Scheduled]] = {
    "pgd-l2": lambda *_: pgd_training(FASHION_EPS["l2"], "l2", steps=4),
    "fgsm": lambda *_: fgsm_training(FASHION_EPS["linf"]),
    "double-backprop": lambda *_: double_backprop(1.0),
    "noise": lambda *_: noise_training(0.25),
    "smooth-kernels": lambda *_: smooth_kernels(1e-2),
    "shuffled-labels": lambda *_: cross_entropy,
    "pgd-linf": lambda *_: pgd_training(FASHION_EPS["linf"], "linf", steps=4),
    "saliency-guided-standard": lambda seed, folder: saliency_guided(
        teacher("standard", seed, folder), FASHION_EPS["linf"]
    ),
    "saliency-guided-robust": lambda seed, folder: saliency_guided(
        teacher("pgd-linf", seed, folder), FASHION_EPS["linf"]
    ),
    "insensitivity": lambda *_: insensitivity(0.1),
    "saliency-alignment": lambda *_: saliency_alignment(0.5),
    "interpretation": lambda *_: interpretation_discrepancy(0.03, FASHION_EPS["linf"], steps=3),
}
# one weight for both penalties on ∇f_y, so that they differ in the trace alone
CIFAR: dict[str, Loss] = {
    "pgd-l2": pgd_training(CIFAR_EPS["l2"], "l2", steps=1),
    "standard": cross_entropy,
    "gradient-norm": gradient_norm(0.03, share=0.25),
    "score-matched": score_matching(0.03, share=0.25),
}
SECOND = {"gradient-norm", "score-matched"}  # differences of differences need all of float32
FEWER = {f"cifar-{method}": SEEDS[:1] for method in SECOND}  # a quarter of an hour each


def shuffled(labels: Tensor, seed: int) -> Tensor:
    """The same labels in a random order: what is left when images say nothing about classes."""
    return labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))]


def fashion(method: str, seed: int, folder: Path, **how: Any) -> tuple[nn.Module, dict]:
    """(network, what the manifest says of it): weights rounded to half, then measured."""
    train, test = (data.load("fashion-mnist", split) for split in ("train", "test"))
    net = fresh(FashionNet, seed).to(memory_format=torch.channels_last)
    labels = shuffled(train.labels, seed) if method == "shuffled-labels" else train.labels
    fit(net, FASHION[method](seed, folder), train.images(), labels, seed=seed, **how)
    return finished(net, {}, train, test)


def cifar(method: str, seed: int, folder: Path, **how: Any) -> tuple[nn.Module, dict]:
    """The same for CIFAR-10: mirrored images, batch norm folded into the weights at the end."""
    train, test = (data.load("cifar-10", split) for split in ("train", "test"))
    net = fresh(lambda: CifarNet(batch_norm=True), seed).to(memory_format=torch.channels_last)
    fit(
        net, mirrored(CIFAR[method]), train.images(), train.labels, seed=seed,
        precision=None if method in SECOND else torch.bfloat16, **how,
    )  # fmt: skip
    return finished(net.folded(), {}, train, test)


def finished(net: nn.Module, kwargs: dict, train: Dataset, test: Dataset):
    net = trained.rounded(net.to(memory_format=torch.contiguous_format))
    right = accuracy(net, test.images(), test.labels)
    digest = hashlib.sha256(train.pixels.numpy().tobytes()).hexdigest()
    return net, {"kwargs": kwargs, "accuracy": right, "data": digest}


def recipes() -> dict[str, tuple[Callable, str, int]]:
    """name -> (how, method, seed), the first seed of all before the second."""
    kinds = (("cifar", cifar, CIFAR), ("fashion", fashion, FASHION))
    return {
        f"{data_set}-{method}-{seed}": (how, method, seed)
        for seed in SEEDS
        for data_set, how, methods in kinds
        for method in methods
        if seed in FEWER.get(f"{data_set}-{method}", SEEDS)
    }


def make(name: str, folder: Path, epochs: int) -> dict:
    """Train one network into ``folder``; its entry in the manifest."""
    how, method, seed = recipes()[name]
    # of this folder and these recipes: another weight λ must not go on where the old one was
    run = sha256(f"{folder.resolve()} {Path(__file__).read_text()}".encode())[:12]
    checkpoint = KEPT / f"{name}-{epochs}-{run}.checkpoint"
    start = time.perf_counter()
    net, entry = how(method, seed, folder, epochs=epochs, checkpoint=checkpoint, progress=True)
    entry |= {
        "command": f"python -m scripts.train_zoo {name}",
        "epochs": epochs,
        "seed": seed,
        "device": "cpu, 1 thread",
        "seconds": round(time.perf_counter() - start),
    }
    trained.save(net, name, entry, folder)
    checkpoint.unlink(missing_ok=True)
    return entry


def check(name: str, folder: Path) -> None:
    """Say how the network in ``folder`` differs from the one that the book carries."""
    ours, theirs = trained.manifest(folder)[name], zoo.load(name, device="cpu").manifest
    same = "the same bits" if ours["sha256"] == theirs["sha256"] else "other bits"
    print(f"{name}: {same}; accuracy {ours['accuracy']:.4f}, the book's {theirs['accuracy']:.4f}")
    if abs(ours["accuracy"] - theirs["accuracy"]) > 0.02:
        raise SystemExit(f"{name}: that is further apart than 0.02; see versions in the manifest")


def main(names: list[str], folder: Path, epochs: int, compare: bool) -> None:
    torch.set_num_threads(1)
    for name in names or recipes():
        if not names and name in trained.manifest(folder):
            continue
        print(name, flush=True)
        entry = make(name, folder, epochs)
        print({key: entry[key] for key in ("accuracy", "seconds")}, flush=True)
        if compare:
            check(name, folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="what to train; default: what is missing")
    parser.add_argument("--folder", type=Path, default=trained.FOLDER)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--row", help="the networks of one row, such as fashion-fgsm, compared")
    args = parser.parse_args()
    if args.row:
        if args.folder.resolve() == trained.FOLDER.resolve():
            parser.error("--row compares with the book's networks: give another --folder")
        args.names += [name for name in recipes() if name.rpartition("-")[0] == args.row]
        if not args.names:
            rows = dict.fromkeys(name.rpartition("-")[0] for name in recipes())
            parser.error(f"no row {args.row!r}; there are {', '.join(rows)}")
    if unknown := set(args.names) - set(recipes()):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(recipes())}")
    main(args.names, args.folder, args.epochs, args.row is not None)
