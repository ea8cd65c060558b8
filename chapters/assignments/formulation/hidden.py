"""What sheet 1 is judged by. Never handed out.

The numbers are random but for a few golden ones. All errors are of rounding, far below the
tolerances: no right answer fails by chance.
"""

import numpy as np

from classroom.checks import AnswerError, check, close, refuses, unpack

FATES = ("unbounded", "sup_not_attained", "multiple", "unique")


def size(rng):
    """A number of coordinates, 1 to 20."""
    return int(rng.integers(1, 21))


def vector(rng, d):
    """Weights of either sign, none of them near zero."""
    return rng.choice([-1.0, 1.0], d) * rng.uniform(0.1, 3.0, d)


def positive(rng):
    """A number from 0.02 to 50, as likely below 1 as above."""
    return float(50.0 ** rng.uniform(-1, 1))


def rotation(rng, d):
    """An orthogonal matrix."""
    return np.linalg.qr(rng.standard_normal((d, d)))[0]


def symmetric(rng, eigenvalues):
    """A symmetric matrix with these eigenvalues, in axes that nobody knows, and the axes."""
    axes = rotation(rng, len(eigenvalues))
    H = (axes * eigenvalues) @ axes.T
    return (H + H.T) / 2, axes


def answer_of(function, *args, but, told):
    """The answer of a call that should have one; an error `but` is explained by `told`."""
    try:
        return function(*args)
    except AnswerError as error:
        if error.kind == "raised" and but in error.names:
            raise AssertionError(told) from None
        raise


# Question 1 -----------------------------------------------------------------------------------


@check("linear-unit", points=2)
def the_linear_maximiser(am_linear_l2, rng):
    """The best input of the linear unit, for weights and penalties of all sizes."""
    for d in (2, 1, *(size(rng) for _ in range(10))):
        w, b, lam = vector(rng, d), float(rng.normal()), positive(rng)
        x, _, _ = unpack(am_linear_l2(w, b, lam), "x, f_x, L_x")
        assert close(x, w / (2 * lam)), f"x is not the maximiser (d = {d}, lam = {lam:.2g})"


@check("linear-unit", points=2)
def the_two_values(am_linear_l2, rng):
    """The value of the score and the value with the penalty, there."""
    cases = [(vector(rng, size(rng)), float(rng.normal()), positive(rng)) for _ in range(10)]
    for w, b, lam in [(np.array([3.0, -4.0]), 1.0, 0.5), *cases]:
        _, f_x, L_x = unpack(am_linear_l2(w, b, lam), "x, f_x, L_x")
        gain = float(w @ w) / (4 * lam)
        assert close(f_x, 2 * gain + b), f"f_x is not f at the maximiser (b = {b:.2g})"
        assert close(L_x, gain + b), "L_x is not f minus the penalty at the maximiser"


@check("linear-unit", points=1)
def a_unit_that_sees_little(am_linear_l2, rng):
    """Weights that are zero, all or some of them."""
    for d in (1, 4, 9):
        b, lam = float(rng.uniform(1, 2)), positive(rng)
        w = vector(rng, d) * (np.arange(d) % 2 == 0)
        for weights in (w, 0 * w):
            x, f_x, L_x = unpack(am_linear_l2(weights, b, lam), "x, f_x, L_x")
            what = "all" if not weights.any() else "some"
            assert close(x, weights / (2 * lam)), f"x is wrong where {what} weights are zero"
            gain = float(weights @ weights) / (4 * lam)
            right = close(f_x, 2 * gain + b) and close(L_x, gain + b)
            assert right, f"the values are wrong where {what} weights are zero"


@check("linear-unit", points=1)
def a_penalty_that_is_none(am_linear_l2, rng):
    """Penalties that are not positive are refused, small positive ones are not."""
    w = vector(rng, 3)
    for weights in (w, 0 * w):
        for lam in (0.0, -1e-3, -2.0):
            refuses(ValueError, am_linear_l2, weights, 0.5, lam)
    told = "lam = 0.001 is positive and has a maximiser"
    found = answer_of(am_linear_l2, w, 0.5, 1e-3, but="ValueError", told=told)
    x, _, _ = unpack(found, "x, f_x, L_x")
    assert close(x, 500 * w), told


# Question 2 -----------------------------------------------------------------------------------


