"""Wrong answers to sheet 1, each with the check that has to reject it. Never handed out."""

import numpy as np

from classroom.mutants import mutant


class Unbounded(Exception):
    """As in the sheet's first cells."""


def l2(x, w, b, lam):
    return x, w @ x + b, w @ x + b - lam * (x @ x)


def needs_penalty(lam):
    if lam <= 0:
        raise ValueError("lam has to be positive")


# Question 1 -----------------------------------------------------------------------------------


@mutant(
    "am_linear_l2",
    by="the_linear_maximiser",
    slip="divides by lambda, not by 2 lambda",
    listed=True,
)
def over_lam(w, b, lam):
    needs_penalty(lam)
    return l2(w / lam, w, b, lam)


@mutant(
    "am_linear_l2",
    by="the_linear_maximiser",
    slip="normalises w: the right direction, the wrong length",
    listed=True,
)
def normalised(w, b, lam):
    needs_penalty(lam)
    length = np.linalg.norm(w)
    return l2(w / length / (2 * lam) if length else 0 * w, w, b, lam)


@mutant(
    "am_linear_l2",
    by="the_linear_maximiser",
    slip="forgets the square of the norm: a point on a ball of radius 1 / (2 lambda)",
    listed=True,
)
def unsquared(w, b, lam):
    needs_penalty(lam)
    x = w / max(np.linalg.norm(w), 1e-300) / (2 * lam)
    return x, w @ x + b, w @ x + b - lam * np.linalg.norm(x)


@mutant("am_linear_l2", by="the_two_values", slip="gives f again as L", listed=True)
def f_twice(w, b, lam):
    needs_penalty(lam)
    x = w / (2 * lam)
    return x, w @ x + b, w @ x + b


@mutant("am_linear_l2", by="the_two_values", slip="adds the penalty to f, without the minus sign")
def penalty_added(w, b, lam):
    needs_penalty(lam)
    x = w / (2 * lam)
    return x, w @ x + b, w @ x + b + lam * (x @ x)


@mutant("am_linear_l2", by="the_two_values", slip="forgets the bias in L")
def no_bias(w, b, lam):
    needs_penalty(lam)
    x = w / (2 * lam)
    return x, w @ x + b, w @ x - lam * (x @ x)


@mutant(
    "am_linear_l2", by="a_unit_that_sees_little", slip="divides by the norm of w, which may be zero"
)
def divides_by_norm(w, b, lam):
    needs_penalty(lam)
    with np.errstate(all="ignore"):
        length = np.linalg.norm(w)
        return l2(w / length * (length / (2 * lam)), w, b, lam)


@mutant("am_linear_l2", by="a_penalty_that_is_none", slip="refuses negative penalties but not zero")
def zero_allowed(w, b, lam):
    if lam < 0:
        raise ValueError("lam has to be positive")
    return l2(w / (2 * lam) if lam else 0 * w, w, b, lam)


# Question 2 -----------------------------------------------------------------------------------


def fate(spec):
    """The right answer, for the mutants to spoil in one place."""
    family, lam = spec["family"], spec.get("lam", 0.0)
    w = np.asarray(spec.get("w", 1.0))
    free = "multiple"
    if family == "affine" or (family == "affine_l2" and lam == 0):
        return "unbounded" if w.any() else free
    if family == "affine_box":
        return "unique" if w.all() else free
    if family in ("affine_l1", "parabola"):
        return (free, "unbounded", "unique")[int(np.sign(abs(w).max() - lam))]
    if family == "sigmoid":
        return "sup_not_attained" if w.any() else free
    if family == "log_softmax":
        inside = w.min() < w[spec["k"]] < w.max()
        return free if np.ptp(w) == 0 else "unique" if inside else "sup_not_attained"
    if family == "max_ball":
        return free if spec["d"] > 1 else "unique"
    return {"relu": "unbounded", "affine_l2": "unique", "square": "unique"}[family]


def known(spec):
    try:
        return fate(spec)
    except KeyError:
        raise ValueError("unknown family") from None


@mutant(
    "classify_problem",
    by="fates_without_a_regularizer",
    slip="no regularizer, so unbounded (also in a box)",
    listed=True,
)
def unregularized_is_unbounded(spec):
    answer = known(spec)
    return "unbounded" if spec["family"] in ("affine", "affine_box", "relu") else answer


@mutant(
    "classify_problem",
    by="fates_with_a_regularizer",
    slip="a regularizer, so exactly one maximiser",
    listed=True,
)
def regularized_is_unique(spec):
    answer = known(spec)
    return "unique" if spec["family"] in ("affine_l2", "affine_l1", "parabola") else answer


