"""The ball around an image, and the ascent that stays in it."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

NORMS = ("l2", "linf")


@dataclass(frozen=True)
class Ball:
    """{x': ‖x' - x‖ ≤ ε} ∩ [0, 1]ᵈ; norm "l2" or "linf"; ε = inf leaves the box alone."""

    norm: str
    eps: float

    def __post_init__(self) -> None:
        if self.norm not in NORMS:
            raise ValueError(f"norm must be one of {', '.join(NORMS)}, got {self.norm!r}")
        if isinstance(self.eps, bool) or not isinstance(self.eps, (int, float)):
            raise TypeError(f"eps must be a real number, got {self.eps!r}")
        if not self.eps > 0:  # NaN too
            raise ValueError(f"eps must be > 0, got {self.eps!r}")

    def direction(self, g: Tensor) -> Tensor:
        """The step of length one that gains most along g (P6); 0 where g is 0."""
        if self.norm == "linf":
            return g.sign()
        size = length(g)
        return g / torch.where(size > 0, size, 1)

    def project(self, z: Tensor, x: Tensor) -> Tensor:
        """z brought into the ball, then into the box; a point of both, since x is one."""
        if math.isinf(self.eps):
            return z.clamp(0, 1)
        if self.norm == "linf":
            return torch.minimum(torch.maximum(z, x - self.eps), x + self.eps).clamp(0, 1)
        change = z - x
        size = length(change)
        return (x + change * (self.eps / size.clamp(min=self.eps))).clamp(0, 1)

    def noise(self, x: Tensor, normal: Tensor, uniform: Tensor) -> Tensor:
        """A point of the ball, uniform in it: normal like x, uniform (N,) in [0, 1)."""
        if self.norm == "linf":
            cube = torch.special.ndtr(normal) * 2 - 1
            return self.project(x + self.eps * cube, x)
        radius = self.eps * uniform ** (1 / x[0].numel())
        return self.project(x + self.direction(normal) * like(radius, x), x)

    def check_units(self, x: Tensor) -> None:
        """Raise ValueError for an ε that no two images are further apart than: a slip of units."""
        if math.isinf(self.eps):
            return
        most = 1.0 if self.norm == "linf" else math.sqrt(x[0].numel())
        if self.eps >= most:
            raise ValueError(
                f"eps={self.eps:g} is no limit: no two images are further apart than {most:.4g} in "
                f"norm {self.norm!r}. Images are in [0, 1], so give ε of 0 ... 255 as ε / 255; "
                "math.inf asks for no ball at all"
            )


def climb(
    value: Callable[[Tensor], Tensor], x: Tensor, start: Tensor, ball: Ball, *,
    steps: int, step: float,
) -> Tensor:  # fmt: skip
    """``steps`` projected steps of length ``step`` up ``value`` (N, ...) -> (N,), from ``start``.

    The networks in ``value`` should be `untouched`, or their weights get graphs too.
    """
    z = start.detach()
    for _ in range(steps):
        z = z.requires_grad_()
        (g,) = torch.autograd.grad(value(z).sum(), z)
        z = z.detach()
        z = ball.project(z + step * ball.direction(g), x)
    return z


def length(g: Tensor) -> Tensor:
    """‖g‖₂ of each image, shaped to multiply it."""
    return like(g.flatten(1).norm(dim=1), g)


def like(numbers: Tensor, x: Tensor) -> Tensor:
    return numbers.view(-1, *[1] * (x.ndim - 1))