def judge_fates(classify_problem, rng, cases):
    """All cases in random order; the message names the family and what is special, no answer."""
    for i in rng.permutation(len(cases)):
        fate, what, spec = cases[i]
        said = classify_problem(spec)
        wrong = f"family {spec['family']!r}, {what}: not {said!r}"
        fates = [fate for fate in FATES if isinstance(said, str) and said == fate]
        assert fates, f"{said!r} is none of the four"
        assert said == fate, wrong


def unit(rng, family, w, **more):
    return {"family": family, "w": w, "b": float(rng.normal()), **more}


def some_zero(rng, w):
    """The weights with one of them set to zero."""
    w = w.copy()
    w[rng.integers(len(w))] = 0.0
    return w


@check("fates", points=2)
def fates_without_a_regularizer(classify_problem, rng):
    """No regularizer: all of space, the box, the ball, the ReLU."""
    cases = []
    for d in (1, 2, size(rng) + 2):
        w, lo = vector(rng, d), rng.normal(size=d)
        box = {"lo": lo, "hi": lo + rng.uniform(0.1, 2, d)}
        cases += [
            ("unbounded", "weights that are not zero", unit(rng, "affine", w)),
            ("multiple", "all weights zero", unit(rng, "affine", 0 * w)),
            ("unique", "no weight is zero", unit(rng, "affine_box", w, **box)),
            ("multiple", "one weight is zero", unit(rng, "affine_box", some_zero(rng, w), **box)),
        ]
        if d > 1:
            cases.append(("unbounded", "one is zero", unit(rng, "affine", some_zero(rng, w))))
    for a in (-1.5, -1.0, 0.0, 0.5, 1.0, 2.0, float(rng.normal())):
        cases.append(("unbounded", f"a = {a:.3g}", {"family": "relu", "a": a}))
    for d in (1, 2, 2 + size(rng)):
        ball = {"family": "max_ball", "d": d, "r": positive(rng)}
        cases.append(("multiple" if d > 1 else "unique", f"d = {d}", ball))
    judge_fates(classify_problem, rng, cases)


@check("fates", points=3)
def fates_with_a_regularizer(classify_problem, rng):
    """With a penalty: below, above and at the threshold."""
    cases = []
    for d in (1, 3, size(rng)):
        w, lam = vector(rng, d), positive(rng)
        top = float(np.abs(w).max())
        cases += [
            ("unique", "lam > 0", unit(rng, "affine_l2", w, lam=lam)),
            ("unique", "lam > 0 and all weights zero", unit(rng, "affine_l2", 0 * w, lam=lam)),
            ("unbounded", "lam = 0", unit(rng, "affine_l2", w, lam=0.0)),
            ("multiple", "lam = 0 and w = 0", unit(rng, "affine_l2", 0 * w, lam=0.0)),
            ("unbounded", "a small lam", unit(rng, "affine_l1", w, lam=0.9 * top)),
            ("unbounded", "lam = 0", unit(rng, "affine_l1", w, lam=0.0)),
            ("multiple", "at the threshold", unit(rng, "affine_l1", w, lam=top)),
            ("multiple", "lam = 0 and w = 0", unit(rng, "affine_l1", 0 * w, lam=0.0)),
            ("unique", "a large lam", unit(rng, "affine_l1", w, lam=1.1 * top)),
            ("unique", "a lam above every weight", unit(rng, "affine_l1", 0 * w, lam=lam)),
            ("unique", f"d = {d}", {"family": "square", "d": d}),
        ]
    # One weight of the largest size has either sign, and the others do not add to it.
    cases.append(("unique", "five weights of -1", unit(rng, "affine_l1", -np.ones(5), lam=1.5)))
    cases.append(("unbounded", "weights -1, -3", unit(rng, "affine_l1", -np.r_[1.0, 3], lam=2.0)))
    below, above = (0.0, 0.7, 0.99, 0.998), (1.002, 1.01, 2.0, 9.0)
    for lam, fate in [*((x, 0) for x in below), (1.0, 2), *((x, 3) for x in above)]:
        cases.append((FATES[fate], f"lam = {lam}", {"family": "parabola", "lam": lam}))
    # Near a threshold, but twice as far from it as the sheet promises.
    w = np.append(vector(rng, 3), -4.0)
    cases.append(("unbounded", "just below", unit(rng, "affine_l1", w, lam=3.998)))
    cases.append(("unique", "just above", unit(rng, "affine_l1", w, lam=4.002)))
    cases.append(("unique", "lam = 0.002", unit(rng, "affine_l2", w, lam=0.002)))
    judge_fates(classify_problem, rng, cases)


