"""Balls, FGSM and PGD: closed forms on linear networks, one program with `maximize`, contracts."""

import math

import numpy as np
import pytest
import scipy.optimize
import scipy.stats
import torch
from torch import nn
from torch.nn import functional as F

from actmax_lib import log_prob, maximize, point
from actmax_lib.attacks import Ball, fgsm, loss_of, margin, pgd
from actmax_lib.attacks.values import VALUES
from tests import nets
from tests.attacked import Linear, Lookup, images, labels_of
from tests.contracts import assert_no_trace, assert_one_generator

pytestmark = pytest.mark.usefixtures("one_thread")
NORMS = pytest.mark.parametrize("norm", ["l2", "linf"])
ORDER = {"l2": 2, "linf": np.inf}
DUAL = {"l2": 2, "linf": 1}


def size(change, norm):
    return np.linalg.norm(change.flatten(1).numpy(), ORDER[norm], axis=1)


@NORMS
def test_a_direction_has_length_one_and_gains_the_dual_norm(norm):
    g = torch.randn(5, 2, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    d = Ball(norm, 0.1).direction(g)
    np.testing.assert_allclose(size(d, norm), 1, rtol=1e-14)
    gain = (g * d).flatten(1).sum(1).numpy()
    np.testing.assert_allclose(
        gain, np.linalg.norm(g.flatten(1).numpy(), DUAL[norm], axis=1), rtol=1e-14
    )
    assert not Ball(norm, 0.1).direction(torch.zeros(2, 1, 3, 3)).any()


@NORMS
def test_projection_is_the_nearest_point_of_the_ball_inside_the_box_and_stays_put_there(norm):
    x = images(6, shape=(1, 3, 3))
    ball = Ball(norm, 0.05)
    z = x + 0.2 * torch.randn(x.shape, dtype=x.dtype, generator=torch.Generator().manual_seed(1))
    p = ball.project(z, x)
    assert (size(p - x, norm) <= 0.05 + 1e-15).all()
    if norm == "linf":
        nearest = np.clip(z.numpy(), x.numpy() - 0.05, x.numpy() + 0.05)
    else:  # x is 0.2 away from the box's faces, so the ball alone decides
        away = (z - x).numpy()
        nearest = x.numpy() + 0.05 * away / np.linalg.norm(away.reshape(6, -1), axis=1).reshape(
            6, 1, 1, 1
        )
    np.testing.assert_allclose(p.numpy(), nearest, atol=1e-15)
    torch.testing.assert_close(ball.project(p, x), p, rtol=0, atol=1e-16)
    at_edge = Ball(norm, 0.5).project(x + 5, x)
    assert at_edge.max() <= 1
    assert (size(at_edge - x, norm) <= 0.5 + 1e-12).all()
    assert torch.equal(Ball(norm, math.inf).project(z * 9, x), (z * 9).clamp(0, 1))


@NORMS
def test_noise_is_uniform_in_the_ball(norm):
    generator = torch.Generator().manual_seed(2)
    x = torch.full((4000, 1, 1, 3), 0.5, dtype=torch.float64)
    normal = torch.randn(x.shape, generator=generator, dtype=x.dtype)
    uniform = torch.rand(len(x), generator=generator, dtype=x.dtype)
    change = (Ball(norm, 0.4).noise(x, normal, uniform) - x).flatten(1).numpy() / 0.4
    if norm == "linf":
        for pixel in change.T:
            assert scipy.stats.kstest(pixel, "uniform", (-1, 2)).pvalue > 1e-4
    else:
        radius = np.linalg.norm(change, axis=1)
        assert scipy.stats.kstest(radius**3, "uniform").pvalue > 1e-4
        heights = change[:, 0] / radius  # Archimedes: uniform on a sphere of three dimensions
        assert scipy.stats.kstest(heights, "uniform", (-1, 2)).pvalue > 1e-4


@NORMS
@pytest.mark.parametrize("value", VALUES)
def test_on_a_linear_network_the_margin_falls_by_eps_times_the_dual_norm(norm, value):
    """P6: max over the ball of w·x + b; images are far from the faces of the box."""
    net, x = Linear(2), images(7)
    y, eps = labels_of(net, x), 0.1
    w = (net.weight[1] - net.weight[0]).flatten().numpy()
    found = pgd(net, x, y, eps=eps, norm=norm, value=value, step=0.05)
    gain = eps * np.linalg.norm(w, DUAL[norm])
    before, after = (margin(net(z), y).numpy() for z in (x, found))
    np.testing.assert_allclose(after, before + gain, rtol=1e-9)


def test_in_the_box_the_cube_attack_reaches_the_best_corner_and_the_ball_attack_nearly_its_best():
    net = Linear(2)
    x = torch.rand(3, 1, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    y = torch.zeros(3, dtype=torch.int64)
    w = (net.weight[1] - net.weight[0]).flatten().numpy()
    start = x.flatten(1).numpy()
    corner = np.where(w > 0, np.minimum(start + 0.3, 1), np.maximum(start - 0.3, 0))
    cube = pgd(net, x, y, eps=0.3, norm="linf", steps=20, step=0.1)
    np.testing.assert_allclose(cube.flatten(1).numpy(), corner, atol=1e-12)
    ball = pgd(net, x, y, eps=1.0, norm="l2", steps=300, step=0.05)
    for start, end in zip(x.flatten(1).numpy(), ball.flatten(1).numpy(), strict=True):

        def change(t, start=start):  # Karush-Kuhn-Tucker: along w, cut off at the faces
            return np.clip(start + t * w, 0, 1) - start

        t = scipy.optimize.brentq(lambda t: np.linalg.norm(change(t)) - 1.0, 0, 50)
        gained, best = w @ (end - start), w @ change(t)
        assert np.linalg.norm(end - start) <= 1 + 1e-12
        assert 0.99 * best <= gained <= best + 1e-9


def test_fgsm_is_one_step_to_a_corner():
    net, x = nets.grey().double(), images(3, shape=(1, 12, 12))
    y = torch.tensor([0, 3, 5])
    z = x.clone().requires_grad_()
    F.cross_entropy(net(z), y).backward()
    expected = (x + 0.03 * z.grad.sign()).clamp(0, 1)
    torch.testing.assert_close(fgsm(net, x, y, eps=0.03), expected, rtol=0, atol=1e-15)


def test_pgd_is_the_textbook_loop_written_again():
    net, x = nets.grey().double(), images(2, shape=(1, 12, 12))
    y, eps, step = torch.tensor([2, 4]), 0.4, 0.15
    z = x.clone()
    for _ in range(6):
        z = z.requires_grad_()
        logits = net(z)
        loss = torch.logsumexp(logits, 1) - logits[torch.arange(2), y]
        (g,) = torch.autograd.grad(loss.sum(), z)
        g = g.numpy()
        change = (
            z.detach().numpy()
            + step * g / np.sqrt((g**2).sum((1, 2, 3), keepdims=True))
            - x.numpy()
        )
        length = np.sqrt((change**2).sum((1, 2, 3), keepdims=True))
        z = torch.from_numpy(np.clip(x.numpy() + change * np.minimum(1, eps / length), 0, 1))
    found = pgd(net, x, y, eps=eps, steps=6, step=step, random_start=False)
    torch.testing.assert_close(found, z, rtol=0, atol=1e-13)


def test_a_targeted_attack_without_a_ball_is_maximize():
    """prop:robust:one-program, to the last bit."""
    net, start = nets.grey(), torch.rand(3, 1, 12, 12, generator=torch.Generator().manual_seed(4))
    classes = [6, 0, 3]
    attacked = pgd(
        net, start, torch.tensor(classes), eps=math.inf, steps=40, step=0.5,
        targeted=True, random_start=False,
    )  # fmt: skip
    run = maximize(
        log_prob(net, classes), point(start, box=(0, 1)), optimizer="normalized",
        schedule="constant", lr=0.5, steps=40, revive=0,
    )  # fmt: skip
    assert torch.equal(attacked, run.images)
    assert (attacked - start).abs().max() > 0.3  # it did go somewhere


def test_values_are_the_cross_entropy_and_the_margin_and_targets_turn_the_sign():
    net, x = nets.grey().double(), images(4, shape=(1, 8, 8))
    y = torch.tensor([0, 6, 2, 2])
    logits = net(x).detach().numpy()
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    rows = np.arange(4)
    other = np.where(np.eye(7, dtype=bool)[y.numpy()], -np.inf, logits).max(1)
    for value, expected in (
        ("cross_entropy", -np.log(p[rows, y])),
        ("margin", other - logits[rows, y]),
    ):
        got = loss_of(net, y, value)(x).detach().numpy()
        np.testing.assert_allclose(got, expected, rtol=1e-10)
        np.testing.assert_allclose(loss_of(net, y, value, True)(x).detach().numpy(), -got)


@NORMS
def test_targets_are_reached_and_only_by_going_towards_them(norm):
    net, x = Linear(4), images(4)
    away = labels_of(net, x)
    target = (away + 1) % 4
    found = pgd(net, x, target, eps=0.4 if norm == "linf" else 3.0, norm=norm, targeted=True)
    assert torch.equal(net(found).argmax(1), target)
    assert not torch.equal(net(x).argmax(1), target)


def test_of_all_ends_one_that_fools_is_kept_before_one_of_higher_value():
    # below one half a wrong answer with a small loss, above it a right one with a greater loss
    net = Lookup(low=[0.40, 0.50, 0.10], high=[0.35, 0.34, 0.31])
    x = torch.full((20, 1, 1, 1), 0.6, dtype=torch.float64)
    y = torch.zeros(20, dtype=torch.int64)
    ends = pgd(net, x, y, eps=0.3, norm="linf", steps=1, step=1e-9, restarts=12)
    assert (ends < 0.5).all()  # 1/3 of the starts are: all 12 miss it once in 130 images
    values = pgd(net, x, y, eps=0.09, norm="linf", steps=1, step=1e-9, restarts=12)
    assert (values >= 0.5).all()  # there nothing fools


def test_of_several_restarts_that_fool_the_highest_value_is_kept():
    net, x = nets.grey().double(), images(5, shape=(1, 12, 12))
    y = torch.tensor([0, 1, 2, 3, 4])
    how = {"eps": 1.0, "steps": 1, "step": 0.01, "value": "margin"}
    several = margin(net(pgd(net, x, y, restarts=9, **how)), y)
    one = margin(net(pgd(net, x, y, restarts=1, **how)), y)
    assert (several >= one - 1e-12).all()
    assert (several > one + 1e-6).sum() >= 3


@NORMS
def test_an_image_alone_is_what_it_is_in_a_batch(norm):
    net, x = nets.grey().double(), images(5, shape=(1, 12, 12))
    y = torch.tensor([0, 6, 2, 2, 5])
    how = {"eps": 0.1, "norm": norm, "steps": 5, "restarts": 2}
    together = pgd(net, x, y, seed=[7, 8, 9, 10, 11], **how)
    torch.testing.assert_close(together, pgd(net, x, y, seed=7, **how), rtol=0, atol=0)
    for k in range(5):
        alone = pgd(net, x[k : k + 1], y[k : k + 1], seed=7 + k, **how)
        torch.testing.assert_close(alone[0], together[k], rtol=0, atol=1e-12)


def test_the_seed_alone_decides():
    net, x, y = nets.grey(), images(2, shape=(1, 12, 12)).float(), torch.tensor([0, 1])
    assert_one_generator(lambda seed: pgd(net, x, y, eps=0.5, steps=2, seed=seed))


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_the_network_is_left_as_it_was_in_every_context(context):
    net, x = nets.grey(), images(2, shape=(1, 12, 12)).float()
    y = torch.tensor([0, 1])
    net(x).sum().backward()  # gradients of the weights are the user's too
    expected = pgd(net, x, y, eps=0.5, steps=3)

    def act():
        with context():
            assert torch.equal(pgd(net, x, y, eps=0.5, steps=3), expected)

    assert_no_trace([net], act)
    assert expected.dtype == torch.float32
    assert not expected.requires_grad


def test_the_image_given_is_not_written_to():
    net, x, y = nets.grey(), images(2, shape=(1, 12, 12)).float(), torch.tensor([0, 1])
    before = x.clone()
    pgd(net, x.requires_grad_(), y, eps=0.5, steps=3, random_start=False)
    assert torch.equal(x, before)
    assert x.grad is None


def test_where_the_gradient_is_zero_the_start_is_given_back():
    net = nn.Sequential(nn.Flatten(), nn.Linear(36, 3)).eval()
    nn.init.zeros_(net[1].weight)
    x, y = images(2).float(), torch.tensor([0, 1])
    assert torch.equal(pgd(net, x, y, eps=0.1, steps=3, random_start=False), x)
