"""One small atlas made without trouble, and how to call for one."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from actmax_lib.atlas.__main__ import main

SIZE, STEPS, BATCH = (12, 10), 6, 2
CHUNKS = [[0, 2], [2, 4], [4, 6], [6, 7]]


def arguments(out: Path, network: str = "tiny", **changes: object) -> list[str]:
    """The command line of a small atlas."""
    options = {
        "network": f"tests.atlas.nets:{network}", "judge": "tests.atlas.nets:judge",
        "size": "12x10", "steps": STEPS, "batch": BATCH, "device": "cpu", "out": out,
    } | changes  # fmt: skip
    return [word for key, value in options.items() for word in (f"--{key}", str(value))]


def call(out: Path, network: str = "tiny", **changes: object) -> int:
    """The exit status of a call."""
    return main(arguments(out, network, **changes))


def arrays(folder: Path) -> dict[str, np.ndarray]:
    """All arrays of all parts but their records, by file and name."""
    found = {}
    for file in sorted((folder / "parts").iterdir()):
        with np.load(file) as held:
            found |= {f"{file.name} {key}": held[key] for key in held.files if key != "info"}
    return found


def assert_same(folder: Path, other: Path) -> None:
    """Two atlases are alike to the last bit, but for times."""
    ours, theirs = arrays(folder), arrays(other)
    assert ours.keys() == theirs.keys()
    for key, array in ours.items():
        np.testing.assert_array_equal(array, theirs[key], err_msg=key)
    sheets = [sorted(f.glob("*.webp")) for f in (folder, other)]
    assert [s.name for s in sheets[0]] == [s.name for s in sheets[1]] != []
    for one, two in zip(*sheets, strict=True):
        assert one.read_bytes() == two.read_bytes(), one.name


def stamps(folder: Path) -> dict[str, int]:
    """When each file was written, in nanoseconds: what is rendered again gets another one."""
    return {
        file.relative_to(folder).as_posix(): file.stat().st_mtime_ns
        for file in folder.rglob("*")
        if file.is_file()
    }


@pytest.fixture(scope="session")
def whole(tmp_path_factory) -> Path:
    """The atlas of tiny, made in one go on one thread. Not to be changed."""
    folder = tmp_path_factory.mktemp("atlas") / "whole"
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    assert call(folder) == 0
    torch.set_num_threads(before)
    return folder


@pytest.fixture
def copy(whole, tmp_path) -> Path:
    """A copy of it, to be changed."""
    return Path(shutil.copytree(whole, tmp_path / "copy"))