@check("fates", points=3)
def fates_of_certainty(classify_problem, rng):
    """Probabilities: the sigmoid, and the softmax with rivals on both sides."""
    cases = []
    for d in (1, 4):
        w = vector(rng, d)
        cases += [
            ("sup_not_attained", "weights that are not zero", unit(rng, "sigmoid", w)),
            ("multiple", "all weights zero", unit(rng, "sigmoid", 0 * w)),
        ]
    for K in (3, 4, 7):
        w = np.cumsum(rng.uniform(0.2, 1.0, K)) - 1.0
        order = rng.permutation(K)
        rank = np.argsort(order)  # the class with the i-th smallest slope
        for i in {0, 1, K - 2, K - 1}:
            fate = "unique" if 0 < i < K - 1 else "sup_not_attained"
            what = f"number {i + 1} of {K} slopes"
            spec = unit(rng, "log_softmax", w[order], k=int(rank[i]))
            cases.append((fate, what, spec | {"b": rng.normal(size=K)}))
    s = float(rng.normal())
    for fate, slopes, k in [
        ("sup_not_attained", [s, s + 1], 0),
        ("sup_not_attained", [s, s + 1], 1),
        ("sup_not_attained", [s, s, s - 1], 1),
        ("sup_not_attained", [s, s, s + 2], 0),
        ("unique", [s, s, s + 2, s - 1], 0),
        ("multiple", [s, s, s], 2),
        ("multiple", [0.0, 0.0], 0),
    ]:
        w = np.array(slopes)
        spec = unit(rng, "log_softmax", w, k=k) | {"b": rng.normal(size=len(w))}
        cases.append((fate, f"slopes {np.round(w, 2)}, k = {k}", spec))
    judge_fates(classify_problem, rng, cases)


@check("fates", points=1)
def an_eleventh_family(classify_problem, rng):
    """Families that are not in the table are refused, the ten are not."""
    for family in ("cubic", "", "affine_l3"):
        refuses(ValueError, classify_problem, unit(rng, family, np.ones(2), lam=1.0, d=2))
    w, lam = vector(rng, 3), positive(rng)
    box = {"lo": -np.ones(3), "hi": np.ones(3)}
    softmax = {"family": "log_softmax", "w": w, "b": np.zeros(3), "k": int(np.argmax(w))}
    judge_fates(
        classify_problem,
        rng,
        [
            ("unbounded", "w is not zero", unit(rng, "affine", w)),
            ("unique", "no weight is zero", unit(rng, "affine_box", w, **box)),
            ("unique", "lam > 0", unit(rng, "affine_l2", w, lam=lam)),
            ("unique", "a large lam", unit(rng, "affine_l1", w, lam=4.0)),
            ("sup_not_attained", "w is not zero", unit(rng, "sigmoid", w)),
            ("sup_not_attained", "the steepest class", softmax),
            ("unbounded", "a = 1", {"family": "relu", "a": 1.0}),
            ("unique", "lam = 3", {"family": "parabola", "lam": 3.0}),
            ("unique", "d = 3", {"family": "square", "d": 3}),
            ("multiple", "d = 3", {"family": "max_ball", "d": 3, "r": 1.0}),
        ],
    )


# Question 3 -----------------------------------------------------------------------------------


@check("concavity", points=2)
def the_modulus(concavity, rng):
    """How strongly concave, for eigenvalues of any sign."""
    for d in (1, 2, *(size(rng) for _ in range(12))):
        eigenvalues, lam = 3 * rng.normal(size=d), positive(rng) * (d != 2)
        H, _ = symmetric(rng, eigenvalues)
        _, modulus = unpack(concavity(H, lam), "is_concave, modulus")
        right = close(modulus, 2 * lam - eigenvalues.max())
        assert right, f"the modulus is wrong (d = {d}, lam = {lam:.2g})"


