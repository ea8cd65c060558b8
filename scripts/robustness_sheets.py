"""What the pictures of the chapter *robustness* are made of, and how they are kept."""

import io
import math
import re
from dataclasses import dataclass

import numpy as np

from actmax_lib import zoo
from scripts import results

COMMAND = "python -m scripts.render_robustness"
LEVELS = 24  # of each channel in the sheets: half the bytes, no pixel further off than 6 of 255
LABELS = {
    "fgsm": "adversarial, FGSM",
    "pgd-l2": "adversarial, ℓ2",
    "pgd-linf": "adversarial, ℓ∞",
    "double-backprop": "double backpropagation",
    "gradient-norm": "logit-gradient norm",
    "heavy-gradient-norm": "logit-gradient norm, heavy",
    "score-matched": "score matching",
    "one-sided": "score matching, one-sided",
    "anti-score-matched": "anti score matching",
    "interpretation": "interpretation discrepancy",
    "saliency-guided-standard": "saliency, standard teacher",
    "saliency-guided-robust": "saliency, robust teacher",
}


@dataclass(frozen=True)
class Collection:
    """A data set: what is climbed, and the photograph that is attacked.

    length: of a step, the same a pixel in both sets. split, index: of the photograph.
    """

    title: str
    shape: tuple[int, int, int]
    length: float
    data: str
    split: str
    index: int
    targets: tuple[str, ...]
    eps: tuple[float, ...]


SETS = {
    "fashion": Collection(
        "Fashion-MNIST", (1, 28, 28), 0.175, "fashion-mnist", "sample", 415,
        ("trouser", "sneaker", "bag"),
        (0, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, math.inf),
    ),
    "cifar": Collection(
        "CIFAR-10", (3, 32, 32), 0.35, "cifar-10", "test", 1,
        ("horse", "deer", "truck"),
        (0, 0.1, 0.25, 0.5, 1, 1.5, 2, 4, 6, 9, 13, math.inf),
    ),
}  # fmt: skip


def networks(key: str) -> list[dict]:
    """What the manifest says of each classifier of seed 0, in its order."""
    found = []
    for name, entry in zoo.trained.manifest().items():
        if match := re.fullmatch(rf"{key}-(.+)-0", name):
            method = match[1]
            told = {"method": method, "label": LABELS.get(method, method.replace("-", " "))}
            found.append(told | {"name": name} | {k: entry[k] for k in ("sha256", "accuracy")})
    return found


def webp(tiles: np.ndarray, columns: int) -> bytes:
    """A sheet of LEVELS levels, without further loss."""
    coarse = np.rint(np.rint(tiles / 255 * (LEVELS - 1)) * 255 / (LEVELS - 1)).astype(np.uint8)
    buffer = io.BytesIO()
    results.sheet(coarse, columns).save(buffer, "webp", lossless=True, quality=100, method=6)
    return buffer.getvalue()


def write(name: str, how: Collection, tiles: np.ndarray, columns: int, told: dict) -> None:
    told = {
        "command": COMMAND, "machine": results.machine(), "title": how.title,
        "levels": LEVELS, "size": how.shape[-1], "columns": columns,
    } | told  # fmt: skip
    results.write(name, told, webp(tiles, columns))
