"""What sheet 3 is judged by. Never handed out."""

from itertools import pairwise

import numpy as np
from scipy.special import log_softmax, logsumexp, softmax

from classroom.checks import check, close, refuses, unpack

# ---------------------------------------------------------------- 1. log-probability


def network(rng, scale=2.0):
    """Logits, Jacobian and a class."""
    K, d = rng.integers(2, 13), rng.integers(1, 21)
    return scale * rng.normal(size=K), rng.normal(size=(K, d)), int(rng.integers(K))


def gradient(f, J, k):
    """The gradient, 1 - p_k and the longest difference; exact also where 1 - p_k is tiny."""
    p, lead = softmax(f), J[k] - J
    return p @ lead, np.delete(p, k).sum(), np.linalg.norm(lead, axis=1).max()


@check("log-probability", points=2)
def the_gradient(logprob_grad, rng):
    """(a) The gradient is right for random logits and Jacobians."""
    for _ in range(20):
        f, J, k = network(rng)
        g, _ = unpack(logprob_grad(f, J, k), "g, bound")
        size = f"K = {len(f)}, d = {J.shape[1]}"
        assert close(g, gradient(f, J, k)[0]), f"g is not the gradient of log p_k ({size})"


@check("log-probability", points=1)
def huge_logits(logprob_grad, rng):
    """(a) Logits of 10000 and -10000 do no harm."""
    for sign in (1, -1, 0):
        f, J, k = network(rng)
        f = f + 1e4 * (sign if sign else rng.choice([-1, 1], len(f)))
        g, bound = unpack(logprob_grad(f, J, k), "g, bound")
        right, doubt, longest = gradient(f, J, k)
        assert close(g, right), "the gradient is wrong for logits of the size 10000"
        assert close(bound, doubt * longest), "the bound is wrong for logits of the size 10000"


@check("log-probability", points=1)
def a_sure_network(logprob_grad, rng):
    """(a) Eight digits are right where 1 - p_k is tiny."""
    for _ in range(10):
        f, J, k = network(rng)
        f[k] = logsumexp(f) + rng.uniform(30, 90)
        g, bound = unpack(logprob_grad(f, J, k), "g, bound")
        right, doubt, longest = gradient(f, J, k)
        where = f"where 1 - p_k is {doubt:.0e}"
        g = np.asarray(g) / doubt
        assert close(g, right / doubt), f"the gradient has lost its digits {where}"
        assert close(bound / doubt, longest), f"the bound has lost its digits {where}"


@check("log-probability", points=1)
def the_bound(logprob_grad, rng):
    """(a) The bound is right, and keeps its word."""
    for _ in range(20):
        f, J, k = network(rng)
        g, bound = unpack(logprob_grad(f, J, k), "g, bound")
        _, doubt, longest = gradient(f, J, k)
        assert close(bound, doubt * longest), f"the bound is wrong (K = {len(f)})"
        assert np.linalg.norm(g) <= bound + 1e-9, "the gradient is longer than the bound"


def group_gradient(f, J, group):
    """The gradient for a group that is not all classes."""
    own = np.isin(np.arange(len(f)), group)
    lead = softmax(f[own]) @ J[own] - softmax(f[~own]) @ J[~own]
    return lead * np.exp(logsumexp(f[~own]) - logsumexp(f))


@check("log-probability", points=2)
def a_group(logprob_grad_any, rng):
    """(b) The gradient of a group is right, for groups of one class and of several."""
    for trial in range(20):
        f, J, _ = network(rng)
        n = 1 if trial < 5 else rng.integers(1, len(f))
        group = [int(k) for k in rng.permutation(len(f))[:n]]
        g = logprob_grad_any(f, J, group)
        assert close(g, group_gradient(f, J, group)), (
            f"the gradient is wrong for {n} of {len(f)} classes"
        )


@check("log-probability", points=1)
def groups_at_the_ends(logprob_grad_any, rng):
    """(b) A group that has lost by 10000, one that has won, and all classes."""
    for _ in range(5):
        f, J = 2 * rng.normal(size=6), rng.normal(size=(6, 4))
        group = [int(k) for k in rng.permutation(6)[:3]]
        f[group] -= 1e4
        g = logprob_grad_any(f, J, group)
        assert close(g, group_gradient(f, J, group)), "wrong for a group that has lost by 10000"
        others = [k for k in range(6) if k not in group]
        g = logprob_grad_any(f, J, others)
        assert close(g, np.zeros(4)), "wrong for a group that leads by 10000"
        g = logprob_grad_any(f, J, list(range(6)))
        assert close(g, np.zeros(4)), "for all classes log p is 0 everywhere, and its gradient too"


