"""Fixtures of the browser tests: one Chromium and one web server for the whole session."""

from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from scripts import chromium
from tests.browser import harness

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def html() -> Path:
    """Folder of the built book."""
    folder = ROOT / "_build" / "html"
    if not (folder / "index.html").is_file():
        pytest.fail("the book is not built: run `make book` first (`make test` does)")
    return folder


@pytest.fixture(scope="session")
def browser():
    """A Chromium without network; skipped where there is none, a failure in CI."""
    path = chromium.find()
    if path is None:
        (pytest.fail if chromium.required() else pytest.skip)(chromium.MISSING)
    with sync_playwright() as playwright:
        running = harness.launch(playwright, path)
        yield running
        running.close()


@pytest.fixture(scope="session")
def base_url(html):
    """Address of the built book, ending in a slash."""
    with harness.serve(html) as url:
        yield url


@pytest.fixture
def visit(browser, request):
    """Function `visit(page, size, mode)` -> harness.Visit for a page of the book ("intro.html"),
    a Path (opened as file://) or a full address. Contexts are closed after the test."""
    contexts = []

    def go(where: str | Path, size=harness.DESKTOP, mode: str = "light", **context):
        url = where.as_uri() if isinstance(where, Path) else str(where)
        if "://" not in url:
            url = request.getfixturevalue("base_url") + url
        result = harness.open_page(browser, url, size, mode, **context)
        contexts.append(result.page.context)
        return result

    yield go
    for context in contexts:
        context.close()
