"""The contract of an image x(z), and of an image around another one."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from actmax_lib.streams import Streams

View = Callable[[Tensor, Streams], Tensor]


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

    def views(self, transform: View | None) -> tuple[View | None, View | None]:
        """What stands between x and the networks: at each step, and for the values at the end.

        Each is a callable (x, streams) -> (N, ...), or None where the networks see x itself.
        """
        return transform, None


class Around(Image):
    """An image that changes another one's latents, and is that image in all else."""

    def __init__(self, image: Image) -> None:
        self.image = image
        self.batch, self.lr, self.dtype = image.batch, image.lr, image.dtype
        self.nets, self.latents = image.nets, image.latents

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a picture."""
        return self.image.size

    def start(self, streams: Streams) -> Tensor:
        z = self.image.start(streams)
        if z.ndim != (5 if self.latents == "waves" else 4):
            name = type(self).__name__.strip("_").lower()
            raise ValueError(f"{name} needs pictures (N, C, H, W), got z of {tuple(z.shape)}")
        return z

    def render(self, z: Tensor) -> Tensor:
        return self.image.render(z)

    def prior(self, z: Tensor) -> Tensor | None:
        return self.image.prior(z)

    def project(self, z: Tensor) -> None:
        self.image.project(z)

    def views(self, transform: View | None) -> tuple[View | None, View | None]:
        return self.image.views(transform)


def of_pictures(verb: str, image: object) -> None:
    """Raise TypeError unless ``image`` has latents that are a picture, or its waves."""
    if not isinstance(image, Image) or image.latents not in ("pixels", "waves"):
        raise TypeError(
            f"{verb} needs an image whose latents are a picture, such as pixels(), got {image!r}"
        )
