"""What the machine can do, measured, and the least time a step could take on it."""

import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds_of(call: Callable[[], object], device: torch.device, repeats: int = 5) -> float:
    """Median time of a call; so many calls are timed at once that the clock does not matter."""

    def timed(calls: int) -> float:
        wait(device)
        begin = time.perf_counter()
        for _ in range(calls):
            call()
        wait(device)
        return (time.perf_counter() - begin) / calls

    timed(1)  # plans, allocates
    calls = max(1, min(1000, int(0.02 / max(timed(1), 1e-9))))
    return statistics.median(timed(calls) for _ in range(repeats))


def peaks(device: torch.device, dtype: torch.dtype, n: int) -> dict[str, float]:
    """FLOP/s of an (n, n) matrix product and of a 3 x 3 convolution, bytes/s (read and written) of
    a copy of 4 n² float32 numbers."""
    a, b = (torch.randn(n, n, device=device, dtype=dtype) for _ in range(2))
    size = max(8, n // 128)  # n = 8192: 256 channels at 64 x 64, 32 pictures
    channels = max(8, n // 32)
    layout = {"memory_format": torch.channels_last}
    x = torch.randn(32, channels, size, size, device=device, dtype=dtype).to(**layout)
    kernel = torch.randn(channels, channels, 3, 3, device=device, dtype=dtype).to(**layout)
    numbers = torch.randn(4 * n * n, device=device)
    into = torch.empty_like(numbers)
    return {
        "matmul FLOP/s": 2 * n**3 / seconds_of(lambda: a @ b, device),
        "conv FLOP/s": 2 * 9 * channels * x.numel()
        / seconds_of(lambda: torch.conv2d(x, kernel, padding=1), device),
        "bytes/s": 2 * 4 * numbers.numel() / seconds_of(lambda: into.copy_(numbers), device),
    }  # fmt: skip


def work(net: nn.Module, images: Tensor) -> list[tuple[float, int]]:
    """(FLOPs, numbers moved) of each layer that computes, forward.

    Numbers moved: what it reads and writes when nothing is fused, its weights included.
    """
    layers: list[tuple[float, int]] = []

    def note(module: nn.Module, inputs: tuple, output: Tensor) -> None:
        x = inputs[0]
        if output.data_ptr() == x.data_ptr():  # the identity, or in place
            return
        flops = 0.0
        if isinstance(module, nn.Conv2d):
            flops = 2.0 * output.numel() * module.weight[0].numel()
        elif isinstance(module, nn.Linear):
            flops = 2.0 * output.numel() * module.in_features
        weights = sum(p.numel() for p in module.parameters())
        layers.append((flops, x.numel() + output.numel() + weights))

    leaves = [module for module in net.modules() if not any(module.children())]
    handles = [leaf.register_forward_hook(note) for leaf in leaves]
    try:
        with torch.no_grad():
            net(images)
    finally:
        for handle in handles:
            handle.remove()
    return layers


def least_seconds(
    layers: list[tuple[float, int]], peak: dict[str, float], itemsize: int, batch: int
) -> float:
    """Of a step on ``batch`` images, from ``work`` on one: each layer takes what its arithmetic or
    its memory takes, whichever is more, and its gradient as much again."""
    compute = max(peak["matmul FLOP/s"], peak["conv FLOP/s"])
    return 2 * sum(
        max(batch * flops / compute, batch * numbers * itemsize / peak["bytes/s"])
        for flops, numbers in layers
    )
