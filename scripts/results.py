"""What the scripts that render pictures for the book share: keep, resume, describe."""

import hashlib
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "chapters" / "results"
KEPT = ROOT / "_build" / "rendered"  # work in progress; safe to delete


def sha256(content: bytes | Path) -> str:
    """Hex digest of bytes or of a file."""
    content = content.read_bytes() if isinstance(content, Path) else content
    return hashlib.sha256(content).hexdigest()


def kept(name: str, key: Any, make: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """``make()``, or what it gave before for the same JSON-able ``key``; adds its "seconds"."""
    file = KEPT / f"{name}-{sha256(json.dumps(key, sort_keys=True).encode())[:16]}.npz"
    if not file.exists():
        begin = time.perf_counter()
        made = make() | {"seconds": np.array(time.perf_counter() - begin)}
        KEPT.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part.npz")
        np.savez_compressed(part, **made)
        part.rename(file)  # whole or not at all
        print(f"{name}: {made['seconds']:.1f} s", flush=True)
    with np.load(file) as held:
        return dict(held)


def sheet(tiles: np.ndarray, columns: int) -> Image.Image:
    """Tiles (n, H, W) or (n, H, W, 3), uint8, as one picture: tile k in row k // columns."""
    n, height, width, *colour = tiles.shape
    rows = -(-n // columns)
    whole = np.full((rows * columns, height, width, *colour), 255, np.uint8)
    whole[:n] = tiles
    whole = whole.reshape(rows, columns, height, width, *colour).swapaxes(1, 2)
    return Image.fromarray(whole.reshape(rows * height, columns * width, *colour))


def bytes_of(images: torch.Tensor) -> np.ndarray:
    """Pictures (n, C, H, W) in [0, 1] as uint8 (n, H, W) or (n, H, W, 3)."""
    pixels = (images.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    return pixels[..., 0] if pixels.shape[-1] == 1 else pixels


def machine() -> dict[str, str]:
    """Versions and device of this run."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "device": f"cpu, {torch.get_num_threads()} thread",
    }


def write(name: str, manifest: dict, picture: bytes) -> None:
    """``name``.webp and ``name``.json in chapters/results/, the picture's hash in the manifest."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.webp").write_bytes(picture)
    manifest = manifest | {"sheet": f"{name}.webp", "sha256": sha256(picture)}
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    print(f"chapters/results/{name}.webp: {len(picture) / 1e3:.0f} kB")
