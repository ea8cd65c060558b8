"""Stimuli for the tests of the figure "study": a tile's colour tells its sheet, row and column."""

import hashlib
import io
import json
from dataclasses import asdict

import numpy as np
from PIL import Image

from actmax_lib.study.session import load_design

DESIGN = load_design()
COLUMNS = 26


def colour(sheet, row, column):
    """RGB of a tile: (8 times its column, 8 times its row, 8 times its sheet's number).

    Sheets 0 ... 19 are batches, 20 and 21 the synthetic ones of "cifar" and "imagenet".
    """
    return (8 * column, 8 * row, 8 * sheet)


def synthetic(unit):
    """Number of the synthetic sheet of a unit, and its row there."""
    network = DESIGN.units[unit].network
    same = [u for u, other in enumerate(DESIGN.units) if other.network == network]
    return 20 + ["cifar", "imagenet"].index(network), same.index(unit)


def _webp(number, rows, columns, tile):
    sheet = np.zeros((rows, tile, columns, tile, 3), np.uint8)
    for row in range(rows):
        for column in range(columns):
            sheet[row, :, column] = colour(number, row, column)
    buffer = io.BytesIO()
    picture = sheet.reshape(rows * tile, columns * tile, 3)
    Image.fromarray(picture).save(buffer, "webp", lossless=True, method=0)
    return buffer.getvalue()


def manifest(folder, **changed):
    """study.json in ``folder`` with its sheets in study/, for the units of the book's design."""
    (folder / "study").mkdir()
    files = []
    rows = {n: sum(unit.network == n for unit in DESIGN.units) for n in ("cifar", "imagenet")}
    sheets = [(f"study-batch-{k:02d}.webp", k, len(DESIGN.units), COLUMNS) for k in range(20)]
    sheets += [(f"study-synthetic-{n}.webp", 20 + k, rows[n], 18) for k, n in enumerate(rows)]
    for name, number, height, width in sheets:
        content = _webp(number, height, width, 8)
        (folder / "study" / name).write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        files.append({"file": name, "sha256": sha256, "tile": 8, "columns": width, "rows": height})
    told = {"command": "none", "files": files} | asdict(DESIGN) | changed
    (folder / "study.json").write_text(json.dumps(told), encoding="utf-8")
    return folder / "study.json"
