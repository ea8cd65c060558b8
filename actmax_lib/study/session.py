"""The trials of one session of the study, from its seed (chapter "Do these pictures help anyone?").

After Borowski et al. (2021), section 3: practice, a baseline without references, natural and
synthetic references in blocks in turn, the baseline again, catch trials. The figure "study" makes
the same schedule in the browser (``web/study-session.js``).
"""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from actmax_lib.study.draws import Draws

VERSION = 1
CONDITIONS = ("none", "natural", "synthetic")
PRACTICE = ("natural", "synthetic", "none")  # the easiest first
LEVELS = {"matching": ("extreme", "p90", "p70"), "occlusion": ("occlusion",)}
LENGTHS = ("short", "full")
SIDES = ("left", "right")
OFFSETS = {"natural": 0, "synthetic": 7, "none": 13, "practice": 3}
"""Batch of a condition: seed + offset, modulo the number of batches. Catch trials are shown with
the batch of the practice. So a unit is never met twice with the same photographs."""
PER_LAYER = 2  # units of a layer in a short session
FEWEST = 14  # units: half are in a block, three in practice, three in catch trials before; one more


@dataclass(frozen=True)
class Unit:
    """A channel of a network: its value for an image is the spatial mean of its pre-activations.

    network: "cifar" or "imagenet" (the kind of images it was trained on); name: of the checkpoint;
    layer: name of the module; channel: index in it; picked: chosen by hand, not drawn.
    """

    network: str
    name: str
    layer: str
    channel: int
    picked: bool


@dataclass(frozen=True)
class Design:
    """The units of the study, in the order of the rows of its sheets.

    version: of the CSV format; stimuli: eight hex digits, of the sheets; batches: how many disjoint
    sets of photographs each unit has. Raises ValueError when it cannot fill a session.
    """

    version: int
    stimuli: str
    batches: int
    units: tuple[Unit, ...]

    def __post_init__(self) -> None:
        if len({offset % self.batches for offset in OFFSETS.values()}) < len(OFFSETS):
            raise ValueError(f"batches={self.batches} repeat within a session; 20 do not")
        if len(self.units) < FEWEST:
            raise ValueError(f"{len(self.units)} units are too few for a session; {FEWEST} do")
        picked = sum(unit.picked for unit in self.units)
        if picked < len(CONDITIONS):
            raise ValueError(f"{picked} units are picked; practice needs {len(CONDITIONS)}")
        for units in self.layers:
            if sum(not self.units[u].picked for u in units) < PER_LAYER:
                layer = self.units[units[0]].layer
                raise ValueError(f"layer {layer!r} has fewer than {PER_LAYER} units drawn by rule")

    @cached_property
    def layers(self) -> tuple[tuple[int, ...], ...]:
        """Indices of the units, a layer at a time, in order of first appearance."""
        found: dict[tuple[str, str], list[int]] = {}
        for index, unit in enumerate(self.units):
            found.setdefault((unit.name, unit.layer), []).append(index)
        return tuple(map(tuple, found.values()))


@dataclass(frozen=True)
class Trial:
    """One question of a session.

    index: from 1, in the order shown; phase: "practice", "main" or "catch"; condition: which
    references are shown, "natural", "synthetic" or "none"; unit: index in ``Design.units``; batch:
    of the photographs; level: how extreme the queries are, "extreme", "p90", "p70" or "occlusion"
    (in a catch trial of mode "matching" they are copies of shown references instead); side: of the
    right answer, "left" or "right".
    """

    index: int
    phase: str
    condition: str
    unit: int
    batch: int
    level: str
    side: str


def load_design(path: str | Path | None = None) -> Design:
    """The design in the JSON file ``path``; by default the book's."""
    file = Path(path) if path else Path(__file__).with_name("design.json")
    known = json.loads(file.read_text(encoding="utf-8"))
    units = tuple(Unit(**unit) for unit in known["units"])
    return Design(known["version"], known["stimuli"], known["batches"], units)


def schedule(seed: int, mode: str, length: str, design: Design) -> tuple[Trial, ...]:
    """The trials of the session with this seed, in order.

    seed: 0 ... 2³² - 1; mode: "matching" (which of two photographs activates the unit more?) or
    "occlusion" (which of two gray squares lowers it more?); length: "short" (two units a layer,
    drawn by rule) or "full" (all units). Each unit comes once in each condition, at one level;
    levels, and sides within a condition, are balanced. Raises ValueError for another mode, length
    or seed.
    """
    for name, value, known in (("mode", mode, LEVELS), ("length", length, LENGTHS)):
        if value not in known:
            raise ValueError(f"{name}={value!r} is unknown; use one of {', '.join(known)}")
    draws = Draws(seed)
    turn = ("natural", "synthetic") if draws.uniform() < 0.5 else ("synthetic", "natural")
    units = [u for layer in design.layers for u in _chosen(layer, length, design, draws)]
    kinds = LEVELS[mode]
    levels = dict(
        zip(units, draws.shuffled([kinds[k % len(kinds)] for k in range(len(units))]), strict=True)
    )
    main = {
        condition: list(zip(draws.shuffled(units), _sides(len(units), draws), strict=True))
        for condition in CONDITIONS
    }
    half = -(-len(units) // 2)
    practice = draws.shuffled([u for u, unit in enumerate(design.units) if unit.picked])
    practice = practice[: len(CONDITIONS)]
    trials = [
        ("practice", condition, unit, kinds[0], _side(draws))
        for condition, unit in zip(PRACTICE, practice, strict=True)
    ]
    spare = draws.shuffled([u for u in range(len(design.units)) if u not in practice])
    for k, condition in enumerate(("none", *turn, *turn, "none")):
        first = 0 if k < 3 else half
        part = main[condition][first : first + half]
        block = [("main", condition, unit, levels[unit], side) for unit, side in part]
        if condition != "none":
            shown = {unit for unit, _ in part}
            caught = next(u for u in spare if u not in shown)
            spare.remove(caught)
            at = int(draws.uniform() * (len(block) + 1))
            block.insert(at, ("catch", condition, caught, kinds[0], _side(draws)))
        trials += block
    return tuple(
        Trial(
            index,
            phase,
            condition,
            unit,
            (seed + OFFSETS[condition if phase == "main" else "practice"]) % design.batches,
            level,
            side,
        )
        for index, (phase, condition, unit, level, side) in enumerate(trials, 1)
    )


def _chosen(layer: tuple[int, ...], length: str, design: Design, draws: Draws) -> list[int]:
    """Units of a layer that a session asks about."""
    if length == "full":
        return list(layer)
    return draws.shuffled([u for u in layer if not design.units[u].picked])[:PER_LAYER]


def _side(draws: Draws) -> str:
    return SIDES[draws.uniform() >= 0.5]


def _sides(count: int, draws: Draws) -> list[str]:
    """As many on the left as on the right; the odd one by lot."""
    odd = [_side(draws)] if count % 2 else []
    return draws.shuffled([*(SIDES * (count // 2)), *odd])
