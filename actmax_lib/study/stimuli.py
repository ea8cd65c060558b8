"""The stimuli of the study: which photographs a unit is shown with, and the sheets they lie on.

A *unit* is a channel of a network: its value is the mean of its map over positions, before the
activation function (chapter *do-pictures-help*). The rules are those of Borowski et al. (2021).
"""

import io
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from actmax_lib import checks
from actmax_lib.data import DataFileError

BATCHES, BINS = 20, 10  # batches of a unit; bins on each side, the outermost one of queries
REFERENCES = BINS - 1  # of either sign, in a trial
LEVELS = {"extreme": None, "p90": 90, "p70": 70}  # how far out the queries lie, in percent
MODES = ("matching", "occlusion")
# columns of a sheet: 0-8 minimal references, 9-17 maximal ones, then pairs (wrong, right)
QUERIES = {"extreme": (18, 19), "p90": (20, 21), "p70": (22, 23), "occlusion": (25, 24)}
COLUMNS = 26
SEEN = {"cifar": 32, "imagenet": 128}  # side at which a network sees a picture, pixels


def draw_units(channels: Sequence[int], each: int, seed: int) -> list[list[int]]:
    """``each`` channels of every layer, by lot and ascending; ``channels``: how many a layer has.

    Raises ValueError where a layer has fewer than ``each``.
    """
    rng = np.random.default_rng(checks.count("seed", seed, at_least=0))
    each = checks.count("each", each)
    for count in channels:
        if checks.count("channels", count) < each:
            raise ValueError(f"a layer has {count} channels, {each} cannot be drawn")
    return [sorted(rng.choice(count, each, replace=False).tolist()) for count in channels]


