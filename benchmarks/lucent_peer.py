"""Lucent 0.1.8 (Apache-2.0) as it comes, one step a tick, for the comparison in ``run.py``."""

import copy
import importlib.util
import re
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn


def import_lucent():
    """Lucent's modules (objectives, param, render, transform).

    Beside a CPU-only torch torchvision misses its compiled operators and does not import.
    Lucent needs only its ``Normalize``, so the operators are declared, and never called.
    """
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        _declare_torchvision_operators()
    from lucent.optvis import objectives, param, render, transform

    return objectives, param, render, transform


def _declare_torchvision_operators() -> None:
    (folder,) = importlib.util.find_spec("torchvision").submodule_search_locations
    source = Path(folder, "_meta_registrations.py").read_text(encoding="utf-8")
    library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in sorted(set(re.findall(r"torchvision::(\w+)", source))):
        library.define(f"{operator}(Tensor x) -> Tensor")
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    _declare_torchvision_operators.library = library  # the declarations live as long as this does


class Lucent:
    """``render_vis`` with its default transforms, ``fft=True, decorrelate=True``.

    net: the network; output: the name Lucent has for its output layer; preprocess: Lucent's own
    input normalization, for a network that does not carry one.
    """

    def __init__(self, net: nn.Module, output: str, *, size: int, preprocess: bool) -> None:
        self.objectives, self.param, self.render, self.transform = import_lucent()
        self.net, self.output, self.size, self.preprocess = net, output, size, preprocess

    def prepare(self) -> nn.Module:
        """A copy of the network: Lucent never removes its hooks, so each run needs a fresh one."""
        return copy.deepcopy(self.net)

    def run(self, net: nn.Module, classes: Sequence[int], steps: int, tick: Callable) -> None:
        """``steps`` steps of ascent on one logit an image; ``tick(x)`` is called in each."""
        np.random.seed(0)
        objective = sum(
            self.objectives.channel(self.output, index, batch=k) for k, index in enumerate(classes)
        )
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
