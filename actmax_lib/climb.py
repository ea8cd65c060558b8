"""The loop of `maximize`: one ascent, its record, and its stop at the first NaN."""

import math
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor
from tqdm.auto import tqdm

from actmax_lib.errors import NonFiniteError
from actmax_lib.images import Image
from actmax_lib.preconditioners import Preconditioner
from actmax_lib.revive import Revival, compiled
from actmax_lib.runs import Run
from actmax_lib.stops import Stop
from actmax_lib.streams import Streams
from actmax_lib.terms import Objective, Probes, Term
from actmax_lib.transforms import Transform

CUDA_CHECK_EVERY = 32  # steps between looks at the on-device NaN flags; each look waits for the GPU


class Climb:
    """The state of one ascent."""

    def __init__(
        self, objective: Objective, image: Image, transform: Transform | None, streams: Streams,
        steps: int, frames: int, autocast: torch.dtype | None,
        precondition: Preconditioner | None = None, revive: int = 0,
    ) -> None:  # fmt: skip
        self.objective, self.image, self.precondition = objective, image, precondition
        self.transform, self.plain = image.views(transform)
        self.streams, self.steps, self.autocast = streams, steps, autocast
        self.probes: Probes = objective.probes()
        self.references = objective.references(streams.device, streams.dtype)
        self.z = image.start(streams).contiguous().clone().requires_grad_()
        self.good = self.z.detach().clone()  # the last finite z, and the first that is not
        self.bad = self.good.clone()
        self.names = objective.names
        with torch.no_grad():
            if image.prior(self.good) is not None:
                self.names += ["prior" if "prior" not in self.names else "prior of the image"]
        seen = [k for k, (_, term) in enumerate(objective.terms) if not term.sees_image]
        unseen = compiled([*objective.nets, *image.nets])
        self.revival = Revival(0 if unseen else revive, seen, len(self.names))
        self.alive = torch.ones((), dtype=torch.bool, device=streams.device)
        shape = (steps, len(self.names), len(streams))
        self.record = torch.full(shape, math.nan, device=streams.device, dtype=streams.dtype)
        self.finite = torch.ones(steps, dtype=torch.bool, device=streams.device)
        wanted = torch.linspace(0, steps - 1, min(frames, steps)).round().int().tolist()
        if frames == 1:
            wanted = [steps - 1]
        self.frame_steps, self.frames = wanted, []
        self.check_every = 1 if streams.device.type == "cpu" else CUDA_CHECK_EVERY

    def values(self, x: Tensor, transform: Transform | None) -> Tensor:
        """The terms' values, shape (terms, N)."""
        same_draw = self.references.through(transform, self.streams)
        transformed = x if transform is None else transform(x, self.streams)
        if len(transformed) != len(x):
            raise ValueError(f"transform made {len(transformed)} images of {len(x)}")
        pairs = same_draw and self.references(x, same_draw, self.autocast)
        terms = self.terms(self.z, x, transformed, pairs)
        return torch.stack([term.to(x.dtype) for term in terms])

    def terms(
        self, z: Tensor, x: Tensor, transformed: Tensor, pairs: dict[Term, Tensor] | None = None
    ) -> list[Tensor]:
        """The value (N,) of each name: the objective's terms, then the image's prior.

        pairs: the references' activations under the draw of T that x got; None without T.
        """
        if pairs is None:
            plain = self.references.through(self.plain, self.streams)
            pairs = self.references(x, plain, self.autocast)
        terms = self.objective.term_values(x, transformed, self.probes, self.autocast, pairs)
        prior = self.image.prior(z)
        if prior is not None and prior.shape != x.shape[:1]:
            raise ValueError(f"the image's prior must give ({len(x)},), got {tuple(prior.shape)}")
        return terms if prior is None else [*terms, prior]

    def run(
        self, optimizer: torch.optim.Optimizer, schedule: Callable[[float], float], progress: bool,
        stop: Stop | None = None,
    ) -> Run:  # fmt: skip
        begin, done, interrupted, stopped = time.perf_counter(), 0, False, None
        if self.transform is not None:  # what `result` needs at the end must not fail then
            self.try_without_transform()
        lrs = [group["lr"] for group in optimizer.param_groups]
        try:
            for step in tqdm(range(self.steps), disable=not progress, unit="step"):
                for group, lr in zip(optimizer.param_groups, lrs, strict=True):
                    group["lr"] = lr * schedule(step / self.steps)
                self.one_step(step, optimizer)
                done = step + 1
                if done % self.check_every == 0 or done == self.steps:
                    self.check(done)
                if stop is not None and stop(done, self.record[:done].sum(1)):
                    self.check(done)
                    stopped = done
                    break
        except KeyboardInterrupt:
            interrupted = True
        except NonFiniteError:
            raise
        except Exception as error:
            error.add_note(f"while climbing, at step {done} of {self.steps}")
            raise
        run = self.result(done, interrupted, time.perf_counter() - begin)
        return replace(run, stopped=stopped)

    def try_without_transform(self) -> None:
        try:
            with torch.no_grad():
                self.values(self.image.render(self.z), self.plain)
        except (ValueError, RuntimeError) as error:
            error.add_note("the objective must take the image itself too, not only T(image)")
            raise

    def one_step(self, step: int, optimizer: torch.optim.Optimizer) -> None:
        with self.revival.watch(step):
            x = self.image.render(self.z)
            terms = self.values(x, self.transform)
        if self.frame_steps and step in self.frame_steps:
            self.frames.append(x.detach().clone())
        if not terms.requires_grad:
            raise ValueError(
                "the objective does not depend on the image differentiably; "
                "look for torch.no_grad, detach, rounding or a comparison in it"
            )
        gradient = self.revival.gradient(terms, self.z)
        if self.precondition is not None:
            gradient = self.preconditioned(gradient)
        self.z.grad = gradient.contiguous()  # fused Adam reads memory, whatever the strides are
        self.record[step] = terms.detach()
        # no look at the values here: on a GPU the loop would wait for them
        # NaN and Inf times 0 are NaN: cheaper than isfinite, and exact
        finite = (terms.detach() * 0).sum() + (self.z.grad * 0).sum() == 0
        self.finite[step] = finite
        z = self.z.detach()  # written in place: new memory every step costs more than the copy
        torch.where(self.alive & ~finite, z, self.bad, out=self.bad)
        self.alive = self.alive & finite
        torch.where(self.alive, z, self.good, out=self.good)
        optimizer.step()
        with torch.no_grad():
            self.image.project(self.z)

    def preconditioned(self, gradient: Tensor) -> Tensor:
        direction = self.precondition(gradient)
        if not isinstance(direction, Tensor) or direction.shape != gradient.shape:
            got = getattr(direction, "shape", type(direction).__name__)
            raise ValueError(f"precondition must keep the shape {gradient.shape}, got {got}")
        return direction

    def check(self, done: int) -> None:
        if bool(self.alive):
            return
        step = int((~self.finite[:done]).nonzero()[0])
        bad = ~self.record[step].isfinite().all(dim=1)
        self.fail(step, bad)

    def fail(self, step: int, bad: Tensor) -> None:
        """Raise NonFiniteError for the first term marked in ``bad``, else for a bad gradient."""
        term = self.names[int(bad.int().argmax())] if bool(bad.any()) else self.with_bad_gradient()
        with torch.no_grad():
            images = self.image.render(self.good)
        raise NonFiniteError(
            f"the {'value' if bool(bad.any()) else 'gradient'} of {term} is NaN or Inf at step "
            f"{step}; try a smaller lr, or bound the input (the error's .images are the last good)",
            step=step, term=term, images=images,
        )  # fmt: skip

    def with_bad_gradient(self) -> str:
        z = self.bad.clone().requires_grad_()
        for k, name in enumerate(self.names):
            x = self.image.render(z)
            seen = x if self.plain is None else self.plain(x, self.streams)
            value = self.terms(z, x, seen)[k].sum()
            if not value.requires_grad:  # a constant term
                continue
            if not bool(torch.autograd.grad(value, z)[0].isfinite().all()):
                return name
        return " + ".join(self.names)

    def result(self, done: int, interrupted: bool, seconds: float) -> Run:
        with torch.no_grad():
            images = self.image.render(self.z)
            values = self.values(images, self.plain)
        if not bool(images.isfinite().all() & values.isfinite().all()):  # the last step itself
            self.fail(done, ~values.isfinite().all(dim=1))
        record = self.record[:done]
        kept = self.frame_steps[: len(self.frames)]
        return Run(
            images=images.detach().clone(), values=values.sum(0), history=record.sum(1),
            terms={name: record[:, k] for k, name in enumerate(self.names)},
            frames=torch.stack(self.frames) if kept else images.new_empty(0, *images.shape),
            frame_steps=torch.tensor(kept, dtype=torch.int64), seconds=seconds,
            device=images.device, interrupted=interrupted,
        )  # fmt: skip
