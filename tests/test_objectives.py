"""Objectives against a plain forward pass, and against formulas written out."""

import numpy as np
import pytest
import scipy.special
import torch
from hypothesis import given
from hypothesis import strategies as st

from actmax_lib import (
    affine,
    channel,
    direction,
    function,
    layer,
    log_prob,
    logit,
    max_coordinate,
    maximize,
    neuron,
    point,
    quadratic,
    smooth_max,
)
from tests import nets

pytestmark = pytest.mark.usefixtures("one_thread")
NET = nets.cnn().double()
X = torch.rand(3, 3, 17, 14, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def activations():
    """Every layer's last output in a plain forward pass, by name, before later in-place changes."""
    found = {}
    hooks = [
        module.register_forward_hook(lambda _m, _i, o, name=name: found.update({name: o.clone()}))
        for name, module in NET.named_modules()
    ]
    with torch.no_grad():
        NET(X)
    for hook in hooks:
        hook.remove()
    return found


SEEN = activations()
close = torch.testing.assert_close


def test_class_objectives():
    output = SEEN[""]
    close(logit(NET, 4)(X), output[:, 4])
    close(logit(NET, [4, 0, 6])(X), output[[0, 1, 2], [4, 0, 6]])
    log_p = output - output.exp().sum(1, keepdim=True).log()
    close(log_prob(NET, 4)(X), log_p[:, 4])
    close(log_prob(NET, [4, 0, 6])(X), log_p[[0, 1, 2], [4, 0, 6]])
    p = torch.stack([log_prob(NET, k)(X).exp() for k in range(7)])
    close(p.sum(0), torch.ones_like(p[0]))


@pytest.mark.parametrize("kind", [list, tuple, np.array, torch.tensor])
def test_targets_in_any_form(kind):
    close(logit(NET, kind([4, 0, 6]))(X), SEEN[""][[0, 1, 2], [4, 0, 6]])
    means = SEEN["conv1"].mean((2, 3))
    close(channel(NET, "conv1", kind([1, 5, 0]))(X), means[range(3), [1, 5, 0]])
    assert logit(NET, kind([4, 0, 6])).names == ["logit([4, 0, 6])"]


@pytest.mark.parametrize("number", [4, np.int64(4), torch.tensor(4), np.array(4)])
def test_a_target_in_any_form(number):
    close(logit(NET, number)(X), SEEN[""][:, 4])
    assert logit(NET, number).names == ["logit(4)"]


@pytest.mark.parametrize("name", ["conv1", "bn1", "relu", "conv2", "bn2"])
def test_feature_maps(name):
    a = SEEN[name]
    height, width = a.shape[2:]
    close(channel(NET, name, 3)(X), a[:, 3].mean((1, 2)))
    close(channel(NET, name, [3, 0, 5])(X), a[range(3), [3, 0, 5]].mean((1, 2)))
    close(neuron(NET, name, 3)(X), a[:, 3, height // 2, width // 2])
    close(neuron(NET, name, [3, 0, 5], (2, 1))(X), a[range(3), [3, 0, 5], 2, 1])
    close(layer(NET, name)(X), (a**2).mean((1, 2, 3)))
    v = torch.linspace(-1, 2, a.shape[1], dtype=torch.float64)
    close(direction(NET, name, v)(X), torch.einsum("nchw,c->n", a, v) / (height * width))
    rows = torch.stack([v, -v, v * v])
    close(direction(NET, name, rows)(X), torch.einsum("nchw,nc->n", a, rows) / (height * width))


def test_directions_of_the_axes_are_channels():
    for k in range(6):
        close(direction(NET, "conv1", torch.eye(6)[k])(X), channel(NET, "conv1", k)(X))


def test_units_without_positions():
    close(neuron(NET, "head", 2)(X), SEEN[""][:, 2])
    close(channel(NET, "", 2)(X), logit(NET, 2)(X))
    close(layer(NET, "")(X), (SEEN[""] ** 2).mean(1))
    with pytest.raises(ValueError, match="position"):
        neuron(NET, "head", 2, (0, 0))(X)


@given(st.integers(0, 1000), st.integers(1, 6))
def test_objectives_on_the_image_itself(seed, d):
    rng = np.random.default_rng(seed)
    x, w, b = rng.normal(size=(4, d)), rng.normal(size=d), rng.normal()
    H = rng.normal(size=(d, d))
    H, z = H + H.T, torch.tensor(x)
    np.testing.assert_allclose(affine(w, b)(z), x @ w + b)
    expected = [xn @ H @ xn / 2 + w @ xn + b for xn in x]
    np.testing.assert_allclose(quadratic(H, w, b)(z), expected, atol=1e-12)
    np.testing.assert_allclose(max_coordinate()(z), x.max(1))
    for beta in (0.1, 1, 30, 1e4):
        expected = scipy.special.logsumexp(beta * x, axis=1) / beta
        np.testing.assert_allclose(smooth_max(beta)(z), expected)
    assert (
        (smooth_max(2)(z) >= max_coordinate()(z)) & (smooth_max(1)(z) >= smooth_max(2)(z))
    ).all()


def test_images_are_flattened_in_order():
    w = torch.arange(24.0).reshape(2, 3, 4)
    x = torch.eye(24).reshape(24, 2, 3, 4)
    assert affine(w)(x).tolist() == list(range(24))
    assert affine(w.tolist())(x).tolist() == list(range(24))


@pytest.mark.parametrize("make", [
    lambda: affine([1.0, 2, 3]), lambda: quadratic(np.diag([1.0, 2, 3]), [1.0, 0, 1], 2),
    lambda: smooth_max(3), lambda: max_coordinate(),
])  # fmt: skip
def test_gradients(make):
    x = torch.tensor([[0.3, -1.0, 0.7], [2.0, 1.0, 1.5]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(make(), x)


@pytest.mark.parametrize("name", ["log_prob", "sum", "direction"])
def test_gradients_through_the_network(name):
    x = X[:1, :, :5, :5].clone().requires_grad_()
    assert torch.autograd.gradcheck(nets.targeted(NET)[name]([3]), x, eps=1e-7, atol=1e-5)


def test_at_a_tie_the_gradient_goes_to_one_coordinate():
    x = torch.full((2, 4), 0.3, requires_grad=True)
    (gradient,) = torch.autograd.grad(max_coordinate()(x).sum(), x)
    assert sorted(gradient[0].tolist()) == [0, 0, 0, 1]


def test_a_function_of_ones_own():
    def brightness(x):
        return x.mean((1, 2, 3))

    assert function(brightness).names == ["brightness"]
    assert function(brightness, "light").names == ["light"]
    close(function(brightness)(X), X.mean((1, 2, 3)))


def test_constants_are_copied_and_any_array_will_do():
    w = np.arange(4.0)
    forms = [
        w,
        w[::-1][::-1],
        w.astype(np.float32),
        w.tolist(),
        torch.tensor(w),
        np.broadcast_to(w, (1, 4)),
    ]
    functions = [affine(form, torch.tensor(0.5)) for form in forms]
    w *= 0
    for f in functions:
        assert float(f(torch.ones(1, 4))) == 6.5
    reversed_ = affine(np.arange(4.0)[::-1])
    assert float(reversed_(torch.eye(4)[:1])) == 3


def test_the_gradient_reaches_the_image_outside_of_maximize():
    x = X[:1].clone().requires_grad_()
    logit(NET, 1)(x).sum().backward()
    assert float(x.grad.abs().max()) > 0
    with torch.no_grad():
        assert not logit(NET, 1)(x).requires_grad


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_climbing_works_where_gradients_are_off(context):
    with context():
        f = affine([1.0, -1.0]) + smooth_max(2.0)
        run = maximize(f, point([[0.0, 0.0]]), steps=3)
    assert float(run.values[0]) > float(f(torch.zeros(1, 2)))
