"""A small design and played sessions for the tests; nothing here reads the book's stimuli."""

import csv
import io
import random
import zlib
from pathlib import Path

import pytest

from actmax_lib.study.records import COLUMNS, RecordError, read, write
from actmax_lib.study.session import Design, Unit, schedule
from actmax_lib.study.table import KINDS

LAYERS = [("net-a", "a.1"), ("net-a", "a.2"), ("net-b", "b.1")]
UNITS = tuple(
    Unit("cifar" if name == "net-a" else "imagenet", name, layer, 10 * k, k == 4)
    for name, layer in LAYERS
    for k in range(5)
)
DESIGN = Design(1, "ab12cd34", 20, UNITS)
OTHER = {"left": "right", "right": "left"}


def answers(seed=5, mode="matching", length="short", *, right=None, noise=0, rt=(400, 9000)):
    """An answer a trial; right(trial) says whether it is right, by default always."""
    draw = random.Random(f"{seed} {noise}")
    found = []
    for trial in schedule(seed, mode, length, DESIGN):
        good = right is None or right(trial)
        side = trial.side if good else OTHER[trial.side]
        found.append((side, draw.randint(1, 3), draw.randint(*rt)))
    return found


def played(seed=5, mode="matching", length="short", session="s0000002a", count=None, **how):
    """The text of an exported file; count: only the first answers."""
    given = answers(seed, mode, length, **how)[:count]
    return write(given, session=session, seed=seed, mode=mode, length=length, design=DESIGN)


def file(folder: Path, text: str | bytes, name="a.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def table(text: str) -> list[list[str]]:
    return [line.split(",") for line in text.splitlines()]


def joined(rows: list[list[str]]) -> str:
    return "".join(",".join(row) + "\n" for row in rows)


def forged(text: str, **changes: str) -> str:
    """The file with these fields in every row (column__7: in trial 7 alone), all checks right."""
    head, *rows = table(text)
    check = ""
    for number, row in enumerate(rows, 1):
        for name, value in changes.items():
            column, _, trial = name.partition("__")
            if not trial or int(trial) == number:
                row[COLUMNS.index(column)] = value
        check = f"x{zlib.crc32((check + ',' + ','.join(row[:-1])).encode()):08x}"
        row[-1] = check
    return joined([head, *rows])


def requoted(text: str, **how) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, **how).writerows(csv.reader(text.splitlines()))
    return out.getvalue()


def refused(folder, text, kind, told, line=None):
    """The error of a file with this text; it names the file."""
    path = file(folder, text)
    with pytest.raises(RecordError, match=told) as caught:
        read(path, DESIGN)
    error = caught.value
    assert error.kind == kind
    assert kind in KINDS
    assert error.path == path
    assert str(path) in str(error)
    assert error.reason in str(error)
    if line is not None:
        assert error.line == line
        assert f"line {line}" in str(error)
    return error
