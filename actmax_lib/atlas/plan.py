"""The plan: which classes are rendered together, decided once from the memory there is.

Pictures are chaotic in rounding, and a batch of another size rounds otherwise. So the chunks are
written down before the first is rendered, and every later call, of any number of processes, keeps
to them.
"""

import itertools
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from actmax_lib import checks
from actmax_lib.atlas.files import AtlasFileError, write

FORMAT = 1
# Larger batches gain nothing: a CPU's caches are full, a GPU is busy; and a kill loses a batch.
CAP = {"cpu": 16}
CAP_GPU = 128
SHARE = 0.5  # of the free memory; the rest is for others and for what the measure does not see
TRANSIENT = 2.5  # with gradients and work space; 2.4 was measured on a CPU, Lite0 at 224


def free_memory(device: torch.device) -> int:
    """Bytes that a process can still have on this device."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2]
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        table = {line.split(":")[0]: line.split()[1] for line in lines}
        found = [int(table["MemAvailable"]) * 1024]
        group = Path("/sys/fs/cgroup")  # a container may have less than its machine
        limit = (group / "memory.max").read_text().strip()
        if limit != "max":
            found.append(int(limit) - int((group / "memory.current").read_text()))
    except (OSError, KeyError, ValueError, IndexError):
        pass  # another system: half of its memory stays
    return max(min(found), 0)


def bytes_per_image(climb: Any) -> int:
    """What one more picture takes: ``climb(n)`` is run for 2 and for 1, for a single step.

    Counted is what the forward pass keeps for the backward pass; weights cancel in the difference.
    """
    return max(round(TRANSIENT * (_kept(climb, 2) - _kept(climb, 1))), 1)


def _kept(climb: Any, batch: int) -> int:
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        climb(batch)
    return sum(kept.values())


def batch_size(asked: str | int, free: int, each: int, device: torch.device) -> int:
    """Pictures rendered at once: as asked, or for "auto" as many as fit, up to a cap."""
    if asked != "auto":
        return checks.count("batch", asked)
    return max(1, min(int(SHARE * free / each), CAP.get(device.type, CAP_GPU)))


def chunks(count: int, batch: int) -> list[list[int]]:
    """[first, stop) of each chunk of ``count`` classes; sizes differ by one at most."""
    many = -(-count // batch)
    small, longer = divmod(count, many)
    stops = [small * k + min(k, longer) for k in range(many + 1)]
    return [[a, b] for a, b in itertools.pairwise(stops)]


def read(folder: Path) -> dict[str, Any] | None:
    """The plan of an atlas that was begun, None where there is none."""
    file = folder / "plan.json"
    if not file.exists():
        return None
    try:
        plan = json.loads(file.read_text(encoding="utf-8"))
        if plan["format"] != FORMAT:
            raise AtlasFileError(file, f"has format {plan['format']}, this library knows {FORMAT}")
        request, spans = plan["request"], plan["chunks"]
        if (spans[0][0], spans[-1][1]) != (0, len(request["classes"])):
            raise ValueError("its chunks do not cover its classes")
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise AtlasFileError(
            file, f"cannot be read ({error!r}); restore it or begin in another folder"
        ) from error
    return plan


def save(folder: Path, plan: dict[str, Any]) -> None:
    """Write the plan."""
    write(folder / "plan.json", (json.dumps(plan, indent=1, ensure_ascii=False) + "\n").encode())


def members(plan: dict[str, Any], k: int) -> Sequence[int]:
    """The classes of chunk k."""
    first, stop = plan["chunks"][k]
    return plan["request"]["classes"][first:stop]