# ---------------------------------------------------------------- 2. hybrid


def hybrid(rng):
    """A classifier and weights on a grid, with class probabilities far from uniform."""
    M, K, dx = int(rng.integers(20, 60)), int(rng.integers(2, 7)), float(rng.uniform(0.05, 0.4))
    post = softmax(2 * rng.normal(size=(M, K)) + rng.normal(size=K), axis=1)
    q = np.exp(rng.normal(size=M)) * rng.uniform(3, 9)
    return post, q, dx, post * (q / (q.sum() * dx))[:, None]


@check("hybrid", points=2)
def class_probabilities(hybrid_joint, rng):
    """(a) The class probabilities are right and add up to one."""
    for _ in range(10):
        post, q, dx, joint = hybrid(rng)
        q_k, _ = unpack(hybrid_joint(post, q, dx), "q_k, q_x_given_k")
        assert close(q_k, joint.sum(0) * dx), (
            f"q(k) is wrong; its sum is {np.sum(q_k):.6g} (K = {post.shape[1]})"
        )


@check("hybrid", points=2)
def class_densities(hybrid_joint, rng):
    """(a) The class densities integrate to one, and Bayes' rule holds."""
    for _ in range(10):
        post, q, dx, joint = hybrid(rng)
        q_k, given = unpack(hybrid_joint(post, q, dx), "q_k, q_x_given_k")
        assert np.shape(given) == post.shape, f"q(x|k) has the shape {np.shape(given)}"
        mass = np.sum(given, 0) * dx
        assert close(mass, np.ones(len(mass))), "a column of q(x|k) has not the integral one"
        assert close(given, joint / (joint.sum(0) * dx)), "q(x|k) is wrong"
        both = np.asarray(given) * np.asarray(q_k)
        assert close(both, joint, 1e-10), "q(x|k) q(k) is not p(k|x) q(x)"


@check("hybrid", points=1)
def no_such_joint(hybrid_joint, rng):
    """(a) Negative weights and impossible classes are refused, unlikely classes are not."""
    post, q, dx, _ = hybrid(rng)
    negative = np.where(np.arange(len(q)) == 3, -1e-3, q)
    refuses(ValueError, hybrid_joint, post, negative, dx)
    never = np.insert(post, 1, 0.0, axis=1)
    refuses(ValueError, hybrid_joint, never, q, dx)
    unseen = np.where(np.arange(len(q)) < 5, 0.0, q)
    refuses(ValueError, hybrid_joint, (unseen[:, None] == [0.0, -1.0]) * 1.0, q * 0, dx)
    rare = np.insert(post * (1 - 1e-12), 1, 1e-12, axis=1)
    q_k, given = unpack(hybrid_joint(rare, unseen, dx), "q_k, q_x_given_k")
    right = unseen / (unseen.sum() * dx)
    assert close(np.asarray(q_k)[1] * 1e12, 1.0), "q(k) is wrong for a very rare class"
    assert close(np.asarray(given)[:, 1], right), "q(x|k) is wrong for a very rare class"


@check("hybrid", points=3)
def three_scores(best_points, rng):
    """(b) The best points of the three scores are the right ones."""
    differ = 0
    while differ < 15:
        M, K = rng.integers(30, 80), rng.integers(2, 7)
        logits = 2 * rng.normal(size=(M, K)) + 4 * rng.normal(size=(M, 1))
        log_q, k = 2 * rng.normal(size=M) - rng.uniform(0, 9), int(rng.integers(K))
        certain = log_softmax(logits, axis=1)[:, k]
        scores = certain, certain + log_q, logits[:, k] + log_q
        right = [int(np.argmax(s)) for s in scores]
        if len(set(right)) < 3 or min(np.diff(np.sort(s)[-2:])[0] for s in scores) < 1e-6:
            continue
        differ += 1
        found = best_points(logits, log_q, k)
        assert np.shape(found) == (3,), "the answer should be three indices"
        names = ("most certain point", "mode of q(x|k)", "mode of the product of experts")
        for name, a, b in zip(names, found, right, strict=True):
            assert close(a, b), f"the {name} is a different one"


# ---------------------------------------------------------------- 3. implicit