@check("concavity", points=2)
def the_verdict(concavity, rng):
    """Concave or not, on both sides of the edge."""
    for d in (1, 3, *(size(rng) for _ in range(10))):
        eigenvalues = 3 * rng.normal(size=d)
        H, _ = symmetric(rng, eigenvalues)
        lam = max(float(eigenvalues.max()) / 2, 0.0)
        for gap in (-0.3, -0.01, -1e-4, 1e-4, 0.01, 0.3, 2.0):
            if lam + gap >= 0:
                is_concave, _ = unpack(concavity(H, lam + gap), "is_concave, modulus")
                assert isinstance(is_concave, bool), "is_concave has to be True or False"
                right = 2 * (lam + gap) >= eigenvalues.max()
                assert is_concave == right, f"is_concave is {is_concave} (d = {d})"


@check("concavity", points=2)
def just_concave(concavity, rng):
    """Matrices whose largest eigenvalue leaves nothing over, whatever the others are."""
    for d in [1, 2] + 3 * list(range(3, 13)):
        lam = float(rng.uniform(0.1, 3))
        spread = rng.uniform(0.5, 9, d)
        spread[0] = 0.0
        H, _ = symmetric(rng, 2 * lam - spread)
        is_concave, modulus = unpack(concavity(H, lam), "is_concave, modulus")
        assert close(modulus, 0.0), f"the modulus should be 0 here, up to rounding (d = {d})"
        assert is_concave is True, "a modulus of 0, up to rounding, is still concave"
        is_concave, modulus = unpack(concavity(H, 0.99 * lam), "is_concave, modulus")
        assert close(modulus, -0.02 * lam), "the modulus is wrong just below the edge"
        assert is_concave is False, "just below the edge it is not concave"


# Question 4 -----------------------------------------------------------------------------------


def follow(grad, x0, eta, T, project=None):
    """The right trajectory."""
    rows = [np.array(x0, dtype=float)]
    for _ in range(T):
        x = rows[-1] + eta * grad(rows[-1])
        rows.append(x if project is None else project(x))
    return np.array(rows)


class Watched:
    """A function that keeps what it was asked."""

    def __init__(self, function):
        self.function, self.asked = function, []

    def __call__(self, x):
        x = np.array(x, dtype=float)
        self.asked.append(x)
        return self.function(x)


def bumpy(rng, d):
    """A gradient that is no straight line, of size about 1."""
    A, c = rng.standard_normal((d, d)) / np.sqrt(d), rng.normal(size=d)
    return lambda x: np.tanh(A @ x + c) - 0.3 * x


def judge_rows(trajectory, expected, tol=1e-12):
    shape = np.shape(trajectory)
    assert shape == expected.shape, f"the shape should be {expected.shape}, not {shape}"
    one = len(expected) > 1 and close(trajectory, np.broadcast_to(trajectory[-1], shape))
    assert not one, "all rows are the same: is it one array, stored again and again?"
    assert close(trajectory[0], expected[0], tol), "the first row is not the start as it was given"
    wrong = [t for t, row in enumerate(trajectory) if not close(row, expected[t], tol)]
    assert not wrong, f"row {wrong[0]} of {len(expected) - 1} is the first that is wrong"


@check("ascent", points=2)
def the_law_of_the_path(gradient_ascent, rng):
    """On a linear unit with a penalty the rows obey the known law, also where they fly away."""
    for rate in (0.2, 0.7, 1.0, 1.6, 2.3):  # 2 lam eta: from 2 on the path diverges
        d, T, lam = size(rng), int(rng.integers(5, 30)), positive(rng)
        w, x0, eta = vector(rng, d), rng.normal(size=d), rate / (2 * lam)
        found = gradient_ascent(lambda x, w=w, lam=lam: w - 2 * lam * np.asarray(x), x0, eta, T)
        top = w / (2 * lam)
        judge_rows(found, top + (1 - rate) ** np.arange(T + 1)[:, None] * (x0 - top))


@check("ascent", points=2)
def where_the_gradient_is_asked(gradient_ascent, rng):
    """Any gradient, asked once a step, at the point where the path is."""
    for d in (1, 5, 12):
        T, eta, x0 = int(rng.integers(6, 15)), float(rng.uniform(0.1, 0.6)), rng.normal(size=d)
        grad = Watched(bumpy(rng, d))
        expected = follow(grad.function, x0, eta, T)
        judge_rows(gradient_ascent(grad, x0, eta, T), expected)
        n = len(grad.asked)
        assert n == T, f"the gradient is wanted once a step: {T} times, you ask {n} times"
        places = all(close(a, row, 1e-12) for a, row in zip(grad.asked, expected, strict=False))
        assert places, "the gradient is asked at other points than the rows"


