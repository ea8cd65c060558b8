"""Intervals and tests of the study, each by another route, and the paper's numbers from counts."""

import itertools
import math
import statistics as plain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from actmax_lib.study.human import HUMAN_MORE
from actmax_lib.study.statistics import (
    HUMAN,
    accuracy,
    binomial_interval,
    calibration,
    clustered,
    d_prime,
    paired,
    wilcoxon,
)

NATURAL, SYNTHETIC = HUMAN["natural"], HUMAN["synthetic"]
COUNTS = st.lists(
    st.integers(1, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    min_size=2, max_size=12,
)  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "value", "two_se"), [(NATURAL, 0.922, 0.018), (SYNTHETIC, 0.820, 0.043)]
)
def test_the_papers_accuracy_and_its_plus_minus(counts, value, two_se):
    found = clustered(counts, [HUMAN["trials"]] * 10)
    assert found.value == pytest.approx(value, abs=1e-3)
    assert found.two_se == pytest.approx(two_se, abs=1e-3)
    assert found.clusters == 10


def test_the_papers_paired_tests():
    natural, synthetic = (np.array(c) / 45 for c in (NATURAL, SYNTHETIC))
    found = paired(natural, synthetic)
    assert found.t == pytest.approx(4.19, abs=2e-3)
    assert (found.df, found.p) == (9, pytest.approx(0.0023, abs=1e-4))
    assert found.wilcoxon == pytest.approx(0.0039, abs=1e-4)
    assert found.difference == pytest.approx(0.102, abs=1e-3)
    scipys = stats.ttest_rel(natural, synthetic)
    assert (found.t, found.p) == pytest.approx((scipys.statistic, scipys.pvalue), rel=1e-9)
    low, high = scipys.confidence_interval()
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-9)


def test_the_human_table_agrees_with_itself():
    """Hand-picked and drawn units together are all units: 9 and 36 of 45."""
    for condition in ("natural", "synthetic"):
        whole = sum(HUMAN[condition]) / 450
        parts = 0.2 * HUMAN_MORE["picked"][condition] + 0.8 * HUMAN_MORE["drawn"][condition]
        assert whole == pytest.approx(parts, abs=1e-3)


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
       st.floats(0.5, 0.999))  # fmt: skip
def test_binomial_interval_is_scipys(counts, level):
    k, n = counts
    low, high = stats.binomtest(k, n).proportion_ci(level, method="exact")
    assert binomial_interval(k, n, level) == pytest.approx((low, high), abs=1e-9)


def test_one_reader_of_twenty_trials():
    """The example of the chapter: 17 of 20 leave everything from .62 to .97 open."""
    assert binomial_interval(17, 20) == pytest.approx((0.62, 0.97), abs=5e-3)


@given(COUNTS)
def test_clustered_is_the_sandwich_of_single_trials(counts):
    """Least squares of all single trials on a constant, with a sandwich summed over clusters."""
    correct, total = zip(*counts, strict=True)
    trials = np.concatenate([[1.0] * k + [0.0] * (n - k) for k, n in counts])
    members = np.repeat(np.arange(len(counts)), total)
    mean = trials.mean()
    meat = sum((trials[members == g] - mean).sum() ** 2 for g in range(len(counts)))
    groups = len(counts)
    se = math.sqrt(meat * groups / (groups - 1)) / len(trials)
    found = clustered(correct, total)
    assert found.value == pytest.approx(mean)
    assert found.se == pytest.approx(se, abs=1e-9)
    half = stats.t.ppf(0.975, groups - 1) * se
    assert found.low == pytest.approx(max(0, mean - half), abs=1e-9)
    assert found.high == pytest.approx(min(1, mean + half), abs=1e-9)


@given(st.lists(st.integers(0, 30), min_size=2, max_size=12))
def test_clusters_of_one_size_give_the_error_of_their_mean(correct):
    found = clustered(correct, [30] * len(correct))
    error = plain.stdev(k / 30 for k in correct) / math.sqrt(len(correct))
    assert found.se == pytest.approx(error, abs=1e-12)
    if len(set(correct)) == 1:
        assert found.se == 0


def test_clustered_covers_where_single_trials_do_not():
    """People differ (beta, sd .12): the interval over trials misses the mean far too often."""
    rng = np.random.default_rng(0)
    people, trials, rounds, mean = 12, 40, 400, 0.8
    truth = rng.beta(mean * 10, (1 - mean) * 10, size=(rounds, people))
    correct = rng.binomial(trials, truth)
    by_person = by_trial = 0
    for row in correct:
        found = clustered(row, [trials] * people)
        low, high = binomial_interval(int(row.sum()), people * trials)
        by_person += found.low <= mean <= found.high
        by_trial += low <= mean <= high
    assert by_person / rounds == pytest.approx(0.94, abs=0.03)
    assert by_trial / rounds < 0.85


