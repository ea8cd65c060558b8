"""Gaussian classes: densities, posterior, the surest input, the γ path, by independent routes."""

import math

import numpy as np
import pytest
import scipy.optimize
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from actmax_lib import UnboundedProblemError, gaussian_prior, maximize, point
from actmax_lib.densities import GaussianClasses, gamma_objective, gamma_path

quick = settings(deadline=None, max_examples=25)
seeds = st.integers(0, 2**32 - 1)
# where the library itself searches, and says so, a fresh instance a day could fail on another day
fixed = settings(deadline=None, max_examples=25, derandomize=True)


def spd(rng, d):
    A = rng.normal(size=(d, d))
    return A @ A.T + 0.2 * np.eye(d)


def instance(seed, shared, d=None, K=None):
    rng = np.random.default_rng(seed)
    d, K = d or int(rng.integers(1, 5)), K or int(rng.integers(2, 5))
    means = rng.normal(size=(K, d)) * 2
    covariances = spd(rng, d) if shared else np.stack([spd(rng, d) for _ in range(K)])
    priors = rng.dirichlet(np.full(K, 3.0))
    return rng, means, covariances, priors, GaussianClasses(means, covariances, priors)


def each(covariances, K):
    return covariances if covariances.ndim == 3 else [covariances] * K


@quick
@given(seeds, st.booleans())
def test_all_four_densities(seed, shared):
    rng, means, covariances, priors, classes = instance(seed, shared)
    x = rng.normal(size=(15, classes.d)) * 3
    pairs = zip(means, each(covariances, classes.K), strict=True)
    given_k = np.stack([multivariate_normal(m, S).logpdf(x).reshape(-1) for m, S in pairs], 1)
    joint = given_k + np.log(priors)
    t = torch.tensor(x)
    np.testing.assert_allclose(classes.log_conditional(t), given_k, atol=1e-8)
    np.testing.assert_allclose(classes.log_joint(t), joint, atol=1e-8)
    np.testing.assert_allclose(classes.log_marginal(t), logsumexp(joint, axis=1), atol=1e-8)
    posterior = joint - logsumexp(joint, axis=1, keepdims=True)
    np.testing.assert_allclose(classes.log_posterior(t), posterior, atol=1e-8)


@quick
@given(seeds, st.booleans())
def test_scores_are_gradients(seed, shared):
    rng, *_, classes = instance(seed, shared)
    x = torch.tensor(rng.normal(size=(6, classes.d)) * 2).requires_grad_()
    (slope,) = torch.autograd.grad(classes.log_marginal(x).sum(), x)
    torch.testing.assert_close(classes.score(x), slope)
    for k in range(classes.K):
        (slope,) = torch.autograd.grad(classes.log_conditional(x)[:, k].sum(), x)
        torch.testing.assert_close(classes.score(x, k), slope)


@quick
@given(seeds)
def test_lda_logits_have_the_same_posterior(seed):
    rng, *_, classes = instance(seed, shared=True)
    x = torch.tensor(rng.normal(size=(20, classes.d)) * 3)
    W, b = classes.lda_logits()
    logits = x @ W.mT + b
    torch.testing.assert_close(logits.log_softmax(1), classes.log_posterior(x))
    gap = classes.log_joint(x) - logits  # one and the same function of x for all classes
    torch.testing.assert_close(gap, gap[:, :1].expand_as(gap))
    assert float(gap.std(0).max()) > 1e-3  # not a constant


def test_samples_come_from_the_joint():
    n = 20_000
    classes = GaussianClasses([[0.0, 0.0], [3.0, 1.0]], [[1.0, 0.3], [0.3, 0.5]], [0.3, 0.7])
    x, k = classes.sample(n, seed=5)
    assert x.shape == (n, 2)
    share = (k == 1).double().mean().item()
    assert abs(share - 0.7) < 4.5 * math.sqrt(0.21 / n)
    for label in (0, 1):
        own = x[k == label].numpy()
        z = (own.mean(0) - classes.means[label].numpy()) / np.sqrt(np.array([1, 0.5]) / len(own))
        assert np.abs(z).max() < 4.5
    np.testing.assert_allclose(np.cov(x[k == 1].numpy().T), [[1, 0.3], [0.3, 0.5]], atol=0.06)
    assert torch.equal(classes.sample(9, seed=1)[0], classes.sample(9, seed=1)[0])


