"""Wrong answers to sheet 3, each with the check that rejects it."""

import numpy as np
from scipy.optimize import brentq, minimize
from scipy.special import log_softmax, logsumexp, softmax

from classroom.mutants import mutant

# ---------------------------------------------------------------- 1. log-probability


def parts(f, J, k):
    p, lead = softmax(f), J[k] - J
    return p, lead, np.delete(p, k).sum(), np.linalg.norm(lead, axis=1).max()


@mutant("logprob_grad", by="the_gradient", slip="returns the gradient of the logit", listed=True)
def gradient_of_the_logit(f, J, k):
    _, _, doubt, longest = parts(f, J, k)
    return J[k], doubt * longest


@mutant("logprob_grad", by="huge_logits", slip="exponentiates large logits", listed=True)
def literal_softmax(f, J, k):
    with np.errstate(all="ignore"):
        p = np.exp(f) / np.exp(f).sum()
        lead = J[k] - J
        return p @ lead, np.delete(p, k).sum() * np.linalg.norm(lead, axis=1).max()


@mutant(
    "logprob_grad",
    by="the_gradient",
    slip="leaves out the factor 1 - p_k: averages over the other classes only",
    listed=True,
)
def without_the_doubt(f, J, k):
    p, lead, doubt, longest = parts(f, J, k)
    return p @ lead / doubt, doubt * longest


@mutant(
    "logprob_grad",
    by="the_gradient",
    slip="leaves out the factors p_j: all other classes count alike",
    listed=True,
)
def without_the_weights(f, J, k):
    _, lead, doubt, longest = parts(f, J, k)
    return doubt * lead.sum(0) / (len(f) - 1), doubt * longest


@mutant("logprob_grad", by="the_gradient", slip="has the sign of the gradient wrong")
def downhill(f, J, k):
    p, lead, doubt, longest = parts(f, J, k)
    return -p @ lead, doubt * longest


@mutant("logprob_grad", by="the_gradient", slip="gives the gradient of p_k, not of its logarithm")
def of_the_probability(f, J, k):
    p, lead, doubt, longest = parts(f, J, k)
    return p[k] * (p @ lead), doubt * longest


@mutant("logprob_grad", by="a_sure_network", slip="takes differences in which all digits cancel")
def cancelling(f, J, k):
    p, _, doubt, longest = parts(f, J, k)
    return J[k] - p @ J, doubt * longest


@mutant("logprob_grad", by="a_sure_network", slip="writes the doubt as 1 - p[k], which rounds to 0")
def rounded_doubt(f, J, k):
    p, lead, _, longest = parts(f, J, k)
    return p @ lead, (1 - p[k]) * longest


@mutant("logprob_grad", by="the_bound", slip="puts p_k in the place of 1 - p_k in the bound")
def bound_with_p(f, J, k):
    p, lead, _, longest = parts(f, J, k)
    return p @ lead, p[k] * longest


@mutant("logprob_grad", by="the_bound", slip="returns the length of the gradient as its own bound")
def bound_is_the_length(f, J, k):
    p, lead, *_ = parts(f, J, k)
    return p @ lead, np.linalg.norm(p @ lead)


@mutant("logprob_grad", by="the_bound", slip="takes the longest gradient, not difference")
def bound_of_gradients(f, J, k):
    p, lead, doubt, _ = parts(f, J, k)
    return p @ lead, doubt * np.linalg.norm(J, axis=1).max()


@mutant("logprob_grad_any", by="a_group", slip="adds up the single gradients of the group")
def sum_of_gradients(f, J, group):
    return sum(softmax(f) @ (J[k] - J) for k in group)


@mutant("logprob_grad_any", by="a_group", slip="averages the single gradients without weights")
def mean_of_gradients(f, J, group):
    return np.mean([softmax(f) @ (J[k] - J) for k in group], axis=0)


@mutant("logprob_grad_any", by="a_group", slip="takes the best class of the group for the group")
def best_of_the_group(f, J, group):
    k = max(group, key=lambda j: f[j])
    own = np.isin(np.arange(len(f)), group)
    return np.zeros(J.shape[1]) if own.all() else softmax(f) @ (J[k] - J)


@mutant("logprob_grad_any", by="groups_at_the_ends", slip="divides by a p_S that has underflowed")
def lost_group_is_nan(f, J, group):
    p = softmax(f)
    with np.errstate(all="ignore"):
        return p[group] @ J[group] / p[group].sum() - p @ J


