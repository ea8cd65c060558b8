"""The loop that every network of the book went through."""

import math
import os

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from actmax_lib import checks
from actmax_lib.training.checkpoints import Checkpoint
from actmax_lib.training.losses import Loss, Scheduled, check_labels

CLIP = 1.0  # norm of a step's gradient: the square of a noisy trace has rare, huge gradients


def fit(
    net: nn.Module,
    loss: Loss | Scheduled,
    images: Tensor,
    labels: Tensor,
    *,
    epochs: int,
    batch: int = 128,
    lr: float = 4e-3,
    seed: int = 0,
    precision: torch.dtype | None = None,
    checkpoint: str | os.PathLike | None = None,
    progress: bool = False,
) -> list[float]:
    """Train ``net`` in place (Adam, one cycle of the learning rate); mean loss of each epoch.

    images: (n, ...) in [0, 1]; labels: (n,). seed: order of the samples and noise of the loss; the
    start of the weights is the caller's. A last batch that is not full is left out. precision:
    torch.bfloat16 runs the network under autocast, twice as fast on processors that have it.
    checkpoint: a file that is written after each epoch; when it is there, training goes on where
    it was, and on a CPU ends with the bits of a run that was not stopped. The caller removes it.

    Raises TypeError for images that are no floating-point tensor, ValueError for data that are
    empty or of two lengths, or fewer than one batch, or (from the losses here) a label that the
    network has no logit for, ArithmeticError when the loss is no longer finite, and DataFileError
    for a checkpoint that is damaged or of another run.
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
    state = Checkpoint(
        checkpoint, net, optimizer, schedule, generator,
        run={"epochs": epochs, "batch": batch, "lr": lr, "seed": seed, "images": len(images),
             "precision": str(precision), "labels": labels[:1000].tolist()},
    )  # fmt: skip
    history = state.resume()
    net.train()
    for epoch in tqdm(range(len(history), epochs), disable=not progress, unit="epoch"):
        of_epoch = loss.at(epoch / max(1, epochs - 1)) if isinstance(loss, Scheduled) else loss
        order = torch.randperm(len(images), generator=generator)
        total = 0.0
        for rows in order[: steps * batch].view(steps, batch):
            with _autocast(images.device, precision):
                value = of_epoch(net, images[rows], labels[rows], generator)
            optimizer.zero_grad()
            value.backward()
            nn.utils.clip_grad_norm_(net.parameters(), CLIP)
            optimizer.step()
            schedule.step()
            total += float(value.detach())
        if not math.isfinite(total):
            raise ArithmeticError(f"the loss is not finite in epoch {epoch}; lower lr={lr:g}")
        history.append(total / steps)
        state.save(history)
    net.eval()
    return history


def _autocast(device: torch.device, precision: torch.dtype | None):
    return torch.autocast(device.type, precision, enabled=precision is not None)


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
        check_labels(y, logits)
        hits += int((logits.argmax(1) == y).sum())
    return hits / len(images)
