"""Contract 5: one forward a step, no deeper than needed, no gradient to weights, no waiting."""

import contextlib
import importlib

import pytest
import torch

from actmax_lib import (
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
    robust,
    rotate,
    scale,
    total_variation,
)
from actmax_lib.climb import CUDA_CHECK_EVERY, Climb
from actmax_lib.learned import learned_prior
from actmax_lib.probes import Probe
from actmax_lib.regularizers import frequency_penalty, smoothness
from actmax_lib.spectral import blurred, maco
from actmax_lib.terms import Objective
from tests import nets
from tests.contracts import Nowhere, assert_lean, assert_no_waits

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


def test_a_decoder_runs_once_a_step_and_gets_no_gradient():
    net, decoder = nets.cnn(), nets.decoder()
    f = logit(net, [1, 2]) + l2(0.1)
    assert_lean(decoder, f, learned_prior(decoder.train(), 6))
    assert_lean(net, f, learned_prior(decoder, 6))


def test_two_networks_run_once_a_step_each():
    a, b = nets.cnn(), nets.small()
    f = logit(a, 1) + logit(b, 2) - channel(b, "conv1", 1)
    assert_lean(a, f, pixels(3, 16))
    assert_lean(b, f, pixels(3, 16))


TRANSFORM = compose(jitter(2), scale(0.9, 1.1), crop(10), noise(0.1), rotate(5))


def busy(net, image=None, **how):
    d = 3 * 12 * 12
    f = logit(net, [1, 2]) + neuron(net, "conv2", [0, 1]) + l2(0.1) + total_variation(0.01)
    f = f + gaussian_prior(torch.zeros(d), torch.eye(d)) + smoothness(0.1) + frequency_penalty(0.1)
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
    images = [fourier(3, 12), pixels(3, 12, decorrelate=True), blurred(fourier(3, 12), 0.5),
              maco(nets.magnitude(3, 12, 12)), learned_prior(nets.decoder(), 6),
              point(torch.full((2, 3, 12, 12), 0.5), box=(0, 1)),
              point(torch.full((2, 3, 12, 12), 0.5), ball=(2, 1.0))]  # fmt: skip
    for image in images:
        assert_no_waits(busy(net, image, optimizer=optimizer))


def climb_nowhere(f, image, transform):
    for decoder in image.nets:
        decoder.to("meta").requires_grad_(False)
    climb = Climb(f, image, transform, Nowhere(2), 40, 3, None)
    assert climb.check_every == CUDA_CHECK_EVERY > 1
    optimizer = torch.optim.SGD([climb.z], 0.1, maximize=True)
    for step in range(3):
        climb.one_step(step, optimizer)  # blurs too
    assert climb.z.is_meta


def nowhere_terms():
    net = nets.cnn().to("meta").requires_grad_(False)
    f = logit(net, [1, 2]) + channel(net, "conv1", 1) + l2(1) + total_variation(1)
    return f + smoothness(1) + frequency_penalty(1)


@pytest.mark.parametrize("image", [
    fourier(3, 12), pixels(3, 12, decorrelate=True), blurred(pixels(3, 12), 1.0, every=2),
    maco(nets.magnitude(3, 12, 12)), learned_prior(nets.decoder().eval(), 6),
])  # fmt: skip
@pytest.mark.parametrize("transform", [TRANSFORM, robust(), None])
def test_a_step_reads_no_number(image, transform):
    climb_nowhere(nowhere_terms(), image, transform)


# --- planted faults -------------------------------------------------------------------------------


def test_contract_5_catches_a_number_read():
    looking = function(lambda x: x.flatten(1).sum(1) * float(x.detach().sum() > -1))
    with pytest.raises(RuntimeError, match="meta"):
        climb_nowhere(nowhere_terms() + looking, pixels(3, 12), None)


def test_contract_5_catches_more_forwards(monkeypatch):
    def one_by_one(self, x, transformed, probes, autocast=None, pairs=None):
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
    patch = lambda networks, seed=None: contextlib.nullcontext()  # noqa: E731 - one-line fault
    monkeypatch.setattr(verb, "untouched", patch)
    with pytest.raises(AssertionError, match="gradients flow into"):
        assert_lean(net, logit(net, 1), pixels(3, 8))
    net.requires_grad_(False).train()
    with pytest.raises(AssertionError, match="train mode"):
        assert_lean(net, logit(net, 1), pixels(3, 8))


def test_contract_5_catches_waiting(monkeypatch, as_on_a_gpu):
    looking = function(lambda x: x.flatten(1).sum(1) * float(x.detach().sum() > -1))
    listing = lambda x, streams: x * torch.tensor([1.0], device=x.device)  # noqa: E731 - one-line fault
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
