"""More of tests/atlas: sheets, plans and requests that are not as they were."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from actmax_lib import atlas
from actmax_lib.atlas import files, parts, plan, progress, read, request, sheets
from actmax_lib.atlas.figure import state
from tests.atlas.conftest import call

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize(
    ("count", "columns", "rows"), [(1, 1, 1), (7, 7, 1), (10, 10, 1), (15, 10, 2), (1000, 10, 10)]
)
def test_a_sheet_has_room_for_what_there_is(count, columns, rows):
    told = sheets.geometry((12, 10), count)
    assert (told["columns"], told["rows"]) == (columns, rows)


def test_a_judge_with_as_many_other_names_gives_no_rank():
    p = np.array([[0.3, 0.7]])
    part = parts.Part(np.zeros((1, 3, 2, 2), np.uint8), np.zeros(1), p, p, {})
    assert sheets.entry(0, part, 0, ["a", "b"], ["a", "b"])["judge_rank"] == 2
    assert "judge_rank" not in sheets.entry(0, part, 0, ["a", "b"], ["b", "a"])


def test_a_part_with_pictures_of_another_size_is_not_taken(copy):
    begun = plan.read(copy)
    part = parts.load(copy, begun, 1)
    parts.save(copy, 1, replace(part, pictures=part.pictures[:, :, :-1]))
    with pytest.raises(files.AtlasFileError, match=r"part-0001.npz: holds pictures"):
        parts.load(copy, begun, 1)


def test_the_memory_of_a_container_is_its_limit_less_what_it_uses(monkeypatch):
    told = {
        "/proc/meminfo": "MemTotal: 900 kB\nMemAvailable: 800 kB\n",
        "/sys/fs/cgroup/memory.max": "500000\n", "/sys/fs/cgroup/memory.current": "200000\n",
    }  # fmt: skip

    class Text(str):
        def __truediv__(self, name):
            return Text(f"{self}/{name}")

        def read_text(self):
            return told[self]

    monkeypatch.setattr(plan, "Path", Text)
    assert plan.free_memory(torch.device("cpu")) == 300_000
    told["/sys/fs/cgroup/memory.max"] = "max\n"
    assert plan.free_memory(torch.device("cpu")) == 800 * 1024
    told["/sys/fs/cgroup/memory.max"] = "100000\n"
    assert plan.free_memory(torch.device("cpu")) == 0


def test_a_kept_view_keeps_all_that_it_is_a_view_of():
    def climb(n):
        x = torch.ones(n, 100, requires_grad=True)
        (2 * x)[:, :10].square()

    assert plan.bytes_per_image(climb) == round(plan.TRANSIENT * 400)


def test_a_plan_of_another_format_is_not_followed(copy, capsys):
    told = json.loads((copy / "plan.json").read_text(encoding="utf-8"))
    (copy / "plan.json").write_text(json.dumps(told | {"format": 2}), encoding="utf-8")
    assert call(copy) == 1
    assert "plan.json: has format 2, this library knows 1" in capsys.readouterr().err


def test_few_decoded_files_are_held_and_the_latest_of_them(copy, monkeypatch):
    monkeypatch.setattr(read, "HELD", 2)
    made = atlas.load(copy)
    for k in range(7):
        made.picture(k, lossless=True)
    assert list(made._held) == ["parts/part-0002.npz", "parts/part-0003.npz"]


def test_the_time_left_is_that_of_this_calls_pace(tmp_path, monkeypatch, capsys):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    for k in range(8):
        (tmp_path / f"{k}.npz").touch()
    shown = progress.Progress("atlas", quiet=False, speaks=True)
    shown.start(tmp_path, {f"{k}.npz": 1 for k in range(10)})
    (tmp_path / "8.npz").touch()
    now[0] += 50
    shown.report()
    assert "9 of 10 classes, 50 s gone, about 50 s left" in capsys.readouterr().err


def test_a_field_that_only_one_request_has_makes_them_differ():
    one, two = {"a": 1}, {"a": 1, "b": 2}
    request.compare(one, dict(one))
    for begun, asked in ((one, two), (two, one)):
        with pytest.raises(files.AtlasError, match="b: "):
            request.compare(begun, asked)


def test_the_figure_takes_no_sheet_but_the_one_described(tmp_path):
    (tmp_path / "atlas").mkdir()
    (tmp_path / "atlas" / "s.webp").write_bytes(b"sheet")
    told = {
        "sheets": [{"file": "s.webp", "sha256": files.sha256(b"sheet")}], "names": ["a"],
        "tile": {"columns": 1, "rows": 1}, "classes": [],
    }  # fmt: skip
    (tmp_path / "atlas.json").write_text(json.dumps(told), encoding="utf-8")
    assert state(tmp_path / "atlas.json", "static/")["names"] == ["a"]
    (tmp_path / "atlas" / "s.webp").write_bytes(b"sheeT")
    with pytest.raises(files.AtlasFileError, match=r"s.webp: is not the sheet that atlas.json"):
        state(tmp_path / "atlas.json", "static/")
    (tmp_path / "atlas" / "s.webp").unlink()
    with pytest.raises(files.AtlasFileError, match=r"s.webp: is missing"):
        state(tmp_path / "atlas.json", "static/")
