"""Cross-entropy plus a price on its gradient with respect to the image. Chapter *robustness*."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actmax_lib import checks
from actmax_lib.training.losses import Loss, check_labels


def double_backprop(weight: float) -> Loss:
    """Ross & Doshi-Velez 2018: ℓ + λ‖∇_x ℓ‖², ℓ = -log p(y|x); the mean over the batch."""
    return _with_gradient(weight, _loss, lambda g: g.square().sum(1))


def insensitivity(weight: float) -> Loss:
    """Ross & Doshi-Velez 2018, their second form: ℓ + λ‖∇_x (1/K) Σ_k log p(k|x)‖²."""
    return _with_gradient(weight, _uniform, lambda g: g.square().sum(1))


def saliency_alignment(weight: float) -> Loss:
    """Etmann et al. 2019: ℓ + λ‖∇_x ℓ‖, the norm and not its square: a Lipschitz penalty."""
    # the derivative of the norm at 0 is none; 1e-12 is far below a gradient of float32
    return _with_gradient(weight, _loss, lambda g: (g.square().sum(1) + 1e-12).sqrt())


def _loss(logits: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(logits, labels, reduction="none")


def _uniform(logits: Tensor, labels: Tensor) -> Tensor:
    return logits.log_softmax(1).mean(1)


def _with_gradient(
    weight: float,
    value: Callable[[Tensor, Tensor], Tensor],
    size: Callable[[Tensor], Tensor],
) -> Loss:
    """-log p(y|x) + λ size(∇_x value), both from one pass."""
    weight = checks.real("weight", weight)

    def loss(net: nn.Module, x: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        x = x.detach().requires_grad_()
        logits = net(x)
        check_labels(labels, logits)
        (g,) = torch.autograd.grad(value(logits, labels).sum(), x, create_graph=True)
        return _loss(logits, labels).mean() + weight * size(g.flatten(1)).mean()

    return loss
