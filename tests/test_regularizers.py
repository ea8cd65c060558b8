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
from actmax_lib.regularizers import frequency_penalty, smoothness
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


def differences(x):
    """Brute force: the squared difference of every pixel and its two neighbours, edges joined."""
    total = np.zeros(len(x))
    for n, c, i, j in itertools.product(*map(range, x.shape)):
        total[n] += (x[n, c, (i + 1) % x.shape[2], j] - x[n, c, i, j]) ** 2
        total[n] += (x[n, c, i, (j + 1) % x.shape[3]] - x[n, c, i, j]) ** 2
    return total


def weighted(x, power):
    """Brute force: every wave of the full plane, by its definition."""
    total, (height, width) = np.zeros(len(x)), x.shape[2:]
    i, j = np.mgrid[:height, :width]
    for u, v in itertools.product(range(height), range(width)):
        wave = np.exp(-2j * np.pi * (u * i / height + v * j / width))
        frequency = np.hypot(min(u, height - u) / height, min(v, width - v) / width)
        size = np.abs((x * wave).sum((2, 3))) ** 2
        total += frequency ** (2 * power) * size.sum(1) / (height * width)
    return total


@given(seeds, st.integers(1, 3), st.integers(1, 5), st.integers(1, 6), st.floats(0, 2))
def test_smoothness_and_frequency_penalty(rng, channels, height, width, power):
    x = images(rng, 2, channels, height, width)
    z = torch.tensor(x)
    np.testing.assert_allclose(smoothness(0.7)(z), -0.7 * differences(x), atol=1e-12)
    np.testing.assert_allclose(
        frequency_penalty(0.7, power)(z), -0.7 * weighted(x, power), atol=1e-11
    )


def test_one_penalty_prices_pictures_of_all_sizes():
    rng, f = np.random.default_rng(3), frequency_penalty(0.7, 0.5)
    for size in ((4, 6), (5, 6), (4, 5), (4, 6)):
        x = images(rng, 2, 1, *size)
        np.testing.assert_allclose(f(torch.tensor(x)), -0.7 * weighted(x, 0.5), atol=1e-11)


@given(seeds, st.integers(1, 6), st.integers(1, 6))
def test_power_0_is_l2_and_constants_are_free_above(rng, height, width):
    x = torch.tensor(images(rng, 2, 2, height, width))
    np.testing.assert_allclose(frequency_penalty(0.3, 0)(x), l2(0.3)(x))
    for f in (smoothness(2.0), frequency_penalty(2.0), frequency_penalty(2.0, 0.5)):
        np.testing.assert_allclose(f(x + 5), f(x), rtol=1e-9, atol=1e-9)


def test_a_slow_wave_costs_the_same_in_both():
    """The Dirichlet energy is a frequency penalty of power 1 where waves are slow."""
    n = 64
    slow, fast = (torch.cos(2 * np.pi * k * torch.arange(n) / n).expand(1, 1, n, n).double()
                  for k in (1, n // 2))  # fmt: skip
    pair = smoothness(1.0), frequency_penalty(4 * np.pi**2, 1.0)
    ratio = [float(pair[0](x) / pair[1](x)) for x in (slow, fast)]
    assert ratio[0] == pytest.approx(1, abs=1e-3)
    assert ratio[1] == pytest.approx(4 / np.pi**2)  # of 4 sin²(π/2) and (π)²


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
    assert set(found) == {
        "l2", "lp", "l1", "total_variation", "smoothness", "frequency_penalty", "gaussian_prior"
    }  # fmt: skip
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
    halved = torch.fft.rfft2(torch.tensor(x))  # waves of the half plane counted once
    once = (halved.abs() ** 2).sum((1, 2, 3)) / 16
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(once, weighted(x, 0))
    with pytest.raises(AssertionError):  # edges that are not joined
        np.testing.assert_allclose(
            -(torch.tensor(x).diff(dim=2) ** 2).sum((1, 2, 3)), differences(x)
        )
