"""Pages with the figure "study" and stimuli of which each tile can be told from the others."""

import shutil

import pytest

from actmax_lib import widgets
from actmax_lib._study import study
from tests.browser import harness
from tests.browser.figure_checks import figures
from tests.browser.figures.conftest import PAGE
from tests.browser.figures.study.reader import Reader
from tests.browser.figures.study.sheets import manifest

ALT = "Two pictures in question between two times nine others, for a test."


@pytest.fixture(scope="package")
def folder(tmp_path_factory):
    """page.html with the sheets in study/ beside it, and inside.html that carries them."""
    here = tmp_path_factory.mktemp("study")
    states = {"inside": study(manifest(here), "study")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACTMAX_STATIC", "1")
        states["page"] = study(here / "study.json", "study")
        for name, state in states.items():
            html = str(widgets.figure("study", alt=ALT, caption="The study.", **state))
            (here / f"{name}.html").write_text(PAGE.format(html), encoding="utf-8")
    return here


@pytest.fixture
def own(folder, tmp_path):
    """A folder with page.html and sheets of this test alone, to be damaged."""
    shutil.copytree(folder / "study", tmp_path / "study")
    shutil.copy(folder / "page.html", tmp_path)
    return tmp_path


@pytest.fixture
def show(browser, folder):
    """Function `show(name, size, mode, before=script)` -> (visit, Reader), the figure running.

    What the page complains of fails the test, unless `faults` is set on the visit.
    """
    visits = []

    def go(name="page", size=harness.DESKTOP, mode="light", before="", here=folder, **context):
        view = {"width": size[0], "height": size[1]}
        visit = harness.Visit(browser.new_context(viewport=view, **context).new_page())
        visit.watch()
        if before:
            visit.page.add_init_script(before)
        visit.page.goto((here / f"{name}.html").as_uri())
        visit.page.evaluate("m => { document.documentElement.dataset.theme = m }", mode)
        figures(visit.page)
        visits.append(visit)
        return visit, Reader(visit.page)

    yield go
    for visit in visits:
        assert visit.foreign == []
        if not getattr(visit, "faults", False):
            assert (visit.console, visit.failed) == ([], [])
        visit.page.context.close()
