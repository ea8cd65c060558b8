"""Transforms T: what a picture must survive. Drawn anew for each image at every step.

A transform is a callable ``T(x, streams) -> x'`` on (N, C, H, W). Shifts, zooms, turns and crops
that follow each other are composed into one affine map and interpolate the picture only once.
"""

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from actmax_lib import checks
from actmax_lib.streams import Streams

Transform = Callable[[Tensor, Streams], Tensor]
Size = tuple[int, int]


class Affine:
    """Maps each output pixel to an input point, in pixels from the middle of the picture.

    draw(streams, size) gives matrices (N, 3, 3), on columns (x, y, 1), or one (1, 3, 3) where all
    images move alike, and the output size.
    """

    def __init__(self, draw: Callable[[Streams, Size], tuple[Tensor, Size]]) -> None:
        self.draw = draw

    def __call__(self, x: Tensor, streams: Streams) -> Tensor:
        return _resample(x, *self.draw(streams, _size(x)))


def _size(x: Tensor) -> Size:
    if x.ndim != 4:
        raise ValueError(f"a transform needs images (N, C, H, W), got {tuple(x.shape)}")
    return x.shape[2], x.shape[3]


def _resample(x: Tensor, matrices: Tensor, size: Size) -> Tensor:
    """Bilinear values of x at the points of the map; beyond the edge the picture is mirrored."""
    n, channels, (height, width) = len(x), x.shape[1], size
    if len(matrices) == 1 and x.device.type == "cpu":
        # the points are the same: find them once for the colours of many pictures. Threads take
        # whole pictures (N, ...), so leave them one each.
        groups = math.gcd(n, torch.get_num_threads())
        x = x.reshape(groups, -1, *x.shape[2:])
    matrices = matrices.expand(len(x), 3, 3)
    # affine_grid counts in half pictures; Python numbers only, a tensor made here stalls a GPU
    rows = [matrices[:, 0] * (2 / x.shape[3]), matrices[:, 1] * (2 / x.shape[2])]
    across, down, shift = torch.stack(rows, 1).unbind(2)
    theta = torch.stack([across * (width / 2), down * (height / 2), shift], 2)
    grid = F.affine_grid(theta, [len(x), x.shape[1], height, width], align_corners=False)
    out = F.grid_sample(x, grid, padding_mode="reflection", align_corners=False)
    return out.reshape(n, channels, height, width)


def _matrices(streams: Streams, rows: Sequence[Sequence[Tensor | float]]) -> Tensor:
    """Stack entries, numbers or (N,) tensors, to matrices (N, 3, 3) with last row (0, 0, 1); to
    one (1, 3, 3) where the images share a stream."""
    n = 1 if len(set(streams.seeds)) == 1 else len(streams)
    zero = torch.zeros(n, device=streams.device, dtype=streams.dtype)
    entries = [
        zero + (entry[:n] if isinstance(entry, Tensor) else entry)
        for row in [*rows, (0.0, 0.0, 1.0)]
        for entry in row
    ]
    return torch.stack(entries, dim=1).reshape(-1, 3, 3)


def jitter(pixels: int) -> Affine:
    """A shift by whole pixels, uniform on -pixels ... pixels in each direction."""
    d = checks.count("pixels", pixels, at_least=0)

    def draw(streams: Streams, size: Size) -> tuple[Tensor, Size]:
        t = (streams.uniform(2) * (2 * d + 1)).floor() - d
        return _matrices(streams, [(1.0, 0.0, t[:, 0]), (0.0, 1.0, t[:, 1])]), size

    return Affine(draw)


def scale(low: float, high: float) -> Affine:
    """A zoom about the middle by a factor uniform on [low, high]; above 1 enlarges."""
    low = checks.real("low", low, above=0)
    high = checks.real("high", high, above=0)
    if high < low:
        raise ValueError(f"high must be at least low={low:g}, got {high:g}")

    def draw(streams: Streams, size: Size) -> tuple[Tensor, Size]:
        s = 1 / (low + (high - low) * streams.uniform(1)[:, 0])
        return _matrices(streams, [(s, 0.0, 0.0), (0.0, s, 0.0)]), size

    return Affine(draw)


def rotate(degrees: float) -> Affine:
    """A turn about the middle by an angle uniform on [-degrees, degrees]."""
    most = math.radians(checks.real("degrees", degrees))

    def draw(streams: Streams, size: Size) -> tuple[Tensor, Size]:
        angle = most * (2 * streams.uniform(1)[:, 0] - 1)
        c, s = angle.cos(), angle.sin()
        return _matrices(streams, [(c, s, 0.0), (-s, c, 0.0)]), size

    return Affine(draw)


def crop(size: int | Sequence[int]) -> Affine:
    """A window of ``size`` at a place uniform among the whole-pixel ones; no larger than x."""
    out = checks.image_size(size)

    def draw(streams: Streams, size: Size) -> tuple[Tensor, Size]:
        spare = [size[1] - out[1], size[0] - out[0]]
        if min(spare) < 0:
            raise ValueError(f"crop size {out} is larger than the picture {size}")
        u = streams.uniform(2)
        tx, ty = ((u[:, k] * (room + 1)).floor() - room / 2 for k, room in enumerate(spare))
        return _matrices(streams, [(1.0, 0.0, tx), (0.0, 1.0, ty)]), out

    return Affine(draw)


def noise(sd: float) -> Transform:
    """Add independent Gaussian noise of standard deviation ``sd`` to every pixel."""
    sd = checks.real("sd", sd)
    if sd < 0:
        raise ValueError(f"sd must be at least 0, got {sd}")
    return lambda x, streams: x + sd * streams.normal(*x.shape[1:])


def compose(*transforms: Transform) -> Transform:
    """The transforms one after the other; neighbouring affine ones resample only once."""
    for transform in transforms:
        if not callable(transform):
            raise TypeError(f"a transform must be callable as T(x, streams), got {transform!r}")
        if transform in FACTORIES:
            raise TypeError(f"give {transform.__name__}(...), not the function itself")

    def composed(x: Tensor, streams: Streams) -> Tensor:
        pending: Tensor | None = None
        size = _size(x)
        for transform in transforms:
            if isinstance(transform, Affine):
                matrices, size = transform.draw(streams, size)
                pending = matrices if pending is None else pending @ matrices
                continue
            if pending is not None:
                x, pending = _resample(x, pending, size), None
            x = transform(x, streams)
            size = _size(x)
        return x if pending is None else _resample(x, pending, size)

    return composed


def robust() -> Transform:
    """The default stack, in the spirit of Olah et al. 2017: shift, zoom, turn, a little noise."""
    return compose(jitter(24), scale(0.8, 1.2), rotate(15), noise(0.01))


FACTORIES = (jitter, scale, rotate, crop, noise, compose, robust)  # a forgotten call is common
