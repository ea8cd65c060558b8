"""Claims of chapters/formulation/ill-posed.md."""

import itertools

import numpy as np
import scipy.optimize
import torch
from scipy.special import logsumexp

from actmax_lib import closed_forms as cf

from . import claim
from .tools import broken, linear_program, rng, worst

DEFINITIONS = {
    "eq:ill-posed:logit": "names the k-th output of the network",
    "eq:ill-posed:problem": "states the problem the chapter examines",
    "eq:ill-posed:affine": "names the affine objective",
    "eq:ill-posed:regularized": "states the problem with a regularizer",
}


@claim(
    "eq:ill-posed:ray",
    statement="Along t w an affine objective is t |w|² + b.",
    tol=1e-12,
)
def ray():
    r = rng(1)
    errors = []
    for d in (1, 3, 30):
        w, b = r.normal(size=d), r.normal()
        net = torch.nn.Linear(d, 1, dtype=torch.float64)  # the network, not the formula
        with torch.no_grad():
            net.weight[:], net.bias[:] = torch.from_numpy(w), b
            for t in 10.0 ** np.arange(7):
                value = net(torch.from_numpy(t * w)).item()
                errors.append((value - t * np.linalg.norm(w) ** 2 - b) / (1 + abs(value)))
    return worst(errors)


@claim(
    "prop:ill-posed:unbounded",
    statement="An affine objective with w ≠ 0 has no maximum on R^d; v climbs iff w'v > 0.",
    tol=0,
)
def unbounded():
    r = rng(2)
    wrong = 0
    for d in (1, 2, 8):
        w, b = r.normal(size=d), r.normal()
        wrong += broken(linear_program(w)[0] == "unbounded", linear_program(0 * w)[0] == "optimal")
        for v in r.normal(size=(50, d)):
            values = [w @ (t * v) + b for t in (0, 1e3, 1e6)]
            wrong += broken((np.diff(values) > 0).all() == (w @ v > 0))
    return wrong


@claim(
    "prop:ill-posed:exists",
    statement="A maximum is attained on a compact set, or with bounded super-level sets "
    "(instances; it is lost where upper semicontinuity, closedness or boundedness fails).",
    tol=1e-6,
)
def exists():
    grid = np.linspace(0, 1, 100_001)
    usc, lsc = np.where(grid >= 0.5, 2 - grid, grid), np.where(grid > 0.5, 2 - grid, grid)
    attained = usc.max() - 1.5  # value at the jump: its supremum
    lost = lsc.max() >= 1.5  # the jump the other way: supremum 3/2, nowhere reached
    opened = grid[:-1].max() >= 1.0  # x on [0, 1)

    def high(x):  # coercive, with many local maxima
        return 2 * x[0] + 3 * np.sin(3 * x[0]) * np.cos(2 * x[1]) - np.hypot(*x) ** 1.5

    best = [
        -scipy.optimize.differential_evolution(
            lambda x: -high(x), [(-size, size)] * 2, rng=0, tol=1e-12, popsize=30
        ).fun
        for size in (6, 60)
    ]  # a larger region finds nothing higher
    return worst(attained, best[0] - best[1], broken(not lost, not opened))


def _corners(w, b):
    """All corners of [0, 1]^d with their values."""
    corners = np.array(list(itertools.product([0.0, 1.0], repeat=len(w))))
    return corners, corners @ w + b


@claim(
    "eq:ill-posed:box",
    statement="On [0, 1]^d the maximum is b + Σ max(w_i, 0), x_i = 1 or 0 by the sign of w_i.",
    tol=1e-12,
)
def box():
    r, errors = rng(3), []
    for d in (1, 4, 9):
        w, b = r.normal(size=d) * (r.random(d) < 0.7), r.normal()
        corners, values = _corners(w, b)
        best = corners[values.argmax()]
        errors += [values.max() - b - np.maximum(w, 0).sum(), linear_program(w, 0, 1)[1] + b]
        errors[-1] -= values.max()
        errors.append((best - (w > 0))[w != 0])
        errors.append(cf.affine_box(w, b, 0, 1).value - values.max())
    return worst(*errors)


