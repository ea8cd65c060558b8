"""Closed forms wave by wave, against `maximize`, linear algebra and brute force."""

import itertools

import numpy as np
import pytest
import scipy.optimize
import torch
from hypothesis import given
from hypothesis import strategies as st

from actmax_lib import UnboundedProblemError, affine, jitter, l2, maximize, point
from actmax_lib import closed_forms as cf
from actmax_lib.regularizers import frequency_penalty, smoothness
from actmax_lib.spectral import blurred, maco
from actmax_lib.spectrum import mean_magnitude

pytestmark = pytest.mark.usefixtures("one_thread")
seeds = st.integers(0, 10_000).map(np.random.default_rng)
sizes = st.integers(1, 7)
PLAIN = {"optimizer": "gradient", "schedule": "constant"}


def climbed(objective, w, image=None, lr=0.1, steps=600):
    image = image or point(np.zeros((1, 1, *w.shape)))
    return maximize(objective, image, lr=lr, steps=steps, **PLAIN)


def hessian(omega, shape):
    """The matrix Q of a quadratic omega(x) = -x'Qx, entry by entry from its values."""
    d = int(np.prod(shape))
    E = torch.eye(d, dtype=torch.float64)
    pairs = torch.cat([(a + b)[None] for a in E for b in E]).reshape(d * d, 1, *shape)
    both = -omega(pairs).reshape(d, d).numpy()
    one = -omega(E.reshape(d, 1, *shape)).numpy()
    return (both - one[:, None] - one) / 2


@given(seeds, st.integers(1, 4), st.integers(1, 4), st.floats(0.1, 3), st.floats(0, 1.5))
def test_the_optimum_solves_the_normal_equations(rng, height, width, lam, power):
    """2 Q x = w by least squares, Q read off the regularizer: no Fourier transform here."""
    w, shape = rng.normal(size=(height, width)), (height, width)
    for ridge in (0.0, 0.3):
        v = w if ridge or not power else w - w.mean()
        smooth, frequency = smoothness(lam), frequency_penalty(lam, power)
        extra = l2(ridge) if ridge else 0
        for omega, found in (
            (smooth + extra, cf.affine_smoothness(w if ridge else w - w.mean(), 0.4, lam, ridge)),
            (frequency + extra, cf.affine_frequency(v, 0.4, lam, power, ridge)),
        ):
            u = w - w.mean() if not ridge and omega is smooth else v
            Q = hessian(omega, shape)
            x, *_ = np.linalg.lstsq(2 * Q, u.ravel(), rcond=1e-10)
            np.testing.assert_allclose(found.x.ravel(), x, atol=1e-7)
            assert found.f == pytest.approx(float(u.ravel() @ x) + 0.4, abs=1e-7)
            assert found.omega == pytest.approx(float(-x @ Q @ x), abs=1e-7)


@pytest.mark.parametrize("shape", [(6, 6), (5, 7), (1, 6), (8, 1)])
def test_maximize_agrees(shape):
    w = np.random.default_rng(4).normal(size=shape)
    w -= w.mean()
    for omega, found in (
        (smoothness(0.7), cf.affine_smoothness(w, 0.3, 0.7)),
        (frequency_penalty(2.0, 0.5), cf.affine_frequency(w, 0.3, 2.0, 0.5)),
        (frequency_penalty(2.0) + l2(0.2), cf.affine_frequency(w, 0.3, 2.0, 1.0, 0.2)),
    ):
        run = climbed(affine(w, 0.3) + omega, w)
        np.testing.assert_allclose(run.images[0, 0], found.x, atol=1e-8)
        assert float(run.values[0]) == pytest.approx(found.value)


