"""Transforms against SciPy and against plain array indexing; their randomness by chi-square."""

import itertools

import numpy as np
import pytest
import scipy.ndimage
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from actmax_lib import compose, crop, jitter, noise, robust, rotate, scale, transforms
from actmax_lib.streams import Streams
from actmax_lib.transforms import Affine

pytestmark = pytest.mark.usefixtures("one_thread")
ERROR_RATE = 1e-3  # of each statistical test, had its seeds been drawn at random


def streams(n, dtype=torch.float64, first=0):
    return Streams(range(first, first + n), "cpu", dtype)


def picture(height, width, channels=2, seed=0):
    return np.random.default_rng(seed).random((channels, height, width))


def batch(x, n):
    return torch.tensor(x)[None].repeat(n, 1, 1, 1)


def resampled(x, matrix, size):
    """SciPy's bilinear x at ``matrix`` times the pixels of an output of ``size``."""
    height, width = size
    rows, columns = np.mgrid[:height, :width]
    p = np.stack([columns - (width - 1) / 2, rows - (height - 1) / 2, np.ones(size)], axis=-1)
    q = p @ matrix.T
    at = [q[..., 1] + (x.shape[1] - 1) / 2, q[..., 0] + (x.shape[2] - 1) / 2]
    return np.stack([
        scipy.ndimage.map_coordinates(channel, at, order=1, mode="reflect") for channel in x
    ])  # fmt: skip


def matrices(transform, n, size, first=0):
    drawn, out = transform.draw(streams(n, first=first), size)
    return drawn.numpy(), out


@settings(max_examples=30)
@given(st.sampled_from(["jitter", "scale", "rotate", "crop"]), st.integers(5, 14),
       st.integers(5, 14), st.integers(0, 1000))  # fmt: skip
def test_against_scipy(kind, height, width, seed):
    transform = {"jitter": jitter(3), "scale": scale(0.5, 2), "rotate": rotate(180),
                 "crop": crop((3, 4))}[kind]  # fmt: skip
    x = picture(height, width)
    drawn, size = matrices(transform, 3, (height, width), seed)
    out = transform(batch(x, 3), streams(3, first=seed)).numpy()
    assert out.shape == (3, 2, *size)
    for k in range(3):
        np.testing.assert_allclose(out[k], resampled(x, drawn[k], size), atol=1e-9)


def shift_of(out, x, most):
    """The whole-pixel shift, and the only one, of which ``out`` is exactly the result."""
    padded = np.pad(x, ((0, 0), (most, most), (most, most)), mode="symmetric")
    height, width = out.shape[1:]
    found = [
        (i - most, j - most)
        for i, j in itertools.product(range(2 * most + x.shape[1] - height + 1),
                                      range(2 * most + x.shape[2] - width + 1))
        if np.abs(padded[:, i : i + height, j : j + width] - out).max() < 1e-9
    ]  # fmt: skip
    assert len(found) == 1, found
    return found[0]


def assert_uniform(found, expected):
    """Every value in ``expected``, none other, and equally often by a chi-square test."""
    counts = dict.fromkeys(expected, 0)
    for value in found:
        counts[value] += 1  # a KeyError is a value out of range
    assert scipy.stats.chisquare(list(counts.values())).pvalue > ERROR_RATE, counts


def test_jitter_is_whole_pixels_uniform_on_both_sides():
    x, d, n = picture(6, 5), 2, 2000
    out = jitter(d)(batch(x, n), streams(n)).numpy()
    found = [shift_of(one, x, d) for one in out]
    assert_uniform(found, itertools.product(range(-d, d + 1), repeat=2))


@pytest.mark.parametrize(("size", "dtype", "tolerance"), [
    (12, torch.float64, 1e-12), (224, torch.float32, 1e-4),
])  # fmt: skip
def test_jitter_rolls_the_inside(size, dtype, tolerance):
    x = picture(size, size)
    drawn = matrices(jitter(3), 5, (size, size))[0]
    out = jitter(3)(batch(x, 5).to(dtype), streams(5, dtype)).numpy()
    for one, matrix in zip(out, drawn, strict=True):
        right, down = matrix[:2, 2].astype(int)
        rolled = np.roll(x, (-down, -right), axis=(1, 2))
        np.testing.assert_allclose(one[:, 3:-3, 3:-3], rolled[:, 3:-3, 3:-3], atol=tolerance)


