"""Attacks: the image within ε of a given one that a network answers worst.

The problem is activation maximization with a ball around a photograph in the place of a
regularizer: max log p(k|x) or max -log p(y|x) subject to ‖x' - x‖ ≤ ε and x' in [0, 1]
(prop:robust:one-program). Images are (N, C, H, W) in [0, 1], labels int64 (N,), ε is in units of
the image: 8 of 255 is ``8 / 255``. Chapter *robustness*.
"""

from actmax_lib.attacks.balls import Ball, climb
from actmax_lib.attacks.boundary import boundary_distance, deepfool
from actmax_lib.attacks.evaluation import Robustness, robust_accuracy
from actmax_lib.attacks.gradient import fgsm, pgd
from actmax_lib.attacks.search import square
from actmax_lib.attacks.values import loss_of, margin

__all__ = [
    "Ball",
    "Robustness",
    "boundary_distance",
    "climb",
    "deepfool",
    "fgsm",
    "loss_of",
    "margin",
    "pgd",
    "robust_accuracy",
    "square",
]
