"""Attacks that follow the gradient: FGSM and PGD."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from actmax_lib import checks
from actmax_lib.attacks.balls import Ball, climb
from actmax_lib.attacks.values import check_attacked, loss_of, seeds_of, wrong
from actmax_lib.probes import untouched
from actmax_lib.streams import Streams


def fgsm(net: nn.Module, x: Tensor, labels: Tensor, *, eps: float) -> Tensor:
    """x + ε sign ∇ℓ(x), in [0, 1] (Goodfellow et al. 2015): one step to the corner of the cube."""
    return pgd(net, x, labels, eps=eps, norm="linf", steps=1, step=eps, random_start=False)


def pgd(
    net: nn.Module, x: Tensor, labels: Tensor, *, eps: float, norm: str = "l2", steps: int = 50,
    step: float | None = None, restarts: int = 1, random_start: bool = True,
    targeted: bool = False, value: str = "cross_entropy", seed: int | Sequence[int] = 0,
) -> Tensor:  # fmt: skip
    """The worst image of projected gradient ascent (Madry et al. 2018), like x.

    labels: the classes to get away from, or with ``targeted`` to get to. eps: radius; math.inf
    with ``targeted`` is class visualization. step: length of a step in the norm, 2.5 ε / steps
    when None. restarts: how many starts; the first is x itself unless ``random_start``. Of the ends
    of all restarts that with the highest ``value`` is kept, one that fools before one that does
    not. seed: one an image, or the first of consecutive ones; an image and its seed decide, and
    not the batch they are in.

    The network is left as it was. Raises ValueError for ε ≤ 0 or in the wrong units, images
    outside [0, 1], a label out of range, or a network in training mode (batch norm and dropout
    would answer for the batch, and not for the image), ArithmeticError for one that answers NaN.
    """
    ball = Ball(norm, eps)
    check_attacked(net, x, labels)
    ball.check_units(x)
    steps, restarts = checks.count("steps", steps), checks.count("restarts", restarts)
    if step is None:
        if math.isinf(eps):
            raise ValueError("step must be given where eps is inf")
        step = 2.5 * eps / steps
    step = checks.real("step", step, above=0)
    height, seeds = loss_of(net, labels, value, targeted), seeds_of(seed, len(x))
    with untouched([net]):
        x = x.detach().clone()  # within, for those made in inference mode
        best, score = x.clone(), torch.full((len(x),), -math.inf).to(x)
        draws = Streams(seeds)
        for restart in range(restarts):
            start = x
            if random_start or restart:
                normal = draws.normal(*x.shape[1:]).to(x)
                start = ball.noise(x, normal, draws.uniform().to(x))
            z = climb(height, x, start, ball, steps=steps, step=step)
            fooled = wrong(net, z, labels) != targeted
            with torch.no_grad():
                # finite and above every other: fooled first, then the value
                found = torch.atan(height(z)) + 4 * fooled
            better = found > score
            best[better], score[better] = z[better], found[better]
    return best
