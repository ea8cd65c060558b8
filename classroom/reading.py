"""Read a notebook from anywhere: Jupyter, Colab, VS Code, old formats, damaged ones.

Runs in the sandbox and needs the standard library alone: what students send in is opened there.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

CELLS = 2000  # more than any person writes
HEADING = re.compile(r"^#{1,4} *Question (\d+)\b", re.MULTILINE)
PLACE = re.compile(r"^\s*\*?Write your answer here[^\n]*$", re.MULTILINE)
DEFINED = re.compile(r"^(?:async +def|def|class) +(\w{1,80})|^(\w{1,80}) *=[^=]", re.MULTILINE)
OURS = re.compile(r"answer-|q\d+(-|$)")  # ids of cells as they were handed out
OTHERS = (
    (b"PK\x03\x04", "a zip file"),
    (b"%PDF", "a PDF file"),
    (b"\xd0\xcf\x11\xe0", "an office document"),
    (b"<", "a web page"),
)


class Unusable(ValueError):
    """The file is no notebook that can be run; the message says why, in words."""


def cells(content: bytes) -> list[dict[str, str]]:
    """The cells as {kind: "code" or "markdown", source, id}. Raises Unusable."""
    held = _loaded(content)
    listed = held.get("cells")
    if not isinstance(listed, list):  # nbformat 3 and before
        sheets = held.get("worksheets")
        sheets = sheets if isinstance(sheets, list) else []
        listed = [c for s in sheets if isinstance(s, dict) for c in _list(s.get("cells"))]
    if not listed:
        raise Unusable("The notebook has no cells.")
    if len(listed) > CELLS:
        raise Unusable(f"The notebook has {len(listed)} cells; {CELLS} at most are run.")
    return [_cell(cell) for cell in listed if isinstance(cell, dict)]


def _loaded(content: bytes) -> dict[str, Any]:
    if not content.strip(b"\x00 \r\n\t"):
        raise Unusable("The file is empty.")
    for start, kind in OTHERS:
        if content.lstrip()[:9].startswith(start):
            raise Unusable(f"The file is {kind}, not a notebook (.ipynb).")
    wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        held = json.loads(content.decode("utf-16" if wide else "utf-8-sig"))
    except UnicodeDecodeError:
        raise Unusable("The file is not a notebook: it is not text.") from None
    except (ValueError, RecursionError, MemoryError):
        told = "The notebook is damaged or cut off: it is not valid JSON."
        raise Unusable(told) from None
    if not isinstance(held, dict) or not {"cells", "worksheets"} & held.keys():
        raise Unusable("The file is not a notebook: it has no cells.")
    return held


def _list(value: Any) -> list:
    return value if isinstance(value, list) else []


def _cell(cell: dict[str, Any]) -> dict[str, str]:
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    source = source if isinstance(source, str) else ""
    kind = "code" if cell.get("cell_type") == "code" else "markdown"
    if cell.get("cell_type") == "heading":  # nbformat 3
        source = f"## {source}"
    metadata = cell.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    named = [f"answer-{metadata.get('answer')}", cell.get("id"), metadata.get("id")]  # Colab's last
    own = [n for n in named[metadata.get("answer") is None :] if isinstance(n, str)]
    name = next((n for n in own if n.startswith("answer-")), next(filter(OURS.match, own), ""))
    return {"kind": kind, "source": source, "id": name[:200]}


def defined(source: str) -> list[str]:
    """The names that a cell gives to something at its left margin."""
    return sorted({a or b for a, b in DEFINED.findall(source)})[:200]


def words(found: Sequence[dict[str, str]], name: str, number: int) -> str:
    """What a notebook answers in words to a question, "" for nothing.

    The cell with the id that was handed out. Where it is empty, the text that was written in other
    cells after the heading; where ids are lost, all text after it.
    """
    under = _under(found, number)
    own = [c for c in found if c["id"] == f"answer-{name}"]
    added = [c for c in under if c["kind"] == "markdown" and not c["id"]]
    return _text(own) or _text(added if own else under)


def _text(parts: Sequence[dict[str, str]]) -> str:
    text = "\n\n".join(PLACE.sub("", part["source"]).strip() for part in parts)
    return text.strip()[:20_000]


def _under(found: Sequence[dict[str, str]], number: int) -> list[dict[str, str]]:
    inside, parts = False, []
    for cell in found:
        heading = HEADING.search(cell["source"]) if cell["kind"] == "markdown" else None
        if heading:
            inside = int(heading[1]) == number
        elif inside:
            parts.append(cell)
    return parts
