"""What the other side of the wall says of itself, cut to form: none of it is trusted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from classroom.wire import WireError, decode

NAMES = 2000


@dataclass
class Found:
    """What a notebook came to: all of it claims of the other side, cut to form.

    `stopped`: cells that did not end well: their number, why, the names they define.
    """

    names: list[str] = field(default_factory=list)
    stopped: list[tuple[int, str, list[str]]] = field(default_factory=list)
    words: dict[str, str] = field(default_factory=dict)
    unusable: str = ""


def found(told: Any, skipped: Mapping[int, str], asked: Sequence[str]) -> Found:
    """A notebook's own account. Raises WireError where it is none.

    skipped: cells that the judge left out, and why; asked: questions answered in words.
    """
    if not isinstance(told, dict):
        raise WireError("not what was found")
    stopped = []
    for entry in _list(told.get("stopped"))[:NAMES]:
        if isinstance(entry, list) and len(entry) == 3 and type(entry[0]) is int:
            number, why, names = entry
            why = skipped.get(number) or _text(why, 400)
            stopped.append((number, why, [_text(name, 80) for name in _list(names)[:NAMES]]))
    names = [name for name in _list(told.get("names"))[:NAMES] if _text(name, 80).isidentifier()]
    words = told.get("words")
    words = words if isinstance(words, dict) else {}
    texts = {name: _text(words.get(name), 20_000) for name in asked}
    return Found(names, stopped, texts, _text(told.get("unusable"), 300))


def raised(reply: bytes) -> tuple[tuple[str, ...], str]:
    """The names of an error's classes and its words."""
    try:
        told = decode(reply)
    except WireError:
        told = None
    if not (isinstance(told, list) and len(told) == 2):
        return (), "an error that cannot be read"
    return tuple(_text(name, 80) for name in _list(told[0])[:20]), _text(told[1], 600)


def _list(value: Any) -> list:
    return value if isinstance(value, list) else []


def _text(value: Any, size: int) -> str:
    return value[:size] if isinstance(value, str) else ""
