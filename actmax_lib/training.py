"""How the book's own networks are trained: one loop, and the losses that chapters compare.

A loss is a callable (net, x (N, ...), labels (N,), generator) -> scalar to minimise. The penalties
of the chapter *score-matching* act on f_y, the logit of each sample's own label, because
∇f_y = ∇ log p_θ(x|y) in the network's implicit density.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm.auto import tqdm

from actmax_lib import checks
from actmax_lib.score_matching import density_penalty, density_terms

Loss = Callable[[nn.Module, Tensor, Tensor, torch.Generator], Tensor]
Penalty = Callable[[Callable[[Tensor], Tensor], Tensor, torch.Generator], Tensor]

CLIP = 1.0  # norm of a step's gradient: the square of a noisy trace has rare, huge gradients


def cross_entropy(net: nn.Module, x: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
    """-log p(y|x), the mean over the batch: what *standard* means."""
    logits = net(x)
    _check_labels(labels, logits)
    return F.cross_entropy(logits, labels)


def penalized(weight: float, penalty: Penalty, share: float = 0.5) -> Loss:
    """Cross-entropy + λ × the mean penalty of f_y over the first ``share`` of the batch.

    penalty: (f, x, generator) -> (N,). A second derivative costs several times the rest of a step,
    and batches are shuffled, so half of the batch is an unbiased estimate at half the price.
    """
    weight = checks.real("weight", weight)
    share = checks.real("share", share, above=0)
    if share > 1:
        raise ValueError(f"share must be in (0, 1], got {share}")

    def loss(net: nn.Module, x: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        some = max(1, round(share * len(x)))
        f = own_logit(net, labels[:some])
        return (
            cross_entropy(net, x, labels, generator)
            + weight * penalty(f, x[:some], generator).mean()
        )

    return loss


def own_logit(net: nn.Module, labels: Tensor) -> Callable[[Tensor], Tensor]:
    """x (N, ...) -> f_y(x) (N,), y the label of each sample; ValueError for another number."""

    def f(x: Tensor) -> Tensor:
        if len(x) != len(labels):
            raise ValueError(f"got {len(x)} samples and {len(labels)} labels; give as many of each")
        return net(x).gather(1, labels[:, None])[:, 0]

    return f


def score_matching(
    weight: float, *, sigma: float = 0.1, mu: float = 1e-3, antithetic: bool = True
) -> Loss:
    """Srinivas & Fleuret 2021: λ (h + ½‖∇f_y‖² + μh²), h an estimate of the trace of ∇²f_y."""

    def penalty(f, x: Tensor, generator: torch.Generator) -> Tensor:
        return density_penalty(f, x, sigma=sigma, mu=mu, antithetic=antithetic, generator=generator)

    return penalized(weight, penalty)


def anti_score_matching(weight: float, *, sigma: float = 0.1, most: float = 1000.0) -> Loss:
    """Their control, -λ min(h, τ): away from the score of the data, up to a trace of τ."""

    def penalty(f, x: Tensor, generator: torch.Generator) -> Tensor:
        h, _ = density_terms(f, x, sigma=sigma, generator=generator)
        return -h.clamp(max=most)

    return penalized(weight, penalty)


def gradient_norm(weight: float) -> Loss:
    """Their other control, λ ½‖∇f_y‖²: score matching without the trace."""

    def penalty(f, x: Tensor, generator: torch.Generator) -> Tensor:
        x = x.detach().requires_grad_()
        (g,) = torch.autograd.grad(f(x).sum(), x, create_graph=True)
        return g.flatten(1).square().sum(1) / 2

    return penalized(weight, penalty)


def fit(
    net: nn.Module,
    loss: Loss,
    images: Tensor,
    labels: Tensor,
    *,
    epochs: int,
    batch: int = 128,
    lr: float = 4e-3,
    seed: int = 0,
    progress: bool = False,
) -> list[float]:
    """Train ``net`` in place (Adam, one cycle of the learning rate); mean loss of each epoch.

    images: (n, ...) in [0, 1]; labels: (n,). seed: order of the samples and noise of the loss; the
    start of the weights is the caller's. A last batch that is not full is left out.
    Raises TypeError for images that are no floating-point tensor, ValueError for data that are
    empty or of two lengths, or fewer than one batch, or (from the losses here) a label that the
    network has no logit for, and ArithmeticError when the loss is no longer finite.
    """
    epochs, batch = checks.count("epochs", epochs), checks.count("batch", batch)
    if len(images) != len(labels) or len(images) < batch:
        raise ValueError(
            f"got {len(images)} images and {len(labels)} labels; give as many of each, "
            f"and at least one batch of {batch}"
        )
    if not images.is_floating_point():
        raise TypeError(f"images must be in [0, 1], got {images.dtype}; see Dataset.images")
    generator = torch.Generator().manual_seed(checks.count("seed", seed, at_least=0))
    steps = len(images) // batch
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, lr, total_steps=epochs * steps, pct_start=0.2
    )
    net.train()
    history = []
    for epoch in tqdm(range(epochs), disable=not progress, unit="epoch"):
        order = torch.randperm(len(images), generator=generator)
        total = 0.0
        for rows in order[: steps * batch].view(steps, batch):
            value = loss(net, images[rows], labels[rows], generator)
            optimizer.zero_grad()
            value.backward()
            nn.utils.clip_grad_norm_(net.parameters(), CLIP)
            optimizer.step()
            schedule.step()
            total += float(value.detach())
        if not math.isfinite(total):
            raise ArithmeticError(f"the loss is not finite in epoch {epoch}; lower lr={lr:g}")
        history.append(total / steps)
    net.eval()
    return history


@torch.no_grad()
def accuracy(net: nn.Module, images: Tensor, labels: Tensor, batch: int = 1000) -> float:
    """The share of images whose largest logit is their label's.

    images: (n, ...); labels: (n,) in 0 ... K - 1, else ValueError.
    """
    if len(images) == 0 or len(images) != len(labels):
        raise ValueError(f"got {len(images)} images and {len(labels)} labels; give as many of each")
    hits = 0
    for x, y in zip(images.split(batch), labels.split(batch), strict=True):
        logits = net(x)
        _check_labels(y, logits)
        hits += int((logits.argmax(1) == y).sum())
    return hits / len(images)


def _check_labels(labels: Tensor, logits: Tensor) -> None:
    if labels.dtype != torch.int64:
        raise TypeError(f"labels must be an int64 tensor, got {labels.dtype}")
    wrong = labels[(labels < 0) | (labels >= logits.shape[1])]
    if len(wrong):
        raise ValueError(
            f"label {int(wrong[0])} is out of range: there are {logits.shape[1]} logits"
        )
