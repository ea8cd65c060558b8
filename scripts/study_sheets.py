"""The sheets of photographs of the study, for `scripts/make_study.py`: tiles, and how lossy."""

import io
from collections.abc import Sequence

import numpy as np
import torch

from actmax_lib.study import occlusion
from actmax_lib.study.stimuli import BATCHES, COLUMNS, LEVELS, QUERIES, dealt, decoded
from scripts import results
from scripts.study_units import LAYERS, SEED, all_values, photographs, value, weights

QUALITIES = (90, 92, 94, 96, 98)
KEEPS = 0.1  # of the gap between right and wrong, after compression
QUESTIONS = (*LEVELS, "occlusion")


def natural(unit: dict) -> dict[str, np.ndarray]:
    """The tiles of a unit in every batch (20, 26, 32, 32, 3), and what they are."""
    values = all_values(unit["network"])[unit["layer"]][:, unit["channel"]]
    column = list(LAYERS[unit["network"]]).index(unit["layer"])
    chosen = dealt(values, [SEED, column, unit["channel"]])
    pixels = photographs().pixels.permute(0, 2, 3, 1).numpy()
    tiles = np.empty((BATCHES, COLUMNS, 32, 32, 3), np.uint8)
    tiles[:, :24] = pixels[chosen]
    places = []
    for batch in range(BATCHES):
        x = photographs().images([int(chosen[batch, 19])])[0]
        both, where, _ = occlusion.hardest(lambda y: value(unit, y), x)
        tiles[batch, 24:] = results.bytes_of(both)
        places.append(where)
    asked = torch.from_numpy(tiles[:, 18:].reshape(-1, 32, 32, 3)).permute(0, 3, 1, 2)
    exact = value(unit, asked.float() / 255).view(BATCHES, -1).numpy()
    indices = np.concatenate([chosen, chosen[:, 19:20], chosen[:, 19:20]], 1)
    return {"tiles": tiles, "indices": indices, "places": np.array(places), "values": exact,
            "mean": values.mean(), "sd": values.std()}  # fmt: skip


def kept(unit: dict) -> dict[str, np.ndarray]:
    """`natural`, or what it gave before."""
    name = f"study-natural-{unit['layer']}-{unit['channel']}"
    key = [unit, weights(unit["name"]), SEED, results.machine()]
    return results.kept(name, key, lambda: natural(unit))


def encoded(tiles: np.ndarray, columns: int, quality: int) -> bytes:
    """Tiles (rows · columns, s, s, 3) as a WebP sheet."""
    buffer = io.BytesIO()
    results.sheet(tiles, columns).save(buffer, "webp", quality=quality, method=6)
    return buffer.getvalue()


def margins(listed: list[dict], rows: list[dict], batch: int, sheet: bytes) -> dict[str, dict]:
    """What the units make of a sheet's pairs: right minus wrong, as it was and compressed."""
    found: dict[str, dict] = {}
    for unit, row, tiles in zip(listed, rows, decoded(sheet, COLUMNS, 32), strict=True):
        asked = torch.from_numpy(tiles[18:].copy()).permute(0, 3, 1, 2).float() / 255
        values, exact = value(unit, asked).numpy(), row["values"][batch]
        for name, (wrong, right) in ((name, QUERIES[name]) for name in QUESTIONS):
            sign = -1 if name == "occlusion" else 1  # there the right answer is the lower value
            gap, before = (sign * (v[right - 18] - v[wrong - 18]) for v in (values, exact))
            told = found.setdefault(name, {"sd": np.inf, "share": np.inf, "off": 0.0})
            change = np.abs(values - exact)[[wrong - 18, right - 18]].mean() / row["sd"]
            told["off"] += float(change) / len(listed)
            told["sd"] = min(told["sd"], float(gap / row["sd"]))
            told["share"] = min(told["share"], float(gap / before))
    return found


def batches(listed: list[dict], rows: list[dict], ladder: Sequence[int]) -> list[tuple]:
    """Each sheet of photographs, at the lowest quality at which every unit answers right with a
    tenth of the gap it had: (quality, bytes, margins)."""
    made = []
    for batch in range(BATCHES):
        tiles = np.concatenate([row["tiles"][batch] for row in rows])
        for quality in ladder:
            sheet = encoded(tiles, COLUMNS, quality)
            told = margins(listed, rows, batch, sheet)
            if min(level["share"] for level in told.values()) >= KEEPS:
                break
        else:
            if len(ladder) > 1:
                raise SystemExit(f"batch {batch}: no quality keeps the answers of the units")
        print(f"batch {batch}: quality {quality}, {len(sheet) / 1e3:.0f} kB", flush=True)
        made.append((quality, sheet, told))
    return made
