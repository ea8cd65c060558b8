"""Distances to a wrong answer: exact on planes, against brute force on curves, against PGD."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from actmax_lib import data, zoo
from actmax_lib.attacks import boundary_distance, deepfool, margin, pgd
from tests import nets
from tests.attacked import Bent, Linear, images, labels_of
from tests.contracts import assert_no_trace

pytestmark = pytest.mark.usefixtures("one_thread")


def size(change: Tensor) -> Tensor:
    return torch.linalg.vector_norm(change, dim=(1, 2, 3), keepdim=True)


class Valley(nn.Module):
    """Class 1 above a curve in a plane of two pixels; the gap is no straight function of height."""

    def __init__(self, bend: float) -> None:
        super().__init__()
        self.bend = bend
        self.eval()

    def curve(self, u):
        return 0.6 + self.bend * (u - 0.4) ** 2

    def forward(self, x: Tensor) -> Tensor:
        u, v = x.flatten(1).unbind(1)
        height = v - self.curve(u)
        return torch.stack([torch.zeros_like(u), height * (2 + height.square() + u)], 1)


class Constant(nn.Module):
    def __init__(self, logits: list[float]) -> None:
        super().__init__()
        self.register_buffer("logits", torch.tensor(logits, dtype=torch.float64))
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        return self.logits + 0 * x.flatten(1)[:, :1]


def test_with_affine_logits_it_is_the_distance_to_the_nearest_plane():
    net, x = Linear(5), images(40)
    y = labels_of(net, x)
    w, f = net.weight.flatten(1).numpy(), net(x).numpy()
    expected = []
    for own, logits in zip(y.numpy(), f, strict=True):
        others = [j for j in range(5) if j != own]
        gaps = [(logits[own] - logits[j]) / np.linalg.norm(w[own] - w[j]) for j in others]
        expected.append(min(gaps))
    assert len({int(k) for k in y}) >= 3
    np.testing.assert_allclose(boundary_distance(net, x, y).numpy(), expected, rtol=1e-7)


def test_deepfool_takes_one_step_to_a_plane_and_the_overshoot_beyond():
    net, x = Linear(3), images(6)
    y = labels_of(net, x)
    away = (deepfool(net, x, y, overshoot=0.3) - x).flatten(1).norm(dim=1)
    np.testing.assert_allclose(away.numpy(), 1.3 * boundary_distance(net, x, y).numpy(), rtol=1e-7)


@pytest.mark.parametrize("bend", [0.8, -0.3, 1.5])
def test_to_a_curve_it_is_the_distance_found_by_brute_force(bend):
    net = Valley(bend)
    points = torch.tensor([[0.1, 0.2], [0.5, 0.1], [0.75, 0.3]], dtype=torch.float64)
    x, y = points.view(3, 1, 1, 2), torch.zeros(3, dtype=torch.int64)
    grid = np.linspace(-1, 2, 30_001)
    brute = [np.hypot(grid - u, net.curve(grid) - v).min() for u, v in points.numpy()]
    np.testing.assert_allclose(boundary_distance(net, x, y).numpy(), brute, rtol=1e-3)
    first = (deepfool(net, x, y) - x).flatten(1).norm(dim=1).numpy()
    assert (first > 1.01 * np.array(brute)).any()  # DeepFool alone is not that near


def test_within_it_an_attack_fails_and_a_little_beyond_it_succeeds():
    net, x = Bent(), images(12)  # the faces of the box are too far to be met
    y = labels_of(net, x)
    distance = boundary_distance(net, x, y)
    for k in range(len(x)):
        how = {"norm": "l2", "steps": 60, "value": "margin", "random_start": False}
        z, own = x[k : k + 1], y[k : k + 1]
        near = pgd(net, z, own, eps=0.97 * float(distance[k]), **how)
        far = pgd(net, z, own, eps=1.05 * float(distance[k]), **how)
        assert net(near).argmax() == own
        assert net(far).argmax() != own


def test_deepfool_changes_right_answers_and_leaves_wrong_ones():
    net, x = Bent(), images(8)
    y = labels_of(net, x)
    y[5:] = (y[5:] + 1) % 4
    found = deepfool(net, x, y)
    assert (net(found).argmax(1) != y).all()
    assert torch.equal(found[5:], x[5:])
    distance = boundary_distance(net, x, y)
    assert (distance[5:] == 0).all()
    assert (distance[:5] > 0).all()
    assert (distance[:5] <= (found - x)[:5].flatten(1).norm(dim=1)).all()


def test_where_nothing_else_is_ever_answered_it_is_inf_and_a_tie_is_no_answer():
    x = images(3)
    labels = torch.tensor([0, 1, 0])
    assert boundary_distance(Constant([1.0, 0.0]), x, labels).tolist() == [math.inf, 0, math.inf]
    assert torch.equal(deepfool(Constant([1.0, 0.0]), x, labels), x)
    assert boundary_distance(Constant([1.0, 1.0]), x, labels).tolist() == [0, 0, 0]


def test_steps_are_a_limit():
    net = Valley(0.8)
    x = torch.tensor([0.1, 0.2], dtype=torch.float64).view(1, 1, 1, 2)
    one = deepfool(net, x, torch.tensor([0]), steps=1, overshoot=1e-6)
    assert torch.equal(one, x)  # a plane is not enough for a curve
    assert not torch.equal(deepfool(net, x, torch.tensor([0]), overshoot=1e-6), x)
    assert boundary_distance(net, x, torch.tensor([0]), steps=1).isinf().all()


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_batches_contexts_and_networks_do_not_matter(context):
    net, x = nets.small().double(), images(5, shape=(3, 8, 8))
    y = labels_of(net, x)
    together = boundary_distance(net, x, y)

    def act():
        with context():
            parts = boundary_distance(net, x, y, batch=2)
        torch.testing.assert_close(parts, together, rtol=1e-7, atol=0)

    assert_no_trace([net], act)
    assert together.dtype == torch.float64


def test_on_a_robust_network_no_free_climb_gets_by_with_nine_tenths_of_it():
    """DeepFool's own distances are 1.6 times as large there."""
    sample = data.load("fashion-mnist", "sample")
    net = zoo.load("fashion-pgd-l2-0", device="cpu")
    x, y = sample.images()[:40], sample.labels[:40]
    distance = boundary_distance(net, x, y)
    x, y, distance = x[distance > 0], y[distance > 0], distance[distance > 0]
    radius, z = 0.9 * distance.view(-1, 1, 1, 1), x
    fooled = torch.zeros(len(x), dtype=torch.bool)
    for _ in range(40):  # PGD without the box
        z = z.detach().requires_grad_()
        (g,) = torch.autograd.grad(margin(net(z), y).sum(), z)
        change = z.detach() - x + 0.1 * radius * g / size(g)
        z = x + change * (radius / size(change)).clamp(max=1)
        fooled |= margin(net(z), y).detach() > 0
    assert len(x) > 30
    assert fooled.sum() <= 1
    alone = (deepfool(net, x, y) - x).flatten(1).norm(dim=1)
    assert distance.median() < 0.8 * alone.median()
