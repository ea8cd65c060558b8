"""The committed pictures of the playground and the strip are what their manifests say they are."""

import hashlib
import json

import numpy as np
import pytest
import torch
from PIL import Image

from actmax_lib import zoo
from actmax_lib.metrics import high_frequency_share
from scripts import render_playground as playground
from scripts import render_strip as strip
from scripts import results

pytestmark = pytest.mark.usefixtures("one_thread")
MADE = json.loads((results.RESULTS / "playground.json").read_text(encoding="utf-8"))
STRIP = json.loads((results.RESULTS / "strip.json").read_text(encoding="utf-8"))
SHAPE = (-1, len(MADE["steps"]), len(MADE["seeds"]), len(MADE["classes"]))


def tiles(made=MADE, mode="L"):
    """All tiles of a sheet, uint8 (n, size, size) or (n, size, size, 3)."""
    sheet = np.asarray(Image.open(results.RESULTS / made["sheet"]).convert(mode))
    size, columns = made["size"], made["columns"]
    grid = sheet.reshape(-1, size, columns, size, *sheet.shape[2:]).swapaxes(1, 2)
    return grid.reshape(-1, *grid.shape[2:])[: len(made["logit"])]


def levels():
    """(family, strength) of each row of the grid, in the order of the tiles."""
    return [(f["key"], s) for f in MADE["families"] for s in f["strengths"] or [None]]


def as_images(pixels):
    return torch.from_numpy(pixels / 255)[:, None]


