"""Bad input is named, and the direction of an unbounded problem really goes up for ever."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from actmax_lib import closed_forms as cf
from actmax_lib.errors import UnboundedProblemError

quick = settings(deadline=None, max_examples=40)
seeds = st.integers(0, 2**32 - 1)
weights = st.one_of(st.just(0.0), st.floats(-10, -0.01))


def climbs(call, objective):
    """``call`` raises, and ``objective`` grows by more at each doubling along the direction."""
    with pytest.raises(UnboundedProblemError, match=r"\.direction") as caught:
        call()
    v = caught.value.direction
    assert np.linalg.norm(v) == pytest.approx(1)
    values = [objective(t * v) for t in (0, 1e3, 2e3, 4e3, 8e3)]
    gains = np.diff(values)
    assert gains[0] > 0
    assert (gains[1:] > gains[:-1] * 0.9999).all()
    assert values[-1] > values[1] * 1.5


@quick
@given(seeds, weights)
def test_nonpositive_weights(seed, lam):
    rng = np.random.default_rng(seed)
    w = rng.normal(size=4) + 0.1
    climbs(lambda: cf.affine_l2(w, 1, lam), lambda x: w @ x - lam * x @ x)
    climbs(lambda: cf.affine_l2_path(w, lam, 0.1, 3), lambda x: w @ x - lam * x @ x)
    climbs(lambda: cf.affine_lp(w, 1, lam, 3), lambda x: w @ x - lam * (np.abs(x) ** 3).sum())
    W = rng.normal(size=(3, 4))
    climbs(lambda: cf.max_affine(W, 1, lam), lambda x: (W @ x).max() - lam * x @ x)
    climbs(lambda: cf.max_coordinate(lam, 4), lambda x: x.max() - lam * x @ x)
    climbs(
        lambda: cf.smooth_max(lam, 2, 4),
        lambda x: x.max() + math.log(np.exp(2 * (x - x.max())).sum()) / 2 - lam * x @ x,
    )
    if lam < 0:
        climbs(lambda: cf.affine_l2(np.zeros(3), 1, lam), lambda x: -lam * x @ x)
        climbs(
            lambda: cf.elastic_net(w, 0, 1, lam),
            lambda x: w @ x - np.abs(x).sum() - lam * x @ x,
        )


@quick
@given(seeds, st.floats(0, 0.99))
def test_l1_alone_is_not_enough(seed, part):
    w = np.random.default_rng(seed).normal(size=5)
    lam1 = part * np.abs(w).max()
    climbs(lambda: cf.elastic_net(w, 0, lam1, 0), lambda x: w @ x - lam1 * np.abs(x).sum())
    if lam1 > 1e-3:
        climbs(lambda: cf.affine_lp(w, 0, lam1, 1), lambda x: w @ x - lam1 * np.abs(x).sum())


@quick
@given(seeds, st.floats(-2, 2))
def test_indefinite_quadratic(seed, lam):
    rng = np.random.default_rng(seed)
    H = rng.normal(size=(4, 4))
    H = H + H.T
    H += np.eye(4) * (2 * lam + 0.5 - np.linalg.eigvalsh(H)[-1])
    w = rng.normal(size=4)
    climbs(lambda: cf.quadratic(H, w, 0, lam), lambda x: x @ H @ x / 2 + w @ x - lam * x @ x)
    with pytest.raises(UnboundedProblemError) as caught:
        cf.quadratic(H, w, 0, lam)
    assert w @ caught.value.direction >= 0  # up from the first step


@quick
@given(seeds)
def test_indefinite_covariance(seed):
    rng = np.random.default_rng(seed)
    S = rng.normal(size=(4, 4))
    S = S + S.T
    S -= np.eye(4) * (np.linalg.eigvalsh(S)[0] + 0.5)
    w, mu = rng.normal(size=4), rng.normal(size=4)
    assume(np.abs(np.linalg.eigvalsh(S)).min() > 1e-2)
    P = np.linalg.inv(S)
    climbs(
        lambda: cf.affine_gaussian(w, 0, mu, S),
        lambda x: w @ (mu + x) - x @ P @ x / 2,
    )
    with pytest.raises(UnboundedProblemError) as caught:
        cf.affine_gaussian(w, 0, mu, S)
    assert w @ caught.value.direction >= 0


@quick
@given(seeds)
def test_open_box(seed):
    rng = np.random.default_rng(seed)
    w = rng.normal(size=4)
    lo = np.array([-np.inf, -1, -np.inf, 0])
    hi = np.array([np.inf, np.inf, 1, 1])
    open_up = np.where(w > 0, np.isinf(hi), np.isinf(lo))
    assert open_up[0]
    climbs(lambda: cf.affine_box(w, 0, lo, hi), lambda x: w @ x)
    with pytest.raises(UnboundedProblemError) as caught:
        cf.affine_box(w, 0, lo, hi)
    assert (caught.value.direction[~open_up] == 0).all()  # never leaves through a closed side


NAN, INF = math.nan, math.inf
BAD = [
    (lambda: cf.affine_l2([1, NAN], 0, 1), "w contains nan"),
    (lambda: cf.affine_l2([1, INF], 0, 1), "w contains inf"),
    (lambda: cf.affine_l2([], 0, 1), r"w must have shape \(d,\)"),
    (lambda: cf.affine_l2([[1]], 0, 1), r"got \(1, 1\)"),
    (lambda: cf.affine_l2([1], NAN, 1), "b must be a finite"),
    (lambda: cf.affine_l2([1], 0, NAN), "lam must be a finite"),
    (lambda: cf.affine_l2([1], 0, INF), "lam must be a finite"),
    (lambda: cf.affine_l2([0], 0, 0), "every point is a maximiser"),
    (lambda: cf.affine_l2([1e300], 0, 1e-300), "too large for float64"),
    (lambda: cf.affine_l2_path([1], 1, 0, 1), "eta must be > 0"),
    (lambda: cf.affine_l2_path([1], 1, 0.1, -1), "T must be at least 0"),
    (lambda: cf.affine_gaussian([1, 2], 0, [1], np.eye(2)), r"mu must have shape \(2,\)"),
    (lambda: cf.affine_gaussian([1, 2], 0, 0, np.eye(3)), r"Sigma must have shape \(2, 2\)"),
    (lambda: cf.affine_gaussian([1, 2], 0, 0, [[1, 1], [0, 1]]), "Sigma is not symmetric"),
    (lambda: cf.affine_ball([1], 0, 0, -1, 2), "eps, the radius of the ball, must be >= 0"),
    (lambda: cf.affine_ball([1], 0, 0, 1, 0.5), r"p must be in \[1, inf\]"),
    (lambda: cf.affine_ball([1], 0, 0, 1, NAN), "p must be a finite"),
    (lambda: cf.affine_ball([1], 0, [NAN], 1, 2), "x0 contains nan"),
    (lambda: cf.affine_box([1, 1], 0, [0, 1], [1, 0]), r"lo\[1\] = 1.0 and hi\[1\] = 0.0"),
    (lambda: cf.affine_box([1], 0, NAN, 1), "lo contains nan"),
    (lambda: cf.affine_box([1], 0, INF, INF), "leave no point"),
    (lambda: cf.elastic_net([1], 0, -1, 1), "lam1 must be >= 0"),
    (lambda: cf.affine_lp([1], 0, 1, 0.5), "p must be >= 1"),
    (lambda: cf.affine_lp([10], 0, 1, 1 + 1e-9), "too large for float64"),
    (lambda: cf.quadratic([[1, 2], [3, 1]], [1, 1], 0, 9), "H is not symmetric"),
    (lambda: cf.quadratic([[NAN]], [1], 0, 9), "H contains nan"),
    (lambda: cf.max_coordinate(1, 0), "d must be at least 1"),
    (lambda: cf.max_affine([[1, 2]], [1, 2], 1), "b must have shape"),
    (lambda: cf.max_affine([[INF, 2]], 0, 1), "W contains inf"),
    (lambda: cf.smooth_max(1, 0, 2), "beta must be > 0"),
    (lambda: cf.smooth_max(1, -1, 2), "beta must be > 0"),
    (lambda: cf.smooth_max(1e-300, 1e300, 2), "leaves float64"),
    (lambda: cf.first_order_beta(1, 1), "d must be at least 2"),
    (lambda: cf.first_order_beta(-1, 3), "lam must be > 0"),
]


@pytest.mark.parametrize(("call", "words"), BAD, ids=[words for _, words in BAD])
def test_bad_values(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: cf.affine_l2("ab", 0, 1), "w must be an array"),
        (lambda: cf.affine_l2([1j], 0, 1), "w is complex"),
        (lambda: cf.affine_l2([1], "0", 1), "b must be a real number"),
        (lambda: cf.max_coordinate(1, 2.0), "d must be an integer"),
    ],
)
def test_bad_types(call, words):
    with pytest.raises(TypeError, match=words):
        call()
