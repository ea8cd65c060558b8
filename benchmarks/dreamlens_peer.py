"""DreamLens 0.1.1 (Apache-2.0) as it comes, one step a tick, for the comparison in ``run.py``."""

from collections.abc import Callable, Sequence

import torch
from peer_imports import prepare_imports
from torch import nn


def import_dreamlens():
    prepare_imports("dreamlens", torchvision=False)
    import dreamlens

    return dreamlens


class DreamLens:
    """``optimize`` with its standard transformations: one picture a class, one forward pass.

    net: the network, which takes images in [0, 1]; output: the name of its output layer.
    """

    def __init__(self, net: nn.Module, output: str, *, size: int) -> None:
        self.module, self.net, self.output, self.size = import_dreamlens(), net, output, size

    def prepare(self, classes: Sequence[int], steps: int) -> Callable[[Callable], None]:
        """A run of ``steps`` steps on one logit an image, which calls its argument in each step."""
        objective = self.module.Objective.neuron(self.net, self.output, list(classes))
        standard = self.module.generate_standard_transformations(self.size)

        def run(tick: Callable) -> None:
            torch.manual_seed(0)
            self.module.optimize(
                objective,
                nb_steps=steps,
                transformations=lambda images: standard(tick(images)),
                custom_shape=(self.size, self.size),
            )

        return run
