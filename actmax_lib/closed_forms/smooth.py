"""The smooth maximum f_beta(x) = log(sum exp(beta x_i)) / beta with the l2 penalty.

Its maximisers have at most one large coordinate and the others equal: the mean-field Potts model
(Wu, Rev. Mod. Phys. 54, 1982, section I.D); chapter *max-example*. Write the softmax of beta x as
p = (1 + (d-1) s, 1 - s, ..., 1 - s) / d. Then x = p / (2 lam) is stationary iff

    log(1 + (d-1) s) - log(1 - s) = c s,    c = beta / (2 lam).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import logsumexp

from actmax_lib import checks
from actmax_lib.closed_forms.base import Solution, penalty_weight, positive, quiet


@dataclass(frozen=True, eq=False)
class SmoothMax(Solution):
    """symmetric: (d,), the stationary point on the diagonal; local: all local maximisers.

    Between two temperatures the symmetric point and the broken ones are both local maximisers.
    """

    symmetric: np.ndarray | None = None
    symmetric_value: float | None = None
    local: tuple[np.ndarray, ...] = ()


def first_order_beta(lam: Any, d: Any) -> float:
    """beta_1: below it the symmetric point is the global maximiser, above it the d broken ones are.

    4 lam (d-1) log(d-1) / (d-2) for d >= 3 (eq:max:first-order), where the maximiser jumps; its
    limit 4 lam for d = 2 (eq:max:critical), where the two branches leave it continuously.
    """
    lam, d = positive("lam", lam), checks.count("d", d, at_least=2)
    return 4 * lam * ((d - 1) * math.log(d - 1) / (d - 2) if d > 2 else 1.0)


def _broken(c: float, d: int) -> tuple[float, float] | None:
    """The softmax entries (large, small) of the outermost root of the equation above, if any."""
    discriminant = (d - 2) ** 2 + 4 * (d - 1) * (1 - d / c)
    if discriminant <= 0:
        return None
    lowest = ((d - 2) + math.sqrt(discriminant)) / (2 * (d - 1))  # where left - right is smallest

    def excess(y: float) -> float:
        # in y = -log(1 - s), which keeps the small entries exact
        s = -math.expm1(-y)
        return math.log1p((d - 1) * s) + y - c * s

    start = -math.log1p(-lowest) if lowest < 1 else math.inf
    if not (0 < start < c + 1 and excess(start) < 0):
        return None
    y = brentq(excess, start, c + 1, xtol=1e-15, rtol=8.9e-16)
    small = math.exp(-y) / d
    return 1 - (d - 1) * small, small


@quiet
def smooth_max(lam: Any, beta: Any, d: Any = 2) -> SmoothMax:
    """All maximisers of log(sum exp(beta x_i)) / beta - lam |x|^2 over R^d (prop:max:pitchfork).

    lam > 0, else UnboundedProblemError; beta > 0 (inverse temperature); d >= 1. Global: the
    symmetric point for beta < first_order_beta(lam, d), the d broken points above, all d + 1 at it
    (to a relative 1e-12 of beta, d >= 3).
    """
    d, beta = checks.count("d", d), positive("beta", beta)
    lam = penalty_weight("lam", lam, np.eye(d)[0])
    c = beta / (2 * lam)
    if not (math.isfinite(c) and c > 0):
        raise ValueError(f"beta / lam = {beta!r} / {lam!r} leaves float64; take a smaller beta")

    def terms(x: np.ndarray) -> tuple[float, float]:
        return float(logsumexp(beta * x)) / beta, -lam * float(x @ x)

    middle = np.full(d, 1 / (2 * lam * d))
    entries = _broken(c, d) if d > 1 else None
    branches: list[np.ndarray] = []
    if entries is not None:
        large, small = entries
        branches = list((small + (large - small) * np.eye(d)) / (2 * lam))
    # the symmetric point is a local maximiser until beta = 2 d lam
    stable = [middle] if c < d or not branches else []
    switch = first_order_beta(lam, d) if d > 1 else math.inf
    if branches and d > 2 and math.isclose(beta, switch, rel_tol=1e-12):
        best = [*stable, *branches]
    else:
        best = branches if branches and beta > switch else [middle]
    return SmoothMax(
        best[0], *terms(best[0]), tuple(best[1:]), len(best) == 1,
        symmetric=middle, symmetric_value=sum(terms(middle)), local=(*stable, *branches),
    )  # fmt: skip
