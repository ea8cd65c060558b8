"""Every sentence of the conclusions points to its support, and says how strong that is.

A link can be checked; whether it supports the sentence cannot, and the chapter says so.
"""

import re
from pathlib import Path

import pytest
import yaml

from tests.book import support
from tests.book.books import ROOT
from tests.book.support import GROUP, book, faults, links, sentences
from tests.claims import all_claims

GOOD = "The start decides (*proved*: {prf:ref}`prop:max:basins`)."
PLANTED = [
    ("Everybody knows this.", "no link"),
    (f"{GOOD} Everybody knows this.", "no link"),
    (f"Everybody knows this! {GOOD}", "no link"),
    ("- Everybody knows this.", "no link"),
    ("**Everybody knows that these pictures show what a network has learned to see.**", "no link"),
    ("| a question | an answer | *proved* |", "no link"),
    ("See {cite:t}`olah2017feature`, or {ref}`this <>`.", "no link"),
    ("So it is (*shown*: {ref}`conclusions`).", "conclusions is no section of another"),
    ("So it is (*shown*: {ref}`ex:conclusions:luck`).", "ex:conclusions:luck is no"),
    ("So it is (*shown*: {ref}`no-such-place`).", "no-such-place is no"),
    ("So it is (*shown*: {ref}`verified-claims`).", "verified-claims is no"),
    ("So it is (*shown*: [here](#no-such-place)).", "no-such-place is no"),
    ("So it is (*proved*: {prf:ref}`atlas`).", "atlas is no statement"),
    ("So it is (*proved*: {ref}`prop:max:two`).", "prop:max:two is no section"),
    ("So it is (*proved*: {ref}`atlas`).", "proved without a statement"),
    ("So it is (*measured*: {prf:ref}`prop:max:two`).", "measured without a section"),
    ("| a question | {ref}`atlas` | *proved* |", "proved without a statement"),
    ("| a question | {ref}`atlas` | certainly |", "not said how sure"),
    ("So it is (*certain*: {ref}`atlas`).", "certain is none of our words"),
    ("So it is ({ref}`atlas`).", "not said how sure"),
    ("So it is ({ref}`atlas`), and so (*shown*: {ref}`cnn-wrong`).", "a link without a word"),
]


@pytest.fixture(scope="module")
def page():
    return support.PAGE.read_text(encoding="utf-8")


def test_every_sentence_points_to_its_support(page):
    assert len(sentences(page)) > 40
    assert faults(page) == []


@pytest.mark.parametrize("heading", ["The book in one table", "What they do not show"])
@pytest.mark.parametrize(("planted", "fault"), PLANTED)
def test_a_planted_sentence_is_found(page, heading, planted, fault):
    before, at, after = page.partition(f"\n## {heading}\n")
    assert at
    found = faults(f"{before}{at}\n{planted}\n{after}")
    assert [text for text in found if text.startswith(fault)], found
    assert faults(f"{before}{at}\n{GOOD}\n{after}") == []


def test_proved_things_have_claims_and_measured_ones_results(page):
    claimed = {label for entry in all_claims() for label in entry.labels}
    known, words = book(), set()
    for _, sentence in sentences(page):
        for word, inside in GROUP.findall(sentence):
            words.add(word)
            for _, label in links(inside):
                assert word != "proved" or label in claimed, label
                text = known[label][1].read_text(encoding="utf-8")
                assert word != "measured" or "data.result(" in text, label
    assert words == set(support.SURE)


def test_no_chapter_is_passed_over(page):
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = {Path(c["file"]) for part in toc["parts"] for c in part["chapters"]}
    wanted = {file.stem for file in files if file.parent.name in support.PARTS}
    known, used = book(), [links(sentence) for _, sentence in sentences(page)]
    reached = {known[label][1].stem for found in used for _, label in found}
    assert len(wanted) > 10
    missed = wanted - reached - {support.PAGE.stem}
    told = "conclusions.md says nothing of them; a sentence ends with (*proved*: {prf:ref}`label`)"
    assert not missed, f"{told}: {sorted(missed)}"


def test_no_number_is_typed(page):
    for _, sentence in sentences(page):
        plain = re.sub(r"\{[\w:]+\}`[^`]*`|ℓ2|2-norm|CIFAR-10|\d+th percentile", "", sentence)
        plain = re.sub(r"\d+th and (?=$| )", "", plain)
        assert not re.search(r"\d", plain), sentence