@claim(
    "prop:ill-posed:box",
    statement="On the pixel box a continuous logit attains its maximum; an affine one once, iff no "
    "w_i is 0 (counted on the corners; a random ReLU network on a grid as an instance).",
    tol=0,
)
def box_unique():
    r, wrong = rng(4), 0
    for zeros in (0, 1, 3):
        w = r.normal(size=7)
        w[:zeros] = 0
        _, values = _corners(w, 0.5)
        ties = int(np.isclose(values, values.max(), rtol=0, atol=1e-12).sum())
        wrong += broken(ties == 2**zeros, cf.affine_box(w, 0.5, 0, 1).unique == (zeros == 0))
    W, v, c = r.normal(size=(20, 2)), r.normal(size=20), r.normal(size=20)

    def net(x):
        return np.maximum(x @ W.T + c, 0) @ v

    found = scipy.optimize.differential_evolution(
        lambda x: -net(x), [(0, 1)] * 2, rng=0, tol=1e-10, popsize=40
    )
    grid = np.stack(np.meshgrid(*[np.linspace(0, 1, 401)] * 2), -1)
    return wrong + broken(net(grid).max() <= -found.fun + 1e-9, -found.fun < net(grid).max() + 0.01)


@claim(
    "eq:ill-posed:log-prob",
    statement="log p_k = f_k - log Σ exp f_j.",
    tol=1e-12,
)
def log_prob():
    logits = rng(5).normal(size=(50, 6)) * 20
    got = logits - logsumexp(logits, axis=1, keepdims=True)
    shifted = np.exp(logits - logits.max(1, keepdims=True))
    ratio = shifted / shifted.sum(1, keepdims=True)
    torch_says = torch.from_numpy(logits).log_softmax(1).numpy()
    return worst(got - torch_says, np.exp(got) - ratio)


def _separated(r, classes, d):
    """Random linear logits and a v with (w_0 - w_j)'v >= 1 for all j."""
    while True:
        W, b = r.normal(size=(classes, d)), r.normal(size=classes)
        rows = W[1:] - W[0]
        found = scipy.optimize.linprog(
            np.zeros(d), A_ub=rows, b_ub=-np.ones(classes - 1), bounds=(None, None)
        )
        if found.status == 0:
            return W, b, found.x


@claim(
    "eq:ill-posed:log-prob-ray",
    statement="Along t v, 0 > log p_k >= -Σ exp(-t (w_k - w_j)'v - (b_k - b_j)), which tends to 0.",
    tol=1e-12,
)
def log_prob_ray():
    r, errors = rng(6), []
    for _ in range(20):
        W, b, v = _separated(r, 4, 3)
        for t in (0.0, 0.5, 2.0, 5.0, 12.0, 30.0):
            logits = t * W @ v + b
            log_p = -np.log1p(np.exp(logits[1:] - logits[0]).sum())  # keeps tiny values
            bound = -np.exp(-t * (W[0] - W[1:]) @ v - (b[0] - b[1:])).sum()
            errors += [max(bound - log_p, 0), broken(log_p < 0)]
            errors.append(log_p - (logits[0] - logsumexp(logits)))
        errors.append(broken(-bound < 3 * np.exp(-30 + np.ptp(b))))
    return worst(errors)