@mutant(
    "classify_problem",
    by="fates_without_a_regularizer",
    slip="forgets that a zero weight leaves a pixel of the box free",
)
def box_is_unique(spec):
    answer = known(spec)
    return "unique" if spec["family"] == "affine_box" else answer


@mutant(
    "classify_problem",
    by="fates_without_a_regularizer",
    slip="max(x, 0) - x is taken to be bounded, since the two cancel on the right",
)
def relu_cancels(spec):
    answer = known(spec)
    if spec["family"] == "relu" and spec["a"] >= 1:
        return "multiple" if spec["a"] == 1 else "unique"
    return answer


@mutant(
    "classify_problem",
    by="fates_without_a_regularizer",
    slip="one maximiser of the max on a ball, on the diagonal",
)
def one_on_the_ball(spec):
    answer = known(spec)
    return "unique" if spec["family"] == "max_ball" else answer


@mutant(
    "classify_problem",
    by="fates_without_a_regularizer",
    slip="an affine score is called unbounded without a look at w",
)
def affine_is_unbounded(spec):
    answer = known(spec)
    return "unbounded" if spec["family"] == "affine" else answer


@mutant(
    "classify_problem",
    by="fates_with_a_regularizer",
    slip="at the threshold of the 1-norm only 0 is seen, not the half-line",
)
def threshold_is_unique(spec):
    answer = known(spec)
    return "unique" if spec["family"] == "affine_l1" and answer == "multiple" else answer


@mutant(
    "classify_problem",
    by="fates_with_a_regularizer",
    slip="compares lambda with the sum of the weights, not with the largest one",
)
def wrong_norm_of_w(spec):
    if spec["family"] == "affine_l1":
        excess = np.abs(spec["w"]).sum() - spec["lam"]
        return ("multiple", "unbounded", "unique")[int(np.sign(excess))]
    return known(spec)


@mutant(
    "classify_problem",
    by="fates_with_a_regularizer",
    slip="forgets the absolute value of the weights",
)
def signs_of_w(spec):
    if spec["family"] == "affine_l1":
        return ("multiple", "unbounded", "unique")[int(np.sign(spec["w"].max() - spec["lam"]))]
    return known(spec)


@mutant(
    "classify_problem",
    by="fates_with_a_regularizer",
    slip="takes a lambda near the largest weight for one at the threshold",
)
def nearly_at_the_threshold(spec):
    if spec["family"] == "affine_l1":
        top = np.abs(spec["w"]).max()
        if abs(top - spec["lam"]) <= 0.01 * top:
            return "multiple"
    return known(spec)


@mutant("classify_problem", by="fates_of_certainty", slip="bounded, so attained")
def bounded_is_attained(spec):
    answer = known(spec)
    return "unique" if answer == "sup_not_attained" else answer


@mutant(
    "classify_problem",
    by="fates_of_certainty",
    slip="a log-probability never has a maximiser (a surrounded class has)",
)
def never_certain(spec):
    answer = known(spec)
    return "sup_not_attained" if spec["family"] == "log_softmax" else answer


@mutant(
    "classify_problem",
    by="fates_of_certainty",
    slip="only the steepest class runs away, not the least steep one",
)
def only_the_steepest(spec):
    answer = known(spec)
    if spec["family"] == "log_softmax" and answer != "multiple":
        return "sup_not_attained" if spec["w"][spec["k"]] == spec["w"].max() else "unique"
    return answer


@mutant(
    "classify_problem",
    by="fates_of_certainty",
    slip="a tie for the steepest class is taken for an attained maximum",
)
def a_tie_is_attained(spec):
    answer = known(spec)
    tie = answer == "sup_not_attained" and spec["family"] == "log_softmax"
    return "multiple" if tie and (spec["w"] == spec["w"][spec["k"]]).sum() > 1 else answer


@mutant(
    "classify_problem",
    by="an_eleventh_family",
    slip="answers for a family that is not in the table",
)
def anything_goes(spec):
    try:
        return fate(spec)
    except KeyError:
        return "unbounded"


# Question 3 -----------------------------------------------------------------------------------


def verdict(modulus):
    return bool(modulus >= -1e-9), float(modulus)


@mutant("concavity", by="the_modulus", slip="uses the smallest eigenvalue", listed=True)
def smallest_eigenvalue(H, lam):
    return verdict(2 * lam - np.linalg.eigvalsh(H)[0])


@mutant(
    "concavity",
    by="the_modulus",
    slip="forgets the 2 of the squared norm's derivative",
    listed=True,
)
def one_lam(H, lam):
    return verdict(lam - np.linalg.eigvalsh(H)[-1])


