"""Claims of chapters/formulation/l2-closed-forms.md: the ℓ2 penalty and quadratic objectives."""

import numpy as np
import torch

from actmax_lib import closed_forms as cf

from . import Check, claim
from .tools import affine_instances, broken, climb, rng, worst

DEFINITIONS = {"eq:l2:objective": "states the problem of the chapter"}


@claim("eq:l2:gradient", statement="∇L(x) = w - 2λx (automatic differentiation).", tol=1e-12)
def gradient():
    errors = []
    for w, b, lam in affine_instances(1):
        x = torch.from_numpy(rng(2).normal(size=w.shape)).requires_grad_()
        L = torch.from_numpy(w) @ x + b - lam * x.square().sum()
        (got,) = torch.autograd.grad(L, x)
        errors.append((got.numpy() - w + 2 * lam * x.detach().numpy()) / (1 + lam))
    return worst(*errors)


@claim("eq:l2:solution", statement="x* = w / (2λ) (found by BFGS from afar).", tol=1e-5)
def solution():
    errors = []
    for w, b, lam in affine_instances(3):
        found = climb(lambda x, w=w, b=b, lam=lam: w @ x + b - lam * x @ x, np.ones_like(w))
        errors += [found - w / (2 * lam), cf.affine_l2(w, b, lam).x - w / (2 * lam)]
    return worst(*errors)


@claim("eq:l2:square", statement="L(x) = L* - λ|x - x*|² at random x.", tol=1e-11)
def square():
    errors = []
    for w, b, lam in affine_instances(4):
        best = cf.affine_l2(w, b, lam)
        for x in rng(5).normal(size=(10, len(w))) * 5:
            L = w @ x + b - lam * x @ x
            errors.append((L - best.value + lam * ((x - best.x) ** 2).sum()) / (1 + abs(L)))
    return worst(errors)


@claim(
    "prop:l2:unique",
    statement="For λ > 0, L is 2λ-strongly concave with the only maximiser w/(2λ); for λ <= 0 and "
    "w ≠ 0 it is unbounded.",
    tol=1e-5,
)
def unique():
    errors = []
    for w, b, lam in affine_instances(6, 8):

        def L(x, w=w, b=b, lam=lam):
            return torch.from_numpy(w) @ x + b - lam * x.square().sum()

        start = torch.ones(len(w), dtype=torch.float64)
        hessian = torch.autograd.functional.hessian(L, start).numpy()
        errors.append(np.linalg.eigvalsh(hessian) + 2 * lam)
        ends = [climb(lambda x, L=L: L(torch.from_numpy(x)).item(), s) for s in (0 * w, 5 + w)]
        errors += [ends[0] - ends[1], ends[0] - cf.affine_l2(w, b, lam).x]
        for bad in (0.0, -lam):
            values = [w @ (t * w) - bad * (t * w) @ (t * w) for t in (1, 1e2, 1e4, 1e6)]
            errors.append(broken((np.diff(values) > 0).all()))
    return worst(*errors)


@claim(
    "eq:l2:values",
    "prop:l2:half",
    statement="f(x*) = |w|²/(2λ) + b, Ω(x*) = -|w|²/(4λ), L* = |w|²/(4λ) + b: half the "
    "gain is eaten; w = (3, -4), b = 1, λ = 1/2 gives 26 and 27/2.",
    tol=1e-8,
)
def values():
    errors = []
    for w, b, lam in affine_instances(7):
        x = climb(lambda x, w=w, lam=lam: w @ x - lam * x @ x, np.ones_like(w))
        size, exact = w @ w / lam, cf.affine_l2(w, b, lam)
        gaps = [
            w @ x - lam * x @ x - size / 4,
            exact.f - size / 2 - b,
            exact.omega + size / 4,
            exact.value - size / 4 - b,
            exact.omega + (exact.f - b) / 2,
        ]
        errors.append(np.array(gaps) / (1 + size))
    example = cf.affine_l2([3, -4], 1, 0.5)
    errors += [example.x - [3, -4], example.f - 26, example.omega + 25 / 2]
    return Check(worst(*errors), {"13.5": example.value})


def _ascent(w, lam, eta, T, x):
    for _ in range(T):
        x = x + eta * (w - 2 * lam * x)
    return x


@claim(
    "eq:l2:contraction",
    "eq:l2:path",
    statement="Gradient ascent shrinks x - x* by 1 - 2λη a step; from 0, x_T = (1 - (1-2λη)^T) x*.",
    tol=1e-10,
)
def path():
    errors = []
    for w, _, lam in affine_instances(8):
        for eta in (0.01 / lam, 0.3 / lam, 0.8 / lam):
            x_star, x0 = w / (2 * lam), rng(9).normal(size=w.shape)
            for T in (0, 1, 2, 7, 25):
                x = _ascent(w, lam, eta, T, 0 * w)
                errors += [x - (1 - (1 - 2 * lam * eta) ** T) * x_star]
                errors += [x - cf.affine_l2_path(w, lam, eta, T)[-1]]
                x = _ascent(w, lam, eta, T, x0)
                errors += [x - x_star - (1 - 2 * lam * eta) ** T * (x0 - x_star)]
    return worst(*errors)


