"""What goes wrong on the way: disk, memory, NaN, an interruption, another process."""

import errno

import numpy as np
import pytest
import torch

from actmax_lib import atlas
from actmax_lib.atlas import files
from actmax_lib.atlas.build import Build
from actmax_lib.atlas.distribute import ElsewhereError
from actmax_lib.atlas.progress import Progress
from actmax_lib.atlas.request import job
from tests.atlas.conftest import arrays, assert_same, call, stamps

pytestmark = pytest.mark.usefixtures("one_thread")


class FullDisk:
    """Let ``room`` files be flushed, then say that the disk is full."""

    def __init__(self, room, number=errno.ENOSPC):
        self.room, self.number, self.flush = room, number, files._flush

    def __call__(self, descriptor):
        self.room -= 1
        if self.room < 0:
            raise OSError(self.number, "No space left on device")
        self.flush(descriptor)


# each file is flushed, and then its folder: 2 for the plan, 2 a part, 2 for the sheet
@pytest.mark.parametrize(("room", "left"), [(0, 0), (2, 0), (6, 2), (10, 4), (12, 4)])
def test_a_full_disk_loses_nothing_and_says_what_is_needed(
    tmp_path, whole, capsys, monkeypatch, room, left
):
    out = tmp_path / "a"
    with monkeypatch.context() as patch:
        patch.setattr(files, "_flush", FullDisk(room))
        assert call(out) == 1
    said = capsys.readouterr().err
    assert "no space left" in said
    assert "are needed to finish" in said
    kept = {name: at for name, at in stamps(out).items() if not name.startswith("sheet")}
    assert len([name for name in kept if name.endswith(".npz")]) == left
    assert not [name for name in kept if name.endswith(".tmp")]
    assert "manifest.json" not in kept
    assert call(out) == 0
    assert_same(out, whole)
    again = stamps(out)
    assert {n: again[n] for n in kept} == kept


def test_another_fault_of_the_disk_is_no_full_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_flush", FullDisk(2, errno.EIO))
    with pytest.raises(OSError, match="No space") as caught:
        call(tmp_path / "a")
    assert caught.value.errno == errno.EIO
    assert not list((tmp_path / "a").rglob("*.tmp"))


