"""ULA and SGLD against their exact laws on Gaussians; noise-free they are gradient ascent."""

import math

import numpy as np
import pytest
import scipy.linalg
import torch

from actmax_lib import (
    NonFiniteError,
    affine,
    closed_forms,
    densities,
    function,
    l2,
    maximize,
    point,
    sampling,
)
from tests.contracts import assert_one_generator

pytestmark = pytest.mark.usefixtures("one_thread")
Z = 4.5  # one false alarm in 1e5 for each number compared
SIGMA = np.array([[2.0, 0.8, 0.0], [0.8, 1.5, -0.4], [0.0, -0.4, 1.0]])


def zeros(n, d=1):
    return torch.zeros(n, d, dtype=torch.float64)


def covariance_z(x, C):
    """z-scores of the covariance entries of independent N(0, C) rows x."""
    white = scipy.linalg.solve_triangular(np.linalg.cholesky(C), x.numpy().T, lower=True)
    d, n = white.shape
    return (white @ white.T / n - np.eye(d)) * np.sqrt(n / (1 + np.eye(d)))


def assert_variance(step, variance, n=20_000, s2=1.0, T=1.0, steps=None):
    """The variance of ULA on N(0, s2) from 0: ``variance`` at the end, its recursion on the way."""
    steps = steps or math.ceil(16 / -math.log(abs(1 - step / (2 * s2)) or 1e-9))
    chain = sampling.ula(lambda x: -x / s2, zeros(n), step=step, steps=steps, temperature=T)
    assert chain.samples.shape == (steps, n, 1)
    v, scores = 0.0, []
    for t in range(steps):
        v = (1 - step / (2 * s2)) ** 2 * v + step * T
        scores.append(covariance_z(chain.samples[t], np.array([[v]])).item())
    assert np.abs(scores[:3] + scores[-1:]).max() < Z, scores
    assert v == pytest.approx(variance, rel=1e-9)


@pytest.mark.parametrize("step", [0.3, 1.0, 2.0, 3.0, 3.6])
@pytest.mark.parametrize("s2", [1.0, 0.25])
def test_stationary_variance(step, s2):
    """sigma^2 / (1 - eps/(4 sigma^2)); eps = 3 gives 4."""
    exact = s2 / (1 - step / 4)
    assert_variance(step * s2, exact, s2=s2)
    law = sampling.stationary_covariance([[s2]], step * s2)
    assert law.item() == pytest.approx(exact)


def test_step_three_has_four_times_the_variance():
    assert sampling.stationary_covariance([[1.0]], 3.0).item() == pytest.approx(4, abs=1e-12)
    assert_variance(3.0, 4.0)


@pytest.mark.parametrize("T", [0.25, 3.0])
def test_temperature_scales_the_variance(T):
    assert_variance(1.0, T / 0.75, T=T)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda drift, noise: (drift, noise * noise),  # eps xi
        lambda drift, noise: (2 * drift, noise),  # eps times the score
        lambda drift, noise: (drift, 0.0),  # noise forgotten
        lambda drift, noise: (drift, 1.05 * noise),
    ],
)
def test_wrong_steps_are_caught(monkeypatch, wrong):
    right = sampling._walk

    def walk(score, x0, pair, *rest):
        return right(score, x0, lambda t: wrong(*pair(t)), *rest)

    monkeypatch.setattr(sampling, "_walk", walk)
    with pytest.raises(AssertionError):
        assert_variance(0.3, 1 / (1 - 0.3 / 4))


@pytest.mark.parametrize(("part", "T"), [(0.1, 1.0), (0.6, 0.5), (0.9, 2.0)])
def test_the_whole_covariance(part, T):
    """Against a Lyapunov solver, and the chain against the law."""
    step = part * 4 * np.linalg.eigvalsh(SIGMA)[0]
    law = sampling.stationary_covariance(SIGMA, step, T)
    inverse = np.linalg.inv(SIGMA)
    pull = np.eye(3) - step / 2 * inverse
    np.testing.assert_allclose(
        law, scipy.linalg.solve_discrete_lyapunov(pull, step * T * np.eye(3)), atol=1e-10
    )
    precision = torch.from_numpy(inverse)
    chain = sampling.ula(
        lambda x: -x @ precision, zeros(20_000, 3), step=step, steps=300, temperature=T, keep=300
    )
    assert np.abs(covariance_z(chain.last, law.numpy())).max() < Z
    # Sigma itself, and the law without its temperature, would not pass
    for other in (T * SIGMA, law.numpy() / T if T != 1 else 1.1 * law.numpy()):
        assert np.abs(covariance_z(chain.last, other)).max() > Z


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_temperature_zero_is_gradient_ascent_bit_for_bit(dtype):
    f = function(lambda x: (torch.sin(3 * x) - x * x / 7).sum(1))
    x0 = torch.randn(5, 4, generator=torch.Generator().manual_seed(0)).to(dtype)
    how = {"optimizer": "gradient", "schedule": "constant", "lr": 0.035}
    climbed = maximize(f, point(x0), steps=50, **how).images
    chain = sampling.ula(sampling.score_of(f), x0, step=0.07, steps=50, temperature=0.0)
    assert torch.equal(chain.last, climbed)
    assert chain.temperature == 0
    warm = sampling.ula(sampling.score_of(f), x0, step=0.07, steps=50, temperature=1e-12)
    assert not torch.equal(warm.last, climbed)


