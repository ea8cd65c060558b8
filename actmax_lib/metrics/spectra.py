"""How strong the waves of each length are in a picture, and how far that is from photographs."""

import math

import torch
from torch import Tensor

from actmax_lib import checks
from actmax_lib.images import half_plane

EDGES = torch.logspace(-5, -1, 9, base=2, dtype=torch.float64)  # half octaves, cycles a pixel
FLOOR = 1 / (12 * 255**2)  # power of rounding to bytes: no picture shows less


def luminance(images: Tensor) -> Tensor:
    """Brightness (N, H, W) of pictures (N, C, H, W): .2126 R + .7152 G + .0722 B as displayed.

    The weights are those of Rec. 709, applied to the values shown, without undoing their gamma;
    grey pictures, C = 1, are their own luminance.
    """
    images = checks.real_tensor("images", images).double()
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise ValueError(f"images must have shape (N, 1 or 3, H, W), got {tuple(images.shape)}")
    if images.shape[1] == 1:
        return images[:, 0]
    weights = images.new_tensor([0.2126, 0.7152, 0.0722])
    return torch.einsum("c,nchw->nhw", weights, images)


def radial_spectrum(images: Tensor) -> tuple[Tensor, Tensor]:
    """Log power of the luminance in eight rings of half an octave: ((8,), (N, 8)), float64.

    First the rings' middle frequencies, from 1/32 to 1/2 cycles a pixel. Then the logarithm of the
    mean of |ŷ(ω)|²/HW over each ring, where y is the luminance less its mean, under a Hann window
    of mean square 1, since pictures are not periodic. White noise of variance v has log v in every
    ring, whatever the size. What is less than the power of rounding to bytes counts as that.
    Raises ValueError for pictures with no wave in a ring (smaller than about 28 pixels).
    """
    y = luminance(images)
    size = y.shape[1:]
    rows, columns = (
        torch.hann_window(n, dtype=y.dtype, device=y.device) * math.sqrt(8 / 3) for n in size
    )
    window = rows[:, None] * columns
    mean = (window * y).sum((1, 2), keepdim=True) / window.sum()
    power = torch.fft.rfft2(window * (y - mean)).abs().square() / y[0].numel()
    frequency = half_plane(tuple(size)).to(y.device)
    # the half plane holds a wave for ±ω, but both of them where its columns are their own mirror
    twice = torch.full_like(frequency, 2.0)
    twice[:, 0] = 1
    if size[1] % 2 == 0:
        twice[:, -1] = 1
    edges = EDGES.to(y.device) * (1 + 1e-9)  # 1/2 itself is in the last ring
    ring = torch.bucketize(frequency, edges)
    bands = []
    for k in range(1, len(EDGES)):
        inside = (ring == k) * twice
        if not bool(inside.any()):
            raise ValueError(
                f"images of {tuple(size)} have no wave between {EDGES[k - 1]:.3f} and "
                f"{EDGES[k]:.3f} cycles a pixel; give pictures of at least 28 by 28"
            )
        bands.append((power * inside).sum((1, 2)) / inside.sum())
    middle = (EDGES[1:] * EDGES[:-1]).sqrt()
    return middle, torch.stack(bands, 1).clamp(min=FLOOR).log()


def spectrum_distance(images: Tensor, photographs: Tensor) -> Tensor:
    """How far the spectrum of each picture is from that of photographs: (N,), in nats.

    The root mean square over the rings of `radial_spectrum` of the difference to the photographs'
    mean log power; 1 nat is a factor of e in power in a typical ring. Brightness does not
    count, contrast does. Sizes may differ: a frequency is in cycles a pixel and a power is a
    density. Phases do not count at all, so the distance is easily gamed: ``maco`` does.
    In the chapter *measured-pictures*: (eq:measured:spectrum)
    """
    _, power = radial_spectrum(images)
    _, natural = radial_spectrum(photographs)
    return (power - natural.mean(0).to(power.device)).square().mean(1).sqrt()
