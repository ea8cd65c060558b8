"""Peers import torchvision, whose compiled operators are not there beside a CPU-only torch."""

import importlib
import importlib.util
import re
import sys
import warnings
from pathlib import Path

import torch

libraries: list[torch.library.Library] = []  # a declaration lives as long as its library


def prepare_imports(name: str, torchvision: bool = True) -> None:
    """Make ``import name`` possible; ImportError when it is not installed.

    torchvision: whether ``name`` imports it. It refuses to be imported beside a torch for which its
    compiled operators were not built (wheels of the default index want CUDA). They are then
    declared, and a peer that calls one has to replace it (``operators_run`` tells).
    """
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    for package in (name, "torchvision") if torchvision else (name,):
        if importlib.util.find_spec(package) is None:
            raise ImportError(f"{package} is not installed; `make bench` installs it")
    if not torchvision:
        return
    try:
        importlib.import_module("torchvision")
    except RuntimeError:
        _declare_operators()


def operators_run() -> bool:
    """Whether torchvision's compiled operators can be called."""
    from torchvision.extension import _has_ops

    return bool(_has_ops())


def _declare_operators() -> None:
    (folder,) = importlib.util.find_spec("torchvision").submodule_search_locations
    source = Path(folder, "_meta_registrations.py").read_text(encoding="utf-8")
    library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in sorted(set(re.findall(r"torchvision::(\w+)", source))):
        library.define(f"{operator}(Tensor x) -> Tensor")
    libraries.append(library)
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
