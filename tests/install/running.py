"""Runs a notebook from top to bottom in the present folder: `python running.py NOTEBOOK`.

Prints one line of JSON: where the library was found, what cells wrote to the error stream, seconds.
A program of its own, which needs nothing of the repository; exit status 1 if a cell fails.
"""

import json
import sys
import time

import nbformat
from nbclient import NotebookClient

ASK = "import actmax_lib, pathlib; print(pathlib.Path(actmax_lib.__file__).resolve().parent)"


def main(path: str) -> None:
    """Run it, and one cell more that asks for the library."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(ASK))
    began = time.monotonic()
    NotebookClient(notebook, timeout=900, kernel_name="python3").execute()
    *cells, last = (cell for cell in notebook.cells if cell.cell_type == "code")
    complaints = [
        output["text"]
        for cell in cells
        for output in cell.outputs
        if output.output_type == "stream" and output.name == "stderr"
    ]
    found = {"library": last.outputs[0]["text"].strip(), "complaints": complaints}
    print(json.dumps(found | {"seconds": round(time.monotonic() - began)}))


if __name__ == "__main__":
    main(sys.argv[1])
