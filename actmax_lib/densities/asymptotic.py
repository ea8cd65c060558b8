"""How logits behave far out, and whether exp(f) can be a density (chapter *implicit-density*)."""

import math

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from actmax_lib import checks
from actmax_lib.errors import UnnormalisableError
from actmax_lib.probes import untouched

_FAR = 2.0**30  # a power of two: scaling by it does not round


def asymptotic_slope(net: nn.Module, directions: Tensor) -> Tensor:
    """a_k(x) with f_k(t x) = t a_k(x) + O(1) as t grows, shape (N, K) (prop:implicit:slope).

    net: a torch module whose forward pass gives logits (N, K); it is left as it was.
    directions: (N, ...), inputs, none of them 0; they are not scaled to length 1.

    Exact for compositions of Linear, Conv, ReLU, LeakyReLU, PReLU, max and average pooling,
    Flatten, Dropout and BatchNorm (both as in evaluation), skip connections among them: a is the
    same network without its biases. Softplus, GELU, SiLU and ELU become the ReLU they tend to, and
    bounded units (sigmoid, tanh, LayerNorm) the constant they tend to, whose slope is 0: read off
    between 2^30 x and 2^31 x, where a constant cancels. Not covered: networks that multiply
    activations (attention, squares) have no such slope in general; they raise ValueError where the
    given directions show it.
    """
    if not isinstance(net, nn.Module):
        raise TypeError(f"net must be a torch.nn.Module, got {type(net).__name__}")
    x = _directions(net, directions)
    with untouched([net]), torch.no_grad():
        bare = _without_biases(net)
        near = functional_call(net, bare, (_FAR * x,)) / _FAR
        far = functional_call(net, bare, (2 * _FAR * x,)) / (2 * _FAR)
    if not isinstance(near, Tensor) or near.ndim != 2 or len(near) != len(x):
        got = tuple(near.shape) if isinstance(near, Tensor) else type(near).__name__
        raise ValueError(f"the network must give logits of shape ({len(x)}, K), got {got}")
    if not bool(((far - near).abs() <= 1e-5 * near.abs().max().clamp(min=1.0)).all()):
        raise ValueError(
            "the logits do not grow like a straight line along these directions (their slope at "
            "2^31 x differs from that at 2^30 x): the network multiplies activations, or overflows"
        )
    return 2 * far - near  # (a + c/2S) 2 - (a + c/S): the constant c of bounded units is gone


def check_normalisable(
    net: nn.Module, directions: Tensor, k: int | None = None, lam: float = 0.0
) -> float:
    """Raise UnnormalisableError where Z_k = ∫ exp(f_k(x) - λ|x|²) dx is infinite on a ray given.

    k: a class, or None for Z = Σ_k Z_k, which is infinite as soon as one of them is. For networks
    of which `asymptotic_slope` is exact, Z_k is finite if and only if a_k(x) < 0 for every x ≠ 0:
    one ray along which f_k does not fall is enough, it is the error's ``direction``, of the shape
    of an input. With lam > 0 Z is always finite. Returns the largest slope per unit length found
    (-inf for lam > 0). Not covered: finitely many rays can refute, they cannot prove; and what
    `asymptotic_slope` does not cover. Raises ValueError for lam < 0 or k out of range.
    """
    lam = checks.real("lam", lam)
    if lam < 0:
        raise ValueError(f"lam must be >= 0, got {lam:g}: -λ|x|² grows for a negative λ")
    slopes = asymptotic_slope(net, directions)
    if k is not None:
        k = checks.count("k", k, at_least=0)
        checks.in_range("k", (k,), slopes.shape[1], f"the network has {slopes.shape[1]}")
    if lam > 0:
        return -math.inf
    slopes = slopes / directions.to(slopes).flatten(1).norm(dim=1)[:, None]
    own = slopes if k is None else slopes[:, [k]]
    row, column = divmod(int(own.argmax()), own.shape[1])
    steepest = float(own[row, column])
    if steepest >= 0:
        number = column if k is None else k
        ray = directions[row].detach().clone()
        shown = [f"{v:.3g}" for v in ray.flatten()[:4].tolist()] + ["..."] * (ray.numel() > 4)
        raise UnnormalisableError(
            f"exp(f_{number}) has no finite integral: along the ray t * direction, direction = "
            f"({', '.join(shown)}) (row {row}), the logit {'grows' if steepest else 'stays level'} "
            f"(slope {steepest:.3g}); add a penalty lam > 0, or keep x in a box",
            ray,
        )
    return steepest


def _directions(net: nn.Module, directions: Tensor) -> Tensor:
    if not isinstance(directions, Tensor) or not directions.is_floating_point():
        raise TypeError("directions must be a floating-point tensor of inputs (N, ...)")
    if directions.ndim < 2 or directions.numel() == 0:
        raise ValueError(
            f"directions must have shape (N, ...), at least one, got {tuple(directions.shape)}"
        )
    if not bool(torch.isfinite(directions).all()):
        raise ValueError("directions hold NaN or Inf")
    zero = (directions.flatten(1) == 0).all(1).nonzero()
    if len(zero):
        raise ValueError(f"directions[{int(zero[0])}] is 0, which is no direction")
    weight = next((p for p in net.parameters() if p.is_floating_point()), directions)
    return directions.detach().to(weight)


def _without_biases(net: nn.Module) -> dict[str, Tensor]:
    """The tensors to put in the place of the network's own: biases that are 0."""
    zeros = {}
    for name, module in net.named_modules():
        constant = {nn.Linear: ["bias"], _ConvNd: ["bias"], _BatchNorm: ["bias", "running_mean"]}
        for kind, names in constant.items():
            for part in names if isinstance(module, kind) else ():
                value = getattr(module, part, None)
                if value is not None:
                    zeros[f"{name}.{part}" if name else part] = torch.zeros_like(value)
    return zeros
