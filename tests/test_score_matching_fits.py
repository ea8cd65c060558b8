"""What the losses are for: their minimisers, and the gradient that training follows."""

import numpy as np
import pytest
import scipy.optimize
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from actmax_lib import score_matching as sm

pytestmark = pytest.mark.usefixtures("one_thread")
seeds = st.integers(0, 10_000)
few = settings(max_examples=6)


def minimise(loss, *parameters):
    """The minimiser of loss(*tensors).mean() by BFGS, as arrays."""
    shapes = [np.shape(p) for p in parameters]
    cuts = np.cumsum([int(np.prod(s)) for s in shapes])[:-1]

    def both(flat):
        parts = np.split(flat, cuts)
        tensors = [
            torch.tensor(p.reshape(s), requires_grad=True)
            for p, s in zip(parts, shapes, strict=True)
        ]
        value = loss(*tensors).mean()
        slopes = torch.autograd.grad(value, tensors)
        return value.item(), np.concatenate([g.numpy().ravel() for g in slopes])

    start = np.concatenate([np.ravel(p) for p in parameters]).astype(float)
    found = scipy.optimize.minimize(both, start, jac=True, options={"gtol": 1e-9})
    return [p.reshape(s) for p, s in zip(np.split(found.x, cuts), shapes, strict=True)]


def data(seed, n=400, d=2):
    rng = np.random.default_rng(seed)
    return torch.tensor(rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + rng.normal(size=d))


def linear(x, A, m):
    """The score of N(m, P⁻¹) with P = AAᵀ."""
    return -(x - m) @ (A @ A.T)


@few
@given(seeds)
def test_implicit_fit_is_maximum_likelihood(seed):
    x = data(seed)
    A, m = minimise(lambda A, m: sm.implicit(lambda x: linear(x, A, m), x), np.eye(2), np.zeros(2))
    np.testing.assert_allclose(m, x.numpy().mean(0), atol=1e-5)
    np.testing.assert_allclose(np.linalg.inv(A @ A.T), np.cov(x.T.numpy(), bias=True), rtol=1e-4)


@few
@given(seeds)
def test_sliced_fit_is_maximum_likelihood(seed):
    """With one probe a sample the fit scatters about it, as far as two-sided z-scores allow."""
    x = data(seed, n=4000, d=1)

    def loss(a, m):
        return sm.sliced(lambda x: -a.exp() * (x - m), x, seed=seed)

    a, m = minimise(loss, 0.0, 0.0)
    # the loss of a sample is v²(-p + ½p²(x-m)²): maximum likelihood with weights v², E v⁴ = 3
    sd = x.numpy().std()
    assert abs(m - x.numpy().mean()) < 4.5 * sd * np.sqrt(3 / len(x))
    assert abs(np.exp(-a) / sd**2 - 1) < 4.5 * np.sqrt(3 * 2 / len(x))
    a, m = minimise(
        lambda a, m: sm.sliced(lambda x: -a.exp() * (x - m), x, kind="rademacher"), 0.0, 0.0
    )
    np.testing.assert_allclose([m, np.exp(-a)], [x.numpy().mean(), sd**2], rtol=1e-4)


@few
@given(seeds, st.floats(1, 2))
def test_denoising_fit_is_the_smoothed_density(seed, sigma):
    """Its covariance is that of the data + σ²I; the fit is a regression of -ε/σ on x + σε."""
    x = 0.7 * data(seed, n=3000)

    def loss(A, b):
        return sm.denoising(lambda x: x @ A.T + b, x, sigma=sigma, probes=20, seed=seed)

    A, b = minimise(loss, -np.eye(2), np.zeros(2))
    smooth = np.cov(x.T.numpy(), bias=True) + sigma**2 * np.eye(2)
    want = -np.linalg.inv(smooth)
    # sd of a least-squares coefficient: noise 1/σ, precision of the inputs, 60 000 rows
    sd = np.sqrt(np.diag(-want).max() / (20 * len(x))) / sigma
    assert abs(A - want).max() < 4.5 * sd
    assert abs(A + np.linalg.inv(np.cov(x.T.numpy()))).max() > 10 * sd  # not the raw data
    assert abs(b + want @ x.numpy().mean(0)).max() < 4.5 * sd * (1 + abs(x.numpy().mean(0)).sum())


