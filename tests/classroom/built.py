"""A tiny sheet in a folder of its own, and notebooks run to their end, for the tests."""

import shutil
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from _ext.actmax_launch import Repository
from classroom.sheets import Sheet, load

NOWHERE = Repository("", "main", "")
GITHUB = Repository("https://github.com/someone/book", "main", "")


def tiny(folder: Path) -> Sheet:
    """A copy of tests/classroom/tiny, so that what is made beside it is made in `folder`."""
    return load(shutil.copytree(Path(__file__).parent / "tiny", folder / "tiny"))


def ran(notebook: nbformat.NotebookNode, folder: Path) -> nbformat.NotebookNode:
    """The notebook as it is after all its cells ran in `folder`; raises where a cell does."""
    copy = nbformat.from_dict(notebook)
    NotebookClient(copy, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    return copy


def printed(notebook: nbformat.NotebookNode) -> list[str]:
    """The lines that the cells wrote."""
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", [])]
    assert not [o for o in outputs if o.get("name") == "stderr"], "a cell warns"
    return "".join(o["text"] for o in outputs if o["output_type"] == "stream").splitlines()
