"""What sheet 4 is judged by. Never handed out.

The functions given to an answer (score, hvp, f) write down what they were asked, so that "the mean
of n probes" can be checked to the last digits with the answer's own probes, and their distribution
by itself. Each statistical test is two-sided at LEVEL = 1e-9 with an exact law (normal, chi-square,
binomial, Kolmogorov). The whole sheet makes 108 of them, so a right answer fails any with a
probability below 2e-7.
"""

import itertools

import numpy as np
from scipy import stats

from classroom.checks import check, close, fresh, refuses, unpack

LEVEL = 1e-9


class Asked:
    """Keeps the points at which a function of the judge was asked, as rows of length d."""

    def __init__(self, d):
        self.d, self._points = d, []

    def note(self, x):
        """The argument as an array; one vector or a batch of any shape."""
        x = np.asarray(x, dtype=float)
        right = x.ndim > 0 and x.shape[-1] == self.d
        assert right, (
            f"a function was called with shape {x.shape}; its last axis should be {self.d}"
        )
        self._points.append(x.reshape(-1, self.d))
        return x

    @property
    def rows(self):
        """All points so far, (m, d)."""
        return np.concatenate([np.empty((0, self.d)), *self._points])


def likely(law, value):
    """Whether a value is not in the two tails of LEVEL together of its law."""
    return 2 * min(law.cdf(value), law.sf(value)) > LEVEL and np.isfinite(value)


def assert_normal(z, what):
    """Assert that the rows of z (n, d), n even, look like independent N(0, I).

    Sizes: the sum of squares is chi-square. Shape: Kolmogorov. Independence: (a + b)/√2 of two
    columns, and of two neighbouring rows, is standard normal again. 3 + d (d - 1) / 2 tests.
    """
    z = np.asarray(z, dtype=float)
    size = stats.chi2(z.size)
    assert likely(size, np.sum(z**2)), f"{what} has a wrong size (variance)"
    assert stats.kstest(z.ravel(), "norm").pvalue > LEVEL, f"{what} is not normally distributed"
    neighbours = (z[0::2] + z[1::2]) ** 2 / 2
    assert likely(stats.chi2(neighbours.size), neighbours.sum()), f"{what} repeats itself"
    for i, j in itertools.combinations(range(min(z.shape[1], 6)), 2):
        pair = np.sum((z[:, i] + z[:, j]) ** 2) / 2
        assert likely(stats.chi2(len(z)), pair), f"the coordinates of {what} are not independent"


def assert_signs(v, what):
    """Assert that the rows of v (n, d), n even, look like independent signs.

    The number of +1 among the entries of a column, among the products of two columns and of two
    neighbouring rows is binomial. 1 + d (d + 1) / 2 tests.
    """
    assert np.isin(v, [-1.0, 1.0]).all(), f"{what} should have the entries -1 and 1 only"
    d = v.shape[1]
    products = [v[:, i] for i in range(d)] + [(v[0::2] * v[1::2]).ravel()]
    products += [v[:, i] * v[:, j] for i, j in itertools.combinations(range(d), 2)]
    for product in products:
        fair = likely(stats.binom(product.size, 0.5), np.sum(product > 0))
        assert fair, f"the signs of {what} are not independent, or not as often + as -"


def symmetric(rng, d):
    """A symmetric matrix (d, d) with nothing special."""
    A = rng.normal(size=(d, d))
    return (A + A.T) / 2


def covariance(rng, d):
    """A covariance (d, d) with eigenvalues from 1/2 to 3."""
    Q, _ = np.linalg.qr(rng.normal(size=(d, d)))
    values = rng.uniform(0.5, 3, size=d)
    return (Q * values) @ Q.T


def exact_data(rng, N, m, C):
    """N points whose mean and covariance (with 1/N) are m and C, not only on average."""
    X = rng.normal(size=(N, len(m)))
    X -= X.mean(axis=0)
    X = X @ np.linalg.inv(np.linalg.cholesky(X.T @ X / N)).T
    return m + X @ np.linalg.cholesky(C).T


