"""Claims of chapters/networks/robustness.md: attacks, adversarial losses, what they force.

What the trained networks show is measured and asserted on the page itself.
"""

import itertools
import math

import numpy as np
import torch
from scipy import optimize
from torch import nn
from torch.nn import functional as F

from actmax_lib import attacks, log_prob, maximize, point
from actmax_lib import closed_forms as cf

from . import claim
from .tools import broken, rng, slope, worst

DEFINITIONS = {
    "eq:robust:program": "states the problem of a targeted attack",
    "eq:robust:alignment": "defines alignment and linearised robustness",
    "eq:robust:roughness": "defines the price of a kernel",
}
SHAPE = (1, 3, 3)


def small_net(seed: int, classes: int = 3) -> nn.Module:
    """A smooth network on pictures of nine pixels, in float64."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = nn.Sequential(nn.Flatten(), nn.Linear(9, 12), nn.Tanh(), nn.Linear(12, classes))
    return net.double().eval().requires_grad_(False)


class Affine(nn.Module):
    """Logits (f/2, -f/2) of f(x) = w'x + b: cross-entropy of class 0 is log(1 + e^-f)."""

    def __init__(self, w: np.ndarray, b: float) -> None:
        super().__init__()
        self.w, self.b = torch.from_numpy(w), b
        self.eval()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        f = x.flatten(1) @ self.w + self.b
        return torch.stack([f, -f], 1) / 2


def images(seed: int, count: int, lo: float = 0.0, hi: float = 1.0) -> torch.Tensor:
    return torch.from_numpy(rng(seed).uniform(lo, hi, (count, *SHAPE)))


@claim(
    "prop:robust:one-program",
    statement="The best value in a ball, searched on a grid, never falls with ε and is the box's "
    "from d^(1/p) on; on linear units the library's attacks reach the closed form, and for p = 2 "
    "the penalty's point; without a ball they make the steps of maximize.",
    tol=1e-9,
)
def one_program():
    errors = []
    line = np.linspace(0, 1, 41)
    grid = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
    for seed, p in itertools.product(range(3), (2, np.inf)):
        r = rng(seed)
        c = r.normal(size=(4, 2)) * 4
        value = np.sin(grid @ c[0] + 1) + np.cos(grid @ c[1]) * (grid @ c[2])
        reach = []
        for x in (line[r.integers(0, 41, 2)], line[r.integers(0, 41, 2)]):
            away = np.linalg.norm(grid - x, p, axis=1)
            best = [value[away <= eps + 1e-12].max() for eps in np.linspace(0, 2 ** (1 / p), 12)]
            errors.append(broken((np.diff(best) >= 0).all(), best[0] < value.max()))
            reach.append(best[-1])
        errors += [reach[0] - value.max(), reach[1] - value.max()]
    for seed, (norm, p) in itertools.product(range(3), (("l2", 2), ("linf", np.inf))):
        w, b, eps = rng(seed).normal(size=9), 0.4, 0.2
        x, y = images(seed, 1, 0.4, 0.6), torch.tensor([1])
        net = Affine(w, b)  # the wrong answer, class 0, has the larger f
        hit = attacks.pgd(net, x, y, eps=eps, norm=norm, steps=30, step=eps, seed=seed)
        best = cf.affine_ball(w, b, x.flatten().numpy(), eps, p)
        errors.append(hit.flatten().numpy() - best.x)
        if p == 2:
            lam = np.linalg.norm(w) / (2 * eps)
            errors.append(hit.flatten().numpy() - x.flatten().numpy() - w / (2 * lam))
        else:
            errors.append((attacks.fgsm(net, x, y, eps=eps) - hit).numpy())
    for seed in range(3):
        net, start, k = small_net(seed), images(seed, 4), torch.tensor([0, 1, 2, 0])
        climbed = maximize(
            log_prob(net, k.tolist()), point(start, box=(0.0, 1.0)),
            steps=25, lr=0.1, optimizer="normalized", schedule="constant",
        ).images  # fmt: skip
        up = attacks.loss_of(net, k, targeted=True)
        for eps in (3.0, math.inf):  # three is the square root of nine pixels
            ball = attacks.Ball("l2", eps)
            hit = attacks.climb(up, start, start, ball, steps=25, step=0.1)
            errors.append((hit - climbed).numpy())
        hit = attacks.pgd(
            net, start, k, eps=math.inf, targeted=True, steps=25, step=0.1, random_start=False
        )
        errors.append((hit - climbed).numpy())
    return worst(*errors)


