"""Claims of chapters/formulation/max-example.md: max(x1, x2) - λ|x|²."""

import itertools
import math

import numpy as np
import torch
from scipy.integrate import solve_ivp
from scipy.stats import norm

from actmax_lib import closed_forms as cf

from . import Check, claim
from .tools import broken, climb, rng, worst

DEFINITIONS = {"eq:max:objective": "states the problem of the chapter"}
LAMS = (0.2, 1.0, 3.0)


def _L(x, lam):
    """max_i x_i - lam |x|², over the last axis."""
    return x.max(-1) - lam * (x * x).sum(-1)


def _ascend(x, lam, eta, steps):
    """Ascent of a batch; off the ties the gradient of the max is one e_i."""
    for _ in range(steps):
        x = x + eta * (np.eye(x.shape[-1])[x.argmax(-1)] - 2 * lam * x)
    return x


@claim(
    "eq:max:maximisers",
    "eq:max:value",
    "prop:max:two",
    statement="Exactly two maximisers, (1/(2λ), 0) and (0, 1/(2λ)), L* = 1/(4λ) (grid search).",
    tol=1e-12,
)
def two():
    errors = []
    for lam in LAMS:
        line = np.arange(-400, 401) / (400 * lam)  # holds 1/(2λ)
        grid = np.stack(np.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2)
        values = _L(grid, lam)
        best = grid[values > values.max() - 1e-9]
        stated = np.array([[0, 1], [1, 0]]) / (2 * lam)
        errors.append(broken(best.shape == (2, 2)))
        errors += [best[:2] - stated, values.max() - 1 / (4 * lam)]
        got = cf.max_coordinate(lam)
        errors += [got.value - values.max(), got.f - 1 / (2 * lam), got.maximisers - stated[::-1]]
    return worst(*errors)


@claim(
    "prop:max:many",
    statement="max of d coordinates: the d maximisers e_i/(2λ), value 1/(4λ) whatever d.",
    tol=1e-9,
)
def many():
    errors = []
    for lam, d in itertools.product(LAMS, (1, 2, 5, 9)):
        ends = _ascend(rng(d).normal(size=(200 * d, d)), lam, 0.2 / lam, 80)
        found = np.unique(np.round(ends * 2 * lam, 6), axis=0)
        errors += [broken(len(found) == d), np.sort(found, 0)[-1] - 1, found.sum(1) - 1]
        errors += [_L(ends, lam) - 1 / (4 * lam), cf.max_coordinate(lam, d).value - 1 / (4 * lam)]
    return worst(*errors)


@claim(
    "eq:max:midpoint",
    "eq:max:saddle-line",
    "prop:max:not-concave",
    statement="Between the maximisers L = 1/(8λ) + |s| - 2λs²: the midpoint is 1/(8λ) lower, so "
    "L is concave for no λ.",
    tol=1e-12,
)
def midpoint():
    errors = []
    for lam in (1e-4, *LAMS, 1e4):
        s = np.linspace(-1, 1, 41) / lam
        line = np.stack([1 / (4 * lam) + s, 1 / (4 * lam) - s], -1)
        errors.append((_L(line, lam) - (1 / (8 * lam) + np.abs(s) - 2 * lam * s**2)) * lam)
        a, b = np.eye(2) / (2 * lam)
        ends, middle = (_L(a, lam) + _L(b, lam)) / 2, _L((a + b) / 2, lam)
        errors += [(middle - 1 / (8 * lam)) * lam, (ends - middle - 1 / (8 * lam)) * lam]
    quarter = _L(np.array([0.25, 0.25]), 1)
    return Check(worst(*errors), {"0.125": quarter, "0.25": cf.max_coordinate(1).value})


@claim(
    "prop:max:saddle",
    statement="(1/(4λ), 1/(4λ)) is stationary and no maximiser: highest along the diagonal, lowest "
    "across it, half the value; 1/(2λd), 1/(4λd) for d coordinates.",
    tol=1e-12,
)
def saddle():
    errors = []
    for lam, d in itertools.product(LAMS, (2, 3, 7)):
        got = cf.max_coordinate(lam, d)
        x = got.saddle
        # Clarke: the mean of the e_i is in the hull of the gradients, and cancels 2λx
        errors += [np.eye(d).mean(0) - 2 * lam * x, _L(x, lam) - 1 / (4 * lam * d)]
        errors += [got.saddle_value - _L(x, lam), got.value - d * got.saddle_value]
        for t in (1e-3, 1e-2):
            along = [_L(x * (1 + s), lam) < _L(x, lam) for s in (t, -t)]
            sides = rng(0).normal(size=(50, d)) * t / lam / 9
            across = _L(x + sides - sides.mean(1, keepdims=True), lam) > _L(x, lam)
            errors.append(broken(*along, across.all()))
    return worst(*errors)


