"""Objectives and regularizers as sums of terms: one value an image, and their algebra."""

import itertools
import numbers
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from actmax_lib._references import References, cast
from actmax_lib.probes import Probe, untouched

Probes = dict[nn.Module, Probe]


@dataclass(frozen=True, eq=False)
class Term:
    """One named summand.

    fn: maps an activation (or the image, where ``net`` is None) to values (N,); where there is a
        reference, maps the activation and that of the reference.
    check: looks at the first activation and raises where the target is not in it.
    batch: the number of images, where the targets fix it.
    sees_image: True for a regularizer: it sees x itself, an objective sees T(x).
    reference: (1, ...) or (N, ...), images to compare with; the network sees them through the
        same draw of T, and no gradient flows to them.
    """

    name: str
    fn: Callable[..., Tensor]
    net: nn.Module | None = None
    layer: str = ""
    check: Callable[[Tensor], None] = lambda activation: None
    batch: int | None = None
    sees_image: bool = False
    reference: Tensor | None = None
    checked: set = field(default_factory=set)  # shapes ``check`` has passed

    def values(
        self, x: Tensor, seen: dict[nn.Module, dict[str, Tensor]], beside: Tensor | None = None
    ) -> Tensor:
        """Values (N,) for a batch x of shape (N, ...); beside: the reference's activation."""
        activation = x if self.net is None else seen[self.net][self.layer].to(x.dtype)
        if activation.shape not in self.checked:
            self.check(activation)
            self.checked.add(activation.shape)
        values = self.fn(activation, *([] if beside is None else [beside]))
        if not isinstance(values, Tensor) or values.shape != x.shape[:1]:
            got = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
            raise ValueError(
                f"{self.name} must give one value an image, shape ({len(x)},), got {got}; "
                "reduce over every axis but the first"
            )
        return values


class Objective:
    """A weighted sum of terms, mapping a batch (N, ...) to values (N,).

    ``f + g``, ``f - g``, ``2 * f``, ``f / 2`` and ``-f`` mean what they say and make a new
    objective. ``f(x)`` evaluates it and leaves the networks as they were.
    """

    def __init__(self, terms: Iterable[tuple[float, Term]]) -> None:
        self.terms = tuple(terms)

    @property
    def names(self) -> list[str]:
        """The terms' names, made distinct by a number where two are alike."""
        names: list[str] = []
        for _, term in self.terms:
            alike = (f"{term.name} #{k}" for k in itertools.count(2))
            names.append(next(n for n in itertools.chain([term.name], alike) if n not in names))
        return names

    @property
    def batch(self) -> int | None:
        """The number of images the targets ask for, None where any number will do."""
        asked = {term.batch: term.name for _, term in self.terms if term.batch is not None}
        if len(asked) > 1:
            found = ", ".join(f"{name} has {n}" for n, name in asked.items())
            raise ValueError(f"the terms ask for different numbers of images: {found}")
        return next(iter(asked), None)

    @property
    def nets(self) -> list[nn.Module]:
        """The networks used, each once."""
        return list(dict.fromkeys(term.net for _, term in self.terms if term.net is not None))

    def probes(self) -> Probes:
        """One probe a network, reading all the layers the terms need."""
        return {
            net: Probe(net, [term.layer for _, term in self.terms if term.net is net])
            for net in self.nets
        }

    def references(self, device: torch.device, dtype: torch.dtype) -> References:
        """What the terms compare with, copied to the device."""
        return References((term for _, term in self.terms), device, dtype)

    def term_values(
        self, x: Tensor, transformed: Tensor, probes: Probes, autocast: torch.dtype | None = None,
        pairs: dict[Term, Tensor] | None = None,
    ) -> list[Tensor]:  # fmt: skip
        """The weighted value (N,) of each term; each network runs once, under ``autocast``.

        pairs: the activation of its reference for each term that has one.
        """
        pairs = pairs or {}
        with cast(x.device, autocast):
            seen = {net: probe(transformed) for net, probe in probes.items()}
        return [
            coefficient * term.values(x if term.sees_image else transformed, seen, pairs.get(term))
            for coefficient, term in self.terms
        ]

    def __call__(self, x: Tensor) -> Tensor:
        if not isinstance(x, Tensor) or not x.is_floating_point() or x.ndim < 2:
            got = f"{x.dtype}, shape {tuple(x.shape)}" if isinstance(x, Tensor) else repr(type(x))
            raise TypeError(f"x must be a floating-point tensor of shape (N, ...), got {got}")
        if self.batch not in (None, len(x)):
            raise ValueError(f"x has {len(x)} images, the objective has {self.batch} targets")
        gradients = torch.is_grad_enabled()
        with untouched(self.nets), torch.set_grad_enabled(gradients):
            pairs = self.references(x.device, x.dtype)(x)
            return torch.stack(self.term_values(x, x, self.probes(), pairs=pairs)).sum(0)

    def _scaled(self, factor: float) -> "Objective":
        return Objective((factor * coefficient, term) for coefficient, term in self.terms)

    def __add__(self, other: object) -> "Objective":
        if isinstance(other, numbers.Real) and other == 0:  # so that sum([f, g]) works
            return self
        return (
            Objective(self.terms + other.terms) if isinstance(other, Objective) else NotImplemented
        )

    __radd__ = __add__

    def __sub__(self, other: object) -> "Objective":
        return self + (-other) if isinstance(other, Objective) else NotImplemented

    def __mul__(self, factor: object) -> "Objective":
        if isinstance(factor, bool) or not isinstance(factor, numbers.Real):
            return NotImplemented
        return self._scaled(float(factor))

    __rmul__ = __mul__

    def __truediv__(self, divisor: object) -> "Objective":
        if isinstance(divisor, bool) or not isinstance(divisor, numbers.Real):
            return NotImplemented
        return self._scaled(1 / float(divisor))

    def __neg__(self) -> "Objective":
        return self._scaled(-1.0)

    def __repr__(self) -> str:
        return (
            "Objective("
            + " + ".join(
                name if c == 1 else f"{c:g}*{name}"
                for (c, _), name in zip(self.terms, self.names, strict=True)
            )
            + ")"
        )


def placed(tensor: Tensor) -> Callable[[Tensor], Tensor]:
    """A function giving ``tensor`` on the device (and float dtype) of its argument, copied once."""
    copies: dict[tuple, Tensor] = {}

    def like(other: Tensor) -> Tensor:
        dtype = other.dtype if tensor.is_floating_point() else tensor.dtype
        key = (other.device, dtype)
        if key not in copies:
            copies[key] = tensor.to(*key)
        return copies[key]

    return like
