"""MALA draws from the density itself, whatever its step; the Metropolis test is what does it."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from actmax_lib import NonFiniteError, metropolis, sampling
from tests.contracts import assert_one_generator

pytestmark = pytest.mark.usefixtures("one_thread")
Z = 4.5


def normal(x):
    return -x.square().sum(1) / 2


def quartic(x):
    """A double well: far from a Gaussian, with a skew."""
    return (-x.pow(4) / 4 + x.square() + 0.3 * x).sum(1)


def moments(log_density, T=1.0):
    """E x, E x^2, E x^3 ... E x^8 under p^(1/T) by quadrature."""

    def integral(power):
        def weight(x):
            return x**power * math.exp(float(log_density(torch.tensor([[x]]))) / T)

        return quad(weight, -9, 9, limit=200)[0]

    Z0 = integral(0)
    return np.array([integral(k) / Z0 for k in range(1, 9)])


def assert_moments(chain, exact):
    """z-scores of the first four moments of the last states, all chains independent."""
    x = chain.last[:, 0].numpy()
    powers = np.stack([x**k for k in (1, 2, 3, 4)])
    sd = np.sqrt(exact[1::2] - exact[:4] ** 2)
    z = (powers.mean(1) - exact[:4]) / sd * math.sqrt(len(x))
    assert np.abs(z).max() < Z, z


def run(log_density=normal, step=1.5, steps=60, T=1.0, n=20_000, **how):
    x0 = torch.zeros(n, 1, dtype=torch.float64)
    how = {"step": step, "steps": steps, "temperature": T, "keep": steps} | how
    return sampling.mala(log_density, x0, **how)


@pytest.mark.parametrize("step", [0.4, 1.5, 3.0])
def test_no_step_bias(step):
    assert_moments(run(step=step), moments(normal))


def test_ula_has_the_bias_that_mala_has_not():
    chain = sampling.ula(lambda x: -x, torch.zeros(20_000, 1, dtype=torch.float64),
                         step=1.5, steps=60)  # fmt: skip
    with pytest.raises(AssertionError):
        assert_moments(chain, moments(normal))


@pytest.mark.parametrize("T", [1.0, 2.0])
def test_a_double_well_at_two_temperatures(T):
    assert_moments(run(quartic, step=0.6, steps=400, T=T, n=8000), moments(quartic, T))


def test_a_box():
    """A density that is 0 outside: its walls turn proposals down."""

    def uniform(x):
        return torch.where((x > 0) & (x < 1), 0.0 * x, -math.inf).sum(1)

    x0 = torch.full((20_000, 1), 0.1, dtype=torch.float64)
    chain = sampling.mala(uniform, x0, step=0.1, steps=80, keep=80)
    assert_moments(chain, 1 / np.arange(2.0, 10))
    assert 0 < chain.last.min() < chain.last.max() < 1


def test_acceptance_is_what_an_integral_says():
    """E min(1, ratio) over x ~ N(0, 1) and its proposal, by quadrature on a grid."""
    g = np.linspace(-7, 7, 561)
    shares = []
    for step in (0.1, 1.0, 3.0):
        x, xi = np.meshgrid(g, g)
        y = x - step / 2 * x + math.sqrt(step) * xi
        forth, back = -(xi**2) / 2, -((x - y + step / 2 * y) ** 2) / (2 * step)
        ratio = np.exp(np.minimum((x**2 - y**2) / 2 + back - forth, 0))
        weight = np.exp(-(x**2 + xi**2) / 2)
        exact = (ratio * weight).sum() / weight.sum()
        start = torch.randn(
            50_000, 1, generator=torch.Generator().manual_seed(3), dtype=torch.float64
        )
        found = sampling.mala(normal, start, step=step, steps=1).acceptance.mean().item()
        assert abs(found - exact) / math.sqrt(exact * (1 - exact) / 50_000) < Z
        shares.append(exact)
    assert shares == sorted(shares, reverse=True)


def test_several_coordinates_and_pictures():
    """A correlated Gaussian; and the shape of a point does not matter."""
    S = torch.tensor([[2.0, 0.8, 0.0], [0.8, 1.5, -0.4], [0.0, -0.4, 1.0]], dtype=torch.float64)
    P, n = torch.linalg.inv(S), 20_000

    def log_density(x):
        x = x.flatten(1)
        return -((x @ P) * x).sum(1) / 2

    x0 = torch.zeros(n, 3, dtype=torch.float64)
    chain = sampling.mala(log_density, x0, step=1.2, steps=80, keep=80)
    white = torch.linalg.solve_triangular(torch.linalg.cholesky(S), chain.last.mT, upper=False)
    z = (white @ white.mT / n - torch.eye(3)) * (n / (1 + torch.eye(3))).sqrt()
    assert float(z.abs().max()) < Z
    pictures = sampling.mala(log_density, x0.view(n, 1, 1, 3)[:50], step=1.2, steps=9)
    rows = sampling.mala(log_density, x0[:50], step=1.2, steps=9)
    torch.testing.assert_close(pictures.samples.flatten(2), rows.samples)
    states = torch.cat([x0[None, :50], rows.samples])
    moved = (states[1:] != states[:-1]).any(2).double().mean(0)
    assert torch.equal(rows.acceptance, moved)  # the share of steps that were taken
    assert 0 < moved.min() < moved.max()


def test_acceptance_falls_with_the_step():
    steps = (0.01, 0.5, 2.0, 8.0, 60.0)
    means = [run(step=s, steps=40, n=500).acceptance for s in steps]
    assert means[0].shape == (500,)
    shares = [float(m.mean()) for m in means]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.99
    assert shares[-1] < 0.5


def test_planted_faults_are_caught(monkeypatch):
    with monkeypatch.context() as patch:  # all proposals are taken
        patch.setattr(torch, "rand", lambda n, **kind: torch.zeros(n, dtype=torch.float64))
        with pytest.raises(AssertionError):
            test_no_step_bias(1.5)
    with monkeypatch.context() as patch:  # Metropolis without Hastings
        patch.setattr(metropolis, "_log_proposal", lambda to, *rest: 0.0)
        with pytest.raises(AssertionError):
            test_no_step_bias(1.5)
    with monkeypatch.context() as patch:  # the temperature of the proposal forgotten
        right = metropolis._log_proposal
        patch.setattr(metropolis, "_log_proposal", lambda *a: right(*a[:-1], 1.0))
        with pytest.raises(AssertionError):
            test_a_double_well_at_two_temperatures(2.0)


def test_one_generator():
    assert_one_generator(lambda s: run(n=5, steps=9, seed=s).last)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"T": 0.0}, ValueError, r"must be > 0, got 0.0: .* which is ula\(..., temperature=0\)"),
        ({"T": -0.5}, ValueError, "temperature must be > 0, got -0.5"),
        ({"T": math.nan}, ValueError, "temperature must be a finite number"),
        ({"step": -1.0}, ValueError, "step must be a finite number in"),
        ({"steps": 0}, ValueError, "steps must be at least 1"),
        ({"log_density": lambda x: -x}, ValueError, r"shape \(3,\), got \(3, 1\)"),
        ({"log_density": lambda x: x[:, 0] - math.inf}, NonFiniteError, "density is 0 at x0"),
        ({"log_density": lambda x: x[:, 0] + math.inf}, NonFiniteError, "at step 0"),
        ({"log_density": lambda x: (x[:, 0] - 1e9).sqrt()}, NonFiniteError, "NaN or Inf at step 0"),
    ],
)
def test_bad_input(change, error, words):
    with pytest.raises(error, match=words):
        run(**{"n": 3} | change)


def test_a_bad_density_names_the_step():
    def broken(x):  # right up to |x| = 1
        return torch.where(x.abs() > 1, math.nan, -x * x / 2)[:, 0]

    with pytest.raises(NonFiniteError, match=r"log_density is NaN or Inf at step \d+") as caught:
        run(broken, n=2, steps=500, keep=1)
    assert caught.value.step >= 1
    assert caught.value.images.abs().max() <= 1
