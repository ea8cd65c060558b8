"""The library as a reader of a notebook gets it: from its wheel, in a temporary folder."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Installed:
    """`wheel`: the file. `site`: where it is unpacked. `away`: a folder outside the repository."""

    wheel: Path
    site: Path
    away: Path

    def environment(self) -> dict[str, str]:
        """Variables of a process that finds the library in `site`, whatever else is installed."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("ACTMAX", "PYTHON"))}
        return clean | {"PYTHONPATH": str(self.site), "OMP_NUM_THREADS": "1"}

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess:
        """Run Python outside the repository."""
        command = [sys.executable, *map(str, arguments)]
        return subprocess.run(
            command,
            cwd=self.away,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def python(self, code: str) -> str:
        """What a program prints, warnings as errors."""
        result = self.run("-W", "error", "-c", code)
        assert result.returncode == 0, result.stderr
        return result.stdout


def pip(*arguments: str | Path) -> None:
    """Run pip without asking any index."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """`pip install .`, from a copy: pip leaves traces in the folder that it builds."""
    folder = tmp_path_factory.mktemp("installed")
    hidden = shutil.ignore_patterns(".*", "_build", "build", "__pycache__", "*.egg-info")
    source = shutil.copytree(ROOT, folder / "source", ignore=hidden)
    own = ("--no-deps", "--no-build-isolation", "--no-index")
    pip("wheel", *own, "--wheel-dir", folder / "wheel", source)
    (wheel,) = (folder / "wheel").iterdir()
    shutil.rmtree(source)  # nothing may be read from it later
    pip("install", "--no-deps", "--no-index", "--no-compile", "--target", folder / "site", wheel)
    (folder / "away").mkdir()
    return Installed(wheel, folder / "site", folder / "away")
