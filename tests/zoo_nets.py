"""Networks of the zoo, loaded once a test run, and pictures for them."""

import functools

import torch
from skimage import data

from actmax_lib import zoo

ESPRESSO, CATS = 967, {281, 282, 285}


@functools.cache
def network(name="efficientnet-lite0", **options):
    return zoo.load(name, device="cpu", **options)


def noise_images(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def photograph(name):
    """The middle square of a scikit-image photograph, (1, 3, s, s) in [0, 1]."""
    image = torch.from_numpy(getattr(data, name)()).permute(2, 0, 1)[None].float() / 255
    height, width = image.shape[2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return image[..., top : top + side, left : left + side]


def difference(a, b):
    return (a - b).abs().max().item()