PARTS = "log_Z, log_Zk, p_k, p_x, p_x_given_k"


def cells(rng):
    """Logits on cells of very different widths."""
    M, K = int(rng.integers(10, 60)), int(rng.integers(2, 7))
    return 2 * rng.normal(size=(M, K)) + rng.normal(size=K), np.exp(1.5 * rng.normal(size=M))


def density(logits, dx):
    """The five parts, by definition."""
    Zk = dx @ np.exp(logits)
    Z = Zk.sum()
    return np.log(Z), np.log(Zk), Zk / Z, np.exp(logits).sum(1) / Z, np.exp(logits) / Zk


@check("implicit", points=2)
def masses(implicit_density, rng):
    """The masses Z and Z_k are right, and those of a parabola are known."""
    for _ in range(10):
        logits, dx = cells(rng)
        log_Z, log_Zk, *_ = unpack(implicit_density(logits, dx), PARTS)
        right = density(logits, dx)
        assert close(log_Zk, right[1]), "log Z_k is wrong (cells of different widths)"
        assert close(log_Z, right[0]), "log Z is wrong"
    edges = np.sinh(np.linspace(-4, 4, 2001))
    x, w, b, lam = (edges[1:] + edges[:-1]) / 2, rng.normal(size=3), rng.normal(size=3), 0.5
    logits = x[:, None] * w + b - lam * x[:, None] ** 2
    _, log_Zk, *_ = unpack(implicit_density(logits, np.diff(edges)), PARTS)
    right = np.log(np.pi / lam) / 2 + b + w**2 / (4 * lam)
    assert close(log_Zk, right, 1e-4), "log Z_k is wrong for linear logits with a penalty"


@check("implicit", points=1)
def implied_class_probabilities(implicit_density, rng):
    """The class probabilities are those that the logits imply."""
    for _ in range(10):
        logits, dx = cells(rng)
        _, _, p_k, *_ = unpack(implicit_density(logits, dx), PARTS)
        assert close(p_k, density(logits, dx)[2]), "p(k) is wrong (cells of different widths)"


@check("implicit", points=2)
def densities(implicit_density, rng):
    """The densities integrate to one, and the softmax can be had back from them."""
    for _ in range(10):
        logits, dx = cells(rng)
        _, _, p_k, p_x, given = unpack(implicit_density(logits, dx), PARTS)
        right = density(logits, dx)
        assert np.shape(given) == logits.shape, f"p(x|k) has the shape {np.shape(given)}"
        mass = dx @ np.asarray(given)
        assert close(mass, np.ones(len(mass))), "a column of p(x|k) has not the integral one"
        assert close(p_x, right[3]), "p(x) is wrong (cells of different widths)"
        assert close(given, right[4]), "p(x|k) is wrong (cells of different widths)"
        post = np.asarray(given) * np.asarray(p_k) / np.asarray(p_x)[:, None]
        assert close(post, softmax(logits, axis=1)), "Bayes' rule does not give the softmax back"


@check("implicit", points=1)
def a_constant(implicit_density, rng):
    """A constant added to all logits changes log Z and log Z_k, by itself, and nothing else."""
    logits, dx = cells(rng)
    c = float(rng.uniform(2, 5))
    before = unpack(implicit_density(logits, dx), PARTS)
    after = unpack(implicit_density(logits + c, dx), PARTS)
    for name, a, b, shift in zip(PARTS.split(", "), after, before, (c, c, 0, 0, 0), strict=True):
        assert close(a, np.asarray(b) + shift), f"{name} changes wrongly with a constant"
        assert np.std(b) > 0 or name == "log_Z", f"{name} is all one number"


@check("implicit", points=2)
def extreme_logits(implicit_density, rng):
    """Logits around 800, -800, 10000 and -10000."""
    for shift in (800.0, -800.0, 1e4, -1e4):
        logits, dx = cells(rng)
        right = list(density(logits, dx))
        right[0], right[1] = right[0] + shift, right[1] + shift
        found = unpack(implicit_density(logits + shift, dx), PARTS)
        for name, a, b in zip(PARTS.split(", "), found, right, strict=True):
            assert close(a, b), f"{name} is wrong for logits around {shift:g}"
    logits, dx = cells(rng)
    logits[:, 0] -= 2000  # a class far below the others has a density, too
    _, log_Zk, _, _, given = unpack(implicit_density(logits, dx), PARTS)
    raised = density(logits + np.eye(logits.shape[1])[0] * 2000, dx)
    assert close(np.asarray(log_Zk)[0], raised[1][0] - 2000), "log Z_k of a hopeless class"
    assert close(np.asarray(given)[:, 0], raised[4][:, 0]), "p(x|k) of a hopeless class"


