"""Contract 5: one forward a step, no deeper than needed, no gradient to weights, no waiting."""

import contextlib
import importlib
import os

import pytest
import torch
from torch import nn

from actmax_lib import (
    affine,
    channel,
    compose,
    crop,
    fourier,
    function,
    gaussian_prior,
    jitter,
    l2,
    layer,
    logit,
    maximize,
    neuron,
    noise,
    pixels,
    point,
    quadratic,
    robust,
    rotate,
    scale,
    total_variation,
)
from actmax_lib.climb import Climb
from actmax_lib.probes import Probe
from actmax_lib.terms import Objective
from tests import nets
from tests.contracts import assert_lean, assert_no_waits

pytestmark = pytest.mark.usefixtures("one_thread")
verb = importlib.import_module("actmax_lib.maximize")


@pytest.mark.parametrize(("f", "deeper"), [
    (lambda net: logit(net, [1, 2]) + neuron(net, "conv1", 0) - channel(net, "bn2", 1), []),
    (lambda net: channel(net, "conv1", [1, 2]), ["bn1", "conv2", "head"]),
    (lambda net: neuron(net, "bn1", 1) + layer(net, "conv1"), ["conv2", "bn2", "head"]),
    (lambda net: channel(net, "relu", 1), ["dropout", "head"]),  # the reused one, its last run
    (lambda net: neuron(net, "conv2", 1) + channel(net, "conv1", 1), ["bn2", "head"]),
])  # fmt: skip
def test_a_step_is_one_forward_as_deep_as_needed(f, deeper):
    net = nets.cnn()
    assert_lean(net, f(net) + l2(0.1), pixels(3, 8), deeper)


def test_two_networks_run_once_a_step_each():
    a, b = nets.cnn(), nets.small()
    f = logit(a, 1) + logit(b, 2) - channel(b, "conv1", 1)
    assert_lean(a, f, pixels(3, 16))
    assert_lean(b, f, pixels(3, 16))


TRANSFORM = compose(jitter(2), scale(0.9, 1.1), crop(10), noise(0.1), rotate(5))


def busy(net, image=None, **how):
    d = 3 * 12 * 12
    f = logit(net, [1, 2]) + neuron(net, "conv2", [0, 1]) + l2(0.1) + total_variation(0.01)
    f = f + gaussian_prior(torch.zeros(d), torch.eye(d))
    image = image or fourier(3, 12)
    how = {"transform": TRANSFORM, "seed": [4, 5]} | how
    return lambda steps: maximize(f, image, steps=steps, **how)


@pytest.fixture
def as_on_a_gpu(monkeypatch):
    """The loop looks at its NaN flags as rarely as on a GPU."""

    class Far(Climb):
        def __init__(self, *args):
            super().__init__(*args)
            self.check_every = 32

    monkeypatch.setattr(verb, "Climb", Far)
    return Far


@pytest.mark.usefixtures("as_on_a_gpu")
@pytest.mark.parametrize("optimizer", ["adam", "gradient", "normalized"])
def test_the_host_does_not_wait(optimizer):
    net = nets.cnn()
    images = [fourier(3, 12), pixels(3, 12, decorrelate=True),
              point(torch.full((2, 3, 12, 12), 0.5), box=(0, 1)),
              point(torch.full((2, 3, 12, 12), 0.5), ball=(2, 1.0))]  # fmt: skip
    for image in images:
        assert_no_waits(busy(net, image, optimizer=optimizer))


# --- parity of the options: the same ascent to a stated tolerance ---------------------------------


def drawn(net, f=None, **how):
    f = logit(net, [1, 3]) + 0.1 * channel(net, "conv1", 2) if f is None else f
    return maximize(f, fourier(3, (18, 15)), transform=robust(), steps=20, seed=[1, 2], **how)


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
    assert_parity(drawn(nets.cnn(), autocast=torch.bfloat16), drawn(nets.cnn()), 5e-3)


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


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_networks_in_half_precision(half):
    run = drawn(nets.cnn().to(half))
    assert run.images.dtype == torch.float32
    assert_parity(run, drawn(nets.cnn()), 5e-3)


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


# --- planted faults -------------------------------------------------------------------------------


def test_contract_5_catches_more_forwards(monkeypatch):
    def one_by_one(self, x, transformed, probes, autocast=None):
        return [
            c * t.values(x, {t.net: Probe(t.net, [t.layer])(x)} if t.net else {})
            for c, t in self.terms
        ]

    net = nets.cnn()
    monkeypatch.setattr(Objective, "term_values", one_by_one)
    with pytest.raises(AssertionError, match="forwards"):
        assert_lean(net, logit(net, 1) + neuron(net, "conv1", 1), pixels(3, 8))


def test_contract_5_catches_runs_deeper_than_needed(monkeypatch):
    net = nets.cnn()
    monkeypatch.setattr(Probe, "_calls_needed", property(lambda self: None, lambda self, n: None),
                        raising=False)  # fmt: skip
    with pytest.raises(AssertionError, match="ran"):
        assert_lean(net, channel(net, "conv1", 1), pixels(3, 8), ["conv2"])


def test_contract_5_catches_gradients_into_weights_and_train_mode(monkeypatch):
    net = nets.cnn()
    patch = lambda networks, seed=None: contextlib.nullcontext()  # noqa: E731
    monkeypatch.setattr(verb, "untouched", patch)
    with pytest.raises(AssertionError, match="gradients flow into"):
        assert_lean(net, logit(net, 1), pixels(3, 8))
    net.requires_grad_(False).train()
    with pytest.raises(AssertionError, match="train mode"):
        assert_lean(net, logit(net, 1), pixels(3, 8))


def test_contract_5_catches_waiting(monkeypatch, as_on_a_gpu):
    looking = function(lambda x: x.flatten(1).sum(1) * float(x.detach().sum() > -1))
    listing = lambda x, streams: x * torch.tensor([1.0], device=x.device)  # noqa: E731
    net = nets.cnn()
    with pytest.raises(AssertionError, match="waits"):
        assert_no_waits(lambda steps: maximize(looking, pixels(3, 8), steps=steps))
    with pytest.raises(AssertionError, match="waits"):
        assert_no_waits(busy(net, transform=listing))
    step = as_on_a_gpu.one_step
    asking = lambda self, k, optimizer: [step(self, k, optimizer), self.check(k + 1)]  # noqa: E731
    monkeypatch.setattr(as_on_a_gpu, "one_step", asking)
    with pytest.raises(AssertionError, match="waits"):
        assert_no_waits(busy(net))


def test_parity_catches_a_difference():
    with pytest.raises(AssertionError):
        assert_parity(drawn(nets.cnn(), lr=0.051), drawn(nets.cnn()), 1e-3)
    with pytest.raises(AssertionError):
        assert_parity(drawn(nets.cnn(seed=1), autocast=torch.bfloat16), drawn(nets.cnn()), 5e-3)