# ---------------------------------------------------------------- 2. hybrid


def checked(post, q, dx):
    """The unnormalised joint, or the error."""
    joint = post * q[:, None]
    if (q < 0).any() or (joint.sum(0) <= 0).any():
        raise ValueError("no such joint")
    return joint


@mutant("hybrid_joint", by="class_densities", slip="forgets dx in the integral", listed=True)
def without_dx(post, q, dx):
    joint = checked(post, q, dx)
    return joint.sum(0) / joint.sum(), joint / joint.sum(0)


@mutant("hybrid_joint", by="class_probabilities", slip="takes uniform class priors", listed=True)
def uniform_prior(post, q, dx):
    joint = checked(post, q, dx)
    return np.full(post.shape[1], 1 / post.shape[1]), joint / (joint.sum(0) * dx)


@mutant("hybrid_joint", by="class_densities", slip="normalises rows, not columns", listed=True)
def rows(post, q, dx):
    joint = checked(post, q, dx)
    return joint.sum(0) / joint.sum(), joint / joint.sum(1, keepdims=True)


@mutant("hybrid_joint", by="class_probabilities", slip="takes the weights for a density")
def weights_as_density(post, q, dx):
    joint = checked(post, q, dx)
    return joint.sum(0) * dx, joint / (joint.sum(0) * dx)


@mutant("hybrid_joint", by="class_probabilities", slip="averages p(k|x) over the grid, without q")
def grid_average(post, q, dx):
    joint = checked(post, q, dx)
    return post.mean(0), joint / (joint.sum(0) * dx)


@mutant("hybrid_joint", by="class_densities", slip="normalises p(k|x) over x, without q")
def posterior_as_density(post, q, dx):
    joint = checked(post, q, dx)
    return joint.sum(0) / joint.sum(), post / (post.sum(0) * dx)


@mutant("hybrid_joint", by="no_such_joint", slip="divides by zero for an impossible class")
def no_error(post, q, dx):
    if (q < 0).any():
        raise ValueError("negative")
    joint = post * q[:, None]
    with np.errstate(all="ignore"):
        return joint.sum(0) / joint.sum(), joint / (joint.sum(0) * dx)


@mutant("hybrid_joint", by="no_such_joint", slip="accepts negative weights")
def negative_weights(post, q, dx):
    joint = post * q[:, None]
    if (joint.sum(0) <= 0).any():
        raise ValueError("impossible")
    return joint.sum(0) / joint.sum(), joint / (joint.sum(0) * dx)


@mutant("best_points", by="three_scores", slip="adds log q to the logit for the prototype")
def counted_twice(logits, log_q, k):
    twice = int(np.argmax(logits[:, k] + log_q))
    return int(np.argmax(log_softmax(logits, axis=1)[:, k])), twice, twice


@mutant("best_points", by="three_scores", slip="takes the logit for the certainty")
def logit_as_certainty(logits, log_q, k):
    scores = logits[:, k], log_softmax(logits, axis=1)[:, k] + log_q, logits[:, k] + log_q
    return tuple(int(s.argmax()) for s in scores)


@mutant("best_points", by="three_scores", slip="normalises the logits over x, not over classes")
def softmax_over_x(logits, log_q, k):
    certain = log_softmax(logits, axis=0)[:, k]
    return tuple(int(s.argmax()) for s in (certain, certain + log_q, logits[:, k] + log_q))


@mutant("best_points", by="three_scores", slip="multiplies the log-probability by log q")
def product_of_logs(logits, log_q, k):
    certain = log_softmax(logits, axis=1)[:, k]
    return tuple(int(s.argmax()) for s in (certain, certain * log_q, logits[:, k] * log_q))


# ---------------------------------------------------------------- 3. implicit


def five(logits, dx):
    log_Zk = logsumexp(logits + np.log(dx)[:, None], axis=0)
    log_Z = logsumexp(log_Zk)
    p_x = np.exp(logsumexp(logits, axis=1) - log_Z)
    return log_Z, log_Zk, np.exp(log_Zk - log_Z), p_x, np.exp(logits - log_Zk)


