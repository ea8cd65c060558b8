"""More of tests/atlas: whole files, the seed, shares of an atlas that is resumed, records."""

import errno
import importlib
import os
import signal

import numpy as np
import pytest
import torch

from actmax_lib import atlas, fourier, logit, maximize, robust
from actmax_lib.atlas import files, parts, plan, sheets
from actmax_lib.atlas.progress import Progress
from actmax_lib.atlas.render import Renderer
from actmax_lib.atlas.request import job
from tests.atlas import nets
from tests.atlas.conftest import SIZE, arrays, call, stamps

build = importlib.import_module("actmax_lib.atlas.build")  # not the function
pytestmark = pytest.mark.usefixtures("one_thread")


class Team:
    """One of several processes; the others say nothing."""

    def __init__(self, rank, world=2, neighbours=1, given=None):
        self.rank, self.world, self.neighbours = rank, world, neighbours
        self.device, self.given = torch.device("cpu"), given

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def decide(self, make):
        return make() if self.given is None else self.given

    def meet(self, problem):
        return [problem] if problem else []


def begun(folder, team, net="tiny"):
    asked = job(
        team.device, network=f"tests.atlas.nets:{net}", classes="all", size="12x10", judge="none",
        steps=2, seed=0, image="fourier", transform="none", objective="logit", autocast="none",
    )  # fmt: skip
    return build.Build(folder, asked, team, Progress("atlas", quiet=True, speaks=False))


def names(folder):
    return sorted(file.name for file in (folder / "parts").glob("*"))


# --- files ----------------------------------------------------------------------------------------


def test_what_is_flushed_is_the_whole_file_and_then_its_folder(tmp_path, monkeypatch):
    seen = []

    def flush(descriptor):
        kind = os.fstat(descriptor)
        there = (tmp_path / "a").exists()
        seen.append((kind.st_size if os.path.isfile(f"/proc/self/fd/{descriptor}") else -1, there))

    monkeypatch.setattr(files, "_flush", flush)
    files.write(tmp_path / "a", b"x" * 100)
    assert seen == [(100, False), (-1, True)]


def test_a_file_is_replaced_and_never_written_over(tmp_path):
    file, old = tmp_path / "a", tmp_path / "old"
    files.write(file, b"old")
    os.link(file, old)
    files.write(file, b"new")
    assert (file.read_bytes(), old.read_bytes()) == (b"new", b"old")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "old"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_quota_is_a_full_disk(tmp_path, monkeypatch, number):
    def flush(_descriptor):
        raise OSError(number, "no room")

    monkeypatch.setattr(files, "_flush", flush)
    with pytest.raises(files.DiskFullError, match="100"):
        files.write(tmp_path / "a", b"x" * 100_000)
    assert not list(tmp_path.iterdir())


# --- processes ------------------------------------------------------------------------------------


def test_what_is_left_is_shared_out_evenly(tmp_path):
    made = begun(tmp_path, Team(rank=0))
    first = made.prepare(2, "none")[0]
    begun(tmp_path, Team(rank=1)).render(first, [0, 2])
    assert names(tmp_path) == ["part-0002.npz"]
    made.render(first, [0, 2])
    assert names(tmp_path) == ["part-0000.npz", "part-0002.npz"]


def test_the_memory_of_a_cpu_is_divided_among_the_processes_of_its_machine(tmp_path, monkeypatch):
    monkeypatch.setattr(plan, "free_memory", lambda device: 9000)
    made = begun(tmp_path, Team(rank=0, world=6, neighbours=3))
    assert made.prepare("auto", "none")[0]["bytes_free"] == 3000


def test_where_two_pictures_do_not_fit_one_is_rendered_at_once(tmp_path):
    assert begun(tmp_path, Team(rank=0), "starving").prepare("auto", "none")[0]["batch"] == 1


@pytest.mark.parametrize("steps", [1, 0])
def test_the_handler_of_the_caller_is_given_back(tmp_path, steps):
    before = signal.getsignal(signal.SIGTERM)
    assert call(tmp_path / "a", classes="0", steps=steps) == (0 if steps else 2)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_second_process_tells_no_progress_and_returns_nothing(tmp_path, monkeypatch, capsys):
    given = begun(tmp_path, Team(rank=0)).prepare(2, "none")
    monkeypatch.setattr(build, "Team", lambda device, patience: Team(rank=1, given=given))
    asked = {"judge": "none", "size": "12x10", "steps": 2, "transform": "none"}
    assert build.build(tmp_path, network="tests.atlas.nets:tiny", device="cpu", **asked) is None
    assert names(tmp_path) == ["part-0001.npz", "part-0003.npz"]
    assert capsys.readouterr() == ("", "")


# --- what is drawn and recorded -------------------------------------------------------------------


def test_the_seed_asked_for_is_the_seed_drawn_with(tmp_path):
    assert call(tmp_path / "a", classes="0-1", seed=3) == 0
    run = maximize(
        logit(nets.tiny(), [0, 1]), fourier(3, SIZE), transform=robust(), steps=6, seed=3
    )
    made = atlas.load(tmp_path / "a")
    for k in (0, 1):
        expected = (run.images[k] * 255).round() / 255
        assert torch.equal(made.picture(k, lossless=True), expected)


def test_the_arrays_of_a_part_have_the_types_of_the_format(whole):
    kinds = {name.split()[1]: array.dtype for name, array in arrays(whole).items()}
    assert kinds["pictures"] == np.uint8
    assert kinds["value"] == np.float64


def test_the_threads_recorded_are_those_there_are():
    recipe = job(
        torch.device("cpu"), network="tests.atlas.nets:tiny", classes="0", size="12x10",
        judge="none", steps=1, seed=0, image="fourier", transform="none", objective="logit",
        autocast="none",
    ).recipe  # fmt: skip
    renderer = Renderer(nets.tiny(), None, recipe)
    before = torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            assert renderer.machine()["threads"] == threads
    finally:
        torch.set_num_threads(before)


def test_rank_and_best_where_classes_tie():
    judged = np.array([[0.4, 0.1, 0.4, 0.1]])
    part = parts.Part(np.zeros((1, 3, 2, 2), np.uint8), np.zeros(1), judged, judged, {})
    four = ["a", "b", "c", "d"]
    assert [sheets.entry(k, part, 0, four, four)["judge_rank"] for k in range(4)] == [1, 3, 1, 3]
    assert [k for k, _, _ in sheets.best(judged[0], four)] == [0, 2, 1, 3]


def test_another_pillow_composes_the_sheets_again(whole, tmp_path, monkeypatch):
    import shutil

    out = shutil.copytree(whole, tmp_path / "copy")
    before = stamps(out)
    monkeypatch.setattr(sheets.Image, "__version__", "99.0")
    assert call(out) == 0
    changed = {name for name, at in stamps(out).items() if before[name] != at}
    assert changed == {"sheet-000.webp", "manifest.json"}
