"""What `plots` and `widgets` share: checked descriptions and pictures as data URIs."""

import base64
import io

import numpy as np

ALT_MIN = 20
"""Shortest text alternative accepted, in characters: less only names a figure."""


def check_alt(alt: object, caption: object) -> None:
    """Refuse a text alternative that could not stand in for the picture.

    Raises `TypeError` unless both are strings and `ValueError` if `caption` is empty, or `alt` is
    shorter than `ALT_MIN` characters or repeats the caption.
    """
    for name, text in (("alt", alt), ("caption", caption)):
        if not isinstance(text, str):
            raise TypeError(f"{name} must be a string, got {type(text).__name__}")
    if not caption.strip():
        raise ValueError("caption is empty; say in a sentence what the figure shows")
    if len(alt.strip()) < ALT_MIN:
        raise ValueError(
            f"alt={alt!r} is too short; say in {ALT_MIN} characters or more what there is to see"
        )
    if " ".join(alt.split()).casefold() == " ".join(caption.split()).casefold():
        raise ValueError("alt repeats the caption; describe what there is to see instead")


def as_images(images: object, name: str = "images") -> np.ndarray:
    """Pictures (N, C, H, W) with C = 1 or 3 in [0, 1], tensor or array, as float64 (N, H, W, 3).

    Raises `ValueError` for another shape, integers, non-finite numbers or numbers outside [0, 1]
    (by more than 1e-4, which float arithmetic may leave).
    """
    if hasattr(images, "detach"):
        images = images.detach().cpu().float().numpy()
    array = np.asarray(images)
    if array.ndim != 4 or array.shape[1] not in (1, 3) or 0 in array.shape:
        raise ValueError(f"{name} must have shape (N, 1 or 3, H, W), got {array.shape}")
    if not np.issubdtype(array.dtype, np.floating):
        raise ValueError(f"{name} must be floats in [0, 1], got {array.dtype}; divide by 255?")
    low, high = float(array.min()), float(array.max())
    if not (low >= -1e-4 and high <= 1 + 1e-4):  # also catches NaN
        raise ValueError(f"{name} must lie in [0, 1], got values from {low:.4g} to {high:.4g}")
    array = np.broadcast_to(array, (array.shape[0], 3, *array.shape[2:]))
    return array.transpose(0, 2, 3, 1).astype(np.float64)


def webp(picture: np.ndarray, quality: int = 85) -> str:
    """One picture (H, W, 3) in [0, 1] as a WebP data URI; without loss when it is small (< 64)."""
    from PIL import Image

    pixels = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    buffer = io.BytesIO()
    small = min(pixels.shape[:2]) < 64
    Image.fromarray(pixels).save(buffer, "webp", quality=quality, lossless=small, method=5)
    return data_uri("image/webp", buffer.getvalue())


def data_uri(kind: str, content: bytes) -> str:
    """`content` as a data: URI of media type `kind`."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def is_static() -> bool:
    """True while the book is built (`ACTMAX_STATIC=1`): figures must then live without a kernel."""
    import os

    return os.environ.get("ACTMAX_STATIC", "") not in ("", "0")


class Html:
    """HTML that a notebook shows as its output. `str()` gives the source."""

    def __init__(self, html: str) -> None:
        self._html = html

    def _repr_html_(self) -> str:
        return self._html

    def __str__(self) -> str:
        return self._html
