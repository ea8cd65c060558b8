"""What class pictures have in common with the data (*score-matching*)."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actmax_lib import checks
from actmax_lib._score_inputs import values_of
from actmax_lib.training import accuracy


def cosine_to_mean(images: Tensor, labels: Tensor, means: Tensor) -> Tensor:
    """Cosine of (picture - mean of all classes) and (its class's mean - mean of all), (N,).

    images: (N, ...); labels: (N,) in 0 ... K-1; means: (K, ...) of the data. In [-1, 1]; 1 is a
    prototype up to contrast. Raises ValueError for a label without a mean.
    """
    given, _ = checks.indices("label", labels)
    checks.in_range("label", given, len(means), f"there are {len(means)} means")
    middle = means.mean(0)
    return F.cosine_similarity((images - middle).flatten(1), (means[labels] - middle).flatten(1))


def high_frequency_share(images: Tensor, above: float = 0.25) -> Tensor:
    """The share of an image's variance at frequencies above ``above`` cycles a pixel, (N,).

    images: (N, C, H, W), pictures or gradients. The mean of each channel does not count; of an
    image without variance the share is 0. White noise has 1 - π/16 = .80 above a quarter.
    """
    above = checks.real("above", above, above=0, below=math.sqrt(0.5))
    images = checks.real_tensor("images", images)
    power = torch.fft.fft2(images - images.mean((-2, -1), keepdim=True)).abs().square()
    rows, columns = (torch.fft.fftfreq(n, device=images.device) for n in images.shape[-2:])
    high = rows[:, None] ** 2 + columns**2 > above**2
    total = power.flatten(1).sum(1)
    return (power * high).flatten(1).sum(1) / total.clamp(min=torch.finfo(power.dtype).tiny)


def log_density_ratio(
    f: Callable[[Tensor], Tensor], x: Tensor, sd: float, *, probes: int = 10, seed: int = 0
) -> Tensor:
    """log E[p(x + η)/p(x)] = log E[e^{f(x+η) - f(x)}], η ~ N(0, sd² I), (N,).

    f: a log-density up to a constant, (N, ...) -> (N,), such as a logit. Below 0 the model finds
    noisy data less likely than data, as it should (Srinivas & Fleuret 2021, density ratio).
    """
    sd, probes = checks.real("sd", sd, above=0), checks.count("probes", probes)
    generator = torch.Generator(x.device).manual_seed(seed)
    with torch.no_grad():
        here = values_of(f, x)
        gains = [
            f(x + sd * torch.randn(x.shape, generator=generator, device=x.device).to(x)) - here
            for _ in range(probes)
        ]
    return torch.stack(gains).logsumexp(0) - math.log(probes)


def gan_test(judge: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Share of pictures that a judge trained on real data takes for their class (Shmelkov 2018).

    It saturates: a judge without a class *none of these* must call noise something.
    """
    return accuracy(judge, images, labels)
