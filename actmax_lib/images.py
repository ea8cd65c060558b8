"""Images x(z): how an input is parametrized, from vectors to Fourier pictures.

An image says where z starts, how x(z) is rendered and, where there is a constraint on z, how to
project on it. Pictures are (N, C, H, W) in [0, 1]: x = sigmoid(M y), where y is the latent picture
and M the colour matrix (or the identity). The chapter *cnn-visualization* builds them up.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from actmax_lib import checks
from actmax_lib._image import Image
from actmax_lib._pictures import Fourier, Pixels, half_plane, shaped
from actmax_lib.colors import COLOR
from actmax_lib.streams import Streams
from actmax_lib.terms import placed

__all__ = ["COLOR", "Image", "fourier", "half_plane", "linear", "pixels", "point"]


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


def pixels(
    channels: int | None = None, size: int | Sequence[int] | None = None, *,
    decorrelate: bool | Tensor = False, batch: int | None = None, start: Any = None,
) -> Image:  # fmt: skip
    """A picture whose latent values are its pixels, before the sigmoid; starts as faint noise.

    channels, size: 3 and 224, or those of ``start``, when None; size is a number or (height,
        width), odd and non-square ones too.
    decorrelate: True for the colours of ImageNet, or a matrix (C, C) from ``color_axes``.
    start: a picture (C, H, W) in [0, 1] to start from, or (N, C, H, W) with one an image. The
        start is that picture exactly, but for values within 0.001 of 0 and 1, which z would have
        to be infinite for: they are moved there. Near them the sigmoid is flat and moves slowly.
    """
    channels, size = shaped(channels, size, start)
    return Pixels(channels, size, decorrelate, batch).starting(start)


def fourier(
    channels: int | None = None, size: int | Sequence[int] | None = None, *, decay: float = 1.0,
    decorrelate: bool | Tensor | None = None, batch: int | None = None, start: Any = None,
) -> Image:  # fmt: skip
    """A picture whose latent values are its Fourier coefficients, scaled by 1/frequency^decay.

    A gradient step then moves low frequencies furthest (Olah et al. 2017, *preconditioning*).
    channels, size, start: as in ``pixels``.
    decorrelate: as in ``pixels``; when None, for 3 channels yes, else no.
    """
    channels, size = shaped(channels, size, start)
    return Fourier(channels, size, decay, decorrelate, batch).starting(start)
