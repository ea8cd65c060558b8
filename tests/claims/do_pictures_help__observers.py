"""Claims of chapters/networks/do-pictures-help.md: what people scored, observers, noise."""

import math

import numpy as np
import torch
from scipy import stats

from actmax_lib.study import observers
from actmax_lib.study.human import HUMAN, HUMAN_MORE

from . import Check, claim
from .tools import broken, rng, worst

DEFINITIONS = {"eq:help:similarity": "defines what a model observer compares"}


@claim(
    "remark:help:human",
    statement="From the ten people's counts: 0.922 ± 0.018 and 0.820 ± 0.043 (two standard errors "
    "over people), t(9) = 4.19, p = 0.0023, the signed ranks' 0.0039; coins would spread more than "
    "the natural counts and less than the synthetic ones.",
    tol=0.0,
)
def human():
    total = HUMAN["trials"]
    counts = [np.array(HUMAN[kind]) for kind in ("natural", "synthetic")]
    found = []
    for right in counts:
        share = right / total
        found += [share.mean(), 2 * share.std(ddof=1) / math.sqrt(len(share))]
    t, p = stats.ttest_rel(*counts)
    ranks = stats.wilcoxon(*counts, method="exact").pvalue
    printed = [0.922, 0.018, 0.820, 0.043, 4.19, 0.0023, 0.0039]
    digits = [3, 3, 3, 3, 2, 4, 4]
    same = [
        round(v, d) == q for v, d, q in zip([*found, t, p, ranks], digits, printed, strict=True)
    ]
    coins = [r.var(ddof=1) / (r.mean() * (1 - r.mean() / total)) for r in counts]
    more = HUMAN_MORE["experiment II"]
    return Check(
        broken(*same, coins[0] < 1 < coins[1], len(counts[0]) == 10),
        {
            ".909": more["Min-Max-9"]["natural"][0],
            ".811": more["Max-9"]["natural"][0],
        },
    )


@claim(
    "prop:help:linear",
    statement="The library's score is the mean of cosines, one by one, and linear in the unit "
    "vector of the query; it does not change under turns and factors, stays below the length of m, "
    "and the stated shift turns the choice.",
    tol=1e-12,
)
def linear():
    def cosine(a, b):
        return a @ b / math.sqrt((a @ a) * (b @ b))

    def by_hand(q, low, high):
        return np.mean([cosine(q, r) for r in high]) - np.mean([cosine(q, r) for r in low])

    def score(q, low, high):
        parts = (torch.from_numpy(np.atleast_2d(x)) for x in (q, low, high))
        return observers.score(*parts).numpy()

    errors = []
    r = rng(611)
    for d in (2, 5, 20):
        q, low, high = r.normal(size=(3, d)), r.normal(size=(9, d)), r.normal(size=(4, d))
        s = np.array([by_hand(one, low, high) for one in q])
        unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (q, low, high)]
        m = unit[2].mean(0) - unit[1].mean(0)
        errors += [score(q, low, high) - s, unit[0] @ m - s]
        turn = 3.7 * np.linalg.qr(r.normal(size=(d, d)))[0]
        errors.append(score(q @ turn, low @ turn, high @ turn) - s)
        errors.append(broken((np.abs(s) <= np.linalg.norm(m)).all(), np.linalg.norm(m) <= 2))
        errors.append(by_hand(5 * m, low, high) - np.linalg.norm(m))
    q, low, high = np.array([[2.0, 1], [10, 9]]), np.array([[0.0, 1]]), np.array([[1.0, 0]])
    errors.append(score(q, low, high) - np.array([5, 181]) ** -0.5)
    shifted = score(q - 9, low - 9, high - 9)
    errors += [shifted - np.array([113 * 145, 145]) ** -0.5, broken(shifted[1] > shifted[0])]
    return worst(*errors)


@claim(
    "eq:help:noise",
    statement="Two noisy scores, drawn two million times, choose the right query as often as "
    "Φ(Δ/(√2 τ)) says.",
    tol=2e-3,
)
def noise():
    r = rng(612)
    errors = []
    for lead, tau in ((0.3, 0.2), (-0.1, 0.4), (0.02, 0.05)):
        a, b = tau * r.normal(size=(2, 2_000_000))
        share = float(np.mean(lead + a > b))
        errors += [share - stats.norm.cdf(lead / (math.sqrt(2) * tau))]
        errors += [float(observers.noisy_share([lead], tau)[0]) - share]
    return worst(*errors)


@claim(
    "prop:help:noise",
    statement="The mean over trials: its limits; strictly falling without negative leads, and the "
    "fitted noise is the only one.",
    tol=1e-6,
)
def fitting():
    def mean(leads, tau):
        return stats.norm.cdf(np.asarray(leads) / (math.sqrt(2) * tau)).mean()

    errors = []
    r = rng(613)
    for k in range(20):
        leads = r.normal(0.5, 1, size=30)
        leads[: k % 4] = 0
        positive = (leads > 0).mean() + (leads == 0).mean() / 2
        errors += [mean(leads, 1e-9) - positive, mean(leads, 1e9) - 0.5]
        target = 0.5 + 0.6 * (positive - 0.5)
        tau = observers.fit_noise(leads, target)
        errors.append(mean(leads, tau) - target)
        size = np.abs(leads)
        curve = np.array([mean(size, t) for t in np.geomspace(0.05, 50, 200)])
        errors.append(broken((np.diff(curve) < 0).all()))
    return worst(*errors)
