"""Claims of chapters/formulation/regularization.md: prices for waves, smoothness, blur, jitter."""

import itertools

import numpy as np
import scipy.linalg
import scipy.optimize
import torch

from actmax_lib import UnboundedProblemError, affine, blurred, jitter, l2, maximize, metrics, point
from actmax_lib import closed_forms as cf

from . import Check, claim
from .tools import broken, climb, linear_program, rng, worst

DEFINITIONS = {
    "eq:regularization:share": "defines the number under the pictures",
    "eq:regularization:learned": "states the problem that learned_prior climbs",
}


def waves(shape):
    """Rows e^(-2πi ω·s) of the transform, and |ω|, written out pixel by pixel."""
    height, width = shape
    i, j = np.mgrid[:height, :width]
    rows, frequency = [], []
    for u, v in itertools.product(range(height), range(width)):
        rows.append(np.exp(-2j * np.pi * (u * i / height + v * j / width)).ravel())
        frequency.append(np.hypot(min(u, height - u) / height, min(v, width - v) / width))
    return np.array(rows), np.array(frequency)


def symmetric(values, shape):
    """Numbers that agree at ω and -ω."""
    plane = values.reshape(shape)
    return ((plane + np.roll(plane[::-1, ::-1], (1, 1), (0, 1))) / 2).ravel()


SHAPES = ((3, 4), (1, 5), (4, 2))


@claim(
    "eq:regularization:waves",
    statement="Parseval: w'x is the mean over waves of conj(ŵ) x̂.",
    tol=1e-10,
)
def parseval():
    r, errors = rng(40), []
    for shape in SHAPES:
        F, _ = waves(shape)
        w, x = r.normal(size=(2, F.shape[1]))
        errors.append(((F @ w).conj() @ (F @ x)) / len(w) - w @ x)
        errors.append((F @ x) - np.fft.fft2(x.reshape(shape)).ravel())
    return worst(*(np.abs(e) for e in errors))


@claim(
    "prop:regularization:weighted",
    "eq:regularization:weighted",
    "eq:regularization:value",
    statement="Prices λ_ω: x̂ = ŵ/(2λ_ω), L* = b + Σ|ŵ|²/λ_ω / 4N; a price 0 leaves a wave free or "
    "the problem unbounded.",
    tol=1e-5,
)
def weighted():
    r, errors = rng(41), []
    for shape in SHAPES:
        F, _ = waves(shape)
        d = F.shape[1]
        w, b, prices = r.normal(size=d), r.normal(), symmetric(r.uniform(0.3, 2, size=d), shape)
        Q = (F.conj().T @ (prices[:, None] * F)).real / d

        def L(x, w=w, b=b, Q=Q):
            return w @ x + b - x @ Q @ x

        x = climb(L, np.zeros(d))
        errors += [np.abs(F @ x - F @ w / (2 * prices)), L(x) - cf_value(F @ w, prices, b)]
        got = cf.affine_spectral(w.reshape(shape), b, prices.reshape(shape))
        errors += [got.x.ravel() - x, got.value - L(x)]
        prices[0] = 0  # the mean costs nothing
        u = w - w.mean()
        free = cf.affine_spectral(u.reshape(shape), b, prices.reshape(shape))
        Q0 = (F.conj().T @ (prices[:, None] * F)).real / d
        least, *_ = np.linalg.lstsq(2 * Q0, u, rcond=1e-10)
        errors += [free.x.ravel() - least, broken(not free.unique)]
        errors.append(escapes(lambda w=w, p=prices, s=shape: cf.affine_spectral(
            w.reshape(s), 0, p.reshape(s)), w, Q0))  # fmt: skip
    return worst(*errors)


def cf_value(hat, prices, b):
    return b + (np.abs(hat) ** 2 / prices).sum() / (4 * len(hat))


def escapes(make, w, Q):
    """0 if ``make`` raises, and its direction v has w'v > 0 at no price."""
    try:
        make()
    except UnboundedProblemError as error:
        v = error.direction.ravel()
        return worst(v @ Q @ v, broken(w @ v > 1e-6))
    return 1.0


