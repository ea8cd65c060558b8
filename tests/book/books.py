"""Tiny books: one that is good, one that has every fault a gate looks for, each on its own page."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

HEADER = """---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {display_name: Python 3, language: python, name: python3}
---
"""
PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///ywAAAAAAQABAAACAUwAOw=="


def cell(code: str, *options: str) -> str:
    """A code cell in MyST."""
    return "\n".join(["```{code-cell} ipython3", *options, code, "```", ""])


def picture(attributes: str) -> str:
    """A code cell whose output is one <img>."""
    html = f"<img src='{PIXEL}' {attributes}>"
    return cell(f"from IPython.display import HTML\nHTML({html!r})")


GOOD = {
    "intro": "# A tiny book\n\nRead {ref}`first`, see $x^2$ and {cite:t}`olah2017feature`.\n\n"
    "```{bibliography}\n:filter: docname in docnames\n```\n",
    "chapters/first": HEADER
    + "(first)=\n# First\n\n"
    + "```{math}\n:label: eq:first:sum\n\\boldsymbol{x} = \\sum_i x_i e_i\n```\n\n"
    + "```{prf:proposition} A name\n:label: prop:first:a\nBy {eq}`eq:first:sum`.\n```\n"
    + "```{prf:proof}\nClear.\n```\n\n"
    + cell("import actmax_lib\n\nprint(actmax_lib.VALUE)")
    + picture("alt='One transparent pixel, standing for a figure'")
    + ":::{exercise-start}\n:label: ex:first\n:::\nAdd.\n:::{exercise-end}\n:::\n"
    + ":::{solution-start} ex:first\n:class: dropdown\n:::\n"
    + cell("1 + 1")
    + ":::{solution-end}\n:::\n\n"
    + cell("raise SystemExit", ":tags: [skip-execution]", ":reason: it would end the kernel"),
}

BAD = {
    "intro": "# Bad\n",
    "chapters/raises": HEADER + "# R\n\n" + cell("1 / 0") + cell("2"),
    "chapters/stderr": HEADER + "# S\n\n" + cell("import sys\nprint('oh', file=sys.stderr)"),
    "chapters/nested": HEADER + "# N\n\n````{note}\n" + cell("print('never')") + "````\n",
    "chapters/headless": "# H\n\n" + cell("print('never')"),
    "chapters/off": HEADER.replace("---\njupy", "---\nmystnb: {execution_mode: 'off'}\njupy")
    + "# O\n\n"
    + cell("print('never')"),
    "chapters/skipped": HEADER + "# K\n\n" + cell("print('never')", ":tags: [skip-execution]"),
    "chapters/pictures": HEADER
    + "# P\n\n"
    + picture("")
    + picture("alt=''")
    + picture("alt='plot.png'")
    + picture("alt='image'")
    + cell("import matplotlib.pyplot as plt\nplt.plot([0, 1])\nplt.show()"),
    "chapters/foreign": "# F\n\n```{raw} html\n"
    "<script src='https://cdn.example.org/x.js'></script>\n"
    "<p style='background: url(//example.org/y.png)'></p>\n```\n",
    "chapters/links": "# L\n\n```{raw} html\n"
    "<a href='nowhere.html'>a</a> <a href='#nothing'>b</a>\n"
    "<a href='../intro.html#gone'>c</a> <i id='two'></i><i id='two'></i>\n```\n",
}


def write_book(folder: Path, pages: dict[str, str]) -> Path:
    """A book of these pages with the project's own settings, extensions and style."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("_config.yml", "references.bib", "requirements.txt"):
        shutil.copy(ROOT / name, folder)
    for name in ("atlas", "ascent", "study"):  # static paths of the book
        (folder / "chapters" / "results" / name).mkdir(parents=True)
    for name in ("_ext", "web"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "actmax_lib").mkdir()
    (folder / "actmax_lib" / "__init__.py").write_text("VALUE = 'the first answer'\n")
    (folder / "actmax_lib" / "data.txt").write_text("1\n")
    for name, text in pages.items():
        path = folder / f"{name}.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    root, *others = pages
    chapters = "".join(f"  - file: {name}\n" for name in others)
    toc = f"format: jb-book\nroot: {root}\n" + (f"chapters:\n{chapters}" if others else "")
    (folder / "_toc.yml").write_text(toc)
    return folder


def build(folder: Path) -> subprocess.CompletedProcess:
    """Build as `make book` does; `stdout` holds what it said."""
    command = [sys.executable, "-m", "scripts.build_book", str(folder)]
    return subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
