"""What an atlas holds is what the library draws, and what the networks say of exactly that."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from actmax_lib import atlas, fourier, logit, maximize, robust
from actmax_lib.atlas.__main__ import main, parser
from tests.atlas import nets
from tests.atlas.conftest import CHUNKS, SIZE, STEPS, arguments, arrays, call

pytestmark = pytest.mark.usefixtures("one_thread")


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def test_pictures_are_those_of_maximize_chunk_by_chunk(whole):
    made = atlas.load(whole)
    net = nets.tiny()
    for first, stop in CHUNKS:
        run = maximize(
            logit(net, list(range(first, stop))), fourier(3, SIZE), transform=robust(),
            steps=STEPS, seed=0,
        )  # fmt: skip
        for k in range(first, stop):
            expected = (run.images[k - first] * 255).round() / 255
            assert torch.equal(made.picture(k, lossless=True), expected)


def test_numbers_are_of_the_kept_pictures(whole):
    made, net, judge = atlas.load(whole), nets.tiny().eval(), nets.judge()
    assert [e["index"] for e in made.entries] == list(range(7))
    assert [e["name"] for e in made.entries] == list(nets.NAMES)
    for k, entry in enumerate(made.entries):
        x = made.picture(k, lossless=True)[None]
        with torch.no_grad():
            scores, judged = net(x)[0], judge(x)[0].softmax(0)
        p = scores.softmax(0)
        assert entry["value"] == pytest.approx(float(scores[k]), rel=1e-4)
        assert entry["p"] == pytest.approx(float(p[k]), rel=1e-4)
        best = int(p.argmax())
        assert entry["own"] == [best, nets.NAMES[best], pytest.approx(float(p[best]), rel=1e-4)]
        order = sorted(range(7), key=lambda j: -float(judged[j]))
        assert [j for j, _, _ in entry["judge"]] == order[:5]
        assert [q for _, _, q in entry["judge"]] == pytest.approx(
            [float(judged[j]) for j in order[:5]], rel=1e-4
        )
        assert entry["judge_p"] == pytest.approx(float(judged[k]), rel=1e-4)
        assert entry["judge_rank"] == 1 + order.index(k)


def test_every_tile_is_where_the_manifest_says(whole):
    told, made = manifest(whole), atlas.load(whole)
    tile = told["tile"]
    assert (tile["height"], tile["width"]) == SIZE
    lossless = torch.stack([made.picture(k, lossless=True) for k in range(7)])
    for k, entry in enumerate(told["classes"]):
        sheet = Image.open(whole / told["sheets"][entry["sheet"]]["file"])
        left, top = entry["column"] * tile["width"], entry["row"] * tile["height"]
        cut = sheet.crop((left, top, left + tile["width"], top + tile["height"]))
        x = torch.from_numpy(np.asarray(cut) / 255).permute(2, 0, 1).float()
        assert torch.equal(made.picture(k), x)
        off = (lossless - x).square().flatten(1).mean(1)
        assert int(off.argmin()) == k
        assert float(off[k]) < 0.02


def test_the_manifest_says_how_it_was_made(whole):
    told, plan = manifest(whole), json.loads((whole / "plan.json").read_text())
    assert (told["format"], told["version"]) == ("actmax-atlas", 1)
    assert told["command"].startswith("python -m actmax_lib.atlas --network tests.atlas.nets:tiny")
    assert str(whole.parent) not in told["command"]
    assert plan["chunks"] == CHUNKS
    assert told["recipe"]["seed"] == 0
    assert told["recipe"]["size"] == list(SIZE)
    assert [p["classes"] for p in told["parts"]] == [list(range(a, b)) for a, b in CHUNKS]
    assert [p["batches"] for p in told["parts"]] == [[b - a] for a, b in CHUNKS]
    (machine,) = told["machines"]
    assert machine["versions"]["torch"] == torch.__version__
    assert machine["threads"] == 1
    assert machine["device"].startswith("cpu")
    for part in told["parts"]:
        assert machine.items() <= part.items()
    assert told["seconds"] == pytest.approx(sum(p["seconds"] for p in told["parts"]), abs=0.06)


def test_a_second_call_writes_no_part_and_no_sheet_again(copy):
    before = {p: p.stat().st_mtime_ns for p in copy.rglob("*") if p.suffix in (".npz", ".webp")}
    assert call(copy) == 0
    assert len(before) == 5
    assert before == {p: p.stat().st_mtime_ns for p in before}


def test_half_a_picture_more_or_less_makes_several_sheets(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "actmax_lib.atlas.sheets.SIDE", 24
    )  # two tiles of 12 x 10 in each direction
    assert call(tmp_path / "a") == 0
    made = atlas.load(tmp_path / "a")
    assert [s["tiles"] for s in made.manifest["sheets"]] == [4, 3]
    where = [(e["sheet"], e["row"], e["column"]) for e in made.entries]
    assert where == [(s, r, c) for s in (0, 1) for r in (0, 1) for c in (0, 1)][:7]
    for k in range(7):
        off = [(made.picture(k) - made.picture(j, lossless=True)).square().mean() for j in range(7)]
        assert int(torch.stack(off).argmin()) == k


def test_grey_pictures_some_classes_and_no_judge(tmp_path):
    out = tmp_path / "grey"
    asked = {"judge": "none", "classes": "5,0-1", "objective": "log_prob", "transform": "none",
             "image": "pixels"}  # fmt: skip
    assert call(out, "grey_net", **asked) == 0
    made = atlas.load(out)
    assert [(e["index"], e["name"]) for e in made.entries] == [(5, "5"), (0, "0"), (1, "1")]
    assert "judge" not in made.entries[0]
    assert made.picture(5, lossless=True).shape == (1, *SIZE)
    x = made.picture(0, lossless=True)[None]
    with torch.no_grad():
        log_p = nets.grey_net()(x).log_softmax(1)[0, 0]
    assert made.entries[1]["value"] == pytest.approx(float(log_p), rel=1e-4)
    sheet = made.picture(0)
    assert sheet.shape == (3, *SIZE)
    assert (sheet[0] - made.picture(0, lossless=True)[0]).abs().mean() < 0.05


def test_a_judge_with_other_names_has_no_rank(tmp_path):
    assert call(tmp_path / "a", judge="tests.atlas.nets:other_judge", classes="0") == 0
    (entry,) = atlas.load(tmp_path / "a").entries
    assert len(entry["judge"]) == 5
    assert {name for _, name, _ in entry["judge"]} <= {"ant", "bat", "cat", "dog", "elk", "fly"}
    assert "judge_rank" not in entry


def test_progress_tells_and_quiet_does_not(tmp_path, capsys):
    assert call(tmp_path / "a") == 0
    out, err = capsys.readouterr()
    assert out == ""
    for text in ("2 of 7 classes", "7 of 7 classes", "left", "manifest.json"):
        assert text in err
    assert main([*arguments(tmp_path / "b"), "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_the_defaults_of_the_command_are_those_of_the_function():
    import inspect

    options = vars(parser().parse_args(["--network", "n", "--out", "o"]))
    defaults = inspect.signature(atlas.build).parameters
    for name in options.keys() - {"network", "out"}:
        assert options[name] == defaults[name].default, name
    assert set(defaults) == options.keys() | {"command"}


def test_the_function_returns_the_atlas(tmp_path, whole):
    made = atlas.build(
        tmp_path / "a", network="tests.atlas.nets:tiny", judge="tests.atlas.nets:judge",
        size="12x10", steps=STEPS, batch=2, device="cpu", quiet=True,
    )  # fmt: skip
    assert arrays(tmp_path / "a").keys() == arrays(whole).keys()
    assert len(made) == 7
    assert torch.equal(made.picture("bee", lossless=True), made.picture(1, lossless=True))
