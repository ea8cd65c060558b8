"""Directions and interpolation against loops in NumPy."""

import numpy as np
import pytest
import torch
from torch import nn

from actmax_lib import (
    affine,
    channel,
    direction,
    function,
    inversion,
    l2,
    logit,
    maximize,
    neuron,
    pixels,
    robust,
)
from actmax_lib.features import interpolation
from tests import nets
from tests.contracts import F64, assert_batch_invariant, assert_per_image

pytestmark = pytest.mark.usefixtures("one_thread")
CNN, VIT = nets.cnn().double(), nets.vit().double()
SOLID = nets.seeded(lambda: nn.Conv3d(3, 5, 2), seed=8).double()  # maps over three axes
close = torch.testing.assert_close


def rand(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(*shape, generator=generator, dtype=torch.float64)


X = rand(4, 3, 16, 12)
CASES = {
    "maps": (CNN, "conv2", X),
    "no positions": (CNN, "", X),
    "tokens": (VIT, "blocks.0", X),
    "volumes": (SOLID, "", rand(4, 3, 3, 4, 5)),
    "grey": (nets.grey().double(), "bn1", rand(4, 1, 32, 32)),
}


def columns(net, layer, x):
    """The activation as (N, C, positions), from a hook of our own."""
    seen = []
    handle = net.get_submodule(layer).register_forward_hook(
        lambda _m, _i, out: seen.append(out.clone())
    )
    with torch.no_grad():
        net(x)
    handle.remove()
    a = seen[-1].numpy()
    if layer.startswith("blocks"):  # (N, tokens, C)
        a = a.transpose(0, 2, 1)
    return a.reshape(*a.shape[:2], -1)


def measured(a, v, measure, power):
    """One column (C,) with one vector."""
    dot = a @ v
    cosine = dot / (np.linalg.norm(a) * np.linalg.norm(v))
    return {"dot": dot, "cosine": cosine, "dot_cosine": dot * max(cosine, 0.1) ** power}[measure]


# --- direction ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("measure", "power"), [
    ("dot", 2), ("cosine", 2), ("dot_cosine", 0), ("dot_cosine", 1), ("dot_cosine", 3.5),
])  # fmt: skip
@pytest.mark.parametrize("case", CASES)
def test_a_direction_is_the_mean_of_its_measure_over_positions(case, measure, power):
    net, layer, x = CASES[case]
    a = columns(net, layer, x)
    rows = np.random.default_rng(1).normal(size=(4, a.shape[1]))
    expected = [
        np.mean([measured(column, v, measure, power) for column in image.T])
        for image, v in zip(a, rows, strict=True)
    ]
    f = direction(net, layer, rows, measure=measure, power=power)
    close(f(x), torch.tensor(expected))
    one = direction(net, layer, rows[1], measure=measure, power=power)
    close(one(x)[1], torch.tensor(expected[1]))
    assert_per_image(f, x)


@pytest.mark.parametrize("measure", ["dot", "cosine", "dot_cosine"])
@pytest.mark.parametrize(("case", "position"), [
    ("maps", (1, 2)), ("tokens", (5,)), ("volumes", (1, 2, 0)), ("no positions", ()),
])  # fmt: skip
def test_a_direction_at_a_position(case, position, measure):
    net, layer, x = CASES[case]
    a = columns(net, layer, x)
    shape = {"maps": (4, 3), "tokens": (12,), "volumes": (2, 3, 4), "no positions": ()}[case]
    at = np.ravel_multi_index(position, shape) if position else 0
    v = np.linspace(-1, 2, a.shape[1])
    expected = [measured(image[:, at], v, measure, 2) for image in a]
    if position:
        close(direction(net, layer, v, measure=measure, position=position)(x),
              torch.tensor(expected))  # fmt: skip
    else:
        close(direction(net, layer, v, measure=measure)(x), torch.tensor(expected))


def test_an_axis_at_a_position_is_a_neuron():
    axis = torch.eye(8)[3]
    close(direction(CNN, "bn2", axis, position=(2, 0))(X), neuron(CNN, "bn2", 3, (2, 0))(X))


def test_what_the_measures_ask_for():
    v = rand(8, seed=2)
    dot, cosine, both = (
        [direction(CNN, "conv2", c * v, measure=m)(X) for c in (1, 3)]
        for m in ("dot", "cosine", "dot_cosine")
    )
    close(dot[1], 3 * dot[0])
    close(cosine[1], cosine[0])  # size does not count
    close(both[1], 3 * both[0])
    own = torch.tensor(columns(CNN, "conv2", X)[0, :, 0])
    assert float(direction(CNN, "conv2", own, measure="cosine", position=(0, 0))(X)[0]) == (
        pytest.approx(1)
    )
    assert direction(CNN, "conv2", v, measure="cosine").names == ["direction('conv2', 'cosine')"]


