"""Wrong answers to sheet 4, each with the check that has to reject it. Never handed out."""

import numpy as np

from classroom.mutants import mutant

# Question 1


@mutant("ism_loss", by="the_average", slip="forgets the factor 1/2 of the square", listed=True)
def whole_square(score, div, X):
    return float(np.mean(div(X) + np.sum(score(X) ** 2, axis=1)))


@mutant(
    "ism_loss", by="the_two_losses_differ_by_a_constant", slip="has the wrong sign of the trace",
    listed=True,
)  # fmt: skip
def minus_the_trace(score, div, X):
    return float(np.mean(-div(X) + np.sum(score(X) ** 2, axis=1) / 2))


@mutant("ism_loss", by="the_average", slip="averages the square over the coordinates, too")
def mean_square(score, div, X):
    return float(np.mean(div(X)) + np.mean(score(X) ** 2) / 2)


@mutant("ism_loss", by="the_average", slip="sums over the data")
def sum_over_data(score, div, X):
    return float(np.sum(div(X) + np.sum(score(X) ** 2, axis=1) / 2))


@mutant("ism_loss", by="the_average", slip="takes the norm of the score, not its square")
def unsquared(score, div, X):
    return float(np.mean(div(X) + np.linalg.norm(score(X), axis=1) / 2))


@mutant("ism_loss", by="the_average", slip="leaves the trace out: a gradient penalty")
def no_trace(score, div, X):
    return float(np.mean(np.sum(score(X) ** 2, axis=1)) / 2)


@mutant("box_gap", by="the_walls", slip="forgets the density of the data at the walls")
def no_density(score, lo, hi):
    left, right = score(np.array([[lo], [hi]]))[:, 0]
    return float(right - left)


@mutant("box_gap", by="the_walls", slip="only looks at the upper wall")
def one_wall(score, lo, hi):
    return float(score(np.array([[hi]]))[0, 0] / (hi - lo))


@mutant("box_gap", by="the_walls", slip="has the sign of the gap wrong")
def other_way_round(score, lo, hi):
    left, right = score(np.array([[lo], [hi]]))[:, 0]
    return float((left - right) / (hi - lo))


@mutant("box_gap", by="the_walls", slip="estimates the gap from random numbers")
def sampled_gap(score, lo, hi):
    x = np.random.default_rng(0).uniform(lo, hi, size=(20_000, 1))
    return float(np.mean(score(x + 1e-5) - score(x - 1e-5)) / 2e-5)


# Question 2


@mutant("fit_gaussian", by="the_best_mean_and_covariance", slip="divides by N - 1")
def n_minus_one(X):
    return X.mean(axis=0), np.cov(X.T, ddof=1).reshape(X.shape[1], X.shape[1])


@mutant("fit_gaussian", by="a_known_density", slip="returns the precision, not the covariance")
def precision(X):
    m = X.mean(axis=0)
    return m, np.linalg.inv((X - m).T @ (X - m) / len(X))


@mutant("fit_gaussian", by="a_known_density", slip="drops the correlations")
def uncorrelated(X):
    return X.mean(axis=0), np.diag(X.var(axis=0))


@mutant("fit_gaussian", by="the_best_mean_and_covariance", slip="does not subtract the mean")
def second_moments(X):
    return X.mean(axis=0), X.T @ X / len(X)


@mutant("fit_scale", by="the_best_scale", slip="maximises the likelihood instead")
def likelihood(X, P):
    m = X.mean(axis=0)
    return m, float(len(P) / np.trace((X - m).T @ (X - m) / len(X) @ P))


@mutant("fit_scale", by="the_best_scale", slip="has P only once in the square of the score")
def p_once(X, P):
    m = X.mean(axis=0)
    return m, float(np.trace(P) / np.trace((X - m).T @ (X - m) / len(X) @ P))


@mutant("fit_scale", by="the_best_scale", slip="returns a variance, 1 / a")
def width(X, P):
    m = X.mean(axis=0)
    return m, float(np.mean(np.sum(((X - m) @ P) ** 2, axis=1)) / np.trace(P))


@mutant("fit_scale", by="the_best_scale", slip="forgets the factor 1/2 of the square")
def half_scale(X, P):
    m = X.mean(axis=0)
    return m, float(np.trace(P) / np.mean(np.sum(((X - m) @ P) ** 2, axis=1)) / 2)


# Question 3


def probes(d, n, kind, rng):
    if kind == "gaussian":
        return rng.standard_normal((n, d))
    if kind == "rademacher":
        return rng.choice([-1.0, 1.0], size=(n, d))
    raise ValueError(kind)


