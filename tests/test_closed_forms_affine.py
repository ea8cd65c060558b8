"""Affine closed forms against routes that do not use the formula: LPs, searches, gradients."""

import math

import numpy as np
import pytest
import scipy.optimize
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from actmax_lib import closed_forms as cf

quick = settings(deadline=None, max_examples=40)
seeds = st.integers(0, 2**32 - 1)
lams = st.floats(0.05, 20)


def problem(seed, d=None, zeros=0.0):
    """A random w (some entries 0 or tied), b and generator."""
    rng = np.random.default_rng(seed)
    d = d or int(rng.integers(1, 9))
    w = rng.normal(size=d) * 10 ** rng.uniform(-1, 1)
    w[rng.random(d) < zeros] = 0.0
    return rng, w, float(rng.normal())


def slope(fn, x, h=1e-5):
    """Central differences: exact for quadratics, up to rounding."""
    return np.array([(fn(x + h * e) - fn(x - h * e)) / (2 * h) for e in np.eye(len(x))])


def concave_top(objective, solution, tol=1e-6):
    """For a smooth concave objective a zero gradient is the proof of a maximum."""
    scale = 1 + np.abs(solution.x).max() + abs(objective(solution.x))
    assert objective(solution.x) == pytest.approx(solution.value, rel=1e-9, abs=1e-9)
    assert np.abs(slope(objective, solution.x)).max() < tol * scale
    assert solution.unique
    assert solution.others == ()


@quick
@given(seeds, lams)
def test_affine_l2(seed, lam):
    _, w, b = problem(seed, zeros=0.2)
    solution = cf.affine_l2(w, b, lam)
    concave_top(lambda x: w @ x + b - lam * x @ x, solution)
    assert solution.f == pytest.approx(w @ solution.x + b)
    assert solution.omega == pytest.approx(-lam * solution.x @ solution.x)


def test_affine_l2_table():
    solution = cf.affine_l2([3, -4], 1, 0.5)
    np.testing.assert_allclose(solution.x, [3, -4], atol=1e-12)
    assert (solution.f, solution.omega, solution.value) == (26.0, -12.5, 13.5)


@quick
@given(seeds, st.floats(0.05, 20), st.floats(0.01, 1.3), st.integers(0, 30), st.booleans())
def test_path_is_gradient_ascent(seed, lam, part, T, from_origin):
    rng, w, _ = problem(seed)
    eta = part / lam
    x = np.zeros(len(w)) if from_origin else rng.normal(size=len(w))
    path = cf.affine_l2_path(w, lam, eta, T, None if from_origin else x)
    assert path.shape == (T + 1, len(w))
    for row in path:
        np.testing.assert_allclose(row, x, rtol=1e-8, atol=1e-12 * np.abs(path).max())
        x = x + eta * (w - 2 * lam * x)


def test_path_keeps_tiny_and_vanishing_steps():
    small = cf.affine_l2_path([1.0], 1e-9, 1e-9, 3)[:, 0]
    np.testing.assert_allclose(small, 1e-9 * np.arange(4), rtol=1e-14)
    lost_in_one = cf.affine_l2_path([1.0], 1e-12, 1e-9, 2)[:, 0]
    np.testing.assert_allclose(lost_in_one, 1e-9 * np.arange(3), rtol=1e-14)
    with pytest.raises(ValueError, match="eta must be < 1/lam"):
        cf.affine_l2_path([1.0], 1.0, 10.0, 10_000)


@quick
@given(seeds, st.booleans())
def test_affine_gaussian(seed, singular):
    rng, w, b = problem(seed)
    d = len(w)
    mu = rng.normal(size=d)
    A = rng.normal(size=(d, int(rng.integers(1, d + 1)) if singular else 2 * d))
    Sigma = A @ A.T + (0 if singular else 0.1 * np.eye(d))
    solution = cf.affine_gaussian(w, b, mu, Sigma)
    # on the support x = mu + B z, B an orthonormal basis of range A; there Sigma is invertible
    B = np.linalg.svd(A, full_matrices=False)[0] if singular else np.eye(d)
    inner = B.T @ Sigma @ B
    z = B.T @ (solution.x - mu)
    np.testing.assert_allclose(mu + B @ z, solution.x, atol=1e-9 * (1 + np.abs(solution.x).max()))
    gradient = B.T @ w - np.linalg.solve(inner, z)
    assert np.abs(gradient).max() < 1e-9 * np.linalg.cond(inner) * (1 + np.abs(w).max())
    value = w @ solution.x + b - z @ np.linalg.solve(inner, z) / 2
    assert solution.value == pytest.approx(value, rel=1e-7, abs=1e-7 * (1 + abs(solution.f)))


