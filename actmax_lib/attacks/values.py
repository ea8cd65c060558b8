"""What an attack climbs, and what it must be given."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actmax_lib import checks
from actmax_lib.probes import untouched

VALUES = ("cross_entropy", "margin")


def loss_of(net: nn.Module, labels: Tensor, value: str = "cross_entropy", targeted: bool = False):
    """x (N, ...) -> (N,): what an attack climbs.

    "cross_entropy": -log p(y|x). "margin": max_{j≠y} f_j - f_y, which does not saturate where p
    rounds to 1. Targeted ones are climbed with the other sign.
    """
    if value not in VALUES:
        raise ValueError(f"value must be one of {', '.join(VALUES)}, got {value!r}")
    sign = -1 if targeted else 1

    def height(x: Tensor) -> Tensor:
        logits = net(x)
        if value == "margin":
            return sign * margin(logits, labels)
        return sign * F.cross_entropy(logits, labels, reduction="none")

    return height


def margin(logits: Tensor, labels: Tensor) -> Tensor:
    """max_{j≠y} f_j - f_y, (N,): above 0 where the answer is wrong."""
    own = F.one_hot(labels, logits.shape[1]).bool()
    return logits.masked_fill(own, -math.inf).amax(1) - logits[own]


def margins(net: nn.Module, x: Tensor, labels: Tensor) -> Tensor:
    """`margin` of the network's answers, without a graph; ArithmeticError where one is NaN."""
    with torch.no_grad():
        found = margin(net(x), labels)
    if bool(found.isnan().any()):
        k = int(found.isnan().nonzero()[0])
        raise ArithmeticError(
            f"the network answers NaN to image {k} of the batch or to what an attack made of it; "
            "whether it was fooled cannot be told"
        )
    return found


def wrong(net: nn.Module, x: Tensor, labels: Tensor) -> Tensor:
    """(N,) bool: whether the answer is not the label; a tie of two answers is no right one."""
    return margins(net, x, labels) >= 0


def check_attacked(net: nn.Module, x: Tensor, labels: Tensor) -> None:
    """Raise unless x are images in [0, 1], labels fit, and the network is in evaluation mode."""
    if not isinstance(net, nn.Module):
        raise TypeError(f"net must be a torch.nn.Module, got {type(net).__name__}")
    if any(module.training for module in net.modules()):
        raise ValueError("the network is in training mode; call net.eval() before an attack")
    if not isinstance(x, Tensor) or not x.is_floating_point():
        got = getattr(x, "dtype", type(x).__name__)
        raise TypeError(
            f"images must be a floating-point tensor in [0, 1], got {got}; "
            "for 8-bit images: image.float() / 255"
        )
    if x.ndim < 2 or x.numel() == 0:
        raise ValueError(f"images must be (N, C, H, W) and at least one, got {tuple(x.shape)}")
    if not bool(((x >= 0) & (x <= 1)).all()):
        raise ValueError(
            f"images must be in [0, 1], got {float(x.min()):.4g} to {float(x.max()):.4g}; "
            "divide 8-bit images by 255"
        )
    if not isinstance(labels, Tensor) or labels.dtype != torch.int64:
        raise TypeError(f"labels must be an int64 tensor, got {getattr(labels, 'dtype', labels)}")
    if labels.shape != x.shape[:1]:
        raise ValueError(f"got {len(x)} images and labels of shape {tuple(labels.shape)}")
    with untouched([net]), torch.no_grad():
        logits = net(x[:1])
    if not isinstance(logits, Tensor) or logits.ndim != 2 or logits.shape[1] < 2:
        got = getattr(logits, "shape", type(logits).__name__)
        raise ValueError(f"the network must give logits (N, K) with K >= 2, got {got}")
    wrong = labels[(labels < 0) | (labels >= logits.shape[1])]
    if len(wrong):
        raise ValueError(
            f"label {int(wrong[0])} is out of range: there are {logits.shape[1]} logits: "
            f"0 to {logits.shape[1] - 1}"
        )


def seeds_of(seed: int | Sequence[int], n: int) -> list[int]:
    """One seed an image: those given, or ``seed``, ``seed + 1``, ..."""
    given, many = checks.indices("seed", seed)
    if many and len(given) != n:
        raise ValueError(f"got {n} images and {len(given)} seeds; give as many of each")
    return list(given) if many else [given[0] + k for k in range(n)]
