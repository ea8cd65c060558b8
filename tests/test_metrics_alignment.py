"""Alignment and linearised robustness: closed forms, differences quotients, Etmann's identity."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from actmax_lib.metrics.alignment import alignment, linear_robustness
from tests.nets import mlp, seeded

G = torch.Generator().manual_seed(0)
X = torch.randn(6, 5, generator=G, dtype=torch.float64)


def linear(weights, bias=None) -> nn.Linear:
    net = nn.Linear(len(weights[0]), len(weights), bias=bias is not None).double()
    net.weight.data = torch.tensor(weights, dtype=torch.float64)
    if bias is not None:
        net.bias.data = torch.tensor(bias, dtype=torch.float64)
    return net


def relu_net(bias: bool) -> nn.Module:
    def make():
        return nn.Sequential(
            nn.Linear(5, 16, bias=bias), nn.ReLU(), nn.Linear(16, 12, bias=bias), nn.ReLU(),
            nn.Linear(12, 4, bias=bias),
        )  # fmt: skip

    return seeded(make, seed=5).double()


def answers(net: nn.Module, x=X) -> torch.Tensor:
    with torch.no_grad():
        return net(x).argmax(1)


def test_two_linear_classes_are_a_projection_on_the_normal():
    net = linear([[3.0, 0.0], [0.0, -4.0]], [0.0, 10.0])
    x = torch.tensor([[1.0, 2.0]], dtype=torch.float64)
    # Ψ = f_0 - f_1 = 3 x + 4 y - 10, ∇Ψ = (3, 4)
    assert alignment(net, x, torch.tensor([0])).tolist() == pytest.approx([11 / 5])
    assert linear_robustness(net, x, torch.tensor([0])).tolist() == pytest.approx([1 / 5])
    assert alignment(net, x, torch.tensor([1])).tolist() == pytest.approx([11 / 5])
    assert linear_robustness(net, x, torch.tensor([1])).tolist() == pytest.approx([-1 / 5])


def test_the_rival_is_the_nearest_and_not_the_runner_up():
    # f = (4, 3, 0): class 1 is the runner-up at 1 / ‖(.1, 0)‖ = 10, class 2 at 4 / ‖(0, 8)‖ = .5
    net = linear([[0.0, 0.0], [-0.1, 0.0], [0.0, -8.0]], [4.0, 3.1, 8.0])
    x = torch.tensor([[1.0, 1.0]], dtype=torch.float64)
    assert linear_robustness(net, x, torch.tensor([0])).tolist() == pytest.approx([0.5])
    assert alignment(net, x, torch.tensor([0])).tolist() == pytest.approx([1.0])  # <x, (0,8)>/8


def test_without_biases_alignment_is_linearised_robustness_and_with_them_it_is_not():
    net = relu_net(bias=False)
    labels = answers(net)
    rho = linear_robustness(net, X, labels)
    assert torch.allclose(alignment(net, X, labels), rho, rtol=1e-10, atol=1e-12)
    assert bool((rho > 0).all())
    biased = relu_net(bias=True)
    labels = answers(biased)
    gap = alignment(biased, X, labels) - linear_robustness(biased, X, labels)
    assert float(gap.abs().max()) > 0.05


@pytest.mark.parametrize("labels", [[0, 1, 2, 3, 0, 1], [3, 3, 3, 3, 3, 3]])
def test_against_difference_quotients(labels):
    net = seeded(lambda: nn.Sequential(nn.Linear(5, 9), nn.Softplus(), nn.Linear(9, 4))).double()

    def f(x: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return net(torch.from_numpy(x)[None])[0].numpy()

    for k, y in enumerate(labels):
        x, h = X[k].numpy(), 1e-5
        slopes = np.stack([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(5)], 1)  # (4, 5)
        best = min(
            ((f(x)[y] - f(x)[j]) / np.linalg.norm(slopes[y] - slopes[j]), j)
            for j in range(4) if j != y
        )  # fmt: skip
        w = slopes[y] - slopes[best[1]]
        y = torch.tensor([y])
        assert float(linear_robustness(net, X[k : k + 1], y)) == pytest.approx(best[0], rel=1e-6)
        alpha = abs(x @ w) / np.linalg.norm(w)
        assert float(alignment(net, X[k : k + 1], y)) == pytest.approx(alpha, rel=1e-6)


def test_alignment_is_in_units_of_the_image_and_not_of_the_logits():
    net, labels = relu_net(bias=False), torch.tensor([0, 1, 2, 3, 0, 1])
    doubled = alignment(net, 2 * X, labels)
    assert torch.allclose(doubled, 2 * alignment(net, X, labels))
    louder = seeded(lambda: relu_net(bias=False))
    louder[-1].weight.data *= 7
    assert torch.allclose(alignment(louder, X, labels) * 2, doubled)


def test_flat_network_and_a_class_that_is_never_told_apart():
    flat = linear([[0.0, 0.0], [0.0, 0.0]], [1.0, 0.0])
    x = torch.ones(1, 2, dtype=torch.float64)
    assert float(alignment(flat, x, torch.tensor([0]))) == 0
    assert float(linear_robustness(flat, x, torch.tensor([0]))) == math.inf
    assert float(linear_robustness(flat, x, torch.tensor([1]))) == -math.inf
    twins = linear([[1.0, 0.0], [1.0, 0.0]])
    assert float(linear_robustness(twins, x, torch.tensor([0]))) == 0  # a tie everywhere


def test_each_image_by_itself_and_the_network_as_it_was():
    net = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(6), nn.Dropout(0.5), mlp())
    net.train()
    net[3].requires_grad_(False)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    x = torch.rand(4, 1, 2, 3, generator=torch.Generator().manual_seed(1))
    labels = torch.tensor([0, 1, 2, 3])
    for measure in (alignment, linear_robustness):
        together = measure(net, x, labels)
        alone = torch.cat([measure(net, x[k : k + 1], labels[k : k + 1]) for k in range(4)])
        assert torch.allclose(together, alone, rtol=1e-5)
        assert together.dtype == torch.float32
        assert not together.requires_grad
    assert net.training
    assert net[2].training
    assert all(torch.equal(net.state_dict()[key], value) for key, value in before.items())
    assert [p.requires_grad for p in net[3].parameters()] == [False] * 4
    assert all(p.grad is None for p in net.parameters())


def test_refuses():
    net = relu_net(bias=True)
    with pytest.raises(ValueError, match="label 4 is out of range: there are 4 logits: 0 to 3"):
        alignment(net, X, torch.tensor([0, 1, 2, 3, 4, 0]))
    with pytest.raises(ValueError, match="label must be at least 0, got -1"):
        alignment(net, X, torch.tensor([0, 1, 2, 3, -1, 0]))
    with pytest.raises(ValueError, match="6 images and 2 labels"):
        linear_robustness(net, X, torch.tensor([0, 1]))
    with pytest.raises(TypeError, match="floating-point tensor"):
        alignment(net, torch.ones(2, 5, dtype=torch.int64), torch.tensor([0, 1]))
    with pytest.raises(ValueError, match="1 logit"):
        alignment(linear([[1.0, 2.0]]), X[:, :2], torch.zeros(6, dtype=torch.int64))
