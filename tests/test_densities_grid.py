"""Implicit and hybrid densities on grids, against quadrature and exact Gaussian classes."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import softmax

from actmax_lib.densities import (
    Gaussian,
    GaussianClasses,
    hybrid_joint,
    implicit_density,
    lse_energy,
)

quick = settings(deadline=None, max_examples=25)
seeds = st.integers(0, 2**32 - 1)


def logits_of(x):
    """Three logits on the line with finite, different Z_k."""
    return np.stack([-(x**2), 0.5 - np.abs(x - 1) ** 3, np.sin(x) - x**2 / 4], -1)


def grid(n=4001, reach=12.0):
    x = np.linspace(-reach, reach, n)
    return x, x[1] - x[0]


def test_against_quadrature():
    x, dx = grid()
    density = implicit_density(torch.tensor(logits_of(x)), dx)
    mass = [quad(lambda t, k=k: math.exp(logits_of(np.array(t))[k]), -12, 12)[0] for k in range(3)]
    np.testing.assert_allclose(density.log_Zk, np.log(mass), atol=1e-7)
    assert density.log_Z.item() == pytest.approx(math.log(sum(mass)), abs=1e-7)
    np.testing.assert_allclose(density.class_prior, np.array(mass) / sum(mass), atol=1e-7)
    at = 1234
    f = logits_of(x)[at]
    assert density.log_marginal[at].item() == pytest.approx(math.log(np.exp(f).sum() / sum(mass)))
    np.testing.assert_allclose(density.log_conditional[at], f - np.log(mass), atol=1e-7)
    np.testing.assert_allclose(density.log_posterior[at].exp(), softmax(f), atol=1e-12)


@quick
@given(seeds, st.floats(-700, 700))
def test_normalised_and_shifted(seed, shift):
    rng = np.random.default_rng(seed)
    logits = torch.tensor(rng.normal(size=(30, 4)) * 5)
    volume = torch.tensor(rng.uniform(0.1, 2, size=30))
    one, other = implicit_density(logits, volume), implicit_density(logits + shift, volume)
    mass = (one.log_conditional.exp() * volume[:, None]).sum(0)
    np.testing.assert_allclose(mass, np.ones(4), rtol=1e-10)  # over x, one class at a time
    assert (one.log_marginal.exp() * volume).sum().item() == pytest.approx(1)
    np.testing.assert_allclose(one.class_prior.sum(), 1)
    bayes = one.log_conditional + one.class_prior.log() - one.log_marginal[:, None]
    torch.testing.assert_close(bayes, one.log_posterior, rtol=0, atol=1e-10)
    torch.testing.assert_close(one.log_joint, one.log_posterior + one.log_marginal[:, None])
    assert (other.log_Z - one.log_Z).item() == pytest.approx(shift, abs=1e-9)
    for name in ("class_prior", "log_marginal", "log_joint", "log_conditional", "log_posterior"):
        torch.testing.assert_close(getattr(other, name), getattr(one, name), rtol=1e-9, atol=1e-9)


def test_quadratic_logits_are_their_own_density():
    classes = GaussianClasses([[0.0], [2.0]], np.array([[[1.0]], [[0.25]]]), [0.3, 0.7])
    x, dx = grid()
    x = torch.tensor(x)[:, None]
    density = implicit_density(classes.log_joint(x), dx)
    assert density.log_Z.item() == pytest.approx(0, abs=1e-10)  # Z = 1
    np.testing.assert_allclose(density.class_prior, [0.3, 0.7], atol=1e-10)
    torch.testing.assert_close(density.log_marginal, classes.log_marginal(x))


@quick
@given(seeds)
def test_hybrid_joint_obeys_bayes_for_any_q(seed):
    rng = np.random.default_rng(seed)
    logits = torch.tensor(rng.normal(size=(40, 3)) * 4)
    log_q = torch.tensor(rng.normal(size=40) * 3)
    dx = rng.uniform(0.05, 1)
    log_q = log_q - (log_q.logsumexp(0) + math.log(dx))
    posterior = logits.log_softmax(1)
    hybrid = hybrid_joint(posterior, log_q, dx)
    assert hybrid.log_Z.item() == pytest.approx(0, abs=1e-10)
    torch.testing.assert_close(hybrid.log_marginal, log_q)
    torch.testing.assert_close(hybrid.log_posterior, posterior)
    direct = (posterior.exp() * log_q.exp()[:, None]).sum(0) * dx  # q(k) by its definition
    torch.testing.assert_close(hybrid.class_prior, direct)
    left = posterior + log_q[:, None]
    right = hybrid.log_conditional + hybrid.class_prior.log()
    torch.testing.assert_close(left, right, rtol=0, atol=1e-10)
    mass = (hybrid.log_conditional.exp() * dx).sum(0)
    np.testing.assert_allclose(mass, np.ones(3), rtol=1e-10)


def test_hybrid_joint_with_an_unnormalised_q_and_holes():
    posterior = torch.tensor([[0.2, 0.8], [0.5, 0.5], [0.9, 0.1]]).double().log()
    log_q = torch.tensor([0.0, -math.inf, 0.0]).double()
    hybrid = hybrid_joint(posterior, log_q, 0.5)
    assert hybrid.log_Z.exp().item() == pytest.approx(1.0)
    assert hybrid.class_prior.tolist() == pytest.approx([0.55, 0.45])
    assert hybrid.log_conditional[1].tolist() == [-math.inf, -math.inf]
    assert torch.equal(hybrid.log_posterior, posterior)


def test_overflow():
    density = implicit_density(torch.tensor([[800.0, 0.0], [-900.0, 1e4]]).double(), 1.0)
    assert torch.isfinite(density.log_marginal).all()
    assert density.class_prior.tolist() == pytest.approx([0, 1])
    assert lse_energy(torch.tensor([[1e4, 0.0]])).item() == pytest.approx(-1e4)


def test_energy_and_its_gradient():
    f = torch.tensor([[1.0, 2.0, -1.0]], dtype=torch.float64, requires_grad=True)
    energy = lse_energy(f)
    assert energy.item() == pytest.approx(-math.log(sum(map(math.exp, (1, 2, -1)))))
    (slope,) = torch.autograd.grad(energy.sum(), f)
    torch.testing.assert_close(slope, -f.detach().softmax(1))


def test_gradients_reach_the_parameters():
    x, dx = grid(801, 10)
    a = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    t = torch.tensor(x)[:, None]
    log_Z = implicit_density(-a * t**2 / 2, dx).log_Z  # sqrt(2π/a)
    (slope,) = torch.autograd.grad(log_Z, a)
    assert log_Z.item() == pytest.approx(math.log(2 * math.pi / 0.7) / 2)
    assert slope.item() == pytest.approx(-1 / 1.4)


def test_a_grid_over_the_plane():
    line = torch.linspace(-8, 8, 161, dtype=torch.float64)
    points = torch.cartesian_prod(line, line)
    gaussian = Gaussian([0.5, -0.5], [[1.0, 0.4], [0.4, 0.8]])
    density = implicit_density(gaussian.log_prob(points)[:, None] + 3, 0.01)
    assert density.log_Z.item() == pytest.approx(3, abs=1e-9)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: lse_energy(torch.zeros(3)), "logits must have shape"),
        (lambda: lse_energy(torch.zeros(0, 3)), "none of them 0"),
        (lambda: implicit_density(torch.full((2, 2), math.nan), 1.0), "logits hold NaN"),
        (lambda: implicit_density(torch.zeros(2, 2), 0.0), "volume must be > 0, got 0"),
        (lambda: implicit_density(torch.zeros(2, 2), torch.ones(3)), r"\(2,\), one a point"),
        (lambda: hybrid_joint(torch.zeros(2, 2), torch.zeros(2), 1.0), "row 0 sum to 2"),
        (lambda: hybrid_joint(torch.full((2, 1), 0.001), torch.zeros(2), 1.0), "sum to 1.001"),
        (
            lambda: hybrid_joint(torch.zeros(2, 2).log_softmax(1), torch.zeros(3), 1.0),
            "one value a point",
        ),
        (
            lambda: hybrid_joint(
                torch.zeros(2, 2).log_softmax(1), torch.full((2,), -math.inf), 1.0
            ),
            "finite somewhere",
        ),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_integers_are_refused():
    with pytest.raises(TypeError, match="floating-point"):
        lse_energy(torch.zeros(2, 2).long())
