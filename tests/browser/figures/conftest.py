"""Pages with one live figure each, opened from file:// in a browser without network."""

from contextlib import contextmanager

import numpy as np
import pytest
import torch

from actmax_lib import widgets
from tests.browser import harness
from tests.browser.figure_checks import figures

NAMES = [
    "linear", "max-example", "film", "ingredients", "bayes", "langevin", "trace", "fooling",
]  # fmt: skip
ALT = "A figure of the book on a page of its own, for a test."
PAGE = """<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>Figures</title>
<link rel="icon" href="data:,"><style>body {{ background: #fff; color: #111; margin: 12px }}
html[data-theme="dark"] body {{ background: #121212; color: #eee }}</style></head>
<body><main><h1>Figures</h1>{}</main></body></html>"""
CLASSES = ["flamingo", "daisy"]
COMBOS = ["000", "100", "110", "111"]


def _state(name):
    rng = np.random.default_rng(0)
    if name == "film":
        history = torch.arange(20.0).reshape(10, 2)
        run = type("Run", (), {})()
        run.images, run.history = torch.zeros(2, 3, 16, 16), history
        run.frames = torch.tensor(rng.random((4, 2, 3, 16, 16)))
        run.frame_steps = torch.tensor([0, 3, 6, 9])
        return {"films": widgets.films(run, CLASSES)}
    if name == "ingredients":
        switches = {"fourier": "Fourier", "colour": "Decorrelated colour", "robust": "Robust"}
        rendered = {
            key: (
                rng.random((2, 3, 16, 16)),
                [[(c, 0.125 * int(key, 2) + 0.0625 * k)] for k, c in enumerate(CLASSES)],
                [int(key, 2), 2 * int(key, 2)],
            )
            for key in COMBOS
        }
        return widgets.ingredients(switches, CLASSES, rendered)
    return {}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One page a figure, NAME.html, and all.html."""
    here = tmp_path_factory.mktemp("figures")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACTMAX_STATIC", "1")
        made = {
            name: str(widgets.figure(name, alt=ALT, caption=f"This is {name}.", **_state(name)))
            for name in NAMES
        }
    for name, text in (made | {"all": "".join(made.values())}).items():
        (here / f"{name}.html").write_text(PAGE.format(text), encoding="utf-8")
    return here


def visited(browser, file, size, mode, **context):
    """A visit of a page on disk, watched from before it is loaded."""
    view = {"width": size[0], "height": size[1]}
    visit = harness.Visit(browser.new_context(viewport=view, **context).new_page())
    visit.watch()
    visit.page.goto(file.as_uri())
    visit.page.evaluate("m => { document.documentElement.dataset.theme = m }", mode)
    return visit


@contextmanager
def watched(browser):
    """Function `go(file, size, mode)` -> (page, figure), checked at the end for complaints."""
    visits = []

    def go(file, size=harness.DESKTOP, mode="light", **context):
        visit = visited(browser, file, size, mode, **context)
        visits.append(visit)
        return visit.page, figures(visit.page)[0]

    yield go
    for visit in visits:
        assert (visit.foreign, visit.console, visit.failed) == ([], [], [])
        visit.page.context.close()


@pytest.fixture
def show(browser, folder):
    """Function `show(name, size, mode)` -> (page, figure)."""
    with watched(browser) as go:
        yield lambda name, *how, **context: go(folder / f"{name}.html", *how, **context)
