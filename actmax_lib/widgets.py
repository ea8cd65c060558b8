"""Live figures: one JavaScript source for the static page and for the live kernel.

A figure is an ES module `web/NAME.js` in the anywidget front-end format,
`export default { render({ model, el }) { ... } }`. `figure` puts `web/kit.js` in front of it (and
the files its first line names, as in ``// uses: plot``). In a live kernel the result is an
anywidget whose state is synchronized with Python; with ``ACTMAX_STATIC=1`` (a book build) it is
HTML that carries module and state within itself and asks no other host for anything, so it also
works from ``file://`` and without a kernel. The module states its defaults as JSON:
``const DEFAULTS = {...};``.
"""

import html
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from actmax_lib._ascent import ascent
from actmax_lib._html import Html, check_alt, is_static
from actmax_lib._robustness import epsilon, robust_pictures
from actmax_lib._states import films, ingredients, plain, playground, sprite
from actmax_lib._study import study

__all__ = [
    "ascent", "epsilon", "figure", "films", "ingredients", "names", "playground",
    "robust_pictures", "sprite", "study",
]  # fmt: skip

_DEFAULTS = re.compile(r"^const DEFAULTS = (\{.*?\});$", re.MULTILINE | re.DOTALL)

# The static host: a model with the four methods of the anywidget front-end format, nothing more.
_SHIM = """(()=>{const f=document.currentScript.closest("figure"),e=f.querySelector(".actmax-live"),
{source:c,state:s}=JSON.parse(f.querySelector("script.actmax-data").textContent),h={},
a=k=>h[k]??=[],fire=k=>a(k).slice().forEach(g=>g()),
model={get:k=>s[k],set(k,v){s[k]=v;fire("change:"+k);fire("change")},on(k,g){a(k).push(g)},
off(k,g){h[k]=a(k).filter(x=>x!==g)},save_changes(){}},
u=URL.createObjectURL(new Blob([c],{type:"text/javascript"}));
import(u).then(m=>m.default.render({model,el:e})).then(()=>{f.dataset.ready="true"},x=>{
f.dataset.ready="error";e.textContent="This figure could not start: "+x;console.error(x)})
.finally(()=>URL.revokeObjectURL(u))})()"""


def _web() -> Path:
    here = Path(__file__).resolve().parent
    for folder in (here / "web", here.parent / "web"):  # installed wheel, checkout
        if (folder / "kit.js").is_file():
            return folder
    raise FileNotFoundError(f"the figure modules (web/kit.js) are neither in {here} nor beside it")


def names() -> list[str]:
    """The figures that `figure` can show, sorted."""
    return sorted(p.stem for p in _web().glob("*.js") if _DEFAULTS.search(p.read_text("utf-8")))


@cache
def _module(name: str) -> tuple[str, dict[str, Any]]:
    """Complete source of a figure's module and its default state."""
    if not isinstance(name, str) or name not in names():
        raise ValueError(f"name={name!r} is not a figure; available: {', '.join(names())}")
    folder = _web()
    own = (folder / f"{name}.js").read_text(encoding="utf-8")
    uses = re.match(r"// uses: ([\w -]+)\n", own)
    parts = ["kit", *(uses[1].split() if uses else [])]
    css = (folder / "figures.css").read_text(encoding="utf-8")
    defaults = json.loads(_DEFAULTS.search(own)[1])
    shared = [(folder / f"{part}.js").read_text(encoding="utf-8") for part in parts]
    source = "\n".join([f"const CSS = {json.dumps(css)};", *shared, own])
    return source, defaults


def figure(name: str, *, alt: str, caption: str, still: str | None = None, **state: Any) -> Any:
    """A live figure.

    `name`: one of `names()`. `alt`: what there is to see, for whoever cannot see it (at least 20
    characters, not the caption). `caption`: plain text under the figure. `still`: data URI of a
    picture shown where JavaScript is off. `state`: overrides of the module's defaults, JSON-able
    (numbers, strings, lists, dicts, None; tensors and arrays become lists).

    An entry whose default is empty must be given: `films`, `ingredients`, `playground`,
    `robust_pictures`, `epsilon`, `ascent`, `study` make them.

    Returns an `anywidget.AnyWidget` with one synchronized trait per state entry, or, when
    ``ACTMAX_STATIC=1``, an object with `_repr_html_`. Raises `ValueError` for an unknown figure
    or state entry (naming the ones there are), for state that is not finite JSON, and for a poor
    `alt`.
    """
    check_alt(alt, caption)
    source, defaults = _module(name)
    unknown = sorted(set(state) - set(defaults))
    if unknown:
        raise ValueError(
            f"figure {name!r} has no state {unknown[0]!r}; it has: {', '.join(sorted(defaults))}"
        )
    full = plain(defaults) | plain(state)
    for key, value in defaults.items():
        if value in ([], {}) and not full[key]:
            raise ValueError(
                f"figure {name!r} needs its state {key!r}: make it with one of "
                f"{', '.join(sorted(set(__all__) - {'figure', 'names', 'sprite'}))}, or "
                "atlas.figure.state"
            )
    try:
        json.dumps(full, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"state of figure {name!r} is not finite JSON: {error}") from None
    if not is_static():
        return _live_class(name)(**full, alt=alt, caption=caption)
    return Html(_static_html(name, source, full, alt, caption, still))


def _static_html(
    name: str, source: str, state: dict[str, Any], alt: str, caption: str, still: str | None
) -> str:
    # "<" is the only character that can end or nest a script element.
    data = json.dumps({"source": source, "state": state}, ensure_ascii=False, allow_nan=False)
    data = data.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    text = html.escape(alt)
    picture = f'<img class="dark-light" src="{html.escape(still)}" alt="{text}">' if still else ""
    hidden = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)"
    return (
        f'<figure class="actmax-figure" data-figure="{name}">\n'
        f'<div class="actmax-live"></div>\n'
        f"<noscript>{picture}<p>This figure moves where JavaScript is on. {text}</p></noscript>\n"
        f'<p class="actmax-alt" style="{hidden}">{text}</p>\n'
        f'<figcaption class="mathjax_process">{html.escape(caption)}</figcaption>\n'
        f'<script type="application/json" class="actmax-data">{data}</script>\n'
        f"<script>{_SHIM}</script>\n</figure>"
    )


@cache
def _live_class(name: str) -> type:
    import anywidget
    import traitlets

    source, defaults = _module(name)
    traits = {key: traitlets.Any(value).tag(sync=True) for key, value in defaults.items()}
    texts = {key: traitlets.Unicode().tag(sync=True) for key in ("alt", "caption")}
    title = "".join(part.capitalize() for part in name.split("-")) + "Figure"
    return type(title, (anywidget.AnyWidget,), {"_esm": source, **traits, **texts})
