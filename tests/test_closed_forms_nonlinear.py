"""Quadratic, max and smooth-max closed forms against searches from many starts."""

import math

import numpy as np
import pytest
import scipy.optimize
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from actmax_lib import closed_forms as cf
from actmax_lib.errors import UnboundedProblemError

quick = settings(deadline=None, max_examples=30)
seeds = st.integers(0, 2**32 - 1)


def same_points(found, expected, atol):
    """Two sets of points, in any order."""
    found, expected = np.array(found), np.array(expected)
    assert found.shape == expected.shape
    gaps = np.abs(found[:, None] - expected[None]).max(-1)
    assert gaps.min(0).max() <= atol
    assert gaps.min(1).max() <= atol


@quick
@given(seeds, st.floats(0.1, 5))
def test_quadratic(seed, lam):
    rng = np.random.default_rng(seed)
    d = int(rng.integers(1, 7))
    H = rng.normal(size=(d, d))
    H = H + H.T
    H += np.eye(d) * (2 * lam * 0.9 - np.linalg.eigvalsh(H)[-1])  # top eigenvalue below 2 lam
    w, b = rng.normal(size=d), float(rng.normal())

    def objective(x):
        return x @ H @ x / 2 + w @ x + b - lam * x @ x

    solution = cf.quadratic(H, w, b, lam)
    found = scipy.optimize.minimize(lambda x: -objective(x), rng.normal(size=d))
    np.testing.assert_allclose(solution.x, found.x, atol=1e-4 * (1 + np.abs(found.x).max()))
    assert solution.value == pytest.approx(-found.fun, abs=1e-6 * (1 + abs(found.fun)))
    assert solution.omega == pytest.approx(-lam * solution.x @ solution.x)
    assert objective(solution.x) == pytest.approx(solution.value)
    assert solution.unique


def test_quadratic_table():
    solution = cf.quadratic(np.diag([1.5, -0.5, 0.3]), [1, 2, -1], 0, 1)
    np.testing.assert_allclose(solution.x, [2, 0.8, -0.588235], atol=1e-6)
    below_zero = cf.quadratic(np.diag([-4.0, -6.0]), [1, 2], 0, -1)  # H alone holds it back
    np.testing.assert_allclose(below_zero.x, [0.5, 0.5])


@quick
@given(seeds, st.floats(0.1, 5), st.integers(1, 3))
def test_quadratic_tie_is_flat_or_unbounded(seed, lam, size):
    rng = np.random.default_rng(seed)
    d = size + 2
    Q = np.linalg.qr(rng.normal(size=(d, d)))[0]
    eigenvalues = np.r_[np.full(size, 2 * lam), 2 * lam - rng.uniform(0.5, 2, 2)]
    H = (Q * eigenvalues) @ Q.T
    H = (H + H.T) / 2
    outside = Q[:, size:] @ rng.normal(size=2)

    def objective(x, w):
        return x @ H @ x / 2 + w @ x - lam * x @ x

    flat = cf.quadratic(H, outside, 0, lam)
    assert not flat.unique
    assert flat.flat.shape == (size, d)
    np.testing.assert_allclose(flat.flat @ flat.flat.T, np.eye(size), atol=1e-10)
    scale = 1 + abs(flat.value)
    for _ in range(20):  # all of the flat set is as high, nothing is higher
        along = flat.x + rng.normal(size=size) @ flat.flat
        assert objective(along, outside) == pytest.approx(flat.value, abs=1e-9 * scale)
        anywhere = flat.x + rng.normal(size=d)
        assert objective(anywhere, outside) <= flat.value + 1e-9 * scale
    w = outside + 0.1 * Q[:, 0]
    with pytest.raises(UnboundedProblemError, match="has a part") as caught:
        cf.quadratic(H, w, 0, lam)
    v = caught.value.direction
    assert objective(1e3 * v, w) > objective(1e2 * v, w) + 1 > objective(10 * v, w) + 2


