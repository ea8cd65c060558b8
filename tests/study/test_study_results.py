"""The committed stimuli of the study are what their manifest says, and what the rules ask for."""

import json

import numpy as np
import pytest
import torch

from actmax_lib import channel, data, zoo
from actmax_lib.probes import Probe
from actmax_lib.study import session, stimuli
from actmax_lib.study.occlusion import positions
from actmax_lib.study.stimuli import BATCHES, LEVELS, QUERIES, Stimuli, as_seen, dealt
from scripts import make_study, results, study_sheets, study_units

pytestmark = pytest.mark.usefixtures("one_thread")
STUDY = Stimuli.load(results.RESULTS / "study")
TOLD = STUDY.manifest
DESIGN = json.loads(make_study.DESIGN.read_text(encoding="utf-8"))
TILES = np.array(TOLD["tiles"])  # batch, unit, column
CODE = {-1: 0, 1: 9}  # first column of the references of a sign
NETS = {name: zoo.load(name, device="cpu") for name in study_units.NAMES.values()}


def judged(tiles, told=STUDY.units):
    """A unit's values of tiles: (unit, n, 3, s, s) in [0, 1] to (unit, n); a layer runs once."""
    values = np.empty(tiles.shape[:2])
    for name, net in NETS.items():
        rows = [row for row, unit in enumerate(told) if unit["name"] == name]
        for layer in {told[row]["layer"] for row in rows}:
            probe = Probe(net, [layer])
            for row in (row for row in rows if told[row]["layer"] == layer):
                with torch.no_grad():
                    maps = probe(as_seen(tiles[row], told[row]["network"]))[layer]
                values[row] = maps[:, told[row]["channel"]].flatten(1).mean(1)
    return values


def asked(batch):
    """The eight asked tiles of every unit in a batch: (unit, 8, 3, 32, 32)."""
    return torch.stack([STUDY.tiles(u, batch, range(18, 26)) for u in range(len(STUDY.units))])


def gaps(values):
    """Right minus wrong by kind of question, (unit, 4); for occlusions what is lost more."""
    columns = [values[:, right - 18] - values[:, wrong - 18] for wrong, right in QUERIES.values()]
    sign = np.array([-1 if name == "occlusion" else 1 for name in QUERIES])
    return np.stack(columns, 1) * sign


def test_the_sheets_are_those_named_and_light():
    listed = {one["file"]: one["sha256"] for one in TOLD["files"]}
    folder = results.RESULTS / "study"
    assert {file.name: results.sha256(file) for file in folder.iterdir()} == listed
    assert sum(file.stat().st_size for file in folder.iterdir()) == TOLD["bytes"]
    assert TOLD["bytes"] <= make_study.LIMIT == 12_000_000
    assert len([name for name in listed if "batch" in name]) == BATCHES == DESIGN["batches"] >= 20
    short = results.sha256("".join(listed.values()).encode())[:8]
    assert short == TOLD["stimuli"] == DESIGN["stimuli"]
    assert (results.RESULTS / "study.json").stat().st_size < 400_000
    known = zoo.trained.manifest()["cifar-standard-0"]["sha256"]
    assert TOLD["networks"]["cifar-standard-0"] == known


def test_the_design_is_the_draw_and_one_pick_a_layer():
    assert DESIGN["units"] == study_units.units()
    assert DESIGN["units"] == [{k: u[k] for k in DESIGN["units"][0]} for u in STUDY.units]
    by_layer = {}
    for unit in DESIGN["units"]:
        by_layer.setdefault((unit["name"], unit["layer"]), []).append(unit)
    assert [len(found) for found in by_layer.values()] == [5] * 6
    assert all([u["picked"] for u in found] == [False] * 4 + [True] for found in by_layer.values())
    assert len({(u["name"], u["layer"], u["channel"]) for u in DESIGN["units"]}) == 30


def test_no_query_is_a_reference_and_no_photograph_of_a_unit_comes_twice():
    assert TILES.shape == (BATCHES, 30, 26)
    assert TILES.min() >= 0
    assert TILES.max() < 10_000
    for unit in range(30):
        batches = TILES[:, unit, :24]
        assert len(np.unique(batches)) == batches.size
    np.testing.assert_array_equal(TILES[:, :, 24], TILES[:, :, 19])
    np.testing.assert_array_equal(TILES[:, :, 25], TILES[:, :, 19])


def likeness(batch):
    """The correlation of each asked photograph with each reference, as its sheet shows them."""
    found = []
    for unit in range(len(STUDY.units)):
        flat = STUDY.tiles(unit, batch, range(24)).flatten(1)
        unit_length = torch.nn.functional.normalize(flat - flat.mean(1, keepdim=True))
        found.append(unit_length[18:] @ unit_length[:18].T)
    return torch.stack(found)


def test_no_query_looks_the_same_as_a_reference_either():
    """CIFAR-10 holds near-copies under different numbers; in the committed deal none meet."""
    assert max(float(likeness(batch).max()) for batch in range(BATCHES)) < 0.95


