"""A training that is killed and goes on ends with the bits of one that was not."""

import os
import subprocess
import sys

import pytest
import torch

from actmax_lib.data.dataset import DataFileError
from actmax_lib.training import (
    Scheduled,
    cross_entropy,
    fit,
    mirrored,
    noise_training,
    pgd_training,
    score_matching,
)
from actmax_lib.training.checkpoints import MAGIC
from actmax_lib.zoo.cifar import CifarNet
from tests.nets import seeded

pytestmark = pytest.mark.usefixtures("one_thread")

# What has a state: batch norm, Adam, the cycle, the noise, the course of training.
LOSSES = {
    "scheduled": Scheduled(lambda progress: mirrored(noise_training(0.1 + progress))),
    "pgd": pgd_training(0.5, "l2", steps=1),
    "score-matched": score_matching(1e-3),
}


class Stopped(Exception):
    pass


def network(widths=(2, 3, 3, 4)):
    net = seeded(CifarNet, widths, batch_norm=True)
    return net.to(memory_format=torch.channels_last)


def train(loss, file=None, net=None, **changes):
    """(weights and statistics, history) of a small network on seeded images."""
    rng = torch.Generator().manual_seed(7)
    x, y = torch.rand(24, 3, 16, 16, generator=rng), torch.randint(10, (24,), generator=rng)
    net = net or network()
    history = fit(net, loss, x, y, checkpoint=file, **{"epochs": 4, "batch": 8, **changes})
    return {key: value.clone() for key, value in net.state_dict().items()}, history


def stopping(loss, after, how):
    """``loss``, but ``how()`` is called in its step number ``after``."""
    steps = iter(range(10**6))

    def wrapped(of):
        def counted(*inputs):
            value = of(*inputs)
            if next(steps) == after:
                how()
            return value

        return counted

    if isinstance(loss, Scheduled):
        return Scheduled(lambda progress: wrapped(loss.at(progress)))
    return wrapped(loss)


def stop():
    raise Stopped


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


@pytest.fixture
def half_way(tmp_path):
    """The checkpoint of a run that was stopped in its third epoch."""
    file = tmp_path / "run.checkpoint"
    with pytest.raises(Stopped):
        train(stopping(cross_entropy, 7, stop), file)
    return file


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """The folder where SIGKILL, which lets nobody tidy up, met each training in its third epoch.

    One new process, whose children are killed: it takes long to import torch.
    """
    folder = tmp_path_factory.mktemp("killed")
    script = """
import os, signal, sys, torch
from tests import test_training_checkpoints as t
torch.set_num_threads(1)
die = lambda: os.kill(os.getpid(), signal.SIGKILL)
for name, loss in t.LOSSES.items():
    child = os.fork()
    if not child:
        t.train(t.stopping(loss, 7, die), os.path.join(sys.argv[1], name))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL, name
"""
    subprocess.run([sys.executable, "-c", script, folder], check=True)
    return folder


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no SIGKILL on this system")
@pytest.mark.parametrize("name", LOSSES)
def test_killed_in_the_middle_of_an_epoch(killed, name):
    steps, loss = [], LOSSES[name]
    counted = stopping(loss, 0, lambda: steps.append(1))
    again, history = train(counted, killed / name)
    assert steps  # there was something left to do
    whole, expected = train(loss)
    assert same(again, whole)
    assert history == expected
    assert len(history) == 4


def test_it_goes_on_and_does_not_begin_again(half_way):
    """Two epochs of three steps are left, and the schedule is where it was."""
    seen = []
    fit_again = stopping(lambda *a: seen.append(1) or cross_entropy(*a), -1, stop)
    again, _ = train(fit_again, half_way)
    assert len(seen) == 6
    assert same(again, train(cross_entropy)[0])
    seen.clear()
    once_more, history = train(fit_again, half_way)  # it is done: nothing is left to do
    assert not seen
    assert same(once_more, again)
    assert len(history) == 4


def test_a_checkpoint_changes_no_bit(tmp_path):
    assert same(train(cross_entropy, tmp_path / "a")[0], train(cross_entropy)[0])
    assert os.listdir(tmp_path) == ["a"]


def test_stopped_while_it_writes_leaves_the_last_whole_one(half_way, monkeypatch):
    before = half_way.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: stop())
        with pytest.raises(Stopped):
            train(cross_entropy, half_way)
    assert half_way.read_bytes() == before
    assert same(train(cross_entropy, half_way)[0], train(cross_entropy)[0])


@pytest.mark.parametrize("where", [0, len(MAGIC) + 5, len(MAGIC) + 32, -1])
def test_one_wrong_bit_is_refused(half_way, where):
    content = bytearray(half_way.read_bytes())
    content[where] ^= 1
    refused(half_way, bytes(content), "no whole checkpoint")


@pytest.mark.parametrize("length", [0, 3, len(MAGIC), len(MAGIC) + 32, 1000, -1])
def test_a_part_is_refused(half_way, length):
    refused(half_way, half_way.read_bytes()[:length], "no whole checkpoint")


def refused(file, content, why):
    file.write_bytes(content)
    net = network()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    with pytest.raises(DataFileError, match=why) as caught:
        train(cross_entropy, file, net)
    assert str(file) in str(caught.value)
    assert same(net.state_dict(), before)
    assert file.read_bytes() == content  # nobody's file is thrown away


@pytest.mark.parametrize("change", [{"seed": 1}, {"lr": 1e-3}, {"epochs": 5}, {"batch": 6}])
def test_another_run_is_refused(half_way, change):
    net = network()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    with pytest.raises(DataFileError, match="of another run"):
        train(cross_entropy, half_way, net, **change)
    assert same(net.state_dict(), before)


def test_another_network_is_refused(half_way):
    with pytest.raises(DataFileError, match="of another run"):
        train(cross_entropy, half_way, network((2, 3, 3, 5)))
