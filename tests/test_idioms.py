"""The page *From Lucid and Lucent*: every line of its right column runs, and is what it says.

The lines are read from the page, and so are the names they use.
"""

import re
from pathlib import Path

import pytest
import torch

from actmax_lib import Image, Objective, Run, function, maximize, pixels

pytestmark = pytest.mark.usefixtures("one_thread")
PAGE = Path(__file__).resolve().parents[1] / "chapters/appendix/idioms.md"
ROW = re.compile(r"^\| (?P<theirs>.+?) \| (?P<ours>.+) \|$", re.MULTILINE)
CODE = re.compile(r"(?:\{literal\})?`([^`]+)` ?(?:<br>|$)")

# what a reader of Lucid or Lucent looks up; each is in the left column of a row
IDIOMS = re.findall(
    r"\w+",
    """
neuron channel direction direction_neuron direction_cossim deepdream total_variation L1 L2
blur_input_each_step diversity input_diff inversion class_logit as_objective wrap_objective batch
channel_interpolate penalize_boundary_complexity alignment activation_difference caricatures
image pixel_image fft_image to_valid_rgb lowres_tensor alpha collapse_alpha_random cppn
pad jitter random_scale random_rotate compose standard_transforms normalize preprocess
render_vis import_model hook_model get_model_layers relu_gradient_override accentuation
""",
)


def rows(page: Path = PAGE) -> list[tuple[str, str, str | None]]:
    """Section, their idiom, and our line of code (None where we offer nothing), row by row."""
    found = []
    for part in page.read_text(encoding="utf-8").split("\n## ")[1:]:
        section = part.partition("\n")[0]
        for row in ROW.finditer(part):
            code = CODE.match(row["ours"])
            if row["theirs"].startswith(("---", "Lucid, Lucent")):
                continue
            found.append((section, row["theirs"], code and code[1]))
    return found


LINES = [row for row in rows() if row[2]]


@pytest.fixture(scope="module")
def names():
    """The names of the page, with ascents of one step: what 512 do is told elsewhere."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        scope: dict = {}
        for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S):
            exec(block, scope)
    torch.set_num_threads(threads)
    scope["maximize"] = lambda *given, **how: maximize(*given, **{**how, "steps": 1})
    return scope


def climbed(thing, section: str) -> Run:
    """One step with an objective, an image or a transform."""
    bright = function(lambda x: x.flatten(1).mean(1))
    if section == "Images" and not isinstance(thing, Run):
        assert isinstance(thing, Image), thing
        return maximize(bright, thing, steps=1)
    if isinstance(thing, Objective):
        seeds = list(range(thing.batch or 2))
        return maximize(thing, pixels(3, 64), steps=1, seed=seeds)
    if section == "Transforms":
        if isinstance(thing, torch.nn.Module):
            x = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
            thing = function(lambda x, net=thing: net(x)[:, 1])
            return maximize(thing, pixels(3, 64, start=x), steps=1)
        return maximize(bright, pixels(3, 64), transform=thing, steps=1)
    assert isinstance(thing, Run), thing
    return thing


@pytest.mark.parametrize(("section", "theirs", "code"), LINES, ids=[code for *_, code in LINES])
def test_a_line_runs(names, section, theirs, code):
    thing = eval(code, names)
    if section == "Rendering and networks" and not isinstance(thing, Run):
        assert isinstance(thing, (torch.nn.Module, list, torch.Tensor))
        return
    run = climbed(thing, section)
    assert run.history.isfinite().all()
    if "ball" not in code:  # which may leave the box
        assert 0 <= float(run.images.min()) <= float(run.images.max()) <= 1


def test_every_idiom_is_in_the_table():
    theirs = " ".join(left for _, left, _ in rows())
    missing = [name for name in IDIOMS if not re.search(rf"\b{name}\b", theirs)]
    assert not missing
    assert len(LINES) > 60


def test_a_row_has_a_line_or_says_that_there_is_none():
    for _, theirs, code in rows():
        if code is None:
            ours = next(r["ours"] for r in ROW.finditer(PAGE.read_text()) if r["theirs"] == theirs)
            assert re.match("Not (offered|needed)", ours), theirs
    assert sum(code is None for *_, code in rows()) < 6


def test_lines_with_a_counterpart_have_its_values(names):
    """Lucid's formulas, written out for activations (N, C, H, W) of our own forward pass."""
    x = names["photos"]
    a = names["Probe"](names["net"], ["blocks.5"])(x)["blocks.5"]
    mean, v = a.mean((2, 3)), names["v"]
    cosine = torch.einsum("nchw,c->nhw", a, v) / (a.norm(dim=1) * v.norm())
    expected = {
        'neuron("mixed4a", 7)': a[:, 7, 2, 2],
        'channel("mixed4a", 7)': mean[:, 7],
        'as_objective("mixed4a:7")': mean[:, 7],
        "direction(layer, vec)` of Lucid": (a * v[:, None, None]).mean((1, 2, 3)) * len(v),
        "direction(layer, vec)` of Lucent": cosine.mean((1, 2)),
        "direction_neuron(": a[:, :, 2, 2] @ v,
        "deepdream(": a.square().mean((1, 2, 3)),
        "around `T(layer)": a.flatten(1).max(1).values,
        "class_logit(": names["net"](x)[:, 130],
    }
    for key, values in expected.items():
        (code,) = [code for _, theirs, code in rows() if key in theirs.replace("-channel", "")]
        with torch.no_grad():
            torch.testing.assert_close(eval(code, names)(x), values, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("fault", "error"), [
    ('neuron(net, "blocks.99", 7)', ValueError), ("fourier(3, 64).image", AttributeError),
    ("maximize(f, size=3)", TypeError), ("oneself(3)", NameError),
])  # fmt: skip
def test_a_planted_fault_is_caught(names, tmp_path, fault, error):
    page = tmp_path / "idioms.md"
    page.write_text(
        f"# x\n\n## Objectives\n\n| Lucid, Lucent | here |\n|---|---|\n| a | `{fault}` |\n"
    )
    ((section, theirs, code),) = rows(page)
    assert (section, theirs, code) == ("Objectives", "a", fault)
    with pytest.raises(error):
        test_a_line_runs(names, section, theirs, code)