@mutant(
    "implicit_density",
    by="implied_class_probabilities",
    slip="says p(k) = 1/K, as if it could be chosen",
    listed=True,
)
def uniform_classes(logits, dx):
    log_Z, log_Zk, p_k, p_x, given = five(logits, dx)
    return log_Z, log_Zk, np.full_like(p_k, 1 / len(p_k)), p_x, given


@mutant("implicit_density", by="densities", slip="takes the softmax over x for p(x|k)", listed=True)
def softmax_of_cells(logits, dx):
    return *five(logits, dx)[:4], softmax(logits, axis=0)


@mutant("implicit_density", by="extreme_logits", slip="exponentiates the logits", listed=True)
def overflow(logits, dx):
    with np.errstate(all="ignore"):
        Zk = dx @ np.exp(logits)
        Z = Zk.sum()
        return np.log(Z), np.log(Zk), Zk / Z, np.exp(logits).sum(1) / Z, np.exp(logits) / Zk


@mutant("implicit_density", by="densities", slip="takes p(k|x) for p(x|k)")
def posterior_for_conditional(logits, dx):
    return *five(logits, dx)[:4], softmax(logits, axis=1)


@mutant("implicit_density", by="masses", slip="forgets the widths of the cells")
def without_widths(logits, dx):
    return five(logits, np.ones_like(dx))


@mutant("implicit_density", by="masses", slip="takes the mean width for all cells")
def mean_width(logits, dx):
    return five(logits, np.full_like(dx, dx.mean()))


@mutant("implicit_density", by="densities", slip="averages p(x|k) with equal weights to get p(x)")
def unweighted_marginal(logits, dx):
    log_Z, log_Zk, p_k, _, given = five(logits, dx)
    return log_Z, log_Zk, p_k, given.mean(1), given


@mutant("implicit_density", by="densities", slip="returns masses of cells in place of densities")
def masses_of_cells(logits, dx):
    log_Z, log_Zk, p_k, p_x, given = five(logits, dx)
    return log_Z, log_Zk, p_k, p_x * dx, given * dx[:, None]


@mutant("implicit_density", by="masses", slip="adds the logarithms of Z_k up to log Z")
def sum_of_logs(logits, dx):
    _, log_Zk, p_k, p_x, given = five(logits, dx)
    return log_Zk.sum(), log_Zk, p_k, p_x, given


@mutant("implicit_density", by="a_constant", slip="subtracts the largest logit and leaves it out")
def shift_lost(logits, dx):
    return five(logits - logits.max(), dx)


@mutant(
    "implicit_density",
    by="extreme_logits",
    slip="subtracts one largest logit from all classes: a class far below the others vanishes",
)
def one_shift(logits, dx):
    top = logits.max()
    with np.errstate(all="ignore"):
        e = np.exp(logits - top)
        Zk = dx @ e
        Z = Zk.sum()
        return np.log(Z) + top, np.log(Zk) + top, Zk / Z, e.sum(1) / Z, e / Zk


# ---------------------------------------------------------------- 4. far out


def forward(params, x, keep=0.0):
    for W, b in params[:-1]:
        x = np.maximum(x @ W.T + keep * b, 0)
    return x @ params[-1][0].T + keep * params[-1][1]


def both_sides(dirs):
    return len(np.unique(np.sign(dirs))) == 2


@mutant("asymptotic_slope", by="slopes_far_out", slip="keeps the biases", listed=True)
def with_biases(params, x):
    return forward(params, x, 1.0)


@mutant("asymptotic_slope", by="slopes_far_out", slip="keeps the biases of the hidden layers")
def with_hidden_biases(params, x):
    return forward(params, x, 1.0) - params[-1][1]


@mutant("asymptotic_slope", by="slopes_far_out", slip="puts a ReLU after the last layer, too")
def relu_at_the_end(params, x):
    return np.maximum(forward(params, x), 0)


@mutant("asymptotic_slope", by="slopes_far_out", slip="multiplies the matrices, without any ReLU")
def no_relu(params, x):
    for W, _ in params:
        x = x @ W.T
    return x


@mutant("asymptotic_slope", by="slopes_far_out", slip="puts in one large t: only a few digits")
def one_large_t(params, x):
    return forward(params, 1e4 * x, 1.0) / 1e4


@mutant("asymptotic_slope", by="slopes_far_out", slip="returns the slope per unit of length")
def unit_length(params, x):
    return forward(params, x / np.linalg.norm(x, axis=1, keepdims=True))


