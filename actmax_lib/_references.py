"""The images that objectives compare with, run through the networks beside the climbed ones."""

import contextlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from actmax_lib.probes import Probe
from actmax_lib.streams import Streams

if TYPE_CHECKING:
    from actmax_lib.terms import Term

Look = Callable[[Tensor], Tensor]


def cast(device: torch.device, dtype: torch.dtype | None) -> contextlib.AbstractContextManager:
    """Autocast to ``dtype``, or nothing where it is None."""
    return torch.autocast(device.type, dtype) if dtype else contextlib.nullcontext()


class References:
    """What the layers of terms with a ``reference`` answer to it, without gradients.

    One forward for each network and each different reference. Terms without one are left out.
    """

    def __init__(self, terms: Iterable["Term"], device: torch.device, dtype: torch.dtype) -> None:
        groups: list[tuple[nn.Module, Tensor, list[Term]]] = []
        for term in terms:
            if term.reference is None:
                continue
            for net, image, users in groups:
                if net is term.net and _same(image, term.reference):
                    users.append(term)
                    break
            else:
                groups.append((term.net, term.reference, [term]))
        self.groups = [  # copied to the device here, once: in the loop it would wait
            (Probe(net, [term.layer for term in users]), image.to(device, dtype), users)
            for net, image, users in groups
        ]
        self._plain: dict[Term, Tensor] | None = None  # the answers without T never change

    def through(self, transform: Callable | None, streams: Streams) -> Look | None:
        """``transform`` with the numbers that it is about to draw from ``streams``, at each call.

        None where there is nothing to transform.
        """
        if transform is None or not self.groups:
            return None
        replay = streams.replay()
        return lambda image: transform(image, replay.replay())

    def __call__(
        self, x: Tensor, look: Look | None = None, autocast: torch.dtype | None = None
    ) -> dict["Term", Tensor]:
        """The activation of each term, (N, ...), for a batch like x, seen through ``look``."""
        if look is None and self._plain is None:
            self._plain = self._answers(x, lambda image: image, autocast)
        return self._plain if look is None else self._answers(x, look, autocast)

    @torch.no_grad()
    def _answers(self, x: Tensor, look: Look, autocast: torch.dtype | None) -> dict["Term", Tensor]:
        answers: dict[Term, Tensor] = {}
        for probe, image, users in self.groups:
            if image.shape[1:] != x.shape[1:] or len(image) not in (1, len(x)):
                raise ValueError(
                    f"reference of {users[0].name} has shape {tuple(image.shape)}, the images "
                    f"{tuple(x.shape)}; give one of {(1, *x.shape[1:])}, or one an image"
                )
            # a copy: a network may write on its input
            looked = look(image.expand(len(x), *image.shape[1:]).clone())
            with cast(x.device, autocast):
                seen = probe(looked)
            answers |= {term: seen[term.layer].to(x.dtype) for term in users}
        return answers


def _same(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and torch.equal(a.cpu(), b.cpu())
