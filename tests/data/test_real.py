"""The published data, where this machine has them; nothing is downloaded."""

import functools
import gzip
import tracemalloc

import numpy as np
import pytest

from actmax_lib import data
from actmax_lib.data import sources

# per channel, as published and used everywhere
MEANS = {"fashion-mnist": [0.2860], "cifar-10": [0.4914, 0.4822, 0.4465]}
STDS = {"fashion-mnist": [0.3530], "cifar-10": [0.2470, 0.2435, 0.2616]}
FIRST = {
    ("fashion-mnist", "train"): [9, 0, 0, 3, 0], ("fashion-mnist", "test"): [9, 2, 1, 1, 6],
    ("cifar-10", "train"): [6, 9, 9, 4, 1], ("cifar-10", "test"): [3, 8, 8, 0, 6],
}  # fmt: skip


@functools.cache
def found(name, split):
    try:
        return data.load(name, split, download=False)
    except FileNotFoundError as error:
        return str(error)


def real(name, split):
    if isinstance(answer := found(name, split), str):
        pytest.skip(answer)
    return answer


@pytest.mark.parametrize(("name", "split"), FIRST)
def test_counts_order_and_range(name, split):
    some = real(name, split)
    each = {"train": {"fashion-mnist": 6000, "cifar-10": 5000}, "test": {}}[split].get(name, 1000)
    assert some.labels.bincount().tolist() == [each] * 10
    assert len(some.pixels) == len(some) == 10 * each
    assert some.labels[:5].tolist() == FIRST[name, split]
    assert (int(some.pixels.min()), int(some.pixels.max())) == (0, 255)


@pytest.mark.parametrize("name", MEANS)
def test_the_published_means_and_standard_deviations(name):
    pixels = real(name, "train").pixels.numpy()
    for c, (mean, std) in enumerate(zip(MEANS[name], STDS[name], strict=True)):
        assert pixels[:, c].mean() / 255 == pytest.approx(mean, abs=5.1e-5)
        assert pixels[:, c].std() / 255 == pytest.approx(std, abs=5.1e-5)


def test_fashion_mnist_read_by_hand():
    some = real("fashion-mnist", "test")
    file = next(
        f for folder in sources.folders("fashion-mnist")
        if (f := folder / "t10k-images-idx3-ubyte.gz").is_file()
    )  # fmt: skip
    raw = np.frombuffer(gzip.decompress(file.read_bytes())[16:], np.uint8)
    np.testing.assert_array_equal(raw, some.pixels.numpy().ravel())


def test_a_picture_of_cifar_is_the_right_way_up():
    """The sky of airplanes is above, and bluer than what is below; red is the first channel."""
    some = real("cifar-10", "test")
    ships = some.images(some.labels == 8).mean(0)
    assert ships[:, :8].mean() > ships[:, 24:].mean()
    assert ships[2].mean() > ships[0].mean()
    images = some.images(slice(500))
    strangers = (images - images.flip(0)).abs().mean().item()
    for dim in (2, 3):  # neighbours are alike along both axes
        assert images.diff(dim=dim).abs().mean().item() < strangers / 3


def test_the_memory_is_little_more_than_the_pictures():
    real("cifar-10", "train")
    tracemalloc.start()
    try:
        some = data.load("cifar-10", "train", download=False)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert some.pixels.numel() == 153_600_000
    assert peak < 153_600_000 + 130e6  # one file, and its pictures once more while they are turned
