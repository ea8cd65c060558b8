"""The keystone: ``maximize`` reaches every closed form to 1e-4, in the point and in the value.

The instances are random (hypothesis draws their seeds), scaled so that the answer is within reach
of the default step size; nothing about the answer is told to the ascent, its basin excepted where
there are several maximisers.
"""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from actmax_lib import (
    affine,
    closed_forms,
    function,
    gaussian_prior,
    l2,
    linear,
    lp,
    max_coordinate,
    maximize,
    point,
    quadratic,
    smooth_max,
)

TOLERANCE = 1e-4
pytestmark = pytest.mark.usefixtures("one_thread")
few = settings(max_examples=4)
instances = st.integers(0, 10_000).map(np.random.default_rng)


def zeros(d):
    return point(torch.zeros(1, d, dtype=torch.float64))


def assert_reaches(solution, objective, image, steps=700, x=None):
    """The end of the ascent is the maximiser (``x`` of several), and its value the maximum."""
    run = maximize(objective, image, steps=steps)
    x = solution.x if x is None else x
    np.testing.assert_allclose(run.images[0].numpy(), x, rtol=0, atol=TOLERANCE)
    assert abs(float(run.values[0]) - solution.value) <= TOLERANCE
    return run


def vector(rng, scale=1.0):
    """w with entries away from 0, so that its signs are not a matter of rounding."""
    d = int(rng.integers(1, 7))
    return scale * rng.uniform(0.1, 1.0, d) * rng.choice([-1, 1], d)


def rotation(rng, d):
    return np.linalg.qr(rng.normal(size=(d, d)))[0]


@few
@given(instances)
def test_affine_with_l2(rng):
    w, b, lam = vector(rng, 5), rng.normal(), rng.uniform(0.3, 3)
    run = assert_reaches(closed_forms.affine_l2(w, b, lam), affine(w, b) + l2(lam), zeros(len(w)))
    assert float(run.terms["l2"][-1, 0]) == pytest.approx(-(w @ w) / (4 * lam), abs=1e-3)


@few
@given(instances)
def test_affine_with_a_regular_gaussian_prior(rng):
    w = vector(rng, 2)
    d = len(w)
    mu, q = rng.normal(size=d), rotation(rng, d)
    root = q * rng.uniform(0.5, 1.5, d)
    sigma = root @ root.T
    solution = closed_forms.affine_gaussian(w, 0.3, mu, sigma)
    objective = affine(w, 0.3) + gaussian_prior(mu, sigma)
    assert_reaches(solution, objective, point(mu[None]))
    assert_reaches(solution, objective, linear(root, mu))


@few
@given(instances)
def test_affine_with_a_singular_gaussian_prior(rng):
    w = vector(rng, 2)
    d = len(w)
    rank = int(rng.integers(1, max(d, 2)))
    mu, A = rng.normal(size=d), rotation(rng, d)[:, :rank] * rng.uniform(0.5, 1.5, rank)
    sigma = A @ A.T
    solution = closed_forms.affine_gaussian(w, -1.0, mu, sigma)
    assert_reaches(solution, affine(w, -1.0) + gaussian_prior(mu, sigma), linear(A, mu))


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, math.inf])
@settings(max_examples=2)
@given(rng=instances)
def test_affine_on_a_ball(p, rng):
    w, eps = vector(rng), rng.uniform(0.1, 2)
    if p == 1:  # one coordinate must win clearly, else the top is nearly a whole edge
        w[int(rng.integers(len(w)))] *= 1.5 / np.abs(w).max()
    x0 = rng.normal(size=len(w))
    solution = closed_forms.affine_ball(w, 0.2, x0, eps, p)
    x = min(solution.maximisers, key=lambda m: -(w @ m))
    steps = 2000 if p == 1 else 500
    assert_reaches(solution, affine(w, 0.2), point(x0[None], ball=(p, eps)), steps, x)


@few
@given(instances, st.floats(1.3, 10))
def test_affine_on_a_ball_of_any_p(rng, p):
    w, eps = vector(rng), rng.uniform(0.1, 2)
    x0 = rng.normal(size=len(w))
    solution = closed_forms.affine_ball(w, 0.0, x0, eps, p)
    assert_reaches(solution, affine(w), point(x0[None], ball=(p, eps)))


@few
@given(instances)
def test_affine_on_a_box(rng):
    w = vector(rng)
    low = rng.normal(size=len(w))
    high = low + rng.uniform(0.1, 2, len(w))
    solution = closed_forms.affine_box(w, 0.1, low, high)
    image = point(rng.normal(size=(1, len(w))), box=(low, high))
    assert_reaches(solution, affine(w, 0.1), image, steps=100)


