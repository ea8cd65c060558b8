"""Claims of chapters/probability/bayes.md: the surest input, and saturation."""

import itertools

import numpy as np
import torch
from scipy.optimize import linprog
from scipy.special import log_softmax, logsumexp, softmax
from scipy.stats import norm

from actmax_lib import UnboundedProblemError
from actmax_lib.densities import GaussianClasses

from . import Check, claim
from .bayes import classes, spd
from .tools import broken, climb, rng, slope, worst


def _log_odds(x, means, sds, priors=(0.5, 0.5)):
    """log p(0, x) and log p(1, x) of two isotropic classes, but for a constant: (..., 2)."""
    d = means.shape[-1]
    away = ((x[..., None, :] - means) ** 2).sum(-1)
    return -away / (2 * sds**2) - d * np.log(sds) + np.log(priors)


@claim(
    "eq:bayes:overshoot",
    "prop:bayes:most-certain",
    statement="Two isotropic classes: p(narrow|x) is maximal at x† beyond the mean (BFGS), "
    "p(wide|x) and p(k|x) of a shared Σ come as near to 1 as you like and never reach a maximum; "
    "the instance (0, 0), (3, 0), sd 1 and 2.",
    tol=1e-5,
)
def most_certain():
    errors = []
    for seed, d in itertools.product(range(6), (1, 2, 5)):
        r = rng(seed)
        means, sds = r.normal(size=(2, d)) * 2, np.sort(r.uniform(0.5, 3, size=2))
        a, b = sds**2
        stated = (b * means[0] - a * means[1]) / (b - a)
        beyond = means[0] + a / (b - a) * (means[0] - means[1])

        priors = r.dirichlet([3.0, 3.0])

        def sure(x, k=0, means=means, sds=sds, priors=priors):
            return log_softmax(_log_odds(x, means, sds, priors))[k]

        def odds(x, means=means, sds=sds):
            joint = _log_odds(x, means, sds)
            return joint[0] - joint[1]  # rises with p(0|x), and does not saturate

        errors += [stated - beyond, climb(odds, means[0]) - stated]
        around = stated + r.normal(size=(50, d))
        errors.append(max(max(map(sure, around)) - sure(stated), 0))
        library = GaussianClasses(means, np.stack([s**2 * np.eye(d) for s in sds]), priors)
        errors.append(library.most_certain(0).numpy() - stated)
        for v in (*np.eye(d), *-np.eye(d)):  # the wide class: surer without end, any way you go
            far = [sure(means[1] + t * v, k=1) for t in (0, 50, 100, 1000)]
            errors.append(broken(far[-1] > -1e-9, far[1] > far[0] - 1e-9))
        errors.append(broken(_unbounded(library, 1)))
    for seed in range(6):
        means, covariances, priors, log_joint = classes(seed, shared=True, K=2)
        library = GaussianClasses(means, covariances[0], priors)
        errors.append(broken(_unbounded(library, 0), _unbounded(library, 1)))
        way = means[0] - means[1]
        on_ray = [log_softmax(log_joint(means[0] + t * way))[0] for t in range(8)]
        climbing = np.diff(on_ray)
        errors.append(broken((climbing[np.array(on_ray[:-1]) < -1e-12] > 0).all()))
    means, sds = np.array([[0.0, 0.0], [3.0, 0.0]]), np.array([1.0, 2.0])
    at = np.array([[0.0, 0.0], [-1.0, 0.0]])
    p = softmax(_log_odds(at, means, sds), axis=-1)[:, 0]
    loss = norm.logpdf(at).sum(1)
    errors.append(loss[0] - loss[1] - 0.5)
    return Check(worst(*errors), {"0.925": p[0], "0.947": p[1]})


def _unbounded(library, k):
    try:
        library.most_certain(k)
    except UnboundedProblemError:
        return True
    return False


