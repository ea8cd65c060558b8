"""Score matching: losses for a model of ∇ log p, and estimates of the trace they need.

A *score* is a callable (N, ...) -> (N, ...), a *log-density* f one (N, ...) -> (N,), up to a
constant; both treat each sample by itself. Everything returns one number a sample, (N,), in the
dtype of x, and can be differentiated with respect to the parameters of the callable. Random
numbers come from ``seed`` or a generator, in float32 whatever the dtype of x, fresh for each
sample; the global generator is never used. Chapter *score-matching*.

Raised: TypeError for x that is no floating-point tensor; ValueError for empty x, for callables
whose output has another shape or whose samples influence each other (looked for where a trace is
taken), for sigma <= 0 and probes < 1.
"""

import torch
from torch import Tensor
from torch.func import grad, vjp, vmap

from actmax_lib import _score_inputs as _inputs
from actmax_lib import checks
from actmax_lib._score_inputs import LogDensity, Score

AT_ONCE = 2**22  # numbers in one chunk of a vmap


def score_of(f: LogDensity) -> Score:
    """The score ∇f of a log-density, in a form that the estimators can differentiate again."""
    return grad(lambda x: _inputs.values_of(f, x).sum())


def explicit(score: Score, target_score: Score, x: Tensor) -> Tensor:
    """½‖s(x) - t(x)‖², the loss that needs the score t of the data (eq:score:explicit)."""
    x = _inputs.samples(x)
    gap = _inputs.scores_of(score, x) - _inputs.scores_of(target_score, x)
    return _dot(gap, gap) / 2


def implicit(score: Score, x: Tensor) -> Tensor:
    """tr ∇s(x) + ½‖s(x)‖² with the exact trace (Hyvärinen 2005, eq:score:implicit)."""
    s, trace = _trace(score, _inputs.samples(x))
    return trace + _dot(s, s) / 2


def exact_trace(score: Score, x: Tensor) -> Tensor:
    """tr ∇s(x): one vector-Jacobian product for each of the d entries of a sample."""
    return _trace(score, _inputs.samples(x))[1]


def hutchinson(
    score: Score, x: Tensor, *, probes: int = 1, kind: str = "rademacher", seed: int = 0
) -> Tensor:
    """Mean of vᵀ∇s(x)v over ``probes`` random v (Hutchinson 1990, eq:score:hutchinson).

    Unbiased for the trace. With H the symmetric part of ∇s the variance is, for one probe,
    2‖H‖² (kind="gaussian") or 2(‖H‖² - Σ H_ii²) (kind="rademacher", signs ±1).
    """
    x = _inputs.samples(x)
    v = _inputs.random_probes(x, probes, kind, seed)
    return _quadratic_forms(score, x, v)[1].mean(0)


def taylor_trace(
    f: LogDensity, x: Tensor, *, sigma: float, probes: int = 1, antithetic: bool = True,
    seed: int = 0,
) -> Tensor:  # fmt: skip
    """The Laplacian of f from values alone, v ~ N(0, σ²I) (Srinivas & Fleuret 2021).

    Mean over probes of (f(x+v) + f(x-v) - 2f(x))/σ², or, one-sided, of 2(f(x+v) - f(x))/σ²
    (eq:score:one-sided, eq:score:antithetic). Both average to Δf + σ²Δ²f/4 + O(σ⁴); for a
    quadratic f the variance of one probe is 2‖H‖² and 4‖∇f‖²/σ² + 2‖H‖².

    sigma: in units of x. The values of f are subtracted, so what rounding does to them counts
    1/σ² times: in float32 about 3e-6/σ² for a `FashionNet`, that is 0.03 at σ = .01 and 3 at
    σ = .001, where one antithetic probe varies by 20. Use float64 for smaller σ.
    """
    x = _inputs.samples(x)
    sigma = checks.real("sigma", sigma, above=0)
    v = sigma * _inputs.random_probes(x, probes, "gaussian", seed)
    here = _inputs.values_of(f, x)
    if len(x) > 1:  # samples 1 ... must not feel that sample 0 moves
        moved = torch.cat([x[:1] + v[0, :1] / sigma, x[1:]])
        _inputs.check_apart(
            torch.allclose(_inputs.values_of(f, moved)[1:], here[1:], rtol=1e-4, atol=1e-6)
        )
    return _second_difference(f, x, here, v, sigma, antithetic).mean(0)


def denoising(score: Score, x: Tensor, *, sigma: float, probes: int = 1, seed: int = 0) -> Tensor:
    """½‖s(x + σε) + ε/σ‖² with ε ~ N(0, I), mean over probes (Vincent 2011, eq:score:denoising).

    No derivative of s. Its best s is the score of the data *smoothed* with N(0, σ²I).
    """
    x = _inputs.samples(x)
    sigma = checks.real("sigma", sigma, above=0)

    def loss(noise: Tensor) -> Tensor:
        off = _inputs.scores_of(score, x + sigma * noise) + noise / sigma
        return _dot(off, off) / 2

    return vmap(loss, chunk_size=_chunk(x))(
        _inputs.random_probes(x, probes, "gaussian", seed)
    ).mean(0)


