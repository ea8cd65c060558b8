"""What logits imply about densities, on points that stand for cells of a known volume."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from actmax_lib import checks


@dataclass(frozen=True, eq=False)
class GridDensity:
    """A joint density p(x, k) on M points, each the middle of a cell (chapter *implicit-density*).

    log_Z: (), the logarithm of the integral of all classes; log_Zk: (K,), of each;
    class_prior: (K,), p(k) = Z_k / Z; log_marginal: (M,), log p(x); log_joint, log_conditional and
    log_posterior: (M, K), log p(x, k), log p(x | k), log p(k | x). Gradients flow to the logits.
    """

    log_Z: Tensor
    log_Zk: Tensor
    class_prior: Tensor
    log_marginal: Tensor
    log_joint: Tensor
    log_conditional: Tensor
    log_posterior: Tensor


def lse_energy(logits: Tensor) -> Tensor:
    """E(x) = -log Σ_k exp f_k(x), shape (N,), of logits (N, K): p(x) = exp(-E(x)) / Z.

    Grathwohl et al. 2020, equation 6; chapter *implicit-density*.
    """
    return -_matrix("logits", logits).logsumexp(1)


def implicit_density(logits: Tensor, volume: Any) -> GridDensity:
    """The joint p(x, k) = exp f_k(x) / Z that logits imply, on a grid.

    logits: (M, K) at M points; volume: of a cell, a number > 0 or (M,). A grid can only hold what
    decays within it: whether Z is finite on the whole space is for `check_normalisable` to say.
    """
    logits = _matrix("logits", logits)
    if not bool(torch.isfinite(logits.detach()).all()):
        raise ValueError("logits hold NaN or Inf; a logit is a finite number")
    return _density(logits, logits.log_softmax(1), _log_volume(volume, logits))


def hybrid_joint(log_posterior: Tensor, log_q: Tensor, volume: Any) -> GridDensity:
    """The joint p(k | x) q(x) of a classifier and any density q, on a grid (prop:bayes:hybrid).

    log_posterior: (M, K), each row the logarithms of probabilities; log_q: (M,), -inf where q is
    0. q is normalised on the grid; ``log_Z`` says by how much, 0 where it was a density already.
    """
    log_posterior = _matrix("log_posterior", log_posterior)
    log_q = _floats("log_q", log_q)
    if log_q.shape != log_posterior.shape[:1]:
        raise ValueError(
            f"log_q has shape {tuple(log_q.shape)}, log_posterior {tuple(log_posterior.shape)}; "
            "give one value a point"
        )
    sums = log_posterior.detach().double().logsumexp(1).exp()
    if not bool(((sums - 1).abs() <= 1e-4).all()):  # single precision is welcome
        row = int((sums - 1).abs().nan_to_num(nan=torch.inf).argmax())
        raise ValueError(
            f"log_posterior must be a log-softmax; the probabilities of row {row} sum to "
            f"{float(sums[row]):.6g}"
        )
    worst = log_q.detach().max()
    if bool(worst.isnan()) or not bool(worst.isfinite()):
        raise ValueError(f"log_q must be finite somewhere and nowhere +inf, its max is {worst:g}")
    joint = log_posterior + log_q[:, None]
    return _density(joint, log_posterior, _log_volume(volume, joint))


def _density(log_weight: Tensor, log_posterior: Tensor, log_volume: Tensor) -> GridDensity:
    log_Zk = (log_weight + log_volume).logsumexp(0)
    log_Z = log_Zk.logsumexp(0)
    return GridDensity(
        log_Z=log_Z,
        log_Zk=log_Zk,
        class_prior=(log_Zk - log_Z).exp(),
        log_marginal=log_weight.logsumexp(1) - log_Z,
        log_joint=log_weight - log_Z,
        log_conditional=log_weight - log_Zk,
        log_posterior=log_posterior,
    )


def _floats(name: str, value: Tensor) -> Tensor:
    if not isinstance(value, Tensor) or not value.is_floating_point():
        got = value.dtype if isinstance(value, Tensor) else type(value).__name__
        raise TypeError(f"{name} must be a floating-point tensor, got {got}")
    return value


def _matrix(name: str, value: Tensor) -> Tensor:
    value = _floats(name, value)
    if value.ndim != 2 or 0 in value.shape:
        raise ValueError(
            f"{name} must have shape (points, classes), none of them 0, got {tuple(value.shape)}"
        )
    return value


def _log_volume(volume: Any, like: Tensor) -> Tensor:
    """log of the cells' volumes, (M, 1) or (1, 1)."""
    volume = checks.real_tensor("volume", volume).to(like)
    if volume.shape not in ((), like.shape[:1]):
        raise ValueError(
            f"volume must be a number or have shape {tuple(like.shape[:1])}, one a point, got "
            f"{tuple(volume.shape)}"
        )
    if float(volume.min()) <= 0:
        raise ValueError(f"volume must be > 0, got {float(volume.min()):g}")
    return volume.log().reshape(-1, 1)
