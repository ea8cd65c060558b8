"""The sample and the statistics that come with the library, and the script that makes them."""

import fnmatch
import json
import shutil
import tomllib
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import scipy.fft
import torch

from actmax_lib import data
from actmax_lib.data import shipped
from scripts import make_sample

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the folder, which the library reads instead."""
    folder = shutil.copytree(shipped.FOLDER, tmp_path / "shipped")
    monkeypatch.setattr(shipped, "FOLDER", folder)
    return folder


def whole(split):
    try:
        return data.load("fashion-mnist", split, download=False)
    except FileNotFoundError as error:
        pytest.skip(str(error))


def test_the_sample_has_200_pictures_of_each_class(monkeypatch):
    monkeypatch.setattr("socket.socket.connect", None)  # no network
    sample = data.load("fashion-mnist", "sample")
    assert sample.pixels.shape == (2000, 1, 28, 28)
    assert sample.labels.bincount().tolist() == [200] * 10
    assert (sample.name, sample.split) == ("fashion-mnist", "sample")
    assert (int(sample.pixels.min()), int(sample.pixels.max())) == (0, 255)


def test_it_is_small_and_its_manifest_tells_what_it_is():
    file = shipped.FOLDER / "fashion-mnist.npz"
    told = shipped.manifest()
    assert file.stat().st_size == told["bytes"] < 1.2e6
    assert sha256(file.read_bytes()).hexdigest() == told["sha256"]
    assert told["source_sha256"]["test"]["pixels"] == (
        shipped.KNOWN["fashion-mnist"].splits["test"].parts[0].pixels
    )
    with np.load(file) as arrays:
        what = {key: f"{arrays[key].dtype} {list(arrays[key].shape)}" for key in arrays}
    assert what == told["what"]


def test_the_licence_is_beside_it():
    text = (shipped.FOLDER / "LICENSE-fashion-mnist").read_text(encoding="utf-8")
    assert "Copyright © 2017 Zalando SE" in text
    assert "The above copyright notice and this permission notice shall be included" in text


def test_the_class_means_recognise_the_sample():
    """Pictures are nearer to the mean of their own class far more often than by chance."""
    sample, means = data.load("fashion-mnist", "sample"), data.class_means("fashion-mnist")
    nearest = torch.cdist(sample.images().flatten(1), means.flatten(1)).argmin(1)
    assert (nearest == sample.labels).double().mean() > 0.6


@pytest.mark.parametrize("function", [data.class_means, data.mean_magnitude])
def test_what_does_not_come_with_the_library(function):
    with pytest.raises(ValueError, match="'cifar-10' has nothing that comes with the library"):
        function("cifar-10")


@pytest.mark.parametrize("at", [0, 1000, -1])
def test_a_changed_file_is_refused(copy, at):
    content = bytearray((copy / "fashion-mnist.npz").read_bytes())
    content[at] ^= 1
    (copy / "fashion-mnist.npz").write_bytes(content)
    for read in (lambda: data.load("fashion-mnist", "sample"), data.class_means,
                 data.mean_magnitude):  # fmt: skip
        with pytest.raises(data.DataFileError, match=r"fashion-mnist\.npz: is not the file of its"):
            read()


def test_the_statistics_of_the_script_are_the_means_of_numpy_and_scipy():
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 256, (make_sample.CHUNK + 7, 2, 3, 4), dtype=np.uint8)  # two chunks
    labels = rng.permutation(np.arange(len(pixels)) % 3)
    some = data.Dataset(
        torch.from_numpy(pixels), torch.from_numpy(labels), ("a", "b", "c"), "some", "train"
    )
    found = make_sample.statistics(some)
    x = pixels / 255
    expected = np.stack([x[labels == k].mean(0) for k in range(3)])
    np.testing.assert_allclose(found["class_means"], expected, rtol=1e-6)
    magnitude = np.abs(scipy.fft.fft2(x)).mean(0)
    np.testing.assert_allclose(found["mean_magnitude"], magnitude, rtol=1e-6)


def test_the_first_of_each_class_in_their_order():
    labels = torch.tensor([1, 1, 0, 1, 0, 2, 0, 2, 2])
    assert make_sample.rows(labels, 3, 2).tolist() == [0, 1, 2, 4, 5, 7]


def test_the_script_makes_what_is_here(tmp_path):
    train, test = whole("train"), whole("test")
    make_sample.make(tmp_path)
    told, here = (
        json.loads((folder / "fashion-mnist.json").read_text())
        for folder in (tmp_path, shipped.FOLDER)
    )
    for key in ("what", "rule", "source", "source_sha256", "command", "licence"):
        assert told[key] == here[key]
    with np.load(tmp_path / "fashion-mnist.npz") as made:
        sample = data.load("fashion-mnist", "sample")
        np.testing.assert_array_equal(made["pixels"], sample.pixels.numpy())
        np.testing.assert_array_equal(made["labels"], sample.labels.numpy())
        np.testing.assert_allclose(made["class_means"], data.class_means(), atol=1e-7)
        np.testing.assert_allclose(made["mean_magnitude"], data.mean_magnitude(), rtol=1e-6)
    # by another route than the script's
    for k in range(10):
        mine = test.pixels[test.labels == k][:200]
        assert torch.equal(sample.pixels[sample.labels == k], mine)
        expected = train.pixels[train.labels == k].double().mean(0) / 255
        torch.testing.assert_close(data.class_means()[k].double(), expected, atol=1e-7, rtol=0)
    brightness = train.pixels.double().mean().item() / 255
    assert data.mean_magnitude()[0, 0, 0].item() == pytest.approx(784 * brightness, rel=1e-6)


def test_an_installed_library_has_every_file():
    """Packages and data files of the tree are those that pyproject.toml installs."""
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    tree = {
        ".".join(file.parent.relative_to(ROOT).parts)
        for file in (ROOT / "actmax_lib").rglob("__init__.py")
    }
    moved = tuple(f"{name}." for name in setup["package-dir"])  # tests/install compares these
    assert {name for name in setup["packages"] if not f"{name}.".startswith(moved)} == tree
    for package in tree:
        for file in ROOT.joinpath(*package.split(".")).iterdir():
            if file.is_file() and file.suffix not in (".py", ".pyc") and file.name[0] != ".":
                patterns = setup["package-data"].get(package, [])
                assert any(fnmatch.fnmatch(file.name, p) for p in patterns), file