# ---------------------------------------------------------------- 4. far out


def relu_net(rng, d=None, last=None):
    """Layers with biases that matter; `last` multiplies the absolute last weights by a sign."""
    d = int(rng.integers(1, 21)) if d is None else d
    sizes = [d, *rng.integers(3, 13, rng.integers(1, 4)), rng.integers(1, 5)]
    layers = [
        (rng.normal(size=(m, n)) / np.sqrt(n), 3 * rng.normal(size=m)) for n, m in pairwise(sizes)
    ]
    if last is not None:
        layers[-1] = (last * np.abs(layers[-1][0]), layers[-1][1])
    return layers


def outputs(layers, x):
    for W, b in layers[:-1]:
        x = np.maximum(x @ W.T + b, 0)
    return x @ layers[-1][0].T + layers[-1][1]


def slopes_of(layers, x):
    return outputs([(W, 0 * b) for W, b in layers], x)


def said(answer):
    """True, False, None, or an assertion in words."""
    plain = answer is None or isinstance(answer, bool | np.bool_)
    assert plain, f"the answer should be True, False or None, not {type(answer).__name__}"
    return answer if answer is None else bool(answer)


@check("far-out", points=3)
def slopes_far_out(asymptotic_slope, rng):
    """(a) The slopes are those of the network far out, on every ray and at every length."""
    for _ in range(12):
        layers = relu_net(rng)
        x = rng.normal(size=(7, layers[0][0].shape[1])) * rng.uniform(0.3, 3, (7, 1))
        a, t = asymptotic_slope(layers, x), 1e6
        shape = (7, len(layers[-1][1]))
        assert np.shape(a) == shape, f"the shape should be {shape}, not {np.shape(a)}"
        far = (outputs(layers, 2 * t * x) - outputs(layers, t * x)) / t
        assert close(a, far, 1e-6), "the network has other slopes far out"
        assert close(a, slopes_of(layers, x)), "the slopes are right to a few digits only"
    affine = [(rng.normal(size=(2, 4)), rng.normal(size=2))]
    x = rng.normal(size=(5, 4))
    assert close(asymptotic_slope(affine, x), x @ affine[0][0].T), "wrong for a single layer"


@check("far-out", points=2)
def what_directions_prove(is_normalisable, rng):
    """(b) One rising logit in one direction refutes; falling directions leave it open."""
    wanted = {"open": 6, "rises": 3, "rises, but not on average": 5}
    while any(wanted.values()):
        layers = relu_net(rng, d=int(rng.integers(2, 8)), last=-1)
        W, b = layers[-1]
        if rng.random() < 0.7:  # one class may rise
            W = np.where(np.arange(len(W))[:, None] == rng.integers(len(W)), rng.normal() - W, W)
            layers[-1] = (W * rng.choice([-0.3, 1], W.shape, p=[0.2, 0.8]), b)
        dirs = rng.normal(size=(rng.integers(1, 7), layers[0][0].shape[1]))
        dirs = dirs * rng.uniform(0.1, 10, (len(dirs), 1))
        a = slopes_of(layers, dirs)
        kind = "open" if (a <= 0).all() else "rises"
        if kind == "rises" and (a.mean(0) < -1e-6).all():
            kind = "rises, but not on average"
        if ((np.abs(a) < 1e-6) & (a != 0)).any() or not wanted[kind]:
            continue
        wanted[kind] -= 1
        right = None if kind == "open" else False
        answer = said(is_normalisable(layers, dirs, 0.0))
        share = f"{(a > 0).sum()} of {a.size} slopes are positive, d = {dirs.shape[1]}"
        assert answer is right, f"{share}, and you answer {answer}"
    off = [(-np.ones((3, 2)), np.ones(3)), (np.ones((1, 3)), np.ones(1))]
    answer = said(is_normalisable(off, np.array([[1.0, 2.0]]), 0.0))
    assert answer is None, f"a slope that is exactly zero, d = 2: you answer {answer}"


