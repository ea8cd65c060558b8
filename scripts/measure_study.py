"""Model observers take the study's test: `python -m scripts.measure_study`.

They see the committed sheets only. Every unit's margins are kept in `_build/rendered/`, so a
stopped run goes on where it was. Output: chapters/results/study-observers.json. Tables:
`study_tables`.
"""

import argparse
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from actmax_lib import zoo
from actmax_lib.study import embeddings, observers
from actmax_lib.study.stimuli import BATCHES, LEVELS, Stimuli, as_seen
from scripts import results, study_tables
from scripts.measure_quality import compact
from scripts.study_units import weights

STUDY, OUT = results.RESULTS / "study", results.RESULTS / "study-observers.json"
CONDITIONS = ("natural", "synthetic", "none")
MODE_OF = {**dict.fromkeys(LEVELS, "matching"), "occlusion": "occlusion"}
SEED = 0  # of the random networks and of the coin
INDEPENDENT = {"cifar": "cifar-standard-1", "imagenet": "efficientnet-lite1"}
# not -0, which started from the weights of the unit's own network and saw its samples in its order
ROBUST = {"cifar": "cifar-pgd-l2-1"}
LAST = {"cifar": "act", "imagenet": "head"}  # the layer whose means the classifier gets

Margins = dict[tuple[str, str, str], np.ndarray]  # (observer, condition, level) -> (20,)


class Unit:
    """The pictures of a unit's trials: 20 batches, references by condition, queries by level."""

    def __init__(self, stimuli: Stimuli, index: int) -> None:
        self.index, self.about = index, stimuli.units[index]
        self.network, self.name = self.about["network"], self.about["name"]
        self.layer, self.channel = self.about["layer"], self.about["channel"]
        both = {c: partial(self._references, stimuli, c) for c in ("natural", "synthetic")}
        self.references = {
            "natural": torch.stack([both["natural"](b) for b in range(BATCHES)]),
            "synthetic": both["synthetic"](0)[None],  # the same in every batch
        }  # (20 or 1, 18, 3, s, s): minimal ones, then maximal ones
        self.queries = {
            level: torch.stack([stimuli.queries(index, b, level) for b in range(BATCHES)])
            for level in MODE_OF
        }  # (20, 2, 3, 32, 32)

    def _references(self, stimuli: Stimuli, condition: str, batch: int) -> Tensor:
        return torch.cat(stimuli.references(self.index, batch, condition))


def by_references(unit: Unit, e: embeddings.Embedding, centred: bool = False) -> Margins:
    """Margins of an observer that compares with the references; its name is left empty.

    e: of pictures (a, b, 3, s, s), as `on` makes it, to (a, b, d).
    centred: the mean of the trial's 18 references is taken off every embedding of the trial.
    """
    seen = {level: e(pictures) for level, pictures in unit.queries.items()}
    found = {}
    for condition, pictures in unit.references.items():
        r = e(pictures)
        zero = r.mean(1, keepdim=True) if centred else torch.zeros(1)
        low, high = (r - zero).tensor_split(2, dim=1)
        for level, q in seen.items():
            s = observers.score(q - zero, *(side.expand(BATCHES, -1, -1) for side in (low, high)))
            found["", condition, level] = lead(s, level)
    return found


def on(e: embeddings.Embedding) -> embeddings.Embedding:
    """e, for pictures (a, b, 3, s, s)."""
    return lambda pictures: e(pictures.flatten(0, 1)).unflatten(0, pictures.shape[:2])


def lead(scores: Tensor, level: str) -> np.ndarray:
    return observers.margin(observers.evidence(scores, MODE_OF[level])).numpy()


def without_references(unit: Unit) -> Margins:
    """The baselines, and the unit itself: what it says of the two queries, whatever is shown."""
    value = on(embeddings.averaged(network(unit.name), unit.layer, unit.network))
    coin = torch.Generator().manual_seed(1000 * SEED + unit.index)
    found: Margins = {}
    for level, pictures in unit.queries.items():
        if MODE_OF[level] == "matching":
            found["contrast", "none", level] = observers.margin(
                observers.contrast(pictures)
            ).numpy()
        else:
            found["centre", "none", level] = observers.margin(observers.centre(pictures)).numpy()
        oracle = lead(value(pictures)[..., unit.channel].double(), level)
        for condition in CONDITIONS:
            found["oracle", condition, level] = oracle
            drawn = torch.rand(BATCHES, generator=coin, dtype=torch.float64)
            found["coin", condition, level] = (drawn - 0.5).numpy()
    return found


@cache
def network(name: str) -> nn.Module:
    return zoo.load(name, device="cpu")


