"""Penalties on input gradients and on kernels: finite differences, spectra and norms say the same.

The identity of Etmann et al. 2019 is here too: what an image's alignment is equal to, and when.
"""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from actmax_lib.metrics.alignment import alignment, linear_robustness
from actmax_lib.training import (
    cross_entropy,
    double_backprop,
    insensitivity,
    noise_training,
    saliency_alignment,
    smooth_kernels,
)
from actmax_lib.training.kernels import roughness
from tests.nets import cnn, seeded

pytestmark = pytest.mark.usefixtures("one_thread")
WEIGHT = 0.7


def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def net():
    make = lambda: nn.Sequential(nn.Linear(5, 7), nn.Softplus(2), nn.Linear(7, 3))  # noqa: E731
    return seeded(make).double()


@pytest.fixture
def batch():
    x = torch.rand(4, 5, dtype=torch.float64, generator=generator())
    return x, torch.tensor([0, 1, 2, 1])


def own(net, x, y):
    return F.cross_entropy(net(x), y, reduction="none")


def spread(net, x, y):
    return net(x).log_softmax(1).mean(1)


def differences(value, net, x, y, h=1e-5):
    """∇_x of a value a sample by central differences, (N, d)."""
    columns = []
    with torch.no_grad():
        for step in h * torch.eye(x.shape[1], dtype=x.dtype):
            columns.append((value(net, x + step, y) - value(net, x - step, y)) / (2 * h))
    return torch.stack(columns, 1)


LOSSES = {
    "double backprop": (double_backprop, own, lambda g: g.square().sum(1)),
    "insensitivity": (insensitivity, spread, lambda g: g.square().sum(1)),
    "saliency alignment": (saliency_alignment, own, lambda g: g.square().sum(1).sqrt()),
}


@pytest.mark.parametrize("name", LOSSES)
def test_the_value_by_finite_differences_in_the_image(name, net, batch):
    make, value, size = LOSSES[name]
    expected = own(net, *batch).mean() + WEIGHT * size(differences(value, net, *batch)).mean()
    got = make(WEIGHT)(net, *batch, generator())
    assert float(got.detach()) == pytest.approx(float(expected.detach()), rel=1e-8)
    penalty = float((got - own(net, *batch).mean()).detach())
    assert penalty > 1e-4  # far above what the comparison lets by


@pytest.mark.parametrize("name", LOSSES)
def test_the_weights_gradient_by_finite_differences_of_the_loss(name, net, batch):
    loss = LOSSES[name][0](WEIGHT)
    loss(net, *batch, generator()).backward()
    for weight in (net[0].weight, net[2].weight):
        for at in ((0, 1), (2, 3)):
            ends, before = [], float(weight[at].detach())
            for h in (1e-5, -1e-5):
                weight.data[at] = before + h
                ends.append(float(loss(net, *batch, generator()).detach()))
            weight.data[at] = before
            slope = (ends[0] - ends[1]) / 2e-5
            assert slope == pytest.approx(float(weight.grad[at]), rel=1e-6, abs=1e-9)


def test_insensitivity_asks_for_no_label_and_the_others_do(net, batch):
    x, y = batch
    turned = y.roll(1)
    for name, (make, _, _) in LOSSES.items():
        one, two = (
            float((make(WEIGHT)(net, x, labels, generator()) - own(net, x, labels).mean()).detach())
            for labels in (y, turned)
        )
        assert (abs(one - two) < 1e-12) == (name == "insensitivity")


