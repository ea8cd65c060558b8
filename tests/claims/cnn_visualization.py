"""Claims of chapters/networks/cnn-visualization.md.

What the trained networks say is measured and asserted on the page itself.
"""

import numpy as np
import torch

from actmax_lib import fourier, function, linear, maximize
from actmax_lib.images import COLOR
from actmax_lib.streams import Streams

from . import claim
from .tools import broken, rng, slope, worst

DEFINITIONS = {
    "eq:cnn:objective": "states the problem that `maximize` climbs",
}


def _latent_picture(image, z: torch.Tensor) -> np.ndarray:
    """y of x = sigmoid(y), from the picture alone."""
    x = image.render(z).numpy()
    return np.log(x) - np.log1p(-x)


@claim(
    "prop:cnn:preconditioning",
    "eq:cnn:preconditioning",
    statement="A gradient step in z moves x = A z by η A A' times the gradient in x.",
    tol=1e-8,
)
def preconditioning():
    r = rng(31)
    errors = []
    for d, k in ((3, 3), (6, 4), (4, 9)):
        A, w, eta = r.normal(size=(d, k)), r.normal(size=d), 0.1
        f = function(lambda x, w=w: torch.sin(x @ torch.from_numpy(w)) - (x**4).sum(1))
        run = maximize(
            f, linear(A, np.zeros(d)), optimizer="gradient", schedule="constant", lr=eta, steps=1
        )
        gradient = slope(lambda x, w=w: np.sin(x @ w) - (x**4).sum(), np.zeros(d))
        errors.append(run.images[0].numpy() - eta * A @ A.T @ gradient)
    return worst(*errors)


@claim(
    "eq:cnn:fourier",
    statement="The waves of a Fourier picture are its latents over the frequency, times one "
    "constant; odd and even sizes.",
    tol=1e-9,
)
def fourier_coordinates():
    errors = []
    for size in ((16, 16), (9, 14), (12, 7)):
        image = fourier(channels=2, size=size, decorrelate=False)
        z = 3 * image.start(Streams([5], dtype=torch.float64))
        waves = np.fft.rfft2(_latent_picture(image, z))
        rows, columns = np.fft.fftfreq(size[0])[:, None], np.fft.rfftfreq(size[1])
        frequency = np.maximum(np.hypot(rows, columns), 1 / max(size))
        ratio = waves * frequency / torch.view_as_complex(z).numpy()
        # the first (and an even width's last) column of a real picture's waves is not free
        free = ratio[..., 1 : size[1] // 2 + size[1] % 2]
        errors.append(free / free.flat[0] - 1)
    return worst(*(np.abs(e) for e in errors))


@claim(
    "eq:cnn:colour",
    statement="rgb = C y; cosines between the columns of C are below 1/8, the longest column has "
    "length 1, and the first is more than 3 times as long as the second, its square more than 10.",
    tol=1e-6,
)
def colours():
    plain, coloured = (fourier(size=8, decorrelate=flag) for flag in (False, True))
    z = plain.start(Streams([2], dtype=torch.float64))
    mixed = np.einsum("rc,nchw->nrhw", COLOR.numpy(), _latent_picture(plain, z))
    C = COLOR.double().numpy()
    length = np.linalg.norm(C, axis=0)
    cosines = (C / length).T @ (C / length) - np.eye(3)
    return worst(
        mixed - _latent_picture(coloured, z),
        length.max() - 1,
        broken(np.abs(cosines).max() < 1 / 8, length[0] > 3 * length[1]),
        broken(length[0] ** 2 > 10 * length[1] ** 2),
    )