def test_constants_are_the_direction_of_no_return():
    w = np.ones((3, 4)) + np.arange(12).reshape(3, 4)
    for make in (lambda: cf.affine_smoothness(w, 0, 1), lambda: cf.affine_frequency(-w, 0, 1),
                 lambda: cf.blur_fixed_point(w, 0, 1, 0.1)):  # fmt: skip
        with pytest.raises(UnboundedProblemError, match="constant picture") as caught:
            make()
        direction = caught.value.direction
        assert direction.shape == (3, 4)
        np.testing.assert_allclose(np.abs(direction), 1 / np.sqrt(12))
        assert np.ptp(direction) < 1e-12
        sign = -1 if "frequency" in str(make.__code__.co_names) else 1
        assert sign * (direction * w).sum() > 0


def test_what_is_flat_is_flat():
    w = np.random.default_rng(5).normal(size=(4, 6))
    weights = 0.1 + np.hypot(np.fft.fftfreq(4)[:, None], np.fft.fftfreq(6))
    weights[[1, 3], [2, 4]] = 0  # one wave and its mirror image
    weights[0, 0] = 0

    def L(x):
        return (w * x).sum() - (weights * np.abs(np.fft.fft2(x)) ** 2).sum() / 24

    with pytest.raises(UnboundedProblemError) as caught:
        cf.affine_spectral(w, 0, weights)
    far = 100 * caught.value.direction
    assert L(2 * far) > L(far) > L(0 * far)
    hat = np.fft.fft2(w) * (weights > 0)
    w = np.fft.ifft2(hat).real
    found = cf.affine_spectral(w, 0, weights)
    assert not found.unique
    assert np.linalg.matrix_rank(found.flat.reshape(len(found.flat), -1)) == 3  # 1, cos and sin
    for way in found.flat:
        assert L(found.x + 2 * way) == pytest.approx(found.value)
    assert cf.affine_spectral(w, 0, weights + 1).unique


@given(seeds, sizes, sizes, st.floats(0.2, 2), st.floats(0.1, 0.5))
def test_the_fixed_point_of_a_blurred_climb(rng, height, width, sd, lr):
    w, lam = rng.normal(size=(height, width)), 0.4
    found = cf.blur_fixed_point(w, 0.0, sd, lr, lam)
    start = point(np.zeros((1, 1, height, width)))
    run = climbed(affine(w) + l2(lam), w, blurred(start, sd), lr, 400)
    np.testing.assert_allclose(run.images[0, 0], found.x, atol=1e-8)
    again = climbed(affine(w) + l2(lam), w, blurred(point(found.x[None, None]), sd), lr, 1)
    np.testing.assert_allclose(again.images[0, 0], found.x, atol=1e-12)
    if height * width > 2 and float(np.abs(found.x - found.x.mean()).max()) > 1e-3:
        with pytest.raises(AssertionError):  # planted: another standard deviation
            np.testing.assert_allclose(
                cf.blur_fixed_point(w, 0.0, 1.5 * sd, lr, lam).x, found.x, atol=1e-8
            )


def test_weak_blurs_are_a_frequency_penalty():
    """To first order in sd²: weight π² sd² / lr, power 1. The error falls like sd²."""
    w = np.random.default_rng(6).normal(size=(8, 8))
    w -= w.mean()
    errors = []
    for sd in (0.1, 0.05):
        by_blur = cf.blur_fixed_point(w, 0, sd, 0.2).x
        by_penalty = cf.affine_frequency(w, 0, (np.pi * sd) ** 2 / 0.2).x
        errors.append(np.linalg.norm(by_blur - by_penalty) / np.linalg.norm(by_penalty))
    assert errors[0] < 0.05
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.1)
    assert cf.blur_fixed_point(w, 0, 1e3, 0.2).x == pytest.approx(0)  # overflow is answered


# --- phases ---------------------------------------------------------------------------------------


def with_magnitude(rng, shape):
    """A magnitude of random pictures, and a template with a positive mean."""
    r = mean_magnitude(rng.random((4, 1, *shape)))[0].numpy()
    w = rng.normal(size=shape)
    return r, w - w.mean() + 0.5


