"""Help for images that ReLUs have cut off from the objective; the network itself is not changed.

A start is *asleep* where not one unit passes a gradient: ascent would stay there for ever. Its
first steps then follow another direction, in which a shut ReLU passes what would open it (after
the redirected ReLU of Lucid, Olah et al. 2017). Values are always those of the network.
"""

import contextlib
import math
from collections.abc import Callable, Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


def _relu(input: Tensor, inplace: bool = False) -> tuple[Tensor, float, float]:
    return input, 0.0, math.inf


def _relu6(input: Tensor, inplace: bool = False) -> tuple[Tensor, float, float]:
    return input, 0.0, 6.0


def _hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> tuple[Tensor, float, float]:
    return input, min_val, max_val


# the input of each such function, and the values at and beyond which it is flat
FLAT: dict[Callable, Callable[..., tuple[Tensor, float, float]]] = {
    F.relu: _relu, torch.relu: _relu, torch.relu_: _relu, Tensor.relu: _relu, Tensor.relu_: _relu,
    F.relu6: _relu6, F.hardtanh: _hardtanh, F.hardtanh_: _hardtanh,
}  # fmt: skip


class _Gate(torch.autograd.Function):
    """A flat function as it is, whose backward pass can be opened."""

    @staticmethod
    def forward(ctx, x: Tensor, call: Callable, low: float, high: float, gates: "Gates") -> Tensor:
        y = call(x)
        if y is x:
            ctx.mark_dirty(x)
        ctx.save_for_backward(y)  # which the next layer keeps anyway
        ctx.low, ctx.high, ctx.gates = low, high, gates
        return y

    @staticmethod
    def backward(ctx, gradient: Tensor):
        (y,) = ctx.saved_tensors
        below, above = y <= ctx.low, y >= ctx.high
        if ctx.gates.open:  # only towards where the function is not flat
            below, above = below & (gradient < 0), above & (gradient > 0)
        return gradient.masked_fill(below | above, 0), None, None, None, None


class Gates(TorchFunctionMode):
    """Within it every ReLU is a gate: shut as the function is, or opened for a backward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.open = False
        self.met = False  # whether there was a ReLU on the way of a gradient

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        flat = FLAT.get(func)
        if flat is None or not torch.is_grad_enabled():
            return func(*args, **kwargs)
        x, low, high = flat(*args, **kwargs)
        if not x.requires_grad or torch._C._are_functorch_transforms_active():
            return func(*args, **kwargs)
        self.met = True
        rest, named = args[1:], {key: kwargs[key] for key in kwargs if key != "input"}
        return _Gate.apply(x, lambda y: func(y, *rest, **named), low, high, self)


class Revival:
    """The gradient of an ascent, with help for the images asleep in its first steps.

    steps: how many; terms: places of those that look through networks; of: how many there are.
    """

    def __init__(self, steps: int, terms: Sequence[int], of: int) -> None:
        self.steps, self.terms, self.whole = steps if terms else 0, terms, len(terms) == of
        self.gates, self.watching = Gates(), False
        self.asleep: Tensor | None = None  # (N,), the images without a gradient at step 0

    def watch(self, step: int) -> contextlib.AbstractContextManager:
        """Where the forward pass of a step is to run; nothing after step 0 if all are awake."""
        self.watching = step < self.steps and (step == 0 or self.asleep is not None)
        return self.gates if self.watching else contextlib.nullcontext()

    def gradient(self, values: Tensor, z: Tensor) -> Tensor:
        """The gradient of the sum of values (terms, N) in z (N, ...)."""
        if not (self.watching and self.gates.met):
            return torch.autograd.grad(values.sum(), z)[0]
        gradient = through = torch.autograd.grad(values.sum(), z, retain_graph=True)[0]
        if not self.whole:  # a regularizer's gradient does not tell whether the network is awake
            of_nets = torch.stack([values[k] for k in self.terms]).sum()
            (through,) = torch.autograd.grad(of_nets, z, retain_graph=True)
        cut_off = ~through.reshape(len(z), -1).any(1)
        if self.asleep is None:
            if not bool(cut_off.any()):  # the only look: a GPU is waited for once a run
                return gradient
            self.asleep = cut_off
        self.gates.open = True
        try:
            (opened,) = torch.autograd.grad(values.sum(), z)
        finally:
            self.gates.open = False
        cut_off = (cut_off & self.asleep).reshape(-1, *[1] * (z.ndim - 1))
        return torch.where(cut_off, opened, gradient)


def compiled(nets: Iterable[nn.Module]) -> bool:
    """Whether torch.compile has been at one of the networks: its ReLUs cannot be seen."""
    return any(
        hasattr(module, "_orig_mod") or getattr(module, "_compiled_call_impl", None)
        for net in nets
        for module in net.modules()
    )
