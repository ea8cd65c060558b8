"""Wrong answers to sheet 2, each with the hidden check that has to reject it."""

from itertools import product

import numpy as np
from scipy.special import ndtr, softmax

from classroom.mutants import mutant


def positive(lam, d=2):
    """What the right answers refuse, the wrong ones below refuse, too."""
    if not lam > 0 or d < 2:
        raise ValueError("lam must be positive and d at least 2")


# 1. max_example


def example(lam, d):
    """The right answer."""
    positive(lam, d)
    r = 1 / (2 * lam)
    return r * np.eye(d), r / 2, np.full(d, r / d), r / (2 * d)


@mutant("max_example", by="all_maximisers", slip="finds only one of the maximisers", listed=True)
def only_one(lam, d):
    points, *others = example(lam, d)
    return points[:1], *others


@mutant(
    "max_example",
    by="all_maximisers",
    slip="takes the best point of the diagonal for the maximiser",
    listed=True,
)
def best_of_the_diagonal(lam, d):
    _, _, saddle, saddle_value = example(lam, d)
    return saddle[None], saddle_value, saddle, saddle_value


@mutant(
    "max_example",
    by="the_value_of_the_best",
    slip="returns f(x*) and forgets what the penalty takes",
    listed=True,
)
def value_from_f(lam, d):
    points, _, saddle, saddle_value = example(lam, d)
    return points, 1 / (2 * lam), saddle, saddle_value


@mutant("max_example", by="all_maximisers", slip="forgets the 2 of the derivative of the square")
def twice_as_far(lam, d):
    points, *others = example(lam, d)
    return 2 * points, *others


@mutant("max_example", by="all_maximisers", slip="adds the mirror images -e_i/(2 lam)")
def negative_ones_too(lam, d):
    points, *others = example(lam, d)
    return np.vstack([points, -points]), *others


@mutant("max_example", by="the_saddle", slip="uses the saddle of d = 2 for every d")
def saddle_of_two(lam, d):
    points, value, *_ = example(lam, d)
    return points, value, np.full(d, 1 / (4 * lam)), 1 / (8 * lam)


@mutant("max_example", by="the_saddle", slip="counts the penalty of the saddle for one coordinate")
def saddle_penalty_once(lam, d):
    points, value, saddle, _ = example(lam, d)
    return points, value, saddle, saddle[0] - lam * saddle[0] ** 2


@mutant("max_example", by="no_sense_no_maximum", slip="answers for a negative penalty")
def never_refuses(lam, d):
    r = 1 / (2 * lam) if lam else 0.0
    return r * np.eye(d), r / 2, np.full(d, r / d), r / (2 * d)


@mutant("max_example", by="no_sense_no_maximum", slip="refuses d = 1 only, not d = 0 or less")
def no_coordinates(lam, d):
    positive(lam, 1 if d == 1 else 2)
    r, n = 1 / (2 * lam), max(d, 0)
    return r * np.eye(n), r / 2, np.full(n, r / (d or 1)), r / (2 * (d or 1))


# 2. audit_level_curve


def audit(c, gains):
    """The right answer."""
    gains = np.asarray(gains, dtype=float)
    if not c > 0 or not np.all(gains > 0):
        raise ValueError("c and all gains must be positive")
    a = gains.max()
    return a**2 / (2 * c), c / a, c / a * np.eye(len(gains))[gains == a]


@mutant(
    "audit_level_curve",
    by="the_penalty_of_the_level",
    slip="believes that lam = 1 belongs to every level",
    listed=True,
)
def lam_is_one(c, gains=(1.0, 1.0)):
    return 1.0, *audit(c, gains)[1:]


@mutant(
    "audit_level_curve",
    by="the_touching_radius",
    slip="measures the distance to the corner of the level set (c sqrt(2) for equal gains)",
    listed=True,
)
def to_the_corner(c, gains=(1.0, 1.0)):
    lam, _, _ = audit(c, gains)
    corner = c / np.asarray(gains)
    return lam, float(np.linalg.norm(corner)), corner[None]


