"""The whole way: hand out, solve, submit, grade 40 of all sorts by the command, read the CSV."""

import ast
import csv
import inspect
import io
import json
import os
import random
import subprocess
import sys
import textwrap
import zipfile
from collections import Counter

from _ext.actmax_launch import Repository
from classroom.calls import Local, run
from classroom.frames import NOTEBOOK
from classroom.notebooks import student_notebook, text_of
from classroom.packages import hand_out
from classroom.sheets import load
from tests.classroom.engine import needs_sandbox

SEED = 20240229
SLIPS = 12
FIRST = "am_linear_l2"  # the function of question 1


class Class:
    """Who hands in what and what is deserved: a total, and words that the flags must hold."""

    def __init__(self, folder):
        self.sheet, self.folder = load("formulation"), folder
        packed = hand_out(self.sheet, text_of(student_notebook(self.sheet, Repository("", "", ""))))
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            (name,) = [n for n in archive.namelist() if n.endswith(".ipynb")]
            self.blank = json.loads(archive.read(name))
        for cell in self.blank["cells"]:
            cell["source"] = "".join(cell["source"])
        self.space = self.sheet.namespace("solution")
        self.answers = {
            cell.functions[0]: self.sheet.code(cell, "solution")
            for cell in self.sheet.cells
            if cell.kind == "answer"
        }
        self.written = [f for q in self.sheet.questions for f in q.functions]
        self.full = sum(q.points for q in self.sheet.questions if not q.words)
        self.deserved = {}

    def points(self, *functions):
        """What is lost with these functions."""
        return sum(c.points for c in self.sheet.hidden() if set(functions) & set(c.needs))

    def points_of(self, name):
        """The points of the check of that name."""
        return next(c.points for c in self.sheet.hidden() if c.name == name)

    def solved(self, answers=None, first=None, drop=()):
        """The notebook filled in; `answers` over the right ones, `first` a cell before all."""
        answers, notebook = self.answers | (answers or {}), json.loads(json.dumps(self.blank))
        for cell in notebook["cells"]:
            name = cell["id"].partition("-answer-")[2]
            if name in answers:
                cell["source"] = answers[name]
            if cell["id"].startswith("answer-"):
                cell["source"] = "Because it is so."
        cells = [c for c in notebook["cells"] if c["id"].partition("-answer-")[2] not in drop]
        if first is not None:
            made = {"cell_type": "code", "id": "mine", "metadata": {}, "outputs": []}
            cells.insert(4, made | {"execution_count": None, "source": first})
        return notebook | {"cells": cells}

    def submit(self, student, notebook, total, *flags, file=None):
        """A file, and what it deserves."""
        path = self.folder / (file or f"{student}.ipynb")
        path.parent.mkdir(parents=True, exist_ok=True)
        content = notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode()
        path.write_bytes(content)
        self.deserved[student] = total, flags

    def slips(self):
        """Mutants that need nothing but the notebook, spread over the functions."""
        usable = [m for m in self.sheet.mutants() if needed(m.body) <= self.space.keys()]
        random.Random(1).shuffle(usable)
        rank = Counter()
        ordered = sorted(usable, key=lambda m: (rank.update([m.function]), rank[m.function])[1])
        return ordered[:SLIPS]

    def earned(self, slip):
        """What a slip earns in this process, without any wall."""
        held = {f: Local(f, self.space[f]) for f in self.written}
        held |= {slip.function: Local(slip.function, slip.body)}
        return sum(run(check, held, SEED).earned for check in self.sheet.hidden())


def helpers(body):
    """Functions beside a mutant that it calls."""
    found = inspect.getclosurevars(body).globals.values()
    return [f for f in found if getattr(f, "__module__", "") == body.__module__]


def needed(body):
    """Names that a mutant and its helpers take from elsewhere."""
    held = inspect.getclosurevars(body)
    names = {
        n for n, f in held.globals.items() if not any(f is h for h in helpers(body))
    } | held.unbound
    return names.union(*(needed(f) for f in helpers(body) if inspect.isfunction(f)))