@check("far-out", points=1)
def the_penalty(is_normalisable, rng):
    """(b) A penalty makes every density exist, however weak; without one a rising ray refutes."""
    for lam in (1e-6, 0.1, 10.0):
        dirs = rng.normal(size=(40, 3))
        for last, without in ((1, False), (-1, None)):
            layers = relu_net(rng, d=3, last=last)
            answer = said(is_normalisable(layers, dirs, lam))
            assert answer is True, f"with the penalty {lam:g} you answer {answer}"
            if last < 0 or (slopes_of(layers, dirs) > 1e-6).any():
                answer = said(is_normalisable(layers, dirs, 0.0))
                assert answer is without, f"wrong without the penalty: you answer {answer}"
        both, sides = np.array([[0.5], [-2.0]]), (np.array([[1.0], [-1.0]]), rng.normal(size=2))
        for slopes in ([1.0, 2.0], [-1.0, 2.0], [-1.0, 0.0], [-1.0, -2.0]):
            layers = [sides, (np.array([slopes]), rng.normal(size=1))]
            for dirs in (both, both[:1]):
                answer = said(is_normalisable(layers, dirs, lam))
                assert answer is True, f"d = 1: with the penalty {lam:g} you answer {answer}"


@check("far-out", points=2)
def the_line(is_normalisable, rng):
    """(b) On the line two directions are all there are."""
    for _ in range(5):
        lengths = rng.uniform(0.2, 5, (4, 1))
        both = lengths * np.array([[1.0], [1.0], [-1.0], [1.0]])
        sides = np.array([[1.0], [-1.0]]), 3 * rng.normal(size=2)
        falls = -rng.uniform(0.1, 2, (2, 2))
        flat, rises = falls * [1, 0], falls * [1, -1]
        for last, dirs, right, what in (
            (falls, both, True, "falls on both sides"),
            (falls, lengths, None, "falls to the right, and the left is not among the directions"),
            (falls, -lengths, None, "falls to the left, and the right is not among the directions"),
            (flat, both, False, "falls on one side and is level on the other"),
            (flat, -lengths, False, "is level to the left"),
            (rises, both, False, "falls on one side and rises on the other"),
        ):
            layers = [sides, (last, rng.normal(size=2))]
            answer = said(is_normalisable(layers, dirs, 0.0))
            assert answer is right, f"d = 1: f {what}, and you answer {answer}"


# ---------------------------------------------------------------- 5. gauge


def linear(rng):
    """W, b, x_t and M."""
    K, d = rng.integers(2, 8), rng.integers(1, 21)
    M = float(10 ** rng.uniform(0, 3))
    return rng.normal(size=(K, d)), rng.normal(size=K), 2 * rng.normal(size=d), M


@check("gauge", points=2)
def the_same_classifier(gauge_attack, rng):
    """(a) The twin has the same softmax, and is pulled to the target."""
    for _ in range(8):
        W, b, x_t, M = linear(rng)
        x = x_t + 3 * rng.normal(size=(30, len(x_t)))
        twin = gauge_attack(W, b, x_t, M, x)
        assert np.shape(twin) == (30, len(W)), f"the logits have the shape {np.shape(twin)}"
        same = close(softmax(twin, axis=1), softmax(x @ W.T + b, axis=1), 1e-9)
        assert same, "the twin has another softmax"
        far = x_t + 1e3 * rng.normal(size=(5, len(x_t)))
        pulled = np.max(gauge_attack(W, b, x_t, M, far)) < np.min(
            gauge_attack(W, b, x_t, M, x_t[None])
        )
        assert pulled, "some class prefers a far point to the target"


@check("gauge", points=2)
def any_picture(gauge_attack, rng):
    """(a) Every class has its maximum at the promised distance from the target."""
    for _ in range(4):
        W, b, x_t, M = linear(rng)
        way = rng.normal(size=(40, len(x_t)))
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        for k, w in enumerate(W):
            r = np.linalg.norm(w) / (2 * M)
            ball = x_t + np.linspace(0, 1, 41)[:, None] * w / (2 * M)
            steps = np.geomspace(1.03, 1e4, 40)[:, None]
            outside = x_t + r * np.concatenate([steps * way, steps * w / (2 * M * r)])
            twin = np.asarray(gauge_attack(W, b, x_t, M, np.concatenate([ball, outside])))
            assert twin.shape == (121, len(W)), f"the logits have the shape {twin.shape}"
            best = int(twin[:, k].argmax())
            assert best < 41, f"class {k} has a better point farther from the target"
            assert best > 38, f"class {k} has a better point nearer to the target"


