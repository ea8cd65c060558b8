"""Training on changed images: attacks, a teacher's saliency, noise. Chapter *robustness*.

ε and σ are in units of the image, [0, 1]; a loss refuses images outside of it (ValueError).
"""

import math

import torch
from torch import Tensor, nn

from actmax_lib import checks
from actmax_lib.attacks import Ball, climb
from actmax_lib.probes import untouched
from actmax_lib.training.losses import Loss, Scheduled, cross_entropy, each_loss


def fgsm_training(eps: float) -> Loss:
    """Goodfellow, Shlens & Szegedy 2015: -log p(y | x + ε sign ∇ℓ(x)), clipped to [0, 1].

    Theirs is the mean of this and of -log p(y|x); this half alone is a step of `pgd_training`.
    """
    return _on_attacks(bounded("linf", eps), steps=1, step=eps)


def pgd_training(eps: float, norm: str = "l2", steps: int = 7) -> Loss:
    """Madry et al. 2018: min_θ E max_{‖δ‖ ≤ ε} ℓ(x + δ), the maximum by projected ascent.

    From a random point of the ball, ``steps`` steps of length 2.5 ε / steps; one step in the
    2-norm is the cheap form of it. norm: "l2" or "linf".
    """
    steps = checks.count("steps", steps)
    return _on_attacks(bounded(norm, eps), steps=steps, step=2.5 * eps / steps, random=True)


def noise_training(sigma: float) -> Loss:
    """Cohen, Rosenfeld & Kolter 2019: -log p(y | x + σξ), ξ ~ N(0, I), for a smoothed classifier.

    The control of Kaur et al. 2019: robust, and nothing in it is adversarial.
    """
    sigma = checks.real("sigma", sigma, above=0)

    def loss(net: nn.Module, x: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        noise = torch.randn(x.shape, generator=generator).to(x)
        return cross_entropy(net, x + sigma * noise, labels, generator)

    return loss


def saliency_guided(teacher: nn.Module, eps: float, *, most: float = 0.7) -> Scheduled:
    """SAT (Mangla et al. 2020): -log p(y|x'), x' = clip(x - ε[(1-w) ⊙ s + w ⊙ m]).

    m: sign of the teacher's saliency ∇_x log p_teacher(y|x); s: random signs; w ~ Bernoulli(q)
    a pixel, q rising from 0 to ``most`` in the course of training. With q = 1 and a linear network
    of two classes as its own teacher it is `fgsm_training`. (Theirs is q = 1 - aᵉᵖᵒᶜʰ/¹⁰, for tens
    of epochs, and their saliency maps are smoothed ones.)
    """
    ball, most = bounded("linf", eps), checks.real("most", most)
    if not 0 <= most <= 1:
        raise ValueError(f"most is a probability, in [0, 1], got {most:g}")

    def at(progress: float) -> Loss:
        q = most * progress

        def loss(net: nn.Module, x: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
            check_images(x, ball)
            with untouched([teacher]):
                z = x.detach().requires_grad_()
                (g,) = torch.autograd.grad(each_loss(teacher, labels)(z).sum(), z)
            random = torch.rand(2, *x.shape, generator=generator).to(x)
            signs = torch.where(random[0] < 0.5, -1.0, 1.0)
            x = ball.project(x + ball.eps * torch.where(random[1] < q, g.sign(), signs), x)
            return cross_entropy(net, x, labels, generator)

        return loss

    return Scheduled(at)


def bounded(norm: str, eps: float) -> Ball:
    """The `Ball` to train in; ValueError for one without an end."""
    ball = Ball(norm, eps)
    if math.isinf(ball.eps):
        raise ValueError("eps must be finite, got inf; no network can be right on every image")
    return ball


def check_images(x: Tensor, ball: Ball) -> None:
    """Raise ValueError for images outside [0, 1] or an ε in the units of 0 ... 255."""
    ball.check_units(x)
    if not bool(((x >= 0) & (x <= 1)).all()):
        raise ValueError(
            f"images must be in [0, 1], got {float(x.min()):.4g} to {float(x.max()):.4g}; "
            "divide 8-bit images by 255"
        )


def _on_attacks(ball: Ball, *, steps: int, step: float, random: bool = False) -> Loss:
    """Cross-entropy on what an attack makes of the batch; the attacked network does not train."""

    def loss(net: nn.Module, x: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        check_images(x, ball)
        start = x
        if random:
            normal = torch.randn(x.shape, generator=generator).to(x)
            start = ball.noise(x, normal, torch.rand(len(x), generator=generator).to(x))
        with untouched([net]):
            x = climb(each_loss(net, labels), x, start, ball, steps=steps, step=step)
        return cross_entropy(net, x, labels, generator)

    return loss