@check("ascent", points=3)
def brought_back_every_time(gradient_ascent, rng):
    """The path in a box and in a ball: brought back after every step, and it goes on from there."""
    for d in (1, 3, 8):
        lo = -rng.uniform(0.1, 0.4, d)
        hi = rng.uniform(0.1, 0.4, d)
        fences = [
            lambda x, lo=lo, hi=hi: np.clip(x, lo, hi),
            lambda x: x / max(1.0, 2 * float(np.linalg.norm(x))),
        ]
        for fence in fences:
            T, x0 = int(rng.integers(6, 12)), 1.0 + rng.uniform(1, 2, d)  # outside of both
            grad, project = bumpy(rng, d), Watched(fence)
            expected = follow(grad, x0, 0.8, T, fence)
            found = gradient_ascent(lambda x, g=grad: g(np.asarray(x)), x0, 0.8, T, project)
            judge_rows(found, expected)
            n = len(project.asked)
            assert n == T, f"project is wanted once a step: {T} times, you call it {n} times"


@check("ascent", points=1)
def paths_of_no_and_of_whole_steps(gradient_ascent, rng):
    """No step at all, one step, and a start of whole numbers."""
    for d in (1, 4):
        grad, whole = bumpy(rng, d), rng.integers(-3, 4, d)
        for x0 in (rng.normal(size=d), whole):
            for T in (0, 1, 3):
                found = gradient_ascent(lambda x, g=grad: g(np.asarray(x)), x0, 0.3, T)
                judge_rows(found, follow(grad, x0, 0.3, T))


# Question 5 -----------------------------------------------------------------------------------


def covariance(rng, d, rank):
    """A covariance of this rank, entries of size about 1."""
    root = rng.standard_normal((d, rank))
    return root @ root.T / max(rank, 1)


@check("gaussian-prior", points=2)
def the_best_under_a_prior(am_gaussian_prior, rng):
    """The maximiser under a regular prior with any mean."""
    for d in (2, 1, *(size(rng) for _ in range(10))):
        w, mu, b = vector(rng, d), rng.normal(size=d), float(rng.normal())
        Sigma = covariance(rng, d, d) + 0.2 * np.eye(d)
        x, _ = unpack(am_gaussian_prior(w, b, mu, Sigma), "x, L_x")
        assert np.shape(x) == (d,), f"x should have the shape ({d},)"
        assert close(x, mu + Sigma @ w), f"x is not the maximiser (d = {d})"


@check("gaussian-prior", points=1)
def the_value_under_a_prior(am_gaussian_prior, rng):
    """The value there, bias, mean and penalty included."""
    for d in (2, 1, *(size(rng) for _ in range(10))):
        w, mu, b = vector(rng, d), rng.normal(size=d), float(rng.normal())
        Sigma = covariance(rng, d, d) + 0.2 * np.eye(d)
        _, L_x = unpack(am_gaussian_prior(w, b, mu, Sigma), "x, L_x")
        assert close(L_x, float(w @ mu + b + w @ Sigma @ w / 2)), f"L_x is wrong (d = {d})"


@check("gaussian-prior", points=2)
def a_prior_that_forbids(am_gaussian_prior, rng):
    """Singular priors: the best input stays where the prior allows it."""
    ranks = [(d, int(rng.integers(1, d))) for d in (3, 6, 12, 20)]
    for d, rank in [*ranks, (5, 0), (1, 0)]:
        w, mu, b = vector(rng, d), rng.normal(size=d), float(rng.normal())
        Sigma = covariance(rng, d, rank)
        told = f"(d = {d}, Sigma of rank {rank})"
        stopped = f"it stops with a LinAlgError {told}: is an inverse needed at all?"
        found = answer_of(am_gaussian_prior, w, b, mu, Sigma, but="LinAlgError", told=stopped)
        x, L_x = unpack(found, "x, L_x")
        assert close(x, mu + Sigma @ w), f"x is wrong for a singular prior {told}"
        right = close(L_x, float(w @ mu + b + w @ Sigma @ w / 2))
        assert right, f"L_x is wrong for a singular prior {told}"