@claim(
    "prop:ill-posed:not-attained",
    statement="Linear logits that a v separates: sup log p_k = 0, attained nowhere. Without such a "
    "v it is below 0 (w_k the mean of two others: -log 3).",
    tol=1e-9,
)
def not_attained():
    r, errors = rng(7), []
    for _ in range(10):
        W, b, v = _separated(r, 5, 4)
        logits = 40 * W @ v + b
        errors.append(
            np.log1p(np.exp(logits[1:] - logits[0]).sum())
        )  # -log p: it reaches down to 0
        x = r.normal(size=(200, 4)) * 3
        logits = x @ W.T + b
        margin = np.exp(logits[:, 1:] - logits[:, :1]).sum(1)
        errors.append(broken((margin > 0).all()))  # p_k = 1 / (1 + margin) < 1
    W = r.normal(size=(2, 4))
    W = np.vstack([W.mean(0), W])
    found = scipy.optimize.minimize(
        lambda x: logsumexp(W @ x) - W[0] @ x, r.normal(size=4), options={"gtol": 1e-12}
    )
    return worst(errors, -found.fun + np.log(3))


@claim(
    "prop:ill-posed:four-cases",
    statement="x: unbounded; -exp(-x): bounded, not attained; -max(|x| - 1, 0): attained on "
    "[-1, 1]; x - x²: attained once, at 1/2.",
    tol=1e-9,
)
def four_cases():
    line = np.linspace(-8, 8, 160_001)
    plateau, hill = -np.maximum(np.abs(line) - 1, 0), line - line**2
    tail = -np.exp(-np.array([1.0, 10, 100, 700]))
    top = line[np.isclose(plateau, plateau.max(), rtol=0, atol=1e-12)]
    best = line[hill >= hill.max() - 1e-13]
    return worst(
        broken(linear_program(np.ones(1))[0] == "unbounded"),
        broken((tail < 0).all(), (np.diff(tail) > 0).all(), -tail[-1] < 1e-300),
        [top.min() + 1, top.max() - 1, plateau.max()],
        broken(len(top) == 20_001, len(best) == 1),
        best - 0.5,
    )


@claim(
    "prop:ill-posed:superlinear",
    statement="An objective that grows at most linearly has a maximiser once Ω(x)/|x| tends to -∞ "
    "(random ReLU networks; with Ω linear it can fail).",
    tol=1e-9,
)
def superlinear():
    r, wrong = rng(8), []
    for power in (1.2, 2.0):
        W, c, v = r.normal(size=(16, 2)), r.normal(size=16), r.normal(size=16)

        def objective(x, W=W, c=c, v=v, power=power):
            f = np.maximum(x @ W.T + c, 0) @ v
            return f - 0.5 * np.linalg.norm(x, axis=-1) ** power

        growth = np.abs(v) @ np.linalg.norm(W, axis=1)  # f(x) <= f(0) + growth |x|
        radius = (2 * growth) ** (1 / (power - 1))  # beyond it L(x) < L(0)
        rays = r.normal(size=(4000, 2))
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        far = np.concatenate([objective(rays * radius * t) for t in (1.0001, 2, 10, 1000)])
        wrong.append(max(far.max() - objective(np.zeros(2)), 0))
    slope = 0.5  # Ω = -slope |x| does not hold a steeper w back
    w = np.array([2.0, 1.0])
    climbing = [w @ (t * w) - slope * np.linalg.norm(t * w) for t in (1, 10, 100)]
    return worst(wrong, broken((np.diff(climbing) > 0).all()))


@claim(
    "eq:ill-posed:l1-threshold",
    "eq:l2:l1",
    statement="sup w'x - λ|x|_1 is 0 if max|w| <= λ and +∞ otherwise.",
    tol=1e-12,
)
def l1_threshold():
    r, errors = rng(9), []
    for d in (1, 3, 10):
        w = r.normal(size=d)
        for factor in (0.5, 0.99, 1.0, 1.01, 2.0):
            lam = factor * np.abs(w).max()
            # x = u - v with u, v >= 0
            state, value = linear_program(np.r_[w - lam, -w - lam], 0)
            bounded = factor >= 1
            errors += [value, broken((state == "optimal") == bounded)]
            try:
                errors.append(cf.elastic_net(w, 0, lam, 0).value)
                errors.append(broken(bounded))
            except ValueError:
                errors.append(broken(not bounded))
    return worst(errors)
