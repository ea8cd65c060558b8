"""Gates on what ran: every code cell, to its end, no error output, from the present sources."""

import hashlib
import re

from _ext.actmax_cache import fingerprint

from .book import Book

# A cell at any depth: one inside another directive is printed by the builder but never run.
FENCE = re.compile(r"^[ \t>]*(?:`{3,}|~{3,}|:{3,})\{code-cell\}", re.MULTILINE)


def current(book: Book) -> list[str]:
    """The pages were built cleanly, from the sources, library, data and pins as they are now."""
    record = book.record()
    if not record:
        return ["no record of a build: run `make book`"]
    problems = []
    if not record["clean"]:
        problems.append("the last build ended with an error or a warning")
    depends = book.config().get("actmax_depends", [])
    if fingerprint(book.source, depends, record["static"]) != record["fingerprint"]:
        problems.append("the library, its data or a pin changed after the book was built")
    for name in book.documents():
        digest = hashlib.sha256(book.text(name).encode("utf-8")).hexdigest()
        if record["documents"].get(name) != digest:
            problems.append(f"{name} changed after the book was built")
    return problems


def every_cell_ran(book: Book) -> list[str]:
    """As many cells ran as the source has, in one pass from the first to the last.

    A cell tagged `skip-execution` is exempt if its option `reason` says why.
    """
    problems = []
    for name in book.documents():
        written, cells = len(FENCE.findall(book.text(name))), book.code_cells(name)
        if written and book.notebook(name) is None:
            problems.append(f"{name}: {written} code cells, never executed (jupytext header?)")
        elif len(cells) != written:
            problems.append(f"{name}: {written} code cells written, {len(cells)} executed")
        problems += [f"{name}: {problem}" for problem in _not_run(cells)]
    return problems


def _not_run(cells: list[dict]) -> list[str]:
    problems, last = [], 0
    for number, cell in enumerate(cells, start=1):
        metadata, count = cell["metadata"], cell.get("execution_count")
        if "skip-execution" in metadata.get("tags", []):
            if not str(metadata.get("reason", "")).strip():
                problems.append(f"code cell {number} is skipped without a `reason`")
        elif not "".join(cell["source"]).strip():
            problems.append(f"code cell {number} is empty")
        elif count is None:
            problems.append(f"code cell {number} did not run")
        elif count <= last:
            problems.append(f"code cell {number} ran out of order (count {count} after {last})")
        last = max(last, count or 0)
    return problems


def no_traceback(book: Book) -> list[str]:
    """No cell raised, and no page shows a traceback."""
    problems = []
    for name in book.documents():
        for number, cell in enumerate(book.code_cells(name), start=1):
            problems += [
                f"{name}: code cell {number} raised {output['ename']}"
                for output in cell["outputs"]
                if output["output_type"] == "error"
            ]
    for page, soup in book.pages().items():
        if "Traceback (most recent call last)" in soup.get_text():
            problems.append(f"{page} shows a traceback")
    reports = sorted(book.html.glob("reports/**/*.err.log"))
    return problems + [f"error report {path.relative_to(book.html)}" for path in reports]


def no_stderr(book: Book) -> list[str]:
    """No cell wrote to the error stream: a warning is mended, not shown."""
    problems = []
    for name in book.documents():
        for number, cell in enumerate(book.code_cells(name), start=1):
            for output in cell["outputs"]:
                if output["output_type"] == "stream" and output["name"] == "stderr":
                    text = "".join(output["text"]).strip()[:100]
                    problems.append(f"{name}: code cell {number} wrote to stderr: {text}")
    for page, soup in book.pages().items():
        if soup.select(".output.stderr"):
            problems.append(f"{page} shows error output")
    return problems
