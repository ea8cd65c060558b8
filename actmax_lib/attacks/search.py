"""An attack that asks for answers only, and no gradients."""

import math
from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor, nn

from actmax_lib import checks
from actmax_lib.attacks.balls import Ball
from actmax_lib.attacks.values import check_attacked, margins, seeds_of
from actmax_lib.probes import untouched
from actmax_lib.streams import Streams

SHARE = 0.8  # of an image, in the first square
HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)  # of the share, of 10 000 queries
BLOCK = 100  # queries whose random numbers are drawn at once
TILES = 5  # a side, of the first change in the 2-norm
TINY = 1e-12


def square(
    net: nn.Module, x: Tensor, labels: Tensor, *, eps: float, norm: str = "linf",
    queries: int = 1000, seed: int | Sequence[int] = 0,
) -> Tensor:  # fmt: skip
    """What random search in the ball finds, like x (Andriushchenko et al. 2020, algorithms 1-3).

    The change is at its bound from the first query on. Then it is made anew in one square at a
    random place, and stays where the `margin` grows; an image is left alone once it fools. "linf":
    a random ± ε a channel. "l2": a random ± bump there, with what the square and another one, now
    emptied, had of ε. Squares shrink in the course of ``queries``, on the schedule of AutoAttack.

    No gradient is looked at, so none can mislead it: a network that stands PGD and falls here has
    hidden its gradients. seed and errors: as in `pgd`; "l2" needs images of 3 by 3 at least.
    """
    ball = Ball(norm, eps)
    check_attacked(net, x, labels)
    checks.real("eps", eps)
    ball.check_units(x)
    queries = checks.count("queries", queries)
    if x.ndim != 4 or (norm == "l2" and min(x.shape[2:]) < 3):
        raise ValueError(f"images must be (N, C, H, W), of 3 by 3 for 'l2', got {tuple(x.shape)}")
    first, next_one = (_stripes, _corner) if norm == "linf" else (_tiles, _bump)
    seeds = seeds_of(seed, len(x))
    with untouched([net]):
        x, draws = x.detach().clone(), Streams(seeds)  # within, for those made in inference mode
        best = first(ball, x, draws.uniform(*x.shape[1:]).to(x))
        score = margins(net, best, labels)
        for query in range(queries - 1):
            if query % BLOCK == 0:
                numbers = draws.uniform(BLOCK, 5 + x.shape[1]).to(x)
            rows = (score < 0).nonzero()[:, 0]
            if len(rows) == 0:
                break
            side = _side(query / queries, x)
            z = next_one(ball, x[rows], best[rows], numbers[rows, query % BLOCK], side)
            found = margins(net, z, labels[rows])
            better = found > score[rows]
            best[rows[better]], score[rows[better]] = z[better], found[better]
    return best


def _stripes(ball: Ball, x: Tensor, numbers: Tensor) -> Tensor:
    return ball.project(x + ball.eps * _sign(numbers[:, :, :1]), x)


def _corner(ball: Ball, x: Tensor, best: Tensor, numbers: Tensor, side: int) -> Tensor:
    at = _place(numbers[:, :2], side, x)
    change = ball.eps * _sign(numbers[:, 5:, None, None])
    return torch.where(_inside(at, side), ball.project(x + change, x), best)


def _tiles(ball: Ball, x: Tensor, numbers: Tensor) -> Tensor:
    """± a bump in each of 5 by 5 tiles."""
    side = max(3, min(x.shape[2:]) // TILES)
    down, right = (min(TILES, size // side) for size in x.shape[2:])
    change = torch.zeros_like(x)
    for i in range(down):
        for j in range(right):
            tile = change[:, :, i * side : (i + 1) * side, j * side : (j + 1) * side]
            tile += _shape(side).to(x) * _sign(numbers[:, :, i, j])[:, :, None, None]
    return (x + ball.eps * ball.direction(change)).clamp(0, 1)


def _bump(ball: Ball, x: Tensor, best: Tensor, numbers: Tensor, side: int) -> Tensor:
    """Algorithm 3: what two squares have of ε, and what is not used, into a bump in the first."""
    side = min(max(side, 3) // 2 * 2 + 1, (min(x.shape[2:]) - 1) // 2 * 2 + 1)  # odd, and it fits
    change = best - x
    at = _place(numbers[:, :2], side, x)
    here, there = _inside(at, side), _inside(_place(numbers[:, 2:4], side, x), side)
    spare = (ball.eps**2 - change.square().sum((1, 2, 3), keepdim=True)).clamp(min=0)
    budget = (_size(change * (here | there)).square() + spare / x.shape[1]).sqrt()
    rows, columns = (k.clamp(0, side - 1).long() for k in at)
    shapes = torch.stack([_shape(side), _shape(side).T]).to(x)
    turned = (numbers[:, 4] < 0.5).long()[:, None, None]
    bump = shapes[turned, rows[:, :, None], columns[:, None, :]][:, None] * here
    new = bump * _sign(numbers[:, 5:, None, None])
    new = new + change * here / (_size(change * here) + TINY)
    change = change * ~(here | there) + new * (budget / (_size(new) + TINY))
    return (x + ball.eps * ball.direction(change)).clamp(0, 1)


@lru_cache
def _shape(side: int) -> Tensor:
    """(side, side) of norm one: a hill over a valley, each a pyramid of rectangles (equation 3)."""
    halves = []
    for height in (side // 2, side - side // 2):
        n = max(height, side) // 2
        rows, columns = torch.arange(height) - height // 2, torch.arange(side) - side // 2
        out = torch.maximum(rows.abs()[:, None], columns.abs()[None])
        steps = 1 / torch.arange(n + 1, 0, -1).double().square()  # of ring k from outside
        hill = steps.cumsum(0)[(n - out).clamp(0, n)]
        halves.append(hill / hill.norm())
    shape = torch.cat([halves[0], -halves[1]])
    return shape / shape.norm()


def _side(progress: float, x: Tensor) -> int:
    """Side of the square in pixels: its share of the image halves at the marks."""
    share = SHARE / 2 ** sum(10_000 * progress > mark for mark in HALVINGS)
    height, width = x.shape[2:]
    return max(1, min(round(math.sqrt(share * height * width)), height, width))


def _place(numbers: Tensor, side: int, x: Tensor) -> tuple[Tensor, Tensor]:
    """Rows (N, H) and columns (N, W) of an image, counted from the corner that numbers choose."""
    height, width = x.shape[2:]
    return tuple(
        torch.arange(size, device=x.device) - (number * (size - side + 1)).floor()
        for number, size in zip(numbers.split(1, 1), (height, width), strict=True)
    )


def _inside(at: tuple[Tensor, Tensor], side: int) -> Tensor:
    """(N, 1, H, W): True in the square."""
    rows, columns = ((k >= 0) & (k < side) for k in at)
    return (rows[:, :, None] & columns[:, None, :])[:, None]


def _size(change: Tensor) -> Tensor:
    """2-norm of each channel, (N, C, 1, 1)."""
    return change.square().sum((2, 3), keepdim=True).sqrt()


def _sign(uniform: Tensor) -> Tensor:
    return torch.where(uniform < 0.5, -1.0, 1.0).to(uniform)
