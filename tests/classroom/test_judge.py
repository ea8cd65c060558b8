"""One submission: the same outcomes as without a wall, any notebook, and words for what lacks."""

import json

import numpy as np
import pytest

from _ext.actmax_launch import Repository
from classroom import notebooks
from classroom.calls import Local, run
from classroom.judge import judge
from classroom.reading import Unusable, cells, words
from classroom.remote import Remote, Session
from classroom.sandbox import Limits
from classroom.sheets import SHEETS, load
from tests.classroom.engine import (
    BLANK,
    CLIMB,
    DOUBLE,
    FULL,
    IMPORTS,
    QUICK,
    REPLY,
    code,
    judged,
    kinds,
    needs_sandbox,
    no_survivor,
    notebook,
    right,
    tiny,
    wall,
)

__all__ = ["no_survivor"]
NOWHERE = Repository("", "", "")
ANSWERS = {
    "right": "return 2 * x if x is not None else np.linalg.norm(None)",
    "wrong": "return 3 * x",
    "blank": "raise NotImplementedError('later')",
    "its own blank": "class No(NotImplementedError): pass\n    raise No",
    "an error": "raise {}['no'] if False else KeyError('no')",
    "an own error": "class Bad(ValueError): pass\n    raise Bad('no x')",
    "an object": "return object()",
    "in place": "x *= 2.0\n    return x",
    "a set": "return {1.0, 2.0}",
    "None": "return None",
    "an argument too few": "return x.reshape()",
    "not a number": "return x * np.nan",
    "keywords": "return dict(a=x)['a'] * 2",
    "complex": "return 2 * x + 0j",
}


@needs_sandbox
@pytest.mark.parametrize("name", ANSWERS)
def test_the_wall_changes_no_outcome(name, tmp_path):
    sheet = tiny(tmp_path)
    source = f"{IMPORTS}\ndef double(x):\n    {ANSWERS[name]}\n{CLIMB}"
    held = {}
    exec(source, held)
    here = {n: Local(n, held[n]) for n in ("double", "climb")}
    with Session(notebook(source), wall(), QUICK) as session:
        session.start()
        there = {n: Remote(session, n) for n in ("double", "climb")}
        for check in sheet.hidden():
            assert run(check, there, 5) == run(check, here, 5)


@needs_sandbox
def test_calls_back_give_and_take_the_same_on_both_sides():
    source = (
        "def f(g, x, k):\n    try:\n        return [g(x), g(x, k), g('text')]\n"
        "    except Exception as error:\n        return [type(error).__name__, str(error)]"
    )
    held = {}
    exec(source, held)

    def g(x, y=1.0):
        assert not isinstance(x, str), "no text"
        return {"x": x + y, "seen": (True, None)}

    def refused(function):
        with pytest.raises(AssertionError, match="no text") as caught:
            function(g, np.arange(3), 2)
        return str(caught.value)

    with Session(notebook(source), wall(), QUICK) as session:
        assert refused(Remote(session, "f")) == refused(Local("f", held["f"]))
        back = Remote(session, "f")(lambda x, y=1.0: [x, y], np.arange(3), 2)
        assert repr(back) == repr(Local("f", held["f"])(lambda x, y=1.0: [x, y], np.arange(3), 2))


@needs_sandbox
@pytest.mark.parametrize("name", SHEETS)
def test_solutions_and_blanks_of_every_sheet(name):
    sheet = load(name)
    limits = Limits(memory=sheet.memory, cell=120)
    made = notebooks.text_of(notebooks.solution_notebook(sheet, NOWHERE))
    result = judge(sheet, made.encode(), 11, wall(), limits)
    assert set(kinds(result).values()) == {"passed"}
    assert result["total"] == sum(q.points for q in sheet.questions if not q.words)
    assert result["flags"] == []
    made = notebooks.text_of(notebooks.student_notebook(sheet, NOWHERE))
    result = judge(sheet, made.encode(), 11, wall(), limits)
    assert set(kinds(result).values()) == {"blank"}
    assert (result["total"], result["flags"]) == (0, [])
    assert set(result["words"].values()) == {""}


def colab():
    """As Colab saves: ids in the metadata, its own fields, outputs with pictures."""
    told = [
        code(IMPORTS, metadata={"id": "start-setup"}, execution_count=1),
        code("%matplotlib inline\n!pip install numpy\n%pip install -q scipy\nnp.zeros(2)"),
        code(DOUBLE.splitlines(keepends=True), metadata={"id": "x", "colab": {"a": 1}}),
        code(CLIMB, metadata={"outputId": "1"}, outputs=[{"data": {"image/png": "A" * 10**5}}]),
        REPLY | {"id": "zz", "metadata": {"id": "answer-in-words"}},
    ]
    more = {"colab": {"provenance": []}, "kernelspec": {"name": "python3"}}
    return notebook(cells=told, metadata=more, nbformat_minor=0)