def test_affine_gaussian_special_cases():
    np.testing.assert_allclose(
        cf.affine_gaussian([3, -4], 1, 0, np.eye(2)).x, cf.affine_l2([3, -4], 1, 0.5).x
    )
    point = cf.affine_gaussian([3, -4], 1, [5, 6], np.zeros((2, 2)))  # no room at all
    np.testing.assert_array_equal(point.x, [5, 6])
    line = cf.affine_gaussian([3, -4], 1, [5, 6], np.diag([0.0, 2.0]))
    np.testing.assert_allclose(line.x, [5, -2])
    assert line.value == pytest.approx(15 - 24 + 1 + 16)


@quick
@given(seeds, st.sampled_from([1, 1.2, 1.5, 2, 3, 7.5, 60, math.inf]))
def test_affine_ball_meets_the_hoelder_bound(seed, p):
    rng, w, b = problem(seed, zeros=0.3)
    x0, eps = rng.normal(size=len(w)), rng.uniform(0.01, 3)
    q = {1: math.inf, math.inf: 1}.get(p) or p / (p - 1)
    solution = cf.affine_ball(w, b, x0, eps, p)
    # a feasible point whose value is Hölder's upper bound is a maximiser
    bound = w @ x0 + b + eps * np.linalg.norm(w, q)
    for x in solution.maximisers:
        assert np.linalg.norm(x - x0, p) <= eps * (1 + 1e-12)
        assert w @ x + b == pytest.approx(bound, rel=1e-11, abs=1e-11)
    assert solution.value == pytest.approx(bound, rel=1e-11, abs=1e-11)
    assert solution.omega == 0
    for row in () if solution.flat is None else solution.flat:
        moved = solution.x + 1e-4 * eps * row
        assert w @ moved + b == pytest.approx(bound, rel=1e-9, abs=1e-9)
        if w.any():
            assert np.linalg.norm(moved - x0, p) <= eps * (1 + 1e-12)


@quick
@given(seeds, st.sampled_from([1.0, math.inf]))
def test_affine_ball_is_the_linear_program(seed, p):
    rng, w, b = problem(seed, zeros=0.2)
    d, eps = len(w), rng.uniform(0.1, 2)
    x0 = rng.normal(size=d)
    # x - x0 = u - v with u, v >= 0
    rows = np.ones((1, 2 * d)) if p == 1 else np.hstack([np.eye(d), np.eye(d)])
    program = scipy.optimize.linprog(-np.r_[w, -w], A_ub=rows, b_ub=np.full(len(rows), eps))
    assert cf.affine_ball(w, b, x0, eps, p).value == pytest.approx(w @ x0 + b - program.fun)


def test_affine_ball_ties_zeros_and_no_radius():
    tie = cf.affine_ball([2, 0, -2, 1], 0, 0, 3, 1)
    np.testing.assert_array_equal(tie.maximisers, [[3, 0, 0, 0], [0, 0, -3, 0]])
    assert not tie.unique
    fgsm = cf.affine_ball([2, 0, -1], 0, [1, 1, 1], 0.5, math.inf)
    np.testing.assert_array_equal(fgsm.x, [1.5, 1, 0.5])
    assert not fgsm.unique
    np.testing.assert_array_equal(np.unique(fgsm.flat, axis=0), [[0, -1, 0], [0, 1, 0]])
    none = cf.affine_ball([0, 0], 7, [1, 2], 0.5, 2)
    np.testing.assert_array_equal(none.x, [1, 2])
    assert (none.value, none.unique) == (7, False)
    assert cf.affine_ball([1, 2], 0, [1, 1], 0, 2).unique
    np.testing.assert_allclose(cf.affine_ball([3e-200, 4e-200], 0, 0, 1, 2).x, [0.6, 0.8])


@quick
@given(seeds)
def test_affine_box_is_the_linear_program(seed):
    rng, w, b = problem(seed, zeros=0.3)
    lo = rng.normal(size=len(w))
    hi = lo + rng.exponential(size=len(w)) * (rng.random(len(w)) < 0.8)
    solution = cf.affine_box(w, b, lo, hi)
    program = scipy.optimize.linprog(-w, bounds=list(zip(lo, hi, strict=True)))
    assert solution.value == pytest.approx(b - program.fun, rel=1e-9, abs=1e-9)
    assert (lo <= solution.x).all()
    assert (solution.x <= hi).all()
    assert solution.unique == (not ((w == 0) & (hi > lo)).any())
    for row in () if solution.flat is None else solution.flat:
        moved = solution.x + 1e-9 * row
        assert w @ moved == pytest.approx(w @ solution.x)
        assert ((lo <= moved) & (moved <= hi)).all()


