"""Open built pages in a Chromium that cannot leave this machine, and record what they do."""

import contextlib
import http.server
import os
import threading
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Playwright

DESKTOP, PHONE = (1280, 900), (390, 844)
MODES = ["light", "dark"]

# Console messages that are no fault of the page, each with its reason. None so far.
CONSOLE_ALLOWED: dict[str, str] = {}


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing: pytest has the terminal."""


@contextlib.contextmanager
def serve(folder: Path):
    """Serve `folder` on a free port of this machine; yields the base URL."""
    handler = partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def launch(playwright: Playwright, executable: str) -> Browser:
    """Start Chromium with every host name but 127.0.0.1 made unresolvable."""
    args = [
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        "--disable-background-networking",
        "--disable-dev-shm-usage",  # a container's shared memory is too small for large pages
        "--force-color-profile=srgb",
    ]
    if os.geteuid() == 0:
        args.append("--no-sandbox")  # Chromium refuses to run as root with it
    return playwright.chromium.launch(executable_path=executable, args=args)


def is_foreign(url: str) -> bool:
    """Whether a request for `url` would leave this machine."""
    parts = urlsplit(url)
    return parts.scheme not in ("data", "blob", "file", "about") and parts.hostname != "127.0.0.1"


@dataclass
class Visit:
    """One page open in one browser context, with all it asked for and said."""

    page: Page
    requests: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    weights: dict[str, int] = field(default_factory=dict)

    @property
    def foreign(self) -> list[str]:
        """Requests to other hosts."""
        return [url for url in self.requests if is_foreign(url)]

    def watch(self) -> None:
        """Attach the recorders; called before the first navigation."""
        page = self.page
        page.on("request", lambda r: self.requests.append(r.url))
        page.on("websocket", lambda s: self.requests.append(s.url))
        page.on("requestfailed", lambda r: self.failed.append(f"{r.url}: {r.failure}"))
        page.on("pageerror", lambda e: self.console.append(f"uncaught: {e}"))
        page.on("console", self._note)
        page.on("response", self._weigh)

    def _note(self, message) -> None:
        text = f"{message.type}: {message.text} ({message.location.get('url', '')})"
        allowed = any(known in text for known in CONSOLE_ALLOWED)
        if message.type in ("error", "warning") and not allowed:
            self.console.append(text)

    def _weigh(self, response) -> None:
        if response.status >= 400:
            self.failed.append(f"{response.url}: status {response.status}")
        elif urlsplit(response.url).scheme in ("http", "https"):
            self.weights[response.url] = int(response.headers.get("content-length", 0))

    def settle(self) -> "Visit":
        """Wait for the page, its formulas and its live figures; scroll once to the end and back."""
        page = self.page
        page.wait_for_load_state("networkidle")
        page.evaluate("() => window.MathJax?.startup?.promise")
        page.evaluate("() => window.scrollTo(0, document.body.scrollHeight)")
        page.wait_for_load_state("networkidle")
        page.evaluate("() => window.scrollTo(0, 0)")
        page.evaluate("() => document.fonts.ready.then(() => true)")
        return self


def open_page(browser: Browser, url: str, size=DESKTOP, mode: str = "light", **context) -> Visit:
    """Open `url` in a fresh context and wait for it; close `visit.page.context` when done."""
    width, height = size
    new = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=mode, **context
    )
    visit = Visit(new.new_page())
    visit.watch()
    visit.page.goto(url)
    return visit.settle()