@mutant(
    "audit_level_curve",
    by="the_penalty_of_the_level",
    slip="copies lam = 1/(2c) from the chapter and ignores the gains",
)
def as_in_the_chapter(c, gains=(1.0, 1.0)):
    audit(c, gains)
    return 1 / (2 * c), c, c * np.eye(len(gains))


@mutant(
    "audit_level_curve",
    by="the_penalty_of_the_level",
    slip="puts L at c where f should be c",
)
def level_of_L(c, gains=(1.0, 1.0)):
    lam, radius, points = audit(c, gains)
    return lam / 2, radius, points


@mutant(
    "audit_level_curve", by="the_touching_radius", slip="takes the radius of the weakest detector"
)
def weakest_detector(c, gains=(1.0, 1.0)):
    lam, _, points = audit(c, gains)
    return lam, c / np.min(gains) if len(gains) > 1 else c, points


@mutant(
    "audit_level_curve",
    by="the_points_of_contact",
    slip="lets the ball touch on the axes of weak detectors",
)
def all_axes(c, gains=(1.0, 1.0)):
    lam, radius, _ = audit(c, gains)
    return lam, radius, radius * np.eye(len(gains))


@mutant(
    "audit_level_curve",
    by="the_points_of_contact",
    slip="finds one point of contact although two detectors are equally strong",
)
def argmax_of_the_gains(c, gains=(1.0, 1.0)):
    lam, radius, points = audit(c, gains)
    return lam, radius, points[:1]


@mutant(
    "audit_level_curve",
    by="the_points_of_contact",
    slip="counts detectors that are nearly the strongest (isclose with a wide tolerance)",
)
def nearly_the_strongest(c, gains=(1.0, 1.0)):
    lam, radius, _ = audit(c, gains)
    return lam, radius, radius * np.eye(len(gains))[np.isclose(gains, np.max(gains), rtol=1e-3)]


@mutant("audit_level_curve", by="no_level", slip="accepts levels that no maximiser can have")
def any_level(c, gains=(1.0, 1.0)):
    gains = np.abs(gains) + 1e-300
    lam, radius, points = audit(abs(c) + 1e-300, gains)
    return lam * np.sign(c), radius, points


# 3. predict_solution and escape


def follow(x0, lam, eta, shared, start_only=False, steps=200, pull=2.0):
    """Simulate the ascent, with one thing or another done differently."""
    if not (lam > 0 and 0 < lam * eta < 1):
        raise ValueError("these steps do not converge")
    x = np.array(x0, dtype=float)
    for step in range(steps):
        if x[0] == x[1] and shared and not (start_only and step):
            return "saddle"
        g = np.array([1.0, 0.0]) if x[0] > x[1] else np.array([0.0, 1.0])
        if x[0] == x[1] and not start_only:
            g = np.array([1.0, 0.0])
        x += eta * (g - pull * lam * x)
    return 1 if x[0] > x[1] else 2


@mutant(
    "predict_solution",
    by="with_long_steps",
    slip="answers with the nearest maximiser, whatever the step",
    listed=True,
)
def nearest(x0, lam, eta, tie="share"):
    positive(lam)
    if not 0 < lam * eta < 1:
        raise ValueError("these steps do not converge")
    if x0[0] == x0[1]:
        return "saddle" if tie == "share" else 1
    ends = np.eye(2) / (2 * lam)
    return int(np.argmin(np.linalg.norm(ends - x0, axis=1))) + 1


@mutant(
    "predict_solution",
    by="starts_on_the_diagonal",
    slip="ignores ties: they fall silently to one of the two",
    listed=True,
)
def ignores_ties(x0, lam, eta, tie="share"):
    return follow(x0, lam, eta, shared=False)


@mutant(
    "predict_solution",
    by="starts_on_the_diagonal",
    slip="looks for a tie at the start only, not on the way",
)
def tie_at_the_start_only(x0, lam, eta, tie="share"):
    if x0[0] == x0[1] and tie == "first":
        return 1
    return follow(x0, lam, eta, tie == "share", start_only=True)


@mutant(
    "predict_solution",
    by="starts_on_the_diagonal",
    slip="calls every tie a saddle, whoever gets its gradient",
)
def ignores_the_rule(x0, lam, eta, tie="share"):
    return follow(x0, lam, eta, shared=True)


