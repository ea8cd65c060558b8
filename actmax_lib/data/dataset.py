"""What ``data.load`` gives, and the error of a file that is not what it should be."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor


class DataFileError(ValueError):
    """A data file is truncated, or is not the published one. Nothing of it was used.

    file: the file at fault.
    """

    def __init__(self, file: str | Path, problem: str) -> None:
        super().__init__(f"{file}: {problem}")
        self.file = Path(file)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Pictures as bytes, with their labels; ``len`` is their number N.

    pixels: uint8 (N, C, H, W), 0 ... 255; labels: int64 (N,), 0 ... K - 1; classes: the K names;
    name, split: what was loaded.
    """

    pixels: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    name: str
    split: str

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        shape, k = tuple(self.pixels.shape), len(self.classes)
        return f"Dataset({self.name!r}, {self.split!r}: pixels {shape}, {k} classes)"

    def images(
        self,
        indices: Sequence[int] | Tensor | slice | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> Tensor:
        """Pictures (n, C, H, W) in [0, 1]; only the asked ones are converted.

        indices: which ones (numbers, a slice, a mask of N entries), None for all. All of CIFAR-10's
        training pictures take 0.6 GB in float32.

        Raises IndexError for an index out of range, TypeError when dtype is not a floating point.
        """
        if not dtype.is_floating_point:
            raise TypeError(f"dtype must be a floating-point type, got {dtype}; bytes: .pixels")
        pixels = self.pixels if indices is None else self.pixels[_index(indices)]
        return pixels.to(dtype) / 255


def _index(indices: Sequence[int] | Tensor | slice) -> Tensor | slice:
    if isinstance(indices, slice):
        return indices
    index = torch.as_tensor(indices)
    if index.numel() == 0:  # an empty list has no integer type by itself
        index = index.long()
    if index.ndim != 1:
        raise IndexError(
            "indices must be a list of numbers, a mask or a slice, "
            f"got shape {tuple(index.shape)}; one picture: indices=[i]"
        )
    return index
