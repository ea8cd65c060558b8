"""Labels of the reference list, and a reference list without doubtful entries."""

import re

import pytest
from pybtex.database import parse_file, parse_string

from _ext import actmax_bibliography
from tests.book.books import ROOT


@pytest.mark.parametrize(
    ("authors", "label"),
    [
        ("Olah, Chris", "Olah, 2017"),
        ("Zeiler, Matthew and Fergus, Rob", "Zeiler and Fergus, 2017"),
        ("Olah, Chris and Mordvintsev, Alexander and Schubert, Ludwig", "Olah et al., 2017"),
        ("van den Oord, Aaron", "van den Oord, 2017"),
        ('Hyv{\\"a}rinen, Aapo', "Hyvärinen, 2017"),
    ],
)
def test_a_label_is_what_the_text_says(authors, label):
    data = parse_string(f"@misc{{k, author = {{{authors}}}, year = {{2017}}}}", "bibtex")
    assert actmax_bibliography.author_year(data.entries["k"]) == label


def test_equal_labels_are_told_apart():
    text = "".join(f"@misc{{k{i}, author = {{Olah, Chris}}, year = {{2017}}}}" for i in "xyz")
    entries = parse_string(text, "bibtex").entries.values()
    labels = list(actmax_bibliography.AuthorYear().format_labels(entries))
    assert labels == ["Olah, 2017a", "Olah, 2017b", "Olah, 2017c"]


def test_every_work_says_where_it_is_to_be_found():
    entries = parse_file(ROOT / "references.bib").entries
    for key, entry in entries.items():
        assert {"title", "year"} <= set(entry.fields), key
        in_print = {"journal", "booktitle"} & set(entry.fields) and "pages" in entry.fields
        assert {"doi", "url", "eprint", "institution"} & set(entry.fields) or in_print, key


def test_every_citation_is_in_the_list():
    known = set(parse_file(ROOT / "references.bib").entries)
    for chapter in [ROOT / "intro.md", *(ROOT / "chapters").rglob("*.md")]:
        cited = re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", chapter.read_text(encoding="utf-8"))
        assert {key.strip() for keys in cited for key in keys.split(",")} <= known, chapter
