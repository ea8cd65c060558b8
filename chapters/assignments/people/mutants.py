"""Wrong answers to sheet 6: what students get wrong, each with the check that has to notice."""

import numpy as np
from scipy import stats

from classroom.mutants import mutant

# ---- question 1


@mutant("unit_values", "mean_over_the_map", "takes the spatial maximum", listed=True)
def spatial_max(maps):
    return np.asarray(maps).max(axis=(1, 2))


@mutant("unit_values", "negative_maps", "takes the mean after a ReLU")
def after_relu(maps):
    return np.maximum(maps, 0).mean(axis=(1, 2))


@mutant("unit_values", "mean_over_the_map", "sums over the map, so large maps count for more")
def summed(maps):
    return np.asarray(maps).sum(axis=(1, 2))


# ---- question 2


def ends(values, b):
    order = np.argsort(values)
    return order[: 10 * b].reshape(10, b), order[::-1][: 10 * b].reshape(10, b)


def enough(values, b):
    if len(values) < 20 * b:
        raise ValueError("too few images")


@mutant("build_batches", "no_image_twice", "draws the batches independently, so images come back")
def independent_batches(values, n_batches, rng):
    enough(values, n_batches)
    low, high = ends(values, n_batches)
    draw = lambda e: np.stack([[rng.choice(row) for row in e] for _ in range(n_batches)])  # noqa: E731  # twice, here
    return draw(low), draw(high)


@mutant("build_batches", "one_image_of_each_bin", "takes ten neighbours in rank as a batch")
def blocks_of_ten(values, n_batches, rng):
    enough(values, n_batches)
    order = np.argsort(values)
    low = order[: 10 * n_batches].reshape(n_batches, 10)
    high = order[::-1][: 10 * n_batches].reshape(n_batches, 10)
    return rng.permutation(low), rng.permutation(high)


@mutant("build_batches", "one_image_of_each_bin", "has the extreme bin of `maximal` last")
def extreme_last(values, n_batches, rng):
    enough(values, n_batches)
    low, high = ends(values, n_batches)
    return rng.permuted(low, axis=1).T, rng.permuted(high[::-1], axis=1).T


@mutant("build_batches", "each_bin_is_shuffled_by_itself", "shuffles all bins in one order")
def shuffled_alike(values, n_batches, rng):
    enough(values, n_batches)
    low, high = ends(values, n_batches)
    order = rng.permutation(n_batches)
    return low[:, order].T, high[:, order].T


@mutant("build_batches", "each_bin_is_shuffled_by_itself", "uses NumPy's global generator")
def global_generator(values, n_batches, rng):
    enough(values, n_batches)
    own = np.random.default_rng()
    low, high = ends(values, n_batches)
    return own.permuted(low, axis=1).T, own.permuted(high, axis=1).T


@mutant("build_batches", "too_few_images", "lets batches overlap where there are too few images")
def no_refusal(values, n_batches, rng):
    low, high = ends(values, n_batches)
    return rng.permuted(low, axis=1).T, rng.permuted(high, axis=1).T


# ---- question 3


def laid_out(
    minimal, maximal, n_catch, rng, sides, references=slice(1, 10), catch=(1, 10), coins=None
):
    """Trials as asked for, but with these sides, references, catch columns and catch sides."""
    b = len(minimal)
    kinds = [("main", k, sides[k]) for k in range(b)]
    for n, k in enumerate(rng.choice(b, n_catch, replace=False)):
        side = coins[n] if coins else str(rng.choice(["left", "right"]))
        kinds.append(("catch", int(k), side))
    made = []
    for kind, k, side in kinds:
        low, high = ([int(i) for i in end[k]] for end in (minimal, maximal))
        a, z = (0, 0) if kind == "main" else rng.integers(*catch, 2)
        queries = (high[z], low[a]) if side == "left" else (low[a], high[z])
        trial = {"kind": kind, "batch": k, "minimal": low[references], "maximal": high[references]}
        made.append(trial | {"left": queries[0], "right": queries[1], "answer": side})
    return [made[k] for k in rng.permutation(len(made))]


def half(b, rng):
    lefts = b // 2
    return [str(s) for s in rng.permutation(["left"] * lefts + ["right"] * (b - lefts))]


@mutant(
    "build_trials", "queries_and_references", "shows the query among its references", listed=True
)
def leaking(minimal, maximal, n_catch, rng):
    sides = half(len(minimal), rng)
    return laid_out(minimal, maximal, n_catch, rng, sides, references=slice(0, 9))


