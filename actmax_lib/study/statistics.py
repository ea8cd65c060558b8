"""How sure a proportion of right answers is, and what people scored (chapter *do-pictures-help*).

Answers of one participant are alike, so an interval over all answers of all participants is too
short: `clustered` and `paired` count participants, `binomial_interval` is for one of them.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special, stats

from actmax_lib import checks
from actmax_lib.study.human import HUMAN as HUMAN


@dataclass(frozen=True)
class Estimate:
    """A proportion, its standard error, the ends of its interval, and from how many clusters."""

    value: float
    se: float
    low: float
    high: float
    clusters: int

    @property
    def two_se(self) -> float:
        """Two standard errors, the "±" of Borowski et al. (2021)."""
        return 2 * self.se


@dataclass(frozen=True)
class Paired:
    """A mean difference of pairs, its interval, and two tests of whether it is 0.

    t, p: of the paired t test with df degrees of freedom, NaN where all differences are the same;
    wilcoxon: p of the signed-rank test. Both two-sided.
    """

    difference: float
    se: float
    low: float
    high: float
    t: float
    df: int
    p: float
    wilcoxon: float


@dataclass(frozen=True)
class Bin:
    """Answers of one confidence (1 unsure ... 3 sure): how many, how many right, exact interval."""

    confidence: int
    correct: int
    total: int
    value: float
    low: float
    high: float


def binomial_interval(k: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """The exact interval of Clopper and Pearson for k right answers of n, in [0, 1].

    For one participant, whose answers are taken as independent. It covers the truth at least as
    often as ``level`` says. Raises ValueError unless 0 <= k <= n, n >= 1 and 0 < level < 1.
    In the chapter *do-pictures-help*: (eq:help:interval)
    """
    n, k = checks.count("n", n), checks.count("k", k, at_least=0)
    if k > n:
        raise ValueError(f"k={k} right answers of n={n}: k must be at most n")
    tail = (1 - checks.real("level", level, above=0, below=1)) / 2
    low = special.betaincinv(k, n - k + 1, tail) if k else 0.0
    high = special.betaincinv(k + 1, n - k, 1 - tail) if k < n else 1.0
    return float(low), float(high)


def clustered(correct: Any, total: Any, level: float = 0.95) -> Estimate:
    """All right answers over all answers, with an error over clusters (participants, units).

    correct, total: (G,) of G >= 2 clusters, 0 <= correct <= total, total > 0; correct may be
    expected values. The error is that of a ratio of sums, from the residuals
    correct_g - value * total_g with G - 1 in place of G; for clusters of one size it is the
    standard error of the mean over clusters. The interval is Student's with G - 1 degrees of
    freedom, cut to [0, 1]. Where all clusters agree its length is 0, which is no certainty.
    In the chapter *do-pictures-help*: prop:help:crossed
    """
    c, n = _row("correct", correct), _row("total", total)
    if c.shape != n.shape:
        raise ValueError(
            f"correct has {c.size} clusters, total has {n.size}; give each one of both"
        )
    if (n <= 0).any() or (c < 0).any() or (c > n).any():
        at = int(np.flatnonzero((n <= 0) | (c < 0) | (c > n))[0])
        raise ValueError(
            f"cluster {at} has {c[at]:g} right of {n[at]:g}; need 0 <= right <= all > 0"
        )
    clusters = _enough(c)
    value = c.sum() / n.sum()
    residuals = c - value * n
    residuals[np.abs(residuals) < 1e-12 * n] = 0  # rounding is no spread
    se = math.sqrt(clusters / (clusters - 1) * (residuals**2).sum()) / n.sum()
    half = _quantile(level, clusters - 1) * se
    return Estimate(
        float(value),
        float(se),
        max(0.0, float(value - half)),
        min(1.0, float(value + half)),
        clusters,
    )


def published(condition: str) -> Estimate:
    """What the people of Borowski et al. (2021) scored: "natural" or "synthetic", see `HUMAN`."""
    return clustered(HUMAN[condition], [HUMAN["trials"]] * len(HUMAN[condition]))


def paired(a: Any, b: Any, level: float = 0.95) -> Paired:
    """Mean of a - b over G >= 2 participants, with the paired t test and Wilcoxon's.

    a, b: (G,), the scores of the same participants in the same order, such as proportions right.
    """
    a, b = _row("a", a), _row("b", b)
    if a.shape != b.shape:
        raise ValueError(f"a has {a.size} values, b has {b.size}; pairs need as many")
    gaps = np.round(a - b, 12)  # equal differences of fractions must be equal numbers
    df = _enough(gaps) - 1
    mean = float(gaps.mean())
    se = 0.0 if np.ptp(gaps) == 0 else float(gaps.std(ddof=1) / math.sqrt(df + 1))
    half = _quantile(level, df) * se
    t = mean / se if se else math.nan
    p = float(2 * stats.t.sf(abs(t), df)) if se else math.nan
    return Paired(mean, se, mean - half, mean + half, t, df, p, wilcoxon(a, b))


def wilcoxon(a: Any, b: Any) -> float:
    """The exact two-sided p of Wilcoxon's signed-rank test of a - b, (G,) each.

    Differences of 0 are left out, equal sizes share their mean rank; then every choice of signs is
    counted. 1 where nothing differs.
    """
    gaps = np.round(_row("a", a) - _row("b", b), 12)
    gaps = gaps[gaps != 0]
    ranks = np.rint(2 * stats.rankdata(np.abs(gaps))).astype(int)  # doubled: whole also for ties
    chance = np.zeros(int(ranks.sum()) + 1)  # of each sum of the ranks that have a plus
    chance[0] = 1
    for rank in ranks:
        chance = (chance + np.roll(chance, rank)) / 2  # what rolls round is 0
    plus = int(ranks[gaps > 0].sum())
    return float(min(1.0, 2 * chance[: min(plus, int(ranks.sum()) - plus) + 1].sum()))


def d_prime(p: Any) -> Any:
    """d' = √2 Φ⁻¹(p) of a choice between two, for p right in [0, 1] (a number or an array).

    The distance between the two alternatives in units of the noise of one, for an observer without
    bias: 0 at chance, negative below it, ∓inf at p = 0 and 1, where the trials are too few to tell.
    In the chapter *do-pictures-help*: (eq:help:dprime)
    """
    p = np.asarray(p, dtype=float)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p must be proportions in [0, 1], got {p.tolist()!r}")
    found = math.sqrt(2) * special.ndtri(p)
    return found if found.ndim else float(found)


def accuracy(d: Any) -> Any:
    """Proportion right of an observer with this d' (a number or an array): Φ(d'/√2)."""
    found = special.ndtr(np.asarray(d, dtype=float) / math.sqrt(2))
    return found if found.ndim else float(found)


def calibration(confidence: Any, correct: Any, level: float = 0.95) -> tuple[Bin, ...]:
    """One participant's right answers by confidence, least sure first; unused levels are absent.

    confidence: (n,) of 1, 2, 3; correct: (n,) of 0 and 1. Exact intervals, see
    `binomial_interval`.
    """
    sure, right = np.asarray(confidence), np.asarray(correct).astype(int)
    if sure.shape != right.shape or sure.ndim != 1:
        raise ValueError(f"give a confidence an answer: shapes {sure.shape} and {right.shape}")
    if not np.isin(sure, (1, 2, 3)).all():
        raise ValueError(f"confidence must be 1, 2 or 3, got {sorted(set(sure.tolist()))}")
    bins = []
    for one in sorted(set(sure.tolist())):
        k, n = int(right[sure == one].sum()), int((sure == one).sum())
        bins.append(Bin(int(one), k, n, k / n, *binomial_interval(k, n, level)))
    return tuple(bins)


def _row(name: str, values: Any) -> np.ndarray:
    found = np.array(values, dtype=float)
    if found.ndim != 1 or not np.isfinite(found).all():
        raise ValueError(f"{name} must be finite numbers (G,), got {values!r}")
    return found


def _enough(values: np.ndarray) -> int:
    if len(values) < 2:
        raise ValueError(
            f"got {len(values)} cluster; a spread needs two, use binomial_interval for one"
        )
    return len(values)


def _quantile(level: float, df: int) -> float:
    return float(special.stdtrit(df, (1 + checks.real("level", level, above=0, below=1)) / 2))
