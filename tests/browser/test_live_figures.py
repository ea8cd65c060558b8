"""In the built book every control of every live figure moves what it is there to move."""

import pytest

from actmax_lib import widgets
from scripts.gates import Book
from tests.browser.conftest import ROOT
from tests.browser.figure_checks import assert_every_control_moves, figures

DOCUMENTS = Book(ROOT, ROOT / "_build" / "html").documents()
FIGURE = 'figure class="actmax-figure" data-figure="'


def shown(html, document) -> list[str]:
    """Names of the live figures written in a page."""
    text = (html / f"{document}.html").read_text(encoding="utf-8")
    return [part.split('"')[0] for part in text.split(FIGURE)[1:]]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_control_moves(visit, html, document):
    page = visit(f"{document}.html", reduced_motion="reduce").page
    running = figures(page)
    names = [figure.get_attribute("data-figure") for figure in running]
    assert names == shown(html, document)
    for figure in running:
        figure.scroll_into_view_if_needed()
        assert assert_every_control_moves(page, figure)


def test_every_figure_of_the_library_is_in_the_book(html):
    used = {name for document in DOCUMENTS for name in shown(html, document)}
    assert used == set(widgets.names())


def test_a_control_that_died_in_the_book_is_caught(visit, html):
    document = next(name for name in DOCUMENTS if shown(html, name))
    page = visit(f"{document}.html", reduced_motion="reduce").page
    figure = figures(page)[0]
    page.evaluate("addEventListener('input', e => e.stopImmediatePropagation(), true)")
    with pytest.raises(AssertionError, match="is dead"):
        assert_every_control_moves(page, figure)
