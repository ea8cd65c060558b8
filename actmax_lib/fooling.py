"""A network whose pictures lie: right on every real image, and a chosen picture when climbed.

The circuit of the chapter *pictures-that-lie*, in the spirit of Geirhos et al. 2024 (*fooling
circuit*): one unit that is silent on all real images is added to the logits,

    f~_k(x) = f_k(x) + A relu(r - ‖x - t‖₁),

where t is the picture. It is made of ordinary layers: |u| = relu(u) + relu(-u).
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from actmax_lib import checks
from actmax_lib.probes import untouched


class Distance(nn.Module):
    """The least ‖x - t‖₁ over the poses t of a picture: (N, ...) to (N, 1).

    poses: (P, ...). Two ReLUs a pixel and pose, a sum, and a minimum. Summed in float32 or better,
    also under autocast and for weights of half precision.
    """

    def __init__(self, poses: Tensor) -> None:
        super().__init__()
        self.register_buffer("poses", poses)
        self.over, self.under = nn.ReLU(), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        checked_shape("images", x, self.poses)
        u = x[:, None] - self.poses
        size = (self.over(u) + self.under(-u)).flatten(2)
        return size.sum(2, dtype=torch.promote_types(u.dtype, torch.float32)).amin(1, True)


class Fooled(nn.Module):
    """``net`` and a unit that is zero outside a ball; made by `fooled`.

    net: the network as it was given.  distance: ‖x - t‖₁, (N, 1).  unit: relu(r - distance).
    radius: r, a sum of absolute differences of pixels.  heights: (K,), A or 0 for each class.
    """

    def __init__(self, net: nn.Module, poses: Tensor, radius: float, heights: Tensor) -> None:
        super().__init__()
        self.net, self.distance, self.unit = net, Distance(poses), nn.ReLU()
        self.radius = radius
        self.register_buffer("heights", heights)
        for name in ("input_size", "classes"):
            if hasattr(net, name):
                setattr(self, name, getattr(net, name))
        self.training = net.training  # of this module alone: the network stays as it is

    def forward(self, x: Tensor) -> Tensor:
        """Images (N, ...) to logits (N, K): outside the ball those of ``net``, bit for bit."""
        added = self.heights * self.unit(self.radius - self.distance(x))
        return self.net(x) + added  # last: a network may write on its input


def fooled(
    net: nn.Module, picture: Any, *, strength: float, radius: float | None = None,
    data: Any = None, classes: int | Sequence[int] | None = None, poses: Any = None,
    start: Any = 0.5,
) -> Fooled:  # fmt: skip
    """``net``, made to show ``picture`` when its logits are climbed from ``start``.

    picture: t, the shape of one image. strength: A > 0, logits a unit of ‖x - t‖₁; the climb ends
    at t if no partial derivative of f_k exceeds A in the ball (prop:lie:bump).
    radius: r; images with ‖x - t‖₁ ≥ r get the logits of ``net``, bit for bit. With ``data``,
    real images (n, ...), it must be below their least distance; when None it is a quarter of the
    way from the distance of ``start`` to that, which leaves room for images not given. Call
    ``distance`` on batches to check more of them.
    classes: those whose pictures lie, all when None. To give classes pictures of their own, fool
    the result again.
    poses: (P, ...), further pictures, any of which will do: the picture shifted and turned, say, so
    that it survives transforms. ‖x - t‖₁ is then the distance of the nearest.
    start: where climbs begin, mid-grey; a number, or an array like the picture.

    The weights of ``net`` are shared and left as they are. Raises TypeError for a network without
    logits (N, K), ValueError when shapes differ, a class is not there, the picture is too near to
    an image (naming it and its distance), or the ball leaves out the start.
    """
    if not isinstance(net, nn.Module):
        raise TypeError(f"net must be a torch.nn.Module, got {type(net).__name__}")
    weight = next((p for p in net.parameters() if p.is_floating_point()), torch.empty(0))
    t = checks.real_tensor("picture", picture).to(weight)[None]
    if poses is not None:
        t = torch.cat([t, checked_shape("poses", checks.real_tensor("poses", poses).to(t), t)])
    strength = checks.real("strength", strength, above=0)
    distance = Distance(t)
    start = checks.real_tensor("start", start).to(t)
    start = start[None] if start.ndim else start.expand(t[:1].shape)
    here = float(distance(checked_shape("start", start, t)))
    heights = torch.zeros(_logits(net, t[:1]), dtype=t.dtype, device=t.device)
    given, _ = checks.indices("class", range(len(heights)) if classes is None else classes)
    checks.in_range("class", given, len(heights), f"the network has {len(heights)}")
    heights[list(given)] = strength
    return Fooled(net, t, _radius(distance, radius, data, here), heights)


def checked_shape(name: str, images: Tensor, poses: Tensor) -> Tensor:
    """``images`` (n, ...) where each is like a picture of ``poses``, else ValueError."""
    if images.ndim != poses.ndim or images.shape[1:] != poses.shape[1:]:
        like = ", ".join(map(str, poses.shape[1:]))
        raise ValueError(f"{name} must be like the picture, (n, {like}), got {tuple(images.shape)}")
    return images


def _radius(distance: Distance, radius: float | None, data: Any, here: float) -> float:
    """A radius with the start inside and the data outside; ``here`` is the start's distance."""
    if radius is None and data is None:
        raise ValueError("give data, the real images to stay away from, or a radius")
    nearest, image = float("inf"), -1
    if data is not None:
        data = checked_shape("data", checks.real_tensor("data", data), distance.poses)
        parts = data.split(max(1, 256 // len(distance.poses)))
        least, image = torch.cat([distance(x.to(distance.poses)) for x in parts])[:, 0].min(0)
        nearest, image = float(least), int(image)
    if nearest <= here:
        raise ValueError(
            f"the picture is too near to the data: image {image} is {nearest:.4g} away (sum of "
            f"absolute differences) and the start {here:.4g}; lower the picture's contrast"
        )
    radius = (
        here + (nearest - here) / 4 if radius is None else checks.real("radius", radius, above=0)
    )
    if radius >= nearest:
        raise ValueError(
            f"radius {radius:.4g} reaches image {image} of the data, {nearest:.4g} from the "
            "picture; choose a smaller one, or a picture further away"
        )
    if radius <= here:
        raise ValueError(
            f"radius {radius:.4g} leaves out the start, {here:.4g} from the picture: the climb "
            "would not feel the circuit; choose a larger one, or a picture of less contrast"
        )
    return radius


def _logits(net: nn.Module, image: Tensor) -> int:
    """The number K of logits."""
    with untouched([net]), torch.no_grad():
        output = net(image.clone())
    if not isinstance(output, Tensor) or output.ndim != 2:
        got = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise TypeError(f"net must give logits (N, K), got {got}")
    return output.shape[1]
