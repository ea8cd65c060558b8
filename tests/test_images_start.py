"""Pictures that start from a given one: exact inverses of what is drawn."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from actmax_lib import blurred, fourier, function, maco, maximize, mean_magnitude, pixels
from actmax_lib.images import COLOR
from actmax_lib.streams import Streams

pytestmark = pytest.mark.usefixtures("one_thread")
SIZES = [(6, 6), (5, 5), (6, 5), (5, 8), (1, 1), (1, 4), (3, 1), (2, 2)]
AXES = np.array([[0.5, 0.4, 0.1], [0.6, -0.1, -0.2], [0.5, -0.4, 0.1]])
brightness = function(lambda x: x.flatten(1).mean(1), "brightness")


def picture(channels, size, n=None, seed=0):
    """Random values in [0, 1], both ends among them."""
    shape = (channels, *size) if n is None else (n, channels, *size)
    x = np.random.default_rng(seed).random(shape)
    x.flat[0], x.flat[-1] = 0, 1
    return x


def first(image, dtype=torch.float32, seeds=(0, 1)):
    return image.render(image.start(Streams(seeds, "cpu", dtype)).contiguous()).numpy()


KINDS = {
    "pixels": lambda x, **how: pixels(start=x, **how),
    "waves": lambda x, **how: fourier(start=x, **how),
    "waves, no decay": lambda x, **how: fourier(start=x, decay=0, **how),
    "waves, strong decay": lambda x, **how: fourier(start=x, decay=1.5, **how),
    "blurred": lambda x, **how: blurred(fourier(start=x, **how), 0.5),
}


@pytest.mark.parametrize("size", [*SIZES, (64, 49)])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("channels", "axes"), [(3, True), (3, False), (3, AXES), (1, False)])
def test_the_start_is_the_picture(size, kind, channels, axes):
    x = picture(channels, size)
    expected = np.clip(x, 0.001, 0.999)
    image = KINDS[kind](x, decorrelate=axes)
    for k in range(2):  # whatever the seed
        np.testing.assert_allclose(first(image)[k], expected, atol=1e-5)
        np.testing.assert_allclose(first(image, torch.float64)[k], expected, atol=1e-10)


def test_a_run_starts_there_and_each_image_with_its_own():
    x = torch.from_numpy(picture(3, (9, 8), n=2))
    for image in (pixels(start=x), fourier(start=x)):
        run = maximize(brightness, image, steps=3, frames=3, lr=0.01, seed=[4, 4])
        assert image.batch == 2
        torch.testing.assert_close(run.frames[0], x.clamp(0.001, 0.999).float(), atol=1e-5, rtol=0)
        assert (run.values > brightness(run.frames[0])).all()
    one = fourier(start=x[0])
    assert one.batch is None
    assert maximize(brightness, one, steps=1, seed=[1, 2, 3]).images.shape == (3, 3, 9, 8)


def test_the_picture_is_copied():
    x = torch.full((1, 4, 4), 0.25)
    image = pixels(start=x)
    x.fill_(0.75)
    image.start(Streams([0])).add_(1)
    np.testing.assert_allclose(first(image), 0.25, atol=1e-6)


# --- maco -----------------------------------------------------------------------------------------


@given(st.sampled_from(SIZES), st.sampled_from([1, 3]), st.integers(0, 99))
def test_maco_of_a_pictures_own_magnitude_starts_as_the_picture(size, channels, seed):
    x = np.random.default_rng(seed).random((channels, *size))
    image = maco(mean_magnitude(x[None]), bounded=False, start=x)
    np.testing.assert_allclose(first(image, torch.float64)[0], x, atol=1e-9)
    latent = (np.log(x / (1 - x)) + 2) / 4
    inner = np.clip(latent, (np.log(0.001 / 0.999) + 2) / 4, (np.log(0.999 / 0.001) + 2) / 4)
    image = maco(mean_magnitude(inner[None]), start=x)
    np.testing.assert_allclose(first(image, torch.float64)[0], np.clip(x, 0.001, 0.999), atol=1e-9)


def test_maco_takes_the_phases_and_keeps_the_given_magnitude():
    rng = np.random.default_rng(0)
    x, other = rng.random((3, 6, 7)), rng.random((1, 3, 6, 7))
    y = first(maco(mean_magnitude(other), bounded=False, start=x), torch.float64)[0]
    inverse = np.linalg.inv(COLOR.double().numpy())
    found, given_, wanted = (
        np.fft.fft2(np.einsum("cr,rhw->chw", inverse, p)).reshape(3, -1)[:, 1:]
        for p in (y, x, other[0])
    )
    np.testing.assert_allclose(np.abs(found), np.abs(wanted))
    np.testing.assert_allclose(found / np.abs(found), given_ / np.abs(given_), atol=1e-9)


# --- bad input ------------------------------------------------------------------------------------

R = np.ones((3, 4, 4))


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: pixels(3, 5, start=R), ValueError, r"start has shape \(3, 4, 4\).*\(3, 5, 5\)"),
    (lambda: fourier(1, start=R), ValueError, r"\(3, 4, 4\).*\(1, 4, 4\)"),
    (lambda: fourier(start=R[0]), ValueError, r"start has shape \(4, 4\)"),
    (lambda: pixels(start=R[None, None]), ValueError, "start has shape"),
    (lambda: pixels(start=R + 0.5), ValueError, r"\[0, 1\], got values from 1.5 to 1.5"),
    (lambda: pixels(start=R - 1.5), ValueError, r"from -0.5"),
    (lambda: pixels(start=R.astype(int)), TypeError, "start has dtype"),
    (lambda: pixels(start=R * np.nan), ValueError, "start holds NaN"),
    (lambda: pixels(start=R[None].repeat(2, 0), batch=3), ValueError, "2 pictures, batch is 3"),
    (lambda: maco(np.ones((3, 5, 5)), start=R), ValueError, "start has shape"),
    (lambda: maximize(brightness, pixels(start=R[None]), seed=[1, 2]), ValueError, "images differ"),
])  # fmt: skip
def test_starts_that_cannot_be(make, error, message):
    with pytest.raises(error, match=message):
        make()
