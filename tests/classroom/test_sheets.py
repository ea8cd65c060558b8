"""Every sheet: the reference earns all, the blank and the lazy nothing, each slip is caught."""

import re
import time
from collections import Counter

import matplotlib.pyplot as plt
import numpy as np
import pytest

from classroom.calls import Local, run
from classroom.sheets import FOLDER, SHEETS, load
from tests.classroom.engine import tiny

POINTS = {
    "formulation": 60,
    "maxima": 40,
    "probability": 60,
    "sampling": 40,
    "pictures": 60,
    "people": 40,
}
sheets = pytest.mark.parametrize("name", SHEETS)
LAZY = {
    "nothing": lambda *a, **k: None,
    "zero": lambda *a, **k: 0.0,
    "one": lambda *a, **k: 1.0,
    "true": lambda *a, **k: True,
    "an empty list": lambda *a, **k: [],
    "its first argument": lambda *a, **k: a[0] if a else None,
    "zeros like it": lambda *a, **k: np.zeros_like(a[0], dtype=float) if a else None,
    "three zeros": lambda *a, **k: (0.0, 0.0, 0.0),
    "not a number": lambda *a, **k: np.full(np.shape(a[0]) if a else (), np.nan),
    "a refusal": lambda *a, **k: (_ for _ in ()).throw(ValueError("no")),
}
_held = {}


def solved(name, version="solution"):
    """The sheet and its functions, run once."""
    if (name, version) not in _held:
        sheet = load(name)
        _held[name, version] = sheet, sheet.namespace(version)
    sheet, namespace = _held[name, version]
    written = [f for question in sheet.questions for f in question.functions]
    return sheet, {f: namespace[f] for f in written}


def outcomes(sheet, functions, seed=0, only=None):
    """What the hidden checks say; `only`: the checks that call this function."""
    proxies = {name: Local(name, function) for name, function in functions.items()}
    chosen = [c for c in sheet.hidden() if only is None or only in c.needs]
    return [run(check, proxies, seed) for check in chosen]


def test_the_sheets_are_all_there():
    assert sorted(path.parent.name for path in FOLDER.glob("*/sheet.md")) == sorted(SHEETS)
    assert [load(name).number for name in SHEETS] == list(range(1, len(SHEETS) + 1))


@sheets
def test_points_minutes_and_parts(name):
    sheet, _ = solved(name)
    assert sheet.points == POINTS[name], "if another sum is meant, write it into POINTS"
    assert 60 <= sheet.minutes <= 180, "a sheet takes one to three hours"
    for question in sheet.questions:
        cells = [cell for cell in sheet.cells if cell.question == question.name]
        kinds = Counter(cell.kind for cell in cells)
        assert question.minutes > 0
        if question.words:
            assert (kinds["reply"], kinds["rubric"], kinds["model"]) == (1, 1, 1)
            continue
        assert min(kinds["public"], kinds["solution"]) > 0
        written = [f for cell in cells if cell.kind == "answer" for f in cell.functions]
        assert set(question.functions) <= set(written)
        texts = "".join(cell.source for cell in cells if cell.kind == "text")
        assert all(f"`{f}(" in texts for f in question.functions), "signatures stand in the text"
        assert ":class: dropdown tip" in texts, "a worked hint"
    assert sum(question.words for question in sheet.questions) == 1
    checked = {check.question for check in sheet.hidden()}
    assert checked == {q.name for q in sheet.questions if not q.words}


@sheets
def test_questions_are_named_by_name(name):
    """So that one can be left out or put in between, and the others are still meant."""
    text = (FOLDER / name / "sheet.md").read_text("utf-8")
    typed = re.findall(r"^(?!## ).*[Qq]uestions? \d+.*$", text, re.MULTILINE)
    assert typed == [], "write <q:name> for the number of a question"
    assert not any("<q:" in cell.source for cell in load(name).cells)


def changed(folder, *changes):
    """The tiny sheet with changes (file, old, new), loaded again."""
    sheet = tiny(folder)
    for name, old, new in changes:
        path = sheet.folder / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))
    return load(sheet.folder)


