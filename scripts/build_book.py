"""Build the book and check it: `python -m scripts.build_book [folder]`; `make book` calls this.

The kernels see none of the reader's own settings (matplotlibrc, IPython profile, user packages), so
the pages come out the same on every machine.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from .gates.__main__ import main as run_gates

# Lines that say nothing to a reader: the parsers' settings; kernels listen on this machine only.
NOISE = re.compile(r"MdParserConfig|NbParserConfig|Kernel is running over TCP without encryption")
ANSI = re.compile(r"\x1b\[[0-9;]*m")
FONTS = "import matplotlib.font_manager as m, matplotlib.pyplot; m.fontManager"


def environment(source: Path) -> dict[str, str]:
    """Variables for a kernel that depends on the project alone."""
    own = Path(sys.prefix) / "var"
    return os.environ | {
        "ACTMAX_STATIC": "1",
        "IPYTHONDIR": str(own / "ipython"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "MPLCONFIGDIR": str(own / "matplotlib"),
        "OMP_WAIT_POLICY": "PASSIVE",  # as in the Makefile
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "PYTHONNOUSERSITE": "1",
        "PYTHONPATH": str(source),  # the last appendix runs tests/claims
    }


def prepare_fonts(variables: dict[str, str]) -> None:
    """Let matplotlib write its font list now: it says so on stderr, which no chapter may do."""
    folder = Path(variables["MPLCONFIGDIR"])
    if not any(folder.glob("fontlist-*.json")):
        print("writing the font list of matplotlib (once) ...", flush=True)
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-c", FONTS], env=variables, check=True)


def jupyter_book(source: Path, variables: dict[str, str]) -> int:
    """Run the builder on all pages, warnings as errors, and pass its lines on; its exit status.

    `--all`: without it a page that failed is not read again, and the second build is green.
    """
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
    command += ["build", str(source)]
    command += ["--all", "-W", "-n", "--keep-going"]
    process = subprocess.Popen(
        command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    for line in process.stdout:
        if not NOISE.search(line):
            print(line if sys.stdout.isatty() else ANSI.sub("", line), end="", flush=True)
    return process.wait()


def build(source: Path) -> int:
    """Build the book in `source` from nothing but the execution cache; 0 if it is good."""
    began = time.monotonic()
    output = source / "_build"
    for folder in ("html", "executed", "jupyter_execute", ".doctrees"):
        shutil.rmtree(output / folder, ignore_errors=True)
    (output / "record.json").unlink(missing_ok=True)
    variables = environment(source)
    prepare_fonts(variables)
    status = jupyter_book(source, variables)
    if status == 0:
        status = run_gates([str(output / "html")])
    seconds = time.monotonic() - began
    if status:
        print(f"\nThe book is NOT good ({seconds:.0f} s): see the messages above.", flush=True)
    else:
        index = output / "html" / "index.html"
        print(f"\nThe book is built and checked ({seconds:.0f} s): {index}")
        print("`make serve` opens it in your browser; as a file it works too.", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(build(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))
