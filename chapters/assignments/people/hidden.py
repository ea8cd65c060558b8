"""What sheet 6 is judged by. Never handed out."""

import numpy as np
from scipy import stats

from classroom.checks import check, close, fresh, refuses, unpack

NATURAL = np.array([44, 42, 40, 41, 42, 40, 41, 43, 41, 41])
SYNTHETIC = np.array([36, 36, 40, 39, 32, 37, 37, 40, 32, 40])


# ---- question 1


@check("unit-value", points=2)
def mean_over_the_map(unit_values, rng):
    """The value is the mean over the map, for maps of any size."""
    for _ in range(10):
        n, h, w = rng.integers(1, 8, 3)
        maps = rng.standard_normal((n, h, w))
        assert close(unit_values(maps), maps.sum((1, 2)) / (h * w)), f"wrong for maps {h} x {w}"


@check("unit-value", points=1)
def negative_maps(unit_values, rng):
    """Maps below zero have values below zero."""
    maps = -1 - rng.random((5, 3, 4))
    values = unit_values(maps)
    assert np.shape(values) == (5,), "one value an image"
    assert (np.asarray(values) < -1).all(), "numbers below zero have to count"
    assert close(values, maps.mean((1, 2))), "the values of maps below zero are wrong"


# ---- question 2


def drawn_values(rng, n):
    """Different values in random order, unevenly spaced."""
    return rng.permutation(np.cumsum(0.1 + rng.exponential(size=n)) - n / 2)


def batches(build_batches, rng, b, n):
    """Values and both ends as integer arrays of the right shape."""
    values = drawn_values(rng, n)
    ends = unpack(build_batches(values, b, fresh(rng)), "minimal, maximal")
    for end in ends:
        assert np.shape(end) == (b, 10), f"the shape is not ({b}, 10)"
        assert np.asarray(end).dtype.kind in "iu", "images are numbered by integers"
        assert 0 <= np.min(end) <= np.max(end) < n, "a number is no number of an image"
    return values, np.asarray(ends[0]), np.asarray(ends[1])


@check("batches", points=3)
def one_image_of_each_bin(build_batches, rng):
    """Every batch has one image of every bin, and the bins are the right ones."""
    for _ in range(8):
        b, spare = int(rng.integers(2, 9)), int(rng.integers(0, 50))
        values, minimal, maximal = batches(build_batches, rng, b, 20 * b + spare)
        rank = np.argsort(np.argsort(values))
        bins = np.arange(10)
        low, high = rank[minimal] // b, (len(values) - 1 - rank[maximal]) // b
        assert (low == bins).all(), "in minimal, a column is not the bin that it should be"
        assert (high == bins).all(), "in maximal, a column is not the bin that it should be"


@check("batches", points=2)
def no_image_twice(build_batches, rng):
    """No image is used twice, so a query is never among references; all values are told apart."""
    for _ in range(5):
        b = int(rng.integers(2, 9))
        values, minimal, maximal = batches(build_batches, rng, b, 20 * b)
        used = np.concatenate([minimal.ravel(), maximal.ravel()])
        assert len(np.unique(used)) == 20 * b, "an image is used twice"
        assert values[minimal].max() < values[maximal].min(), "minimal and maximal overlap"


@check("batches", points=2)
def each_bin_is_shuffled_by_itself(build_batches, rng):
    """Inside each bin the order is random, for each bin anew, and depends on rng alone.

    Twenty bins of thirty: two alike, or one in order, has a probability below 1e-29.
    """
    values, minimal, maximal = batches(build_batches, rng, 30, 600)
    rank = np.argsort(np.argsort(values))
    orders = {tuple(np.argsort(rank[end[:, k]])) for end in (minimal, maximal) for k in range(10)}
    assert len(orders) == 20, "bins are shuffled alike, or not at all"
    assert not orders & {tuple(range(30)), tuple(range(29, -1, -1))}, "a bin is not shuffled"
    seed = int(rng.integers(2**63))
    one, two = (build_batches(values, 30, np.random.default_rng(seed)) for _ in range(2))
    assert np.array_equal(one[0], two[0]), "the same generator gives another drawing"


@check("batches", points=1)
def too_few_images(build_batches, rng):
    """Fewer than 20 B images are refused, and 20 B are enough."""
    b = int(rng.integers(2, 9))
    refuses(ValueError, build_batches, drawn_values(rng, 20 * b - 1), b, fresh(rng))
    batches(build_batches, rng, b, 20 * b)


# ---- question 3

KEYS = ("kind", "batch", "minimal", "maximal", "left", "right", "answer")


