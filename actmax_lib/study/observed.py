"""What the model observers scored, read from the committed results (chapter *do-pictures-help*)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

CONDITIONS = ("natural", "synthetic")


class Observed:
    """Rows of study-observers.json by name.

    found: all of the file; labels: the observers' names for tables, by key; scopes: the layers, in
    the order of the sheets. A level is "extreme", "p90", "p70" or "occlusion"; a scope is "all",
    "drawn", "picked", a network or a layer.
    """

    def __init__(self, found: Mapping[str, Any]) -> None:
        self.found = found
        both = {**found["observers"], **found.get("variants", {})}
        self.labels = {key: one["label"] for key, one in both.items()}
        self.scopes = list(dict.fromkeys(unit["scope"] for unit in found["units"]))
        keys = ("observer", "condition", "level", "scope")
        self._shares = {tuple(row[key] for key in keys): row for row in found["rows"]}
        keys = ("observer", "level", "scope")
        self._gaps = {tuple(row[key] for key in keys): row for row in found["paired"]}

    @classmethod
    def load(cls, path: str | Path) -> "Observed":
        """From the file that `scripts/measure_study.py` wrote."""
        return cls(json.loads(Path(path).read_text(encoding="utf-8")))

    def share(self, observer: str, condition: str, level: str, scope: str = "all") -> dict:
        """The row with correct, total, value, low and high (None without an interval).

        Raises ValueError for a trial that this observer was not given.
        """
        return self._one(self._shares, (observer, condition, level, scope))

    def gap(self, observer: str, level: str, scope: str = "all") -> dict:
        """Natural minus synthetic, paired by unit: the row with difference, low, high and p."""
        return self._one(self._gaps, (observer, level, scope))

    def has(self, observer: str, level: str, scope: str = "all") -> bool:
        """Did it take these trials with both kinds of references?"""
        return all((observer, kind, level, scope) in self._shares for kind in CONDITIONS)

    def better(self, level: str, observers: Iterable[str]) -> dict[str, list[str]]:
        """Labels of those whose interval of the difference is above, below or across zero."""
        groups: dict[str, list[str]] = {"natural": [], "synthetic": [], "undecided": []}
        for observer in observers:
            row = self.gap(observer, level)
            low, high = row["low"], row["high"]
            if low is None or low <= 0 <= high:  # no spread between units is no certainty
                group = "undecided"
            else:
                group = "natural" if low > 0 else "synthetic"
            groups[group].append(self.labels[observer])
        return groups

    def table(
        self, observers: Iterable[str], levels: Iterable[str], scopes: Iterable[str] = ("all",)
    ) -> list[list[str]]:
        """Rows of text: observer and trials, natural, synthetic, and the difference.

        What an observer did not take is not there.
        """
        levels, scopes, rows = list(levels), list(scopes), []
        for observer in observers:
            for scope in scopes:
                for level in levels:
                    if self.has(observer, level, scope):
                        name = [self.labels[observer], level]
                        name[1:1] = [] if scope == "all" else [scope]
                        both = [self.share(observer, kind, level, scope) for kind in CONDITIONS]
                        gap = text(self.gap(observer, level, scope), "difference")
                        rows.append([", ".join(name), *map(text, both), gap])
        return rows

    @staticmethod
    def _one(rows: Mapping[tuple[str, ...], dict], key: tuple[str, ...]) -> dict:
        if key not in rows:
            known = [sorted({known[at] for known in rows}) for at in range(len(key))]
            raise ValueError(f"there is no row {key}; there are {known}")
        return rows[key]


def text(row: Mapping[str, Any], value: str = "value") -> str:
    """A number with its interval: "0.92 [0.88, 0.95]", or without one where there is none."""
    if row["low"] is None:
        return f"{row[value]:z.2f}"
    return f"{row[value]:z.2f} [{row['low']:z.2f}, {row['high']:z.2f}]"


def dots(fig: Any, observed: Observed, observers: Sequence[str], levels: Sequence[str]) -> None:
    """Shares of right answers as dots with intervals, a panel a level; for `plots.show`."""
    axes = fig.subplots(len(levels), 1, sharex=True, squeeze=False)[:, 0]
    for ax, level in zip(axes, levels, strict=True):
        for at, name in enumerate(observers):
            for k, kind in enumerate(CONDITIONS):
                row, y = observed.share(name, kind, level), at + 0.28 * k - 0.14
                if row["low"] is not None:
                    ax.plot([row["low"], row["high"]], [y, y], f"C{k}", lw=3, alpha=0.5)
                ax.plot(row["value"], y, f"C{k}o", label=None if at else kind)
        ax.axvline(0.5, ls=":", color="C2")
        ax.set_yticks(range(len(observers)), [observed.labels[name] for name in observers])
        ax.invert_yaxis()
        ax.set_title(level, loc="left")
    axes[-1].legend(loc="upper right", fontsize=10)
    axes[-1].set(xlim=(0.35, 1.02), xlabel="share of right answers")