@pytest.mark.parametrize(("height", "width", "size"), [(6, 5, (4, 3)), (6, 7, (3, 5)), (4, 5, 4)])
def test_crop_is_a_window_uniform_among_the_whole_pixel_ones(height, width, size):
    x, n = picture(height, width), 1200
    out = crop(size)(batch(x, n), streams(n)).numpy()
    h, w = (size, size) if isinstance(size, int) else size
    assert out.shape[2:] == (h, w)
    found = [shift_of(one, x, 0) for one in out]
    assert_uniform(found, itertools.product(range(height - h + 1), range(width - w + 1)))


def test_crop_of_the_whole_is_the_whole():
    x = picture(5, 8)
    np.testing.assert_allclose(crop((5, 8))(batch(x, 1), streams(1))[0], x, atol=1e-12)


def test_scale_is_uniform_and_about_the_middle():
    drawn, _ = matrices(scale(0.8, 1.3), 2000, (9, 9))
    factors = 1 / drawn[:, 0, 0]
    assert scipy.stats.kstest(factors, scipy.stats.uniform(0.8, 0.5).cdf).pvalue > ERROR_RATE
    np.testing.assert_allclose(drawn, [np.diag([1 / s, 1 / s, 1]) for s in factors])
    disc = np.hypot(*np.mgrid[-10:11, -10:11])[None] < 5.5
    larger = scale(1.4, 1.4)(batch(disc.astype(float), 1), streams(1)).numpy()
    assert larger.sum() == pytest.approx(disc.sum() * 1.4**2, rel=0.05)  # above 1 enlarges


def test_rotate_is_uniform_and_turns_about_the_middle():
    drawn, _ = matrices(rotate(30), 2000, (9, 9))
    angles = np.degrees(np.arctan2(drawn[:, 1, 0], drawn[:, 0, 0]))
    assert scipy.stats.kstest(angles, scipy.stats.uniform(-30, 60).cdf).pvalue > ERROR_RATE
    identity = np.broadcast_to(np.eye(3), drawn.shape)
    np.testing.assert_allclose(drawn @ drawn.transpose(0, 2, 1), identity, atol=1e-6)
    np.testing.assert_allclose(np.linalg.det(drawn), 1, atol=1e-6)


def test_noise_is_normal_and_independent():
    x = torch.zeros(4, 3, 40, 40, dtype=torch.float64)
    out = noise(0.3)(x, streams(4)).numpy()
    assert scipy.stats.kstest(out.ravel() / 0.3, "norm").pvalue > ERROR_RATE
    correlations = np.corrcoef(out.reshape(12, -1))[np.triu_indices(12, 1)]
    assert np.abs(correlations).max() < 0.12  # 66 of them, each about N(0, 1/40)
    assert torch.equal(noise(0)(x + 0.5, streams(4)), x + 0.5)


@settings(max_examples=10)
@given(st.permutations(["jitter", "scale", "rotate", "crop"]), st.integers(0, 1000))
def test_a_composition_is_the_product_in_order_and_interpolates_once(order, seed):
    make = {"jitter": jitter(2), "scale": scale(0.8, 1.2), "rotate": rotate(40), "crop": crop(8)}
    transforms = [make[name] for name in order]
    x, source = picture(12, 11), streams(1, first=seed)
    product, size = np.eye(3), (12, 11)
    for transform in transforms:
        drawn, size = transform.draw(source, size)
        product = product @ drawn[0].numpy()
    out = compose(*transforms)(batch(x, 1), streams(1, first=seed))[0].numpy()
    np.testing.assert_allclose(out, resampled(x, product, size), atol=1e-9)


def test_composition_with_noise_in_between_is_step_by_step():
    x = torch.tensor(picture(9, 9))[None]
    steps = [jitter(1), noise(0.1), crop(7), noise(0.2), rotate(0)]
    one_by_one, source = x, streams(1)
    for transform in steps:
        one_by_one = transform(one_by_one, source)
    torch.testing.assert_close(compose(*steps)(x, streams(1)), one_by_one)
    assert torch.equal(compose()(x, streams(1)), x)


def test_each_image_moves_by_itself_and_anew():
    x, source = batch(picture(9, 9), 3), Streams([5, 6, 5])
    for transform in (jitter(3), scale(0.5, 2), rotate(90), crop(4), noise(1), robust()):
        first, second = transform(x.float(), source), transform(x.float(), source)
        assert torch.equal(first[0], first[2])
        assert not torch.equal(first[0], first[1])
        assert not torch.equal(first, second)


