"""From parts to what others read: WebP sheets of tiles, and the manifest."""

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, features

from actmax_lib.atlas import parts
from actmax_lib.atlas import plan as plans
from actmax_lib.atlas.files import sha256, write

SIDE = 4096  # pixels of a sheet's longer side, at most; WebP ends at 16383
ROWS = 10  # and tiles in a row and in a column
QUALITY = 90
TOP = 5


def geometry(size: tuple[int, int], count: int) -> dict[str, int]:
    """How tiles of (height, width) are laid: tile k is in row k // columns of its sheet."""
    height, width = size
    columns = max(1, min(ROWS, SIDE // width, count))
    rows = max(1, min(ROWS, SIDE // height, -(-count // columns)))
    return {"width": width, "height": height, "columns": columns, "rows": rows}


def sheet(tiles: np.ndarray, columns: int) -> Image.Image:
    """Tiles uint8 (n, C, H, W), C = 1 or 3, row by row as one picture; white where none is left."""
    n, channels, height, width = tiles.shape
    rows = -(-n // columns)
    whole = np.full((rows * columns, height, width, channels), 255, np.uint8)
    whole[:n] = tiles.transpose(0, 2, 3, 1)
    whole = whole.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    whole = whole.reshape(rows * height, columns * width, channels)
    return Image.fromarray(whole[..., 0] if channels == 1 else whole)


def encoded(picture: Image.Image, quality: int = QUALITY) -> bytes:
    """The picture as WebP, in colours."""
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, "webp", quality=quality, method=4)
    return buffer.getvalue()


def best(p: np.ndarray, names: Sequence[str], k: int = TOP) -> list[list[Any]]:
    """The k likeliest classes of one row, likeliest first: [index, name, probability]."""
    order = np.argsort(-p, kind="stable")[:k]
    return [[int(i), names[i], _rounded(p[i])] for i in order]


def _rounded(p: float) -> float:
    return float(f"{float(p):.6g}")


def entry(
    index: int, part: parts.Part, at: int, names: Sequence[str], judge_names: Sequence[str]
) -> dict[str, Any]:
    """What the manifest says of one class; ``agrees`` where judge and network share their names."""
    own, judged = part.own[at], part.judged[at]
    told = {
        "index": index,
        "name": names[index],
        "value": _rounded(part.value[at]),
        "p": _rounded(own[index]),
        "own": best(own, names, 1)[0],
    }
    if len(judged):
        told["judge"] = best(judged, judge_names)
        if list(judge_names) == list(names):
            told["judge_p"] = _rounded(judged[index])
            told["judge_rank"] = 1 + int((~(judged <= judged[index])).sum())  # NaN is no agreement
    return told


def compose(
    folder: Path, plan: dict[str, Any], about: dict[str, Any], names: Sequence[str],
    judge_names: Sequence[str], say: Callable[[str], None],
) -> dict[str, Any]:  # fmt: skip
    """Write the sheets that are missing or damaged, and the manifest; returns the manifest.

    All parts must be there; each is read once, so that memory holds one sheet and one part.
    """
    request = plan["request"]
    tile = geometry(tuple(request["size"]), len(request["classes"]))
    room = tile["columns"] * tile["rows"]
    before = _before(folder, say)
    found: list[dict[str, Any]] = []
    sheets: list[dict[str, Any]] = []
    listed: list[dict[str, Any]] = []
    waiting: list[np.ndarray] = []

    def lay(last: bool) -> None:
        while len(waiting) >= room or (last and waiting):
            tiles, waiting[:] = np.stack(waiting[:room]), waiting[room:]
            name = f"sheet-{len(sheets):03d}.webp"
            sheets.append(_sheet(folder / name, tiles, tile["columns"], before, say))

    for k in range(len(plan["chunks"])):
        part = parts.load(folder, plan, k)
        file = parts.path(folder, k)
        listed.append({"file": f"parts/{file.name}", "sha256": sha256(file)} | part.info)
        for at, index in enumerate(plans.members(plan, k)):
            number, place = divmod(len(found), room)
            row, column = divmod(place, tile["columns"])
            where = {"sheet": number, "row": row, "column": column}
            found.append(entry(index, part, at, names, judge_names) | where)
        waiting += list(part.pictures)
        lay(last=False)
    lay(last=True)
    recipe = {key: value for key, value in request.items() if key != "classes"}
    manifest = {
        "format": "actmax-atlas",
        "version": plans.FORMAT,
        **about,
        "recipe": recipe,
        "seconds": round(sum(one["seconds"] for one in listed), 1),
        "machines": _distinct(listed),
        "tile": tile,
        "sheets": sheets,
        "parts": listed,
        "classes": found,
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=None, separators=(",", ":"))
    text = text.replace('},{"index"', '},\n{"index"')  # a line a class: diffs stay readable
    write(folder / "manifest.json", (text + "\n").encode())
    return manifest


def _distinct(listed: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The machines that rendered the parts, each once."""
    machines = [{key: one[key] for key in ("device", "threads", "versions")} for one in listed]
    return [one for k, one in enumerate(machines) if one not in machines[:k]]


def _sheet(
    file: Path, tiles: np.ndarray, columns: int, before: dict[str, str], say: Callable[[str], None]
) -> dict[str, Any]:
    """Keep the sheet when it is what an earlier call wrote from these tiles, else write it."""
    source = sha256(tiles.tobytes() + Image.__version__.encode())
    known, digest = before.get(file.name, ("", ""))
    if known == source and file.exists():
        if sha256(file) == digest:
            return _listed(file, digest, source, len(tiles))
        say(f"{file.name} is damaged; it is composed again")
    content = encoded(sheet(tiles, columns))
    write(file, content)
    return _listed(file, sha256(content), source, len(tiles))


def _listed(file: Path, digest: str, source: str, count: int) -> dict[str, Any]:
    return {"file": file.name, "sha256": digest, "tiles": count, "tiles_sha256": source}


def _before(folder: Path, say: Callable[[str], None]) -> dict[str, tuple[str, str]]:
    """(hash of the tiles, hash of the file) of each sheet that an earlier call finished."""
    file = folder / "manifest.json"
    if not file.exists():
        return {}
    try:
        sheets = json.loads(file.read_text(encoding="utf-8"))["sheets"]
        return {one["file"]: (one["tiles_sha256"], one["sha256"]) for one in sheets}
    except (OSError, ValueError, KeyError, TypeError) as error:
        say(f"manifest.json is damaged ({error!r}); it is written again")
        return {}


def writer() -> str:
    """Versions of what made the sheets."""
    return f"Pillow {Image.__version__}, WebP {features.version('webp')}"
