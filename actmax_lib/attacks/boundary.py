"""How far it is to the nearest wrong answer."""

import math

import torch
from torch import Tensor, nn

from actmax_lib import checks
from actmax_lib.attacks.balls import length, like
from actmax_lib.attacks.values import check_attacked, margin, wrong
from actmax_lib.probes import untouched

COARSE, FINE = 10, 30  # halvings of the way from an image to a fooling one
CLIMB = 20  # steps up the margin in the ball that DeepFool found
TURNS = 8  # of the way to the boundary, to its normal


def deepfool(
    net: nn.Module, x: Tensor, labels: Tensor, *, steps: int = 50, overshoot: float = 0.02
) -> Tensor:
    """A near image with another answer, like x (Moosavi-Dezfooli et al. 2016, algorithm 2).

    Each step goes to the nearest hyperplane where a linearised f_j - f_y is 0, and 1 + overshoot
    times as far. As in the paper it may leave [0, 1]. An image whose answer is not its label's is
    given back as it is, and so is one that ``steps`` steps do not lead to another answer.
    """
    check_attacked(net, x, labels)
    steps = checks.count("steps", steps)
    reach = 1 + checks.real("overshoot", overshoot, above=0)
    with untouched([net]):
        x = x.detach().clone()  # within, for those made in inference mode
        found = x.clone()
        rows = (~wrong(net, x, labels)).nonzero()[:, 0]
        moved = torch.zeros_like(x)  # without the overshoot
        for _ in range(steps):
            if len(rows) == 0:
                break
            z = x[rows] + reach * moved[rows]
            moved[rows] += _to_boundary(net, z, labels[rows])
            z = x[rows] + reach * moved[rows]
            fooled = wrong(net, z, labels[rows])
            found[rows[fooled]] = z[fooled]
            rows = rows[~fooled]
    return found


def boundary_distance(
    net: nn.Module, x: Tensor, labels: Tensor, *, steps: int = 50, batch: int = 250
) -> Tensor:
    """2-norm distance of each image to the nearest wrong answer that is found, (N,).

    `deepfool` says how far it is at most; a climb of the `margin` that near finds a better
    direction, which is then turned to where the boundary is nearer, and the way is halved down to
    rounding. So the answer does change at this distance. It may change sooner in quite another
    direction, as with any search. 0 where the answer is wrong already, inf where `deepfool` failed.

    x: (N, C, H, W) in [0, 1]; the way may leave it. batch: images at once. Errors: as in `pgd`.
    """
    check_attacked(net, x, labels)
    parts = zip(x.split(checks.count("batch", batch)), labels.split(batch), strict=True)
    with untouched([net]):
        return torch.cat([_distance(net, z.detach().clone(), y, steps) for z, y in parts])


def _distance(net: nn.Module, x: Tensor, labels: Tensor, steps: int) -> Tensor:
    far = deepfool(net, x, labels, steps=steps)
    right = ~wrong(net, x, labels)
    found = torch.full((len(x),), math.inf).to(x).masked_fill(~right, 0)
    rows = (right & wrong(net, far, labels)).nonzero()[:, 0]
    if len(rows):
        x, far, labels = x[rows], far[rows], labels[rows]
        found[rows] = _nearest(net, x, _worst(net, x, far, labels), labels)
    return found


def _worst(net: nn.Module, x: Tensor, far: Tensor, labels: Tensor) -> Tensor:
    """Where the margin is high no farther from x than ``far``; ``far`` where that does not fool."""
    radius, z = length(far - x), x
    for _ in range(CLIMB):
        way = z + radius / 4 * _unit(_normal(net, z, labels)) - x
        z = x + way * (radius / length(way).clamp(min=radius))
    return torch.where(like(wrong(net, z, labels), x), z, far)


def _nearest(net: nn.Module, x: Tensor, far: Tensor, labels: Tensor) -> Tensor:
    """Distances (N,) to the boundary, first on the way to ``far``, which fools.

    At the nearest point there is, that way is the boundary's normal. So the way is turned to the
    normal where it meets the boundary: what fools at the old distance has a boundary nearer. Where
    that fails, by half as much the next time.
    """
    way, distance = _crossing(net, x, far - x, labels, COARSE)
    turn = torch.ones_like(distance)
    for _ in range(TURNS):
        normal = _unit(_normal(net, x + like(distance, x) * way, labels))
        turned = _unit(way + like(turn, x) * (normal - way))
        rows = wrong(net, x + like(distance, x) * turned, labels).nonzero()[:, 0]
        turn = turn / 2
        if len(rows):
            turn[rows] *= 2
            there = turned[rows] * like(distance[rows], x)
            way[rows], distance[rows] = _crossing(net, x[rows], there, labels[rows], COARSE)
    return _crossing(net, x, like(distance, x) * way, labels, FINE)[1]


def _crossing(
    net: nn.Module, x: Tensor, step: Tensor, labels: Tensor, halvings: int
) -> tuple[Tensor, Tensor]:
    """Where the answer changes on the ``step`` to what fools: direction, and how far at most."""
    low, high = torch.zeros(2, len(x)).to(x)
    high += 1
    for _ in range(halvings):
        middle = (low + high) / 2
        fooled = wrong(net, x + like(middle, x) * step, labels)
        low, high = torch.where(fooled, low, middle), torch.where(fooled, middle, high)
    return _unit(step), high * length(step).flatten()


def _unit(step: Tensor) -> Tensor:
    size = length(step)
    return step / torch.where(size > 0, size, 1)


def _to_boundary(net: nn.Module, x: Tensor, labels: Tensor) -> Tensor:
    """The step to the nearest hyperplane f_j = f_y of the network linearised at x.

    None longer than the diagonal of the box, for where f is nearly flat.
    """
    x = x.detach().requires_grad_()
    logits = net(x)
    gaps = logits - logits.gather(1, labels[:, None])
    slopes = torch.stack(
        [torch.autograd.grad(gap.sum(), x, retain_graph=True)[0] for gap in gaps.unbind(1)], 1
    )
    size = slopes.flatten(2).norm(dim=2)
    away = gaps.detach().abs() / size
    nearest = away.masked_fill(~(size > 0), math.inf).argmin(1)  # the label's own has size 0
    rows = torch.arange(len(x), device=x.device)
    w, size, away = slopes[rows, nearest], size[rows, nearest], away[rows, nearest]
    most = math.sqrt(x[0].numel())
    return w * like(torch.where(size > 0, away.clamp(max=most) / size, 0), x)


def _normal(net: nn.Module, x: Tensor, labels: Tensor) -> Tensor:
    """∇(max_{j≠y} f_j - f_y): at a boundary point, what stands on the boundary."""
    x = x.detach().requires_grad_()
    return torch.autograd.grad(margin(net(x), labels).sum(), x)[0]
