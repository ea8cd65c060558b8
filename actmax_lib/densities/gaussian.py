"""The normal distribution N(μ, Σ); Σ may be singular."""

import math
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from actmax_lib import checks
from actmax_lib.terms import placed


class Covariance:
    """Eigenvalues and axes of a symmetric Σ (d, d) without negative eigenvalues, in float64.

    values: (r,) the positive eigenvalues; axes: (d, r) of length 1; null: (d, d - r) the rest.
    Eigenvalues too small to tell from 0 at the precision given count as 0.
    Raises ValueError for an asymmetric Σ and for a negative eigenvalue, which it names.
    """

    def __init__(self, name: str, Sigma: Tensor, d: int) -> None:
        if Sigma.shape != (d, d):
            raise ValueError(f"{name} has shape {tuple(Sigma.shape)}; the mean asks for {(d, d)}")
        largest = float(Sigma.abs().max())
        resolution = 10 * d * torch.finfo(Sigma.dtype).eps * largest
        if float((Sigma - Sigma.mT).abs().max()) > resolution:
            raise ValueError(f"{name} is not symmetric; a covariance equals its transpose")
        Sigma = Sigma.double().cpu()
        values, axes = torch.linalg.eigh((Sigma + Sigma.mT) / 2)
        if float(values[0]) < -resolution:
            raise ValueError(
                f"{name} has the negative eigenvalue {float(values[0]):.3g}; a covariance has "
                "none: no variance is below 0"
            )
        kept = values > resolution
        self.values, self.axes, self.null = values[kept], axes[:, kept], axes[:, ~kept]
        self.rank = len(self.values)
        self.log_det = float(self.values.log().sum())
        self.whitener = (self.axes / self.values.sqrt()).mT  # (r, d): Σ⁺ = whitenerᵀ whitener

    @cached_property
    def precision(self) -> Tensor:
        """Σ⁺ (d, d), the pseudo-inverse."""
        return self.whitener.mT @ self.whitener


class Gaussian:
    """N(μ, Σ): density, score and samples (chapter *bayes*).

    mu: (d,); Sigma: (d, d) symmetric, no negative eigenvalue, else ValueError that names it. A
    singular Σ is allowed: the density is then with respect to volume on μ + range Σ, and 0 off it.
    """

    def __init__(self, mu: Any, Sigma: Any) -> None:
        mu = checks.real_tensor("mu", mu)
        if mu.ndim != 1:
            raise ValueError(f"mu must have shape (d,), got {tuple(mu.shape)}")
        self._build(mu, Covariance("Sigma", checks.real_tensor("Sigma", Sigma), len(mu)))

    @classmethod
    def of(cls, mu: Tensor, covariance: Covariance) -> "Gaussian":
        """A Gaussian of a covariance taken apart before, as several classes may share one."""
        made = cls.__new__(cls)
        made._build(mu, covariance)
        return made

    def _build(self, mu: Tensor, covariance: Covariance) -> None:
        self.mu, self.covariance, self.d = mu, covariance, len(mu)
        self._mu = placed(mu.double().cpu())
        self._whitener, self._null = placed(covariance.whitener), placed(covariance.null)
        self._constant = -(covariance.rank * math.log(2 * math.pi) + covariance.log_det) / 2
        self._spread = float(covariance.values.max()) ** 0.5 if covariance.rank else 0.0

    def _away(self, x: Tensor) -> Tensor:
        if not isinstance(x, Tensor) or not x.is_floating_point() or x.shape[1:] != (self.d,):
            got = f"{x.dtype} {tuple(x.shape)}" if isinstance(x, Tensor) else type(x).__name__
            raise ValueError(f"x must be a float tensor of shape (N, {self.d}), got {got}")
        return x - self._mu(x)

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x), shape (N,), in nats; -inf off the support of a singular Σ."""
        away = self._away(x)
        values = self._constant - (away @ self._whitener(x).mT).square().sum(1) / 2
        if self.covariance.rank == self.d:
            return values
        rounding = 1e3 * self.d * torch.finfo(x.dtype).eps
        size = self._spread + x.detach().norm(dim=1) + self._mu(x).norm()
        off = (away.detach() @ self._null(x)).norm(dim=1) > rounding * size
        return values.masked_fill(off, -math.inf)

    def score(self, x: Tensor) -> Tensor:
        """∇ log p(x) = -Σ⁺(x - μ), shape (N, d); it lies along the support."""
        whitener = self._whitener(x)
        return -(self._away(x) @ whitener.mT) @ whitener

    def sample(self, n: int, seed: int = 0) -> Tensor:
        """n draws, shape (n, d), in the dtype of mu; the global random state stays as it is."""
        n, seed = checks.count("n", n), checks.count("seed", seed, at_least=0)
        generator = torch.Generator().manual_seed(seed)
        noise = torch.randn(n, self.covariance.rank, generator=generator, dtype=torch.float64)
        scaled = noise * self.covariance.values.sqrt()
        return (self.mu.double().cpu() + scaled @ self.covariance.axes.mT).to(self.mu)

    @property
    def stability_limit(self) -> float:
        """4 λ_min(Σ): unadjusted Langevin steps (`sampling.ula`) of this length or more diverge.

        0 for a singular Σ: the noise of every step leaves the support.
        """
        return 4 * float(self.covariance.values[0]) if self.covariance.rank == self.d else 0.0

    def __repr__(self) -> str:
        return f"Gaussian(d={self.d}, rank={self.covariance.rank})"
