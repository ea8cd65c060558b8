"""Damaged and missing files, and requests that are not the one begun."""

import json
import shutil

import pytest

from actmax_lib import atlas
from tests.atlas import nets
from tests.atlas.conftest import assert_same, call, stamps

pytestmark = pytest.mark.usefixtures("one_thread")


def flip(file):
    """Change one byte in the middle."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


def cut(file):
    file.write_bytes(file.read_bytes()[:-40])


def empty(file):
    file.write_bytes(b"")


@pytest.mark.parametrize("damage", [flip, cut, empty])
def test_a_damaged_part_is_named_and_rendered_again(copy, whole, capsys, damage):
    before = stamps(copy)
    damage(copy / "parts" / "part-0002.npz")
    assert call(copy) == 0
    assert "part-0002.npz: is damaged" in capsys.readouterr().err
    assert_same(copy, whole)
    after = stamps(copy)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"parts/part-0002.npz", "manifest.json"}


def test_a_part_of_another_atlas_does_not_slip_in(copy, whole, tmp_path, capsys):
    assert call(tmp_path / "other", seed=1) == 0
    shutil.copy(tmp_path / "other" / "parts" / "part-0001.npz", copy / "parts")
    assert call(copy) == 0
    assert "part-0001.npz: belongs to another atlas" in capsys.readouterr().err
    shutil.copy(copy / "parts" / "part-0000.npz", copy / "parts" / "part-0001.npz")
    assert call(copy) == 0
    assert_same(copy, whole)


def test_a_damaged_sheet_is_named_and_composed_again(copy, whole, capsys):
    before = stamps(copy)
    flip(copy / "sheet-000.webp")
    with pytest.raises(atlas.AtlasFileError, match=r"sheet-000.webp: is not the file of manifest"):
        atlas.load(copy).picture(0)
    assert call(copy) == 0
    assert "sheet-000.webp is damaged" in capsys.readouterr().err
    assert_same(copy, whole)
    assert all(before[n] == at for n, at in stamps(copy).items() if n.startswith("parts"))


def test_missing_files_are_made_again(copy, whole):
    (copy / "sheet-000.webp").unlink()
    (copy / "parts" / "part-0003.npz").unlink()
    with pytest.raises(atlas.AtlasFileError, match=r"sheet-000.webp: is missing"):
        atlas.load(copy).picture(0)
    with pytest.raises(atlas.AtlasFileError, match=r"part-0003.npz: is missing"):
        atlas.load(copy).picture(6, lossless=True)
    atlas.load(copy).picture(0, lossless=True)
    assert call(copy) == 0
    assert_same(copy, whole)


@pytest.mark.parametrize("text", ["{", "[]", '{"format": "other"}'])
def test_a_damaged_manifest_is_named_and_written_again(copy, capsys, text):
    good = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(text)
    with pytest.raises(atlas.AtlasFileError, match=r"manifest.json: (cannot be read|is no atlas)"):
        atlas.load(copy)
    assert call(copy) == 0
    assert "manifest.json is damaged" in capsys.readouterr().err
    assert json.loads((copy / "manifest.json").read_text()) == good


def test_a_damaged_plan_ends_it(copy, capsys):
    before = stamps(copy)
    (copy / "plan.json").write_text('{"format": 1}')
    assert call(copy) == 1
    assert "plan.json: cannot be read" in capsys.readouterr().err
    del before["plan.json"]
    assert before.items() <= stamps(copy).items()


def test_where_there_is_no_atlas_the_error_says_what_there_is(tmp_path, copy):
    with pytest.raises(atlas.AtlasFileError, match="no atlas is here"):
        atlas.load(tmp_path)
    (copy / "manifest.json").unlink()
    with pytest.raises(atlas.AtlasFileError, match="was begun, call the same again"):
        atlas.load(copy)


CHANGES = {
    "steps": 7, "seed": 3, "size": "10x12", "transform": "none", "image": "pixels",
    "objective": "log_prob", "autocast": "bf16", "classes": "0-3", "judge": "none",
}  # fmt: skip


@pytest.mark.parametrize("field", CHANGES)
def test_another_request_is_refused_and_the_field_named(copy, capsys, field):
    before = stamps(copy)
    assert call(copy, **{field: CHANGES[field]}) == 1
    said = capsys.readouterr().err
    assert f"{field}: " in said
    others = CHANGES.keys() - {field}
    assert not any(f"{other}: " in said for other in others)
    assert stamps(copy) == before


def test_other_weights_and_another_batch_are_refused(copy, capsys, monkeypatch):
    assert call(copy, batch=3) == 1
    assert "batch 2, and 3 is asked for" in capsys.readouterr().err
    assert call(copy, batch="auto") == 0
    other = nets.cnn(stride=1)
    other.classes = nets.NAMES
    monkeypatch.setattr(nets, "tiny", lambda: other)
    assert call(copy, judge="tests.atlas.nets:other_judge") == 1
    said = capsys.readouterr().err
    assert "network_weights: " in said
    assert "judge_weights: " in said
