"""The atlas that the book shows is what its file says it is, and its script makes such a one."""

import json

import numpy as np
import pytest
import scipy.stats
import torch
from PIL import Image

from actmax_lib import atlas, zoo
from actmax_lib.atlas.files import sha256
from scripts import make_atlas, results
from tests.atlas import nets
from tests.atlas.conftest import SIZE

pytestmark = pytest.mark.usefixtures("one_thread")
TOLD = json.loads((results.RESULTS / "atlas.json").read_text(encoding="utf-8"))
SHEETS = results.RESULTS / "atlas"


def tile(k, told=TOLD, sheets=SHEETS):
    """Picture k, (3, side, side) in [0, 1]."""
    side, columns = told["tile"]["side"], told["tile"]["columns"]
    sheet, place = divmod(k, columns * told["tile"]["rows"])
    whole = Image.open(sheets / told["sheets"][sheet]["file"]).convert("RGB")
    top, left = side * (place // columns), side * (place % columns)
    cut = np.asarray(whole.crop((left, top, left + side, top + side)))
    return torch.from_numpy(cut / np.float32(255)).permute(2, 0, 1)


def test_every_class_is_there_once_in_order_and_nothing_else():
    assert [row[0] for row in TOLD["classes"]] == list(range(1000))
    assert TOLD["names"] == list(zoo.class_names())
    assert TOLD["recipe"]["network"] == "efficientnet-lite0"
    assert TOLD["recipe"]["judge"] == "efficientnet-lite1"
    assert {"commands", "seconds", "machines", "writer"} <= set(TOLD)
    for _, _, p, own, own_p, judge_p, rank, top in TOLD["classes"]:
        assert 0 <= p <= own_p <= 1
        assert 0 <= own < 1000
        assert (rank <= 5) == (judge_p in [q for _, q in top])
        assert [q for _, q in top] == sorted((q for _, q in top), reverse=True)
        assert len(top) == 5


def test_the_sheets_are_those_named_and_light():
    listed = {one["file"]: one["sha256"] for one in TOLD["sheets"]}
    assert {file.name: sha256(file) for file in SHEETS.iterdir()} == listed
    assert sum(file.stat().st_size for file in SHEETS.iterdir()) <= make_atlas.LIMIT
    assert (results.RESULTS / "atlas.json").stat().st_size < 400_000
    each = TOLD["tile"]["columns"] * TOLD["tile"]["rows"]
    assert len(listed) == -(-len(TOLD["classes"]) // each)


def test_the_judge_says_of_the_tiles_what_is_stated():
    """They are smaller and lossy, so only the order of its beliefs is kept, roughly."""
    some = range(0, len(TOLD["classes"]), max(1, len(TOLD["classes"]) // 40))
    x = torch.stack([tile(k) for k in some])
    p = zoo.probabilities(zoo.load("efficientnet-lite1", device="cpu"), x)
    measured = [float(p[at, TOLD["classes"][k][0]]) for at, k in enumerate(some)]
    stated = [TOLD["classes"][k][5] for k in some]
    assert scipy.stats.spearmanr(measured, stated).statistic > 0.6
    assert scipy.stats.spearmanr(np.roll(measured, 1), stated).statistic < 0.5  # planted


def test_the_script_lays_the_tiles_and_copies_the_numbers(whole, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    monkeypatch.setattr(make_atlas, "SIDE", 2)  # four tiles a sheet
    make_atlas.main([str(whole), "--tile", "8"])
    told = json.loads((tmp_path / "atlas.json").read_text(encoding="utf-8"))
    made = atlas.load(whole)
    assert "2 sheets" in capsys.readouterr().out
    assert told["manifest_sha256"] == sha256(whole / "manifest.json")
    assert told["names"] == list(nets.NAMES)
    assert told["seconds"] == made.manifest["seconds"]
    for k, (entry, row) in enumerate(zip(made.entries, told["classes"], strict=True)):
        index, value, p, own, own_p, judge_p, rank, top = row
        assert (index, own, rank) == (entry["index"], entry["own"][0], entry["judge_rank"])
        assert (value, p, own_p, judge_p) == pytest.approx(
            (entry["value"], entry["p"], entry["own"][2], entry["judge_p"]), rel=1e-3
        )
        assert [j for j, _ in top] == [j for j, _, _ in entry["judge"]]
        mean = made.picture(k, lossless=True).mean((1, 2))
        assert (tile(k, told, tmp_path / "atlas").mean((1, 2)) - mean).abs().max() < 0.05
    assert made.picture(0, lossless=True).shape[1:] == SIZE


def test_the_best_quality_below_the_limit_is_taken(whole, monkeypatch):
    small = make_atlas.tiles(atlas.load(whole), 32)
    best = sum(map(len, make_atlas.encoded(small, 85)))
    assert make_atlas.smallest_loss(small, best)[0] == 85
    quality, sheets = make_atlas.smallest_loss(small, best - 1)
    assert quality < 85
    assert sum(map(len, sheets)) < best
    with pytest.raises(SystemExit, match="lower --tile"):
        make_atlas.smallest_loss(small, 10)