@pytest.mark.parametrize(
    ("correct", "total", "told"),
    [
        ([3], [4], "binomial_interval"),
        ([3, 5], [4, 4], "cluster 1 has 5 right of 4"),
        ([3, -1], [4, 4], "cluster 1"),
        ([0, 3], [0, 4], "cluster 0"),
        ([3, 3], [4, 4, 4], "2 clusters, total has 3"),
        ([3, math.nan], [4, 4], "correct must be finite"),
    ],
)
def test_clustered_says_what_is_wrong(correct, total, told):
    with pytest.raises(ValueError, match=told):
        clustered(correct, total)


@pytest.mark.parametrize(
    ("k", "n", "level"), [(5, 4, 0.95), (-1, 4, 0.95), (0, 0, 0.95), (1, 4, 1)]
)
def test_binomial_interval_says_what_is_wrong(k, n, level):
    with pytest.raises(ValueError, match="must be"):
        binomial_interval(k, n, level)


def test_arguments_stay_as_they_are():
    correct, total = np.array([3.0, 4.0]), np.array([5.0, 5.0])
    clustered(correct, total)
    paired(correct, total)
    assert correct.tolist() == [3, 4]
    assert total.tolist() == [5, 5]


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9))
def test_wilcoxon_counts_every_choice_of_signs(gaps):
    """With ties and zeros, where scipy would approximate."""
    sizes = [abs(g) for g in gaps if g]
    ranks = [sum(b < a for b in sizes) + (sizes.count(a) + 1) / 2 for a in sizes]
    plus = sum(r for r, g in zip(ranks, [g for g in gaps if g], strict=True) if g > 0)
    middle = sum(ranks) / 2
    sums = [
        sum(r for r, s in zip(ranks, signs, strict=True) if s)
        for signs in itertools.product((0, 1), repeat=len(ranks))
    ]
    p = sum(abs(s - middle) >= abs(plus - middle) for s in sums) / len(sums)
    assert wilcoxon(gaps, [0] * len(gaps)) == pytest.approx(p)


def test_wilcoxon_is_scipys_without_ties():
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=25), rng.normal(0.4, 1, size=25)
    assert wilcoxon(a, b) == pytest.approx(stats.wilcoxon(a, b, method="exact").pvalue)


def test_equal_differences_of_fractions_are_ties():
    """41/45 - 38/45 and 44/45 - 41/45 differ in their last bits; as counts they are both 3."""
    a, b = np.array([41, 44, 30, 22]), np.array([38, 41, 34, 21])
    assert wilcoxon(a / 45, b / 45) == wilcoxon(a, b)


def test_the_same_difference_everywhere_has_no_t():
    found = paired([0.9, 0.8, 0.7], [0.8, 0.7, 0.6])
    assert math.isnan(found.t)
    assert math.isnan(found.p)
    assert (found.se, found.wilcoxon) == (0, 0.25)
    assert paired([1, 2], [1, 2]).wilcoxon == 1


def test_pairs_must_be_pairs():
    with pytest.raises(ValueError, match="a has 3 values, b has 2"):
        paired([1, 2, 3], [1, 2])
    with pytest.raises(ValueError, match="two"):
        paired([1], [2])


def test_d_prime_of_the_paper_and_back():
    assert d_prime(0.92) == pytest.approx(1.99, abs=5e-3)
    assert d_prime(0.82) == pytest.approx(1.29, abs=6e-3)
    assert d_prime([0.5, 0.0, 1.0]).tolist() == [0, -math.inf, math.inf]
    p = np.linspace(0.02, 0.98, 49)
    np.testing.assert_allclose(accuracy(d_prime(p)), p)
    with pytest.raises(ValueError, match="proportions"):
        d_prime(1.2)
    with pytest.raises(ValueError, match="proportions"):
        d_prime(math.nan)


@pytest.mark.parametrize("d", [0.0, 0.7, 1.9])
def test_d_prime_is_the_distance_of_two_noisy_values(d):
    """The right alternative is d on average, the wrong one 0, both with noise of 1."""
    rng = np.random.default_rng(1)
    right = rng.normal(d, 1, 200_000) > rng.normal(0, 1, 200_000)
    assert accuracy(d) == pytest.approx(right.mean(), abs=4e-3)


def test_calibration_by_hand():
    bins = calibration([3, 1, 3, 3, 1], [1, 0, True, 0, 1])
    assert [(b.confidence, b.correct, b.total) for b in bins] == [(1, 1, 2), (3, 2, 3)]
    assert (bins[1].low, bins[1].high) == binomial_interval(2, 3)
    assert bins[1].value == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="1, 2 or 3"):
        calibration([0], [1])
    with pytest.raises(ValueError, match="shapes"):
        calibration([1, 2], [1])