def assert_consistent(pixels, made):
    """Numbers stated are those of the pictures shown, but for rounding to 256 greys."""
    net = zoo.load(playground.NET, device="cpu").double()
    x = as_images(pixels)
    k = [net.classes.index(name) for name in made["classes"]] * (len(x) // len(made["classes"]))
    logits = net(x)[torch.arange(len(x)), k]
    assert np.abs(logits.numpy() - made["logit"]).max() < 0.25
    varied = x.flatten(1).std(1) > 0.02  # of a nearly flat picture rounding is most of what varies
    share = high_frequency_share(x).numpy()
    assert np.abs(share - made["high"])[varied].max() < 0.02
    assert varied.double().mean() > 0.8


def test_every_hash_and_the_size_of_it_all():
    for made in (MADE, STRIP):
        assert results.sha256(results.RESULTS / made["sheet"]) == made["sha256"]
    known = zoo.trained.manifest()
    assert MADE["weights"] == {name: known[name]["sha256"] for name in MADE["weights"]}
    assert set(MADE["weights"]) == {playground.NET, playground.DECODER}
    weigh = sum(
        f.stat().st_size for f in results.RESULTS.glob("*") if f.stem in ("playground", "strip")
    )
    assert weigh <= 1.5e6


def test_the_grid_is_that_of_the_script():
    assert [f["key"] for f in MADE["families"]] == [f.key for f in playground.FAMILIES]
    assert levels() == [(f.key, s) for f in playground.FAMILIES for s in f.each()]
    for name, value in (("classes", playground.CLASSES), ("seeds", playground.SEEDS),
                        ("steps", playground.STEPS)):  # fmt: skip
        assert MADE[name] == list(value)
    count = len(levels()) * int(np.prod(SHAPE[1:]))
    assert len(MADE["logit"]) == len(MADE["high"]) == len(tiles()) == count
    assert {"command", "seconds", "machine"} <= set(MADE)


def test_the_numbers_belong_to_the_pictures():
    assert_consistent(tiles(), MADE)
    with pytest.raises(AssertionError):  # planted: one tile off
        assert_consistent(np.roll(tiles(), 1, 0), MADE)
    other = np.reshape(MADE["logit"], SHAPE)[:, :, ::-1].ravel()
    with pytest.raises(AssertionError):  # planted: numbers of another seed
        assert_consistent(tiles(), MADE | {"logit": other})


@pytest.mark.parametrize(("key", "strength"), [("tv", 0.06), ("learned", 0.5)])
def test_two_tiles_are_rendered_anew(key, strength):
    """After 16 steps, seed 1, "bag".

    A climb is chaotic in rounding: Adam divides by the size of a gradient, so where that is tiny
    another order of summation may turn a step of a pixel around, and every later step builds on it.
    After few steps that is at most a few such steps on a few pixels: a mean of a grey level of 256
    and a tenth of a logit leave room for another processor, and none for another setting.
    """
    family = next(f for f in playground.FAMILIES if f.key == key)
    level = levels().index((key, strength))
    at = np.ravel_multi_index((level, 0, 1, 2), (len(levels()), *SHAPE[1:]))

    def off(seed, steps=16):
        made = playground.render(family, strength, steps, (seed,), ("bag",))
        grey = np.abs(made["tiles"][0].astype(float) - tiles()[at]).mean()
        return grey, abs(float(made["logit"][0]) - MADE["logit"][at])

    grey, logit = off(seed=1)
    assert grey < 1
    assert logit < 0.1
    assert max(off(seed=2)) > 1 or off(seed=2)[1] > 0.1
    assert off(seed=1, steps=64)[1] > 0.1


def test_the_strip_is_that_of_its_script():
    assert STRIP["labels"] == list(strip.settings())
    assert STRIP["steps"] == list(strip.STEPS)
    assert STRIP["classes"] == list(strip.CLASSES)
    count = len(STRIP["labels"]) * len(STRIP["steps"]) * len(STRIP["classes"])
    assert {len(STRIP[name]) for name in ("logit", "judge", "high")} == {count}
    pixels = tiles(STRIP, "RGB")
    assert pixels.shape == (count, strip.SIZE, strip.SIZE, 3)
    x = torch.from_numpy(pixels / 255).permute(0, 3, 1, 2)
    share = high_frequency_share(x).numpy()  # lossy: what is compressed loses fast waves
    assert np.corrcoef(share, STRIP["high"])[0, 1] > 0.97
    assert np.corrcoef(np.roll(share, 2), STRIP["high"])[0, 1] < 0.9


def test_a_sheet_is_read_row_by_row():
    each = 10 * np.arange(5, dtype=np.uint8)[:, None] + np.arange(6, dtype=np.uint8)
    each = each.reshape(5, 2, 3)
    sheet = np.asarray(results.sheet(each, 2))
    assert sheet.shape == (6, 6)
    assert sheet[2:4].tolist() == [[20, 21, 22, 30, 31, 32], [23, 24, 25, 33, 34, 35]]
    assert sheet[4].tolist() == [40, 41, 42, 255, 255, 255]
    colours = np.asarray(results.sheet(np.stack([each, each + 1, each + 2], -1), 3))
    assert colours[2, 3].tolist() == [40, 41, 42]
    grey = results.bytes_of(torch.tensor([-1.0, 0.4, 127.6, 254.6, 300]).view(1, 1, 1, 5) / 255)
    assert grey.tolist() == [[[0, 0, 128, 255, 255]]]
    red = torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1).expand(1, 3, 1, 2)
    assert results.bytes_of(red).tolist() == [[[[255, 0, 0]] * 2]]


def test_a_manifest_has_the_hash_of_its_picture(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "RESULTS", tmp_path / "new")
    results.write("one", {"seed": 3}, b"picture")
    told = json.loads((tmp_path / "new" / "one.json").read_text())
    assert told == {
        "seed": 3,
        "sheet": "one.webp",
        "sha256": hashlib.sha256(b"picture").hexdigest(),
    }
    assert (tmp_path / "new" / "one.webp").read_bytes() == b"picture"


def test_an_interrupted_run_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "KEPT", tmp_path)
    calls = []

    def make():
        calls.append(1)
        return {"logit": np.arange(3.0)}

    first = results.kept("part", ["a", 1], make)
    again = results.kept("part", ["a", 1], make)
    assert len(calls) == 1
    np.testing.assert_array_equal(first["logit"], again["logit"])
    assert again["seconds"] >= 0
    results.kept("part", ["a", 2], make)  # another setting is another part
    assert len(calls) == 2

    def fails():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        results.kept("part", ["b", 1], fails)
    assert not list(tmp_path.glob("*.part.npz"))
    assert len(list(tmp_path.glob("*.npz"))) == 2
