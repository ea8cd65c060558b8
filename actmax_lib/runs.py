"""What `maximize` gives back."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Run:
    """What an ascent left.

    images: (N, ...) x at the end; values: (N,) of the objective there, without T, and of the
    image's prior where it has one (the term "prior").
    history: (steps, N) of what was climbed, under each step's T; terms: the same by term name.
    frames, frame_steps: (F, N, ...) and (F,), the pictures on the way when they were asked for.
    seconds: wall time; device: where it ran; interrupted: True after Ctrl-C; stopped: the number of
    steps after which ``stop`` ended it, None where it did not.
    """

    images: Tensor
    values: Tensor
    history: Tensor
    terms: dict[str, Tensor]
    frames: Tensor
    frame_steps: Tensor
    seconds: float
    device: torch.device
    interrupted: bool
    stopped: int | None = None