@pytest.mark.parametrize("name", LOSSES)
def test_a_batch_costs_the_mean_of_its_samples(name, net, batch):
    loss = LOSSES[name][0](WEIGHT)
    whole = loss(net, *batch, generator())
    each = [loss(net, x[None], y[None], generator()) for x, y in zip(*batch, strict=True)]
    assert torch.allclose(whole, torch.stack(each).mean(), rtol=1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_a_flat_network_has_finite_gradients(name, net, batch):
    nn.init.zeros_(net[2].weight)
    LOSSES[name][0](WEIGHT)(net, *batch, generator()).backward()
    assert all(bool(torch.isfinite(p.grad).all()) for p in net.parameters())


@pytest.mark.parametrize("name", LOSSES)
def test_bad_labels_and_weights(name, net, batch):
    make, _, _ = LOSSES[name]
    with pytest.raises(ValueError, match="label 3 is out of range: there are 3 logits"):
        make(1.0)(net, batch[0], batch[1] + 1, generator())
    with pytest.raises(TypeError, match="weight"):
        make("1")


# Kernels


@pytest.mark.parametrize("shape", [(3, 3), (5, 7), (1, 4)])
def test_roughness_is_a_sum_over_the_spectrum(shape):
    """P26 with the kernel mirrored, so that its edges do not meet: each difference four times."""
    w = torch.randn(2, 3, *shape, dtype=torch.float64, generator=generator())
    mirrored = np.concatenate([w, w.flip(2)], 2)
    mirrored = np.concatenate([mirrored, mirrored[..., ::-1]], 3)
    spectrum = np.abs(np.fft.fft2(mirrored)) ** 2
    rows, columns = (4 * np.sin(np.pi * np.arange(2 * n) / (2 * n)) ** 2 for n in shape)
    energy = (spectrum * (rows[:, None] + columns)).sum() / (4 * shape[0] * shape[1])
    assert float(roughness(w)) == pytest.approx(energy / 4, rel=1e-12)


def test_all_convolutions_and_nothing_else_is_smoothed():
    net = cnn().double()
    x = torch.rand(3, 3, 8, 8, dtype=torch.float64, generator=generator())
    y = torch.arange(3)
    base = noise_training(0.3)
    plain, got = (loss(net, x, y, generator()) for loss in (base, smooth_kernels(WEIGHT, base)))
    energy = sum(
        float((np.diff(w, axis=axis) ** 2).sum())
        for w in (net.conv1.weight.detach().numpy(), net.conv2.weight.detach().numpy())
        for axis in (2, 3)
    )
    assert float((got - plain).detach()) == pytest.approx(WEIGHT * energy, rel=1e-10)
    (g,) = torch.autograd.grad(got - plain, net.conv2.weight)
    flat = torch.full_like(g, 1.0)
    assert float((g * flat).sum().abs()) < 1e-9  # a constant costs nothing
    assert float(g.abs().max()) > 0.1


def test_a_network_without_kernels():
    with pytest.raises(ValueError, match=r"no nn\.Conv2d"):
        smooth_kernels(1.0)(nn.Linear(2, 2), torch.rand(1, 2), torch.tensor([0]), generator())
    net = nn.Sequential(nn.Conv2d(1, 2, 1), nn.Flatten())
    x, y = torch.rand(2, 1, 1, 1), torch.tensor([0, 1])
    plain = cross_entropy(net, x, y, generator())
    assert torch.equal(smooth_kernels(9.0)(net, x, y, generator()), plain)  # nothing to smooth


# Alignment (P24)


@pytest.mark.parametrize("biased", [False, True])
def test_alignment_is_linearised_robustness_without_biases_only(biased):
    """The pieces of the ReLU network in NumPy: f = A x + c, A and c of the piece that x is in."""
    make = lambda: nn.Sequential(  # noqa: E731
        nn.Linear(6, 9, bias=biased), nn.ReLU(), nn.Linear(9, 8, bias=biased), nn.ReLU(),
        nn.Linear(8, 4, bias=biased),
    )  # fmt: skip
    net = seeded(make, seed=2).double()
    x = torch.randn(20, 6, dtype=torch.float64, generator=generator())
    y = net(x).argmax(1)
    alphas, rhos = [], []
    for point, label in zip(x.numpy(), y.tolist(), strict=True):
        A, f = np.eye(6), point
        for k in (0, 2, 4):
            W = net[k].weight.detach().numpy()
            A, f = W @ A, W @ f + (net[k].bias.detach().numpy() if biased else 0)
            if k < 4:
                A, f = A * (f > 0)[:, None], f * (f > 0)
        rivals = [j for j in range(4) if j != label]
        far = [(f[label] - f[j]) / np.linalg.norm(A[label] - A[j]) for j in rivals]
        g = A[label] - A[rivals[int(np.argmin(far))]]
        alphas.append(abs(point @ g) / np.linalg.norm(g))
        rhos.append(min(far))
    np.testing.assert_allclose(alignment(net, x, y), alphas, rtol=1e-10)
    np.testing.assert_allclose(linear_robustness(net, x, y), rhos, rtol=1e-10)
    apart = np.abs(np.array(alphas) / rhos - 1)
    assert (np.median(apart) > 0.1) if biased else (apart.max() < 1e-10)
