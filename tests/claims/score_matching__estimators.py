"""Claims of chapters/probability/score-matching.md: the laws of the estimators of the trace.

Averages over probes are sums over all sign vectors, or Gauss-Hermite rules, which are exact for
polynomials; none of them is drawn.
"""

import itertools
import math

import numpy as np
import sympy
import torch
from scipy import integrate, stats

from actmax_lib import score_matching as sm

from . import claim
from .tools import broken, rng, worst


def normal_rule(d, n=14):
    """Nodes (n^d, d) and weights of N(0, I)."""
    x, w = np.polynomial.hermite_e.hermegauss(n)
    nodes = np.array(list(itertools.product(x, repeat=d)))
    weights = np.array([math.prod(c) for c in itertools.product(w / w.sum(), repeat=d)])
    return nodes, weights


def moments(values, weights):
    mean = weights @ values
    return mean, weights @ (values - mean) ** 2


def instances(seed, dims=(1, 2, 3)):
    r = rng(seed)
    for d in dims:
        H = r.normal(size=(d, d))
        yield d, r.normal(size=d), (H + H.T) / 2


@claim(
    "eq:score:hutchinson-variance",
    "prop:score:hutchinson",
    statement="v'Av: mean tr A; variance 2|H|² (normal) and 2(|H|² - Σ H_ii²) (all sign vectors).",
    tol=1e-10,
)
def hutchinson():
    errors, r = [], rng(3)
    for d in (1, 2, 3, 6):
        A = r.normal(size=(d, d))
        H = (A + A.T) / 2
        size, diagonal = (H**2).sum(), (np.diag(H) ** 2).sum()
        signs = np.array(list(itertools.product([-1, 1], repeat=d)))
        rules = [(signs, np.full(len(signs), 1 / len(signs)), 2 * (size - diagonal))]
        if d < 4:
            rules.append((*normal_rule(d), 2 * size))
        for v, w, law in rules:
            mean, variance = moments(((v @ A) * v).sum(1), w)
            errors += [mean - np.trace(A), variance - law]
        D = torch.tensor(np.diag(H).copy())
        exact = sm.hutchinson(lambda x, D=D: x * D, torch.zeros(3, d, dtype=torch.float64))
        errors.append(exact - D.sum())
    return worst(*errors)


@claim(
    "eq:score:taylor-variance",
    statement="f quadratic: both means are tr H, the variances 4|∇f|²/σ² + 2|H|² and 2|H|².",
    tol=1e-8,
)
def taylor_variance():
    errors = []
    for d, g, H in instances(4):
        w, weights = normal_rule(d)
        for sigma in (0.05, 1.0):

            def f(v, g=g, H=H):
                return v @ g + ((v @ H) * v).sum(1) / 2

            v = sigma * w
            one, two = 2 * f(v) / sigma**2, (f(v) + f(-v)) / sigma**2
            for values, law in ((one, 4 * g @ g / sigma**2), (two, 0)):
                mean, variance = moments(values, weights)
                law = law + 2 * (H**2).sum()
                errors += [mean - np.trace(H), (variance - law) / law]
    return worst(*errors)


@claim(
    "eq:score:bias",
    "eq:score:cosine",
    "prop:score:taylor",
    statement="Both means are Δf + σ²Δ²f/4 with an error that falls like σ⁴ (sympy, quadrature), "
    "cos at 0: -1 + σ²/4.",
    tol=0.02,
)
def taylor_bias():
    x, y = sympy.symbols("x y")
    formula = sympy.sin(x + 2 * y) + x * y**3 + sympy.exp(-(x**2)) + x**4 / 5

    def laplacian(g):
        return sympy.diff(g, x, 2) + sympy.diff(g, y, 2)

    f = sympy.lambdify((x, y), formula)
    at = (0.3, -0.4)
    first, second, third = (
        float(sympy.lambdify((x, y), g)(*at))
        for g in (
            laplacian(formula),
            laplacian(laplacian(formula)),
            laplacian(laplacian(laplacian(formula))),
        )
    )
    w, weights = normal_rule(2, 24)
    errors = []
    for sigma in (0.02, 0.04):
        v = sigma * w
        up, down = (f(*(np.array(at) + s * v).T) for s in (1, -1))
        for values in (2 * (up - f(*at)), up + down - 2 * f(*at)):
            left = weights @ values / sigma**2 - first - sigma**2 / 4 * second
            errors.append(left / sigma**4 / (third / 24) - 1)  # the next term of the heat series
    for sigma in (0.05, 0.2):
        mean = weights @ (np.cos(sigma * w[:, 0]) - 1) * 2 / sigma**2
        errors.append(1e3 * (mean - 2 / sigma**2 * np.expm1(-(sigma**2) / 2)))
        errors.append((mean - (-1 + sigma**2 / 4)) / sigma**4 + 1 / 24)
    return worst(*errors)


@claim(
    "eq:score:hidden",
    "prop:score:hidden",
    statement="E[μh²] = μ(tr H)² + 2μ|H|²/n + 4μ|∇f|²/(nσ²), without the last for antithetic "
    "probes: all pairs of probes of the rule; 40, 80 times ½, with the released settings.",
    tol=1e-8,
)
def hidden():
    errors = []
    mu = 1e-3
    for d, g, H in instances(5, (1, 2)):
        w, weights = normal_rule(d, 8)
        for sigma in (0.01, 0.5):

            def f(v, g=g, H=H):
                return v @ g + ((v @ H) * v).sum(1) / 2

            v = sigma * w
            base = mu * np.trace(H) ** 2
            for values, gradient in (
                (2 * f(v) / sigma**2, 4 * mu / sigma**2 * g @ g),
                ((f(v) + f(-v)) / sigma**2, 0.0),
            ):
                one = mu * weights @ values**2
                pairs = (values[:, None] + values) / 2
                two = mu * weights @ (pairs**2) @ weights
                law = 2 * mu * (H**2).sum() + gradient
                errors += [(one - base - law) / law, (two - base - law / 2) / law]
    errors += [4 * mu / 0.01**2 - 40, 40 / 0.5 - 80]
    return worst(*errors)


