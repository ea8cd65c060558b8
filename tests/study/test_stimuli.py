"""Which photographs the study takes, and how its sheets are read."""

import hashlib
import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from actmax_lib.data import DataFileError
from actmax_lib.study import stimuli
from actmax_lib.study.stimuli import Stimuli, as_seen, binned, dealt, draw_units, pairs

N = 3000
seeds = st.integers(0, 2**32)


def shuffled(seed, n=N):
    """The numbers 0 ... n - 1 in some order: a value is its own rank."""
    return np.random.default_rng(seed).permutation(n).astype(float)


@given(seeds, seeds)
def test_a_batch_has_one_photograph_of_every_bin(seed, order):
    values = shuffled(order)
    low, high = binned(values, seed)
    assert low.shape == high.shape == (20, 10)
    for k in range(10):  # ranks are sets of consecutive numbers, from the outside in
        assert sorted(values[low[:, k]]) == list(range(20 * k, 20 * k + 20))
        assert sorted(N - 1 - values[high[:, k]]) == list(range(20 * k, 20 * k + 20))
    assert len({*low.ravel(), *high.ravel()}) == 400


def test_the_deal_is_by_seed_and_each_bin_and_side_by_itself():
    values = np.arange(float(N))
    one, same, other = binned(values, 3), binned(values, 3), binned(values, 4)
    np.testing.assert_array_equal(one, same)
    assert (one[0] != other[0]).mean() > 0.8
    within = np.concatenate([one[0] - 20 * np.arange(10), N - 1 - one[1] - 20 * np.arange(10)], 1)
    columns = {tuple(column) for column in within.T}
    assert len(columns) == 20  # one permutation for all would deal a batch all its extremes
    assert all(sorted(column) == list(range(20)) for column in columns)


def test_query_pairs_are_dealt_by_seed_and_each_end_by_itself():
    one, same, other = (dealt(np.arange(float(N)), [seed, 1])[:, 20:] for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, same)
    assert ((one != other).mean(0) > 0.7).all()
    columns = {tuple(column) for column in (one - one.min(0)).T}
    assert len(columns) == 4  # a batch must not have the easy ends of all windows
    assert all(sorted(column) == list(range(20)) for column in columns)


@given(seeds, st.sampled_from([60, 70, 90, 97.5]))
def test_pairs_lie_about_their_percentiles(seed, q):
    values = shuffled(seed)
    taken = values[pairs(values, q, seed)]
    assert taken.shape == (20, 2)
    for column, percent in zip(taken.T, (100 - q, q), strict=True):
        middle = np.percentile(values, percent)
        assert np.abs(column - middle).max() <= 11
        assert np.ptp(column) == 19
        assert len(set(column)) == 20
    assert (taken[:, 0] < taken[:, 1]).all()


@given(seeds)
def test_no_photograph_comes_twice_and_columns_are_in_order(seed):
    values = shuffled(seed)
    whole = dealt(values, [seed, 1])
    assert whole.shape == (20, 24)
    assert len(set(whole.ravel())) == whole.size
    rank = values[whole]
    assert rank[:, 18].max() < 20 <= rank[:, :9].min()
    assert rank[:, :9].max() < 200 < rank[:, 20].min()
    assert rank[:, 9:18].max() < N - 20 <= rank[:, 19].min()
    assert rank[:, 9:18].min() >= N - 200
    wrong, right = rank[:, [18, 20, 22]], rank[:, [19, 21, 23]]
    assert (wrong < right).all()
    gaps = (right - wrong).mean(0)
    assert gaps[0] > gaps[1] > gaps[2]  # the levels grow harder


def test_few_values_and_no_numbers_are_refused():
    with pytest.raises(ValueError, match="N >= 400"):
        binned(np.arange(399.0), 0)
    assert binned(np.arange(400.0), 0)[1].min() == 200
    with pytest.raises(ValueError, match="NaN"):
        binned(np.full(500, np.nan), 0)
    with pytest.raises(ValueError, match="too few"):
        dealt(np.arange(1999.0), [0])
    with pytest.raises(ValueError, match="no two windows"):
        pairs(np.arange(100.0), 95, 0)
    with pytest.raises(ValueError, match="no two windows"):
        pairs(np.arange(1000.0), 50.5, 0)
    for q in (50, 100, float("nan")):
        with pytest.raises(ValueError, match="percentile"):
            pairs(np.arange(1000.0), q, 0)


@given(st.lists(st.integers(4, 300), min_size=1, max_size=8), seeds)
def test_units_are_drawn_without_repeating(channels, seed):
    drawn = draw_units(channels, 4, seed)
    assert drawn == draw_units(channels, 4, seed)
    for lot, count in zip(drawn, channels, strict=True):
        assert len(set(lot)) == 4
        assert lot == sorted(lot)
        assert 0 <= lot[0] <= lot[-1] < count


def test_every_channel_is_drawn_as_often():
    counts = np.zeros(10)
    for seed in range(2000):
        counts[draw_units([10], 4, seed)[0]] += 1
    assert np.abs(counts / 2000 - 0.4).max() < 4 * np.sqrt(0.4 * 0.6 / 2000)
    with pytest.raises(ValueError, match="3 channels, 4 cannot"):
        draw_units([8, 3], 4, 0)


