"""Diversity and alignment: what images of a batch have to do with each other, and no more."""

import numpy as np
import pytest
import torch
from torch import nn

from actmax_lib import (
    alignment,
    channel,
    direction,
    diversity,
    interpolation,
    logit,
    maximize,
    pixels,
    point,
    robust,
)
from tests import nets
from tests.contracts import F64, assert_no_trace, assert_per_image
from tests.test_features import CASES, CNN, VIT, X, close, columns, rand

pytestmark = pytest.mark.usefixtures("one_thread")


def likeness(a, b):
    """The cosine of the Gram matrices of two activations (C, positions)."""
    g, h = a @ a.T, b @ b.T
    return (g * h).sum() / np.sqrt((g * g).sum() * (h * h).sum())


@pytest.mark.parametrize("groups", [None, [7, 2, 7, 7], [5, 5, 0, 0], [1, 1, 1, 3]])
@pytest.mark.parametrize("case", CASES)
def test_diversity_is_the_mean_over_the_others(case, groups):
    net, layer, x = CASES[case]
    a = columns(net, layer, x)
    expected = []
    for i in range(4):
        others = [j for j in range(4) if j != i and (groups is None or groups[i] == groups[j])]
        expected.append(-np.mean([likeness(a[i], a[j]) for j in others]) if others else 0.0)
    f = diversity(net, layer, groups=groups)
    close(f(x), torch.tensor(np.array(expected)))
    assert f.batch == (None if groups is None else 4)


def reached(f, x, k):
    """The images that value k depends on."""
    x = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(f(x)[k], x)
    return set(gradient.flatten(1).abs().sum(1).nonzero().flatten().tolist())


def test_what_is_coupled_and_what_is_not():
    groups = [0, 1, 0, 1]
    f, one = diversity(CNN, "conv1", groups=groups), diversity(CNN, "conv1", groups=[0, 1, 0, 2])
    assert [reached(f, X, k) for k in range(4)] == [{0, 2}, {1, 3}, {0, 2}, {1, 3}]
    assert [reached(one, X, k) for k in (0, 1, 3)] == [{0, 2}, set(), set()]
    assert reached(diversity(CNN, "conv1"), X, 1) == {0, 1, 2, 3}
    assert reached(alignment(reach=1), X, 0) == {0, 1}
    assert reached(alignment(reach=2), X, 1) == {0, 1, 2, 3}
    with pytest.raises(AssertionError, match="depends on the images"):
        assert_per_image(f, X)


def test_like_images_are_as_like_as_can_be():
    same = X[:1].expand(3, -1, -1, -1)
    close(diversity(CNN, "conv2")(same), -torch.ones(3, dtype=torch.float64))
    close(diversity(CNN, "conv2")(torch.cat([same, X[1:2]]))[0] > -1, torch.tensor(True))


def test_silent_images_have_finite_gradients():
    silent = nn.Conv2d(3, 4, 1, bias=False).double()
    x = torch.zeros(3, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    values = diversity(silent, "")(x)
    (gradient,) = torch.autograd.grad(values.sum(), x)
    assert values.tolist() == [0, 0, 0]
    assert gradient.isfinite().all()


def test_diversity_makes_a_batch_differ_and_seeds_must_too():
    how = {"steps": 40, "transform": robust()}
    f, apart = channel(CNN, "conv2", 2), diversity(CNN, "conv2")
    drawn = maximize(f, pixels(3, 12), seed=[0, 1, 2], **how).images.double()
    varied = maximize(f + 300 * apart, pixels(3, 12), seed=[0, 1, 2], **how).images.double()
    assert (1 + apart(varied) > 5 * (1 + apart(drawn))).all()
    alike = maximize(f + 5 * apart, pixels(3, 12, batch=2), seed=0, steps=5).images
    assert torch.equal(alike[0], alike[1])


def test_groups_of_a_batch_do_not_see_each_other():
    def make(targets):
        return logit(CNN, targets) + diversity(CNN, "conv1", groups=targets)

    how = {"steps": 3, "transform": robust()}
    both = maximize(make([4, 4, 2, 2]), pixels(3, 12), seed=[0, 1, 2, 3], **how)
    alone = maximize(make([2, 2]), pixels(3, 12), seed=[2, 3], **how)
    close(both.images[2:], alone.images, **F64)


@pytest.mark.parametrize(("net", "layer"), [(None, ""), (CNN, "conv1"), (VIT, "blocks.1")])
@pytest.mark.parametrize(("reach", "decay"), [(4, 2), (1, 3.0), (9, 1)])
def test_alignment_is_lucids_sum_shared_between_the_two(net, layer, reach, decay):
    x = rand(6, 3, 12, 8, seed=4)
    a = x.numpy().reshape(6, -1) if net is None else columns(net, layer, x).reshape(6, -1)
    total, own = 0.0, np.zeros(6)
    for d in range(1, reach + 1):
        for i in range(6 - d):
            gap = np.mean((a[i] - a[i + d]) ** 2) / decay**d
            total -= gap
            own[[i, i + d]] -= gap / 2
    values = alignment(net, layer, reach=reach, decay=decay)(x)
    close(values, torch.tensor(own))
    assert float(values.sum()) == pytest.approx(total)


def test_alignment_pulls_neighbours_together():
    f = interpolation(channel(CNN, "conv2", 1), channel(CNN, "conv2", 5), 4)
    start = point(rand(4, 3, 8, 8), box=(0, 1))
    apart, near = (maximize(g, start, steps=20, lr=0.05).images for g in (f, f + 50 * alignment()))
    gaps = [(run[1:] - run[:-1]).square().mean() for run in (apart, near)]
    assert gaps[1] < gaps[0] / 2
    assert (f + alignment()).terms[-1][1].sees_image  # pictures themselves, not T(x)


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: diversity(CNN, "conv1")(X[:1]), ValueError, "the batch has 1"),
    (lambda: alignment()(X[:1]), ValueError, "list of seeds"),
    (lambda: diversity(CNN, "conv1", groups=3), TypeError, "groups must be a list"),
    (lambda: diversity(CNN, "conv1", groups=[0, 1])(X), ValueError, "x has 4 images"),
    (lambda: alignment(CNN, "conv1", reach=0), ValueError, "reach must be at least 1"),
    (lambda: alignment(CNN, "conv1", decay=0), ValueError, "decay"),
    (lambda: alignment(layer="conv1"), ValueError, "needs its network"),
    (lambda: diversity(CNN, "conv3")(X), ValueError, "conv2"),
])  # fmt: skip
def test_bad_couplings(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_networks_are_left_alone():
    net = nets.cnn()
    f = diversity(net, "conv1") + alignment(net, "bn1")
    assert_no_trace([net], lambda: maximize(f, pixels(3, 9), seed=[0, 1], steps=2))


def test_single_precision_and_autocast():
    net = nets.small()
    x = rand(3, 3, 32, 32).float()
    single = direction(net, "bn2", torch.ones(8), measure="dot_cosine") + diversity(net, "bn2")
    assert single(x).dtype == torch.float32
    run = maximize(single, pixels(3, 32), seed=[0, 1], steps=3, autocast=torch.bfloat16)
    assert run.images.dtype == torch.float32
    assert run.history.isfinite().all()
