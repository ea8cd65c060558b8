"""Diversity of seeds and clustered intervals, against NumPy and against their own promise."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from actmax_lib import metrics

G = torch.Generator().manual_seed(0)
X = torch.rand(3, 4, 1, 5, 6, generator=G)


def test_diversity_of_pixels_pair_by_pair():
    got = metrics.seed_diversity(X)
    x = X.double().numpy()
    for k in range(3):
        gaps = [
            np.sqrt(((x[k, i] - x[k, j]) ** 2).mean()) for i in range(4) for j in range(i + 1, 4)
        ]
        assert float(got[k]) == pytest.approx(np.mean(gaps))


def test_closed_cases_of_diversity():
    same = X[:, :1].expand(-1, 3, -1, -1, -1)
    assert torch.allclose(metrics.seed_diversity(same), torch.zeros(3).double())
    black_and_white = torch.stack([torch.zeros(1, 5, 6), torch.ones(1, 5, 6)])[None]
    assert float(metrics.seed_diversity(black_and_white)) == 1  # whatever the size
    assert float(metrics.seed_diversity(1 - black_and_white)) == 1
    # noise: the difference of two uniform numbers has variance 1/6
    noise = torch.rand(1, 6, 3, 64, 64, generator=G)
    assert float(metrics.seed_diversity(noise)) == pytest.approx(6**-0.5, abs=2e-3)


def test_diversity_in_a_layer_is_one_minus_cosine():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(30, 7), nn.ReLU())
    got = metrics.seed_diversity(X, net, "1")
    with torch.no_grad():
        a = net[1](net[0](X.flatten(0, 1))).view(3, 4, 7).double().numpy()
    for k in range(3):
        cosines = [
            a[k, i] @ a[k, j] / np.linalg.norm(a[k, i]) / np.linalg.norm(a[k, j])
            for i in range(4) for j in range(i + 1, 4)
        ]  # fmt: skip
        assert float(got[k]) == pytest.approx(1 - np.mean(cosines), abs=1e-6)
    outputs = metrics.seed_diversity(X, net)
    assert not torch.allclose(got, outputs)
    opposite = torch.stack([X[0, 0], -X[0, 0]])[None]
    linear = nn.Sequential(nn.Flatten(), nn.Linear(30, 7, bias=False))
    assert float(metrics.seed_diversity(opposite, linear)) == pytest.approx(2)


def test_interval_is_the_percentiles_of_whole_clusters_drawn_again():
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.arange(12), rng.integers(1, 5, 12))
    values = rng.normal(size=12)[clusters] + 0.1 * rng.normal(size=len(clusters))
    got = metrics.interval(values, clusters, resamples=4000)
    groups = [values[clusters == k] for k in range(12)]
    again = [
        np.concatenate([groups[k] for k in rng.integers(0, 12, 12)]).mean() for _ in range(4000)
    ]
    assert got.mean == pytest.approx(values.mean())
    spread = np.std(again)
    assert got.low == pytest.approx(np.percentile(again, 2.5), abs=0.1 * spread)
    assert got.high == pytest.approx(np.percentile(again, 97.5), abs=0.1 * spread)


def test_interval_covers_and_one_that_ignores_clusters_does_not():
    rng = np.random.default_rng(1)
    clusters, hits, naive = np.repeat(np.arange(30), 4), 0, 0
    for trial in range(120):
        values = rng.normal(size=30)[clusters] + 0.2 * rng.normal(size=120)
        found = metrics.interval(values, clusters, seed=trial, resamples=400)
        hits += found.low < 0 < found.high
        alone = metrics.interval(values, np.arange(120), seed=trial, resamples=400)
        naive += alone.low < 0 < alone.high
    # 95 % of 120, by the binomial law, with the known slack of the percentile method
    assert hits >= stats.binom.ppf(0.002, 120, 0.92)
    assert naive < stats.binom.ppf(0.002, 120, 0.92)


def test_level_seed_and_copies_of_a_cluster():
    values = torch.randn(40, generator=G)
    clusters = torch.arange(20).repeat(2)
    wide, narrow = (metrics.interval(values, clusters, level=p) for p in (0.99, 0.5))
    assert wide.low < narrow.low < narrow.high < wide.high
    assert metrics.interval(values, clusters) == metrics.interval(values, clusters)
    # a copy of every picture adds nothing
    twice = metrics.interval(torch.cat([values, values]), torch.cat([clusters, clusters]))
    assert (twice.low, twice.high) == pytest.approx(
        (metrics.interval(values, clusters).low, metrics.interval(values, clusters).high)
    )
    # names of clusters do not matter
    named = metrics.interval(values, [f"class {k:02}" for k in clusters.tolist()])
    assert named == metrics.interval(values, clusters)


def test_values_that_agree_have_no_length():
    assert metrics.interval(torch.zeros(6), [0, 0, 1, 1, 2, 2]) == metrics.Interval(0, 0, 0)


def test_global_generators_are_left_alone():
    before = np.random.get_state()[1].copy(), torch.get_rng_state()
    metrics.interval(torch.randn(4, generator=G), [0, 0, 1, 1])
    assert np.array_equal(before[0], np.random.get_state()[1])
    assert torch.equal(before[1], torch.get_rng_state())


def test_refusals():
    with pytest.raises(ValueError, match="two seeds or more"):
        metrics.seed_diversity(X[0])
    with pytest.raises(ValueError, match="two seeds or more"):
        metrics.seed_diversity(X[:, :1])
    with pytest.raises(ValueError, match="needs a network"):
        metrics.seed_diversity(X, layer="conv1")
    with pytest.raises(ValueError, match="needs at least two"):
        metrics.interval(torch.zeros(3), [5, 5, 5])
    with pytest.raises(ValueError, match="one cluster a value"):
        metrics.interval(torch.zeros(3), [0, 1])
    with pytest.raises(ValueError, match="NaN"):
        metrics.interval([0.0, float("nan")], [0, 1])
    with pytest.raises(ValueError, match="level"):
        metrics.interval(torch.zeros(3), [0, 1, 2], level=95)
