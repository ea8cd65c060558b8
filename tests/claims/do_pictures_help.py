"""Claims of chapters/networks/do-pictures-help.md: forced choices, intervals, the paper's numbers.

What the model observers scored is asserted on the page itself, from the committed results.
"""

import itertools
import math

import numpy as np
from scipy import integrate, stats

from actmax_lib.study import statistics

from . import Check, claim
from .tools import broken, rng, worst

DEFINITIONS = {"eq:help:impressions": "states the model of two noisy impressions, and defines d'"}


def right(d: float, bias: float = 0.0) -> float:
    """Share of right answers when the right query looks larger by d, with a bias to the left.

    By integrating over the impression of the wrong query, both sides equally often right.
    """
    grid = np.linspace(-14, 14, 5601)
    sides = [stats.norm.sf(grid - sign * bias - d) for sign in (1, -1)]
    return float(integrate.simpson(stats.norm.pdf(grid) * np.mean(sides, axis=0), x=grid))


@claim(
    "prop:help:dprime",
    "eq:help:dprime",
    statement="Two normal impressions, integrated, give Φ(d'/√2), which the library's d' inverts; "
    "of all rules on a grid of pairs the best is to take the larger; a bias never helps; the d' of "
    "a mean accuracy is below the mean d'.",
    tol=1e-8,
)
def dprime():
    errors = []
    for d in (-0.7, 0.0, 0.4, 1.3, 2.5):
        p = right(d)
        errors += [p - stats.norm.cdf(d / math.sqrt(2)), float(statistics.d_prime(p)) - d]
    x = np.linspace(-7, 9, 321)
    for d in (0.5, 1.5):
        signal, noise = stats.norm.pdf(x - d), stats.norm.pdf(x)
        left, other = np.outer(signal, noise), np.outer(noise, signal)  # [x_left, x_right]
        best = np.maximum(left, other).sum() * (x[1] - x[0]) ** 2 / 2
        taken = np.where(x[:, None] > x[None], left, other)
        errors += [
            taken.sum() * (x[1] - x[0]) ** 2 / 2 - best,
            max(0.0, abs(best - right(d)) - 0.01),
        ]
        for bias in (-2.0, 0.2, 1.0, 3.0):
            phi = stats.norm.cdf((d + np.array([bias, -bias])) / math.sqrt(2)).mean()
            errors += [right(d, bias) - phi, broken(right(d, bias) < right(d) - 1e-6)]
    r = rng(601)
    for _ in range(200):
        d = r.uniform(0, 4, size=int(r.integers(2, 9)))
        mixed = stats.norm.cdf(d / math.sqrt(2)).mean()
        errors.append(broken(math.sqrt(2) * stats.norm.ppf(mixed) < d.mean()))
    return worst(*errors)


@claim(
    "eq:help:interval",
    statement="The library's exact interval solves the two tail equations, is scipy's, and covers "
    "p with at least its level, by summing the binomial law over all outcomes for a grid of p.",
    tol=1e-9,
)
def interval():
    errors = []
    for n, level in itertools.product((1, 7, 12, 30), (0.95, 0.8)):
        sides = np.array([statistics.binomial_interval(k, n, level)[:2] for k in range(n + 1)])
        for k, (low, high) in enumerate(sides):
            errors.append(stats.binom.sf(k - 1, n, low) - (1 - level) / 2 if k else low)
            errors.append(stats.binom.cdf(k, n, high) - (1 - level) / 2 if k < n else 1 - high)
            exact = stats.binomtest(k, n).proportion_ci(level)
            errors += [low - exact.low, high - exact.high]
        for p in np.linspace(0.003, 0.997, 143):
            inside = (sides[:, 0] <= p) & (p <= sides[:, 1])
            covered = stats.binom.pmf(np.arange(n + 1), n, p)[inside].sum()
            errors.append(max(0.0, level - covered))
    return Check(worst(*errors), {"95 %": 95})


