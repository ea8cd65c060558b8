"""Networks that the book trained itself: ``<name>.safetensors``, described in ``manifest.json``.

Scripts write them: ``net = rounded(net)``, measure it, ``save(net, name, entry)``.
"""

import copy
import json
import os
import platform
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from actmax_lib.data.dataset import DataFileError
from actmax_lib.zoo import cifar, fashion

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

FOLDER = Path(__file__).parent
# What an entry must tell beside what ``save`` finds out by itself.
REQUIRED = ("kwargs", "command", "seed", "device", "seconds", "data")


def architectures() -> dict[str, type[nn.Module]]:
    """The classes a trained network can be of: those of ``zoo/fashion.py`` and ``zoo/cifar.py``."""
    return {
        name: made
        for module in (fashion, cifar)
        for name, made in vars(module).items()
        if isinstance(made, type) and made.__module__ == module.__name__
    }


def manifest(folder: Path | None = None) -> dict[str, dict]:
    """The entry of each network. Raises DataFileError when the file is damaged or missing."""
    folder = folder or FOLDER
    file = folder / "manifest.json"
    if not file.exists() and not list(folder.glob("*.safetensors")):
        return {}
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataFileError(file, f"cannot be read ({error}); restore it") from error
    if not isinstance(entries, dict) or not all(isinstance(e, dict) for e in entries.values()):
        raise DataFileError(file, "must hold one entry a network; restore it")
    return entries


def build(name: str, folder: Path | None = None) -> nn.Module:
    """The network with its trained weights, in float32 on the CPU, its entry in ``net.manifest``.

    Raises KeyError for an unknown name, DataFileError, which names the file, when the weights are
    not those of the manifest or do not fit its architecture.
    """
    folder = folder or FOLDER
    entry, file = manifest(folder)[name], folder / f"{name}.safetensors"
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DataFileError(file, f"is in the manifest but cannot be read ({error})") from error
    if sha256(content).hexdigest() != entry.get("sha256"):
        raise DataFileError(file, "is not the file of manifest.json (SHA-256); restore both")
    try:
        state = _floats(safetensors.torch.load(content), torch.float32)
        with torch.random.fork_rng(devices=[]):  # the random start is thrown away
            net = architectures()[entry["architecture"]](**entry["kwargs"])
        net.load_state_dict(state)
    except (KeyError, TypeError, ValueError, RuntimeError, safetensors.SafetensorError) as error:
        raise DataFileError(
            folder / "manifest.json", f"the entry of {name} does not fit its weights ({error!r})"
        ) from error
    net.manifest = entry
    return net.eval().requires_grad_(False)


def rounded(net: nn.Module) -> nn.Module:
    """A copy of ``net`` whose weights are numbers of half precision, so that half the bytes do.

    Raises ValueError when a weight is too large for it (65 504) or is not finite.
    """
    net = copy.deepcopy(net)
    for key, value in net.state_dict().items():
        if value.is_floating_point():
            value.copy_(value.half())
            if not bool(torch.isfinite(value).all()):
                raise ValueError(f"{key} holds values that half precision does not have")
    return net


def save(net: nn.Module, name: str, entry: Mapping[str, Any], folder: Path | None = None) -> Path:
    """Write the weights of ``net`` and its entry; an old one of that name is replaced.

    entry: kwargs (what its class was made with), command, seed, device, seconds, data (hash of what
    it was trained on), and accuracy or loss, measured on this very ``net``. Added here:
    architecture, parameters, dtype, bytes, sha256, versions. Weights that half precision holds
    exactly (``rounded``) are stored in it, others in float32.

    Raises ValueError for a wrong name, a missing key, or kwargs that do not make such a network.
    """
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise ValueError(f"name must be words of a-z and 0-9 joined by '-', got {name!r}")
    missing = [key for key in REQUIRED if key not in entry]
    if not {"accuracy", "loss"} & set(entry):
        missing.append("accuracy or loss")
    if missing:
        raise ValueError(f"entry of {name!r} lacks {', '.join(missing)}")
    architecture = type(net).__name__
    if architectures().get(architecture) is not type(net):
        known = ", ".join(architectures())
        raise ValueError(f"net is a {architecture}, which the zoo has not; it has {known}")
    with torch.random.fork_rng(devices=[]):
        again = type(net)(**entry["kwargs"]).state_dict()
    state = _floats(net.state_dict(), torch.float32)
    if _shapes(again) != _shapes(state):
        raise ValueError(f"kwargs {entry['kwargs']!r} do not make a network of these shapes")
    if not all(bool(torch.isfinite(value).all()) for value in state.values()):
        raise ValueError(f"the weights of {name!r} hold NaN or Inf")
    half = _floats(state, torch.float16)
    dtype = "float32"
    if all(torch.equal(half[key].to(value.dtype), value) for key, value in state.items()):
        state, dtype = half, "float16"
    content = safetensors.torch.save(state)
    full = {
        "architecture": architecture,
        **entry,
        "parameters": sum(p.numel() for p in net.parameters()),
        "dtype": dtype,
        "bytes": len(content),
        "sha256": sha256(content).hexdigest(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
    }
    folder = folder or FOLDER
    file = folder / f"{name}.safetensors"
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        entries = dict(sorted({**manifest(folder), name: full}.items()))
        text = json.dumps(entries, indent=2, allow_nan=False) + "\n"
        _replace(file, content)
        _replace(folder / "manifest.json", text.encode())
    return file


def _floats(state: Mapping[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    """A copy on the CPU with its floating-point tensors in ``dtype``."""
    return {
        key: value.detach().to("cpu", dtype if value.is_floating_point() else None).contiguous()
        for key, value in state.items()
    }


def _shapes(state: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {key: tuple(value.shape) for key, value in state.items()}


def _replace(file: Path, content: bytes) -> None:
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    temporary.write_bytes(content)
    os.replace(temporary, file)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two trainings that end together must not overwrite each other's entry."""
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
