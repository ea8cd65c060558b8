"""Key the execution cache by everything the outputs depend on, and record what was built.

Jupyter Cache knows a notebook by its own code cells. A change in the library, in the data or in a
pin then leaves old outputs in new pages, and sooner or later pages of both kinds in one book. Here
a fingerprint of all of these names the cache folder, so a change finds an empty cache.
"""

import hashlib
import json
import os
import platform
import re
import shutil
from importlib import metadata
from pathlib import Path

import nbformat
from myst_nb.core.execute.cache import NotebookClientCache

KEEP = 3  # caches of the latest fingerprints: going back to a branch stays quick


def dependencies(root: Path, patterns: list[str]) -> list[Path]:
    """Files under `root` that match a glob, sorted, without byte code and editor files."""
    found = {path for pattern in patterns for path in root.glob(pattern) if path.is_file()}
    hidden = re.compile(r"(^|/)(__pycache__|\.[^/]*)(/|$)|~$")
    return sorted(p for p in found if not hidden.search(p.relative_to(root).as_posix()))


def installed(requirements: Path) -> list[str]:
    """`name==version` as installed, for every package that `requirements` names."""
    lines = requirements.read_text().splitlines() if requirements.is_file() else []
    names = [m[1] for line in lines if (m := re.match(r"([A-Za-z0-9][\w.-]*)", line))]
    versions = []
    for name in sorted(names):
        try:
            versions.append(f"{name}=={metadata.version(name)}")
        except metadata.PackageNotFoundError:
            versions.append(f"{name} is absent")
    return versions


def fingerprint(root: Path, patterns: list[str], static: str) -> str:
    """Twelve hex digits that change when a dependency, a pin, Python or the figure mode changes."""
    parts = [platform.python_version(), static]
    parts += installed(root / "requirements.txt")
    digest = hashlib.sha256("\n".join(parts).encode())
    for path in dependencies(root, patterns):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"\n{path.relative_to(root).as_posix()} {content}".encode())
    return digest.hexdigest()[:12]


def choose_cache(app, config) -> None:
    """Point the notebook runner at the cache of this fingerprint."""
    static = os.environ.get("ACTMAX_STATIC", "")
    config.actmax_fingerprint = fingerprint(Path(app.srcdir), config.actmax_depends, static)
    caches = Path(app.outdir).parent / ".jupyter_cache"
    cache = caches / config.actmax_fingerprint
    cache.mkdir(parents=True, exist_ok=True)
    os.utime(cache)
    newest = sorted(caches.iterdir(), key=lambda p: p.stat().st_mtime, reverse=True)
    for old in newest[KEEP:]:
        shutil.rmtree(old)
    config.nb_execution_cache_path = str(cache)


def keep_notebooks(app) -> None:
    """Write each notebook with the outputs that its page shows to `_build/executed/`.

    myst-nb writes one too, but without outputs when they came from the cache.
    """
    target, original = Path(app.outdir).parent / "executed", NotebookClientCache.start_client

    def start_client(self) -> None:
        original(self)
        path = target / Path(self.path).relative_to(app.srcdir).with_suffix(".ipynb")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(nbformat.writes(self.notebook), encoding="utf-8")

    NotebookClientCache.start_client = start_client


def write_record(app, exception) -> None:
    """Leave `_build/record.json`: what was built, from which sources, and whether it was clean.

    scripts/gates compares it with the tree, so an old book is not taken for the present one.
    """
    documents = {}
    for name in sorted(app.env.found_docs):
        source = Path(app.env.doc2path(name)).read_bytes()
        documents[name] = hashlib.sha256(source).hexdigest()
    record = {
        "fingerprint": app.config.actmax_fingerprint,
        "static": os.environ.get("ACTMAX_STATIC", ""),
        "clean": exception is None and app._warncount == 0,
        "documents": documents,
    }
    target = Path(app.outdir).parent / "record.json"
    target.write_text(json.dumps(record, indent=1) + "\n")


def setup(app) -> dict:
    """Register with Sphinx."""
    app.add_config_value("actmax_depends", [], "env", [list])
    app.add_config_value("actmax_fingerprint", "", "env", [str])
    app.connect("config-inited", choose_cache)
    app.connect("builder-inited", keep_notebooks)
    app.connect("build-finished", write_record)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
