"""What every page of the book has to keep to; each check returns a list of problems."""

from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Page

from tests.browser.harness import Visit

AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WEIGHT = 3_000_000  # bytes as transferred, uncompressed


def asks_elsewhere(visit: Visit) -> list[str]:
    """Requests that would leave this machine."""
    return [f"asks {url}" for url in visit.foreign]


def complains(visit: Visit) -> list[str]:
    """Errors and warnings of the console, uncaught exceptions, files that did not come."""
    return visit.console + visit.failed


def unfold(page: Page) -> None:
    """Open every folded solution and code cell, so that what is in it is checked too."""
    page.evaluate(
        """() => {
          document.querySelectorAll("details").forEach(d => d.open = true);
          document.querySelectorAll(".toggle-hidden").forEach(
            d => d.classList.remove("toggle-hidden"));
          document.body.offsetHeight;  // starts the theme's fade-in, in which no colour is its own
          document.getAnimations().forEach(a => a.finish());
          // two frames: the page's ResizeObserver has then seen what came open
          return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
        }"""
    )


def violates_wcag(page: Page) -> list[str]:
    """Violations of WCAG 2.1 (and 2.2) AA that axe-core finds, with the first three places."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    options = {
        "runOnly": {"type": "tag", "values": WCAG},
        "rules": {"label-content-name-mismatch": {"enabled": True}},  # 2.5.3, off by default
        "resultTypes": ["violations"],
        "preload": False,  # it would ask for the style sheets again, under wrong addresses
    }
    found = page.evaluate("options => axe.run(document, options)", options)["violations"]
    problems = []
    for rule in found:
        places = " | ".join(node["html"][:160] for node in rule["nodes"][:3])
        problems.append(f"{rule['id']} ({rule['impact']}): {places}")
    return problems


def wider_than_the_screen(page: Page) -> list[str]:
    """Whether the page scrolls sideways, and what sticks out."""
    return page.evaluate(
        """() => {
          const width = document.documentElement.clientWidth;
          if (document.documentElement.scrollWidth <= width) return [];
          const out = [...document.querySelectorAll("article *")].filter(
            e => e.getBoundingClientRect().right > width + 1);
          return [`the page is ${document.documentElement.scrollWidth} px wide on ${width} px: `
            + out.slice(0, 3).map(e => e.outerHTML.slice(0, 120)).join(" | ")];
        }"""
    )


def drawings_without_words(page: Page) -> list[str]:
    """Canvases that a screen reader cannot name; axe-core does not look at them."""
    return page.evaluate(
        """() => [...document.querySelectorAll("canvas")].filter(
             c => (c.getAttribute("aria-label") ?? "").trim().length < 20
               && c.getAttribute("aria-hidden") !== "true")
           .map(c => "unnamed drawing: " + c.outerHTML.slice(0, 120))"""
    )


def too_heavy(visit: Visit, limit: int = WEIGHT) -> list[str]:
    """Whether the page and all it loads weigh more than `limit` bytes, and the heaviest parts."""
    total = sum(visit.weights.values())
    if total <= limit:
        return []
    heaviest = sorted(visit.weights.items(), key=lambda item: -item[1])[:4]
    parts = ", ".join(f"{url.rsplit('/', 1)[-1]} {size}" for url, size in heaviest)
    return [f"{total} bytes, allowed {limit}: {parts}"]