def waves(rng, d):
    """A function (..., d) -> (...) with all derivatives, and what it was asked."""
    W, b = rng.normal(size=(4, d)), rng.uniform(0, 2 * np.pi, 4)
    asked = Asked(d)

    def f(x):
        return np.cos(asked.note(x) @ W.T + b).sum(axis=-1)

    return f, asked


# Question 1


@check("loss", points=3)
def the_average(ism_loss, rng):
    """The loss is right for random models and data."""
    for _ in range(20):
        d, N = int(rng.integers(1, 9)), int(rng.integers(2, 60))
        A, c = rng.normal(size=(d, d)), rng.uniform(0.5, 2)
        X = rng.normal(size=(N, d))

        def score(x, A=A, c=c):
            return np.asarray(x) @ A.T + np.sin(c * np.asarray(x))

        def div(x, A=A, c=c):
            return np.trace(A) + c * np.cos(c * np.asarray(x)).sum(axis=-1)

        expected = np.mean([div(x) + score(x) @ score(x) / 2 for x in X])
        found = ism_loss(score, div, X)
        assert close(found, expected), f"the loss is not right (N = {N}, d = {d})"


@check("loss", points=2)
def the_two_losses_differ_by_a_constant(ism_loss, rng):
    """Implicit and explicit loss differ by a constant on normal data, but not between walls.

    The data have exactly the moments of their density, so there is no chance in it.
    """
    for d in (1, 3):
        m, C = rng.normal(size=d), covariance(rng, d)
        X, P = exact_data(rng, 200, m, C), np.linalg.inv(C)
        gaps = []
        for _ in range(5):
            Q, q = covariance(rng, d), rng.normal(size=d)

            def score(x, Q=Q, q=q):
                return -(np.asarray(x) - q) @ Q

            def div(x, Q=Q):
                return np.full(len(x), -np.trace(Q))

            explicit = np.mean(np.sum((score(X) + (X - m) @ P) ** 2, axis=1)) / 2
            found = ism_loss(score, div, X)
            assert np.ndim(found) == 0, "the loss should be a number"
            gaps.append(explicit - found)
        assert close(np.ptp(gaps), 0.0, 1e-7), (
            "on normal data, explicit minus implicit loss should not depend on the model"
        )
        assert close(gaps[0], np.trace(P) / 2, 1e-7), "explicit minus implicit loss is off"
    for slope in (2.0, -3.0):
        X = rng.uniform(size=(50, 1))
        explicit = np.mean((slope * X) ** 2) / 2
        found = ism_loss(lambda x, c=slope: c * x, lambda x, c=slope: np.full(len(x), c), X)
        assert close(found - explicit, slope), "for uniform data on [0, 1] the loss is off"


@check("loss", points=2)
def the_walls(box_gap, rng):
    """On an interval the gap of the two losses is right, and exact."""
    gap = box_gap(lambda x: 2 * np.asarray(x), 0.0, 1.0)
    assert close(gap, 2.0), "for s(x) = 2x on [0, 1] the gap is not right"
    for _ in range(10):
        lo = rng.normal()
        hi = lo + rng.uniform(0.3, 4)
        c = rng.normal(size=4)

        def score(x, c=c):
            x = np.asarray(x, dtype=float)
            return c[0] + c[1] * x + c[2] * x**2 + np.sin(c[3] * x)

        exact = (score(hi) - score(lo)) / (hi - lo)
        found = box_gap(score, lo, hi)
        assert close(found, exact, 0.02), "the gap is not the difference of the two losses"
        assert close(found, exact), "the gap is close, but it should be exact"


# Question 2


@check("gaussian-fit", points=2)
def the_best_mean_and_covariance(fit_gaussian, rng):
    """Mean and covariance have the smallest loss, on few data."""
    for d in (1, 2, 4):
        for _ in range(3):
            N = int(rng.integers(2 * d + 3, 30))
            X = exact_data(rng, N, rng.normal(size=d), covariance(rng, d))
            m, C = unpack(fit_gaussian(X), "m, C")
            centred = X - X.mean(axis=0)
            assert close(m, X.mean(axis=0), 1e-3), f"m is not the best mean (N = {N}, d = {d})"
            assert np.shape(C) == (d, d), f"C should have the shape {(d, d)}"
            C_best = centred.T @ centred / N
            assert close(C, C_best, 1e-3), f"another C has a smaller loss (N = {N}, d = {d})"


