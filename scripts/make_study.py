"""The stimuli of the study: `python -m scripts.make_study`.

Photographs are CIFAR-10's test split. Output: actmax_lib/study/design.json,
chapters/results/study.json, chapters/results/study/*.webp. An interrupted run goes on.
"""

import argparse
import json
import re
from typing import Any

import numpy as np
import torch

from actmax_lib.atlas.files import write
from actmax_lib.study import occlusion
from actmax_lib.study.stimuli import BATCHES, COLUMNS, REFERENCES
from scripts import results, study_sheets, study_synthetic
from scripts.study_sheets import QUESTIONS, encoded
from scripts.study_units import NAMES, SEED, units, weights

LIMIT = 12_000_000  # bytes of all sheets
QUALITY = 88  # of the synthetic pictures
FOLDER = results.RESULTS / "study"
DESIGN = results.ROOT / "actmax_lib" / "study" / "design.json"


def synthetic(
    listed: list[dict], weight: float, steps: dict[str, int]
) -> tuple[dict[str, bytes], list, float]:
    """Sheets by network, the values of what is shown (unit, sign, nine), and the seconds taken."""
    tiles: dict[str, list[np.ndarray]] = {network: [] for network in NAMES}
    values, seconds = [], 0.0
    for unit in listed:
        network = unit["network"]
        both = [study_synthetic.kept(unit, sign, weight, steps[network]) for sign in (-1, 1)]
        tiles[network] += [
            study_synthetic.shown(made["tiles"], study_synthetic.TILE[network]) for made in both
        ]
        values.append([made["values"][:REFERENCES] for made in both])
        seconds += sum(float(made["seconds"]) for made in both)
    sheets = {network: encoded(np.concatenate(parts), 2 * REFERENCES, QUALITY)
              for network, parts in tiles.items()}  # fmt: skip
    return sheets, values, seconds


def rounded(numbers: Any) -> Any:
    """Nested numbers with five digits."""
    if np.ndim(numbers):
        return [rounded(one) for one in numbers]
    return float(f"{float(numbers):.5g}")


def about(name: str, content: bytes, listed: list[dict]) -> dict[str, Any]:
    """A sheet's entry in the manifest."""
    network = name.removesuffix(".webp").removeprefix("study-synthetic-")
    told: dict[str, Any] = {"file": name, "sha256": results.sha256(content)}
    if network in NAMES:
        rows = sum(unit["network"] == network for unit in listed)
        side = study_synthetic.TILE[network]
        return told | {"tile": side, "columns": 2 * REFERENCES, "rows": rows}
    return told | {"tile": 32, "columns": COLUMNS, "rows": len(listed)}


def compact(rows: list) -> str:
    """A JSON list, a line a row."""
    return "[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n ]"


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draft", type=int, metavar="STEPS", help="few steps, to look at")
    draft = parser.parse_args(argv).draft
    torch.set_num_threads(1)
    listed = units()
    steps = {name: draft or most for name, most in study_synthetic.STEPS.items()}
    rows = [study_sheets.kept(unit) for unit in listed]
    weight, tried = (1.0, []) if draft else study_synthetic.choose_weight(listed)
    pictures, reached, seconds = synthetic(listed, weight, steps)
    sheets = study_sheets.batches(listed, rows, (90,) if draft else study_sheets.QUALITIES)
    contents = {f"study-batch-{b:02d}.webp": sheet for b, (_, sheet, _) in enumerate(sheets)}
    contents |= {f"study-synthetic-{name}.webp": sheet for name, sheet in pictures.items()}
    weigh = sum(map(len, contents.values()))
    if weigh > LIMIT:
        raise SystemExit(f"the sheets have {weigh} bytes, more than {LIMIT}")
    for name, content in contents.items():
        write(FOLDER / name, content)
    files = [about(name, content, listed) for name, content in contents.items()]
    stimuli = results.sha256("".join(one["sha256"] for one in files).encode())[:8]
    if re.fullmatch(r"\d+(e\d+)?", stimuli):  # a spreadsheet would take it for a number
        raise SystemExit(f"the sheets' hash reads {stimuli}; change QUALITY by one")
    design = {"version": 1, "stimuli": stimuli, "batches": BATCHES, "units": listed}
    write(DESIGN, json.dumps(design, indent=1).encode() + b"\n")
    margins = {
        name: {
            "sd": rounded(min(told[name]["sd"] for _, _, told in sheets)),
            "share": rounded(min(told[name]["share"] for _, _, told in sheets)),
            "off": rounded(np.mean([told[name]["off"] for _, _, told in sheets])),
        }
        for name in QUESTIONS
    }
    manifest = {
        "command": "python -m scripts.make_study" + (f" --draft {draft}" if draft else ""),
        "seed": SEED,
        "machine": results.machine(),
        "seconds": round(seconds + sum(float(row["seconds"]) for row in rows)),
        "photographs": {"data": "cifar-10", "split": "test"},
        "networks": {name: weights(name) for name in NAMES.values()},
        "stimuli": stimuli,
        "bytes": weigh,
        "qualities": [quality for quality, _, _ in sheets],
        # after compression: the least of right minus wrong, in the unit's standard deviations over
        # the photographs and as a share of what it was; how far off a value is, on average
        "margins": margins,
        "synthetic": {
            "steps": steps, "lr": study_synthetic.LR, "seeds": study_synthetic.SEEDS,
            "weight": weight, "price": study_synthetic.PRICE, "tried_steps": study_synthetic.TRY,
            "tried": [{key: rounded(value) for key, value in row.items()} for row in tried],
        },
        "occlusion": {"side": occlusion.SIDE, "along": occlusion.ALONG, "gray": occlusion.GRAY},
        "files": files,
    }  # fmt: skip
    detail = [
        unit | {
            "mean": rounded(row["mean"]), "sd": rounded(row["sd"]),
            "values": rounded(row["values"]),  # batch, columns 18-25
            "places": row["places"].tolist(),  # batch, columns 24 and 25: (top, left)
            "synthetic": rounded(values),  # minimal, maximal: nine values each
        }
        for unit, row, values in zip(listed, rows, reached, strict=True)
    ]  # fmt: skip
    tiles = np.stack([row["indices"] for row in rows], 1).tolist()  # batch, unit, column
    text = json.dumps(manifest, indent=1).removesuffix("\n}")
    text += f',\n "units": {compact(detail)},\n "tiles": {compact(tiles)}\n}}\n'
    write(results.RESULTS / "study.json", text.encode())
    print(f"chapters/results/study: {len(files)} sheets, {weigh / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