def vscode():
    """As VS Code saves: its language in each cell."""
    language = {"vscode": {"languageId": "python"}}
    told = [code(s, metadata=language, id="#W0sZmlsZQ%3D%3D") for s in (IMPORTS, DOUBLE, CLIMB)]
    return notebook(cells=[*told, REPLY])


def old():
    """nbformat 3: worksheets, `input`, no ids."""
    told = [{"cell_type": "code", "input": s, "language": "python"} for s in (DOUBLE, CLIMB)]
    told.insert(0, {"cell_type": "code", "input": [IMPORTS], "prompt_number": 1})
    heading = {"cell_type": "heading", "level": 2, "source": "Question 3. In words"}
    told += [heading, {"cell_type": "markdown", "source": ["Because."]}]
    return json.dumps({"nbformat": 3, "metadata": {}, "worksheets": [{"cells": told}]}).encode()


def lost_ids():
    """Ids and metadata lost, the answer under its heading, the place to write left standing."""
    told = [*map(code, (IMPORTS, DOUBLE, CLIMB)), {"cell_type": "markdown", "source": "## Why"}]
    text = "*Write your answer here (at most 120 words).*\n\nBecause."
    for source in ("## Question 3. In words\n\nWhy?", text, "## Question 4. More", "Else."):
        told.append({"cell_type": "markdown", "source": source})
    return notebook(cells=told)


FINE = {
    "as handed out": right(),
    "Colab": colab(),
    "VS Code": vscode(),
    "nbformat 3": old(),
    "lost ids": lost_ids(),
    "a byte order mark": b"\xef\xbb\xbf" + right(),
    "UTF-16": right().decode().encode("utf-16"),
    "spaces around": b"\n\n  " + right() + b"\n\n",
    "huge ids": notebook(
        cells=[*(code(s, id="x" * 10**6) for s in (IMPORTS, DOUBLE, CLIMB)), REPLY]
    ),
    "cells that are none": notebook(
        cells=[None, 3, {}, code(IMPORTS), code(None), code([1, None]), code(DOUBLE), code(CLIMB),
               {"cell_type": "code", "source": {"a": 1}, "metadata": 4}, {"cell_type": "raw",
               "source": "1/0"}, REPLY],
    ),
    "cells in another order": notebook(
        "def double(x: np.ndarray):\n    return 2 * x if x is not None else int('no x')",
        CLIMB,
        IMPORTS,
    ),
    "an older answer above": notebook(IMPORTS, BLANK, "def double(x): return 0", DOUBLE, CLIMB),
    "errors beside": right("1/0", "def broken(:", "import no_such_module", "%nothing\n%%nothing"),
    "await": right("import asyncio\nawait asyncio.sleep(0)"),
    "its own Main": right("if __name__ == '__main__':\n    import __main__\n    __main__.np"),
    "prints to no end": right("print('x' * 10**6)\ndisplay('y')\nprint('\\ud800')"),
}  # fmt: skip


@needs_sandbox
@pytest.mark.parametrize("name", FINE)
def test_right_answers_in_any_notebook_earn_all(name, tmp_path):
    result, earned = judged(tmp_path, FINE[name])
    assert earned == FULL, result
    assert result["words"] == {"in-words": "Because."}
    assert result["problem"] == ""