def test_a_question_s_name_gives_its_number(tmp_path):
    sheet = changed(tmp_path, ("sheet.md", "Why?", "Why, in question <q:climb>?"))
    assert any("Why, in question 2?" in cell.source for cell in sheet.cells)
    with pytest.raises(ValueError, match="<q:clamb> is no question"):
        changed(tmp_path, ("sheet.md", "Why?", "Why, in question <q:clamb>?"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("sheet.md", 'climb", "points": 5', 'climb", "points": 6'), "has 6 points, its checks 5"),
        (("hidden.py", "points=5", "points=4"), "has 5 points, its checks 4"),
        (("hidden.py", 'check("climb"', 'check("climbing"'), "no question for .* reaches_the_top"),
    ],
)
def test_points_that_do_not_agree_are_refused(change, told, tmp_path):
    with pytest.raises(ValueError, match=told):
        changed(tmp_path, change).hidden()


def test_some_questions_alone(tmp_path):
    sheet = tiny(tmp_path).only({1, 3})
    assert [q.name for q in sheet.questions] == ["double", "in-words"]
    assert {check.question for check in sheet.hidden()} == {"double"}
    assert sheet.points == 7
    with pytest.raises(ValueError, match="tiny has no question 4"):
        tiny(tmp_path).only({1, 4})


@sheets
def test_the_rubric_adds_up(name):
    sheet, _ = solved(name)
    for question in sheet.questions:
        if question.words:
            (rubric,) = [c for c in sheet.cells if c.kind == "rubric"]
            rows = [line.split("|") for line in rubric.source.splitlines() if line.startswith("|")]
            points = [int(row[1]) for row in rows if row[1].strip().isdigit()]
            assert sum(points) == question.points


@sheets
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_reference_earns_every_point(name, seed):
    sheet, functions = solved(name)
    began = time.process_time()
    found = outcomes(sheet, functions, seed)
    assert [o for o in found if o.kind != "passed"] == []
    assert time.process_time() - began < 60  # the sum of what a grading costs, generously


@sheets
def test_the_blank_earns_nothing_and_is_told_so_kindly(name):
    found = outcomes(*solved(name, "blank"))
    assert {(o.kind, o.earned, o.message) for o in found} == {("blank", 0, "not answered yet")}


@sheets
@pytest.mark.parametrize("lazy", LAZY)
def test_a_lazy_answer_earns_nothing(name, lazy):
    """Each function alone is lazy: every check that calls it has to notice."""
    sheet, functions = solved(name)
    for target in functions:
        found = outcomes(sheet, functions | {target: LAZY[lazy]}, only=target)
        assert [(o.check, lazy) for o in found if o.earned] == []


def mutants():
    """Every mutant of every sheet that is there."""
    there = [name for name in SHEETS if (FOLDER / name / "mutants.py").is_file()]
    return [
        pytest.param(n, m, id=f"{n}-{m.function}-{m.name}")
        for n in there
        for m in load(n).mutants()
    ]


@pytest.mark.parametrize(("name", "mutant"), mutants())
def test_a_slip_is_rejected_by_the_check_meant_for_it(name, mutant):
    sheet, functions = solved(name)
    (check,) = [c for c in sheet.hidden() if c.name == mutant.by]
    assert mutant.function in check.needs
    proxies = {f: Local(f, g) for f, g in (functions | {mutant.function: mutant.body}).items()}
    for seed in (0, 1, 2):
        found = run(check, proxies, seed)
        assert (found.kind, found.earned) == ("wrong", 0), found


@sheets
def test_every_function_has_enough_slips(name):
    sheet, _ = solved(name)
    slips = sheet.mutants()
    assert len({slip.name for slip in slips}) == len(slips)
    for question in sheet.questions:
        own = [slip for slip in slips if slip.function in question.functions]
        assert question.words or sum(not slip.listed for slip in own) >= 2, question.name


@sheets
def test_public_checks_speak(name):
    sheet, _ = solved(name)
    count = sum(cell.source.count("@public") for cell in sheet.cells)
    said = sheet.namespace("solution", "public")["printed"].splitlines()
    assert [line[:4] for line in said] == ["ok: "] * count
    said = sheet.namespace("blank", "public", "given")["printed"]
    plt.close("all")  # the cells that are given draw
    assert said.count("not answered yet: ") == count
    assert "stopped" not in said


@sheets
def test_public_checks_are_quick(name):
    sheet = load(name)
    before, after = (_seconds(sheet, *kinds) for kinds in ((), ("public",)))
    count = sum(cell.source.count("@public") for cell in sheet.cells)
    assert after - before < 2 * count


def _seconds(sheet, *kinds):
    began = time.process_time()
    sheet.namespace("solution", *kinds)
    return time.process_time() - began