def test_temperature_zero_is_the_closed_path():
    w, lam, eta = np.array([3.0, -4.0, 0.5]), 0.7, 0.3
    score = sampling.score_of(affine(w) + l2(lam))
    chain = sampling.ula(score, zeros(1, 3), step=2 * eta, steps=30, temperature=0)
    path = closed_forms.affine_l2_path(w, lam, eta, 30)
    np.testing.assert_allclose(chain.samples[:, 0], path[1:], atol=1e-12)


def test_the_jem_form():
    """Drift 1 and noise 0.01, as its code has them, is temperature 5e-5."""
    score = lambda x: -x  # noqa: E731
    chain = sampling.sgld(score, zeros(4, 2), drift=1, noise=0.01, steps=3)
    assert chain.temperature == pytest.approx(5e-5)
    assert chain.step == 2
    same = sampling.ula(score, zeros(4, 2), step=0.2, steps=20, temperature=0.3)
    other = sampling.sgld(score, zeros(4, 2), drift=0.1, noise=math.sqrt(0.06), steps=20)
    torch.testing.assert_close(other.samples, same.samples)
    assert torch.equal(
        sampling.sgld(score, zeros(4, 2), drift=0.1, steps=5).samples,
        sampling.ula(score, zeros(4, 2), step=0.2, steps=5).samples,
    )
    assert sampling.sgld(score, zeros(4, 2) + 1, drift=0.1, noise=0, steps=5).temperature == 0


def test_steps_that_change_are_all_checked_and_the_last_is_told():
    normal = densities.Gaussian([0.0, 0.0], np.eye(2))
    how = {"noise": lambda t: 0.2 / (1 + t), "steps": 3}
    chain = sampling.sgld(normal.score, zeros(1, 2), drift=lambda t: 0.4 / (1 + t), **how)
    assert chain.step == pytest.approx(2 * 0.4 / 3)
    assert chain.temperature == pytest.approx((0.2 / 3) ** 2 / (2 * 0.4 / 3))
    with pytest.raises(ValueError, match="step 5 is not below the stability limit 4 "):
        sampling.sgld(normal.score, zeros(1, 2), drift=lambda t: [0.1, 0.1, 2.5][t], steps=3)


def test_decreasing_steps_with_a_noisy_score():
    """Welling & Teh: what a minibatch adds, tau^2 drift^2, dies out with the drift."""
    drift, tau, n, steps = sampling.decreasing(0.5, 2.0, 0.8), 2.0, 20_000, 400
    generator = torch.Generator().manual_seed(1)

    def score(x):
        return -x + tau * torch.randn(x.shape, generator=generator, dtype=x.dtype)

    chain = sampling.sgld(score, zeros(n), drift=drift, steps=steps)
    v, half = 0.0, math.nan
    for t in range(steps):
        a = 0.5 * (2 + t) ** -0.8
        v = (1 - a) ** 2 * v + 2 * a + (a * tau) ** 2
        half = v if t == 3 else half
    assert abs(covariance_z(chain.samples[3], np.array([[half]])).item()) < Z
    assert abs(covariance_z(chain.last, np.array([[v]])).item()) < Z
    assert half > 1.2
    assert v == pytest.approx(1, abs=0.02)
    assert drift(0) == pytest.approx(0.5 * 2**-0.8)


def test_keep_thins():
    how = {"step": 0.5, "steps": 10}
    whole = sampling.ula(lambda x: -x, zeros(2), **how).samples
    assert torch.equal(sampling.ula(lambda x: -x, zeros(2), keep=3, **how).samples, whole[2::3])


def test_chains_of_a_batch_are_independent():
    x = sampling.ula(lambda x: -x, zeros(2, 5000), step=1.0, steps=20).last
    r = torch.corrcoef(x)[0, 1]
    assert abs(r) * math.sqrt(5000) < Z
    a = sampling.ula(lambda x: -x, zeros(3), step=1.0, steps=3)
    assert len(set(a.last.flatten().tolist())) == 3