@mutant(
    "is_normalisable",
    by="what_directions_prove",
    slip="says yes, because the softmax is normalised",
    listed=True,
)
def the_softmax_says_yes(params, dirs, lam):
    return True


@mutant("is_normalisable", by="what_directions_prove", slip="takes falling rays for a proof")
def falling_is_enough(params, dirs, lam):
    return bool(lam > 0 or (forward(params, dirs) < 0).all())


@mutant("is_normalisable", by="what_directions_prove", slip="asks for every logit to rise")
def all_must_rise(params, dirs, lam):
    if lam > 0:
        return True
    a = forward(params, dirs)
    if dirs.shape[1] == 1:
        return False if (a >= 0).any() else (True if both_sides(dirs) else None)
    return False if (a > 0).all(1).any() else None


@mutant("is_normalisable", by="what_directions_prove", slip="averages the slopes over directions")
def on_average(params, dirs, lam):
    if lam > 0:
        return True
    a = forward(params, dirs).mean(0)
    return False if (a > 0).any() else None


@mutant("is_normalisable", by="the_penalty", slip="forgets the penalty")
def penalty_forgotten(params, dirs, lam):
    a = forward(params, dirs)
    if dirs.shape[1] == 1:
        return False if (a >= 0).any() else (True if both_sides(dirs) else None)
    return False if (a > 0).any() else None


@mutant("is_normalisable", by="the_penalty", slip="subtracts the penalty from the slope")
def penalty_as_slope(params, dirs, lam):
    a = forward(params, dirs) - lam * np.linalg.norm(dirs, axis=1, keepdims=True)
    if dirs.shape[1] == 1:
        return False if (a >= 0).any() else (True if both_sides(dirs) else None)
    return False if (a > 0).any() else None


@mutant(
    "is_normalisable",
    by="the_penalty",
    slip="forgets the penalty on the line, where the slopes seem to say all",
)
def no_penalty_on_the_line(params, dirs, lam):
    a = forward(params, dirs)
    if dirs.shape[1] == 1:
        return False if (a >= 0).any() else (True if both_sides(dirs) else None)
    return True if lam > 0 else False if (a > 0).any() else None


@mutant("is_normalisable", by="the_line", slip="does not see that a line has two directions")
def never_sure(params, dirs, lam):
    return True if lam > 0 else False if (forward(params, dirs) > 0).any() else None


@mutant("is_normalisable", by="the_line", slip="takes a level half-line for a finite integral")
def level_is_fine(params, dirs, lam):
    if lam > 0:
        return True
    if (forward(params, dirs) > 0).any():
        return False
    return True if dirs.shape[1] == 1 and both_sides(dirs) else None


@mutant("is_normalisable", by="the_line", slip="decides on the line with one side only")
def one_side_is_enough(params, dirs, lam):
    if lam > 0:
        return True
    a = forward(params, dirs)
    if dirs.shape[1] == 1:
        return bool((a < 0).all())
    return False if (a > 0).any() else None


# ---------------------------------------------------------------- 5. gauge


def pull(x, x_t, M):
    return -M * ((x - x_t) ** 2).sum(1, keepdims=True)


@mutant("gauge_attack", by="the_same_classifier", slip="alters one class only", listed=True)
def one_class(W, b, x_t, M, x):
    twin = x @ W.T + b
    twin[:, :1] += pull(x, x_t, M)
    return twin


@mutant(
    "gauge_attack",
    by="the_same_classifier",
    slip="rescales the logits: another temperature",
    listed=True,
)
def rescaled(W, b, x_t, M, x):
    return (x @ W.T + b) / M + pull(x, x_t, M)


@mutant("gauge_attack", by="any_picture", slip="takes half the strength, as for a variance")
def half_the_pull(W, b, x_t, M, x):
    return x @ W.T + b + pull(x, x_t, M / 2)


@mutant("gauge_attack", by="the_same_classifier", slip="pushes away from the target")
def pushed(W, b, x_t, M, x):
    return x @ W.T + b - pull(x, x_t, M)


@mutant("gauge_attack", by="any_picture", slip="pulls to zero, not to the target")
def pulled_to_zero(W, b, x_t, M, x):
    return x @ W.T + b + pull(x, 0 * x_t, M)


