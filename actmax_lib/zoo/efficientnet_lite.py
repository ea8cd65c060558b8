"""EfficientNet-Lite 0-2, written to be read: inverted bottlenecks, ReLU6, nothing else.

Architecture: Tan & Le, "EfficientNet" (ICML 2019), in the Lite variant of the TensorFlow authors:
stem, first and last stage are not scaled, every activation is ReLU6. Weights: ``weights.py``.

Layer names a chapter can ask for: ``stem``; ``blocks.0`` ... ``blocks.15`` (lite1 and lite2:
``blocks.22``), each with ``.expand``, ``.depthwise``, ``.project`` (the block's answer *before* the
shortcut is added; ``blocks.k`` itself is after it); ``head``; ``pool``; ``classifier``.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# (repeats, kernel, stride, expansion, channels in, channels out) of a stage, lite0.
STAGES = (
    (1, 3, 1, 1, 32, 16),
    (2, 3, 2, 6, 16, 24),
    (2, 5, 2, 6, 24, 40),
    (3, 3, 2, 6, 40, 80),
    (3, 5, 1, 6, 80, 112),
    (4, 5, 2, 6, 112, 192),
    (1, 3, 1, 6, 192, 320),
)
STEM_CHANNELS, HEAD_CHANNELS, CLASSES = 32, 1280, 1000
# The networks were trained on (byte - 127) / 128.
MEAN, STD = 127 / 255, 128 / 255
BATCH_NORM_EPS = 1e-3


class SameConv2d(nn.Conv2d):
    """Convolution whose output has ceil(size / stride) rows and columns, zero-padded as TensorFlow
    does: the odd pixel of padding goes to the bottom and the right."""

    zeros_in_front = 0  # rows and columns of zeros that ``widen`` put before the kernel

    def forward(self, x: Tensor) -> Tensor:
        (top, bottom), (left, right) = map(
            self._padding, x.shape[-2:], self.kernel_size, self.stride
        )
        if (top, left) == (bottom, right):  # the convolution pads by itself: no copy of x
            padding = (top, left)
        else:
            x, padding = F.pad(x, (left, right, top, bottom)), (0, 0)
        return F.conv2d(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def _padding(self, size: int, kernel: int, stride: int) -> tuple[int, int]:
        kernel -= self.zeros_in_front
        total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
        return total // 2 + self.zeros_in_front, total - total // 2

    def widen(self) -> None:
        """Put a row and a column of zeros in front of the kernel: the same function, but stride 2
        on an even size now pads both sides equally, which saves the copy above."""
        self.weight = nn.Parameter(F.pad(self.weight.detach(), (1, 0, 1, 0)))
        self.kernel_size = tuple(k + 1 for k in self.kernel_size)
        self.zeros_in_front += 1


class ConvUnit(nn.Module):
    """``conv`` (no bias), batch ``norm``, ``act`` (ReLU6, or nothing)."""

    def __init__(
        self, cin: int, cout: int, kernel: int, stride: int = 1, groups: int = 1, relu: bool = True
    ) -> None:
        super().__init__()
        self.conv = SameConv2d(cin, cout, kernel, stride, groups=groups, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(cout, eps=BATCH_NORM_EPS)
        self.act = nn.ReLU6() if relu else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.norm(self.conv(x)))

    @torch.no_grad()
    def fold(self) -> None:
        """Put the frozen batch norm into the convolution; ``norm`` becomes the identity."""
        conv, norm = self.conv, self.norm
        gain = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
        shift = norm.bias.double() - gain * norm.running_mean.double()
        conv.weight.copy_(conv.weight.double() * gain[:, None, None, None])
        conv.bias = nn.Parameter(shift.to(conv.weight.dtype))
        self.norm = nn.Identity()
        if conv.stride == (2, 2) and conv.groups > 1:  # measured: pays for these only
            conv.widen()


class Block(nn.Module):
    """Inverted bottleneck: 1x1 ``expand``, k x k ``depthwise``, 1x1 ``project``, and a shortcut
    where input and output have the same shape. With expansion 1 there is no ``expand``."""

    def __init__(self, cin: int, cout: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = cin * expansion
        self.expand = ConvUnit(cin, inner, 1) if expansion > 1 else nn.Identity()
        self.depthwise = ConvUnit(inner, inner, kernel, stride, groups=inner)
        self.project = ConvUnit(inner, cout, 1, relu=False)
        self.shortcut = stride == 1 and cin == cout

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.shortcut else y


class EfficientNetLite(nn.Module):
    """Images (N, 3, H, W) in [0, 1], any size from 1 up, to logits (N, 1000)."""

    def __init__(self, width: float, depth: float, input_size: int) -> None:
        super().__init__()
        self.input_size = input_size
        self.channels_last = False
        self.stem = ConvUnit(3, STEM_CHANNELS, 3, stride=2)
        blocks = []
        for i, (repeats, kernel, stride, expansion, cin, cout) in enumerate(STAGES):
            fixed = i in (0, len(STAGES) - 1)  # these stages keep their depth
            cin = STEM_CHANNELS if i == 0 else round_channels(cin * width)
            cout = round_channels(cout * width)
            for k in range(repeats if fixed else math.ceil(depth * repeats)):
                first = k == 0
                blocks.append(
                    Block(cin if first else cout, cout, kernel, stride if first else 1, expansion)
                )
        self.blocks = nn.Sequential(*blocks)
        self.head = ConvUnit(cout, HEAD_CHANNELS, 1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(HEAD_CHANNELS, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        x = (images - MEAN) / STD
        if self.channels_last:
            x = x.contiguous(memory_format=torch.channels_last)
        x = self.head(self.blocks(self.stem(x)))
        return self.classifier(self.pool(x).flatten(1))

    def fold(self) -> "EfficientNetLite":
        """Fold every batch norm: the same function to rounding, the same layer names."""
        for unit in self.modules():
            if isinstance(unit, ConvUnit):
                unit.fold()
        return self


def round_channels(channels: float, divisor: int = 8) -> int:
    """The nearest multiple of ``divisor``, never more than 10 % below ``channels``."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded
