"""Make an atlas: plan, render what is missing, meet, compose."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from actmax_lib import checks
from actmax_lib.atlas import parts, sheets
from actmax_lib.atlas import plan as plans
from actmax_lib.atlas.distribute import ElsewhereError, Team
from actmax_lib.atlas.files import AtlasError, AtlasFileError, DiskFullError, alone, size, sweep
from actmax_lib.atlas.progress import Progress
from actmax_lib.atlas.read import Atlas, load
from actmax_lib.atlas.render import Renderer, out_of_memory
from actmax_lib.atlas.request import Job, compare, job
from actmax_lib.errors import NonFiniteError


def build(
    out: str | Path, *, network: str, classes: str = "all", size: int | str | None = None,
    steps: int = 256, seed: int = 0, judge: str = "auto", image: str = "fourier",
    transform: str = "robust", objective: str = "logit", autocast: str = "none",
    batch: str | int = "auto", device: str | None = None, quiet: bool = False,
    patience: float = 1800.0, command: str = "",
) -> Atlas | None:  # fmt: skip
    """Render the classes of a network into the folder ``out``, or what is still missing there.

    The arguments are the options of ``python -m actmax_lib.atlas``, see the package; ``command`` is
    what the manifest says the atlas was made with. Under ``torchrun`` every process calls this
    alike; the first returns the atlas, the others None.

    Raises ValueError or TypeError for a request that makes no sense, AtlasError when the folder
    holds another atlas, when the disk is full or a process is gone; what is finished is kept.
    """
    folder, team = Path(out), Team(device, checks.real("patience", patience, above=0))
    progress = Progress("atlas" + f" {team.rank}" * (team.world > 1), quiet, speaks=not team.rank)
    with team:
        asked = job(
            team.device, network=network, classes=classes, size=size, judge=judge, steps=steps,
            seed=seed, image=image, transform=transform, objective=objective, autocast=autocast,
        )  # fmt: skip
        made = Build(folder, asked, team, progress)
        if team.rank:
            plan, todo = team.decide(lambda: None)
            made.render(plan, todo)
            return None
        with alone(folder):
            plan, todo = team.decide(lambda: made.prepare(batch, command))
            made.render(plan, todo)
            made.compose(plan)
        return load(folder)


class Build:
    """One call's work on one folder."""

    def __init__(self, folder: Path, job: Job, team: Team, progress: Progress) -> None:
        self.folder, self.job, self.team, self.progress = folder, job, team, progress
        self.renderer = Renderer(job.net, job.judge, job.recipe, progress.say)

    def prepare(self, batch: str | int, command: str) -> tuple[dict[str, Any], list[int]]:
        """The plan, new or the one begun, and the chunks that are still to be rendered."""
        sweep(self.folder)
        plan = plans.read(self.folder)
        if plan is None:
            plan = self.new_plan(batch, command)
            with self.room(plan):
                plans.save(self.folder, plan)
        compare(plan["request"], self.job.request)
        if batch != "auto" and checks.count("batch", batch) != plan["batch"]:
            raise AtlasError(
                f"this atlas was begun with batch {plan['batch']}, and {batch} is asked for; other "
                "batches round otherwise, so leave --batch out, or begin in another folder"
            )
        return plan, [k for k in range(len(plan["chunks"])) if not self.finished(plan, k)]

    def new_plan(self, batch: str | int, command: str) -> dict[str, Any]:
        """Choose the batch from the free memory, and write down what it was chosen from."""
        first = self.job.request["classes"][0]
        free = plans.free_memory(self.team.device)
        if self.team.device.type != "cuda":
            free //= self.team.neighbours
        try:
            each = plans.bytes_per_image(lambda n: self.renderer.climb([first] * n, 1, None))
        except NonFiniteError as error:
            raise AtlasError(f"class {first}: {error}") from error
        except Exception as error:
            if not out_of_memory(error):
                raise
            each = max(free, 1)  # two pictures do not fit: one at once
        chosen = plans.batch_size(batch, free, each, self.team.device)
        self.progress.line(f"{chosen} pictures at once ({size(each)} each, {size(free)} free)")
        return {
            "format": plans.FORMAT,
            "command": command,
            "batch": chosen,
            "bytes_per_image": each,
            "bytes_free": free,
            "request": self.job.request,
            "chunks": plans.chunks(len(self.job.request["classes"]), chosen),
        }

    def finished(self, plan: dict[str, Any], k: int) -> bool:
        """Whether chunk k is there and whole; a damaged one is named and removed."""
        try:
            parts.load(self.folder, plan, k)
        except FileNotFoundError:
            return False
        except AtlasFileError as error:
            self.progress.say(f"{error}; it is rendered again")
            error.file.unlink()
            return False
        return True

    def render(self, plan: dict[str, Any], todo: list[int]) -> None:
        """Render this process's share, then meet the others. Raises AtlasError if any had trouble.

        One that has trouble still comes to the meeting, so the others finish their shares.
        """
        names = {parts.path(self.folder, k).name: stop - first
                 for k, (first, stop) in enumerate(plan["chunks"])}  # fmt: skip
        self.progress.start(self.folder / "parts", names)
        problem = None
        try:
            for k in todo[self.team.rank :: self.team.world]:
                members = plans.members(plan, k)
                self.renderer.tick = partial(self._tick, len(members))
                made = self.renderer.chunk(members, parts.digest(plan))
                with self.room(plan):
                    parts.save(self.folder, k, made)
                self.progress.report()
        except Exception as error:
            if self.team.world == 1:
                raise
            problem = f"process {self.team.rank}: {error}"
            self.progress.say(str(error))
        if told := self.team.meet(problem):  # what was wrong here has been said
            raise ElsewhereError("; ".join(text for text in told if text != problem))

    def compose(self, plan: dict[str, Any]) -> None:
        """Sheets and manifest."""
        about = {"command": plan["command"], "writer": sheets.writer()}
        with self.room(plan):
            sheets.compose(
                self.folder, plan, about, self.job.names, self.job.judge_names, self.progress.say
            )
        self.progress.line(f"finished: {self.folder / 'manifest.json'}")

    @contextmanager
    def room(self, plan: dict[str, Any]) -> Iterator[None]:
        """Say of a full disk how much room the rest takes, and that nothing is lost."""
        try:
            yield
        except DiskFullError as error:
            request = plan["request"]
            each = request["size"][0] * request["size"][1] * request["channels"]
            lossless = each + 4 * (len(self.job.names) + len(self.job.judge_names))
            spans = enumerate(plan["chunks"])
            left = sum(b - a for k, (a, b) in spans if not parts.path(self.folder, k).exists())
            needed = left * lossless + len(request["classes"]) * (each // 4 + 600)
            free = shutil.disk_usage(self.folder).free
            raise AtlasError(
                f"{error}. About {size(needed)} are needed to finish, {size(free)} are free. "
                "Everything finished is kept: make room and call again"
            ) from error

    def _tick(self, count: int, share: float) -> None:
        self.progress.tick(share * count)
