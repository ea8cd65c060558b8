"""Run a network once, to the deepest layer needed, and leave no trace (contracts 4, 5 and 7)."""

import contextlib
import random
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from actmax_lib.errors import closest

OUTPUT = ""  # the name of the whole network in ``named_modules()``


class _DeepEnough(BaseException):
    """Ends a forward pass; a BaseException, so that a network's ``except Exception`` lets it by."""


class Probe:
    """Reads the outputs of ``layers`` in one forward pass of ``net``.

    The first pass runs to the end and learns which layer call is the deepest; later passes stop
    there. A layer that runs several times in a pass is read at its last run.

    layers: names in ``net.named_modules()``; "" is the network's own output.
    Raises TypeError when ``net`` is no module, ValueError when a layer is unknown or never runs.
    """

    def __init__(self, net: nn.Module, layers: Iterable[str]) -> None:
        if not isinstance(net, nn.Module):
            raise TypeError(f"net must be a torch.nn.Module, got {type(net).__name__}")
        self.net = net
        self.layers = tuple(dict.fromkeys(layers))
        self._modules = {name: _module(net, name) for name in self.layers if name != OUTPUT}
        self._calls_needed: int | None = None

    def __call__(self, x: Tensor) -> dict[str, Tensor]:
        """Activations by layer name for a batch ``x`` of shape (N, ...)."""
        x = _as_weights_of(self.net, x)
        if not self._modules:
            return {OUTPUT: _tensor(self.net(x), OUTPUT)}
        # hooks need the plain module: a compiled forward would not run them, nor stop half-way
        net = getattr(self.net, "_orig_mod", self.net)
        forward = net._call_impl if getattr(net, "_compiled_call_impl", None) else net
        seen: dict[str, Tensor] = {}
        calls = 0

        def keep(name: str, output: Any) -> None:
            nonlocal calls
            seen[name] = _tensor(output, name).clone()  # a later in-place ReLU must not reach it
            calls += 1
            if calls == self._calls_needed and OUTPUT not in self.layers:
                raise _DeepEnough

        handles = [
            module.register_forward_hook(lambda _m, _i, output, name=name: keep(name, output))
            for name, module in self._modules.items()
        ]
        try:
            seen[OUTPUT] = forward(x)
        except _DeepEnough:
            return seen
        finally:
            for handle in handles:
                handle.remove()
        if missing := [name for name in self._modules if name not in seen]:
            raise ValueError(f"layer {missing[0]!r} did not run in the network's forward pass")
        self._calls_needed = calls
        if OUTPUT in self.layers:
            seen[OUTPUT] = _tensor(seen[OUTPUT], OUTPUT)
        return seen


def _module(net: nn.Module, name: str) -> nn.Module:
    net = getattr(net, "_orig_mod", net)
    modules = dict(net.named_modules())
    if not isinstance(name, str):
        raise TypeError(f"layer must be a name in net.named_modules(), got {name!r}")
    if name not in modules:
        raise ValueError(f"layer {name!r} is not in the network; {closest(name, modules)}")
    return modules[name]


def _tensor(output: Any, name: str) -> Tensor:
    """The tensor in a module's output: itself, ``.logits``, or the first of a tuple."""
    if hasattr(output, "logits"):
        output = output.logits
    if isinstance(output, (tuple, list)) and output:
        output = output[0]
    if not isinstance(output, Tensor):
        where = f"layer {name!r}" if name else "the network"
        raise TypeError(f"{where} returns {type(output).__name__}; an objective needs a tensor")
    return output


def _as_weights_of(net: nn.Module, x: Tensor) -> Tensor:
    """``x`` in the float type and the memory format of the network's first such weight."""
    dtype = next((p.dtype for p in net.parameters() if p.is_floating_point()), x.dtype)
    x = x.to(dtype)
    if x.ndim == 4:
        for weight in net.parameters():
            if weight.ndim == 4 and weight.shape[1] > 1 and max(weight.shape[2:]) > 1:
                if weight.is_contiguous(memory_format=torch.channels_last):
                    return x.contiguous(memory_format=torch.channels_last)
                break
    return x


def check_finite_weights(net: nn.Module) -> None:
    """Raise ValueError that names the first parameter or buffer holding NaN or Inf."""
    for name, value in [*net.named_parameters(), *net.named_buffers()]:
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise ValueError(
                f"the network's {name!r} holds NaN or Inf; load or train its weights again"
            )


@contextlib.contextmanager
def untouched(nets: Iterable[nn.Module], seed: int | None = None) -> Iterator[None]:
    """Networks in eval mode and gradients on within; everything as it was after, raise or not.

    Restored: train/eval flags, parameters and buffers, ``requires_grad``, and the global random
    state of torch, NumPy and ``random`` (a network that draws from it is seeded by ``seed``).
    """
    nets = list(nets)
    modules = [module for net in nets for module in net.modules()]
    flags = [(module, module.training) for module in modules]
    held = [
        (table, name, tensor, None if tensor is None else tensor.detach().clone())
        for module in modules
        for table in (module._parameters, module._buffers)
        for name, tensor in table.items()
    ]
    wanted = [(p, p.requires_grad) for net in nets for p in net.parameters()]
    cuda = {p.device.index for p, _ in wanted if p.device.type == "cuda"}
    states = random.getstate(), np.random.get_state()
    try:
        with (
            torch.random.fork_rng(sorted(cuda)),
            torch.inference_mode(False),
            torch.enable_grad(),
        ):
            if seed is not None:  # torch.manual_seed would move every GPU's generator
                for generator in [torch.default_generator] + [
                    torch.cuda.default_generators[index] for index in sorted(cuda)
                ]:
                    generator.manual_seed(seed)
                random.seed(seed)
                np.random.seed(seed % 2**32)
            for net in nets:
                net.eval()
            for parameter, _ in wanted:  # no graph is kept for weights
                parameter.requires_grad_(False)
            yield
    finally:
        for module, training in flags:
            module.training = training
        for parameter, requires_grad in wanted:
            parameter.requires_grad_(requires_grad)
        for table, name, tensor, before in held:
            table[name] = tensor
            if tensor is not None and not torch.equal(tensor, before):
                with torch.no_grad():
                    tensor.copy_(before)
        random.setstate(states[0])
        np.random.set_state(states[1])
