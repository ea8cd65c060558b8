"""The committed atlas, small, as the state of the live figure ``atlas``; and its numbers."""

import hashlib
import json
import math
from pathlib import Path
from typing import Any

from actmax_lib._html import data_uri, is_static
from actmax_lib.atlas.files import AtlasFileError


def state(file: str | Path, address: str) -> dict[str, Any]:
    """State for ``widgets.figure("atlas", **state(...))`` from ``atlas.json`` and its sheets.

    file: what ``scripts/make_atlas.py`` wrote; the sheets lie in the folder of the same name.
    address: where the built page finds them, such as "../../_static"; loaded when they are looked
    at. In a live kernel, which has no such place, they are part of the state.
    Raises AtlasFileError when a sheet is missing or not the one described.
    """
    file = Path(file)
    told = json.loads(file.read_text(encoding="utf-8"))
    sheets = []
    for listed in told["sheets"]:
        sheet = file.with_suffix("") / listed["file"]
        try:
            content = sheet.read_bytes()
        except FileNotFoundError:
            raise AtlasFileError(sheet, f"is missing, {file.name} names it") from None
        if hashlib.sha256(content).hexdigest() != listed["sha256"]:
            raise AtlasFileError(sheet, f"is not the sheet that {file.name} describes")
        static = f"{address.rstrip('/')}/{listed['file']}"
        sheets.append(static if is_static() else data_uri("image/webp", content))
    return {
        "sheets": sheets,
        "tile": {name: told["tile"][name] for name in ("columns", "rows")},
        "names": told["names"],
        "classes": told["classes"],
    }


def wilson(hits: int, count: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % interval of a share of ``hits`` in ``count`` trials (Wilson 1927)."""
    share, spread = hits / count, z * z / count
    middle = share + spread / 2
    half = z * math.sqrt(share * (1 - share) / count + spread / (4 * count))
    low, high = ((middle + side * half) / (1 + spread) for side in (-1, 1))
    return max(low, 0.0), min(high, 1.0)  # without the rounding at 0 and 1