def test_samples_of_each_class_have_its_own_covariance():
    rng, n = np.random.default_rng(11), 20_000
    covariances = np.stack([spd(rng, 3) for _ in range(2)])
    x, k = GaussianClasses(rng.normal(size=(2, 3)), covariances, [0.4, 0.6]).sample(n, seed=2)
    for label, S in enumerate(covariances):
        own = np.cov(x[k == label].numpy().T)
        white = np.linalg.solve(np.linalg.cholesky(S), own)
        white = np.linalg.solve(np.linalg.cholesky(S), white.T)  # I, but for chance
        m = int((k == label).sum())
        assert (np.abs(white - np.eye(3)) * np.sqrt(m / (1 + np.eye(3)))).max() < 4.5


def test_fit_recovers_the_classes_and_averages_the_data():
    truth = GaussianClasses([[0.0, 0.0], [3.0, 1.0]], [[1.0, 0.3], [0.3, 0.5]], [0.3, 0.7])
    x, k = truth.sample(5000, seed=0)
    fitted = GaussianClasses.fit(x, k)
    torch.testing.assert_close(fitted.means[1], x[k == 1].mean(0))
    centred = x - fitted.means[k]
    pooled = centred.mT @ centred / len(x)
    torch.testing.assert_close(
        fitted.score(x[:5], 0), -(x[:5] - fitted.means[0]) @ pooled.inverse()
    )
    assert fitted.priors[1].item() == pytest.approx((k == 1).double().mean().item())
    own = GaussianClasses.fit(x, k, shared=False)
    assert not own.shared
    for label in (0, 1):  # divided by n, as the largest likelihood asks
        rows = x[k == label][:4]
        S = np.cov(x[k == label].numpy().T, bias=True)
        stated = -np.linalg.solve(S, (rows - own.means[label]).numpy().T).T
        np.testing.assert_allclose(own.score(rows, label), stated, rtol=1e-8, atol=1e-8)
    likelihood = [c.log_joint(x).gather(1, k[:, None]).sum() for c in (truth, fitted, own)]
    assert likelihood[0] < likelihood[1] < likelihood[2]


# ---- the surest input


def test_overshoot_of_the_narrow_class():
    wide = torch.stack([torch.eye(2), 4 * torch.eye(2)]).double()
    classes = GaussianClasses([[0.0, 0.0], [3.0, 0.0]], wide)
    torch.testing.assert_close(
        classes.most_certain(0), torch.tensor([-1.0, 0.0], dtype=torch.float64)
    )
    assert classes.prototype(0).tolist() == [0, 0]
    classes.prototype(0).fill_(9.0)  # a copy: the class stays where it is
    assert classes.means[0].tolist() == [0, 0]
    with pytest.raises(UnboundedProblemError) as caught:
        classes.most_certain(1)
    assert caught.value.direction.tolist() == pytest.approx([1, 0], abs=1e-9)


def certainty(classes, k):
    return lambda z: classes.log_posterior(torch.tensor(np.atleast_2d(z)))[:, k].numpy()


