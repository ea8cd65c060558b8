"""Synthetic references of the study, for `scripts/make_study.py`: diverse pictures of a unit.

The climb is f/s + W·D: f the channel, s its standard deviation over the photographs, D the
diversity of the ten pictures in [-1, 0]; for minimal references -f. W is chosen by a rule, see
`choose_weight`.
"""

import numpy as np
import torch

from actmax_lib import channel, compose, diversity, fourier, jitter, maximize, rotate, scale
from actmax_lib.study.stimuli import REFERENCES, SEEN
from scripts import results
from scripts.study_units import all_values, net, weights

STEPS, LR = {"cifar": 512, "imagenet": 256}, 0.1
SEEDS = list(range(10))  # as many as in the paper, of which the first nine are shown
TILE = {"cifar": 32, "imagenet": 96}
TRY = 128  # steps of a trial of W
WEIGHTS = (0.0, 1.0, 2.0, 3.0, 5.0)
PRICE = 0.9  # the share of f/s that a picture must keep


def robust(size: int):
    """Shift, zoom, turn, shift, after Olah et al. (2017); the shifts grow with the size."""
    near, far = round(8 * size / 224), round(16 * size / 224)
    return compose(jitter(far), scale(0.95, 1.05), rotate(5), jitter(near))


def render(unit: dict, sign: int, weight: float, steps: int) -> dict[str, np.ndarray]:
    """The ten pictures of a unit, their values, and the likeness of the batch, in [0, 1]."""
    network, layer = unit["network"], unit["layer"]
    side, f = SEEN[network], channel(net(network), unit["layer"], unit["channel"])
    spread = float(all_values(network)[layer][:, unit["channel"]].std())
    spice = diversity(net(network), layer)
    climbed = (sign / spread) * f + weight * spice if weight else (sign / spread) * f
    run = maximize(
        climbed, fourier(3, side), transform=robust(side), steps=steps, lr=LR, seed=SEEDS
    )
    with torch.no_grad():
        values, likeness = f(run.images), -spice(run.images)
    tiles = results.bytes_of(run.images)
    return {"tiles": tiles, "values": values.numpy(), "likeness": likeness.numpy()}


def kept(unit: dict, sign: int, weight: float, steps: int) -> dict[str, np.ndarray]:
    """`render`, or what it gave before."""
    key = [weights(unit["name"]), unit["layer"], unit["channel"], sign, weight, steps, LR, SEEDS]
    name = f"study-{unit['layer']}-{unit['channel']}{'-+'[sign > 0]}"
    make = lambda: render(unit, sign, weight, steps)  # noqa: E731  # used once, here
    return results.kept(name, [*key, results.machine()], make)


def shown(tiles: np.ndarray, side: int) -> np.ndarray:
    """The first nine, at the side of a tile: averaged down, with antialiasing."""
    x = torch.from_numpy(tiles[:REFERENCES]).permute(0, 3, 1, 2).float() / 255
    if x.shape[-1] != side:
        x = torch.nn.functional.interpolate(x, (side, side), mode="bilinear", antialias=True)
    return results.bytes_of(x)


def choose_weight(units: list[dict]) -> tuple[float, list[dict]]:
    """The largest W whose pictures keep nine tenths of their value, and what was measured.

    Measured on the first drawn unit of every layer, maximal pictures, as the mean over units of
    f/s above its mean over photographs, as a share of that without diversity.
    """
    first: dict[str, dict] = {}
    for unit in units:
        if not unit["picked"]:
            first.setdefault(unit["layer"], unit)
    rows: list[dict] = []
    for weight in WEIGHTS:
        reached, like = [], []
        for layer, unit in first.items():
            values = all_values(unit["network"])[layer][:, unit["channel"]]
            made = kept(unit, 1, weight, TRY)
            reached.append(float((made["values"].mean() - values.mean()) / values.std()))
            like.append(float(made["likeness"].mean()))
        base = rows[0]["sd"] if rows else reached
        share = float(np.mean([a / b for a, b in zip(reached, base, strict=True)]))
        rows.append({"weight": weight, "share": share, "likeness": like, "sd": reached})
    return max(row["weight"] for row in rows if row["share"] >= PRICE), rows