def test_a_picture_is_seen_at_the_side_of_its_network():
    x = torch.linspace(0, 1, 32).expand(1, 3, 32, 32)
    assert as_seen(x, "cifar") is x
    large = as_seen(x, "imagenet")
    assert large.shape[-2:] == (128, 128)
    middle = (torch.arange(128) + 0.5) / 4 - 0.5  # a ramp stays the ramp, but at its ends
    np.testing.assert_allclose(large[0, 0, 0, 4:-4], middle[4:-4] / 31, atol=1e-6)
    stripes = torch.zeros(1, 3, 96, 96)
    stripes[..., ::2] = 1  # finer than 32 pixels can show: without antialiasing they would alias
    assert as_seen(stripes, "cifar").sub(0.5).abs().max() < 0.1
    with pytest.raises(ValueError, match="'cifar', 'imagenet'"):
        as_seen(x, "mnist")


def colour(file, row, column):
    """A colour that names its place."""
    return (file, 8 * row, 8 * column)


@pytest.fixture
def folder(tmp_path):
    """Sheets of one-coloured tiles, lossless: two CIFAR-10 units and two of ImageNet, in turn."""
    units = [{"network": n} for n in ("cifar", "imagenet", "cifar", "imagenet")]
    sheets = [(f"study-batch-{b:02d}.webp", 4, 26, 32) for b in (0, 1)]
    sheets += [
        ("study-synthetic-cifar.webp", 2, 18, 32),
        ("study-synthetic-imagenet.webp", 2, 18, 96),
    ]
    (tmp_path / "study").mkdir()
    files = []
    for number, (name, rows, columns, side) in enumerate(sheets):
        small = [[colour(number, r, c) for c in range(columns)] for r in range(rows)]
        pixels = np.array(small, np.uint8).repeat(side, 0).repeat(side, 1)
        Image.fromarray(pixels).save(tmp_path / "study" / name, lossless=True)
        content = (tmp_path / "study" / name).read_bytes()
        files.append({"file": name, "sha256": hashlib.sha256(content).hexdigest(),
                      "tile": side, "columns": columns, "rows": rows})  # fmt: skip
    (tmp_path / "study.json").write_text(json.dumps({"units": units, "files": files}))
    return tmp_path / "study"


def places(tiles):
    """(file, row, column) of one-coloured tiles."""
    assert torch.equal(tiles.amin((2, 3)), tiles.amax((2, 3)))
    return [
        (round(f), round(r / 8), round(c / 8)) for f, r, c in (tiles[:, :, 0, 0] * 255).tolist()
    ]


def test_every_question_is_read_from_its_place(folder):
    made = Stimuli.load(folder)
    assert places(made.queries(3, 1, "extreme")) == [(1, 3, 18), (1, 3, 19)]
    assert places(made.queries(0, 1, "p90")) == [(1, 0, 20), (1, 0, 21)]
    assert places(made.queries(0, 0, "p70")) == [(0, 0, 22), (0, 0, 23)]
    assert places(made.queries(2, 0, "occlusion")) == [(0, 2, 25), (0, 2, 24)]
    for condition, file, row in (("natural", 1, 2), ("synthetic", 2, 1)):
        low, high = made.references(2, 1, condition)
        assert places(low) == [(file, row, c) for c in range(9)]
        assert places(high) == [(file, row, c) for c in range(9, 18)]
        assert low.shape[-2:] == (32, 32)
    low, high = made.references(1, 0, "synthetic")
    assert places(high)[0] == (3, 0, 9)
    assert low.shape == (9, 3, 96, 96)
    assert places(made.references(3, 0, "synthetic")[0])[8] == (3, 1, 8)


def test_what_is_not_there_is_refused(folder):
    made = Stimuli.load(folder)
    for unit, batch, name in ((4, 0, "unit"), (-1, 0, "unit"), (0, 20, "batch"), (0, -1, "batch")):
        with pytest.raises(ValueError, match=f"{name} must be 0 to"):
            made.queries(unit, batch, "extreme")
        if name == "unit":
            with pytest.raises(ValueError, match="unit must be 0 to 3"):
                made.references(unit, batch, "synthetic")
    with pytest.raises(ValueError, match="'p99'"):
        made.queries(0, 0, "p99")
    with pytest.raises(ValueError, match="'none'"):
        made.references(0, 0, "none")
    with pytest.raises(ValueError, match="not in the manifest"):
        made.queries(0, 2, "extreme")
    with pytest.raises(FileNotFoundError):
        Stimuli.load(folder.parent / "nothing")


def test_a_sheet_that_is_another_is_not_read(folder):
    name = "study-batch-01.webp"
    (folder / name).write_bytes((folder / "study-batch-00.webp").read_bytes())
    made = Stimuli.load(folder)
    made.queries(0, 0, "extreme")
    with pytest.raises(DataFileError, match=name) as told:
        made.queries(0, 1, "extreme")
    assert told.value.file == folder / name


def test_every_column_of_a_sheet_has_one_use():
    used = [*range(18), *(column for pair in stimuli.QUERIES.values() for column in pair)]
    assert sorted(used) == list(range(stimuli.COLUMNS))
