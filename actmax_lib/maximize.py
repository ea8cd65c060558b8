"""The verb: climb E_T[f(T(x(z)))] + Ω(x(z)) in z."""

import contextlib
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm.auto import tqdm

from actmax_lib import checks
from actmax_lib.errors import NonFiniteError
from actmax_lib.images import Image
from actmax_lib.probes import check_finite_weights, untouched
from actmax_lib.streams import Streams
from actmax_lib.terms import Objective, Probes
from actmax_lib.transforms import Transform, compose

OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    # beta2 below the usual .999: a forgotten first gradient must not slow the last steps
    "adam": lambda z, lr: torch.optim.Adam(z, lr, betas=(0.9, 0.99), maximize=True, fused=True),
    "gradient": lambda z, lr: torch.optim.SGD(z, lr, maximize=True),
}
SCHEDULES: dict[str, Callable[[float], float]] = {
    "cosine": lambda t: (1 + math.cos(math.pi * t)) / 2,
    "constant": lambda t: 1.0,
}
CUDA_CHECK_EVERY = 32  # steps between looks at the on-device NaN flags; each look waits for the GPU


@dataclass(frozen=True)
class Run:
    """What an ascent left.

    images: (N, ...) x at the end; values: (N,) of the objective there, without T.
    history: (steps, N) of what was climbed, under each step's T; terms: the same by term name.
    frames, frame_steps: (F, N, ...) and (F,), the pictures on the way when they were asked for.
    seconds: wall time; device: where it ran; interrupted: True after Ctrl-C.
    """

    images: Tensor
    values: Tensor
    history: Tensor
    terms: dict[str, Tensor]
    frames: Tensor
    frame_steps: Tensor
    seconds: float
    device: torch.device
    interrupted: bool


def maximize(
    objective: Objective,
    image: Image,
    *,
    transform: Transform | Iterable[Transform] | None = None,
    steps: int = 256,
    lr: float | None = None,
    optimizer: str | Callable[[list[Tensor], float], torch.optim.Optimizer] = "adam",
    schedule: str | Callable[[float], float] = "cosine",
    seed: int | Sequence[int] = 0,
    frames: int = 0,
    autocast: torch.dtype | None = None,
    progress: bool = False,
) -> Run:
    """Climb ``objective`` in the latents of ``image``; the networks are left as they were.

    transform: T, one or a sequence, drawn anew at each step; regularizers see x, not T(x).
    lr: step size in units of z, the image's own when None. optimizer: "adam", "gradient", or a
        callable (parameters, lr) -> torch optimizer with maximize=True. schedule: "cosine" to 0,
        "constant", or a callable from progress in [0, 1) to a factor.
    seed: an int is the seed of every image, so image k of a batch is image k rendered alone; a
        list gives each image its own (N variants of one target).
    frames: how many pictures of the ascent to keep, the first and last step among them.
    autocast: a dtype, such as torch.bfloat16, for the networks' forward pass.

    Runs on the networks' device and in the image's dtype. Raises TypeError or ValueError for bad
    arguments, NonFiniteError for NaN or Inf on the way; Ctrl-C returns the work so far.
    """
    if not isinstance(objective, Objective):
        raise TypeError(f"objective must be an Objective (see function()), got {objective!r}")
    if not isinstance(image, Image):
        raise TypeError(f"image must be an image such as point or fourier(), got {image!r}")
    steps, frames = checks.count("steps", steps), checks.count("frames", frames, at_least=0)
    step_size = image.lr if lr is None else checks.real("lr", lr, above=0)
    if isinstance(transform, Iterable):
        transform = compose(*transform)
    for net in objective.nets:
        check_finite_weights(net)
    device, dtype = _place(objective, image)
    streams = Streams(_seeds(seed, objective.batch, image.batch), device, dtype)
    with untouched(objective.nets, seed=streams.seeds[0]):
        climb = _Climb(objective, image, transform, streams, steps, frames, autocast)
        make = _named(optimizer, OPTIMIZERS, "optimizer")
        return climb.run(make([climb.z], step_size), _named(schedule, SCHEDULES, "schedule"), progress)