def _in_relative_interior(target, points):
    """Is target a combination of the points with all weights positive? A linear program."""
    n = len(points)
    equal = np.vstack([np.c_[points.T, np.zeros(points.shape[1])], [*np.ones(n), 0]])
    least = np.c_[-np.eye(n), np.ones(n)]  # s <= c_j
    found = linprog([*np.zeros(n), -1], A_ub=least, b_ub=np.zeros(n), A_eq=equal,
                    b_eq=[*target, 1], bounds=[(0, 1)] * n + [(None, 1)])  # fmt: skip
    return found.status == 0 and -found.fun > 1e-9


@claim(
    "prop:bayes:hull",
    statement="Shared Σ: there is a most certain input iff μ_k is in the relative interior of the "
    "hull of the other means (a linear program), and then a search finds it.",
    tol=1e-6,
)
def hull():
    errors, seen = [], []
    corners = np.array([[2.0, 0], [-1, 2], [-1, -2]])
    for seed in range(12):
        r = rng(seed)
        weights = r.dirichlet(np.ones(3)) if seed % 3 else np.array([0.5, 0.5, 0.0])  # an edge
        inside = weights @ corners
        for own in (inside, 3 * inside + [0.1, 0.2]):
            means, S = np.vstack([own, corners]), spd(r, 2)
            library = GaussianClasses(means, S, r.dirichlet(np.full(4, 5.0)))
            exists = _in_relative_interior(own, corners)
            seen.append(exists)
            errors.append(broken(exists != _unbounded(library, 0)))
            if not exists:
                continue

            def sure(x, library=library):
                return library.log_posterior(torch.tensor(x[None]))[0, 0].item()

            found = climb(sure, own)
            best = library.most_certain(0).numpy()
            errors.append(max(sure(found) - sure(best), 0))
            # hollow valleys: the value is the test, the place only where it is well defined
            errors.append(min(np.abs(found - best).max(), 1) * 1e-2)
    return worst(*errors, broken(any(seen), not all(seen)))


def _network(seed, K=4, d=3):
    """A smooth network of random weights: logits (N, K)."""
    r = rng(seed)
    A, B = torch.tensor(r.normal(size=(d, 8))), torch.tensor(r.normal(size=(8, K)) * 2)
    return lambda x: torch.tanh(x @ A) @ B


@claim(
    "eq:bayes:gradient",
    "eq:bayes:gradient-bound",
    "eq:bayes:gradient-parts",
    "prop:bayes:saturation",
    statement="∇log p_k = Σ_j p_j(∇f_k - ∇f_j) by central differences; its norm is at most "
    "(1 - p_k) max_j |∇f_k - ∇f_j|; ∇f_k = ∇log p_k + Σ_j p_j ∇f_j; stable at logits of ±1e4.",
    tol=1e-6,
)
def gradient():
    errors, tight = [], 0.0
    for seed in range(8):
        net = _network(seed)
        x = torch.tensor(rng(seed).normal(size=3) * 2)
        jacobian = torch.func.jacrev(lambda v, net=net: net(v[None])[0])(x).numpy()
        f = net(x[None])[0].numpy()
        p = softmax(f)
        for k in range(4):
            stated = (p[:, None] * (jacobian[k] - jacobian)).sum(0)

            def log_p(v, k=k, net=net):
                return log_softmax(net(torch.tensor(v[None]))[0].numpy())[k]

            errors.append(slope(log_p, x.numpy()) - stated)
            bound = (1 - p[k]) * np.linalg.norm(jacobian[k] - jacobian, axis=1).max()
            errors.append(max(np.linalg.norm(stated) - bound, 0))
            tight = max(tight, np.linalg.norm(stated) / bound)
            marginal = slope(
                lambda v, net=net: logsumexp(net(torch.tensor(v[None]))[0].numpy()), x.numpy()
            )
            errors += [marginal - p @ jacobian, jacobian[k] - stated - marginal]
    huge = torch.tensor([[1e4, -1e4, 0.0]], dtype=torch.float64, requires_grad=True)
    (step,) = torch.autograd.grad(huge.log_softmax(1)[0, 1], huge)
    errors.append(step.numpy() - [[-1, 1, 0]])
    return worst(*errors, broken(tight > 0.9))