@claim(
    "remark:score:product",
    statement="The product of two independent one-sided estimates has the mean (tr H)²; entries of "
    "a fourth moment κ give v'Hv the variance 2|H|² + (κ-3) Σ H_ii² (uniform: κ = 9/5).",
    tol=1e-9,
)
def product():
    errors = []
    for d, g, H in instances(9, (1, 2)):
        w, weights = normal_rule(d, 8)
        one = 2 / 0.5 * w @ g + ((w @ H) * w).sum(1)
        errors.append(weights @ np.outer(one, one) @ weights - np.trace(H) ** 2)
        x, wx = np.polynomial.legendre.leggauss(8)
        v = math.sqrt(3) * np.array(list(itertools.product(x, repeat=d)))
        flat = np.array([math.prod(c) for c in itertools.product(wx / 2, repeat=d)])
        _, variance = moments(((v @ H) * v).sum(1), flat)
        diagonal = (np.diag(H) ** 2).sum()
        errors.append(variance - 2 * (H**2).sum() + (3 - 9 / 5) * diagonal)
    return worst(*errors)


@claim(
    "remark:score:library-penalty",
    statement="density_penalty has the mean of the proposition: one-sided, n = 1 and 3 (60 000 "
    "estimates; error in standard errors).",
    tol=4.5,
)
def library_penalty():
    errors, n = [], 60_000
    for d, g, H in instances(6, (2, 4)):
        g, H = torch.tensor(g), torch.tensor(H)
        x = torch.zeros(n, d, dtype=torch.float64)
        for probes in (1, 3):
            mu, sigma = 1e-3, 0.01
            got = sm.density_penalty(
                lambda x, g=g, H=H: x @ g + ((x @ H) * x).sum(1) / 2,
                x,
                sigma=sigma,
                mu=mu,
                probes=probes,
                antithetic=False,
                generator=torch.Generator().manual_seed(d),
            ).detach()
            size, square = H.square().sum(), g @ g
            law = H.trace() + square / 2 + mu * H.trace() ** 2
            law = law + (2 * mu * size + 4 * mu / sigma**2 * square) / probes
            errors.append((got.mean() - law) / (got.std() / math.sqrt(n)))
    return worst(*errors)


@claim(
    "eq:score:kink",
    "prop:score:relu",
    statement="Random ReLU networks: no trace, J = ½|∇f|²; |x| at 0: E ĥ⁺ = (2/σ)√(2/π) "
    "(quadrature).",
    tol=1e-8,
)
def relu():
    errors, r = [], rng(7)
    for _ in range(4):
        W1, W2, w = (torch.tensor(r.normal(size=s)) for s in ((9, 3), (8, 9), (8,)))
        c1, c2 = torch.tensor(r.normal(size=9)), torch.tensor(r.normal(size=8))

        def f(x, W1=W1, W2=W2, w=w, c1=c1, c2=c2):
            return torch.relu(torch.relu(x @ W1.T + c1) @ W2.T + c2) @ w

        x = torch.tensor(r.normal(size=(100, 3)))
        h = 1e-7
        second = sum(f(x + h * e) + f(x - h * e) - 2 * f(x) for e in torch.eye(3).double())
        gradient = torch.stack([(f(x + h * e) - f(x)) / h for e in torch.eye(3).double()], 1)
        errors.append((second.abs() > 1e-12).sum())  # no point so near a kink
        loss = sm.implicit(sm.score_of(f), x)
        errors.append(1e-3 * (loss / (gradient.square().sum(1) / 2) - 1))  # differences: 1e-5
        errors.append(sm.exact_trace(sm.score_of(f), x))
    for sigma in (0.01, 0.4):
        mean = (
            2
            * integrate.quad(
                lambda v, s=sigma: 2 * v / s**2 * stats.norm.pdf(v, 0, s), 0, 12 * sigma
            )[0]
        )
        errors.append(mean * sigma - 2 * math.sqrt(2 / math.pi))
    return worst(*errors)


@claim(
    "prop:score:sliced",
    statement="E = tr H + ½|s|² for both forms, variances 2|H + ½ss'|² and 2|H|²; for H = -I, "
    "s = -x the first is the smaller one where |x| < 2.",
    tol=1e-9,
)
def sliced():
    errors = []
    for d, s, H in instances(8):
        v, weights = normal_rule(d)
        curved, along = ((v @ H) * v).sum(1), (v @ s) ** 2
        for values, form in (
            (curved + along / 2, H + np.outer(s, s) / 2),
            (curved + s @ s / 2, H),
        ):
            mean, variance = moments(values, weights)
            errors += [mean - np.trace(H) - s @ s / 2, variance - 2 * (form**2).sum()]
        u = s / np.linalg.norm(s)
        for length in (0.5, 1.9, 2.1, 4.0):
            form = -np.eye(d) + np.outer(u, u) * length**2 / 2
            errors.append(broken(((form**2).sum() < d) == (length < 2)))
    return worst(*errors)
