"""What ``save`` refuses to write, the manifest, and what happens when files are damaged."""

import json
import math
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from actmax_lib import zoo
from actmax_lib.data import DataFileError
from actmax_lib.zoo import trained
from tests.zoo.tiny import ENTRY, network

# What cannot be saved


@pytest.mark.parametrize("name", ["", "Big", "a b", "../a", "a.b", "-a", "a--b", "a\n"])
def test_names_that_are_no_file_names(folder, name):
    with pytest.raises(ValueError, match="name must be words"):
        trained.save(network(), name, ENTRY)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("key", [*trained.REQUIRED, "accuracy"])
def test_an_entry_must_tell_how(folder, key):
    with pytest.raises(ValueError, match=f"lacks .*{key}"):
        trained.save(network(), "tiny", {k: v for k, v in ENTRY.items() if k != key})
    assert list(folder.iterdir()) == []


def broken(value):
    net = network()
    nn.init.constant_(net.conv1.bias, value)
    return net


@pytest.mark.parametrize(("net", "entry", "message"), [
    (nn.Linear(2, 3), ENTRY, "Linear, which the zoo has not; it has .*, CifarNet"),
    (network(widths=(3, 4, 6)), ENTRY, "do not make a network of these shapes"),
    (broken(math.nan), ENTRY, "hold NaN or Inf"),
    (network(), {**ENTRY, "accuracy": math.nan}, "not JSON compliant"),
])  # fmt: skip
def test_what_is_not_written(saved, folder, net, entry, message):
    before = {file: file.read_bytes() for file in folder.iterdir()}
    with pytest.raises(ValueError, match=message):
        trained.save(net, "tiny-1", entry)
    assert {file: file.read_bytes() for file in folder.iterdir()} == before


# The manifest


def test_saving_again_replaces_and_leaves_the_others(saved, folder):
    trained.save(trained.rounded(network(5)), "tiny-0", ENTRY)
    trained.save(trained.rounded(network(6)), "tiny-1", {**ENTRY, "seed": 6})
    assert list(trained.manifest()) == ["tiny-0", "tiny-1"]
    assert zoo.load("tiny-1", device="cpu").manifest["seed"] == 6
    found = zoo.load("tiny-1", device="cpu").conv1.weight
    assert torch.equal(found, trained.rounded(network(6)).conv1.weight)
    names = {"manifest.json", "tiny-0.safetensors", "tiny-1.safetensors"}
    assert {file.name for file in folder.iterdir()} == names  # no temporary file is left


@pytest.mark.skipif(trained.fcntl is None, reason="files cannot be locked here")
def test_trainings_that_end_together_are_all_in_it(tmp_path):
    net = network()

    def save_some(seed):
        for k in range(10):
            trained.save(net, f"net-{seed}-{k}", ENTRY, tmp_path)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(save_some, range(3)))
    assert set(trained.manifest(tmp_path)) == {f"net-{s}-{k}" for s in range(3) for k in range(10)}


# Damage


@pytest.mark.parametrize("at", [0, 9, 300, -1])
def test_changed_weights_are_refused(saved, folder, at):
    file = folder / "tiny-1.safetensors"
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)
    with pytest.raises(DataFileError, match=r"tiny-1\.safetensors: is not the file of manifest"):
        zoo.load("tiny-1", device="cpu")


def test_truncated_and_missing_weights(saved, folder):
    file = folder / "tiny-1.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DataFileError, match=r"tiny-1\.safetensors: is not"):
        zoo.load("tiny-1", device="cpu")
    file.unlink()
    with pytest.raises(DataFileError, match=r"tiny-1\.safetensors: is in the manifest but cannot"):
        zoo.load("tiny-1", device="cpu")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"tiny-1": 3}', '"text"', "\x00"])
def test_a_damaged_manifest_is_named(saved, folder, text):
    (folder / "manifest.json").write_text(text)
    for use in (zoo.names, lambda: zoo.load("tiny-1"),
                lambda: trained.save(saved, "tiny-2", ENTRY)):  # fmt: skip
        with pytest.raises(DataFileError, match=r"manifest\.json: .*restore it"):
            use()


def test_weights_without_a_manifest_are_not_overlooked(saved, folder):
    (folder / "manifest.json").unlink()
    with pytest.raises(DataFileError, match=r"manifest\.json: cannot be read"):
        zoo.names()


def test_imagenet_needs_no_manifest(saved, folder):
    (folder / "manifest.json").write_text("damaged")
    assert zoo.load("efficientnet-lite0", device="cpu").input_size == 224


@pytest.mark.parametrize(("key", "value"), [
    ("architecture", "FashionNot"), ("architecture", "CLASSES"), ("kwargs", {"widths": [3, 4, 6]}),
    ("kwargs", {"depth": 3}), ("kwargs", {"beta": -1.0}), ("kwargs", 3), ("kwargs", None),
    ("sha256", "0" * 64), ("sha256", None),
])  # fmt: skip
def test_a_manifest_that_tells_something_else(saved, folder, key, value):
    entries = trained.manifest()
    entries["tiny-1"][key] = value
    if value is None:
        del entries["tiny-1"][key]
    (folder / "manifest.json").write_text(json.dumps(entries))
    named = r"tiny-1\.safetensors" if key == "sha256" else r"manifest\.json: the entry of tiny-1"
    with pytest.raises(DataFileError, match=named):
        zoo.load("tiny-1", device="cpu")
