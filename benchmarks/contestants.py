"""Who runs: for each name what a step does, and a function that prepares a run of such steps."""

import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from actmax_lib import channel, compose, fourier, logit, maximize, robust, zoo
from actmax_lib.probes import Probe
from actmax_lib.zoo.weights import weights_file

NETWORK, SIZE = "efficientnet-lite0", 224
CLASSES = (130, 985, 967, 292, 950, 1, 9, 340, 355, 404, 417, 446, 574, 817, 888, 933)
# The stem and five of the sixteen blocks are a third of the network's 18 parts.
EARLY = "blocks.4"
STEPS = 4  # a round times these, after one that is not counted
TARGET_BATCH = 4  # everybody runs here, the others of BATCHES are for the curve
WHAT = {
    "limit": "forward and gradient to the image of the bare network, folded, channels last",
    "ours": "maximize(logit, fourier, transform=robust()) on the same network",
    "limit, early layer": f"as limit, from the image to {EARLY} and back",
    "ours, early layer": f"as ours, on a channel of {EARLY}, a third of the way down",
    "Lucent": "render_vis, default transforms, fft and decorrelate, on the reference network",
    "Lucent, our network": "the same on our frozen, folded, channels-last network",
    "Horama": "fourier, one picture seen in as many crops, on our network",
    "DreamLens": "optimize, standard transformations, on our network",
}
EVERY_BATCH = ("limit", "ours", "Lucent", "Lucent, our network")
PEERS = tuple(name for name in WHAT if not name.startswith(("limit", "ours")))
DELTAS = {
    "Lucent": "pads 224 to 248 and scales by 0.9 to 1.1 before the network: 1.2 to 1.5 times the "
    "pixels; one transform for the whole batch; also computes the weights' gradients, because the "
    "reference network asks for them",
    "Lucent, our network": "as Lucent, without the weights' gradients",
    "Horama": "equal network, picture and crop size, number of crops and steps; one picture a call "
    "instead of one an image; crops a quarter of the picture wide, enlarged to 448 and reduced to "
    "224; NAdam; adds up the picture's gradient for a mask; beside a torch for which torchvision's "
    "roi_align was not compiled, grid_sample stands in for it",
    "DreamLens": "equal network, picture and network input size, images and steps; pads 224 to "
    "336, crops down to 112 and less, blurs, enlarges to 224; one crop for the whole batch; Adam",
}
Run = Callable[[Callable[[Tensor], Tensor]], None]  # calls its argument in every step


class Clock:
    """Times between ticks; a tick waits for the device."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def __call__(self, x: Tensor, *_streams) -> Tensor:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.times.append(time.perf_counter())
        return x

    def seconds_per_step(self) -> float:
        steps = [b - a for a, b in zip(self.times, self.times[1:], strict=False)]
        return statistics.median(steps[1:])  # the first step allocates


def classes(batch: int) -> list[int]:
    """One class an image."""
    return [CLASSES[k % len(CLASSES)] for k in range(batch)]


def bare(values: Callable[[Tensor], Tensor], batch: int, device: torch.device) -> Run:
    """Values of images and their gradient, nothing else."""

    def run(tick: Clock) -> None:
        images = torch.rand(batch, 3, SIZE, SIZE, device=device).requires_grad_()
        for _ in range(STEPS + 2):
            tick(images)
            torch.autograd.grad(values(images).sum(), images)

    return run


def on_our_network(device: torch.device, batch: int) -> dict[str, Run]:
    net = zoo.load(NETWORK, device=device)
    rows = torch.arange(batch, device=device)
    columns = torch.tensor(classes(batch), device=device)
    early = Probe(net, [EARLY])

    def climb(target) -> Run:
        def run(tick: Clock) -> None:
            image = fourier(3, SIZE, decorrelate=True)
            maximize(target, image, transform=compose(tick, robust()), steps=STEPS + 2)

        return run

    return {
        "limit": bare(lambda x: net(x)[rows, columns], batch, device),
        "ours": climb(logit(net, classes(batch))),
        "limit, early layer": bare(lambda x: early(x)[EARLY][:, 0].mean((1, 2)), batch, device),
        "ours, early layer": climb(channel(net, EARLY, [0] * batch)),
    }


def contestants(device: torch.device, batch: int) -> dict[str, Callable[[], Run]]:
    """By name, a function that prepares a run. Only the run is timed, from tick to tick.

    A peer is made in its first preparation, so that one that does not import harms nobody else.
    """

    def peer(make: Callable) -> Callable[[], Run]:
        made: list = []

        def prepare() -> Run:
            if not made:
                made.append(make())
            return made[0].prepare(classes(batch), STEPS + 2)

        return prepare

    def lucent(*options) -> Callable:
        from lucent_peer import Lucent

        return Lucent(*options, size=SIZE)

    def horama() -> Callable:
        from horama_peer import Horama

        return Horama(ours(), size=SIZE)

    def dreamlens() -> Callable:
        from dreamlens_peer import DreamLens

        return DreamLens(ours(), "classifier", size=SIZE)

    def ours() -> nn.Module:
        return zoo.load(NETWORK, device=device)

    everybody = {
        **{name: lambda run=run: run for name, run in on_our_network(device, batch).items()},
        "Lucent": peer(lambda: lucent(reference(device), "_fc", True)),
        "Lucent, our network": peer(lambda: lucent(ours(), "classifier", False)),
        "Horama": peer(horama),
        "DreamLens": peer(dreamlens),
    }
    wanted = everybody if batch == TARGET_BATCH else EVERY_BATCH
    return {name: everybody[name] for name in wanted}


def reference(device: torch.device) -> nn.Module:
    """The network as its authors publish it: what Lucent's reader would load."""
    from efficientnet_lite_pytorch import EfficientNet

    net = EfficientNet.from_name(NETWORK, image_size=None)  # Lucent changes the picture's size
    net.load_state_dict(torch.load(weights_file(NETWORK), weights_only=True))
    return net.to(device).eval()
