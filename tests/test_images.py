"""Images x(z): rendering against NumPy, colours, balls and boxes, starts, gradients."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from actmax_lib import fourier, linear, pixels, point
from actmax_lib.images import COLOR, Image
from actmax_lib.streams import Streams

pytestmark = pytest.mark.usefixtures("one_thread")
LUCID = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
SIZES = [(6, 6), (5, 5), (6, 5), (5, 8), (1, 1), (1, 4), (3, 1), (2, 2)]


def start(image, seeds=(0,)):
    return image.start(Streams(seeds, "cpu", torch.float64)).contiguous()


def by_numpy(z, size, decay, color):
    """The picture as a sum of cosines and sines, written out."""
    height, width = size
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    frequency = np.maximum(frequency, 1 / max(height, width))
    scale = frequency**-decay * math.sqrt(height * width) / 4
    spectrum = (z[..., 0] + 1j * z[..., 1]) * scale
    i, j = np.mgrid[:height, :width]
    y = np.zeros((*z.shape[:2], height, width))
    for u in range(height):
        for v in range(width // 2 + 1):
            twice = 1 if v == 0 or 2 * v == width else 2  # its mirror image is not stored
            wave = np.exp(2j * np.pi * (u * i / height + v * j / width))
            y += twice * (spectrum[:, :, u, v, None, None] * wave).real / (height * width)
    if color:
        y = np.einsum("rc,nchw->nrhw", LUCID / np.linalg.norm(LUCID, axis=0).max(), y)
    return 1 / (1 + np.exp(-y))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("channels", "decay", "color"), [(3, 1.0, True), (2, 0.5, False)])
def test_fourier_against_written_out_waves(size, channels, decay, color):
    image = fourier(channels, size, decay=decay)
    z = start(image, (0, 1)) * 100
    assert z.shape == (2, channels, size[0], size[1] // 2 + 1, 2)
    x = image.render(z).numpy()
    np.testing.assert_allclose(x, by_numpy(z.numpy(), size, decay, color), atol=1e-7)
    if size != (1, 1):  # planted: another decay
        with pytest.raises(AssertionError):
            np.testing.assert_allclose(x, by_numpy(z.numpy(), size, decay + 0.1, color), atol=1e-7)


@given(st.integers(1, 9), st.integers(1, 9), st.booleans(), st.integers(0, 100))
def test_fourier_agrees_with_numpy_fft_up_to_the_sigmoid(height, width, decorrelate, seed):
    image = fourier(3, (height, width), decay=0.0, decorrelate=decorrelate)
    z = start(image, (seed,)) * 100
    spectrum = (z[..., 0] + 1j * z[..., 1]).numpy() * math.sqrt(height * width) / 4
    y = np.fft.irfft2(spectrum, s=(height, width))
    x = image.render(z)
    logits = x.logit().numpy()
    if decorrelate:
        logits = np.einsum("cr,nrhw->nchw", np.linalg.inv(COLOR.double().numpy()), logits)
    np.testing.assert_allclose(logits, y, atol=1e-6)


def test_fourier_moves_low_frequencies_furthest():
    def size_of_wave(decay, column):
        image = fourier(1, 16, decay=decay)
        z = torch.zeros(1, 1, 16, 9, 2, dtype=torch.float64)
        z[0, 0, 0, column, 0] = 1e-3
        return float((image.render(z) - 0.5).abs().max())

    assert size_of_wave(1, 1) / size_of_wave(1, 4) == pytest.approx(4, rel=1e-3)
    assert size_of_wave(2, 1) / size_of_wave(2, 4) == pytest.approx(16, rel=1e-3)
    assert size_of_wave(0, 1) / size_of_wave(0, 4) == pytest.approx(1, rel=1e-3)


def test_pixels():
    image = pixels(2, (3, 4))
    z = start(image, (0, 1, 0))
    assert z.shape == (3, 2, 3, 4)
    np.testing.assert_allclose(image.render(z), 1 / (1 + np.exp(-z.numpy())))
    assert torch.equal(z[0], z[2])
    assert not torch.equal(z[0], z[1])
    colored = pixels(3, 5, decorrelate=True)
    z = start(colored)
    y = np.einsum("rc,nchw->nrhw", COLOR.double().numpy(), z.numpy())
    np.testing.assert_allclose(colored.render(z), 1 / (1 + np.exp(-y)))


def test_the_colour_convention():
    """Nearly orthogonal axes, the longest of length 1: brightness, red-blue, green-purple."""
    color = COLOR.double().numpy()
    np.testing.assert_allclose(color, LUCID / np.linalg.norm(LUCID, axis=0).max(), rtol=1e-6)
    lengths = np.linalg.norm(color, axis=0)
    assert lengths.max() == pytest.approx(1)
    assert (np.diff(lengths) < 0).all()
    cosines = (color / lengths).T @ (color / lengths) - np.eye(3)
    assert np.abs(cosines).max() < 0.12
    assert (color[:, 0] > 0).all()
    assert color[0, 1] > 0 > color[2, 1]
    assert color[1, 2] < 0 < min(color[0, 2], color[2, 2])


@given(st.sampled_from(["pixels", "fourier"]), st.floats(0.01, 1e3), st.integers(0, 99))
def test_pictures_are_in_0_1_and_start_grey(kind, factor, seed):
    image = {"pixels": pixels, "fourier": fourier}[kind](3, (7, 6))
    z = start(image, (seed,))
    assert float((image.render(z) - 0.5).abs().max()) < 0.1
    x = image.render(z * factor)
    assert 0 <= float(x.min()) <= float(x.max()) <= 1


@given(st.floats(1, 20), st.floats(0.1, 3), st.integers(0, 100), st.floats(0.01, 50))
def test_a_ball_is_kept_and_its_inside_untouched(p, eps, seed, factor):
    rng = np.random.default_rng(seed)
    x0, z = rng.normal(size=(3, 4)), factor * rng.normal(size=(3, 4))
    image = point(x0, ball=(p, eps))
    x = image.render(torch.tensor(z)).numpy()
    sizes = np.linalg.norm(z, p, axis=1)
    np.testing.assert_allclose(np.linalg.norm(x - x0, p, axis=1), np.minimum(sizes, eps), rtol=1e-9)
    inside = sizes <= eps
    np.testing.assert_allclose((x - x0)[inside], z[inside], atol=1e-12)
    cosine = ((x - x0) * z).sum(1) / np.linalg.norm(x - x0, axis=1) / np.linalg.norm(z, axis=1)
    np.testing.assert_allclose(cosine, 1, atol=1e-12)
    np.testing.assert_array_equal(image.render(start(image, (0,) * 3)), x0)


@given(st.integers(0, 100), st.booleans())
def test_a_box_is_projected_on(seed, whole):
    rng = np.random.default_rng(seed)
    x0, low = rng.normal(size=(2, 3)), rng.normal(size=3)
    high = low + rng.random(3)
    low, high = (-0.3, 0.2) if whole else (low, high)
    image = point(x0, box=(low, high))
    np.testing.assert_allclose(start(image, (0, 0)), np.clip(x0, low, high))
    z = torch.tensor(3 * rng.normal(size=(2, 3)))
    projected = z.clone()
    image.project(projected)
    np.testing.assert_allclose(projected, np.clip(z.numpy(), low, high))


def test_an_open_box_and_the_infinite_ball():
    image = point([[-1.0, 2.0]], box=(0, math.inf))
    assert start(image).tolist() == [[0, 2]]
    z = torch.tensor([[3.0, -3.0]])
    point([[1.0, 1.0]], ball=(math.inf, 0.5)).project(z)
    assert z.tolist() == [[1.5, 0.5]]


def test_linear():
    rng = np.random.default_rng(0)
    A, mu, z = rng.normal(size=(4, 2)), rng.normal(size=4), rng.normal(size=(3, 2))
    image = linear(A, mu, batch=3)
    np.testing.assert_allclose(image.render(torch.tensor(z)), mu + z @ A.T)
    np.testing.assert_array_equal(image.render(start(image, (0,) * 3)), np.tile(mu, (3, 1)))


@pytest.mark.parametrize("image", [
    pixels(3, (3, 2), decorrelate=True), fourier(3, (4, 3)), fourier(1, (3, 4), decay=2),
    linear(np.ones((3, 2)), np.zeros(3)), point(np.ones((1, 3)), ball=(1.5, 0.5)),
    point(np.ones((1, 3)), ball=(1, 0.1)),
], ids=str)  # fmt: skip
def test_gradients(image):
    z = start(image) + 0.3 + torch.linspace(0, 1, start(image).numel()).reshape(start(image).shape)
    assert torch.autograd.gradcheck(image.render, z.double().requires_grad_())


def test_the_centre_of_a_ball_has_a_gradient():
    for p in (1, 1.5, 2, 3):
        z = torch.zeros(1, 3, dtype=torch.float64, requires_grad=True)
        (gradient,) = torch.autograd.grad(point(torch.zeros(1, 3), ball=(p, 1)).render(z).sum(), z)
        assert gradient.tolist() == [[1, 1, 1]]


def test_inputs_are_copied_and_types_kept():
    for x0 in (torch.ones(1, 2), np.ones((1, 2)), np.ones((2, 2))[::-1], [[1, 1]]):
        image = point(x0)
        start(image).add_(5)
        if not isinstance(x0, list):
            x0 *= 3
        assert float(start(image).max()) == 1
    assert point(torch.ones(1, 2)).dtype == torch.float32
    assert point([[1, 2]]).dtype == torch.float64


def test_an_image_of_ones_own_must_say_where_it_starts():
    with pytest.raises(NotImplementedError, match="where z starts"):
        start(Image())
