"""Live figures, seen from Python: what is written into a page and what a kernel gets."""

import html
import json
import re
from types import SimpleNamespace

import anywidget
import numpy as np
import pytest
import torch

from actmax_lib import widgets
from actmax_lib.atlas.figure import state
from scripts.results import RESULTS

ALT = "A plane with an arrow and a point, drawn for a test."
CAPTION = "A caption."
FIGURES = [
    "ascent", "atlas", "bayes", "epsilon", "film", "fooling", "ingredients", "langevin", "linear",
    "max-example", "playground", "robust-pictures", "study", "trace",
]  # fmt: skip
TOP = [[("daisy", 0.9), ("nail", 0.1)]]


def picture(seed=0, n=1, size=8):
    return np.random.default_rng(seed).random((n, 3, size, size))


def needed(name):
    """The state that a figure cannot do without."""
    if name == "film":
        return {"films": widgets.films(a_run(), ["one", "two"])}
    if name == "ingredients":
        rendered = {"00": (picture(), TOP, [1.0]), "11": (picture(1), TOP, [2.0])}
        return widgets.ingredients({"a": "Part a", "b": "Part b"}, ["daisy"], rendered)
    if name == "atlas":
        return state(RESULTS / "atlas.json", address="sheets")
    if name == "playground":
        return widgets.playground(RESULTS / "playground.json")
    if name == "robust-pictures":
        return widgets.robust_pictures([RESULTS / "robust-pictures-fashion.json"])
    if name == "ascent":
        return widgets.ascent(RESULTS / "ascent.json", "sheets")
    if name == "study":
        return widgets.study(RESULTS / "study.json", "sheets")
    if name == "epsilon":
        return widgets.epsilon([RESULTS / "robust-epsilon-fashion.json"])
    return {}


@pytest.fixture
def static(monkeypatch):
    monkeypatch.setenv("ACTMAX_STATIC", "1")


@pytest.fixture
def live(monkeypatch):
    monkeypatch.delenv("ACTMAX_STATIC", raising=False)


def data(figure):
    """The JSON that a static figure carries."""
    found = re.search(
        r'<script type="application/json" class="actmax-data">(.*?)</script>', str(figure), re.S
    )
    return json.loads(found[1])


def test_names_are_the_figure_modules_and_not_the_shared_files():
    assert widgets.names() == FIGURES


@pytest.mark.parametrize("name", FIGURES)
def test_static_figure_is_self_contained(static, name):
    page = widgets.figure(name, alt=ALT, caption=CAPTION, **needed(name))._repr_html_()
    assert not re.search(r"https?:|//[a-z]+\.[a-z]|\bsrc=\"(?!data:)", page)
    assert page.count("<figure") == page.count("</figure>") == 1
    assert f'data-figure="{name}"' in page
    assert "export default" in data(page)["source"]
    assert ALT in page
    assert f"{CAPTION}</figcaption>" in page


def test_state_can_not_leave_its_script(static):
    nasty = '</script><!--<script>alert("1")</script>\u2028 & </figure>'
    page = str(widgets.figure("film", alt=ALT, caption=CAPTION, **needed("film"), quantity=nasty))
    assert page.count("</script>") == 2
    assert page.count("<!--") == 0
    assert data(page)["state"]["quantity"] == nasty


def test_texts_are_escaped(static):
    alt = 'A <b>bold</b> "quoted" alternative & more of it'
    page = str(widgets.figure("linear", alt=alt, caption="Where λ < 1 & <i>x</i>"))
    assert "<b>" not in page
    assert "<i>x" not in page
    assert html.escape(alt) in page


def test_state_defaults_come_from_the_module_and_arguments_override(static):
    state = data(widgets.figure("linear", alt=ALT, caption=CAPTION, lam=2, w=torch.ones(2)))[
        "state"
    ]
    assert state["lam"] == 2
    assert state["w"] == [1.0, 1.0]
    assert state["eta"] > 0


