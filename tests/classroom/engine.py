"""A tiny sheet and notebooks for it: what the tests of the grading engine share."""

import csv
import io
import json
import os
import time
from pathlib import Path

import pytest

from classroom.judge import judge
from classroom.sandbox import Limits, Sandbox
from classroom.sheets import load
from classroom.wall import Refused, Wall

HEAD = """\
---
jupytext: {text_representation: {extension: .md, format_name: myst}}
kernelspec: {display_name: Python 3, language: python, name: python3}
assignment: {number: 1, title: "Tiny", packages: [numpy], memory: 1, chapters: []}
---

# Tiny

```{code-cell}
:tags: [setup]
import numpy as np
```
"""
SHEET = (
    HEAD
    + """
+++ {"question": "double", "points": 4, "minutes": 5, "functions": ["double"]}

## Question 1. Twice

```{code-cell}
:tags: [answer]
def double(x):
    # BEGIN SOLUTION
    if x is None:
        raise ValueError("no x")
    return 2 * x
    # END SOLUTION
```

+++ {"question": "climb", "points": 5, "minutes": 5, "functions": ["climb"]}

## Question 2. Upwards

```{code-cell}
:tags: [answer]
def climb(gradient, x):
    # BEGIN SOLUTION
    for _ in range(100):
        x = x + 0.5 * gradient(x)
    return {"x": x, "steps": 100}
    # END SOLUTION
```

+++ {"question": "in-words", "points": 3, "minutes": 5, "words": true}

## Question 3. In words

Why?

+++ {"answer": "in-words"}

*Write your answer here (at most 120 words).*

+++ {"rubric": "in-words"}

| points | the answer says |
|--:|:--|
| 3 | because |
"""
)
HIDDEN = '''"""What the tiny sheet is judged by: SECRET-OF-THE-CHECKS."""
import numpy as np
from classroom.checks import check, close, refuses

@check("double", points=1, seconds=2)
def twice(double, rng):
    """Twice a vector."""
    for n in range(1, 6):
        x = rng.standard_normal(n)
        assert close(double(x), 2 * x), "not twice the vector"

@check("double", points=1, seconds=2)
def twice_a_matrix(double, rng):
    """Twice a matrix."""
    x = rng.standard_normal((3, 3))
    assert close(double(x), 2 * x), "not twice the matrix"

@check("double", points=2, seconds=2)
def no_x(double, rng):
    """Nothing is refused."""
    assert close(double(1.5), 3.0), "not twice the number"
    refuses(ValueError, double, None)

@check("climb", points=5, seconds=2)
def reaches_the_top(climb, rng):
    """The top is reached, with the gradient that is given."""
    top, asked = rng.standard_normal(2), []
    def gradient(x):
        asked.append(x)
        return top - x
    found = climb(gradient, rng.standard_normal(2))
    assert isinstance(found, dict) and close(found.get("x"), top, 1e-6), "not the top"
    assert len(asked) >= 5, "the gradient is not used"
'''
IMPORTS = "import numpy as np"
DOUBLE = """def double(x):
    if x is None:
        raise ValueError("no x")
    return 2 * x"""
CLIMB = """def climb(gradient, x):
    for _ in range(100):
        x = x + 0.5 * gradient(x)
    return {"x": x, "steps": 100}"""
BLANK = """def double(x):
    raise NotImplementedError("Question 1 is not answered yet.")"""
REPLY = {"cell_type": "markdown", "id": "answer-in-words", "metadata": {}, "source": "Because."}
QUICK = Limits(memory=0.6, files=0.03, cell=1.5, seconds=120.0, processes=30)
FULL = {"double": 4, "climb": 5, "in-words": None}


def tiny(folder):
    """The tiny sheet, written to a folder."""
    place = Path(folder) / "tiny"
    place.mkdir(exist_ok=True)
    (place / "sheet.md").write_text(SHEET)
    (place / "hidden.py").write_text(HIDDEN)
    return load(place)


def rows(path):
    """A CSV as dicts by student."""
    text = path.read_text("utf-8-sig")
    return {row["student"]: row for row in csv.DictReader(io.StringIO(text))}


def code(source, **more):
    """A code cell of a file."""
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": []} | more


def notebook(*sources, cells=None, **more):
    """A notebook file's bytes: these code cells, then a reply in words."""
    cells = [*map(code, sources), REPLY] if cells is None else cells
    told = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells} | more
    return json.dumps(told).encode()


def right(*extra, double=DOUBLE, climb=CLIMB):
    """A full answer; extra cells stand before the answers."""
    return notebook(IMPORTS, *extra, double, climb)


def judged(folder, content, limits=QUICK, seed=1, unsafe=False):
    """The result, and what each question earns."""
    result = judge(tiny(folder), content, seed, wall(unsafe), limits)
    return result, {q["name"]: q["earned"] for q in result["questions"]}


def kinds(result):
    """What became of each check."""
    return {c["check"]: c["kind"] for q in result["questions"] for c in q["checks"]}


_walls = {}


def wall(unsafe=False):
    """The same wall for all tests: its list of fonts is made once."""
    return _walls.setdefault(unsafe, Wall(unsafe))


def why_not():
    """Why there is no sandbox here, or ""."""
    try:
        wall().check()
    except Refused as refused:
        return str(refused)
    return ""


needs_sandbox = pytest.mark.skipif(bool(why_not()), reason=f"no sandbox: {why_not()}")


def survivors(namespaces):
    """Processes in these namespaces, a moment being left to them to end."""
    for _ in range(50):
        found = [pid for pid in os.listdir("/proc") if pid.isdigit() and _space(pid) in namespaces]
        if not found:
            return []
        time.sleep(0.1)
    return found


def _space(pid):
    try:
        return os.stat(f"/proc/{pid}/ns/pid").st_ino
    except OSError:
        return -1


@pytest.fixture
def no_survivor(monkeypatch):
    """Every sandbox of the test is empty after it."""
    held, start = [], Sandbox._start

    def noted(box, wall):
        start(box, wall)
        held.append(os.open(f"/proc/{box._root}/ns/pid", os.O_RDONLY))  # its number stays its own

    monkeypatch.setattr(Sandbox, "_start", noted)
    yield
    spaces = {os.fstat(fd).st_ino for fd in held}
    try:
        assert spaces
        assert _space("self") not in spaces
        assert survivors(spaces) == []
    finally:
        for fd in held:
            os.close(fd)
