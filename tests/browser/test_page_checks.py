"""A page full of faults: each check of page_checks.py catches its own, and passes a good page."""

import pytest

from tests.browser import harness, page_checks

HEAD = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>
<link rel="icon" href="data:,"><meta name="viewport" content="width=device-width"></head>
<body><main>
<h1>A page</h1><p>Words.</p>"""
TAIL = "</main></body></html>"

FAULTS = {
    "external script": ("asks_elsewhere", "<script src='https://cdn.example.org/x.js'></script>"),
    "external font": (
        "asks_elsewhere",
        "<style>@font-face{font-family:f;src:url(https://fonts.example.org/f.woff)}"
        "p{font-family:f}</style>",
    ),
    "fetch": ("asks_elsewhere", "<script>fetch('https://example.org/d').catch(() => 0)</script>"),
    "socket": ("asks_elsewhere", "<script>new WebSocket('wss://example.org/s')</script>"),
    "console error": ("complains", "<script>console.error('oh')</script>"),
    "exception": ("complains", "<script>setTimeout(() => { throw new Error('oh') })</script>"),
    "missing file": ("complains", "<script src='gone.js'></script>"),
    "contrast": ("violates_wcag", "<p style='color:#999;background:#fff'>pale words</p>"),
    "image without alt": ("violates_wcag", "<img src='data:image/png,'>"),
    "slider without name": ("violates_wcag", "<input type='range'>"),
    "label hides the words": (
        "violates_wcag",
        "<button aria-label='Toggle hidden content'>Show the source</button>",
    ),
    "pale words in a folded box": (
        "violates_wcag",
        "<details><summary>More</summary><p style='color:#999'>pale</p></details>",
    ),
    "wide table": ("wider_than_the_screen", "<div style='width:600px'>a wide thing</div>"),
    "drawing without words": ("drawings_without_words", "<canvas></canvas>"),
    "heavy": ("too_heavy", f"<!-- {'x' * 3_000_000} -->"),
}


def look(visit):
    """Names of the checks that find a problem."""
    page, found = visit.page, {}
    found["asks_elsewhere"] = page_checks.asks_elsewhere(visit)
    found["complains"] = page_checks.complains(visit)
    found["too_heavy"] = page_checks.too_heavy(visit)
    page_checks.unfold(page)
    found["violates_wcag"] = page_checks.violates_wcag(page)
    found["wider_than_the_screen"] = page_checks.wider_than_the_screen(page)
    found["drawings_without_words"] = page_checks.drawings_without_words(page)
    return {name for name, problems in found.items() if problems}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One page a fault."""
    here = tmp_path_factory.mktemp("pages")
    pages = {name: text for name, (_, text) in FAULTS.items()} | {"good": ""}
    for name, text in pages.items():
        (here / f"{name}.html").write_text(HEAD + text + TAIL, encoding="utf-8")
    return here


@pytest.fixture(scope="module")
def address(folder):
    """Where they are served."""
    with harness.serve(folder) as url:
        yield url


def test_a_good_page_passes(visit, address):
    assert look(visit(f"{address}good.html", harness.PHONE)) == set()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught(visit, address, fault):
    check = FAULTS[fault][0]
    found = look(visit(f"{address}{fault}.html", harness.PHONE))
    assert check in found
    # Nothing else is blamed, but for a request that fails: the console reports it as well.
    assert found <= {check, "complains"}
