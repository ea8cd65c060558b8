"""Render one chunk: smaller batches when memory runs out, float32 where half precision fails."""

import gc
import platform
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from actmax_lib import zoo
from actmax_lib.atlas import lookup
from actmax_lib.atlas.files import AtlasError
from actmax_lib.atlas.parts import Part
from actmax_lib.atlas.request import Recipe
from actmax_lib.errors import NonFiniteError
from actmax_lib.maximize import SCHEDULES, maximize


def out_of_memory(error: BaseException) -> bool:
    """Whether an allocation failed, on a GPU or (an ordinary RuntimeError) on the CPU."""
    words = ("can't allocate memory", "not enough memory", "out of memory")
    return isinstance(error, (torch.cuda.OutOfMemoryError, MemoryError)) or (
        isinstance(error, RuntimeError) and any(word in str(error) for word in words)
    )


def eight_bit(images: Tensor) -> Tensor:
    """Pictures in [0, 1] as the bytes that are kept, uint8, rounded to the nearest."""
    return (images.clamp(0, 1) * 255).round().to(torch.uint8)


class Renderer:
    """Draws chunks of classes of one network.

    say: takes a sentence for whoever watches; tick: called with the share of a batch's steps done.
    limit: most pictures at once; memory that runs out lowers it for the chunks to come.
    """

    def __init__(
        self, net: nn.Module, judge: nn.Module | None, recipe: Recipe,
        say: Callable[[str], None] = print, tick: Callable[[float], None] = lambda share: None,
    ) -> None:  # fmt: skip
        self.net, self.judge, self.recipe, self.say, self.tick = net, judge, recipe, say, tick
        self.limit: int | None = None
        self.notes: list[str] = []
        self.make_image = lookup.chosen("image", recipe.image, lookup.IMAGES)
        self.objective = lookup.chosen("objective", recipe.objective, lookup.OBJECTIVES)
        make_transform = lookup.chosen("transform", recipe.transform, lookup.TRANSFORMS)
        self.transform = make_transform()

    def climb(self, classes: Sequence[int], steps: int, autocast: torch.dtype | None) -> Tensor:
        """The pictures of these classes, in [0, 1]."""

        def schedule(t: float) -> float:  # asked once a step, so it can tell the time
            self.tick(t)
            return SCHEDULES["cosine"](t)

        run = maximize(
            self.objective(self.net, list(classes)),
            self.make_image(self.recipe.channels, self.recipe.size),
            transform=self.transform, steps=steps, seed=self.recipe.seed,
            autocast=autocast, schedule=schedule,
        )  # fmt: skip
        if run.interrupted:  # maximize hands back what it has; half a climb is no picture of ours
            raise KeyboardInterrupt
        return run.images

    def batch(self, classes: Sequence[int]) -> tuple[dict[str, np.ndarray], str]:
        """Arrays of a `Part` for these classes, and the autocast it took."""
        autocast = self.recipe.autocast
        try:
            images = self.climb(classes, self.recipe.steps, lookup.AUTOCAST[autocast])
        except NonFiniteError as error:
            if autocast == "none":
                raise AtlasError(f"classes {_span(classes)}: {error}") from error
            images = None
        if images is None:
            self._note(f"classes {_span(classes)}: NaN under {autocast}; rendered in float32")
            autocast = "none"
            images = self.climb(classes, self.recipe.steps, None)
        pictures = eight_bit(images)
        shown = pictures.to(images.dtype) / 255  # every number is of the picture that is kept
        with torch.no_grad():
            value = self.objective(self.net, list(classes))(shown)
        own = zoo.probabilities(self.net, shown)
        judged = own[:, :0] if self.judge is None else zoo.probabilities(self.judge, shown)
        tensors = {"pictures": pictures, "value": value.double(), "own": own, "judged": judged}
        return {name: tensor.cpu().numpy() for name, tensor in tensors.items()}, autocast

    def chunk(self, classes: Sequence[int], digest: str) -> Part:
        """One chunk, in one batch if memory allows. AtlasError where one picture is too much."""
        begin = time.perf_counter()
        waiting = _split(classes, self.limit or len(classes))
        self.notes = []
        done: list[dict[str, np.ndarray]] = []
        batches: list[int] = []
        modes: list[str] = []
        while waiting:
            now, failed = waiting[0], None
            try:
                arrays, mode = self.batch(now)
            except Exception as error:
                if not out_of_memory(error):
                    raise
                failed = str(error).splitlines()[0]
            if failed is None:
                done.append(arrays)
                batches.append(len(now))
                modes.append(mode)
                waiting = waiting[1:]
                continue
            # here and not above: the exception held the tensors of the climb
            self._make_room(len(now), failed)
            waiting = [piece for left in waiting for piece in _split(left, self.limit)]
        info = {
            "request": digest,
            "classes": list(classes),
            "batches": batches,
            "autocast": modes,
            "notes": self.notes,
            "seconds": round(time.perf_counter() - begin, 3),
            **self.machine(),
        }
        names = done[0]
        return Part(**{n: np.concatenate([d[n] for d in done]) for n in names}, info=info)

    def _make_room(self, tried: int, failed: str) -> None:
        if tried == 1:
            raise AtlasError(f"there is no memory for a single picture ({failed}); lower --size")
        self.limit = (tried + 1) // 2
        self._note(f"out of memory with {tried} pictures at once; going on with {self.limit}")
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _note(self, text: str) -> None:
        """Say it now, and have it in the part's record."""
        self.notes.append(text)
        self.say(text)

    def machine(self) -> dict[str, Any]:
        """Device and versions."""
        device = next((p.device for p in self.net.parameters()), torch.device("cpu"))
        on_gpu = device.type == "cuda"
        name = torch.cuda.get_device_name(device) if on_gpu else platform.machine()
        return {
            "device": f"{device.type} ({name})",
            "threads": torch.get_num_threads(),
            "versions": {"python": platform.python_version(), "torch": torch.__version__},
        }


def _split(classes: Sequence[int], most: int) -> list[Sequence[int]]:
    return [classes[k : k + most] for k in range(0, len(classes), most)]


def _span(classes: Sequence[int]) -> str:
    return f"{classes[0]}" if len(classes) == 1 else f"{classes[0]} to {classes[-1]}"