@fixed
@given(seeds, st.sampled_from(["shared", "narrow", "any"]))
def test_the_surest_input_beats_a_search(seed, kind):
    rng, means, covariances, priors, classes = instance(seed, kind == "shared")
    if kind == "narrow":  # class 0 the narrowest in every direction
        covariances[0] = covariances.min() * 0 + 0.15 * np.eye(classes.d)
        classes = GaussianClasses(means, covariances, priors)
    value = certainty(classes, 0)
    try:
        best = classes.most_certain(0).numpy()
    except UnboundedProblemError as error:
        assert kind != "narrow"
        v = error.direction.numpy()
        assert np.linalg.norm(v) == pytest.approx(1)
        far = value(np.outer([1e3, 1e4, 1e5, 1e6], v) + means.mean(0))
        assert (np.diff(far) >= -1e-12).all()  # it does not fall, far out on the ray
        top = max(
            -scipy.optimize.minimize(lambda z: -value(z)[0], s, method="Nelder-Mead").fun
            for s in means
        )
        assert far[-1] >= min(top, -1e-12)  # and no point a search finds is surer
        return
    around = best + rng.normal(size=(400, classes.d)) * rng.uniform(0.01, 5, size=(400, 1))
    assert value(best)[0] >= value(around).max() - 1e-12
    for start in [*means, *(2 * means[0] - means)]:
        found = scipy.optimize.minimize(lambda z: -value(z)[0], start)
        assert value(best)[0] >= -found.fun - 1e-9


def test_a_class_between_the_others_has_a_surest_input():
    classes = GaussianClasses([[0.0], [-2.0], [2.0]], [[1.0]])
    assert classes.most_certain(0).item() == pytest.approx(0, abs=1e-9)
    skew = GaussianClasses([[0.0], [-2.0], [2.0]], [[1.0]], [0.4, 0.5, 0.1])
    found = scipy.optimize.minimize_scalar(
        lambda t: -certainty(skew, 0)([[t]])[0], bounds=(-3, 3), method="bounded",
        options={"xatol": 1e-10},
    )  # fmt: skip
    assert skew.most_certain(0).item() == pytest.approx(found.x, abs=1e-6)
    assert found.x > 0.1


def test_on_the_edge_of_the_hull_the_third_class_drives_it_away():
    classes = GaussianClasses([[0.0, 0.0], [-2.0, 0.0], [2.0, 0.0], [0.0, 3.0]], np.eye(2))
    with pytest.raises(UnboundedProblemError) as caught:
        classes.most_certain(0)
    assert caught.value.direction.tolist() == pytest.approx([0, -1], abs=1e-9)


def test_flat_directions_stay_at_the_mean():
    classes = GaussianClasses([[0.0, 5.0], [-2.0, 5.0], [2.0, 5.0]], np.eye(2))
    assert classes.most_certain(0).tolist() == pytest.approx([0, 5], abs=1e-9)


def test_one_class_or_equal_classes_are_sure_everywhere():
    alone = GaussianClasses([[1.0, 2.0]], np.eye(2))
    assert alone.most_certain(0).tolist() == [1, 2]
    twins = GaussianClasses([[1.0, 2.0], [1.0, 2.0]], np.eye(2), [0.2, 0.8])
    assert twins.most_certain(0).tolist() == [1, 2]


def test_concentric_classes():
    classes = GaussianClasses([[1.0, 1.0]] * 2, np.stack([np.eye(2), 4 * np.eye(2)]))
    assert classes.most_certain(0).tolist() == pytest.approx([1, 1], abs=1e-9)
    with pytest.raises(UnboundedProblemError):
        classes.most_certain(1)


# ---- the γ path

TABLE = {0.05: -0.87431, 0.25: -0.36640, 0.5: -0.17434, 1: 0, 2: 0.15605, 10: 0.44856, 100: 0.71791}


def test_gamma_path_in_one_dimension_by_its_stationarity():
    classes = GaussianClasses([[0.0], [2.0]], [[1.0]])
    path = gamma_path(classes, 0, list(TABLE)).flatten().numpy()

    def balance(x, gamma):  # x = 2 (γ - 1) p_2(x) / γ
        return x - 2 * (gamma - 1) / (gamma * (1 + math.exp(2 - 2 * x)))

    roots = [scipy.optimize.brentq(balance, -5, 1.01, args=(g,), xtol=1e-13) for g in TABLE]
    np.testing.assert_allclose(path, roots, atol=1e-9)
    np.testing.assert_allclose(path, list(TABLE.values()), atol=1e-5)
    assert (np.diff(path) > 0).all()


