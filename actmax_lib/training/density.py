"""Penalties on ∇f_y = ∇ log p_θ(x|y), the score of the network's implicit density.

Chapter *score-matching*; they act on f_y, the logit of each sample's own label. share: of the
batch that they are taken over, see `penalized`.
"""

import torch
from torch import Tensor

from actmax_lib.score_matching import density_penalty, density_terms
from actmax_lib.training.losses import Loss, penalized


def score_matching(
    weight: float, *, sigma: float = 0.1, mu: float = 1e-3, antithetic: bool = True,
    share: float = 0.5,
) -> Loss:  # fmt: skip
    """Srinivas & Fleuret 2021: λ (h + ½‖∇f_y‖² + μh²), h an estimate of the trace of ∇²f_y."""

    def penalty(f, x: Tensor, generator: torch.Generator) -> Tensor:
        return density_penalty(f, x, sigma=sigma, mu=mu, antithetic=antithetic, generator=generator)

    return penalized(weight, penalty, share)


def anti_score_matching(weight: float, *, sigma: float = 0.1, most: float = 1000.0) -> Loss:
    """Their control, -λ min(h, τ): away from the score of the data, up to a trace of τ."""

    def penalty(f, x: Tensor, generator: torch.Generator) -> Tensor:
        h, _ = density_terms(f, x, sigma=sigma, generator=generator)
        return -h.clamp(max=most)

    return penalized(weight, penalty)


def gradient_norm(weight: float, *, share: float = 0.5) -> Loss:
    """Their other control, λ ½‖∇f_y‖²: score matching without the trace."""

    def penalty(f, x: Tensor, generator: torch.Generator) -> Tensor:
        x = x.detach().requires_grad_()
        (g,) = torch.autograd.grad(f(x).sum(), x, create_graph=True)
        return g.flatten(1).square().sum(1) / 2

    return penalized(weight, penalty, share)
