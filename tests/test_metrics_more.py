"""More of the measures: what the held-out transform does, arguments that must count, scales."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from actmax_lib import metrics
from actmax_lib.streams import Streams
from tests import nets


def rand(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(*shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("size", [(8, 12), (9, 7)])
def test_unseen_against_its_description_draw_by_draw(size):
    x, seeds = rand(12, 3, *size), range(12)
    got = metrics.unseen()(x, Streams(seeds, dtype=x.dtype))
    u = Streams(seeds, dtype=x.dtype).uniform(2)
    flipped = []
    for one, (side, contrast), seen in zip(x, u.tolist(), got, strict=True):
        y = one[None].flip(3) if side < 0.5 else one[None]
        y = (0.5 + (0.7 + 0.6 * contrast) * (y - 0.5)).clamp(0, 1)
        half = [(n + 1) // 2 for n in size]
        y = F.interpolate(y, half, mode="bilinear", antialias=True)
        torch.testing.assert_close(F.interpolate(y, size, mode="bilinear")[0], seen)
        flipped.append(side < 0.5)
    assert 0 < sum(flipped) < 12


def test_unseen_halves_with_a_filter_of_four_pixels():
    x = torch.zeros(1, 1, 8, 8, dtype=torch.float64) + 0.5
    x[..., 3] = 0.6
    y = metrics.unseen()(x, Streams([0], dtype=x.dtype))[0, 0, 4] - 0.5
    assert int((y.abs() > 1e-3).sum()) > 4  # two pixels of half the resolution, enlarged


@pytest.mark.parametrize("level", [0.5, 0.9])
def test_seed_and_resamples_of_an_interval_count(level):
    values, clusters = np.random.default_rng(0).normal(size=30), np.arange(30) // 3
    few = [metrics.interval(values, clusters, level=level, seed=s, resamples=50) for s in (0, 0, 1)]
    assert few[0] == few[1]
    assert few[0] != few[2]
    many = metrics.interval(values, clusters, level=level, seed=0)
    assert (many.low, many.high) != (few[0].low, few[0].high)
    assert many.mean == few[2].mean


def test_normalized_is_made_of_means_over_three_classes():
    x, labels = rand(9, 3, 16, 12), [0, 0, 0, 1, 1, 1, 2, 2, 2]
    found = metrics.path_similarity(nets.cnn().double(), ["conv1", ""], x[:3], [0, 1, 2], x, labels)
    synthetic, same, different = (
        getattr(found, name).sum(1) / 3 for name in ("synthetic", "same", "different")
    )
    torch.testing.assert_close(found.normalized, (synthetic - different) / (same - different))


def test_a_network_in_training_is_measured_in_evaluation_and_left_as_it_was():
    net, calm = nets.cnn().double().train(), nets.cnn().double().eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    x, labels = rand(6, 3, 16, 12), [0, 0, 0, 1, 1, 1]
    found = metrics.path_similarity(net, ["conv2", ""], x, labels, x, labels)
    expected = metrics.path_similarity(calm, ["conv2", ""], x, labels, x, labels)
    torch.testing.assert_close(found.synthetic, expected.synthetic)
    metrics.seed_diversity(x.reshape(2, 3, 3, 16, 12), net, "conv2")
    assert all(module.training for module in net.modules())
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name]), name


@pytest.mark.parametrize("size", [1e-8, 1e-4, 1e4])
def test_the_share_of_high_frequencies_does_not_depend_on_contrast(size):
    x = rand(2, 3, 16, 12)
    torch.testing.assert_close(
        metrics.high_frequency_share(size * x), metrics.high_frequency_share(x)
    )


def test_more_pictures_than_fit_a_pass_are_all_compared(monkeypatch):
    from actmax_lib.metrics import paths

    x, labels, net = rand(8, 3, 5, 5), [0, 0, 1, 1, 0, 0, 1, 1], nn.Sequential(nn.Flatten())
    whole = metrics.path_similarity(net, [""], x, labels, x, labels)
    monkeypatch.setattr(paths, "AT_ONCE", 3)
    parts = metrics.path_similarity(net, [""], x, labels, x, labels)
    for name in ("synthetic", "same", "different"):
        torch.testing.assert_close(getattr(parts, name), getattr(whole, name))