def test_still_stands_where_there_is_no_javascript(static):
    sheet = widgets.sprite(picture())["src"]
    page = str(widgets.figure("linear", alt=ALT, caption=CAPTION, still=sheet))
    inside = re.search(r"<noscript>(.*?)</noscript>", page, re.S)[1]
    assert f'src="{sheet}" alt="{ALT}"' in inside


def test_live_figure_is_an_anywidget_with_synchronized_traits(live):
    figure = widgets.figure("max-example", alt=ALT, caption=CAPTION, lam=1.0)
    assert isinstance(figure, anywidget.AnyWidget)
    assert {"lam", "beta", "starts", "alt", "caption"} <= set(figure.keys)
    assert (figure.lam, figure.beta, figure.alt) == (1.0, None, ALT)
    figure.set_state({"lam": 0.25})
    assert figure.lam == 0.25
    assert "export default" in figure._esm
    other = widgets.figure("max-example", alt=ALT, caption=CAPTION)
    assert other.starts is not figure.starts
    assert other.lam != 0.25


def test_static_and_live_share_one_source(monkeypatch):
    monkeypatch.setenv("ACTMAX_STATIC", "1")
    page = widgets.figure("linear", alt=ALT, caption=CAPTION)
    monkeypatch.setenv("ACTMAX_STATIC", "0")
    assert data(page)["source"] == str(widgets.figure("linear", alt=ALT, caption=CAPTION)._esm)


def test_unknown_figure_names_the_ones_there_are():
    with pytest.raises(ValueError, match=r"'linaer'.*film, fooling, ingredients, langevin, linear"):
        widgets.figure("linaer", alt=ALT, caption=CAPTION)


def test_shared_file_is_not_a_figure():
    with pytest.raises(ValueError, match="'kit'"):
        widgets.figure("kit", alt=ALT, caption=CAPTION)


def test_unknown_state_names_what_there_is():
    with pytest.raises(ValueError, match=r"no state 'lambda'.*eta, lam"):
        widgets.figure("linear", alt=ALT, caption=CAPTION, **{"lambda": 1})


@pytest.mark.parametrize("bad", [float("nan"), np.array([np.inf, 1]), object(), {1, 2}])
def test_state_that_is_no_json_is_refused(bad):
    with pytest.raises(ValueError, match=r"'linear' is not finite JSON"):
        widgets.figure("linear", alt=ALT, caption=CAPTION, w=bad)


@pytest.mark.parametrize(
    ("alt", "caption", "error", "words"),
    [
        ("a plot", CAPTION, ValueError, "too short"),
        ("   padded   " + " " * 20, CAPTION, ValueError, "too short"),
        (ALT, f" {ALT.upper()}\n", ValueError, "repeats the caption"),
        (ALT, " ", ValueError, "caption is empty"),
        (None, CAPTION, TypeError, "alt must be a string"),
    ],
)
def test_poor_text_alternatives_are_refused(alt, caption, error, words):
    with pytest.raises(error, match=words):
        widgets.figure("linear", alt=alt, caption=caption)


def decoded(uri):
    import base64
    import io

    from PIL import Image

    kind, content = uri.split(",", 1)
    assert kind == "data:image/webp;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content)))) / 255


