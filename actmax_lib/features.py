"""Objectives on whole activations: directions in them, and several images at once.

`diversity` and `alignment` compare the images of a batch, so that their pictures depend on the
batch they are drawn in: the exceptions to batch invariance, as an image of `shared` waves is.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize, pad

from actmax_lib import checks
from actmax_lib.objectives import _check_channels, _check_position, _maps, _single
from actmax_lib.terms import Objective, Term, placed

FLOOR = 0.1  # a direction that is not met at all still gives a gradient (as in Lucid)


def compared(a: Tensor, b: Tensor, measure: str, power: float = 0.0) -> Tensor:
    """Dot product, cosine, or dot · max(cosine, 0.1)^power, over axis 1; the cosine of 0 is 0."""
    dot = (a * b).sum(1)
    if measure == "dot":
        return dot
    size = torch.linalg.vector_norm(a, dim=1) * torch.linalg.vector_norm(b, dim=1)
    cosine = dot / torch.where(size > 0, size, 1.0)
    return cosine if measure == "cosine" else dot * cosine.clamp(min=FLOOR) ** power


def check_power(power: float) -> float:
    """``power`` as a float of at least 0."""
    power = checks.real("power", power)
    if power < 0:
        raise ValueError(f"power must be at least 0, got {power}: below 0 it rewards being unlike")
    return power


def direction(
    net: nn.Module, layer: str, vector: Any, *, measure: str = "dot", power: float = 2.0,
    position: Sequence[int] | None = None,
) -> Objective:  # fmt: skip
    """How far the channels go along a vector: at one position, or the mean over all of them.

    vector: (C,) for every image, or (N, C) with one an image.
    measure: "dot", the dot product aᵀv, with neither side normalised; "cosine", aᵀv/(‖a‖ ‖v‖); or
        "dot_cosine", aᵀv max(cos, 0.1)^power with power ≥ 0, which asks for size and for purity
        (Carter et al. 2019). Each is taken at a position before the mean.
    position: as in `neuron`; None for the mean over positions.
    """
    vector = checks.real_tensor("vector", vector)
    if vector.ndim not in (1, 2):
        raise ValueError(f"vector must have shape (C,) or (N, C), got {tuple(vector.shape)}")
    if measure not in ("dot", "cosine", "dot_cosine"):
        raise ValueError(f"measure must be 'dot', 'cosine' or 'dot_cosine', got {measure!r}")
    power = check_power(power)
    if position is not None:
        position, _ = checks.indices("position", position)
    v = placed(vector if vector.ndim == 2 else vector[None])

    def check(activation: Tensor) -> None:
        _check_channels(layer, (), activation)
        size = _maps(activation).shape[1]
        if vector.shape[-1] != size:
            raise ValueError(f"vector has {vector.shape[-1]} entries, layer {layer!r} has {size}")
        if position is not None:
            _check_position(layer, position, activation)

    def fn(activation: Tensor) -> Tensor:
        maps = _maps(activation)
        if position is not None:
            maps = maps[(..., *position)]
        columns = maps.flatten(2) if maps.ndim > 2 else maps[..., None]
        return compared(columns, v(activation)[..., None], measure, power).mean(1)

    kind = "" if measure == "dot" else f", {measure!r}"
    batch = len(vector) if vector.ndim == 2 else None
    return _single(f"direction({layer!r}{kind})", fn, net=net, layer=layer, check=check,
                   batch=batch)  # fmt: skip


def interpolation(f: Objective, g: Objective, count: int) -> Objective:
    """A path from f to g in ``count`` ≥ 2 images: image k climbs (1 - t) f + t g, t = k/(count-1).

    The images do not depend on each other; ``alignment`` or ``shared`` waves make them alike.
    """
    count = checks.count("count", count, at_least=2)
    for name, objective in (("f", f), ("g", g)):
        if not isinstance(objective, Objective):
            raise TypeError(f"{name} must be an Objective, got {objective!r}")
        if objective.batch not in (None, count):
            raise ValueError(f"count is {count}, but {name} has {objective.batch} targets")
    t = torch.linspace(0, 1, count, dtype=torch.float64)
    return Objective(
        (coefficient, _weighted(term, weights))
        for objective, weights in ((f, 1 - t), (g, t))
        for coefficient, term in objective.terms
    )


def _weighted(term: Term, weights: Tensor) -> Term:
    w = placed(weights)

    def fn(*activations: Tensor) -> Tensor:
        values = term.fn(*activations)
        if not isinstance(values, Tensor) or values.shape != weights.shape:
            return values  # which ``Term.values`` refuses
        return w(values) * values

    return dataclasses.replace(term, fn=fn, batch=len(weights))


def diversity(net: nn.Module, layer: str, *, groups: Sequence[int] | None = None) -> Objective:
    """Minus the mean likeness of an image to the others of the batch, in [-1, 0].

    The likeness of two images is the cosine of their Gram matrices G = A Aᵀ, A the channels times
    the positions of the layer (Olah et al. 2017). It couples images: it asks a batch for variants.
    groups: a number for every image; only images with the same one are compared, None for all.
    Give ``maximize`` a list of seeds: images that start alike stay alike.
    """
    given, many = (None, True) if groups is None else checks.indices("groups", groups)
    if not many:
        raise TypeError(f"groups must be a list with a number for every image, got {groups!r}")
    same = None
    if given is not None:
        g = torch.tensor(given, dtype=torch.float64)
        same = placed((g[:, None] == g).double())  # 1 where two images are compared, as to itself

    def check(activation: Tensor) -> None:
        _check_channels(layer, (), activation)
        _check_several("diversity", activation)

    def fn(activation: Tensor) -> Tensor:
        a = _maps(activation)
        a = a.flatten(2) if a.ndim > 2 else a[..., None]
        gram = normalize((a @ a.mT).flatten(1))
        pairs = gram.new_ones(len(a), len(a)) if same is None else same(gram)
        others = pairs - torch.eye(len(a), device=a.device, dtype=a.dtype)
        likeness = (others * (gram @ gram.mT)).sum(1)
        return -likeness / others.sum(1).clamp(min=1)

    return _single(f"diversity({layer!r})", fn, net=net, layer=layer, check=check,
                   batch=None if given is None else len(given))  # fmt: skip


def alignment(
    net: nn.Module | None = None, layer: str = "", *, reach: int = 4, decay: float = 2.0
) -> Objective:
    """Minus the distances of an image to its neighbours in the batch, for a path of images.

    -½ Σ_{0 < |j - k| ≤ reach} decay^-|j - k| · mean((a_j - a_k)²), a the activation of a layer, or
    the pictures themselves without a network. Summed over a batch, with reach 4 and decay 2, it is
    Lucid's *alignment*. It couples images.
    """
    if net is None and layer:
        raise ValueError(f"layer {layer!r} needs its network: alignment(net, {layer!r})")
    reach, decay = checks.count("reach", reach), checks.real("decay", decay, above=0)

    def fn(activation: Tensor) -> Tensor:
        a = activation.flatten(1)
        values = a.new_zeros(len(a))
        for step in range(1, min(reach, len(a) - 1) + 1):
            gaps = (a[step:] - a[:-step]).square().mean(1) / decay**step
            values = values - (pad(gaps, (0, step)) + pad(gaps, (step, 0))) / 2
        return values

    name = "alignment" if net is None else f"alignment({layer!r})"
    return _single(name, fn, net=net, layer=layer, sees_image=net is None,
                   check=lambda a: _check_several("alignment", a))  # fmt: skip


def _check_several(name: str, activation: Tensor) -> None:
    if len(activation) < 2:
        raise ValueError(
            f"{name} compares images, the batch has 1; give a list of seeds, such as seed=[0, 1]"
        )
