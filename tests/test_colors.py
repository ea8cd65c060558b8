"""Colour axes fitted to pictures, against NumPy; every picture and spectrum takes them."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from actmax_lib import fourier, maco, magnitude_error, mean_magnitude, pixels
from actmax_lib.colors import COLOR, color_axes
from actmax_lib.streams import Streams

pytestmark = pytest.mark.usefixtures("one_thread")


def pictures(seed=0, n=5, channels=3, size=(7, 4), level=0.7, spread=0.1):
    """Correlated colours about a colour of their own."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(channels, channels))
    x = np.einsum("rc,nchw->nrhw", mixing, rng.normal(size=(n, channels, *size)))
    return level + 0.1 * rng.random((channels, 1, 1)) + spread * x


def by_numpy(x):
    pixels_of = np.moveaxis(x, 1, 0).reshape(x.shape[1], -1)
    return np.atleast_2d(np.cov(pixels_of, bias=True))


@given(st.integers(0, 99), st.integers(1, 4))
def test_axes_are_those_of_the_covariance(seed, channels):
    x = pictures(seed, channels=channels)
    axes = color_axes(x).numpy()
    covariance = by_numpy(x)
    np.testing.assert_allclose(
        axes @ axes.T, covariance / np.linalg.eigvalsh(covariance)[-1], atol=1e-9
    )
    lengths = np.linalg.norm(axes, axis=0)
    np.testing.assert_allclose(axes.T @ axes, np.diag(lengths**2), atol=1e-12)  # orthogonal
    assert lengths[0] == pytest.approx(1)
    assert (np.diff(lengths) <= 0).all()
    assert (axes[0] >= 0).all()


def test_coordinates_along_them_vary_independently_and_alike():
    x = pictures(3)
    y = np.einsum("cr,nrhw->nchw", np.linalg.inv(color_axes(x).numpy()), x)
    found = by_numpy(y)
    np.testing.assert_allclose(found, found[0, 0] * np.eye(3), atol=1e-9 * found[0, 0])


def test_the_convention_is_that_of_the_axes_of_imagenet():
    """Colours that are COLOR @ y, with y white, give COLOR back as far as its axes are orthogonal.

    They nearly are, and M Mᵀ does not ask for it.
    """
    y = np.random.default_rng(0).normal(size=(40, 3, 50, 50))
    fitted = color_axes(0.5 + 0.1 * np.einsum("rc,nchw->nrhw", COLOR.double().numpy(), y)).numpy()
    own = (COLOR.double() @ COLOR.double().mT).numpy()
    np.testing.assert_allclose(fitted @ fitted.T, own / np.linalg.eigvalsh(own)[-1], atol=0.01)
    np.testing.assert_allclose(fitted, COLOR.numpy(), atol=0.03)


def test_many_pictures_are_taken_in_parts_and_small_spreads_are_kept():
    x = pictures(1, n=1100, size=(2, 3))
    np.testing.assert_allclose(color_axes(x) @ color_axes(x).T,
                               by_numpy(x) / np.linalg.eigvalsh(by_numpy(x))[-1])  # fmt: skip
    faint = pictures(2, level=0.5, spread=1e-4).astype(np.float32)
    expected = by_numpy(faint.astype(np.float64))
    found = color_axes(faint)
    assert found.dtype == torch.float64
    np.testing.assert_allclose(found @ found.T, expected / np.linalg.eigvalsh(expected)[-1],
                               rtol=1e-6, atol=1e-9)  # fmt: skip


# --- taken by pictures and spectra ----------------------------------------------------------------

OWN = color_axes(pictures(5))


def logits(x):
    return np.log(x / (1 - x))


@pytest.mark.parametrize("make", [pixels, fourier])
@pytest.mark.parametrize("axes", [OWN, OWN.numpy(), OWN.float(), OWN.numpy().tolist()])
def test_a_picture_mixes_by_them(make, axes):
    z = make(3, (5, 6)).start(Streams([1], "cpu", torch.float64)) * 50
    plain = make(3, (5, 6), decorrelate=False).render(z).numpy()
    x = make(3, (5, 6), decorrelate=axes).render(z).numpy()
    expected = np.einsum("rc,nchw->nrhw", OWN.numpy(), logits(plain))
    np.testing.assert_allclose(logits(x), expected, rtol=1e-5, atol=1e-6)


def test_any_number_of_channels_has_axes():
    two = color_axes(pictures(4, channels=2))
    z = pixels(2, 4).start(Streams([1], "cpu", torch.float64))
    expected = np.einsum("rc,nchw->nrhw", two.numpy(), z.numpy())
    np.testing.assert_allclose(pixels(2, 4, decorrelate=two).render(z), 1 / (1 + np.exp(-expected)))


def test_spectra_are_taken_in_them():
    x = pictures(6, size=(6, 6))
    r = mean_magnitude(x, decorrelate=OWN)
    waves = np.fft.fft2(np.einsum("cr,nrhw->nchw", np.linalg.inv(OWN.numpy()), x))
    np.testing.assert_allclose(r[:, 1:], np.abs(waves).mean(0)[:, 1:])
    off = np.log(np.abs(waves)) - np.log(np.abs(np.asarray(r)))
    expected = np.sqrt((off.reshape(5, 3, -1)[:, :, 1:] ** 2).mean((1, 2)))
    np.testing.assert_allclose(magnitude_error(x, r, decorrelate=OWN), expected)
    assert not np.allclose(magnitude_error(x, r), expected)


def test_maco_draws_in_them():
    x = pictures(7, n=1, size=(6, 5))
    r = mean_magnitude(x, decorrelate=OWN)
    image = maco(r, decorrelate=OWN, bounded=False)
    y = image.render(image.start(Streams([2], "cpu", torch.float64)))
    inner = np.fft.fft2(np.einsum("cr,nrhw->nchw", np.linalg.inv(OWN.numpy()), y.numpy()))
    np.testing.assert_allclose(np.abs(inner[0])[:, :, 1:], r[:, :, 1:], rtol=1e-9)


GREY = np.repeat(np.random.default_rng(0).random((2, 1, 4, 4)), 3, axis=1)


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: color_axes(GREY), ValueError, "do not span 3 channels"),
    (lambda: color_axes(np.full((2, 3, 4, 4), 0.5)), ValueError, "do not span 3 channels"),
    (lambda: color_axes(GREY[0]), ValueError, r"\(N, C, H, W\)"),
    (lambda: color_axes(np.ones((1, 3, 2, 2), np.uint8)), TypeError, "255"),
    (lambda: color_axes(np.full((1, 3, 2, 2), np.inf)), ValueError, "images holds NaN or Inf"),
    (lambda: pixels(3, 4, decorrelate=np.eye(2)), ValueError, r"matrix \(3, 3\).*\(2, 2\)"),
    (lambda: fourier(1, 4, decorrelate=OWN), ValueError, r"matrix \(1, 1\).*\(3, 3\)"),
    (lambda: fourier(3, 4, decorrelate=np.ones((3, 3))), ValueError, "singular"),
    (lambda: mean_magnitude(GREY, decorrelate="yes"), TypeError, "decorrelate must be"),
    (lambda: pixels(1, 4, decorrelate=True), ValueError, "channels=1"),
])  # fmt: skip
def test_bad_input(make, error, message):
    with pytest.raises(error, match=message):
        make()
