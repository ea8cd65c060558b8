"""Claims of chapters/probability/implicit-density.md: when the integral is finite."""

import itertools
import math

import numpy as np
import torch
from scipy.integrate import quad
from scipy.special import logsumexp
from scipy.stats import norm

from actmax_lib import densities
from actmax_lib.errors import UnnormalisableError

from . import claim
from .tools import broken, rng, worst


def relu_net(r, sizes, scale=1.0):
    """Weights and biases, and the function (N, d) -> (N, K), in NumPy."""
    layers = [
        (r.normal(size=(b, a)) * math.sqrt(2 / a), scale * r.normal(size=b))
        for a, b in itertools.pairwise(sizes)
    ]

    def net(x, biases=True):
        for k, (W, b) in enumerate(layers):
            x = x @ W.T + biases * b
            x = np.maximum(x, 0) if k < len(layers) - 1 else x
        return x

    return layers, net


def torch_net(layers):
    parts = []
    for k, (W, b) in enumerate(layers):
        one = torch.nn.Linear(*W.shape[::-1], dtype=torch.float64)
        one.weight.data, one.bias.data = torch.from_numpy(W), torch.from_numpy(b)
        parts += [one, torch.nn.ReLU()] if k < len(layers) - 1 else [one]
    return torch.nn.Sequential(*parts)


def _area(w, b, lam, R):
    """The integral of exp(w'x + b - lam |x|^2) over the box [-R, R]^d, a line at a time."""
    lines = [
        quad(lambda t, v=v: math.exp(v * t - lam * t * t), -R, R, points=[v / (2 * lam or 1)])[0]
        for v in w
    ]
    return math.exp(b) * math.prod(lines)


@claim(
    "prop:implicit:linear",
    statement="For affine logits the integral over the box [-R, R]^2 grows without bound; log of "
    "it grows like |w|_1 R (from R = 32 to 64, by quadrature).",
    tol=1e-3,
)
def linear():
    errors = []
    for seed in range(4):
        r = rng(seed)
        w, b = r.normal(size=2), r.normal()
        logs = []
        for R in (8.0, 16.0, 32.0, 64.0):
            area = _area(w, b, 0.0, R)
            logs.append(math.log(area))
        errors.append(broken(*(np.diff(logs) > 0.5)))
        errors.append((logs[-1] - logs[-2]) / (32 * np.abs(w).sum()) - 1)
        W, axes = np.array([w, -2 * w]), torch.eye(2, dtype=torch.float64)
        for k in (0, 1):
            try:
                densities.check_normalisable(
                    torch_net([(W, np.array([b, 0.0]))]), torch.cat([axes, -axes]), k
                )
                errors.append(1)
            except UnnormalisableError as error:  # the way it names is a way up
                errors.append(broken(W[k] @ error.direction.numpy() > 0))
    return worst(*errors)


@claim(
    "eq:implicit:slope",
    "prop:implicit:slope",
    statement="f(tv)/t of random ReLU networks, between t = 1e6 and 2e6, is the network without "
    "its biases; so says the library.",
    tol=1e-6,
)
def asymptote():
    errors = []
    for seed in range(5):
        r = rng(seed)
        layers, net = relu_net(r, (5, 20, 20, 3))
        v = r.normal(size=(300, 5))
        v /= np.linalg.norm(v, axis=1, keepdims=True)
        far = (net(2e6 * v) - net(1e6 * v)) / 1e6
        errors += [far - net(v, biases=False)]
        found = densities.asymptotic_slope(torch_net(layers), torch.from_numpy(v))
        errors += [found.numpy() - far]
    return worst(*errors)


def _log_disc(f, R):
    """log of the integral of e^f over the disc of radius R, in polar coordinates."""
    t = (np.arange(180) + 0.5) / 180 * 2 * np.pi
    s = (np.arange(2400) + 0.5) / 2400 * R
    v = np.stack([np.cos(t), np.sin(t)], 1)
    parts = [logsumexp(f(s[:, None] * u) + np.log(s)) for u in v]
    return logsumexp(parts) + math.log(R / 2400 * 2 * np.pi / 180)


@claim(
    "prop:implicit:relu",
    statement="ReLU logits on the plane: with a positive slope somewhere, or 0 in a cone, the "
    "integral over discs grows for ever; with all slopes negative it settles.",
    tol=0.0,
)
def relu():
    bad = 0
    for seed in range(4):
        _, net = relu_net(rng(seed), (2, 10, 3))
        around = np.linspace(0, 2 * np.pi, 721)
        v = np.stack([np.cos(around), np.sin(around)], 1)
        steepest = net(v, biases=False).max(0)
        for k in range(3):
            # -c|x|_1 is a ReLU network too; it pulls every slope below zero
            for c in (0.0, steepest[k] + 0.5):
                f = lambda x, k=k, c=c, net=net: net(x)[:, k] - c * np.abs(x).sum(1)  # noqa: E731
                top = (net(v, biases=False)[:, k] - c * np.abs(v).sum(1)).max()
                a, b = _log_disc(f, 60.0), _log_disc(f, 120.0)
                bad += broken((b - a > 0.5 * 60 * top) if top > 0.02 else abs(b - a) < 0.01)
    flat = lambda x: -np.maximum(x[:, 0], 0) - 1.0  # slope 0 where x_1 < 0  # noqa: E731
    return bad + broken(_log_disc(flat, 120.0) - _log_disc(flat, 60.0) > math.log(3.5))


def _line(net, k, lam, R):
    """The integral of exp(f_k(x) - lam x^2) over [-R, R]."""
    x = np.linspace(-R, R, 100_001)
    return np.trapezoid(np.exp(net(x[:, None])[:, k] - lam * x * x), x)


@claim(
    "eq:implicit:l2-density",
    "eq:implicit:linear-z",
    "prop:implicit:finite",
    statement="With -λ|x|^2 the integral of a ReLU network settles, and equals (π/λ)^(d/2) E e^f "
    "over N(0, I/(2λ)); for affine f it is (π/λ)^(d/2) e^(b + |w|²/(4λ)), N(w/(2λ), I/(2λ)).",
    tol=1e-6,
)
def finite():
    errors = []
    for seed, lam, k in itertools.product(range(3), (0.3, 2.0), (0, 1)):
        _, net = relu_net(rng(seed), (1, 10, 10, 2))
        errors.append(_line(net, k, lam, 50.0) / _line(net, k, lam, 25.0) - 1)
        sd = 1 / math.sqrt(2 * lam)
        z = np.linspace(-12, 12, 100_001)
        mean = np.trapezoid(np.exp(net(sd * z[:, None])[:, k]) * norm.pdf(z), z)
        errors.append(_line(net, k, lam, 25.0) / (math.sqrt(math.pi / lam) * mean) - 1)
    for seed in range(4):
        r = rng(seed)
        w, b, lam = r.normal(size=2), r.normal(), 10 ** r.uniform(-0.5, 0.5)
        area = _area(w, b, lam, 20.0)
        errors.append(math.log(area) - math.log(math.pi / lam) - b - w @ w / (4 * lam))
        x = r.normal(size=2)
        log_p = w @ x + b - lam * x @ x - math.log(area)
        errors.append(log_p - norm(w / (2 * lam), math.sqrt(1 / (2 * lam))).logpdf(x).sum())
    return worst(*errors)
