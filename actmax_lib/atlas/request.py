"""What is asked for, and its comparison with what was begun."""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn

from actmax_lib import checks
from actmax_lib.atlas import lookup
from actmax_lib.atlas.files import AtlasError


@dataclass(frozen=True)
class Recipe:
    """How every class is drawn: the arguments of `maximize`, by name; size is [height, width]."""

    size: list[int]
    channels: int
    steps: int
    seed: int
    image: str
    transform: str
    objective: str
    autocast: str


@dataclass(frozen=True, eq=False)
class Job:
    """Networks, their class names, and ``request``: all that the pictures depend on, as JSON."""

    net: nn.Module
    judge: nn.Module | None
    recipe: Recipe
    request: dict[str, Any]
    names: list[str]
    judge_names: list[str]


def job(
    device: torch.device, *, network: str, classes: str, size: int | str | None, judge: str,
    steps: int, seed: int, image: str, transform: str, objective: str, autocast: str,
) -> Job:  # fmt: skip
    """Load the networks and check every word of the request; arguments as in `build`."""
    lookup.chosen("image", image, lookup.IMAGES)
    lookup.chosen("transform", transform, lookup.TRANSFORMS)
    for argument, value, table in (
        ("objective", objective, lookup.OBJECTIVES), ("autocast", autocast, lookup.AUTOCAST)
    ):  # fmt: skip
        if value not in table:
            raise ValueError(f"{argument} must be one of {', '.join(table)}, got {value!r}")
    steps, seed = checks.count("steps", steps), checks.count("seed", seed, at_least=0)
    net = lookup.network("network", network, device)
    pair = lookup.picture_size(size, net)
    channels, count = lookup.shape_of(net, pair)
    names = lookup.class_names(net, count)
    request: dict[str, Any] = {
        "network": network,
        "network_weights": lookup.weights_hash(net),
        "judge": lookup.judge_name(judge, network),
    }
    other, judge_names = None, []
    if request["judge"]:
        other = lookup.network("judge", request["judge"], device)
        request["judge_weights"] = lookup.weights_hash(other)
        if request["judge_weights"] == request["network_weights"]:
            raise ValueError(f"judge {request['judge']!r} is the network itself; name another one")
        side = getattr(other, "input_size", None)
        judges_channels, judged = lookup.shape_of(other, (side, side) if side else pair)
        if judges_channels != channels:
            raise ValueError(
                f"judge {request['judge']!r} takes pictures of {judges_channels} channels, "
                f"the network of {channels}"
            )
        judge_names = lookup.class_names(other, judged)
    recipe = Recipe(list(pair), channels, steps, seed, image, transform, objective, autocast)
    request |= asdict(recipe) | {"classes": lookup.classes(classes, names)}
    return Job(net, other, recipe, request, names, judge_names)


def compare(begun: dict[str, Any], asked: dict[str, Any]) -> None:
    """Raise AtlasError naming the fields in which a request differs from the one begun."""
    different = [key for key in {**begun, **asked} if begun.get(key) != asked.get(key)]
    if different:
        shown = "; ".join(
            f"{key}: {_short(begun.get(key))} there, {_short(asked.get(key))} asked for"
            for key in different
        )
        raise AtlasError(
            f"this folder holds an atlas of another request ({shown}); "
            "ask for the same again, or for another folder"
        )


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 32 else f"{text[:12]}...{text[-8:]} ({len(text)} characters)"
