"""Who takes the study's test beside people: names and rules, told before their results."""

from collections.abc import Mapping

OBSERVERS = {  # key -> (label, rule)
    "pixels": ("pixels", "The picture at 32 by 32, colours normalized as for the networks."),
    "random-network": (
        "random network",
        "The unit's architecture with random weights, batch norms fitted to natural references; "
        "the unit's layer, averaged over positions.",
    ),
    "independent": (
        "independent network",
        "Another trained network (cifar-standard-1, efficientnet-lite1); the layer that "
        "corresponds to the unit's, averaged over positions.",
    ),
    "robust": (
        "robust network",
        "cifar-pgd-l2-1, for the units of the CIFAR-10 network only; the unit's layer, averaged.",
    ),
    "noise-limited": (
        "noise-limited",
        "The independent network whose scores carry noise, as much as makes it as good as people "
        "with natural references at the extremes.",
    ),
    "noise-limited-synthetic": (
        "noise-limited (synthetic)",
        "The same, as good as people with synthetic references at the extremes.",
    ),
    "contrast": ("contrast", "No references: the picture with more contrast is called maximal."),
    "centre": ("centre", "No references: the square nearer to the centre lowers more."),
    "oracle": ("the unit itself", "What the unit says of the two queries."),
    "coin": ("coin", "A fair coin."),
}
VARIANTS = {
    "independent-flat": ("independent, flattened", "As independent, with all positions kept."),
    "independent-centred": (
        "independent, centred",
        "As independent, less the mean of the trial's 18 references.",
    ),
    "independent-last": (
        "independent, last layer",
        "As independent, but always the layer before the classifier, averaged.",
    ),
    "noise-limited-pixels": ("noise-limited pixels", "The pixels with such noise."),
}


def described(labels: Mapping[str, tuple[str, str]]) -> dict[str, dict[str, str]]:
    return {key: {"label": label, "rule": rule} for key, (label, rule) in labels.items()}
