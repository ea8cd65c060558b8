"""Claims of chapters/probability/implicit-density.md: the joint and its gauge."""

import math

import numpy as np
import torch
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.special import log_softmax, logsumexp, softmax
from scipy.stats import multivariate_normal

from actmax_lib import densities

from . import claim
from .implicit_density__existence import relu_net, torch_net
from .tools import broken, rng, slope, worst

DEFINITIONS = {
    "eq:implicit:joint": "defines the joint density that logits imply",
    "eq:implicit:gauge": "defines a gauge, one function added to all logits",
    "eq:implicit:ula": "defines the unadjusted Langevin step",
    "eq:implicit:tempered": "defines the density at a temperature",
}


def _quartic(r):
    """Two logits on the line with finite integrals."""
    c = np.stack([r.normal(size=2), r.normal(size=2), -r.uniform(0.2, 1, 2), r.normal(size=2)])
    return lambda x: np.array([c[0, k] + c[1, k] * x + c[2, k] * x**4 + c[3, k] for k in (0, 1)])


@claim(
    "eq:implicit:marginal",
    "eq:implicit:posterior",
    "eq:implicit:class-prior",
    "eq:implicit:conditional",
    "prop:implicit:joint",
    statement="The marginal, posterior, class probabilities and conditionals of e^f / Z (by "
    "quadrature) are as stated, and the library's grid has them.",
    tol=1e-9,
)
def joint():
    errors = []
    for seed in range(6):
        f = _quartic(rng(seed))
        Zk = [quad(lambda t, k=k, f=f: math.exp(f(t)[k]), -9, 9, limit=200)[0] for k in (0, 1)]
        Z = sum(Zk)
        for x in rng(seed + 50).normal(size=5):
            both = np.exp(f(x)) / Z  # p(x, k)
            errors += [both.sum() - math.exp(logsumexp(f(x))) / Z]
            errors += [both / both.sum() - softmax(f(x))]
            own = [both[k] / (Zk[k] / Z) for k in (0, 1)]  # p(x | k) by Bayes
            errors += [np.log(own) - (f(x) - np.log(Zk))]
        prior = [
            quad(lambda t, k=k, f=f, Z=Z: math.exp(f(t)[k]) / Z, -9, 9, limit=200)[0]
            for k in (0, 1)
        ]
        g = np.linspace(-9, 9, 4001)
        grid = densities.implicit_density(torch.from_numpy(f(g).T), g[1] - g[0])
        errors += [grid.class_prior.numpy() - prior, grid.log_Z.item() - math.log(Z)]
        errors += [grid.log_Zk.numpy() - np.log(Zk)]
        at = [1800, 2000, 2300]
        both = np.exp(f(g[at]).T) / Z
        errors += [grid.log_joint[at].exp().numpy() - both]
        errors += [grid.log_marginal[at].exp().numpy() - both.sum(1)]
        errors += [grid.log_conditional[at].exp().numpy() - both / prior]
        errors += [grid.log_posterior[at].exp().numpy() - both / both.sum(1, keepdims=True)]
        errors.append(broken((f(g).argmax(1) == grid.log_conditional.argmax(0).numpy()).all()))
    return worst(*errors)


@claim(
    "eq:implicit:split",
    statement="f_k = log p(k|x) + log p(x) + log Z, for Gaussian classes of which all are known.",
    tol=1e-10,
)
def split():
    errors = []
    for seed in range(5):
        r = rng(seed)
        K, d = 3, 2
        means, A = r.normal(size=(K, d)) * 2, r.normal(size=(K, d, d))
        S = A @ A.transpose(0, 2, 1) + 0.3 * np.eye(d)
        prior, logZ = r.dirichlet(np.ones(K)), r.normal() * 3
        x = r.normal(size=(50, d)) * 2
        joint = np.stack(
            [multivariate_normal(means[k], S[k]).logpdf(x) + np.log(prior[k]) for k in range(K)], 1
        )
        logits = joint + logZ  # a network with these logits implies this joint
        parts = [p * multivariate_normal(means[k], S[k]).pdf(x) for k, p in enumerate(prior)]
        marginal = np.log(np.sum(parts, 0))
        certainty = log_softmax(logits, axis=1)  # what the network says of the class
        errors.append(logits - certainty - marginal[:, None] - logZ)
        energy = densities.lse_energy(torch.from_numpy(logits)).numpy()
        errors.append(energy + marginal + logZ)
    return worst(*errors)


@claim(
    "eq:implicit:gauge-density",
    "prop:implicit:gauge",
    statement="f + g has the same softmax, loss and weight gradients; its marginal is e^(LSE + g) "
    "up to a factor; g = log q - LSE makes it q.",
    tol=1e-9,
)
def gauge():
    errors = []
    side = torch.linspace(-7, 7, 161, dtype=torch.float64)
    points, cell = torch.cartesian_prod(side, side), (side[1] - side[0]).item() ** 2
    for seed in range(4):
        r = rng(seed)
        layers, _ = relu_net(r, (2, 12, 3))
        net = torch_net(layers)
        x, y = torch.from_numpy(r.normal(size=(40, 2))), torch.from_numpy(r.integers(0, 3, 40))
        c = torch.from_numpy(r.uniform(-1, 1, size=2))

        def g(x, c=c):
            return (torch.sin(3 * x) - (x - c).square()).sum(1, keepdim=True)

        gradients = []
        for extra in (0.0, g(x)):
            logits = net(x) + extra
            loss = torch.nn.functional.cross_entropy(logits, y)
            flat = torch.cat([p.flatten() for p in torch.autograd.grad(loss, net.parameters())])
            gradients += [(logits.softmax(1).detach(), loss.detach(), flat)]
        errors += [(a - b).abs().max() for a, b in zip(*gradients, strict=True)]
        with torch.no_grad():
            f = net(points)
            lse = f.logsumexp(1)
            new = densities.implicit_density(f + g(points), cell)
            weight = (lse + g(points)[:, 0]).exp()
            errors.append((new.log_marginal.exp() - weight / (weight.sum() * cell)).abs().max())
            q = multivariate_normal(c.numpy(), np.diag([0.3, 0.5])).logpdf(points.numpy())
            q = torch.from_numpy(q)
            wanted = densities.implicit_density(f + (q - lse)[:, None], cell)
            errors.append((wanted.log_marginal - q).exp().sub(1).abs().max())
            errors.append((wanted.log_posterior - f.log_softmax(1)).abs().max())
    return worst(*[float(e) for e in errors])