def test_affine_box_zero_weights_and_open_sides():
    solution = cf.affine_box([1, 0, 0, 0, -2], 0, [0, 0, -np.inf, 2, 0], [1, 1, 7, np.inf, np.inf])
    np.testing.assert_array_equal(solution.x, [1, 0.5, 0, 2, 0])
    assert not solution.unique


def one_by_one(fn, w, reach):
    """The maximum of a separable objective: a bounded search in each coordinate."""
    found = [
        max(
            (
                scipy.optimize.minimize_scalar(
                    lambda t, v=v: -fn(t, v),
                    bounds=side,
                    method="bounded",
                    options={"xatol": 1e-11},
                )
                for side in ((-reach, 0), (0, reach))
            ),
            key=lambda result: -result.fun,
        )
        for v in w
    ]
    return np.array([r.x for r in found]), -sum(r.fun for r in found)


@quick
@given(seeds, st.floats(0, 3), st.floats(0.1, 5))
def test_elastic_net(seed, lam1, lam2):
    _, w, b = problem(seed, d=4, zeros=0.2)
    solution = cf.elastic_net(w, b, lam1, lam2)
    reach = 1 + np.abs(w).max() / lam2
    x, gain = one_by_one(lambda t, v: v * t - lam1 * abs(t) - lam2 * t * t, w, reach)
    np.testing.assert_allclose(solution.x, x, atol=1e-5 * reach)
    assert solution.value == pytest.approx(gain + b, abs=1e-8 * (1 + gain))
    omega = -lam1 * np.abs(solution.x).sum() - lam2 * solution.x @ solution.x
    assert solution.omega == pytest.approx(omega)


def test_elastic_net_without_l2():
    small = cf.elastic_net([1, -2], 3, 2.5, 0)
    np.testing.assert_array_equal(small.x, [0, 0])
    assert (small.value, small.unique) == (3, True)
    edge = cf.elastic_net([1, -2], 3, 2, 0)
    assert (edge.value, edge.unique) == (3, False)
    np.testing.assert_array_equal(edge.flat, [[0, -1]])
    assert [1, -2] @ (5 * edge.flat[0]) - 2 * np.abs(5 * edge.flat[0]).sum() == 0
    assert len(cf.elastic_net([0, 0], 3, 0, 0).flat) == 4


@quick
@given(seeds, st.floats(0.2, 5), st.sampled_from([1.3, 1.5, 2, 3, 4.5]))
def test_affine_lp(seed, lam, p):
    _, w, b = problem(seed, d=3, zeros=0.2)
    solution = cf.affine_lp(w, b, lam, p)
    reach = 2 * (1 + np.abs(w).max() / lam) ** (1 / (p - 1))
    x, gain = one_by_one(lambda t, v: v * t - lam * abs(t) ** p, w, reach)
    assert solution.value == pytest.approx(gain + b, abs=1e-7 * (1 + gain))
    np.testing.assert_allclose(solution.x, x, atol=1e-4 * (1 + np.abs(x).max()))
    assert solution.omega == pytest.approx(-lam * (np.abs(solution.x) ** p).sum())


def test_affine_lp_joins_its_neighbours():
    np.testing.assert_allclose(cf.affine_lp([3, -4], 1, 0.5, 2).x, [3, -4])
    np.testing.assert_array_equal(cf.affine_lp([3, -4], 1, 5, 1).x, [0, 0])


@pytest.mark.parametrize("kind", [list, np.float32, torch.tensor, torch.bfloat16, "grad"])
def test_inputs_of_any_kind_are_left_alone(kind):
    values = [3.0, 0.0, -4.0]
    if kind == "grad":
        w = torch.tensor(values, requires_grad=True)
    elif kind is torch.bfloat16:
        w = torch.tensor(values, dtype=kind)
    else:
        w = np.array(values, np.float32) if kind is np.float32 else kind(values)
    before = np.array(w.tolist() if hasattr(w, "tolist") else w)
    x0 = np.ones(3)
    for solution in (
        cf.affine_l2(w, 0, 1),
        cf.affine_gaussian(w, 0, x0, np.eye(3)),
        cf.affine_ball(w, 0, x0, 0, 2),
        cf.affine_box(w, 0, x0, x0),
        cf.elastic_net(w, 0, 1, 1),
        cf.affine_lp(w, torch.tensor(0.0), np.float32(1), 3),
    ):
        assert solution.x.dtype == np.float64
        assert not np.shares_memory(solution.x, x0)
        solution.x[:] = 99
    np.testing.assert_array_equal(np.array(w.tolist() if hasattr(w, "tolist") else w), before)
    np.testing.assert_array_equal(x0, np.ones(3))
