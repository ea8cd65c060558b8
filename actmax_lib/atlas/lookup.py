"""Names into things: networks, their classes, images, transforms."""

import hashlib
import importlib
import re
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from actmax_lib import checks, zoo
from actmax_lib.errors import closest
from actmax_lib.images import Image, fourier, pixels
from actmax_lib.objectives import log_prob, logit
from actmax_lib.terms import Objective
from actmax_lib.transforms import Transform, robust
from actmax_lib.zoo.weights import WEIGHTS as IMAGENET

IMAGES: dict[str, Callable[..., Image]] = {"fourier": fourier, "pixels": pixels}
TRANSFORMS: dict[str, Callable[[], Transform | None]] = {"robust": robust, "none": lambda: None}
OBJECTIVES: dict[str, Callable[..., Objective]] = {"logit": logit, "log_prob": log_prob}
AUTOCAST = {"none": None, "bf16": torch.bfloat16}


def chosen(argument: str, name: str, table: dict[str, Any] | Sequence[str] = ()) -> Any:
    """The entry of ``table`` called ``name``, or what ``module:function`` names.

    Raises ValueError, which offers the nearest names, for anything else.
    """
    if name in table:
        return table[name] if isinstance(table, dict) else name
    module, colon, attribute = name.partition(":")
    if not colon:
        raise ValueError(
            f"{argument} {name!r} is neither one of {', '.join(table)} nor module:function "
            f"({closest(name, table, n=1)})"
        )
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"{argument} {name!r} cannot be imported: {error}") from error


def network(argument: str, name: str, device: torch.device) -> nn.Module:
    """A network of the zoo, or what a function without arguments returns, in evaluation mode."""
    found = chosen(argument, name, zoo.names())
    net = zoo.load(name, device="cpu") if isinstance(found, str) else found()
    if not isinstance(net, nn.Module):
        raise TypeError(f"{argument} {name!r} must give a torch.nn.Module, got {net!r}")
    return net.to(device).eval()


def judge_name(asked: str, net: str) -> str | None:
    """Which network judges: "auto" takes one for ImageNet that the climb does not use."""
    if asked != "auto":
        return None if asked == "none" else asked
    if net not in IMAGENET:
        return None
    return "efficientnet-lite1" if net != "efficientnet-lite1" else "efficientnet-lite2"


def weights_hash(net: nn.Module) -> str:
    """SHA-256 of all parameters and buffers with their names, types and shapes, any device."""
    digest = hashlib.sha256()
    for name, value in sorted(net.state_dict().items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        content = value.detach().cpu().contiguous().flatten().view(torch.uint8)
        digest.update(content.numpy().tobytes())
    return digest.hexdigest()


def shape_of(net: nn.Module, size: tuple[int, int]) -> tuple[int, int]:
    """(channels, classes): the network takes pictures of 3 or 1 channels and gives (N, classes)."""
    like = next((p for p in net.parameters() if p.is_floating_point()), torch.empty(0))
    problem: Exception | None = None
    for channels in (3, 1):
        try:
            with torch.no_grad():
                answer = net(like.new_zeros(1, channels, *size))
        except (RuntimeError, ValueError) as error:
            problem = problem or error
            continue
        if not isinstance(answer, Tensor) or answer.ndim != 2:
            raise ValueError("network must give scores (N, classes), as a tensor")
        return channels, answer.shape[1]
    raise ValueError(
        f"network takes neither colour nor grey pictures of {size[0]} x {size[1]}: {problem}"
    )


def class_names(net: nn.Module, count: int) -> list[str]:
    """The network's own names of its classes, else ImageNet's for 1000 of them, else indices."""
    names = getattr(net, "classes", None) or (zoo.class_names() if count == 1000 else range(count))
    if len(names) != count:
        raise ValueError(f"network has {count} outputs and {len(names)} names in .classes")
    return [str(name) for name in names]


def classes(asked: str, names: Sequence[str]) -> list[int]:
    """Indices of "all", of ranges such as "0-99", of indices and names, separated by commas.

    Raises ValueError for what is not there and for what is there or asked for twice.
    """
    if asked.strip() == "all":
        return list(range(len(names)))
    found: list[int] = []
    for item in filter(None, (part.strip() for part in asked.split(","))):
        if item in names:
            if list(names).count(item) > 1:
                raise ValueError(f"several classes are called {item!r}; give the index")
            found.append(list(names).index(item))
        elif span := re.fullmatch(r"(\d+)(?:-(\d+))?", item):
            first, last = int(span[1]), int(span[2] or span[1])
            if not first <= last < len(names):
                raise ValueError(
                    f"classes {item!r} is not a range within 0 to {len(names) - 1}, low to high"
                )
            found += range(first, last + 1)
        else:
            raise ValueError(f"classes: there is no class {item!r}; {closest(item, names)}")
    if not found:
        raise ValueError(f'classes must be "all", ranges, indices or names, got {asked!r}')
    for k in found:
        if found.count(k) > 1:
            raise ValueError(f"classes asks for {k} ({names[k]}) twice")
    return found


def picture_size(asked: int | str | None, net: nn.Module) -> tuple[int, int]:
    """(height, width) of 224 or "48x64"; where nothing is said, the network's own or 224."""
    if asked is None:
        asked = getattr(net, "input_size", 224)
    sides = str(asked).split("x")
    if not all(side.isdecimal() for side in sides) or len(sides) > 2:
        raise ValueError(f"size must be a number or HEIGHTxWIDTH, got {asked!r}")
    height, width = (int(side) for side in (sides * 2)[:2])
    return checks.image_size((height, width))
