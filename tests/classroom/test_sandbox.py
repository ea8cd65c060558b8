"""What the code behind the wall can see, reach and write; and no wall, no run."""

import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from classroom import frames, watching
from classroom.groups import Group, _prefix, tasks_limit
from classroom.remote import Session
from classroom.sandbox import Gone, Limits, Sandbox, TimeUp
from classroom.wall import HERE, PYTHON, Refused, Wall
from tests.classroom.engine import (
    QUICK,
    needs_sandbox,
    no_survivor,
    notebook,
    tiny,
    wall,
)

__all__ = ["no_survivor"]
LOOK = """
import os, socket
def names(folder):
    return sorted(os.listdir(folder))
def read(path):
    with open(path) as held:
        return held.read()
def writable(path):
    try:
        os.close(os.open(path, os.O_WRONLY | (0 if os.path.exists(path) else os.O_CREAT)))
    except OSError:
        return False
    return True
def environment():
    return dict(os.environ)
def reach(port):
    with socket.socket() as made:
        made.settimeout(2)
        return made.connect_ex(("127.0.0.1", port))
def interfaces():
    return [name for _, name in socket.if_nameindex()]
def open_files():
    return [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")
            if os.path.lexists(f"/proc/self/fd/{fd}")]
def space(kind):
    import ctypes
    return ctypes.CDLL(None, use_errno=True).unshare(kind)
def rights():
    held = dict(line.split(":", 1) for line in read("/proc/self/status").splitlines())
    return [held[name].strip() for name in ("CapEff", "CapPrm", "CapBnd", "NoNewPrivs")]
def holds(text, root):
    found = []
    for folder, inner, files in os.walk(root):
        for name in files:
            try:
                with open(os.path.join(folder, name), "rb") as held:
                    if text.encode() in held.read(10**6):
                        found.append(os.path.join(folder, name))
            except OSError:
                pass
    return found
"""


@pytest.fixture(scope="module")
def inside(tmp_path_factory):
    """Call a function behind the wall; the tiny sheet lies beside it, to be hidden."""
    folder = tmp_path_factory.mktemp("sheet")
    tiny(folder)
    with Session(notebook(LOOK), Wall(hide=(HERE.parent, folder)), QUICK) as session:

        def call(name, *args):
            return session.call(name, args, {}, 20)

        yield call


@needs_sandbox
def test_nothing_of_ours_is_there_but_the_driver(inside, tmp_path_factory):
    assert inside("names", "/grader/classroom") == sorted(
        ["driver.py", "frames.py", "inside.py", "reading.py", "wire.py"]
    )
    root = set(inside("names", "/"))
    assert not root & {"root", "mnt", "var", "boot", "srv", "sys"} - {
        Path(sys.prefix).parts[1],
        Path(sys.base_prefix).parts[1],
    }
    repository = HERE.parent
    shown = inside("names", "/" + repository.parts[1]) if repository.parts[1] in root else []
    assert "chapters" not in shown
    for path in (repository / "classroom" / "checks.py", tmp_path_factory.getbasetemp()):
        with pytest.raises(Exception, match="No such file"):
            inside("read", str(path))
    for folder in root & {"grader", "home", "tmp", "etc"}:
        assert inside("holds", "SECRET-OF-THE-CHECKS", f"/{folder}") == []


@needs_sandbox
def test_nothing_of_the_machine_is_there_but_what_is_listed(inside):
    system = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
    settings = [f"/etc/{name}" for name in ("ld.so.cache", "alternatives", "localtime", "fonts")]
    python = (sys.base_prefix, sys.prefix)
    listed = [p for p in (*system, *settings, *python) if os.path.lexists(p)]
    listed += ["/dev", "/proc", "/tmp", "/home/student", "/grader/classroom", "/grader/fonts"]
    trees = [Path(p) for p in listed if p != "/grader/fonts" or wall().fonts]
    above = {folder for path in trees for folder in path.parents}
    for folder in sorted(above):
        if not any(folder.is_relative_to(tree) for tree in trees):
            children = {p.relative_to(folder).parts[0] for p in trees if folder in p.parents}
            assert inside("names", str(folder)) == sorted(children), folder


