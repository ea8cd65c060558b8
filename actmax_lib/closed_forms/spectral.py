"""Affine f(x) = <w, x> + b on pictures, where each wave of a periodic picture answers for itself.

Here w and the solution's x have the shape (H, W), <w, x> is the sum over pixels, and the hat is the
discrete Fourier transform ``np.fft.fft2``. Chapter *regularization*.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from actmax_lib import checks
from actmax_lib.closed_forms.base import (
    Solution,
    array,
    finite,
    penalty_weight,
    positive,
    quiet,
    scalar,
)
from actmax_lib.errors import UnboundedProblemError


def _frequency(shape: Sequence[int]) -> np.ndarray:
    return np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1]))


def _mirrored(plane: np.ndarray) -> np.ndarray:
    """The plane at -ω."""
    return np.roll(plane[::-1, ::-1], (1, 1), (0, 1))


def _plane(name: str, value: Any, shape: tuple[int, int]) -> np.ndarray:
    plane = array(name, value, 2)
    if plane.shape != shape:
        raise ValueError(f"{name} must have shape {shape} to match w, got {plane.shape}")
    if not np.allclose(plane, _mirrored(plane), rtol=1e-9, atol=1e-12 * np.abs(plane).max()):
        raise ValueError(f"{name} differs at ω and -ω; give the full plane, frequency 0 first")
    return plane


@quiet
def affine_spectral(w: Any, b: Any, weights: Any) -> Solution:
    """max of <w, x> + b - (1/HW) Σ weights(ω) |x̂(ω)|², at x̂ = ŵ / (2 weights).

    The frequency-weighted ℓ2 of eq:regularization:weighted. w: (H, W); weights: (H, W), not
    negative and equal at ω and -ω. Where a weight is 0 the wave is free: UnboundedProblemError if
    w has any of it, else the waves of weight 0 are ``flat`` (k, H, W) and x has none of them.
    """
    w, b = array("w", w, 2), scalar("b", b)
    weights = _plane("weights", weights, w.shape)
    if (weights < 0).any():
        raise UnboundedProblemError(
            f"weights has the negative entry {weights.min():g}, which rewards a wave for its size",
            _wave(w.shape, np.argwhere(weights < 0)[0], 0.0),
        )
    hat, free = np.fft.fft2(w), weights == 0
    loud = free & (np.abs(hat) > 1e-12 * np.abs(w).sum())
    if loud.any():
        at = np.argwhere(loud)[0]
        raise UnboundedProblemError(
            "a wave of weight 0 is in w, so f grows for ever along .direction"
            + (", the constant picture" if not at.any() else "")
            + "; take its part out of w, or add an l2 penalty",
            _wave(w.shape, at, np.angle(hat[tuple(at)])),
        )
    waves = np.where(free, 0, hat / np.where(free, 1, 2 * weights))
    x = np.fft.ifft2(waves).real
    gain = float((w * x).sum())
    flat = [_wave(w.shape, at, phase + turn) for at in np.argwhere(free)
            for phase in (0.0, np.pi / 2) for turn in (0.0, np.pi)]  # fmt: skip
    flat = [v for v in flat if np.isfinite(v).all()]
    return _finite(Solution(x, gain + b, -gain / 2, (), not flat, np.stack(flat) if flat else None))


def _wave(shape: tuple[int, ...], at: np.ndarray, phase: float) -> np.ndarray:
    """cos(2π <at, pixel> / size + phase) of length 1; not finite where it is the zero picture."""
    rows, columns = np.indices(shape)
    angle = 2 * np.pi * (at[0] * rows / shape[0] + at[1] * columns / shape[1]) + phase
    wave = np.cos(angle)
    size = np.linalg.norm(wave)
    return wave / size if size > 1e-6 else np.full(shape, np.nan)


def _finite(solution: Solution) -> Solution:
    finite(Solution(solution.x.ravel(), solution.f, solution.omega))
    return solution


def affine_frequency(w: Any, b: Any, lam: Any, power: Any = 1.0, ridge: Any = 0.0) -> Solution:
    """``affine_spectral`` with weights lam |ω|^(2 power) + ridge, |ω| in cycles a pixel.

    The optimum under the regularizers frequency_penalty(lam, power) + l2(ridge). lam > 0,
    power >= 0, ridge >= 0. With ridge = 0 < power it needs a w that sums to 0.
    """
    w = array("w", w, 2)
    lam, power, ridge = _weights(w, lam, power, ridge)
    return affine_spectral(w, b, lam * _frequency(w.shape) ** (2 * power) + ridge)


def affine_smoothness(w: Any, b: Any, lam: Any, ridge: Any = 0.0) -> Solution:
    """max of <w, x> + b - lam Σ(differences of neighbours)² - ridge |x|², periodic.

    x̂ = ŵ / (2 lam (4 sin²(π u/H) + 4 sin²(π v/W)) + 2 ridge), a "1/frequency²" template
    (prop:regularization:smooth). lam > 0, ridge >= 0. With ridge = 0 it needs a w that sums to 0,
    else UnboundedProblemError whose ``direction`` is the constant picture.
    """
    w = array("w", w, 2)
    lam, _, ridge = _weights(w, lam, 1.0, ridge)
    rows, columns = (np.sin(np.pi * np.arange(n) / n) ** 2 for n in w.shape)
    return affine_spectral(w, b, 4 * lam * np.add.outer(rows, columns) + ridge)


def _weights(w: np.ndarray, lam: Any, power: Any, ridge: Any) -> tuple[float, float, float]:
    lam = penalty_weight("lam", lam, w.ravel())
    for name, value in (("power", power := scalar("power", power)),
                        ("ridge", ridge := scalar("ridge", ridge))):  # fmt: skip
        if value < 0:
            raise ValueError(f"{name} must be >= 0, got {value!r}")
    return lam, power, ridge


@quiet
def blur_fixed_point(w: Any, b: Any, sd: Any, lr: Any, lam: Any = 0.0) -> Solution:
    """Where x ← blur(x + lr ∇(<w, x> + b - lam |x|²)) stays: an ``affine_spectral`` optimum.

    Its weights are lam + (1 - β) / (2 lr β) for the Gaussian's transfer β = exp(-2π² sd² |ω|²)
    (eq:regularization:blur). sd > 0 pixels, lr > 0, lam >= 0; with lam = 0 it needs a w that sums
    to 0, else UnboundedProblemError along the constant picture.
    """
    w, sd, lr, lam = array("w", w, 2), positive("sd", sd), positive("lr", lr), scalar("lam", lam)
    if lam < 0:
        raise ValueError(f"lam must be >= 0, got {lam!r}")
    growth = np.expm1(2 * (np.pi * sd * _frequency(w.shape)) ** 2)
    return affine_spectral(w, b, lam + np.minimum(growth, 1e200) / (2 * lr))


def affine_phases(w: Any, b: Any, magnitude: Any) -> Solution:
    """max of <w, x> + b over the pictures with |x̂| = magnitude and a given mean (MACO).

    x̂ takes the phases of ŵ: the value is b + (m ŵ(0) + Σ magnitude |ŵ|) / HW, the sum over ω other
    than 0 and m = magnitude[0, 0] the mean's coefficient, of either sign (prop:regularization:maco;
    Fel et al. 2023). magnitude: (H, W), equal at ω and -ω. Not unique where a wave of magnitude > 0
    is not in w; there x has the phase 0.
    """
    w, b = array("w", w, 2), scalar("b", b)
    r = _plane("magnitude", magnitude, w.shape)
    if (r.ravel()[1:] < 0).any():
        raise ValueError("magnitude has negative entries; give absolute values")
    hat = np.fft.fft2(w)
    absent = np.abs(hat) <= 1e-12 * np.abs(w).sum()
    phases = np.where(absent, 1, hat / np.where(absent, 1, np.abs(hat)))
    phases[0, 0] = 1
    absent[0, 0] = False
    x = np.fft.ifft2(r * phases).real
    return _finite(Solution(x, float((w * x).sum()) + b, 0.0, unique=not (absent & (r > 0)).any()))


def jitter_template(w: Any, pixels: Any) -> np.ndarray:
    """The template that <w, T(x)> has on average over ``jitter(pixels)``: (H, W).

    Away from the edges it is w blurred by a box of 2 pixels + 1 (prop:regularization:jitter);
    beyond an edge the picture is mirrored. pixels: an integer >= 0.
    """
    w, d = array("w", w, 2), checks.count("pixels", pixels, at_least=0)
    for axis in (0, 1):
        size = w.shape[axis]
        seen = np.arange(size)[:, None] + np.arange(-d, d + 1)  # where the shifted picture looks
        seen = np.minimum(seen % (2 * size), 2 * size - 1 - seen % (2 * size))
        matrix = np.zeros((size, size))
        np.add.at(matrix, (seen, np.arange(size)[:, None]), 1 / (2 * d + 1))
        w = np.moveaxis(np.tensordot(matrix, w, (1, axis)), 0, axis)
    return w