@mutant("concavity", by="the_verdict", slip="a penalty makes everything concave", listed=True)
def always_concave(H, lam):
    return True, verdict(2 * lam - np.linalg.eigvalsh(H)[-1])[1]


@mutant(
    "concavity",
    by="the_modulus",
    slip="takes the eigenvalue of the largest size, whatever its sign",
)
def spectral_norm(H, lam):
    return verdict(2 * lam - np.linalg.norm(H, 2))


@mutant("concavity", by="the_modulus", slip="looks at the diagonal only")
def diagonal_only(H, lam):
    return verdict(2 * lam - np.diag(H).max())


@mutant("concavity", by="the_modulus", slip="cuts the modulus off at zero")
def cut_at_zero(H, lam):
    concave, modulus = verdict(2 * lam - np.linalg.eigvalsh(H)[-1])
    return concave, max(modulus, 0.0)


@mutant("concavity", by="the_modulus", slip="takes the Hessian of x.Hx / 2 to be H / 2")
def half_hessian(H, lam):
    return verdict(2 * lam - np.linalg.eigvalsh(H)[-1] / 2)


@mutant("concavity", by="just_concave", slip="compares with zero exactly, and rounding decides")
def no_tolerance(H, lam):
    modulus = 2 * lam - np.linalg.eigvalsh(H)[-1]
    return bool(modulus >= 0), float(modulus)


@mutant("concavity", by="just_concave", slip="a modulus of zero is taken for not concave")
def strictly_positive(H, lam):
    modulus = 2 * lam - np.linalg.eigvalsh(H)[-1]
    return bool(modulus > 1e-9), float(modulus)


@mutant("concavity", by="the_verdict", slip="allows for a thousandth, not only for rounding")
def generous(H, lam):
    modulus = 2 * lam - np.linalg.eigvalsh(H)[-1]
    return bool(modulus >= -1e-3), float(modulus)


# Question 4 -----------------------------------------------------------------------------------


@mutant("gradient_ascent", by="the_law_of_the_path", slip="walks down instead of up", listed=True)
def descent(grad, x0, eta, T, project=None):
    rows = [np.array(x0, dtype=float)]
    for _ in range(T):
        x = rows[-1] - eta * grad(rows[-1].copy())
        rows.append(x if project is None else project(x))
    return np.array(rows)


@mutant(
    "gradient_ascent", by="brought_back_every_time", slip="projects once, at the end", listed=True
)
def projects_at_the_end(grad, x0, eta, T, project=None):
    rows = [np.array(x0, dtype=float)]
    for _ in range(T):
        rows.append(rows[-1] + eta * grad(rows[-1].copy()))
    if project is not None:
        rows[-1] = project(rows[-1])
    return np.array(rows)


@mutant(
    "gradient_ascent",
    by="the_law_of_the_path",
    slip="returns T rows: one step too few",
    listed=True,
)
def one_row_short(grad, x0, eta, T, project=None):
    rows = [np.array(x0, dtype=float)]
    for _ in range(T - 1):
        x = rows[-1] + eta * grad(rows[-1].copy())
        rows.append(x if project is None else project(x))
    return np.array(rows)


@mutant(
    "gradient_ascent",
    by="the_law_of_the_path",
    slip="stores one array T + 1 times and changes it in place",
    listed=True,
)
def all_rows_equal(grad, x0, eta, T, project=None):
    x = np.array(x0, dtype=float)
    rows = [x]
    for _ in range(T):
        x += eta * grad(x.copy())
        if project is not None:
            x[:] = project(x.copy())
        rows.append(x)
    return np.array(rows)


@mutant(
    "gradient_ascent", by="the_law_of_the_path", slip="leaves out the start and makes one step more"
)
def no_start(grad, x0, eta, T, project=None):
    rows, x = [], np.array(x0, dtype=float)
    for _ in range(T + 1):
        x = x + eta * grad(x.copy())
        x = x if project is None else project(x)
        rows.append(x)
    return np.array(rows)


@mutant(
    "gradient_ascent",
    by="where_the_gradient_is_asked",
    slip="asks the gradient at the start in every step",
)
def stale_gradient(grad, x0, eta, T, project=None):
    rows = [np.array(x0, dtype=float)]
    g = grad(rows[0].copy())
    for _ in range(T):
        x = rows[-1] + eta * g
        rows.append(x if project is None else project(x))
    return np.array(rows)


@mutant("gradient_ascent", by="where_the_gradient_is_asked", slip="normalises the gradient")
def unit_steps(grad, x0, eta, T, project=None):
    rows = [np.array(x0, dtype=float)]
    for _ in range(T):
        g = grad(rows[-1].copy())
        x = rows[-1] + eta * g / max(np.linalg.norm(g), 1e-12)
        rows.append(x if project is None else project(x))
    return np.array(rows)


