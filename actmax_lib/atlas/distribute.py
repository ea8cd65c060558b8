"""Several processes, one atlas: who renders what, and the meeting at the end.

The folder is what they share; no tensor travels. Two messages do: at the start the first process
tells the others the plan, at the end each tells all what went wrong.
"""

import datetime
import os
from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist

from actmax_lib.atlas.files import AtlasError


class ElsewhereError(AtlasError):
    """Another process failed, and says so itself."""


class Team:
    """The processes that ``torchrun`` started, or this one alone.

    rank: number of this process; world: how many there are; neighbours: those on this machine;
    device: where this one renders.
    Used as a context: within it the processes can talk.
    """

    def __init__(self, device: str | None = None, patience: float = 1800.0) -> None:
        self.rank, self.local = (int(os.environ.get(n, 0)) for n in ("RANK", "LOCAL_RANK"))
        sizes = ("WORLD_SIZE", "LOCAL_WORLD_SIZE")
        self.world, self.neighbours = (int(os.environ.get(n, 1)) for n in sizes)
        self.patience = datetime.timedelta(seconds=patience)
        self.device = self._own_device(device)

    def _own_device(self, asked: str | None) -> torch.device:
        there = torch.cuda.is_available()
        device = torch.device(asked or ("cuda" if there else "cpu"))
        if device.type != "cuda":
            return device
        if not there:
            raise ValueError(f"device {asked!r} asks for a GPU and there is none; use cpu")
        if self.world > 1:
            if device.index is not None:
                raise ValueError(f"device {asked!r} is one GPU for all processes; say cuda")
            device = torch.device("cuda", self.local)
        if (device.index or 0) >= torch.cuda.device_count():
            raise ValueError(f"there are {torch.cuda.device_count()} GPUs, none is {device}")
        torch.cuda.set_device(device)
        return device

    def __enter__(self) -> "Team":
        if self.world > 1:
            backend = "cpu:gloo,cuda:nccl" if self.device.type == "cuda" else "gloo"
            dist.init_process_group(backend, timeout=self.patience)
        return self

    def __exit__(self, *_) -> None:
        if self.world > 1:
            dist.destroy_process_group()

    def decide(self, make: Callable[[], Any]) -> Any:
        """``make()`` of the first process, for all; where it fails there, all end."""
        if self.world == 1:
            return make()
        box: list[Any] = [None, True]
        failed: Exception | None = None
        if self.rank == 0:
            try:
                box = [make(), False]
            except Exception as error:
                failed = error
        self._talk(lambda: dist.broadcast_object_list(box, src=0))
        if failed is not None:
            raise failed
        if box[1]:
            raise ElsewhereError("the first process could not begin")
        return box[0]

    def meet(self, problem: str | None) -> list[str]:
        """Wait for all processes to be done; the problems they had."""
        if self.world == 1:
            return [problem] if problem else []
        told: list[str | None] = [None] * self.world
        self._talk(lambda: dist.all_gather_object(told, problem))
        return [text for text in told if text]

    def _talk(self, send: Callable[[], None]) -> None:
        try:
            send()
        except RuntimeError as error:
            raise AtlasError(
                f"another process is gone ({str(error).splitlines()[0]}); "
                "what is finished is kept, call again to go on"
            ) from error