def embeddings_of(unit: Unit, noise: nn.Module) -> dict[str, embeddings.Embedding]:
    """The observers of a unit that compare embeddings. noise: the random network."""
    kind, other = unit.network, INDEPENDENT[unit.network]
    layer = embeddings.corresponding(unit.layer, unit.name, other)
    read = embeddings.maps(network(other), [layer, LAST[kind]], kind)
    # one pass for its three embeddings: a tensor's key is its identity, and the unit holds it
    once = cache(lambda pictures: read(pictures.flatten(0, 1)))

    def independent(at: str, how: Callable[[Tensor], Tensor]) -> embeddings.Embedding:
        return lambda x: how(once(x)[at]).unflatten(0, x.shape[:2])

    found = {
        "pixels": on(embeddings.pixels),
        "random-network": on(embeddings.averaged(noise, unit.layer, kind)),
        "independent": independent(layer, lambda maps: maps.mean((2, 3))),
        "independent-flat": independent(layer, lambda maps: maps.flatten(1)),
        "independent-last": independent(LAST[kind], lambda maps: maps.mean((2, 3))),
    }
    if kind in ROBUST:
        found["robust"] = on(embeddings.averaged(network(ROBUST[kind]), unit.layer, kind))
    return found


@cache
def random_network(stimuli: Stimuli, kind: str) -> nn.Module:
    """Its batch norms see the natural references of the first batch of that network's units."""
    at = [k for k, unit in enumerate(stimuli.units) if unit["network"] == kind]
    shown = [torch.cat(stimuli.references(k, 0, "natural")) for k in at]
    name = stimuli.units[at[0]]["name"]
    return embeddings.random_network(name, as_seen(torch.cat(shown), kind), SEED)


def margins_of(stimuli: Stimuli, index: int) -> Margins:
    """All observers on all trials of a unit: the lead of the right answer."""
    unit = Unit(stimuli, index)
    found = without_references(unit)
    for name, e in embeddings_of(unit, random_network(stimuli, unit.network)).items():
        found |= {(name, *key[1:]): v for key, v in by_references(unit, e).items()}
        if name == "independent":
            centred = by_references(unit, e, centred=True)
            found |= {(f"{name}-centred", *key[1:]): v for key, v in centred.items()}
    return found


def code() -> str:
    files = [Path(__file__), *(Path(m.__file__) for m in (observers, embeddings))]
    return results.sha256(b"".join(file.read_bytes() for file in files))


def gathered(stimuli: Stimuli) -> tuple[dict[tuple[str, str, str], np.ndarray], float]:
    """(margins (30, 20) by observer, condition and level, NaN where one took no part; seconds)."""
    key = [code(), [one["sha256"] for one in stimuli.manifest["files"]], results.machine()]
    whole: dict[tuple[str, str, str], np.ndarray] = {}
    seconds = 0.0
    for index, unit in enumerate(stimuli.units):

        def make(index: int = index) -> dict[str, np.ndarray]:
            return {"/".join(k): v for k, v in margins_of(stimuli, index).items()}

        found = results.kept(f"study-observers-{index:02d}", [*key, unit, index], make)
        seconds += float(found.pop("seconds"))
        for name, values in found.items():
            empty = np.full((len(stimuli.units), BATCHES), np.nan)
            whole.setdefault(tuple(name.split("/")), empty)[index] = values
    return whole, seconds


def networks(units: list[Mapping[str, Any]]) -> dict[str, str]:
    """SHA-256 of the weights of every network that took part."""
    names = {unit["name"] for unit in units} | {*INDEPENDENT.values(), *ROBUST.values()}
    return {name: weights(name) for name in sorted(names)}


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    torch.set_num_threads(1)
    stimuli = Stimuli.load(STUDY)
    margins, seconds = gathered(stimuli)
    manifest = {
        "command": "python -m scripts.measure_study",
        "seed": SEED,
        "machine": results.machine(),
        "seconds": round(seconds),
        "stimuli": stimuli.manifest["stimuli"],
        "sheets": {one["file"]: one["sha256"][:16] for one in stimuli.manifest["files"]},
        "networks": networks(stimuli.units),
        "interval": {"level": study_tables.LEVEL, "clusters": "unit", "noise": "fitted τ held"},
    }
    content = {"manifest": manifest} | study_tables.content(stimuli.units, margins)
    OUT.write_text(compact(content) + "\n", encoding="utf-8")
    print(f"{OUT.name}: {OUT.stat().st_size / 1e3:.0f} kB")
    print(study_tables.text(content))


if __name__ == "__main__":
    main()