@fixed
@given(seeds, st.booleans(), st.floats(0.05, 30))
def test_gamma_path_beats_a_search(seed, shared, gamma):
    rng, means, _, _, classes = instance(seed, shared)
    objective = gamma_objective(classes, 0, gamma)

    def cost(z):
        return -objective(torch.tensor(np.atleast_2d(z))).numpy()[0]

    best = gamma_path(classes, 0, [gamma])[0].numpy()
    starts = [*means, *rng.normal(size=(6, classes.d)) * 3]
    found = min(scipy.optimize.minimize(cost, s).fun for s in starts)
    assert cost(best) <= found + 1e-8 * (1 + abs(found))


@quick
@given(seeds, st.booleans())
def test_gamma_one_is_the_prototype(seed, shared):
    *_, classes = instance(seed, shared)
    path = gamma_path(classes, 1, [0.7, 1.0, 1.4])
    torch.testing.assert_close(path[1], classes.prototype(1), rtol=1e-9, atol=1e-9)
    x = torch.randn(5, classes.d, dtype=torch.float64)
    joint = classes.log_joint(x)[:, 1]
    torch.testing.assert_close(gamma_objective(classes, 1, 1.0)(x), joint)
    mixed = classes.log_posterior(x)[:, 1] + 0.3 * classes.log_marginal(x)
    torch.testing.assert_close(gamma_objective(classes, 1, 0.3)(x), mixed)


def test_gamma_zero_is_certainty():
    narrow = torch.stack([torch.eye(2), 4 * torch.eye(2)]).double()
    classes = GaussianClasses([[0.0, 0.0], [3.0, 0.0]], narrow)
    assert gamma_path(classes, 0, [0])[0].tolist() == pytest.approx([-1, 0], abs=1e-9)
    with pytest.raises(UnboundedProblemError):
        gamma_path(GaussianClasses([[0.0], [2.0]], [[1.0]]), 0, [1, 0])


def test_a_large_gamma_goes_to_the_commonest_class():
    classes = GaussianClasses([[0.0], [6.0]], [[1.0]], [0.2, 0.8])
    path = gamma_path(classes, 0, [1.5, 200.0]).flatten()
    assert path.tolist() == pytest.approx([0, 6], abs=0.05)


def test_maximize_climbs_to_the_closed_forms():
    """The optimizer and the closed form know nothing of each other."""
    classes = GaussianClasses([[0.0, 0.0], [3.0, 1.0], [0, 2.0]], [[1.0, 0.3], [0.3, 0.5]])
    climb = {"optimizer": "gradient", "schedule": "constant", "lr": 0.2, "steps": 600}
    for gamma in (0.2, 1.0, 3.0):
        run = maximize(gamma_objective(classes, 0, gamma), point(classes.means[:1] + 0.5), **climb)
        expected = gamma_path(classes, 0, [gamma])
        torch.testing.assert_close(run.images, expected, rtol=0, atol=1e-8)


def test_singular_classes_on_one_plane():
    A = torch.tensor([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]], dtype=torch.float64)
    low = GaussianClasses([[0.0, 0.0], [1.0, 2.0], [-1.0, 1.0]], np.eye(2))
    high = GaussianClasses(low.means @ A.mT + 1, A @ A.mT)
    z = torch.randn(8, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x = z @ A.mT + 1
    torch.testing.assert_close(high.log_posterior(x), low.log_posterior(z))
    torch.testing.assert_close(
        gamma_path(high, 0, [0.4]), gamma_path(low, 0, [0.4]) @ A.mT + 1, rtol=1e-8, atol=1e-8
    )
    assert torch.isneginf(high.log_joint(x + torch.tensor([1.0, 0, 0]).double())).all()
    W, b = high.lda_logits()
    torch.testing.assert_close((x @ W.mT + b).log_softmax(1), low.log_posterior(z))
    mean = 1 + torch.zeros(3, dtype=torch.float64)
    prior = gaussian_prior(mean, A @ A.mT)
    assert prior(high.means).shape == (3,)
