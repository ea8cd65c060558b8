"""The wall: no network, nothing to read but Python, nothing to write to but a scratch folder.

It is bubblewrap's, made of Linux namespaces. Where it cannot be built nothing is run.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

HERE = Path(__file__).resolve().parent
OURS = ("driver.py", "frames.py", "inside.py", "reading.py", "wire.py")  # these are inside
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
CONFIGURED = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime", "/etc/fonts")
PYTHON = tuple(dict.fromkeys((sys.base_prefix, sys.prefix)))
HOME, INSIDE, FONTS = "/home/student", "/grader/classroom", "/grader/fonts"
ENVIRONMENT = {
    "HOME": HOME, "USER": "student", "LOGNAME": "student", "LANG": "C.UTF-8",
    "PATH": "/usr/bin:/bin", "TMPDIR": "/tmp", "MPLBACKEND": "Agg", "PIP_NO_INDEX": "1",
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
}  # fmt: skip


class Refused(RuntimeError):
    """There is no sandbox on this machine; the message says what lacks, in words."""


@dataclass(frozen=True)
class Wall:
    """Where the code runs. unsafe: a plain process; hide: folders that it must not see."""

    unsafe: bool = False
    hide: tuple[Path, ...] = (HERE.parent,)

    @cached_property
    def fonts(self) -> str:
        """The file of matplotlib's list of fonts, made once; "" without matplotlib."""
        made = (
            "import matplotlib as m, matplotlib.font_manager as f, os; print(os.path.join("
            "m.get_cachedir(), f'fontlist-v{f.FontManager.__version__}.json'), end='')"
        )
        done = subprocess.run([sys.executable, "-c", made], capture_output=True, text=True)
        return done.stdout if done.returncode == 0 and os.path.isfile(done.stdout) else ""

    @cached_property
    def seals(self) -> bool:
        """Whether this bubblewrap (0.8 on) can forbid namespaces inside its own."""
        done = subprocess.run(["bwrap", "--help"], capture_output=True, text=True)
        return "--disable-userns" in done.stdout + done.stderr

    @property
    def fonts_inside(self) -> str:
        """Where the code finds `fonts`."""
        return self.fonts and (self.fonts if self.unsafe else f"{FONTS}/{Path(self.fonts).name}")

    def command(self, python: list[str], files: float, info: int) -> list[str]:
        """The command that runs `python` arguments behind the wall."""
        scratch = ["--size", str(int(files * 1e9)), "--tmpfs"]
        said = [shutil.which("bwrap") or "bwrap", "--unshare-all", "--unshare-user"]
        said += ["--disable-userns"] if self.seals else []
        said += ["--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL"]
        said += ["--hostname", "sandbox", "--info-fd", str(info)]
        # what is shown comes later: a Python may lie below one of these two
        said += [*scratch, "/tmp", *scratch, HOME, *_mounts(), *self._hidden()]
        for path in CONFIGURED:
            said += ["--ro-bind-try", path, path]
        for name in OURS:
            said += ["--ro-bind", str(HERE / name), f"{INSIDE}/{name}"]
        if self.fonts:
            said += ["--ro-bind", self.fonts, self.fonts_inside]
        # read-only: to root, even to one without rights, the kernel's settings could be written
        said += ["--proc", "/proc", "--remount-ro", "/proc"]
        said += ["--dev", "/dev", *scratch, "/dev/shm", "--remount-ro", "/dev"]
        said += ["--remount-ro", "/", "--chdir", HOME]
        for name, value in ENVIRONMENT.items():
            said += ["--setenv", name, value]
        return [*said, "--setenv", "MPLCONFIGDIR", f"{HOME}/.matplotlib", "--", *python]

    def check(self) -> None:
        """Raise Refused if the wall does not stand."""
        if self.unsafe:
            return
        if not shutil.which("bwrap"):
            raise Refused("bubblewrap (bwrap) is not installed; on Debian: apt install bubblewrap")
        shown, inner = os.pipe()
        told = "import numpy, IPython"
        command = self.command([sys.executable, "-I", "-B", "-c", told], 0.01, inner)
        try:
            done = subprocess.run(command, pass_fds=[inner], capture_output=True, timeout=60)
        except subprocess.TimeoutExpired:
            raise Refused("bubblewrap does not answer") from None
        finally:
            os.close(inner)
            os.close(shown)
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise Refused(f"bubblewrap does not work here: {said[-1] if said else 'no reason'}")

    def _hidden(self) -> list[str]:
        """Empty folders over ours where they lie inside what is shown; Python's again over them."""
        shown, said = [Path(p).resolve() for p in (*SYSTEM, *PYTHON)], []
        for path in {p.resolve() for p in self.hide}:
            if path.is_dir() and any(path.is_relative_to(other) for other in shown):
                said += ["--tmpfs", str(path)]
                inner = [p for p in PYTHON if Path(p).resolve().is_relative_to(path)]
                said += [word for p in inner for word in ("--ro-bind", p, p)]
                said += ["--remount-ro", str(path)]
        return said


def _mounts() -> list[str]:
    """What is shown of this machine: its programs and libraries, and this Python."""
    said, seen = [], []
    for path in map(Path, (*SYSTEM, *PYTHON)):
        if path.is_symlink() and str(path) in SYSTEM:
            said += ["--symlink", os.readlink(path), str(path)]
        elif path.exists() and not any(path.is_relative_to(other) for other in seen):
            said += ["--ro-bind", str(path), str(path)]
            seen.append(path)
    return said


def plain_environment(home: Path) -> dict[str, str]:
    """Without a wall: the same settings, with a home that exists."""
    changed = {"HOME": str(home), "MPLCONFIGDIR": str(home / ".matplotlib"), "TMPDIR": str(home)}
    return ENVIRONMENT | changed


def copied(folder: Path) -> Path:
    """Without a wall: copies of ours, for the code could write to them. Returns the driver."""
    inside = folder / "grader" / "classroom"
    inside.mkdir(parents=True)
    for name in OURS:
        shutil.copy(HERE / name, inside)
    return inside / "driver.py"
