"""Still figures and galleries: two colour modes, text alternatives, no trace in matplotlib."""

import base64
import re

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from actmax_lib import plots

ALT = "A straight line that rises from left to right."
CAPTION = "A line."


def line(fig):
    fig.subplots().plot([0, 1], [0, 1])


def pictures(n=3, size=8):
    return np.random.default_rng(0).random((n, 3, size, size))


@pytest.fixture
def static(monkeypatch):
    monkeypatch.setenv("ACTMAX_STATIC", "1")


@pytest.fixture
def live(monkeypatch):
    monkeypatch.delenv("ACTMAX_STATIC", raising=False)


def sources(page):
    return [
        base64.b64decode(found.split(",", 1)[1]).decode("latin-1")
        for found in re.findall(r'src="([^"]+)"', str(page))
    ]


def test_show_draws_light_and_dark_with_the_same_alternative(static):
    page = str(plots.show(line, alt=ALT, caption=CAPTION))
    assert re.findall(r'class="(only-\w+)"', page) == ["only-light", "only-dark"]
    assert page.count(f'alt="{ALT}"') == 2
    light, dark = sources(page)
    assert page.count("background:transparent") == 2
    assert plots.CYCLE["light"][0] in light
    assert plots.CYCLE["light"][0] not in dark
    assert plots.CYCLE["dark"][0] in dark
    assert not re.search(r"https?:", page)


def test_show_keeps_the_caption_out_of_reach_of_the_theme(static):
    # The theme hides `.only-light ~ figcaption` on dark pages, so the pictures have a parent.
    page = str(plots.show(line, alt=ALT, caption=CAPTION))
    assert re.search(r"<div>(<img[^>]*>){2}</div><figcaption", page)


def test_show_in_a_kernel_is_the_light_version_on_white(live):
    page = str(plots.show(line, alt=ALT, caption=CAPTION))
    assert page.count("<img") == 1
    assert "only-" not in page
    assert page.count("background:#fff") == 1
    assert plots.CYCLE["light"][0] in sources(page)[0]


def test_show_is_reproducible_and_leaves_matplotlib_alone(static):
    before, figures = dict(mpl.rcParams), plt.get_fignums()
    first, second = (str(plots.show(line, alt=ALT, caption=CAPTION)) for _ in range(2))
    assert first == second
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == figures


def test_show_leaves_matplotlib_alone_when_drawing_fails(static):
    before = dict(mpl.rcParams)
    with pytest.raises(ZeroDivisionError):
        plots.show(lambda fig: 1 / 0, alt=ALT, caption=CAPTION)
    assert dict(mpl.rcParams) == before


def test_show_gives_both_versions_the_same_random_numbers(static):
    seen = []

    def draw(fig, rng):
        seen.append(rng.random())
        line(fig)

    plots.show(draw, alt=ALT, caption=CAPTION, seed=3)
    assert seen[0] == seen[1] == np.random.default_rng(3).random()


def test_show_turns_dense_drawings_into_bitmaps(static):
    def cloud(fig):
        fig.subplots().plot(np.random.default_rng(0).random(20_000), "o")

    page = str(plots.show(cloud, alt=ALT, caption=CAPTION))
    assert page.count("data:image/webp") == 2
    assert len(page) < 700_000


def test_show_refuses_an_empty_figure():
    with pytest.raises(ValueError, match="no axes"):
        plots.show(lambda fig: None, alt=ALT, caption=CAPTION)


@pytest.mark.parametrize(
    ("alt", "caption", "words"),
    [("short", CAPTION, "too short"), (ALT, ALT, "repeats"), (ALT, "", "caption is empty")],
)
def test_poor_text_alternatives_are_refused(alt, caption, words):
    with pytest.raises(ValueError, match=words):
        plots.show(line, alt=alt, caption=caption)
    with pytest.raises(ValueError, match=words):
        plots.gallery(pictures(1), ["one"], alt=[alt], caption=caption)


def luminance(color):
    part = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(part <= 0.03928, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize(("mode", "page"), [("light", "#ffffff"), ("dark", "#121212")])
def test_every_colour_has_contrast_enough_for_text(mode, page):
    style = plots.style(mode)
    colors = [*plots.CYCLE[mode], style["text.color"], style["xtick.labelcolor"]]
    for color in colors:
        high, low = sorted([luminance(color), luminance(page)], reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, color


def test_style_refuses_another_mode():
    with pytest.raises(ValueError, match="light, dark"):
        plots.style("sepia")


def test_gallery_has_a_picture_a_title_and_an_alternative_each():
    page = str(
        plots.gallery(
            torch.tensor(pictures()), ["one\n0.97", "<two>", "three"], alt=ALT, caption=CAPTION
        )
    )
    assert page.count("<img") == 3
    assert f'alt="{ALT} (one 0.97)"' in page
    assert "one<br>" in page
    assert "&lt;two&gt;" in page
    assert "<two>" not in page
    assert len(set(re.findall(r'src="([^"]+)"', page))) == 3
    assert page.count("dark-light") == 3  # or the theme dims the pictures of dark pages


def test_gallery_keeps_small_pictures_as_squares_and_large_ones_smooth():
    small, large = (
        str(plots.gallery(pictures(1, size), ["one"], alt=ALT, caption=CAPTION)) for size in (8, 96)
    )
    assert "pixelated" in small
    assert "pixelated" not in large


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"titles": ["one"]}, "titles has 1 entries for 3 images"),
        ({"alt": [ALT]}, "alt has 1 entries for 3 images"),
        ({"columns": 0}, "columns=0"),
        ({"images": pictures() - 1}, r"\[0, 1\]"),
    ],
)
def test_gallery_refuses_bad_input(change, words):
    good = {"images": pictures(), "titles": ["a", "b", "c"], "alt": ALT, "caption": CAPTION}
    with pytest.raises(ValueError, match=words):
        plots.gallery(**(good | change))