@mutant(
    "predict_solution",
    by="starts_on_the_diagonal",
    slip="calls a start near the diagonal a tie (isclose)",
)
def nearly_tied(x0, lam, eta, tie="share"):
    if np.isclose(x0[0], x0[1]) and tie == "share":
        return "saddle"
    return follow(x0, lam, eta, tie == "share")


@mutant("predict_solution", by="with_long_steps", slip="looks one step ahead and no farther")
def one_step(x0, lam, eta, tie="share"):
    return follow(x0, lam, eta, tie == "share", steps=1)


@mutant("predict_solution", by="with_long_steps", slip="takes lam x for the slope of the penalty")
def half_the_pull(x0, lam, eta, tie="share"):
    return follow(x0, lam, eta, tie == "share", pull=1.0)


@mutant("predict_solution", by="with_short_steps", slip="numbers the solutions 0 and 1")
def counts_from_zero(x0, lam, eta, tie="share"):
    said = follow(x0, lam, eta, tie == "share")
    return said if said == "saddle" else said - 1


@mutant("predict_solution", by="steps_too_long", slip="predicts an end for steps that diverge")
def predicts_anything(x0, lam, eta, tie="share"):
    return follow(x0, 1.0, min(max(abs(lam) * eta, 0.01), 0.95), tie == "share")


@mutant(
    "predict_solution",
    by="steps_too_long",
    slip="refuses lam eta > 1 only: with lam eta = 1 nothing converges, either",
)
def the_longest_step(x0, lam, eta, tie="share"):
    return follow(x0, lam, eta * (1 - 1e-12) if lam * eta == 1 else eta, tie == "share")


@mutant(
    "escape",
    by="off_the_tie_and_no_farther",
    slip="adds 1e-9, which rounding swallows at a large start",
)
def too_small_for_large(x0, rng):
    tied = x0[0] == x0[1]
    return x0 + 1e-9 * rng.choice([-1, 1]) * np.array([1, -1]) if tied else x0


@mutant("escape", by="off_the_tie_and_no_farther", slip="moves both pixels by the same amount")
def along_the_diagonal(x0, rng):
    return x0 + 1e-7 * rng.normal() if x0[0] == x0[1] else x0


@mutant("escape", by="off_the_tie_and_no_farther", slip="perturbs starts that are not tied")
def moves_everybody(x0, rng):
    return x0 + 1e-7 * np.maximum(1, np.abs(x0)) * rng.uniform(-1, 1, size=2)


@mutant("escape", by="off_the_tie_and_no_farther", slip="starts afresh instead of nearby")
def somewhere_else(x0, rng):
    return x0 + rng.normal(size=2) if x0[0] == x0[1] else x0


@mutant("escape", by="either_side", slip="always favours the first pixel: a choice, no escape")
def always_the_first(x0, rng):
    tied = x0[0] == x0[1]
    return x0 + 1e-7 * max(1, abs(x0[0])) * np.array([rng.random() + 0.1, 0]) if tied else x0


@mutant("escape", by="either_side", slip="seeds a generator of its own: the same side every time")
def seeds_its_own(x0, rng):
    if x0[0] != x0[1]:
        return x0
    return x0 + 1e-7 * max(1, abs(x0[0])) * np.random.default_rng(0).uniform(-1, 1, size=2)


@mutant("escape", by="either_side", slip="draws from NumPy's global state, not from rng")
def global_randomness(x0, rng):
    if x0[0] != x0[1]:
        return x0
    return x0 + 1e-7 * max(1, abs(x0[0])) * np.random.default_rng().uniform(-1, 1, size=2)


# 4. P_solution1


def odds(mu, Sigma, correlation=-2, power=0.5, certain=lambda mean: float(mean > 0)):
    """The right answer, with its parts exchangeable."""
    Sigma = np.eye(2) if Sigma is None else Sigma
    mean = mu[0] - mu[1]
    variance = Sigma[0, 0] + Sigma[1, 1] + correlation * Sigma[0, 1]
    return float(ndtr(mean / variance**power)) if variance > 0 else certain(mean)


@mutant("P_solution1", by="independent_pixels", slip="forgets that the difference has variance 2")
def no_root_of_two(mu, Sigma=None):
    return float(ndtr(mu[0] - mu[1])) if Sigma is None else odds(mu, Sigma)