@needs_sandbox
def test_no_process_of_ours_can_be_seen(inside):
    seen = [int(name) for name in inside("names", "/proc") if name.isdigit()]
    assert len(seen) <= 4
    lines = [inside("read", f"/proc/{pid}/cmdline") for pid in seen]
    assert not any("pytest" in line for line in lines)
    assert all(name.startswith(("pipe:", "/dev/null", "/proc/")) for name in inside("open_files"))


@needs_sandbox
def test_nothing_can_be_written_but_scratch(inside):
    for place in ("/tmp/x", "/home/student/x", "/dev/shm/x"):
        assert inside("writable", place)
    kernel = [  # opened and not written to: the kernel's own settings
        "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sysrq-trigger",
        "/proc/self/oom_score_adj", "/proc/1/oom_score_adj", "/proc/self/uid_map",
    ]  # fmt: skip
    ours = ["/grader/classroom/driver.py", "/grader/classroom/x", f"{sys.prefix}/x"]
    for place in (*kernel, *ours, "/x", "/usr/x", "/usr/bin/x", "/dev/x", "/home/x", "/etc/x"):
        assert not inside("writable", place), place
    assert not inside("writable", f"{sys.base_prefix}/x")
    assert wall().fonts_inside.startswith("/grader/fonts/")
    assert not inside("writable", wall().fonts_inside)
    assert not any(word.startswith(("--bind", "--dev-bind")) for word in wall().command([], 1, 9))


@needs_sandbox
def test_there_is_no_network(inside):
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert inside("reach", server.getsockname()[1]) != 0
    assert inside("interfaces") == ["lo"]


@needs_sandbox
def test_no_rights_and_nothing_of_the_teachers_environment(inside, monkeypatch):
    effective, permitted, bounding, sealed = inside("rights")
    assert int(effective, 16) == int(permitted, 16) == int(bounding, 16) == 0
    assert sealed == "1"
    if wall().seals:
        assert inside("space", 0x10000000) == -1  # a user namespace of its own
    monkeypatch.setenv("SECRET_TOKEN", "x")
    with Session(notebook(LOOK), wall(), QUICK) as session:
        held = session.call("environment", (), {}, 5)
    assert "SECRET_TOKEN" not in held
    assert held["HOME"] == "/home/student"


def test_without_a_wall_the_teachers_environment_and_files_are_kept_apart(monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "x")
    where = "def where():\n    from classroom import wire\n    import sys\n"
    where += "    return [wire.__file__, sys.argv[0]]"
    with Session(notebook(LOOK, where), wall(unsafe=True), QUICK) as session:
        held = session.call("environment", (), {}, 5)
        assert "SECRET_TOKEN" not in held
        assert held["HOME"] not in ("", os.environ["HOME"])
        for path in session.call("where", (), {}, 5):
            assert Path(path).is_absolute()
            assert not Path(path).is_relative_to(HERE.parent)


def test_folders_of_ours_inside_what_is_shown_are_covered(monkeypatch):
    monkeypatch.setattr("classroom.wall.PYTHON", (sys.prefix, "/usr/lib"))
    command = Wall(hide=(Path("/usr/share"), Path("/nowhere"))).command(["x"], 0.1, 9)
    at = command.index("/usr/share")
    assert command[at - 1] == "--tmpfs"
    assert command[at + 1 : at + 3] == ["--remount-ro", "/usr/share"]
    assert "/nowhere" not in command


@needs_sandbox
def test_a_python_below_the_scratch_folder_is_shown_and_cannot_be_written_to(monkeypatch):
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        (Path(place) / "python").write_text("here\n")
        monkeypatch.setattr("classroom.wall.PYTHON", (*PYTHON, place))
        told = f"cat {place}/python; touch /tmp/mine; ls /tmp; touch {place}/new || echo not there"
        command = Wall().command(["/bin/sh", "-c", told], 0.01, 2)  # bubblewrap tells 2
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    said = done.stdout.split()
    assert sorted(said) == sorted(["here", "mine", Path(place).name, "not", "there"])


def test_without_bubblewrap_it_refuses_in_words(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refused, match="not installed"):
        Wall().check()
    Wall(unsafe=True).check()
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho no namespaces for you >&2\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    with pytest.raises(Refused, match="does not work here: no namespaces for you"):
        Wall().check()


