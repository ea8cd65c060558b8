"""Parts: a chunk's pictures without loss, with all the numbers about them, in one .npz file."""

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from actmax_lib.atlas import plan as plans
from actmax_lib.atlas.files import AtlasFileError, sha256, write


@dataclass(frozen=True)
class Part:
    """One finished chunk of n classes.

    pictures: uint8 (n, C, H, W); value: (n,) objective of these very pictures; own: (n, K)
    probabilities in the network; judged: (n, J) in the judge, J = 0 without one.
    info: request digest, classes, seconds, batches, autocast, device, versions.
    """

    pictures: np.ndarray
    value: np.ndarray
    own: np.ndarray
    judged: np.ndarray
    info: dict[str, Any]


ARRAYS = ("pictures", "value", "own", "judged")


def digest(plan: dict[str, Any]) -> str:
    """What ties a part to its plan: the hash of the request."""
    return sha256(json.dumps(plan["request"], sort_keys=True).encode())


def path(folder: Path, k: int) -> Path:
    """The file of chunk k."""
    return folder / "parts" / f"part-{k:04d}.npz"


def save(folder: Path, k: int, part: Part) -> int:
    """Write chunk k, whole or not at all; its size in bytes."""
    buffer = io.BytesIO()
    arrays = {name: getattr(part, name) for name in ARRAYS}
    np.savez_compressed(buffer, info=np.array(json.dumps(part.info)), **arrays)
    write(path(folder, k), buffer.getvalue())
    return buffer.tell()


def load(folder: Path, plan: dict[str, Any], k: int) -> Part:
    """Chunk k. Raises FileNotFoundError, or AtlasFileError when it is not what the plan says."""
    file = path(folder, k)
    content = file.read_bytes()
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as held:  # checks a CRC of each array
            arrays = {name: held[name] for name in ARRAYS}
            info = json.loads(str(held["info"][()]))
        part = Part(**arrays, info=info)
    except Exception as error:  # a zip of random bytes can fail in a dozen ways
        raise AtlasFileError(file, f"is damaged ({error!r})") from error
    request, members = plan["request"], list(plans.members(plan, k))
    shape = (len(members), request["channels"], *request["size"])
    if info.get("request") != digest(plan) or info.get("classes") != members:
        raise AtlasFileError(file, "belongs to another atlas")
    if part.pictures.shape != shape or part.pictures.dtype != np.uint8:
        raise AtlasFileError(file, f"holds pictures {part.pictures.shape}, the plan says {shape}")
    return part
