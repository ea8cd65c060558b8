"""State of the figure "study": the sheets of the experiment, its design, the paper's numbers."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from actmax_lib._ascent import _checked
from actmax_lib._html import data_uri, is_static
from actmax_lib.study.human import HUMAN_MORE
from actmax_lib.study.session import Design, load_design
from actmax_lib.study.statistics import published


def study(manifest: str | Path, address: str, design: Design | None = None) -> dict[str, Any]:
    """State of the figure "study": ``figure("study", **study(path, "../../_static"), ...)``.

    `manifest`: the JSON file of `scripts/make_study.py`, with the sheets in the folder of the same
    name. `address`: where the built page finds them; a session loads the few it needs when its
    reader presses Start. In a live kernel, which has no such place, all are part of the state.
    `design`: the book's, unless given. Raises `ValueError` when a sheet is missing or not the one
    the manifest describes, or the manifest is of another design.
    """
    manifest = Path(manifest)
    design = design or load_design()
    known = json.loads(manifest.read_text(encoding="utf-8"))
    if known["stimuli"] != design.stimuli:
        raise ValueError(
            f"{manifest} has the stimuli {known['stimuli']}, the design {design.stimuli}; make "
            f"both with {known['command']}"
        )
    told = {one["file"]: one for one in known["files"]}
    folder = manifest.with_suffix("")

    def sheet(file: str) -> dict[str, Any]:
        if file not in told:
            raise ValueError(f"{manifest} lists no file {file}; make it with {known['command']}")
        content = _checked(folder / file, told[file]["sha256"], known)
        src = f"{address.rstrip('/')}/{file}" if is_static() else data_uri("image/webp", content)
        return {"src": src} | {key: told[file][key] for key in ("tile", "columns", "rows")}

    networks = {
        unit.network: sheet(f"study-synthetic-{unit.network}.webp") for unit in design.units
    }
    batches = [sheet(f"study-batch-{batch:02d}.webp") for batch in range(design.batches)]
    return {
        "design": asdict(design),
        "sheets": networks | {"batches": batches},
        "human": _paper(HUMAN_MORE),
    }


def _paper(more: Mapping[str, Any]) -> dict[str, Any]:
    """Shares of right answers of Borowski et al. (2021): mean over participants ± 2 SE.

    Without references there were two baselines, at the start and at the end: between them lies the
    value, and the interval holds both of theirs. "squares": Zimmermann et al. (2021), value ± two.
    """
    bars = {}
    for condition in ("natural", "synthetic"):
        found = published(condition)
        bars[condition] = (found.value, found.value - found.two_se, found.value + found.two_se)
    ends = [(value, value - two, value + two) for value, two in more["none"].values()]
    bars["none"] = (
        sum(value for value, *_ in ends) / len(ends),
        min(low for _, low, _ in ends),
        max(high for *_, high in ends),
    )
    shares = {
        key: dict(zip(("value", "low", "high"), bar, strict=True)) for key, bar in bars.items()
    }
    squares = {
        kind: dict(zip(("value", "two"), more["squares"][kind], strict=True))
        for kind in ("synthetic", "none")
    }
    confidence = {key: list(v) for key, v in more["confidence"].items()}
    return shares | {"confidence": confidence, "squares": squares}
