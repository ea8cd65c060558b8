"""Training that survives being stopped: the state of a run in one file, whole or not at all."""

import hashlib
import io
import json
import os
from pathlib import Path

import torch
from torch import nn

from actmax_lib.data.dataset import DataFileError

MAGIC = b"actmax-checkpoint 1\n"


class Checkpoint:
    """Everything the next epoch depends on: weights, optimizer, schedule, random numbers, history.

    file: None keeps nothing. run: what must be the same when it goes on, JSON-able.
    The content is checked by its SHA-256; `resume` raises DataFileError for a damaged file, or one
    of another run, and changes nothing then.
    """

    def __init__(
        self, file: str | os.PathLike | None, net: nn.Module, optimizer: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler, generator: torch.Generator, run: dict,
    ) -> None:  # fmt: skip
        self.file = None if file is None else Path(file)
        self.parts = {"net": net, "optimizer": optimizer, "schedule": schedule}
        self.generator = generator
        shapes = {key: list(value.shape) for key, value in net.state_dict().items()}
        self.run = json.dumps(run | {"weights": shapes}, sort_keys=True)

    def save(self, history: list[float]) -> None:
        """Replace the file; a stop in the middle leaves the old one."""
        if self.file is None:
            return
        state = {name: part.state_dict() for name, part in self.parts.items()}
        state |= {"generator": self.generator.get_state(), "history": history, "run": self.run}
        content = io.BytesIO()
        torch.save(state, content)
        content = content.getvalue()
        self.file.parent.mkdir(parents=True, exist_ok=True)
        part = self.file.with_name(f".{self.file.name}.{os.getpid()}")
        with open(part, "wb") as out:
            out.write(MAGIC + hashlib.sha256(content).digest() + content)
            out.flush()
            os.fsync(out.fileno())
        os.replace(part, self.file)

    def resume(self) -> list[float]:
        """Put the state back and give the losses of the epochs done; none without a file."""
        if self.file is None or not self.file.exists():
            return []
        whole, end = self.file.read_bytes(), len(MAGIC) + 32
        content = whole[end:]
        if whole[:end] != MAGIC + hashlib.sha256(content).digest():
            raise DataFileError(self.file, "is no whole checkpoint (SHA-256); delete it")
        state = torch.load(io.BytesIO(content), weights_only=True)
        if state["run"] != self.run:
            raise DataFileError(self.file, "is of another run; delete it or name another file")
        for name, part in self.parts.items():
            part.load_state_dict(state[name])
        self.generator.set_state(state["generator"])
        return list(state["history"])