@pytest.mark.parametrize("d", [1, 2, 3, 7])
@pytest.mark.parametrize("lam", [0.2, 1.0, 3.0])
def test_max_coordinate_against_a_search(d, lam):
    solution = cf.max_coordinate(lam, d)
    rng = np.random.default_rng(d)

    def objective(x):
        return x.max() - lam * x @ x

    x = rng.normal(size=(200 + 50 * d, d))
    for _ in range(200):  # subgradient ascent; each x has one largest entry almost surely
        x = x + 0.1 / lam * (np.eye(d)[x.argmax(1)] - 2 * lam * x)
    values = np.array([objective(row) for row in x])
    assert values.max() == pytest.approx(solution.value, abs=1e-12)
    best = np.unique(np.round(x[values > solution.value - 1e-9], 6), axis=0)
    assert len(best) == len(solution.maximisers) == d
    same_points(best, solution.maximisers, 1e-5)
    assert objective(solution.x) == pytest.approx(solution.value)
    assert solution.f == pytest.approx(solution.x.max())
    if d > 1:
        saddle = solution.saddle
        assert objective(saddle) == pytest.approx(solution.saddle_value)
        assert objective(saddle) == pytest.approx(solution.value / d)
        assert objective(saddle + 1e-4 * np.eye(d)[0]) > objective(saddle)  # up, off the diagonal
        assert objective(saddle * 1.01) < objective(saddle) > objective(saddle * 0.99)
    else:
        assert solution.saddle is None
        assert solution.unique


@quick
@given(seeds, st.floats(0.1, 3))
def test_max_affine_against_a_search(seed, lam):
    rng = np.random.default_rng(seed)
    d, m = int(rng.integers(1, 4)), int(rng.integers(1, 7))
    W, b = rng.normal(size=(m, d)), rng.normal(size=m) * rng.choice([0.1, 1.0])

    def objective(x):
        return (x @ W.T + b).max(-1) - lam * (x * x).sum(-1)

    solution = cf.max_affine(W, b, lam)
    assert objective(solution.x) == pytest.approx(solution.value)
    cloud = rng.normal(size=(20_000, d)) * 2 * np.abs(W).max() / lam
    assert objective(cloud).max() <= solution.value + 1e-10
    # each piece by its own gradient ascent, the best of them
    best = max(
        -scipy.optimize.minimize(lambda x, j=j: -(W[j] @ x + b[j] - lam * x @ x), np.zeros(d)).fun
        for j in range(m)
    )
    assert solution.value == pytest.approx(best, abs=1e-6)
    assert len(solution.local) == len(solution.pieces)
    for j in range(m):  # a point is a local maximiser iff no neighbour is higher
        centre = W[j] / (2 * lam)
        gap = abs(np.delete(W @ centre + b, j) - (W[j] @ centre + b[j])).min() if m > 1 else 1.0
        if gap < 1e-3:
            continue  # too close to a kink for the radius below
        ball = centre + 1e-5 * rng.normal(size=(300, d))
        is_top = objective(ball).max() <= objective(centre) + 1e-13
        assert is_top == (j in solution.pieces)


def test_max_affine_ties_kinks_and_repeats():
    tie = cf.max_affine([[1, 0], [0, 1], [0.1, 0]], 0, 1)
    same_points(tie.maximisers, [[0.5, 0], [0, 0.5]], 1e-15)
    assert not tie.unique
    offset = cf.max_affine([[3.0], [1.0]], [0.0, 4.0], 1)  # the longer w loses: b decides
    np.testing.assert_allclose(offset.x, [0.5])
    assert offset.value == pytest.approx(4.25)
    repeated = cf.max_affine([[1.0], [1.0], [1.0]], [0.0, 2.0, 2.0], 1)
    assert repeated.pieces == (1,)
    assert repeated.unique
    # at the centre of the first piece the second is equally high and climbs: no local maximiser
    kink = cf.max_affine([[1.0], [3.0]], [0.0, -1.0], 1)
    assert kink.pieces == (1,)
    two = cf.max_affine([[-1.0], [2.0]], [0.0, 0.0], 1)
    assert two.pieces == (1, 0)
    np.testing.assert_allclose(two.local, [[1], [-0.5]])


P10 = [  # beta, u, value, value at the symmetric point; lam = 1
    (2, 0, 0.471574, 0.471574),
    (4, 0, 0.298287, 0.298287),
    (4.4, 0.251470, 0.284054, 0.282533),
    (8, 0.478752, 0.252459, 0.211643),
    (64, 0.5, 0.250000, 0.135830),
]


@pytest.mark.parametrize(("beta", "u", "value", "symmetric"), P10)
def test_smooth_max_table(beta, u, value, symmetric):
    solution = cf.smooth_max(1, beta)
    assert abs(solution.x[0] - solution.x[1]) == pytest.approx(u, abs=1e-6)
    assert solution.value == pytest.approx(value, abs=1e-6)
    assert solution.symmetric_value == pytest.approx(symmetric, abs=1e-6)
    assert len(solution.maximisers) == (1 if u == 0 else 2)
    assert solution.x.sum() == pytest.approx(0.5)


