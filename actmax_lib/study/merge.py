"""Many sessions as one result: only whole, unchanged ones count, and what does not is named.

Intervals are over participants (`statistics.clustered`), the units and pictures taken as they are;
one more row tells how far the result depends on the units (chapter *do-pictures-help*,
(eq:help:crossed)). Practice trials count nowhere, catch trials only as such.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np

from actmax_lib import checks
from actmax_lib.study import statistics
from actmax_lib.study.gather import Gathered, expanded, gather
from actmax_lib.study.records import Answer, Session
from actmax_lib.study.session import CONDITIONS, LEVELS, Design

MARK = "actmax-study"
CATCH_BAR = 0.8  # below it a participant is named: one miss in four
HASTY_MS = 500  # nobody looks at twenty pictures in less
HARDEST = 5

__all__ = ["Gathered", "expanded", "gather", "report"]


def report(gathered: Gathered, *, catch: float | None = None) -> dict[str, Any]:
    """Everything `text` tells, for JSON: no NaN, no infinity (None instead).

    catch: drop participants with a smaller proportion of right catch trials; None drops nobody.
    ``report["modes"][mode]`` has the participants, and the estimates by condition, level, layer and
    confidence, each with correct, total, value, low, high, and whether the interval is "clustered"
    or "exact" (one participant, or several that agree to the last answer, where clusters show no
    spread).
    """
    if catch is not None:
        catch = checks.real("catch", catch)
        if not 0 <= catch <= 1:
            raise ValueError(f"catch must be a proportion in [0, 1], got {catch:g}")
    modes = {}
    for mode in LEVELS:
        numbered = [(k, s) for k, s in enumerate(gathered.sessions, 1) if s.mode == mode]
        if numbered:
            modes[mode] = _mode(numbered, gathered.design, catch)
    return {
        "report": MARK,
        "version": gathered.design.version,
        "stimuli": gathered.design.stimuli,
        "files": len(gathered.sessions) + len(gathered.left_out),
        "counted": sum(p["counted"] for m in modes.values() for p in m["participants"]),
        "dropped": sum(not p["counted"] for m in modes.values() for p in m["participants"]),
        "catch": catch,
        "catch_bar": CATCH_BAR if catch is None else catch,
        "modes": modes,
        "left_out": [
            {"file": str(e.path), "kind": e.kind, "line": e.line, "reason": e.reason}
            for e in gathered.left_out
        ],
    }


def _mode(
    numbered: list[tuple[int, Session]], design: Design, catch: float | None
) -> dict[str, Any]:
    bar = CATCH_BAR if catch is None else catch
    people = [_participant(number, session, bar, catch) for number, session in numbered]
    for p in people:
        twins = [str(q["participant"]) for q in people if q["seed"] == p["seed"] and q is not p]
        if twins:
            p["notes"].append(f"the same seed as no. {', '.join(twins)}; one person twice?")
    sessions = [s for (_, s), p in zip(numbered, people, strict=True) if p["counted"]]
    found: dict[str, Any] = {"participants": people}
    if not sessions:
        return found
    main = [_of(session, phase="main") for session in sessions]
    conditions = {}
    for condition in CONDITIONS:
        some = [_of(session, phase="main", condition=condition) for session in sessions]
        medians = [np.median([a.rt_ms for a in answers]) for answers in some]
        conditions[condition] = _estimate(some) | {
            "over_units": _over_units(some),
            "d_prime": _finite(statistics.d_prime(_share([*chain(*some)]))),
            "median_rt_ms": float(np.median(medians)),
            "confidence": float(np.mean([a.confidence for answers in some for a in answers])),
        }
    scores = {c: [_share(_of(s, phase="main", condition=c)) for s in sessions] for c in CONDITIONS}
    layers = [f"{u.name} {u.layer}" for u in design.units]
    return found | {
        "seeds": len({session.seed for session in sessions}),
        "lengths": sorted({session.length for session in sessions}),
        "conditions": conditions,
        "paired": _paired(scores["natural"], scores["synthetic"]),
        "levels": _by(main, lambda a: a.trial.level, LEVELS[sessions[0].mode]),
        "layers": _by(main, lambda a: layers[a.trial.unit], list(dict.fromkeys(layers))),
        "by_confidence": _by(main, lambda a: str(a.confidence), ("1", "2", "3")),
        "catch": _estimate([_of(session, phase="catch") for session in sessions]),
        "hardest": _hardest(main, design),
    }


def _participant(number: int, session: Session, bar: float, catch: float | None) -> dict[str, Any]:
    main = _of(session, phase="main")
    caught = _of(session, phase="catch")
    median = float(np.median([a.rt_ms for a in main]))
    passed = _share(caught) >= bar
    notes = [] if passed else [f"catch {sum(a.correct for a in caught)} of {len(caught)}"]
    for side in ("left", "right"):
        if all(a.answer == side for a in main):
            notes.append(f"answered {side} every time")
    if median < HASTY_MS:
        notes.append(f"median answer after {median:.0f} ms")
    return {
        "participant": number,
        "file": str(session.path),
        "session": session.id,
        "seed": session.seed,
        "length": session.length,
        "counted": passed or catch is None,
        **{c: _score(_of(session, phase="main", condition=c)) for c in CONDITIONS},
        "catch": _score(caught),
        "median_rt_ms": median,
        "notes": notes,
    }


def _of(session: Session, **wanted: str) -> list[Answer]:
    """Answers to the trials that have these fields."""
    return [a for a in session.answers if all(getattr(a.trial, k) == v for k, v in wanted.items())]


def _score(answers: Sequence[Answer]) -> dict[str, int]:
    return {"correct": sum(a.correct for a in answers), "total": len(answers)}


def _share(answers: Sequence[Answer]) -> float:
    return sum(a.correct for a in answers) / len(answers)


def _estimate(people: list[list[Answer]]) -> dict[str, Any]:
    """Of the answers, a list a participant; whoever has none is not a cluster."""
    scores = [_score(answers) for answers in people if answers]
    correct, total = ([score[key] for score in scores] for key in ("correct", "total"))
    k, n = sum(correct), sum(total)
    found = {"correct": k, "total": n, "value": k / n, "participants": len(scores)}
    if len(scores) > 1:
        e = statistics.clustered(correct, total)
        if e.se:
            own = {"interval": "clustered", "low": e.low, "high": e.high}
            return found | own | {"se": e.se, "two_se": e.two_se}
    low, high = statistics.binomial_interval(k, n)
    return found | {"interval": "exact", "low": low, "high": high, "se": None, "two_se": None}


def _by_unit(answers: Iterable[Answer]) -> dict[int, list[Answer]]:
    units: dict[int, list[Answer]] = {}
    for answer in answers:
        units.setdefault(answer.trial.unit, []).append(answer)
    return units


def _over_units(people: list[list[Answer]]) -> dict[str, float]:
    """The interval with units as clusters: for other units, the participants taken as they are."""
    units = _by_unit(chain(*people))
    found = _estimate(list(units.values()))
    return {"low": found["low"], "high": found["high"], "units": len(units)}


def _by(
    people: list[list[Answer]], key: Callable[[Answer], str], names: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Estimates by name and condition; a cell that nobody answered is absent."""
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        for condition in CONDITIONS:
            cell = [
                [a for a in answers if a.trial.condition == condition and key(a) == name]
                for answers in people
            ]
            if any(cell):
                found.setdefault(name, {})[condition] = _estimate(cell)
    return found


def _paired(natural: list[float], synthetic: list[float]) -> dict[str, Any]:
    """Natural minus synthetic over participants; without an interval for one."""
    better = {
        "natural_better": sum(a > b for a, b in zip(natural, synthetic, strict=True)),
        "synthetic_better": sum(a < b for a, b in zip(natural, synthetic, strict=True)),
        "participants": len(natural),
    }
    if len(natural) < 2:
        return {"difference": natural[0] - synthetic[0], "low": None, "high": None} | better
    found = statistics.paired(natural, synthetic)
    return {key: _finite(value) for key, value in vars(found).items()} | better


def _hardest(people: list[list[Answer]], design: Design) -> list[dict[str, Any]]:
    """The units with the smallest share of right answers where there were references."""
    units = _by_unit(a for a in chain(*people) if a.trial.condition != "none")
    found = [
        {"unit": u, "name": design.units[u].name, "layer": design.units[u].layer}
        | {"channel": design.units[u].channel} | _score(answers)
        for u, answers in units.items()
        if not all(a.correct for a in answers)
    ]  # fmt: skip
    return sorted(found, key=lambda f: (f["correct"] / f["total"], f["unit"]))[:HARDEST]


def _finite(value: Any) -> Any:
    return value if math.isfinite(value) else None