def binned(values: Any, seed: int | Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the lowest and of the highest values, dealt out: twice (20, 10).

    values: (N,) of one unit for N ≥ 400 photographs. The 200 lowest and the 200 highest make ten
    bins of 20 each, shuffled inside by ``seed``; batch b takes one photograph a bin. Column 0 is
    the outermost bin: the query. Columns 1-9, further in, are that batch's references. No
    photograph comes twice (Borowski et al. 2021).
    Raises ValueError for fewer values, or for NaN.
    """
    order = _order(values, 2 * BINS * BATCHES)
    rng = np.random.default_rng(seed)
    sides = []
    for outermost_first in (order, order[::-1]):
        bins = outermost_first[: BINS * BATCHES].reshape(BINS, BATCHES)
        sides.append(np.stack([rng.permutation(one) for one in bins], 1))
    return sides[0], sides[1]


def pairs(values: Any, percentile: float, seed: int | Sequence[int]) -> np.ndarray:
    """Indices (20, 2) of photographs about the (100 - q)th and the q-th percentile of ``values``.

    The 20 about each, dealt out to the batches by ``seed``; q in (50, 100).
    Raises ValueError for a q outside, for NaN, or where the two windows would not fit.
    """
    q = checks.real("percentile", percentile, above=50, below=100)
    order = _order(values, 2 * BATCHES)
    rng, n = np.random.default_rng(seed), len(order)
    low, high = (round(part * n) - BATCHES // 2 for part in (1 - q / 100, q / 100))
    if low < 0 or high + BATCHES > n or high - low < BATCHES:
        raise ValueError(f"percentile {q:g} leaves no two windows of {BATCHES} among {n} values")
    windows = [order[first : first + BATCHES] for first in (low, high)]
    return np.stack([rng.permutation(window) for window in windows], 1)


def dealt(values: Any, seed: Sequence[int]) -> np.ndarray:
    """Indices (20, 24) for the first 24 columns of the sheets: references, then query pairs.

    No photograph comes twice. Raises ValueError, for fewer than about 2100 values or for NaN.
    """
    low, high = binned(values, [*seed, 0])
    further = [pairs(values, q, [*seed, q]) for q in LEVELS.values() if q]
    queries = [low[:, :1], high[:, :1], *further]
    whole = np.concatenate([low[:, 1:], high[:, 1:], *queries], 1)
    if len(np.unique(whole)) < whole.size:
        raise ValueError(f"values are {len(values)}, too few to find {whole.size} places apart")
    return whole


def _order(values: Any, at_least: int) -> np.ndarray:
    values = checks.real_tensor("values", values).numpy()
    if values.ndim != 1 or len(values) < at_least:
        raise ValueError(f"values must be (N,) with N >= {at_least}, got {values.shape}")
    return np.argsort(values, kind="stable")


def as_seen(pictures: Tensor, network: str) -> Tensor:
    """Pictures (n, 3, s, s) at the side a network of the study sees them: 32 or 128 pixels.

    Bilinear, with antialiasing where it makes them smaller. network: "cifar" or "imagenet".
    """
    if network not in SEEN:
        raise ValueError(f"network must be one of {sorted(SEEN)}, got {network!r}")
    side = SEEN[network]
    if pictures.shape[-2:] == (side, side):
        return pictures
    return F.interpolate(pictures, (side, side), mode="bilinear", antialias=True)


def decoded(content: bytes, columns: int, side: int, rows: int = -1) -> np.ndarray:
    """The tiles of an encoded sheet, uint8 (rows, columns, side, side, 3); -1 rows: all there are.

    Raises ValueError for a picture of another size.
    """
    pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    return pixels.reshape(rows, side, columns, side, 3).swapaxes(1, 2)


class Stimuli:
    """The committed sheets, as tensors in [0, 1]; each is read, and its hash checked, when needed.

    units: the design's, a mapping each (network, name, layer, channel, picked); a unit is asked for
    by its index there. manifest: all of study.json.
    """

    def __init__(self, manifest: Mapping[str, Any], folder: Path) -> None:
        self.manifest, self.folder = manifest, folder
        self.units = list(manifest["units"])
        self._files = {one["file"]: one for one in manifest["files"]}
        self._held: dict[str, np.ndarray] = {}

    @classmethod
    def load(cls, folder: str | Path) -> "Stimuli":
        """From a folder of sheets beside its manifest: ``study/`` and ``study.json``.

        Raises FileNotFoundError without them; later, DataFileError for a sheet that is not the
        manifest's.
        """
        folder = Path(folder)
        manifest = json.loads(folder.with_suffix(".json").read_text(encoding="utf-8"))
        return cls(manifest, folder)

    def sheet(self, file: str) -> np.ndarray:
        """All tiles of a sheet, uint8 (rows, columns, s, s, 3)."""
        if file not in self._files:
            raise ValueError(f"file {file!r} is not in the manifest: {sorted(self._files)}")
        if file not in self._held:
            told, path = self._files[file], self.folder / file
            content = path.read_bytes()
            if sha256(content).hexdigest() != told["sha256"]:
                raise DataFileError(path, "is not the sheet of the manifest; restore both")
            rows, columns, side = told["rows"], told["columns"], told["tile"]
            self._held[file] = decoded(content, columns, side, rows)
        return self._held[file]

    def tiles(self, unit: int, batch: int, columns: Sequence[int]) -> Tensor:
        """Tiles (n, 3, 32, 32) of a unit in a batch's sheet."""
        self._check(unit, batch)
        return _tensor(self.sheet(f"study-batch-{batch:02d}.webp")[unit, list(columns)])

    def queries(self, unit: int, batch: int, level: str) -> Tensor:
        """(2, 3, 32, 32), the wrong answer first.

        level: "extreme", "p90", "p70": the one with the lower value is wrong. "occlusion": a
        photograph of a high value with a gray square; wrong where that lowers the value least.
        """
        if level not in QUERIES:
            raise ValueError(f"level must be one of {sorted(QUERIES)}, got {level!r}")
        return self.tiles(unit, batch, QUERIES[level])

    def references(self, unit: int, batch: int, condition: str) -> tuple[Tensor, Tensor]:
        """Minimal and maximal ones, twice (9, 3, s, s).

        condition: "natural", s = 32; "synthetic", the same in every batch, s = 32 for the units of
        the CIFAR-10 network and 96 for ImageNet's.
        """
        if condition == "natural":
            both = self.tiles(unit, batch, range(2 * REFERENCES))
        elif condition == "synthetic":
            self._check(unit, batch)
            network = self.units[unit]["network"]
            row = sum(one["network"] == network for one in self.units[:unit])
            both = _tensor(self.sheet(f"study-synthetic-{network}.webp")[row])
        else:
            raise ValueError(f"condition must be 'natural' or 'synthetic', got {condition!r}")
        return both[:REFERENCES], both[REFERENCES:]

    def _check(self, unit: int, batch: int) -> None:
        for name, given, size in (("unit", unit, len(self.units)), ("batch", batch, BATCHES)):
            if not 0 <= given < size:
                raise ValueError(f"{name} must be 0 to {size - 1}, got {given}")


def _tensor(tiles: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(tiles)).permute(0, 3, 1, 2).float() / 255
