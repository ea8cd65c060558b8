"""The laws of the estimators: mean, variance, bias, the hidden gradient penalty, rounding.

A z-test passes for |z| < 4.5: a true law fails it once in 150 000 times, and the seeds are fixed.
"""

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from actmax_lib import score_matching as sm
from actmax_lib.zoo.fashion import FashionNet

pytestmark = pytest.mark.usefixtures("one_thread")
N = 60_000
seeds = st.integers(0, 10_000)
few = settings(max_examples=6)


def z_mean(values, law):
    values = values.numpy()
    return (values.mean() - law) / (values.std(ddof=1) / math.sqrt(len(values)))


def z_variance(values, law):
    squares = (values.numpy() - values.numpy().mean()) ** 2
    return (squares.mean() - law) / (squares.std(ddof=1) / math.sqrt(len(squares)))


def quadratic(seed, d):
    """f = ½ x'Hx + w'x, its point x, the gradient there, H."""
    rng = np.random.default_rng(seed)
    H, w, x = rng.normal(size=(d, d)), rng.normal(size=d), rng.normal(size=d)
    H = torch.tensor((H + H.T) / 2)
    w, x = torch.tensor(w), torch.tensor(x)
    return (lambda x: ((x @ H) * x).sum(1) / 2 + x @ w), x.expand(N, d), H @ x + w, H


@few
@given(seeds, st.integers(1, 6))
def test_hutchinson(seed, d):
    J = torch.tensor(np.random.default_rng(seed).normal(size=(d, d)))  # not symmetric
    H = (J + J.T) / 2
    x = torch.zeros(N, d, dtype=torch.float64)
    off = H.square().sum() - H.diagonal().square().sum()
    for kind, law in (("gaussian", 2 * H.square().sum()), ("rademacher", 2 * off)):
        got = sm.hutchinson(lambda x: x @ J.T, x, kind=kind, seed=seed)
        if law < 1e-12:  # d = 1: signs are exact
            np.testing.assert_allclose(got, J.trace())
            continue
        assert abs(z_mean(got, J.trace())) < 4.5
        assert abs(z_variance(got, law)) < 4.5


def test_signs_are_fair_and_independent():
    """All 15 pairs of coordinates at once: a coin of 0.55 instead of 0.5 would add 0.3 to 6."""
    got = sm.hutchinson(
        lambda x: x.sum(1, keepdim=True).expand_as(x), torch.zeros(N, 6, dtype=torch.float64)
    )
    assert abs(z_mean(got, 6)) < 4.5


@few
@given(seeds, st.integers(1, 6), st.floats(-2, 0.5))
def test_taylor_on_a_quadratic(seed, d, exponent):
    f, x, g, H = quadratic(seed, d)
    sigma, size = 10**exponent, 2 * H.square().sum()
    for antithetic, law in ((True, size), (False, size + 4 * g.square().sum() / sigma**2)):
        got = sm.taylor_trace(f, x, sigma=sigma, antithetic=antithetic, seed=seed)
        assert abs(z_mean(got, H.trace())) < 4.5
        assert abs(z_variance(got, law)) < 4.5


@pytest.mark.parametrize("antithetic", [True, False])
@pytest.mark.parametrize("sigma", [0.3, 1.0, 2.0])
def test_bias(sigma, antithetic):
    """f = cos at 0.4: the mean is the second difference smoothed, by quadrature; -cos(1 - σ²/4)."""
    at = 0.4
    weight = stats.norm(0, sigma).pdf
    law, _ = integrate.quad(
        lambda v: 2 / sigma**2 * (math.cos(at + v) - math.cos(at)) * weight(v), -12, 12, limit=200
    )
    closed = 2 / sigma**2 * math.expm1(-(sigma**2) / 2) * math.cos(at)
    assert law == pytest.approx(closed, abs=1e-10)
    assert closed == pytest.approx(-math.cos(at) * (1 - sigma**2 / 4), abs=sigma**4 / 20)
    x = torch.full((N, 1), at, dtype=torch.float64)
    got = sm.taylor_trace(
        lambda x: x[:, 0].cos(), x, sigma=sigma, antithetic=antithetic, probes=4, seed=1
    )
    assert abs(z_mean(got, law)) < 4.5


