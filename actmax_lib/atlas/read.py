"""Read an atlas back."""

import io
import json
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from actmax_lib import checks
from actmax_lib.atlas.files import AtlasError, AtlasFileError, sha256
from actmax_lib.atlas.plan import FORMAT
from actmax_lib.errors import closest

HELD = 4  # decoded files kept in memory


class Atlas:
    """A finished atlas: ``entries``, one dict a class in the manifest's order, and their pictures.

    manifest: all of manifest.json. Files are read when they are asked for, and their hash checked.
    """

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self.folder, self.manifest = folder, manifest
        self.entries: list[dict[str, Any]] = manifest["classes"]
        self._held: OrderedDict[str, np.ndarray] = OrderedDict()

    def __len__(self) -> int:
        return len(self.entries)

    def position(self, k: int | str) -> int:
        """Place in ``entries`` of a class, by its index in the network or by its name.

        Raises KeyError for a class that is not in the atlas; it offers the nearest names.
        """
        key = "name" if isinstance(k, str) else "index"
        if key == "index":
            k = checks.count("k", k, at_least=0)
        found = [at for at, entry in enumerate(self.entries) if entry[key] == k]
        if len(found) != 1:
            near = closest(k, [e["name"] for e in self.entries]) if isinstance(k, str) else ""
            problem = "is there twice, use its index" if found else "is not in this atlas"
            raise KeyError(f"class {k!r} {problem}; {near}" if near else f"class {k!r} {problem}")
        return found[0]

    def picture(self, k: int | str, *, lossless: bool = False) -> Tensor:
        """The picture of a class (index or name), float32 (C, H, W) in [0, 1].

        From its sheet: C = 3, WebP with some loss. lossless: from its part, the very bytes that
        the numbers belong to; C = 1 for grey.
        Raises AtlasFileError, which names the file, when it is missing or not the manifest's.
        """
        at = self.position(k)
        if lossless:
            for listed in self.manifest["parts"]:
                if at < len(listed["classes"]):
                    return self._tensor(self._part(listed)[at])
                at -= len(listed["classes"])
            raise AtlasFileError(self.folder / "manifest.json", f"lists no part for class {k!r}")
        entry, tile = self.entries[at], self.manifest["tile"]
        pixels = self._sheet(self.manifest["sheets"][entry["sheet"]])
        top, left = entry["row"] * tile["height"], entry["column"] * tile["width"]
        cut = pixels[top : top + tile["height"], left : left + tile["width"]]
        return self._tensor(cut.transpose(2, 0, 1))

    @staticmethod
    def _tensor(pixels: np.ndarray) -> Tensor:
        return torch.from_numpy(pixels.copy()).float() / 255

    def _content(self, listed: dict[str, Any]) -> bytes:
        file = self.folder / listed["file"]
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            raise AtlasFileError(file, "is missing; call the atlas again to make it") from None
        if sha256(content) != listed["sha256"]:
            raise AtlasFileError(
                file, "is not the file of manifest.json (SHA-256); call the atlas again to make it"
            )
        return content

    def _sheet(self, listed: dict[str, Any]) -> np.ndarray:
        return self._once(listed, lambda raw: np.asarray(Image.open(raw).convert("RGB")))

    def _part(self, listed: dict[str, Any]) -> np.ndarray:
        def read(raw: io.BytesIO) -> np.ndarray:
            with np.load(raw, allow_pickle=False) as held:
                return held["pictures"]

        return self._once(listed, read)

    def _once(self, listed: dict[str, Any], read: Any) -> np.ndarray:
        name = listed["file"]
        if name not in self._held:
            self._held[name] = read(io.BytesIO(self._content(listed)))
            while len(self._held) > HELD:
                self._held.popitem(last=False)
        return self._held[name]


def load(folder: str | Path) -> Atlas:
    """The atlas in ``folder``.

    Raises AtlasFileError when its manifest is missing, damaged or of another format.
    """
    file = Path(folder) / "manifest.json"
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        begun = "it was begun, call the same again" if file.with_name("plan.json").exists() else ""
        raise AtlasFileError(file, f"is missing; {begun or 'no atlas is here'}") from None
    except (OSError, ValueError) as error:
        raise AtlasFileError(file, f"cannot be read ({error}); call the atlas again") from error
    found = manifest if isinstance(manifest, dict) else {}
    version = found.get("format"), found.get("version")
    if version != ("actmax-atlas", FORMAT):
        raise AtlasFileError(file, f"is no atlas of format {FORMAT}: {version}")
    return Atlas(Path(folder), manifest)


__all__ = ["Atlas", "AtlasError", "AtlasFileError", "load"]
