"""Spectra against NumPy, noise of a known slope, and what must and must not count."""

import math

import numpy as np
import pytest
import torch

from actmax_lib import metrics
from actmax_lib.metrics.spectra import EDGES

G = torch.Generator().manual_seed(0)
X = torch.rand(3, 3, 40, 33, generator=G, dtype=torch.float64)


def power_noise(slope: float, n: int, count: int, seed: int, level: float = 1e-2) -> torch.Tensor:
    """Grey noise whose power falls as |ω|^-slope, periodic on twice the size and cut out of it."""
    rng = np.random.default_rng(seed)
    f = np.hypot(np.fft.fftfreq(2 * n)[:, None], np.fft.fftfreq(2 * n))
    f[0, 0] = np.inf
    white = np.fft.fft2(rng.standard_normal((count, 2 * n, 2 * n)))
    y = np.fft.ifft2(white * level * f ** (-slope / 2)).real[:, :n, :n]
    return torch.from_numpy(0.5 + y)[:, None]


def test_against_a_plain_loop_over_the_whole_plane():
    frequencies, got = metrics.radial_spectrum(X)
    y = np.einsum("c,nchw->nhw", [0.2126, 0.7152, 0.0722], X.numpy())
    n, m = y.shape[1:]
    a, b = (np.sin(np.pi * np.arange(k) / k) ** 2 for k in (n, m))
    window = np.outer(a, b)
    window /= np.sqrt((window**2).mean())
    y = y - (window * y).sum((1, 2), keepdims=True) / window.sum()
    power = np.abs(np.fft.fft2(window * y)) ** 2 / (n * m)
    f = np.hypot(np.fft.fftfreq(n)[:, None], np.fft.fftfreq(m))
    edges = [2 ** (-5 + k / 2) for k in range(9)]
    for k in range(8):
        ring = (f > edges[k]) & (f <= edges[k + 1])
        assert np.allclose(got[:, k].numpy(), np.log(power[:, ring].mean(1)), atol=1e-9)
        assert edges[k] < float(frequencies[k]) < edges[k + 1]


@pytest.mark.parametrize("size", [(64, 64), (96, 41)])
def test_white_noise_has_its_variance_in_every_ring_whatever_the_size(size):
    noise = 0.5 + 0.1 * torch.randn(60, 1, *size, generator=G)
    _, power = metrics.radial_spectrum(noise)
    assert torch.allclose(power.exp().mean(0), torch.full((8,), 0.01).double(), rtol=0.2)


@pytest.mark.parametrize("slope", [1.0, 2.0])
def test_slope_of_noise_with_a_power_law(slope):
    f, power = metrics.radial_spectrum(power_noise(slope, 128, 16, seed=1))
    fitted = np.polyfit(f.log().numpy(), power.mean(0).numpy(), 1)[0]
    assert fitted == pytest.approx(-slope, abs=0.1)


def test_distance_between_power_laws_is_that_of_their_logarithms():
    one, two = power_noise(1.0, 128, 16, seed=1), power_noise(2.0, 128, 16, seed=2)
    rings = (EDGES[1:] * EDGES[:-1]).sqrt()
    expected = float(rings.log().square().mean().sqrt())  # log |ω|^-1 against log |ω|^-2
    got = metrics.spectrum_distance(two, one).mean()
    assert float(got) == pytest.approx(expected, rel=0.06)
    # at another size too: a power is a density
    assert float(metrics.spectrum_distance(power_noise(2.0, 64, 16, seed=3), one).mean()) == (
        pytest.approx(expected, rel=0.1)
    )


def test_identical_brighter_fainter_and_shuffled():
    photo = power_noise(2.0, 64, 1, seed=4, level=2e-3)
    assert float(metrics.spectrum_distance(photo, photo)) == pytest.approx(0, abs=1e-12)
    assert float(metrics.spectrum_distance(photo + 0.1, photo)) == pytest.approx(0, abs=1e-9)
    half = 0.5 + 0.5 * (photo - 0.5)
    assert float(metrics.spectrum_distance(half, photo)) == pytest.approx(2 * math.log(2))
    # the same pixels in another order have the same histogram and a white spectrum
    order = torch.randperm(64 * 64, generator=G)
    shuffled = photo.flatten()[order].reshape(photo.shape)
    assert float(metrics.spectrum_distance(shuffled, photo)) > 1.5


def test_reference_is_the_mean_of_logarithms_and_pictures_do_not_meet():
    photos = torch.cat([power_noise(s, 64, 1, seed=5, level=5e-3) for s in (1.0, 1.5, 2.5)])
    _, logs = metrics.radial_spectrum(photos)
    got = metrics.spectrum_distance(photos, photos)
    assert torch.allclose(got, (logs - logs.mean(0)).square().mean(1).sqrt())
    alone = torch.cat([metrics.spectrum_distance(p[None], photos) for p in photos])
    assert torch.allclose(got, alone)


def test_black_has_the_power_of_rounding_and_no_less():
    _, power = metrics.radial_spectrum(torch.zeros(1, 3, 32, 32))
    bytes_ = torch.randint(0, 2, (40, 1, 64, 64), generator=G) / 255  # variance 1/4 of a step
    assert torch.allclose(power, torch.full((1, 8), math.log(1 / 12 / 255**2)).double())
    assert float(metrics.radial_spectrum(bytes_)[1].mean()) > float(power.mean())


def test_luminance_weighs_green_most_and_takes_grey():
    colours = torch.eye(3)[:, :, None, None].expand(3, 3, 2, 2)
    assert metrics.luminance(colours)[:, 0, 0].tolist() == pytest.approx([0.2126, 0.7152, 0.0722])
    assert float(metrics.luminance(torch.ones(1, 3, 2, 2))[0, 0, 0]) == pytest.approx(1)
    grey = torch.rand(2, 1, 3, 4, generator=G)
    assert torch.equal(metrics.luminance(grey), grey[:, 0].double())


def test_fashion_size_works_and_smaller_is_refused():
    assert metrics.radial_spectrum(torch.rand(1, 1, 28, 28, generator=G))[1].isfinite().all()
    with pytest.raises(ValueError, match="at least 28 by 28"):
        metrics.radial_spectrum(torch.rand(1, 1, 16, 16, generator=G))
    with pytest.raises(ValueError, match="1 or 3, H, W"):
        metrics.spectrum_distance(torch.rand(1, 2, 32, 32), torch.rand(1, 3, 32, 32))