def test_sprite_has_frame_k_in_row_k_over_columns():
    frames = picture(n=5, size=16)  # below 64 pixels it is kept without loss
    sheet = widgets.sprite(torch.tensor(frames), columns=3)
    assert {k: v for k, v in sheet.items() if k != "src"} == {
        "rows": 2, "columns": 3, "height": 16, "width": 16
    }  # fmt: skip
    pixels = decoded(sheet["src"])
    for k in range(5):
        top, left = 16 * (k // 3), 16 * (k % 3)
        cell = pixels[top : top + 16, left : left + 16].transpose(2, 0, 1)
        assert np.abs(cell - frames[k]).max() <= 0.5 / 255 + 1e-9


def test_sprite_of_grey_odd_frames():
    sheet = widgets.sprite(np.full((2, 1, 7, 11), 0.5))
    assert (sheet["rows"], sheet["columns"], sheet["height"], sheet["width"]) == (1, 2, 7, 11)


@pytest.mark.parametrize(
    ("images", "columns", "words"),
    [
        (picture()[0], None, "shape"),
        (np.zeros((1, 2, 4, 4)), None, "shape"),
        (np.zeros((0, 3, 4, 4)), None, "shape"),
        (np.zeros((1, 3, 4, 4), dtype=np.uint8), None, "divide by 255"),
        (picture() * 2, None, r"\[0, 1\]"),
        (picture() * np.nan, None, r"\[0, 1\]"),
        (picture(), 2, "columns=2"),
        (np.zeros((2, 3, 4, 9000)), 2, "do not fit"),
    ],
)
def test_sprite_refuses_what_is_no_set_of_pictures(images, columns, words):
    with pytest.raises(ValueError, match=words):
        widgets.sprite(images, columns)


def a_run(frames=3, images=2):
    steps = torch.tensor([0, 2, 3])
    return SimpleNamespace(
        images=torch.zeros(images, 3, 8, 8),
        frames=torch.rand(frames, images, 3, 8, 8, generator=torch.Generator().manual_seed(0)),
        frame_steps=steps[:frames],
        history=torch.arange(4.0 * images).reshape(4, images),
    )


def test_films_take_each_image_s_frames_steps_and_values():
    run = a_run()
    made = widgets.films(run, ["one", "two"], notes=["n1", "n2"])
    assert [film["name"] for film in made] == ["one", "two"]
    assert made[1]["steps"] == [0, 2, 3]
    assert made[1]["values"] == [1.0, 5.0, 7.0]
    assert made[1]["history"] == [1.0, 3.0, 5.0, 7.0]
    assert made[1]["note"] == "n2"
    assert made[1]["sheet"]["src"] == widgets.sprite(run.frames[:, 1])["src"]


def test_films_refuse_a_run_without_frames_and_wrong_names():
    with pytest.raises(ValueError, match="frames=24"):
        widgets.films(a_run(frames=0), ["one", "two"])
    with pytest.raises(ValueError, match="names has 1 entries for 2 images"):
        widgets.films(a_run(), ["one"])


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("atlas", "sheets"),
        ("film", "films"),
        ("ingredients", "switches"),
        ("playground", "sheet"),
    ],
)
def test_a_figure_without_its_pictures_is_refused(name, key):
    with pytest.raises(ValueError, match=f"'{name}' needs its state '{key}'"):
        widgets.figure(name, alt=ALT, caption=CAPTION)


def test_ingredients_take_pictures_judgements_and_values():
    top = [[(985, "daisy", 0.9)], [(130, "flamingo", torch.tensor(0.25)), (1, "nail", 0.1)]]
    images = torch.tensor(picture(n=2))
    made = widgets.ingredients({"a": "Part a"}, ["daisy", "flamingo"], {"1": (images, top, [3, 4])})
    second = made["combos"]["1"][1]
    assert second["top"] == [["flamingo", 0.25], ["nail", 0.1]]
    assert second["value"] == 4.0
    assert np.abs(decoded(second["src"]).transpose(2, 0, 1) - images[1].numpy()).max() < 0.51 / 255
    assert made["switches"] == [{"key": "a", "label": "Part a"}]


@pytest.mark.parametrize(
    ("key", "n", "words"),
    [("1", 1, "2 digits"), ("1x", 1, "2 digits"), ("10", 2, "2 images for 1")],
)
def test_ingredients_refuse_combinations_that_do_not_fit(key, n, words):
    rendered = {key: (picture(n=n), TOP, [1.0])}
    with pytest.raises(ValueError, match=words):
        widgets.ingredients({"a": "Part a", "b": "Part b"}, ["daisy"], rendered)
