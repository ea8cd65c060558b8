"""State of the figure "ascent": two networks that run in the page."""

import hashlib
import json
from pathlib import Path
from typing import Any

from actmax_lib._html import data_uri, is_static


def ascent(manifest: str | Path, address: str) -> dict[str, Any]:
    """State of the figure "ascent": ``figure("ascent", **ascent(path, "../../_static"), ...)``.

    `manifest`: the JSON file of `scripts/export_live.py`, with its film beside it and the weights
    in the folder of the same name. `address`: where the built page finds the weights, which it
    loads when its reader presses Start; in a live kernel, which has no such place, they are part of
    the state. Raises `ValueError` when a file is missing or not the one the manifest describes.
    """
    manifest = Path(manifest)
    known = json.loads(manifest.read_text(encoding="utf-8"))
    told = known["weights"]
    weights = _checked(manifest.with_suffix("") / told["file"], told["sha256"], known)
    picture = _checked(manifest.parent / known["sheet"], known["sha256"], known)
    film = {key: known[key] for key in ("classes", "steps", "logit", "p")} | {
        "sheet": {"src": data_uri("image/webp", picture)}
        | {key: known[key] for key in ("columns", "size")},
        "networks": [network["label"] for network in known["networks"]],
    }
    static = f"{address.rstrip('/')}/{told['file']}"
    return {
        "weights": static if is_static() else data_uri("text/javascript", weights),
        "film": film,
    } | known["recipe"]


def _checked(file: Path, sha256: str, known: dict[str, Any]) -> bytes:
    """The content of a file that the manifest describes."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ValueError(f"{file} cannot be read ({error}); run {known['command']}") from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(
            f"{file} is not the file that the manifest describes; make both again with "
            f"{known['command']}"
        )
    return content
