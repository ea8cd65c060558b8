"""Networks for the command line, ``tests.atlas.nets:NAME``: tiny, and with what goes wrong."""

import os
import signal
import time

import torch
from torch import Tensor, nn

from tests.nets import cnn, grey


class Around(nn.Module):
    """The tiny network, with something done to its answer."""

    def __init__(self, change) -> None:
        super().__init__()
        self.net, self.change, self.calls = cnn(), change, 0
        self.classes = NAMES

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return self.change(self, x, self.net(x))


NAMES = ("ant", "bee", "crane", "crane", "eel", "fox", "gnu")


def tiny() -> nn.Module:
    """Colour pictures, seven named classes, two of the same name."""
    return Around(lambda self, x, y: y)


def judge() -> nn.Module:
    """Other weights, the same names."""
    net = cnn(stride=1)
    net.classes = NAMES
    return net


def other_judge() -> nn.Module:
    """Other weights and fewer, other names."""
    net = cnn(classes=6)
    net.classes = ("ant", "bat", "cat", "dog", "elk", "fly")
    return net


def grey_net() -> nn.Module:
    """Grey pictures only, classes without names."""
    return grey()


def hungry() -> nn.Module:
    """Out of memory with more than two pictures."""

    def change(self, x, y):
        if len(x) > 2:
            raise torch.OutOfMemoryError("no room left on the card")
        return y

    return Around(change)


def starving() -> nn.Module:
    """Out of memory with any picture that is to be climbed, as the CPU says it."""

    def change(self, x, y):
        if x.requires_grad:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 8 bytes")
        return y

    return Around(change)


def _with_nan(y: Tensor) -> Tensor:
    return torch.cat([torch.full_like(y[:, :1], torch.nan), y[:, 1:]], 1)


def half_blind() -> nn.Module:
    """Its first class is NaN in bfloat16."""
    return Around(lambda self, x, y: _with_nan(y) if torch.is_autocast_enabled("cpu") else y)


def blind() -> nn.Module:
    """Its first class is NaN while it is climbed."""
    return Around(lambda self, x, y: _with_nan(y) if x.requires_grad else y)


def slow() -> nn.Module:
    """As tiny, with time to kill it."""

    def change(self, x, y):
        time.sleep(0.03)
        return y

    return Around(change)


def mortal() -> nn.Module:
    """As tiny; in the second process of several it kills itself in its second batch."""

    def change(self, x, y):
        if os.environ.get("RANK") == "1" and self.calls > int(os.environ["MORTAL_AFTER"]):
            os.kill(os.getpid(), signal.SIGKILL)
        return y

    return Around(change)


def no_module() -> str:
    """A mistake."""
    return "weights.pth"
