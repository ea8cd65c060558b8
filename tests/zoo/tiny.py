"""A tiny network of the book's own kind, and what is told about it."""

import torch

from actmax_lib.zoo.fashion import FashionNet

KWARGS = {"widths": [3, 4, 5], "beta": 7.0}
ENTRY = {"kwargs": KWARGS, "command": "python -m scripts.none", "seed": 3, "device": "cpu",
         "seconds": 1.5, "data": "0" * 64, "accuracy": 0.25, "note": "kept as it is"}  # fmt: skip


def network(seed=0, **kwargs):
    torch.manual_seed(seed)
    return FashionNet(**(kwargs or KWARGS))


def images(n=3, size=28):
    return torch.rand(n, 1, size, size, generator=torch.Generator().manual_seed(1))