@mutant(
    "gradient_ascent",
    by="where_the_gradient_is_asked",
    slip="asks the gradient twice in every step",
)
def asks_twice(grad, x0, eta, T, project=None):
    rows = [np.array(x0, dtype=float)]
    for _ in range(T):
        if np.isfinite(grad(rows[-1].copy())).all():
            x = rows[-1] + eta * grad(rows[-1].copy())
        rows.append(x if project is None else project(x))
    return np.array(rows)


@mutant(
    "gradient_ascent",
    by="the_law_of_the_path",
    slip="shortens long steps so that nothing can fly away",
)
def shortens_long_steps(grad, x0, eta, T, project=None):
    rows = [np.array(x0, dtype=float)]
    for _ in range(T):
        x = rows[-1] + np.clip(eta * grad(rows[-1].copy()), -1, 1)
        rows.append(x if project is None else project(x))
    return np.array(rows)


@mutant(
    "gradient_ascent",
    by="brought_back_every_time",
    slip="projects what is stored but goes on from the point outside",
)
def projects_the_record(grad, x0, eta, T, project=None):
    x = np.array(x0, dtype=float)
    rows = [x]
    for _ in range(T):
        x = x + eta * grad(x.copy())
        rows.append(x if project is None else project(x))
    return np.array(rows)


@mutant("gradient_ascent", by="brought_back_every_time", slip="projects the start as well")
def projects_the_start(grad, x0, eta, T, project=None):
    project = project or (lambda x: x)
    rows = [project(np.array(x0, dtype=float))]
    for _ in range(T):
        rows.append(project(rows[-1] + eta * grad(rows[-1].copy())))
    return np.array(rows)


@mutant("gradient_ascent", by="brought_back_every_time", slip="projects the step, not the point")
def projects_the_step(grad, x0, eta, T, project=None):
    project = project or (lambda x: x)
    rows = [np.array(x0, dtype=float)]
    for _ in range(T):
        rows.append(rows[-1] + project(eta * grad(rows[-1].copy())))
    return np.array(rows)


@mutant(
    "gradient_ascent",
    by="paths_of_no_and_of_whole_steps",
    slip="takes the dtype of x0: whole numbers stay whole",
)
def rounds_to_integers(grad, x0, eta, T, project=None):
    rows = np.zeros((T + 1, len(x0)), dtype=x0.dtype)
    rows[0] = x0
    for t in range(T):
        x = rows[t] + eta * grad(rows[t].copy())
        rows[t + 1] = x if project is None else project(x)
    return rows


@mutant(
    "gradient_ascent",
    by="paths_of_no_and_of_whole_steps",
    slip="makes at least one step, also for T = 0",
)
def at_least_one_step(grad, x0, eta, T, project=None):
    rows = [np.array(x0, dtype=float)]
    while True:
        x = rows[-1] + eta * grad(rows[-1].copy())
        rows.append(x if project is None else project(x))
        if len(rows) > T:
            return np.array(rows)


# Question 5 -----------------------------------------------------------------------------------


@mutant(
    "am_gaussian_prior",
    by="the_best_under_a_prior",
    slip="applies the inverse of Sigma where Sigma belongs",
    listed=True,
)
def inverse_of_sigma(w, b, mu, Sigma):
    step = np.linalg.pinv(Sigma) @ w
    return mu + step, w @ mu + b + w @ step / 2


@mutant("am_gaussian_prior", by="the_best_under_a_prior", slip="forgets the mean", listed=True)
def no_mean(w, b, mu, Sigma):
    return Sigma @ w, b + w @ Sigma @ w / 2


@mutant(
    "am_gaussian_prior",
    by="a_prior_that_forbids",
    slip="computes an inverse, which a singular prior has not",
    listed=True,
)
def explicit_inverse(w, b, mu, Sigma):
    precision = np.linalg.inv(Sigma)
    x = mu + np.linalg.solve(precision, w)
    return x, w @ x + b - (x - mu) @ precision @ (x - mu) / 2


@mutant(
    "am_gaussian_prior", by="the_best_under_a_prior", slip="takes the penalty without its one half"
)
def no_half_in_x(w, b, mu, Sigma):
    step = Sigma @ w / 2
    return mu + step, w @ mu + b + w @ step / 2


@mutant(
    "am_gaussian_prior",
    by="the_best_under_a_prior",
    slip="uses the variances and forgets that neighbours go together",
)
def variances_only(w, b, mu, Sigma):
    step = np.diag(Sigma) * w
    return mu + step, w @ mu + b + w @ step / 2


