"""Activation maximization: five nouns and a verb.

``maximize`` climbs E_T[f(T(x(z)))] + Ω(x(z)): an objective f, a regularizer Ω, an image x(z),
a transform T, and an optimizer. The book has a chapter for each.
"""

from actmax_lib import (
    attacks,
    closed_forms,
    data,
    densities,
    metrics,
    preconditioners,
    sampling,
    score_matching,
    training,
    zoo,
)
from actmax_lib.colors import color_axes
from actmax_lib.errors import NonFiniteError, UnboundedProblemError, UnnormalisableError
from actmax_lib.features import alignment, direction, diversity, interpolation
from actmax_lib.fooling import fooled
from actmax_lib.images import Image, fourier, linear, pixels, point
from actmax_lib.learned import learned_prior
from actmax_lib.maximize import Run, maximize
from actmax_lib.objectives import (
    affine,
    channel,
    function,
    layer,
    log_prob,
    logit,
    max_coordinate,
    neuron,
    quadratic,
    smooth_max,
)
from actmax_lib.paired import accentuation, caricature, inversion
from actmax_lib.regularizers import (
    frequency_penalty,
    gaussian_prior,
    l2,
    lp,
    smoothness,
    total_variation,
)
from actmax_lib.spectral import blurred, maco, shared
from actmax_lib.spectrum import magnitude_error, mean_magnitude
from actmax_lib.stops import plateau
from actmax_lib.terms import Objective
from actmax_lib.transforms import compose, crop, jitter, noise, robust, rotate, scale
from actmax_lib.transparency import alpha_penalty, over, transparent

__all__ = [
    "Image",
    "NonFiniteError",
    "Objective",
    "Run",
    "UnboundedProblemError",
    "UnnormalisableError",
    "accentuation",
    "affine",
    "alignment",
    "alpha_penalty",
    "attacks",
    "blurred",
    "caricature",
    "channel",
    "closed_forms",
    "color_axes",
    "compose",
    "crop",
    "data",
    "densities",
    "direction",
    "diversity",
    "fooled",
    "fourier",
    "frequency_penalty",
    "function",
    "gaussian_prior",
    "interpolation",
    "inversion",
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
    "over",
    "pixels",
    "plateau",
    "point",
    "preconditioners",
    "quadratic",
    "robust",
    "rotate",
    "sampling",
    "scale",
    "score_matching",
    "shared",
    "smooth_max",
    "smoothness",
    "total_variation",
    "training",
    "transparent",
    "zoo",
]
