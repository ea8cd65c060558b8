"""Between the surest input and the commonest one: log p(k|x) + γ log p(x)."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from actmax_lib import checks
from actmax_lib.densities.certain import most_certain
from actmax_lib.densities.classes import GaussianClasses
from actmax_lib.densities.family import Derivatives, Family, log_sum, minimum
from actmax_lib.objectives import function
from actmax_lib.terms import Objective


def gamma_objective(classes: GaussianClasses, k: int, gamma: float) -> Objective:
    """L_γ(x) = log p(k | x) + γ log p(x), γ >= 0 (eq:bayes:gamma), to give to `maximize`.

    γ = 0 asks for certainty alone, γ = 1 is log p(x, k), and a large γ forgets the class.
    """
    _check(classes)
    k, gamma = classes.label(k), _gamma(gamma)

    def fn(x: Tensor) -> Tensor:
        joint = classes.log_joint(x)  # γ = 1 without a detour through the posterior
        return joint[:, k] + (gamma - 1) * joint.logsumexp(1)

    return function(fn, f"log p({k}|x) + {gamma:g} log p(x)")


def gamma_path(classes: GaussianClasses, k: int, gammas: Sequence[float]) -> Tensor:
    """The maximisers of L_γ, shape (G, d), one for each of the ``gammas`` (G,), all >= 0.

    For γ <= 1 and a shared covariance the problem is strictly concave and the answer exact. Else
    it is the best of the local maxima found from the class means, from the point before on the
    path and, where the covariances differ, from beyond the means and at random. γ = 0 is
    `GaussianClasses.most_certain`, with its UnboundedProblemError.
    """
    _check(classes)
    k, given = classes.label(k), [_gamma(gamma) for gamma in gammas]
    if not given:
        raise ValueError("gammas is empty; give at least one value >= 0")
    family = Family(classes, k)
    starts = family.starts()
    if classes.shared:  # for γ > 1 every stationary point is an average of the means
        starts = [starts[0], *family.means, family.means.mean(0)]
    rows, before = [], starts[0]
    for gamma in given:
        if gamma == 0:
            rows.append(most_certain(classes, k))
            continue

        def cost(z: np.ndarray, gamma: float = gamma) -> Derivatives:
            values, slopes = family.logs(z)
            whole, slope, curvature = log_sum(values, slopes, -family.precisions)
            return (
                -(values[k] + (gamma - 1) * whole),
                -(slopes[k] + (gamma - 1) * slope),
                family.precisions[k] - (gamma - 1) * curvature,
            )

        alone = classes.shared and gamma <= 1
        before, _ = minimum(cost, starts[:1] if alone else [before, *starts])
        rows.append(torch.from_numpy(family.x(before)).to(classes.means))
    return torch.stack(rows)


def _check(classes: GaussianClasses) -> None:
    if not isinstance(classes, GaussianClasses):
        raise TypeError(f"classes must be GaussianClasses, got {type(classes).__name__}")


def _gamma(gamma: float) -> float:
    gamma = checks.real("gamma", gamma)
    if gamma < 0:
        raise ValueError(f"gamma must be >= 0, got {gamma:g}: a negative one rewards rare inputs")
    return gamma
