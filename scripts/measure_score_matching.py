"""Measure the networks of the chapter *score-matching*: `python -m scripts.measure_score_matching`.

Writes chapters/results/score-matching.json: one row a network, mean and sd over seeds a method,
and what the numbers were made from. About a minute on one thread.
"""

import argparse
import json
import platform
import time
from pathlib import Path

import torch
from torch import Tensor, nn

from actmax_lib import data, l2, logit, maximize, metrics, point, zoo
from actmax_lib.score_matching import density_terms
from actmax_lib.training import own_logit
from scripts.train_fashion import LOSSES, SEEDS

OUT = Path(__file__).resolve().parents[1] / "chapters" / "results" / "score-matching.json"
EACH = 10  # pictures a class
NOISES = (0.05, 0.1, 0.2, 0.4, 0.8)
STEPS, FRAMES = 120, 13
PHOTOS = 500


def climb(
    net: nn.Module, shape: tuple[int, ...] = (1, 28, 28), lr: float = 0.175, pull: bool = True
) -> tuple[Tensor, Tensor, Tensor]:
    """(pictures (100, *shape), labels, frames): ten a class by the sampler of the paper.

    Steps of one length from noise around gray, projected on [0, 1], with a weak pull to gray, or
    with no regularizer at all.
    """
    start, labels = starts(shape)
    objective = logit(net, labels.tolist())
    run = maximize(
        objective + l2(0.005, center=0.5) if pull else objective, point(start, box=(0.0, 1.0)),
        steps=STEPS, lr=lr, optimizer="normalized", schedule="constant", frames=FRAMES,
    )  # fmt: skip
    return run.images, labels, run.frames


def starts(shape: tuple[int, ...] = (1, 28, 28)) -> tuple[Tensor, Tensor]:
    """(noise around gray (100, *shape) in [0, 1], classes): the same for every network."""
    labels = torch.arange(10).repeat_interleave(EACH)
    noise = torch.randn(len(labels), *shape, generator=torch.Generator().manual_seed(0))
    return (0.5 + 0.1 * noise).clamp(0, 1), labels


def measure(net: nn.Module, judge: nn.Module, test: data.Dataset) -> dict:
    """Every number of one network."""
    pictures, labels, frames = climb(net)
    means = data.class_means("fashion-mnist")
    cosine = metrics.cosine_to_mean(pictures, labels, means)
    return {
        "accuracy": net.manifest["accuracy"],
        "gan_test_on_the_way": [metrics.gan_test(judge, frame, labels) for frame in frames],
        "cosine_by_class": cosine.view(10, EACH).mean(1).tolist(),
        **of_pictures(pictures, labels, judge, means),
        **of_photographs(net, test.images(range(PHOTOS)), test.labels[:PHOTOS]),
    }


def of_pictures(pictures: Tensor, labels: Tensor, judge: nn.Module, means: Tensor) -> dict:
    """What class pictures have in common with the data."""
    return {
        "gan_test": metrics.gan_test(judge, pictures, labels),
        "cosine_to_mean": float(metrics.cosine_to_mean(pictures, labels, means).mean()),
        "high_frequency_pictures": float(metrics.high_frequency_share(pictures).mean()),
    }


def of_photographs(net: nn.Module, x: Tensor, y: Tensor) -> dict:
    """The network's own logit around photographs."""
    f = own_logit(net, y)
    at = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(f(at).sum(), at)
    with torch.no_grad():
        trace, _ = density_terms(
            f, x, sigma=0.1, probes=10, generator=torch.Generator().manual_seed(0)
        )
    return {
        "high_frequency_gradients": float(metrics.high_frequency_share(gradient).mean()),
        "gradient_norm": float(gradient.flatten(1).norm(dim=1).mean()),
        "trace": float(trace.mean()),
        "log_density_ratio": [
            float(metrics.log_density_ratio(f, x, noise).median()) for noise in NOISES
        ],
    }


def summary(rows: dict[str, dict]) -> dict[str, dict]:
    """method -> measure -> [mean, sd] over seeds (n - 1 in the sd); lists entry by entry."""
    found = {}
    for method in LOSSES:
        runs = [rows[f"fashion-{method}-{seed}"] for seed in SEEDS]
        found[method] = {}
        for key in runs[0]:
            values = torch.tensor([run[key] for run in runs], dtype=torch.float64)
            found[method][key] = [values.mean(0).tolist(), values.std(0).tolist()]
    return found


def measured() -> dict:
    """The whole file's content."""
    start = time.perf_counter()
    test = data.load("fashion-mnist", "test")
    judge = zoo.load("fashion-judge", device="cpu")
    rows = {}
    for method in LOSSES:
        for seed in SEEDS:
            name = f"fashion-{method}-{seed}"
            rows[name] = measure(zoo.load(name, device="cpu"), judge, test)
            print(name, {k: v for k, v in rows[name].items() if isinstance(v, float)}, flush=True)
    photos = test.images(range(PHOTOS))
    return {
        "manifest": {
            "command": "python -m scripts.measure_score_matching",
            "networks": {name: zoo.load(name, device="cpu").manifest["sha256"] for name in rows},
            "judge": judge.manifest["sha256"],
            "seed": 0,
            "device": "cpu, 1 thread",
            "seconds": round(time.perf_counter() - start),
            "versions": {"python": platform.python_version(), "torch": torch.__version__},
        },
        "data": {
            "high_frequency": float(metrics.high_frequency_share(photos).mean()),
            "judge_accuracy": judge.manifest["accuracy"],
        },
        "noises": list(NOISES),
        "steps": torch.linspace(0, STEPS - 1, FRAMES).round().int().tolist(),
        "methods": summary(rows),
        "networks": rows,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.out.write_text(json.dumps(measured(), indent=1) + "\n")
