"""What attacks do to a network of the zoo, what its boundary foretells, and its class pictures."""

import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from actmax_lib import data
from actmax_lib.attacks import boundary_distance, robust_accuracy
from actmax_lib.metrics.alignment import alignment, linear_robustness
from scripts.measure_score_matching import climb

BATCH = 50  # photographs at once; their activations stay in the cache


def attacked(net: nn.Module, x: Tensor, y: Tensor, plan) -> dict[str, float]:
    """ "robust_..." of each ball of the plan, and what the square attack says.

    Four gradient attacks, each from its own random start. What falls in a ball is not attacked in
    a larger one. masked_linf: what only the square attack fooled; square_linf: what it left.
    """
    found, left = {}, {}
    for ball, (norm, eps) in plan.eps.items():
        rows = left.get(norm, torch.arange(len(x)))
        search = ball == "linf"
        if len(rows):
            run = robust_accuracy(
                net, x[rows], y[rows], eps=eps, norm=norm, steps=plan.steps, restarts=1,
                queries=plan.queries if search else 0, seed=rows.tolist(), batch=BATCH,
            )  # fmt: skip
            if search:
                found["square_linf"] = run.square
                alone = run.after_pgd & ~run.after_square
                found["masked_linf"] = float(alone.double().mean())
            rows = rows[run.standing]
        left[norm] = rows
        found[f"robust_{ball}"] = len(rows) / len(x)
    return found


def boundaries(net: nn.Module, x: Tensor, y: Tensor) -> dict[str, float]:
    """Medians over the photographs that are answered rightly, and how α and distance agree.

    alpha_correlation is Spearman's, over the photographs; 0 where one of the two is constant. A
    distance that DeepFool did not find is that of black and white, more than any there is.
    """
    with torch.no_grad():
        right = net(x).argmax(1) == y
    x, y = x[right], y[right]
    most = x[0].numel() ** 0.5
    distance = boundary_distance(net, x, y, batch=BATCH).clamp(max=most)
    alpha, linear = alignment(net, x, y), linear_robustness(net, x, y)
    constant = min(len(alpha.unique()), len(distance.unique())) < 2
    return {
        "distance": float(distance.median()),
        "alpha": float(alpha.median()),
        "linear_robustness": float(linear.median()),
        "alpha_correlation": 0.0 if constant else float(spearmanr(alpha, distance).statistic),
    }


def class_means(name: str) -> Tensor:
    """Mean picture of each class, (10, C, H, W)."""
    if name == "fashion-mnist":
        return data.class_means(name)
    train = data.load(name, "train")
    return torch.stack([train.images(train.labels == k).mean(0) for k in range(10)])


def pictures(net: nn.Module, plan) -> dict[str, Tensor]:
    """Class pictures of the recipe, and those of the same climb without any regularizer.

    Of the logit, not of log p: a targeted attack on the cross-entropy of a confident network goes
    astray, since float32 rounds p to 1 and leaves of its gradient only what the others add.
    """
    return {
        "pictures": climb(net, plan.shape, plan.lr)[0],
        "plain_pictures": climb(net, plan.shape, plan.lr, pull=False)[0],
    }
