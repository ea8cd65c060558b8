"""Interpretation discrepancy (Boopathy et al. 2020). Chapter *robustness*."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actmax_lib import checks
from actmax_lib.attacks import climb
from actmax_lib.probes import untouched
from actmax_lib.training.adversarial import bounded, check_images
from actmax_lib.training.losses import Loss, check_labels


def interpretation_discrepancy(weight: float, eps: float, steps: int = 5) -> Loss:
    """Int (Boopathy et al. 2020): ℓ(x) + γ max_{‖δ‖_∞ ≤ ε} D(x, x + δ),

    D = ‖I_y(x) - I_y(x')‖₁ + Σ_{t≠y} π_t ‖I_t(x) - I_t(x')‖₁, π the softmax of f(x') over t ≠ y.
    I_t are the class maps ``net.maps`` (N, K, H, W), which sum to the logits up to the bias, so
    that D cannot be small where the answer changes (eq:robust:unavoidable, asserted each batch).
    """
    weight, steps = checks.real("weight", weight), checks.count("steps", steps)
    ball = bounded("linf", eps)

    def loss(net: nn.Module, x: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        check_images(x, ball)
        normal = torch.randn(x.shape, generator=generator).to(x)
        start = ball.noise(x, normal, torch.rand(len(x), generator=generator).to(x))
        with untouched([net]):
            maps = net.maps(x).detach()
            check_labels(labels, maps)
            worst = climb(
                lambda z: discrepancy(maps, net.maps(z), labels), x, start, ball,
                steps=steps, step=2.5 * eps / steps,
            )  # fmt: skip
        logits = net(x)
        maps, moved = net.maps(x), net.maps(worst)
        _assert_unavoidable(maps.detach(), moved.detach(), logits.detach(), net(worst).detach())
        return F.cross_entropy(logits, labels) + weight * discrepancy(maps, moved, labels).mean()

    return loss


def discrepancy(maps: Tensor, moved: Tensor, labels: Tensor) -> Tensor:
    """D of the maps (N, K, H, W) of x and those of x', (N,)."""
    own = F.one_hot(labels, maps.shape[1]).bool()
    logits = moved.flatten(2).sum(2)  # up to the bias
    share = logits.masked_fill(own, -torch.inf).softmax(1).masked_fill(own, 1)
    return (share * (maps - moved).abs().flatten(2).sum(2)).sum(1)


def _assert_unavoidable(maps: Tensor, moved: Tensor, before: Tensor, after: Tensor) -> None:
    """Half of ‖ΔI_t‖₁ + ‖ΔI_t'‖₁ is at least half of (f_t - f_t')(x), t, t' the two answers."""
    t, u = before.argmax(1), after.argmax(1)
    gaps = (maps - moved).abs().flatten(2).sum(2)
    left = gaps.gather(1, t[:, None]) + gaps.gather(1, u[:, None])
    right = before.gather(1, t[:, None]) - before.gather(1, u[:, None])
    if not bool((left >= right - 1e-3 * (1 + right.abs())).all()):
        raise ArithmeticError("the maps do not sum to the logits: see net.maps")