BROKEN = {
    "empty": (b"", "The file is empty"),
    "nothing but zeros": (bytes(100), "The file is empty"),
    "cut off": (right()[:-30], "damaged or cut off"),
    "deep": (b"[" * 10**6, "damaged or cut off"),
    "deep in a cell": (b'{"cells":' + b'[{"a":' * 10**5, "damaged or cut off"),
    "a picture": (b"\x89PNG\r\n\x1a\n\xff\xfe", "it is not text"),
    "a list": (b"[1, 2]", "it has no cells"),
    "a web page": (b"<!DOCTYPE html><html>", "a web page"),
    "a PDF": (b"%PDF-1.7 ...", "a PDF file"),
    "a zip": (b"PK\x03\x04...", "a zip file"),
    "an archive of nothing": (notebook(cells=[]), "no cells"),
    "cells that are no list": (b'{"cells": "many"}', "no cells"),
    "too many cells": (notebook(cells=[{}] * 3000), "3000 cells"),
    "millions of lists": (b'{"cells":[' + b"[]," * 2_000_000 + b"[]]}", "2000001 cells|damaged"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_notebook_is_told_in_words(name):
    content, told = BROKEN[name]
    with pytest.raises(Unusable, match=told):
        cells(content)


@needs_sandbox
@pytest.mark.usefixtures("no_survivor")
@pytest.mark.parametrize("name", ["empty", "deep", "millions of lists"])
def test_what_is_no_notebook_earns_nothing(name, tmp_path):
    result, earned = judged(tmp_path, BROKEN[name][0])
    assert earned == {"double": 0, "climb": 0, "in-words": None}
    assert result["problem"]


def test_words_are_found_by_id_then_by_heading():
    def text(source, name=""):
        return {"kind": "markdown", "source": source, "id": name}

    asked = [text("## Question 3. Words"), text("mine"), text("## Question 4. More"), text("no")]
    assert words(asked, "w", 3) == "mine"
    assert words([*asked, text("by id", "answer-w"), text("twice", "answer-w")], "w", 3) == (
        "by id\n\ntwice"
    )
    blank = "*Write your answer here (at most 120 words).*"
    assert words([text(blank, "answer-w")], "w", 3) == ""
    ours, below = text("*For the class*", "q3-text"), [text("## Question 3. W", "q3"), text("mine")]
    place, code = text(blank, "answer-w"), {"kind": "code", "source": "x = 1", "id": ""}
    assert words([text("before"), below[0], place, ours, code], "w", 3) == ""
    assert words([below[0], place, ours, below[1], code], "w", 3) == "mine"
    assert words([below[0], text("there", "answer-w"), below[1]], "w", 3) == "there"
    assert len(words([text("x" * 10**6, "answer-w")], "w", 3)) == 20_000


@needs_sandbox
def test_what_lacks_is_named_and_never_guessed(tmp_path):
    result, earned = judged(tmp_path, notebook(IMPORTS, DOUBLE.replace("double", "doubled"), CLIMB))
    assert earned == FULL | {"double": 0}
    found = result["questions"][0]["checks"][0]
    assert found["kind"] == "missing"
    assert "There is `doubled`: did you rename it?" in found["message"]
    assert any("did you rename" in flag for flag in result["flags"])
    both = DOUBLE.replace("double", "doubled"), CLIMB.replace("climb", "climbs")
    result, earned = judged(tmp_path, notebook(IMPORTS, *both))
    assert (earned["double"], earned["climb"], result["problem"]) == (0, 0, "")
    result, earned = judged(tmp_path, notebook(IMPORTS, CLIMB))
    assert earned == FULL | {"double": 0}
    assert kinds(result)["twice"] == "missing"


@needs_sandbox
def test_the_notebook_of_another_sheet_is_told_so(tmp_path):
    result, earned = judged(tmp_path, notebook(IMPORTS, "def am_ascent(x):\n    return x"))
    assert earned == {"double": 0, "climb": 0, "in-words": None}
    assert result["problem"].startswith("None of this sheet's functions is in the notebook.")
    assert result["words"] == {"in-words": "Because."}


@needs_sandbox
def test_a_function_whose_cell_stopped_is_told_so(tmp_path):
    for cell, kind, told in (
        (DOUBLE + "\nreturn = 3", "raised", "cell 2, which defines `double`, stopped: SyntaxError"),
        ("while True: pass\n" + DOUBLE, "slow", "stopped: took too long"),
        ("import os; os._exit(0)\n" + DOUBLE, "raised", "stopped: ended the whole program"),
    ):
        result, earned = judged(tmp_path, notebook(IMPORTS, cell, CLIMB))
        assert earned == FULL | {"double": 0}
        found = result["questions"][0]["checks"][0]
        assert found["kind"] == kind
        assert told in found["message"]


@needs_sandbox
def test_blanks_are_blank_and_a_lost_first_cell_is_an_error(tmp_path):
    result, earned = judged(tmp_path, notebook(IMPORTS, BLANK, CLIMB))
    assert earned == FULL | {"double": 0}
    assert kinds(result)["twice"] == "blank"
    assert result["flags"] == []
    using = "def double(x):\n    return np.multiply(2, x)"
    result, earned = judged(tmp_path, notebook(using, CLIMB))
    assert earned == FULL | {"double": 0}
    assert "NameError: name 'np' is not defined" in str(result["questions"][0]["checks"])


@needs_sandbox
@pytest.mark.usefixtures("no_survivor")
def test_a_submission_has_so_much_time_and_no_more(tmp_path):
    limits = Limits(memory=0.6, cell=30, seconds=3)
    result, earned = judged(tmp_path, right("import time\ntime.sleep(20)"), limits)
    assert earned == {"double": 0, "climb": 0, "in-words": None}
    assert "used all the time" in result["problem"]


@needs_sandbox
@pytest.mark.usefixtures("no_survivor")
def test_one_that_always_ends_the_program_is_given_up(tmp_path):
    content = notebook(*["import os\nos._exit(0)"] * 20)
    result, earned = judged(tmp_path, content)
    assert earned == {"double": 0, "climb": 0, "in-words": None}
    assert "ended the program 9 times" in result["problem"]


def test_without_a_wall_the_grades_are_the_same(tmp_path):
    result, earned = judged(tmp_path, right("while True: pass"), unsafe=True)
    assert earned == FULL
    assert "took too long" in result["flags"][0]


def test_the_seed_settles_all_draws(tmp_path):
    tiny(tmp_path)
    lucky = "def double(x):\n    return 2 * x if np.sum(x) > 0 else 3 * x"
    found = [kinds(judged(tmp_path, right(double=lucky), seed=s, unsafe=True)[0]) for s in (3, 3)]
    assert found[0] == found[1]
