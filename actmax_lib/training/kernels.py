"""Smooth kernels (Wang et al. 2019). Chapter *robustness*."""

import torch
from torch import Tensor, nn

from actmax_lib import checks
from actmax_lib.training.losses import Loss, cross_entropy


def smooth_kernels(weight: float, base: Loss = cross_entropy) -> Loss:
    """Wang et al. 2019: a loss + λ Σ R₀(w) over the kernels w of all convolutions,

    R₀(w) = Σ_ij (w_ij - w_{i+1,j})² + (w_ij - w_{i,j+1})², their Dirichlet energy.
    """
    weight = checks.real("weight", weight)

    def loss(net: nn.Module, x: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        kernels = [m.weight for m in net.modules() if isinstance(m, nn.Conv2d)]
        if not kernels:
            raise ValueError("the network has no nn.Conv2d, so it has no kernels to smooth")
        return base(net, x, labels, generator) + weight * sum(map(roughness, kernels))

    return loss


def roughness(kernels: Tensor) -> Tensor:
    """Σ R₀ of kernels (..., h, w), a scalar; 0 for constant ones."""
    return sum(kernels.diff(dim=axis).square().sum() for axis in (-2, -1))
