"""Accessibility repairs of the pinned theme and extensions (WCAG 2.1 AA, as axe-core sees it).

Each repair names what is wrong. A repair that matches nothing any more is a hint that a pin moved;
tests/browser checks the result, not the repair.
"""

import re
from pathlib import Path

REPAIRS = [
    # A bibliography entry is an item of the list around it, not a deprecated doc-biblioentry.
    (re.compile(r'(<div class="citation"[^>]*) role="doc-biblioentry"'), r'\1 role="listitem"'),
    # The label hides the visible words, so speech control cannot find the button ("Show code ...").
    (re.compile(r'<summary aria-label="Toggle hidden content">'), "<summary>"),
    (re.compile(r'(<button class="[^"]*search-button-field[^>]*) aria-label="Search"'), r"\1"),
    # The same id on every theorem, proof and exercise of a page.
    (re.compile(r' id="(?:proof|(?:proof|exercise|solution)-content)"'), ""),
    # The book's title stands outside all landmarks.
    (
        re.compile(r'<div class="sidebar-primary-item">(?=\s*<a class="navbar-brand logo")'),
        '<div class="sidebar-primary-item" role="navigation" aria-label="Title page">',
    ),
]


def repair(html: str) -> str:
    """One page of the built book with all repairs applied; applying them twice changes nothing."""
    for pattern, replacement in REPAIRS:
        html = pattern.sub(replacement, html)
    return html


def repair_pages(app, exception) -> None:
    """Repair every page after the build."""
    if exception is not None or app.builder.format != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        before = page.read_text(encoding="utf-8")
        if (after := repair(before)) != before:
            page.write_text(after, encoding="utf-8")


def setup(app) -> dict:
    """Register with Sphinx."""
    app.connect("build-finished", repair_pages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