def test_explicit_minus_implicit_is_a_constant():
    """N(0, 1) and s = -a(x - m): the difference is ½E[t²] = ½ for all a and m (quadrature)."""
    x, w = np.polynomial.hermite_e.hermegauss(40)
    x, w = torch.tensor(x)[:, None], torch.tensor(w / w.sum())
    for a, m in ((1.0, 0.0), (0.3, 2.0), (4.0, -1.0)):
        score = lambda x, a=a, m=m: -a * (x - m)  # noqa: E731
        left, right = w @ sm.explicit(score, lambda x: -x, x), w @ sm.implicit(score, x)
        assert left - right == pytest.approx(0.5)
        assert left == pytest.approx(a**2 * m**2 / 2 + (a - 1) ** 2 / 2)


def test_the_box_breaks_it():
    """U[0, 1] and s = cx: implicit - explicit is c, the boundary term, not a constant."""
    x, w = np.polynomial.legendre.leggauss(8)
    x, w = torch.tensor(x + 1)[:, None] / 2, torch.tensor(w / 2)
    for c in (2.0, -1.0):
        score = lambda x, c=c: c * x  # noqa: E731
        gap = w @ (sm.implicit(score, x) - sm.explicit(score, torch.zeros_like, x))
        assert gap == pytest.approx(c)


def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = torch.nn.Sequential(
            torch.nn.Conv2d(1, 3, 3), torch.nn.Softplus(10), torch.nn.Flatten(),
            torch.nn.Linear(27, 4),
        ).double()  # fmt: skip
        return net, torch.rand(6, 1, 5, 5, dtype=torch.float64)


@pytest.mark.parametrize("antithetic", [True, False])
def test_density_penalty_and_its_gradient(antithetic):
    """Value by hand from the same noise; gradient to the weights by finite differences."""
    net, x = network()
    y = torch.arange(6) % 4
    sigma, mu = 0.1, 0.2

    def f(x):
        return net(x).gather(1, y[:, None])[:, 0]

    def penalty():
        generator = torch.Generator().manual_seed(3)
        options = {"sigma": sigma, "mu": mu, "probes": 2, "antithetic": antithetic}
        return sm.density_penalty(f, x, generator=generator, **options)

    generator = torch.Generator().manual_seed(3)
    v = sigma * torch.randn(2, *x.shape, generator=generator).double()
    ups, downs = (torch.stack([f(x + s * u) for u in v]) for s in (1, -1))
    h = ((ups + downs - 2 * f(x)) if antithetic else 2 * (ups - f(x))).mean(0) / sigma**2
    g = torch.stack([torch.func.grad(lambda z, n=n: f(z)[n])(x)[n] for n in range(6)])
    by_hand = h + g.square().flatten(1).sum(1) / 2 + mu * h**2
    np.testing.assert_allclose(penalty().detach(), by_hand.detach(), rtol=1e-10)

    penalty().mean().backward()
    for weights in net.parameters():
        at = (0,) * weights.ndim
        slope = weights.grad[at].item()
        values = []
        with torch.no_grad():
            for step in (1e-5, -2e-5):
                weights[at] += step
                values.append(penalty().mean().item())
            weights[at] += 1e-5
        np.testing.assert_allclose(slope, (values[0] - values[1]) / 2e-5, rtol=1e-5, atol=1e-7)
        assert slope != 0 or weights.shape == (4,)  # the last bias is a constant of f


def test_density_penalty_without_gradients():
    net, x = network()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        quiet = sm.density_penalty(lambda x: net(x)[:, 1], x, sigma=0.1, mu=0, generator=generator)
    assert not quiet.requires_grad
    generator.manual_seed(3)
    loud = sm.density_penalty(lambda x: net(x)[:, 1], x, sigma=0.1, mu=0, generator=generator)
    assert loud.requires_grad
    np.testing.assert_allclose(quiet, loud.detach())
    assert not x.requires_grad
