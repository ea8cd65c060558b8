"""Activation maximization: five nouns and a verb.

``maximize`` climbs E_T[f(T(x(z)))] + Ω(x(z)): an objective f, a regularizer Ω, an image x(z),
a transform T, and an optimizer. The book has a chapter for each.
"""

from actmax_lib import closed_forms, zoo
from actmax_lib.errors import NonFiniteError, UnboundedProblemError
from actmax_lib.images import Image, fourier, linear, pixels, point
from actmax_lib.maximize import Run, maximize
from actmax_lib.objectives import (
    affine,
    channel,
    direction,
    function,
    layer,
    log_prob,
    logit,
    max_coordinate,
    neuron,
    quadratic,
    smooth_max,
)
from actmax_lib.regularizers import gaussian_prior, l2, lp, total_variation
from actmax_lib.terms import Objective
from actmax_lib.transforms import compose, crop, jitter, noise, robust, rotate, scale

__all__ = [
    "Image",
    "NonFiniteError",
    "Objective",
    "Run",
    "UnboundedProblemError",
    "affine",
    "channel",
    "closed_forms",
    "compose",
    "crop",
    "direction",
    "fourier",
    "function",
    "gaussian_prior",
    "jitter",
    "l2",
    "layer",
    "linear",
    "log_prob",
    "logit",
    "lp",
    "max_coordinate",
    "maximize",
    "neuron",
    "noise",
    "pixels",
    "point",
    "quadratic",
    "robust",
    "rotate",
    "scale",
    "smooth_max",
    "total_variation",
    "zoo",
]
