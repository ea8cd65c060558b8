"""Sheets to pick units by eye: `python -m scripts.study_look`, into _build/study-look/.

A row is a channel, of the first 40 of its layer: its nine highest photographs beyond the 20 that
become queries, and one fast synthetic picture. No answers of any observer are looked at.
"""

import numpy as np
import torch
from PIL import ImageDraw

from actmax_lib import channel, fourier, maximize
from actmax_lib.study.stimuli import SEEN
from scripts import results
from scripts.study_synthetic import robust
from scripts.study_units import LAYERS, all_values, net, photographs

CANDIDATES, STEPS = 40, 64


def sheet(network: str, layer: str) -> None:
    """One layer's sheet, two columns of channels."""
    side, seen = 48, SEEN[network]
    resized = torch.nn.functional.interpolate
    values = all_values(network)[layer]
    rows = []
    for k in range(CANDIDATES):
        order = np.argsort(-values[:, k], kind="stable")[20:29]
        x = resized(photographs().images(order.tolist()), (side, side))
        rows.append(list(results.bytes_of(x)))
    for first in range(0, CANDIDATES, 10):
        channels = list(range(first, first + 10))
        f = channel(net(network), layer, channels)
        run = maximize(f, fourier(3, seen), transform=robust(seen), steps=STEPS)
        made = results.bytes_of(resized(run.images, (side, side), mode="bilinear", antialias=True))
        for k in channels:
            rows[k].append(made[k - first])
    half = CANDIDATES // 2
    blank = np.full((side, side, 3), 255, np.uint8)
    tiles = [tile for k in range(half) for tile in [blank, *rows[k], blank, *rows[k + half]]]
    picture = results.sheet(np.stack(tiles), 22)
    pen = ImageDraw.Draw(picture)
    for k in range(half):
        pen.text((4, k * side + 16), str(k), fill="black")
        pen.text((11 * side + 4, k * side + 16), str(k + half), fill="black")
    folder = results.ROOT / "_build" / "study-look"
    folder.mkdir(parents=True, exist_ok=True)
    picture.save(folder / f"{layer}.png")
    print(folder / f"{layer}.png")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for network, layers in LAYERS.items():
        for layer in layers:
            sheet(network, layer)