@check("gaussian-fit", points=1)
def a_known_density(fit_gaussian, rng):
    """The mean and the covariance of a large data set are found."""
    C = np.array([[2.0, -0.7, 0.0], [-0.7, 1.0, 0.3], [0.0, 0.3, 0.5]])
    mean = np.array([3.0, -1.0, 0.5])
    m, found = unpack(fit_gaussian(exact_data(rng, 20_000, mean, C)), "m, C")
    assert close(m, mean, 1e-2), "the mean of 20000 points is not found"
    assert close(found, C, 1e-2), "the covariance of 20000 points is not found"


@check("gaussian-fit", points=3)
def the_best_scale(fit_scale, rng):
    """Place and scale have the smallest loss for a given shape."""
    for d in (1, 2, 5):
        for _ in range(3):
            N = int(rng.integers(d + 3, 40))
            X, P = rng.normal(size=(N, d)) @ covariance(rng, d), covariance(rng, d)
            X += rng.normal(size=d)
            m, a = unpack(fit_scale(X, P), "m, a")
            assert close(m, X.mean(axis=0), 1e-3), f"m is not the best place (d = {d})"
            assert np.ndim(a) == 0, "a should be a number"
            r = (X - X.mean(axis=0)) @ P
            losses = [-k * np.trace(P) + k**2 * np.mean(np.sum(r**2, 1)) / 2 for k in (a, 1.01 * a)]
            assert losses[0] < losses[1], f"a larger a has a smaller loss (N = {N}, d = {d})"
            best = np.trace(P) / np.mean(np.sum(r**2, axis=1))
            assert close(a / best, 1.0, 1e-3), f"another a has a smaller loss (N = {N}, d = {d})"
    C = covariance(rng, 3)
    X = exact_data(rng, 50, np.zeros(3), C)
    m, a = unpack(fit_scale(X, 5 * np.linalg.inv(C)), "m, a")
    assert close(a, 0.2, 1e-3), "with five times the right shape, a should be 1/5"


# Question 3


def probes_of(hutchinson, H, n, kind, rng):
    """The answer, and the probes it asked for (n, d)."""
    asked = Asked(len(H))
    answer = hutchinson(lambda v: asked.note(v) @ H, len(H), n, kind, rng)
    v = asked.rows
    assert len(v) == n, f"{n} probes should be multiplied by H, once each; there are {len(v)}"
    return answer, v


@check("hutchinson", points=2)
def the_mean_of_its_own_probes(hutchinson, rng):
    """The estimate is the mean of the quadratic forms of the probes that were used."""
    for kind in ("gaussian", "rademacher"):
        for d, n in [(1, 3), (4, 1), (6, 17), (20, 50)]:
            H = symmetric(rng, d)
            found, v = probes_of(hutchinson, H, n, kind, fresh(rng))
            expected = np.mean(np.sum(v * (v @ H), axis=1))
            assert np.abs(v).min(axis=0).max() > 0, "the probes should not be zero"
            assert close(found, expected), (
                f"the estimate is not the mean of v'Hv over your {n} {kind} probes"
            )


@check("hutchinson", points=1)
def every_probe_is_new(hutchinson, rng):
    """No probe is used twice, and the generator that was given decides.

    20 vectors of 40 signs agree somewhere up to a sign with probability 190 / 2^39 < 4e-10, as do
    two estimates of different generators with less than 1e-6 (they are equal to ten digits).
    """
    H = symmetric(rng, 40)
    for kind in ("gaussian", "rademacher"):
        seed = int(rng.integers(2**60))
        one, v = probes_of(hutchinson, H, 20, kind, np.random.default_rng(seed))
        for i, j in itertools.combinations(range(20), 2):
            same = np.allclose(v[i], v[j]) or np.allclose(v[i], -v[j])
            assert not same, f"two of the 20 {kind} probes are equal (or opposite): draw each anew"
        again, _ = probes_of(hutchinson, H, 20, kind, np.random.default_rng(seed))
        other, _ = probes_of(hutchinson, H, 20, kind, np.random.default_rng(seed + 1))
        assert close(again, one, 1e-12), "the same generator should give the same estimate"
        assert not close(other, one, 1e-10), "another generator should give another estimate"


