"""What sheet 2 is judged by. Never handed out."""

from itertools import product

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from classroom.checks import check, close, fresh, refuses, unpack


def same_points(answer, expected, tol=1e-8):
    """Whether the rows of both are the same points, in any order, each once."""
    expected = np.asarray(expected, dtype=float)
    try:
        rows = np.asarray(answer)
    except ValueError:  # rows of several lengths
        return False
    if rows.shape != expected.shape or rows.dtype.kind not in "iuf":
        return False
    nearest = np.abs(rows[:, None] - expected[None]).max(axis=2).argmin(axis=1)
    return len(set(nearest)) == len(nearest) and close(rows, expected[nearest], tol)


def how_many(answer, expected):
    """In words, what is the matter with the number of points."""
    rows = len(answer) if isinstance(answer, list | tuple | np.ndarray) and np.ndim(answer) else 0
    return f"{rows} points where there are {len(expected)}" if rows != len(expected) else ""


# 1. max_example


@check("max-example", points=2)
def all_maximisers(max_example, rng):
    """Every maximiser is listed, for random lam and d."""
    for d in (2, 3, *rng.integers(4, 21, size=6)):
        lam = float(rng.uniform(0.05, 4))
        points, *_ = unpack(max_example(lam, int(d)), "points, value, saddle, saddle_value")
        expected = np.eye(d) / (2 * lam)
        said = how_many(points, expected) or "some of the points are no maximisers"
        assert same_points(points, expected), f"{said} (d = {d})"


@check("max-example", points=1)
def the_value_of_the_best(max_example, rng):
    """The value is that of the whole objective."""
    for _ in range(10):
        lam, d = float(rng.uniform(0.05, 4)), int(rng.integers(2, 21))
        _, value, *_ = unpack(max_example(lam, d), "points, value, saddle, saddle_value")
        assert close(value, 0.25 / lam), f"the value is not that of L at a maximiser (d = {d})"


@check("max-example", points=1)
def the_saddle(max_example, rng):
    """The saddle and its value, for two coordinates and for more."""
    for d in (2, 3, *rng.integers(4, 21, size=6)):
        lam = float(rng.uniform(0.05, 4))
        parts = unpack(max_example(lam, int(d)), "points, value, saddle, saddle_value")
        _, _, saddle, saddle_value = parts
        expected = np.full(d, 0.5 / (lam * d))
        assert close(saddle, expected), f"this is not the stationary point of d = {d}"
        assert close(saddle_value, 0.25 / (lam * d)), f"the saddle's value is wrong (d = {d})"
    _, value, saddle, saddle_value = max_example(1.0, 2)
    assert close([value, *saddle, saddle_value], [0.25, 0.25, 0.25, 0.125]), "lam = 1, d = 2"


@check("max-example", points=1)
def no_sense_no_maximum(max_example):
    """Refuses lam <= 0 and d < 2, and nothing else."""
    points, *_ = unpack(max_example(0.25, 2), "points, value, saddle, saddle_value")
    assert same_points(points, [[2.0, 0], [0, 2]]), "lam = 1/4, d = 2 is a sensible question"
    refuses(ValueError, max_example, 0.0, 3)
    refuses(ValueError, max_example, -1.0, 3)
    for d in (1, 0, -1):
        refuses(ValueError, max_example, 1.0, d)


# 2. audit_level_curve


def random_gains(rng):
    """A level and gains, in every second case with two or three strongest detectors."""
    gains = rng.uniform(0.2, 3, size=rng.integers(1, 8))
    if rng.random() < 0.5:
        gains = rng.permutation(np.append(gains, [gains.max()] * int(rng.integers(1, 3))))
    return float(rng.uniform(0.1, 5)), gains


