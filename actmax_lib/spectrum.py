"""How strong each wave is in a set of pictures, and how far a picture is from that.

Frequencies are in cycles a pixel, at most √½, and pictures are taken as periodic.
"""

from typing import Any

import torch
from torch import Tensor

from actmax_lib import checks
from actmax_lib.colors import color_matrix, unmixed


def _spectrum(images: Any, decorrelate: Any) -> Tensor:
    """The full discrete Fourier transform (N, C, H, W) of pictures, in float64."""
    images = checks.real_tensor("images", images).double()
    if images.ndim != 4:
        raise ValueError(f"images must have shape (N, C, H, W), got {tuple(images.shape)}")
    axes = color_matrix(decorrelate, images.shape[1])
    return torch.fft.fft2(unmixed(axes, images))


def mean_magnitude(images: Any, *, decorrelate: bool | Tensor | None = None) -> Tensor:
    """How strong each wave is in a set of pictures, for ``maco``: (C, H, W) in float64.

    images: (N, C, H, W) floats in [0, 1]. The mean over the N pictures of |x̂(ω)|; at ω = 0, where
    the phase is known, the mean of x̂(0) itself. decorrelate: of the colour coordinates of COLOR
    instead of red, green and blue, or of a matrix (C, C) from ``color_axes``; when None, for 3
    channels yes, else no.
    """
    images = checks.real_tensor("images", images)
    total = 0.0
    for some in images.split(512):
        waves = _spectrum(some, decorrelate)
        size = waves.abs()
        size[..., 0, 0] = waves[..., 0, 0].real
        total = total + size.sum(0)
    return total / len(images)


def magnitude_error(
    images: Any, magnitude: Any, *, decorrelate: bool | Tensor | None = None
) -> Tensor:
    """How far pictures are from a magnitude: (N,), in nats.

    The root mean square, over channels and waves other than the mean, of log|x̂(ω)| - log r(ω), for
    r = magnitude (C, H, W) > 0; 0.5 nats is a typical factor of 1.6. decorrelate: as in
    ``mean_magnitude``. Raises ValueError where the shapes differ.
    """
    images, r = checks.real_tensor("images", images), as_magnitude(magnitude)
    if images.shape[1:] != r.shape:
        raise ValueError(
            f"images have shape {tuple(images.shape)}, magnitude {tuple(r.shape)}; "
            "take the mean magnitude of pictures of the same size"
        )
    tiny = torch.finfo(torch.float64).tiny
    waves = _spectrum(images, decorrelate).abs().clamp(min=tiny)
    off = waves.log() - r.abs().clamp(min=tiny).to(waves.device).log()
    return off.flatten(2)[:, :, 1:].square().mean((1, 2)).sqrt()


def as_magnitude(value: Any) -> Tensor:
    """``value`` as a magnitude (C, H, W): symmetric, and not negative but for the mean."""
    r = checks.real_tensor("magnitude", value).double()
    r = r[None] if r.ndim == 2 else r
    if r.ndim != 3:
        raise ValueError(f"magnitude must have shape (C, H, W) or (H, W), got {tuple(r.shape)}")
    if bool((r.flatten(1)[:, 1:] < 0).any()):
        raise ValueError("magnitude has negative entries; give |x̂|, as mean_magnitude does")
    mirrored = r.flip(1, 2).roll((1, 1), (1, 2))
    if not torch.allclose(r, mirrored, rtol=1e-4, atol=1e-6 * float(r.abs().max())):
        raise ValueError(
            "magnitude differs at ω and -ω, which no real picture's does; give the full plane of "
            "torch.fft.fft2, with frequency 0 first"
        )
    return r
