"""What `score_matching` asks of samples and callables, and its random numbers."""

from collections.abc import Callable

import torch
from torch import Tensor

from actmax_lib import checks

Score = Callable[[Tensor], Tensor]
LogDensity = Callable[[Tensor], Tensor]


def random_probes(x: Tensor, probes: int, kind: str, seed: int) -> Tensor:
    """(probes, N, ...) with mean 0 and covariance I."""
    probes = checks.count("probes", probes)
    generator = torch.Generator(x.device).manual_seed(checks.count("seed", seed, at_least=0))
    if kind == "gaussian":
        return drawn(torch.randn, x, probes, generator)
    if kind == "rademacher":
        return (drawn(torch.rand, x, probes, generator) < 0.5).to(x.dtype) * 2 - 1
    raise ValueError(f"kind must be 'rademacher' or 'gaussian', got {kind!r}")


def drawn(sample: Callable, x: Tensor, probes: int, generator: torch.Generator) -> Tensor:
    """(probes, N, ...) from ``sample``, in float32 so that precisions can be compared."""
    shape = (probes, *x.shape)
    noise = sample(shape, generator=generator, device=generator.device, dtype=torch.float32)
    return noise.to(x)


def samples(x: Tensor) -> Tensor:
    if not isinstance(x, Tensor) or x.dtype not in (torch.float32, torch.float64):
        kind = getattr(x, "dtype", type(x).__name__)
        raise TypeError(f"x must be a float32 or float64 tensor (N, ...), got {kind}")
    if x.ndim < 2 or x.numel() == 0:
        raise ValueError(f"x must have shape (N, ...) and hold a sample, got {tuple(x.shape)}")
    return x


def values_of(f: LogDensity, x: Tensor) -> Tensor:
    values = f(x)
    if values.shape != x.shape[:1]:
        raise ValueError(
            f"f must give one value a sample, ({len(x)},), got {tuple(values.shape)}; "
            "for a class use lambda x: net(x)[:, k]"
        )
    return values


def scores_of(score: Score, x: Tensor) -> Tensor:
    s = score(x)
    if s.shape != x.shape:
        raise ValueError(
            f"the score must have the shape of x, {tuple(x.shape)}, got {tuple(s.shape)}; "
            "for a log-density f use score_of(f)"
        )
    return s


def check_apart(apart: bool) -> None:
    if not apart:
        raise ValueError(
            "samples of a batch influence each other; each must be treated by itself "
            "(put batch normalization and dropout in eval mode)"
        )
