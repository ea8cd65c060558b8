"""What a loaded data set can do."""

import numpy as np
import pytest
import torch

from actmax_lib import data
from actmax_lib.data.known import KNOWN
from actmax_lib.zoo.fashion import CLASSES


@pytest.fixture
def some():
    pixels = torch.arange(3 * 2 * 4 * 5, dtype=torch.uint8).view(3, 2, 4, 5)
    pixels[2, 1, 3, 4] = 255
    return data.Dataset(pixels, torch.tensor([2, 0, 1]), ("a", "b", "c"), "some", "train")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
def test_images_are_bytes_over_255(some, dtype):
    images = some.images(dtype=dtype)
    assert images.dtype == dtype
    expected = torch.from_numpy(some.pixels.numpy().astype(np.float64) / 255)
    torch.testing.assert_close(images, expected.to(dtype))
    assert images.min() == 0
    assert images.max() == 1


@pytest.mark.parametrize("indices", [
    [2, 0], torch.tensor([2, 0]), np.array([2, 0]), (2, 0), slice(2, None, -2), [False, True, True],
    torch.tensor([True, False, False]), [], [-1], range(2),
])  # fmt: skip
def test_some_of_the_images(some, indices):
    if isinstance(indices, slice):
        indices = slice(1, 3)  # torch has no negative steps
    expected = some.pixels.numpy()[indices if isinstance(indices, slice) else np.asarray(
        indices, dtype=None if len(indices) else int)]  # fmt: skip
    np.testing.assert_array_equal((some.images(indices) * 255).round().numpy(), expected)


def test_wrong_indices_and_types(some):
    with pytest.raises(IndexError):
        some.images([3])
    with pytest.raises(IndexError, match=r"one picture: indices=\[i\]"):
        some.images(1)
    with pytest.raises(TypeError, match=r"bytes: \.pixels"):
        some.images(dtype=torch.uint8)


def test_length_and_text(some):
    assert len(some) == 3
    assert repr(some) == "Dataset('some', 'train': pixels (3, 2, 4, 5), 3 classes)"


def test_the_names_are_known():
    assert data.names() == ("fashion-mnist", "cifar-10")
    for known in KNOWN.values():
        assert len(set(known.classes)) == 10


def test_networks_and_data_name_the_classes_alike():
    assert data.load("fashion-mnist", "sample").classes == CLASSES
