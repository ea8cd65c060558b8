"""Find a Chromium for the browser tests, or install one: `python -m scripts.chromium [--install]`.

Looks at $ACTMAX_CHROMIUM, at the PATH and at Playwright's own copy. With --install it then tries
Playwright's download and, as root on a Debian machine, apt-get. Exit status 1 when there is none
and $CI or $ACTMAX_REQUIRE_BROWSER is set; otherwise the browser tests are skipped, by name.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
MISSING = (
    "no Chromium: set ACTMAX_CHROMIUM to one, or install the package chromium of your system, "
    "or run `playwright install chromium`"
)


def required() -> bool:
    """Whether a missing browser is a failure (CI) rather than a skip (a reader's machine)."""
    names = ("CI", "ACTMAX_REQUIRE_BROWSER")
    return any(os.environ.get(name, "") not in ("", "0") for name in names)


def runs(path: str) -> bool:
    """Whether this executable starts; a downloaded one may lack system libraries."""
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def playwright_copy() -> str | None:
    """Path of the Chromium that `playwright install chromium` leaves, if it is there."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as p:
        path = Path(p.chromium.executable_path)
    return str(path) if path.is_file() else None


def find() -> str | None:
    """Path of a Chromium that starts, or None."""
    given = os.environ.get("ACTMAX_CHROMIUM")
    if given:
        if not runs(given):
            raise SystemExit(f"ACTMAX_CHROMIUM={given} does not start: unset or correct it")
        return given
    for name in NAMES:
        if (path := shutil.which(name)) and runs(path):
            return path
    path = playwright_copy()
    return path if path and runs(path) else None


def install() -> None:
    """Try Playwright's download, then apt-get; either may be out of reach."""
    tries = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        tries += [["apt-get", "update"], ["apt-get", "install", "-y", "chromium"]]
    for command in tries:
        print("+", " ".join(command), flush=True)
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        try:
            subprocess.run(command, env=environment, timeout=600, check=False)
        except subprocess.TimeoutExpired:
            print("gave up after 600 s", flush=True)
        if find():
            return


def main() -> int:
    """Command line."""
    path = find()
    if path is None and "--install" in sys.argv[1:]:
        install()
        path = find()
    print(f"browser tests use {path}" if path else MISSING, flush=True)
    return 1 if path is None and required() else 0


if __name__ == "__main__":
    sys.exit(main())
