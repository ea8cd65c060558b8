"""Images x(z): how an input is parametrized, from vectors to Fourier pictures.

An image says where z starts, how x(z) is rendered and, where there is a constraint on z, how to
project on it. Pictures are (N, C, H, W) in [0, 1]: x = sigmoid(M y), where y is the latent picture
and M the colour matrix below (or the identity). The chapter *cnn-visualization* builds them up.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from actmax_lib import checks
from actmax_lib.streams import Streams
from actmax_lib.terms import placed

# Colour convention: rgb = COLOR @ y. The columns are the axes along which the colours of ImageNet
# vary independently (brightness, red to blue, green to purple), each as long as its standard
# deviation, all divided by the longest (values of Olah et al. 2017, as in Lucid).
COLOR = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
COLOR = COLOR / COLOR.norm(dim=0).max()


def half_plane(size: tuple[int, int]) -> Tensor:
    """|ω| in cycles a pixel of the waves that ``rfft2`` keeps: (H, W//2 + 1), float64."""
    rows = torch.fft.fftfreq(size[0], dtype=torch.float64)[:, None]
    columns = torch.fft.rfftfreq(size[1], dtype=torch.float64)
    return (rows**2 + columns**2).sqrt()


class Image:
    """The contract of a parametrized image x(z); plain vectors and pictures derive from it.

    batch: number of images where the image fixes it, else None.  lr: default learning rate.
    nets: networks that render it, frozen and left as they were.  latents: "pixels" or "waves"
    where z is the latent picture or its Fourier coefficients.
    """

    batch: int | None = None
    lr: float = 0.05
    dtype: torch.dtype | None = None
    nets: tuple[nn.Module, ...] = ()
    latents: str = ""

    def start(self, streams: Streams) -> Tensor:
        """z at step 0, shape (N, ...), one stream an image."""
        raise NotImplementedError(f"{type(self).__name__} must say where z starts")

    def render(self, z: Tensor) -> Tensor:
        """x(z), shape (N, ...), differentiable."""
        return z

    def prior(self, z: Tensor) -> Tensor | None:
        """What is climbed besides the objective, (N,), as a log density of z; None for nothing."""

    def project(self, z: Tensor) -> None:
        """Move z in place to the nearest allowed one, after a step."""


class _Point(Image):
    lr = 0.2
    latents = "pixels"

    def __init__(self, x0: Tensor, box: tuple[Tensor, Tensor] | None, ball) -> None:
        self.x0, self.box, self.ball = x0, box, ball
        self.batch, self.dtype = len(x0), x0.dtype
        self._x0 = placed(x0)
        self._box = None if box is None else tuple(placed(side) for side in box)

    def start(self, streams: Streams) -> Tensor:
        z = self.x0.to(streams.device, streams.dtype).clone()
        return torch.zeros_like(z) if self.ball else z

    def render(self, z: Tensor) -> Tensor:
        if self.ball is None:
            return z
        p, eps = self.ball
        size = torch.linalg.vector_norm(z.flatten(1), p, dim=1)
        # inside the ball z itself, outside its radial image on the sphere
        factor = torch.where(size > eps, eps / torch.where(size > eps, size, 1.0), 1.0)
        return self._x0(z) + z * factor.reshape(-1, *[1] * (z.ndim - 1))

    def project(self, z: Tensor) -> None:
        if self._box is not None:
            z.clamp_(self._box[0](z), self._box[1](z))


def point(x0: Any, *, box: tuple[Any, Any] | None = None, ball: tuple[float, float] | None = None):
    """A plain vector (or any array): x(z) = z, started at ``x0`` of shape (N, d).

    box: (low, high), numbers or arrays; z is projected on it after every step.
    ball: (p, eps) with p in [1, inf], eps > 0; x stays in {‖x - x0‖_p ≤ eps} by the radial map.
    Raises TypeError for integers, ValueError for NaN, an empty box or both constraints at once.
    """
    x0 = checks.real_tensor("x0", x0)
    if x0.ndim < 2:
        raise ValueError(
            f"x0 has shape {tuple(x0.shape)}; the first axis is the batch, give x0[None]"
        )
    if box is not None and ball is not None:
        raise ValueError("give box or ball, not both")
    for name, pair in (("box", box), ("ball", ball)):
        if pair is not None and not (isinstance(pair, (tuple, list)) and len(pair) == 2):
            raise ValueError(f"{name} must be a pair, (low, high) or (p, eps), got {pair!r}")
    if ball is not None:
        p, eps = float(ball[0]), checks.real("ball eps", ball[1], above=0)
        if not p >= 1:
            raise ValueError(f"ball p must be in [1, inf], got {p}")
        if math.isinf(p):  # the ball is a box, on which projecting is exact
            box, ball = (x0 - eps, x0 + eps), None
        else:
            ball = p, eps
    if box is not None:
        low, high = box = tuple(_side(side, x0) for side in box)
        if not bool((low <= high).all()):
            raise ValueError("box must have low <= high everywhere, and no NaN")
        x0 = x0.clamp(low, high)
    return _Point(x0, box, ball)


def _side(side: Any, x0: Tensor) -> Tensor:
    """A side of a box, infinite where there is none, in the type of x0."""
    side = torch.as_tensor(side).to(x0)
    if side.ndim and side.shape not in (x0.shape[1:], x0.shape):
        raise ValueError(f"box side has shape {tuple(side.shape)}, x0 has {tuple(x0.shape)}")
    return side


class _Linear(Image):
    lr = 0.2

    def __init__(self, A: Tensor, mu: Tensor, batch: int) -> None:
        self.batch, self.dtype = batch, A.dtype
        self._A, self._mu, self.latent = placed(A), placed(mu), A.shape[1]

    def start(self, streams: Streams) -> Tensor:
        return torch.zeros(len(streams), self.latent, device=streams.device, dtype=streams.dtype)

    def render(self, z: Tensor) -> Tensor:
        return self._mu(z) + z @ self._A(z).mT


def linear(A: Any, mu: Any, *, batch: int = 1) -> Image:
    """x(z) = μ + A z, started at z = 0: x never leaves μ + range A.

    A: (d, k); mu: (d,). With Σ = A Aᵀ it goes with ``gaussian_prior(mu, Sigma)``, singular or not.
    """
    A, mu = checks.real_tensor("A", A), checks.real_tensor("mu", mu).flatten()
    if A.ndim != 2 or len(A) != len(mu):
        raise ValueError(f"A has shape {tuple(A.shape)}; with mu of {len(mu)} give ({len(mu)}, k)")
    return _Linear(A, mu, checks.count("batch", batch))


class _Picture(Image):
    """What pixels and Fourier pictures share: colours and the sigmoid."""

    def __init__(self, channels: int, size: Any, decorrelate: bool, batch: int | None) -> None:
        self.channels = checks.count("channels", channels)
        self.size = checks.image_size(size)
        self.batch = None if batch is None else checks.count("batch", batch)
        if decorrelate and channels != 3:
            raise ValueError(f"decorrelate is for 3 colours, got channels={channels}; set it False")
        self._color = placed(COLOR) if decorrelate else None

    def displayed(self, y: Tensor) -> Tensor:
        """The picture in [0, 1] of a latent picture y (N, C, H, W)."""
        if self._color is not None:
            y = torch.einsum("rc,nchw->nrhw", self._color(y), y)
        return y.sigmoid()


class _Pixels(_Picture):
    latents = "pixels"

    def start(self, streams: Streams) -> Tensor:
        return 0.01 * streams.normal(self.channels, *self.size)

    def render(self, z: Tensor) -> Tensor:
        return self.displayed(z)


class _Fourier(_Picture):
    lr = 0.15
    latents = "waves"

    def __init__(self, channels, size, decay: float, decorrelate: bool, batch) -> None:
        super().__init__(channels, size, decorrelate, batch)
        self.decay = checks.real("decay", decay)
        height, width = self.size
        frequency = half_plane(self.size).clamp(min=1 / max(height, width))
        # irfft2 divides by the number of pixels: with its root, z of size 1 gives pixels of size 1
        # whatever the image size; a quarter of that starts and moves in the sigmoid's middle part
        self._scale = placed(frequency**-self.decay * math.sqrt(height * width) / 4)

    def start(self, streams: Streams) -> Tensor:
        height, width = self.size
        return 0.01 * streams.normal(self.channels, height, width // 2 + 1, 2)

    def render(self, z: Tensor) -> Tensor:
        spectrum = torch.view_as_complex(z * self._scale(z)[..., None])
        return self.displayed(torch.fft.irfft2(spectrum, s=self.size))


def pixels(
    channels: int = 3, size: int | Sequence[int] = 224, *, decorrelate: bool = False,
    batch: int | None = None,
) -> Image:  # fmt: skip
    """A picture whose latent values are its pixels, before the sigmoid; starts as faint noise.

    size: a number or (height, width), odd and non-square ones too; decorrelate: colours by COLOR.
    """
    return _Pixels(channels, size, decorrelate, batch)


def fourier(
    channels: int = 3, size: int | Sequence[int] = 224, *, decay: float = 1.0,
    decorrelate: bool | None = None, batch: int | None = None,
) -> Image:  # fmt: skip
    """A picture whose latent values are its Fourier coefficients, scaled by 1/frequency^decay.

    A gradient step then moves low frequencies furthest (Olah et al. 2017, *preconditioning*).
    size: a number or (height, width), odd and non-square ones too.
    decorrelate: colours by COLOR; when None, for 3 channels yes, else no.
    """
    decorrelate = channels == 3 if decorrelate is None else decorrelate
    return _Fourier(channels, size, decay, decorrelate, batch)
