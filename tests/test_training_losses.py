"""What losses are made with: courses of training, mirrors, the statistics of a batch, precision."""

import pytest
import torch
from torch import nn

from actmax_lib.training import (
    Scheduled,
    cross_entropy,
    fit,
    gradient_norm,
    mirrored,
    own_logit,
    score_matching,
)
from actmax_lib.training.losses import batch_statistics
from actmax_lib.zoo.cifar import CifarNet
from tests.nets import seeded

pytestmark = pytest.mark.usefixtures("one_thread")


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def net():
    return seeded(CifarNet, (3, 4, 5, 6), batch_norm=True).double().train()


def images(n=8):
    x = torch.rand(n, 3, 16, 16, dtype=torch.float64, generator=generator())
    return x, torch.arange(n) % 10


# Courses of training


@pytest.mark.parametrize(("epochs", "course"), [(1, [0]), (3, [0, 0.5, 1])])
def test_a_scheduled_loss_is_asked_once_an_epoch(epochs, course):
    asked, used = [], []

    def at(progress):
        asked.append(progress)
        return lambda net, x, y, g: used.append(progress) or net(x).sum() * 0

    fit(nn.Linear(1, 1), Scheduled(at), torch.zeros(6, 1), torch.zeros(6), epochs=epochs, batch=2)
    assert asked == course
    assert used == [p for p in course for _ in range(3)]


# Mirrors


def test_half_of_the_images_are_turned_and_keep_their_labels():
    x = torch.arange(12.0).view(1, 1, 3, 4) + 100 * torch.arange(2000.0).view(-1, 1, 1, 1)
    seen = []

    def loss(net, x, y, generator):
        seen.append((x, y, torch.rand(1, generator=generator)))

    mirrored(loss)(None, x, torch.arange(2000), generator())
    got, labels, drawn = seen[0]
    assert torch.equal(labels, torch.arange(2000))
    turned = (got == x.flip(3)).flatten(1).all(1)
    assert torch.equal(turned, ~(got == x).flatten(1).all(1))
    assert abs(float(turned.double().mean()) - 0.5) < 4.5 * 0.5 / 2000**0.5
    assert float(drawn) not in torch.rand(1, generator=generator())  # its own coins were drawn


# The statistics of a batch


def test_a_sample_is_answered_by_itself_with_the_statistics_of_the_batch():
    model, (x, _) = net(), images()
    with batch_statistics(model) as statistics:
        together = model(x)
    running = [norm.running_var.clone() for norm in model.norms]
    with statistics():
        alone = torch.cat([model(one[None]) for one in x])
        empty = model(torch.zeros_like(x))
    assert torch.allclose(alone, together, rtol=1e-9)
    assert not torch.allclose(empty, together)
    assert all(torch.equal(a, n.running_var) for a, n in zip(running, model.norms, strict=True))
    assert model.training
    assert all("forward" not in vars(norm) for norm in model.norms)
    assert not torch.allclose(model(x[:2]), together[:2])  # as before: the batch's own again


@pytest.mark.parametrize("affine", [True, False])
def test_rows_have_statistics_too(affine):
    make = lambda: nn.Sequential(nn.BatchNorm1d(4, affine=affine), nn.Linear(4, 3))  # noqa: E731
    model, x = seeded(make).double().train(), images()[0][:, 0, 0, :4]
    with batch_statistics(model) as statistics:
        together = model(x)
    with statistics():
        assert torch.allclose(model(x[:1]), together[:1], rtol=1e-9)


def test_it_is_undone_when_something_raises():
    model, (x, _) = net(), images()

    def fail():
        with batch_statistics(model) as statistics:
            model(x)
            with statistics():
                raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert all("forward" not in vars(norm) for norm in model.norms)
    assert not any(norm._forward_pre_hooks for norm in model.norms)


def test_in_evaluation_mode_nothing_is_noted():
    model, (x, _) = net().eval(), images()
    with batch_statistics(model) as statistics:
        expected = model(x)
    with statistics():
        assert torch.equal(model(x), expected)


@pytest.mark.parametrize("loss", [gradient_norm(0.3), score_matching(0.3)])
def test_smaller_weights_are_no_way_out(loss):
    """The size of a kernel before a batch norm changes no answer, so that it earns nothing.

    With running statistics, which lag behind, it would: training then shrinks the kernels and
    the penalty with them, and the network stays as steep as it was.
    """
    model, (x, y) = net(), images()
    for norm in model.norms:
        norm.eps = 1e-12
    loss(model, x, y, generator()).backward()
    for conv in model.convs:
        g, w = conv.weight.grad, conv.weight.detach()
        assert float((g * w).sum().abs()) < 1e-6 * float(g.norm() * w.norm())


def test_the_penalty_is_that_of_the_network_as_it_will_be_used():
    """Fold the batch's statistics into the weights: the same gradient, squared and halved."""
    model, (x, y) = net(), images()
    weight = 0.3
    got = gradient_norm(weight, share=0.5)(model, x, y, generator())
    for norm in model.norms:
        norm.momentum = 1.0  # the running statistics become those of one batch
    plain = cross_entropy(model, x, y, generator())
    variances = [n * 4**k for k, n in zip((2, 2, 1, 0), [8 * 16] * 4, strict=True)]
    for norm, count in zip(model.norms, variances, strict=True):
        norm.running_var *= (count - 1) / count  # torch keeps the unbiased one
    folded, z = model.folded(), x[:4].clone().requires_grad_()
    (g,) = torch.autograd.grad(own_logit(folded, y[:4])(z).sum(), z)
    expected = plain + weight * g.flatten(1).square().sum(1).mean() / 2
    assert float(got.detach()) == pytest.approx(float(expected.detach()), rel=1e-9)


# Precision


def test_autocast_reaches_the_network_and_not_the_weights():
    (x, y), seen = images(), {}
    for precision in (None, torch.bfloat16):

        def loss(net, x, y, generator, key=precision):
            seen[key] = net.convs[1](net.convs[0](x)).dtype
            return cross_entropy(net, x, y, generator)

        model = net().float()
        history = fit(model, loss, x.float(), y, epochs=2, batch=4, precision=precision)
        seen[precision] = seen[precision], history
        assert {p.dtype for p in model.parameters()} == {torch.float32}
        assert {p.grad.dtype for p in model.parameters()} == {torch.float32}
    assert seen[None][0] == torch.float32
    assert seen[torch.bfloat16][0] == torch.bfloat16
    assert not torch.is_autocast_enabled("cpu")
    assert seen[None][1] != seen[torch.bfloat16][1]
    assert seen[None][1] == pytest.approx(seen[torch.bfloat16][1], rel=0.05)
