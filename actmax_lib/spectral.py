"""Pictures whose spectrum is held: blurred on the way, shared, or of a given magnitude.

Frequencies are in cycles a pixel, and pictures are taken as periodic, so that every wave keeps to
itself (chapter *regularization*).
"""

import math
from typing import Any

import torch
from torch import Tensor

from actmax_lib import checks
from actmax_lib._image import Around, Image, of_pictures
from actmax_lib._pictures import EDGE, Picture, half_plane
from actmax_lib.colors import mixed, unmixed
from actmax_lib.spectrum import as_magnitude
from actmax_lib.streams import Streams
from actmax_lib.terms import placed


class _Blurred(Around):
    def __init__(self, image: Image, sd: float, every: int) -> None:
        super().__init__(image)
        self.sd, self.every = sd, every
        self._step, self._kernels = 0, {}

    def start(self, streams: Streams) -> Tensor:
        self._step = 0
        return super().start(streams)

    def project(self, z: Tensor) -> None:
        self._step += 1
        if self._step % self.every == 0:
            if self.latents == "waves":
                z.mul_(self._transfer(self.image.size)(z)[..., None])
            else:
                size = z.shape[2], z.shape[3]
                waves = torch.fft.rfft2(z) * self._transfer(size)(z)
                z.copy_(torch.fft.irfft2(waves, s=size))
        self.image.project(z)

    def _transfer(self, size: tuple[int, int]):
        if size not in self._kernels:
            self._kernels[size] = placed((-2 * (math.pi * self.sd * half_plane(size)) ** 2).exp())
        return self._kernels[size]


def blurred(image: Image, sd: float, every: int = 1) -> Image:
    """``image``, whose latent picture is blurred after every step, or every ``every`` steps.

    A periodic Gaussian of standard deviation ``sd`` > 0 pixels: the wave ω is multiplied by
    exp(-2 π² sd² |ω|²), exactly. Gradient ascent with it climbs a penalty on high frequencies,
    the stronger the smaller the step (prop:regularization:blur), so give ``maximize`` a constant
    schedule. image: pixels, fourier, or a point of shape (N, C, H, W).
    Raises TypeError for an image whose latents are not a picture or its waves.
    """
    of_pictures("blurred", image)
    sd = checks.real("sd", sd, above=0)
    return _Blurred(image, sd, checks.count("every", every))


class _Shared(Around):
    def __init__(self, image: Image, cycles: float) -> None:
        super().__init__(image)
        self.cycles, self._low = cycles, {}

    def render(self, z: Tensor) -> Tensor:
        if self.latents == "waves":
            low = self._mask(self.size)(z)[..., None]
            return self.image.render(torch.where(low, z.mean(0, keepdim=True), z))
        size = z.shape[2], z.shape[3]
        others = z.mean(0, keepdim=True) - z
        return self.image.render(
            z + torch.fft.irfft2(torch.fft.rfft2(others) * self._mask(size)(z), s=size)
        )

    def _mask(self, size: tuple[int, int]):
        if size not in self._low:
            rows = torch.fft.fftfreq(size[0], 1 / size[0], dtype=torch.float64)[:, None]
            columns = torch.fft.rfftfreq(size[1], 1 / size[1], dtype=torch.float64)
            self._low[size] = placed(rows**2 + columns**2 < self.cycles**2)
        return self._low[size]


def shared(image: Image, cycles: float) -> Image:
    """``image``, of which all pictures of the batch have the same coarse waves (Lucid's *lowres*).

    Waves of fewer than ``cycles`` > 0 periods a picture, (u² + v²)^½ < cycles, are the mean over
    the batch of the latent pictures; at most 1 shares the mean colour alone. Plain gradient ascent
    moves them along the mean of the images' gradients. So pictures of several targets, or several
    frames of an interpolation, can be compared place by place. An exception to batch invariance:
    each picture depends on the others through these waves, and through nothing else.
    image: pixels, fourier, or a point of shape (N, C, H, W).
    Raises TypeError for an image whose latents are not a picture or its waves.
    """
    of_pictures("shared", image)
    return _Shared(image, checks.real("cycles", cycles, above=0))


class _Maco(Picture):
    lr = 0.5

    def __init__(self, r: Tensor, decorrelate: Any, bounded: bool, batch: int | None) -> None:
        channels, height, width = r.shape
        super().__init__(channels, (height, width), decorrelate, batch)
        self.bounded, half = bounded, width // 2 + 1
        # Real pictures have opposite phases at ω and -ω. The half plane of rfft2 holds both in its
        # first column (and last, where the width is even): there the upper half speaks for both.
        rows, columns = torch.meshgrid(torch.arange(height), torch.arange(half), indexing="ij")
        both = (columns == 0) | (2 * columns == width)
        lower = both & (2 * rows > height)
        source = torch.where(lower, -rows % height, rows) * half + columns
        sign = torch.where(lower, -1.0, 1.0).double()
        sign[0, 0] = 0  # the mean keeps its sign
        real = both & (2 * rows % height == 0)  # only a sign there: it turns through cos φ
        r = r[..., :half]
        self._source, self._sign = placed(source.flatten()), placed(sign)
        self._real, self._imag = placed(r), placed(torch.where(real, 0.0, r))

    def noise(self, streams: Streams) -> Tensor:
        height, width = self.size
        return math.tau * (streams.uniform(self.channels, height, width // 2 + 1) - 0.5)

    def latent(self, x: Tensor) -> Tensor:
        y = (x.double().clamp(EDGE, 1 - EDGE).logit() + 2) / 4 if self.bounded else x
        return torch.fft.rfft2(unmixed(self.axes, y)).angle()

    def render(self, z: Tensor) -> Tensor:
        phase = z.flatten(2)[..., self._source(z)].reshape(z.shape) * self._sign(z)
        waves = torch.complex(self._real(z) * phase.cos(), self._imag(z) * phase.sin())
        y = torch.fft.irfft2(waves, s=self.size)
        if self._color is not None:
            y = mixed(self._color(y), y)
        return (4 * y - 2).sigmoid() if self.bounded else y


def maco(
    magnitude: Any, *, decorrelate: bool | Tensor | None = None, bounded: bool = True,
    batch: int | None = None, start: Any = None,
) -> Image:  # fmt: skip
    """A picture y whose waves have a given strength; their phases are climbed (Fel et al. 2023).

    magnitude: (C, H, W), or (H, W) for one channel, from ``mean_magnitude``; any size. The entry at
    ω = 0 is the mean, and stays. The few waves that have only a sign turn it through cos φ.
    bounded: x = σ(4 (y - ½)), in [0, 1] and of slope 1 at mid-grey, so the picture shown has this
    magnitude only roughly (``magnitude_error`` measures it); False gives y itself, which has it
    exactly and may leave [0, 1]. decorrelate: the channels are the colour coordinates of COLOR, or
    of a matrix from ``color_axes``; when None, for 3 channels yes, else no. Give ``mean_magnitude``
    the same. z holds phases in radians, uniform at the start.
    start: a picture (C, H, W) or (N, C, H, W) in [0, 1] whose phases to start from; its magnitude
    is not kept. Waves with only a sign start where cos φ is flat.
    """
    r = as_magnitude(magnitude)
    return _Maco(r, decorrelate, bounded, batch).starting(start)
