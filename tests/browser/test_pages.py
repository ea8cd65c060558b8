"""Every page of the built book, at two widths and in both colour modes, with the network off."""

import pytest

from scripts.gates import Book
from tests.browser import harness, page_checks
from tests.browser.conftest import ROOT

DOCUMENTS = [*Book(ROOT, ROOT / "_build" / "html").documents(), "search"]
VIEWS = [(size, mode) for size in (harness.DESKTOP, harness.PHONE) for mode in harness.MODES]

# Pages allowed to weigh more than page_checks.WEIGHT: bytes and reason.
HEAVY = {
    "chapters/formulation/regularization": (
        3_400_000,
        "the playground carries 918 pictures, so that it answers without a server",
    ),
    "chapters/probability/score-matching": (
        3_700_000,
        "the longest chapter: seven figures, each drawn for both colour modes",
    ),
    "chapters/networks/atlas": (
        3_800_000,
        "two sheets of a hundred pictures come with the first look: the grid's and the large one's",
    ),
    "chapters/networks/robustness": (
        4_300_000,
        "the pictures of every network for every class at five stages, and two films beside them",
    ),
    "chapters/networks/measured-pictures": (
        3_300_000,
        "tables and figures of seventeen recipes, each figure drawn for both colour modes",
    ),
    "chapters/networks/cnn-visualization": (
        4_500_000,
        "two megabytes of pictures and films stand in the page itself, so that it opens from disk",
    ),
}


@pytest.fixture(scope="module", params=DOCUMENTS)
def document(request):
    """Name of a page; the tests of one page run together."""
    return request.param


@pytest.fixture(scope="module", params=VIEWS, ids=lambda view: f"{view[0][0]}-{view[1]}")
def opened(request, browser, base_url, document):
    """The page in one view, opened once for all checks."""
    size, mode = request.param
    visit = harness.open_page(browser, f"{base_url}{document}.html", size, mode)
    yield visit
    visit.page.context.close()


def test_asks_no_other_host_and_does_not_complain(opened):
    assert len(opened.requests) > 5  # the recorder was listening
    assert page_checks.asks_elsewhere(opened) == []
    assert page_checks.complains(opened) == []


def test_weighs_little(opened, document):
    limit = HEAVY.get(document, (page_checks.WEIGHT, ""))[0]
    assert page_checks.too_heavy(opened, limit) == []


def test_is_accessible_all_unfolded(opened):
    page_checks.unfold(opened.page)
    assert page_checks.violates_wcag(opened.page) == []
    assert page_checks.drawings_without_words(opened.page) == []


def test_is_no_wider_than_the_screen(opened):
    page_checks.unfold(opened.page)
    assert page_checks.wider_than_the_screen(opened.page) == []


def test_formulas_are_typeset(opened, document):
    written = opened.page.locator(".math").count()
    typeset = opened.page.locator(".math mjx-container").count()
    assert typeset >= written
    assert opened.page.locator("mjx-merror").count() == 0


def test_opens_from_disk_too(visit, html, document):
    seen = visit(html / f"{document}.html")
    assert page_checks.asks_elsewhere(seen) == []
    assert page_checks.complains(seen) == []


def test_search_finds_a_word_offline(visit):
    seen = visit("search.html?q=maximization")
    seen.page.wait_for_selector("#search-results li a")
    assert page_checks.asks_elsewhere(seen) == []