@mutant("build_trials", "sides_are_balanced_and_random", "has the answer always left", listed=True)
def always_left(minimal, maximal, n_catch, rng):
    return laid_out(minimal, maximal, n_catch, rng, ["left"] * len(minimal))


@mutant("build_trials", "sides_are_balanced_and_random", "throws a coin for each trial")
def coins(minimal, maximal, n_catch, rng):
    sides = [str(s) for s in rng.choice(["left", "right"], len(minimal))]
    return laid_out(minimal, maximal, n_catch, rng, sides)


@mutant("build_trials", "sides_are_balanced_and_random", "balances by batch number: even ones left")
def even_ones_left(minimal, maximal, n_catch, rng):
    sides = ["left", "right"] * len(minimal)
    return laid_out(minimal, maximal, n_catch, rng, sides[: len(minimal)])


@mutant("build_trials", "answer_is_the_maximal_query", "marks the minimal query as the answer")
def answers_swapped(minimal, maximal, n_catch, rng):
    made = laid_out(minimal, maximal, n_catch, rng, half(len(minimal), rng))
    return [t | {"left": t["right"], "right": t["left"]} for t in made]


@mutant("build_trials", "catch_queries_are_shown", "takes the hidden queries for catch trials, too")
def catch_of_queries(minimal, maximal, n_catch, rng):
    return laid_out(minimal, maximal, n_catch, rng, half(len(minimal), rng), catch=(0, 1))


@mutant("build_trials", "order_is_random", "puts all catch trials at the end")
def catch_at_the_end(minimal, maximal, n_catch, rng):
    made = laid_out(minimal, maximal, n_catch, rng, half(len(minimal), rng))
    return sorted(made, key=lambda t: t["kind"] == "catch")


@mutant("build_trials", "catch_queries_are_shown", "has the answer of catch trials always left")
def catch_left(minimal, maximal, n_catch, rng):
    sides = half(len(minimal), rng)
    return laid_out(minimal, maximal, n_catch, rng, sides, coins=["left"] * n_catch)


@mutant("build_trials", "catch_queries_are_shown", "balances the sides of catch trials, too")
def catch_balanced(minimal, maximal, n_catch, rng):
    coins = half(n_catch, rng)
    return laid_out(minimal, maximal, n_catch, rng, half(len(minimal), rng), coins=coins)


def shown_in_catch(made, shown):
    """The trials with shown(trial, "minimal" | "maximal", its query) as catch references."""
    for t in (t for t in made if t["kind"] == "catch"):
        queries = sorted([t["left"], t["right"]], key=lambda q: q == t[t["answer"]])
        for name, query in zip(("minimal", "maximal"), queries, strict=True):
            t[name] = shown(t, name, query)
    return made


@mutant("build_trials", "catch_queries_are_shown", "shows all ten images in catch trials")
def catch_shows_ten(minimal, maximal, n_catch, rng):
    made = laid_out(minimal, maximal, n_catch, rng, half(len(minimal), rng))
    ends = {"minimal": minimal, "maximal": maximal}
    return shown_in_catch(made, lambda t, name, _: [int(i) for i in ends[name][t["batch"]]])


@mutant("build_trials", "catch_queries_are_shown", "shows only the two queries in catch trials")
def catch_shows_two(minimal, maximal, n_catch, rng):
    made = laid_out(minimal, maximal, n_catch, rng, half(len(minimal), rng))
    return shown_in_catch(made, lambda t, name, query: [query])


@mutant("build_trials", "order_is_random", "makes a generator of its own")
def own_generator(minimal, maximal, n_catch, rng):
    rng = np.random.default_rng()
    return laid_out(minimal, maximal, n_catch, rng, half(len(minimal), rng))


# ---- question 4


def embedded(embed, *pictures):
    return [np.asarray(embed(np.atleast_2d(p)), dtype=float) for p in pictures]


def unit(v):
    return v / np.linalg.norm(v, axis=1, keepdims=True)


def chosen(lead):
    lead = float(lead)
    return ("left" if lead > 0 else "right" if lead < 0 else "tie"), lead


@mutant("observer", "minimal_references_count", "compares with the maximal references only")
def forgets_minimal(embed, minimal, maximal, left, right):
    e, a, b = (unit(v) for v in embedded(embed, maximal, left, right))
    return chosen((a @ e.T).mean() - (b @ e.T).mean())


@mutant("observer", "lead_is_the_formula", "takes dot products, not cosines")
def dot_products(embed, minimal, maximal, left, right):
    low, high, a, b = embedded(embed, minimal, maximal, left, right)
    return chosen(((a - b) @ (high.mean(0) - low.mean(0)))[0])