@mutant(
    "P_solution1",
    by="pixels_that_go_together",
    slip="divides by the variance where the standard deviation belongs",
)
def by_the_variance(mu, Sigma=None):
    return odds(mu, Sigma, power=1.0)


@mutant(
    "P_solution1", by="pixels_that_go_together", slip="takes the variance of the sum (+2 Sigma_12)"
)
def of_the_sum(mu, Sigma=None):
    return odds(mu, Sigma, correlation=2)


@mutant("P_solution1", by="pixels_that_go_together", slip="ignores that the pixels are correlated")
def uncorrelated(mu, Sigma=None):
    return odds(mu, Sigma, correlation=0)


@mutant(
    "P_solution1",
    by="pixels_that_go_together",
    slip="takes a singular covariance for one that leaves nothing to chance",
)
def singular_is_certain(mu, Sigma=None):
    if Sigma is not None and np.linalg.det(Sigma) <= 1e-12:
        return float(mu[0] > mu[1])
    return odds(mu, Sigma)


@mutant("P_solution1", by="no_chance_left", slip="gives half to a tie that nothing breaks")
def half_for_a_tie(mu, Sigma=None):
    return odds(mu, Sigma, certain=lambda mean: float((np.sign(mean) + 1) / 2))


@mutant("P_solution1", by="no_chance_left", slip="returns nan from 0/0")
def nought_by_nought(mu, Sigma=None):
    return odds(mu, Sigma, certain=lambda mean: float(mean > 0) if mean else np.nan)


# 5. first_order_beta and lse_maximisers


def beta_1(lam, d):
    """The right switch."""
    positive(lam, d)
    return 4 * lam * ((d - 1) * np.log(d - 1) / (d - 2) if d > 2 else 1.0)


def asymmetric(lam, beta, d, rounds=100_000):
    """The d asymmetric points by iterating from a corner."""
    s, c = 1.0, beta / (2 * lam)
    for _ in range(rounds):
        r = np.exp(-c * s)
        new = (1 - r) / (1 + (d - 1) * r)
        if abs(new - s) < 1e-16:
            break
        s = new
    return list(((1 - s) / d + s * np.eye(d)) / (2 * lam))


def points(lam, beta, d, switch):
    """All maximisers if the number changes at `switch`."""
    if not beta > 0:
        raise ValueError("beta must be positive")
    symmetric = np.full(d, 1 / (2 * lam * d))
    return [symmetric] if beta <= switch else asymmetric(lam, beta, d)


@mutant(
    "first_order_beta",
    by="where_it_jumps",
    slip="takes 2 d lam, where the symmetric point stops being a local maximiser",
    listed=True,
)
def end_of_the_branch(lam, d):
    positive(lam, d)
    return 2 * d * lam


@mutant("first_order_beta", by="where_it_jumps", slip="takes 4 lam for every d")
def four_lam(lam, d):
    positive(lam, d)
    return 4 * lam


@mutant("first_order_beta", by="where_it_jumps", slip="puts d where d - 1 belongs")
def one_off(lam, d):
    return beta_1(lam, d + 1) if d > 2 else beta_1(lam, d)


@mutant(
    "lse_maximisers",
    by="exactly_there",
    slip="takes 2 lam for the critical beta (half of the Hessian's eigenvalue is forgotten)",
    listed=True,
)
def critical_at_two_lam(lam, beta, d=2):
    return points(lam, beta, d, beta_1(lam, d) / 2)


@mutant(
    "lse_maximisers",
    by="two_coordinates",
    slip="iterates x <- softmax(beta x)/(2 lam) from the symmetric start, where it is stuck",
    listed=True,
)
def stuck(lam, beta, d=2):
    positive(lam, d)
    if not beta > 0:
        raise ValueError("beta must be positive")
    x = np.zeros(d)
    for _ in range(500):
        x = softmax(beta * x) / (2 * lam)
    return [x]


@mutant(
    "lse_maximisers",
    by="three_and_more",
    slip="keeps the symmetric point up to 2 d lam, where it is only a local maximiser",
    listed=True,
)
def follows_the_branch(lam, beta, d=2):
    positive(lam, d)
    return points(lam, beta, d, 2 * d * lam)


