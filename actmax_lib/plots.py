"""Still figures with text alternatives, light and dark; galleries of pictures.

Both functions return an object that a notebook shows (`_repr_html_`). Nothing here touches pyplot
or leaves matplotlib's settings changed.
"""

import html
import io
from collections.abc import Callable, Sequence
from typing import Any

from actmax_lib._html import Html, as_images, check_alt, data_uri, is_static, webp

# Okabe-Ito hues, moved until each has 4.5:1 on its page: they may colour text as well as lines.
CYCLE = {
    "light": ["#0062a3", "#b04500", "#006e56", "#6b3fa8", "#8a5a00", "#a3195b"],
    "dark": ["#6db8f5", "#f9a45c", "#4fcfae", "#c3a2f2", "#e8c35a", "#f48fbf"],
}
_TEXT = {"light": "#1d2630", "dark": "#e8edf2"}
_AXIS = {"light": "#7b8694", "dark": "#8793a0"}
_GRID = {"light": "#e4e8ee", "dark": "#2e3742"}
_SVG_LIMIT = 80_000  # bytes; denser drawings (heat maps, clouds of points) become bitmaps


def style(mode: str) -> dict[str, Any]:
    """matplotlib settings of a colour mode, "light" or "dark", on a transparent ground."""
    from cycler import cycler

    if mode not in CYCLE:
        raise ValueError(f"mode={mode!r}; there are: {', '.join(CYCLE)}")
    text, axis = _TEXT[mode], _AXIS[mode]
    return {
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "savefig.facecolor": "none",
        "text.color": text,
        "axes.labelcolor": text,
        "axes.titlecolor": text,
        "xtick.labelcolor": text,
        "ytick.labelcolor": text,
        "axes.edgecolor": axis,
        "xtick.color": axis,
        "ytick.color": axis,
        "grid.color": _GRID[mode],
        "legend.frameon": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.prop_cycle": cycler(color=CYCLE[mode]),
        "image.cmap": "cividis",
        "lines.linewidth": 2,
        "font.size": 12,
        "font.family": "DejaVu Sans",
        "mathtext.fontset": "cm",
        "svg.hashsalt": "actmax",  # same drawing, same bytes
    }


def show(
    draw: Callable[..., object],
    *,
    alt: str,
    caption: str,
    size: tuple[float, float] = (6.4, 3.6),
    seed: int | None = None,
) -> Html:
    """A drawing made twice, for light and for dark pages.

    `draw(fig)` fills a `matplotlib.figure.Figure` (constrained layout); colours "C0".."C5" and the
    text colour follow the mode. With `seed` it is called as `draw(fig, rng)` with the same fresh
    `numpy.random.Generator` each time, so that both versions show the same numbers. `alt`: what
    there is to see (at least 20 characters, not the caption); `size`: inches. In a live kernel
    only the light version is returned, on white. Raises `ValueError` for a poor `alt` or when
    nothing was drawn.
    """
    check_alt(alt, caption)
    static = is_static()
    pictures = []
    for mode in ("light", "dark") if static else ("light",):
        kind = f' class="only-{mode}"' if static else ' class="dark-light"'
        # Said inline: on dark pages the theme puts a light sheet under every picture of a cell.
        ground = "transparent" if static else "#fff"
        src = _drawn(draw, mode, size, seed)
        pictures.append(
            f'<img{kind} src="{src}" alt="{html.escape(alt)}" width="{round(96 * size[0])}" '
            f'style="background:{ground};padding:0;max-width:100%;height:auto">'
        )
    # The wrapper matters: the theme hides every figcaption that is a sibling of .only-light.
    return Html(
        '<figure class="actmax-still" style="margin:1.5rem 0;padding:0">'
        f"<div>{''.join(pictures)}</div>{_caption(caption)}</figure>"
    )


def _caption(caption: str) -> str:
    return (
        '<figcaption class="mathjax_process" style="text-align:left;margin:0.5rem 0 0;padding:0">'
        f"{html.escape(caption)}</figcaption>"
    )


def _drawn(
    draw: Callable[..., object], mode: str, size: tuple[float, float], seed: int | None
) -> str:
    import matplotlib as mpl
    import numpy as np
    from matplotlib.figure import Figure

    with mpl.rc_context(style(mode)):
        fig = Figure(figsize=size, layout="constrained")
        draw(fig) if seed is None else draw(fig, np.random.default_rng(seed))
        if not fig.axes:
            raise ValueError("draw added no axes to the figure it was given; use fig.subplots()")
        buffer = io.BytesIO()
        fig.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
        if buffer.tell() <= _SVG_LIMIT:
            return data_uri("image/svg+xml", buffer.getvalue())
        buffer = io.BytesIO()
        fig.savefig(buffer, format="webp", dpi=192, transparent=True)
        return data_uri("image/webp", buffer.getvalue())


def gallery(
    images: Any,
    titles: Sequence[str],
    *,
    alt: Sequence[str] | str,
    caption: str,
    columns: int | None = None,
    quality: int = 85,
) -> Html:
    """Pictures side by side, each with its title under it, wrapping on narrow pages.

    `images`: (N, C, H, W) in [0, 1], C = 1 or 3, tensor or array. `titles`: N texts; a line break
    starts a second, quieter line. `alt`: N texts, or one for all, to which each title is added.
    `columns`: at most this many a row. `quality`: of the WebP, 1..100 (pictures below 64 pixels are
    kept without loss and shown as squares). Raises `ValueError` when the counts differ.
    """
    pictures = as_images(images)
    count, height, width, _ = pictures.shape
    alts = [f"{alt} ({title})" for title in titles] if isinstance(alt, str) else list(alt)
    for name, texts in (("titles", titles), ("alt", alts)):
        if len(texts) != count:
            raise ValueError(f"{name} has {len(texts)} entries for {count} images")
    if columns is not None and columns < 1:
        raise ValueError(f"columns={columns} must be at least 1")
    for text in [alt] if isinstance(alt, str) else alts:
        check_alt(text, caption)
    pixels = "image-rendering:pixelated;" if min(height, width) < 64 else ""
    shape = f"width:100%;height:auto;display:block;margin:0 0 0.3rem;padding:0;{pixels}"
    cells = []
    for picture, title, text in zip(pictures, titles, alts, strict=True):
        first, *rest = (html.escape(line) for line in title.split("\n"))
        more = "".join(f'<br><span style="opacity:0.85">{line}</span>' for line in rest)
        cells.append(
            f'<div style="text-align:center;line-height:1.35"><img class="dark-light" '
            f'src="{webp(picture, quality)}" alt="{html.escape(" ".join(text.split()))}" '
            f'style="{shape}">{first}{more}</div>'
        )
    across = columns or min(count, 4)
    least = 96 if across in (3, 6) else 120  # three fit on a phone, six on a page
    cell = f"minmax(min(100%,max({least}px,calc((100% - {across - 1}*0.9rem)/{across}))),1fr)"
    grid = f"display:grid;grid-template-columns:repeat(auto-fill,{cell});gap:0.9rem"
    return Html(
        '<figure class="actmax-gallery" style="margin:1.5rem 0;padding:0">'
        f'<div style="{grid}">{"".join(cells)}</div>{_caption(caption)}</figure>'
    )
