"""The pictures of the chapter *robustness*: `python -m scripts.render_robustness`.

The same noise climbed by every network of seed 0 in the zoo, for all classes and two recipes, and
one photograph attacked with ever larger ε. About five seconds a network on one thread; what is
rendered is kept in `_build/rendered/` by the network's hash, so a second run renders what is new.
Output: chapters/results/robust-pictures-* and robust-epsilon-*, one of each a data set.
"""

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from actmax_lib import l2, logit, maximize, point, zoo
from scripts import render_epsilon, results
from scripts.robustness_sheets import SETS, Collection, networks, write

STEPS = (0, 8, 20, 50, 120)
RECIPES = {"no regularizer": 0.0, "weak pull to gray": 0.005}  # λ of ‖x - 1/2‖²
SEED, SPREAD = 0, 0.1  # of the noise around gray


def noise(shape: tuple[int, int, int]) -> Tensor:
    """The picture (1, C, H, W) that every ascent starts from."""
    generator = torch.Generator().manual_seed(SEED)
    return (0.5 + SPREAD * torch.randn(1, *shape, generator=generator)).clamp(0, 1)


def ascents(net: nn.Module, lam: float, start: Tensor, length: float) -> Tensor:
    """Pictures (classes, frames, C, H, W) at STEPS[1:] of the ascent of every logit."""
    x = start.expand(len(net.classes), -1, -1, -1).clone()
    f = logit(net, list(range(len(x)))) + (l2(lam, center=0.5) if lam else 0)
    frames = []
    for before, after in pairwise(STEPS):
        x = maximize(
            f, point(x, box=(0.0, 1.0)), steps=after - before, lr=length,
            optimizer="normalized", schedule="constant",
        ).images  # fmt: skip
        frames.append(x)
    return torch.stack(frames, 1)


def pictures(key: str, how: Collection) -> None:
    """All networks, recipes, classes and steps: robust-pictures-*."""
    used, start = networks(key), noise(how.shape)
    tiles, classes, seconds, apart = [results.bytes_of(start)], (), 0.0, []
    for told in used:
        net = zoo.load(told["name"], device="cpu")
        classes, last = net.classes, []
        for label, lam in RECIPES.items():
            make = lambda net=net, lam=lam: {  # noqa: E731  # used once, here
                "tiles": results.bytes_of(ascents(net, lam, start, how.length).flatten(0, 1))
            }
            given = [told["sha256"], lam, STEPS, how.length, SEED, SPREAD, results.machine()]
            part = results.kept(f"robust-{told['name']}-{label.split()[0]}", given, make)
            tiles.append(part["tiles"])
            seconds += float(part["seconds"])
            last.append(part["tiles"][len(STEPS) - 2 :: len(STEPS) - 1] / 255)
        apart.append(float(np.abs(last[0] - last[1]).mean()))
    columns = (len(STEPS) - 1) * 10
    write(f"robust-pictures-{key}", how, np.concatenate(tiles), columns, {
        "seconds": round(seconds), "seed": SEED, "spread": SPREAD, "length": how.length,
        "classes": classes, "steps": STEPS,
        "recipes": [{"label": label, "lambda": lam} for label, lam in RECIPES.items()],
        # how far the pictures of the two recipes are apart: mean over pixels of the difference
        "apart": [round(value, 4) for value in apart],
        # order of the tiles: the noise; then network, recipe, class, step (without step 0)
        "networks": used,
    })  # fmt: skip


def main() -> None:
    torch.set_num_threads(1)
    for key, how in SETS.items():
        pictures(key, how)
        render_epsilon.photograph(key, how)


if __name__ == "__main__":
    main()
