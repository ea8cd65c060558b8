"""N(μ, Σ) against SciPy, autograd, quadrature and its own samples."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import dblquad
from scipy.stats import chi2, multivariate_normal

from actmax_lib.densities import Gaussian

quick = settings(deadline=None, max_examples=30)
seeds = st.integers(0, 2**32 - 1)


def instance(seed, rank=None, d=None):
    """A random mean and covariance, of the rank given; and a generator."""
    rng = np.random.default_rng(seed)
    d = d or int(rng.integers(1, 8))
    A = rng.normal(size=(d, d if rank is None else min(rank, d))) * 10 ** rng.uniform(-1, 1)
    if rank is None:
        A = A + np.eye(d) * 2 * np.abs(A).max()
    return rng, rng.normal(size=d) * 3, A @ A.T, A


@quick
@given(seeds)
def test_log_prob_is_scipys(seed):
    rng, mu, Sigma, A = instance(seed)
    x = mu + rng.normal(size=(20, len(mu))) @ A.T * 2
    ours = Gaussian(mu, Sigma).log_prob(torch.tensor(x))
    theirs = multivariate_normal(mu, Sigma).logpdf(x).reshape(-1)
    np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-8)


@quick
@given(seeds, st.integers(1, 4))
def test_singular_log_prob_is_scipys(seed, rank):
    rng, mu, Sigma, A = instance(seed, rank, d=5)
    on = mu + rng.normal(size=(20, rank)) @ A.T
    gaussian = Gaussian(mu, Sigma)
    assert gaussian.covariance.rank == rank
    theirs = multivariate_normal(mu, Sigma, allow_singular=True).logpdf(on).reshape(-1)
    np.testing.assert_allclose(gaussian.log_prob(torch.tensor(on)), theirs, rtol=1e-6, atol=1e-6)
    off = torch.tensor(on) + 1e-2 * gaussian.covariance.null[:, 0]
    assert (gaussian.log_prob(off) == -math.inf).all()
    samples = gaussian.sample(50, seed=seed % 1000)
    assert torch.isfinite(gaussian.log_prob(samples)).all()  # they lie on the support
    assert gaussian.stability_limit == 0


def test_no_variance_at_all_is_a_point():
    point = Gaussian([1.0, 2.0], np.zeros((2, 2)))
    x = torch.tensor([[1.0, 2.0], [1.0, 2.1]], dtype=torch.float64)
    assert point.log_prob(x).tolist() == [0, -math.inf]
    assert (point.score(x) == 0).all()
    assert (point.sample(3) == x[0]).all()


def test_density_integrates_to_one():
    gaussian = Gaussian([0.5, -1.0], [[1.0, 0.6], [0.6, 2.0]])

    def density(y, x):
        return gaussian.log_prob(torch.tensor([[x, y]], dtype=torch.float64)).exp().item()

    mass, _ = dblquad(density, -7, 8, -12, 10, epsabs=1e-8)
    assert mass == pytest.approx(1, abs=1e-7)


@quick
@given(seeds, st.booleans())
def test_score_is_the_gradient(seed, singular):
    rng, mu, Sigma, A = instance(seed, 2 if singular else None, d=4)
    gaussian = Gaussian(mu, Sigma)
    x = torch.tensor(mu + rng.normal(size=(6, A.shape[1])) @ A.T).requires_grad_()
    (slope,) = torch.autograd.grad(gaussian.log_prob(x).sum(), x)
    torch.testing.assert_close(gaussian.score(x.detach()), slope, rtol=1e-7, atol=1e-7)
    stated = -(x.detach().numpy() - mu) @ np.linalg.pinv(Sigma, rcond=1e-10)
    np.testing.assert_allclose(slope, stated, rtol=1e-4, atol=1e-6 * np.abs(stated).max())


def test_score_can_be_vmapped_and_differentiated():
    gaussian = Gaussian([1.0, 0.0], [[2.0, 0.5], [0.5, 1.0]])
    x = torch.randn(5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    jacobian = torch.func.vmap(torch.func.jacrev(lambda v: gaussian.score(v[None])[0]))(x)
    expected = -torch.linalg.inv(torch.tensor([[2.0, 0.5], [0.5, 1.0]], dtype=torch.float64))
    torch.testing.assert_close(jacobian, expected.expand(5, 2, 2))


def test_samples_have_the_moments_stated():
    n = 20_000
    mu, Sigma = np.array([1.0, -2.0]), np.array([[2.0, -0.8], [-0.8, 0.5]])
    x = Gaussian(mu, Sigma).sample(n, seed=3).numpy()
    z = (x.mean(0) - mu) / np.sqrt(np.diag(Sigma) / n)
    assert np.abs(z).max() < 4.5  # once in 1e5 for each
    seen = np.cov(x.T)
    for i, j in itertools.product(range(2), repeat=2):  # Isserlis: variance of a product
        sd = math.sqrt((Sigma[i, i] * Sigma[j, j] + Sigma[i, j] ** 2) / n)
        assert abs(seen[i, j] - Sigma[i, j]) < 4.5 * sd
    whitened = np.einsum("ni,ij,nj->n", x - mu, np.linalg.inv(Sigma), x - mu)
    assert np.mean(whitened > chi2(2).ppf(0.9)) == pytest.approx(0.1, abs=4.5 * 0.3 / n**0.5)


def test_seed_and_global_state():
    gaussian = Gaussian([0.0], [[1.0]])
    before = torch.get_rng_state()
    assert torch.equal(gaussian.sample(4, seed=1), gaussian.sample(4, seed=1))
    assert not torch.equal(gaussian.sample(4, seed=1), gaussian.sample(4, seed=2))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_of_the_points_is_kept(dtype):
    gaussian = Gaussian(torch.zeros(2, dtype=dtype), torch.eye(2, dtype=dtype))
    x = torch.ones(3, 2, dtype=dtype)
    assert {t.dtype for t in (gaussian.log_prob(x), gaussian.score(x), gaussian.sample(2))} == {
        dtype
    }


def test_stability_limit_is_four_times_the_least_variance():
    assert Gaussian([0.0, 0.0], [[2.0, 0.0], [0.0, 0.25]]).stability_limit == pytest.approx(1.0)
    rotated = np.array([[1.25, 0.75], [0.75, 1.25]])  # eigenvalues 1/2 and 2
    assert Gaussian([0.0, 0.0], rotated).stability_limit == pytest.approx(2.0)


def test_rounding_far_out_is_not_taken_for_being_off_the_support():
    line = Gaussian(torch.tensor([1e5, -2e5]), torch.tensor([[1.0, 3.0], [3.0, 9.0]]))
    assert line.covariance.rank == 1
    assert torch.isfinite(line.log_prob(line.sample(200))).all()  # float32 has steps of 0.016 there


def test_nearly_singular_is_not_taken_for_singular():
    gaussian = Gaussian([0.0, 0.0], np.diag([1.0, 1e-10]))
    assert gaussian.covariance.rank == 2
    x = torch.tensor([[0.3, 1e-5]], dtype=torch.float64)
    expected = -math.log(2 * math.pi) - math.log(1e-10) / 2 - (0.09 + 1) / 2
    assert gaussian.log_prob(x).item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("mu", "Sigma", "words"),
    [
        ([0.0, 0.0], [[1.0, 2.0], [2.0, 1.0]], "negative eigenvalue -1"),
        ([0.0, 0.0], [[1.0, 0.0], [0.0, -1e-6]], "negative eigenvalue -1e-06"),
        ([0.0, 0.0], [[1.0, 0.5], [0.0, 1.0]], "not symmetric"),
        ([0.0, 0.0], [[1.0]], r"\(1, 1\).*\(2, 2\)"),
        ([[0.0]], [[1.0]], r"mu must have shape \(d,\)"),
        ([math.nan], [[1.0]], "mu holds NaN"),
        ([0.0], [[math.inf]], "Sigma holds NaN or Inf"),
        ([], [[1.0]], "mu is empty"),
    ],
)
def test_bad_parameters_are_named(mu, Sigma, words):
    with pytest.raises(ValueError, match=words):
        Gaussian(mu, Sigma)


@pytest.mark.parametrize(
    "x", [torch.zeros(2), torch.zeros(3, 3), torch.zeros(3, 2).long(), [[0.0]]]
)
def test_bad_points_are_named(x):
    with pytest.raises(ValueError, match=r"x must be a float tensor of shape \(N, 2\)"):
        Gaussian([0.0, 0.0], np.eye(2)).log_prob(x)


@pytest.mark.parametrize(("n", "seed"), [(0, 0), (5, -1)])
def test_bad_draws_are_named(n, seed):
    with pytest.raises(ValueError, match="must be at least"):
        Gaussian([0.0], [[1.0]]).sample(n, seed)
