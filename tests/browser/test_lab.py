"""`make lab`: every chapter opens in JupyterLab as a notebook and runs there, without network.

All pages are opened. Run to their ends are the three quickest and the students' blank sheets; with
ACTMAX_SLOW=1 every page with code (a quarter of an hour).
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import jupytext
import pytest

from scripts.gates import Book
from scripts.notebooks import LEFT_OUT
from tests.browser import harness
from tests.browser.conftest import ROOT
from tests.install.quick import in_lab, slow

BOOK = Book(ROOT, ROOT / "_build" / "html")
DOCUMENTS = BOOK.documents()
SHEETS = [name for name in DOCUMENTS if name.startswith("chapters/assignments/")]
RUN = [f"{name}.md" for name in (*in_lab(), *(LEFT_OUT if slow() else ()))]
RUN += [f"{name}.ipynb" for name in SHEETS]
# Pages that look at the repository around them find these beside the copied chapters.
AROUND = ("_toc.yml", "actmax_lib", "classroom", "tests")
# What the notebook in front holds: its code cells, and whether its kernel still works.
CELLS = """() => {
  const panel = window.jupyterapp.shell.currentWidget;
  return {
    busy: panel.sessionContext.session?.kernel?.status !== "idle",
    cells: panel.content.model.sharedModel.cells.map(cell => cell.toJSON())
      .filter(cell => cell.cell_type === "code" && cell.source.length > 0),
  };
}"""
ENDED = f"""() => {{
  const {{ busy, cells }} = ({CELLS})();
  return cells.some(cell => cell.outputs.some(output => output.output_type === "error"))
    || (!busy && cells.every(cell => cell.execution_count !== null));
}}"""
PROBE = """---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {display_name: Python 3, language: python, name: python3}
---
# A probe

```{code-cell} ipython3
from actmax_lib import widgets

print("the answer is", 6 * 7)
widgets.figure("linear", alt="A probe of the live figure.", caption="Alive in a kernel.")
```
"""


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def lab(browser, tmp_path_factory):
    """Address of a JupyterLab with the project's settings, on a copy of the chapters.

    A copy, because Lab saves what it has run; settings of the reader stay out of it.
    """
    here = tmp_path_factory.mktemp("lab")
    shutil.copy(ROOT / "intro.md", here)
    shutil.copytree(ROOT / "chapters", here / "chapters")
    for name in AROUND:
        (here / name).symlink_to(ROOT / name)
    (here / "probe.md").write_text(PROBE)
    (here / "bad.md").write_text(PROBE + "\n```{code-cell} ipython3\n1 / 0\n```\n")
    port, own = free_port(), tmp_path_factory.mktemp("own")
    folders = ("JUPYTER_CONFIG_DIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    variables = {name: str(own / name) for name in (*folders, "JUPYTER_RUNTIME_DIR")}
    variables |= {"JUPYTER_CONFIG_PATH": str(ROOT / ".jupyter"), "PYTHONPATH": str(ROOT)}
    variables |= {"ACTMAX_STATIC": "", "IPYTHONDIR": str(own / "ipython")}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", f"--port={port}"]
    command += ["--IdentityProvider.token=", "--ServerApp.port_retries=0"]
    command += ["--LabApp.expose_app_in_browser=True"]  # a test reads cells out of view, too
    command += ["--allow-root"] if os.geteuid() == 0 else []
    with (own / "log").open("w") as log:
        server = subprocess.Popen(
            command, cwd=here, env=os.environ | variables, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            wait_until_it_answers(f"http://127.0.0.1:{port}/api", own / "log")
            yield f"http://127.0.0.1:{port}/lab/tree/"
        finally:
            server.terminate()
            server.wait(timeout=30)


def wait_until_it_answers(address: str, log: Path) -> None:
    """Ask until the server is up; a minute is plenty."""
    for _ in range(120):
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"JupyterLab did not start: {log.read_text()[-2000:]}")


@pytest.fixture(scope="module")
def context(browser):
    """One browser context: Lab's scripts are loaded once."""
    new = browser.new_context(viewport={"width": 1280, "height": 900})
    yield new
    new.close()


@pytest.fixture
def visit(context):
    """A tab of its own; closed without asking whether to save."""
    seen = harness.Visit(context.new_page())
    seen.watch()
    yield seen
    seen.page.close()


def open_notebook(visit, address: str):
    """The notebook of a document opened by its address, its first cell drawn."""
    visit.page.goto(address + "?reset")
    panel = visit.page.locator(".jp-NotebookPanel:visible")
    panel.locator(".jp-Cell").first.wait_for(timeout=60_000)
    return panel


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_chapter_opens_as_a_notebook(lab, visit, document):
    panel = open_notebook(visit, f"{lab}{document}.md")
    panel.locator("h1").first.wait_for(timeout=30_000)  # rendered, so not the text editor
    code = jupytext.read(ROOT / f"{document}.md").cells
    expected = sum(cell.cell_type == "code" for cell in code)
    assert (panel.locator(".jp-CodeCell").count() > 0) == (expected > 0)
    assert visit.foreign == []


def run_all_cells(visit) -> None:
    """Choose Run All Cells from the menu, once the kernel is there: before, Lab asks which one."""
    visit.page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)
    visit.page.get_by_role("menuitem", name="Run", exact=True).click()
    visit.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def complaints(cells: list[dict]) -> list[str]:
    """What the cells raised or wrote to the error stream."""
    outputs = [output for cell in cells for output in cell["outputs"]]
    raised = [out["ename"] + ": " + out["evalue"] for out in outputs if "ename" in out]
    return raised + ["".join(out["text"]) for out in outputs if out.get("name") == "stderr"]


@pytest.mark.parametrize("file", RUN)
def test_all_cells_of_a_notebook_run(lab, visit, file):
    open_notebook(visit, f"{lab}{file}")
    written = [cell for cell in jupytext.read(ROOT / file).cells if cell.cell_type == "code"]
    run_all_cells(visit)
    visit.page.wait_for_function(ENDED, timeout=1_200_000, polling=500)
    cells = visit.page.evaluate(CELLS)["cells"]
    visit.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    assert complaints(cells) == []
    assert len(cells) == len([cell for cell in written if cell.source.strip()]) > 0
    assert all(cell["execution_count"] for cell in cells)
    assert any(cell["outputs"] for cell in cells)
    assert visit.foreign == []


def test_a_cell_that_fails_is_noticed(lab, visit):
    open_notebook(visit, f"{lab}bad.md")
    run_all_cells(visit)
    visit.page.wait_for_function(ENDED, timeout=120_000)
    assert complaints(visit.page.evaluate(CELLS)["cells"]) == [
        "ZeroDivisionError: division by zero"
    ]


def test_cells_run_and_the_live_figure_answers(lab, visit):
    panel = open_notebook(visit, f"{lab}probe.md")
    run_all_cells(visit)
    panel.get_by_text("the answer is 42").wait_for(timeout=120_000)
    slider = panel.locator("figure.actmax-figure input[type=range]").first
    slider.wait_for(timeout=60_000)
    before = panel.locator("figure.actmax-figure canvas").first.evaluate("c => c.toDataURL()")
    slider.focus()
    for _ in range(5):
        visit.page.keyboard.press("ArrowRight")
    visit.page.wait_for_timeout(500)
    after = panel.locator("figure.actmax-figure canvas").first.evaluate("c => c.toDataURL()")
    assert after != before
    assert slider.evaluate("i => document.activeElement === i")  # the arrows did not leave the cell
    assert visit.foreign == []
