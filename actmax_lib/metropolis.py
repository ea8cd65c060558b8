"""The Metropolis test for Langevin steps (chapter *implicit-density*)."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from actmax_lib import checks
from actmax_lib._chains import Chain, check_finite, lengths, normal, shaped, start, stream
from actmax_lib.errors import NonFiniteError


def mala(
    log_density: Callable[[Tensor], Tensor], x0: Any, *, step: float, steps: int,
    temperature: float = 1.0, seed: int = 0, keep: int = 1,
) -> Chain:  # fmt: skip
    """The Metropolis-adjusted Langevin algorithm: a step of `ula` is a proposal, taken or not.

    It leaves p^(1/T) exactly invariant, whatever the step; a large step costs acceptance instead.
    log_density: differentiable (N, ...) -> (N,), up to a constant; -inf means "not here". T > 0.
    Raises NonFiniteError where it is NaN or +inf, or -inf at x0.
    """
    step = checks.real("step", step, above=0)
    if checks.real("temperature", temperature) <= 0:
        raise ValueError(
            f"temperature must be > 0, got {temperature!r}: at 0 there is no noise to accept or "
            "refuse, only gradient ascent, which is ula(..., temperature=0)"
        )
    steps, keep = lengths(steps, keep)
    x = start(x0)
    generator = stream(seed, x)
    value, slope = _value_and_slope(log_density, x, 0, x)
    if not bool(value.isfinite().all()):
        raise NonFiniteError("the density is 0 at x0", step=0, term="log_density", images=x)
    taken, kept = torch.zeros(len(x), dtype=x.dtype, device=x.device), []
    for t in range(steps):
        xi = normal(x, generator)
        y = torch.add(x, slope, alpha=step / 2) + math.sqrt(step * temperature) * xi
        new_value, new_slope = _value_and_slope(log_density, y, t + 1, x)
        back = _log_proposal(x, y, new_slope, step, temperature)
        there = _log_proposal(y, x, slope, step, temperature)
        log_accept = (new_value - value) / temperature + back - there
        dice = torch.rand(len(x), generator=generator, dtype=x.dtype, device=x.device)
        accept = dice.log() < log_accept
        wide = accept.reshape(-1, *[1] * (x.ndim - 1))
        x, slope = torch.where(wide, y, x), torch.where(wide, new_slope, slope)
        value = torch.where(accept, new_value, value)
        taken += accept
        if (t + 1) % keep == 0:
            kept.append(x)
    return Chain(torch.stack(kept), step, temperature, taken / steps)


def _log_proposal(to: Tensor, start: Tensor, slope: Tensor, step: float, T: float) -> Tensor:
    """log q(to | start) up to a constant, (N,)."""
    gap = (to - torch.add(start, slope, alpha=step / 2)).flatten(1)
    return -gap.square().sum(1) / (2 * step * T)


def _value_and_slope(log_density: Callable, y: Tensor, t: int, good: Tensor) -> tuple:
    """log_density and its gradient at y; the gradient is 0 where the density is."""
    with torch.enable_grad():
        y = y.detach().requires_grad_()
        value = shaped("log_density", log_density(y), y.shape[:1])
        if not value.requires_grad:
            raise ValueError("log_density has no gradient; it must be differentiable in x")
        (slope,) = torch.autograd.grad(value.sum(), y)
    value = value.detach()
    outside = value == -math.inf
    slope = torch.where(outside.reshape(-1, *[1] * (y.ndim - 1)), 0.0, slope)
    check_finite(value.isfinite() | outside, "log_density", t, good)
    check_finite(slope.isfinite(), "gradient of log_density", t, good)
    return value, slope