@given(seeds, sizes, sizes)
def test_no_picture_of_this_magnitude_is_better(rng, height, width):
    r, w = with_magnitude(rng, (height, width))
    found = cf.affine_phases(w, 0.3, r)
    hat = np.abs(np.fft.fft2(w))
    total = (r * hat).sum() - r[0, 0] * hat[0, 0] + r[0, 0] * w.sum()
    assert found.value == pytest.approx(total / (height * width) + 0.3)
    np.testing.assert_allclose(np.abs(np.fft.fft2(found.x)), r, atol=1e-9)
    for _ in range(20):  # phases of other real pictures
        other = np.fft.fft2(rng.normal(size=w.shape))
        other[0, 0] = abs(other[0, 0])
        x = np.fft.ifft2(r * other / np.abs(other)).real
        assert (w * x).sum() + 0.3 <= found.value + 1e-9


@pytest.mark.parametrize("shape", [(6, 6), (5, 7), (8, 5), (4, 1)])
def test_maximize_finds_the_phases(shape):
    r, w = with_magnitude(np.random.default_rng(7), shape)
    found = cf.affine_phases(w, 0.3, r)
    run = maximize(affine(w, 0.3), maco(r, bounded=False), steps=600, lr=0.3)
    assert float(run.values[0]) == pytest.approx(found.value, rel=1e-6)
    np.testing.assert_allclose(run.images[0, 0], found.x, atol=1e-4)
    down = cf.affine_phases(-w, 0.3, r)  # the mean keeps its sign
    assert down.value < (r * np.abs(np.fft.fft2(w))).sum() / w.size + 0.3
    run = maximize(affine(-w, 0.3), maco(r, bounded=False), steps=600, lr=0.3)
    assert float(run.values[0]) == pytest.approx(down.value, rel=1e-6)


def test_phases_that_do_not_matter():
    r = np.ones((4, 4))
    assert not cf.affine_phases(np.ones((4, 4)), 0, r).unique
    w = np.zeros((4, 4))
    w[0, 0] = 1
    assert cf.affine_phases(w, 0, r).unique
    np.testing.assert_allclose(cf.affine_phases(w, 0, r).x, w, atol=1e-12)
    balanced = cf.affine_phases(w - w.mean(), 0, r)  # the mean of x is given, whatever w has
    assert balanced.unique
    np.testing.assert_allclose(balanced.x, w, atol=1e-12)


# --- jitter ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shape", "pixels"), [((7, 6), 2), ((5, 4), 9), ((6, 6), 0), ((1, 5), 3)])
def test_the_mean_over_all_shifts(shape, pixels):
    """Brute force with the library's own transform, every shift once."""
    rng = np.random.default_rng(8)
    w, x = rng.normal(size=shape), rng.normal(size=shape)

    class Every:
        """Streams that give each of the shifts once, as `jitter` asks for them."""

        def __init__(self):
            steps = range(2 * pixels + 1)
            grid = [(a, b) for a, b in itertools.product(steps, steps)]
            self.u = (torch.tensor(grid, dtype=torch.float64) + 0.5) / (2 * pixels + 1)
            self.device, self.dtype = torch.device("cpu"), torch.float64
            self.seeds = range(len(grid))

        def __len__(self):
            return len(self.u)

        def uniform(self, *size):
            return self.u

    streams = Every()
    moved = jitter(pixels)(torch.tensor(x).expand(len(streams), 1, *shape), streams)
    mean = float((moved[:, 0].numpy() * w).sum((1, 2)).mean())
    template = cf.jitter_template(w, pixels)
    assert mean == pytest.approx(float((template * x).sum()), abs=1e-9)
    if pixels:
        assert abs(float((w * x).sum()) - mean) > 1e-3


