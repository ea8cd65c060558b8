"""What is done to the gradient of z before the optimizer sees it: ``maximize(precondition=...)``.

A preconditioner maps gradients (N, ...) to directions of the same shape. It changes the way up, not
the hill: where the gradient is zero, so is the direction.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from actmax_lib import checks
from actmax_lib._pictures import wave_scale
from actmax_lib.terms import placed

Preconditioner = Callable[[Tensor], Tensor]


def _sizes(gradient: Tensor) -> Tensor:
    """The norm of each image's gradient, shaped to divide it; never 0."""
    size = (
        gradient.reshape(len(gradient), -1).norm(dim=1).clamp(min=torch.finfo(gradient.dtype).tiny)
    )
    return size.reshape(-1, *[1] * (gradient.ndim - 1))


def unit() -> Preconditioner:
    """Each image's gradient divided by its norm (Engstrom et al. 2019); 0 stays 0."""
    return lambda gradient: gradient / _sizes(gradient)


def clip(most: float) -> Preconditioner:
    """Each image's gradient, shortened to the norm ``most`` > 0 where it is longer."""
    most = checks.real("most", most, above=0)
    return lambda gradient: gradient * (most / _sizes(gradient)).clamp(max=1)


def spectral(decay: float = 1.0) -> Preconditioner:
    """The gradient of pixels, with its wave ω multiplied by 1/(8 |ω|^(2 decay)).

    That is A Aᵀ, for y = A z the latent picture of ``fourier(decay=decay)`` (chapter
    *cnn-visualization*): plain gradient ascent on ``pixels`` with it draws the pictures of
    ``fourier`` from the same start; other optimizers do not. |ω| is in cycles a pixel and at least
    1/max(H, W). As in ``fourier`` the factor is half that for the waves whose horizontal frequency
    is 0 or ½, of which no mirror image is left out. Raises ValueError for z that is no picture.
    """
    decay = checks.real("decay", decay)
    made: dict[tuple[int, int], Callable[[Tensor], Tensor]] = {}

    def precondition(gradient: Tensor) -> Tensor:
        if gradient.ndim != 4:
            raise ValueError(
                f"spectral needs the gradient of pixels (N, C, H, W), got {tuple(gradient.shape)}"
            )
        size = gradient.shape[2], gradient.shape[3]
        if size not in made:
            factor = wave_scale(size, decay).square() / (size[0] * size[1])
            factor[:, 1 : (size[1] + 1) // 2] *= 2  # their mirror images are not stored
            made[size] = placed(factor)
        waves = torch.fft.rfft2(gradient) * made[size](gradient)
        return torch.fft.irfft2(waves, s=size)

    return precondition