@mutant("gauge_attack", by="any_picture", slip="takes the distance, not its square")
def not_squared(W, b, x_t, M, x):
    return x @ W.T + b - M * np.linalg.norm(x - x_t, axis=1, keepdims=True)


@mutant(
    "gauge_attack",
    by="the_same_classifier",
    slip="moves the vertex of each class to the target: a different parabola for each class",
)
def exact_for_each_class(W, b, x_t, M, x):
    vertices = x_t - W / (2 * M)
    far = ((x[:, None] - vertices) ** 2).sum(2)
    return x @ W.T + b - M * far


@mutant("gauge_attack", by="the_same_classifier", slip="changes nothing")
def untouched(W, b, x_t, M, x):
    return x @ W.T + b


@mutant(
    "gauge_attack",
    by="any_picture",
    slip="pulls with a strength of its own, whatever is asked for",
)
def own_strength(W, b, x_t, M, x):
    return x @ W.T + b + pull(x, x_t, 1e5)


@mutant("gauge_to_density", by="a_density_on_order", slip="adds log q and keeps the old density")
def product_of_experts(f, log_q):
    return f + log_q[:, None]


@mutant("gauge_to_density", by="a_density_on_order", slip="adds q, not its logarithm")
def q_not_log(f, log_q):
    return log_softmax(f, axis=1) + np.exp(log_q)[:, None]


@mutant("gauge_to_density", by="a_density_on_order", slip="removes the largest logit, not the LSE")
def largest_only(f, log_q):
    return f - f.max(1, keepdims=True) + log_q[:, None]


@mutant("gauge_to_density", by="a_density_on_order", slip="gives log q to every class")
def only_the_density(f, log_q):
    return np.repeat(log_q[:, None], f.shape[1], axis=1) - np.log(f.shape[1])


@mutant("gauge_to_density", by="a_density_on_order", slip="normalises over the points")
def over_points(f, log_q):
    return log_softmax(f, axis=0) + log_q[:, None]


# ---------------------------------------------------------------- 6. three answers


def sides(mu1, S1, mu2, S2, k):
    return (mu1, S1, mu2, S2) if k == 1 else (mu2, S2, mu1, S1)


def narrower(S, T):
    return np.linalg.eigvalsh(T - S).min() > 1e-9


def vertex(m, S, n, T):
    A = np.linalg.inv(S) - np.linalg.inv(T)
    return np.linalg.solve(A, np.linalg.solve(S, m) - np.linalg.solve(T, n))


def three(mu1, S1, mu2, S2, k, P):
    m, S, n, T = sides(mu1, S1, mu2, S2, k)
    return m, vertex(m, S, n, T) if narrower(S, T) else None, P @ np.linalg.solve(S, m)


@mutant("three_answers", by="beyond_the_mean", slip="returns the mean for all three", listed=True)
def the_mean(mu1, S1, mu2, S2, k, P):
    m, S, _, T = sides(mu1, S1, mu2, S2, k)
    return m, m if narrower(S, T) else None, m


@mutant(
    "three_answers",
    by="no_most_certain_input",
    slip="returns a far point in place of None",
    listed=True,
)
def far_point(mu1, S1, mu2, S2, k, P):
    m, S, n, _ = sides(mu1, S1, mu2, S2, k)
    typical, certain, regularized = three(mu1, S1, mu2, S2, k, P)
    if certain is None:
        certain = m + 1e3 * np.linalg.solve(S, m - n)
    return typical, certain, regularized


@mutant("three_answers", by="typical_and_regularized", slip="returns the mean as the third answer")
def third_is_the_mean(mu1, S1, mu2, S2, k, P):
    typical, certain, _ = three(mu1, S1, mu2, S2, k, P)
    return typical, certain, typical


@mutant("three_answers", by="typical_and_regularized", slip="leaves out the inverse covariance")
def prior_times_mean(mu1, S1, mu2, S2, k, P):
    typical, certain, _ = three(mu1, S1, mu2, S2, k, P)
    return typical, certain, P @ typical


@mutant("three_answers", by="typical_and_regularized", slip="divides by the prior's covariance")
def prior_inverted(mu1, S1, mu2, S2, k, P):
    m, S, *_ = sides(mu1, S1, mu2, S2, k)
    typical, certain, _ = three(mu1, S1, mu2, S2, k, P)
    return typical, certain, np.linalg.solve(P, np.linalg.solve(S, m))


