"""The scripts behind the study's stimuli, on tiny inputs."""

import json
import re

import numpy as np
import pytest
import torch

from actmax_lib.streams import Streams
from actmax_lib.study.stimuli import QUERIES
from scripts import make_study, results, study_sheets, study_synthetic, study_units

UNITS = [
    {"network": "cifar", "name": "a", "layer": layer, "channel": k, "picked": k == 1}
    for layer in ("one", "two")
    for k in (1, 2, 3)
]


@pytest.fixture
def seen(monkeypatch):
    """Which units a trial of W rendered; a share of 1, 0.99, 0.95, 0.91, 0.5 of 10 is reached."""
    rendered = []

    def kept(unit, sign, weight, steps):
        share = dict(zip(study_synthetic.WEIGHTS, (1, 0.99, 0.95, 0.91, 0.5), strict=True))
        rendered.append((unit["layer"], unit["channel"], sign, steps))
        # above a mean of 5 in deviations of 2; channel "two" keeps a little less, "one" more
        more = 0.01 * (unit["layer"] == "one") - 0.01 * (unit["layer"] == "two")
        value = 5 + 20 * (share[weight] + more * (weight > 0))
        return {"values": np.full(10, value), "likeness": np.full(10, 0.5)}

    values = np.array([3.0, 7.0])[:, None].repeat(4, 1)
    monkeypatch.setattr(study_synthetic, "kept", kept)
    monkeypatch.setattr(study_synthetic, "all_values", lambda _: {"one": values, "two": values})
    return rendered


def test_the_weight_is_the_largest_that_keeps_nine_tenths(seen, monkeypatch):
    weight, rows = study_synthetic.choose_weight(UNITS)
    assert weight == 3
    assert [row["share"] for row in rows] == pytest.approx([1, 0.99, 0.95, 0.91, 0.5])
    assert rows[0]["sd"] == [10, 10]  # in standard deviations above the mean of photographs
    # of every layer the first drawn unit, not the picked one
    assert {one[:3] for one in seen} == {("one", 2, 1), ("two", 2, 1)}
    monkeypatch.setattr(study_synthetic, "PRICE", 0.96)
    assert study_synthetic.choose_weight(UNITS)[0] == 1