@mutant("observer", "lead_is_the_formula", "takes the cosine with the mean reference")
def cosine_of_the_mean(embed, minimal, maximal, left, right):
    low, high, a, b = embedded(embed, minimal, maximal, left, right)
    high, low = (unit(v.mean(0, keepdims=True)) for v in (high, low))
    return chosen(((unit(a) - unit(b)) @ (high - low).T)[0, 0])


@mutant("observer", "perfect_and_guessing", "chooses the query that is less alike")
def turned_round(embed, minimal, maximal, left, right):
    low, high, a, b = (unit(v) for v in embedded(embed, minimal, maximal, left, right))
    return chosen(((b - a) @ (high.mean(0) - low.mean(0)))[0])


@mutant("observer", "perfect_and_guessing", "calls small leads a tie")
def small_leads(embed, minimal, maximal, left, right):
    low, high, a, b = (unit(v) for v in embedded(embed, minimal, maximal, left, right))
    choice, lead = chosen(((a - b) @ (high.mean(0) - low.mean(0)))[0])
    return ("tie" if abs(lead) < 0.01 else choice), lead


# ---- question 5


def told(share, two_se):
    return float(share), float(two_se), float(np.sqrt(2) * stats.norm.ppf(share))


def shares(correct, total):
    if len(correct) < 2:
        raise ValueError("too few")
    return np.asarray(correct) / np.asarray(total)


@mutant("report", "published_shares", "counts trials as if they were independent", listed=True)
def trial_level(correct, total):
    shares(correct, total)
    p = np.sum(correct) / np.sum(total)
    return told(p, 2 * np.sqrt(p * (1 - p) / np.sum(total)))


@mutant("report", "participants_are_the_unit", "divides by G, not G - 1, in the standard deviation")
def population_deviation(correct, total):
    p = shares(correct, total)
    return told(p.mean(), 2 * p.std() / np.sqrt(len(p)))


@mutant("report", "participants_are_the_unit", "gives two standard deviations, not standard errors")
def two_deviations(correct, total):
    p = shares(correct, total)
    return told(p.mean(), 2 * p.std(ddof=1))


@mutant("report", "participants_are_the_unit", "pools all trials for the share")
def pooled_share(correct, total):
    p = shares(correct, total)
    return told(np.sum(correct) / np.sum(total), 2 * p.std(ddof=1) / np.sqrt(len(p)))


@mutant("report", "d_prime_of_the_share", "forgets the square root of two in d'")
def plain_quantile(correct, total):
    p = shares(correct, total)
    two = 2 * p.std(ddof=1) / np.sqrt(len(p))
    return float(p.mean()), float(two), float(stats.norm.ppf(p.mean()))


@mutant("report", "d_prime_of_the_share", "clips the share, so that d' is finite")
def clipped(correct, total):
    p = shares(correct, total)
    two = 2 * p.std(ddof=1) / np.sqrt(len(p))
    return float(p.mean()), float(two), told(min(p.mean(), 0.99), two)[2]


@mutant("report", "one_participant", "returns nan for one participant")
def nan_for_one(correct, total):
    p = np.asarray(correct) / np.asarray(total)
    if len(p) < 2:
        return told(p.mean(), np.nan)
    return told(p.mean(), 2 * p.std(ddof=1) / np.sqrt(len(p)))


# ---- question 6


def compared(natural, synthetic, trials, test, ranks):
    a, b = np.asarray(natural) / trials, np.asarray(synthetic) / trials
    return float((a - b).mean()), float(test.statistic), float(test.pvalue), float(ranks.pvalue)


@mutant("compare", "published_comparison", "does not pair the participants")
def unpaired(natural, synthetic, trials):
    test = stats.ttest_ind(natural, synthetic)
    return compared(natural, synthetic, trials, test, stats.wilcoxon(natural - synthetic))


@mutant("compare", "other_counts", "gives a one-sided p value")
def one_sided(natural, synthetic, trials):
    test = stats.ttest_rel(natural, synthetic, alternative="greater")
    return compared(natural, synthetic, trials, test, stats.wilcoxon(natural - synthetic))


@mutant("compare", "published_comparison", "takes the rank-sum test for the signed-rank test")
def rank_sum(natural, synthetic, trials):
    test, ranks = stats.ttest_rel(natural, synthetic), stats.ranksums(natural, synthetic)
    return compared(natural, synthetic, trials, test, ranks)
