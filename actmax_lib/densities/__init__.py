"""Densities over inputs: Gaussian ones with every answer known, and those a classifier implies.

Points are rows, (N, d) or (N, ...); values come back one a row, in the float type of the points.
The chapters *bayes* and *implicit-density* use them.
"""

from actmax_lib.densities.asymptotic import asymptotic_slope, check_normalisable
from actmax_lib.densities.classes import GaussianClasses
from actmax_lib.densities.gamma import gamma_objective, gamma_path
from actmax_lib.densities.gaussian import Gaussian
from actmax_lib.densities.grid import GridDensity, hybrid_joint, implicit_density, lse_energy

__all__ = [
    "Gaussian",
    "GaussianClasses",
    "GridDensity",
    "asymptotic_slope",
    "check_normalisable",
    "gamma_objective",
    "gamma_path",
    "hybrid_joint",
    "implicit_density",
    "lse_energy",
]