@mutant(
    "am_gaussian_prior",
    by="the_value_under_a_prior",
    slip="gives the score, without what the prior takes back",
)
def score_as_value(w, b, mu, Sigma):
    x = mu + Sigma @ w
    return x, w @ x + b


@mutant("am_gaussian_prior", by="the_value_under_a_prior", slip="forgets the bias")
def prior_without_bias(w, b, mu, Sigma):
    step = Sigma @ w
    return mu + step, w @ mu + w @ step / 2


@mutant(
    "am_gaussian_prior",
    by="a_prior_that_forbids",
    slip="adds a little to the diagonal so that the inverse exists",
)
def jittered(w, b, mu, Sigma):
    Sigma = Sigma + 1e-6 * np.eye(len(w))
    precision = np.linalg.inv(Sigma)
    x = mu + np.linalg.solve(precision, w)
    return x, w @ x + b - (x - mu) @ precision @ (x - mu) / 2


@mutant(
    "am_gaussian_prior",
    by="a_prior_that_forbids",
    slip="returns the mean as soon as the prior is singular",
)
def gives_up(w, b, mu, Sigma):
    step = Sigma @ w
    if np.linalg.matrix_rank(Sigma) < len(w):
        step = 0 * step
    return mu + step, w @ mu + b + w @ step / 2


@mutant(
    "am_gaussian_prior",
    by="two_old_friends",
    slip="a round prior of variance 1 / lambda for 1 / (2 lambda): the step twice",
)
def twice_the_step(w, b, mu, Sigma):
    step = 2 * Sigma @ w
    return mu + step, w @ mu + b + w @ step / 2


# Question 6 -----------------------------------------------------------------------------------


def in_range(eps, p):
    if eps < 0 or p < 1:
        raise ValueError("eps >= 0 and p >= 1")


def step_of(w, eps, p):
    """The right answer, for the mutants to spoil in one place."""
    in_range(eps, p)
    if not w.any():
        return 0 * w
    share = np.abs(w) / np.abs(w).max()
    with np.errstate(under="ignore"):
        power = share ** (1 / (p - 1)) if p > 1 else (np.arange(len(w)) == share.argmax())
        delta = np.sign(w) * power
        return eps * delta / np.linalg.norm(delta, p)


@mutant(
    "linear_step",
    by="the_largest_gain_in_a_ball",
    slip="uses p where its dual q belongs",
    listed=True,
)
def p_for_q(w, eps, p):
    in_range(eps, p)
    if p in (1, 2, np.inf) or not w.any():
        return step_of(w, eps, p)
    with np.errstate(all="ignore"):
        delta = np.sign(w) * (np.abs(w) / np.abs(w).max()) ** (p - 1)
        return eps * delta / np.linalg.norm(delta, p)


@mutant(
    "linear_step",
    by="steps_with_silent_and_equal_weights",
    slip="the sign of zero is 1: silent pixels move",
    listed=True,
)
def sign_of_zero(w, eps, p):
    delta = step_of(w, eps, p)
    return eps * np.where(w >= 0, 1.0, -1.0) if p == np.inf else delta


@mutant(
    "linear_step",
    by="the_largest_gain_in_a_ball",
    slip="normalises by the Euclidean norm in every ball",
    listed=True,
)
def wrong_norm(w, eps, p):
    delta = step_of(w, 1.0, p)
    return eps * delta / max(np.linalg.norm(delta), 1e-300)


@mutant(
    "linear_step", by="the_largest_gain_in_a_ball", slip="swaps the balls of p = 1 and p = infinity"
)
def swapped_balls(w, eps, p):
    in_range(eps, p)
    return step_of(w, eps, {1: np.inf, np.inf: 1}.get(p, p))


@mutant(
    "linear_step",
    by="the_largest_gain_in_a_ball",
    slip="goes along w in every ball, as in the Euclidean one",
)
def always_along_w(w, eps, p):
    in_range(eps, p)
    return eps * w / max(np.linalg.norm(w, p), 1e-300)


@mutant(
    "linear_step",
    by="the_largest_gain_in_a_ball",
    slip="p = 1: takes the largest weight, not the largest absolute one",
)
def largest_signed(w, eps, p):
    delta = step_of(w, eps, p)
    if p == 1 and w.any():
        delta = 0 * w
        delta[np.argmax(w)] = eps
    return delta


@mutant("linear_step", by="the_largest_gain_in_a_ball", slip="forgets the signs of the weights")
def no_signs(w, eps, p):
    return np.abs(step_of(w, eps, p))


