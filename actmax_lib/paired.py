"""Objectives that compare an image with a given one, both seen through the same draw of T.

The reference is a batch of one image, or of one for each: (1, ...) or (N, ...), as large as the
images that are climbed. It takes a second forward at each step, without gradient, where there is a
T, and one in all where there is none.
"""

from typing import Any

import torch
from torch import Tensor, nn

from actmax_lib import checks
from actmax_lib.features import check_power, compared
from actmax_lib.objectives import _check_channels, _single
from actmax_lib.terms import Objective


def _paired(name: str, fn, net: nn.Module, layer: str, reference: Any) -> Objective:
    if not isinstance(net, nn.Module):
        raise TypeError(f"net must be a torch.nn.Module, got {net!r}")
    reference = checks.real_tensor("reference", reference)
    if reference.ndim < 2:
        raise ValueError(
            f"reference has shape {tuple(reference.shape)}; the first axis is the batch, "
            "give reference[None]"
        )
    return _single(
        f"{name}({layer!r})",
        fn,
        net=net,
        layer=layer,
        check=lambda activation: _check_channels(layer, (), activation),
        batch=len(reference) if len(reference) > 1 else None,
        reference=reference,
    )


def caricature(net: nn.Module, layer: str, reference: Any, *, power: float = 2.0) -> Objective:
    """What a layer sees in a picture, exaggerated: aᵀr max(cos(a, r), 0.1)^power, over positions.

    a and r are the whole activations of T(x) and of T(reference), under the same T. The dot product
    is divided by the number of positions, as in `direction`; power ≥ 0 (the objective of Lucid's
    caricatures, with a cosine that is one).
    """
    power = check_power(power)

    def fn(a: Tensor, r: Tensor) -> Tensor:
        positions = a[0].numel() // (a.shape[2] if a.ndim == 3 else a.shape[1])
        return compared(a.flatten(1), r.flatten(1), "dot_cosine", power) / positions

    return _paired("caricature", fn, net, layer, reference)


def inversion(net: nn.Module, layer: str, reference: Any) -> Objective:
    """-‖a - r‖²/‖r‖², at most 0: what of a picture the layer keeps (Mahendran & Vedaldi 2015).

    a and r are the activations of T(x) and of T(reference) under the same T. An r of zeros is
    divided by 1.
    """

    def fn(a: Tensor, r: Tensor) -> Tensor:
        size = r.flatten(1).square().sum(1)
        return -(a - r).flatten(1).square().sum(1) / torch.where(size > 0, size, 1.0)

    return _paired("inversion", fn, net, layer, reference)


def accentuation(
    f: Objective, net: nn.Module, layer: str, reference: Any, weight: float
) -> Objective:
    """f(T(x)) - weight ‖a - r‖²/‖r‖²: what f responds to in a picture (Hamblin et al. 2024).

    weight: in units of f, > 0, else UnboundedProblemError; a and r as in `inversion`. Start the
    image from the picture: ``fourier(start=reference)``.
    """
    if not isinstance(f, Objective):
        raise TypeError(f"f must be an Objective, got {f!r}")
    return f + checks.weight("weight", weight) * inversion(net, layer, reference)