@check("gauge", points=2)
def a_density_on_order(gauge_to_density, rng):
    """(b) The twin's density is q, and its softmax the old one, for large logits too."""
    for shift in (0.0, 0.0, 1e4, -1e4):
        n, K = rng.integers(5, 30), rng.integers(2, 9)
        f = 2 * rng.normal(size=(n, K)) + 3 * rng.normal(size=(n, 1)) + shift
        log_q = 2 * rng.normal(size=n) - 3
        twin = gauge_to_density(f, log_q)
        size = f"logits around {shift:g}"
        assert np.shape(twin) == (n, K), f"the logits have the shape {np.shape(twin)}"
        assert close(logsumexp(twin, axis=1), log_q), f"the implied density is not q ({size})"
        same = close(softmax(twin, axis=1), softmax(f, axis=1))
        assert same, f"the twin has another softmax ({size})"


# ---------------------------------------------------------------- 6. three answers

ANSWERS = "typical, certain, regularized"


def covariance(rng, d, low=0.5, high=2.0):
    turn = np.linalg.qr(rng.normal(size=(d, d)))[0]
    return (turn * rng.uniform(low, high, d)) @ turn.T


def ask(three_answers, k, own, other, P):
    """The three answers for class k, whose mean and covariance are `own`."""
    pairs = (*own, *other) if k == 1 else (*other, *own)
    return unpack(three_answers(*pairs, k, P), ANSWERS)


def certain_of(own, other):
    """The most certain input of a class that is narrower in every direction."""
    (m, S), (n, T) = own, other
    A = np.linalg.inv(S) - np.linalg.inv(T)
    return np.linalg.solve(A, np.linalg.solve(S, m) - np.linalg.solve(T, n))


def nearly_as_wide(rng, gap):
    """Two classes, the first one narrower by `gap` in one direction and by more in others."""
    S, turn = covariance(rng, 8, 1.0, 1.5), np.linalg.qr(rng.normal(size=(8, 8)))[0]
    T = S + (turn * np.append(rng.uniform(0.5, 2, 7), gap)) @ turn.T
    m = rng.normal(size=8)
    return (m, S), (m + 0.3 * rng.normal(size=8), (T + T.T) / 2)


def log_odds(x, own, other):
    def half(mean, S):
        return np.einsum("...i,ij,...j", x - mean, np.linalg.inv(S), x - mean) / 2

    return half(*other) - half(*own)


@check("three-answers", points=2)
def typical_and_regularized(three_answers, rng):
    """The most typical answer, and the regularized one for random and for special priors."""
    for trial in range(10):
        d, k = int(rng.integers(1, 9)), 1 + trial % 2
        own, other = ((rng.normal(size=d), covariance(rng, d)) for _ in range(2))
        P = covariance(rng, d)
        typical, _, regularized = ask(three_answers, k, own, other, P)
        assert close(typical, own[0]), f"the maximiser of p(x|k) is wrong (k = {k})"
        w = np.linalg.solve(own[1], own[0])
        assert close(regularized, P @ w), f"the regularized answer is wrong (d = {d})"
        back = ask(three_answers, k, own, other, own[1])[2]
        assert close(back, own[0]), "the regularized answer is wrong for P = the covariance"


@check("three-answers", points=2)
def beyond_the_mean(three_answers, rng):
    """The most certain input of a round narrow class lies beyond its mean."""
    for trial in range(10):
        d, k = int(rng.integers(1, 9)), 1 + trial % 2
        s = rng.uniform(0.3, 1)
        t = s * rng.uniform(1.5, 5)
        own, other = (rng.normal(size=d), s * np.eye(d)), (rng.normal(size=d), t * np.eye(d))
        certain = ask(three_answers, k, own, other, np.eye(d))[1]
        assert certain is not None, "a narrow class has a most certain input"
        assert close(certain, certain_of(own, other)), f"another x is more certain (d = {d})"
    one, two = (np.zeros(2), np.eye(2)), (np.array([3.0, 0.0]), 4 * np.eye(2))
    certain = ask(three_answers, 1, one, two, np.eye(2))[1]
    assert close(certain, [-1.0, 0.0]), "the example of the book is wrong"


