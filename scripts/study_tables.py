"""From margins to the tables of study-observers.json: shares, intervals over units, noise."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from actmax_lib.study import statistics as stats
from actmax_lib.study.observers import fit_noise, noisy_share, share
from actmax_lib.study.stimuli import BATCHES
from scripts.study_labels import OBSERVERS, VARIANTS, described

LEVEL = 0.95
BASES = {"noise-limited": "independent", "noise-limited-pixels": "pixels"}
SHOWN = ("independent", "pixels")  # whose margins are written out
PAIR = ("natural", "synthetic")
DIGITS = 5

Whole = Mapping[tuple[str, str, str], np.ndarray]  # (observer, condition, level) -> (units, 20)


def mode_of(level: str) -> str:
    return "occlusion" if level == "occlusion" else "matching"


def scope_of(unit: Mapping[str, Any]) -> str:
    return f"{unit['network']} {unit['layer']}"


def scopes(units: Sequence[Mapping[str, Any]], observer: str) -> dict[str, np.ndarray]:
    """Which units are in each scope, masks: all, drawn or picked, by network, by layer.

    By layer only for the observers of the table, of which something is to be learned there.
    """
    masks = {
        "all": [True for _ in units],
        "drawn": [not unit["picked"] for unit in units],
        "picked": [unit["picked"] for unit in units],
    }
    for network in dict.fromkeys(unit["network"] for unit in units):
        masks[network] = [unit["network"] == network for unit in units]
    if observer not in {*VARIANTS, "oracle", "coin"}:
        for scope in dict.fromkeys(map(scope_of, units)):
            masks[scope] = [scope_of(unit) == scope for unit in units]
    return {name: np.array(mask) for name, mask in masks.items()}


def human(condition: str) -> tuple[float, float]:
    """(mean accuracy, 2 SE over participants) of people in experiment I of Borowski et al."""
    counts = np.array(stats.HUMAN[condition]) / stats.HUMAN["trials"]
    return float(counts.mean()), float(2 * counts.std(ddof=1) / math.sqrt(len(counts)))


def noise(margins: Whole) -> tuple[list[dict], dict[tuple[str, str, str], np.ndarray]]:
    """Fitted noise, and the shares (units, 20) of the observers that have it."""
    told, shares = [], {}
    for name, base in BASES.items():
        for condition, other in (PAIR, PAIR[::-1]):
            fitted, far = (flat(margins[base, c, "extreme"]) for c in (condition, other))
            target, two_se = human(condition)
            band = []
            for goal in (target - two_se, target, target + two_se):
                tau = fit_noise(fitted, goal)
                says = None if tau is None else digits(noisy_share(far, tau).mean())
                band.append(
                    {"target": digits(goal), "tau": tau and digits(tau, 8), "predicts": says}
                )
            observer = name if condition == "natural" else f"{name}-synthetic"
            told.append(
                {"observer": observer, "base": base, "fitted_to": condition}
                | band[1]
                | {"reaches": digits(share(fitted).mean()), "band": [band[0], band[2]]}
            )
            tau = band[1]["tau"]
            if tau is not None and observer in OBSERVERS | VARIANTS:
                for (of, c, level), values in margins.items():
                    if of == base:
                        shares[observer, c, level] = noisy_share(values, tau)
    return told, shares


def flat(values: np.ndarray) -> np.ndarray:
    return values[~np.isnan(values).any(1)].ravel()


def counts(shares: Whole) -> list[dict]:
    """Right answers of every observer by unit, of 20; None where it took no part."""
    listed = [
        {
            "mode": mode_of(level), "observer": observer, "condition": condition, "level": level,
            "correct": [None if math.isnan(v) else digits(v) for v in values.sum(1)],
        }
        for (observer, condition, level), values in shares.items()
    ]  # fmt: skip
    order = [*OBSERVERS, *VARIANTS]
    return sorted(listed, key=lambda one: (one["mode"], order.index(one["observer"])))


def rows(units: Sequence[Mapping[str, Any]], counted: Iterable[Mapping[str, Any]]) -> list[dict]:
    """Accuracy with an interval over units in every scope."""
    made = []
    for one in counted:
        for scope, mask in scopes(units, one["observer"]).items():
            right = taking_part(one, mask)
            if len(right):
                total = np.full(len(right), BATCHES)
                estimate = stats.clustered(right, total, level=LEVEL)
                made.append(
                    {k: one[k] for k in ("mode", "observer", "condition", "level")}
                    | {"scope": scope, "correct": digits(right.sum())}
                    | {"total": int(total.sum()), "value": digits(estimate.value)}
                    | ends(estimate) | {"units": len(right)}
                )  # fmt: skip
    return made


def paired(units: Sequence[Mapping[str, Any]], counted: Sequence[Mapping[str, Any]]) -> list[dict]:
    """Natural less synthetic accuracy, paired by unit, in every scope."""
    keys = ("mode", "observer", "condition", "level")
    by_key = {tuple(one[k] for k in keys): one for one in counted}
    made = []
    for (mode, observer, condition, level), natural in by_key.items():
        if condition != "natural" or observer in ("oracle", "coin"):
            continue
        synthetic = by_key[mode, observer, "synthetic", level]
        for scope, mask in scopes(units, observer).items():
            a, b = (taking_part(one, mask) / BATCHES for one in (natural, synthetic))
            if len(a):
                found = stats.paired(a, b, level=LEVEL)
                p = None if same(a - b) else digits(found.p)
                made.append(
                    {"mode": mode, "observer": observer, "level": level, "scope": scope}
                    | {"difference": digits(found.difference)} | ends(found)
                    | {"p": p, "units": len(a)}
                )  # fmt: skip
    return made


def taking_part(one: Mapping[str, Any], mask: np.ndarray) -> np.ndarray:
    chosen = [v for v, inside in zip(one["correct"], mask, strict=True) if inside]
    return np.array([v for v in chosen if v is not None], float)


def same(values: np.ndarray) -> bool:
    return bool(np.ptp(values) < 1e-9)


def ends(found: Any) -> dict[str, float | None]:
    """low and high; None where all units agree, so that their spread says nothing."""
    if not found.se > 1e-12:
        return {"low": None, "high": None}
    return {"low": digits(found.low), "high": digits(found.high)}


def digits(value: float, count: int = DIGITS) -> float:
    rounded = float(f"{round(float(value), 12):.{count}g}")  # 1e-17 is 0
    return int(rounded) if rounded.is_integer() else rounded


def content(units: Sequence[Mapping[str, Any]], margins: Whole) -> dict:
    """All of study-observers.json but its manifest."""
    told, noisy = noise(margins)
    counted = counts({key: shares_of(values) for key, values in margins.items()} | noisy)
    shown = {
        name: {
            condition: {
                level: [digits(v, 4) for v in flat(values)]
                for (of, c, level), values in margins.items()
                if (of, c) == (name, condition)
            }
            for condition in PAIR
        }
        for name in SHOWN
    }
    return {
        "observers": described(OBSERVERS),
        "variants": described(VARIANTS),
        "units": [
            {"scope": scope_of(u)} | {k: u[k] for k in ("network", "layer", "channel", "picked")}
            for u in units
        ],
        "noise": told,
        "counts": counted,
        "rows": rows(units, counted),
        "paired": paired(units, counted),
        "margins": shown,
    }


def shares_of(values: np.ndarray) -> np.ndarray:
    """`share`, NaN where an observer took no part."""
    out = np.full(values.shape, np.nan)
    there = ~np.isnan(values).any(1)
    out[there] = share(values[there])
    return out


def text(told: Mapping[str, Any]) -> str:
    """The table of all units, for a terminal."""
    lines = [
        f"{r['mode']:10} {r['observer']:26} {r['condition']:10} {r['level']:10} {r['value']:.3f} "
        + ("" if r["low"] is None else f"[{r['low']:.3f}, {r['high']:.3f}]")
        for r in told["rows"] if r["scope"] == "all"
    ]  # fmt: skip
    return "\n".join([*lines, *map(str, told["noise"])])
