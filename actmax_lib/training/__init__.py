"""How the book's own networks are trained: one loop, and the losses that chapters compare.

A loss is a callable (net, x (N, ...), labels (N,), generator) -> scalar to minimise. Each is named
after its paper's name for it; chapters *score-matching* and *robustness* say what it is for.
"""

from actmax_lib.training.adversarial import (
    fgsm_training,
    noise_training,
    pgd_training,
    saliency_guided,
)
from actmax_lib.training.density import anti_score_matching, gradient_norm, score_matching
from actmax_lib.training.input_gradients import (
    double_backprop,
    insensitivity,
    saliency_alignment,
)
from actmax_lib.training.interpretation import interpretation_discrepancy
from actmax_lib.training.kernels import smooth_kernels
from actmax_lib.training.loop import accuracy, fit
from actmax_lib.training.losses import (
    Scheduled,
    cross_entropy,
    mirrored,
    own_logit,
    penalized,
)

__all__ = [
    "Scheduled",
    "accuracy",
    "anti_score_matching",
    "cross_entropy",
    "double_backprop",
    "fgsm_training",
    "fit",
    "gradient_norm",
    "insensitivity",
    "interpretation_discrepancy",
    "mirrored",
    "noise_training",
    "own_logit",
    "penalized",
    "pgd_training",
    "saliency_alignment",
    "saliency_guided",
    "score_matching",
    "smooth_kernels",
]
