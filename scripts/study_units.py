"""The units of the study and their values on photographs, for `scripts/make_study.py`."""

from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from actmax_lib import channel, data, zoo
from actmax_lib.probes import Probe
from actmax_lib.study.stimuli import as_seen, draw_units
from actmax_lib.zoo.weights import WEIGHTS
from scripts import results

SEED, EACH = 6, 4  # of the draw; units drawn a layer
NAMES = {"cifar": "cifar-standard-0", "imagenet": "efficientnet-lite0"}
# before the activation function: a convolution with its batch norm, the linear end of a block
LAYERS = {
    "cifar": {"convs.2": 64, "convs.3": 128, "convs.4": 128},
    "imagenet": {"blocks.4": 40, "blocks.10": 112, "blocks.14": 192},
}
# one a layer, chosen by eye among its first 40 channels, at the sheets of `scripts.study_look`
PICKED = {
    "convs.2": 23, "convs.3": 35, "convs.4": 29,  # mottled brown; grids; horses
    "blocks.4": 13, "blocks.10": 15, "blocks.14": 13,  # broad bands; white dogs; ships
}  # fmt: skip


def units() -> list[dict]:
    """The rows of the sheets: by layer, the drawn ones, then the picked one."""
    layers = [(net, layer, n) for net, found in LAYERS.items() for layer, n in found.items()]
    drawn = draw_units([n for _, _, n in layers], EACH, SEED)
    listed = []
    for (network, layer, _), lot in zip(layers, drawn, strict=True):
        if PICKED[layer] in lot:
            raise SystemExit(f"channel {PICKED[layer]} of {layer} was drawn; pick another")
        for k in [*lot, PICKED[layer]]:
            unit = {"network": network, "name": NAMES[network], "layer": layer, "channel": k}
            listed.append(unit | {"picked": k == PICKED[layer]})
    return listed


@cache
def photographs() -> data.Dataset:
    """CIFAR-10's test split: no network of the study was trained on it."""
    return data.load("cifar-10", "test")


@cache
def net(network: str) -> nn.Module:
    """A network of the study."""
    return zoo.load(NAMES[network], device="cpu")


def weights(name: str) -> str:
    """The hash of the weights of a network of the zoo."""
    return WEIGHTS[name].sha256 if name in WEIGHTS else zoo.trained.manifest()[name]["sha256"]


def _all_values(network: str) -> dict[str, np.ndarray]:
    """Of every channel of the three layers, for every photograph: (N, C) by layer."""
    probe = Probe(net(network), LAYERS[network])
    found: dict[str, list[np.ndarray]] = {layer: [] for layer in LAYERS[network]}
    with torch.no_grad():
        for first in range(0, len(photographs()), 100):
            x = as_seen(photographs().images(slice(first, first + 100)), network)
            for layer, maps in probe(x).items():
                if layer in found:
                    found[layer].append(maps.flatten(2).mean(2).numpy())
    return {layer: np.concatenate(parts) for layer, parts in found.items()}


def all_values(network: str) -> dict[str, np.ndarray]:
    """`_all_values`, kept."""
    key = [weights(NAMES[network]), LAYERS[network], results.machine()]
    return results.kept(f"study-values-{network}", key, lambda: _all_values(network))


def value(unit: dict, pictures: Tensor) -> Tensor:
    """The unit's value of pictures (n, 3, s, s), of any side."""
    x = as_seen(pictures, unit["network"])
    with torch.no_grad():
        return channel(net(unit["network"]), unit["layer"], unit["channel"])(x)