@claim(
    "eq:regularization:energy",
    "prop:regularization:smooth",
    "eq:regularization:smooth",
    statement="Squared differences of neighbours price a wave 4 sin²(πu/H) + 4 sin²(πv/W), about "
    "4π²|ω|² when slow; alone they have a best picture iff the weights sum to 0.",
    tol=1e-6,
)
def smooth():
    r, errors, lam = rng(42), [], 0.7
    for shape in SHAPES:
        F, _ = waves(shape)
        d = F.shape[1]
        D = np.concatenate([
            np.array([(np.roll(e.reshape(shape), -1, k) - e.reshape(shape)).ravel()
                      for e in np.eye(d)]).T for k in (0, 1)
        ])  # fmt: skip
        u, v = np.divmod(np.arange(d), shape[1])
        price = 4 * np.sin(np.pi * u / shape[0]) ** 2 + 4 * np.sin(np.pi * v / shape[1]) ** 2
        x, w = r.normal(size=(2, d))
        errors.append((D @ x) @ (D @ x) - (price * np.abs(F @ x) ** 2).sum() / d)
        balanced = w - w.mean()
        found = cf.affine_smoothness(balanced.reshape(shape), 0.0, lam).x.ravel()
        errors.append(balanced - 2 * lam * D.T @ D @ found)  # the gradient vanishes
        errors.append(np.abs((F @ found)[1:] - (F @ balanced)[1:] / (2 * lam * price[1:])))
        Q = lam * D.T @ D
        make = lambda w=w, s=shape: cf.affine_smoothness(w.reshape(s), 0.0, lam)  # noqa: E731
        errors.append(escapes(make, w, Q))
    slow = 1e-4
    errors.append(4 * np.sin(np.pi * slow) ** 2 / (4 * np.pi**2 * slow**2) - 1)
    return worst(*errors)


@claim(
    "remark:regularization:pair",
    statement="Two pixels, penalty λ(x₁ - x₂)²: the best difference is (w₁ - w₂)/(4λ).",
    tol=1e-6,
)
def pair():
    r, errors = rng(43), []
    for _ in range(5):
        w, lam = r.normal(size=2), r.uniform(0.3, 3)
        ridge = 1e-9  # pins the free sum, and moves the difference by as little
        x = scipy.linalg.solve(2 * lam * np.array([[1, -1], [-1, 1]]) + ridge * np.eye(2),
                               w - w.mean())  # fmt: skip
        errors.append(x[0] - x[1] - (w[0] - w[1]) / (4 * lam))
    return worst(*errors)


@claim(
    "remark:regularization:tv",
    statement="A linear unit with total variation alone has the supremum 0 or infinity.",
    tol=1e-7,
)
def total_variation_alone():
    """Linear program in x and the sizes t of its differences, in a box that grows."""
    r, errors = rng(44), []
    d, edges = 6, [(0, 1), (1, 2), (3, 4), (4, 5), (0, 3), (1, 4), (2, 5)]
    D = np.zeros((len(edges), d))
    for k, (i, j) in enumerate(edges):
        D[k, [i, j]] = -1, 1
    A = np.block([[D, -np.eye(len(edges))], [-D, -np.eye(len(edges))]])

    def supremum(w, lam, reach):
        cost = np.concatenate([-w, np.full(len(edges), lam)])
        bounds = [(-reach, reach)] * d + [(0, None)] * len(edges)
        return -scipy.optimize.linprog(
            cost, A_ub=A, b_ub=np.zeros(2 * len(edges)), bounds=bounds
        ).fun

    fates = set()
    for _ in range(12):
        w = r.normal(size=d)
        w -= w.mean()
        near, far = (supremum(w, 0.6, reach) for reach in (1, 10))
        errors.append(far - 10 * near)  # homogeneous: nothing, or in proportion to the box
        fates.add(near > 1e-7)
    shifted = np.ones(d)  # weights that do not add up to 0: always unbounded
    errors.append(broken(fates == {True, False}, supremum(shifted, 5.0, 10) > 9 * d))
    errors.append(broken(linear_program(shifted, None, None)[0] == "unbounded"))
    return worst(*errors)


def iterate(w, B, eta, lam, steps, x):
    for _ in range(steps):
        x = B @ (x + eta * (w - 2 * lam * x))
    return x


def gaussian(F, frequency, sd):
    """The matrix of the blur with this transfer, and the transfer."""
    beta = np.exp(-2 * np.pi**2 * sd**2 * frequency**2)
    return (F.conj().T @ (beta[:, None] * F)).real / len(beta), beta


