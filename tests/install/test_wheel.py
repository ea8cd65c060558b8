"""What `pip install .` gives: every module, the weights, the figures, the results, the licences."""

import ast
import contextlib
import io
import re
import sys
import tomllib
import zipfile
import zlib
from email import message_from_string
from importlib.metadata import version

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.notebooks import documents
from tests.install.conftest import ROOT
from tests.install.test_outside import code

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MOVED = {  # where pyproject.toml puts what is not kept in the package
    "web": "actmax_lib/web",
    "chapters/results": "actmax_lib/results",
    "benchmarks/results": "actmax_lib/results/benchmarks",
}
INSIDE = {"PIL": "pillow", "skimage": "scikit-image"}  # import name: distribution
THROUGH = {"traitlets": "anywidget", "ipywidgets": "anywidget", "cycler": "matplotlib"}
OF_JUPYTER = {"IPython"}  # whoever opens a notebook has it


@pytest.fixture(scope="module")
def files(installed):
    """CRC-32 by name, of all that the wheel holds."""
    with zipfile.ZipFile(installed.wheel) as archive:
        assert archive.testzip() is None
        return {entry.filename: entry.CRC for entry in archive.infolist()}


@pytest.fixture(scope="module")
def about(installed):
    """METADATA of the wheel."""
    with zipfile.ZipFile(installed.wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return message_from_string(archive.read(name).decode("utf-8"))


def expected() -> dict[str, int]:
    """CRC-32 by name, of all that belongs into the wheel: the package's folder and those moved."""
    found = {}
    for folder, target in {"actmax_lib": "actmax_lib", **MOVED}.items():
        for path in (ROOT / folder).rglob("*"):
            inside = path.relative_to(ROOT / folder)
            hidden = any(part.startswith((".", "__pycache__")) for part in inside.parts)
            if path.is_file() and not hidden and not (folder == "web" and len(inside.parts) > 1):
                found[f"{target}/{inside.as_posix()}"] = zlib.crc32(path.read_bytes())
    return found


def test_the_wheel_holds_the_library_and_nothing_else(files):
    held = {name: crc for name, crc in files.items() if ".dist-info/" not in name}
    wanted = expected()
    assert sorted(held) == sorted(wanted)
    assert [name for name in held if held[name] != wanted[name]] == []
    kinds = {name.rpartition(".")[2] for name in held}
    assert {"py", "safetensors", "npz", "json", "txt", "js", "css", "webp"} <= kinds


def test_it_is_small_enough_to_hand_out(installed):
    assert installed.wheel.stat().st_size < 40e6


def test_the_licences_are_in_it(files, about):
    folder = next(name for name in files if ".dist-info/" in name).partition("/")[0]
    for licence in PROJECT["license-files"]:
        crc = zlib.crc32((ROOT / licence).read_bytes())
        assert files[f"{folder}/licenses/{licence}"] == crc
        assert licence in about.get_all("License-File")
    assert about["License-Expression"] == PROJECT["license"] == "MIT AND CC-BY-4.0"


def test_name_and_version(installed, about):
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert about["Name"] == "actmax-lib"
    assert about["Version"] == PROJECT["version"] == cited["version"]
    assert installed.wheel.name == f"actmax_lib-{about['Version']}-py3-none-any.whl"
    assert about["Requires-Python"] == ">=3.11"
    assert about["Summary"]
    assert "## The library in ten lines" in about.get_payload()


def requirements(about, extra: str = "") -> dict[str, Requirement]:
    """Distribution to requirement, without an extra or of one, its own extras resolved."""
    found = {}
    for line in about.get_all("Requires-Dist"):
        one = Requirement(line)
        wanted = one.marker.evaluate({"extra": extra}) if one.marker else not extra
        if wanted and one.name == about["Name"]:
            for inner in one.extras:
                found |= requirements(about, inner)
        elif wanted:
            found[canonicalize_name(one.name)] = one
    return found


def imported(sources: list[str]) -> set[str]:
    """Top-level packages that are neither Python's nor this library."""
    names = set()
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - {"actmax_lib"}


def distributions(names: set[str]) -> set[str]:
    """The distributions that have to be asked for."""
    return {canonicalize_name(THROUGH.get(name, INSIDE.get(name, name))) for name in names}


def test_the_metadata_ask_for_what_is_imported(about):
    base, more = requirements(about), requirements(about, "notebooks")
    assert set(about.get_all("Provides-Extra")) == {"zoo", "notebooks"}
    library = [p.read_text(encoding="utf-8") for p in (ROOT / "actmax_lib").rglob("*.py")]
    weights = set(requirements(about, "zoo"))
    assert len(weights) == 3
    needed = distributions(imported(library))
    assert needed - weights == set(base)  # nothing forgotten, nothing too much
    pages = [cell for name in documents() for cell in code(name)]
    assert distributions(imported(pages) - OF_JUPYTER) <= set(base) | set(more)
    assert weights < set(more)


def test_the_tested_set_is_what_the_metadata_ask_for(about):
    pinned = dict(
        re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    )
    pinned = {canonicalize_name(name): number for name, number in pinned.items()}
    for name, wanted in (requirements(about) | requirements(about, "notebooks")).items():
        assert wanted.specifier.contains(pinned[name])
        assert wanted.specifier.contains(version(name), prereleases=True)


def test_a_checkout_and_an_installed_copy_find_the_same_results(installed):
    names = ["quality.json", "study/study-batch-00.webp", "benchmarks/speed-cpu.json"]
    program = (
        "import hashlib\nfrom actmax_lib import data, widgets, zoo\n"
        f"for name in {names!r}:\n"
        "    print(hashlib.sha256(data.result(name).read_bytes()).hexdigest())\n"
        "print(sorted(widgets.names()))\nprint(sorted(zoo.names()))\n"
    )
    with contextlib.redirect_stdout(io.StringIO()) as here:
        exec(program, {})
    assert installed.python(program) == here.getvalue()
    assert len(here.getvalue().splitlines()) == len(names) + 2