def test_the_room_needed_is_told_to_within_a_factor(tmp_path, capsys, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(files, "_flush", FullDisk(2))
        assert call(tmp_path / "a", size="64x64", steps=2) == 1
    words = capsys.readouterr().err.split("About ")[1].split()
    told = float(words[0]) * {"kB": 1e3, "MB": 1e6}[words[1]]
    assert call(tmp_path / "a", size="64x64", steps=2) == 0
    used = sum(f.stat().st_size for f in (tmp_path / "a").rglob("*") if f.is_file())
    assert used / 2 < told < 2.5 * used


def test_out_of_memory_halves_the_batch_and_says_so(tmp_path, capsys):
    out = tmp_path / "a"
    assert call(out, "hungry", batch=7) == 0
    said = capsys.readouterr().err
    assert "out of memory with 7 pictures at once; going on with 4" in said
    assert "out of memory with 4 pictures at once; going on with 2" in said
    (part,) = atlas.load(out).manifest["parts"]
    assert part["batches"] == [2, 2, 2, 1]
    assert len(part["notes"]) == 2
    # the batches are those of the atlas in twos, so are the pictures
    assert call(tmp_path / "b", "hungry", batch=2) == 0
    both = [arrays(folder).values() for folder in (out, tmp_path / "b")]
    one, two = (np.concatenate([a for a in each if a.ndim == 4]) for each in both)
    np.testing.assert_array_equal(one, two)


def test_a_lowered_batch_stays_for_the_chunks_to_come(tmp_path, capsys):
    assert call(tmp_path / "a", "hungry", batch=4) == 0
    assert capsys.readouterr().err.count("out of memory") == 1
    batches = [part["batches"] for part in atlas.load(tmp_path / "a").manifest["parts"]]
    assert batches == [[2, 2], [2, 1]]


def test_no_memory_for_one_picture_is_an_error(tmp_path, capsys):
    assert call(tmp_path / "a", "starving", batch=4) == 1
    said = capsys.readouterr().err
    assert "going on with 1" in said
    assert "no memory for a single picture" in said


def test_nan_in_half_precision_is_rendered_in_float32_and_recorded(tmp_path, capsys):
    out = tmp_path / "a"
    assert call(out, "half_blind", autocast="bf16") == 0
    assert "classes 0 to 1: NaN under bf16" in capsys.readouterr().err
    parts = atlas.load(out).manifest["parts"]
    assert [part["autocast"] for part in parts] == [["none"], ["bf16"], ["bf16"], ["bf16"]]
    assert [len(part["notes"]) for part in parts] == [1, 0, 0, 0]
    assert call(tmp_path / "b", "half_blind") == 0
    ours, float32 = arrays(out), arrays(tmp_path / "b")
    same = {n: np.array_equal(ours[n], float32[n]) for n in ours if n.endswith("pictures")}
    assert list(same.values()) == [True, False, False, False]


def test_nan_in_float32_ends_it_and_names_the_classes(tmp_path, capsys):
    assert call(tmp_path / "a", "blind", classes="1,2,0") == 1
    assert "classes 0: the value of logit" in capsys.readouterr().err
    assert len(list((tmp_path / "a").rglob("*.npz"))) == 1
    assert call(tmp_path / "b", "blind") == 1
    assert "class 0: the value of logit" in capsys.readouterr().err


def test_an_interrupted_climb_is_no_part(tmp_path, monkeypatch, capsys, whole):
    from actmax_lib.atlas import render

    out, before = tmp_path / "a", render.Renderer.climb
    calls = []

    def climb(self, classes, steps, autocast):
        calls.append(steps)
        if len(calls) == 5:  # two for the measure, then two chunks

            def tick(share):
                if share > 0.4:
                    raise KeyboardInterrupt

            self.tick = tick
        return before(self, classes, steps, autocast)

    monkeypatch.setattr(render.Renderer, "climb", climb)
    assert call(out) == 130
    assert "interrupted; what is finished is kept" in capsys.readouterr().err
    assert sorted(p.name for p in (out / "parts").iterdir()) == ["part-0000.npz", "part-0001.npz"]
    assert call(out) == 0
    assert_same(out, whole)


def test_two_calls_do_not_work_in_one_folder(tmp_path, capsys):
    with files.alone(tmp_path / "a"):
        assert call(tmp_path / "a") == 1
    assert "another process makes this atlas" in capsys.readouterr().err
    assert call(tmp_path / "a") == 0


def test_what_a_killed_process_left_half_written_is_swept_away(copy):
    (copy / "parts" / ".part-0001.npz.99.tmp").write_bytes(b"half")
    assert call(copy) == 0
    assert not list(copy.rglob("*.tmp"))


class Two:
    """Two processes, of which this is one; the other says ``told`` at the meeting."""

    world, neighbours, device = 2, 1, torch.device("cpu")

    def __init__(self, rank, told=None):
        self.rank, self.told, self.heard = rank, told, []

    def meet(self, problem):
        self.heard.append(problem)
        return [text for text in (problem, self.told) if text]


def begun(folder, team):
    """The first process's view of a new atlas in four chunks."""
    asked = job(
        team.device, network="tests.atlas.nets:tiny", classes="all", size="12x10", judge="none",
        steps=2, seed=0, image="fourier", transform="none", objective="logit", autocast="none",
    )  # fmt: skip
    made = Build(folder, asked, team, Progress("atlas", quiet=True, speaks=False))
    return made, *made.prepare(2, "none")


def test_a_process_in_trouble_still_meets_the_others(tmp_path, monkeypatch, capsys):
    team = Two(rank=0)
    made, plan, todo = begun(tmp_path, team)
    draw = made.renderer.chunk

    def chunk(members, digest):
        if 4 in members:
            raise RuntimeError("no luck")
        return draw(members, digest)

    monkeypatch.setattr(made.renderer, "chunk", chunk)
    with pytest.raises(ElsewhereError) as caught:
        made.render(plan, todo)
    assert str(caught.value) == ""
    assert team.heard == ["process 0: no luck"]
    assert "no luck" in capsys.readouterr().err
    assert [p.name for p in (tmp_path / "parts").iterdir()] == ["part-0000.npz"]


def test_a_process_without_trouble_finishes_its_share_and_hears_of_it(tmp_path):
    team = Two(rank=1, told="process 0: no luck")
    made, plan, todo = begun(tmp_path, team)
    with pytest.raises(ElsewhereError, match="process 0: no luck"):
        made.render(plan, todo)
    assert team.heard == [None]
    found = sorted(p.name for p in (tmp_path / "parts").iterdir())
    assert found == ["part-0001.npz", "part-0003.npz"]