@check("hutchinson", points=1)
def the_law_of_the_probes(hutchinson, rng):
    """The probes have the distribution that was asked for, so the variance laws hold."""
    H = symmetric(rng, 5)
    for kind, assert_law in [("gaussian", assert_normal), ("rademacher", assert_signs)]:
        found, v = probes_of(hutchinson, H, 4000, kind, fresh(rng))
        assert_law(v, f"a {kind} probe")
        assert close(found, np.mean(np.sum(v * (v @ H), axis=1))), "the estimate is not the mean"


@check("hutchinson", points=1)
def exact_for_diagonal_matrices(hutchinson, rng):
    """One probe of signs gives the trace of a diagonal matrix, and unknown kinds are refused."""
    for d in (1, 3, 12):
        h = rng.normal(size=d)
        H = np.diag(h)
        found = hutchinson(lambda v, H=H: np.asarray(v) @ H, d, 1, "rademacher", fresh(rng))
        assert close(found, h.sum()), "one probe of signs should be exact for a diagonal matrix"
    refuses(ValueError, hutchinson, lambda v: np.asarray(v), 2, 3, "uniform", fresh(rng))


@check("hutchinson", points=1)
def enough_probes(probes_needed, rng):
    """The number of probes is the smallest that does."""
    for _ in range(15):
        d = int(rng.integers(2, 9))
        H = symmetric(rng, d)
        off = np.sum(H**2) - np.sum(np.diag(H) ** 2)
        for kind, variance in [("gaussian", 2 * np.sum(H**2)), ("rademacher", 2 * off)]:
            n = int(rng.integers(1, 500))
            tol = np.sqrt(variance / (n - 0.3))  # the smallest number is n, not by a hair
            found = probes_needed(H, tol, kind)
            assert close(found, n), f"the number of {kind} probes is not the smallest that does"
    H = np.array([[0.0, 13.0], [13.0, 0.0]])  # 13: sqrt(2) does not round upwards, either
    for kind in ("gaussian", "rademacher"):
        exact = close(probes_needed(H, 1.0, kind), 676)
        assert exact, f"one of the {kind} probes can be spared where the number comes out even"
    H = np.diag(rng.normal(size=4))
    assert close(probes_needed(H, 1e-3, "rademacher"), 1), "a diagonal matrix needs one probe"
    assert close(probes_needed(H, 1e3, "gaussian"), 1), "at least one probe is needed"


# Question 4


def steps_of(taylor_trace, X, sigma, n, antithetic, rng, f, asked):
    """The answer, and the steps v at which f(x + v) was asked, one array a row of X.

    The rows of X are so far apart that each point asked belongs to one of them.
    """
    answer = taylor_trace(f, X, sigma, n, antithetic, rng)
    points = asked.rows
    assert len(points), "f was never called"
    of = np.argmin(np.sum((points[:, None] - X) ** 2, axis=-1), axis=1)
    steps = points - X[of]
    moved = np.abs(steps).max(axis=1) > 1e-9
    found, wanted = [steps[moved & (of == k)] for k in range(len(X))], n * (2 if antithetic else 1)
    for v in found:
        assert len(v) == wanted, (
            f"with n = {n}, antithetic = {antithetic}, f should be asked at {wanted} points around "
            f"each row, not at {len(v)}"
        )
    return answer, found


def far_apart(rng, N, d):
    """N points (N, d), 50 apart."""
    X = rng.normal(size=(N, d))
    X[:, 0] += 50 * np.arange(N)
    return X