@few
@given(seeds, st.integers(1, 5))
def test_hidden_gradient_penalty(seed, d):
    """E[μh²] = μ(tr H)² + 2μ‖H‖² + (one-sided) 4μ/σ² ‖∇f‖²."""
    f, x, g, H = quadratic(seed, d)
    mu, sigma = 1e-3, 0.01
    assert 4 * mu / sigma**2 == pytest.approx(40)
    for antithetic, coefficient in ((True, 0), (False, 40)):
        generator = torch.Generator().manual_seed(seed)
        h, square = sm.density_terms(f, x, sigma=sigma, antithetic=antithetic, generator=generator)
        np.testing.assert_allclose(square.detach(), g.square().sum())
        law = mu * (H.trace() ** 2 + 2 * H.square().sum()) + coefficient * g.square().sum()
        assert abs(z_mean(mu * h.detach().square(), law)) < 4.5


def test_a_kink_is_seen_at_finite_sigma():
    """f = |x| at 0: no second derivative, and an estimate of √(2/π) 2/σ."""
    x = torch.zeros(N, 1, dtype=torch.float64)
    for sigma in (0.1, 1.0):
        for antithetic in (True, False):
            got = sm.taylor_trace(
                lambda x: x.abs()[:, 0], x, sigma=sigma, antithetic=antithetic, seed=2
            )
            assert abs(z_mean(got, 2 / sigma * math.sqrt(2 / math.pi))) < 4.5


@few
@given(seeds)
def test_piecewise_linear(seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = torch.nn.Sequential(
            torch.nn.Linear(4, 9), torch.nn.ReLU(), torch.nn.Linear(9, 9), torch.nn.ReLU(),
            torch.nn.Linear(9, 1),
        ).double()  # fmt: skip
        x = torch.randn(50, 4, dtype=torch.float64)
    score = sm.score_of(lambda x: net(x)[:, 0])
    assert not sm.exact_trace(score, x).any()
    assert not sm.hutchinson(score, x, probes=3).any()
    half = score(x).square().sum(1) / 2
    np.testing.assert_allclose(sm.implicit(score, x).detach(), half.detach())


def test_sliced_and_denoising_are_unbiased():
    """For a linear score every mean is known: tr A + ½‖s‖², and ½E‖s(x + σε) + ε/σ‖²."""
    A = torch.tensor([[-1.0, 0.4], [0.2, -2.0]], dtype=torch.float64)
    x = torch.tensor([[0.5, -1.0]], dtype=torch.float64).expand(N, 2)
    score, s, sigma = (lambda x: x @ A.T), A @ x[0], 0.5
    for kind in ("gaussian", "rademacher"):
        for reduced in (True, False):
            got = sm.sliced(score, x, kind=kind, reduced=reduced, seed=3)
            assert abs(z_mean(got, A.trace() + s.square().sum() / 2)) < 4.5
    # two Gaussian quadratic forms, of A + ½ssᵀ and of A: neither is always the steadier one
    H = (A + A.T) / 2
    for reduced, form in ((True, H), (False, H + torch.outer(s, s) / 2)):
        got = sm.sliced(score, x, reduced=reduced, seed=3)
        assert abs(z_variance(got, 2 * form.square().sum())) < 4.5
    B = sigma * A + torch.eye(2) / sigma
    law = (s.square().sum() + B.square().sum()) / 2
    assert abs(z_mean(sm.denoising(score, x, sigma=sigma, seed=4), law)) < 4.5


@pytest.mark.parametrize("antithetic", [True, False])
def test_rounding(antithetic):
    """What float32 adds grows like 1/σ² and is far below the spread at σ = .01."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = FashionNet()
        x = torch.rand(32, 1, 28, 28)
    exact = copy.deepcopy(net).double()
    errors, spread = [], 0.0
    for sigma in (0.01, 0.001):
        with torch.no_grad():
            options = {"sigma": sigma, "antithetic": antithetic, "seed": 1}
            got = sm.taylor_trace(lambda x: net(x)[:, 3], x, **options)
            want = sm.taylor_trace(lambda x: exact(x)[:, 3], x.double(), **options)
        errors.append((got - want).square().mean().sqrt().item())
        spread = spread or want.std().item()
    assert errors[0] < 0.01 * spread
    assert 30 < errors[1] / errors[0] < 300
