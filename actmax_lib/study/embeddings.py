"""What the model observers of the study see in a picture: embeddings e (*do-pictures-help*).

The rule, stated before any result: an observer with a network sees what the unit's own network
would, but for the weights. It takes the layer that corresponds to the unit's, and of every channel
the mean over positions, as the unit's own value is one channel's mean. Pixels are compared as the
networks get them, normalized.
"""

import re
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import init

from actmax_lib import checks, zoo
from actmax_lib.probes import Probe
from actmax_lib.study.stimuli import as_seen
from actmax_lib.zoo import cifar, efficientnet_lite
from actmax_lib.zoo.weights import WEIGHTS

Embedding = Callable[[Tensor], Tensor]  # pictures (n, 3, s, s) in [0, 1] to (n, d)
CHUNK = 60  # pictures a forward pass


def pixels(pictures: Tensor) -> Tensor:
    """(n, 3072): the picture at 32 by 32, each colour less CIFAR-10's mean and over its spread.

    pictures: (n, 3, s, s) in [0, 1]; larger ones are made smaller.
    """
    mean, sd = (torch.tensor(v).view(3, 1, 1) for v in (cifar.MEAN, cifar.SD))
    return ((as_seen(pictures, "cifar") - mean) / sd).flatten(1)


def maps(net: nn.Module, layers: list[str], network: str) -> Callable[[Tensor], dict[str, Tensor]]:
    """Reads layers in one pass: pictures (n, 3, s, s) to maps (n, C, H, W) by layer, in chunks.

    network: "cifar" or "imagenet", the side at which pictures are shown to it (`as_seen`).
    """
    probe = Probe(net, layers)

    @torch.no_grad()
    def read(pictures: Tensor) -> dict[str, Tensor]:
        parts = [probe(as_seen(part, network)) for part in pictures.split(CHUNK)]
        return {name: torch.cat([part[name] for part in parts]) for name in layers}

    return read


def averaged(net: nn.Module, layer: str, network: str) -> Embedding:
    """Of every channel of the layer the mean over positions, (n, C); a unit is one column of it."""
    read = maps(net, [layer], network)
    return lambda pictures: read(pictures)[layer].mean((2, 3))


def corresponding(layer: str, name: str, other: str) -> str:
    """The layer of the network ``other`` that stands where ``layer`` stands in ``name``.

    Between networks of one architecture the same; between EfficientNet-Lites, whose stages differ
    in length, the block "blocks.k" of the same stage and place in it.
    Raises ValueError for a layer of an EfficientNet-Lite that is not in a block.
    """
    if name not in WEIGHTS or other not in WEIGHTS:
        return layer
    found = re.fullmatch(r"blocks\.(\d+)(\..+)?", layer)
    if not found:
        raise ValueError(f"layer must be in a block, as 'blocks.3', got {layer!r}")
    index, rest = int(found[1]), found[2] or ""
    first = other_first = 0
    for length, other_length in zip(_stages(name), _stages(other), strict=True):
        if index < first + length:
            place = min(index - first, other_length - 1)
            return f"blocks.{other_first + place}{rest}"
        first, other_first = first + length, other_first + other_length
    raise ValueError(f"layer {layer!r} is not in {name}, which has {first} blocks")


def _stages(name: str) -> list[int]:
    """Blocks in each stage of an EfficientNet-Lite: those that keep their width follow on."""
    with torch.device("meta"):
        spec = WEIGHTS[name]
        net = efficientnet_lite.EfficientNetLite(spec.width, spec.depth, spec.input_size)
    design = [out for *_, out in efficientnet_lite.STAGES]
    widths = [block.project.conv.out_channels for block in net.blocks]
    rounded = [efficientnet_lite.round_channels(out * spec.width) for out in design]
    rounded[0], rounded[-1] = widths[0], widths[-1]
    return [widths.count(width) for width in rounded]


def random_network(name: str, pictures: Tensor, seed: int) -> nn.Module:
    """The architecture of the network ``name`` with random weights, its batch norms fitted.

    Without that fit, of one pass over ``pictures`` (n, 3, s, s), the signal would die on its way
    through the random layers of a deep network (as in the chapter *measured-pictures*).
    """
    generator = torch.Generator().manual_seed(checks.count("seed", seed, at_least=0))
    if name in WEIGHTS:
        net = zoo.load(name, device="cpu", fold=False)
    else:
        with torch.random.fork_rng(devices=[]):  # its own random start is thrown away
            net = cifar.CifarNet(batch_norm=True).requires_grad_(False)
    for weight in net.parameters():
        if weight.ndim == 4:
            init.kaiming_normal_(weight, mode="fan_out", generator=generator)
        elif weight.ndim == 2:
            init.normal_(weight, std=weight.shape[1] ** -0.5, generator=generator)
    for norm in (m for m in net.modules() if isinstance(m, nn.BatchNorm2d)):
        norm.reset_parameters()  # scale 1, shift 0
        norm.reset_running_stats()
        norm.momentum = None  # running means are plain means
    net.train()
    with torch.no_grad():
        net(pictures)
    net = net.eval()
    return net.fold() if name in WEIGHTS else net.folded()
