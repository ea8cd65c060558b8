"""Objectives f: what to look for. Each maps a batch (N, ...) to values (N,).

Network objectives take any ``torch.nn.Module`` and a layer by its name in ``named_modules()``;
"" is the output. Channels are axis 1 of an activation (N, C, ...) and the last axis of one of
shape (N, tokens, C). A list of targets asks for one image each, all drawn in one forward pass.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from actmax_lib import checks
from actmax_lib.terms import Objective, Term, placed

Target = int | Sequence[int]


def _single(name: str, fn: Callable[[Tensor], Tensor], **options: Any) -> Objective:
    net = options.get("net")
    if not isinstance(net, nn.Module | None):
        raise TypeError(f"net must be a torch.nn.Module, got {net!r}; wrap x -> (N,) in function()")
    return Objective([(1.0, Term(name, fn, **options))])


def _class_objective(
    kind: str, scores: Callable[[Tensor], Tensor], net: nn.Module, classes: Target
) -> Objective:
    given, many = checks.indices("class", classes)
    index = placed(torch.tensor(given))

    def check(output: Tensor) -> None:
        if output.ndim != 2:
            raise ValueError(
                f"{kind} needs a network with output (N, classes), got {tuple(output.shape)}; "
                "for other shapes use neuron, channel or direction"
            )
        checks.in_range("class", given, output.shape[1], f"the network has {output.shape[1]}")

    def fn(output: Tensor) -> Tensor:
        rows = index(output).expand(len(output))[:, None]
        return scores(output).gather(1, rows)[:, 0]

    return _single(
        f"{kind}({_shown(given, many)})",
        fn,
        net=net,
        check=check,
        batch=len(given) if many else None,
    )


def logit(net: nn.Module, classes: Target) -> Objective:
    """f_k(x), the score of class k before the softmax (chapter *ill-posed*, Simonyan 2014).

    classes: an index for every image of the batch, or a list with one an image.
    Raises ValueError where a class is not an output of the network.
    """
    return _class_objective("logit", lambda output: output, net, classes)


def log_prob(net: nn.Module, classes: Target) -> Objective:
    """log p_k(x) = f_k(x) - log Σ_j exp f_j(x), in nats and at most 0; arguments as in `logit`."""
    return _class_objective("log_prob", lambda output: output.log_softmax(1), net, classes)


def _maps(activation: Tensor) -> Tensor:
    """An activation as (N, C, *positions)."""
    return activation.transpose(1, 2) if activation.ndim == 3 else activation


def _check_channels(layer: str, channels: tuple[int, ...], activation: Tensor) -> None:
    if activation.ndim < 2:
        raise ValueError(f"layer {layer!r} gives {tuple(activation.shape)}; need (N, C, ...)")
    size = _maps(activation).shape[1]
    checks.in_range("channel", channels, size, f"layer {layer!r} has {size}")


def _check_position(layer: str, position: tuple[int, ...], activation: Tensor) -> None:
    sizes = tuple(_maps(activation).shape[2:])
    if len(position) != len(sizes):
        raise ValueError(f"position {position} needs {len(sizes)} numbers for layer {layer!r}")
    for at, size in zip(position, sizes, strict=True):
        checks.in_range("position", (at,), size, f"maps of layer {layer!r} are {sizes}")


def _picked(activation: Tensor, index: Tensor) -> Tensor:
    """Channel ``index[n]`` of image n (or the only index for all): (N, *positions)."""
    maps = _maps(activation)
    return maps[torch.arange(len(maps), device=maps.device), index.expand(len(maps))]


def channel(net: nn.Module, layer: str, channels: Target) -> Objective:
    """The mean of a feature map over its positions (Olah et al. 2017, *channel*)."""
    given, many = checks.indices("channel", channels)
    index = placed(torch.tensor(given))
    return _single(
        f"channel({layer!r}, {_shown(given, many)})",
        lambda a: _picked(a, index(a)).reshape(len(a), -1).mean(1),
        net=net,
        layer=layer,
        check=lambda a: _check_channels(layer, given, a),
        batch=len(given) if many else None,
    )


def neuron(
    net: nn.Module, layer: str, channels: Target, position: Sequence[int] | None = None
) -> Objective:
    """One unit: a channel at one position (Erhan et al. 2009; Olah et al. 2017, *neuron*).

    position: (row, column) in the feature map, the middle (size // 2) when None; for an
        activation (N, tokens, C) a 1-tuple; for (N, C) there is none to choose.
    """
    given, many = checks.indices("channel", channels)
    index = placed(torch.tensor(given))
    if position is not None:
        position, _ = checks.indices("position", position)

    def check(activation: Tensor) -> None:
        _check_channels(layer, given, activation)
        if position is not None:
            _check_position(layer, position, activation)

    def fn(activation: Tensor) -> Tensor:
        maps = _picked(activation, index(activation))
        at = position if position is not None else tuple(size // 2 for size in maps.shape[1:])
        return maps[(slice(None), *at)]

    return _single(
        f"neuron({layer!r}, {_shown(given, many)})",
        fn, net=net, layer=layer, check=check, batch=len(given) if many else None,
    )  # fmt: skip


def layer(net: nn.Module, name: str) -> Objective:
    """The mean square of all activations of a layer (*deep dream*, Olah et al. 2017)."""
    return _single(
        f"layer({name!r})", lambda a: a.square().reshape(len(a), -1).mean(1), net=net, layer=name
    )


def function(fn: Callable[[Tensor], Tensor], name: str | None = None) -> Objective:
    """Your own objective: ``fn`` maps images (N, ...) to values (N,), differentiably."""
    if not callable(fn):
        raise TypeError(f"fn must be callable, got {fn!r}")
    return _single(name or getattr(fn, "__name__", "function"), fn)


def affine(w: Any, b: float = 0.0) -> Objective:
    """f(x) = wᵀx + b (chapter *ill-posed*); w has as many entries as one image."""
    w = checks.real_tensor("w", w)
    b = checks.real("b", b)
    weights = placed(w.flatten())

    def fn(x: Tensor) -> Tensor:
        return x.flatten(1) @ weights(x) + b

    return _single("affine", fn, check=lambda x: checks.entries("w", w.numel(), x))


def quadratic(H: Any, w: Any, b: float = 0.0) -> Objective:
    """f(x) = ½ xᵀHx + wᵀx + b (chapter *l2-closed-forms*); H (d, d) symmetric, w (d,)."""
    H, w, b = checks.real_tensor("H", H), checks.real_tensor("w", w), checks.real("b", b)
    if H.shape != (w.numel(), w.numel()):
        raise ValueError(f"H has shape {tuple(H.shape)}, w has {w.numel()} entries")
    if not torch.allclose(H, H.mT):
        raise ValueError("H is not symmetric; give (H + H.T) / 2, it has the same quadratic form")
    matrix, weights = placed(H), placed(w.flatten())

    def fn(x: Tensor) -> Tensor:
        x = x.flatten(1)
        return ((x @ matrix(x)) * x).sum(1) / 2 + x @ weights(x) + b

    return _single("quadratic", fn, check=lambda x: checks.entries("w", w.numel(), x))


def max_coordinate() -> Objective:
    """f(x) = max_i x_i (chapter *max-example*). At a tie the gradient goes to one coordinate."""
    return _single("max_coordinate", lambda x: x.flatten(1).max(1).values)


def smooth_max(beta: float) -> Objective:
    """f_β(x) = β⁻¹ log Σ_i exp(β x_i), β > 0; tends to `max_coordinate` as β grows."""
    beta = checks.real("beta", beta, above=0)
    return _single("smooth_max", lambda x: (beta * x.flatten(1)).logsumexp(1) / beta)


def _shown(given: tuple[int, ...], many: bool) -> str:
    text = str(list(given)) if many else str(given[0])
    return text if len(text) <= 40 else f"{text[:36]} ...]"
