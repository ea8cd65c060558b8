"""Random numbers: one stream an image, so that an image does not depend on its batch."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor

from actmax_lib import checks


class Streams:
    """One generator for each distinct seed, on the device; the global one is never used.

    seeds: N of them, one an image. Images with the same seed get the same numbers.
    Numbers are drawn in float32 whatever ``dtype`` is, so that precisions can be compared.
    """

    def __init__(
        self, seeds: Sequence[int], device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:  # fmt: skip
        self.seeds = [checks.count("seed", seed, at_least=0) for seed in seeds]
        if max(self.seeds) >= 2**63:
            raise ValueError(f"seed must be below 2**63, got {max(self.seeds)}")
        self.device, self.dtype = torch.device(device), dtype
        self._generators = {
            seed: torch.Generator(self.device).manual_seed(seed) for seed in self.seeds
        }

    def __len__(self) -> int:
        return len(self.seeds)

    def replay(self) -> "Streams":
        """A copy as the streams are now: it draws the numbers that these will draw next."""
        twin = copy.copy(self)
        twin._generators = {}
        for seed, generator in self._generators.items():
            twin._generators[seed] = torch.Generator(self.device)
            twin._generators[seed].set_state(generator.get_state())
        return twin

    def _draw(self, sample, shape: Sequence[int]) -> Tensor:
        drawn = {
            seed: sample(shape, generator=generator, device=self.device)
            for seed, generator in self._generators.items()
        }
        if len(drawn) == 1:
            return next(iter(drawn.values())).to(self.dtype).expand(len(self), *shape)
        return torch.stack([drawn[seed] for seed in self.seeds]).to(self.dtype)

    def uniform(self, *shape: int) -> Tensor:
        """(N, *shape) uniform on [0, 1)."""
        return self._draw(torch.rand, shape)

    def normal(self, *shape: int) -> Tensor:
        """(N, *shape) standard normal."""
        return self._draw(torch.randn, shape)
