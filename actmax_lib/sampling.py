"""Langevin sampling: gradient ascent on log p with the noise that makes it a sampler.

A *score* is a callable (N, ...) -> (N, ...), the gradient of log p at each point. The unadjusted
algorithm (`ula`) makes an error of the order of its step, which is known exactly for a Gaussian
(`stationary_covariance`); the Metropolis test of `mala` removes it. Without noise both are
activation maximization. Chapter *implicit-density*; Welling & Teh (2011).

The N chains of a batch are independent. They share one stream of random numbers, so chain k of a
batch is not the chain that x0[k] alone would make. The global generators are never used.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from actmax_lib import checks
from actmax_lib._chains import Chain, check_finite, lengths, normal, shaped, start, stream
from actmax_lib.closed_forms.base import array, symmetric
from actmax_lib.metropolis import mala

__all__ = ["Chain", "decreasing", "mala", "score_of", "sgld", "stationary_covariance", "ula"]

Score = Callable[[Tensor], Tensor]


def ula(
    score: Score, x0: Any, *, step: float, steps: int, temperature: float = 1.0, seed: int = 0,
    keep: int = 1, limit: float | None = None,
) -> Chain:  # fmt: skip
    """The unadjusted Langevin algorithm, x' = x + step/2 score(x) + √(step T) ξ.

    For small steps it draws from p^(1/T); temperature T = 0 is gradient ascent with the step
    step/2, bit for bit that of ``maximize(optimizer="gradient")``. x0: (N, ...).

    limit: a step of this size or more raises ValueError, because there the chain leaves for
    infinity. For the score of a Gaussian it is found without being given: 4 times the smallest
    eigenvalue of Σ. Raises NonFiniteError, with the step, where the score is NaN or Inf.
    """
    step = checks.real("step", step, above=0)
    temperature = _temperature(temperature)
    _check_limit(score, step, limit)
    drift, noise = step / 2, math.sqrt(step * temperature)
    samples = _walk(score, x0, lambda t: (drift, noise), steps, seed, keep)
    return Chain(samples, step, temperature)


def sgld(
    score: Score, x0: Any, *, drift: float | Callable[[int], float],
    noise: float | Callable[[int], float] | None = None, steps: int, seed: int = 0, keep: int = 1,
    limit: float | None = None,
) -> Chain:  # fmt: skip
    """Langevin steps with drift and noise of their own, x' = x + drift score(x) + noise ξ.

    The temperature they stand for is noise² / (2 drift) (eq:implicit:temperature). With the noise
    None it is 1. Both may be functions of the step t = 0, 1, ..., such as `decreasing`, and the
    score may be that of a random minibatch (Welling & Teh 2011). limit: as in `ula`, for 2 drift.
    """
    drift_at = drift if callable(drift) else lambda t: drift
    noise_at = noise if callable(noise) else lambda t: noise

    def pair(t: int) -> tuple[float, float]:
        d = checks.real("drift", drift_at(t), above=0)
        n = math.sqrt(2 * d) if noise is None else checks.real("noise", noise_at(t))
        if n < 0:
            raise ValueError(f"noise must be >= 0, got {n!r}")
        return d, n

    for t in range(checks.count("steps", steps)):
        _check_limit(score, 2 * pair(t)[0], limit)
    samples = _walk(score, x0, pair, steps, seed, keep)
    d, n = pair(steps - 1)
    return Chain(samples, 2 * d, n * n / (2 * d))


def decreasing(a: float, b: float = 1.0, gamma: float = 0.55) -> Callable[[int], float]:
    """The drift a (b + t)^(-γ), 1/2 < γ <= 1: its sum is infinite, that of its squares is not."""
    a, b = checks.real("a", a, above=0), checks.real("b", b, above=0)
    gamma = checks.real("gamma", gamma, above=0.5)
    if gamma > 1:
        raise ValueError(
            f"gamma must be in (1/2, 1], got {gamma!r}: the steps' sum would be finite"
        )
    return lambda t: a * (b + t) ** -gamma


def score_of(log_density: Callable[[Tensor], Tensor]) -> Score:
    """The gradient of a differentiable log_density (N, ...) -> (N,), such as an objective."""

    def score(x: Tensor) -> Tensor:
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            return torch.autograd.grad(log_density(x).sum(), x)[0]

    return score


def stationary_covariance(Sigma: Any, step: float, temperature: float = 1.0) -> Tensor:
    """The covariance `ula` has in the end on N(μ, Σ): T Σ (I - step/4 Σ⁻¹)⁻¹ (eq:implicit:law).

    Sigma: (d, d), positive definite; returns (d, d) in float64. In one dimension it is
    T σ² / (1 - step/(4 σ²)). Raises ValueError for a step not below 4 times the smallest
    eigenvalue, where there is none.
    """
    step, temperature = checks.real("step", step, above=0), _temperature(temperature)
    Sigma = array("Sigma", Sigma, 2)
    Sigma = symmetric("Sigma", Sigma, len(Sigma))
    values, vectors = torch.linalg.eigh(torch.from_numpy(Sigma))
    if values[0] <= 0:
        raise ValueError(f"Sigma has the eigenvalue {values[0]:g}; all must be > 0")
    _check_limit(None, step, 4 * float(values[0]))
    return (vectors * (temperature * values / (1 - step / (4 * values)))) @ vectors.mT


def _walk(score: Score, x0: Any, pair: Callable, steps: int, seed: int, keep: int) -> Tensor:
    """The states after every keep-th step; pair(t) is (drift, noise)."""
    steps, keep = lengths(steps, keep)
    x, kept = start(x0), []
    generator = stream(seed, x)
    for t in range(steps):
        slope = shaped("score", score(x), x.shape)
        check_finite(slope.isfinite(), "score", t, x)
        drift, noise = pair(t)
        x = torch.add(x, slope.detach(), alpha=drift)  # the same kernel as torch.optim.SGD
        if noise:
            x = torch.add(x, normal(x, generator), alpha=noise)
        if (t + 1) % keep == 0:
            kept.append(x)
    check_finite(x.isfinite(), "state", steps, x)
    return torch.stack(kept)


def _temperature(value: float) -> float:
    value = checks.real("temperature", value)
    if value < 0:
        raise ValueError(f"temperature must be >= 0, got {value!r} (0 is gradient ascent)")
    return value


def _check_limit(score: Score | None, step: float, limit: float | None) -> None:
    if limit is None and getattr(score, "__name__", "") == "score":
        limit = getattr(getattr(score, "__self__", None), "stability_limit", None)
    if limit is None:
        return
    if limit == 0:
        raise ValueError(
            "the covariance is singular: the noise of every step leaves the support, so no step is "
            "below the stability limit 0; sample in coordinates of the support"
        )
    if step >= checks.real("limit", limit):
        raise ValueError(
            f"step {step:g} is not below the stability limit {limit:g} "
            "(for a Gaussian 4 times the smallest eigenvalue of its covariance): the chain would "
            "leave for infinity; take a smaller step"
        )
