"""Coarse waves that a batch has in common: which waves, whose gradients, and nothing else."""

import numpy as np
import pytest
import torch
from torch import nn

from actmax_lib import fourier, function, linear, logit, maco, maximize, noise, pixels, point
from actmax_lib.learned import learned_prior
from actmax_lib.spectral import blurred, shared
from actmax_lib.streams import Streams
from actmax_lib.transparency import transparent
from tests import nets
from tests.contracts import F64, assert_no_trace

pytestmark = pytest.mark.usefixtures("one_thread")
NET = nets.cnn().double()
SIZES = [(8, 8), (9, 9), (8, 11), (11, 8), (1, 6), (5, 1)]
KINDS = {
    "pixels": lambda size: pixels(3, size),
    "pixels, colours": lambda size: pixels(3, size, decorrelate=True),
    "waves": lambda size: fourier(3, size),
    "point": lambda size: point(torch.rand(3, 3, *size, dtype=torch.float64,
                                           generator=torch.Generator().manual_seed(0))),
}  # fmt: skip


def start(image, n=3):
    """A latent with waves on all sides of the borderline."""
    z = image.start(Streams(range(n), "cpu", torch.float64)).contiguous()
    return z + 0.3 * torch.randn(z.shape, dtype=z.dtype, generator=torch.Generator().manual_seed(1))


def waves(x, kind):
    """The waves of a picture's latent picture, and how often each fits into it."""
    x = x.numpy()
    x = x if kind == "point" else np.log(x / (1 - x))
    u = np.fft.fftfreq(x.shape[2]) * x.shape[2]
    v = np.fft.fftfreq(x.shape[3]) * x.shape[3]
    return np.fft.fft2(x), np.hypot(u[:, None], v)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cycles", [0.5, 1, 2, 2.9, 100])
def test_low_waves_are_the_mean_and_the_others_ones_own(size, kind, cycles):
    image = KINDS[kind](size)
    z = start(image)
    own, many = waves(image.render(z), kind)
    found, _ = waves(shared(image, cycles).render(z), kind)
    expected = np.where(many < cycles, own.mean(0, keepdims=True), own)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert (many < cycles).any()


@pytest.mark.parametrize("kind", KINDS)
def test_it_couples_images_through_those_waves_alone(kind):
    """The derivative of picture 0 in another's latents is in the low waves; in all of its own."""
    image = shared(KINDS[kind]((8, 9)), 2)
    z = start(image).requires_grad_()
    weights = torch.randn(3, 8, 9, dtype=z.dtype, generator=torch.Generator().manual_seed(2))
    (gradient,) = torch.autograd.grad((image.render(z)[0] * weights).sum(), z)
    if z.ndim == 5:
        gradient = torch.view_as_complex(gradient).numpy()
        many = np.hypot(np.fft.fftfreq(8)[:, None] * 8, np.fft.rfftfreq(9) * 9)
    else:
        gradient, many = waves(gradient, "point")
    assert np.abs(gradient[1:, :, many >= 2]).max() < 1e-12
    assert np.abs(gradient[1:, :, many < 2]).min(axis=(0, 1)).min() > 1e-3
    assert np.abs(gradient[0, :, many >= 2]).max() > 1e-3
    np.testing.assert_allclose(gradient[1], gradient[2], atol=1e-15)


def test_a_shared_wave_climbs_the_mean_of_the_gradients():
    w = torch.randn(2, 3, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    f = function(lambda x: (x * w).flatten(1).sum(1))
    x0 = torch.zeros(2, 3, 6, 6, dtype=torch.float64)
    how = {"optimizer": "gradient", "schedule": "constant", "steps": 3, "lr": 0.1}
    run = maximize(f, shared(point(x0), 1.5), **how)
    found, many = waves(run.images, "point")
    given_, _ = waves(0.3 * w, "point")
    np.testing.assert_allclose(
        found, np.where(many < 1.5, given_.mean(0, keepdims=True), given_), atol=1e-9
    )


@pytest.mark.parametrize("kind", ["pixels", "waves"])
def test_a_run_of_it(kind):
    """Targets differ, coarse waves do not; one image alone is not changed; nothing is left."""
    image = shared(KINDS[kind]((12, 12)), 2)
    how = {"transform": noise(0.1), "steps": 5, "lr": 0.3}
    run = maximize(logit(NET, [1, 2, 3]), image, seed=[4, 5, 6], **how)
    found, many = waves(run.images, kind)
    np.testing.assert_allclose(
        found[:, :, many < 2], found[:1, :, many < 2].repeat(3, 0), atol=1e-9
    )
    assert np.abs(found[0] - found[1])[:, many >= 2].max() > 0.1
    alone = maximize(logit(NET, 1), image, seed=4, **how)
    plain = maximize(logit(NET, 1), KINDS[kind]((12, 12)), seed=4, **how)
    torch.testing.assert_close(alone.images, plain.images, **F64)
    assert not torch.allclose(alone.images[0], run.images[0])
    assert_no_trace([NET], lambda: maximize(logit(NET, [1, 2]), image, **how))


def test_it_goes_with_blur_and_transparency():
    for make in (lambda: shared(blurred(fourier(3, 12), 0.5), 2),
                 lambda: blurred(shared(fourier(3, 12), 2), 0.5),
                 lambda: blurred(shared(pixels(3, 12), 2), 0.5)):  # fmt: skip
        run = maximize(logit(NET, [1, 2]), make(), seed=[1, 2], steps=3)
        found, many = waves(run.images, "pixels")
        np.testing.assert_allclose(found[0][:, many < 2], found[1][:, many < 2], atol=1e-9)
    run = maximize(logit(NET, [1, 2]), shared(transparent(fourier(3, 12)), 2), seed=[1, 2], steps=3)
    found, many = waves(run.images, "waves")
    np.testing.assert_allclose(found[0][:, many < 2], found[1][:, many < 2], atol=1e-9)
    assert np.abs(found[0] - found[1])[:, many >= 2].max() > 1e-3


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: shared(maco(nets.magnitude(3, 8, 8)), 2), TypeError, "shared needs an image"),
    (lambda: shared(linear(torch.eye(2), torch.zeros(2)), 2), TypeError, "shared needs an image"),
    (lambda: shared(learned_prior(nn.Linear(2, 2), 2), 2), TypeError, "shared needs an image"),
    (lambda: shared(pixels, 2), TypeError, "shared needs an image"),
    (lambda: shared(pixels(), 0), ValueError, "cycles must be"),
    (lambda: shared(pixels(), "2"), TypeError, "cycles must be"),
    (lambda: maximize(function(lambda x: x.sum(1)), shared(point([[0.0, 1]]), 1)), ValueError,
     r"shared needs pictures \(N, C, H, W\), got z of \(1, 2\)"),
])  # fmt: skip
def test_bad_input(make, error, message):
    with pytest.raises(error, match=message):
        make()