@check("level-curve", points=2)
def the_penalty_of_the_level(audit_level_curve, rng):
    """The penalty puts the maximisers on the level, for any gains."""
    lam, *_ = unpack(audit_level_curve(3.0), "lam, radius, points")
    assert close(lam, 1 / 6), "with c = 3 and equal gains of 1, f is not 3 at the maximisers"
    for _ in range(20):
        c, gains = random_gains(rng)
        lam, *_ = unpack(audit_level_curve(c, gains), "lam, radius, points")
        said = f"with this lam f is not c at the maximisers ({len(gains)} gains)"
        assert close(lam, gains.max() ** 2 / (2 * c)), said


@check("level-curve", points=1)
def the_touching_radius(audit_level_curve, rng):
    """The radius of the ball that touches the level set."""
    _, radius, _ = unpack(audit_level_curve(3.0), "lam, radius, points")
    assert close(radius, 3), "c = 3: the level set is nearer, or farther, than you say"
    for _ in range(20):
        c, gains = random_gains(rng)
        _, radius, _ = unpack(audit_level_curve(c, gains), "lam, radius, points")
        said = f"the largest ball with f <= c is another one ({len(gains)} gains)"
        assert close(radius, c / gains.max()), said


@check("level-curve", points=1)
def the_points_of_contact(audit_level_curve, rng):
    """All points of contact and no others, equal gains and nearly equal ones included."""
    for i in range(20):
        c, gains = random_gains(rng)
        if i % 4 == 0:  # one that is weaker by a hair does not touch
            gains = rng.permutation(np.append(gains, (1 - 1e-4) * gains.max()))
        *_, points = unpack(audit_level_curve(c, gains), "lam, radius, points")
        strongest = np.flatnonzero(gains == gains.max())
        expected = c / gains.max() * np.eye(len(gains))[strongest]
        said = how_many(points, expected) or "the ball touches in other points"
        assert same_points(points, expected), f"{said} ({len(gains)} gains)"


@check("level-curve", points=1)
def no_level(audit_level_curve):
    """Refuses levels and gains that are not positive, and nothing else."""
    lam, radius, points = unpack(audit_level_curve(0.5, [0.5]), "lam, radius, points")
    assert close([lam, radius], [0.25, 1.0]), "c = 1/2 and one gain of 1/2 is a sensible question"
    assert same_points(points, [[1.0]]), "c = 1/2 and one gain of 1/2 is a sensible question"
    refuses(ValueError, audit_level_curve, 0.0)
    refuses(ValueError, audit_level_curve, -3.0)
    refuses(ValueError, audit_level_curve, 3.0, (1.0, 0.0))
    refuses(ValueError, audit_level_curve, 3.0, (-2.0, 1.0))


# 3. predict_solution and escape


def climbed(x0, lam, eta):
    """Where ascents from the rows of x0 end, 1 or 2; and how near the diagonal each once was."""
    x, near = x0.copy(), np.full(len(x0), np.inf)
    for _ in range(300):
        u = x[:, 0] - x[:, 1]
        near = np.minimum(near, abs(u))
        g = np.stack([u > 0, u < 0], axis=1)
        x = x + eta * (g - 2 * lam * x)
    return np.where(x[:, 0] > x[:, 1], 1, 2), near


