"""Claims of chapters/networks/robustness.md: what is added to all logits at once."""

import itertools

import torch
from torch import nn

from actmax_lib import attacks, logit, maximize, point, training

from . import claim
from .robustness import images, small_net
from .tools import broken, worst


class Gauged(nn.Module):
    def __init__(self, net: nn.Module, t: torch.Tensor, M: float) -> None:
        super().__init__()
        self.net, self.t, self.M = net, t, M

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x) - self.M * (x - self.t).flatten(1).square().sum(1)[:, None]


@claim(
    "prop:robust:gauge",
    statement="A function added to all logits changes no attack, and no loss that sees log p only "
    "(adversarial, noisy, saliency-guided, penalties on its gradient), but that of the logit's "
    "gradient norm; the best picture found is within L/M of the target.",
    tol=1e-8,
)
def gauge():
    errors = []
    for seed in range(3):
        net, x = small_net(seed), images(seed, 6)
        labels, t = torch.tensor([0, 1, 2, 0, 1, 2]), images(seed + 50, 1)
        twin = Gauged(net, t, 4.0).eval()
        for norm, value in itertools.product(("l2", "linf"), ("cross_entropy", "margin")):
            hits = [
                attacks.pgd(n, x, labels, eps=0.3, norm=norm, value=value, steps=8)
                for n in (net, twin)
            ]
            errors.append((hits[0] - hits[1]).numpy())
        losses = [
            training.fgsm_training(0.1), training.pgd_training(0.3), training.noise_training(0.2),
            training.saliency_guided(net, 0.1).at(1.0), training.double_backprop(1.0),
            training.insensitivity(1.0), training.saliency_alignment(1.0),
            training.gradient_norm(1.0, share=1.0),
        ]  # fmt: skip
        gaps = []
        for loss in losses:
            pair = [
                float(loss(n, x, labels, torch.Generator().manual_seed(1)).detach())
                for n in (net, twin)
            ]
            gaps.append(abs(pair[0] - pair[1]))
        errors += [gaps[:-1], broken(gaps[-1] > 1)]
        # tanh has slopes of at most 1, so these norms bound the slopes of the logits
        L = float(
            torch.linalg.matrix_norm(net[3].weight, 2) * torch.linalg.matrix_norm(net[1].weight, 2)
        )
        M = 10 * L
        best = maximize(
            logit(Gauged(net, t, M).eval(), [0, 1, 2]), point(images(seed, 3), box=(0.0, 1.0)),
            steps=400, lr=0.2 / M, optimizer="gradient", schedule="constant",
        ).images  # fmt: skip
        away = (best - t).flatten(1).norm(dim=1)
        errors.append(broken(bool((away <= L / M).all()), bool((away > 0).all())))
    return worst(*errors)
