"""Fashion-MNIST's part of `scripts.measure_quality`: paths by layer, and labels that were shuffled.

Small networks with known training: the book's own, and two trained here for half a minute each on
the 2000 pictures of the sample, one with its labels and one with the same labels shuffled.
"""

from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from actmax_lib import (
    compose,
    data,
    fourier,
    jitter,
    logit,
    maximize,
    metrics,
    pixels,
    rotate,
    scale,
    zoo,
)
from actmax_lib.training import accuracy, cross_entropy, fit
from scripts import results

METHODS, SEEDS = ("standard", "score-matched", "one-sided"), (0, 1, 2)
LAYERS = ("conv1", "conv2", "conv3", "")
STEPS, EPOCHS = 64, 40
RECIPES = {
    "pixels": lambda: (pixels(1, 28), None),
    "fourier": lambda: (fourier(1, 28), compose(jitter(2), scale(0.9, 1.1), rotate(10))),
}
LABELS = ("true", "shuffled")


@cache
def sample() -> tuple[Tensor, Tensor]:
    """The 2000 pictures that come with the library, and their labels."""
    held = data.load("fashion-mnist", "sample")
    return held.images(), held.labels


def halves() -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Every other picture of the sample: photographs to compare with, and fresh ones."""
    x, y = sample()
    return (x[::2], y[::2]), (x[1::2], y[1::2])


def climb(net: nn.Module, recipe: str) -> Tensor:
    """Three pictures of each class, (30, 1, 28, 28), seeds outer and classes inner."""
    image, T = RECIPES[recipe]()
    run = maximize(
        logit(net, list(range(10)) * 3), image, transform=T, steps=STEPS,
        seed=[1000 * seed + k for seed in SEEDS for k in range(10)],
    )  # fmt: skip
    return run.images


def drawn(net: nn.Module) -> dict[str, tuple[Tensor, list[int]]]:
    """What is compared with photographs: pictures of each recipe, and controls that need no net."""
    _, (fresh, labels) = halves()
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(30, 1, 28, 28, generator=generator)
    found = {name: (climb(net, name), list(range(10)) * 3) for name in RECIPES}
    return found | {"photographs": (fresh, labels.tolist()), "noise": (noise, [*range(10)] * 3)}


def paths(name: str) -> dict[str, np.ndarray]:
    """For one network of the zoo and each measure: similarities (kinds, 3, layers, classes)."""
    net = zoo.load(name, device="cpu")
    (x, y), _ = halves()
    pictures, found = drawn(net), {}
    for measure in ("spearman", "cosine"):
        rows = []
        for images, labels in pictures.values():
            got = metrics.path_similarity(net, LAYERS, images, labels, x, y, measure=measure)
            rows.append(torch.stack([got.synthetic, got.same, got.different]))
        found[measure] = torch.stack(rows).numpy()
    return found


def all_paths() -> list[dict]:
    """A row a network, kind of picture, measure and layer."""
    entries = []
    for method in METHODS:
        for seed in SEEDS:
            name = f"fashion-{method}-{seed}"
            key = [zoo.load(name, device="cpu").manifest["sha256"], STEPS, results.machine()]
            part = results.kept(f"quality-paths-{name}", key, lambda n=name: paths(n))
            for measure in ("spearman", "cosine"):
                for kind, table in zip(
                    (*RECIPES, "photographs", "noise"), part[measure], strict=True
                ):
                    made, same, different = table.mean(2)
                    entries.append({
                        "method": method, "seed": seed, "measure": measure, "kind": kind,
                        "synthetic": rounded(made), "same": rounded(same),
                        "different": rounded(different),
                        "normalized": rounded((made - different) / (same - different)),
                    })  # fmt: skip
    return entries


def rounded(values, digits: int = 4) -> list[float]:
    return [round(float(v), digits) for v in values]


def trained(labels: str) -> dict[str, np.ndarray]:
    """Train on true or shuffled labels; pictures of both recipes and what is said of them."""
    x, y = sample()
    shuffled = y[torch.randperm(len(y), generator=torch.Generator().manual_seed(0))]
    learnt = y if labels == "true" else shuffled
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = zoo.FashionNet()
    loss = fit(net, cross_entropy, x, learnt, epochs=EPOCHS, seed=0)
    judge, wanted = zoo.load("fashion-judge", device="cpu"), torch.arange(10).repeat(3)
    found = {"fitted": accuracy(net, x, learnt), "true": accuracy(net, x, y), "loss": loss[-1]}
    for name in RECIPES:
        tiles = results.bytes_of(climb(net, name))
        images = torch.from_numpy(tiles)[:, None].float() / 255
        found[f"{name} tiles"] = tiles
        found[f"{name} own"] = metrics.transfer(net, images, wanted).probability.numpy()
        found[f"{name} judge"] = metrics.transfer(judge, images, wanted).top1.numpy()
        means = data.class_means("fashion-mnist")
        found[f"{name} cosine"] = metrics.cosine_to_mean(images, wanted, means).numpy()
    return {key: np.asarray(value) for key, value in found.items()}


def labels_control() -> tuple[dict, np.ndarray]:
    """The numbers of both networks, and the tiles of their first seed: 4 rows of ten classes."""
    table, tiles, seconds = {}, [], 0.0
    for labels in LABELS:
        key = [labels, EPOCHS, STEPS, results.machine()]
        part = results.kept(f"quality-labels-{labels}", key, lambda w=labels: trained(w))
        seconds += float(part["seconds"])
        table[labels] = {name: round(float(part[name]), 4) for name in ("fitted", "true")}
        for recipe in RECIPES:
            table[labels][recipe] = {
                name: rounded(part[f"{recipe} {name}"]) for name in ("own", "judge", "cosine")
            }
            tiles.append(part[f"{recipe} tiles"][:10])
    return {"labels": table, "seconds": round(seconds)}, np.concatenate(tiles)
