"""Alignment of an image with the gradient that decides its class (chapter *robustness*)."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actmax_lib import checks
from actmax_lib.probes import untouched


def alignment(net: nn.Module, x: Tensor, labels: Tensor) -> Tensor:
    """α(x) = |⟨x, ∇Ψ⟩| / ‖∇Ψ‖₂, (N,) ≥ 0: how long x is along the gradient that decides.

    Ψ = f_y - f_j, where j is the class that `linear_robustness` takes its minimum at (Etmann et
    al. 2019). x: (N, ...), labels: y, (N,), in the paper the network's answers. In units of x; 0
    where ∇Ψ is 0. A linear network without bias is α(x) away from its boundary (eq:robust:linear),
    and for a ReLU network without biases α is `linear_robustness` exactly.
    The network is left as it was. Raises ValueError for a label without a logit.
    """
    _, along, size = _nearest(net, x, labels)
    return along.abs() / torch.where(size > 0, size, 1)


def linear_robustness(net: nn.Module, x: Tensor, labels: Tensor) -> Tensor:
    """min_{j≠y} (f_y - f_j) / ‖∇(f_y - f_j)‖₂, (N,): how far the linearised boundary is.

    Below 0 where y is not the answer, ±inf where all gradients are 0. Arguments as in `alignment`.
    It is the length of DeepFool's first step (Etmann et al. 2019; Moosavi-Dezfooli et al. 2016).
    """
    return _nearest(net, x, labels)[0]


def _nearest(net: nn.Module, x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(least linearised distance, ⟨x, ∇Ψ⟩, ‖∇Ψ‖) of the rival at that distance, each (N,)."""
    if not isinstance(x, Tensor) or not x.is_floating_point() or x.ndim < 2:
        raise TypeError(f"x must be a floating-point tensor (N, ...), got {x!r}")
    given, _ = checks.indices("label", labels)
    if len(given) != len(x):
        raise ValueError(f"got {len(x)} images and {len(given)} labels; give as many of each")
    with untouched([net]):
        at = x.detach().requires_grad_()
        logits = net(at)
        classes = logits.shape[1]
        if classes < 2:
            raise ValueError("the network has 1 logit; a boundary needs two classes")
        checks.in_range("label", given, classes, f"there are {classes} logits")
        own = F.one_hot(torch.tensor(given, device=x.device), classes).bool()
        gains = logits[own][:, None] - logits
        # the sum over images gives each its own gradient; class by class
        gradients = torch.stack(
            [torch.autograd.grad(g.sum(), at, retain_graph=True)[0] for g in gains.unbind(1)], 1
        )
    gradients = gradients.flatten(2)
    sizes = gradients.norm(dim=2)
    far = (gains.detach() / sizes).nan_to_num(0, math.inf, -math.inf)  # 0 / 0 is on the boundary
    distance, rival = far.masked_fill(own, math.inf).min(1)
    rows = torch.arange(len(x), device=x.device)
    along = (gradients[rows, rival] * x.detach().flatten(1)).sum(1)
    return distance, along, sizes[rows, rival]
