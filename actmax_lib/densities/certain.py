"""argmax_x p(k | x) of Gaussian classes: where it is, or along which ray it runs away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.optimize
import torch
from torch import Tensor

from actmax_lib.densities.family import Derivatives, Family, log_sum, minimum
from actmax_lib.errors import UnboundedProblemError

if TYPE_CHECKING:
    from actmax_lib.densities.classes import GaussianClasses

FLAT = 1e-9  # curvatures and slopes below this, in units of the class's own spread, count as 0
FAR = 1e6  # a search that gets this many spreads away is on its way to infinity


def most_certain(classes: GaussianClasses, k: int) -> Tensor:
    """See `GaussianClasses.most_certain`.

    p(k|x) = 1 / (1 + Σ_j exp q_j) with q_j = log p(x, j) - log p(x, k), j ≠ k: minimise the sum.
    """
    if classes.K == 1:
        return classes.prototype(k)
    family = Family(classes, k)
    others = [j for j in range(classes.K) if j != k]
    hessians = np.eye(family.r) - family.precisions[others]
    hessians[np.abs(hessians) < FLAT] = 0.0

    def cost(z: np.ndarray) -> Derivatives:
        values, slopes = family.logs(z)
        return log_sum(values[others] - values[k], slopes[others] - slopes[k], hessians)

    slopes = family.logs(np.zeros(family.r))[1][others]
    lowest = [np.linalg.eigvalsh(h)[0] for h in hessians]
    starts = family.starts()
    if min(lowest) >= -FLAT:  # the class is the narrowest: each exp q_j is convex
        v, starts = _recession(hessians, slopes), starts[:1]
    else:
        v = _falling(hessians, slopes)
    if v is None:
        z, _ = minimum(cost, starts)
        if np.linalg.norm(z) < FAR:
            return torch.from_numpy(family.x(z)).to(classes.means)
        v = z
    direction = torch.from_numpy(family.direction(v)).to(classes.means)
    raise UnboundedProblemError(
        f"p({k} | x) has a supremum but no maximum: far out along .direction it rises for ever. "
        "There is no most certain input; add γ log p(x) with γ > 0, or keep x in a box",
        direction,
    )


def _recession(hessians: np.ndarray, slopes: np.ndarray) -> np.ndarray | None:
    """A direction along which no q_j rises and one falls, of convex q_j; None if there is none."""
    values, axes = np.linalg.eigh(hessians.sum(0))
    level = axes[:, values < FLAT]  # no q_j bends along these
    a = slopes @ level
    size = np.abs(a).max(initial=0.0)
    if size < FLAT:
        return None
    # the point of conv{a_j} nearest to 0 is the steepest way down for all at once ...
    weights, _ = scipy.optimize.nnls(
        np.vstack([a.T / size, np.ones(len(a))]), np.eye(a.shape[1] + 1)[-1]
    )
    nearest = weights @ a / weights.sum()
    if np.linalg.norm(nearest) > 1e-7 * size:
        return -level @ nearest
    # ... and where 0 is in it, some may still stay level while others fall
    found = scipy.optimize.linprog(
        a.sum(0) / size, A_ub=a / size, b_ub=np.zeros(len(a)), bounds=(-1, 1)
    )
    return level @ found.x if found.fun < -1e-7 else None


def _falling(hessians: np.ndarray, slopes: np.ndarray) -> np.ndarray | None:
    """A direction along which every q_j bends down, so that all of them tend to -inf."""
    rng = np.random.default_rng(0)
    mixes = np.vstack([np.eye(len(hessians)), rng.dirichlet(np.ones(len(hessians)), 200)])
    if len(hessians) == 1:
        mixes = mixes[:1]
    tried = [-slopes.sum(0)]  # the way down at the mean, where every way bends down alike
    tried += [np.linalg.eigh(np.tensordot(m, hessians, 1))[1][:, 0] for m in mixes]
    tried += list(rng.normal(size=(200, hessians.shape[1])))
    tried = [v / max(np.linalg.norm(v), FLAT) for v in tried]
    bends = np.array([max(v @ h @ v for h in hessians) for v in tried])
    best = int(np.flatnonzero(bends <= bends.min() + FLAT)[0])
    if bends[best] >= -FLAT:
        return None
    v = tried[best]
    return v if (slopes @ v).sum() <= 0 else -v
