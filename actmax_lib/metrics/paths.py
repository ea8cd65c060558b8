"""Does the network treat a class picture, layer by layer, as it treats photographs of the class?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import stats
from torch import Tensor, nn
from torch.nn import functional as F

from actmax_lib import checks
from actmax_lib.probes import Probe, untouched

AT_ONCE = 250  # pictures a forward pass


@dataclass(frozen=True)
class PathSimilarity:
    """Mean similarities of activations, (L, K): a row a layer, a column a class.

    synthetic: class pictures and photographs of their class; same: photographs of the class, two at
    a time; different: its photographs and those of other classes. In [-1, 1].
    """

    layers: tuple[str, ...]
    classes: tuple[int, ...]
    synthetic: Tensor
    same: Tensor
    different: Tensor

    @property
    def normalized(self) -> Tensor:
        """(L,): 1 where pictures are as near to photographs as these to each other, 0 where as
        far as another class; from means over the classes. It may leave [0, 1]."""
        synthetic, same, different = (
            part.mean(1) for part in (self.synthetic, self.same, self.different)
        )
        return (synthetic - different) / (same - different)


def path_similarity(
    net: nn.Module, layers: Sequence[str], synthetic: Tensor, synthetic_labels: Any,
    natural: Tensor, natural_labels: Any, *, measure: str = "spearman",
) -> PathSimilarity:  # fmt: skip
    """Natural-versus-synthetic similarity of activations by layer (Geirhos et al. 2024).

    layers: names in ``net.named_modules()``, "" for the output; synthetic, natural: (N, C, H, W),
    with the class of each. measure: "spearman", the correlation of ranks over all units of a layer,
    or "cosine". Every class of the synthetic pictures needs two natural ones, and there must be a
    natural picture of another class, else ValueError. Units that are constant give similarity 0.
    In the chapter *measured-pictures*: (eq:measured:path)
    """
    if measure not in MEASURES:
        raise ValueError(f"measure must be one of {sorted(MEASURES)}, got {measure!r}")
    made, classes = _labels("synthetic", synthetic, synthetic_labels)
    real, known = _labels("natural", natural, natural_labels)
    for k in classes:
        if int((real == k).sum()) < 2 or len(known) < 2:
            raise ValueError(
                f"class {k} needs two natural pictures of its own and one of another class"
            )
    rows = []
    units = zip(_units(net, layers, synthetic, measure), _units(net, layers, natural, measure),
                strict=True)  # fmt: skip
    for drawn, photos in units:
        total = photos.sum(0)
        for k in classes:
            own, n = photos[real == k].sum(0), int((real == k).sum())
            others = (total - own) / (len(photos) - n)
            rows.append([
                drawn[made == k].mean(0) @ own / n,
                # all ordered pairs of two photographs, without each with itself
                (own @ own - photos[real == k].square().sum()) / (n * (n - 1)),
                own @ others / n,
            ])  # fmt: skip
    table = torch.tensor(rows, dtype=torch.float64).reshape(len(layers), len(classes), 3)
    return PathSimilarity(tuple(layers), tuple(classes), *table.unbind(2))


def _labels(name: str, images: Tensor, labels: Any) -> tuple[Tensor, list[int]]:
    given, _ = checks.indices(f"{name} label", labels)
    if len(given) != len(images):
        raise ValueError(f"got {len(images)} {name} images and {len(given)} labels")
    return torch.tensor(given), sorted(set(given))


def _units(net: nn.Module, layers: Sequence[str], images: Tensor, measure: str) -> list[Tensor]:
    """For each layer the activations as vectors (N, d) of length 1, whose products compare them."""
    probe, seen = Probe(net, layers), []
    with untouched([net]), torch.no_grad():
        for some in images.split(AT_ONCE):
            found = probe(some)
            seen.append([MEASURES[measure](found[layer].flatten(1)) for layer in layers])
    return [torch.cat(parts) for parts in zip(*seen, strict=True)]


def _cosine(rows: Tensor) -> Tensor:
    return F.normalize(rows.double().cpu(), dim=1)


def _spearman(rows: Tensor) -> Tensor:
    ranks = torch.from_numpy(stats.rankdata(rows.double().cpu().numpy(), axis=1).astype(np.float64))
    return F.normalize(ranks - ranks.mean(1, keepdim=True), dim=1)


MEASURES = {"cosine": _cosine, "spearman": _spearman}
