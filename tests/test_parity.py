"""Contract 5, options: every option draws the same pictures, to a stated tolerance."""

import os

import pytest
import torch
from torch import nn

from actmax_lib import (
    affine,
    channel,
    fourier,
    gaussian_prior,
    logit,
    maximize,
    neuron,
    pixels,
    point,
    quadratic,
    robust,
)
from tests import nets

pytestmark = pytest.mark.usefixtures("one_thread")


def drawn(net, f=None, **how):
    f = logit(net, [1, 3]) + 0.1 * channel(net, "conv1", 2) if f is None else f
    return maximize(
        f,
        fourier(3, (18, 15)),
        transform=robust(),
        **{"steps": 15, "lr": 0.05, "seed": [1, 2]} | how,
    )


def assert_parity(run, reference, tolerance):
    difference = (run.images.double() - reference.images.double()).abs().max()
    assert float(difference) <= tolerance, f"images differ by {float(difference):.2g}"
    torch.testing.assert_close(
        run.values.double(), reference.values.double(), rtol=tolerance, atol=tolerance
    )


def test_float64():
    assert_parity(drawn(nets.cnn()), drawn(nets.cnn().double()), 1e-5)
    assert drawn(nets.cnn().double()).images.dtype == torch.float64


@pytest.mark.parametrize("image", nets.IMAGES)
def test_channels_last(image):
    def run(net):
        f = logit(net, [1, 3]) + neuron(net, "conv2", [0, 1])
        return maximize(f, nets.IMAGES[image](2), transform=robust(), steps=10, optimizer="adam")

    there = nets.cnn().double().to(memory_format=torch.channels_last)
    assert_parity(run(there), run(nets.cnn().double()), 1e-9)


def test_channels_last_reaches_the_first_convolution():
    net, seen = nets.cnn().to(memory_format=torch.channels_last), []
    net.conv1.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    maximize(logit(net, 1), pixels(3, 8), steps=1)
    assert all(x.is_contiguous(memory_format=torch.channels_last) for x in seen)


def test_autocast():
    assert_parity(drawn(nets.cnn(), autocast=torch.bfloat16), drawn(nets.cnn()), 0.02)


def test_autocast_is_for_networks_alone():
    x = point(torch.linspace(-1, 1, 12)[None])
    H = torch.eye(12) / 3
    f = affine(torch.ones(12) / 3) - quadratic(H, torch.ones(12)) + gaussian_prior([0.1] * 12, H)
    with_, without = (maximize(f, x, steps=5, autocast=kind) for kind in (torch.bfloat16, None))
    assert torch.equal(with_.images, without.images)
    net, seen = nets.cnn(), []
    net.head.register_forward_hook(lambda _m, _i, output: seen.append(output.dtype))
    maximize(logit(net, 1), pixels(3, 8), steps=2, autocast=torch.bfloat16)
    assert set(seen) == {torch.bfloat16}


@pytest.mark.parametrize(("half", "tolerance"), [(torch.bfloat16, 0.02), (torch.float16, 1e-3)])
def test_networks_in_half_precision(half, tolerance):
    run = drawn(nets.cnn().to(half))
    assert run.images.dtype == torch.float32
    assert_parity(run, drawn(nets.cnn()), tolerance)


slow = pytest.mark.skipif(not os.environ.get("ACTMAX_SLOW"), reason="set ACTMAX_SLOW=1 to compile")


@pytest.mark.filterwarnings("ignore")  # torch's own
@pytest.mark.parametrize("backend", ["eager", pytest.param("inductor", marks=slow)])
def test_compile(backend):
    net = nets.cnn()
    compiled = torch.compile(net, backend=backend)
    run = drawn(compiled, logit(compiled, [1, 3]))
    assert compiled.forward is not net.forward
    assert_parity(run, drawn(net, logit(net, [1, 3])), 1e-4)
    assert_parity(drawn(compiled), drawn(net), 1e-6)  # a layer by its own name


def test_a_wrapper_as_compile_makes_it_finds_layers_by_their_names():
    class Compiled(nn.Module):
        def __init__(self, net):
            super().__init__()
            self._orig_mod = net

        def forward(self, x):
            return self._orig_mod(x)

    assert_parity(drawn(Compiled(nets.cnn())), drawn(nets.cnn()), 1e-6)


def test_parity_catches_a_difference():
    with pytest.raises(AssertionError):
        assert_parity(drawn(nets.cnn(), lr=0.051), drawn(nets.cnn()), 1e-3)
    with pytest.raises(AssertionError):
        assert_parity(drawn(nets.cnn(seed=1), autocast=torch.bfloat16), drawn(nets.cnn()), 0.02)
