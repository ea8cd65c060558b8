"""The seven contracts as assertions. The tests run each on the library and on planted faults."""

import contextlib
import random
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from actmax_lib import Objective, maximize
from actmax_lib.streams import Streams

F64 = {"rtol": 1e-9, "atol": 1e-9}


class Nowhere(Streams):
    """Streams on a device whose numbers cannot be read: any look at one raises."""

    def __init__(self, n):
        self.seeds, self.device, self.dtype = [0] * n, torch.device("meta"), torch.float32

    def uniform(self, *shape):
        return torch.empty(len(self), *shape, device="meta")

    normal = uniform


def assert_per_image(objective: Callable[[Tensor], Tensor], x: Tensor) -> None:
    """Contract 1: values (N,), of which the k-th depends on image k alone."""
    x = x.clone().requires_grad_()
    values = objective(x)
    assert values.shape == (len(x),), f"values have shape {tuple(values.shape)}"
    for k, value in enumerate(values):
        (gradient,) = torch.autograd.grad(value, x, retain_graph=True)
        reached = gradient.flatten(1).abs().sum(1).nonzero().flatten().tolist()
        assert set(reached) <= {k}, f"value {k} depends on the images {reached}"
        others = 1 - x.detach()  # every image another one, except the k-th
        others[k] = x[k].detach()
        torch.testing.assert_close(
            objective(others)[k], value, **F64, msg=f"value {k} depends on the images beside it"
        )


def assert_batch_invariant(
    make: Callable[[list[int]], Objective], image, targets: list[int], seeds: list[int] | int, **how
) -> None:
    """Contract 2: image k of the batch is the image drawn alone with its target and its seed.

    make(targets) gives the objective of these targets, image(n) an image of batch n.
    """
    batch = maximize(make(targets), image(len(targets)), seed=seeds, **how)
    for k, target in enumerate(targets):
        seed = seeds if isinstance(seeds, int) else seeds[k]
        alone = maximize(make([target]), image(1), seed=seed, **how)
        torch.testing.assert_close(batch.images[k], alone.images[0], **F64)
        torch.testing.assert_close(batch.history[:, k], alone.history[:, 0], **F64)
        torch.testing.assert_close(batch.values[k], alone.values[0], **F64)


def scramble(seed: int) -> None:
    """Put every global generator in another state."""
    torch.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)


def assert_one_generator(run: Callable[[int], Tensor]) -> None:
    """Contract 3: bits depend on the seed alone, which they do use; global state is not moved."""
    scramble(1)
    before = flags()
    first = run(0)
    assert flags() == before, "global random state or a flag moved"
    scramble(2)
    assert torch.equal(run(0), first), "the same seed gave other bits"
    assert not torch.equal(run(1), first), "the seed changes nothing"


HOOKS = (
    "_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks",
    "_forward_hooks_with_kwargs", "_forward_hooks_always_called", "_forward_pre_hooks_with_kwargs",
)  # fmt: skip


def bits(tensor: Tensor | None) -> bytes | None:
    return None if tensor is None else tensor.detach().cpu().contiguous().numpy().tobytes()


def flags() -> dict:
    """Global state that nobody but the user may move."""
    numpy_state = np.random.get_state()
    return {
        "torch RNG": bits(torch.get_rng_state()),
        "NumPy RNG": (numpy_state[1].tobytes(), numpy_state[2:]),
        "random": random.getstate(),
        "grad": torch.is_grad_enabled(),
        "inference": torch.is_inference_mode_enabled(),
        "autocast": torch.is_autocast_enabled("cpu"),
        "dtype": torch.get_default_dtype(),
        "threads": torch.get_num_threads(),
        "cudnn": (torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "matmul": torch.get_float32_matmul_precision(),
        "anomaly": torch.is_anomaly_enabled(),
    }


def state(net: nn.Module) -> dict:
    """All of a network that a run could leave changed."""
    found: dict = {}
    for name, module in net.named_modules():
        found[name, "training"] = module.training
        found[name, "attributes"] = sorted(module.__dict__)
        for kind in HOOKS:
            found[name, kind] = [(key, id(hook)) for key, hook in getattr(module, kind).items()]
        for key, buffer in module._buffers.items():
            found[name, "buffer", key] = id(buffer), bits(buffer)
        for key, p in module._parameters.items():
            if p is not None:
                found[name, "parameter", key] = id(p), bits(p), p.requires_grad, bits(p.grad)
    return found


def assert_no_trace(
    nets: Sequence[nn.Module], act: Callable[[], object], raises: type[BaseException] | None = None
) -> None:
    """Contract 4: networks and global state are bit for bit as before, also when ``act`` raises."""
    before, flags_before = [state(net) for net in nets], flags()
    with pytest.raises(raises) if raises else contextlib.nullcontext():
        act()
    for old, net in zip(before, nets, strict=True):
        new = state(net)
        moved = [key for key in old.keys() | new.keys() if old.get(key) != new.get(key)]
        assert not moved, f"the network changed: {moved}"
    moved = [key for key, value in flags().items() if value != flags_before[key]]
    assert not moved, f"global state changed: {moved}"


class Calls:
    """Counts, through hooks of the user's own, the calls of layers, and looks at their weights."""

    def __init__(self, net: nn.Module, layers: Sequence[str] = ()) -> None:
        self.net, self.counts = net, dict.fromkeys(["", *layers], 0)
        for name in self.counts:
            net.get_submodule(name).register_forward_pre_hook(
                lambda _module, _inputs, name=name: self.seen(name)
            )

    def seen(self, name: str) -> None:
        self.counts[name] += 1
        wanting = [key for key, p in self.net.named_parameters() if p.requires_grad]
        assert not wanting, f"gradients flow into {wanting}"
        assert not any(module.training for module in self.net.modules()), "in train mode"


def assert_lean(net: nn.Module, objective: Objective, image, deeper: Sequence[str] = ()) -> None:
    """Contract 5: one forward a step and one for the final values; ``deeper`` layers not again."""
    calls, steps = Calls(net, deeper), 5
    maximize(objective, image, steps=steps)
    assert calls.counts[""] <= steps + 1, f"{calls.counts['']} forwards in {steps} steps"
    for name in deeper:  # the first forward alone may run on, to learn what is deepest
        assert calls.counts[name] <= 1, f"{name} ran {calls.counts[name]} times"


class Waits(TorchDispatchMode):
    """Counts the operations for which the host of a GPU waits, or copies a list to it."""

    OPS = ("_local_scalar_dense", "nonzero", "equal", "is_nonzero", "masked_select", "lift_fresh")

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += func.overloadpacket.__name__ in self.OPS
        return func(*args, **(kwargs or {}))


def assert_no_waits(run: Callable[[int], object]) -> None:
    """Contract 5: twice the steps ask the device nothing more."""
    counts = []
    for steps in (6, 12):
        with Waits() as waits:
            run(steps)
        counts.append(waits.count)
    assert counts[0] == counts[1], f"the host waits {counts} times in 6 and 12 steps"