def predicted(predict_solution, n, spread, steps, rng):
    """Compare the predictions with n simulated ascents; lam is drawn five times."""
    for lam in rng.uniform(0.2, 2, size=5):
        lam, eta = float(lam), float(rng.uniform(*steps) / lam)
        x0 = spread / lam * rng.normal(size=(n // 5, 2)) + rng.normal(size=2) / lam
        ends, near = climbed(x0, lam, eta)
        for start, end in zip(x0[near > 1e-6], ends[near > 1e-6], strict=True):
            said = predict_solution(start, lam, eta)
            known = isinstance(said, int | float | str) and said in (1, 2, "saddle")
            assert known, f"{said!r} is no answer; 1, 2 or 'saddle' are"
            x = f"({start[0]:.2f}, {start[1]:.2f}), lam = {lam:.2f}, eta = {eta:.2f}"
            assert said == end, f"from {x} the ascent does not reach {said}"


@check("basins", points=1)
def with_short_steps(predict_solution, rng):
    """250 random starts, short steps, against the ascent itself."""
    predicted(predict_solution, 250, 1.0, (0.05, 0.5), rng)


@check("basins", points=2)
def with_long_steps(predict_solution, rng):
    """250 random starts, steps that jump over the diagonal, against the ascent itself."""
    predicted(predict_solution, 250, 2.0, (0.7, 0.95), rng)


@check("basins", points=1)
def starts_on_the_diagonal(predict_solution, rng):
    """Ties at the start and on the way, shared or given to the first, and starts beside them."""
    for a in (0.0, 1.0, float(rng.normal())):
        for eta in (0.1, 0.9):
            tied, where = np.array([a, a]), f"from ({a:.2f}, {a:.2f}), eta = {eta}"
            said = predict_solution(tied, 1.0, eta)
            assert said == "saddle", f"{where}: who breaks a tie that is shared?"
            said = predict_solution(tied, 1.0, eta, "first")
            assert close(said, 1), f"{where}: the first coordinate has the gradient of a tie"
            for end, x in [(1, [a + 1e-9, a]), (2, [a, a + 1e-9])]:
                said = predict_solution(np.array(x), 1.0, eta)
                assert close(said, end), f"{where}, but 1e-9 beside it, ends are not at {said!r}"
    # u = 3 lands on the diagonal exactly: every number here is exact in floating point
    for x in ([3.0, 0.0], [0.5, 3.5]):
        said = predict_solution(np.array(x), 0.5, 1.5)
        assert said == "saddle", f"from {x}, lam = 1/2, eta = 3/2: look at the first step"
        said = predict_solution(np.array(x), 0.5, 1.5, "first")
        assert close(said, 1), f"from {x}, lam = 1/2, eta = 3/2, tie = 'first'"


@check("basins", points=1)
def steps_too_long(predict_solution, rng):
    """Refuses steps with which nothing converges, and nothing else."""
    x0 = rng.normal(size=2)
    x0[1] = x0[0] - 0.1  # so near that the first step stays on this side
    assert close(predict_solution(x0, 0.5, 1.9), 1), "eta = 1.9 converges for lam = 1/2"
    for eta in (2.0, 2.1):  # at 2 exactly the difference jumps to and fro for ever
        refuses(ValueError, predict_solution, x0, 0.5, eta)
    refuses(ValueError, predict_solution, x0, 0.5, 0.0)
    refuses(ValueError, predict_solution, x0, 0.5, -0.1)
    refuses(ValueError, predict_solution, x0, 0.0, 0.1)
    refuses(ValueError, predict_solution, x0, -1.0, 0.1)


def moved(x):
    """An answer of escape as an array."""
    is_start = close(x, x) and np.shape(x) == (2,)
    assert is_start, "a start has the shape (2,) and is finite"
    return np.asarray(x)


@check("basins", points=1)
def off_the_tie_and_no_farther(escape, rng):
    """Tied starts are moved a little, of any size; others, however near a tie, not at all."""
    for a in (0.0, 0.3, float(rng.normal()), -50.0, 1e8, -1e12):
        x = moved(escape(np.array([a, a]), fresh(rng)))
        assert x[0] != x[1], f"({a:g}, {a:g}) is still tied"
        size = 1e-6 * max(1, abs(a)) * (1 + 1e-9) + 4 * np.spacing(abs(a))
        assert np.abs(x - a).max() <= size, f"too far from ({a:g}, {a:g})"
    for x0 in ([1.0, 1.0 + 1e-12], [-2.0, -2.0 - 1e-14], [1e8, 1e8 + 1e-7], [0.0, 5e-324]):
        x = moved(escape(np.array(x0), fresh(rng)))
        assert np.array_equal(x, x0), f"{x0} is not tied; it should stay where it is"


@check("basins", points=1)
def either_side(escape, rng):
    """Both sides are chosen about equally often, by the given generator alone.

    400 draws, 200 +- 60 allowed: six standard deviations, a right answer fails once in 10^9.
    """
    first = 0
    for _ in range(400):
        x = moved(escape(np.array([0.5, 0.5]), fresh(rng)))
        assert x[0] != x[1], "a tied start is still tied"
        first += bool(x[0] > x[1])
    assert 140 <= first <= 260, f"{first} of 400 ties are broken in favour of the first coordinate"
    seed = int(rng.integers(2**63))
    twice = [escape(np.zeros(2), np.random.default_rng(seed)) for _ in range(2)]
    assert close(*twice, 0), "one seed, two answers: there is randomness besides rng"


# 4. P_solution1


@check("odds", points=1)
def independent_pixels(P_solution1, rng):
    """The odds of independent pixels."""
    for mu in rng.normal(size=(20, 2)):
        p = P_solution1(mu)
        assert close(p, ndtr((mu[0] - mu[1]) / np.sqrt(2))), "wrong for Sigma = None"
    assert close(P_solution1(np.array([9.0, -9.0])), 1), "a sure win is not sure"


@check("odds", points=2)
def pixels_that_go_together(P_solution1, rng):
    """The odds for random covariances, regular and singular."""
    a = np.array([1.0, -1.0])
    roots = rng.normal(size=(30, 2, 2))
    cases = [(root @ root.T + 0.05 * np.eye(2), "a general Sigma") for root in roots]
    ways = [[1.0, 0.0], [0.0, 2.0], [1.0, 2.0], [3.0, -0.5]]
    cases += [(np.outer(v, v), "a singular Sigma that leaves something to chance") for v in ways]
    for Sigma, what in cases:
        mu = rng.normal(size=2)
        p = P_solution1(mu, Sigma)
        assert close(p, ndtr(a @ mu / np.sqrt(a @ Sigma @ a))), f"wrong for {what}"


@check("odds", points=1)
def no_chance_left(P_solution1):
    """Covariances under which the difference of the pixels is certain."""
    for Sigma in (np.zeros((2, 2)), np.ones((2, 2)), np.full((2, 2), 2.25)):
        for mu, certain in [([0.5, 0.25], 1.0), ([-3.0, 1.0], 0.0), ([0.5, 0.5], 0.0)]:
            p = P_solution1(np.array(mu), Sigma)
            said = f"mu = {mu}, every entry of Sigma {Sigma[0, 0]}: the difference is certain"
            assert close(p, certain), said


# 5. first_order_beta and lse_maximisers


def switch(lam, d):
    """The critical beta."""
    return 4 * lam * ((d - 1) * np.log(d - 1) / (d - 2) if d > 2 else 1.0)


def asymmetric(lam, beta, d):
    """The d maximisers beyond the switch, in the variable y = -log(1 - s)."""
    c = beta / (2 * lam)

    def excess(y):
        return np.log1p((d - 1) * -np.expm1(-y)) + y - c * -np.expm1(-y)

    y = brentq(excess, -np.log1p(-max((d - 2) / (d - 1), 1e-5)), c + 1, xtol=1e-14)
    small = np.exp(-y) / d
    return (small + (1 - d * small) * np.eye(d)) / (2 * lam)


def best_points(lam, beta, d):
    """All global maximisers, one row for each."""
    if beta <= switch(lam, d):
        return np.full((1, d), 1 / (2 * lam * d))
    return asymmetric(lam, beta, d)


def judge(lse_maximisers, lam, beta, d, tol=1e-6):
    """Compare the maximisers of one problem."""
    answer, expected = lse_maximisers(lam, beta, d), best_points(lam, beta, d)
    where = f"d = {d}, beta = {beta / lam:.6g} lam"
    many = how_many(answer, expected)
    assert not many, f"{where}: {many}"
    assert same_points(answer, expected, tol), f"{where}: these are not the global maximisers"


@check("smooth-max", points=1)
def where_it_jumps(first_order_beta, rng):
    """The beta of the switch: two coordinates, three and many."""
    assert close(first_order_beta(1.0, 3), 5.545177444479562), "d = 3, lam = 1"
    for d in (2, 3, *rng.integers(4, 30, size=5)):
        lam = float(rng.uniform(0.1, 3))
        said = f"wrong for d = {d}" + ("; this is the limit, 4 lam" if d == 2 else "")
        assert close(first_order_beta(lam, int(d)), switch(lam, d)), said


@check("smooth-max", points=1)
def exactly_there(lse_maximisers, rng):
    """For d = 2 the number of maximisers changes exactly at 4 lam."""
    for lam in (1.0, 0.5, float(rng.uniform(0.1, 3))):
        for factor, n in [(0.5, 1), (0.999, 1), (1, 1), (1.001, 2), (1.5, 2)]:
            answer = lse_maximisers(lam, 4 * lam * factor)
            said = f"at beta = {4 * factor:g} lam and d = 2 there is another number of maximisers"
            assert not how_many(answer, [0] * n), said
            rows = np.asarray(answer)
            assert rows.shape == (n, 2), "each maximiser has two coordinates"
            off = "the coordinates of a stationary point add up to another number"
            assert close(rows.sum(axis=1), np.full(n, 0.5 / lam), 1e-6), off
            apart = n == 1 or np.abs(rows[0] - rows[1]).max() > 1e-3 / lam
            assert apart, "the two maximisers are the same point"


@check("smooth-max", points=1)
def two_coordinates(lse_maximisers, rng):
    """Two coordinates: known numbers, then random lam and beta."""
    for beta, u in [(2.0, 0.0), (4.0, 0.0), (4.4, 0.251470), (8.0, 0.478752)]:
        expected = [[0.25 + u / 2, 0.25 - u / 2], [0.25 - u / 2, 0.25 + u / 2]]
        expected = expected if u else expected[:1]
        found = same_points(lse_maximisers(1.0, beta), expected, 1e-5)
        assert found, f"lam = 1, beta = {beta}, d = 2: not the global maximisers"
    for _ in range(20):
        lam = float(rng.uniform(0.1, 3))
        judge(lse_maximisers, lam, float(lam * rng.uniform(4.1, 30)), 2)
        judge(lse_maximisers, lam, 4.1 * lam, 2)  # an iteration is slow here
        judge(lse_maximisers, lam, float(lam * rng.uniform(0.5, 3.9)), 2)


@check("smooth-max", points=2)
def three_and_more(lse_maximisers, rng):
    """Three coordinates and more: before the jump, just beyond it, and far beyond."""
    for d in (3, 4, *rng.integers(5, 13, size=4)):
        lam, d = float(rng.uniform(0.1, 3)), int(d)
        for factor in (0.5, 0.98, 1.02, float(rng.uniform(1.1, 3))):
            judge(lse_maximisers, lam, float(switch(lam, d) * factor), d)


@check("smooth-max", points=1)
def very_smooth_and_very_sharp(lse_maximisers, rng):
    """Extreme beta: nearly the mean, nearly the maximum, nothing overflows."""
    for ratio in (1e-3, 100.0, 1e3, 1e4):
        for lam, d in [(1e-2, 2), (1.0, 2), (20.0, 2), (1.0, 3), (float(rng.uniform(0.1, 3)), 6)]:
            judge(lse_maximisers, lam, ratio * lam, d)


@check("smooth-max", points=1)
def no_smooth_max(first_order_beta, lse_maximisers):
    """Both refuse what is not positive and d < 2, and nothing else."""
    assert close(first_order_beta(0.5, 2), 2), "lam = 1/2, d = 2 is a sensible question"
    judge(lse_maximisers, 0.5, 3.0, 2)
    for lam, d in [(0.0, 3), (-1.0, 2), (1.0, 1)]:
        refuses(ValueError, first_order_beta, lam, d)
        refuses(ValueError, lse_maximisers, lam, 8.0, d)
    refuses(ValueError, lse_maximisers, 1.0, 0.0)
    refuses(ValueError, lse_maximisers, 1.0, -8.0, 3)


# 6. am_max_affine


def height(X, W, b, lam):
    """L at each row of X for the maximum of affine pieces."""
    return (X @ W.T + b).max(axis=1) - lam * np.sum(X**2, axis=1)


def random_pieces(rng):
    """Pieces whose offsets matter: the longest slope is often not the best."""
    m, d = int(rng.integers(2, 13)), int(rng.integers(1, 9))
    W, lam = rng.normal(size=(m, d)), float(rng.uniform(0.2, 2))
    return W, rng.normal(size=m) * np.sqrt(d) / (2 * lam), lam


@check("max-affine", points=2)
def the_best_of_all_pieces(am_max_affine, rng):
    """The global maximum, and a point that reaches it; no sample is better."""
    for _ in range(30):
        W, b, lam = random_pieces(rng)
        x, value, _ = unpack(am_max_affine(W, b, lam), "x, value, local_idx")
        d = W.shape[1]
        is_input = np.shape(x) == (d,) and close(x, x)
        assert is_input, f"x should have {d} finite coordinates"
        X = np.vstack([x, rng.normal(size=(500, d)) / lam, W / (2 * lam)])
        assert height(X, W, b, lam).max() <= height(X[:1], W, b, lam)[0] + 1e-8, (
            f"there are better inputs than your x ({len(b)} pieces, d = {d})"
        )
        assert close(value, height(X[:1], W, b, lam)[0]), "value is not that of L at your x"
        best = np.max(np.sum(W**2, axis=1) / (4 * lam) + b)
        assert close(value, best), f"this is not the maximum ({len(b)} pieces, d = {d})"


@check("max-affine", points=1)
def the_local_ones(am_max_affine, rng):
    """The pieces whose centre is a local maximiser, each tried from near by."""
    beaten = 0
    for _ in range(30):
        W, b, lam = random_pieces(rng)
        *_, found = unpack(am_max_affine(W, b, lam), "x, value, local_idx")
        centres = W / (2 * lam)
        own = np.sum(W * centres, axis=1) + b
        expected = np.flatnonzero(own >= (centres @ W.T + b).max(axis=1) - 1e-9)
        beaten += len(b) - len(expected)
        indices = close(np.sort(found), expected)
        assert indices, f"local_idx is not right ({len(b)} pieces, d = {W.shape[1]})"
    assert beaten  # else this check would let all indices pass


@check("max-affine", points=1)
def kinks_and_twins(am_max_affine):
    """A centre on a kink is no local maximiser; twins both are; lam must be positive."""
    cases = [  # all exact in floating point, lam = 1/2: the centre of a piece is its slope
        ([[1.0], [3.0]], [0.0, -6.0], [0], "the pieces x and 3x - 6 (the hint)"),
        ([[1.0], [3.0]], [0.0, -2.0], [1], "the pieces x and 3x - 2: they tie at x = 1"),
        ([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], [0.5, 0.5, 0.5], [0, 1, 2], "two equal pieces"),
        ([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]], [1.0, 0.0, 0.0], [0, 2], "two parallel pieces"),
    ]
    for W, b, expected, name in cases:
        W, b = np.array(W), np.array(b)
        x, value, found = unpack(am_max_affine(W, b, 0.5), "x, value, local_idx")
        assert np.shape(x) == W[0].shape, "x has another shape than a row of W"
        best = np.max(np.sum(W**2, axis=1) / 2 + b)
        assert close(value, best), f"{name}: the maximum"
        assert close(height(np.array([x]), W, b, 0.5)[0], best), f"{name}: x"
        assert close(found, expected), f"{name}: local_idx"
    refuses(ValueError, am_max_affine, np.ones((2, 1)), np.zeros(2), 0.0)
    refuses(ValueError, am_max_affine, np.ones((2, 1)), np.zeros(2), -0.5)


# 7. am_relu_convex


def relu_height(X, W, b, v, lam):
    """L at each row of X for the network."""
    return np.maximum(X @ W.T + b, 0) @ v - lam * np.sum(X**2, axis=1)


def listed(W, b, v, lam):
    """All local maximisers, each once, and the nearest that any of the candidates is to a kink."""
    found, margin = [], np.inf
    for subset in product([False, True], repeat=len(v)):
        on = np.array(subset) & (v > 0)
        x = v[on] @ W[on] / (2 * lam)
        margin = min(margin, np.abs((W @ x + b)[v > 0]).min(initial=np.inf))
        # both say which units are on, those that do not count left out
        if np.array_equal((W @ x + b > 0) & (v > 0), np.array(subset)):
            found.append(x)
    return np.array(found), margin


def networks(rng, n, shift=0.0, spread=1.0, silent=False):
    """n random networks of at most 7 units; silent: one of the output weights is zero."""
    while n:
        m, d, lam = int(rng.integers(2, 8)), int(rng.integers(1, 7)), float(rng.uniform(0.3, 1.5))
        W, b, v = rng.normal(size=(m, d)), rng.normal(shift, spread, m), rng.uniform(0.1, 2, m)
        if silent:
            v[rng.integers(m)] = 0.0
        local, margin = listed(W, b, v, lam)
        if margin > 1e-6:  # an answer must not hang on rounding
            n -= 1
            yield W, b, v, lam, local


def best_of(am_relu_convex, W, b, v, lam, local, why=""):
    """The global part of one answer."""
    x, value, found = unpack(am_relu_convex(W, b, v, lam), "x, value, local")
    m, d = W.shape
    where = f"m = {m}, d = {d}{why}"
    is_input = np.shape(x) == (d,) and close(x, x)
    assert is_input, f"x should have {d} finite coordinates"
    best = relu_height(local, W, b, v, lam).max()
    assert close(value, best), f"this is not the maximum ({where})"
    assert close(relu_height(np.array([x]), W, b, v, lam)[0], best), (
        f"x does not reach it ({where})"
    )
    return found


@check("relu", points=2)
def the_best_of_all_subsets(am_relu_convex, rng):
    """The global maximum: random networks, many units, and units that do not pay."""
    for network in networks(rng, 30, shift=-1.0, spread=4.0):  # biases that matter
        best_of(am_relu_convex, *network)
    for _ in range(3):  # biases so low that no unit is worth its price
        W, b, v = rng.normal(size=(4, 3)), -rng.uniform(50, 60, size=4), np.ones(4)
        best_of(am_relu_convex, W, b, v, 1.0, np.zeros((1, 3)), ", very low biases")
    margin = 0.0
    while margin <= 1e-6:
        W, b, v = rng.normal(size=(10, 3)), rng.normal(size=10), rng.uniform(0.3, 1.5, 10)
        local, margin = listed(W, b, v, 0.7)
    best_of(am_relu_convex, W, b, v, 0.7, local)


@check("relu", points=1)
def every_local_one_once(am_relu_convex, rng):
    """All local maximisers, each once, output weights of zero included."""
    several = 0
    for silent in (False, True):
        for W, b, v, lam, local in networks(rng, 15, shift=-1.0, silent=silent):
            found = best_of(am_relu_convex, W, b, v, lam, local)
            several += len(local) > 1
            where = f"m = {len(b)}, d = {W.shape[1]}" + ", one v is 0" * silent
            said = how_many(found, local) or "some are no local maximisers"
            assert same_points(found, local), f"{said} ({where})"
    assert several  # else the best alone would pass


@check("relu", points=1)
def weights_that_subtract(am_relu_convex, rng):
    """Refuses negative output weights and lam <= 0; zero weights are welcome."""
    W, b = np.array([[1.0], [-1.0]]), np.array([1.0, 0.5])
    v = np.array([0.0, 2.0])
    found = best_of(am_relu_convex, W, b, v, 0.5, np.array([[-2.0]]), ", one v is 0")
    assert same_points(found, [[-2.0]]), "m = 2, d = 1, v = (0, 2): local"
    refuses(ValueError, am_relu_convex, W, b, np.array([1.0, -2.0]), 0.5)
    refuses(ValueError, am_relu_convex, W, b, np.array([-1e-3, 1.0]), 0.5)
    refuses(ValueError, am_relu_convex, W, b, v, 0.0)
    refuses(ValueError, am_relu_convex, W, b, v, -0.5)
