"""What the tests of attacks attack."""

import torch
from torch import Tensor, nn


class Linear(nn.Module):
    """K affine functions of (C, 6, 6) images in float64; margins of ordinary size."""

    def __init__(self, classes: int = 2, channels: int = 1, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.register_buffer(
            "weight",
            torch.randn(classes, channels, 6, 6, generator=generator, dtype=torch.float64),
        )
        # grey is answered by nothing but a tie, so that images are answered by several classes
        self.register_buffer("bias", -0.5 * self.weight.sum((1, 2, 3)))
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("kchw,nchw->nk", self.weight.to(x), x) + self.bias.to(x)


class Bent(nn.Module):
    """A layer of tanh on (C, 6, 6) images, as sensitive as a trained network is."""

    def __init__(self, classes: int = 4, channels: int = 1, seed: int = 0) -> None:
        super().__init__()
        self.first, self.last = Linear(24, channels, seed), Linear(classes, 24, seed + 1)
        self.last.weight = self.last.weight[:, :, 0, 0]
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        return self.first(x).tanh() @ self.last.weight.to(x).T


class Lookup(nn.Module):
    """Log-probabilities that depend on the side of ½ that one pixel is on, and hardly else."""

    def __init__(self, low: list[float], high: list[float]) -> None:
        super().__init__()
        self.register_buffer("low", torch.tensor(low, dtype=torch.float64).log())
        self.register_buffer("high", torch.tensor(high, dtype=torch.float64).log())
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1)[:, :1]
        return torch.where(x < 0.5, self.low, self.high) + 0 * x


class Rounded(nn.Module):
    """``net`` of images rounded to a few greys: the gradient is 0 everywhere."""

    def __init__(self, net: nn.Module, greys: int = 64) -> None:
        super().__init__()
        self.net, self.greys = net, greys
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        return self.net((x * self.greys).round() / self.greys)


def images(n: int, shape: tuple[int, ...] = (1, 6, 6), seed: int = 0) -> Tensor:
    """Float64 images in [0.2, 0.8], so that a small ball does not meet the faces of the box."""
    generator = torch.Generator().manual_seed(seed)
    return 0.2 + 0.6 * torch.rand(n, *shape, generator=generator, dtype=torch.float64)


def labels_of(net: nn.Module, x: Tensor) -> Tensor:
    """What the network answers: so that every answer is right."""
    with torch.no_grad():
        return net(x).argmax(1)


def clear(net: nn.Module, n: int = 30) -> tuple[Tensor, Tensor]:
    """Images and answers that noise of a tenth does not change, and an attack of a tenth does."""
    x = images(400)
    logits = net(x)
    gap = logits.topk(2, 1).values
    chosen = ((gap[:, 0] - gap[:, 1] - 2.2).abs() < 0.6).nonzero()[:n, 0]
    return x[chosen], logits[chosen].argmax(1)
