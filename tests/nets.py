"""Tiny seeded networks that between them have what real ones have."""

import random
from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor, nn

import actmax_lib
from actmax_lib import learned, regularizers, spectral, spectrum


class Cnn(nn.Module):
    """Batch norm with real statistics, dropout, and one in-place ReLU module used twice."""

    def __init__(self, channels: int = 3, classes: int = 7, stride: int = 2) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 6, 3, stride=stride, padding=1)
        self.bn1 = nn.BatchNorm2d(6)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(6, 8, 3, stride=stride, padding=1)
        self.bn2 = nn.BatchNorm2d(8)
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(8, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        return self.head(self.dropout(x.mean((2, 3))))


class Vit(nn.Module):
    """Patches, two transformer blocks, activations of shape (N, tokens, C)."""

    def __init__(self, patch: int = 4, width: int = 8, classes: int = 5) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, width, patch, stride=patch)
        self.blocks = nn.Sequential(
            *(
                nn.TransformerEncoderLayer(width, 2, 16, dropout=0.1, batch_first=True)
                for _ in range(2)
            )
        )
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patch(x).flatten(2).transpose(1, 2)
        return self.head(self.norm(self.blocks(tokens)).mean(1))


class Wrapped(nn.Module):
    """Returns a tuple, or an object with ``.logits``, as many libraries do."""

    def __init__(self, net: nn.Module, kind: str) -> None:
        super().__init__()
        self.net, self.kind = net, kind

    def forward(self, x: Tensor):
        logits = self.net(x)
        if self.kind == "tuple":
            return logits, x
        if self.kind == "dict":
            return {"out": logits}
        return SimpleNamespace(logits=logits, loss=None)


class Drawing(nn.Module):
    """Draws from the global generators in its forward pass, also in eval mode."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3, 4)

    def forward(self, x: Tensor) -> Tensor:
        drawn = torch.rand(3) + torch.tensor([random.random(), np.random.rand(), 0.0])
        return self.head(x.mean((2, 3)) * drawn.to(x.dtype))


class Remembering(nn.Module):
    """Changes a buffer, replaces another and fills an empty one, also in eval mode."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3, 4)
        self.register_buffer("calls", torch.zeros(()))
        self.register_buffer("replaced", torch.zeros(2))
        self.register_buffer("cache", None)

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.replaced = self.replaced + 1
        self.cache = x.detach().mean((2, 3))
        return self.head(x.mean((2, 3)))


class Clipping(nn.Module):
    """Changes its own weights in the forward pass, as weight clipping does."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3, 4)

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            self.head.weight.mul_(0.5)
        return self.head(x.mean((2, 3)))


class Decoder(nn.Module):
    """Six numbers to a colour picture of 12×12, with batch norm and dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.start = nn.Linear(6, 4 * 9)
        self.bn = nn.BatchNorm2d(4)
        self.dropout = nn.Dropout(0.5)
        self.up = nn.ConvTranspose2d(4, 3, 4, stride=4)

    def forward(self, z: Tensor) -> Tensor:
        maps = self.bn(self.start(z).reshape(-1, 4, 3, 3)).tanh()
        return self.up(self.dropout(maps)).sigmoid()


def seeded(make, *args, seed: int = 0, **options) -> nn.Module:
    """``make(*args, **options)`` with seeded weights and batch-norm statistics, in eval mode."""
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        net = make(*args, **options)
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.2)
                module.running_var.uniform_(0.5, 1.5)
                module.weight.data.uniform_(0.5, 1.5)
                module.bias.data.normal_(0, 0.2)
    return net.eval()


def cnn(**options) -> Cnn:
    """Colour images of any size (8×8 and up), 7 classes."""
    return seeded(Cnn, **options)


def grey() -> Cnn:
    """Grey-scale images, as MNIST."""
    return seeded(Cnn, channels=1, seed=1)


def small() -> Cnn:
    """32×32 colour images, ten classes, as CIFAR."""
    return seeded(Cnn, classes=10, stride=1, seed=2)


def vit() -> Vit:
    """Colour images with sides divisible by 4, 5 classes."""
    return seeded(Vit, seed=3)


def decoder() -> Decoder:
    """Draws (N, 3, 12, 12) from (N, 6)."""
    return seeded(Decoder, seed=5)


