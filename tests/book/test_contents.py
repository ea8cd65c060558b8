"""No page and no reference is forgotten: contents, the list of the first page, references."""

import re
from pathlib import Path

import pytest
from pybtex.database import parse_file

from scripts.gates import Book
from tests.book.books import ROOT
from tests.book.support import PARTS

LISTED = Book(ROOT, ROOT).documents()
PAGES = [p for p in sorted((ROOT / "chapters").rglob("*.md")) if p.name != "sheet.md"]


def test_every_page_is_in_the_table_of_contents():
    """The build leaves out, without a word, what is not."""
    there = {page.relative_to(ROOT).with_suffix("").as_posix() for page in PAGES}
    assert there - set(LISTED) == set(), "name it in _toc.yml"


def test_every_chapter_is_in_the_list_of_the_first_page_in_order():
    wanted = [Path(name).stem for name in LISTED if Path(name).parent.name in PARTS]
    intro = (ROOT / "intro.md").read_text(encoding="utf-8")
    assert re.findall(r"^\d+\. \{ref\}`([\w-]+)`:", intro, re.MULTILINE) == wanted


def test_the_references_are_sorted():
    keys = [key.casefold() for key in parse_file(ROOT / "references.bib").entries]
    assert keys == sorted(keys)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_that_cites_lists_its_references(page):
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"\{cite(:\w+)?\}`", text) or "```{bibliography}" in text
