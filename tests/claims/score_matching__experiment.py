"""Claims of chapters/probability/score-matching.md: what the stability term does by itself."""

import torch
from scipy import optimize

from actmax_lib import score_matching as sm

from . import claim
from .tools import rng, worst


def penalty_at_the_vertex(trace, mu):
    """The library's penalty of a parabola where ∇f = 0, always with the same probe."""
    at, generator = torch.zeros(1, 3, dtype=torch.float64), torch.Generator().manual_seed(5)

    def f(x):
        return x.square().sum(1) * trace / (2 * at.numel())

    with torch.no_grad():
        return float(sm.density_penalty(f, at, sigma=0.5, mu=mu, generator=generator))


@claim(
    "eq:score:floor",
    "prop:score:floor",
    statement="h + μh² is smallest at -1/(2μ), with the value -1/(4μ): Brent's method on the "
    "library's penalty of parabolas.",
    tol=1e-6,
)
def floor():
    errors, seen = [], penalty_at_the_vertex(1.0, 0.0)  # the estimate is this times the trace
    for mu in rng(11).uniform(1e-3, 1e-1, 6):
        found = optimize.minimize_scalar(
            penalty_at_the_vertex, bracket=(-3 / mu, 1 / mu), args=(mu,), tol=1e-12
        )
        errors += [seen * found.x * 2 * mu + 1, found.fun * 4 * mu + 1]
    return worst(*errors)
