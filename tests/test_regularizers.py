"""Regularizers against loops, SciPy and the closed forms they belong to; their gradients."""

import itertools

import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st

from actmax_lib import compose, function, gaussian_prior, jitter, l2, lp, maximize, noise, pixels
from actmax_lib import total_variation as tv
from tests import nets

pytestmark = pytest.mark.usefixtures("one_thread")
seeds = st.integers(0, 10_000).map(np.random.default_rng)


def images(rng, n=2, channels=2, height=4, width=3):
    return rng.normal(size=(n, channels, height, width))


def variation(x):
    """Brute force: every pixel with its lower and its right neighbour."""
    total = np.zeros(len(x))
    for n, c, i, j in itertools.product(*map(range, x.shape)):
        if i + 1 < x.shape[2]:
            total[n] += abs(x[n, c, i + 1, j] - x[n, c, i, j])
        if j + 1 < x.shape[3]:
            total[n] += abs(x[n, c, i, j + 1] - x[n, c, i, j])
    return total


@given(seeds, st.floats(1e-3, 10), st.floats(1, 6))
def test_norms(rng, lam, p):
    x, c = images(rng), rng.normal(size=(2, 4, 3))
    flat, centred = x.reshape(2, -1), (x - c).reshape(2, -1)
    z = torch.tensor(x)
    np.testing.assert_allclose(l2(lam)(z), -lam * (flat**2).sum(1))
    np.testing.assert_allclose(l2(lam, center=0.3)(z), -lam * ((flat - 0.3) ** 2).sum(1))
    np.testing.assert_allclose(l2(lam, center=c)(z), -lam * (centred**2).sum(1))
    np.testing.assert_allclose(l2(lam, center=c[None])(z), -lam * (centred**2).sum(1))
    np.testing.assert_allclose(lp(lam, p)(z), -lam * (np.abs(flat) ** p).sum(1))
    np.testing.assert_allclose(lp(lam, p, c)(z), -lam * (np.abs(centred) ** p).sum(1))
    np.testing.assert_allclose(lp(lam, 2)(z), l2(lam)(z))


@given(seeds, st.integers(1, 3), st.integers(1, 5), st.integers(1, 5))
def test_total_variation(rng, channels, height, width):
    x = images(rng, 3, channels, height, width)
    np.testing.assert_allclose(tv(0.7)(torch.tensor(x)), -0.7 * variation(x), atol=1e-12)


@given(seeds, st.integers(1, 6))
def test_gaussian_prior_is_a_log_density_up_to_a_constant(rng, d):
    mu, A, x = rng.normal(size=d), rng.normal(size=(d, d)), rng.normal(size=(4, d))
    sigma = A @ A.T + 0.1 * np.eye(d)
    omega = gaussian_prior(mu, sigma)(torch.tensor(x)).numpy()
    density = scipy.stats.multivariate_normal(mu, sigma).logpdf(x)
    np.testing.assert_allclose(omega - omega[0], density - density[0], rtol=1e-6, atol=1e-6)
    assert float(gaussian_prior(mu, sigma)(torch.tensor(mu)[None])) == pytest.approx(0, abs=1e-12)


@given(seeds, st.integers(2, 6))
def test_gaussian_prior_of_a_singular_covariance(rng, d):
    rank = int(rng.integers(1, d))
    mu, A, z = rng.normal(size=d), rng.normal(size=(d, rank)), rng.normal(size=(4, rank))
    x = mu + z @ A.T
    omega = gaussian_prior(mu, A @ A.T)(torch.tensor(x)).numpy()
    density = scipy.stats.multivariate_normal(mu, A @ A.T, allow_singular=True).logpdf(x)
    np.testing.assert_allclose(omega - omega[0], density - density[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(omega, -((z) ** 2).sum(1) / 2, rtol=1e-5)


def regularizers(d):
    return {**{k: f for k, f in nets.untargeted(nets.cnn(), d).items() if f.terms[0][1].sees_image}}


def test_all_are_rewards_that_are_never_positive():
    x = torch.tensor(images(np.random.default_rng(0), 50, 3, 4, 5))
    found = regularizers(60)
    assert set(found) == {"l2", "lp", "l1", "total_variation", "gaussian_prior"}
    for f in found.values():
        assert float(f(x).max()) <= 0


@pytest.mark.parametrize("name", regularizers(12))
def test_gradients(name):
    x = torch.tensor(images(np.random.default_rng(1), 2, 1, 4, 3)).requires_grad_()
    assert torch.autograd.gradcheck(regularizers(12)[name], x)


def test_the_norms_have_a_gradient_at_their_centre():
    for f in (l2(1, 0.5), lp(1, 1, 0.5), lp(1, 1.5, 0.5), lp(1, 3, 0.5)):
        x = torch.full((1, 3), 0.5, requires_grad=True)
        (gradient,) = torch.autograd.grad(f(x).sum(), x)
        assert gradient.tolist() == [[0, 0, 0]]


def test_a_regularizer_sees_the_image_and_an_objective_its_transform():
    transform = compose(jitter(3), noise(0.5))
    zero = function(lambda x: 0 * x.sum((1, 2, 3)), "zero")
    seen = function(lambda x: x.sum((1, 2, 3)), "seen")
    how = {"steps": 2, "frames": 2}
    with_, without = (
        maximize(zero + l2(1) + tv(1), pixels(1, 6), transform=t, **how) for t in (transform, None)
    )
    assert torch.equal(with_.history, without.history)
    run = maximize(seen, pixels(1, 6), transform=transform, **how)
    assert not torch.allclose(run.history[:, 0], run.frames.sum((1, 2, 3, 4)))


def test_constants_are_copied():
    center = torch.zeros(3)
    f = l2(1.0, center)
    center += 1
    assert float(f(torch.zeros(1, 3))) == 0


def test_the_checks_catch_planted_faults():
    x = images(np.random.default_rng(2), 2, 1, 4, 4)
    wrong = {
        "mean": lambda x: tv(1)(x) / 24,
        "wraps around": lambda x: (
            -(x - x.roll(1, 2)).abs().sum((1, 2, 3)) - (x - x.roll(1, 3)).abs().sum((1, 2, 3))
        ),
        "rows alone": lambda x: -x.diff(dim=2).abs().sum((1, 2, 3)),
        "batch": lambda x: tv(1)(x).sum().expand(2),
    }  # fmt: skip
    for fault in wrong.values():
        with pytest.raises(AssertionError):
            np.testing.assert_allclose(fault(torch.tensor(x)), -variation(x))
