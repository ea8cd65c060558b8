"""The part of Fashion-MNIST that comes with the library, made by ``scripts/make_sample.py``.

``fashion-mnist.npz``: 2000 test pictures and statistics of the training pictures;
``fashion-mnist.json``: how it was made and its hash; ``LICENSE-fashion-mnist``: MIT.
"""

import io
import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from actmax_lib.data.dataset import DataFileError, Dataset
from actmax_lib.data.known import KNOWN

FOLDER = Path(__file__).parent
SAMPLED = "fashion-mnist"


def sample(name: str) -> Dataset:
    """The first 200 test pictures of each class, in the order of the test split."""
    pixels, labels = (torch.from_numpy(array) for array in _arrays(name, "pixels", "labels"))
    return Dataset(pixels, labels.long(), KNOWN[name].classes, name, "sample")


def class_means(name: str = SAMPLED) -> Tensor:
    """Mean picture of each class over the training split: (K, C, H, W) float32 in [0, 1].

    No network and no download: they come with the library, for "fashion-mnist" only (K = 10). The
    classes are equally frequent, so ``class_means().mean(0)`` is the mean of all training pictures.

    Raises ValueError for another name, DataFileError when the file of the library was changed.
    """
    return torch.from_numpy(_arrays(name, "class_means")[0])


def mean_magnitude(name: str = SAMPLED) -> Tensor:
    """Mean of |fft2(picture)| over the training split: (C, H, W) float32, pictures in [0, 1].

    ``torch.fft.fft2`` as it is: entry (0, 0) is H W times the mean brightness. Columns 0 ... W // 2
    are what ``rfft2`` would give. Comes with the library, for "fashion-mnist" only.

    Raises ValueError for another name, DataFileError when the file of the library was changed.
    """
    return torch.from_numpy(_arrays(name, "mean_magnitude")[0])


def manifest() -> dict:
    """How the sample was made: source, rule, command, versions, hash."""
    return json.loads((FOLDER / f"{SAMPLED}.json").read_text(encoding="utf-8"))


def _arrays(name: str, *wanted: str) -> list[np.ndarray]:
    if name != SAMPLED:
        raise ValueError(
            f"name {name!r} has nothing that comes with the library, only {SAMPLED!r} has; "
            "for the others see data.load(name, 'train')"
        )
    file = FOLDER / f"{SAMPLED}.npz"
    content = file.read_bytes()
    if sha256(content).hexdigest() != manifest()["sha256"]:
        raise DataFileError(
            file, "is not the file of its manifest; restore both, or: python -m scripts.make_sample"
        )
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return [arrays[key] for key in wanted]