@claim(
    "eq:implicit:gauge-linear",
    statement="For affine logits and g = -M|x - x0|^2 the maximiser (by BFGS) is x0 + w_k/(2M).",
    tol=1e-6,
)
def gauge_linear():
    errors = []
    for seed in range(8):
        r = rng(seed)
        d, M = int(r.integers(1, 6)), 10 ** r.uniform(-1, 2)
        w, x0 = r.normal(size=d), r.normal(size=d)
        found = minimize(
            lambda x, w=w, x0=x0, M=M: (M * (x - x0) @ (x - x0) - w @ x) / M,
            np.zeros(d),
            options={"gtol": 1e-10},
        )
        errors.append(found.x - x0 - w / (2 * M))
    return worst(*errors)


@claim(
    "eq:implicit:picture",
    "prop:implicit:picture",
    statement="Over a box the maximiser of f_k - M|x - x0|^2 is within L/(2M) of x0, L a Lipschitz "
    "constant of f_k: maxima of affine pieces (exact), ReLU networks (grid); linear f_k reach it.",
    tol=1e-12,
)
def picture():
    errors, reached = [], []
    for seed in range(40):  # max_j w_j'x + b_j: each piece has its own best point of the box
        r = rng(seed)
        d, M = int(r.integers(1, 5)), 10 ** r.uniform(-1, 2)
        W, b, x0 = r.normal(size=(6, d)), r.normal(size=6) / 5, r.uniform(0.2, 0.8, size=d)
        points = np.clip(x0 + W / (2 * M), 0, 1)
        values = (points @ W.T + b).max(1) - M * ((points - x0) ** 2).sum(1)
        reach = np.linalg.norm(points[values.argmax()] - x0)
        reached.append(reach * 2 * M / np.linalg.norm(W, axis=1).max())
        errors.append(max(0.0, reached[-1] - 1))
    errors.append(broken(max(reached) > 0.5))
    g = np.linspace(0, 1, 201)
    fine = math.sqrt(2) / 200  # a cell of the grid
    points = np.stack(np.meshgrid(g, g, indexing="ij"), -1).reshape(-1, 2)
    for seed in range(6):
        r = rng(seed)
        layers, net = relu_net(r, (2, 15, 15, 4))
        L = math.prod(np.linalg.norm(W, 2) for W, _ in layers)
        x0 = points[r.integers(len(points))]
        f = net(points)
        for M in (2.0, 20.0, 200.0):
            away = ((points - x0) ** 2).sum(1)
            best = points[(f - M * away[:, None]).argmax(0)]
            reach = np.linalg.norm(best - x0, axis=1)
            errors.append(broken((reach <= L / (2 * M) + fine).all()))
    for M in (2.0, 20.0, 200.0):  # a linear logit goes as far as any may
        w = M * np.array([0.18, -0.24])
        away = ((points - 0.5) ** 2).sum(1)
        reach = np.linalg.norm(points[(points @ w - M * away).argmax()] - 0.5)
        errors.append(broken(abs(reach - np.linalg.norm(w) / (2 * M)) < fine))
    return worst(*errors)


@claim(
    "eq:implicit:score",
    statement="∇ log p(x|k) = ∇f_k: differences of the log-density of a Gaussian, and of that "
    "which a net of finite integral implies on a grid.",
    tol=1e-7,
)
def score():
    errors = []
    for seed in range(4):
        r = rng(seed)
        mu, A = r.normal(size=2), r.normal(size=(2, 2))
        S = A @ A.T + 0.4 * np.eye(2)
        logpdf = multivariate_normal(mu, S).logpdf
        logit = lambda x, mu=mu, S=S: -(x - mu) @ np.linalg.solve(S, x - mu) / 2 + 7  # noqa: E731
        x = r.normal(size=2)
        errors.append(slope(logit, x) - slope(logpdf, x))
        found = densities.Gaussian(mu, S).score(torch.from_numpy(x)[None])[0].numpy()
        errors.append(found + np.linalg.solve(S, x - mu))
    g = torch.linspace(-9, 9, 18_001, dtype=torch.float64)
    for seed in range(3):
        layers, _ = relu_net(rng(seed), (1, 8, 3))
        net = torch.nn.Sequential(*(  # smooth, so that differences are slopes
            torch.nn.Tanh() if isinstance(m, torch.nn.ReLU) else m for m in torch_net(layers)
        ))  # fmt: skip
        x = g[:, None].clone().requires_grad_()
        f = net(x) - x.square() / 3
        implied = densities.implicit_density(f, g[1] - g[0]).log_conditional.detach().numpy()
        for k in range(3):
            (own,) = torch.autograd.grad(f[:, k].sum(), x, retain_graph=True)
            far, near = implied[4:, k] - implied[:-4, k], implied[3:-1, k] - implied[1:-3, k]
            errors.append((8 * near - far) / (12 * (g[1] - g[0]).item()) - own[2:-2, 0].numpy())
    return worst(*errors)