@claim(
    "eq:max:difference",
    statement="Gradient flow: x1 - x2 = (1 - e^(-2λt))/(2λ) + (x1 - x2)(0) e^(-2λt) (Runge-Kutta).",
    tol=1e-8,
)
def difference():
    errors = []
    for lam in LAMS:
        for start in rng(1).normal(size=(5, 2)):
            x0 = np.sort(start)[::-1]
            t = np.linspace(0, 3 / lam, 20)
            flow = solve_ivp(
                lambda _, x, lam=lam: np.eye(2)[x.argmax()] - 2 * lam * x,
                (0, t[-1]),
                x0,
                t_eval=t,
                rtol=1e-11,
                atol=1e-12,
            )
            kept = np.exp(-2 * lam * t)
            u = (1 - kept) / (2 * lam) + (x0[0] - x0[1]) * kept
            errors += [flow.y[0] - flow.y[1] - u, broken((u > 0).all())]
    return worst(*errors)


@claim(
    "eq:max:difference-ascent",
    "prop:max:basins",
    statement="Ascent with 0 < η <= 1/(2λ): the same law with 1 - 2λη, and the basins are x1 > x2 "
    "and x1 < x2; with a larger η they are not.",
    tol=1e-9,
)
def basins():
    errors = []
    for lam, part in itertools.product(LAMS, (0.01, 0.5, 1.0)):
        eta, x0 = part / (2 * lam), rng(2).normal(size=(500, 2)) * 3
        first = x0[:, 0] > x0[:, 1]
        gap = np.abs(x0[:, 0] - x0[:, 1])
        for t in (1, 2, 9):
            x, kept = _ascend(x0, lam, eta, t), (1 - 2 * lam * eta) ** t
            u = np.where(first, 1, -1) * (x[:, 0] - x[:, 1])
            errors += [u - (1 - kept) / (2 * lam) - gap * kept, broken((u > 0).all())]
        ends = _ascend(x0, lam, eta, 5000 if part < 0.1 else 60)
        errors.append(ends - np.where(first[:, None], [1, 0], [0, 1]) / (2 * lam))
        jumped = _ascend(x0, lam, 0.9 / lam, 500)
        errors.append(broken(((jumped[:, 0] > jumped[:, 1]) != first).any()))
    return worst(*errors)


@claim(
    "remark:max:a-step-that-is-too-long",
    statement="1/(2λ) < η < 1/λ, ρ = 2λη - 1: almost every start still reaches a maximiser, but "
    "one with x1 - x2 > η/ρ crosses the diagonal in its first step (λ = 1, η = 9/10: past 9/8).",
    tol=1e-9,
)
def overshoot():
    errors = []
    for lam, part in itertools.product(LAMS, (1.2, 1.5, 1.8)):
        eta = part / (2 * lam)
        far = eta / (2 * lam * eta - 1)
        x0 = rng(4).normal(size=(400, 2)) * 3 * far
        gap = x0[:, 0] - x0[:, 1]
        x0, gap = (v[np.abs(np.abs(gap) - far) > 1e-6 * far] for v in (x0, gap))
        once = _ascend(x0, lam, eta, 1)
        crossed = (once[:, 0] > once[:, 1]) != (gap > 0)
        ends = _ascend(x0, lam, eta, 300)
        errors.append(broken((crossed == (np.abs(gap) > far)).all(), crossed.any(), ~crossed.all()))
        errors.append((np.sort(ends, 1) - [0, 1 / (2 * lam)]) * lam)
    across = _ascend(np.array([[2.0, 0.0], [1.12, 0.0], [1.13, 0.0]]), 1, 0.9, 300)
    errors.append(across - [[0, 0.5], [0.5, 0], [0, 0.5]])
    return worst(*errors)


@claim(
    "eq:max:probability",
    statement="x0 ~ N(μ, I): P(solution 1) = Φ((μ1 - μ2)/√2) (300 000 starts; error in standard "
    "errors).",
    tol=4,
)
def probability():
    errors, n = [], 300_000
    for k, mu in enumerate(([0, 0], [0.5, 0], [-1, 1.2])):
        ends = _ascend(rng(k).normal(size=(n, 2)) + mu, 1.0, 0.5, 1)
        seen = (ends[:, 0] > ends[:, 1]).mean()
        stated = norm.cdf((mu[0] - mu[1]) / math.sqrt(2))
        errors.append((seen - stated) / math.sqrt(stated * (1 - stated) / n))
    return worst(errors)


