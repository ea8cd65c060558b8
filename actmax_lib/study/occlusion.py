"""Which part of a photograph a unit needs: a gray square, moved over it (Zimmermann et al. 2021).

The question of the study's second mode: which of two squares lowers the unit's value more?
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from actmax_lib import checks

GRAY = 0.5
SIDE = 13  # of 32 pixels: two fifths
ALONG = 7  # positions of the square along a side


def positions(size: int, side: int = SIDE, along: int = ALONG) -> list[int]:
    """``along`` places from 0 to size - side, as even as whole pixels are.

    Raises ValueError where the square does not fit or the places would not be distinct.
    """
    side, along = checks.count("side", side), checks.count("along", along, at_least=2)
    room = checks.count("size", size) - side
    if room + 1 < along:
        raise ValueError(f"a square of {side} has {room + 1} places along {size}, not {along}")
    return np.linspace(0, room, along).round().astype(int).tolist()


def occluded(
    x: Tensor, side: int = SIDE, along: int = ALONG
) -> tuple[Tensor, list[tuple[int, int]]]:
    """A picture with the square at every position of a grid.

    x: (C, H, W) in [0, 1]. Gives (along², C, H, W), rows first, and the squares' (top, left).
    """
    if x.ndim != 3:
        raise ValueError(f"x must be one picture (C, H, W), got {tuple(x.shape)}")
    rows, columns = (positions(n, side, along) for n in x.shape[1:])
    places = [(top, left) for top in rows for left in columns]
    pictures = x.repeat(len(places), 1, 1, 1)
    for picture, (top, left) in zip(pictures, places, strict=True):
        picture[:, top : top + side, left : left + side] = GRAY
    return pictures, places


def extremes(values: Tensor) -> tuple[int, int]:
    """Where the value is lowest, and where it is highest: (P,) to two indices.

    Of pictures with a square that is the one that lowers the unit most, and the one that lowers it
    least (or raises it). Raises ValueError when all are equal: then there is no right answer.
    """
    values = checks.real_tensor("values", values)
    most, least = int(values.argmin()), int(values.argmax())
    if values[most] == values[least]:
        raise ValueError(f"all {len(values)} values are {float(values[0])}; no square differs")
    return most, least


def hardest(
    value: Callable[[Tensor], Tensor], x: Tensor, side: int = SIDE, along: int = ALONG
) -> tuple[Tensor, list[tuple[int, int]], Tensor]:
    """The two pictures with a square, (2, C, H, W): lowered most, lowered least.

    value: pictures (P, C, H, W) to values (P,). Also gives their (top, left) and values (2,).
    """
    pictures, places = occluded(x, side, along)
    with torch.no_grad():
        values = value(pictures)
    both = list(extremes(values))
    return pictures[both], [places[k] for k in both], values[both]
