"""Faults that the code once had, found by planting others."""

import pytest
import torch
from torch import nn

from actmax_lib import metrics
from actmax_lib.atlas import __main__ as command
from actmax_lib.atlas import lookup, parts, sheets
from actmax_lib.fooling import fooled


@pytest.mark.parametrize("asked", ["0,0", "0,0-1", "ant,0"])
def test_class_0_twice_is_refused(asked):
    with pytest.raises(ValueError, match=r"asks for 0 \(ant\) twice"):
        lookup.classes(asked, ["ant", "bee"])


def test_a_judge_without_numbers_does_not_agree():
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 7))
    nn.init.constant_(net[1].bias, float("nan"))
    told = metrics.transfer(net, torch.rand(2, 3, 2, 2), [0, 1])
    assert not told.top1.any()
    assert not told.top5.any()


def test_a_judge_without_numbers_gives_no_first_rank():
    import numpy as np

    own, judged = np.array([[0.2, 0.8]]), np.full((1, 2), np.nan)
    part = parts.Part(np.zeros((1, 3, 2, 2), np.uint8), np.zeros(1), own, judged, {})
    assert sheets.entry(0, part, 0, ["a", "b"], ["a", "b"]).get("judge_rank") != 1


def test_a_fooled_network_that_writes_on_its_input_is_fooled_in_the_same_ball():
    class Centred(nn.Module):
        def forward(self, x):
            return x.sub_(0.5)

    net = nn.Sequential(Centred(), nn.Flatten(), nn.Linear(12, 3)).requires_grad_(False)
    picture = torch.full((3, 2, 2), 0.6)
    liar = fooled(net, picture, strength=10.0, radius=2.0)
    assert torch.equal(picture, torch.full((3, 2, 2), 0.6))
    assert torch.equal(liar.distance.poses[0], picture)
    away, near = torch.full((1, 3, 2, 2), 1.0), torch.full((1, 3, 2, 2), 0.6)
    assert torch.equal(liar(away.clone()), net(away.clone()))
    torch.testing.assert_close(liar(near.clone()), net(near.clone()) + 20)


def test_path_similarity_takes_a_network_of_half_precision():
    net = nn.Sequential(nn.Conv2d(3, 4, 3)).bfloat16()
    x, labels = torch.rand(4, 3, 5, 5).bfloat16(), [0, 0, 1, 1]
    assert metrics.path_similarity(net, ["0"], x, labels, x, labels).synthetic.isfinite().all()


@pytest.mark.parametrize("form", ["--out={}", "--out {}/", "--out={}/"])
def test_the_command_that_is_kept_does_not_name_the_folders_above(tmp_path, monkeypatch, form):
    kept = []
    monkeypatch.setattr(command, "build", lambda *_, **options: kept.append(options["command"]))
    words = form.format(tmp_path / "a").split(" ")
    assert command.main(["--network", "n", *words]) == 0
    assert str(tmp_path) not in kept[0]
