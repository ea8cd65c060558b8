"""Every claim of the book holds, and the book states nothing that has no claim."""

import textwrap
from pathlib import Path

import pytest

from tests import claims
from tests.claims import Check, Claim, all_claims, as_printed, definitions, holds, measure, table
from tests.claims.coverage import coverage, orphans, read

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("entry", all_claims(), ids=lambda entry: entry.name)
def test_claim(entry):
    check = measure(entry)
    assert 0 <= check.error <= entry.tol, f"{entry.statement}: error {check.error:g}"
    for text, value in check.numbers.items():
        assert as_printed(text, value), f"the chapter says {text}, computed {value!r}"
    assert holds(entry)


def test_registry_is_sound():
    labels = [label for entry in all_claims() for label in entry.labels]
    assert len(labels) == len(set(labels))
    assert all(entry.labels and entry.statement and entry.tol >= 0 for entry in all_claims())
    for label, reason in definitions().items():  # only notation may go without a claim
        assert label.startswith("eq:")
        assert label not in labels
        assert len(reason.split()) >= 3
    chapters = {path.stem for path in [ROOT / "intro.md", *(ROOT / "chapters").rglob("*.md")]}
    assert {entry.chapter for entry in all_claims()} <= chapters


def test_the_book_is_covered():
    assert coverage(ROOT) == []
    assert orphans(ROOT) == []


def test_table_has_a_row_for_each_claim():
    rows = table()
    assert len(rows) == len(all_claims())
    assert all(row["ok"] for row in rows)
    assert {row["chapter"] for row in rows} >= {"ill-posed", "l2-closed-forms", "max-example"}
    for row in rows:  # the test the table names exists
        path, _, name = row["test"].partition("::")
        assert (ROOT / path).exists()
        assert name.removeprefix("test_claim[").removesuffix("]") in {c.name for c in all_claims()}


@pytest.mark.parametrize(
    ("text", "value", "right"),
    [
        ("0.125", 0.125, True),
        ("0.125", 0.1254, True),
        ("0.125", 0.1256, False),
        ("0.125", -0.125, False),
        ("-0.5", -0.5, True),
        (".94", 0.944, True),
        (".94", 0.946, False),
        ("82 %", 82.4, True),
        ("82 %", 0.82, False),
        ("1e-4", 1.4e-4, True),
        ("1e-4", 1.6e-4, False),
        ("2.50", 2.504, True),
        ("2.50", 2.51, False),
        ("0.5", float("nan"), False),
        ("0.5", float("inf"), False),
        ("half", 0.5, False),
    ],
)
def test_numbers_are_compared_as_printed(text, value, right):
    assert as_printed(text, value) is right