def sliced(
    score: Score, x: Tensor, *, probes: int = 1, kind: str = "gaussian", reduced: bool = False,
    seed: int = 0,
) -> Tensor:  # fmt: skip
    """vᵀ∇s v + ½(vᵀs)², mean over probes (Song et al. 2019, eq:score:sliced).

    reduced: put ½‖s‖², the average of ½(vᵀs)², in its place. Same mean; for Gaussian v the variance
    is 2‖H‖² instead of 2‖H + ½ssᵀ‖², which is less where s is large.
    """
    x = _inputs.samples(x)
    v = _inputs.random_probes(x, probes, kind, seed)
    s, forms = _quadratic_forms(score, x, v)
    squares = _dot(s, s) if reduced else (v * s).flatten(2).sum(2).square()
    return (forms + squares / 2).mean(0)


def density_penalty(
    f: LogDensity, x: Tensor, *, sigma: float, mu: float, probes: int = 1,
    antithetic: bool = True, generator: torch.Generator,
) -> Tensor:  # fmt: skip
    """h + ½‖∇f‖² + μh², the regularizer of Srinivas & Fleuret 2021 (eq:score:penalty); minimise it.

    h: the estimate of `taylor_trace`. μ ≥ 0. For class-conditional matching f is the logit of each
    sample's own label. The result has a graph to the parameters of f where gradients are enabled.
    Rounding: see `taylor_trace`. generator: may live on another device than x.
    """
    h, square = density_terms(
        f, x, sigma=sigma, probes=probes, antithetic=antithetic, generator=generator
    )
    mu = checks.real("mu", mu)
    if mu < 0:
        raise ValueError(f"mu must be at least 0, got {mu!r}: it weighs the square of h")
    return h + square / 2 + mu * h.square()


def density_terms(
    f: LogDensity, x: Tensor, *, sigma: float, probes: int = 1, antithetic: bool = True,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """(h, ‖∇f‖²) of `density_penalty`, both (N,): what its variants are made of.

    f is called twice: on x, and on all the noisy copies in one pass (under vmap, so it sees
    (N, ...) both times, and layers that mix a batch or draw numbers are refused by torch).
    """
    x, keep = _inputs.samples(x), torch.is_grad_enabled()
    sigma = checks.real("sigma", sigma, above=0)
    if not isinstance(generator, torch.Generator):
        raise TypeError(f"generator must be a torch.Generator, got {generator!r}")
    with torch.enable_grad():
        at = x.detach().requires_grad_()
        here = _inputs.values_of(f, at)
        (g,) = torch.autograd.grad(here.sum(), at, create_graph=keep)
    v = sigma * _inputs.drawn(torch.randn, x, checks.count("probes", probes), generator)
    here = here if keep else here.detach()
    h = _second_difference(f, x.detach(), here, v, sigma, antithetic).mean(0)
    return h, _dot(g, g)


def _second_difference(
    f: LogDensity, x: Tensor, here: Tensor, v: Tensor, sigma: float, antithetic: bool
) -> Tensor:
    """(probes, N); v (probes, N, ...). Differences first: they lose less than their sum would."""
    if antithetic:
        both = torch.cat([x + v, x - v])
        up, down = vmap(f, chunk_size=_chunk(x))(both).view(2, len(v), len(x))
        return ((up - here) + (down - here)) / sigma**2
    return 2 * (vmap(f, chunk_size=_chunk(x))(x + v) - here) / sigma**2


def _quadratic_forms(score: Score, x: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """s (N, ...) and vᵀ∇s v (probes, N)."""
    s, pull = vjp(lambda x: _inputs.scores_of(score, x), x)
    first = torch.zeros_like(x)
    first[0] = torch.linspace(1, 2, x[0].numel()).view(x.shape[1:])
    _inputs.check_apart(not bool(pull(first)[0][1:].nan_to_num().any()))
    forms = vmap(lambda u: _dot(pull(u)[0], u), chunk_size=_chunk(x))
    return s, forms(v)


def _trace(score: Score, x: Tensor) -> tuple[Tensor, Tensor]:
    """s (N, ...) and its trace (N,): the quadratic forms of the d unit vectors, added up."""
    units = torch.eye(x[0].numel(), dtype=x.dtype, device=x.device)
    units = units.view(-1, 1, *x.shape[1:]).expand(-1, *x.shape)
    s, forms = _quadratic_forms(score, x, units)
    return s, forms.sum(0)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).flatten(1).sum(1)


def _chunk(x: Tensor) -> int:
    return max(1, AT_ONCE // x.numel())