@pytest.mark.parametrize("measure", ["cosine", "dot_cosine"])
def test_a_silent_layer_has_finite_gradients(measure):
    silent = nn.Conv2d(3, 4, 1, bias=False).double()
    for x in (torch.zeros(2, 3, 2, 2, dtype=torch.float64), rand(2, 3, 2, 2) * 1e-200):
        x = x.requires_grad_()
        values = direction(silent, "", torch.ones(4), measure=measure)(x)
        (gradient,) = torch.autograd.grad(values.sum(), x)
        assert values.isfinite().all()
        assert gradient.isfinite().all()


def test_a_floor_keeps_a_gradient_where_the_direction_is_not_met():
    own = torch.nn.Identity()
    x = torch.tensor([[-1.0, 0.0]], dtype=torch.float64, requires_grad=True)
    f = direction(nn.Sequential(own), "0", torch.tensor([1.0, 0.0]), measure="dot_cosine")
    (gradient,) = torch.autograd.grad(f(x).sum(), x)
    close(gradient, torch.tensor([[0.01, 0.0]], dtype=torch.float64))


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: direction(CNN, "conv2", torch.ones(8), measure="angle"), ValueError, "'angle'"),
    (lambda: direction(CNN, "conv2", torch.ones(8), measure="dot_cosine", power=-1), ValueError,
     "power must be at least 0"),
    (lambda: direction(CNN, "conv2", torch.ones(8), position=(1,))(X), ValueError, "needs 2"),
    (lambda: direction(CNN, "conv2", torch.ones(8), position=(1, 3))(X), ValueError, "range"),
    (lambda: direction(CNN, "conv2", torch.ones(8), position=(1, -1)), ValueError, "position"),
    (lambda: direction(CNN, "conv2", torch.ones(7))(X), ValueError, "7 entries"),
    (lambda: direction(CNN, "conv2", torch.ones(1, 2, 2)), ValueError, "shape"),
    (lambda: direction("net", "conv2", torch.ones(8)), TypeError, "net must be"),
])  # fmt: skip
def test_bad_directions(make, error, message):
    with pytest.raises(error, match=message):
        make()


# --- interpolation --------------------------------------------------------------------------------


def test_an_interpolation_weighs_every_image_by_its_place():
    f = 2 * channel(CNN, "conv1", 3) - l2(0.1)
    g = logit(CNN, [1, 2, 0, 4]) + inversion(CNN, "bn1", X)
    fx, gx = f(X).numpy(), g(X).numpy()
    path = interpolation(f, g, 4)
    expected = [(1 - t) * a + t * b for t, a, b in zip((0, 1 / 3, 2 / 3, 1), fx, gx, strict=True)]
    close(path(X), torch.tensor(np.array(expected)))
    assert path.names == [*f.names, *g.names]
    assert (path.batch, f.batch) == (4, None)
    close(f(X), torch.tensor(fx))  # the parts are left as they were
    assert_per_image(path, X)
    two = interpolation(affine([1.0]), affine([10.0]), 2)
    close(two(torch.tensor([[1.0], [1.0]])), torch.tensor([1.0, 10.0]))


def test_an_image_of_a_path_is_drawn_as_if_alone():
    f, g = channel(CNN, "conv1", 1), logit(CNN, 2)
    how = {"transform": robust(), "steps": 4, "seed": 3}
    path = maximize(interpolation(f, g, 3), pixels(3, 12), **how)
    for k, t in enumerate((0, 0.5, 1)):
        alone = maximize((1 - t) * f + t * g, pixels(3, 12), **how)
        close(path.images[k], alone.images[0], **F64)
        close(path.values[k], alone.values[0], **F64)


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: interpolation(l2(1), l2(1), 1), ValueError, "count must be at least 2"),
    (lambda: interpolation(l2(1), 3.0, 2), TypeError, "g must be an Objective"),
    (lambda: interpolation(logit(CNN, [1, 2]), l2(1), 3), ValueError, "f has 2 targets"),
    (lambda: interpolation(l2(1), function(lambda x: x.sum()), 4)(X), ValueError, "one value an"),
    (lambda: interpolation(l2(1), l2(2), 3)(X), ValueError, "x has 4 images"),
])  # fmt: skip
def test_bad_interpolations(make, error, message):
    with pytest.raises(error, match=message):
        make()


# --- contracts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["cosine", "dot_cosine"])
def test_measures_keep_the_contracts(name):
    rows = rand(5, 8, seed=5) - 0.5

    def make(targets):
        return direction(CNN, "bn2", rows[targets], measure=name)

    how = {"steps": 3, "transform": robust()}
    assert_batch_invariant(make, lambda n: pixels(3, 12, batch=n), [4, 0, 4], [7, 7, 5], **how)