def magnitude(channels: int, height: int, width: int) -> Tensor:
    """The mean magnitude of seeded smooth pictures."""
    rng = torch.Generator().manual_seed(6)
    x = torch.rand(9, channels, height, width, generator=rng, dtype=torch.float64)
    return spectrum.mean_magnitude((x + x.roll(1, 2) + x.roll(1, 3)) / 3)


def mlp(d: int = 6, classes: int = 4) -> nn.Sequential:
    """Vectors (N, d)."""
    return seeded(lambda: nn.Sequential(nn.Linear(d, 9), nn.ReLU(), nn.Linear(9, classes)), seed=4)


def targeted(net: nn.Module) -> dict:
    """Every objective with targets, as functions of a list with one target an image."""
    rows = torch.linspace(-1, 1, 5 * 8, dtype=torch.float64).reshape(5, 8)
    return {
        "logit": lambda t: actmax_lib.logit(net, t),
        "log_prob": lambda t: actmax_lib.log_prob(net, t),
        "neuron": lambda t: actmax_lib.neuron(net, "conv2", t),
        "corner": lambda t: actmax_lib.neuron(net, "relu", t, position=(0, 1)),
        "channel": lambda t: actmax_lib.channel(net, "bn1", t),
        "direction": lambda t: actmax_lib.direction(net, "bn2", rows[t]),
        "sum": lambda t: 2 * actmax_lib.logit(net, t) - actmax_lib.channel(net, "conv2", t) / 3,
    }


def untargeted(net: nn.Module, entries: int) -> dict:
    """Every other objective and regularizer, for images with this many entries."""
    w = torch.linspace(-1, 1, entries, dtype=torch.float64)
    H = torch.diag(w) - torch.outer(w, w) / entries
    mean, sigma = w / 2, torch.eye(entries, dtype=torch.float64) + torch.outer(w, w)
    return {
        "one class": actmax_lib.logit(net, 3),
        "layer": actmax_lib.layer(net, "conv1"),
        "direction": actmax_lib.direction(net, "conv2", w[:8]),
        "affine": actmax_lib.affine(w, 0.5),
        "quadratic": actmax_lib.quadratic(H, w, 0.5),
        "max_coordinate": actmax_lib.max_coordinate(),
        "smooth_max": actmax_lib.smooth_max(3.0),
        "function": actmax_lib.function(lambda x: x.flatten(1).cos().prod(1)),
        "l2": actmax_lib.l2(0.3, center=0.5),
        "lp": actmax_lib.lp(0.3, 1.5),
        "l1": actmax_lib.lp(0.3, 1),
        "total_variation": actmax_lib.total_variation(0.1),
        "smoothness": regularizers.smoothness(0.1),
        "frequency_penalty": regularizers.frequency_penalty(0.2, 0.7),
        "gaussian_prior": actmax_lib.gaussian_prior(mean, sigma),
    }


TRANSFORMS = {
    "jitter": lambda: actmax_lib.jitter(2),
    "scale": lambda: actmax_lib.scale(0.7, 1.4),
    "rotate": lambda: actmax_lib.rotate(20),
    "crop": lambda: actmax_lib.crop(9),
    "noise": lambda: actmax_lib.noise(0.1),
    "robust": actmax_lib.robust,
    "compose": lambda: actmax_lib.compose(
        actmax_lib.noise(0.1), actmax_lib.jitter(3), actmax_lib.crop(10), actmax_lib.noise(0.05)
    ),
}

IMAGES = {
    "pixels": lambda n: actmax_lib.pixels(3, 12, batch=n),
    "pixels, colours": lambda n: actmax_lib.pixels(3, (13, 11), decorrelate=True, batch=n),
    "fourier": lambda n: actmax_lib.fourier(3, 12, batch=n),
    "fourier, odd": lambda n: actmax_lib.fourier(3, (11, 14), decay=0.5, batch=n),
    "blurred": lambda n: spectral.blurred(actmax_lib.pixels(3, (12, 13), batch=n), 0.6),
    "blurred waves": lambda n: spectral.blurred(actmax_lib.fourier(3, 11, batch=n), 0.6, every=2),
    "maco": lambda n: spectral.maco(magnitude(3, 12, 12), batch=n),
    "maco, odd": lambda n: spectral.maco(magnitude(3, 11, 13), decorrelate=False, batch=n),
    "learned prior": lambda n: learned.learned_prior(decoder().double(), 6, batch=n),
    "point": lambda n: actmax_lib.point(torch.full((n, 3, 12, 12), 0.5, dtype=torch.float64)),
}