@check("gaussian-prior", points=1)
def two_old_friends(am_gaussian_prior, rng):
    """A round prior is the penalty of question 1; an LDA unit under its own prior is the mean."""
    for d in (1, 4, 9):
        w, b, lam = vector(rng, d), float(rng.normal()), float(rng.uniform(0.1, 2))
        x, L_x = unpack(am_gaussian_prior(w, b, np.zeros(d), np.eye(d) / (2 * lam)), "x, L_x")
        same = close(x, w / (2 * lam)) and close(L_x, float(w @ w) / (4 * lam) + b)
        assert same, "with mean 0 and a multiple of the identity it is not question 1"
        Sigma, mean = covariance(rng, d, d) + 0.5 * np.eye(d), 3 * vector(rng, d)
        weights = np.linalg.solve(Sigma, mean)
        x, _ = unpack(am_gaussian_prior(weights, b, np.zeros(d), Sigma), "x, L_x")
        assert close(x, mean), "the unit of a linear discriminant analysis does not give its mean"


# Question 6 -----------------------------------------------------------------------------------


def dual_norm(w, p):
    """The norm that bounds the gain, without overflow."""
    largest = float(np.abs(w).max())
    if largest == 0 or p == 1:
        return largest
    share = np.abs(w) / largest
    q = 1.0 if p == np.inf else p / (p - 1)
    return largest * float((share**q).sum() ** (1 / q))


def judge_step(linear_step, w, eps, p):
    """Feasible, as good as can be, and silent where the weights are."""
    delta = linear_step(w, eps, p)
    told = f"(p = {p:.4g}, d = {len(w)})"
    zero = np.zeros(len(w))
    assert close(0 * np.asarray(delta, dtype=float), zero), f"delta has to be {len(w)} numbers"
    delta = np.asarray(delta, dtype=float)
    longest = max(float(np.abs(delta).max()), 1e-300)  # scaled, so that no power overflows
    length = longest * float(np.linalg.norm(delta / longest, p))
    assert length <= eps * (1 + 1e-9), f"the step is outside of the ball {told}"
    gain = float(w @ delta)
    assert close(gain, eps * dual_norm(w, p), 1e-9), f"the step does not gain the most {told}"
    assert not delta[w == 0].any(), f"a coordinate with the weight 0 moves {told}"


@check("balls-and-boxes", points=2)
def the_largest_gain_in_a_ball(linear_step, rng):
    """Steps in balls of every exponent gain the most."""
    for _ in range(6):
        for p in (1.0, float(rng.uniform(1.05, 1.9)), 2.0, float(rng.uniform(2.2, 9)), np.inf):
            w = vector(rng, size(rng) + 1)
            w[rng.integers(len(w))] = -4.0  # the largest weight is a negative one
            judge_step(linear_step, w, positive(rng), p)


@check("balls-and-boxes", points=2)
def steps_with_silent_and_equal_weights(linear_step, rng):
    """Zero weights, equal weights, no weights, and a ball of radius zero."""
    for p in (1.0, 1.5, 2.0, 4.0, np.inf):
        for d in (3, 8):
            w, eps = vector(rng, d), positive(rng)
            judge_step(linear_step, w * (np.arange(d) % 2), eps, p)
            judge_step(linear_step, float(w[0]) * np.sign(w), eps, p)
            judge_step(linear_step, np.zeros(d), eps, p)
            judge_step(linear_step, w, 0.0, p)


@check("balls-and-boxes", points=1)
def exponents_at_the_ends(linear_step, rng):
    """Exponents close to one and very large ones, and what is no ball at all."""
    for scale in (1e-3, 1.0, 300.0):
        for p in (1.001, 1.01, 50.0, 1000.0):
            w = scale * vector(rng, 5)
            w[:2] = 4 * scale, -3.9999 * scale  # two that count nearly alike
            judge_step(linear_step, w, positive(rng), p)
    wrong = ((-0.1, 2.0), (1.0, 0.5), (1.0, 0.0), (1.0, -1.0), (1.0, -np.inf), (-1.0, np.inf))
    for eps, p in wrong:
        refuses(ValueError, linear_step, vector(rng, 3), eps, p)