@quick
@given(st.floats(0.1, 5), st.floats(0.2, 4), st.integers(1, 5), seeds)
def test_smooth_max_against_a_search(lam, part, d, seed):
    beta = part * cf.first_order_beta(lam, max(d, 2))
    assume(abs(part - 1) > 0.02)  # else two values are too close for the search to tell apart

    def minus(x):
        top = x.max()
        p = np.exp(beta * (x - top))
        return lam * x @ x - top - math.log(p.sum()) / beta, 2 * lam * x - p / p.sum()

    rng = np.random.default_rng(seed)
    starts = [*np.eye(d) / (2 * lam), np.zeros(d), *rng.normal(size=(5, d)) / (2 * lam)]
    ends = [
        scipy.optimize.minimize(minus, s, jac=True, method="BFGS", options={"gtol": 1e-10})
        for s in starts
    ]
    top = min(end.fun for end in ends)
    found: list[np.ndarray] = []
    for end in ends:
        near = any(np.abs(end.x - x).max() < 1e-3 / lam for x in found)
        if end.fun < top + 1e-9 / lam and not near:
            found.append(end.x)
    solution = cf.smooth_max(lam, beta, d)
    assert solution.value == pytest.approx(-top, rel=1e-8)
    same_points(solution.maximisers, found, 2e-4 / lam)


@quick
@given(st.floats(0.05, 20), st.floats(-12, -1), st.booleans())
def test_pitchfork_is_exactly_at_4_lambda(lam, exponent, above):
    beta = 4 * lam * (1 + 10**exponent * (1 if above else -1))
    solution = cf.smooth_max(lam, beta)
    assert len(solution.maximisers) == (2 if above else 1)
    assert solution.unique != above
    if above:
        u = abs(solution.x[0] - solution.x[1])
        assert u == pytest.approx(math.tanh(beta * u / 2) / (2 * lam), rel=1e-9)
        same_points(solution.others, [solution.x[::-1]], 0)


@pytest.mark.parametrize(
    ("d", "beta1", "largest"), [(3, 5.5452, 0.667), (4, 6.5917, 0.75), (10, 9.8875, 0.9)]
)
@pytest.mark.parametrize("lam", [1.0, 0.3])
def test_first_order_transition(d, beta1, largest, lam):
    switch = cf.first_order_beta(lam, d)
    assert switch == pytest.approx(beta1 * lam, abs=1e-4)
    assert switch < 2 * d * lam
    below, at, above = (cf.smooth_max(lam, switch * t, d) for t in (1 - 1e-6, 1, 1 + 1e-6))
    assert [len(s.maximisers) for s in (below, at, above)] == [1, d + 1, d]
    assert [len(s.local) for s in (below, at, above)] == [d + 1] * 3  # hysteresis
    assert above.x.max() * 2 * lam == pytest.approx(largest, abs=1e-3)  # a jump, from 1/d
    assert below.value == pytest.approx(above.value, rel=1e-5)
    # above the switch the symmetric point is worse, but a local maximiser until 2 d lam
    assert above.value > above.symmetric_value
    assert len(cf.smooth_max(lam, 2 * d * lam * 0.999, d).local) == d + 1
    assert len(cf.smooth_max(lam, 2 * d * lam * 1.001, d).local) == d


def test_smooth_max_limits():
    assert cf.first_order_beta(0.7, 2) == pytest.approx(2.8)
    cold = cf.smooth_max(1, 1e6, 3)
    same_points(cold.maximisers, np.eye(3) / 2, 1e-12)
    assert cold.value == pytest.approx(0.25)
    warm = cf.smooth_max(1, 1e-3, 3)
    np.testing.assert_allclose(warm.x, np.full(3, 1 / 6))
    alone = cf.smooth_max(2, 100, 1)
    np.testing.assert_allclose(alone.x, [0.25])


@pytest.mark.parametrize("d", [3, 4, 10])
def test_broken_branches_appear_at_the_fold(d):
    s = np.linspace(0.02, 1 - 1e-9, 200_000)
    least = ((np.log1p((d - 1) * s) - np.log1p(-s)) / s).min()  # the c where a root appears
    fold = 2 * least  # beta, at lam = 1
    assert fold < cf.first_order_beta(1, d)
    assert len(cf.smooth_max(1, fold * (1 - 1e-6), d).local) == 1
    assert len(cf.smooth_max(1, fold * (1 + 1e-6), d).local) == d + 1
    for part in (0.9, 0.97, 0.99):
        assert len(cf.smooth_max(1, fold * part, d).local) == 1
