"""State of the figures of the chapter *robustness*: networks side by side, and attacks by ε."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from actmax_lib._states import sheet_of


def robust_pictures(
    manifests: Sequence[str | Path], measured: Sequence[str | Path] = ()
) -> dict[str, Any]:
    """State of the figure "robust-pictures": ``figure("robust-pictures", **robust_pictures(...))``.

    `manifests`: the JSON files of `scripts/render_robustness.py`, one a data set, each with its
    sheet of pictures beside it. `measured`: those of `scripts/measure_zoo.py`; one that does not
    exist is left out. Methods are ordered by their networks' robust accuracy (ℓ2), lowest first;
    those that were not measured come last. Raises `ValueError` for a sheet that is another.
    """
    numbers = [
        json.loads(Path(file).read_text("utf-8")) for file in measured if Path(file).exists()
    ]
    rows = {name: (row, told) for told in numbers for name, row in told["networks"].items()}
    sets = []
    for manifest in manifests:
        known, sheet = sheet_of(manifest)
        each = len(known["recipes"]) * len(known["classes"]) * (len(known["steps"]) - 1)
        methods, radius = [], None
        for k, network in enumerate(known["networks"]):
            row, told = rows.get(network["name"], ({}, {}))
            radius = told.get("eps", {}).get("l2", radius)
            methods.append(
                {
                    "key": network["method"],
                    "label": network["label"],
                    "first": 1 + k * each,  # tile 0 is the noise
                    "accuracy": row.get("accuracy", network["accuracy"]),
                    "robust": row.get("robust_l2"),
                    "cosine": [row.get("plain_cosine_to_mean"), row.get("cosine_to_mean")],
                }
            )
        methods.sort(key=lambda m: (m["robust"] is None, m["robust"] or 0.0))  # stable
        wanted = ("title", "classes", "steps", "length")
        sets.append(
            {key: known[key] for key in wanted}
            | {"recipes": [recipe["label"] for recipe in known["recipes"]]}
            | {"sheet": sheet, "methods": methods, "eps": radius}
        )
    return {"sets": sets}


def epsilon(manifests: Sequence[str | Path]) -> dict[str, Any]:
    """State of the figure "epsilon": ``figure("epsilon", **epsilon([...]), ...)``.

    `manifests`: the JSON files robust-epsilon-* of `scripts/render_robustness.py`, one a data set,
    each with its sheet beside it. Raises `ValueError` for a sheet that is another.
    """
    sets = []
    for manifest in manifests:
        known, sheet = sheet_of(manifest)
        wanted = ("title", "classes", "own", "targets", "eps", "p", "norm", "most")
        labels = [network["label"] for network in known["networks"]]
        attack = {key: known[key] for key in wanted}
        # what is left of the photograph's own class
        sets.append(attack | {"kept": known["own_p"], "networks": labels, "sheet": sheet})
    return {"sets": sets}