@needs_sandbox
@pytest.mark.usefixtures("no_survivor")
def test_a_sandbox_tells_why_it_ended():
    box = Sandbox(wall(), QUICK)
    try:
        with pytest.raises(TimeUp):
            box.receive(0.2)
        assert str(box.kill("was told to")) == "was told to"
        with pytest.raises(Gone, match="was told to"):
            box.receive(1)
        assert str(box.kill("another reason")) == "was told to"
    finally:
        box.close()


@needs_sandbox
@pytest.mark.usefixtures("no_survivor")
def test_one_who_does_not_read_holds_up_nobody():
    box = Sandbox(wall(), QUICK)
    try:
        time.sleep(0.2)
        for pid in watching.family(box._root):
            os.kill(pid, signal.SIGSTOP)
        with pytest.raises(TimeUp):
            box.send(b"N", bytes(10**7), 0.5)
    finally:
        box.close()


def test_the_log_keeps_the_beginning_and_the_end():
    box = Sandbox.__new__(Sandbox)
    box._head, box._tail, box._printed = b"", b"", 0
    for k in range(5000):
        box._keep(f"line {k}\n".encode())
    assert box.log.startswith("line 0\n")
    assert box.log.endswith("line 4999\n")
    assert "bytes left out" in box.log
    assert len(box.log) < 21_000


def test_a_family_is_counted():
    child = os.fork()
    if child == 0:
        os._exit(0) if os.read(0, 0) else time.sleep(30)
    try:
        assert child in watching.family(os.getpid())
        assert watching.tasks([child]) == 1
        alone = watching.memory([os.getpid()], 1e12)
        assert 0 < watching.memory([os.getpid(), child], 1.0) < 1.9 * alone  # shared pages once
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert watching.memory([child], 1e9) == 0


@needs_sandbox
def test_processes_are_bounded_where_groups_can_be_made():
    group = Group(20, 1e9)
    try:
        if not group.folders:
            pytest.skip("no control groups can be made here")
        forks = "n = 0\nwhile True:\n    try:\n        if os.fork() == 0: time.sleep(9)\n"
        forks += "        n += 1\n    except BlockingIOError:\n        print(n); os.killpg(0, 9)"
        python = [sys.executable, "-I", "-S", "-c", f"import os, time\n{forks}"]
        done = subprocess.run(
            group.around(["/bin/sh", "-c", '"$@" 2>&1', "sh", *python]),
            capture_output=True, text=True, start_new_session=True,
        )  # fmt: skip
        assert done.returncode == -signal.SIGKILL
        assert not done.stdout or int(done.stdout) <= 20
    finally:
        group.close()
    assert not any(folder.exists() for folder in group.folders)


def test_groups_of_a_killed_judge_are_swept(tmp_path, monkeypatch):
    monkeypatch.setattr("classroom.groups.ROOT", tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    (tmp_path / "cgroup.procs").touch()
    dead, alive = tmp_path / f"{_prefix()}99999999-0", tmp_path / f"{_prefix()}{os.getpid()}-7"
    dead.mkdir()
    alive.mkdir()
    made = Group(5, 1e9).folders
    assert not dead.exists()
    assert alive.exists()
    assert [(f / "pids.max").read_text() for f in made] == ["5"]
    assert made[0].parent == tmp_path


@needs_sandbox
def test_limits_are_hard():
    told = "import resource as r\ndef limits():\n    return [r.getrlimit(k) for k in (" + (
        "r.RLIMIT_DATA, r.RLIMIT_FSIZE, r.RLIMIT_CORE, r.RLIMIT_NOFILE, r.RLIMIT_NPROC, "
        "r.RLIMIT_CPU)]"
    )
    with Session(notebook(told), wall(), Limits(memory=0.5, files=0.02)) as session:
        found = session.call("limits", (), {}, 5)
    wanted = [500_000_000, 20_000_000, 0, 256, tasks_limit(512), 360]
    kinds = (resource.RLIMIT_NPROC, resource.RLIMIT_CPU)
    for at, hard in zip((4, 5), (resource.getrlimit(k)[1] for k in kinds), strict=True):
        wanted[at] = wanted[at] if hard == resource.RLIM_INFINITY else min(wanted[at], hard)
    assert found == [(value, value) for value in wanted]


def test_frames_have_a_letter_a_length_and_a_limit():
    made = frames.framed(b"A", b"123")
    assert frames.HEADER.unpack(made[:5]) == (b"A", 3)
    assert made[5:] == b"123"
