"""Pictures with an alpha channel: what an objective does not need becomes transparent.

The networks see the picture on another background at every step, so that only what must be there is
worth drawing (Mordvintsev et al. 2018). Alpha is straight: seen = alpha x + (1 - alpha) background.
"""

from typing import Any

import torch
from torch import Tensor

from actmax_lib import checks
from actmax_lib._image import Around, Image, View
from actmax_lib._pictures import Fourier, Picture
from actmax_lib.streams import Streams
from actmax_lib.terms import Objective, Term


def over(images: Tensor, background: Any = 1.0) -> Tensor:
    """Pictures with alpha (N, C + 1, H, W) on a background: (N, C, H, W).

    background: a number in [0, 1], 1 for white, or pictures that broadcast to (N, C, H, W).
    """
    if images.ndim != 4 or images.shape[1] < 2:
        raise ValueError(f"images must have shape (N, C + 1, H, W), got {tuple(images.shape)}")
    color, alpha = images[:, :-1], images[:, -1:]
    return alpha * color + (1 - alpha) * background


class _Transparent(Around):
    def __init__(self, image: Picture, sd: float) -> None:
        super().__init__(image)
        self.sd, self.channels = sd, image.channels
        self._alpha = image.with_one_channel()
        axes = False if image.axes is None else image.axes
        self._background = Fourier(image.channels, image.size, 1.0, axes, None)

    def start(self, streams: Streams) -> Tensor:
        color = self.image.start(streams)
        return torch.cat([color, self._alpha.start(streams)], 1)

    def render(self, z: Tensor) -> Tensor:
        color, alpha = z[:, : self.channels], z[:, self.channels :]
        return torch.cat([self.image.render(color), self._alpha.render(alpha)], 1)

    def views(self, transform: View | None) -> tuple[View | None, View | None]:
        def seen(x: Tensor, streams: Streams) -> Tensor:
            height, width = self.size
            waves = streams.normal(self.channels, height, width // 2 + 1, 2)
            x = over(x, self._background.render(self.sd * waves))
            return x if transform is None else transform(x, streams)

        return seen, lambda x, streams: over(x, 0.5)


def transparent(image: Image, *, sd: float = 1.0) -> Image:
    """``image`` with one more channel, alpha in [0, 1], of the same kind: x is (N, C + 1, H, W).

    image: pixels or fourier; alpha starts near ½. At every step, before T, each picture is put on
    a random background of its own stream, a ``fourier`` picture whose z is drawn from N(0, sd²) in
    the colours of ``image``; 0 for mid-grey. Objectives see that; regularizers see x itself, alpha
    included. ``run.images`` and ``run.frames`` are x, with alpha last: files as they are, and
    ``over(run.images)`` shows them on white. ``run.values`` are on mid-grey, without T.
    Without a price opaque is best: add ``alpha_penalty``. Raises TypeError for other images.
    """
    if not isinstance(image, Picture) or image.latents not in ("pixels", "waves"):
        raise TypeError(f"transparent needs pixels() or fourier(), got {image!r}")
    sd = checks.real("sd", sd)
    if sd < 0:
        raise ValueError(f"sd must be at least 0, got {sd}")
    return _Transparent(image, sd)


def alpha_penalty(lam: float) -> Objective:
    """Ω(x) = -λ times the mean of the last channel, alpha; for images from ``transparent``.

    λ > 0 is in units of the objective: what an opaque picture costs more than an invisible one.
    """
    lam = checks.weight("lam", lam)

    def check(x: Tensor) -> None:
        if x.ndim != 4 or x.shape[1] < 2:
            raise ValueError(f"alpha_penalty needs (N, C + 1, H, W), got {tuple(x.shape)}")

    return Objective(
        [(1.0, Term("alpha", lambda x: -lam * x[:, -1].flatten(1).mean(1), check=check,
                    sees_image=True))]
    )  # fmt: skip
