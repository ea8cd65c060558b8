"""Everything a page needs comes with the page: MathJax from its pinned package, no other host."""

import re
import shutil
from importlib import metadata
from pathlib import Path

# What a page may ask for: the engine, its fonts, and the TeX packages it loads when a formula names
# them. The menu's speech and explorer parts stay away (4 MB); the menu is switched off below.
MATHJAX = ["tex-mml-chtml.js", "output/chtml/fonts/woff-v2/*", "input/tex/extensions/*.js"]


def mathjax_folder() -> Path:
    """The MathJax folder of `sphinx-mathjax-offline`, whose name cannot be imported."""
    files = metadata.files("sphinx-mathjax-offline") or []
    for file in files:
        if file.name == "tex-mml-chtml.js":
            return Path(str(file.locate())).parent
    raise FileNotFoundError("sphinx-mathjax-offline carries no tex-mml-chtml.js: check its pin")


def copy_mathjax(app, exception) -> None:
    """Copy the needed part of MathJax into the built site."""
    if exception is not None or app.builder.format != "html":
        return
    source, target = mathjax_folder(), Path(app.outdir) / "_static" / "mathjax"
    for pattern in MATHJAX:
        for path in source.glob(pattern):
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


def drop_thebe(app) -> None:
    """Unhook sphinx-thebe: it names other hosts on each page and its script stops with an error."""
    for event, listeners in app.events.listeners.items():
        app.events.listeners[event] = [
            entry for entry in listeners if not entry.handler.__module__.startswith("sphinx_thebe")
        ]


def drop_thebe_style(_app, _page, _template, context, _doctree) -> None:
    """Take its style sheet, registered at set-up, out of each page."""
    styles = context.get("css_files", [])
    context["css_files"] = [s for s in styles if "thebe" not in str(getattr(s, "filename", s))]


def slim(html: str) -> str:
    """Take the 1.5 MB script twin of the icon font out of a page, and the font preloads.

    The style sheet beside it draws the same icons. A preload of a font is refused on file:// pages.
    """
    html = re.sub(r"<script[^>]+fontawesome/[^>]+all\.min\.js[^>]*></script>\n?", "", html)
    return re.sub(r"<link rel=\"preload\" as=\"font\"[^>]*>\n?", "", html)


def slim_pages(app, exception) -> None:
    """Apply `slim` to every page and delete the script itself."""
    if exception is not None or app.builder.format != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        before = page.read_text(encoding="utf-8")
        if (after := slim(before)) != before:
            page.write_text(after, encoding="utf-8")
    for script in Path(app.outdir).glob("_static/vendor/fontawesome/*/js"):
        shutil.rmtree(script)


def setup(app) -> dict:
    """Register with Sphinx."""
    app.connect("config-inited", lambda app, _: drop_thebe(app))
    app.connect("html-page-context", drop_thebe_style)
    app.connect("build-finished", copy_mathjax)
    app.connect("build-finished", slim_pages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
