"""The peers' adapters, with fakes in the peers' place: what they are asked for, and the ticks.
Horama's crops are checked against SciPy."""

import sys
import types
import warnings

import numpy as np
import pytest
import scipy.ndimage
import torch

from tests.test_benchmarks import module


def fake(monkeypatch, peer, attribute, thing):
    """The adapter's module, importing ``thing``."""
    adapter = module(peer)
    monkeypatch.setattr(adapter, attribute, lambda: thing)
    return adapter


def test_lucent_gets_a_copy_of_the_network_and_one_logit_an_image(monkeypatch):
    asked = {}

    def render_vis(net, objective, param, **options):
        asked.update(net=net, objective=objective, image=param(), **options)
        for _ in range(options["thresholds"][0]):
            options["transforms"][0]("picture")

    thing = (
        types.SimpleNamespace(channel=lambda layer, index, batch: np.array([index * 10 + batch])),
        types.SimpleNamespace(image=lambda size, **options: (size, options)),
        types.SimpleNamespace(render_vis=render_vis),
        types.SimpleNamespace(standard_transforms=["pad", "jitter"]),
    )
    adapter = fake(monkeypatch, "lucent_peer", "import_lucent", thing)
    net, ticks = torch.nn.Linear(1, 1), []
    state = np.random.get_state()
    try:
        adapter.Lucent(net, "out", True, size=64).prepare([3, 5], 7)(ticks.append)
    finally:
        np.random.set_state(state)
    assert ticks == ["picture"] * 7
    assert asked["net"] is not net
    assert asked["objective"] == 30 + 51
    assert asked["image"] == (64, {"batch": 2, "fft": True, "decorrelate": True})
    assert asked["transforms"][1:] == ["pad", "jitter"]
    assert asked["preprocess"] is True


def test_horama_gets_as_many_crops_as_there_are_images_and_equal_sizes(monkeypatch):
    asked, seen = {}, []

    def fourier(objective, **options):
        asked.update(options)
        for _ in range(options["total_steps"]):
            seen.append(objective(torch.ones(options["crops_per_iteration"], 4)))

    adapter = fake(monkeypatch, "horama_peer", "import_horama",
                   types.SimpleNamespace(fourier=fourier))  # fmt: skip
    net = torch.nn.Linear(4, 6)
    ticks = []

    def tick(x):
        ticks.append(len(x))
        return x

    with torch.random.fork_rng():
        adapter.Horama(net, size=64).prepare([5, 1, 2], 4)(tick)
    assert ticks == [3] * 4
    assert (asked["image_size"], asked["model_input_size"]) == (64, 64)
    assert asked["values_range"] == (0.0, 1.0)
    expected = 3 * (net.weight[5].sum() + net.bias[5])
    torch.testing.assert_close(seen[0], expected)


def test_dreamlens_gets_one_picture_a_class_and_its_own_transformations(monkeypatch):
    asked, seen = {}, []

    def optimize(objective, **options):
        asked.update(objective=objective, **options)
        for _ in range(options["nb_steps"]):
            seen.append(options["transformations"]("picture"))

    thing = types.SimpleNamespace(
        Objective=types.SimpleNamespace(neuron=lambda net, layer, ids: (layer, ids)),
        generate_standard_transformations=lambda size: lambda x: f"{x} {size}",
        optimize=optimize,
    )
    adapter = fake(monkeypatch, "dreamlens_peer", "import_dreamlens", thing)
    ticks = []

    def tick(x):
        ticks.append(x)
        return f"ticked {x}"

    net = torch.nn.Identity()
    with torch.random.fork_rng():
        adapter.DreamLens(net, "out", size=64).prepare((8, 9), 3)(tick)
    assert ticks == ["picture"] * 3
    assert seen == ["ticked picture 64"] * 3
    assert asked["objective"] == ("out", [8, 9])
    assert asked["custom_shape"] == (64, 64)


def test_what_is_not_installed_is_named():
    imports = module("peer_imports")
    with pytest.raises(ImportError, match="no_such_peer is not installed; `make bench`"):
        imports.prepare_imports("no_such_peer")


def test_only_who_needs_torchvision_loads_it(monkeypatch):
    imports = module("peer_imports")
    monkeypatch.setattr(imports.importlib.util, "find_spec", lambda name: name)
    loaded = []
    monkeypatch.setattr(imports.importlib, "import_module", loaded.append)
    with warnings.catch_warnings():
        imports.prepare_imports("json", torchvision=False)
        assert loaded == []
        imports.prepare_imports("json")
    assert loaded == ["torchvision"]


def test_crops_are_torchvisions_roi_align():
    """One bilinear sample in the middle of each bin, pixel i at i; 0 beyond one pixel outside."""
    crops = module("horama_peer").crops
    x = np.random.default_rng(0).random((2, 3, 20, 23))
    boxes = [[0, 3.2, 4.1, 9.0, 8.0], [1, -3.0, 2.0, 12.0, 16.5], [0, 14.0, 12.5, 25.9, 22.8]]
    height, width = 18, 21
    out = crops(torch.tensor(x), torch.tensor(boxes, dtype=torch.float64), (height, width))
    blank = 0
    for got, (index, x0, y0, x1, y1) in zip(out.numpy(), boxes, strict=True):
        columns = x0 + (np.arange(width) + 0.5) * (x1 - x0) / width
        rows = y0 + (np.arange(height) + 0.5) * (y1 - y0) / height
        at = np.meshgrid(rows, columns, indexing="ij")
        outside = (at[0] < -1) | (at[0] > 20) | (at[1] < -1) | (at[1] > 23)
        blank += outside.sum()
        for channel in range(3):
            expected = scipy.ndimage.map_coordinates(x[index, channel], at, order=1, mode="nearest")
            np.testing.assert_allclose(got[channel], np.where(outside, 0, expected), atol=1e-10)
    assert blank > 0


def test_horama_without_compiled_operators_gets_our_crops(monkeypatch):
    adapter = module("horama_peer")
    common, fourier_fv = types.ModuleType("horama.common"), types.ModuleType("horama.fourier_fv")
    package = types.ModuleType("horama")
    package.common, package.fourier_fv, common.roi_align = common, fourier_fv, "compiled"
    for name, thing in [("horama", package), ("horama.common", common),
                        ("horama.fourier_fv", fourier_fv)]:  # fmt: skip
        monkeypatch.setitem(sys.modules, name, thing)
    monkeypatch.setattr(adapter, "prepare_imports", lambda name: None)
    monkeypatch.setattr(adapter, "operators_run", lambda: True)
    assert adapter.import_horama() is fourier_fv
    assert common.roi_align == "compiled"
    assert list(fourier_fv.tqdm(range(2))) == [0, 1]
    monkeypatch.setattr(adapter, "operators_run", lambda: False)
    adapter.import_horama()
    assert common.roi_align is adapter.crops
