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
    if importlib.util.find_spec("lucent") is None:
        raise SystemExit("Lucent is not installed; `make bench` installs it and runs this")
    try:
        import torchvision  # noqa: F401 - tried, not used
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

    net: the network; output: Lucent's name for its output layer; preprocess: Lucent's own input
    normalization, for a network that does not carry one.
    """

    def __init__(self, net: nn.Module, output: str, preprocess: bool, *, size: int) -> None:
        self.objectives, self.param, self.render, self.transform = import_lucent()
        self.net, self.output, self.preprocess, self.size = net, output, preprocess, size

    def prepare(self, classes: Sequence[int], steps: int) -> Callable[[Callable], None]:
        """A run of ``steps`` steps on one logit an image, which calls its argument in each step.

        On a copy of the network: Lucent never removes its hooks, so they would pile up.
        """
        net = copy.deepcopy(self.net)
        objective = sum(
            self.objectives.channel(self.output, index, batch=k) for k, index in enumerate(classes)
        )

        def run(tick: Callable) -> None:
            np.random.seed(0)
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
