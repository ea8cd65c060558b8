"""Real processes, really killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.atlas.conftest import arguments, assert_same, call, stamps

pytestmark = pytest.mark.usefixtures("one_thread")
ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120
ONE_BY_ONE = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "GLOO_SOCKET_IFNAME": "lo"}


def started(*command: str, **environment: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", *command], cwd=ROOT, env=os.environ | ONE_BY_ONE | environment,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def torchrun(*words: str, **environment: str) -> subprocess.Popen:
    run = ("torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    return started(*run, "-m", "actmax_lib.atlas", *words, **environment)


def parts(folder):
    return sorted(file.name for file in folder.glob("parts/part-*.npz"))


def test_after_a_kill_nothing_finished_is_lost_and_the_rest_is_the_same(tmp_path, whole):
    out = tmp_path / "a"
    process = started("actmax_lib.atlas", *arguments(out, "slow"))
    until = time.monotonic() + PATIENCE
    while len(parts(out)) < 2 and time.monotonic() < until and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGKILL
    kept = stamps(out)
    assert 2 <= len(parts(out)) < 4
    assert "manifest.json" not in kept
    assert call(out, "slow") == 0
    again = stamps(out)
    assert all(again[name] == at for name, at in kept.items() if name.endswith(".npz"))
    assert_same(out, whole)  # slow has the weights of tiny


def test_a_worker_dies_and_the_next_call_of_two_ends_as_one_process_would(tmp_path, whole):
    out = tmp_path / "a"
    first = torchrun(*arguments(out, "mortal"), MORTAL_AFTER="12")
    said = first.communicate(timeout=PATIENCE)[1]
    assert first.returncode != 0
    kept = stamps(out)
    assert "manifest.json" not in kept
    assert "part-0001.npz" in parts(out)  # the second process finished one, and died in its next
    assert "part-0003.npz" not in parts(out)
    assert "what is finished is kept" in said
    second = torchrun(*arguments(out, "mortal"), MORTAL_AFTER="1000")
    said = second.communicate(timeout=PATIENCE)[1]
    assert second.returncode == 0, said
    assert "atlas 0: 7 of 7 classes" in said or "are there already" in said
    again = stamps(out)
    assert all(again[name] == at for name, at in kept.items() if name.endswith(".npz"))
    assert_same(out, whole)
