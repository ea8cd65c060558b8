"""What a student's notebook carries with it: a small network and pictures, as text in a cell.

Source of truth are the library's own files; the text is the same on every machine.
"""

import base64
from functools import cache
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

LIBRARY = Path(__file__).resolve().parents[1] / "actmax_lib"
NETWORKS = {"robust": "fashion-pgd-l2-0", "standard": "fashion-standard-0"}
CARRIED = "robust"  # its pictures can be recognised; the other is for a judge
NORMALIZATION = {"mean": 0.286, "sd": 0.353}  # of these networks, see actmax_lib/zoo/fashion.py
EACH = 2  # pictures a class
WIDTH = 160  # of a line: a notebook with few long lines is slow to open
NAMES = ("fashion",)
HEAD = """\
# Data of this sheet, as text; nothing to read here. A small network (float16 weights) and
# 20 pictures of Fashion-MNIST (MIT licence, Copyright 2017 Zalando SE).
import base64

import numpy as np

"""
TAIL = """
CARRIED = {
    name: np.frombuffer(base64.b64decode(text), dtype).reshape(shape).copy()
    for name, (dtype, shape, text) in CARRIED.items()
}"""


@cache
def _weights(kind: str) -> dict[str, np.ndarray]:
    found = load_file(LIBRARY / "zoo" / "trained" / f"{NETWORKS[kind]}.safetensors")
    return {key: np.float16(found[key]) for key in sorted(found)}


@cache
def _arrays() -> dict[str, np.ndarray]:
    with np.load(LIBRARY / "data" / "shipped" / "fashion-mnist.npz") as sample:
        pixels, labels = sample["pixels"][:, 0], sample["labels"]
    chosen = np.concatenate([np.flatnonzero(labels == k)[:EACH] for k in range(10)])
    pictures = {"pictures": pixels[chosen], "labels": labels[chosen].astype(np.uint8)}
    return _weights(CARRIED) | pictures


def network(kind: str) -> dict[str, np.ndarray | float]:
    """Weights as in the sheet: float32 arrays "conv1.weight" ..., and "mean" and "sd".

    kind: "robust", which students have, or "standard", which they do not.
    """
    if kind not in NETWORKS:
        raise ValueError(f"no network {kind!r}; there is {', '.join(NETWORKS)}")
    return {key: np.float32(value) for key, value in _weights(kind).items()} | NORMALIZATION


def arrays(name: str) -> dict[str, np.ndarray]:
    """The carried arrays, by name; each call gives copies.

    "fashion": "conv1.weight" and the like (float16), "pictures" (20, 28, 28) uint8 and "labels"
    (20,) uint8. Raises ValueError for another name.
    """
    if name not in NAMES:
        raise ValueError(f"nothing called {name!r} can be carried; there is {', '.join(NAMES)}")
    return {key: value.copy() for key, value in _arrays().items()}


def carried(name: str) -> str:
    """Lines of Python that need NumPy alone and leave the `arrays` in a dict `CARRIED`.

    Raises ValueError for a name that is not known.
    """
    parts = [_entry(key, value) for key, value in arrays(name).items()]
    return f"{HEAD}CARRIED = {{\n{''.join(parts)}}}{TAIL}"


def _entry(key: str, value: np.ndarray) -> str:
    value = value.astype(value.dtype.newbyteorder("<"))
    text = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode("ascii")
    lines = "\n".join(text[at : at + WIDTH] for at in range(0, len(text), WIDTH))
    return f'    "{key}": ("{value.dtype.str}", {value.shape}, """\n{lines}"""),\n'