@pytest.mark.parametrize("make", [lambda: rotate(30), lambda: scale(0.7, 1.3), lambda: crop(4),
                                  lambda: compose(jitter(2), rotate(20), noise(0.1))])  # fmt: skip
def test_gradients(make):
    x = torch.tensor(picture(6, 5))[None].requires_grad_()
    assert torch.autograd.gradcheck(lambda x: make()(x, streams(1)), x)


def test_robust_leaves_no_black_corners():
    x = torch.full((3, 1, 40, 60), 0.7, dtype=torch.float64)
    out = robust()(x, streams(3))
    assert out.shape == x.shape
    assert float((out - 0.7).abs().max()) < 0.2  # the noise alone
    torch.testing.assert_close(compose(jitter(9), rotate(45), scale(0.5, 1))(x, streams(3)), x)


def test_the_checks_catch_planted_faults():
    x, n = picture(6, 5), 600
    with pytest.raises(AssertionError):  # half pixels
        shift_of(resampled(x, np.array([[1, 0, 0.5], [0, 1, 0], [0, 0, 1]]), (6, 5)), x, 2)
    with pytest.raises(KeyError):  # -d ... d + 1
        assert_uniform(np.random.default_rng(0).integers(-2, 4, n).tolist(), range(-2, 3))
    with pytest.raises(AssertionError):  # rounding instead of flooring: half the weight at the ends
        assert_uniform(np.random.default_rng(0).uniform(-2, 2, n).round().tolist(), range(-2, 3))
    out = compose(rotate(90), jitter(2))(batch(x, 1), streams(1))[0].numpy()
    a, b = (t.draw(s, (6, 5))[0][0].numpy() for s in [streams(1)] for t in (rotate(90), jitter(2)))
    np.testing.assert_allclose(out, resampled(x, a @ b, (6, 5)), atol=1e-9)
    with pytest.raises(AssertionError):  # the other order
        np.testing.assert_allclose(out, resampled(x, b @ a, (6, 5)), atol=1e-9)


def looked_up(monkeypatch):
    """How many pictures' points each resampling looks up."""
    sizes, sample = [], transforms.F.grid_sample

    def spy(x, grid, **options):
        sizes.append(len(grid))
        return sample(x, grid, **options)

    monkeypatch.setattr(transforms.F, "grid_sample", spy)
    return sizes


def resampled_with_gradient(transform, x, source):
    x = x.clone().requires_grad_()
    out = transform(x, source)
    weights = torch.linspace(-1, 1, out[0].numel()).reshape(out[0].shape)
    return out.detach(), torch.autograd.grad((out * weights).sum(), x)[0]


@pytest.mark.parametrize(("threads", "at_once"), [(1, 1), (2, 2), (4, 2), (6, 6)])
def test_images_that_move_alike_share_points_and_keep_their_bits(threads, at_once, monkeypatch):
    x = torch.rand(6, 3, 33, 28, generator=torch.Generator().manual_seed(0))
    transform = compose(jitter(3), scale(0.7, 1.3), rotate(20), crop((25, 27)))
    alone = [resampled_with_gradient(transform, one[None], Streams([5])) for one in x]
    sizes = looked_up(monkeypatch)
    torch.set_num_threads(threads)  # the fixture one_thread gives them back
    batch = x.transpose(2, 3).contiguous().transpose(2, 3)  # strides like a parametrization's
    out, gradient = resampled_with_gradient(transform, batch, Streams([5] * 6))
    assert sizes == [at_once]  # one each for as many threads as divide the work evenly
    assert torch.equal(out, torch.cat([one for one, _ in alone]))
    assert torch.equal(gradient, torch.cat([one for _, one in alone]))
    transform(x, Streams([5, 5, 5, 5, 5, 6]))
    assert sizes[1:] == [6]


def test_maps_of_your_own_may_differ_where_seeds_do_not():
    x = batch(picture(7, 7), 2)
    half_turn = torch.tensor([[-1.0, 0, 0], [0, -1, 0], [0, 0, 1]]).double()
    own = Affine(lambda source, size: (torch.stack([half_turn, torch.eye(3).double()]), size))
    out = compose(own, jitter(0))(x, Streams([3, 3], dtype=torch.float64))
    torch.testing.assert_close(out[0], x[0].flip(1, 2))
    torch.testing.assert_close(out[1], x[1])