class _Climb:
    """The state of one ascent."""

    def __init__(self, objective, image, transform, streams, steps, frames, autocast) -> None:
        self.objective, self.image, self.transform = objective, image, transform
        self.streams, self.steps, self.autocast = streams, steps, autocast
        self.probes: Probes = objective.probes()
        self.z = image.start(streams).contiguous().clone().requires_grad_()
        self.good = self.z.detach().clone()  # the last z with finite values and gradient
        shape = (steps, len(objective.terms), len(streams))
        self.record = torch.full(shape, math.nan, device=streams.device, dtype=streams.dtype)
        self.finite = torch.ones(steps, dtype=torch.bool, device=streams.device)
        wanted = torch.linspace(0, steps - 1, min(frames, steps)).round().int().tolist()
        self.frame_steps, self.frames = wanted, []
        self.check_every = 1 if streams.device.type == "cpu" else CUDA_CHECK_EVERY

    def values(self, x: Tensor, transform: Transform | None) -> Tensor:
        """The terms' values, shape (terms, N)."""
        transformed = x if transform is None else transform(x, self.streams)
        kind = self.streams.device.type
        context = torch.autocast(kind, self.autocast) if self.autocast else contextlib.nullcontext()
        with context:
            terms = self.objective.term_values(x, transformed, self.probes)
        return torch.stack([term.to(x.dtype) for term in terms])

    def run(self, optimizer, schedule, progress: bool) -> Run:
        begin, done, interrupted = time.perf_counter(), 0, False
        lrs = [group["lr"] for group in optimizer.param_groups]
        try:
            for step in tqdm(range(self.steps), disable=not progress, unit="step"):
                for group, lr in zip(optimizer.param_groups, lrs, strict=True):
                    group["lr"] = lr * schedule(step / self.steps)
                self.one_step(step, optimizer)
                done = step + 1
                if done % self.check_every == 0 or done == self.steps:
                    self.check(done)
        except KeyboardInterrupt:
            interrupted = True
        except NonFiniteError:
            raise
        except Exception as error:
            error.add_note(f"while climbing, at step {done} of {self.steps}")
            raise
        return self.result(done, interrupted, time.perf_counter() - begin)

    def one_step(self, step: int, optimizer: torch.optim.Optimizer) -> None:
        x = self.image.render(self.z)
        if self.frame_steps and step in self.frame_steps:
            self.frames.append(x.detach().clone())
        terms = self.values(x, self.transform)
        (self.z.grad,) = torch.autograd.grad(terms.sum(), self.z)
        self.record[step] = terms.detach()
        # no look at the values here: on a GPU the loop would wait for them
        self.finite[step] = terms.detach().isfinite().all() & self.z.grad.isfinite().all()
        self.good = torch.where(self.finite[: step + 1].all(), self.z.detach(), self.good)
        optimizer.step()
        with torch.no_grad():
            self.image.project(self.z)

    def check(self, done: int) -> None:
        if bool(self.finite[:done].all()):
            return
        step = int((~self.finite[:done]).nonzero()[0])
        with torch.no_grad():
            images = self.image.render(self.good)
        bad = ~self.record[step].isfinite().all(dim=1)
        names = [name for name, is_bad in zip(self.objective.names, bad.tolist(), strict=True) if is_bad]
        what = "value" if names else "gradient"
        term = names[0] if names else self.term_with_bad_gradient()
        raise NonFiniteError(
            f"the {what} of {term} is NaN or Inf at step {step}; try a smaller lr, or bound the "
            "input (the error's .images are the last good ones)",
            step=step, term=term, images=images,
        )  # fmt: skip

    def term_with_bad_gradient(self) -> str:
        z = self.good.clone().requires_grad_()
        for k, name in enumerate(self.objective.names):
            value = self.values(self.image.render(z), None)[k].sum()
            if not bool(torch.autograd.grad(value, z)[0].isfinite().all()):
                return name
        return " + ".join(self.objective.names)

    def result(self, done: int, interrupted: bool, seconds: float) -> Run:
        with torch.no_grad():
            images = self.image.render(self.z)
            values = self.values(images, None).sum(0)
        record = self.record[:done]
        kept = self.frame_steps[: len(self.frames)]
        return Run(
            images=images.detach().clone(), values=values, history=record.sum(1),
            terms={name: record[:, k] for k, name in enumerate(self.objective.names)},
            frames=torch.stack(self.frames) if kept else images.new_empty(0, *images.shape),
            frame_steps=torch.tensor(kept, dtype=torch.int64), seconds=seconds,
            device=images.device, interrupted=interrupted,
        )  # fmt: skip


def _place(objective: Objective, image: Image) -> tuple[torch.device, torch.dtype]:
    weights = [p for net in objective.nets for p in net.parameters() if p.is_floating_point()]
    devices = {p.device for p in weights}
    if len(devices) > 1:
        raise ValueError(f"the networks are on several devices, {devices}; move them to one")
    device = devices.pop() if devices else torch.device("cpu")
    return device, image.dtype or (weights[0].dtype if weights else torch.get_default_dtype())


def _seeds(seed: int | Sequence[int], targets: int | None, batch: int | None) -> list[int]:
    """One seed an image; the batch is what targets, image and seeds agree on."""
    given, many = checks.indices("seed", seed)
    sizes = {"objective": targets, "image": batch, "seed": len(given) if many else None}
    fixed = {name: size for name, size in sizes.items() if size is not None}
    if len(set(fixed.values())) > 1:
        found = ", ".join(f"{name} has {size}" for name, size in fixed.items())
        raise ValueError(f"the numbers of images differ: {found}")
    return list(given) if many else list(given) * next(iter(fixed.values()), 1)


def _named(choice, table: dict, argument: str):
    if callable(choice):
        return choice
    if choice not in table:
        raise ValueError(f"{argument} must be one of {sorted(table)} or callable, got {choice!r}")
    return table[choice]