def trials(build_trials, rng, b, n_catch):
    """Batches with shuffled numbers, and the trials made of them, main and catch."""
    images = rng.permutation(1000)[: 20 * b].reshape(2, b, 10)
    made = build_trials(images[0], images[1], n_catch, fresh(rng))
    assert isinstance(made, list), "the trials should be a list"
    assert len(made) == b + n_catch, f"{len(made)} trials where {b + n_catch} are asked for"
    for trial in made:
        assert isinstance(trial, dict), "a trial should be a dict"
        assert set(KEYS) <= set(trial), "a trial lacks a key"
        assert trial["answer"] in ("left", "right"), "an answer is neither left nor right"
    main = [trial for trial in made if trial["kind"] == "main"]
    catch = [trial for trial in made if trial["kind"] == "catch"]
    assert len(main) == b, "there should be one main trial for each batch"
    assert len(catch) == n_catch, "the number of catch trials is wrong"
    return images, main, catch


def other(trial):
    """The query that is not the answer."""
    return trial["right" if trial["answer"] == "left" else "left"]


@check("trials", points=2)
def queries_and_references(build_trials, rng):
    """Main trials show the nine references of their batch, and ask about its two queries."""
    for _ in range(4):
        b = int(rng.integers(3, 12))
        (minimal, maximal), main, _ = trials(build_trials, rng, b, 2)
        assert sorted(t["batch"] for t in main) == list(range(b)), "a batch has no main trial"
        for t in main:
            k = t["batch"]
            shown = sorted(t["minimal"]), sorted(t["maximal"])
            asked = {t["left"], t["right"]}
            assert not asked & {*shown[0], *shown[1]}, "a query is among the references"
            assert shown[0] == sorted(minimal[k, 1:]), "the minimal references are not the batch's"
            assert shown[1] == sorted(maximal[k, 1:]), "the maximal references are not the batch's"
            assert asked == {minimal[k, 0], maximal[k, 0]}, "the queries are not those of column 0"


@check("trials", points=2)
def answer_is_the_maximal_query(build_trials, rng):
    """The answer is where the maximal query is, in main and in catch trials."""
    for _ in range(4):
        (minimal, maximal), main, catch = trials(build_trials, rng, 6, 4)
        for t in [*main, *catch]:
            assert t[t["answer"]] in maximal[t["batch"]], "the answer is not the maximal query"
            assert other(t) in minimal[t["batch"]], "the wrong query is not a minimal image"


@check("trials", points=2)
def sides_are_balanced_and_random(build_trials, rng):
    """Left as often as right in main trials, in an order that nobody can guess.

    Sixty drawings of twelve sides: each trial's place is left 30 +- 3.9 times; 8 to 52 are allowed
    (5.7 standard deviations, twelve places: 2e-7), and drawings repeat once in 924 pairs.
    """
    orders, by_batch = [], np.zeros(12)
    for _ in range(60):
        _, main, _ = trials(build_trials, rng, 12, 0)
        sides = [t["answer"] == "left" for t in main]
        assert sum(sides) == 6, f"{sum(sides)} of 12 answers are on the left"
        orders.append(tuple(sides))
        by_batch[[t["batch"] for t in main]] += sides
    assert len(set(orders)) > 40, "the sides come in the same order again and again"
    assert 8 <= by_batch.min() <= by_batch.max() <= 52, (
        "a batch has its answer on one side too often"
    )
    lefts = {
        sum(t["answer"] == "left" for t in trials(build_trials, rng, 5, 0)[1]) for _ in range(8)
    }
    assert lefts <= {2, 3}, "with five trials two or three are left"


@check("trials", points=1)
def catch_queries_are_shown(build_trials, rng):
    """Catch trials ask about two of the nine and nine references that they show; coins decide.

    Sixty lists of four: 120 +- 7.7 answers are left; 70 to 170 are allowed (6.4 standard
    deviations, 1e-10). One of 18 references is never drawn with a probability of 1e-11.
    """
    places, lefts = (set(), set()), []
    for _ in range(60):
        images, _, catch = trials(build_trials, rng, 8, 4)
        assert len({t["batch"] for t in catch}) == 4, "two catch trials for one batch"
        for t in catch:
            assert t[t["answer"]] in t["maximal"], "the right query of a catch trial is not shown"
            assert other(t) in t["minimal"], "the wrong query of a catch trial is not shown"
            queries = other(t), t[t["answer"]]
            for k, name in enumerate(("minimal", "maximal")):
                batch = images[k][t["batch"]].tolist()
                nine = sorted(t[name]) == sorted(batch[1:])
                assert nine, f"a catch trial does not show the nine {name} references of its batch"
                places[k].add(batch.index(queries[k]))
        lefts.append(sum(t["answer"] == "left" for t in catch))
    assert len(places[0]) == len(places[1]) == 9, "catch trials never take some of the references"
    assert 70 <= sum(lefts) <= 170, "the answers of catch trials are on one side too often"
    assert len(set(lefts)) > 2, "the answers of catch trials are balanced; a coin decides each"