@check("balls-and-boxes", points=2)
def the_best_corner(linear_box, rng):
    """The best point of a box that lies anywhere, zero weights included."""
    for d in (1, 2, *(size(rng) + 2 for _ in range(8))):
        w, lo = vector(rng, d), rng.normal(size=d)
        hi = lo + rng.uniform(0.0, 3, d)
        for weights in (w, some_zero(rng, w)):
            x = linear_box(weights, lo, hi)
            assert close(x, np.clip(np.asarray(x, dtype=float), lo, hi)), "x is outside of the box"
            best = float(np.maximum(weights * lo, weights * hi).sum())
            assert close(float(weights @ x), best), f"x is not the best of the box (d = {d})"


@check("balls-and-boxes", points=1)
def boxes_without_a_room(linear_box, rng):
    """Boxes turned inside out are refused, flat ones are not."""
    w, lo = vector(rng, 4), rng.normal(size=4)
    hi = lo + 1.0
    flat, wrong = hi.copy(), hi.copy()
    flat[1], wrong[2] = lo[1], lo[2] - 0.01
    refuses(ValueError, linear_box, w, lo, wrong)
    refuses(ValueError, linear_box, w, hi, lo)
    told = "a box that is flat in one coordinate has a best point"
    x = answer_of(linear_box, w, lo, flat, but="ValueError", told=told)
    assert close(x, np.where(w > 0, flat, lo)), told


# Question 7 -----------------------------------------------------------------------------------


def net(rng):
    """Weights on both sides of lam1, and the two penalties."""
    d, lam1 = size(rng) + 2, float(rng.uniform(0.3, 2))
    w = vector(rng, d)
    w[:2] = lam1 + 0.7, -lam1 / 2
    return w[rng.permutation(d)], lam1, float(rng.uniform(0.1, 4))


def soft(w, lam1):
    return w - np.clip(w, -lam1, lam1)


@check("elastic-net", points=2)
def the_best_under_two_penalties(am_elastic_net, rng):
    """The maximiser where both penalties are there, small and large weights."""
    for i in range(12):
        w, lam1, lam2 = net(rng)
        lam1 *= i != 3  # once without the first penalty
        x, _ = unpack(am_elastic_net(w, lam1, lam2), "x, L_x")
        assert np.shape(x) == w.shape, f"x should have the shape {w.shape}"
        assert close(x, soft(w, lam1) / (2 * lam2)), f"x is wrong (lam1 = {lam1:.2g})"


@check("elastic-net", points=1)
def the_value_under_two_penalties(am_elastic_net, rng):
    """The value there, both penalties paid."""
    for _ in range(12):
        w, lam1, lam2 = net(rng)
        _, L_x = unpack(am_elastic_net(w, lam1, lam2), "x, L_x")
        left = soft(w, lam1)
        assert close(L_x, float(left @ left) / (4 * lam2)), "L_x is not L at the maximiser"


@check("elastic-net", points=2)
def the_first_penalty_by_itself(am_elastic_net, rng):
    """Without the second penalty: held, not held, and exactly at the edge."""
    for d in (1, 2, 7):
        w = vector(rng, d)
        w[0] = -3.5  # the largest weight is a negative one
        for lam1 in (0.0, 1.0, 3.49, 3.4999):
            refuses("Unbounded", am_elastic_net, w, lam1, 0.0)
        for lam1, told in ((3.5, "at the edge"), (3.5001, "above all"), (4.0, "above all")):
            stopped = f"lam1 {told}: this is not unbounded"
            found = answer_of(am_elastic_net, w, lam1, 0.0, but="Unbounded", told=stopped)
            x, L_x = unpack(found, "x, L_x")
            right = close(x, np.zeros(d)) and close(L_x, 0.0)
            assert right, f"lam1 {told}: the shortest maximiser is 0, with the value 0"
        x, L_x = unpack(am_elastic_net(np.zeros(d), 0.0, 0.0), "x, L_x")
        right = close(x, np.zeros(d)) and close(L_x, 0.0)
        assert right, "no weights and no penalties: 0, with the value 0"


