"""Lucent 0.1.8 (Apache-2.0) as it comes, one step a tick, for the comparison in ``run.py``."""

import copy
from collections.abc import Callable, Sequence

import numpy as np
from peer_imports import prepare_imports
from torch import nn


def import_lucent():
    """Lucent's modules (objectives, param, render, transform); of torchvision it needs only
    ``Normalize``."""
    prepare_imports("lucent")
    from lucent.optvis import objectives, param, render, transform

    return objectives, param, render, transform


class Lucent:
    """``render_vis`` with its default transforms, ``fft=True, decorrelate=True``.

    net: the network; output: Lucent's name for its output layer; preprocess: Lucent's own input
    normalization, for a network that does not carry one.
    """

    def __init__(self, net: nn.Module, output: str, preprocess: bool, *, size: int) -> None:
        self.objectives, self.param, self.render, self.transform = import_lucent()
        self.net, self.output, self.preprocess, self.size = net, output, preprocess, size

    def prepare(
        self, classes: Sequence[int], steps: int, seed: int = 0
    ) -> Callable[[Callable], None]:
        """A run of ``steps`` steps on one logit an image, which calls its argument in each step.

        On a copy of the network: Lucent never removes its hooks, so they would pile up.
        """
        net = copy.deepcopy(self.net)
        objective = sum(
            self.objectives.channel(self.output, index, batch=k) for k, index in enumerate(classes)
        )

        def run(tick: Callable) -> None:
            np.random.seed(seed)  # the transforms'; the picture starts from torch's
            self.render.render_vis(
                net,
                objective,
                lambda: self.param.image(self.size, batch=len(classes), fft=True, decorrelate=True),
                transforms=[tick, *self.transform.standard_transforms],
                thresholds=(steps,),
                preprocess=self.preprocess,
                progress=False,
                show_image=False,
            )

        return run