@pytest.mark.parametrize(
    ("result", "right"),
    [
        (0.0, True),
        (1e-3, True),
        (1.1e-3, False),
        (float("nan"), False),
        (-1.0, False),
        (Check(0.0, {"0.3": 1 / 3}), True),
        (Check(0.0, {"0.4": 1 / 3}), False),
        (Check(1.0, {"0.3": 1 / 3}), False),
    ],
)
def test_a_false_claim_does_not_hold(result, right):
    assert holds(Claim(("eq:x",), "x", 1e-3, lambda: result)) is right


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A one-page book and the claims known to it; write(text) returns its gaps."""
    numbers = Check(0.0, {"0.25": 0.25, "82 %": 82.0})
    known = Claim(("eq:known", "prop:known", "remark:known"), "known", 0.0, lambda: numbers)
    known.run.__module__ = "tests.claims.page_one"
    for module in ("tests.claims", "tests.claims.coverage"):
        monkeypatch.setattr(f"{module}.all_claims", lambda: [known])
        monkeypatch.setattr(f"{module}.definitions", lambda: {"eq:notation": "names a thing"})

    def write(text, name="page-one"):
        page = tmp_path / "chapters" / f"{name}.md"
        page.parent.mkdir(exist_ok=True)
        page.write_text(textwrap.dedent(text), encoding="utf-8")
        return [(gap.line, gap.kind, gap.text) for gap in coverage(tmp_path)]

    write.root = tmp_path
    return write


COVERED = """\
    ---
    jupytext:
      format_version: 0.13
    ---
    # A page with 0.25 and 82 % and 82% and 82 per cent

    $$ x = 0.777 $$ (eq:known)

    $$
    y = 0.777
    $$

    ```{math}
    :label: eq:notation
    z = 0.777
    ```

    :::{prf:proposition} A title
    :label: prop:known
    :width: 0.777
    The value is $\\tfrac{1}{4} = 0.25$, {glue:text}`value:.3f`, {cite:t}`year2.5`.
    :::

    <img alt="x" style="width: 0.777em"> [a link](https://example.org/0.777) version 1.0.4

    <!-- 0.777 -->
    % 0.777

    ```{code-cell} python
    :tags: [hide-input]
    x = 0.777
    ```

    ```python
    x = 0.777
    ```

    ````{note}
    ```{code-block} python
    x = 0.777
    ```
    Prose with 0.25.
    ````
    Where $0<x$ and $y>0.25$.
    """


def test_a_covered_page_has_no_gaps(book):
    assert book(COVERED) == []
    assert orphans(book.root) == []


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        ("$$ x = 1 $$ (eq:new)", "equation", "eq:new"),
        ("$$\nx = 1\n$$ (eq:new)", "equation", "eq:new"),
        ("> $$ x = 1 $$ (eq:new)", "equation", "eq:new"),
        ("```{math}\n:label: eq:new\nx = 1\n```", "equation", "eq:new"),
        (":::{math}\n:label: eq:new\nx = 1\n:::", "equation", "eq:new"),
        ("````{note}\n```{math}\n:label: eq:new\nx\n```\n````", "equation", "eq:new"),
        ("\\begin{align}\nx &= 1\n\\end{align}", "equation", "has no label"),
        (":::{prf:proposition}\n:label: prop:new\nText.\n:::", "statement", "prop:new"),
        ("```{prf:theorem} Title\n---\nlabel: prop:new\n---\nText.\n```", "statement", "prop:new"),
        (":::{prf:lemma} Title\n:label: eq:notation\nText.\n:::", "statement", "eq:notation"),
        ("````{exercise}\n:::{prf:corollary}\nText.\n:::\n````", "statement", "has no label"),
        ("It is 0.26.", "number", "0.26"),
        ("It is $\\lambda=0.26$.", "number", "0.26"),
        ("It is $\\lambda0.26$.", "number", "0.26"),
        ("It is {math}`0.26`.", "number", "0.26"),
        ("It is `0.26`.", "number", "0.26"),
        ("It is .94 of it.", "number", ".94"),
        ("| a | -0.26 |", "number", "0.26"),
        ("It is 83 %.", "number", "83 %"),
        ("It is $83\\,\\%$.", "number", "83 %"),
        ("It is 1e-3.", "number", "1e-3"),
        ("## Title 0.26", "number", "0.26"),
        (":::{note} Title 0.26\nText.\n:::", "number", "0.26"),
        (":::{figure} picture.png\n:width: 3\nCaption 0.26\n:::", "number", "0.26"),
        ("````{solution} ex\n:class: dropdown\n0.26\n````", "number", "0.26"),
    ],
)
@pytest.mark.parametrize("place", ["end", "start"])
def test_each_planted_gap_is_caught(book, text, kind, found, place):
    page = textwrap.dedent(COVERED)
    front, _, body = page.partition("# A page")
    planted = f"{page}\n{text}\n" if place == "end" else f"{front}{text}\n\n# A page{body}"
    line = planted.count("\n", 0, planted.index(text)) + 1
    gaps = book(planted)
    assert [(k, t) for _, k, t in gaps] == [(kind, found)]
    assert line <= gaps[0][0] <= line + text.count("\n")


def test_a_number_counts_for_its_own_chapter_only(book):
    book(COVERED)
    assert book("It is 0.25.", name="page-two") == [(1, "number", "0.25")]


def test_a_claim_without_a_place_is_an_orphan(book):
    book("$$ x $$ (eq:known)")
    assert orphans(book.root) == ["eq:notation", "prop:known"]


def test_two_claims_cannot_share_a_name():
    entry = all_claims()[0]
    with pytest.raises(ValueError, match="two claims are called"):
        claims.claim("eq:other", statement="other", tol=1)(entry.run)


def test_reading_keeps_line_numbers():
    text = textwrap.dedent(COVERED)
    assert len(read(text).prose) == len(text.split("\n"))
