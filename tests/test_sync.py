"""Contract 5 by code path: a step reads no number, copies nothing, and makes nothing on the CPU.

The whole climb is on torch's meta device, whose numbers cannot be read at all; a mode watches that
no other tensor appears once the first steps have put what they need on the device.
"""

import copy
import importlib

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from actmax_lib import fourier, function, l2, logit, maco, maximize, pixels, robust
from actmax_lib.climb import Climb
from actmax_lib.preconditioners import clip, spectral, unit
from actmax_lib.spectral import blurred, shared
from actmax_lib.stops import plateau
from actmax_lib.streams import Streams
from actmax_lib.transparency import alpha_penalty, transparent
from tests import nets
from tests.contracts import Nowhere, assert_no_waits

verb = importlib.import_module("actmax_lib.maximize")
pytestmark = pytest.mark.usefixtures("one_thread")
X0 = np.random.default_rng(0).uniform(0.1, 0.9, (3, 12, 12))
AXES = np.array([[0.5, 0.4, 0.1], [0.6, -0.1, -0.2], [0.5, -0.4, 0.1]])


class Only(TorchDispatchMode):
    """Raises where an operation takes or gives a tensor that is not on the device."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for value in tree_leaves((args, kwargs, result)):
            # a Python number in a formula is a 0-d tensor to some operations: it is no copy
            if isinstance(value, torch.Tensor) and not value.is_meta and value.ndim:
                raise AssertionError(f"{func} meets a tensor on {value.device}")
        assert func.overloadpacket.__name__ not in ("lift_fresh", "_local_scalar_dense"), func
        return result


def climb(image, transform=None, optimizer="gradient", asleep=False, more=0, **how):
    net = nets.cnn().to("meta").requires_grad_(False)
    f = logit(net, [1, 2]) + l2(0.1) + more
    there = Climb(f, image, transform, Nowhere(2), 40, 0, None, **how)
    if asleep:  # as after a look at step 0
        there.revival.asleep = torch.ones(2, dtype=torch.bool, device="meta")
    climber = verb.OPTIMIZERS[optimizer]([there.z], 0.1)
    there.one_step(1, climber)
    there.one_step(2, climber)
    with Only():
        for step in range(3, 6):
            there.one_step(step, climber)
    assert there.z.is_meta
    return there


IMAGES = {
    "from a picture": lambda: pixels(start=X0, decorrelate=True),
    "waves from a picture": lambda: fourier(start=X0),
    "own colours": lambda: fourier(3, 12, decorrelate=AXES),
    "phases from a picture": lambda: maco(nets.magnitude(3, 12, 12), start=X0),
    "shared waves": lambda: shared(fourier(3, 12), 2),
    "shared pixels": lambda: shared(pixels(3, 12), 2),
    "transparent": lambda: transparent(fourier(3, 12)),
    "transparent pixels": lambda: transparent(pixels(3, 12)),
    "shared and blurred, transparent": lambda: blurred(shared(transparent(fourier(3, 12)), 2), 0.5),
}


@pytest.mark.parametrize("kind", IMAGES)
@pytest.mark.parametrize("transform", [None, robust()])
def test_images(kind, transform):
    more = alpha_penalty(0.1) if "transparent" in kind else 0
    climb(IMAGES[kind](), transform, "normalized", more=more)


@pytest.mark.parametrize("make", [unit, lambda: clip(0.1), spectral])
def test_preconditioners(make):
    climb(pixels(3, 12), precondition=make())


@pytest.mark.parametrize("optimizer", ["gradient", "normalized"])
def test_help_for_images_that_are_asleep(optimizer):
    there = climb(pixels(3, 12), robust(), optimizer, asleep=True, revive=16)
    assert there.revival.watching
    assert there.revival.gates.met
    assert not climb(pixels(3, 12), revive=16).revival.watching


# --- what is seen of a real run -------------------------------------------------------------------


def run(image, **how):
    net = nets.cnn()
    if how.pop("asleep", False):
        net = nn.Sequential(copy.deepcopy(net), nn.ReLU())
        net[0].head.bias.data.fill_(-1e3)
    return lambda steps: maximize(logit(net, [1, 2]), image, steps=steps, seed=[4, 5], **how)


@pytest.fixture
def as_on_a_gpu(monkeypatch):
    class Far(Climb):
        def __init__(self, *args):
            super().__init__(*args)
            self.check_every = 32

    monkeypatch.setattr(verb, "Climb", Far)


HOW = {
    "asleep": {"asleep": True},
    "spectral": {"precondition": spectral()},
    "a stop that does not look": {"stop": lambda step, history: step > 99},
    "a plateau that is far": {"stop": plateau(8)},
}


@pytest.mark.usefixtures("as_on_a_gpu")
@pytest.mark.parametrize("how", HOW)
def test_twice_the_steps_wait_no_more(how):
    assert_no_waits(run(pixels(3, 12), **HOW[how]))


@pytest.mark.usefixtures("as_on_a_gpu")
@pytest.mark.parametrize("kind", IMAGES)
def test_images_wait_no_more(kind):
    assert_no_waits(run(IMAGES[kind]()))


# --- where there is a GPU -------------------------------------------------------------------------


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("asleep", [False, True])
@pytest.mark.parametrize("kind", IMAGES)
def test_torch_sees_no_wait_on_a_gpu(kind, asleep):
    net = nets.cnn().cuda().requires_grad_(False)
    f = logit(net, [1, 2]) + l2(0.1)
    there = Climb(f, IMAGES[kind](), robust(), Streams([1, 2], "cuda"), 40, 0, None, clip(0.1), 16)
    climber = verb.OPTIMIZERS["adam"]([there.z], 0.1)
    there.one_step(0, climber)
    if asleep:
        there.revival.asleep = torch.ones(2, dtype=torch.bool, device="cuda")
    there.one_step(1, climber)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for step in range(2, 8):
            there.one_step(step, climber)
    finally:
        torch.cuda.set_sync_debug_mode("default")


# --- planted faults -------------------------------------------------------------------------------


def test_the_mode_catches_a_tensor_from_the_cpu():
    for fault in (
        lambda g: g * torch.ones(12).to("meta"),
        lambda g: torch.cat([torch.zeros(2, 3, 12, 12), g.to("cpu")]) and g,
    ):
        with pytest.raises((AssertionError, NotImplementedError)):
            climb(pixels(3, 12), precondition=fault)
    with pytest.raises(RuntimeError, match="meta"):
        climb(pixels(3, 12), precondition=lambda g: g * float(g.sum()))


@pytest.mark.usefixtures("as_on_a_gpu")
def test_the_count_catches_a_look():
    looking = {"stop": lambda step, history: bool(history[-1].sum() > 1e9)}
    with pytest.raises(AssertionError, match="waits"):
        assert_no_waits(run(pixels(3, 12), **looking))
    listing = {"precondition": lambda g: g * torch.tensor([1.0], device=g.device)}
    with pytest.raises(AssertionError, match="waits"):
        assert_no_waits(run(pixels(3, 12), **listing))
    seen = function(lambda x: x.flatten(1).sum(1) * float(x.detach().sum() > -1))
    with pytest.raises(AssertionError, match="waits"):
        assert_no_waits(lambda steps: maximize(seen, pixels(3, 8), steps=steps))