@settings(max_examples=2)
@given(instances)
def test_elastic_net(rng):
    w, lam1, lam2 = vector(rng, 2), rng.uniform(0.5, 1), rng.uniform(0.3, 2)
    solution = closed_forms.elastic_net(w, 0.1, lam1, lam2)
    objective = affine(w, 0.1) + lp(lam1, 1) + l2(lam2)
    assert_reaches(solution, objective, zeros(len(w)), steps=4000)


@few
@given(instances, st.floats(1.5, 5))
def test_lp(rng, p):
    w, lam = vector(rng, 2), rng.uniform(0.5, 2)
    solution = closed_forms.affine_lp(w, 0.1, lam, p)
    assert_reaches(solution, affine(w, 0.1) + lp(lam, p), zeros(len(w)), steps=1500)


@few
@given(instances)
def test_quadratic(rng):
    w, lam = vector(rng, 2), rng.uniform(0.3, 2)
    q = rotation(rng, len(w))
    H = (q * rng.uniform(-2, 1.2, len(w)) * lam) @ q.T  # indefinite, and still below 2 lam
    solution = closed_forms.quadratic(H, w, 0.1, lam)
    assert_reaches(solution, quadratic(H, w, 0.1) + l2(lam), zeros(len(w)))


@settings(max_examples=2)
@given(instances)
def test_every_basin_of_the_maximum_of_coordinates(rng):
    d, lam = int(rng.integers(2, 6)), rng.uniform(0.2, 2)
    solution = closed_forms.max_coordinate(lam, d)
    starts = rng.normal(size=(3 * d, d))
    winners = starts.argmax(1)
    starts[np.arange(d), np.arange(d)] = starts[:d].max(1) + 0.01  # every basin, once at least
    winners[:d] = np.arange(d)
    # the basins {x_k is largest} are those of gradient ascent with lr < 1 / (2 lam); Adam's steps,
    # scaled by coordinate, may cross their borders
    gradient = {"optimizer": "gradient", "schedule": "constant", "lr": 0.2 / lam}
    run = maximize(max_coordinate() + l2(lam), point(starts), steps=60, **gradient)
    expected = np.stack([m for k in winners for m in solution.maximisers if m.argmax() == k])
    np.testing.assert_allclose(run.images.numpy(), expected, rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(run.values.numpy(), solution.value, rtol=0, atol=TOLERANCE)


@few
@given(instances)
def test_every_local_maximiser_of_the_maximum_of_affine_pieces(rng):
    d, pieces, lam = int(rng.integers(1, 5)), int(rng.integers(2, 6)), rng.uniform(0.3, 2)
    W, b = rng.normal(size=(pieces, d)), rng.normal(size=pieces)
    solution = closed_forms.max_affine(W, b, lam)
    w, c = torch.tensor(W), torch.tensor(b)
    f = function(lambda x: (x @ w.T + c).max(1).values, "max_affine")
    # a start a little off the maximiser, in its own piece: ascent must come back to it
    starts = np.stack(solution.local)
    room = 0.01 * rng.normal(size=starts.shape)
    run = maximize(f + l2(lam), point(starts + room), steps=700, lr=0.01)
    np.testing.assert_allclose(run.images.numpy(), starts, rtol=0, atol=TOLERANCE)
    assert abs(float(run.values[0]) - solution.value) <= TOLERANCE


@pytest.mark.parametrize("d", [2, 3, 5])
@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_smooth_max_on_both_sides_of_the_transition(d, factor):
    lam = 0.7
    beta = factor * closed_forms.first_order_beta(lam, d)
    solution = closed_forms.smooth_max(lam, beta, d)
    assert len(solution.maximisers) == (1 if factor < 1 else d)
    for x in solution.maximisers:
        k = int(x.argmax())
        start = np.full((1, d), 0.1)
        start[0, k] = 1.0  # the basin is told by the largest coordinate alone
        assert_reaches(solution, smooth_max(beta) + l2(lam), point(start), x=x)


def test_the_check_fails_on_a_wrong_answer():
    """Planted faults: an ascent that stops early, one that descends, a wrong closed form."""
    w = np.array([3.0, -4.0])
    right = closed_forms.affine_l2(w, 1.0, 0.5)
    for objective, solution, steps in [
        (affine(w, 1.0) + l2(0.5), right, 20),
        (-affine(w, 1.0) + l2(0.5), right, 700),
        (affine(w, 1.0) + l2(0.5), closed_forms.affine_l2(w, 1.001, 0.5), 700),
        (affine(w, 1.0) + l2(0.5), closed_forms.affine_l2(w, 1.0, 0.50002), 700),
    ]:
        with pytest.raises(AssertionError):
            assert_reaches(solution, objective, zeros(2), steps)
