"""log p(x, k) as quadratic functions of whitened coordinates, for the searches for maximisers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np
import scipy.optimize
from scipy.special import logsumexp, softmax

if TYPE_CHECKING:
    from actmax_lib.densities.classes import GaussianClasses

Derivatives = tuple[float, np.ndarray, np.ndarray]


class Family:
    """l_j(z) = log p(x, j) at x = μ_k + A z with A Aᵀ = Σ_k: class k is N(0, I) in z.

    means: (K, r) the μ_j in z; precisions: (K, r, r); constants: (K,).
    """

    def __init__(self, classes: GaussianClasses, k: int) -> None:
        means = classes.means.double().cpu().numpy()
        own = classes.components[k].covariance
        axes, spread = own.axes.numpy(), own.values.sqrt().numpy()
        self.k, self.K, self.r = k, classes.K, own.rank
        self._origin, self._axes, self._spread = means[k], axes, spread
        self.means = (means - means[k]) @ axes / spread
        if classes.shared:
            self.precisions = np.broadcast_to(np.eye(self.r), (self.K, self.r, self.r))
        else:
            maps = [c.covariance.whitener.numpy() @ (axes * spread) for c in classes.components]
            self.precisions = np.stack([m.T @ m for m in maps])
            self.precisions[k] = np.eye(self.r)
        log_priors = classes.priors.double().log().cpu().numpy()
        self.constants = np.array([c._constant for c in classes.components]) + log_priors

    def x(self, z: np.ndarray) -> np.ndarray:
        """The point of coordinates z."""
        return self._origin + self._axes @ (self._spread * z)

    def direction(self, v: np.ndarray) -> np.ndarray:
        """The unit vector in x along v in z."""
        v = self._axes @ (self._spread * v)
        return v / np.linalg.norm(v)

    def starts(self) -> list[np.ndarray]:
        """Where to begin a search: the own mean, then the others, beyond, and at random."""
        others = np.delete(self.means, self.k, 0)
        rng = np.random.default_rng(0)
        far = 10 ** rng.uniform(0, 1.5, size=(20, 1))
        random = rng.normal(size=(20, self.r)) / np.sqrt(self.r) * far
        return [self.means[self.k], *others, *-others, *random]

    def logs(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values (K,) and gradients (K, r) of all l_j at z; their Hessians are -precisions."""
        away = self.means - z
        slopes = np.einsum("krs,ks->kr", self.precisions, away)
        return self.constants - (away * slopes).sum(1) / 2, slopes


def log_sum(values: np.ndarray, slopes: np.ndarray, hessians: np.ndarray) -> Derivatives:
    """log Σ_j exp(values_j) with gradient and Hessian."""
    p = softmax(values)
    mean = p @ slopes
    centred = slopes - mean
    curvature = np.tensordot(p, hessians, 1) + (centred * p[:, None]).T @ centred
    return float(logsumexp(values)), mean, curvature


def minimum(
    fn: Callable[[np.ndarray], Derivatives], starts: Iterable[np.ndarray]
) -> tuple[np.ndarray, float]:
    """The lowest local minimum that Newton's method with a trust region finds from the starts."""
    best, lowest = None, np.inf
    for start in starts:
        found = scipy.optimize.minimize(
            lambda z: fn(z)[0], start, jac=lambda z: fn(z)[1], hess=lambda z: fn(z)[2],
            method="trust-exact", options={"gtol": 1e-8, "maxiter": 2000},
        )  # fmt: skip
        z = found.x
        for _ in range(3):  # from 1e-8 down to rounding
            _, slope, curvature = fn(z)
            step = z - np.linalg.lstsq(curvature, slope, rcond=1e-9)[0]
            if np.linalg.norm(fn(step)[1]) >= np.linalg.norm(slope):
                break
            z = step
        value = fn(z)[0]
        if value < lowest - 1e-10 * (1 + abs(value)):  # of equal ones the first
            best, lowest = z, value
    return best, lowest