@check("elastic-net", points=1)
def no_negative_penalties(am_elastic_net, rng):
    """Negative penalties are refused, and all weights may be dropped."""
    w, lam1, lam2 = net(rng)
    for first, second in ((-0.1, lam2), (lam1, -0.1), (9.0, -1e-6), (-1.0, 0.0)):
        refuses(ValueError, am_elastic_net, w, first, second)
    x, L_x = unpack(am_elastic_net(w, 3.6, lam2), "x, L_x")
    right = close(x, 0 * w) and close(L_x, 0.0)
    assert right, "with a large lam1 every weight is dropped"
    x, _ = unpack(am_elastic_net(w, lam1, lam2), "x, L_x")
    assert close(x, soft(w, lam1) / (2 * lam2)), "penalties that are not negative have an answer"


# Question 8 -----------------------------------------------------------------------------------


def judge_word(answer, word, told):
    said = repr(answer) if isinstance(answer, str) else "a point"
    assert said == repr(word), f"{told}: your answer is {said}"


@check("quadratic", points=3)
def the_one_best_input(am_quadratic, rng):
    """Penalties that are strong enough: the only maximiser."""
    for d in (1, 3, *(size(rng) for _ in range(10))):
        lam = positive(rng)
        H, _ = symmetric(rng, 2 * lam - rng.uniform(0.3, 5, d))
        for w in (vector(rng, d), np.zeros(d)):
            x = am_quadratic(H, w, lam)
            assert not isinstance(x, str), f"there is one maximiser here; you say {x!r}"
            exact = np.linalg.solve(2 * lam * np.eye(d) - H, w)
            assert close(x, exact), f"x is not the maximiser (d = {d})"


@check("quadratic", points=2)
def penalties_that_are_too_weak(am_quadratic, rng):
    """One eigenvalue too many, and its neighbour that is not."""
    for d in (1, 2, *(size(rng) + 2 for _ in range(6))):
        lam, gaps = positive(rng), rng.uniform(0.3, 5, d)
        w, gaps[0] = vector(rng, d), 0.05
        H, axes = symmetric(rng, 2 * lam - gaps)
        x = am_quadratic(H, w, lam)
        exact = np.linalg.solve(2 * lam * np.eye(d) - H, w)
        assert close(x, exact), f"lam is just large enough (d = {d})"
        gaps[0] = -0.05
        H = (axes * (2 * lam - gaps)) @ axes.T
        for weights, told in ((w, "some w"), (0 * w, "w = 0"), (axes[:, -1], "a special w")):
            judge_word(am_quadratic(H, weights, lam), "unbounded", f"lam too small, {told}")
    for d in (1, 4, 9):  # twice as far from the edge as the sheet promises
        lam, gaps = float(rng.uniform(0.2, 3)), rng.uniform(0.5, 5, d)
        w, gaps[0] = vector(rng, d) / 10, 0.002
        H, axes = symmetric(rng, 2 * lam - gaps)
        exact = np.linalg.solve(2 * lam * np.eye(d) - H, w)
        assert close(am_quadratic(H, w, lam), exact), f"lam is only just large enough (d = {d})"
        gaps[0] = -0.002
        H = (axes * (2 * lam - gaps)) @ axes.T
        judge_word(am_quadratic(H, 0 * w, lam), "unbounded", "lam just too small, w = 0")


@check("quadratic", points=2)
def exactly_at_the_edge(am_quadratic, rng):
    """An eigenvalue at the threshold: everything depends on the linear part."""
    for d, flat in ((1, 1), (2, 1), (4, 1), (6, 2), (9, 3), (3, 3)):
        lam, gaps = float(rng.uniform(0.2, 3)), rng.uniform(0.5, 5, d)
        gaps[:flat] = 0.0
        H, axes = symmetric(rng, 2 * lam - gaps)
        inside = axes[:, flat:] @ vector(rng, d - flat)
        judge_word(am_quadratic(H, inside, lam), "nonunique", "w has no part along the flat axes")
        judge_word(am_quadratic(H, 0 * inside, lam), "nonunique", "a flat axis and w = 0")
        tilted = inside + 0.002 * axes[:, 0]
        judge_word(am_quadratic(H, tilted, lam), "unbounded", "w has a part along a flat axis")
        if flat < d:  # one axis flat, another one rising: flat does not help
            gaps[-1] = -0.5
            H = (axes * (2 * lam - gaps)) @ axes.T
            told = "one axis is flat, along another one L bends upwards"
            judge_word(am_quadratic(H, 0 * inside, lam), "unbounded", told)