@check("trials", points=1)
def order_is_random(build_trials, rng):
    """The order is random, and all comes from rng. Forty lists in one order: below 1e-100."""
    orders = set()
    for _ in range(40):
        images = rng.permutation(1000)[:120].reshape(2, 6, 10)
        made = build_trials(images[0], images[1], 2, fresh(rng))
        orders.add(tuple((t["kind"], t["batch"]) for t in made))
        assert len(made) == 8, "six main and two catch trials are eight"
    kinds = {tuple(kind for kind, _ in order) for order in orders}
    assert len(orders) > 30, "the trials come in the same order again and again"
    assert len(kinds) > 8, "catch trials always come at the same places"
    images, seed = rng.permutation(1000)[:240].reshape(2, 12, 10), int(rng.integers(2**63))
    one, two = (build_trials(*images, 6, np.random.default_rng(seed)) for _ in range(2))
    same = [[str(t[key]) for key in KEYS] for t in one] == [
        [str(t[key]) for key in KEYS] for t in two
    ]
    assert same, "the same generator gives another list"


# ---- question 4


def cosine(a, b):
    return (a @ b) / np.sqrt((a @ a) * (b @ b))


def lead_by_hand(embed, minimal, maximal, left, right):
    """The lead as the sum over pairs that the sheet writes down."""
    score = []
    for q in (left, right):
        e = embed(q[None])[0]
        plus = [cosine(e, embed(r[None])[0]) for r in maximal]
        minus = [cosine(e, embed(r[None])[0]) for r in minimal]
        score.append(sum(plus) / len(plus) - sum(minus) / len(minus))
    return score[0] - score[1]


def stretched(rng, d):
    """An embedding whose vectors have very different lengths."""
    a = rng.standard_normal((d, 7))

    def embed(pictures):
        assert np.ndim(pictures) == 2, "embed wants pictures of shape (n, d)"
        found = np.tanh(np.asarray(pictures) @ a) + 0.1
        return found * np.exp(2 * np.asarray(pictures)[:, :1])

    return embed


@check("observer", points=3)
def lead_is_the_formula(observer, rng):
    """The lead is the difference of the two scores, whatever the lengths of the vectors."""
    for _ in range(10):
        d, m, n = int(rng.integers(2, 6)), int(rng.integers(1, 10)), int(rng.integers(1, 10))
        embed = stretched(rng, d)
        minimal, maximal = rng.standard_normal((m, d)), rng.standard_normal((n, d))
        left, right = rng.standard_normal((2, d))
        choice, lead = unpack(observer(embed, minimal, maximal, left, right), "choice, lead")
        expected = lead_by_hand(embed, minimal, maximal, left, right)
        assert close(lead, expected, 1e-8), (
            f"the lead is wrong ({m} minimal, {n} maximal references)"
        )
        assert choice == ("left" if expected > 0 else "right"), "the choice is not that of the lead"


@check("observer", points=2)
def minimal_references_count(observer, rng):
    """Only the minimal references differ: the choice has to follow them."""
    for _ in range(10):
        d = int(rng.integers(3, 6))
        minimal, maximal = rng.standard_normal((2, 5, d))
        left, right = rng.standard_normal((2, d))
        embed, ends = stretched(rng, d), (minimal, -minimal)
        found = [observer(embed, end, maximal, left, right)[1] for end in ends]
        expected = [lead_by_hand(embed, end, maximal, left, right) for end in ends]
        assert close(found, expected), "the minimal references are not used as the formula says"


@check("observer", points=2)
def perfect_and_guessing(observer, rng):
    """An embedding that knows the unit is always right; noise is right half of the time.

    400 trials of noise: 200 +- 10, and 140 to 260 (6 standard deviations, 2e-9) are allowed.
    """
    right_by_unit = right_by_noise = 0
    for _ in range(400):
        minimal = np.column_stack([np.full(9, -1.0), rng.standard_normal(9)])
        maximal = np.column_stack([np.full(9, 1.0), rng.standard_normal(9)])
        queries = np.array([[1.0, rng.standard_normal()], [-1.0, rng.standard_normal()]])
        side = int(rng.integers(2))
        left, right = queries[side], queries[1 - side]
        answer = ("left", "right")[side]
        knows = lambda x: np.column_stack([x[:, 0], 1e-3 * x[:, 1]])  # noqa: E731  # used once, here
        blind = lambda x: rng.standard_normal((len(x), 5))  # noqa: E731  # used once, here
        right_by_unit += observer(knows, minimal, maximal, left, right)[0] == answer
        right_by_noise += observer(blind, minimal, maximal, left, right)[0] == answer
    assert right_by_unit == 400, "an embedding that knows the unit is not always right"
    assert 140 <= right_by_noise <= 260, "an embedding of pure noise is not right half of the time"
    for lead in (1e-4, -1e-4):
        angles = np.pi / 4 + np.array([-lead, lead]) / 8**0.5
        left, right = np.column_stack([np.cos(angles), np.sin(angles)])
        choice = observer(lambda x: x, np.eye(2)[1:], np.eye(2)[:1], left, right)[0]
        assert choice == ("left" if lead > 0 else "right"), "a lead of 0.0001 is a lead"
    same = np.ones(2)
    choice = observer(lambda x: x, -np.eye(2), np.eye(2), same, same)[0]
    assert choice == "tie", "two equal queries are a tie"


