"""Measures of pictures against cases whose value is known."""

import math

import pytest
import torch
from torch import nn

from actmax_lib import metrics

MEANS = torch.randn(4, 1, 6, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_cosine_of_means_and_of_their_negatives():
    labels = torch.tensor([2, 0, 3, 1])
    middle = MEANS.mean(0)
    assert torch.allclose(
        metrics.cosine_to_mean(MEANS[labels], labels, MEANS), torch.ones(4).double()
    )
    flipped = middle - 0.3 * (MEANS[labels] - middle)  # contrast does not count, its sign does
    assert torch.allclose(metrics.cosine_to_mean(flipped, labels, MEANS), -torch.ones(4).double())
    some = metrics.cosine_to_mean(flipped[:2], labels[:2], MEANS)  # about all means, not these two
    assert torch.allclose(some, -torch.ones(2).double())


def test_cosine_is_taken_about_the_mean_of_the_classes():
    # all classes share a large background: without the centre every picture would score about 1
    bright = MEANS + 100
    labels = torch.tensor([0])
    noise = bright.mean(0) + torch.randn(1, 1, 6, 5, dtype=torch.float64,
                                         generator=torch.Generator().manual_seed(3))  # fmt: skip
    assert abs(float(metrics.cosine_to_mean(noise, labels, bright))) < 0.7


def test_cosine_refuses_a_label_without_a_mean():
    with pytest.raises(ValueError, match="label 4 is out of range"):
        metrics.cosine_to_mean(MEANS[:1], torch.tensor([4]), MEANS)
    with pytest.raises(ValueError, match="label must be at least 0, got -1"):  # no last class
        metrics.cosine_to_mean(MEANS[:1], torch.tensor([-1]), MEANS)


@pytest.mark.parametrize("size", [(16, 16), (15, 20)])
def test_share_of_two_waves(size):
    height, width = size
    row, column = torch.arange(height).double(), torch.arange(width).double()
    low = torch.cos(2 * math.pi * 2 * row / height)[:, None].expand(size)
    high = torch.cos(2 * math.pi * (width // 2 - 1) * column / width).expand(size)
    image = (5 + 3 * low + 2 * high)[None, None]
    expected = 4 / (9 + 4)  # amplitudes squared; the brightness 5 does not count
    assert torch.allclose(
        metrics.high_frequency_share(image), torch.tensor([expected]).double(), atol=1e-12
    )


def test_diagonal_waves_count_by_their_length():
    n = 32
    at = torch.arange(n).double()
    edge = torch.cos(2 * math.pi * 8 * at / n).expand(1, 1, n, n)  # a quarter is not above it
    assert float(metrics.high_frequency_share(edge)) == pytest.approx(0, abs=1e-9)
    wave = torch.cos(2 * math.pi * (6 * at[:, None] + 6 * at) / n)[None, None]  # .265 cycles
    assert float(metrics.high_frequency_share(wave)) == pytest.approx(1, abs=1e-9)
    assert float(metrics.high_frequency_share(wave, above=0.3)) == pytest.approx(0, abs=1e-9)


def test_share_of_white_noise_and_of_nothing():
    noise = torch.randn(200, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    share = metrics.high_frequency_share(noise)
    # the disc has π/16 of the square of frequencies, up to its rim on the grid (below 1 %)
    assert abs(float(share.mean()) - (1 - math.pi / 16)) < 0.01
    assert float(metrics.high_frequency_share(torch.ones(1, 3, 8, 8))) == 0


def test_density_ratio_of_a_linear_logit():
    w = torch.tensor([0.6, -0.8, 0.5], dtype=torch.float64)
    x = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    got = metrics.log_density_ratio(lambda x: x @ w, x, 0.7, probes=40_000)
    sd2 = 0.49 * float(w @ w)
    # relative error of a mean of log-normals, by the delta method
    tolerance = 4.5 * math.sqrt((math.exp(sd2) - 1) / 40_000)
    assert torch.all((got - sd2 / 2).abs() < tolerance)


def test_density_ratio_at_the_mode_of_a_gaussian():
    d, s, sd = 6, 1.3, 0.4
    got = metrics.log_density_ratio(
        lambda x: -x.square().sum(1) / (2 * s * s), torch.zeros(1, d).double(), sd, probes=100_000
    )
    assert float(got) == pytest.approx(-d / 2 * math.log(1 + sd**2 / s**2), abs=5e-3)


def test_density_ratio_does_not_depend_on_the_gauge_constant_and_refuses():
    x = torch.ones(2, 3)
    one = metrics.log_density_ratio(lambda x: x.sum(1), x, 0.1, seed=4)
    two = metrics.log_density_ratio(lambda x: x.sum(1) + 3.0, x, 0.1, seed=4)
    assert torch.allclose(one, two, atol=1e-5)
    assert one[0] != one[1]  # each sample has its own noise
    assert not torch.allclose(one, metrics.log_density_ratio(lambda x: x.sum(1), x, 0.1, seed=5))
    with pytest.raises(ValueError, match="sd"):
        metrics.log_density_ratio(lambda x: x.sum(1), x, 0.0)


def test_gan_test_asks_the_judge():
    judge = nn.Identity()
    pictures = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    assert metrics.gan_test(judge, pictures, torch.tensor([0, 1, 1])) == pytest.approx(2 / 3)
