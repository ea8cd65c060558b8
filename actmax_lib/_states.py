"""State of the figures that show pictures: films, ingredients, and a playground of settings."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from actmax_lib._html import as_images, data_uri, webp

_WEBP_LIMIT = 16383


def plain(value: Any) -> Any:
    """A copy with tensors, arrays and NumPy numbers as lists and numbers."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def sprite(images: Any, columns: int | None = None, *, quality: int = 80) -> dict[str, Any]:
    """All frames in one picture, as the state of a figure wants them.

    `images`: (F, C, H, W) in [0, 1], C = 1 or 3. `columns`: frames a row (default: near square).
    `quality`: of the WebP, 1..100. Returns ``{"src", "rows", "columns", "height", "width"}``: the
    data URI, the layout, and one frame's size in pixels. Frame k is in row k // columns.
    """
    frames = as_images(images)
    count, height, width, _ = frames.shape
    columns = columns or int(np.ceil(np.sqrt(count)))
    if not 1 <= columns <= count:
        raise ValueError(f"columns={columns} must be between 1 and the {count} frames")
    rows = -(-count // columns)
    if max(rows * height, columns * width) > _WEBP_LIMIT:
        raise ValueError(
            f"{count} frames of {height}x{width} do not fit in a picture of {_WEBP_LIMIT} pixels; "
            "pass fewer or smaller frames"
        )
    sheet = np.ones((rows * columns, height, width, 3))
    sheet[:count] = frames
    sheet = sheet.reshape(rows, columns, height, width, 3).transpose(0, 2, 1, 3, 4)
    src = webp(sheet.reshape(rows * height, columns * width, 3), quality)
    return {"src": src, "rows": rows, "columns": columns, "height": height, "width": width}


def films(
    run: Any, names: Sequence[str], notes: Sequence[str] | None = None, *, quality: int = 80
) -> list[dict[str, Any]]:
    """State `films` of the figure "film" from a `Run` that kept frames: one film an image.

    `names`: what each of the N images was made for; `notes`: a sentence under each. The value of a
    frame is the recorded value of its step (the last one for the frame after the last step).
    """
    if run.frames is None or len(run.frames) == 0:
        raise ValueError("run has no frames; ask for them: maximize(..., frames=24)")
    count = len(run.images)
    for label, texts in (("names", names), ("notes", notes)):
        if texts is not None and len(texts) != count:
            raise ValueError(f"{label} has {len(texts)} entries for {count} images")
    steps = [int(step) for step in run.frame_steps]
    history = np.asarray(plain(run.history), dtype=float)
    at = np.minimum(steps, len(history) - 1)
    made = []
    for k in range(count):
        entry = {
            "name": names[k],
            "sheet": sprite(run.frames[:, k], quality=quality),
            "steps": steps,
            "values": [round(v, 4) for v in history[at, k].tolist()],
            "history": [round(v, 3) for v in history[:, k].tolist()],
        }
        made.append(entry if notes is None else entry | {"note": notes[k]})
    return made


def ingredients(
    switches: Mapping[str, str],
    classes: Sequence[str],
    rendered: Mapping[str, tuple[Any, Sequence[Sequence[Any]], Any]],
    *,
    quality: int = 85,
) -> dict[str, Any]:
    """State of the figure "ingredients": ``figure("ingredients", **ingredients(...), ...)``.

    `switches`: label of each ingredient by a short key, in order. `classes`: what the N pictures of
    a combination were made for. `rendered`: for each combination that was rendered, a digit 0 or 1
    a switch ("101"), the triple (images (N, C, H, W), what the judging network says of each picture
    as in `zoo.top`: tuples that end in name and probability, values (N,) of the objective).
    Raises `ValueError` for a key of another form and for counts that differ.
    """
    combos = {}
    for key, (images, says, values) in rendered.items():
        if len(key) != len(switches) or set(key) - {"0", "1"}:
            raise ValueError(f"combination {key!r} must be {len(switches)} digits 0 or 1")
        pictures, values = as_images(images), plain(values)
        for name, many in (("images", pictures), ("judgements", says), ("values", values)):
            if len(many) != len(classes):
                raise ValueError(
                    f"combination {key!r} has {len(many)} {name} for {len(classes)} classes"
                )
        combos[key] = [
            {
                "src": webp(picture, quality),
                "top": [[str(name), round(float(p), 4)] for *_, name, p in top],
                "value": round(float(value), 4),
            }
            for picture, top, value in zip(pictures, says, values, strict=True)
        ]
    labels = [{"key": key, "label": label} for key, label in switches.items()]
    return {"switches": labels, "classes": list(classes), "combos": combos}


def sheet_of(manifest: str | Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """(content of a manifest of `scripts/results.py`, its sheet as the state of a figure).

    Raises `ValueError` when the sheet is not the one the manifest describes.
    """
    manifest = Path(manifest)
    known = json.loads(manifest.read_text(encoding="utf-8"))
    picture = (manifest.parent / known["sheet"]).read_bytes()
    if hashlib.sha256(picture).hexdigest() != known["sha256"]:
        raise ValueError(
            f"{known['sheet']} is not the picture that {manifest.name} describes; "
            f"render both again with {known['command']}"
        )
    return known, {"src": data_uri("image/webp", picture)} | {
        key: known[key] for key in ("columns", "size")
    }


def playground(manifest: str | Path) -> dict[str, Any]:
    """State of the figure "playground": ``figure("playground", **playground(path), ...)``.

    `manifest`: the JSON file of `scripts/render_playground.py`, with its sheet of pictures beside
    it. Raises `ValueError` when the sheet is not the one the manifest describes.
    """
    known, sheet = sheet_of(manifest)
    wanted = ("classes", "seeds", "steps", "families", "logit", "high", "data")
    return {"sheet": sheet, "grid": {key: known[key] for key in wanted}}
