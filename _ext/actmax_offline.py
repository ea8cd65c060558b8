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


def used_icons(css: str, texts: list[str]) -> str:
    """The icon style sheet without the icons that none of `texts` names: 90 kB less a page."""
    named = {name for text in texts for name in re.findall(r"fa-[\w-]+", text)}
    rule = re.compile(r"((?:\.fa-[\w-]+:{1,2}before,?)+)\{content:\"[^\"]*\"\}")

    def keep(match: re.Match) -> str:
        return match[0] if named & set(re.findall(r"fa-[\w-]+", match[1])) else ""

    return rule.sub(keep, css)


def slim_pages(app, exception) -> None:
    """Apply `slim` to every page, `used_icons` to the icon sheet, and delete the script itself."""
    if exception is not None or app.builder.format != "html":
        return
    html, texts = Path(app.outdir), []
    for page in html.rglob("*.html"):
        before = page.read_text(encoding="utf-8")
        texts.append(slim(before))
        if texts[-1] != before:
            page.write_text(texts[-1], encoding="utf-8")
    for script in html.glob("_static/vendor/fontawesome/*/js"):
        shutil.rmtree(script)
    scripts = [p for p in html.glob("_static/**/*.js") if "mathjax" not in p.parts]
    texts += [path.read_text(encoding="utf-8") for path in scripts]
    for sheet in html.glob("_static/vendor/fontawesome/*/css/all.min.css"):
        sheet.write_text(used_icons(sheet.read_text(encoding="utf-8"), texts), encoding="utf-8")


def setup(app) -> dict:
    """Register with Sphinx."""
    app.connect("config-inited", lambda app, _: drop_thebe(app))
    app.connect("html-page-context", drop_thebe_style)
    app.connect("build-finished", copy_mathjax)
    app.connect("build-finished", slim_pages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
