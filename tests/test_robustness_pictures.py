"""The committed pictures of *robustness* are what their manifests say, and the attack is one."""

import json
import math

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from actmax_lib import data, function, maximize, point, zoo
from scripts import render_epsilon, render_robustness, results
from scripts.robustness_sheets import LEVELS, SETS, networks

pytestmark = pytest.mark.usefixtures("one_thread")
NAMES = [f"robust-{kind}-{key}" for kind in ("pictures", "epsilon") for key in SETS]
HALF = 255 / (LEVELS - 1) / 2 / 255 + 1 / 255  # a level is that far off at most


def made(name):
    return json.loads((results.RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def tiles(name):
    """All tiles of a sheet, float64 (n, C, H, W) in [0, 1]."""
    told = made(name)
    mode = "L" if "fashion" in name else "RGB"
    sheet = np.asarray(Image.open(results.RESULTS / told["sheet"]).convert(mode)) / 255
    sheet = torch.from_numpy(sheet.reshape(*sheet.shape[:2], -1)).permute(2, 0, 1)
    side = told["size"]
    found = sheet.unfold(1, side, side).unfold(2, side, side)
    return found.permute(1, 2, 0, 3, 4).flatten(0, 1)


def test_hashes_and_the_size_of_it_all():
    for name in NAMES:
        assert results.sha256(results.RESULTS / f"{name}.webp") == made(name)["sha256"]
    assert sum((results.RESULTS / f"{name}.webp").stat().st_size for name in NAMES) <= 1.5e6


@pytest.mark.parametrize("key", SETS)
def test_every_network_of_the_zoo_is_shown(key):
    known = zoo.trained.manifest()
    told = made(f"robust-pictures-{key}")
    assert told["networks"] == networks(key)
    assert {n["sha256"] for n in told["networks"]} == {
        e["sha256"] for name, e in known.items() if name.startswith(key) and name.endswith("-0")
    }
    assert len(told["apart"]) == len(told["networks"])
    attacked = made(f"robust-epsilon-{key}")["networks"]
    assert attacked == [n for m in render_epsilon.ATTACKED for n in networks(key)
                        if n["method"] == m]  # fmt: skip


def recipe_of(net, k, lam):
    return lambda x: net(x)[:, k] - lam * ((x - 0.5) ** 2).flatten(1).sum(1)


@pytest.mark.parametrize("key", SETS)
def test_the_first_frames_are_rendered_again(key):
    """Start and order of the tiles: networks, recipes, classes, steps."""
    told, shown, how = made(f"robust-pictures-{key}"), tiles(f"robust-pictures-{key}"), SETS[key]
    start = render_robustness.noise(how.shape)
    assert (shown[0] - start[0]).abs().max() <= HALF
    frames, classes = len(told["steps"]) - 1, len(told["classes"])
    each = len(told["recipes"]) * classes * frames
    name = next(n for n in told["networks"] if n["method"] == "standard")
    first = 1 + told["networks"].index(name) * each
    net = zoo.load(name["name"], device="cpu")
    for r, recipe in enumerate(told["recipes"]):
        for k in (0, 7):
            f = function(recipe_of(net, k, recipe["lambda"]))
            x = maximize(
                f, point(start, box=(0.0, 1.0)), steps=told["steps"][1], lr=told["length"],
                optimizer="normalized", schedule="constant",
            ).images[0]  # fmt: skip
            at = first + (r * classes + k) * frames
            assert (shown[at] - x).abs().max() <= HALF


@pytest.mark.parametrize("key", SETS)
def test_a_climb_has_climbed(key):
    """The last frame of every network has more of its class's logit than the noise had."""
    told, shown = made(f"robust-pictures-{key}"), tiles(f"robust-pictures-{key}")
    frames, classes = len(told["steps"]) - 1, len(told["classes"])
    each = len(told["recipes"]) * classes * frames
    for n, entry in enumerate(told["networks"]):
        net = zoo.load(entry["name"], device="cpu").double()
        last = shown[1 + n * each : 1 + (n + 1) * each][frames - 1 :: frames]
        k = torch.arange(classes).repeat(len(told["recipes"]))
        rise = net(last).gather(1, k[:, None])[:, 0] - net(shown[:1])[0, k]
        assert rise.min() > 0, entry["name"]


def attack(key):
    """(manifest, pictures and changes (networks, ε, targets, 2, C, H, W), photograph, numbers)."""
    name = f"robust-epsilon-{key}"
    told = made(name)
    shape = (len(told["networks"]), len(told["eps"]), len(told["targets"]))
    where = told["photograph"]
    sets = (where["data"], where["split"])
    try:
        photo = data.load(*sets).images([where["index"]])[0].double()
    except (OSError, ValueError) as error:
        pytest.skip(f"{where['data']} is not on this machine: {error}")
    numbers = {k: torch.tensor(told[k]).view(shape).double() for k in ("p", "norm", "most")}
    shown = tiles(name)[: 2 * math.prod(shape)]
    return told, shown.view(*shape, 2, *shown.shape[1:]), photo, numbers


@pytest.mark.parametrize("key", SETS)
def test_an_attack_stays_in_its_ball_and_says_what_it_changed(key):
    told, shown, photo, numbers = attack(key)
    radii = torch.tensor([math.inf if e is None else float(e) for e in told["eps"]])
    assert radii[0] == 0
    assert math.isinf(radii[-1])
    assert (numbers["norm"] <= radii.view(1, -1, 1) + 1e-3).all()
    small = (radii > 0) & (radii < 2)  # there the whole ball is used
    assert (numbers["norm"][:, small] >= 0.97 * radii[small].view(1, -1, 1)).all()
    picture, change = shown.unbind(3)
    most = numbers["most"].view(*numbers["most"].shape, 1, 1, 1)
    assert (picture[:, 0] - photo).abs().max() <= HALF
    assert (picture - photo - (2 * change - 1) * most).abs().max() <= 3 * HALF + 1e-3


@pytest.mark.parametrize("key", SETS)
def test_more_room_gives_more_and_the_robust_network_needs_more_of_it(key):
    told, shown, _, numbers = attack(key)
    p = numbers["p"]
    assert (p.diff(dim=1) > -0.02).all()
    assert (p[:, -1] > 0.9).all()
    half = (p > 0.5).double().argmax(1)  # the first ε that gets the target
    assert (half[1] > half[0]).all()
    for n, entry in enumerate(told["networks"]):  # what is stated is what the networks say
        net = zoo.load(entry["name"], device="cpu").double()
        said = net(shown[n, :, :, 0].flatten(0, 1)).softmax(1).view(*p.shape[1:], -1)
        said = said[:, torch.arange(len(told["targets"])), told["targets"]]
        assert (said - p[n]).abs().median() < 0.02


def test_without_a_ball_it_is_class_visualization_of_log_p():
    """Direction of the log-odds = direction of log p, where log p still has one (P6)."""
    net = zoo.load("fashion-standard-0", device="cpu").double()
    x, k = data.load("fashion-mnist", "sample").images([415]).double(), torch.tensor([1])
    ours = render_epsilon.climb(
        render_epsilon.log_odds(net, k), x, x, render_epsilon.Ball("l2", math.inf),
        steps=12, step=0.175,
    )  # fmt: skip
    run = maximize(
        function(lambda z: -F.cross_entropy(net(z), k, reduction="none")),
        point(x, box=(0.0, 1.0)), steps=12, lr=0.175, optimizer="normalized", schedule="constant",
    )  # fmt: skip
    assert (ours - run.images).abs().max() < 1e-9
    z = net(x)[0]
    p = z.softmax(0)[1]
    assert torch.allclose(render_epsilon.log_odds(net, k)(x), (p / (1 - p)).log())
