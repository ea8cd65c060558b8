"""State of the figure "study": the sheets of the manifest, and the paper's bars."""

import json
from dataclasses import replace

import pytest

from actmax_lib._study import study
from actmax_lib.study.session import load_design
from tests.browser.figures.study.sheets import manifest

DESIGN = load_design()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    here = tmp_path_factory.mktemp("study")
    manifest(here)
    return here


@pytest.fixture
def own(tmp_path):
    return manifest(tmp_path)


def test_a_built_page_has_addresses_and_a_kernel_the_pictures(folder, monkeypatch):
    monkeypatch.setenv("ACTMAX_STATIC", "1")
    static = study(folder / "study.json", "../../_static/")
    monkeypatch.delenv("ACTMAX_STATIC")
    live = study(folder / "study.json", "../../_static/")
    batches, synthetic = static["sheets"]["batches"], static["sheets"]["imagenet"]
    assert [one["src"] for one in batches] == [
        f"../../_static/study-batch-{k:02d}.webp" for k in range(20)
    ]
    assert (batches[0]["columns"], batches[0]["rows"]) == (26, 30)
    assert synthetic["src"].endswith("_static/study-synthetic-imagenet.webp")
    assert len({one["src"] for one in live["sheets"]["batches"]}) == 20
    assert live["sheets"]["cifar"]["src"].startswith("data:image/webp;base64,")
    assert static["human"] == live["human"]
    assert json.loads(json.dumps(static["design"]))["units"][7] == vars(DESIGN.units[7])


def test_the_paper_s_bars(folder):
    human = study(folder / "study.json", "x")["human"]
    for kind, mean, two_se in (("natural", 0.922, 0.018), ("synthetic", 0.820, 0.043)):
        bar = human[kind]
        assert bar["value"] == pytest.approx(mean, abs=1e-3)
        assert bar["high"] - bar["value"] == pytest.approx(two_se, abs=1e-3)
        assert bar["value"] - bar["low"] == pytest.approx(two_se, abs=1e-3)
    none = human["none"]
    assert (none["low"], none["high"]) == pytest.approx((0.415 - 0.065, 0.447 + 0.081))
    assert none["value"] == pytest.approx(0.431)
    assert human["confidence"]["synthetic"] == [0.72, 0.81, 0.95]
    squares = {"synthetic": {"value": 0.68, "two": 0.04}, "none": {"value": 0.6, "two": 0.03}}
    assert human["squares"] == squares


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda f: (f / "study" / "study-batch-03.webp").unlink(), "study-batch-03.webp cannot be"),
        (
            lambda f: (f / "study" / "study-synthetic-cifar.webp").write_bytes(b"x"),
            "is not the file",
        ),
        (lambda f: _lists(f, lambda files: files[:-1]), "lists no file study-synthetic-imagenet"),
    ],
)
def test_a_sheet_that_is_missing_or_another_is_refused(own, damage, words):
    damage(own.parent)
    with pytest.raises(ValueError, match=words):
        study(own, "x")


def _lists(folder, change):
    told = json.loads((folder / "study.json").read_text())
    told["files"] = change(told["files"])
    (folder / "study.json").write_text(json.dumps(told))


def test_a_manifest_of_another_design_is_refused(folder):
    with pytest.raises(ValueError, match=f"has the stimuli {DESIGN.stimuli}, the design deadbeef"):
        study(folder / "study.json", "x", replace(DESIGN, stimuli="deadbeef"))