@mutant(
    "three_answers",
    by="typical_and_regularized",
    slip="takes the quadratic logit in place of the linear one",
)
def quadratic_logit(mu1, S1, mu2, S2, k, P):
    m, S, *_ = sides(mu1, S1, mu2, S2, k)
    typical, certain, _ = three(mu1, S1, mu2, S2, k, P)
    regularized = np.linalg.solve(np.linalg.inv(S) + np.linalg.inv(P), np.linalg.solve(S, m))
    return typical, certain, regularized


@mutant("three_answers", by="beyond_the_mean", slip="goes towards the other class")
def towards_the_other(mu1, S1, mu2, S2, k, P):
    typical, certain, regularized = three(mu1, S1, mu2, S2, k, P)
    return typical, None if certain is None else 2 * typical - certain, regularized


@mutant("three_answers", by="beyond_the_mean", slip="uses standard deviations for variances")
def deviations(mu1, S1, mu2, S2, k, P):
    m, S, n, T = sides(mu1, S1, mu2, S2, k)
    typical, certain, regularized = three(mu1, S1, mu2, S2, k, P)
    if certain is not None:
        s, t = np.sqrt(np.trace(S)), np.sqrt(np.trace(T))
        certain = m + s / (t - s) * (m - n)
    return typical, certain, regularized


@mutant(
    "three_answers",
    by="narrower_in_every_direction",
    slip="treats every covariance as a multiple of the identity",
)
def round_only(mu1, S1, mu2, S2, k, P):
    m, S, n, T = sides(mu1, S1, mu2, S2, k)
    typical, certain, regularized = three(mu1, S1, mu2, S2, k, P)
    if certain is not None:
        s, t = np.trace(S), np.trace(T)
        certain = m + s / (t - s) * (m - n)
    return typical, certain, regularized


@mutant(
    "three_answers",
    by="narrower_in_every_direction",
    slip="takes a class that is a little narrower in one direction for one that is not",
)
def a_little_is_nothing(mu1, S1, mu2, S2, k, P):
    _, S, _, T = sides(mu1, S1, mu2, S2, k)
    typical, certain, regularized = three(mu1, S1, mu2, S2, k, P)
    little = np.linalg.eigvalsh(T - S).min() < 1e-3 * np.trace(S)
    return typical, None if little else certain, regularized


@mutant("three_answers", by="no_most_certain_input", slip="compares one entry of the covariances")
def first_entry(mu1, S1, mu2, S2, k, P):
    m, S, n, T = sides(mu1, S1, mu2, S2, k)
    certain = vertex(m, S, n, T) if S[0, 0] < T[0, 0] - 1e-9 else None
    return m, certain, P @ np.linalg.solve(S, m)


@mutant("three_answers", by="no_most_certain_input", slip="compares volumes: returns a saddle")
def by_volume(mu1, S1, mu2, S2, k, P):
    m, S, n, T = sides(mu1, S1, mu2, S2, k)
    narrow = np.linalg.det(S) < np.linalg.det(T) * (1 - 1e-9)
    return m, vertex(m, S, n, T) if narrow else None, P @ np.linalg.solve(S, m)


@mutant("three_answers", by="no_most_certain_input", slip="returns where the gradient is zero")
def any_stationary_point(mu1, S1, mu2, S2, k, P):
    m, S, n, T = sides(mu1, S1, mu2, S2, k)
    same = np.abs(S - T).max() < 1e-9
    return m, None if same else vertex(m, S, n, T), P @ np.linalg.solve(S, m)


# ---------------------------------------------------------------- 7. gamma


def solve(mu, sigma, pi, k, gammas, value=None, span=20001):
    """The global maximiser of a score that is given log p(x, k), log p(x) and the weight."""
    value = value or (lambda own, log_p, gamma: own + (gamma - 1) * log_p)
    path = []
    for gamma in gammas:
        if gamma == 0:
            path.append(centre(mu, sigma, pi, k) if mu.min() < mu[k] < mu.max() else None)
            continue
        reach = sigma + np.ptp(mu) * max(1, 1 / gamma)
        at, step = (mu.min() + mu.max()) / 2, reach
        for n in (span, 401, 401):
            x = at + np.linspace(-step, step, n)
            joint = np.log(pi) - (x[:, None] - mu) ** 2 / (2 * sigma**2)
            score = value(joint[:, k], logsumexp(joint, axis=1), gamma)
            at, step = x[score.argmax()], 2 * step / (n - 1)
        path.append(float(at))
    return path