@claim(
    "eq:regularization:transfer",
    "prop:regularization:blur",
    "eq:regularization:blur",
    statement="Blurred ascent multiplies a wave's error by β(1 - 2λη) and ends at the prices "
    "λ + (1 - β)/(2ηβ); the library's blur has the transfer β.",
    tol=1e-8,
)
def blur():
    r, errors = rng(45), []
    for shape, sd, eta, lam in (
        ((3, 4), 0.6, 0.3, 0.5),
        ((5, 2), 1.0, 0.2, 1.0),
        ((4, 4), 0.8, 0.5, 0),
    ):
        F, frequency = waves(shape)
        d = F.shape[1]
        B, beta = gaussian(F, frequency, sd)
        w, x0 = r.normal(size=(2, d))
        w -= 0 if lam else w.mean()
        x0 -= 0 if lam else x0.mean()
        end = iterate(w, B, eta, lam, 3000, x0)
        prices = lam + (1 - beta) / (2 * eta * beta)
        safe = np.where(prices > 0, prices, 1)
        errors.append(np.abs(F @ end - np.where(prices > 0, F @ w / (2 * safe), 0)))
        one = iterate(w, B, eta, lam, 1, x0)
        errors.append(np.abs(F @ (one - end) - beta * (1 - 2 * lam * eta) * (F @ (x0 - end))))
        errors.append(cf.blur_fixed_point(w.reshape(shape), 0, sd, eta, lam).x.ravel() - end)
        run = maximize(0 * affine(w), blurred(point(x0.reshape(1, 1, *shape)), sd), steps=1, lr=1.0,
                       optimizer="gradient")  # fmt: skip
        errors.append(run.images.numpy().ravel() - B @ x0)
        drift = iterate(w + 1, B, eta, 0, 100, x0).mean() - iterate(w + 1, B, eta, 0, 99, x0).mean()
        errors.append(drift - eta * (w + 1).mean())  # no price: the mean grows without end
    return worst(*errors)


@claim(
    "eq:regularization:blur-weak",
    statement="A weak blur prices a wave λ + π²σ²|ω|²/η: the relative error falls like σ².",
    tol=0.05,
)
def weak_blur():
    frequency, eta, errors = np.linspace(0.05, 0.7, 14), 0.2, []
    for sd in (0.04, 0.02):
        beta = np.exp(-2 * np.pi**2 * sd**2 * frequency**2)
        exact = (1 - beta) / (2 * eta * beta)
        errors.append(np.abs(exact / (np.pi**2 * sd**2 * frequency**2 / eta) - 1).max())
    return worst(errors[0], errors[0] / errors[1] / 4 - 1)


@claim(
    "prop:regularization:jitter",
    "eq:regularization:jitter",
    statement="Random symmetric shifts make w the template κ*w; all shifts alike a constant one; "
    "the library's jitter, edges mirrored, has the template of `jitter_template`.",
    tol=4.5,
)
def jittered():
    """Exact parts are scaled so that 4.5 is 1e-9; the rest is the z of 300 climbs (1 in 1e5)."""
    r, errors, shape = rng(46), [], (5, 4)
    w, x = r.normal(size=(2, *shape))
    shifts = list(itertools.product(range(5), range(4)))
    p = symmetric(r.random(20), shape)
    p /= p.sum()
    mean = sum(
        q * (w * np.roll(x, (-a, -b), (0, 1))).sum() for q, (a, b) in zip(p, shifts, strict=True)
    )
    blurred_w = sum(q * np.roll(w, (a, b), (0, 1)) for q, (a, b) in zip(p, shifts, strict=True))
    everywhere = sum(np.roll(w, s, (0, 1)) for s in shifts) / 20
    best = climb(lambda z: blurred_w.ravel() @ z - 0.7 * z @ z, np.zeros(20))
    errors += [mean - (blurred_w * x).sum(), everywhere - w.mean()]
    closed = cf.affine_l2(blurred_w.ravel(), 0, 0.7).x - blurred_w.ravel() / 1.4
    n, steps = 300, 60
    run = maximize(affine(w) + l2(0.5), point(np.zeros((n, 1, *shape))), transform=jitter(1),
                   seed=list(range(n)), steps=steps, lr=0.2, optimizer="gradient",
                   schedule="constant")  # fmt: skip
    got = run.images[:, 0].numpy()
    expected = (1 - 0.8**steps) * cf.jitter_template(w, 1)
    z = (got.mean(0) - expected) / (got.std(0, ddof=1) / np.sqrt(n))
    errors.append(cf.jitter_template(w, 1).sum() - w.sum())  # what a constant picture is worth
    return worst(4.5e9 * worst(*errors, closed), 4.5e5 * worst(best - blurred_w.ravel() / 1.4), z)


@claim(
    "remark:regularization:noise",
    statement="White noise has about four fifths of its variance in fast waves.",
    tol=0.005,
)
def white_noise():
    x = torch.randn(64, 1, 128, 128, generator=torch.Generator().manual_seed(0))
    rows = np.fft.fftfreq(400)
    grid = (np.hypot(rows[:, None], rows) > 0.25).mean()
    share = float(metrics.high_frequency_share(x).mean())
    return Check(worst(share - grid, grid - (1 - np.pi / 16), 0.5 * (grid - 0.8)))
