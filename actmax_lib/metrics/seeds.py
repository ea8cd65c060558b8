"""How much pictures of one class differ, and how sure a mean over classes is."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import stats
from torch import Tensor, nn

from actmax_lib import checks
from actmax_lib.probes import OUTPUT, Probe, untouched


def seed_diversity(
    images: Tensor, net: nn.Module | None = None, layer: str | None = None
) -> Tensor:
    """Mean distance between two pictures of the same class from different seeds: (K,).

    images: (K, S, C, H, W), S >= 2 seeds of each of K classes. Without a network the distance of
    two pictures is the root mean square of the differences of their pixels, in units of [0, 1].
    With one it is 1 - cosine of what ``layer`` (a name in ``named_modules()``, the output when
    None) makes of them, in [0, 2]. Noise is as diverse as can be: diversity alone is no merit.
    """
    images = checks.real_tensor("images", images)
    if images.ndim != 5 or images.shape[1] < 2:
        raise ValueError(
            f"images must have shape (classes, seeds, C, H, W) with two seeds or more, "
            f"got {tuple(images.shape)}; one class is images[None]"
        )
    if net is None:
        if layer is not None:
            raise ValueError(f"layer {layer!r} needs a network; give net")
        rows = images.flatten(2).double()
        gaps = torch.stack([torch.pdist(row) for row in rows]) / rows.shape[2] ** 0.5
        return gaps.mean(1)
    name = OUTPUT if layer is None else layer
    probe, seen = Probe(net, [name]), []
    with untouched([net]), torch.no_grad():
        seen = [probe(some)[name].flatten(1).double() for some in images]
    units = torch.nn.functional.normalize(torch.stack(seen), dim=2)
    S = images.shape[1]
    pairs = torch.triu_indices(S, S, 1, device=units.device)
    return 1 - (units @ units.mT)[:, pairs[0], pairs[1]].mean(1)


@dataclass(frozen=True)
class Interval:
    """A mean and the ends of its confidence interval."""

    mean: float
    low: float
    high: float


def interval(
    values: Any, clusters: Any, *, level: float = 0.95, seed: int = 0, resamples: int = 2000
) -> Interval:
    """The mean of values and a bootstrap interval that draws whole clusters again.

    values: (n,) finite numbers; clusters: (n,) labels, such as the class of each picture: pictures
    of one class are alike, so three seeds of fifty classes are fifty things and not 150. The
    percentiles of the mean over resampled clusters (`scipy.stats.bootstrap`). With few clusters
    it is too narrow, and where all values agree it has length 0, which does not mean certainty.
    Raises ValueError for fewer than two clusters.
    """
    values = checks.real_tensor("values", values).double().cpu().numpy()
    clusters = np.asarray(clusters)
    if values.ndim != 1 or clusters.shape != values.shape:
        raise ValueError(
            f"give one cluster a value: values {values.shape}, clusters {clusters.shape}"
        )
    level = checks.real("level", level, above=0, below=1)
    names, at = np.unique(clusters, return_inverse=True)
    if len(names) < 2:
        raise ValueError(f"got {len(names)} cluster; a spread needs at least two")
    sums, sizes = np.bincount(at, values), np.bincount(at)
    found = stats.bootstrap(
        (sums, sizes),
        lambda s, n, axis=-1: s.sum(axis) / n.sum(axis),
        paired=True, confidence_level=level, n_resamples=checks.count("resamples", resamples),
        method="percentile", rng=np.random.default_rng(checks.count("seed", seed, at_least=0)),
    ).confidence_interval  # fmt: skip
    return Interval(float(values.mean()), float(found.low), float(found.high))
