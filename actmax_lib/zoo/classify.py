"""What a network says about images: normalization, probabilities, names."""

from collections.abc import Sequence
from contextlib import contextmanager
from functools import cache
from importlib.resources import files

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from actmax_lib.checks import count, real_tensor


class Normalized(nn.Module):
    """``net`` behind its input normalization; its layers are named ``net.<layer>``."""

    def __init__(self, net: nn.Module, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.net = net
        self.register_buffer("mean", mean[:, None, None])
        self.register_buffer("std", std[:, None, None])
        for name in ("input_size", "classes"):
            if hasattr(net, name):
                setattr(self, name, getattr(net, name))
        self.train(net.training)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W) in [0, 1] to whatever ``net`` makes of (images - mean) / std."""
        if images.ndim != 4 or images.shape[1] != len(self.mean):
            raise ValueError(
                f"images must have shape (N, {len(self.mean)}, H, W), one channel for each number "
                f"of the normalization's mean; got {tuple(images.shape)}"
            )
        return self.net((images - self.mean) / self.std)


def normalized(net: nn.Module, mean: Sequence[float], std: Sequence[float]) -> Normalized:
    """Your network with its normalization inside, so that it takes images in [0, 1].

    mean, std: one number a colour channel, in units of an image in [0, 1]; std > 0. ``net`` itself
    is not changed. A layer ``name`` of ``net`` is called ``net.name`` in the result.

    Raises ValueError when mean and std differ in length, are not finite, or std is not positive.
    """
    if not isinstance(net, nn.Module):
        raise TypeError(f"net must be a torch.nn.Module, got {type(net).__name__}")
    mean, std = (_per_channel(name, value) for name, value in (("mean", mean), ("std", std)))
    if len(mean) != len(std):
        raise ValueError(
            f"mean has {len(mean)} numbers and std {len(std)}; give each channel one of both"
        )
    if bool((std <= 0).any()):
        raise ValueError(f"std must be positive in every channel, got {std.tolist()}")
    like = next((p for p in net.parameters() if p.is_floating_point()), torch.empty(0))
    return Normalized(net, mean.to(like), std.to(like))


def _per_channel(name: str, value: Sequence[float]) -> Tensor:
    tensor = real_tensor(name, value)
    if tensor.ndim != 1:
        raise ValueError(
            f"{name} must be a list of one number a channel, got shape {tuple(tensor.shape)}"
        )
    return tensor


@cache
def class_names() -> tuple[str, ...]:
    """The 1000 ImageNet class names in order; source and licence: ``imagenet_classes.json``."""
    text = files("actmax_lib.zoo").joinpath("imagenet_classes.txt").read_text(encoding="utf-8")
    return tuple(text.splitlines())


@torch.no_grad()
def probabilities(net: nn.Module, images: Tensor) -> Tensor:
    """Softmax of the logits: images (N, C, H, W) in [0, 1] to (N, K), rows sum to 1.

    Where ``net`` has an ``input_size`` the images are first resized to it (bilinear, antialiased;
    what is not square is squeezed). The network is run in evaluation mode and left as it was.

    Raises TypeError for integer images, ValueError for another shape, NaN, values outside [0, 1].
    """
    images = _checked(images)
    weight = next(net.parameters(), images)
    images = images.to(weight)
    size = getattr(net, "input_size", None)
    if size is not None and images.shape[-2:] != (size, size):
        images = F.interpolate(images, (size, size), mode="bilinear", antialias=True)
    with _evaluation(net):
        return net(images).softmax(dim=1)


def top(net: nn.Module, images: Tensor, k: int = 3) -> list[list[tuple[int, str, float]]]:
    """For each image the ``k`` likeliest classes, likeliest first, as (index, name, probability).

    Names are ``net.classes``, else ImageNet's when there are 1000 classes, else the index as text.
    """
    p = probabilities(net, images)
    if count("k", k) > p.shape[1]:
        raise ValueError(f"k must be at most the number of classes, {p.shape[1]}, got {k}")
    p, indices = p.topk(k, dim=1)
    names = getattr(net, "classes", None) or (class_names() if p.shape[1] == 1000 else None)
    return [
        [(i, names[i] if names else str(i), q) for i, q in zip(row, ps, strict=True)]
        for row, ps in zip(indices.tolist(), p.tolist(), strict=True)
    ]


def _checked(images: Tensor) -> Tensor:
    images = real_tensor("images", images)
    if images.ndim != 4:
        raise ValueError(
            f"images must have shape (N, C, H, W), got {tuple(images.shape)}; "
            "a single image (C, H, W) becomes a batch with image[None]"
        )
    low, high = images.min().item(), images.max().item()
    slack = 1e-4  # rounding of a sigmoid or of a resize
    if low < -slack or high > 1 + slack:
        raise ValueError(
            f"images must be in [0, 1], got values from {low:g} to {high:g}; divide bytes by 255"
        )
    return images


@contextmanager
def _evaluation(net: nn.Module):
    flags = [(module, module.training) for module in net.modules()]
    net.eval()
    try:
        yield
    finally:
        for module, flag in flags:
            module.training = flag
