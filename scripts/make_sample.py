"""Make the part of Fashion-MNIST that comes with the library: ``python -m scripts.make_sample``.

Needs the whole data set (``data.load`` finds or fetches it). Writes ``actmax_lib/data/shipped/``.
"""

import argparse
import json
import platform
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch

from actmax_lib import data
from actmax_lib.data.known import KNOWN
from actmax_lib.data.shipped import FOLDER

NAME, EACH = "fashion-mnist", 200
CHUNK = 5000  # pictures at a time: 60 MB in double precision


def rows(labels: torch.Tensor, classes: int, each: int) -> torch.Tensor:
    """Where the first ``each`` of every class stand, in order."""
    first = [torch.nonzero(labels == k).flatten()[:each] for k in range(classes)]
    return torch.cat(first).sort().values


def statistics(train: data.Dataset) -> dict[str, np.ndarray]:
    """Mean picture of each class, and the mean magnitude spectrum; computed in double precision."""
    shape = train.pixels.shape[1:]
    sums = torch.zeros(len(train.classes), *shape, dtype=torch.float64)
    magnitude = torch.zeros(shape, dtype=torch.float64)
    for start in range(0, len(train), CHUNK):
        images = train.images(slice(start, start + CHUNK), dtype=torch.float64)
        sums.index_add_(0, train.labels[start : start + CHUNK], images)
        magnitude += torch.fft.fft2(images).abs().sum(0)
    counts = torch.bincount(train.labels, minlength=len(train.classes))
    return {
        "class_means": (sums / counts[:, None, None, None]).float().numpy(),
        "mean_magnitude": (magnitude / len(train)).float().numpy(),
    }


def make(folder: Path, source: Path | None = None) -> None:
    """Write the arrays, then the manifest that describes them."""
    train, test = (data.load(NAME, split, folder=source) for split in ("train", "test"))
    chosen = rows(test.labels, len(test.classes), EACH)
    arrays = {
        "pixels": test.pixels[chosen].numpy(),
        "labels": test.labels[chosen].numpy().astype(np.uint8),
        **statistics(train),
    }
    file = folder / f"{NAME}.npz"
    np.savez_compressed(file, **arrays)
    entry = {
        "file": file.name,
        "what": {key: f"{array.dtype} {list(array.shape)}" for key, array in arrays.items()},
        "rule": f"pixels, labels: the first {EACH} test pictures of each class, in their order; "
        "class_means, mean_magnitude: of all training pictures in [0, 1], |fft2| unnormalised",
        "licence": "MIT, Copyright (c) 2017 Zalando SE; LICENSE-fashion-mnist",
        "source": KNOWN[NAME].url,
        "source_sha256": {
            name: {"pixels": split.parts[0].pixels, "labels": split.labels}
            for name, split in KNOWN[NAME].splits.items()
        },
        "command": "python -m scripts.make_sample",
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "torch": torch.__version__,
        },
        "bytes": file.stat().st_size,
        "sha256": sha256(file.read_bytes()).hexdigest(),
    }
    text = json.dumps(entry, indent=2) + "\n"
    file.with_suffix(".json").write_text(text, encoding="utf-8")
    print(f"{file}: {entry['bytes']} bytes")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, help="folder with the files of Fashion-MNIST")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where to write")
    given = parser.parse_args()
    make(given.folder, given.source)