@check("three-answers", points=2)
def narrower_in_every_direction(three_answers, rng):
    """The most certain input for covariances of any shape."""
    for trial in range(10):
        d, k = int(rng.integers(2, 9)), 1 + trial % 2
        S = covariance(rng, d)
        own = rng.normal(size=d), S
        other = rng.normal(size=d), S + covariance(rng, d)
        certain = ask(three_answers, k, own, other, np.eye(d))[1]
        assert certain is not None, "class k is narrower in every direction: there is one"
        assert np.shape(certain) == (d,), f"its shape is {np.shape(certain)}"
        near = certain + rng.normal(size=(50, d)) * 10.0 ** rng.uniform(-2, 2, (50, 1))
        best = log_odds(np.asarray(certain), own, other)
        assert (log_odds(near, own, other) < best).all(), f"another x is more certain (d = {d})"
        assert close(certain, certain_of(own, other)), "the most certain input is not exact"
    for k in (1, 2):  # narrower by 1/200 in one direction, and by more in all others
        own, other = nearly_as_wide(rng, 0.005)
        certain = ask(three_answers, k, own, other, np.eye(8))[1]
        assert certain is not None, "class k is a little narrower in one direction: there is one"
        assert close(certain, certain_of(own, other)), "not exact where it is little narrower"


@check("three-answers", points=2)
def no_most_certain_input(three_answers, rng):
    """None for a shared covariance, a wide class, and one that is narrow in some directions."""
    for trial in range(6):
        d, k = int(rng.integers(2, 9)), 1 + trial % 2
        m, n, S = rng.normal(size=d), rng.normal(size=d), covariance(rng, d)
        wider = S + covariance(rng, d)
        turn = np.linalg.qr(rng.normal(size=(d, d)))[0]
        widths = rng.uniform(2, 4, d)
        widths[-1] = 0.5
        mixed = (turn * widths) @ turn.T  # wider than the identity in all directions but one
        straight = np.diag(widths)
        for what, own, other in (
            ("a shared covariance", (m, S), (n, S)),
            ("a wide class", (m, wider), (n, S)),
            ("a class that is wider in one direction", (m, np.eye(d)), (n, mixed)),
            ("a class that is wider in one direction", (m, np.eye(d)), (n, straight)),
            ("a class that is narrower in one direction", (m, mixed), (n, np.eye(d))),
        ):
            certain = ask(three_answers, k, own, other, np.eye(d))[1]
            assert certain is None, f"{what} has no most certain input (k = {k})"
        certain = ask(three_answers, k, (m, S), (n, wider), np.eye(d))[1]
        right = certain_of((m, S), (n, wider))
        assert close(certain, right), "a class that is narrower in every direction has one"
    for k in (1, 2):
        certain = ask(three_answers, k, *nearly_as_wide(rng, -0.005), np.eye(8))[1]
        assert certain is None, "a class that is a little wider in one direction has none"


# ---------------------------------------------------------------- 7. gamma


def objective(x, mu, sigma, pi, k, gamma):
    joint = np.log(pi) - (x[:, None] - mu) ** 2 / (2 * sigma**2)
    return joint[:, k] + (gamma - 1) * logsumexp(joint, axis=1)


def best_x(mu, sigma, pi, k, gamma):
    """The global maximiser on a grid, refined; and its lead over any other hill."""
    ends = (mu[k] + (gamma - 1) * np.array([mu.min(), mu.max()])) / gamma
    x = np.linspace(ends.min() - sigma, ends.max() + sigma, 20001)
    value = objective(x, mu, sigma, pi, k, gamma)
    inner = value[1:-1]
    hills = np.sort(inner[(inner > value[:-2]) & (inner > value[2:])])
    lead = np.inf if len(hills) < 2 else hills[-1] - hills[-2]
    at, step = x[value.argmax()], x[1] - x[0]
    for _ in range(2):
        fine = at + np.linspace(-step, step, 401)
        at, step = fine[objective(fine, mu, sigma, pi, k, gamma).argmax()], step / 200
    return at, lead


def line(rng, K=None):
    """Classes on the line in any order, neighbours one to three sigma apart."""
    K = int(rng.integers(2, 6)) if K is None else K
    sigma = float(rng.uniform(0.5, 2))
    mu = rng.normal() + sigma * np.cumsum(rng.uniform(1, 3, K))
    return rng.permutation(mu), sigma, rng.dirichlet(np.full(K, 4.0)) * 0.8 + 0.2 / K


