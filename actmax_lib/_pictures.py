"""Pictures x = sigmoid(M y): their colours, where they start, and the waves they are made of."""

import math
from typing import Any

import torch
from torch import Tensor

from actmax_lib import checks
from actmax_lib._image import Image
from actmax_lib.colors import color_matrix, mixed, unmixed
from actmax_lib.streams import Streams
from actmax_lib.terms import placed

EDGE = 1e-3  # start= is clamped this far from 0 and 1, a quarter of a grey level of 8 bits


def half_plane(size: tuple[int, int]) -> Tensor:
    """|ω| in cycles a pixel of the waves that ``rfft2`` keeps: (H, W//2 + 1), float64."""
    rows = torch.fft.fftfreq(size[0], dtype=torch.float64)[:, None]
    columns = torch.fft.rfftfreq(size[1], dtype=torch.float64)
    return (rows**2 + columns**2).sqrt()


def wave_scale(size: tuple[int, int], decay: float) -> Tensor:
    """How far z of size 1 moves each wave of a Fourier picture: (H, W//2 + 1), float64.

    irfft2 divides by the number of pixels: with its root, z of size 1 gives pixels of size 1
    whatever the image size; a quarter of that starts and moves in the sigmoid's middle part.
    """
    frequency = half_plane(size).clamp(min=1 / max(size))
    return frequency**-decay * math.sqrt(size[0] * size[1]) / 4


class Picture(Image):
    """What pictures share: colours, the sigmoid, and a start from a given picture."""

    def __init__(self, channels: int, size: Any, decorrelate: Any, batch: int | None) -> None:
        self.channels = checks.count("channels", channels)
        self.size = checks.image_size(size)
        self.batch = None if batch is None else checks.count("batch", batch)
        self.axes = color_matrix(decorrelate, self.channels)
        self._color = None if self.axes is None else placed(self.axes)
        self._z0: Tensor | None = None

    def starting(self, start: Any) -> "Picture":
        """This picture, started at ``start`` (C, H, W) or (N, C, H, W) instead of at random."""
        if start is None:
            return self
        x = checks.real_tensor("start", start).cpu()
        wanted = (self.channels, *self.size)
        if x.ndim not in (3, 4) or x.shape[-3:] != wanted:
            raise ValueError(
                f"start has shape {tuple(x.shape)}, a picture {wanted}; "
                "resize it, or give its channels and size"
            )
        if float(x.min()) < 0 or float(x.max()) > 1:
            raise ValueError(
                f"start must lie in [0, 1], got values from {x.min():.4g} to {x.max():.4g}"
            )
        if x.ndim == 4:
            if self.batch not in (None, len(x)):
                raise ValueError(f"start has {len(x)} pictures, batch is {self.batch}")
            self.batch = len(x)
        self._z0 = self.latent(x if x.ndim == 4 else x[None])
        return self

    def start(self, streams: Streams) -> Tensor:
        if self._z0 is None:
            return self.noise(streams)
        z = self._z0.to(streams.device, streams.dtype)
        return z.expand(len(streams), *z.shape[1:])

    def with_one_channel(self) -> "Picture":
        """A grey picture of this kind and size, started at random."""
        raise NotImplementedError

    def noise(self, streams: Streams) -> Tensor:
        """A random start."""
        raise NotImplementedError

    def latent(self, x: Tensor) -> Tensor:
        """z in float64 with x(z) = x: the inverse of ``render``."""
        raise NotImplementedError

    def displayed(self, y: Tensor) -> Tensor:
        """The picture in [0, 1] of a latent picture y (N, C, H, W)."""
        if self._color is not None:
            y = mixed(self._color(y), y)
        return y.sigmoid()

    def undisplayed(self, x: Tensor) -> Tensor:
        """y of a picture x clamped to [EDGE, 1 - EDGE], in float64: ``displayed`` undone."""
        return unmixed(self.axes, x.double().clamp(EDGE, 1 - EDGE).logit())


class Pixels(Picture):
    latents = "pixels"

    def with_one_channel(self) -> "Pixels":
        return Pixels(1, self.size, False, None)

    def noise(self, streams: Streams) -> Tensor:
        return 0.01 * streams.normal(self.channels, *self.size)

    def latent(self, x: Tensor) -> Tensor:
        return self.undisplayed(x)

    def render(self, z: Tensor) -> Tensor:
        return self.displayed(z)


class Fourier(Picture):
    lr = 0.15
    latents = "waves"

    def __init__(self, channels, size, decay: float, decorrelate: Any, batch) -> None:
        super().__init__(channels, size, decorrelate, batch)
        self.decay = checks.real("decay", decay)
        scale = wave_scale(self.size, self.decay)
        # once for the real and once for the imaginary part: without broadcasting it is faster
        self._scale = placed(scale[..., None].repeat(1, 1, 2))

    def with_one_channel(self) -> "Fourier":
        return Fourier(1, self.size, self.decay, False, None)

    def noise(self, streams: Streams) -> Tensor:
        height, width = self.size
        return 0.01 * streams.normal(self.channels, height, width // 2 + 1, 2)

    def latent(self, x: Tensor) -> Tensor:
        waves = torch.fft.rfft2(self.undisplayed(x))
        return torch.view_as_real(waves) / self._scale(x.double())

    def render(self, z: Tensor) -> Tensor:
        spectrum = torch.view_as_complex(z * self._scale(z))
        return self.displayed(torch.fft.irfft2(spectrum, s=self.size))


def shaped(channels: int | None, size: Any, start: Any) -> tuple[int, Any]:
    """Channels and size where they were not given: those of ``start``, else 3 and 224."""
    shape = tuple(getattr(start, "shape", ()))[-3:]
    if len(shape) != 3:
        shape = (3, 224, 224)
    return shape[0] if channels is None else channels, shape[1:] if size is None else size
