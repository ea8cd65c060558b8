"""Reads the chapter of conclusions: its sentences, their links, and what is wrong with them."""

import re
from pathlib import Path

from tests.book.books import ROOT

CHAPTERS = ROOT / "chapters"
PAGE = CHAPTERS / "networks" / "conclusions.md"
PARTS = ("formulation", "probability", "networks")  # what a conclusion may rest on
UNCHECKED = ("Exercises", "References")  # sections without conclusions
OPEN = "What is open, and how to go on"  # links there, but no word for how sure we are
SURE = ("proved", "measured", "shown", "reported", "undecided")
ROLES = {"ref": "section", "prf:ref": "statement", "eq": "equation"}
LINK = re.compile(r"\{(ref|prf:ref|eq)\}`(?:[^`<]*<)?([^`<>]+)>?`|(?<=\])\(#([^)\s]+)\)")
GROUP = re.compile(r"\(\*(\w+)\*: ((?:[^()]|\(#[^()]*\))*)\)")


def labels_of(text: str) -> dict[str, str]:
    """Label to kind, of every target that a page sets."""
    found = dict.fromkeys(re.findall(r"(?m)^\(([^()\s]+)\)=$", text), "section")
    found |= dict.fromkeys(re.findall(r"(?m)^\$\$ \((\S+)\)$", text), "equation")
    kinds = {"prop": "statement", "eq": "equation", "ex": "section"}
    for label in re.findall(r"(?m)^:label: (\S+)$", text):
        found[label] = kinds.get(label.partition(":")[0], "other")
    return found


def book() -> dict[str, tuple[str, Path]]:
    """Label to (kind, page), of all chapters but this one."""
    found = {}
    for path in (path for part in PARTS for path in (CHAPTERS / part).glob("*.md")):
        if path != PAGE:
            text = path.read_text(encoding="utf-8")
            found |= {label: (kind, path) for label, kind in labels_of(text).items()}
    return found


def sentences(text: str) -> list[tuple[str, str]]:
    """(section, sentence or table row) of the prose, from the first section on."""
    text = re.sub(r"(?ms)^(`{3,})\{.*?^\1$", "", text)  # cells and directives
    out = []
    for part in re.split(r"(?m)^## ", text)[1:]:
        heading, _, body = part.partition("\n")
        for line in body.splitlines():
            line = re.sub(r"^([-*]|\d+\.) ", "", line.strip())
            if line.startswith("|"):
                if not re.fullmatch(r"[|\-: ]+", line) and "| how sure |" not in line:
                    out.append((heading, line))
            elif not re.fullmatch(r"\*\*[^*]{1,60}\*\*", line):  # a run-in title
                out += [(heading, end) for end in re.split(r"(?<=[.!?])[”’\"]*\s+", line) if end]
    return [(heading, sentence) for heading, sentence in out if heading not in UNCHECKED]


def links(text: str) -> list[tuple[str, str]]:
    """(kind that a link asks for, label); "any" for a Markdown link."""
    return [(ROLES.get(role, "any"), label or anchor) for role, label, anchor in LINK.findall(text)]


def _faults(heading: str, sentence: str, known: dict[str, tuple[str, Path]]):
    found = links(sentence)
    if not found:
        yield "no link"
    for kind, label in found:
        target = known.get(label, ("nothing",))[0]
        if target not in (kind, "section" if kind == "any" else kind):
            yield f"{label} is no {kind} of another chapter"
    row = sentence.startswith("|")
    groups = GROUP.findall(sentence)
    if row:
        groups = [(word, sentence) for word in re.findall(r"\*(\w+)\*", sentence.split("|")[-2])]
    if heading != OPEN and not groups:
        yield "not said how sure"
    elif heading != OPEN and not row and sum(len(links(g)) for _, g in groups) < len(found):
        yield "a link without a word before it"
    for word, inside in groups:
        kind = "statement" if word == "proved" else "section"
        kinds = [known.get(label, ("nothing",))[0] for _, label in links(inside)]
        if word not in SURE:
            yield f"{word} is none of our words"
        right = set(kinds) == {kind} or (row and (kind in kinds or word in ("shown", "reported")))
        if word in SURE and not right:
            yield f"{word} without a {kind}"


def faults(text: str) -> list[str]:
    """What is wrong with the sentences of a page, each fault with its sentence."""
    known = book()
    return [
        f"{fault}: {sentence}"
        for heading, sentence in sentences(text)
        for fault in _faults(heading, sentence, known)
    ]