def source(slip):
    """A mutant as a student would write it."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(slip.body))).body
    tree.name, tree.decorator_list = slip.function, []
    return "\n\n".join([*map(inspect.getsource, helpers(slip.body)), ast.unparse(tree)])


def like_colab(notebook):
    """Ids move to the metadata, as Colab does."""
    cells = [{**c, "metadata": c["metadata"] | {"id": c["id"]}} for c in notebook["cells"]]
    for cell in cells:
        del cell["id"]
    return notebook | {"cells": cells, "nbformat_minor": 0, "metadata": {"colab": {}}}


def like_version_3(notebook):
    """The format of before 2015."""
    cells = [
        {"cell_type": "code", "input": c["source"], "outputs": [], "language": "python"}
        if c["cell_type"] == "code"
        else {"cell_type": "markdown", "source": [c["source"]]}
        for c in notebook["cells"]
    ]
    return {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]}


def in_parts(notebook, language="python"):
    """As VS Code writes: sources in lines, its own ids and language."""
    cells = []
    for k, c in enumerate(notebook["cells"]):
        kept = c["id"] if c["id"].startswith("answer-") else f"#W{k}sZmlsZQ%3D%3D"
        told = {"id": kept, "metadata": {"vscode": {"languageId": language}}}
        cells.append({**c, **told, "source": c["source"].splitlines(keepends=True)})
    return notebook | {"cells": cells}


HOSTILE = {  # a cell before all answers, and what the teacher reads; nothing else is lost
    "loop": ("while True: pass", "took too long"),
    "deaf": (
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True: pass",
        "never ended",
    ),
    "bomb": ("import os\nwhile True: os.fork()", "processes"),
    "hog": ("x = []\nwhile True: x.append(np.zeros(10**7))", "used up its memory"),
    "talker": ("while True: print('x' * 10**6)", "printed more than 50 MB"),
    "filler": ("for k in range(99): open(f'{k}', 'wb').write(bytes(10**7))", "No space left"),
    "quitter": ("import os\nos._exit(0)", "ended the whole program"),
    "leaver": ("import sys\nsys.exit()", "SystemExit"),
    "eraser": ("import os, sys\nos.remove(sys.prefix + '/pyvenv.cfg')", "Read-only file system"),
    "caller": (
        "import urllib.request\nurllib.request.urlopen('http://1.1.1.1', timeout=3)",
        "Network is unreachable",
    ),
    "shouter": (
        "import os\nfor fd in range(3, 20):\n    try: os.write(fd, b'\\xff' * 64)\n"
        "    except OSError: pass",
        "the grader's pipe",
    ),
    "reader": (
        "from pathlib import Path\n"
        f"print(Path({str(load('formulation').folder)!r}, 'hidden.py').read_text())",
        "FileNotFoundError",
    ),
}
CHEATS = {  # a cell before all answers, with a wrong answer to question 1
    "bender": "import numpy as np\nnp.allclose = np.isclose = np.all = lambda *a, **k: True",
    "forger": (
        "for name in ('grades.csv', 'results.json', '/tmp/grades.json'):\n"
        "    open(name, 'w').write('{\"score\": 100}')"
    ),
    "liar": "import builtins\nbuiltins.all = lambda *a: True\nprint('60 of 60')",
}
DAMAGED = {
    "empty": (b"", "The file is empty"),
    "web": (b"<html></html>", "a web page"),
    "deep": (b"[" * 10**6, "damaged or cut off"),
    "large": (b" " * (NOTEBOOK + 1), "clear its outputs"),
}


def a_class(folder):
    """Forty submissions."""
    them = Class(folder)
    them.submit("reference", them.solved(), them.full)
    them.submit("nothing", them.blank, 0)
    half = them.written[::2]
    blanks = {c["id"].partition("-answer-")[2]: c["source"] for c in them.blank["cells"]}
    some = {f: blanks[f] for f in half if f in blanks}
    them.submit("half", them.solved(some), them.full - them.points(*some))
    name = "colab_77_88_formulation.ipynb"
    them.submit("colab_77", like_colab(them.solved()), them.full, file=name)
    name = "Vera Code_5_assignsubmission_file_/work.ipynb"
    them.submit("Vera-Code_5", in_parts(them.solved()), them.full, file=name)
    them.submit("old", like_version_3(them.solved()), them.full, file="old/formulation/x.ipynb")
    ids = them.solved()
    ids["cells"][4]["id"] = "x" * 10**6
    them.submit("ids", b"\xef\xbb\xbf" + json.dumps(ids).encode(), them.full)
    renamed = {FIRST: them.answers[FIRST].replace(FIRST, FIRST + "_new")}
    lost = them.full - them.points(FIRST)
    them.submit("renamed", them.solved(renamed), lost, "did you rename it?")
    them.submit("missing", them.solved(drop=[FIRST]), lost)
    for slip in them.slips():
        right = them.earned(slip)
        assert right <= them.full - them.points_of(slip.by)
        them.submit(slip.name, them.solved({slip.function: source(slip)}), right)
    for name, (cell, told) in HOSTILE.items():
        them.submit(name, them.solved(first=cell), them.full, told)
    wrong = f"def {FIRST}(w, b, lam):\n    return w, b, lam"
    for name, cell in CHEATS.items():
        them.submit(name, them.solved({FIRST: wrong}, first=cell), lost)
    them.submit("endless", them.solved({FIRST: f"def {FIRST}(*a):\n    while True: pass"}), lost)
    for name, (content, told) in DAMAGED.items():
        them.submit(name, content, 0, told)
    them.submit("cut", json.dumps(them.solved()).encode()[:-99], 0, "damaged or cut off")
    os.symlink("/etc/passwd", folder / "linked.ipynb")
    them.deserved["linked"] = 0, ("it was not followed",)
    return them


@needs_sandbox
def test_from_the_hand_out_to_the_marks(tmp_path):
    given, out = tmp_path / "submissions", tmp_path / "grades"
    them = a_class(given)
    assert len(them.deserved) >= 40
    command = [sys.executable, "-m", "classroom", "grade", "formulation", str(given)]
    command += ["--out", str(out), "--seed", str(SEED), "--cell-seconds", "5"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with (out / "grades.csv").open(encoding="utf-8-sig", newline="") as table:
        rows = {row["student"]: row for row in csv.DictReader(table)}
    assert rows.keys() == them.deserved.keys()
    found = {student: float(row["total"]) for student, row in rows.items()}
    assert found == {student: total for student, (total, _) in them.deserved.items()}
    for student, (_, flags) in them.deserved.items():
        assert all(flag in rows[student]["flags"] for flag in flags), rows[student]
    for student, row in rows.items():
        assert (out / "feedback" / f"{student}.md").stat().st_size > 100
        assert (out / "logs" / f"{student}.log").stat().st_size < 300_000
        assert "graded without" not in row["flags"]
    assert "Because it is so." in (out / "words.md").read_text()
    said = "".join(path.read_text() for path in (out / "feedback").iterdir())
    assert str(SEED) not in said