@mutant(
    "hutchinson", by="the_law_of_the_probes", slip="draws the entries uniformly from [-1, 1]",
    listed=True,
)  # fmt: skip
def uniform_probes(hvp, d, n, kind, rng):
    v = probes(d, n, kind, rng)
    if kind == "gaussian":
        v = rng.uniform(-1, 1, size=(n, d))
    return float(np.mean(np.sum(v * hvp(v), axis=1)))


@mutant(
    "hutchinson", by="the_mean_of_its_own_probes", slip="sums the estimates, no mean", listed=True
)
def sum_of_estimates(hvp, d, n, kind, rng):
    v = probes(d, n, kind, rng)
    return float(np.sum(v * hvp(v)))


@mutant("hutchinson", by="every_probe_is_new", slip="uses one probe n times", listed=True)
def one_probe(hvp, d, n, kind, rng):
    v = np.repeat(probes(d, 1, kind, rng), n, axis=0)
    return float(np.mean(np.sum(v * hvp(v), axis=1)))


@mutant("hutchinson", by="every_probe_is_new", slip="seeds a generator of its own")
def own_seed(hvp, d, n, kind, rng):
    v = probes(d, n, kind, np.random.default_rng(0))
    return float(np.mean(np.sum(v * hvp(v), axis=1)))