@claim(
    "prop:max:tie-trap",
    statement="From the diagonal, torch.maximum and amax climb to the saddle, max(1).values to a "
    "maximiser; a perturbation of 1e-9 escapes.",
    tol=1e-9,
)
def tie_trap():
    def climb_torch(top, x, lam=1.0):
        x = torch.tensor([x], dtype=torch.float64)
        for _ in range(200):
            x.requires_grad_()
            (g,) = torch.autograd.grad(top(x).sum() - lam * x.square().sum(), x)
            x = (x + 0.1 * g).detach()
        return x[0].numpy()

    tops = {
        "maximum": lambda x: torch.maximum(x[:, 0], x[:, 1]),
        "amax": lambda x: x.amax(1),
        "max": lambda x: x.max(1).values,
    }
    start, nudge = [0.7, 0.7], 1e-9
    solution, stuck = cf.max_coordinate(1), [0.25, 0.25]
    errors = [climb_torch(tops[name], start) - stuck for name in ("maximum", "amax")]
    errors.append(np.sort(climb_torch(tops["max"], start)) - [0, 0.5])
    for top in tops.values():
        errors.append(climb_torch(top, [0.7 + nudge, 0.7]) - solution.x)
        errors.append(climb_torch(top, [0.7, 0.7 + nudge]) - solution.others[0])
    ends = np.sort(climb_torch(tops["max"], start))
    return Check(
        worst(*errors), {"0.5": ends[1], "0.25": cf.max_coordinate(1).saddle[0], "1e-9": nudge}
    )


@claim(
    "eq:max:constrained",
    statement="max(x1, x2) on the disc of radius r: (r, 0) and (0, r), value r; the penalised "
    "problem has them iff r = 1/(2λ).",
    tol=1e-12,
)
def constrained():
    errors = []
    for lam, factor in itertools.product(LAMS, (0.5, 1.0, 2.0)):
        radius = factor / (2 * lam)
        angle = np.arange(3600) * np.pi / 1800  # holds 0 and π/2
        disc = np.stack([np.cos(angle), np.sin(angle)], -1)
        disc = (disc[:, None] * np.linspace(0, radius, 50)[:, None]).reshape(-1, 2)
        f = disc.max(1)
        best = disc[f > f.max() - 1e-12]
        errors += [f.max() - radius, broken(len(best) == 2)]
        errors += [np.sort(best, 0)[-1] - radius, best.min(1)]
        same = np.allclose(np.sort(cf.max_coordinate(lam).x)[-1], radius)
        errors.append(broken(same == (factor == 1.0)))
    return worst(*errors)


@claim(
    "eq:max:level-curve",
    "prop:max:level-curve",
    statement="f(x*) = c iff λ = 1/(2c) iff |x*| = c: c = 3 needs λ = 1/6 and radius 3; at λ = 1 "
    "the contact is at f = 1/2.",
    tol=1e-12,
)
def level_curve():
    errors = [cf.max_coordinate(1).f - 0.5]
    for c in (0.5, 3.0, 10.0):
        got = cf.max_coordinate(1 / (2 * c))
        errors += [got.f - c] + [np.linalg.norm(x) - c for x in got.maximisers]
        # the level curve {max(x1, x2) = c}: its points nearest to 0 and its corner
        arm = np.stack([np.full(2001, c), np.linspace(-c, c, 2001)], -1)
        curve = np.concatenate([arm, arm[:, ::-1]])
        size = np.linalg.norm(curve, axis=1)
        errors += [size.min() - c, size.max() - c * math.sqrt(2)]
        errors += [np.sort(curve[size < c + 1e-12], 0)[-1] - c]
        errors += [cf.max_coordinate(0.9 / (2 * c)).f - c / 0.9]
    three = cf.max_coordinate(1 / 6)
    errors += [np.subtract(three.maximisers, [[3, 0], [0, 3]])]
    return worst(*errors)


@claim(
    "eq:max:pieces",
    "prop:max:pieces",
    statement="max of affine pieces: L* = max_j |w_j|²/(4λ) + b_j at w_j/(2λ); its local "
    "maximisers are the centres where no other piece is as high, none on a kink.",
    tol=1e-6,
)
def pieces():
    r, errors = rng(3), []
    for lam, m in itertools.product(LAMS, (2, 4, 7)):
        W, b = r.normal(size=(m, 2)), r.normal(size=m) * 0.3

        def L(x, W=W, b=b, lam=lam):
            return (x @ W.T + b).max(-1) - lam * (x * x).sum(-1)

        stated = (W**2).sum(1) / (4 * lam) + b
        got = cf.max_affine(W, b, lam)
        x = r.normal(size=(3000, 2)) * 3 / lam
        for _ in range(400):
            x = x + 0.1 / lam * (W[(x @ W.T + b).argmax(1)] - 2 * lam * x)
        errors += [L(x).max() - stated.max(), got.value - stated.max()]
        errors += [got.x - W[stated.argmax()] / (2 * lam)]
        near = np.abs(x[:, None] - np.array(got.local)[None]).max(-1).min(1)
        settled = np.abs(W[(x @ W.T + b).argmax(1)] - 2 * lam * x).max(1) < 1e-9
        errors += [near[settled], broken(settled.any())]
        for j, centre in enumerate(W / (2 * lam)):
            sphere = centre + 1e-5 * r.normal(size=(200, 2))
            top = L(sphere).max() <= L(centre)
            errors.append(broken(top == (j in got.pieces)))
    kink = climb(lambda x: max(x[0], 2 - 3 * x[0]) - x[0] ** 2, np.array([0.5]))
    errors.append(broken(abs(kink[0] - 0.5) > 0.1))  # it leaves the kink
    return worst(*errors)
