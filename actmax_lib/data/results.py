"""The results that pages of the book read, found from any folder."""

from pathlib import Path

from actmax_lib.errors import closest

_PACKAGE = Path(__file__).resolve().parents[1]


def _folders() -> dict[str, Path]:
    """Folder by what its names begin with. pyproject.toml puts the second into the first."""
    if (_PACKAGE / "results").is_dir():  # installed from a wheel
        return {"": _PACKAGE / "results"}
    source = _PACKAGE.parent
    return {"": source / "chapters/results", "benchmarks/": source / "benchmarks/results"}


def result(name: str) -> Path:
    """Path of a committed result: what cost more than a minute, made by a command it names itself.

    name: a file or a folder, "quality.json", "strip.webp", "study", or a measurement of speed,
    "benchmarks/speed-cpu.json". It comes with the library, so a page finds it from any folder.

    Raises ValueError for a name that is not there, and FileNotFoundError when the installed library
    came without its results.
    """
    known = {}
    for prefix, folder in _folders().items():
        known |= {prefix + p.relative_to(folder).as_posix(): p for p in folder.rglob("*")}
    if not known:
        raise FileNotFoundError(
            f"the results are neither in {_PACKAGE / 'results'} nor beside {_PACKAGE}; install the "
            "library from its repository: pip install ."
        )
    if name not in known:
        raise ValueError(
            f"name {name!r} is not a result of the book; {closest(str(name), sorted(known))}"
        )
    return known[name]