@mutant(
    "linear_step",
    by="steps_with_silent_and_equal_weights",
    slip="p = 1: gives all of eps to each of several equal weights",
)
def all_of_the_ties(w, eps, p):
    delta = step_of(w, eps, p)
    return eps * np.sign(w) * (np.abs(w) == np.abs(w).max()) if p == 1 else delta


@mutant(
    "linear_step",
    by="steps_with_silent_and_equal_weights",
    slip="divides zero by zero where all weights are zero",
)
def nothing_over_nothing(w, eps, p):
    in_range(eps, p)
    with np.errstate(all="ignore"):
        return step_of(w, eps, p) if w.any() else eps * w / np.abs(w).max()


@mutant(
    "linear_step",
    by="exponents_at_the_ends",
    slip="raises the weights to the power q - 1 before it scales them: overflow",
)
def overflows(w, eps, p):
    in_range(eps, p)
    if p in (1, np.inf) or not w.any():
        return step_of(w, eps, p)
    with np.errstate(all="ignore"):
        q = p / (p - 1)
        return eps * np.sign(w) * np.abs(w) ** (q - 1) / np.linalg.norm(w, q) ** (q - 1)


@mutant("linear_step", by="exponents_at_the_ends", slip="treats exponents near 1 as 1")
def rounds_p(w, eps, p):
    return step_of(w, eps, 1 if 1 <= p < 1.02 else p)


@mutant("linear_step", by="exponents_at_the_ends", slip="answers for p < 1, where there is no norm")
def no_norm(w, eps, p):
    return step_of(w, max(eps, 0.0), max(p, 1.0))


@mutant("linear_step", by="exponents_at_the_ends", slip="refuses p from 0 to 1, not a negative p")
def negative_exponent(w, eps, p):
    if eps < 0 or 0 <= p < 1:
        raise ValueError("no ball")
    if p >= 1:
        return step_of(w, eps, p)
    share = np.abs(w) / np.abs(w).max()
    delta = np.sign(w) * share ** (1 / (p - 1))
    return eps * delta / np.linalg.norm(delta, p)


@mutant("linear_box", by="the_best_corner", slip="takes the box to be from 0 to 1")
def unit_box(w, lo, hi):
    if np.any(lo > hi):
        raise ValueError("an empty box")
    return np.where(w > 0, 1.0, 0.0)


@mutant("linear_box", by="the_best_corner", slip="clips the weights to the box")
def clipped_weights(w, lo, hi):
    if np.any(lo > hi):
        raise ValueError("an empty box")
    return np.clip(w, lo, hi)


@mutant(
    "linear_box",
    by="the_best_corner",
    slip="multiplies signs and bounds, as if the box were centred at 0",
)
def centred_box(w, lo, hi):
    if np.any(lo > hi):
        raise ValueError("an empty box")
    return np.sign(w) * hi


@mutant(
    "linear_box",
    by="the_best_corner",
    slip="sets pixels without a weight to zero, which may be outside",
)
def zero_outside(w, lo, hi):
    if np.any(lo > hi):
        raise ValueError("an empty box")
    return np.where(w > 0, hi, np.where(w < 0, lo, 0.0))


@mutant(
    "linear_box",
    by="boxes_without_a_room",
    slip="turns a box that is inside out the right way round",
)
def turned_round(w, lo, hi):
    return np.where(w > 0, np.maximum(lo, hi), np.minimum(lo, hi))


@mutant(
    "linear_box",
    by="boxes_without_a_room",
    slip="refuses a box only if it is inside out everywhere",
)
def all_for_any(w, lo, hi):
    if np.all(lo > hi):
        raise ValueError("an empty box")
    return np.where(w > 0, hi, lo)


@mutant(
    "linear_box",
    by="boxes_without_a_room",
    slip="refuses a box that is flat in one coordinate, too",
)
def flat_refused(w, lo, hi):
    if np.any(lo >= hi):
        raise ValueError("an empty box")
    return np.where(w > 0, hi, lo)


# Question 7 -----------------------------------------------------------------------------------


def soft(w, lam1):
    return np.sign(w) * np.maximum(np.abs(w) - lam1, 0)


def elastic(w, lam1, lam2, left):
    """The right answer but for the threshold `left`, for the mutants to spoil in one place."""
    if lam1 < 0 or lam2 < 0:
        raise ValueError("negative")
    if lam2 == 0:
        if left.any():
            raise Unbounded
        return 0 * w, 0.0
    return left / (2 * lam2), left @ left / (4 * lam2)


@mutant(
    "am_elastic_net",
    by="the_best_under_two_penalties",
    slip="hard threshold: large weights lose nothing",
    listed=True,
)
def hard_threshold(w, lam1, lam2):
    return elastic(w, lam1, lam2, w * (np.abs(w) > lam1))


