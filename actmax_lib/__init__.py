"""Activation maximization: five nouns and a verb.

``maximize`` climbs E_T[f(T(x(z)))] + Ω(x(z)): an objective f, a regularizer Ω, an image x(z),
a transform T, and an optimizer. The book has a chapter for each.
"""

from actmax_lib import (
    closed_forms,
    data,
    densities,
    metrics,
    sampling,
    score_matching,
    training,
    zoo,
)
from actmax_lib.errors import NonFiniteError, UnboundedProblemError, UnnormalisableError
from actmax_lib.images import Image, fourier, linear, pixels, point
from actmax_lib.learned import learned_prior
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
from actmax_lib.regularizers import (
    frequency_penalty,
    gaussian_prior,
    l2,
    lp,
    smoothness,
    total_variation,
)
from actmax_lib.spectral import blurred, maco
from actmax_lib.spectrum import magnitude_error, mean_magnitude
from actmax_lib.terms import Objective
from actmax_lib.transforms import compose, crop, jitter, noise, robust, rotate, scale

__all__ = [
    "Image",
    "NonFiniteError",
    "Objective",
    "Run",
    "UnboundedProblemError",
    "UnnormalisableError",
    "affine",
    "blurred",
    "channel",
    "closed_forms",
    "compose",
    "crop",
    "data",
    "densities",
    "direction",
    "fourier",
    "frequency_penalty",
    "function",
    "gaussian_prior",
    "jitter",
    "l2",
    "layer",
    "learned_prior",
    "linear",
    "log_prob",
    "logit",
    "lp",
    "maco",
    "magnitude_error",
    "max_coordinate",
    "maximize",
    "mean_magnitude",
    "metrics",
    "neuron",
    "noise",
    "pixels",
    "point",
    "quadratic",
    "robust",
    "rotate",
    "sampling",
    "scale",
    "score_matching",
    "smooth_max",
    "smoothness",
    "total_variation",
    "training",
    "zoo",
]
