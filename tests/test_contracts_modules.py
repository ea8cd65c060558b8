"""Contract 7: any torch module, any layer, any size; pictures in [0, 1]; planted faults."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from actmax_lib import (
    channel,
    direction,
    fourier,
    l2,
    layer,
    log_prob,
    logit,
    maximize,
    neuron,
    pixels,
    point,
    probes,
    robust,
    total_variation,
)
from actmax_lib.probes import Probe
from actmax_lib.regularizers import frequency_penalty, smoothness
from actmax_lib.spectral import blurred, maco
from tests import nets

pytestmark = pytest.mark.usefixtures("one_thread")
CNN, GREY, SMALL, VIT = nets.cnn(), nets.grey(), nets.small(), nets.vit()


def assert_draws(f, image, shape, **how):
    """Two steps go through and give a finite picture of this shape in [0, 1]."""
    run = maximize(f, image, steps=2, **how)
    assert run.images.shape == shape, run.images.shape
    assert run.images.isfinite().all()
    assert 0 <= float(run.images.min()) <= float(run.images.max()) <= 1, "not in [0, 1]"
    assert run.values.shape == shape[:1]
    assert run.values.isfinite().all()


@given(st.sampled_from([pixels, fourier]), st.integers(1, 3), st.integers(8, 19),
       st.integers(8, 19), st.booleans())  # fmt: skip
def test_any_size_and_number_of_channels(kind, channels, height, width, moved):
    net = nn.Sequential(nn.Conv2d(channels, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    f = logit(net, [0, 3]) + channel(net, "0", 1) + l2(0.1) + total_variation(0.1)
    image = kind(channels, (height, width))
    transform = robust() if moved else None
    assert_draws(f, image, (2, channels, height, width), transform=transform)


@given(st.integers(1, 3), st.integers(8, 19), st.integers(8, 19), st.sampled_from(["p", "f", "m"]))
def test_any_size_of_pictures_with_a_held_spectrum(channels, height, width, kind):
    net = nn.Sequential(nn.Conv2d(channels, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    image = {
        "p": lambda: blurred(pixels(channels, (height, width)), 0.7),
        "f": lambda: blurred(fourier(channels, (height, width)), 0.7),
        "m": lambda: maco(nets.magnitude(channels, height, width)),
    }[kind]()
    f = logit(net, [0, 3]) + smoothness(0.1) + frequency_penalty(0.1)
    assert_draws(f, image, (2, channels, height, width), transform=robust())


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (1, 5), (4, 1), (2, 3)])
def test_the_smallest_sizes_with_a_held_spectrum(size):
    f = layer(nn.Identity(), "") + smoothness(0.1) + frequency_penalty(0.1)
    for image in (blurred(pixels(1, size), 1.0), maco(nets.magnitude(1, *size))):
        assert_draws(f, image, (1, 1, *size), transform=robust())


@pytest.mark.parametrize("size", [1, 2, (1, 5), (4, 1), (2, 3)])
@pytest.mark.parametrize("kind", [pixels, fourier])
def test_the_smallest_sizes(kind, size):
    height, width = (size, size) if isinstance(size, int) else size
    f = layer(nn.Identity(), "") + total_variation(0.1)
    assert_draws(f, kind(1, size), (1, 1, height, width), transform=robust())


def test_grey_small_and_large_pictures():
    assert_draws(logit(GREY, [1, 2]), fourier(1, 28), (2, 1, 28, 28), transform=robust())
    assert_draws(log_prob(SMALL, 9), fourier(3, 32), (1, 3, 32, 32), transform=robust())
    assert_draws(neuron(CNN, "conv2", 7), fourier(3, (65, 40)), (1, 3, 65, 40))


@pytest.mark.parametrize("name", [name for name, _ in VIT.named_modules() if name[-4:] != "proj"])
def test_every_layer_of_a_transformer(name):
    """Also where torch has a fast path that would not call the layer."""
    assert_draws(layer(VIT, name), fourier(3, 16), (1, 3, 16, 16))


def test_tokens_have_their_channels_last():
    x = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    tokens = Probe(VIT, ["blocks"])(x)["blocks"]
    assert tokens.shape == (2, 16, 8)
    torch.testing.assert_close(channel(VIT, "blocks", [7, 2])(x)[0], tokens[0, :, 7].mean())
    torch.testing.assert_close(neuron(VIT, "blocks", 5)(x), tokens[:, 8, 5])
    torch.testing.assert_close(neuron(VIT, "blocks", 5, position=3)(x), tokens[:, 3, 5])
    v = torch.arange(8.0)
    torch.testing.assert_close(direction(VIT, "blocks", v)(x), (tokens @ v).mean(1))
    with pytest.raises(ValueError, match=r"channel 8 .*'blocks' has 8"):
        channel(VIT, "blocks", 8)(x)


@pytest.mark.parametrize("kind", ["tuple", "logits"])
def test_outputs_that_are_not_plain_tensors(kind):
    wrapped, plain = nets.Wrapped(CNN, kind), logit(CNN, 1)
    image = fourier(3, 12)
    runs = [maximize(f, image, steps=3) for f in (logit(wrapped, 1), plain)]
    assert torch.equal(runs[0].images, runs[1].images)
    both = logit(wrapped, 1) + neuron(wrapped, "net.conv1", 2)
    assert_draws(both, image, (1, 3, 12, 12))


def test_a_layer_that_returns_a_tuple():
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(8, 5, batch_first=True)

        def forward(self, x):
            return self.lstm(x[:, 0])[1][0][0]

    net = nets.seeded(Recurrent)
    assert_draws(channel(net, "lstm", 4), pixels(1, (6, 8)), (1, 1, 6, 8))
    assert_draws(logit(net, 4), pixels(1, (6, 8)), (1, 1, 6, 8))


def test_vectors_of_any_shape():
    net = nets.mlp(12)
    assert_draws(logit(net, [0, 1]), point(torch.full((2, 12), 0.5), box=(0, 1)), (2, 12))
    flat = nn.Sequential(nn.Flatten(), net)
    assert_draws(logit(flat, 0), point(torch.full((1, 3, 2, 2), 0.5), box=(0, 1)), (1, 3, 2, 2))


def test_lists_of_numbers_go_with_a_float32_network():
    run = maximize(logit(nets.mlp(3), 1), point([[0.0, 0.0, 0.0]]), steps=3)
    assert run.images.dtype == torch.float64
    assert run.values.isfinite().all()


def test_one_network_under_two_names():
    f = logit(CNN, 1) - logit(CNN, 2) + channel(CNN, "conv1", 0) + channel(CNN, "conv1", 1)
    assert_draws(f, pixels(3, 8), (1, 3, 8, 8))


NAMES = [name for name, _ in [*CNN.named_modules(), *VIT.named_modules()] if len(name) > 3]


@given(st.sampled_from(NAMES), st.integers(0, 30), st.sampled_from("abcx12_."))
def test_a_misspelt_layer_offers_the_right_one(name, at, letter):
    net = CNN if name in dict(CNN.named_modules()) else VIT
    wrong = name[: at % len(name)] + letter + name[at % len(name) :]
    if wrong in dict(net.named_modules()):
        return
    assert_offers(net, wrong, name)


def assert_offers(net, wrong, right):
    with pytest.raises(ValueError, match="is not in the network") as caught:
        Probe(net, [wrong])
    assert repr(wrong) in str(caught.value)
    assert repr(right) in str(caught.value), caught.value


def test_contract_7_catches_planted_faults(monkeypatch):
    offers = lambda name, names, n=5: "names: " + ", ".join(map(repr, sorted(names)[:n]))  # noqa: E731
    with monkeypatch.context() as patch:  # the first names of all, not the closest
        patch.setattr(probes, "closest", offers)
        with pytest.raises(AssertionError):
            assert_offers(CNN, "reluu", "relu")
    with monkeypatch.context() as patch:  # only plain tensors
        patch.setattr(probes, "_tensor", lambda output, name: output.mul(1))
        with pytest.raises((AssertionError, AttributeError)):
            test_outputs_that_are_not_plain_tensors("tuple")
    with monkeypatch.context() as patch:  # even sizes only: irfft2 that is not told the size
        real = torch.fft.irfft2
        patch.setattr(torch.fft, "irfft2", lambda spectrum, s: real(spectrum))
        with pytest.raises(AssertionError):
            assert_draws(logit(CNN, 1), fourier(3, (8, 9)), (1, 3, 8, 9))
    with monkeypatch.context() as patch:  # pictures that leave [0, 1]
        patch.setattr(torch.Tensor, "sigmoid", lambda self: self)
        with pytest.raises(AssertionError, match=r"not in \[0, 1\]"):
            assert_draws(logit(CNN, 1), pixels(3, 8), (1, 3, 8, 8))
