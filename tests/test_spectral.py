"""Blurred pictures and pictures of a given magnitude, against NumPy and written-out waves."""

import math

import numpy as np
import pytest
import scipy.ndimage
import torch
from hypothesis import given
from hypothesis import strategies as st

from actmax_lib import affine, fourier, function, linear, maximize, pixels, point
from actmax_lib.images import COLOR
from actmax_lib.learned import learned_prior
from actmax_lib.spectral import blurred, maco
from actmax_lib.spectrum import magnitude_error, mean_magnitude
from actmax_lib.streams import Streams
from tests import nets

pytestmark = pytest.mark.usefixtures("one_thread")
SIZES = [(6, 6), (5, 5), (6, 5), (5, 8), (1, 1), (1, 4), (3, 1), (2, 2)]
still = function(
    lambda x: 0 * x.flatten(1).sum(1), "still"
)  # nothing to climb: only the projection


def start(image, seeds=(0,)):
    return image.start(Streams(seeds, "cpu", torch.float64)).contiguous()


def after(image, steps, f=still, lr=0.1, **how):
    how = {"optimizer": "gradient", "schedule": "constant"} | how
    return maximize(f, image, steps=steps, lr=lr, **how).images


# --- blur -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_a_blur_multiplies_each_wave_by_its_transfer(size):
    rng, sd = np.random.default_rng(0), 0.7
    x0 = rng.normal(size=(2, 3, *size))
    x = after(blurred(point(x0), sd), 2).numpy()
    frequency = np.hypot(np.fft.fftfreq(size[0])[:, None], np.fft.fftfreq(size[1]))
    transfer = np.exp(-2 * np.pi**2 * sd**2 * frequency**2)
    np.testing.assert_allclose(np.fft.fft2(x), np.fft.fft2(x0) * transfer**2, atol=1e-12)


def test_a_blur_is_a_gaussian_of_its_standard_deviation():
    """Another route: SciPy's filter in space, cut off far out."""
    x0 = np.random.default_rng(1).normal(size=(1, 1, 24, 20))
    x = after(blurred(point(x0), 2.5), 1)[0, 0].numpy()
    by_scipy = scipy.ndimage.gaussian_filter(x0[0, 0], 2.5, mode="wrap", truncate=9)
    np.testing.assert_allclose(x, by_scipy, atol=1e-6)
    for wrong in (2.4, 6.25):
        with pytest.raises(AssertionError):
            np.testing.assert_allclose(
                after(blurred(point(x0), wrong), 1)[0, 0], by_scipy, atol=1e-6
            )


def test_a_blur_of_waves_is_the_blur_of_the_picture():
    """Both latents are blurred alike, below the sigmoid."""
    waves = fourier(1, (9, 8))
    y0 = waves.render(start(waves)).logit()
    in_space = after(blurred(point(y0), 1.0), 3)
    y = after(blurred(waves, 1.0), 3).double().logit()
    torch.testing.assert_close(y, in_space, rtol=1e-4, atol=1e-6)
    z = after(blurred(pixels(1, 8), 2.0), 5).logit()
    plain = pixels(1, 8).render(start(pixels(1, 8)).float()).logit()
    torch.testing.assert_close(z.mean(), plain.mean(), rtol=1e-3, atol=1e-6)
    assert float(z.std()) < 0.2 * float(plain.std())