def test_far_from_the_edges_jitter_is_a_box_blur():
    w = np.zeros((11, 12))
    w[5, 6], w[4, 7] = 2.0, -1.0
    box = sum(np.roll(w, (a, b), (0, 1)) for a in (-1, 0, 1) for b in (-1, 0, 1)) / 9
    np.testing.assert_allclose(cf.jitter_template(w, 1), box, atol=1e-12)
    wide = cf.jitter_template(w, 50_000)
    assert np.ptp(wide) < 1e-3 * abs(wide.mean())  # every place alike: a constant picture
    assert wide.sum() == pytest.approx(w.sum())


def test_jittered_climbs_end_at_the_blurred_template():
    """Stochastic ascent with falling steps: the mean of 400 runs, each coordinate within 4.5 se."""
    rng, lam, n = np.random.default_rng(9), 0.5, 400
    w = rng.normal(size=(5, 5))
    run = maximize(affine(w) + l2(lam), point(np.zeros((n, 1, 5, 5))), transform=jitter(1),
                   seed=list(range(n)), steps=60, lr=0.2, optimizer="gradient",
                   schedule="constant")  # fmt: skip
    expected = (1 - (1 - 2 * lam * 0.2) ** 60) * cf.jitter_template(w, 1) / (2 * lam)
    x = run.images[:, 0].numpy()
    z = (x.mean(0) - expected) / (x.std(0, ddof=1) / np.sqrt(n))
    assert np.abs(z).max() < 4.5
    plain = (w / (2 * lam) - x.mean(0)) / (x.std(0, ddof=1) / np.sqrt(n))
    assert np.abs(plain).max() > 10  # the template itself is not it


# --- bad input ------------------------------------------------------------------------------------

W = np.ones((2, 3)).cumsum(1)
W -= W.mean()


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: cf.affine_smoothness(W, 0, 0), UnboundedProblemError, "lam must be > 0, got 0"),
    (lambda: cf.affine_smoothness(W, 0, 1, -1), ValueError, "ridge must be >= 0, got -1"),
    (lambda: cf.affine_frequency(W, 0, 1, -0.5), ValueError, "power must be >= 0, got -0.5"),
    (lambda: cf.affine_smoothness(W[0], 0, 1), ValueError, "w must have shape"),
    (lambda: cf.affine_spectral(W, 0, np.ones((3, 2))), ValueError, "weights must have shape"),
    (lambda: cf.affine_spectral(W, 0, np.arange(6.0).reshape(2, 3)), ValueError, "ω and -ω"),
    (lambda: cf.affine_spectral(W, 0, -np.ones((2, 3))), UnboundedProblemError, "negative entry"),
    (lambda: cf.blur_fixed_point(W, 0, 0, 1), ValueError, "sd must be > 0"),
    (lambda: cf.blur_fixed_point(W, 0, 1, 0), ValueError, "lr must be > 0"),
    (lambda: cf.blur_fixed_point(W, 0, 1, 1, -1), ValueError, "lam must be >= 0"),
    (lambda: cf.affine_phases(W, 0, -np.ones((2, 3))), ValueError, "negative"),
    (lambda: cf.affine_phases(W * np.nan, 0, np.ones((2, 3))), ValueError, "w contains nan"),
    (lambda: cf.jitter_template(W, -1), ValueError, "pixels must be at least 0"),
    (lambda: cf.jitter_template(W, 1.5), TypeError, "pixels must be an integer"),
])  # fmt: skip
def test_bad_input(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_solutions_are_maxima_by_another_optimizer():
    """BFGS on the objective written with NumPy alone."""
    w = np.random.default_rng(10).normal(size=(3, 4))

    def loss(x):
        x = x.reshape(3, 4)
        steps = ((np.roll(x, -1, 0) - x) ** 2 + (np.roll(x, -1, 1) - x) ** 2).sum()
        return 0.6 * steps + 0.2 * (x**2).sum() - (w * x).sum()

    found = cf.affine_smoothness(w, 0, 0.6, 0.2)
    best = scipy.optimize.minimize(loss, np.zeros(12), options={"gtol": 1e-10})
    np.testing.assert_allclose(found.x.ravel(), best.x, atol=1e-6)
    assert found.value == pytest.approx(-best.fun)