@claim(
    "prop:l2:path",
    statement="Ascent converges iff 0 < η < 1/λ, in one step at η = 1/(2λ); from 0 it keeps to the "
    "line of w.",
    tol=1e-9,
)
def path_limit():
    errors = []
    for w, _, lam in affine_instances(10, 6):
        x_star, start = w / (2 * lam), rng(11).normal(size=w.shape) * 9
        size = np.abs(x_star).max()
        inside = [_ascent(w, lam, eta / lam, 2000, start) for eta in (0.01, 0.5, 0.99)]
        errors += [(x - x_star) / size for x in inside]
        errors += [(_ascent(w, lam, 0.5 / lam, 1, start) - x_star) / (1 + size)]
        away = np.abs(start - x_star).max()
        edge = _ascent(w, lam, 1 / lam, 400, start)
        over, under = (_ascent(w, lam, eta / lam, 1000, start) for eta in (1.01, -0.01))
        errors.append(broken(np.isclose(np.abs(edge - x_star).max(), away, rtol=1e-6)))
        errors += [broken(np.abs(x - x_star).max() > 1e3 * away) for x in (over, under)]
        early = _ascent(w, lam, 0.1 / lam, 3, 0 * w)
        errors.append(1 - early @ w / np.linalg.norm(early) / np.linalg.norm(w))
    return worst(*errors)


@claim(
    "eq:l2:quadratic",
    statement="Quadratic f, λ_max(H) < 2λ: x* = (2λI - H)⁻¹w, L* = b + w'x*/2.",
    tol=1e-5,
)
def quadratic():
    r, errors = rng(22), []
    for d in (1, 2, 4, 6):
        H, w, b, lam = r.normal(size=(d, d)), r.normal(size=d), r.normal(), r.uniform(0.3, 2)
        H = H + H.T
        H += np.eye(d) * (2 * lam - 0.4 - np.linalg.eigvalsh(H)[-1])

        def L(x, H=H, w=w, b=b, lam=lam):
            return x @ H @ x / 2 + w @ x + b - lam * x @ x

        found, x = climb(L, np.zeros(d)), np.linalg.solve(2 * lam * np.eye(d) - H, w)
        got = cf.quadratic(H, w, b, lam)
        errors += [found - x, got.x - x, L(found) - b - w @ x / 2, got.value - b - w @ x / 2]
    return worst(*errors)


@claim(
    "prop:l2:quadratic",
    statement="Below 2λ one maximiser; above, unbounded; equal, a flat set, or unbounded where w "
    "has a part in the top eigenspace.",
    tol=1e-9,
)
def quadratic_cases():
    r, errors = rng(23), []
    Q, lam = np.linalg.qr(r.normal(size=(3, 3)))[0], 0.7
    for top in (1.4 - 0.3, 1.4, 1.4 + 0.3):
        H = Q @ np.diag([top, 0.2, -1]) @ Q.T
        H = (H + H.T) / 2
        for part in (0.0, 0.5):  # of w in the top eigenspace
            w = Q @ [part, 1, -2]

            def L(x, H=H, w=w):
                return x @ H @ x / 2 + w @ x - lam * x @ x

            case = "unbounded" if top > 1.4 or (top == 1.4 and part) else "bounded"
            try:
                got = cf.quadratic(H, w, 0, lam)
                errors += [
                    broken(case == "bounded", got.unique == (top < 1.4)),
                    L(got.x) - got.value,
                ]
                near = [
                    L(got.x + s * v) - got.value for v in r.normal(size=(50, 3)) for s in (1, 9)
                ]
                errors.append(max(*near, 0))
                if not got.unique:
                    errors += [L(got.x + t * got.flat[0]) - got.value for t in (-50, 1, 50)]
            except ValueError as error:
                values = [L(t * error.direction) for t in (0, 1e2, 1e3, 1e4)]
                errors.append(broken(case == "unbounded", (np.diff(values) > 0).all()))
    return worst(*errors)


@claim(
    "prop:l2:smooth",
    statement="∇²f ≼ L I and λ > L/2: (2λ-L)-strongly concave, one maximiser; |x| - λx² is concave "
    "for no λ.",
    tol=1e-5,
)
def smooth():
    r, errors = rng(24), []
    A = r.normal(size=(6, 3))
    L = np.linalg.norm(A, 2) ** 2  # f(x) = Σ sin(a_i'x + c_i) has -A'A <= f'' <= A'A
    c = r.normal(size=6)
    lam = 0.55 * L
    for x in r.normal(size=(300, 3)) * 3:
        hessian = -(A.T * np.sin(A @ x + c)) @ A - 2 * lam * np.eye(3)
        errors.append(max(np.linalg.eigvalsh(hessian)[-1] + 2 * lam - L, 0))
    ends = [
        climb(lambda x: np.sin(A @ x + c).sum() - lam * x @ x, s) for s in r.normal(size=(8, 3)) * 5
    ]
    errors += [end - ends[0] for end in ends]
    for weight in 10.0 ** np.arange(-3, 7):
        s = 0.25 / weight  # |x| - weight x² at the middle of -s and s lies below both
        errors.append(broken(s - weight * s**2 > 0))
    return worst(*errors)