@claim(
    "prop:robust:dual",
    "eq:robust:logistic",
    "eq:robust:first-order",
    statement="The worst logistic loss of a linear unit in a ball, found by attacks, is the stated "
    "one; for a smooth network the loss on the worst of many points differs from the first order "
    "by no more than Lε²/2, L the largest curvature seen, and the remainder falls like ε².",
    tol=1e-9,
)
def dual():
    errors = []
    for seed, (norm, q) in itertools.product(range(4), (("l2", 2), ("linf", 1))):
        r = rng(seed)
        w, b, eps = 3 * r.normal(size=9), float(r.normal()), float(r.uniform(0.05, 0.3))
        x, y = images(seed, 5, 0.35, 0.65), torch.from_numpy(r.integers(0, 2, 5))
        hit = attacks.pgd(Affine(w, b), x, y, eps=eps, norm=norm, steps=30, step=eps)
        loss = F.cross_entropy(Affine(w, b)(hit), y, reduction="none").numpy()
        f = x.flatten(1).numpy() @ w + b
        sign = 1 - 2 * y.numpy()
        errors.append(loss - np.log1p(np.exp(-sign * f + eps * np.linalg.norm(w, q))))
    for seed, (p, q) in itertools.product(range(3), ((2, 2), (np.inf, 1))):
        r = rng(seed)
        a, c = r.normal(size=(3, 2)), r.normal(size=3)

        def loss(x, a=a, c=c):
            return np.tanh(x @ a.T) @ c

        x = r.normal(size=2)
        size = np.linalg.norm(slope(loss, x), q)
        turn = np.linspace(0, 2 * np.pi, 2881)
        ring = np.stack([np.cos(turn), np.sin(turn)], 1)
        ring /= np.linalg.norm(ring, p, axis=1)[:, None]
        ball = (ring[:, None] * np.linspace(0, 1, 21)[:, None]).reshape(-1, 2)
        rest = []
        for eps in (0.4, 0.1, 0.025):
            z = x + eps * ball
            t = np.tanh(z @ a.T)
            second = -2 * t * (1 - t**2) * c  # of each tanh, times its weight
            hessian = np.einsum("nk,ki,kj->nij", second, a, a)
            L = np.abs(np.einsum("vi,nij,vj->nv", ring[::40], hessian, ring[::40])).max()
            rest.append(loss(z).max() - loss(x) - eps * size)
            # the ring is a polygon: its corners miss the best by a part in a million
            errors.append(max(0.0, abs(rest[-1]) - L * eps**2 / 2 - 1e-5 * eps * size))
        errors.append(broken(abs(rest[2]) < abs(rest[0]) / 50, abs(rest[0]) > 1e-4))
    return worst(*errors)


@claim(
    "prop:robust:prototype",
    "eq:robust:prototype",
    statement="Units fitted to random balanced data with the adversarial loss, and random ones "
    "among those no worse than guessing, have at least the stated cosine with the difference of "
    "the means; beyond half its length none is found; without balance the bound fails.",
    tol=1e-6,
)
def prototype():
    errors, seen = [], 0
    for seed in range(4):
        r = rng(seed)
        d, n = int(r.integers(2, 6)), 12
        x, y = r.normal(size=(2 * n, d)), np.repeat([1.0, -1.0], n)
        x[:n] += r.normal(size=d)
        m = x[:n].mean(0) - x[n:].mean(0)
        most = np.linalg.norm(m) / 2

        def loss(v, eps, x=x, y=y):
            return np.logaddexp(0, -y * (x @ v[:-1] + v[-1]) + eps * np.linalg.norm(v[:-1])).mean()

        for part in (0.3, 0.6, 0.9, 1.2):
            start = np.append(m, 0.0)
            fit = optimize.minimize(
                loss,
                start,
                args=(part * most,),
                method="Nelder-Mead",
                options={"maxiter": 4000, "xatol": 1e-9, "fatol": 1e-13},
            ).x
            tried = [fit, *(r.normal(size=(3000, d + 1)) * 10 ** r.uniform(-3, 1, (3000, 1)))]
            for v in tried:
                w = v[:-1]
                size = np.linalg.norm(w)
                if size > 1e-6 and loss(v, part * most) <= math.log(2):
                    seen += 1
                    errors.append(max(0.0, part - w @ m / size / (2 * most)))
                    errors.append(broken(part < 1))
    # 9 against 1: the bias alone beats guessing, with w the wrong way round
    x, y = np.append(np.zeros(9), 1.0), np.append(np.ones(9), -1.0)
    lopsided = np.logaddexp(0, -y * (0.1 * x + 1) + 0.01).mean()
    errors.append(broken(seen > 200, lopsided < math.log(2)))  # w = .1 and m = -1
    return worst(*errors)
