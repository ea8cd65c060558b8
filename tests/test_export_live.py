"""The weights and the film of the live network: written is what is read, and is up to date."""

import base64
import json

import numpy as np
import pytest
import torch

from actmax_lib import widgets, zoo
from actmax_lib._ascent import ascent
from actmax_lib.zoo.cifar import CifarNet
from scripts import export_live, results

MANIFEST = results.RESULTS / "ascent.json"
KNOWN = json.loads(MANIFEST.read_text(encoding="utf-8"))
WEIGHTS = MANIFEST.with_suffix("") / export_live.WEIGHTS


@pytest.fixture(scope="module")
def nets():
    return export_live.unpacked(WEIGHTS.read_text(encoding="utf-8"))


def tiny(seed):
    torch.manual_seed(seed)
    net = CifarNet((4, 6, 5, 7, 3)).eval()
    for layer in export_live.layers(net):
        torch.nn.init.normal_(layer.bias)
    return net.requires_grad_(False)


def test_rounding_moves_no_weight_by_more_than_half_a_scale():
    weight = torch.randn(5, 3, 3, 3) * torch.logspace(-4, 2, 5).view(-1, 1, 1, 1)
    weight[2] = 0
    q, scale = export_live.rounded(weight)
    assert q.dtype == torch.int8
    assert q.flatten(1).abs().amax(1).tolist() == [127, 127, 0, 127, 127]
    gap = (q * scale.view(-1, 1, 1, 1) - weight).abs().flatten(1).amax(1)
    assert (gap <= scale * (0.5 + 1e-5)).all()
    assert torch.equal(export_live.rounded(q * scale.view(-1, 1, 1, 1))[0], q)


def test_a_file_holds_each_network_with_its_rounded_weights():
    given = {"a": tiny(0), "b": tiny(1)}
    read = export_live.unpacked(export_live.script(given))
    assert list(read) == ["a", "b"]
    for name, net in given.items():
        pairs = zip(export_live.layers(net), export_live.layers(read[name]), strict=True)
        for own, found in pairs:
            assert torch.equal(found.bias, own.bias)
            most = own.weight.flatten(1).abs().amax(1).view(-1, *[1] * (own.weight.ndim - 1))
            assert ((found.weight - own.weight).abs() <= most / 254 * 1.001).all()
            assert not torch.equal(found.weight, own.weight)
    x = torch.rand(3, 3, 32, 32)
    for name, net in given.items():
        assert torch.allclose(read[name](x), net(x), atol=0.05)
    assert not torch.allclose(read["a"](x), read["b"](x), atol=0.05)


def test_the_committed_file_is_that_of_the_zoo_and_small():
    given = {name: zoo.load(name, device="cpu") for name in export_live.NETWORKS}
    text = WEIGHTS.read_text(encoding="utf-8")
    assert text == export_live.script(given), "run python -m scripts.export_live"
    assert len(text) == KNOWN["weights"]["bytes"] <= 1_000_000
    for told in KNOWN["networks"]:
        assert told["sha256"] == zoo.load(told["name"], device="cpu").manifest["sha256"]
        assert abs(told["rounded"] - told["accuracy"]) < 0.005


def test_the_film_is_of_the_rounded_networks(nets):
    """Two frames of one class again, by steps written out."""
    k, steps = 7, KNOWN["steps"]
    for n, net in enumerate(nets.values()):
        x = export_live.start(KNOWN["recipe"]["seed"])
        for step in range(steps[2]):
            x = x.detach().requires_grad_()
            value = net(x)[0, k]
            if step in steps:
                at = (n * 10 + k) * len(steps) + steps.index(step)
                assert value.item() == pytest.approx(KNOWN["logit"][at], abs=0.02)
            (g,) = torch.autograd.grad(value, x)
            x = (x + KNOWN["recipe"]["step"] * g / g.norm()).clamp(0, 1)
        at = (n * 10 + k) * len(steps) + 2
        assert net(x)[0].softmax(0)[k].item() == pytest.approx(KNOWN["p"][at], abs=0.01)


def test_normals_are_normal_and_have_a_seed():
    found = export_live.normals(3, 20_001)
    assert len(found) == 20_001
    assert abs(found.mean()) < 0.03
    assert found.std() == pytest.approx(1, abs=0.02)
    assert (np.abs(found) < 1).mean() == pytest.approx(0.683, abs=0.01)
    assert (found[:50] == export_live.normals(3, 50)).all()
    assert abs(np.corrcoef(found, export_live.normals(4, 20_001))[0, 1]) < 0.03


def test_state_names_the_weights_or_carries_them(monkeypatch):
    monkeypatch.setenv("ACTMAX_STATIC", "1")
    made = ascent(MANIFEST, "../../_static/")
    assert made["weights"] == "../../_static/ascent-weights.js"
    assert made["film"]["networks"] == ["robust", "standard"]
    count = 2 * len(made["film"]["classes"]) * len(made["film"]["steps"])
    assert len(made["film"]["logit"]) == len(made["film"]["p"]) == count
    page = str(widgets.figure("ascent", alt="Two pictures, painted.", caption="Live.", **made))
    assert len(page) < 1_000_000
    monkeypatch.delenv("ACTMAX_STATIC")
    head, text = ascent(MANIFEST, "nowhere")["weights"].split(",")
    assert head == "data:text/javascript;base64"
    assert base64.b64decode(text) == WEIGHTS.read_bytes()


def test_another_file_of_weights_is_refused(tmp_path):
    other = tmp_path / "ascent.json"
    other.write_text(json.dumps(KNOWN))
    (tmp_path / "ascent").mkdir()
    with pytest.raises(ValueError, match=r"ascent-weights.js cannot be read .*scripts.export_live"):
        ascent(other, ".")
    (tmp_path / "ascent" / "ascent-weights.js").write_bytes(WEIGHTS.read_bytes()[:-9])
    with pytest.raises(ValueError, match="is not the file that the manifest describes"):
        ascent(other, ".")
