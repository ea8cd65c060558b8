"""The committed numbers under the pictures: whole, of these sheets, and made by this code."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from actmax_lib import logit, maximize, metrics, robust, zoo
from scripts import measure_quality as script
from scripts import quality_fashion as fashion
from scripts import quality_pictures as made
from scripts import results

TOLD = json.loads((results.RESULTS / "quality.json").read_text(encoding="utf-8"))
ROWS = {row["key"]: row for row in TOLD["rows"]}


def tile(row: int, column: int) -> np.ndarray:
    n = TOLD["size"]
    with Image.open(results.RESULTS / TOLD["manifest"]["sheet"]["file"]) as sheet:
        array = np.asarray(sheet.convert("RGB"))
    return array[row * n : (row + 1) * n, column * n : (column + 1) * n]


def test_sheets_are_those_of_the_manifest():
    for name in ("sheet", "fashion_sheet"):
        told = TOLD["manifest"][name]
        assert results.sha256(results.RESULTS / told["file"]) == told["sha256"]
    for key in ("command", "seed", "machine", "seconds", "networks"):
        assert TOLD["manifest"][key]


def test_every_number_is_there_and_in_its_range():
    assert len(TOLD["classes"]) >= 50
    assert len(TOLD["seeds"]) == 3
    assert [r.key for r in made.PLAN] == [*ROWS, *TOLD["left_out"]]
    count = len(TOLD["classes"]) * len(TOLD["seeds"])
    for row in TOLD["rows"]:
        for name, values in row["each"].items():
            v = np.array(values)
            assert len(v) == (count // 3 if name.startswith("diversity") else count), name
            assert np.isfinite(v).all()
            if name.endswith(("top1", "top5")):
                assert set(v) <= {0.0, 1.0}
            elif name in ("own", "own_resized", "lite1", "lite2"):
                assert v.min() >= 0
                assert v.max() <= 1
            elif name == "held_out":
                assert v.max() <= 0
        for judge in ("lite1", "lite2"):
            first, five = (np.array(row["each"][f"{judge}_top{k}"]) for k in (1, 5))
            assert (first <= five).all()
            p = np.array(row["each"][judge])
            assert (p[first == 1] > 1e-3).all()
            assert (first[p > 0.5001] == 1).all()  # who has more than half is first


def test_a_picture_made_again_is_the_one_on_the_sheet_and_has_its_numbers():
    k = script.SHOWN[1]
    at = made.CLASSES.index(k)
    net = zoo.load(made.NET, device="cpu")
    run = maximize(
        logit(net, [k]), made.IMAGES["fourier"](), transform=robust(), steps=made.STEPS, seed=[k]
    )
    row = ROWS["fourier-robust-logit"]["each"]
    shown = [(r["key"], r["seed"]) for r in TOLD["sheet"]["rows"]].index(
        ("fourier-robust-logit", 0)
    )
    # another CPU rounds otherwise, and a climb magnifies that: alike, not equal
    picture = results.bytes_of(run.images)[0].astype(float)
    apart = {
        (r, c): np.abs(picture - tile(r, c)).mean()
        for r in range(len(TOLD["sheet"]["rows"])) for c in range(TOLD["sheet"]["columns"])
    }  # fmt: skip
    assert min(apart, key=apart.get) == (shown, 1)
    assert float(run.values) == pytest.approx(row["logit"][at], rel=0.2)
    distance = metrics.spectrum_distance(run.images, made.photographs())
    assert float(distance) == pytest.approx(row["spectrum"][at], abs=0.15)


def test_photographs_are_the_ones_of_the_page_and_have_their_distances():
    found = script.of_photographs()
    assert found["spectrum"] == pytest.approx(TOLD["photographs"]["spectrum"], rel=2e-3)
    assert made.photographs().shape == (15, 3, made.SIZE, made.SIZE)
    assert float(made.photographs().std()) > 0.1


def test_plan_has_every_recipe_of_the_question_and_its_controls():
    keys = {r.key for r in made.PLAN}
    assert len(keys) == len(made.PLAN) == 17
    for objective in ("logit", "log_prob"):
        for image in ("pixels", "fourier-plain", "fourier", "maco"):
            assert {f"{image}-{objective}", f"{image}-robust-{objective}"} <= keys
    assert {r.key for r in made.PLAN if r.objective == "logit"} <= set(ROWS)  # none left out


def test_random_weights_are_random_and_the_zoo_is_not_touched():
    trained, random = made.network(False), made.network(True)
    x = made.photographs()[:3]
    p, q = (zoo.probabilities(net, x) for net in (trained, random))
    assert p.max(1).values.min() > 0.05
    assert not torch.equal(p.argmax(1), q.argmax(1))
    again = zoo.probabilities(zoo.load(made.NET, device="cpu"), x)
    assert torch.allclose(p, again, atol=1e-5)


def test_paths_are_complete_and_one_row_comes_out_again():
    found = TOLD["fashion"]["paths"]
    kinds = {(p["method"], p["seed"], p["measure"], p["kind"]) for p in found}
    assert len(kinds) == len(found) == 3 * 3 * 2 * 4
    row = next(
        p for p in found
        if (p["method"], p["seed"], p["measure"], p["kind"]) == ("one-sided", 0, "cosine", "noise")
    )  # fmt: skip
    net = zoo.load("fashion-one-sided-0", device="cpu")
    (x, y), _ = fashion.halves()
    noise = torch.rand(30, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    got = metrics.path_similarity(
        net, fashion.LAYERS, noise, list(range(10)) * 3, x, y, measure="cosine"
    )
    assert got.normalized.tolist() == pytest.approx(row["normalized"], abs=2e-3)
    for part in found:
        s, same, other = (np.array(part[k]) for k in ("synthetic", "same", "different"))
        assert np.allclose((s - other) / (same - other), part["normalized"], atol=0.02)


def test_compact_json_reads_back():
    value = {"a": [1, 2.5, "ü"], "b": [{"c": list(range(60)), "d": {}}, {"e": None}], "f": []}
    text = script.compact(value)
    assert json.loads(text) == value
    assert "[1, 2.5" in text.replace("\n", "")