@check("taylor", points=2)
def the_mean_of_the_formula(taylor_trace, rng):
    """The estimates are the formula's, for the steps that were used."""
    for antithetic in (False, True):
        for N, d, n in [(1, 1, 1), (3, 2, 1), (4, 5, 7), (2, 12, 30)]:
            f, asked = waves(rng, d)
            X, sigma = far_apart(rng, N, d), rng.uniform(0.1, 0.5)
            found, steps = steps_of(taylor_trace, X, sigma, n, antithetic, fresh(rng), f, asked)
            mean = [np.mean(f(x + v) - f(x)) for x, v in zip(X, steps, strict=True)]
            side = "antithetic" if antithetic else "one-sided"
            assert np.shape(found) == (N,), f"the estimates should have the shape {(N,)}"
            assert close(found, 2 * np.array(mean) / sigma**2, 1e-7), (
                f"the estimates are not those of the {side} formula for your own steps (n = {n})"
            )


@check("taylor", points=1)
def both_sides_if_asked(taylor_trace, rng):
    """Antithetic estimates look to both sides of each row, one-sided ones do not."""
    for antithetic in (True, False):
        f, asked = waves(rng, 3)
        X = far_apart(rng, 3, 3)
        found, steps = steps_of(taylor_trace, X, 0.3, 8, antithetic, fresh(rng), f, asked)
        for v in steps:
            apart = np.abs(v[:, None] + v).max(axis=-1)
            both = (apart.min(axis=1) < 1e-9).all()
            assert both == antithetic, (
                f"antithetic = {antithetic}, but for a step v, -v is {'' if both else 'not '}there"
            )
    w = rng.normal(size=3)
    found = taylor_trace(lambda x: np.asarray(x) @ w, X, 0.3, 1, True, fresh(rng))
    assert close(found, np.zeros(3), 1e-9), "antithetic estimates of a linear f should vanish"
    found = taylor_trace(lambda x: np.asarray(x) @ w, X, 0.3, 1, False, fresh(rng))
    assert np.abs(found).min() > 1e-7, "one-sided estimates of a linear f should not vanish"


@check("taylor", points=1)
def a_step_of_its_own(taylor_trace, rng):
    """Every row and every estimate has its own random step, from the given generator."""
    for antithetic in (False, True):
        X, seed, found = far_apart(rng, 4, 3), int(rng.integers(2**60)), []
        for s in (seed, seed, seed + 1):
            f, asked = waves(np.random.default_rng(5), 3)
            generator = np.random.default_rng(s)
            answer, steps = steps_of(taylor_trace, X, 0.3, 6, antithetic, generator, f, asked)
            found.append(answer)
        # v and -v count as the same step: the one with a positive first entry stands for both
        lines = np.concatenate([v * np.sign(v[:, :1]) for v in steps])
        apart = np.abs(lines[:, None] - lines).max(axis=-1) < 1e-9
        shared = (apart.sum(axis=1) > (2 if antithetic else 1)).any()
        assert not shared, "two rows or two estimates share a random step: draw each anew"
        assert close(found[1], found[0], 1e-12), "the same generator should give the same answer"
        assert not close(found[2], found[0], 1e-10), "another generator should give another answer"


@check("taylor", points=1)
def the_law_of_the_steps(taylor_trace, rng):
    """The steps are normal with the standard deviation that was asked for."""
    for antithetic in (False, True):
        f, asked = waves(rng, 4)
        X, sigma = far_apart(rng, 4, 4), rng.uniform(0.1, 0.5)
        found, steps = steps_of(taylor_trace, X, sigma, 500, antithetic, fresh(rng), f, asked)
        assert np.shape(found) == (4,), "the estimates should have the shape (N,)"
        assert np.abs(found).min() > 0, "estimates of a wavy f should not vanish"
        v = np.concatenate(steps)
        if antithetic:  # one of v and -v, either with the same chance
            v = v[v[:, 0] > 0]
            v = v * fresh(rng).choice([-1.0, 1.0], size=(len(v), 1))
        assert_normal(v / sigma, "a step v, divided by sigma,")


