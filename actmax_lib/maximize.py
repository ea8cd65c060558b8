"""The verb: climb E_T[f(T(x(z)))] + Ω(x(z)) in z."""

import math
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn

from actmax_lib import checks
from actmax_lib.climb import Climb
from actmax_lib.images import Image
from actmax_lib.preconditioners import Preconditioner, unit
from actmax_lib.probes import check_finite_weights, untouched
from actmax_lib.runs import Run
from actmax_lib.stops import Stop
from actmax_lib.streams import Streams
from actmax_lib.terms import Objective
from actmax_lib.transforms import Transform, compose

OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    # beta2 below the usual .999: a forgotten first gradient must not slow the last steps
    "adam": lambda z, lr: torch.optim.Adam(z, lr, betas=(0.9, 0.99), maximize=True, fused=True),
    "gradient": lambda z, lr: torch.optim.SGD(z, lr, maximize=True),
    "normalized": lambda z, lr: _Normalized(z, lr, maximize=True),
}
SCHEDULES: dict[str, Callable[[float], float]] = {
    "cosine": lambda t: (1 + math.cos(math.pi * t)) / 2,
    "constant": lambda t: 1.0,
}


class _Normalized(torch.optim.SGD):
    """Steps of length lr: each image's gradient is divided by its norm (Engstrom et al. 2019)."""

    def step(self, closure=None) -> None:
        for z in self.param_groups[0]["params"]:
            z.grad = unit()(z.grad)
        super().step(closure)


def maximize(
    objective: Objective,
    image: Image,
    *,
    transform: Transform | Iterable[Transform] | None = None,
    steps: int = 256,
    lr: float | None = None,
    optimizer: str | Callable[[list[Tensor], float], torch.optim.Optimizer] = "adam",
    schedule: str | Callable[[float], float] = "cosine",
    precondition: Preconditioner | None = None,
    revive: int = 16,
    stop: Stop | None = None,
    seed: int | Sequence[int] = 0,
    frames: int = 0,
    autocast: torch.dtype | None = None,
    progress: bool = False,
) -> Run:
    """Climb ``objective`` in the latents of ``image``; the networks are left as they were.

    transform: T, one or a sequence, drawn anew at each step; regularizers see x, not T(x).
    optimizer: "adam", "gradient", "normalized" (steps of length lr), or a callable
        (parameters, lr) -> torch optimizer with maximize=True.
    lr: step size in units of z; the image's own when None.
    schedule: "cosine" to 0, "constant", or a callable from progress in [0, 1) to a factor.
    precondition: maps the gradient of z (N, ...), before the optimizer, to a direction of that
        shape, such as ``spectral()``, ``unit()`` or ``clip(most)``.
    revive: for how many steps an image that starts with no gradient at all through the networks,
        because ReLUs are shut, is moved to open them; 0 for never. The networks, the values, and
        the steps of every other image stay as they are. Whether there is such an image is looked
        at once, at step 0. ReLU, ReLU6 and Hardtanh are helped, not in a compiled network.
    stop: a callable (steps done, history so far) -> bool, asked after every step, such as
        ``plateau()``; True ends the run, for the whole batch. On a GPU a look at the history waits.
    seed: an int is the seed of every image, so image k of a batch is image k rendered alone; a
        list gives each image its own (N variants of one target). The same seed gives the same bits
        on one CPU; on a GPU the interpolation's gradient is summed in no fixed order.
    frames: how many pictures of the ascent to keep, spread from the first to the last step; of one,
        the last.
    autocast: a dtype, such as torch.bfloat16, for the networks' forward pass.

    Runs on the networks' device and in the image's dtype. Raises TypeError or ValueError for bad
    arguments, NonFiniteError for NaN or Inf on the way; Ctrl-C returns the work so far.
    """
    if not isinstance(objective, Objective):
        raise TypeError(f"objective must be an Objective (see function()), got {objective!r}")
    if not isinstance(image, Image):
        raise TypeError(f"image must be an image such as point or fourier(), got {image!r}")
    steps, frames = checks.count("steps", steps), checks.count("frames", frames, at_least=0)
    revive = checks.count("revive", revive, at_least=0)
    for name, given in (("precondition", precondition), ("stop", stop)):
        if given is not None and not callable(given):
            raise TypeError(f"{name} must be callable, got {given!r}")
    step_size = image.lr if lr is None else checks.real("lr", lr, above=0)
    make = _named(optimizer, OPTIMIZERS, "optimizer")
    schedule = _named(schedule, SCHEDULES, "schedule")
    if autocast not in (None, torch.bfloat16, torch.float16):
        raise TypeError(f"autocast must be torch.bfloat16 or torch.float16, got {autocast!r}")
    if transform is not None:
        transform = compose(*(transform if isinstance(transform, Iterable) else [transform]))
    nets = list(dict.fromkeys([*objective.nets, *image.nets]))
    for net in nets:
        check_finite_weights(net)
    device, dtype = _place(nets, image)
    streams = Streams(_seeds(seed, objective.batch, image.batch), device, dtype)
    with untouched(nets, seed=streams.seeds[0]):
        climb = Climb(
            objective, image, transform, streams, steps, frames, autocast, precondition, revive
        )
        climber = make([climb.z], step_size)
        if not all(group.get("maximize") for group in climber.param_groups):
            raise ValueError(f"optimizer {type(climber).__name__} descends; give it maximize=True")
        return climb.run(climber, schedule, progress, stop)


def _place(nets: Sequence[nn.Module], image: Image) -> tuple[torch.device, torch.dtype]:
    weights = [p for net in nets for p in net.parameters() if p.is_floating_point()]
    devices = {p.device for p in weights}
    if len(devices) > 1:
        raise ValueError(f"the networks are on several devices, {devices}; move them to one")
    device = devices.pop() if devices else torch.device("cpu")
    own = weights[0].dtype if weights else torch.get_default_dtype()
    # half precision is for the networks' weights: FFT, pixel positions and steps need more
    return device, image.dtype or (own if own.itemsize >= 4 else torch.float32)


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
    if not isinstance(choice, str) or choice not in table:
        raise ValueError(f"{argument} must be one of {sorted(table)} or callable, got {choice!r}")
    return table[choice]
