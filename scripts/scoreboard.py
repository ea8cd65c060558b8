"""The scoreboard of the chapter *robustness*: what was claimed, and what the zoo says of it.

Each row compares two methods, seed by seed, in one number of `scripts/measure_zoo.py`.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy.stats import spearmanr

RULE = (
    "The difference A - B is taken seed by seed. 'as predicted' or 'the opposite': all seeds, at "
    "least three, have the same sign, and the mean is more than two standard deviations of the "
    "differences from 0; else 'undecided'. The deviation is over trainings: the photographs are "
    "the same for all."
)
LEAST = 3  # seeds
CONTROL = "shuffled-labels"
ALL = "all methods"  # one number a seed, over the networks of all methods but the control


@dataclass(frozen=True)
class Row:
    """A claim, and the experiment that could deny it.

    source: key in references.bib, None for this book's own. ours, theirs: methods A and B; B is
    None where A's number is held against 0. measure: a name, "name[k]" for one of a list, or
    "a ~ b" with ALL, the rank correlation of two over networks. sign: +1 for A above B, or -1.
    """

    key: str
    claim: str
    source: str | None
    ours: str
    theirs: str | None
    measure: str
    sign: int

    @property
    def experiment(self) -> str:
        return f"{self.ours} against {self.theirs or 'zero'}"

    def methods(self) -> set[str]:
        return {self.ours, self.theirs} - {ALL, None}


# Those of Fashion-MNIST. CIFAR-10 has the rows whose methods it has.
ROWS = (
    Row("ross-l2", "Double backpropagation makes a network robust.",
        "ross2018improving", "double-backprop", "standard", "robust_l2", 1),
    Row("ross-linf", "Double backpropagation helps against changes of every pixel too.",
        "ross2018improving", "double-backprop", "standard", "robust_linf", 1),
    Row("ross-insensitivity", "Insensitivity of all classes makes a network robust.",
        "ross2018improving", "insensitivity", "standard", "robust_linf", 1),
    Row("ross-smooth", "The gradients of double backpropagation are smoother.",
        "ross2018improving", "double-backprop", "standard", "high_frequency_gradients", -1),
    Row("ross-accuracy", "Double backpropagation costs accuracy on clean photographs.",
        None, "double-backprop", "standard", "accuracy", -1),
    Row("etmann-within", "Photographs that are more aligned are further from the boundary.",
        "etmann2019connection", "standard", None, "alpha_correlation", 1),
    Row("etmann-within-robust", "They are so in a robust network too.",
        "etmann2019connection", "pgd-l2", None, "alpha_correlation", 1),
    Row("etmann-across", "More robust networks are more aligned.",
        "etmann2019connection", ALL, None, "alpha ~ distance", 1),
    Row("etmann-alpha", "A penalty on the gradient's norm raises alignment.",
        "etmann2019connection", "saliency-alignment", "standard", "alpha", 1),
    Row("etmann-distance", "It moves the boundary away from photographs.",
        "etmann2019connection", "saliency-alignment", "standard", "distance", 1),
    Row("wang-gradients", "Smooth kernels take high frequencies out of gradients.",
        "wang2019smooth", "smooth-kernels", "standard", "high_frequency_gradients", -1),
    Row("wang-pictures", "Smooth kernels take high frequencies out of class pictures.",
        "wang2019smooth", "smooth-kernels", "standard", "high_frequency_pictures", -1),
    Row("wang-robust", "Smooth kernels make a network robust.",
        "wang2019smooth", "smooth-kernels", "standard", "robust_linf", 1),
    Row("boopathy-robust", "Training for stable class maps makes a network robust.",
        "boopathy2020proper", "interpretation", "standard", "robust_linf", 1),
    Row("boopathy-large", "Against large attacks it beats adversarial training.",
        "boopathy2020proper", "interpretation", "pgd-linf", "robust_linf_double", 1),
    Row("mangla-standard", "A standard teacher's saliency makes its student robust.",
        "mangla2020saliency", "saliency-guided-standard", "standard", "robust_linf", 1),
    Row("mangla-teacher", "A robust teacher's saliency does so better.",
        "mangla2020saliency", "saliency-guided-robust", "saliency-guided-standard",
        "robust_linf", 1),
    Row("mangla-pgd", "Attacks teach more robustness than a robust teacher's saliency.",
        "mangla2020saliency", "saliency-guided-robust", "pgd-linf", "robust_linf", -1),
    Row("srinivas-cosine", "Score matching makes class pictures like the data.",
        "srinivas2021rethinking", "score-matched", "standard", "cosine_to_mean", 1),
    Row("srinivas-gan", "A judge recognises more pictures of a score-matched network.",
        "srinivas2021rethinking", "score-matched", "standard", "gan_test", 1),
    Row("srinivas-density", "A score-matched network finds noisy photographs less likely.",
        "srinivas2021rethinking", "score-matched", "standard", "log_density_ratio[1]", -1),
    Row("srinivas-anti-cosine", "The opposite of score matching makes them less like the data.",
        "srinivas2021rethinking", "anti-score-matched", "standard", "cosine_to_mean", -1),
    Row("srinivas-anti-gan", "A judge recognises fewer pictures of its opposite.",
        "srinivas2021rethinking", "anti-score-matched", "standard", "gan_test", -1),
    Row("srinivas-norm", "A penalty on the logit's gradient makes pictures recognisable too.",
        "srinivas2021rethinking", "gradient-norm", "standard", "gan_test", 1),
    Row("tsipras-accuracy", "Robustness costs accuracy on clean photographs.",
        "tsipras2019robustness", "pgd-l2", "standard", "accuracy", -1),
    Row("engstrom-cosine", "Without a regularizer a robust network's pictures are more like data.",
        "engstrom2019adversarial", "pgd-l2", "standard", "plain_cosine_to_mean", 1),
    Row("santurkar-gan", "A judge recognises more pictures of a robust network.",
        "santurkar2019image", "pgd-l2", "standard", "plain_gan_test", 1),
    Row("santurkar-frequency", "They hold less of the high frequencies.",
        "santurkar2019image", "pgd-l2", "standard", "plain_high_frequency_pictures", -1),
    Row("tsipras-linf", "Training in the maximum norm does the same to pictures.",
        "tsipras2019robustness", "pgd-linf", "standard", "plain_cosine_to_mean", 1),
    Row("kaur-noise", "Training on noise, without attacks, makes pictures like the data.",
        "kaur2019perceptually", "noise", "standard", "plain_cosine_to_mean", 1),
    Row("kaur-robust", "Training on noise makes a network robust.",
        "kaur2019perceptually", "noise", "standard", "robust_l2", 1),
    Row("apart-pictures", "Score-matched pictures are more like data than adversarially trained.",
        None, "score-matched", "pgd-l2", "cosine_to_mean", 1),
    Row("apart-robust", "Yet score matching is less robust than adversarial training.",
        None, "score-matched", "pgd-l2", "robust_l2", -1),
    Row("control-cosine", "Labels without meaning give pictures without it.",
        None, CONTROL, "standard", "cosine_to_mean", -1),
    Row("control-gan", "A judge recognises fewer of them.",
        None, CONTROL, "standard", "gan_test", -1),
)  # fmt: skip


def scoreboard(networks: Mapping[str, Mapping], prefix: str, methods: Sequence[str]) -> list[dict]:
    """The rows that can be had with ``methods``, as the JSON tells them.

    networks: "prefix-method-seed" -> measures. A row without networks is "not measured".
    """
    rows = [row for row in ROWS if row.methods() <= set(methods)]
    return [told(row, differences(row, networks, prefix)) for row in rows]


def told(row: Row, found: Mapping[int, float]) -> dict:
    """A row of the JSON from the differences by seed."""
    values = list(found.values())
    mean = statistics.fmean(values) if values else None
    return {
        "key": row.key,
        "claim": row.claim,
        "source": row.source,
        "experiment": row.experiment,
        "methods": [row.ours, row.theirs],
        "measure": row.measure,
        "predicted": "+" if row.sign > 0 else "-",
        "measured": [mean, statistics.stdev(values) if len(values) > 1 else None],
        "differences": values,
        "seeds": list(found),
        "verdict": verdict(values, row.sign),
    }


def verdict(differences: Sequence[float], sign: int) -> str:
    """What RULE says of the differences, predicted to be of this ``sign``."""
    if not differences:
        return "not measured"
    same = all(d > 0 for d in differences) or all(d < 0 for d in differences)
    if len(differences) < LEAST or not same:
        return "undecided"
    mean = statistics.fmean(differences)
    if abs(mean) <= 2 * statistics.stdev(differences):
        return "undecided"
    return "as predicted" if mean * sign > 0 else "the opposite"


def differences(row: Row, networks: Mapping[str, Mapping], prefix: str) -> dict[int, float]:
    """seed -> A's number less B's, of the seeds that both have been measured with."""
    seeds = sorted({int(name.rpartition("-")[2]) for name in networks})
    if row.ours == ALL:
        found = {seed: correlation(row.measure, networks, seed) for seed in seeds}
        return {seed: value for seed, value in found.items() if value is not None}

    def number(method: str | None, seed: int) -> float | None:
        return 0.0 if method is None else value(networks.get(f"{prefix}-{method}-{seed}"),
                                                row.measure)  # fmt: skip

    pairs = {seed: (number(row.ours, seed), number(row.theirs, seed)) for seed in seeds}
    return {seed: a - b for seed, (a, b) in pairs.items() if a is not None and b is not None}


def value(measures: Mapping | None, name: str) -> float | None:
    """One number of a network: ``name``, or entry k of a list for "name[k]"."""
    name, _, entry = name.removesuffix("]").partition("[")
    found = None if measures is None else measures.get(name)
    return found[int(entry)] if entry and found is not None else found


def correlation(measure: str, networks: Mapping[str, Mapping], seed: int) -> float | None:
    """Spearman's over the networks of a seed; None of fewer than five."""
    rows = [
        measures for name, measures in sorted(networks.items())
        if name.endswith(f"-{seed}") and CONTROL not in name
    ]  # fmt: skip
    pairs = [[value(measures, name) for name in measure.split(" ~ ")] for measures in rows]
    pairs = [pair for pair in pairs if None not in pair]
    return float(spearmanr(pairs).statistic) if len(pairs) >= 5 else None