def test_transforms_shift_in_proportion_to_the_size():
    """A picture of 32 pixels is moved by 3 at most, one of 128 by 14: Olah's 224 by 24."""
    for size, most in ((32, 3), (128, 14)):
        x = torch.zeros(400, 1, size, size)
        x[:, :, size // 2, size // 2] = 1
        streams = Streams(range(400), torch.device("cpu"), torch.float32)
        moved = study_synthetic.robust(size)(x, streams)[:, 0]
        mass = moved.sum((1, 2))
        place = (moved.sum(2) * torch.arange(size)).sum(1) / mass - size // 2
        assert most - 1.5 < place[mass > 0.3].abs().max() < most + 1.5


def test_every_picture_of_nine_is_shown_smaller_but_whole():
    tiles = np.zeros((10, 8, 8, 3), np.uint8)
    tiles[..., 4:, :] = 200
    tiles[9] = 77  # the tenth is not shown
    small = study_synthetic.shown(tiles, 2)
    assert small.shape == (9, 2, 2, 3)
    assert (small[:, :, 0] < 40).all()
    assert (small[:, :, 1] > 160).all()
    np.testing.assert_array_equal(study_synthetic.shown(tiles, 8), tiles[:9])


def test_a_sheet_is_read_back_in_its_order():
    tiles = np.arange(6, dtype=np.uint8).repeat(32 * 32 * 3).reshape(6, 32, 32, 3) * 40
    read = study_sheets.decoded(study_sheets.encoded(tiles, 3, 98), 3, 32)
    assert read.shape == (2, 3, 32, 32, 3)
    assert np.abs(read.reshape(tiles.shape).astype(int) - tiles).max() <= 2


@pytest.fixture
def row(monkeypatch):
    """A unit that measures red, and tiles of plain colours; only batch 0 is read."""
    monkeypatch.setattr(study_sheets, "value", lambda unit, x: x[:, 0].mean((1, 2)))
    monkeypatch.setattr(study_sheets, "BATCHES", 1)
    red = np.zeros(26)
    for wrong, right in QUERIES.values():
        red[wrong], red[right] = 80, 120
    red[24], red[25] = 100, 160  # of the occlusions the one with the lower value is right
    tiles = np.zeros((1, 26, 32, 32, 3), np.uint8)
    tiles[..., 0] = red[:, None, None]
    return {"tiles": tiles, "values": red[None, 18:] / 255, "sd": np.float64(0.1)}


def test_margins_are_right_minus_wrong(row):
    sheet = study_sheets.encoded(row["tiles"][0], 26, 98)
    told = study_sheets.margins([UNITS[0]], [row], 0, sheet)
    assert set(told) == set(QUERIES)
    for name, gap in (("extreme", 40), ("p90", 40), ("p70", 40), ("occlusion", 60)):
        assert told[name]["sd"] == pytest.approx(gap / 25.5, rel=0.1)
        assert told[name]["share"] == pytest.approx(1, abs=0.1)
        assert 0 <= told[name]["off"] < 0.2
    wrongly = row | {"tiles": row["tiles"].copy()}
    wrongly["tiles"][0, [24, 25]] = row["tiles"][0, [25, 24]]
    sheet = study_sheets.encoded(wrongly["tiles"][0], 26, 98)
    told = study_sheets.margins([UNITS[0]], [row], 0, sheet)
    assert told["occlusion"]["share"] == pytest.approx(-1, abs=0.1)
    assert told["occlusion"]["off"] > 1
    assert told["p70"]["share"] > 0.9


def test_the_quality_is_raised_until_the_units_are_right(row, monkeypatch):
    asked = []

    def margins(listed, rows, batch, sheet):
        asked.append(len(sheet))
        return {"p70": {"share": [-1, 0.05, 0.2, 0.3][len(asked) - 1]}}

    monkeypatch.setattr(study_sheets, "margins", margins)
    noise = np.random.default_rng(0).integers(0, 255, row["tiles"].shape).astype(np.uint8)
    rows = [row | {"tiles": noise}]
    [(quality, sheet, told)] = study_sheets.batches([UNITS[0]], rows, (50, 70, 90, 98))
    assert quality == 90
    assert told["p70"]["share"] == 0.2
    assert len(asked) == 3
    assert asked == sorted(asked)
    assert len(sheet) == asked[-1]
    asked.clear()
    with pytest.raises(SystemExit, match="batch 0: no quality"):
        study_sheets.batches([UNITS[0]], [row], (50, 70))


def test_a_picked_unit_is_not_one_of_the_drawn(monkeypatch):
    listed = study_units.units()
    lot = next(unit["channel"] for unit in listed if unit["layer"] == "convs.3")
    monkeypatch.setitem(study_units.PICKED, "convs.3", lot)
    with pytest.raises(SystemExit, match=rf"channel {lot} of convs\.3 was drawn"):
        study_units.units()


def test_what_the_manifest_tells_of_a_sheet():
    listed = study_units.units()
    whole = {"file": "study-batch-03.webp", "sha256": results.sha256(b"x")}
    assert make_study.about("study-batch-03.webp", b"x", listed) == whole | {
        "tile": 32, "columns": 26, "rows": 30,
    }  # fmt: skip
    told = make_study.about("study-synthetic-imagenet.webp", b"x", listed)
    assert (told["tile"], told["columns"], told["rows"]) == (96, 18, 15)
    assert make_study.rounded(np.array([[1.2345678, -1e-9]])) == [[1.2346, -1e-9]]
    text = make_study.compact([[1, [2]], {"a": 3}])
    assert json.loads(text) == [[1, [2]], {"a": 3}]
    assert re.findall(r"^.*$", text, re.M) == ["[", "[1,[2]],", '{"a":3}', " ]"]