@check("taylor", points=1)
def the_bias_of_a_wave(wave_mean, rng):
    """The mean for a wave is exact, for large and for tiny steps."""
    for _ in range(20):
        d = int(rng.integers(1, 8))
        w, x, b = rng.normal(size=d), rng.normal(size=d), rng.uniform(0, 6)
        for sigma in (rng.uniform(0.5, 2), rng.uniform(0.01, 0.1), 1e-7):
            damped = np.expm1(-(sigma**2) * np.sum(w**2) / 2) / sigma**2
            expected = 2 * damped * np.cos(np.sum(w * x) + b)
            found = wave_mean(w, b, x, sigma)
            assert close(found, expected), f"the mean is not right for sigma = {sigma:.2g}"
    one, sigma = np.ones(1), 0.1
    found = wave_mean(one, 0.0, 0 * one, sigma)
    assert close(found, -1 + sigma**2 / 4, 1e-5), "cos at 0, sigma = 0.1: the bias is not right"


# Question 5


@check("hidden-penalty", points=1)
def the_variance_of_quadratics(taylor_variance, rng):
    """The variances of both estimates are right."""
    for _ in range(10):
        d, n = int(rng.integers(2, 9)), int(rng.integers(1, 20))
        g, H, sigma = rng.normal(size=d), symmetric(rng, d), rng.uniform(0.05, 2)
        curved = 2 * np.sum(H**2) / n
        both, one = (taylor_variance(g, H, sigma, n, side) for side in (True, False))
        assert close(both, curved), f"the antithetic variance is not right (n = {n}, d = {d})"
        steep = 4 * np.sum(g**2) / sigma**2 / n
        assert close(one, curved + steep), f"the one-sided variance is not right (n = {n}, d = {d})"


@check("hidden-penalty", points=1)
def the_hidden_weight(hidden_weight, rng):
    """The hidden weight is right, and 40 for the settings of the released script."""
    assert close(hidden_weight(1e-3, 0.01, 1), 40.0), "mu = 1/1000, sigma = 1/100, n = 1 is wrong"
    for _ in range(10):
        mu, sigma, n = rng.uniform(0.1, 2), rng.uniform(0.1, 2), int(rng.integers(1, 10))
        found = hidden_weight(mu, sigma, n)
        assert close(found, 4 * mu / sigma**2 / n), f"the hidden weight is not right (n = {n})"


@check("hidden-penalty", points=1)
def the_square_has_no_bias(unbiased_square, rng):
    """Averaged over all possible estimates, the answer is the square of their mean.

    Each estimate is one of two numbers with equal chance; all 2^n cases are there, so the average
    over the columns is the expectation.
    """
    for n in (2, 3, 6):
        cases = np.array(list(itertools.product([0, 1], repeat=n))).T
        low, high = rng.normal(), rng.normal() + 2
        found = unbiased_square(np.where(cases, high, low))
        assert np.shape(found) == (2**n,), f"the shape should be {(2**n,)}, one number a column"
        mean = ((low + high) / 2) ** 2
        assert close(np.mean(found), mean), f"the answer is biased for n = {n} estimates"


@check("hidden-penalty", points=2)
def every_pair(unbiased_square, rng):
    """All pairs are used, quickly, and a single estimate is refused."""
    for n, N in [(2, 1), (5, 3), (9, 20)]:
        h = rng.normal(size=(n, N)) + 1
        pairs = list(itertools.permutations(range(n), 2))
        expected = np.mean([h[i] * h[j] for i, j in pairs], axis=0)
        found = unbiased_square(h)
        assert close(found, expected), f"the average over all pairs is not right (n = {n})"
    h = rng.normal(size=(20_000, 2)) + 1
    mean, spread = h.mean(axis=0), h.var(axis=0, ddof=1)
    assert close(unbiased_square(h), mean**2 - spread / 20_000), "20000 estimates are not right"
    refuses(ValueError, unbiased_square, np.ones((1, 3)))


# Question 6


def two_hills(x):
    """The score of a density with two modes in each coordinate."""
    x = np.asarray(x)
    return -x + 2 * np.tanh(2 * x)


def states_of(langevin, score, x0, eps, steps, temperature, rng):
    """The states as an array of the right shape that begins with x0."""
    found = langevin(score, x0, eps, steps, temperature, rng)
    wanted = (steps + 1, *np.shape(x0))
    assert np.shape(found) == wanted, f"the states should have the shape {wanted}"
    assert close(found[0], x0), "the first state should be x0"
    assert np.isfinite(found).all(), "the states should be finite"
    return np.asarray(found, dtype=float)


