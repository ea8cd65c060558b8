"""Probes: what they read, in-place layers, reused modules, early stops, user hooks."""

import pytest
import torch
from torch import nn

from actmax_lib.probes import Probe, untouched
from tests import nets

pytestmark = pytest.mark.usefixtures("one_thread")
X = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def test_it_reads_what_a_layer_returned_before_later_in_place_changes():
    net = nets.cnn()
    with torch.no_grad():
        conv1 = net.conv1(X)
        bn1 = net.bn1(conv1)
        bn2 = net.bn2(net.conv2(bn1.relu()))
    seen = Probe(net, ["bn1", "bn2", "conv1"])(X)
    assert float(bn1.min()) < 0  # else a ReLU would not show
    torch.testing.assert_close(seen["bn1"], bn1)
    torch.testing.assert_close(seen["bn2"], bn2)
    torch.testing.assert_close(seen["conv1"], conv1)


def test_a_module_that_runs_twice_is_read_at_its_last_run():
    net = nets.cnn()
    probe = Probe(net, ["relu"])
    with torch.no_grad():
        last = net.bn2(net.conv2(net.bn1(net.conv1(X)).relu())).relu()
    for _ in range(3):
        torch.testing.assert_close(probe(X)["relu"], last)


@pytest.mark.parametrize("layers", [["conv1"], ["relu", "conv1"], ["", "conv1"], ["head"], [""]])
def test_every_pass_gives_the_same(layers):
    probe = Probe(nets.cnn(), layers)
    first, second = probe(X), probe(X)
    assert set(first) >= set(layers)
    for name in layers:
        assert torch.equal(first[name], second[name])


def test_it_stops_where_it_may_even_if_the_network_catches_exceptions():
    class Careful(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.head = nn.Conv2d(3, 2, 3), nn.Conv2d(2, 1, 3)
            self.heads = 0

        def forward(self, x):
            try:
                x = self.conv(x)
            except Exception:
                x = x[:, :2]
            self.heads += 1
            return self.head(x)

    net = Careful()
    probe = Probe(net, ["conv"])
    for _ in range(4):
        assert probe(X)["conv"].shape == (2, 2, 6, 6)
    assert net.heads == 1


def test_hooks_are_gone_after_a_pass_that_raises():
    net = nets.cnn()
    with pytest.raises(RuntimeError):
        Probe(net, ["conv1"])(X[:, :2])
    assert not any(module._forward_hooks for module in net.modules())


def test_a_layer_that_does_not_run():
    net = nets.vit()
    with pytest.raises(ValueError, match=r"'blocks\.0\.self_attn\.out_proj' did not run"):
        Probe(net, ["blocks.0.self_attn.out_proj"])(X)
    net = nets.cnn()
    net.spare = nn.Linear(1, 1)
    with pytest.raises(ValueError, match="layer 'spare' did not run"):
        Probe(net, ["spare"])(X)


def test_layers_that_are_not_tensors():
    class Strange(nn.Module):
        def forward(self, x):
            return {"x": x}

    net = nn.Sequential(Strange())
    with pytest.raises(TypeError, match="layer '0' returns dict"):
        Probe(net, ["0"])(X)
    with pytest.raises(TypeError, match="the network returns dict"):
        Probe(net, [""])(X)
    with pytest.raises(TypeError, match="net must be a torch"):
        Probe(torch.sin, [""])


def test_the_types_of_the_network_and_of_the_image_may_differ():
    assert Probe(nets.cnn().double(), [""])(X)[""].dtype == torch.float64
    assert Probe(nn.Flatten(), [""])(X.double())[""].dtype == torch.float64


def test_inside_untouched_the_network_evaluates_and_weights_are_fixed():
    net = nets.cnn().train()
    with torch.no_grad(), untouched([net]):
        assert not any(module.training for module in net.modules())
        assert not any(p.requires_grad for p in net.parameters())
        assert torch.is_grad_enabled()
    assert all(module.training for module in net.modules())
    assert all(p.requires_grad for p in net.parameters())


def test_untouched_twice_over_shared_parts():
    net = nets.cnn().train()
    wrapper = nets.Wrapped(net, "tuple")
    with untouched([net, wrapper]), untouched([wrapper]):
        assert not net.training
    assert net.training
    assert all(p.requires_grad for p in net.parameters())


def test_a_network_that_draws_random_numbers_is_seeded():
    net = nets.seeded(nets.Drawing)
    outputs = []
    for seed in (3, 3, 4):
        with untouched([net], seed=seed):
            outputs.append(net(X))
    assert torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[0], outputs[2])
