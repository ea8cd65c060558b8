"""Cross-entropy, and what the other losses are made with."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from actmax_lib import checks

Loss = Callable[[nn.Module, Tensor, Tensor, torch.Generator], Tensor]
Penalty = Callable[[Callable[[Tensor], Tensor], Tensor, torch.Generator], Tensor]


@dataclass(frozen=True)
class Scheduled:
    """A loss that changes in the course of training: ``at(progress)``, asked once an epoch.

    progress: from 0 in the first epoch to 1 in the last.
    """

    at: Callable[[float], Loss]


def cross_entropy(net: nn.Module, x: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
    """-log p(y|x), the mean over the batch: what *standard* means."""
    logits = net(x)
    check_labels(labels, logits)
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
        with batch_statistics(net) as statistics:
            fit = cross_entropy(net, x, labels, generator)
        with statistics():
            f = own_logit(net, labels[:some])
            return fit + weight * penalty(f, x[:some], generator).mean()

    return loss


def own_logit(net: nn.Module, labels: Tensor) -> Callable[[Tensor], Tensor]:
    """x (N, ...) -> f_y(x) (N,), y the label of each sample; ValueError for another number."""

    def f(x: Tensor) -> Tensor:
        if len(x) != len(labels):
            raise ValueError(f"got {len(x)} samples and {len(labels)} labels; give as many of each")
        return net(x).gather(1, labels[:, None])[:, 0]

    return f


def mirrored(loss: Loss) -> Loss:
    """``loss`` on images (N, C, H, W) of which each is turned left to right with probability ½."""

    def turned(net: nn.Module, x: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        coin = torch.rand(len(x), 1, 1, 1, generator=generator).to(x.device) < 0.5
        return loss(net, torch.where(coin, x.flip(3), x), labels, generator)

    return turned


@contextmanager
def batch_statistics(net: nn.Module) -> Iterator[Callable]:
    """Within, one pass of a batch; it gives a context in which batch norm keeps its statistics.

    There each sample is treated by itself, as in evaluation mode, and the statistics are still
    functions of the weights: a penalty on ∇f cannot be had for nothing by smaller weights, whose
    size the norm takes out again.
    """
    seen: dict[_BatchNorm, tuple[Tensor, Tensor]] = {}

    def note(module: _BatchNorm, inputs: tuple[Tensor]) -> None:
        over = [axis for axis in range(inputs[0].ndim) if axis != 1]
        var, mean = torch.var_mean(inputs[0], over, correction=0)
        seen[module] = mean, var

    norms = [m for m in net.modules() if isinstance(m, _BatchNorm) and m.training]
    hooks = [module.register_forward_pre_hook(note) for module in norms]
    try:
        yield lambda: _kept(seen)
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def _kept(seen: dict[_BatchNorm, tuple[Tensor, Tensor]]) -> Iterator[None]:
    for module, (mean, var) in seen.items():
        weight, bias = (module.weight, module.bias) if module.affine else (1, 0)
        gain = weight / (var + module.eps).sqrt()
        module.forward = partial(_scaled, gain=gain, shift=bias - mean * gain)
    try:
        yield
    finally:
        for module in seen:
            del module.forward


def _scaled(y: Tensor, gain: Tensor, shift: Tensor) -> Tensor:
    shape = (-1, *[1] * (y.ndim - 2))  # (N, C) or (N, C, H, W)
    return y * gain.view(shape) + shift.view(shape)


def each_loss(net: nn.Module, labels: Tensor) -> Callable[[Tensor], Tensor]:
    """x (N, ...) -> -log p(y|x) (N,)."""

    def f(x: Tensor) -> Tensor:
        logits = net(x)
        check_labels(labels, logits)
        return F.cross_entropy(logits, labels, reduction="none")

    return f


def check_labels(labels: Tensor, logits: Tensor) -> None:
    """Raise TypeError or ValueError that names the first label without a logit."""
    if labels.dtype != torch.int64:
        raise TypeError(f"labels must be an int64 tensor, got {labels.dtype}")
    wrong = labels[(labels < 0) | (labels >= logits.shape[1])]
    if len(wrong):
        raise ValueError(
            f"label {int(wrong[0])} is out of range: there are {logits.shape[1]} logits"
        )
