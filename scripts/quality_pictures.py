"""The pictures that `scripts.measure_quality` measures: recipes, classes, seeds, and the climb.

Every picture is kept as its bytes, for that is what a reader sees; all measures are taken of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import skimage.data
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn import init

from actmax_lib import Image, fourier, log_prob, logit, maco, maximize, pixels, robust, zoo
from actmax_lib.spectrum import mean_magnitude
from scripts import results

NET, JUDGES = "efficientnet-lite0", ("efficientnet-lite1", "efficientnet-lite2")
CLASSES = tuple(range(0, 1000, 20))  # every twentieth of ImageNet: 50 of them, chosen by no eye
SEEDS, SIZE, STEPS, AT_ONCE = (0, 1, 2), 128, 64, 10
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket", "motorcycle")


@dataclass(frozen=True)
class Recipe:
    """How a picture is made: its image x(z), with or without transforms, and what is climbed."""

    image: str
    robust: bool
    objective: str = "logit"
    random_weights: bool = False

    @property
    def key(self) -> str:
        parts = [self.image, "robust" * self.robust, self.objective, "random" * self.random_weights]
        return "-".join(part for part in parts if part)


IMAGES: dict[str, Callable[[], Image]] = {
    "pixels": lambda: pixels(size=SIZE),
    "fourier-plain": lambda: fourier(size=SIZE, decorrelate=False),
    "fourier": lambda: fourier(size=SIZE),
    "maco": lambda: maco(magnitude()),
}
# in the order of what is missed most, should a run be stopped
LOGIT = (
    ("fourier", True),
    ("pixels", False),
    ("maco", True),
    ("fourier", False),
    ("pixels", True),
    ("fourier-plain", True),
    ("maco", False),
    ("fourier-plain", False),
)
RANDOM = Recipe("fourier", True, random_weights=True)
PLAN = (
    *(Recipe(*how) for how in LOGIT),
    RANDOM,
    *(Recipe(*how, "log_prob") for how in LOGIT),
)


@cache
def photographs() -> Tensor:
    """Three squares of each colour photograph that comes with scikit-image, (15, 3, 128, 128)."""
    squares = []
    for name in PHOTOGRAPHS:
        made = skimage.data.stereo_motorcycle()[0] if name == "motorcycle" else None
        array = getattr(skimage.data, name)() if made is None else made
        x = torch.from_numpy(np.ascontiguousarray(array)).permute(2, 0, 1)[None].float() / 255
        side = round(min(x.shape[2:]) * 0.75)
        spare = [n - side for n in x.shape[2:]]
        for share in (0, 0.5, 1):
            top, left = (round(share * n) for n in spare)
            square = x[..., top : top + side, left : left + side]
            squares.append(F.interpolate(square, (SIZE, SIZE), mode="bilinear", antialias=True))
    return torch.cat(squares).clamp(0, 1)


@cache
def magnitude() -> Tensor:
    """Strength of each wave in the photographs, colours decorrelated, for MACO."""
    return mean_magnitude(photographs())


@cache
def network(random: bool) -> nn.Module:
    """Lite0; or its design with random weights, its batch norms fitted to the photographs.

    Without that fit the signal would die on its way through fifty random layers.
    """
    net = zoo.load(NET, device="cpu", fold=not random)
    if not random:
        return net
    generator = torch.Generator().manual_seed(0)
    for weight in net.parameters():
        if weight.ndim == 4:
            init.kaiming_normal_(weight, mode="fan_out", generator=generator)
        elif weight.ndim == 2:
            init.normal_(weight, std=weight.shape[1] ** -0.5, generator=generator)
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_parameters()  # scale 1, shift 0
        norm.momentum = None  # running means are plain means
    net.train()
    with torch.no_grad():
        net(photographs())
    return net.eval()


def render(recipe: Recipe, seed: int) -> dict[str, np.ndarray]:
    """The picture of every class, (50, 128, 128, 3) bytes. Each picture has a seed of its own."""
    net = network(recipe.random_weights)
    tiles = []
    for some in torch.tensor(CLASSES).split(AT_ONCE):
        targets = some.tolist()
        f = (logit if recipe.objective == "logit" else log_prob)(net, targets)
        run = maximize(
            f, IMAGES[recipe.image](), transform=robust() if recipe.robust else None,
            steps=STEPS, seed=[1000 * seed + k for k in targets],
        )  # fmt: skip
        tiles.append(results.bytes_of(run.images))
    return {"tiles": np.concatenate(tiles)}


def pictures(recipe: Recipe, seed: int) -> dict[str, np.ndarray]:
    """``render``, or what it gave before: "tiles" and "seconds"."""
    key = [recipe.key, seed, SIZE, STEPS, CLASSES, AT_ONCE, PHOTOGRAPHS, results.machine()]
    return results.kept(f"quality-{recipe.key}-{seed}", key, lambda: render(recipe, seed))


def images_of(tiles: np.ndarray) -> Tensor:
    """Bytes (n, H, W, 3) as pictures (n, 3, H, W) in [0, 1]."""
    return torch.from_numpy(tiles).permute(0, 3, 1, 2).float() / 255