@mutant(
    "am_elastic_net",
    by="the_best_under_two_penalties",
    slip="divides by lambda2, not by 2 lambda2",
    listed=True,
)
def over_lam2(w, lam1, lam2):
    x, value = elastic(w, lam1, lam2, soft(w, lam1))
    return 2 * x, value


@mutant(
    "am_elastic_net",
    by="the_first_penalty_by_itself",
    slip="returns 0 where the problem is unbounded",
    listed=True,
)
def zero_for_unbounded(w, lam1, lam2):
    if lam2 == 0 and lam1 >= 0:
        return 0 * w, 0.0
    return elastic(w, lam1, lam2, soft(w, lam1))


@mutant(
    "am_elastic_net",
    by="the_first_penalty_by_itself",
    slip="calls every problem without the second penalty unbounded",
)
def always_unbounded(w, lam1, lam2):
    left = soft(w, lam1) if lam2 else np.ones(len(w))
    return elastic(w, lam1, lam2, left)


@mutant(
    "am_elastic_net",
    by="the_first_penalty_by_itself",
    slip="the edge itself is taken for unbounded",
)
def edge_is_unbounded(w, lam1, lam2):
    left = soft(w, lam1) if lam2 else np.abs(w) >= lam1
    return elastic(w, lam1, lam2, left)


@mutant(
    "am_elastic_net",
    by="the_first_penalty_by_itself",
    slip="compares lambda1 with the length of w, not with its largest entry",
)
def length_of_w(w, lam1, lam2):
    if lam2 == 0 and lam1 >= 0:
        if np.linalg.norm(w) / np.sqrt(len(w)) > lam1:
            raise Unbounded
        return 0 * w, 0.0
    return elastic(w, lam1, lam2, soft(w, lam1))


@mutant(
    "am_elastic_net",
    by="the_first_penalty_by_itself",
    slip="forgets that a large negative weight runs away, too",
)
def signed_weights(w, lam1, lam2):
    if lam2 == 0 and lam1 >= 0:
        if w.max() > lam1:
            raise Unbounded
        return 0 * w, 0.0
    return elastic(w, lam1, lam2, soft(w, lam1))


@mutant(
    "am_elastic_net",
    by="the_best_under_two_penalties",
    slip="thresholds the solution of question 1 instead of the weights",
)
def threshold_afterwards(w, lam1, lam2):
    if lam2 > 0 and lam1 >= 0:
        x = soft(w / (2 * lam2), lam1)
        return x, w @ x - lam1 * np.abs(x).sum() - lam2 * (x @ x)
    return elastic(w, lam1, lam2, soft(w, lam1))


@mutant("am_elastic_net", by="the_best_under_two_penalties", slip="forgets the sign of the weights")
def no_sign(w, lam1, lam2):
    return elastic(w, lam1, lam2, np.abs(soft(w, lam1)))


@mutant("am_elastic_net", by="the_value_under_two_penalties", slip="pays only the second penalty")
def first_penalty_unpaid(w, lam1, lam2):
    x, value = elastic(w, lam1, lam2, soft(w, lam1))
    return x, value + lam1 * np.abs(x).sum()


@mutant(
    "am_elastic_net", by="the_value_under_two_penalties", slip="gives the gain before the penalties"
)
def gain_only(w, lam1, lam2):
    x, _ = elastic(w, lam1, lam2, soft(w, lam1))
    return x, w @ x


@mutant(
    "am_elastic_net",
    by="the_first_penalty_by_itself",
    slip="takes a weight that is a little above lambda1 for one at the edge",
)
def tolerant_edge(w, lam1, lam2):
    left = soft(w, lam1)
    return elastic(w, lam1, lam2, left if lam2 else left * (np.abs(left) > 1e-3))


@mutant("am_elastic_net", by="no_negative_penalties", slip="refuses a negative lambda2 only")
def negative_first(w, lam1, lam2):
    if lam2 < 0:
        raise ValueError("negative")
    return elastic(w, abs(lam1), lam2, soft(w, lam1))


# Question 8 -----------------------------------------------------------------------------------


def in_axes(H, w, lam):
    h, axes = np.linalg.eigh(H)
    return 2 * lam - h, axes.T @ w, axes


def word(H, w, lam):
    """The right word, or None where there is one maximiser."""
    bend, slope, _ = in_axes(H, w, lam)
    flat = np.abs(bend) < 1e-9
    if (bend < -1e-9).any() or (np.abs(slope[flat]) > 1e-9).any():
        return "unbounded"
    return "nonunique" if flat.any() else None


