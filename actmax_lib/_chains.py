"""What the samplers share: the record of a run, and the checks of its arguments."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from actmax_lib import checks
from actmax_lib.errors import NonFiniteError


@dataclass(frozen=True, eq=False)
class Chain:
    """What a sampler left.

    samples: (T, N, ...), the states after every ``keep``-th step; the start is not among them.
    step, temperature: of the last step. acceptance: (N,) the share of proposals that `mala` took.
    """

    samples: Tensor
    step: float
    temperature: float
    acceptance: Tensor | None = None

    @property
    def last(self) -> Tensor:
        """The last state kept, (N, ...)."""
        return self.samples[-1]


def check_finite(fine: Tensor, name: str, t: int, good: Tensor) -> None:
    if not bool(fine.all()):
        raise NonFiniteError(
            f"the {name} is NaN or Inf at step {t}; try a smaller step (the error's .images are "
            "the last states)",
            step=t, term=name, images=good,
        )  # fmt: skip


def start(x0: Any) -> Tensor:
    x = checks.real_tensor("x0", x0)
    if x.ndim < 2:
        raise ValueError(
            f"x0 has shape {tuple(x.shape)}; the first axis is the batch, give x0[None]"
        )
    return x


def lengths(steps: int, keep: int) -> tuple[int, int]:
    steps, keep = checks.count("steps", steps), checks.count("keep", keep)
    if keep > steps:
        raise ValueError(f"keep={keep} keeps none of {steps} steps; give at most {steps}")
    return steps, keep


def stream(seed: int, x: Tensor) -> torch.Generator:
    """A generator of its own for a run from x."""
    return torch.Generator(x.device).manual_seed(checks.count("seed", seed, at_least=0))


def normal(x: Tensor, generator: torch.Generator) -> Tensor:
    """Standard normal numbers in the shape, type and place of x."""
    return torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)


def shaped(name: str, given: Any, shape: tuple[int, ...]) -> Tensor:
    """What a callable gave, if it is a tensor of this shape."""
    if not isinstance(given, Tensor) or given.shape != shape:
        got = tuple(given.shape) if isinstance(given, Tensor) else type(given).__name__
        raise ValueError(f"{name} must give a tensor of shape {tuple(shape)}, got {got}")
    return given
