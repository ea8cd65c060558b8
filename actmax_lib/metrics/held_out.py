"""Does a picture please only what it was made with? Transforms and networks never climbed."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actmax_lib import checks, zoo
from actmax_lib.streams import Streams
from actmax_lib.terms import Objective
from actmax_lib.transforms import Transform

AT_ONCE = 25  # pictures a forward pass of a judge


def unseen() -> Transform:
    """A transform to hold out: nothing of it is in ``robust()``.

    A mirror image or not, with equal chances; contrast about mid-grey times a factor uniform on
    [0.7, 1.3], cut to [0, 1]; and half of the resolution (antialiased), enlarged again.
    """

    def transform(x: Tensor, streams: Streams) -> Tensor:
        u = streams.uniform(2)[:, :, None, None, None]
        x = torch.where(u[:, 0] < 0.5, x.flip(3), x)
        x = (0.5 + (0.7 + 0.6 * u[:, 1]) * (x - 0.5)).clamp(0, 1)
        half = [-(-n // 2) for n in x.shape[2:]]
        small = F.interpolate(x, half, mode="bilinear", antialias=True)
        return F.interpolate(small, x.shape[2:], mode="bilinear")

    return transform


def held_out_value(
    objective: Objective, images: Tensor, transform: Transform, *, draws: int = 8, seed: int = 0
) -> Tensor:
    """E_T[f(T(x))] under a T that the climb did not use, estimated by ``draws``: (N,).

    images: (N, C, H, W). Give a transform of another kind than the climb's, such as ``unseen()``:
    new draws of the same kind only test luck. A picture whose value lives in one exact grid falls.
    Every picture meets the same draws of its own stream ``seed``, so recipes compare fairly.
    In the chapter *measured-pictures*: (eq:measured:held-out)
    """
    if not isinstance(objective, Objective):
        raise TypeError(f"objective must be an Objective (see function()), got {objective!r}")
    images = checks.real_tensor("images", images)
    draws = checks.count("draws", draws)
    streams = Streams([seed] * len(images), images.device, images.dtype)
    with torch.no_grad():
        values = [objective(transform(images, streams)) for _ in range(draws)]
    return torch.stack(values).mean(0)


@dataclass(frozen=True)
class Transfer:
    """What a network that did not make the pictures says of each, (N,).

    top1, top5: is the wanted class its likeliest, among its five likeliest (a tie counts as no);
    probability: of the wanted class, in [0, 1].
    """

    top1: Tensor
    top5: Tensor
    probability: Tensor


def transfer(net: nn.Module, images: Tensor, labels: Any) -> Transfer:
    """What ``net`` says of pictures made with another network (chapter *measured-pictures*).

    images: (N, C, H, W) in [0, 1], resized to ``net.input_size`` as `zoo.probabilities` does;
    labels: the wanted class of each. Raises ValueError for a label that is no class of ``net``.
    """
    labels, _ = checks.indices("label", labels)
    if len(labels) != len(images):
        raise ValueError(f"got {len(images)} images and {len(labels)} labels; give as many of each")
    p = torch.cat([zoo.probabilities(net, some) for some in images.split(AT_ONCE)])
    checks.in_range("label", labels, p.shape[1], f"the network has {p.shape[1]}")
    wanted = p.gather(1, torch.tensor(labels, device=p.device)[:, None])
    rivals = (~(p < wanted)).sum(1) - 1  # NaN is no agreement
    return Transfer(rivals < 1, rivals < 5, wanted[:, 0])
