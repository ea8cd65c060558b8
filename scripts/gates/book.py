"""A book on disk: its sources, its executed notebooks and its pages."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml
from bs4 import BeautifulSoup


@lru_cache(maxsize=64)
def _parse(path: Path, _mtime: int) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def _entries(node) -> Iterator[str]:
    """Every file or root named anywhere in a table of contents."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("root", "file"):
                yield value
            else:
                yield from _entries(value)
    elif isinstance(node, list):
        for item in node:
            yield from _entries(item)


@dataclass(frozen=True)
class Book:
    """`source`: folder with _toc.yml and _config.yml. `html`: folder of the built pages."""

    source: Path
    html: Path

    def documents(self) -> list[str]:
        """Names in _toc.yml, without suffix, in order."""
        toc = yaml.safe_load((self.source / "_toc.yml").read_text(encoding="utf-8"))
        return [name.removesuffix(".md") for name in _entries(toc)]

    def config(self) -> dict:
        """Sphinx part of _config.yml."""
        text = (self.source / "_config.yml").read_text(encoding="utf-8")
        return yaml.safe_load(text)["sphinx"]["config"]

    def text(self, document: str) -> str:
        """Source of a document; empty when there is no such file."""
        path = self.source / f"{document}.md"
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def notebook(self, document: str) -> dict | None:
        """The notebook as executed, outputs included; None for a page without code cells."""
        path = self.html.parent / "executed" / f"{document}.ipynb"
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None

    def code_cells(self, document: str) -> list[dict]:
        """Code cells of the executed notebook."""
        cells = (self.notebook(document) or {"cells": []})["cells"]
        return [cell for cell in cells if cell["cell_type"] == "code"]

    def record(self) -> dict:
        """What _ext/actmax_cache.py noted about the last build; empty when it noted nothing."""
        path = self.html.parent / "record.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}

    def pages(self) -> dict[str, BeautifulSoup]:
        """Every built page, parsed, by its path relative to `html`."""
        paths = sorted(self.html.rglob("*.html"))
        own = [p for p in paths if "_static" not in p.relative_to(self.html).parts]
        return {p.relative_to(self.html).as_posix(): _parse(p, p.stat().st_mtime_ns) for p in own}