# ---- question 5


@check("report", points=2)
def published_shares(report):
    """The published counts give .922 +- .018 and .820 +- .043."""
    for counts, share, two in [(NATURAL, 0.922, 0.018), (SYNTHETIC, 0.820, 0.043)]:
        found = unpack(report(counts, np.full(10, 45)), "share, two_se, d_prime")
        assert abs(found[0] - share) < 1e-3, "the share of published counts is wrong"
        assert abs(found[1] - two) < 1e-3, "the two standard errors of published counts are wrong"


@check("report", points=2)
def participants_are_the_unit(report, rng):
    """Mean and standard error over participants, with unequal numbers of trials, too."""
    for _ in range(10):
        g = int(rng.integers(2, 20))
        total = rng.integers(5, 60, g)
        correct = rng.binomial(total, rng.uniform(0.5, 0.95, g))
        correct[0], correct[1] = total[0] - 1, total[1] // 2
        share, two_se, _ = unpack(report(correct, total), "share, two_se, d_prime")
        p = correct / total
        variance = ((p - p.sum() / g) ** 2).sum() / (g - 1)
        assert close(share, p.sum() / g), "the share is not the mean over participants"
        assert close(two_se, 2 * (variance / g) ** 0.5), "these are not two standard errors of it"


@check("report", points=1)
def d_prime_of_the_share(report, rng):
    """d' belongs to a choice between two, also for shares near 0 and 1."""
    for target in (*rng.uniform(0.3, 0.97, 6), 0.003, 0.997):
        correct = np.array([round(target * 1000), round(target * 1000) + 1])
        share, _, d = unpack(report(correct, np.array([1000, 1000])), "share, two_se, d_prime")
        assert close(share, correct.mean() / 1000), "the share is not the mean over participants"
        assert close(stats.norm.cdf(d / 2**0.5), share, 1e-9), "d' is not that of a forced choice"
    perfect = np.array([10, 20])
    assert report(perfect, perfect)[2] == np.inf, "for a share of 1, d' is infinite"


@check("report", points=1)
def one_participant(report, rng):
    """One participant is refused; two are enough."""
    refuses(ValueError, report, np.array([int(rng.integers(5, 9))]), np.array([10]))
    assert close(report(np.array([5, 10]), np.array([10, 10]))[1], 0.5), "two participants fail"


# ---- question 6


@check("again", points=2)
def published_comparison(compare):
    """t(9) = 4.19, p = .0023, and Wilcoxon's p = .0039."""
    difference, t, p, ranks = unpack(
        compare(NATURAL, SYNTHETIC, 45), "difference, t, p, p_wilcoxon"
    )
    assert abs(difference - 0.1022) < 1e-3, "the mean difference is wrong"
    assert abs(t - 4.19) < 5e-3, "t is wrong"
    assert abs(p - 0.0023) < 1e-4, "p is wrong"
    assert abs(ranks - 0.0039) < 1e-4, "Wilcoxon's p is wrong"


@check("again", points=2)
def other_counts(compare, rng):
    """Random counts, by the formula of t and by counting the signs of all ranks."""
    for _ in range(6):
        g = int(rng.integers(4, 9))
        size = rng.permutation(np.arange(1, 20))[:g] * rng.choice([-1, 1], g)
        synthetic = rng.integers(20, 40, g)
        natural = synthetic + size
        found = unpack(compare(natural, synthetic, 80), "difference, t, p, p_wilcoxon")
        d = size / 80
        t = d.mean() * g**0.5 / d.std(ddof=1)
        assert close(found[0], d.mean()), "the mean difference is wrong"
        assert close(found[1], t), "t is not that of the paired differences"
        assert close(found[2], 2 * stats.t.sf(abs(t), g - 1)), "p is not two-sided, or not t's"
        assert close(found[3], signed_ranks(size)), "this is not Wilcoxon's signed-rank test"


def signed_ranks(size):
    """Two-sided p value by going through all signs; no ties."""
    ranks = np.argsort(np.argsort(np.abs(size))) + 1
    signs = (np.arange(2 ** len(size))[:, None] >> np.arange(len(size))) & 1
    sums = signs @ ranks
    seen = ranks[size > 0].sum()
    return min(1.0, 2 * min((sums <= seen).mean(), (sums >= seen).mean()))
