"""Regularizers Ω: rewards, never positive, that see the image itself and not T(x).

Each maps a batch (N, ...) to values (N,); add it to an objective: ``logit(net, k) + l2(1e-3)``.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from actmax_lib import checks
from actmax_lib.images import half_plane
from actmax_lib.terms import Objective, Term, placed


def _regularizer(
    name: str, fn: Callable[[Tensor], Tensor], check: Callable[[Tensor], None]
) -> Objective:
    return Objective([(1.0, Term(name, fn, check=check, sees_image=True))])


def _penalty(name: str, power: Callable[[Tensor], Tensor], lam: float, center: Any) -> Objective:
    center = checks.real_tensor("center", center)
    c = placed(center)

    def check(x: Tensor) -> None:
        if center.ndim and center.shape not in (x.shape[1:], (1, *x.shape[1:])):
            raise ValueError(
                f"center has shape {tuple(center.shape)}, an image {tuple(x.shape[1:])}; "
                "give a number or one image"
            )

    return _regularizer(name, lambda x: -lam * power(x - c(x)).flatten(1).sum(1), check)


def _pictures(name: str) -> Callable[[Tensor], None]:
    def check(x: Tensor) -> None:
        if x.ndim != 4:
            raise ValueError(f"{name} needs images (N, C, H, W), got {tuple(x.shape)}")

    return check


def l2(lam: float, center: Any = 0.0) -> Objective:
    """Ω(x) = -λ ‖x - c‖₂², the sum of squares over an image (chapter *l2-closed-forms*).

    lam: λ > 0, else UnboundedProblemError; center: a number or an image.
    """
    return _penalty("l2", torch.square, checks.weight("lam", lam), center)


def lp(lam: float, p: float, center: Any = 0.0) -> Objective:
    """Ω(x) = -λ Σ|x_i - c_i|^p with p ≥ 1; p = 1 alone may leave the problem unbounded."""
    lam = checks.weight("lam", lam)
    p = checks.real("p", p)
    if p < 1:
        raise ValueError(f"p must be at least 1, got {p}: below 1 the penalty is not convex")
    return _penalty(f"lp(p={p:g})", lambda d: d.abs() ** p, lam, center)


def total_variation(lam: float) -> Objective:
    """Ω(x) = -λ Σ(|x[i+1, j] - x[i, j]| + |x[i, j+1] - x[i, j]|), summed over channels.

    The anisotropic form; images only, (N, C, H, W).
    """
    lam = checks.weight("lam", lam)

    def fn(x: Tensor) -> Tensor:
        rows, columns = x.diff(dim=2).abs(), x.diff(dim=3).abs()
        return -lam * (rows.flatten(1).sum(1) + columns.flatten(1).sum(1))

    return _regularizer("total_variation", fn, _pictures("total_variation"))


def smoothness(lam: float) -> Objective:
    """Ω(x) = -λ Σ[(x[i+1, j] - x[i, j])² + (x[i, j+1] - x[i, j])²], the Dirichlet energy.

    Opposite edges are neighbours, so that every wave is an eigenvector (eq:regularization:energy).
    It does not hold constant pictures back. Summed over channels; images only, (N, C, H, W).
    """
    lam = checks.weight("lam", lam)

    def fn(x: Tensor) -> Tensor:
        rows, columns = x.roll(-1, 2) - x, x.roll(-1, 3) - x
        return -lam * (rows.square() + columns.square()).flatten(1).sum(1)

    return _regularizer("smoothness", fn, _pictures("smoothness"))


def frequency_penalty(lam: float, power: float = 1.0) -> Objective:
    """Ω(x) = -λ/(H W) Σ_ω |ω|^(2 power) |x̂(ω)|², x̂ the discrete Fourier transform of a channel.

    |ω| is in cycles a pixel, at most √½. power >= 0; at 0 it is ``l2(lam)``, above it does not hold
    constant pictures back (chapter *regularization*). Summed over channels; images (N, C, H, W).
    """
    lam, power = checks.weight("lam", lam), checks.real("power", power)
    if power < 0:
        raise ValueError(
            f"power must be at least 0, got {power}: below 0 constants cost infinitely"
        )
    made: dict[tuple[int, int], Callable[[Tensor], Tensor]] = {}

    def fn(x: Tensor) -> Tensor:
        size = x.shape[2], x.shape[3]
        if size not in made:
            weights = half_plane(size).square().pow(power)
            weights[:, 1 : (size[1] + 1) // 2] *= 2  # their mirror images are not stored
            made[size] = placed(weights * (-lam / (size[0] * size[1])))
        energy = torch.view_as_real(torch.fft.rfft2(x)).square().sum(-1)
        return (made[size](x) * energy).flatten(1).sum(1)

    return _regularizer(f"frequency_penalty(power={power:g})", fn, _pictures("frequency_penalty"))


def gaussian_prior(mu: Any, Sigma: Any) -> Objective:
    """Ω(x) = -½ (x - μ)ᵀ Σ⁺ (x - μ), the log density of N(μ, Σ) up to a constant.

    mu: (d,); Sigma: (d, d) symmetric, no negative eigenvalue. A singular Σ has the density on
    μ + range Σ alone: keep x there with ``linear(A, mu)``, Σ = A Aᵀ (chapter *l2-closed-forms*).
    """
    mu = checks.real_tensor("mu", mu).flatten()
    Sigma = checks.real_tensor("Sigma", Sigma)
    if Sigma.shape != (mu.numel(), mu.numel()):
        raise ValueError(f"Sigma has shape {tuple(Sigma.shape)}, mu has {mu.numel()} entries")
    if not torch.allclose(Sigma, Sigma.mT):
        raise ValueError("Sigma is not symmetric; a covariance equals its transpose")
    lowest = float(torch.linalg.eigvalsh(Sigma)[0])
    if lowest < -1e-9 * float(Sigma.abs().max()):
        raise ValueError(f"Sigma has the negative eigenvalue {lowest:.3g}; a covariance has none")
    m, precision = placed(mu), placed(torch.linalg.pinv(Sigma, hermitian=True))

    def fn(x: Tensor) -> Tensor:
        d = x.flatten(1) - m(x)
        return -((d @ precision(x)) * d).sum(1) / 2

    return _regularizer("gaussian_prior", fn, lambda x: checks.entries("mu", mu.numel(), x))
