"""The book's own small networks for Fashion-MNIST, trained by ``scripts/train_fashion.py``."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from actmax_lib import checks

CLASSES = (
    "T-shirt", "trouser", "pullover", "dress", "coat",
    "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip
# of the training images, in [0, 1]: close enough to give the first layer inputs of size one
MEAN, SD = 0.286, 0.353


class FashionNet(nn.Module):
    """Images (N, 1, 28, 28) in [0, 1] to logits (N, 10); three convolutions, no batch norm.

    Softplus with a large β is a ReLU with a second derivative, which score matching needs
    (chapter *score-matching*). Other image sizes work: the features are averaged to 7 by 7.

    widths: channels of the three convolutions; beta: β of the softplus, > 0.
    """

    input_size = 28
    classes = CLASSES

    def __init__(self, widths: Sequence[int] = (16, 32, 64), beta: float = 10.0) -> None:
        super().__init__()
        a, b, c = (checks.count("widths", width) for width in widths)
        beta = checks.real("beta", beta, above=0)
        self.conv1 = nn.Conv2d(1, a, 3, padding=1)
        self.conv2 = nn.Conv2d(a, b, 3, padding=1)
        self.conv3 = nn.Conv2d(b, c, 3, padding=1)
        self.act = nn.Softplus(beta)
        self.pool = nn.AvgPool2d(2, ceil_mode=True)
        self.grid = nn.AdaptiveAvgPool2d(7)
        self.classifier = nn.Linear(c * 49, len(CLASSES))
        for conv in (self.conv1, self.conv2, self.conv3):
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x).flatten(1))

    def features(self, x: Tensor) -> Tensor:
        """What the classifier sees, (N, C, 7, 7)."""
        y = (x - MEAN) / SD
        y = self.pool(self.act(self.conv1(y)))
        y = self.pool(self.act(self.conv2(y)))
        return self.grid(self.act(self.conv3(y)))

    def maps(self, x: Tensor) -> Tensor:
        """Class maps (N, K, 7, 7): what each place adds to each logit; they sum to f - bias."""
        weights = self.classifier.weight.unflatten(1, (-1, 7, 7))
        return torch.einsum("kchw,nchw->nkhw", weights, self.features(x))


class FashionDecoder(nn.Module):
    """Codes z (N, latent) to images (N, 1, 28, 28) in [0, 1]: the decoder of a small VAE.

    It was trained so that z ~ N(0, I) gives pictures like those of the data; ``learned_prior``
    climbs in z (chapter *regularization*).
    """

    def __init__(self, latent: int = 16, width: int = 32) -> None:
        super().__init__()
        self.latent = checks.count("latent", latent)
        width = checks.count("width", width)
        self.code = nn.Linear(latent, 2 * width * 49)
        self.up1 = nn.Conv2d(2 * width, width, 3, padding=1)
        self.up2 = nn.Conv2d(width, width // 2, 3, padding=1)
        self.paint = nn.Conv2d(width // 2, 1, 3, padding=1)
        self.act = nn.GELU()
        self.grow = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)

    def forward(self, z: Tensor) -> Tensor:
        y = self.act(self.code(z)).unflatten(1, (-1, 7, 7))
        y = self.act(self.up1(self.grow(y)))
        y = self.act(self.up2(self.grow(y)))
        return self.paint(y).sigmoid()