def test_one_generator():
    x0 = zeros(3, 2)
    assert_one_generator(lambda s: sampling.ula(lambda x: -x, x0, step=0.5, steps=9, seed=s).last)
    assert_one_generator(lambda s: sampling.sgld(lambda x: -x, x0, drift=0.2, steps=9, seed=s).last)
    assert torch.equal(x0, zeros(3, 2))


def test_gradients_are_not_collected():
    weight = torch.ones(1, requires_grad=True)
    chain = sampling.ula(lambda x: -weight * x, torch.ones(2, 1), step=0.1, steps=3)
    assert not chain.samples.requires_grad


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"step": 0.0}, ValueError, "step must be a finite number in"),
        ({"step": "1"}, TypeError, "step must be a real number"),
        ({"steps": 0}, ValueError, "steps must be at least 1"),
        ({"temperature": -0.1}, ValueError, "temperature must be >= 0, got -0.1"),
        ({"temperature": math.nan}, ValueError, "temperature must be a finite"),
        ({"keep": 7}, ValueError, "keep=7 keeps none of 6 steps"),
        ({"limit": 1.0}, ValueError, "step 1 is not below the stability limit 1 "),
        ({"x0": torch.zeros(0, 2)}, ValueError, "x0 is empty"),
        ({"x0": torch.zeros(2)}, ValueError, "x0 has shape .*first axis is the batch"),
        ({"x0": torch.zeros(2, 2, dtype=torch.int64)}, TypeError, "x0 has dtype"),
        ({"x0": [[math.inf]]}, ValueError, "x0 holds NaN or Inf"),
        ({"seed": -1}, ValueError, "seed must be at least 0"),
        ({"score": lambda x: x[:, 0]}, ValueError, r"score must give a tensor of shape \(2, 2\)"),
        ({"score": lambda x: 0.0}, ValueError, "got float"),
    ],
)
def test_bad_input(change, error, words):
    how = {"score": lambda x: -x, "x0": torch.zeros(2, 2), "step": 1.0, "steps": 6} | change
    with pytest.raises(error, match=words):
        sampling.ula(how.pop("score"), how.pop("x0"), **how)


def test_the_limit_of_a_gaussian_is_found():
    normal = densities.Gaussian([0.0, 0.0], [[2.0, 0.0], [0.0, 0.5]])
    with pytest.raises(ValueError, match=r"step 2\.5 is not below the stability limit 2 "):
        sampling.ula(normal.score, zeros(1, 2), step=2.5, steps=3)
    with pytest.raises(ValueError, match=r"step 3 is not below the stability limit 2 "):
        sampling.sgld(normal.score, zeros(1, 2), drift=1.5, steps=3)
    assert sampling.ula(normal.score, zeros(1, 2), step=1.9, steps=3).step == 1.9
    far = sampling.ula(lambda x: normal.score(x), zeros(1, 2) + 1, step=2.5, steps=400)
    assert far.last.abs().max() > 1e9  # a score that does not tell its limit is not stopped


def test_a_bad_score_names_the_step():
    def score(x):
        return torch.where(x > 2.5, math.nan, torch.ones_like(x))

    with pytest.raises(NonFiniteError, match="score is NaN or Inf at step 3") as caught:
        sampling.ula(score, zeros(1), step=2.0, steps=9, temperature=0)
    assert caught.value.step == 3
    assert caught.value.images.item() == 3
    with pytest.raises(NonFiniteError, match="state is NaN or Inf at step 2"):
        sampling.ula(lambda x: x * 0 + 1e308, zeros(1), step=2.0, steps=2, temperature=0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"drift": 0.0}, "drift must be a finite number in"),
        ({"drift": lambda t: 1.0 - t}, "drift must be a finite number in"),
        ({"noise": -1.0}, "noise must be >= 0"),
        ({"limit": 0.4}, "step 0.4 is not below the stability limit 0.4"),
    ],
)
def test_bad_input_of_sgld(change, words):
    with pytest.raises(ValueError, match=words):
        sampling.sgld(lambda x: -x, zeros(1), **{"drift": 0.2, "steps": 3} | change)


def test_bad_laws():
    with pytest.raises(ValueError, match="not below the stability limit 4"):
        sampling.stationary_covariance(np.eye(2), 4.0)
    with pytest.raises(ValueError, match="eigenvalue -1"):
        sampling.stationary_covariance(np.diag([1.0, -1.0]), 0.1)
    with pytest.raises(ValueError, match="gamma must be in"):
        sampling.decreasing(1.0, 1.0, 1.1)
    with pytest.raises(ValueError, match="gamma must be a finite number in"):
        sampling.decreasing(1.0, 1.0, 0.5)  # the sum of the squares would be infinite
