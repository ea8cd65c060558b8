"""What ``gpu.py`` measures of a climb on one device."""

import contextlib
import time
from collections.abc import Callable, Iterator

import torch
from contestants import classes
from roofline import least_seconds, peaks, seconds_of, wait, work
from torch import Tensor, nn

from actmax_lib import compose, fourier, logit, maximize, robust

PRECISIONS = {"fp32": torch.float32, "tf32": torch.float32, "bf16": torch.bfloat16}


@contextlib.contextmanager
def precision(name: str) -> Iterator[torch.dtype | None]:
    """Convolutions and products in float32, or in TensorFloat-32; yields ``autocast``'s dtype."""
    knobs = (torch.backends.cuda.matmul, torch.backends.cudnn.conv)
    before = [knob.fp32_precision for knob in knobs]
    for knob in knobs:
        knob.fp32_precision = "tf32" if name == "tf32" else "ieee"
    try:
        yield torch.bfloat16 if name == "bf16" else None
    finally:
        for knob, value in zip(knobs, before, strict=True):
            knob.fp32_precision = value


def tiny(device: torch.device, **_options) -> nn.Module:
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    return nn.Sequential(*layers, nn.Linear(8, 1000)).to(device).eval().requires_grad_(False)


class Bench:
    """The measurements. load: gives the network; size: of pictures; n: of the peaks' matrices."""

    def __init__(self, device: torch.device, load: Callable, size: int, n: int, steps: int) -> None:
        self.device, self.load, self.size, self.n, self.steps = device, load, size, n, steps
        self.net = load(device=device)

    def climb(
        self, net: nn.Module, batch: int, autocast: torch.dtype | None, steps: int, tick=None
    ) -> Tensor:
        transform = robust() if tick is None else compose(tick, robust())
        return maximize(
            logit(net, classes(batch)), fourier(3, self.size), transform=transform, steps=steps,
            autocast=autocast,
        ).images  # fmt: skip

    def seconds_per_step(self, net: nn.Module, batch: int, autocast: torch.dtype | None) -> float:
        """Of ``steps`` steps after two that do not count; the device is waited for twice in all."""
        calls, times = 0, []

        def tick(x: Tensor, _streams) -> Tensor:
            nonlocal calls
            if calls in (2, 2 + self.steps):
                wait(self.device)
                times.append(time.perf_counter())
            calls += 1
            return x

        self.climb(net, batch, autocast, self.steps + 3, tick)
        return (times[1] - times[0]) / self.steps

    def images(self, batch: int) -> Tensor:
        generator = torch.Generator().manual_seed(0)
        return torch.rand(batch, 3, self.size, self.size, generator=generator).to(self.device)

    def limit(self, net: nn.Module, batch: int, autocast: torch.dtype | None) -> Callable:
        images = self.images(batch).requires_grad_()
        rows = torch.arange(batch, device=self.device)
        columns = torch.tensor(classes(batch), device=self.device)

        def step() -> Tensor:
            with torch.autocast(self.device.type, autocast, enabled=autocast is not None):
                values = net(images)[rows, columns]
            return torch.autograd.grad(values.float().sum(), images)[0]

        return step

    def peak(self, name: str) -> dict[str, float]:
        with precision(name):
            return peaks(self.device, PRECISIONS[name], self.n)

    def sweep(self, name: str, batch: int, peak: dict[str, float]) -> dict[str, float]:
        layers = work(self.net, self.images(1))
        with precision(name) as autocast:
            ours = self.seconds_per_step(self.net, batch, autocast)
            limit = seconds_of(self.limit(self.net, batch, autocast), self.device)
        flops = 2 * batch * sum(flops for flops, _ in layers)
        least = least_seconds(layers, peak, PRECISIONS[name].itemsize, batch)
        return {
            "seconds per step": ours,
            "images x steps per second": batch / ours,
            "limit, seconds per step": limit,
            "ours / limit": ours / limit,
            "FLOP/s": flops / ours,
            "of the matmul peak": flops / ours / peak["matmul FLOP/s"],
            "of the roofline": least / ours,
        }

    def parity(self, name: str) -> dict[str, float]:
        """Against fp32: largest differences of logits, over the largest logit, and of pictures."""
        found = {}
        for which in ("fp32", name):
            with precision(which) as autocast, torch.no_grad():
                with torch.autocast(self.device.type, autocast, enabled=autocast is not None):
                    logits = self.net(self.images(4)).double()
                found[which] = logits, self.climb(self.net, 4, autocast, self.steps).double()
        (logits, picture), (other_logits, other_picture) = found["fp32"], found[name]
        off, difference = (other_logits - logits).abs(), (other_picture - picture).abs()
        return {
            "logits, largest relative": float(off.max() / logits.abs().max()),
            "pictures, largest": float(difference.max()),
            "pictures, mean": float(difference.mean()),
            "steps": self.steps,
        }  # fmt: skip

    def layout(self, channels_last: bool, batch: int) -> dict[str, float]:
        net = self.load(device=self.device, channels_last=channels_last)
        with precision("bf16") as autocast:
            return {"seconds per step": self.seconds_per_step(net, batch, autocast)}

    def compiled(self, batch: int) -> dict[str, float]:
        begin = time.perf_counter()
        net = torch.compile(self.load(device=self.device))
        with precision("bf16") as autocast:
            self.climb(net, batch, autocast, 2)
            first = time.perf_counter() - begin
            seconds = self.seconds_per_step(net, batch, autocast)
        return {"seconds per step": seconds, "seconds to compile": first}

    def graph(self, batch: int) -> dict[str, float]:
        """The limit's step, launched one kernel after the other and as one CUDA graph."""
        with precision("bf16") as autocast:
            step = self.limit(self.net, batch, autocast)
            plain = seconds_of(step, self.device)
            side = torch.cuda.Stream()
            with torch.cuda.stream(side):
                for _ in range(3):
                    step()
            wait(self.device)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                step()
            return {"limit": plain, "limit as a graph": seconds_of(graph.replay, self.device)}
