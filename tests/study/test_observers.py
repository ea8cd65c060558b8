import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from actmax_lib.study import observers
from actmax_lib.study.observers import evidence, fit_noise, margin, noisy_share, score, share


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def by_hand(q: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
    def cosine(a: np.ndarray, b: np.ndarray) -> float:
        return float(a @ b / math.sqrt(a @ a) / math.sqrt(b @ b))

    up, down = ([cosine(q, r) for r in side] for side in (high, low))
    return sum(up) / len(up) - sum(down) / len(down)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 4), st.integers(1, 5), st.integers(1, 5), st.integers(2, 9), st.integers(0, 99)
)
def test_score_is_the_difference_of_mean_cosines(q, n, m, d, seed):
    x = normal(2, q + n + m, d, seed=seed) + 0.5
    queries, low, high = x.split((q, n, m), dim=1)
    found = score(queries, low, high)
    for t in range(2):
        for k in range(q):
            told = by_hand(*(v[t].double().numpy() for v in (queries[:, k], low, high)))
            assert float(found[t, k]) == pytest.approx(told, abs=1e-6)


def test_a_query_is_judged_alone_and_by_its_direction():
    queries, low, high = normal(7, 2, 5), normal(7, 9, 5, seed=1), normal(7, 9, 5, seed=2)
    s = score(queries, low, high)
    other = torch.stack([queries[:, 0], normal(7, 5, seed=3)], 1)
    torch.testing.assert_close(score(other, low, high)[:, 0], s[:, 0])
    torch.testing.assert_close(score(queries.flip(1), low, high), s.flip(1))
    torch.testing.assert_close(score(queries, high, low), -s)
    torch.testing.assert_close(score(3 * queries, 0.1 * low, high), s)
    assert score(torch.zeros(7, 1, 5), low, high).abs().max() == 0


def test_like_the_maximal_ones_is_maximal_and_lowers_least_when_covered():
    low, high = torch.tensor([[1.0, 0.0]]).repeat(9, 1), torch.tensor([[0.0, 1.0]]).repeat(9, 1)
    like_low, like_high = torch.tensor([0.9, 0.1]), torch.tensor([0.1, 0.9])
    s = score(torch.stack([like_low, like_high]), low, high)
    assert margin(evidence(s, "matching")) > 1  # (wrong, right)
    assert margin(evidence(s.flip(0), "matching")) < -1
    # the square that leaves a picture least like the maximal ones is the one that lowers most
    assert margin(evidence(s.flip(0), "occlusion")) > 1


def test_ties_are_half_right_and_bad_input_is_named():
    assert share([0.3, -0.3, 0.0]).tolist() == [1, 0, 0.5]
    with pytest.raises(ValueError, match=r"evidence must be \(\.\.\., 2\), got \(2, 3\)"):
        margin(torch.zeros(2, 3))
    with pytest.raises(ValueError, match="mode must be one of"):
        evidence(torch.zeros(2), "extreme")
    with pytest.raises(ValueError, match="margins holds NaN"):
        share([float("nan")])
    with pytest.raises(ValueError, match="tau must be a finite number"):
        noisy_share([1.0], 0)
    with pytest.raises(ValueError, match="target must be"):
        fit_noise([1.0], 0.5)
    with pytest.raises(ValueError, match="must have as many entries"):
        score(torch.ones(2, 3), torch.ones(9, 4), torch.ones(9, 3))
    with pytest.raises(ValueError, match=r"pictures must be \(\.\.\., 3, H, W\) of side 13"):
        observers.centre(torch.ones(3, 8, 8))
    with pytest.raises(ValueError, match=r"got \(1, 8, 8\)"):
        observers.contrast(torch.ones(1, 8, 8))


@pytest.mark.parametrize("tau", [0.2, 1.0, 3.0])
def test_noise_on_both_scores_does_what_the_formula_says(tau):
    wrong, right = np.array([0.1, 0.5, -0.2]), np.array([0.6, 0.2, -0.2])
    rng = np.random.default_rng(0)
    draws = 100_000
    chosen = right + tau * rng.normal(size=(draws, 3)) > wrong + tau * rng.normal(size=(draws, 3))
    found = noisy_share(right - wrong, tau)
    assert np.abs(chosen.mean(0) - found).max() < 5 * 0.5 / math.sqrt(draws)


def test_noise_goes_from_the_observers_own_share_to_a_coin():
    margins = np.array([0.4, -0.1, 0.2, 0.0])
    np.testing.assert_allclose(noisy_share(margins, 1e-6), share(margins), atol=1e-12)
    np.testing.assert_allclose(noisy_share(margins, 1e6), 0.5, atol=1e-6)


@pytest.mark.parametrize("target", [0.6, 0.82, 0.922])
def test_fitted_noise_of_equal_margins_is_the_inverse_of_p31(target):
    tau = fit_noise([0.07] * 5, target)
    assert tau == pytest.approx(0.07 / (math.sqrt(2) * norm.ppf(target)), rel=1e-8)
    # d' = margin / tau
    assert 0.07 / tau == pytest.approx(math.sqrt(2) * norm.ppf(target), rel=1e-8)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(-1, 1).map(lambda v: round(v, 3)), min_size=3, max_size=30),
    st.floats(0.55, 0.95),
)
def test_fitted_noise_makes_the_mean_the_target_or_there_is_none(margins, target):
    tau = fit_noise(margins, target)
    grid = np.geomspace(1e-4, 1e3, 500)
    means = np.array([noisy_share(margins, t).mean() for t in grid])
    if tau is None:
        assert means.max() < target + 1e-3
    else:
        assert noisy_share(margins, tau).mean() == pytest.approx(target, abs=1e-9)
        assert (means[grid > 1.2 * tau] < target).all()  # the largest such tau


def test_an_observer_below_the_target_has_no_noise_that_helps():
    assert fit_noise([0.3, 0.3, -0.3], 0.9) is None
    assert fit_noise([0.0, 0.0], 0.9) is None


def test_contrast_is_the_spread_of_brightness():
    x = torch.rand(3, 2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    luma = np.tensordot(x.double().numpy(), [0.299, 0.587, 0.114], axes=([2], [0]))
    np.testing.assert_allclose(observers.contrast(x), luma.reshape(3, 2, -1).std(-1), rtol=1e-6)
    assert (observers.contrast(0.5 * x) < observers.contrast(x)).all()


def test_centre_finds_the_square_and_prefers_the_middle():
    x = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    places = [(0, 0), (9, 10), (19, 3), (0, 19)]
    for picture, (top, left) in zip(x, places, strict=True):
        picture[:, top : top + 13, left : left + 13] = 0.5
    x += 0.01 * normal(4, 3, 32, 32)  # as a lossy file does
    told = [-math.hypot(top + 6.5 - 16, left + 6.5 - 16) for top, left in places]
    np.testing.assert_allclose(observers.centre(x), told)
    found = observers.centre(x.view(2, 2, 3, 32, 32))
    np.testing.assert_allclose(found, np.reshape(told, (2, 2)))
