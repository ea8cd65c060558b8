"""Machines that take the study's test from its pictures (chapter *do-pictures-help*).

A trial of Borowski et al. (2021) for an embedding e: the score of a query q is
s(q) = mean cos(e(q), e(R⁺)) - mean cos(e(q), e(R⁻)) over the maximal and the minimal references,
and the query with the larger one is called maximal. In Zimmermann et al. (2021) the two queries are
one picture with a square at two places, and the one with the smaller score is said to lower the
unit more. So every observer here gives *evidence* for each of two queries; in pairs of queries the
wrong one comes first, the right one second, as in `Stimuli`, which no observer can know: evidence
of a query depends on that query alone.
"""

from typing import Any

import numpy as np
import torch
from scipy.optimize import brentq
from scipy.stats import norm
from torch import Tensor
from torch.nn import functional as F

from actmax_lib import checks
from actmax_lib.study.occlusion import GRAY, SIDE
from actmax_lib.study.stimuli import MODES

LUMA = (0.299, 0.587, 0.114)  # brightness of red, green and blue (ITU-R BT.601)


def score(query: Tensor, minimal: Tensor, maximal: Tensor) -> Tensor:
    """s(q) of each query, in [-2, 2]: how much more it is like the maximal references.

    query (..., q, d), minimal (..., n, d), maximal (..., m, d): embeddings. Gives (..., q).
    An embedding of zeros has cosine 0 with every other. Raises ValueError for unequal d.
    """
    if len({e.shape[-1] for e in (query, minimal, maximal)}) > 1:
        shapes = [tuple(e.shape) for e in (query, minimal, maximal)]
        raise ValueError(f"query, minimal, maximal must have as many entries, got shapes {shapes}")
    q, low, high = (F.normalize(e.double(), dim=-1) for e in (query, minimal, maximal))
    return (q @ (high.mean(-2) - low.mean(-2))[..., None])[..., 0]  # cos is linear in unit vectors


def evidence(scores: Tensor, mode: str) -> Tensor:
    """For being the right answer: the score in "matching", minus the score in "occlusion"."""
    if mode not in MODES:
        raise ValueError(f"mode must be one of {MODES}, got {mode!r}")
    return scores if mode == "matching" else -scores


def margin(evidence: Tensor) -> Tensor:
    """Evidence (..., 2) for (wrong, right) to the lead of the right one (...): > 0 is correct."""
    if evidence.shape[-1:] != (2,):
        raise ValueError(f"evidence must be (..., 2), got {tuple(evidence.shape)}")
    return evidence[..., 1] - evidence[..., 0]


def share(margins: Any) -> np.ndarray:
    """Share of right answers: 1 for a margin > 0, 0 for one < 0, half for a tie (a coin)."""
    return np.heaviside(_margins(margins), 0.5)


def noisy_share(margins: Any, tau: float) -> np.ndarray:
    """p_c = Φ(margin / (√2 τ)): both scores are known up to noise N(0, τ²).

    From prop:help:noise, chapter *do-pictures-help*.

    margins: any shape; tau: in units of the score, > 0.
    """
    return norm.cdf(_margins(margins) / (np.sqrt(2) * checks.real("tau", tau, above=0)))


def fit_noise(margins: Any, target: float) -> float | None:
    """The τ at which the mean of `noisy_share` is ``target``; None where no noise makes it so.

    target: in (1/2, 1). None when the observer does not reach it with any noise. Where some margins
    are negative a little noise may help: the largest τ is taken, after which it only hurts.
    """
    margins, target = _margins(margins), checks.real("target", target, above=0.5, below=1)

    def excess(log_tau: float) -> float:
        return float(noisy_share(margins, np.exp(log_tau)).mean()) - target

    size = np.abs(margins).max()
    if size == 0:
        return None
    grid = np.log(size) + np.linspace(-12, 8, 401)  # from no noise to noise alone
    above = [k for k, at in enumerate(grid) if excess(at) >= 0]
    if not above or above[-1] == len(grid) - 1:
        return None
    return float(np.exp(brentq(excess, grid[above[-1]], grid[above[-1] + 1], xtol=1e-12)))


def _margins(margins: Any) -> np.ndarray:
    return checks.real_tensor("margins", margins).double().numpy()


def contrast(pictures: Tensor) -> Tensor:
    """Evidence (...) without references: the standard deviation of a picture's brightness.

    pictures: (..., 3, H, W) in [0, 1]. Raises ValueError for other shapes.
    """
    _check_pictures(pictures, 1)
    weights = torch.tensor(LUMA, dtype=torch.float64)
    return (pictures.double() * weights[:, None, None]).sum(-3).flatten(-2).std(-1, correction=0)


def centre(pictures: Tensor, side: int = SIDE) -> Tensor:
    """Evidence (...) for a square lowering the unit: minus its distance from the centre, pixels.

    pictures: (..., 3, H, W) in [0, 1], with a gray square of ``side``, which is found: it is where
    a window of that side is grayest. Raises ValueError for other shapes and smaller pictures.
    """
    _check_pictures(pictures, checks.count("side", side))
    off_gray = (pictures.double() - GRAY).abs().mean(-3)
    size = off_gray.shape[-1]
    flat = off_gray.flatten(0, -3)[:, None]
    window = F.avg_pool2d(flat, side, stride=1)
    place = window.flatten(1).argmin(1)
    places = window.shape[-1]
    at = torch.stack([place // places, place % places], 1) + (side - size) / 2
    return -torch.linalg.vector_norm(at.double(), dim=1).reshape(off_gray.shape[:-2])


def _check_pictures(pictures: Tensor, side: int) -> None:
    if pictures.ndim < 3 or pictures.shape[-3] != 3 or min(pictures.shape[-2:]) < side:
        raise ValueError(
            f"pictures must be (..., 3, H, W) of side {side} or more, got {tuple(pictures.shape)}"
        )