def test_the_units_themselves_answer_every_question_rightly():
    least = np.full(4, np.inf)
    spread = np.array([unit["sd"] for unit in STUDY.units])
    for batch in range(BATCHES):
        values = judged(asked(batch))
        least = np.minimum(least, (gaps(values) / spread[:, None]).min(0))
        exact = np.array([unit["values"][batch] for unit in STUDY.units])
        off = (values - exact) / spread[:, None]
        assert np.abs(off).mean() < 0.3  # of what was compressed, against the photographs
        assert np.corrcoef(values[0], np.roll(exact[0], 1))[0, 1] < 0.9  # planted: others' values
    assert least.min() > 0
    told = [TOLD["margins"][name]["sd"] for name in QUERIES]
    np.testing.assert_allclose(least, told, atol=0.02)
    assert min(TOLD["margins"][name]["share"] for name in QUERIES) >= study_sheets.KEEPS


def test_the_questions_are_as_hard_as_their_names_say():
    """In standard deviations of the unit: from the extremes to the 30th and 70th percentile."""
    spread = np.array([unit["sd"] for unit in STUDY.units])[:, None]
    every = np.stack([gaps(np.array([u["values"][b] for u in STUDY.units])) / spread
                      for b in range(BATCHES)])  # fmt: skip
    mean = dict(zip(QUERIES, every.mean((0, 1)), strict=True))
    assert mean["extreme"] > 2 * mean["p90"] > 3 * mean["p70"] > 0
    assert every.min() > 0


def test_the_squares_lie_where_the_manifest_says():
    how = TOLD["occlusion"]
    places = set(positions(32, how["side"], how["along"]))
    for batch in range(0, BATCHES, 5):
        for number, unit in enumerate(STUDY.units):
            plain, most, least = STUDY.tiles(number, batch, (19, 24, 25))
            for tile, (top, left) in zip((most, least), unit["places"][batch], strict=True):
                assert {top, left} <= places
                inside = torch.zeros(32, 32, dtype=torch.bool)
                inside[top + 2 : top + how["side"] - 2, left + 2 : left + how["side"] - 2] = True
                assert (tile[:, inside] - how["gray"]).abs().mean() < 0.03
                outside = torch.ones(32, 32, dtype=torch.bool)
                outside[max(0, top - 2) : top + 15, max(0, left - 2) : left + 15] = False
                assert (tile - plain)[:, outside].abs().mean() < 0.05
            assert unit["places"][batch][0] != unit["places"][batch][1]


def test_synthetic_references_drive_their_units():
    """Shown small and compressed they still exceed every photograph's value, nearly always."""
    beyond = []
    for sign, start in CODE.items():
        for network, side in (("cifar", 32), ("imagenet", 96)):
            rows = [u for u, unit in enumerate(STUDY.units) if unit["network"] == network]
            shown = [STUDY.references(u, 0, "synthetic")[start // 9] for u in rows]
            assert {tuple(one.shape) for one in shown} == {(9, 3, side, side)}
            for u, pictures in zip(rows, shown, strict=True):
                unit = STUDY.units[u]
                f = channel(NETS[unit["name"]], unit["layer"], unit["channel"])
                values = f(as_seen(pictures, network))
                extreme = [row[1 if sign > 0 else 0] for row in unit["values"]]
                beyond.append(bool((sign * values > sign * np.mean(extreme)).all()))
                assert float(sign * (values.mean() - unit["mean"])) > 0
    assert np.mean(beyond) > 0.9


def test_the_nine_pictures_of_a_unit_differ():
    for unit in range(30):
        for pictures in STUDY.references(unit, 0, "synthetic"):
            flat = pictures.flatten(1)
            distance = torch.cdist(flat, flat) / flat.shape[1] ** 0.5
            assert distance[~torch.eye(9, dtype=torch.bool)].min() > 0.05


@pytest.fixture(scope="module")
def photographs():
    try:
        return data.load("cifar-10", "test", download=False)
    except FileNotFoundError:
        pytest.skip("CIFAR-10 is not on this machine")


def test_the_tiles_are_the_photographs_they_are_named_after(photographs):
    for batch in (0, 7):
        for unit in (0, 14, 15, 29):
            x = photographs.images(TILES[batch, unit, :24])
            tiles = STUDY.tiles(unit, batch, range(24))
            assert (tiles - x).abs().mean((1, 2, 3)).max() < 0.04
            assert (tiles - x.roll(1, 0)).abs().mean((1, 2, 3)).min() > 0.04


def test_the_deal_is_that_of_the_rules(photographs):
    """Of two CIFAR-10 units, from the photographs on; ImageNet's would take a minute."""
    unit_rows = {"convs.2": 0, "convs.4": 14}
    probe = Probe(NETS["cifar-standard-0"], unit_rows)
    parts = {layer: [] for layer in unit_rows}
    with torch.no_grad():
        for first in range(0, 10_000, 250):
            maps = probe(photographs.images(slice(first, first + 250)))
            for layer, row in unit_rows.items():
                own = maps[layer][:, STUDY.units[row]["channel"]]
                parts[layer].append(own.flatten(1).mean(1))
    for layer, row in unit_rows.items():
        values, unit = torch.cat(parts[layer]).numpy(), STUDY.units[row]
        seed = [TOLD["seed"], list(study_units.LAYERS["cifar"]).index(layer), unit["channel"]]
        # another processor may turn two nearly equal values around, not more
        assert (dealt(values, seed) == TILES[:, row, :24]).mean() > 0.99
        np.testing.assert_allclose(
            [values.mean(), values.std()], [unit["mean"], unit["sd"]], rtol=1e-3
        )


def test_the_questions_are_those_of_the_session():
    assert tuple(LEVELS) == session.LEVELS["matching"]
    assert {*QUERIES} == {level for levels in session.LEVELS.values() for level in levels}
    assert set(stimuli.MODES) == set(session.LEVELS)