@check("langevin", points=1)
def cold_chains_climb(langevin, rng):
    """At temperature zero it is gradient ascent with half of eps, state by state."""
    for eps, steps in [(0.1, 12), (0.7, 5), (1.3, 1), (0.3, 0)]:
        x = [rng.normal(size=(3, 4)) + 0.5]
        for _ in range(steps):
            x.append(x[-1] + eps / 2 * two_hills(x[-1]))
        found = states_of(langevin, two_hills, x[0], eps, steps, 0.0, fresh(rng))
        assert close(found, np.array(x), 1e-10), (
            f"at temperature 0 the states are not those of gradient ascent ({steps} steps)"
        )


@check("langevin", points=2)
def the_noise_of_every_step(langevin, rng):
    """What the drift leaves of each step is normal, of the right size, and always new."""
    for eps, temperature in [(0.05, 1.0), (0.4, 0.3), (2.0, 3.0)]:
        x0, seed = rng.normal(size=(40, 4)), int(rng.integers(2**60))
        x = states_of(langevin, two_hills, x0, eps, 25, temperature, np.random.default_rng(seed))
        left = x[1:] - x[:-1] - eps / 2 * two_hills(x[:-1])
        xi = left / np.sqrt(eps * temperature)
        where = f"(eps = {eps}, temperature = {temperature})"
        assert_normal(xi.reshape(-1, 4), f"the noise from chain to chain {where}")
        assert_normal(xi.transpose(1, 0, 2)[:, :24].reshape(-1, 4), f"the noise of a chain {where}")
        y = states_of(langevin, two_hills, x0, eps, 25, temperature, np.random.default_rng(seed))
        assert close(y, x), "the same generator should give the same chains"


@check("langevin", points=1)
def the_law_of_large_steps(langevin, rng):
    """On N(0, 1) the variance stays at the law of the step, 1 / (1 - eps / 4).

    10000 chains start from the law itself; then the sum of their squares is chi-square.
    """
    for eps in (0.1, 1.0, 3.0):
        law = 1 / (1 - eps / 4)
        x0 = rng.normal(size=(10_000, 1)) * np.sqrt(law)
        x = states_of(langevin, lambda x: -np.asarray(x), x0, eps, 20, 1.0, fresh(rng))
        fair = likely(stats.chi2(10_000), np.sum(x[-1] ** 2) / law)
        assert fair, f"on N(0, 1) the chains have a wrong variance after 20 steps (eps = {eps})"


@check("langevin", points=1)
def the_shell(langevin, rng):
    """In 784 dimensions the chains leave the mode for the shell where the samples are.

    From 0 the variance u of each coordinate follows u' = (1 - eps/2)² u + eps.
    """
    eps, steps, u = 0.1, 60, 0.0
    for _ in range(steps):
        u = (1 - eps / 2) ** 2 * u + eps
    x0 = np.zeros((4, 784))
    x = states_of(langevin, lambda x: -np.asarray(x), x0, eps, steps, 1.0, fresh(rng))
    for end in x[-1]:
        fair = likely(stats.chi2(784), np.sum(end**2) / u)
        assert fair, "in 784 dimensions a chain's squared length should be close to 784"


@check("langevin", points=1)
def the_limit_of_the_variance(limit_variance, rng):
    """The limit is right, and chains that do not forget their start are refused."""
    for _ in range(20):
        v, beta = rng.uniform(0.2, 3), rng.uniform(0.1, 2)
        alpha, u = v * rng.uniform(0.05, 1.9), 0.0
        for _ in range(2000):
            u = (1 - alpha / v) ** 2 * u + beta**2
        assert close(limit_variance(v, alpha, beta), u), "the limit of the variance is not right"
    assert close(limit_variance(1.0, 0.5, 0.0), 0.0), "without noise all chains end at the mode"
    for alpha in (2.0, 3.0):
        refuses(ValueError, limit_variance, 1.0, alpha, 1.0)
