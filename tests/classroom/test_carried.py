"""What sheet 5 carries: the library's network and pictures, as text that needs NumPy alone."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from actmax_lib import data, zoo
from classroom.carried import NETWORKS, arrays, carried, network
from classroom.sheets import load


@pytest.fixture(scope="module")
def sheet():
    return load("pictures").namespace("blank")


def test_the_text_gives_the_arrays_without_this_repository(tmp_path):
    """Run as a student would, in an empty folder with nothing of ours to import."""
    text = carried("fashion")
    assert len(text) < 250_000
    assert max(map(len, text.splitlines())) <= 200
    script = text + "\nnp.savez('out.npz', **CARRIED)\n"
    (tmp_path / "cell.py").write_text(script, encoding="ascii")
    subprocess.run([sys.executable, "-I", "cell.py"], cwd=tmp_path, check=True)
    with np.load(tmp_path / "out.npz") as found:
        wanted = arrays("fashion")
        assert set(found) == set(wanted)
        for name, value in wanted.items():
            assert found[name].dtype == value.dtype
            assert np.array_equal(found[name], value), name


def test_the_arrays_are_copies():
    arrays("fashion")["pictures"][:] = 0
    network("robust")["conv1.bias"][:] = 0
    assert arrays("fashion")["pictures"].any()
    assert network("robust")["conv1.bias"].any()


@pytest.mark.parametrize("kind", NETWORKS)
def test_rounding_costs_no_accuracy(sheet, kind):
    """The sheet's network with float16 weights answers 2000 pictures like the library's."""
    sample, weights = data.load("fashion-mnist", "sample"), network(kind)
    x, own = sample.images(), zoo.load(NETWORKS[kind], device="cpu")
    with torch.no_grad():
        said = sheet["Net"](weights)((x - weights["mean"]) / weights["sd"])["logits"]
        wanted = own(x)
    assert (said - wanted).abs().max() < 1e-3
    right = [(f.argmax(1) == sample.labels).float().mean().item() for f in (said, wanted)]
    assert right[0] > 0.8
    assert abs(right[0] - right[1]) < 1e-3


def test_the_notebook_and_the_judge_hold_one_network(sheet):
    wanted = network("robust")
    assert set(sheet["WEIGHTS"]) == set(wanted)
    assert all(np.array_equal(sheet["WEIGHTS"][name], value) for name, value in wanted.items())


def test_the_pictures_are_two_of_each_class(sheet):
    sample = data.load("fashion-mnist", "sample")
    assert sheet["CLASSES"] == tuple(sample.classes)
    assert sheet["LABELS"].tolist() == [k for k in range(10) for _ in range(2)]
    real = sample.images()[:, 0].numpy()
    for picture, label in zip(sheet["PICTURES"], sheet["LABELS"], strict=True):
        same = (real == picture).all((1, 2))
        assert same.any()
        assert (sample.labels[torch.from_numpy(same)] == int(label)).all()


def test_unknown_names_are_refused():
    for call in (carried, arrays, network):
        with pytest.raises(ValueError, match="nothing"):
            call("nothing")
