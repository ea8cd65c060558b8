"""Activation-maximization problems with a known answer. They know no network.

Each function returns a `Solution` in float64; lists, arrays and tensors are accepted and never
changed. A non-finite or misshapen argument raises ValueError that names it; a problem without a
maximum raises `UnboundedProblemError`, whose ``direction`` is one the objective grows along.
"""

from actmax_lib.closed_forms.affine import (
    affine_ball,
    affine_box,
    affine_gaussian,
    affine_l2,
    affine_l2_path,
    affine_lp,
    elastic_net,
)
from actmax_lib.closed_forms.base import Solution
from actmax_lib.closed_forms.nonlinear import (
    MaxAffine,
    MaxCoordinate,
    max_affine,
    max_coordinate,
    quadratic,
)
from actmax_lib.closed_forms.smooth import SmoothMax, first_order_beta, smooth_max
from actmax_lib.closed_forms.spectral import (
    affine_frequency,
    affine_phases,
    affine_smoothness,
    affine_spectral,
    blur_fixed_point,
    jitter_template,
)

__all__ = [
    "MaxAffine",
    "MaxCoordinate",
    "SmoothMax",
    "Solution",
    "affine_ball",
    "affine_box",
    "affine_frequency",
    "affine_gaussian",
    "affine_l2",
    "affine_l2_path",
    "affine_lp",
    "affine_phases",
    "affine_smoothness",
    "affine_spectral",
    "blur_fixed_point",
    "elastic_net",
    "first_order_beta",
    "jitter_template",
    "max_affine",
    "max_coordinate",
    "quadratic",
    "smooth_max",
]