def system(H, lam):
    return 2 * lam * np.eye(len(H)) - H


@mutant(
    "am_quadratic",
    by="the_one_best_input",
    slip="solves with H - 2 lambda I: the wrong sign",
    listed=True,
)
def wrong_sign(H, w, lam):
    return word(H, w, lam) or np.linalg.solve(-system(H, lam), w)


@mutant(
    "am_quadratic",
    by="exactly_at_the_edge",
    slip="a pseudo-inverse answers where the problem is unbounded",
    listed=True,
)
def pseudo_inverse(H, w, lam):
    if np.linalg.eigvalsh(system(H, lam))[0] < -1e-9:
        return "unbounded"
    return np.linalg.pinv(system(H, lam), rcond=1e-9, hermitian=True) @ w


@mutant(
    "am_quadratic",
    by="penalties_that_are_too_weak",
    slip="solves the equation and takes a saddle for a maximiser",
    listed=True,
)
def saddle_for_maximum(H, w, lam):
    return np.linalg.pinv(system(H, lam), rcond=1e-9, hermitian=True) @ w


@mutant("am_quadratic", by="the_one_best_input", slip="forgets the 2 of 2 lambda")
def lam_once(H, w, lam):
    return word(H, w, lam) or np.linalg.solve(system(H, lam / 2), w)


@mutant("am_quadratic", by="the_one_best_input", slip="takes the gradient of x.Hx / 2 to be Hx / 2")
def half_of_H(H, w, lam):
    return word(H, w, lam) or np.linalg.solve(system(H / 2, lam), w)


@mutant(
    "am_quadratic",
    by="the_one_best_input",
    slip="leaves the answer in the axes of the eigenvectors",
)
def not_turned_back(H, w, lam):
    bend, slope, _ = in_axes(H, w, lam)
    return word(H, w, lam) or slope / bend


@mutant(
    "am_quadratic", by="penalties_that_are_too_weak", slip="calls a saddle nonunique when w is zero"
)
def saddle_without_w(H, w, lam):
    answer = word(H, w, lam)
    if answer == "unbounded" and not w.any():
        return "nonunique"
    return answer or np.linalg.solve(system(H, lam), w)


@mutant(
    "am_quadratic",
    by="penalties_that_are_too_weak",
    slip="looks at the trace: on average the penalty is strong enough",
)
def average_curvature(H, w, lam):
    bend, _, _ = in_axes(H, w, lam)
    if bend.mean() < 0:
        return "unbounded"
    return np.linalg.solve(system(H, lam), w)


@mutant(
    "am_quadratic",
    by="exactly_at_the_edge",
    slip="every flat axis makes it nonunique, whatever w is",
)
def flat_is_nonunique(H, w, lam):
    bend, slope, axes = in_axes(H, w, lam)
    if (bend < -1e-9).any():
        return "unbounded"
    return "nonunique" if (np.abs(bend) < 1e-9).any() else axes @ (slope / bend)


@mutant(
    "am_quadratic",
    by="exactly_at_the_edge",
    slip="every flat axis makes it unbounded, whatever w is",
)
def flat_is_unbounded(H, w, lam):
    return "unbounded" if word(H, w, lam) else np.linalg.solve(system(H, lam), w)


@mutant(
    "am_quadratic",
    by="exactly_at_the_edge",
    slip="a flat axis hides that L bends upwards along another one",
)
def flat_first(H, w, lam):
    bend, slope, axes = in_axes(H, w, lam)
    flat = np.abs(bend) < 1e-9
    if flat.any():
        return "unbounded" if (np.abs(slope[flat]) > 1e-9).any() else "nonunique"
    return "unbounded" if (bend < 0).any() else axes @ (slope / bend)


@mutant(
    "am_quadratic",
    by="exactly_at_the_edge",
    slip="compares with zero exactly, and rounding decides",
)
def no_rounding(H, w, lam):
    bend, slope, axes = in_axes(H, w, lam)
    if (bend < 0).any() or (slope[bend == 0] != 0).any():
        return "unbounded"
    return "nonunique" if (bend == 0).any() else axes @ (slope / bend)


@mutant(
    "am_quadratic",
    by="penalties_that_are_too_weak",
    slip="takes a small curvature for none: a hundredth is not rounding",
)
def nearly_flat(H, w, lam):
    bend, slope, axes = in_axes(H, w, lam)
    flat = np.abs(bend) < 1e-2
    if (bend[~flat] < 0).any() or (np.abs(slope[flat]) > 1e-9).any():
        return "unbounded"
    return "nonunique" if flat.any() else axes @ (slope / bend)
