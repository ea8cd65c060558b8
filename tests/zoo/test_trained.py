"""Networks that the book carries: written by ``save``, read by ``zoo.load``.

What the committed ones can do is tested in ``test_trained_networks.py``.
"""

import math

import pytest
import torch
from torch import nn

from actmax_lib import zoo
from actmax_lib.zoo import trained
from actmax_lib.zoo.fashion import CLASSES, FashionDecoder, FashionNet
from tests.zoo.tiny import ENTRY, images, network

# There and back


def test_the_loaded_network_is_the_saved_one(saved):
    net = zoo.load("tiny-1", device="cpu")
    for key, value in saved.state_dict().items():
        assert torch.equal(net.state_dict()[key], value), key
    with torch.no_grad():
        assert torch.equal(net(images()), saved.eval()(images()))
    assert isinstance(net, FashionNet)
    assert net.act.beta == 7.0


def test_it_is_frozen_evaluating_and_says_what_it_is(saved):
    net = zoo.load("tiny-1", device="cpu")
    assert not any(p.requires_grad for p in net.parameters())
    assert not any(m.training for m in net.modules())
    assert {p.dtype for p in net.parameters()} == {torch.float32}
    assert (net.input_size, net.classes) == (28, CLASSES)
    assert {key: net.manifest[key] for key in ENTRY} == ENTRY
    assert net.manifest["parameters"] == sum(p.numel() for p in net.parameters())
    assert net.manifest["versions"]["torch"] == torch.__version__
    assert net.manifest["architecture"] == "FashionNet"


def test_it_is_one_of_the_names(saved):
    assert zoo.names()[-1] == "tiny-1"
    assert zoo.names()[:3] == ("efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2")
    with pytest.raises(ValueError, match=r"available: .*tiny-1.*closest names: 'tiny-1'"):
        zoo.load("tiny1")


@pytest.mark.parametrize("options", [{"fold": False}, {"channels_last": False}])
def test_options_for_other_networks_do_nothing(saved, options):
    with torch.no_grad():
        expected = zoo.load("tiny-1", device="cpu")(images())
        assert torch.equal(zoo.load("tiny-1", device="cpu", **options)(images()), expected)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there(saved):
    with pytest.raises(ValueError, match="asks for a GPU and there is none"):
        zoo.load("tiny-1", device="cuda")


def test_probabilities_and_names(saved):
    ((_, name, p), *_) = zoo.top(zoo.load("tiny-1", device="cpu"), images(1, 40), k=2)[0]
    assert name in CLASSES
    assert 0.1 <= p <= 1


def test_loading_draws_no_random_number_and_twice_gives_two(saved):
    before = torch.get_rng_state()
    one, other = zoo.load("tiny-1", device="cpu"), zoo.load("tiny-1", device="cpu")
    assert torch.equal(torch.get_rng_state(), before)
    assert not {p.data_ptr() for p in one.parameters()} & {p.data_ptr() for p in other.parameters()}


def test_a_decoder_too(folder):
    torch.manual_seed(2)
    decoder = trained.rounded(FashionDecoder(latent=3, width=4))
    entry = {**ENTRY, "kwargs": {"latent": 3, "width": 4}, "loss": 1.0}
    del entry["accuracy"]
    trained.save(decoder, "tiny-decoder", entry)
    z = torch.randn(2, 3)
    assert torch.equal(zoo.load("tiny-decoder", device="cpu")(z), decoder(z))


# Precision


def test_half_precision_is_used_where_it_changes_nothing(folder):
    net = network()
    trained.save(trained.rounded(net), "half", ENTRY)
    trained.save(net, "full", ENTRY)
    told = trained.manifest()
    assert (told["half"]["dtype"], told["full"]["dtype"]) == ("float16", "float32")
    assert told["half"]["bytes"] < 0.75 * told["full"]["bytes"]
    for name, entry in told.items():
        assert entry["bytes"] == (folder / f"{name}.safetensors").stat().st_size
    assert torch.equal(zoo.load("full", device="cpu").conv1.weight, net.conv1.weight)
    assert not torch.equal(zoo.load("half", device="cpu").conv1.weight, net.conv1.weight)


def test_rounded_is_a_copy_to_half_precision():
    net = network()
    before = net.conv1.weight.detach().clone()
    copy = trained.rounded(net)
    assert torch.equal(net.conv1.weight, before)
    assert torch.equal(copy.conv1.weight, before.half().float())
    assert copy.conv1.weight.requires_grad


@pytest.mark.parametrize("value", [7e4, math.nan, math.inf])
def test_what_half_precision_cannot_hold(value):
    net = network()
    nn.init.constant_(net.conv2.bias, value)
    with pytest.raises(ValueError, match=r"conv2\.bias holds values that half precision does not"):
        trained.rounded(net)