def centre(mu, sigma, pi, k):
    def gap(x):
        return softmax(np.log(pi) - (x - mu) ** 2 / (2 * sigma**2)) @ mu - mu[k]

    return brentq(gap, mu.min() - 100 * sigma, mu.max() + 100 * sigma)


@mutant("gamma_path", by="the_table", slip="mixes with 1 - gamma and gamma", listed=True)
def mixed(mu, sigma, pi, k, gammas):
    def value(own, log_p, gamma):
        return (1 - gamma) * (own - log_p) + gamma * log_p

    return solve(mu, sigma, pi, k, gammas, value)


@mutant(
    "gamma_path",
    by="the_table",
    slip="puts the weight on p(x|k), not on the density of all inputs",
    listed=True,
)
def weight_on_the_class(mu, sigma, pi, k, gammas):
    return solve(mu, sigma, pi, k, gammas, lambda own, log_p, gamma: own - log_p + gamma * own)


@mutant("gamma_path", by="the_prototype", slip="adds the weighted log-density to the logit")
def counted_twice_in_the_path(mu, sigma, pi, k, gammas):
    return solve(mu, sigma, pi, k, gammas, lambda own, log_p, gamma: own + gamma * log_p)


@mutant("gamma_path", by="towards_certainty", slip="takes all classes for equally probable")
def equal_classes(mu, sigma, pi, k, gammas):
    return solve(mu, sigma, np.full(len(mu), 1 / len(mu)), k, gammas)


@mutant("gamma_path", by="the_table", slip="takes sigma for the variance")
def sigma_for_variance(mu, sigma, pi, k, gammas):
    return solve(mu, np.sqrt(sigma), pi, k, gammas)


@mutant("gamma_path", by="towards_certainty", slip="looks between the means only")
def between_the_means(mu, sigma, pi, k, gammas):
    return [None if x is None else float(np.clip(x, mu.min(), mu.max()))
            for x in solve(mu, sigma, pi, k, gammas)]  # fmt: skip


@mutant("gamma_path", by="towards_the_commonest", slip="climbs from the mean of the class")
def local_climb(mu, sigma, pi, k, gammas):
    def loss(x, gamma):
        joint = np.log(pi) - (x[0] - mu) ** 2 / (2 * sigma**2)
        return -(joint[k] + (gamma - 1) * logsumexp(joint))

    start = [mu[k]]
    zero = solve(mu, sigma, pi, k, [0.0])[0]
    return [
        zero if g == 0 else float(minimize(loss, start, args=(g,), tol=1e-10).x[0]) for g in gammas
    ]


@mutant("gamma_path", by="towards_the_commonest", slip="stops at the mean for weights above one")
def not_beyond_one(mu, sigma, pi, k, gammas):
    return solve(mu, sigma, pi, k, [min(gamma, 1.0) for gamma in gammas])


@mutant("gamma_path", by="no_weight", slip="says None for every class at weight zero")
def never_certain(mu, sigma, pi, k, gammas):
    return [None if g == 0 else solve(mu, sigma, pi, k, [g])[0] for g in gammas]


@mutant("gamma_path", by="no_weight", slip="returns a far point in place of None")
def far_left(mu, sigma, pi, k, gammas):
    path = solve(mu, sigma, pi, k, gammas)
    return [mu[k] + 30 * np.sign(mu[k] - mu.mean()) * sigma if x is None else x for x in path]


@mutant("gamma_path", by="no_weight", slip="returns the mean of a class in between at weight zero")
def mean_at_nought(mu, sigma, pi, k, gammas):
    path = solve(mu, sigma, pi, k, gammas)
    return [mu[k] if g == 0 and x is not None else x for g, x in zip(gammas, path, strict=True)]


@mutant("gamma_path", by="the_prototype", slip="returns the mean of the class for every weight")
def always_the_mean(mu, sigma, pi, k, gammas):
    return [float(mu[k]) for _ in gammas]


@mutant("is_normalisable", by="the_penalty", slip="answers from the penalty alone")
def penalty_alone(params, dirs, lam):
    return bool(lam > 0)
