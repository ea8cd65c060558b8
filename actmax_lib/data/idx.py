"""The idx format of Fashion-MNIST, as it is or gzipped.

Four bytes (0, 0, 8 for bytes, number of dimensions), each dimension in four bytes, then the bytes.
"""

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np

from actmax_lib.data.dataset import DataFileError


def read_idx(file: Path, shape: tuple[int, ...]) -> np.ndarray:
    """The array of uint8 in ``file``, which must have ``shape``.

    Never reads more than the shape needs, whatever the header or the compression promise.
    Raises DataFileError for a file that is truncated, too long, damaged or of another shape.
    """
    opener = gzip.open if file.suffix == ".gz" else open
    try:
        with opener(file, "rb") as stream:
            header = stream.read(4 + 4 * len(shape))
            if header[:4] != bytes([0, 0, 8, len(shape)]) or len(header) < 4 + 4 * len(shape):
                raise DataFileError(
                    file, f"does not start like an idx file of {len(shape)} dimensions"
                )
            found = struct.unpack(f">{len(shape)}I", header[4:])
            if found != shape:
                raise DataFileError(file, f"holds {_times(found)} bytes, expected {_times(shape)}")
            array = np.empty(shape, np.uint8)
            size = _fill(stream, memoryview(array).cast("B"))
            if size < array.nbytes:
                raise DataFileError(
                    file, f"truncated: {size} bytes of data where {array.nbytes} are expected"
                )
            if stream.read(1):  # the end of a gzip file also checks its checksum
                raise DataFileError(file, f"goes on after the {array.nbytes} bytes of its header")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataFileError(file, f"truncated or damaged ({error})") from error
    return array


def _fill(stream, view: memoryview) -> int:
    """Read until ``view`` is full or the file ends; how many bytes that was."""
    size = 0
    while size < len(view) and (got := stream.readinto(view[size:])):
        size += got
    return size


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