@claim(
    "prop:help:crossed",
    "eq:help:crossed",
    statement="For readers and units in a full table, with covariances written out as one matrix: "
    "the variance of the mean, what the intervals expect it to be, and when the one over trials is "
    "too long or too short for these units.",
    tol=1e-12,
)
def crossed():
    errors = []
    for (R, U), (a, b, e) in itertools.product(
        ((2, 3), (5, 4), (10, 45)), ((0.3, 0.0, 1.0), (0.0, 0.4, 1.0), (0.2, 0.5, 0.7))
    ):
        readers, units = np.kron(np.eye(R), np.ones((U, U))), np.kron(np.ones((R, R)), np.eye(U))
        cov = a**2 * readers + b**2 * units + e**2 * np.eye(R * U)
        n = R * U
        errors.append(cov.sum() / n**2 - (a**2 / R + b**2 / U + e**2 / n))

        def expected(groups, cov=cov, n=n):
            """Mean of the sample variance of the groups' means, divided by their number."""
            means = np.stack([g / g.sum() for g in groups])  # each row averages one group
            of_means = means @ cov @ means.T
            G = len(groups)
            return (np.trace(of_means) - of_means.sum() / G) / (G - 1) / G

        by_reader = expected(np.kron(np.eye(R), np.ones(U)))
        by_unit = expected(np.kron(np.ones(R), np.eye(U)))
        errors.append(by_reader - (a**2 / R + e**2 / n))
        errors.append(by_unit - (b**2 / U + e**2 / n))
        # (c): every trial by itself, against all readers and units, and against these units
        naive = np.trace(cov) / n / n
        errors.append(naive - (a**2 + b**2 + e**2) / n)
        errors.append(broken(naive <= cov.sum() / n**2 + 1e-15))
        if abs(lead := b**2 - (U - 1) * a**2) > 1e-9:
            errors.append(broken((naive > by_reader) == (lead > 0)))
        errors.append(by_reader + by_unit - e**2 / n - cov.sum() / n**2)
    # answers 0 and 1: the three parts add up to p (1 - p)
    for p, a, b in ((0.82, 0.05, 0.2), (0.6, 0.1, 0.1)):
        shares = p + np.array([a, a, -a, -a]) + np.array([b, -b, b, -b])  # reader, unit
        errors.append((shares * (1 - shares)).mean() + a**2 + b**2 - p * (1 - p))
    return worst(*errors)


@claim(
    "prop:help:sign",
    "eq:help:power",
    statement="Every outcome of a few units with unequal chances, enumerated: given how many "
    "differ, those for natural are binomial with 1/2 if no condition is better; the power formula "
    "is the enumerated chance of a verdict; the test never says so too often.",
    tol=1e-12,
)
def sign():
    errors = []
    r = rng(602)
    for n in (5, 8):
        one_way = r.uniform(0.05, 0.4, size=n)  # P(natural right, synthetic wrong), and reverse
        given = np.zeros((n + 1, n + 1))
        for outcome in itertools.product((0, 1, 2), repeat=n):
            terms = [(1 - 2 * q, q, q)[o] for o, q in zip(outcome, one_way, strict=True)]
            given[outcome.count(1) + outcome.count(2), outcome.count(1)] += np.prod(terms)
        for m in range(1, n + 1):
            errors.append(
                given[m, : m + 1] / given[m].sum() - stats.binom.pmf(range(m + 1), m, 0.5)
            )
    for n, (natural, synthetic) in itertools.product((6, 12), ((0.9, 0.5), (0.7, 0.7))):
        wins, losses = natural * (1 - synthetic), synthetic * (1 - natural)
        chance = 0.0
        for b, c in itertools.product(range(n + 1), repeat=2):
            if b + c <= n and (b + c) and stats.binomtest(b, b + c).pvalue <= 0.05:
                ways = [wins, losses, 1 - wins - losses]
                chance += stats.multinomial.pmf([b, c, n - b - c], n, ways)
        errors.append(chance - power(n, natural, synthetic))
        if natural == synthetic:
            errors.append(max(0.0, chance - 0.05))
    return worst(*errors)


def power(n: int, natural: float, synthetic: float, alpha: float = 0.05) -> float:
    """The chapter's sum: over how many units differ, and how many of these are for natural."""
    wins, losses = natural * (1 - synthetic), synthetic * (1 - natural)
    total = 0.0
    for m in range(1, n + 1):
        share = wins / (wins + losses)
        verdict = [b for b in range(m + 1) if stats.binomtest(b, m).pvalue <= alpha]
        total += stats.binom.pmf(m, n, wins + losses) * stats.binom.pmf(verdict, m, share).sum()
    return total