def agree(gamma_path, rng, gammas, trials):
    while trials:
        mu, sigma, pi = line(rng)
        k = int(rng.integers(len(mu)))
        right = [best_x(mu, sigma, pi, k, gamma) for gamma in gammas]
        if min(lead for _, lead in right) < 1e-3:
            continue  # the sheet promises that there are no ties
        trials -= 1
        path = gamma_path(mu, sigma, pi, k, np.array(gammas))
        assert np.shape(path) == (len(gammas),), "one number for each weight"
        for gamma, x, (expected, _) in zip(gammas, path, right, strict=True):
            fine = close(x, expected, 1e-4)
            assert fine, f"not the maximiser for the weight {gamma:g} (K = {len(mu)})"


@check("gamma", points=1)
def the_prototype(gamma_path, rng):
    """At weight one the answer is the mean of the class; on either side it is surer or commoner."""
    for _ in range(6):
        mu, sigma, pi = line(rng)
        for k in range(len(mu)):
            path = gamma_path(mu, sigma, pi, k, np.array([0.4, 1.0, 3.0]))
            assert np.shape(path) == (3,), "one number for each weight"
            path = np.asarray(path)
            assert close(path[1], mu[k], 1e-4), f"not the mean of the class (K = {len(mu)})"
            log_p = objective(path, mu, sigma, pi, k, 2) - objective(path, mu, sigma, pi, k, 1)
            sure = objective(path, mu, sigma, pi, k, 0)
            assert (np.diff(log_p) > -1e-6).all(), "a greater weight gives a rarer input"
            assert (np.diff(sure) < 1e-6).all(), "a smaller weight gives a less certain input"
            if mu[k] in (mu.min(), mu.max()):
                assert abs(path[2] - path[0]) > 1e-3 * sigma, "an outer class does not move at all"


@check("gamma", points=1)
def the_table(gamma_path):
    """Two equal classes, weights from 0.05 to 100."""
    gammas = np.array([0.05, 0.25, 0.5, 1, 2, 10, 100])
    right = np.array([-0.87431, -0.36640, -0.17434, 0, 0.15605, 0.44856, 0.71791])
    mu, half = np.array([0.0, 2.0]), np.full(2, 0.5)
    assert close(gamma_path(mu, 1.0, half, 0, gammas), right, 1e-4), "a value is wrong"
    moved = gamma_path(4 - 3 * mu, 3.0, half, 0, gammas)
    assert close(moved, 4 - 3 * right, 1e-4), "wrong after a change of units and a reflection"


@check("gamma", points=2)
def towards_certainty(gamma_path, rng):
    """Weights below one, classes of different probability."""
    agree(gamma_path, rng, (0.05, 0.2, 0.6, 0.9), 8)


@check("gamma", points=3)
def towards_the_commonest(gamma_path, rng):
    """Weights above one, and a rare class whose path jumps."""
    agree(gamma_path, rng, (1.3, 2.0, 7.0, 100.0), 8)
    for side in (1.0, -1.0):
        sigma, rare = rng.uniform(0.5, 2), rng.uniform(0.05, 0.15)
        mu = np.array([0.0, side * 4 * sigma]) + rng.normal()
        pi = np.array([rare, 1 - rare])
        (x,) = gamma_path(mu, sigma, pi, 0, np.array([50.0]))
        right, _ = best_x(mu, sigma, pi, 0, 50.0)
        assert close(x, right, 1e-4), "not the global maximum of a rare class, for a large weight"


@check("gamma", points=3)
def no_weight(gamma_path, rng):
    """At weight zero: None for an outer class, the most certain input for one in between."""
    for _ in range(6):
        mu, sigma, pi = line(rng, int(rng.integers(3, 6)))
        order = np.argsort(mu)
        for k in (order[0], order[-1]):
            path = gamma_path(mu, sigma, pi, int(k), np.array([0.0, 1.0]))
            assert np.shape(path) == (2,), "one answer for each weight"
            assert close(path[1], mu[k], 1e-4), "wrong at weight one"
            assert path[0] is None, "an outer class has no most certain input"
        k = int(order[1])
        path = gamma_path(mu, sigma, pi, k, np.array([0.0]))
        assert np.shape(path) == (1,), "one answer for each weight"
        assert path[0] is not None, "a class in between has one"
        low, high = mu.min() - 50 * sigma, mu.max() + 50 * sigma
        for _ in range(100):
            x = (low + high) / 2
            m = softmax(np.log(pi) - (x - mu) ** 2 / (2 * sigma**2)) @ mu
            low, high = (x, high) if m < mu[k] else (low, x)
        assert close(path[0], low, 1e-4), f"another x is more certain (K = {len(mu)})"
