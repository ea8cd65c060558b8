"""Held-out transforms and networks: cases with a known answer, and what a batch may not do."""

import numpy as np
import pytest
import torch
from torch import nn

from actmax_lib import channel, function, jitter, logit, metrics
from actmax_lib.streams import Streams

G = torch.Generator().manual_seed(0)
X = torch.rand(4, 3, 9, 12, generator=G)


class Scores(nn.Module):
    """Logits that are given: one row an image, read off its first pixels."""

    def __init__(self, size: int | None = None) -> None:
        super().__init__()
        if size:
            self.input_size = size

    def forward(self, x):
        return 10 * x[:, 0, 0, :7]


def test_value_of_a_linear_objective_is_a_dot_product_with_the_mean_transform():
    w = torch.randn(3, 9, 12, generator=G)
    f = function(lambda x: (x * w).sum((1, 2, 3)), "dot")
    turned = metrics.held_out_value(f, X, lambda x, streams: x.flip(2), draws=3)
    expected = np.einsum("nchw,chw->n", X.numpy()[:, :, ::-1], w.numpy())
    assert np.allclose(turned.numpy(), expected, atol=1e-4)


def test_value_is_the_mean_over_draws_of_the_stream():
    f = function(lambda x: x.square().mean((1, 2, 3)), "power")
    got = metrics.held_out_value(f, X, metrics.unseen(), draws=5, seed=3)
    streams = Streams([3])
    each = [[metrics.unseen()(X[k : k + 1], streams).square().mean() for k in range(1)]
            for _ in range(5)]  # fmt: skip
    assert float(got[0]) == pytest.approx(float(torch.tensor(each).mean()), rel=1e-5)
    one = metrics.held_out_value(f, X, metrics.unseen(), draws=1, seed=3)
    assert not torch.allclose(got, one)  # the draws are not all the first
    assert not torch.allclose(got, metrics.held_out_value(f, X, metrics.unseen(), draws=5, seed=4))


def test_picture_alone_is_the_picture_in_a_batch():
    f = function(lambda x: x[:, 0, 0].sum(1), "row")
    together = metrics.held_out_value(f, X, metrics.unseen())
    alone = torch.cat([metrics.held_out_value(f, x[None], metrics.unseen()) for x in X])
    assert torch.allclose(together, alone, atol=1e-6)


def test_a_value_in_one_exact_grid_falls_and_a_smooth_one_stays():
    board = (torch.arange(16)[:, None] + torch.arange(16)) % 2 - 0.5
    fine = (0.5 + board)[None, None]
    f = function(lambda x: (x[:, 0] * board).mean((1, 2)), "checkerboard")
    assert float(f(fine)) == pytest.approx(0.25)
    assert abs(float(metrics.held_out_value(f, fine, metrics.unseen(), draws=16))) < 0.02
    level = function(lambda x: x.mean((1, 2, 3)), "level")
    grey = torch.full((1, 1, 16, 16), 0.5)
    assert float(metrics.held_out_value(level, grey, metrics.unseen())) == pytest.approx(0.5)


def test_unseen_mirrors_half_of_the_time_and_keeps_to_its_range():
    ramp = torch.linspace(0, 1, 40).expand(1, 1, 8, 40)
    streams, mirrored, contrast = Streams([0]), 0, []
    for _ in range(200):
        y = metrics.unseen()(ramp, streams)[0, 0, 0]
        assert 0 <= float(y.min()) <= float(y.max()) <= 1
        mirrored += int(y[0] > y[-1])
        slope = abs(float(y[21] - y[18])) / float(ramp[0, 0, 0, 21] - ramp[0, 0, 0, 18])
        contrast.append(slope)
    assert 75 <= mirrored <= 125
    assert 0.69 < min(contrast) < 0.72
    assert 1.28 < max(contrast) < 1.31


def test_unseen_takes_odd_sizes_and_float64_and_leaves_the_global_generator():
    before = torch.get_rng_state()
    x = torch.rand(2, 1, 7, 5, generator=G, dtype=torch.float64)
    y = metrics.unseen()(x, Streams([0, 1], dtype=torch.float64))
    assert y.shape == x.shape
    assert y.dtype == x.dtype
    assert torch.equal(before, torch.get_rng_state())


def test_value_leaves_the_network_as_it_was():
    net = nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2), nn.Dropout(0.5))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    value = metrics.held_out_value(channel(net, "1", 0), X, jitter(1))
    assert not value.requires_grad
    assert net.training
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def test_transfer_counts_ranks():
    x = torch.zeros(4, 3, 9, 7)
    x[:, 0, 0] = torch.tensor([
        [0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1],
        [0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1],
        [0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1],
        [0.5, 0.5, 0.1, 0.1, 0.1, 0.1, 0.1],
    ])  # fmt: skip
    got = metrics.transfer(Scores(), x, [0, 4, 5, 1])
    assert got.top1.tolist() == [True, False, False, False]  # the tie of the last counts as no
    assert got.top5.tolist() == [True, True, False, True]
    z = 10 * x[:, 0, 0].double().numpy()
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    assert np.allclose(got.probability.numpy(), p[range(4), [0, 4, 5, 1]], atol=1e-6)


def test_transfer_shows_the_judge_its_own_size(monkeypatch):
    monkeypatch.setattr("actmax_lib.metrics.held_out.AT_ONCE", 3)  # and goes through all chunks
    judge = Scores(size=7)
    seen = []
    judge.register_forward_pre_hook(lambda _m, args: seen.append(tuple(args[0].shape)))
    got = metrics.transfer(judge, torch.rand(4, 3, 20, 20, generator=G), [0, 1, 2, 3])
    assert seen == [(3, 3, 7, 7), (1, 3, 7, 7)]
    assert got.probability.shape == (4,)


def test_refusals():
    f = logit(Scores(), [0, 1, 2, 3])
    with pytest.raises(TypeError, match="objective must be an Objective"):
        metrics.held_out_value(Scores(), X, metrics.unseen())
    with pytest.raises(ValueError, match="draws must be at least 1"):
        metrics.held_out_value(f, X, metrics.unseen(), draws=0)
    with pytest.raises(ValueError, match="4 images and 3 labels"):
        metrics.transfer(Scores(), X, [0, 1, 2])
    with pytest.raises(ValueError, match="label 7 is out of range"):
        metrics.transfer(Scores(), X, [0, 1, 2, 7])
