"""The square attack against closed forms, the authors' bump and schedule, and hidden gradients."""

import math

import numpy as np
import pytest
import torch

from actmax_lib.attacks import margin, pgd, search, square
from tests import nets
from tests.attacked import Bent, Linear, Rounded, clear, images, labels_of
from tests.contracts import assert_no_trace, assert_one_generator

pytestmark = pytest.mark.usefixtures("one_thread")
NORMS = pytest.mark.parametrize("norm", ["l2", "linf"])


def sure(channels=1):
    """A linear network too certain to be fooled, images that it is right about, and w."""
    net, x = Linear(2, channels), images(4, shape=(channels, 6, 6))
    net.bias[0] += 1e3
    w = (net.weight[1] - net.weight[0]).flatten().numpy()
    return net, x, torch.zeros(4, dtype=torch.int64), w


def gain(net, x, y, found):
    return (margin(net(found), y) - margin(net(x), y)).numpy()


@pytest.mark.parametrize("channels", [1, 2])
def test_on_a_linear_network_it_ends_in_the_best_corner_of_the_cube(channels):
    net, x, y, w = sure(channels)
    found = square(net, x, y, eps=0.1, queries=2500)
    np.testing.assert_allclose(gain(net, x, y, found), 0.1 * np.abs(w).sum(), rtol=1e-9)


def test_on_a_linear_network_it_comes_near_the_best_point_of_the_ball():
    net, x, y, w = sure()
    best = 0.2 * np.linalg.norm(w)
    few, many = (
        gain(net, x, y, square(net, x, y, eps=0.2, norm="l2", queries=n)) for n in (1, 2000)
    )
    assert (many <= best * (1 + 1e-9)).all()
    assert (many > 0.7 * best).all()
    assert (few < 0.6 * best).all()


@NORMS
@pytest.mark.parametrize("shape", [(1, 6, 6), (3, 9, 5), (2, 28, 28)])
def test_it_stays_in_the_ball_and_the_box_and_uses_all_of_it(norm, shape):
    net = nets.seeded(nets.Cnn, channels=shape[0]).double()
    x = images(3, shape=shape)
    y, eps = labels_of(net, x), 0.02
    for queries in (1, 40):
        change = (square(net, x, y, eps=eps, norm=norm, queries=queries) - x).flatten(1)
        if norm == "linf":
            assert (change.abs() - eps).abs().max() < 1e-12
        else:
            assert (change.norm(dim=1) - eps).abs().max() < 1e-12
    dark = square(net, 0 * x, y, eps=eps, norm=norm, queries=20)
    assert dark.min() >= 0
    size = dark.flatten(1).norm(dim=1) if norm == "l2" else dark.flatten(1).amax(1)
    assert size.max() <= eps + 1e-12


def test_the_bump_is_the_authors():
    """The output of ``eta(5)`` of their code, to its four digits."""
    rows = [
        [0.0492, 0.1598, 0.1598, 0.1598, 0.0492],
        [0.0492, 0.1598, 0.6022, 0.1598, 0.0492],
        [-0.0456, -0.1482, -0.1482, -0.1482, -0.0456],
        [-0.0456, -0.1482, -0.5585, -0.1482, -0.0456],
        [-0.0456, -0.1482, -0.1482, -0.1482, -0.0456],
    ]
    np.testing.assert_allclose(search._shape(5).numpy(), rows, atol=6e-5)
    for side in (3, 7, 12):
        assert search._shape(side).norm().item() == pytest.approx(1)


@pytest.mark.parametrize(
    ("query", "halvings"),
    [(10, 0), (11, 1), (50, 1), (51, 2), (500, 3), (1000, 4), (2000, 5), (4001, 7), (8001, 9)],
)
def test_squares_shrink_on_the_authors_schedule(query, halvings):
    x = torch.zeros(1, 3, 200, 200)
    expected = max(1, round(math.sqrt(0.8 / 2**halvings) * 200))
    assert search._side(query / 10_000, x) == expected
    assert search._side(0.0, torch.zeros(1, 1, 30, 4)) == 4


def test_squares_are_everywhere_equally_often():
    numbers = torch.rand(20_000, 2, generator=torch.Generator().manual_seed(0))
    inside = search._inside(search._place(numbers, 2, torch.zeros(1, 1, 4, 6)), 2)
    assert (inside.sum((1, 2, 3)) == 4).all()
    counts = inside.double().mean(0)[0].numpy()
    per_row, per_column = np.array([1, 2, 2, 1]) / 3, np.array([1, 2, 2, 2, 2, 1]) / 5
    np.testing.assert_allclose(counts, np.outer(per_row, per_column), atol=0.012)


@NORMS
def test_more_queries_are_never_worse_and_an_image_that_fools_is_left_alone(norm):
    net, x = Bent(), images(20)
    y, eps = labels_of(net, x), 0.02 if norm == "linf" else 0.1
    seen = []
    hook = net.register_forward_pre_hook(lambda _net, given: seen.append(len(given[0])))
    found = square(net, x, y, eps=eps, norm=norm, queries=60)
    hook.remove()
    fooled = margin(net(found), y) >= 0
    assert 0 < fooled.sum() < 20, "the test needs both kinds"
    assert seen[-1] == int((~fooled).sum())
    first = square(net, x, y, eps=eps, norm=norm, queries=1)
    assert (margin(net(found), y) >= margin(net(first), y)).all()
    assert (margin(net(found), y) > margin(net(first), y)).any()
    assert len(seen) == 61  # one for the check of the labels


def test_it_needs_no_gradients():
    net, (x, y) = Rounded(Linear(3)), clear(Linear(3))
    assert torch.equal(net(pgd(net, x, y, eps=0.1, norm="linf")).argmax(1), y)
    assert (net(square(net, x, y, eps=0.1, queries=200)).argmax(1) != y).double().mean() > 0.7


@NORMS
def test_an_image_alone_is_what_it_is_in_a_batch(norm):
    net, x = nets.grey().double(), images(4, shape=(1, 12, 12))
    y = labels_of(net, x)
    how = {"eps": 0.01, "norm": norm, "queries": 130}  # two blocks of random numbers
    together = square(net, x, y, seed=5, **how)
    for k in range(4):
        alone = square(net, x[k : k + 1], y[k : k + 1], seed=[5 + k], **how)
        torch.testing.assert_close(alone[0], together[k], rtol=0, atol=1e-12)


@NORMS
def test_the_seed_alone_decides_and_the_network_is_left_as_it_was(norm):
    net, x = nets.grey(), images(2, shape=(1, 12, 12)).float()
    y = labels_of(net, x)
    assert_one_generator(lambda seed: square(net, x, y, eps=0.02, norm=norm, queries=9, seed=seed))

    def act():
        with torch.inference_mode():
            assert square(net, x, y, eps=0.02, norm=norm, queries=9).dtype == torch.float32

    assert_no_trace([net], act)
