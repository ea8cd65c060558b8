"""Set-up: exact pins, a clear word about an old Python, a browser that is required or skipped."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from scripts import chromium
from tests.book.books import ROOT

PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)==([\w.]+)$")


def pins(name: str) -> dict[str, str]:
    """Normalized package name to version, for every line of a requirements file."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    entries = [line for line in lines if line and not line.startswith(("#", "-r "))]
    assert all(PIN.match(line) for line in entries), [x for x in entries if not PIN.match(x)]
    found = [PIN.match(line).groups() for line in entries]
    return {re.sub(r"[-_.]+", "-", package).lower(): version for package, version in found}


@pytest.mark.parametrize(
    "name", ["requirements.txt", "requirements-test.txt", "requirements-assignments.txt"]
)
def test_every_requirement_is_pinned_as_in_the_tested_set(name):
    tested = pins("constraints.txt")
    assert {package: tested.get(package) for package in pins(name)} == pins(name)


def test_what_is_installed_is_the_tested_set():
    command = [
        sys.executable,
        "-m",
        "pip",
        "list",
        "--format=freeze",
        "--disable-pip-version-check",
    ]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    installed = dict(line.split("==") for line in listed if "==" in line)
    installed = {re.sub(r"[-_.]+", "-", k).lower(): v.split("+")[0] for k, v in installed.items()}
    tested = pins("constraints.txt")
    differing = {k: v for k, v in installed.items() if k in tested and tested[k] != v}
    assert differing == {}


def make(*arguments: str) -> subprocess.CompletedProcess:
    """Run make as from a shell of its own, not as a part of `make test`."""
    clean = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, env=clean, capture_output=True, text=True, check=False
    )


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@pytest.mark.parametrize("target", ["book", "test", "lab", "assignments", "bench"])
def test_an_old_python_is_refused_in_words(tmp_path, target):
    old = tmp_path / "python"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2 && exit 0\nexit 1\n')
    old.chmod(0o755)
    result = make(target, f"PYTHON={old}", f"VENV={tmp_path / 'venv'}")
    assert result.returncode != 0
    assert "Python 3.11 or newer is needed" in result.stdout
    assert "is Python 3.9.2" in result.stdout
    assert f"make {target} PYTHON=" in result.stdout
    assert not (tmp_path / "venv").exists()


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_help_names_every_command():
    said = make("help").stdout
    for target in ("book", "serve", "lab", "test", "assignments", "grade", "bench", "clean"):
        assert f"make {target} " in said


@pytest.mark.parametrize(
    ("variables", "required"),
    [
        ({}, False),
        ({"CI": "1"}, True),
        ({"ACTMAX_REQUIRE_BROWSER": "1"}, True),
        ({"CI": "0"}, False),
    ],
)
def test_a_browser_is_required_in_ci_only(monkeypatch, variables, required):
    for name in ("CI", "ACTMAX_REQUIRE_BROWSER"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert chromium.required() is required


def without_browser(tmp_path, **variables: str) -> subprocess.CompletedProcess:
    """One browser test on a machine that has no browser."""
    dropped = ("CI", "ACTMAX_REQUIRE_BROWSER", "ACTMAX_CHROMIUM")
    environment = {k: v for k, v in os.environ.items() if k not in dropped}
    environment |= {"PATH": str(tmp_path), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path), **variables}
    test = "tests/browser/test_page_checks.py::test_a_good_page_passes"
    command = [sys.executable, "-m", "pytest", test, "-p", "no:cacheprovider"]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_without_a_browser_the_tests_are_skipped_by_name(tmp_path):
    result = without_browser(tmp_path)
    assert result.returncode == 0, result.stdout
    assert re.search(r"SKIPPED.*test_a_good_page_passes.*no Chromium", result.stdout)


def test_without_a_browser_ci_fails(tmp_path):
    result = without_browser(tmp_path, CI="1")
    assert result.returncode == 1, result.stdout
    assert "no Chromium" in result.stdout


def test_a_wrong_path_to_a_browser_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("ACTMAX_CHROMIUM", str(tmp_path / "nothing"))
    with pytest.raises(SystemExit, match=r"ACTMAX_CHROMIUM=.*nothing does not start"):
        chromium.find()
