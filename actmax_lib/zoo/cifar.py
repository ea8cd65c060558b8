"""The book's own networks for CIFAR-10, trained by ``scripts/train_zoo.py``."""

import copy
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from actmax_lib import checks

CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer",
    "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
# of the training images, in [0, 1]
MEAN, SD = (0.491, 0.482, 0.447), (0.247, 0.243, 0.262)


class CifarNet(nn.Module):
    """Images (N, 3, 32, 32) in [0, 1] to logits (N, 10): five convolutions and an average.

    Max-pooling halves the image after the second, third and fourth. Softplus with a large β is a
    ReLU with a second derivative, as in `FashionNet`. Other image sizes from 8 by 8 work.

    widths: channels of the convolutions; beta: β of the softplus, > 0; batch_norm: after each
    convolution, for training; ``folded`` puts it into the weights.
    """

    input_size = 32
    classes = CLASSES

    def __init__(
        self, widths: Sequence[int] = (16, 32, 64, 128, 128), beta: float = 10.0,
        batch_norm: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        widths = [3, *(checks.count("widths", width) for width in widths)]
        beta = checks.real("beta", beta, above=0)
        self.convs = nn.ModuleList(
            nn.Conv2d(a, b, 3, padding=1, bias=not batch_norm) for a, b in pairwise(widths)
        )
        norm = nn.BatchNorm2d if batch_norm else nn.Identity
        self.norms = nn.ModuleList(norm(width) for width in widths[1:])
        self.act, self.pool = nn.Softplus(beta), nn.MaxPool2d(2)
        self.classifier = nn.Linear(widths[-1], len(CLASSES))
        self.register_buffer("mean", torch.tensor(MEAN).view(-1, 1, 1), persistent=False)
        self.register_buffer("sd", torch.tensor(SD).view(-1, 1, 1), persistent=False)
        for conv in self.convs:
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x).mean((2, 3)))

    def features(self, x: Tensor) -> Tensor:
        """What is averaged for the classifier, (N, C, H/8, W/8)."""
        y = (x - self.mean) / self.sd
        for k, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            y = self.act(norm(conv(y)))
            if 1 <= k <= 3:
                y = self.pool(y)
        return y

    def maps(self, x: Tensor) -> Tensor:
        """Class maps (N, K, H/8, W/8) (CAM, Zhou et al. 2016); they sum to f - bias."""
        y = self.features(x)
        return torch.einsum("kc,nchw->nkhw", self.classifier.weight, y) / y[0, 0].numel()

    def folded(self) -> "CifarNet":
        """The same function in evaluation mode, without batch norm; a copy."""
        net = copy.deepcopy(self).eval()
        for k, norm in enumerate(net.norms):
            if isinstance(norm, nn.BatchNorm2d):
                net.convs[k] = fuse_conv_bn_eval(net.convs[k], norm)
                net.norms[k] = nn.Identity()
        return net.eval()
