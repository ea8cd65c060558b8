"""Colour axes: the coordinates in which the colours of pictures vary independently."""

from typing import Any

import torch
from torch import Tensor

from actmax_lib import checks

# Colour convention: rgb = COLOR @ y. The columns are the axes along which the colours of ImageNet
# vary independently (brightness, red to blue, green to purple), each as long as its standard
# deviation, all divided by the longest (values of Olah et al. 2017, as in Lucid).
COLOR = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
COLOR = COLOR / COLOR.norm(dim=0).max()


def color_axes(images: Any) -> Tensor:
    """The colour axes of your own pictures, for ``decorrelate=``: (C, C) in float64, on the CPU.

    images: (N, C, H, W) floats. The columns are the principal axes of the C x C covariance of all
    pixels, orthogonal, each as long as its standard deviation, all divided by the longest: longest
    first, the first entry (red) positive. This is the convention of COLOR, whose axes are those of
    ImageNet (Olah et al. 2017). Raises ValueError where the colours do not span all C channels.
    """
    images = checks.real_tensor("images", images)
    if images.ndim != 4:
        raise ValueError(f"images must have shape (N, C, H, W), got {tuple(images.shape)}")
    channels = images.shape[1]
    mean = images.mean((0, 2, 3), dtype=torch.float64)
    covariance = torch.zeros(channels, channels, dtype=torch.float64, device=images.device)
    for some in images.split(512):  # centred first: uncentred moments lose small variances
        pixels = some.double().transpose(0, 1).flatten(1) - mean[:, None]
        covariance += pixels @ pixels.mT
    variances, axes = torch.linalg.eigh(covariance.cpu())
    if not float(variances[0]) > 1e-9 * float(variances[-1]):
        raise ValueError(
            f"the colours of images do not span {channels} channels (all grey?); give pictures of "
            "more colours, or leave the axes as they are"
        )
    axes = axes.flip(1) * torch.where(axes.flip(1)[:1] < 0, -1.0, 1.0)
    return axes * (variances.flip(0) / variances[-1]).sqrt()


def color_matrix(decorrelate: Any, channels: int) -> Tensor | None:
    """The matrix M of rgb = M y that ``decorrelate`` asks for; None for no mixing.

    decorrelate: a bool, None (COLOR where there are 3 channels), or a matrix (C, C).
    """
    if decorrelate is None:
        decorrelate = channels == 3
    if isinstance(decorrelate, bool):
        if decorrelate and channels != 3:
            raise ValueError(
                f"decorrelate is for 3 colours, got channels={channels}; set it False or give a "
                "matrix, as color_axes makes them"
            )
        return COLOR if decorrelate else None
    matrix = checks.real_tensor("decorrelate", decorrelate)
    if matrix.shape != (channels, channels):
        raise ValueError(
            f"decorrelate must be a bool or a matrix ({channels}, {channels}) such as "
            f"color_axes(images), got shape {tuple(matrix.shape)}"
        )
    matrix = matrix.cpu()
    if not float(torch.linalg.cond(matrix.double())) < 1e6:
        raise ValueError("decorrelate is singular; its columns must span all colours")
    return matrix


def mixed(matrix: Tensor, y: Tensor) -> Tensor:
    """M y at every pixel of (N, C, H, W)."""
    return (matrix @ y.flatten(2)).reshape(y.shape)  # the bits of einsum, in half its time


def unmixed(matrix: Tensor | None, x: Tensor) -> Tensor:
    """M⁻¹ x at every pixel of (N, C, H, W), in float64; x where M is None."""
    x = x.double()
    return x if matrix is None else mixed(torch.linalg.inv(matrix.double()).to(x.device), x)