@given(st.integers(1, 4), st.integers(1, 9))
def test_every_counts_from_the_start_of_each_run(every, steps):
    x0 = np.random.default_rng(2).normal(size=(1, 1, 5, 4))
    image = blurred(point(x0), 0.5, every)
    by_ones = after(blurred(point(x0), 0.5), steps // every) if steps >= every else x0
    for _ in range(2):  # the second run starts to count anew
        np.testing.assert_allclose(after(image, steps), by_ones, atol=1e-12)


def test_a_blur_goes_on_to_the_box_and_keeps_what_the_image_is():
    x0 = torch.full((1, 1, 6, 6), 0.9, dtype=torch.float64)
    image = blurred(point(x0, box=(0, 1)), 1.0)
    x = after(image, 3, affine(torch.ones(36)), lr=1.0)
    assert torch.equal(x, torch.ones_like(x))
    inner = pixels(3, 8, batch=2)
    assert blurred(inner, 1.0).batch == 2
    assert blurred(fourier(3, 8), 1.0).lr == fourier(3, 8).lr
    assert blurred(point(x0), 1.0).dtype == torch.float64
    twice = after(blurred(blurred(point(x0.cumsum(2)), 0.6), 0.8), 1)
    torch.testing.assert_close(twice, after(blurred(point(x0.cumsum(2)), 1.0), 1))


def test_a_blur_hands_on_the_prior_and_the_networks():
    class Own(type(point([[1.0]]))):
        nets = (nets.mlp(),)

        def prior(self, z):
            return -z.square().sum((1, 2, 3))

    x0 = torch.ones(1, 1, 2, 2, dtype=torch.float64)
    image = blurred(Own(x0, None, None), 0.5)
    run = maximize(still, image, steps=1)
    assert run.terms["prior"].flatten().tolist() == [-4]
    assert image.nets == Own.nets


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: blurred(torch.zeros(1), 1), TypeError, "latents are a picture"),
    (lambda: blurred(linear(np.eye(2), [0.0, 0]), 1), TypeError, "latents are a picture"),
    (lambda: blurred(maco(np.ones((4, 4))), 1), TypeError, "latents are a picture"),
    (lambda: blurred(learned_prior(nets.decoder(), 6), 1), TypeError, "latents are a picture"),
    (lambda: after(blurred(point([[0.0, 1]]), 1), 1), ValueError, r"\(N, C, H, W\).*\(1, 2\)"),
    (lambda: blurred(pixels(), 0), ValueError, "sd"),
    (lambda: blurred(pixels(), "1"), TypeError, "sd"),
    (lambda: blurred(pixels(), 1, 0), ValueError, "every must be at least 1, got 0"),
])  # fmt: skip
def test_bad_blurs(make, error, message):
    with pytest.raises(error, match=message):
        make()


# --- magnitude ------------------------------------------------------------------------------------


def some_pictures(n=5, channels=1, size=(6, 5), seed=3):
    rng = np.random.default_rng(seed)
    return scipy.ndimage.uniform_filter(rng.random((n, channels, *size)), (0, 0, 2, 2))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 3])