@mutant("lse_maximisers", by="two_coordinates", slip="stops the iteration before it has arrived")
def impatient(lam, beta, d=2):
    if beta <= beta_1(lam, d):
        return points(lam, beta, d, beta_1(lam, d))
    return asymmetric(lam, beta, d, rounds=50)


@mutant("lse_maximisers", by="two_coordinates", slip="reports one of two mirror images")
def one_of_the_two(lam, beta, d=2):
    return points(lam, beta, d, beta_1(lam, d))[:1]


@mutant("lse_maximisers", by="three_and_more", slip="lists local maximisers among the global ones")
def local_ones_too(lam, beta, d=2):
    found = points(lam, beta, d, beta_1(lam, d))
    both = d > 2 and beta_1(lam, d) < beta < 2 * d * lam
    return [np.full(d, 1 / (2 * lam * d)), *found] if both else found


@mutant("lse_maximisers", by="three_and_more", slip="finds two maximisers for every d")
def always_two(lam, beta, d=2):
    return points(lam, beta, d, beta_1(lam, d))[:2]


@mutant("lse_maximisers", by="two_coordinates", slip="returns the softmax weights, not the inputs")
def softmax_weights(lam, beta, d=2):
    return [2 * lam * x for x in points(lam, beta, d, beta_1(lam, d))]


@mutant(
    "lse_maximisers",
    by="very_smooth_and_very_sharp",
    slip="writes the softmax with exp(beta x), which overflows",
)
def overflowing_softmax(lam, beta, d=2):
    found = points(lam, beta, d, beta_1(lam, d))
    weight = [np.exp(beta * x) for x in found]
    return [w / w.sum() / (2 * lam) for w in weight]


@mutant("lse_maximisers", by="no_smooth_max", slip="answers for a negative beta")
def negative_beta(lam, beta, d=2):
    return points(lam, abs(beta) + 1e-12, d, beta_1(lam, d))


# 6. am_max_affine


def pieces(W, b, lam):
    """Centres, their values, and all pieces at all centres."""
    positive(lam)
    centres = W / (2 * lam)
    return centres, np.sum(W**2, axis=1) / (4 * lam) + b, centres @ W.T + b


def affine(W, b, lam):
    """The right answer."""
    centres, values, at = pieces(W, b, lam)
    active = at >= at.max(axis=1, keepdims=True) - 1e-9
    alike = (W[:, None] == W[None]).all(axis=2)
    local = np.diag(active) & (alike | ~active).all(axis=1)
    return centres[values.argmax()], values.max(), np.flatnonzero(local)


@mutant(
    "am_max_affine",
    by="the_best_of_all_pieces",
    slip="takes the piece with the longest w and forgets the offsets",
    listed=True,
)
def longest_slope(W, b, lam):
    centres, _, at = pieces(W, b, lam)
    j = np.argmax(np.linalg.norm(W, axis=1))
    value = at[j].max() - lam * centres[j] @ centres[j]
    return centres[j], value, affine(W, b, lam)[2]


@mutant(
    "am_max_affine",
    by="the_best_of_all_pieces",
    slip="returns a point on a kink, where the two best pieces meet",
    listed=True,
)
def on_a_kink(W, b, lam):
    centres, values, _ = pieces(W, b, lam)
    i, j = np.argsort(values)[-2:]
    slope, x = W[j] - W[i], centres[j]
    x = x - slope * (slope @ x + b[j] - b[i]) / (slope @ slope)
    return x, np.max(W @ x + b) - lam * x @ x, affine(W, b, lam)[2]


@mutant(
    "am_max_affine",
    by="the_local_ones",
    slip="lists the centres of pieces that are beaten there",
    listed=True,
)
def every_centre(W, b, lam):
    x, value, _ = affine(W, b, lam)
    return x, value, np.arange(len(b))


@mutant("am_max_affine", by="the_local_ones", slip="lists the global maximiser alone")
def only_the_best(W, b, lam):
    x, value, _ = affine(W, b, lam)
    return x, value, np.array([np.argmax(pieces(W, b, lam)[1])])


