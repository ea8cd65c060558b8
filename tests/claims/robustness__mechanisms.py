"""Claims of chapters/networks/robustness.md: alignment, kernels, class maps."""

import itertools

import numpy as np
import scipy.fft
import torch
from scipy import optimize
from torch import nn

from actmax_lib import zoo
from actmax_lib.metrics import alignment, linear_robustness
from actmax_lib.training.kernels import roughness

from . import claim
from .tools import broken, rng, slope, worst


def relu_net(seed: int, bias: bool) -> nn.Module:
    """Two convolutions, max-pooling, ReLUs, three logits; in float64."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1, bias=bias), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(4, 6, 3, padding=1, bias=bias), nn.ReLU(), nn.Flatten(),
            nn.Linear(54, 3, bias=bias),
        )  # fmt: skip
    return net.double().eval().requires_grad_(False)


def differences(net: nn.Module, x: np.ndarray, k: int, j: int) -> tuple[float, np.ndarray]:
    """Ψ = f_k - f_j at x (1, H, W), and its gradient by central differences."""

    def psi(z):
        with torch.no_grad():
            f = net(torch.from_numpy(z.reshape(1, *x.shape)))[0]
        return float(f[k] - f[j])

    return psi(x), slope(psi, x.ravel(), h=1e-6)


@claim(
    "prop:robust:alignment",
    "eq:robust:linear",
    "eq:robust:bias",
    statement="Without biases α is ρ, by differences for each rival and by the library for the "
    "nearest; with them the two differ, by no more than stated; for linear logits the least ρ is "
    "the distance to another answer, found by quadratic programs.",
    tol=1e-5,
)
def aligned():
    errors, apart = [], []
    for seed, bias in itertools.product(range(3), (False, True)):
        net, x = relu_net(seed, bias), rng(seed).uniform(0, 1, (2, 1, 6, 6))
        images = torch.from_numpy(x)
        with torch.no_grad():
            answers = net(images).argmax(1)
        pairs = [alignment(net, images, answers), linear_robustness(net, images, answers)]
        for n, k in enumerate(answers.tolist()):
            found = []
            for j in {0, 1, 2} - {k}:
                psi, g = differences(net, x[n], k, j)
                along, size = x[n].ravel() @ g, np.linalg.norm(g)
                alpha, rho, bound = abs(along) / size, psi / size, abs(psi - along) / size
                errors.append(max(0.0, abs(alpha - rho) - bound))
                (apart if bias else errors).append(alpha - rho)
                found.append((rho, alpha))
            errors += [min(found)[0] - float(pairs[1][n]), min(found)[1] - float(pairs[0][n])]
    for seed in range(3):
        r = rng(seed)
        W, x = r.normal(size=(4, 5)), r.normal(size=5)
        k = int((W @ x).argmax())
        reach = [
            optimize.minimize(
                lambda z, x=x: (z - x) @ (z - x), x, jac=lambda z, x=x: 2 * (z - x),
                constraints={"type": "eq", "fun": lambda z, j=j, W=W, k=k: (W[j] - W[k]) @ z},
                tol=1e-12,
            ).fun ** 0.5
            for j in set(range(4)) - {k}
        ]  # fmt: skip
        linear = nn.Linear(5, 4, bias=False).double().requires_grad_(False)
        linear.weight.copy_(torch.from_numpy(W))
        found = linear_robustness(linear, torch.from_numpy(x)[None], torch.tensor([k]))
        errors.append(min(reach) - float(found[0]))
    return worst(*errors, broken(np.abs(apart).min() > 1e-4))


@claim(
    "prop:robust:kernels",
    "eq:robust:cosines",
    statement="The library's roughness of random kernels is the weighted sum of squared "
    "coefficients of scipy's cosine transform; scaled layers give the same function at any price.",
    tol=1e-10,
)
def kernels():
    errors = []
    for n, seed in itertools.product((2, 3, 5, 7), range(2)):
        w = rng(seed).normal(size=(n, n))
        wave = 4 * np.sin(np.pi * np.arange(n) / 2 / n) ** 2
        price = (scipy.fft.dctn(w, norm="ortho") ** 2 * (wave[:, None] + wave)).sum()
        by_hand = (np.diff(w, axis=0) ** 2).sum() + (np.diff(w, axis=1) ** 2).sum()
        errors += [price - by_hand, price - float(roughness(torch.from_numpy(w)))]
    for seed, a in itertools.product(range(2), (0.5, 1e-3)):
        net, twin = relu_net(seed, True), relu_net(seed, True)
        for module, factor in ((twin[0], a), (twin[3], a)):
            module.weight *= factor
        twin[0].bias *= a
        twin[3].bias *= a**2
        twin[6].weight *= a**-2
        x = torch.from_numpy(rng(seed).uniform(0, 1, (5, 1, 6, 6)))
        errors.append((net(x) - twin(x)).numpy())
        prices = [sum(float(roughness(n[i].weight)) for i in (0, 3)) for n in (net, twin)]
        errors += [prices[1] / prices[0] - a**2, broken(prices[0] > 0.1)]
    return worst(*errors)


@claim(
    "prop:robust:unavoidable",
    "eq:robust:unavoidable",
    statement="For small networks of both kinds, with maps that sum to the logits but for the "
    "bias, the discrepancy of the maps of the two answers is never below the gap, over all pairs "
    "of random images with two answers; positive parts of maps can go below.",
    tol=1e-9,
)
def unavoidable():
    errors, pairs = [], 0
    for seed, (kind, shape) in itertools.product(
        range(3), ((zoo.FashionNet, (1, 28, 28)), (zoo.CifarNet, (3, 32, 32)))
    ):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            net = kind(widths=(4, 5, 6) if kind is zoo.FashionNet else (4, 4, 5, 5, 6))
        net = net.double().eval().requires_grad_(False)
        x = torch.from_numpy(rng(seed).uniform(0, 1, (12, *shape)))
        x *= torch.linspace(0.02, 1, 12).double().view(-1, 1, 1, 1)
        f, maps = net(x), net.maps(x)
        total = maps.flatten(2).sum(2)
        errors.append((total - total[:1] - f + f[:1]).numpy())
        answers = f.argmax(1).tolist()
        for a, b in itertools.permutations(range(12), 2):
            t, u = answers[a], answers[b]
            if t == u:
                continue
            pairs += 1
            gap = float(f[a, t] - f[a, u])
            left = float(sum((maps[a, k] - maps[b, k]).abs().sum() for k in (t, u)))
            errors.append(max(0.0, gap - left))
    # I_t from (2, -1) to (2, -3), I_u = 0: the answer turns, and no positive part moves
    before, after = np.array([2.0, -1.0]), np.array([2.0, -3.0])
    moved = np.abs(before.clip(0) - after.clip(0)).sum()
    errors.append(broken(before.sum() > 0 > after.sum(), moved < before.sum()))
    return worst(*errors, broken(pairs > 50))
