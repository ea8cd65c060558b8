"""The atlas of the book: `python -m scripts.make_atlas DIR`.

DIR is what `python -m actmax_lib.atlas` left, finished. Its pictures are shrunk and laid on sheets
that stay below a limit together. Output: chapters/results/atlas.json, chapters/results/atlas/*.webp
"""

import argparse
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from actmax_lib import atlas
from actmax_lib.atlas.files import sha256, write
from actmax_lib.atlas.lookup import chosen
from actmax_lib.zoo import class_names
from scripts import results

TILE, SIDE = 128, 10  # pixels of a tile, tiles in a row and in a column of a sheet
LIMIT = 6_000_000  # bytes of all sheets
QUALITIES = (85, 80, 75, 70, 65, 60, 55, 50, 45, 40, 35, 30)


def tiles(made: atlas.Atlas, side: int) -> np.ndarray:
    """All pictures, averaged down to ``side`` pixels, uint8 (n, side, side, 3)."""
    small = []
    for entry in made.entries:
        pixels = results.bytes_of(made.picture(entry["index"], lossless=True)[None])[0]
        picture = Image.fromarray(pixels).convert("RGB")
        small.append(np.asarray(picture.resize((side, side), Image.Resampling.BOX)))
    return np.stack(small)


def encoded(small: np.ndarray, quality: int) -> list[bytes]:
    """The sheets as WebP."""
    sheets = []
    for first in range(0, len(small), SIDE * SIDE):
        piece = small[first : first + SIDE * SIDE]
        full = np.full((SIDE * SIDE, *piece.shape[1:]), 255, np.uint8)  # all of one size
        full[: len(piece)] = piece
        buffer = io.BytesIO()
        results.sheet(full, SIDE).save(buffer, "webp", quality=quality, method=6)
        sheets.append(buffer.getvalue())
    return sheets


def smallest_loss(small: np.ndarray, limit: int) -> tuple[int, list[bytes]]:
    """The best quality whose sheets have ``limit`` bytes at most, and the sheets."""
    for quality in QUALITIES:
        sheets = encoded(small, quality)
        if sum(map(len, sheets)) <= limit:
            return quality, sheets
    raise SystemExit(f"even at quality {quality} the sheets exceed {limit} bytes; lower --tile")


def row(entry: dict[str, Any]) -> list[Any]:
    """An entry of the manifest without names: see `names` in the result."""
    short = lambda number: float(f"{number:.4g}")  # noqa: E731
    return [
        entry["index"], short(entry["value"]), short(entry["p"]),
        entry["own"][0], short(entry["own"][2]), short(entry["judge_p"]), entry["judge_rank"],
        [[index, short(p)] for index, _, p in entry["judge"]],
    ]  # fmt: skip


def shared_names(made: atlas.Atlas) -> list[str]:
    """The names of all classes of network and judge."""
    network = made.manifest["recipe"]["network"]
    if "judge_rank" not in made.entries[0]:
        raise SystemExit("this atlas has no judge that knows the same classes")
    if network.startswith("efficientnet"):
        return list(class_names())
    return list(chosen("network", network)().classes)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tile", type=int, default=TILE)
    parser.add_argument("--limit", type=int, default=LIMIT)
    asked = parser.parse_args(argv)
    made = atlas.load(asked.folder)
    manifest, names = made.manifest, shared_names(made)
    quality, sheets = smallest_loss(tiles(made, asked.tile), asked.limit)
    folder = results.RESULTS / "atlas"
    for old in folder.glob("atlas-*.webp"):
        old.unlink()
    listed = []
    for k, content in enumerate(sheets):
        name = f"atlas-{k}.webp"
        write(folder / name, content)
        listed.append({"file": name, "sha256": sha256(content)})
    parts = manifest["parts"]
    told = {
        "commands": [
            manifest["command"], f"python -m scripts.make_atlas DIR --tile {asked.tile}"
        ],
        "recipe": manifest["recipe"],
        "manifest_sha256": sha256(asked.folder / "manifest.json"),
        "seconds": manifest["seconds"],
        "machines": manifest["machines"],
        "writer": manifest["writer"],
        "batches": sorted({size for part in parts for size in part["batches"]}),
        "notes": [note for part in parts for note in part.get("notes", [])],
        "tile": {"side": asked.tile, "columns": SIDE, "rows": SIDE, "quality": quality},
        "sheets": listed,
    }  # fmt: skip
    text = json.dumps(told, indent=1, ensure_ascii=False)[:-2]
    words = json.dumps(names, ensure_ascii=False)
    rows = ",\n".join(json.dumps(row(entry), separators=(",", ":")) for entry in made.entries)
    # a line a class: index, value, p, own index, own p, judge's p, rank there, judge's first five
    whole = f'{text},\n "names": {words},\n "classes": [\n{rows}\n ]\n}}\n'
    write(results.RESULTS / "atlas.json", whole.encode())
    weight = sum(map(len, sheets))
    print(f"chapters/results/atlas: {len(sheets)} sheets, {weight / 1e6:.1f} MB, quality {quality}")


if __name__ == "__main__":
    main()