def test_the_magnitude_is_kept_exactly_below_the_sigmoid(size, channels):
    r = mean_magnitude(some_pictures(channels=channels, size=size), decorrelate=False)
    image = maco(r, bounded=False, decorrelate=False)
    z = start(image, (0, 1))
    assert z.shape == (2, channels, size[0], size[1] // 2 + 1)
    waves = np.fft.fft2(image.render(z))
    u, v = (np.arange(n) for n in size)
    sign_only = np.add.outer(2 * u % size[0] != 0, 2 * v % size[1] != 0) == 0
    held = ~np.broadcast_to(sign_only, waves.shape)
    np.testing.assert_allclose(np.abs(waves)[held], np.broadcast_to(r, waves.shape)[held])
    np.testing.assert_allclose(waves[..., 0, 0], r[..., 0, 0].expand(2, -1))  # mean and its sign
    assert (np.abs(waves) <= np.asarray(r) + 1e-9).all()  # a sign on its way


def test_the_phases_are_the_latents():
    r = mean_magnitude(some_pictures())
    image, z = maco(r, bounded=False), start(maco(r))
    waves = np.fft.fft2(image.render(z)[0, 0])
    apart = np.angle(waves[:, 1:3]) - z[0, 0, :, 1:3].numpy()
    np.testing.assert_allclose(np.exp(1j * apart), 1, atol=1e-9)
    assert float(z.abs().max()) <= math.pi
    assert float(z.abs().max()) > 2  # uniform, not faint


def test_a_bounded_picture_is_the_squashed_one():
    r = mean_magnitude(some_pictures())
    z = start(maco(r))
    y, x = maco(r, bounded=False).render(z).numpy(), maco(r).render(z).numpy()
    np.testing.assert_allclose(x, 1 / (1 + np.exp(-4 * (y - 0.5))))
    h = 1e-4  # of slope 1 at mid-grey
    assert (1 / (1 + np.exp(-4 * h)) - 0.5) / h == pytest.approx(1, rel=1e-6)


def test_colours():
    pictures = some_pictures(6, 3)
    axes = np.linalg.inv(COLOR.double().numpy())
    own = np.fft.fft2(np.einsum("cr,nrhw->nchw", axes, pictures))
    expected = np.abs(own).mean(0)
    expected[:, 0, 0] = own[:, :, 0, 0].real.mean(0)
    assert (expected[:, 0, 0] < 0).any() or (expected[1:, 0, 0] != 0).all()
    r = mean_magnitude(pictures)
    np.testing.assert_allclose(r, expected)
    y = maco(r, bounded=False).render(start(maco(r)))
    assert float(magnitude_error(y, r)) < 0.7  # but for the signs, which are on their way
    mixed = np.einsum("rc,nchw->nrhw", COLOR.double().numpy(), np.einsum("cr,nrhw->nchw", axes, y))
    np.testing.assert_allclose(mixed, y)
    inner = np.abs(np.fft.fft2(np.einsum("cr,nrhw->nchw", axes, y)))[..., 1:, 1:3]
    np.testing.assert_allclose(inner[0], np.asarray(r)[:, 1:, 1:3])


def test_mean_magnitude_of_many_is_taken_in_parts():
    pictures = some_pictures(1100, 1, (3, 2))
    waves = np.fft.fft2(pictures)
    expected = np.abs(waves).mean(0)
    expected[:, 0, 0] = waves[..., 0, 0].real.mean(0)
    np.testing.assert_allclose(mean_magnitude(pictures), expected)


def test_magnitude_error():
    pictures = some_pictures(4)
    r = mean_magnitude(pictures)
    waves = np.abs(np.fft.fft2(pictures)).reshape(4, -1)[:, 1:]
    off = np.log(waves) - np.log(np.asarray(r).reshape(1, -1)[:, 1:])
    np.testing.assert_allclose(magnitude_error(pictures, r), np.sqrt((off**2).mean(1)))
    np.testing.assert_allclose(
        magnitude_error(3 * pictures[:1], mean_magnitude(pictures[:1])), np.log(3)
    )
    np.testing.assert_allclose(magnitude_error(pictures[:1] + 0.2, mean_magnitude(pictures[:1])), 0,
                               atol=1e-9)  # fmt: skip


def test_gradients():
    image = maco(mean_magnitude(some_pictures()))
    assert torch.autograd.gradcheck(image.render, start(image).requires_grad_())


LOPSIDED = np.arange(1.0, 17).reshape(4, 4)


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: maco(LOPSIDED), ValueError, "differs at ω and -ω"),
    (lambda: maco(np.ones(4)), ValueError, r"\(C, H, W\).*\(4,\)"),
    (lambda: maco(-np.ones((4, 4))), ValueError, "negative"),
    (lambda: maco(np.ones((4, 4), int)), TypeError, "magnitude has dtype"),
    (lambda: maco(np.full((4, 4), np.nan)), ValueError, "magnitude holds NaN"),
    (lambda: maco(np.ones((4, 4)), decorrelate=True), ValueError, "channels=1"),
    (lambda: mean_magnitude(torch.zeros(2, 1, 3, 3, dtype=torch.uint8)), TypeError, "float"),
    (lambda: mean_magnitude(np.ones((3, 3))), ValueError, r"\(N, C, H, W\)"),
    (lambda: mean_magnitude(np.ones((1, 1, 3, 3)), decorrelate=True), ValueError, "channels=1"),
    (lambda: magnitude_error(np.ones((1, 1, 3, 3)), np.ones((4, 4))), ValueError, "same size"),
])  # fmt: skip
def test_bad_magnitudes(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_the_checks_catch_planted_faults(monkeypatch):
    whole = maco(np.ones((6, 6)), bounded=False)
    z = start(whole)
    with monkeypatch.context() as patch:  # phases of both halves of the first column kept apart
        patch.setattr(whole, "_source", lambda z: torch.arange(24))
        patch.setattr(whole, "_sign", lambda z: torch.ones(6, 4, dtype=z.dtype))
        size = np.abs(np.fft.fft2(whole.render(z)))
        with pytest.raises(AssertionError):
            np.testing.assert_allclose(size[..., 1:3, 0], 1)
    np.testing.assert_allclose(np.abs(np.fft.fft2(whole.render(z)))[..., 1:3, 0], 1)
    skipped = blurred(point(np.ones((1, 1, 4, 4)).cumsum(2)), 1.0)
    monkeypatch.setattr(type(skipped), "project", lambda self, z: None)
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(after(skipped, 1), after(point(np.ones((1, 1, 4, 4))), 1))
