"""The committed networks are what their manifest says, and training makes such networks."""

import functools
import hashlib
import math

import pytest
import torch

from actmax_lib import data, zoo
from actmax_lib.training import accuracy, cross_entropy
from actmax_lib.zoo import trained
from scripts import train_fashion, train_zoo

ENTRIES = trained.manifest()
CLASSIFIERS = [name for name in ENTRIES if "accuracy" in ENTRIES[name]]


@pytest.fixture(scope="module")
def sample():
    return data.load("fashion-mnist", "sample")


@functools.cache
def split(of, part):
    """The data of the networks whose names begin with ``of``; skip where they are not."""
    try:
        return data.load(
            {"fashion": "fashion-mnist", "cifar": "cifar-10"}[of], part, download=False
        )
    except FileNotFoundError as error:
        pytest.skip(str(error))


def test_every_recipe_was_trained():
    first, second = train_fashion.recipes(1), train_zoo.recipes()
    assert not set(first) & set(second)
    assert set(ENTRIES) == set(first) | set(second)


@pytest.mark.parametrize("name", [name for name in CLASSIFIERS if name.endswith("-0")])
def test_accuracy_on_the_test_split_is_the_manifests(name):
    """The first seed of each method: 10 000 pictures through all of them take minutes."""
    net, test_split = zoo.load(name, device="cpu"), split(name.partition("-")[0], "test")
    # one of the pictures may sit on the border and change sides with the rounding
    got = accuracy(net, test_split.images(), test_split.labels)
    assert abs(got - ENTRIES[name]["accuracy"]) <= 2e-4


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_accuracy_on_some_pictures_agrees(name, sample):
    """On Fashion-MNIST's shipped sample, or the first pictures of CIFAR-10, where they are."""
    some = sample if name.startswith("fashion") else split(name.partition("-")[0], "test")
    net, p, n = zoo.load(name, device="cpu"), ENTRIES[name]["accuracy"], 1000
    got = accuracy(net, some.images()[:n], some.labels[:n])
    # n of 10 000: 4.5 standard errors of a sample drawn without replacement
    assert abs(got - p) < 4.5 * math.sqrt(p * (1 - p) / n * (1 - n / 10_000))


def test_small_enough_for_a_laptop():
    assert max(entry["parameters"] for entry in ENTRIES.values()) <= 300_000
    assert sum(entry["bytes"] for entry in ENTRIES.values()) < 15e6


@pytest.mark.parametrize("of", ["fashion", "cifar"])
def test_the_manifest_names_the_data_it_was_trained_on(of):
    digest = hashlib.sha256(split(of, "train").pixels.numpy().tobytes()).hexdigest()
    assert {entry["data"] for name, entry in ENTRIES.items() if name.startswith(of)} == {digest}


def test_seeds_are_different_networks():
    states = [zoo.load(f"fashion-standard-{seed}", device="cpu").conv1.weight for seed in (0, 1)]
    assert not torch.allclose(*states, atol=0.1)


def test_training_a_classifier_briefly(sample, monkeypatch):
    monkeypatch.setattr(train_fashion.data, "load", lambda name, split: sample)
    net, entry = train_fashion.classifier(cross_entropy, 0, {"widths": [4, 6, 8]}, 8, sample)
    assert entry["accuracy"] == accuracy(net, sample.images(), sample.labels) > 0.6


def test_training_the_decoder_briefly(sample, monkeypatch):
    monkeypatch.setattr(train_fashion.data, "load", lambda name, split: sample)
    _, early = train_fashion.decoder(1, sample)
    net, late = train_fashion.decoder(4, sample)
    assert late["loss"] < early["loss"]
    pictures = net(torch.ones(4, net.latent)).detach()
    assert pictures.shape == (4, 1, 28, 28)
    assert 0 <= float(pictures.min()) <= float(pictures.max()) <= 1


def test_the_decoder_draws_pictures_like_the_datas(sample):
    decoder = zoo.load("fashion-decoder", device="cpu")
    generator = torch.Generator().manual_seed(0)
    drawn = decoder(torch.randn(500, decoder.latent, generator=generator))
    judge = zoo.load("fashion-judge", device="cpu")
    sure = lambda x: judge(x).softmax(1).max(1).values.mean()  # noqa: E731
    noise = torch.rand(500, 1, 28, 28, generator=generator)
    nearest = torch.cdist(drawn.flatten(1), sample.images().flatten(1)).min(1).values.mean()
    far = torch.cdist(noise.flatten(1), sample.images().flatten(1)).min(1).values.mean()
    assert nearest < far / 2
    assert sure(drawn) > 0.6


def test_main_resumes(tmp_path, sample, monkeypatch):
    monkeypatch.setattr(train_fashion.data, "load", lambda name, split: sample)
    names = ["fashion-standard-0", "fashion-standard-1"]
    monkeypatch.setattr(train_fashion, "LOSSES", {"standard": cross_entropy})
    monkeypatch.setattr(train_fashion, "SEEDS", (0, 1))
    train_fashion.main(names[:1], tmp_path, 1)
    first = (tmp_path / f"{names[0]}.safetensors").stat().st_mtime_ns
    done = []
    make = train_fashion.classifier
    monkeypatch.setattr(train_fashion, "classifier", lambda *a: (done.append(a[1]), make(*a))[1])
    monkeypatch.setattr(
        train_fashion, "decoder", lambda epochs, t: make(cross_entropy, 5, {}, 1, t)
    )
    train_fashion.main([], tmp_path, 1)
    assert sorted(done) == [1, 100]  # seed 0 was there; seed 1 and the judge were not
    assert (tmp_path / f"{names[0]}.safetensors").stat().st_mtime_ns == first
    again = zoo.trained.build(names[0], tmp_path)
    assert again.manifest["seed"] == 0
    assert again.manifest["data"] == hashlib.sha256(sample.pixels.numpy().tobytes()).hexdigest()
    assert again.manifest["command"].endswith(f"train_fashion {names[0]}")
    assert again.manifest["epochs"] == 1