@mutant("am_max_affine", by="kinks_and_twins", slip="takes a centre on a kink for a maximiser")
def kink_is_local(W, b, lam):
    x, value, _ = affine(W, b, lam)
    at = pieces(W, b, lam)[2]
    return x, value, np.flatnonzero(np.diag(at) >= at.max(axis=1) - 1e-9)


@mutant("am_max_affine", by="kinks_and_twins", slip="keeps only the first of two equal pieces")
def first_twin(W, b, lam):
    x, value, local = affine(W, b, lam)
    at = pieces(W, b, lam)[2]
    return x, value, np.array([j for j in local if at[j].argmax() == j])


@mutant("am_max_affine", by="the_best_of_all_pieces", slip="forgets the 2 of w/(2 lam)")
def too_far(W, b, lam):
    x, _, local = affine(W, b, lam)
    return 2 * x, np.max(W @ (2 * x) + b) - lam * 4 * x @ x, local


@mutant("am_max_affine", by="the_best_of_all_pieces", slip="returns f at x, without the penalty")
def height_of_f(W, b, lam):
    x, value, local = affine(W, b, lam)
    return x, value + lam * x @ x, local


# 7. am_relu_convex


def network(W, b, v, lam, subsets=None, offsets=None, once=True, own_only=True):
    """The right answer, with its parts exchangeable."""
    positive(lam)
    if np.any(v < 0):
        raise ValueError("an output weight is negative")
    if subsets is None:
        subsets = product([0.0, 1.0], repeat=len(v))
    on = np.array(list(subsets))
    centres = on @ (v[:, None] * W) / (2 * lam)
    f = np.maximum(centres @ W.T + b, 0) @ v
    own = (on * v * (centres @ W.T + b)).sum(axis=1)
    values = f - lam * np.sum(centres**2, axis=1)
    rank = values
    if offsets is not None:
        rank = lam * np.sum(centres**2, axis=1) + on @ offsets
    local = centres[own >= f - 1e-9] if own_only else centres
    if once:
        local = local[np.unique(local.round(9), axis=0, return_index=True)[1]]
    return centres[rank.argmax()], values[rank.argmax()], local


@mutant("am_relu_convex", by="the_best_of_all_subsets", slip="forgets the subset with no unit on")
def some_unit_is_on(W, b, v, lam):
    return network(W, b, v, lam, subsets=list(product([0.0, 1.0], repeat=len(v)))[1:])


@mutant("am_relu_convex", by="the_best_of_all_subsets", slip="tries single units, not subsets")
def one_at_a_time(W, b, v, lam):
    return network(W, b, v, lam, subsets=np.vstack([np.zeros(len(v)), np.eye(len(v))]))


@mutant("am_relu_convex", by="the_best_of_all_subsets", slip="turns all units on at once")
def all_units(W, b, v, lam):
    return network(W, b, v, lam, subsets=np.ones((1, len(v))))


@mutant("am_relu_convex", by="the_best_of_all_subsets", slip="ranks the subsets without biases")
def no_biases(W, b, v, lam):
    return network(W, b, v, lam, offsets=0 * b)


@mutant(
    "am_relu_convex",
    by="the_best_of_all_subsets",
    slip="weighs the slopes with v and the biases not",
)
def biases_unweighted(W, b, v, lam):
    return network(W, b, v, lam, offsets=b)


@mutant("am_relu_convex", by="every_local_one_once", slip="lists the centres of all subsets")
def all_centres(W, b, v, lam):
    return network(W, b, v, lam, own_only=False)


@mutant(
    "am_relu_convex",
    by="every_local_one_once",
    slip="lists a point twice where an output weight is zero",
)
def twice_for_silent_units(W, b, v, lam):
    return network(W, b, v, lam, once=False)


@mutant("am_relu_convex", by="every_local_one_once", slip="lists the global maximiser alone")
def the_best_alone(W, b, v, lam):
    x, value, _ = network(W, b, v, lam)
    return x, value, x[None]


@mutant(
    "am_relu_convex",
    by="weights_that_subtract",
    slip="answers for negative output weights, where f is no maximum of its pieces",
)
def negative_weights(W, b, v, lam):
    return network(W, b, np.maximum(v, 0), lam)