@mutant("hutchinson", by="every_probe_is_new", slip="uses each probe with both signs")
def opposite_probes(hvp, d, n, kind, rng):
    v = probes(d, (n + 1) // 2, kind, rng)
    v = np.concatenate([v, -v])[:n]
    return float(np.mean(np.sum(v * hvp(v), axis=1)))


@mutant("hutchinson", by="the_mean_of_its_own_probes", slip="averages over the coordinates, too")
def mean_of_entries(hvp, d, n, kind, rng):
    v = probes(d, n, kind, rng)
    return float(np.mean(v * hvp(v)))


@mutant("hutchinson", by="the_law_of_the_probes", slip="repairs uniform probes by the factor √3")
def repaired_uniform(hvp, d, n, kind, rng):
    v = probes(d, n, kind, rng)
    if kind == "gaussian":
        v = np.sqrt(3) * rng.uniform(-1, 1, size=(n, d))
    return float(np.mean(np.sum(v * hvp(v), axis=1)))


@mutant("hutchinson", by="the_law_of_the_probes", slip="draws one sign for a whole probe")
def one_sign(hvp, d, n, kind, rng):
    v = probes(d, n, kind, rng)
    if kind == "rademacher":
        v = np.sign(v[:, :1]) * np.ones(d)
    return float(np.mean(np.sum(v * hvp(v), axis=1)))


@mutant("hutchinson", by="exact_for_diagonal_matrices", slip="draws normal probes for every kind")
def always_gaussian(hvp, d, n, kind, rng):
    probes(d, 0, kind, rng)
    v = rng.standard_normal((n, d))
    return float(np.mean(np.sum(v * hvp(v), axis=1)))


@mutant("hutchinson", by="exact_for_diagonal_matrices", slip="takes any other kind for gaussian")
def any_kind(hvp, d, n, kind, rng):
    v = probes(d, n, kind if kind == "rademacher" else "gaussian", rng)
    return float(np.mean(np.sum(v * hvp(v), axis=1)))


@mutant(
    "hutchinson", by="the_mean_of_its_own_probes", slip="multiplies by the unit vectors instead"
)
def unit_vectors(hvp, d, n, kind, rng):
    return float(np.trace(hvp(np.eye(d))))


@mutant("probes_needed", by="enough_probes", slip="forgets the factor 2 of the variance")
def half_the_probes(H, tol, kind):
    size = np.sum(H**2) - (kind == "rademacher") * np.sum(np.diag(H) ** 2)
    return max(1, int(np.ceil(size / tol**2)))


@mutant("probes_needed", by="enough_probes", slip="divides the variance by tol, not by its square")
def not_squared(H, tol, kind):
    size = np.sum(H**2) - (kind == "rademacher") * np.sum(np.diag(H) ** 2)
    return max(1, int(np.ceil(2 * size / tol)))


@mutant("probes_needed", by="enough_probes", slip="counts the diagonal for signs, too")
def kind_ignored(H, tol, kind):
    return max(1, int(np.ceil(2 * np.sum(H**2) / tol**2)))


@mutant("probes_needed", by="enough_probes", slip="says that 0 probes are enough")
def none_needed(H, tol, kind):
    counted = H - np.diag(np.diag(H)) if kind == "rademacher" else H
    return int(np.ceil(2 * np.sum(counted**2) / tol**2))


@mutant("probes_needed", by="enough_probes", slip="rounds the number of probes down")
def rounded_down(H, tol, kind):
    counted = H - np.diag(np.diag(H)) if kind == "rademacher" else H
    return max(1, int(2 * np.sum(counted**2) / tol**2))


@mutant("probes_needed", by="enough_probes", slip="always takes one probe more than fits")
def one_more(H, tol, kind):
    counted = H - np.diag(np.diag(H)) if kind == "rademacher" else H
    size = np.sum(counted**2)
    return int(2 * size / tol**2) + 1


# Question 4


def estimates(f, X, v, antithetic):
    """Differences to be divided by sigma², (n, N)."""
    n, N, d = v.shape
    ahead = f((X + v).reshape(-1, d)).reshape(n, N) - f(X)
    if not antithetic:
        return 2 * ahead
    return ahead + f((X - v).reshape(-1, d)).reshape(n, N) - f(X)


@mutant("taylor_trace", by="the_mean_of_the_formula", slip="forgets the factor 2", listed=True)
def one_half(f, X, sigma, n, antithetic, rng):
    v = sigma * rng.standard_normal((n, *X.shape))
    return np.mean(estimates(f, X, v, antithetic), axis=0) / sigma**2 / (1 if antithetic else 2)


@mutant("taylor_trace", by="the_mean_of_the_formula", slip="divides by sigma once", listed=True)
def sigma_once(f, X, sigma, n, antithetic, rng):
    v = sigma * rng.standard_normal((n, *X.shape))
    return np.mean(estimates(f, X, v, antithetic), axis=0) / sigma


@mutant(
    "taylor_trace", by="both_sides_if_asked", slip="is one-sided where antithetic was asked for",
    listed=True,
)  # fmt: skip
def always_one_sided(f, X, sigma, n, antithetic, rng):
    v = sigma * rng.standard_normal((n, *X.shape))
    return np.mean(estimates(f, X, v, False), axis=0) / sigma**2


@mutant(
    "taylor_trace", by="a_step_of_its_own", slip="has the same noise for every row", listed=True
)
def shared_noise(f, X, sigma, n, antithetic, rng):
    v = sigma * rng.standard_normal((n, 1, X.shape[1])) * np.ones((1, len(X), 1))
    return np.mean(estimates(f, X, v, antithetic), axis=0) / sigma**2


@mutant("taylor_trace", by="a_step_of_its_own", slip="has the same noise for every estimate")
def repeated_noise(f, X, sigma, n, antithetic, rng):
    v = sigma * rng.standard_normal((1, *X.shape)) * np.ones((n, 1, 1))
    return np.mean(estimates(f, X, v, antithetic), axis=0) / sigma**2


@mutant("taylor_trace", by="both_sides_if_asked", slip="draws the two sides independently")
def two_draws(f, X, sigma, n, antithetic, rng):
    v = sigma * rng.standard_normal((2 * n if antithetic else n, *X.shape))
    return np.mean(estimates(f, X, v, False), axis=0) / sigma**2


@mutant("taylor_trace", by="the_law_of_the_steps", slip="takes sigma for the variance of the steps")
def root_sigma(f, X, sigma, n, antithetic, rng):
    v = np.sqrt(sigma) * rng.standard_normal((n, *X.shape))
    return np.mean(estimates(f, X, v, antithetic), axis=0) / sigma**2


@mutant("taylor_trace", by="the_mean_of_the_formula", slip="sums the estimates, no mean")
def sum_of_steps(f, X, sigma, n, antithetic, rng):
    v = sigma * rng.standard_normal((n, *X.shape))
    return np.sum(estimates(f, X, v, antithetic), axis=0) / sigma**2


@mutant("taylor_trace", by="the_mean_of_the_formula", slip="averages over the rows, too")
def one_for_all(f, X, sigma, n, antithetic, rng):
    v = sigma * rng.standard_normal((n, *X.shape))
    return np.full(len(X), np.mean(estimates(f, X, v, antithetic)) / sigma**2)


@mutant("wave_mean", by="the_bias_of_a_wave", slip="subtracts 1 and loses the digits")
def cancelled(w, b, x, sigma):
    return float(np.cos(w @ x + b) * 2 / sigma**2 * (np.exp(-(sigma**2) * (w @ w) / 2) - 1))


@mutant("wave_mean", by="the_bias_of_a_wave", slip="stops after the first term of the bias")
def expansion(w, b, x, sigma):
    return float(-(w @ w) * np.cos(w @ x + b) * (1 - sigma**2 * (w @ w) / 4))


@mutant("wave_mean", by="the_bias_of_a_wave", slip="gives the Laplacian, without any bias")
def unbiased_wave(w, b, x, sigma):
    return float(-(w @ w) * np.cos(w @ x + b))


@mutant("wave_mean", by="the_bias_of_a_wave", slip="forgets how fast the wave is")
def slow_wave(w, b, x, sigma):
    return float(np.cos(w @ x + b) * 2 / sigma**2 * np.expm1(-(sigma**2) / 2))


# Question 5


@mutant("taylor_variance", by="the_variance_of_quadratics", slip="forgets to divide by n")
def single_estimate(g, H, sigma, n, antithetic):
    return float(2 * np.sum(H**2) + (not antithetic) * 4 * np.sum(g**2) / sigma**2)


@mutant("taylor_variance", by="the_variance_of_quadratics", slip="has (tr H)² for the norm of H")
def squared_trace(g, H, sigma, n, antithetic):
    return float(2 * np.trace(H) ** 2 + (not antithetic) * 4 * np.sum(g**2) / sigma**2) / n


@mutant("taylor_variance", by="the_variance_of_quadratics", slip="has 2 for 4 at the gradient")
def two_for_four(g, H, sigma, n, antithetic):
    return float(2 * np.sum(H**2) + (not antithetic) * 2 * np.sum(g**2) / sigma**2) / n


@mutant("taylor_variance", by="the_variance_of_quadratics", slip="keeps the gradient on both sides")
def never_antithetic(g, H, sigma, n, antithetic):
    return float(2 * np.sum(H**2) + 4 * np.sum(g**2) / sigma**2) / n


@mutant("hidden_weight", by="the_hidden_weight", slip="divides by sigma, not by its square")
def weight_over_sigma(mu, sigma, n):
    return 4 * mu / (n * sigma)


@mutant("hidden_weight", by="the_hidden_weight", slip="forgets that n estimates are averaged")
def weight_of_one(mu, sigma, n):
    return 4 * mu / sigma**2


@mutant("hidden_weight", by="the_hidden_weight", slip="has the variance of half an estimate")
def quarter_weight(mu, sigma, n):
    return mu / (n * sigma**2)


@mutant("unbiased_square", by="the_square_has_no_bias", slip="squares the mean")
def square_of_mean(h):
    if len(h) < 2:
        raise ValueError("too few")
    return np.mean(h, axis=0) ** 2


@mutant("unbiased_square", by="the_square_has_no_bias", slip="subtracts the variance with 1/n")
def variance_with_n(h):
    if len(h) < 2:
        raise ValueError("too few")
    return np.mean(h, axis=0) ** 2 - np.var(h, axis=0) / len(h)


@mutant(
    "unbiased_square", by="the_square_has_no_bias", slip="subtracts the variance of one estimate"
)
def variance_of_one(h):
    if len(h) < 2:
        raise ValueError("too few")
    return np.mean(h, axis=0) ** 2 - np.var(h, axis=0, ddof=1)


@mutant("unbiased_square", by="the_square_has_no_bias", slip="divides the pairs by n²")
def divides_by_n_squared(h):
    if len(h) < 2:
        raise ValueError("too few")
    return (np.sum(h, axis=0) ** 2 - np.sum(h**2, axis=0)) / len(h) ** 2


@mutant("unbiased_square", by="every_pair", slip="only multiplies neighbours")
def neighbours(h):
    if len(h) < 2:
        raise ValueError("too few")
    return np.mean(h[:-1] * h[1:], axis=0)


@mutant("unbiased_square", by="the_square_has_no_bias", slip="averages over the images")
def one_number(h):
    if len(h) < 2:
        raise ValueError("too few")
    n = len(h)
    return np.mean((np.sum(h, axis=0) ** 2 - np.sum(h**2, axis=0)) / (n * (n - 1)))


@mutant("unbiased_square", by="every_pair", slip="returns zeros for a single estimate")
def zeros_for_one(h):
    n = len(h)
    return (np.sum(h, axis=0) ** 2 - np.sum(h**2, axis=0)) / (n * max(n - 1, 1))


# Question 6


def walk(score, x0, drift, noise, steps, rng):
    """States of x' = x + drift score + noise(shape)."""
    states = [np.array(x0, dtype=float)]
    for _ in range(steps):
        x = states[-1]
        states.append(x + drift * score(x) + noise * rng.standard_normal(x.shape))
    return np.stack(states)


@mutant("langevin", by="the_law_of_large_steps", slip="has noise eps, not its root", listed=True)
def noise_eps(score, x0, eps, steps, temperature, rng):
    return walk(score, x0, eps / 2, eps * np.sqrt(temperature), steps, rng)


@mutant("langevin", by="cold_chains_climb", slip="has drift eps, not eps / 2", listed=True)
def drift_eps(score, x0, eps, steps, temperature, rng):
    return walk(score, x0, eps, np.sqrt(eps * temperature), steps, rng)


@mutant("langevin", by="the_shell", slip="forgets the noise: it climbs to the mode", listed=True)
def no_noise(score, x0, eps, steps, temperature, rng):
    return walk(score, x0, eps / 2, 0.0, steps, rng)


@mutant("langevin", by="the_noise_of_every_step", slip="ignores the temperature")
def always_warm(score, x0, eps, steps, temperature, rng):
    return walk(score, x0, eps / 2, np.sqrt(eps) * (temperature > 0), steps, rng)


@mutant("langevin", by="the_noise_of_every_step", slip="multiplies the noise by T, not by its root")
def linear_temperature(score, x0, eps, steps, temperature, rng):
    return walk(score, x0, eps / 2, np.sqrt(eps) * temperature, steps, rng)


@mutant("langevin", by="the_noise_of_every_step", slip="divides the drift by T, and noise √eps")
def drift_by_temperature(score, x0, eps, steps, temperature, rng):
    cold = temperature == 0
    drift = eps / 2 / (1 if cold else temperature)
    return walk(score, x0, drift, 0 if cold else np.sqrt(eps), steps, rng)


@mutant("langevin", by="the_noise_of_every_step", slip="draws one noise for all chains")
def one_noise_for_all(score, x0, eps, steps, temperature, rng):
    states = [np.array(x0, dtype=float)]
    for _ in range(steps):
        x = states[-1]
        xi = rng.standard_normal(x.shape[1])
        states.append(x + eps / 2 * score(x) + np.sqrt(eps * temperature) * xi)
    return np.stack(states)


@mutant("langevin", by="the_noise_of_every_step", slip="draws the noise once, before the loop")
def frozen_noise(score, x0, eps, steps, temperature, rng):
    states = [np.array(x0, dtype=float)]
    xi = np.sqrt(eps * temperature) * rng.standard_normal(states[0].shape)
    for _ in range(steps):
        states.append(states[-1] + eps / 2 * score(states[-1]) + xi)
    return np.stack(states)


@mutant("langevin", by="the_noise_of_every_step", slip="draws uniform noise of the right variance")
def uniform_noise(score, x0, eps, steps, temperature, rng):
    states = [np.array(x0, dtype=float)]
    for _ in range(steps):
        x = states[-1]
        xi = np.sqrt(3) * rng.uniform(-1, 1, x.shape)
        states.append(x + eps / 2 * score(x) + np.sqrt(eps * temperature) * xi)
    return np.stack(states)


@mutant("langevin", by="cold_chains_climb", slip="returns the same array for every state")
def same_array(score, x0, eps, steps, temperature, rng):
    x, states = np.array(x0, dtype=float), []
    states.append(x)
    for _ in range(steps):
        x += eps / 2 * score(x) + np.sqrt(eps * temperature) * rng.standard_normal(x.shape)
        states.append(x)
    return np.stack(states)


@mutant("langevin", by="cold_chains_climb", slip="leaves the start out of the states")
def without_start(score, x0, eps, steps, temperature, rng):
    return walk(score, x0, eps / 2, np.sqrt(eps * temperature), steps + 1, rng)[1:]


@mutant("limit_variance", by="the_limit_of_the_variance", slip="gives T v, as for tiny steps")
def tiny_steps(v, alpha, beta):
    if alpha >= 2 * v:
        raise ValueError("too large")
    return beta**2 / (2 * alpha) * v


@mutant("limit_variance", by="the_limit_of_the_variance", slip="takes alpha for eps")
def alpha_for_eps(v, alpha, beta):
    if alpha >= 2 * v:
        raise ValueError("too large")
    return beta**2 / (2 * alpha) * v / (1 - alpha / (4 * v))


@mutant("limit_variance", by="the_limit_of_the_variance", slip="returns the standard deviation")
def deviation(v, alpha, beta):
    if alpha >= 2 * v:
        raise ValueError("too large")
    return beta / np.sqrt(1 - (1 - alpha / v) ** 2)


@mutant("limit_variance", by="the_limit_of_the_variance", slip="gives a limit where there is none")
def always_a_limit(v, alpha, beta):
    return beta**2 / abs(1 - (1 - alpha / v) ** 2) if alpha != 2 * v else float("inf")
