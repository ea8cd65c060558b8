"""Path similarity against SciPy pair by pair, and on networks where it is known."""

import itertools

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from actmax_lib import metrics

G = torch.Generator().manual_seed(0)


class Two(nn.Module):
    """A linear layer, and a ReLU, whose ties matter to ranks, behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 3, 3)
        self.second = nn.Sequential(nn.Flatten(), nn.ReLU())

    def forward(self, x):
        return self.second(self.first(x))


@pytest.fixture(scope="module")
def case():
    torch.manual_seed(1)
    net = Two()
    natural = torch.rand(9, 1, 6, 5, generator=G)
    labels = [0, 1, 2, 0, 1, 2, 0, 1, 2]
    synthetic = torch.rand(5, 1, 6, 5, generator=G)
    return net, synthetic, [2, 0, 0, 2, 2], natural, labels


@pytest.mark.parametrize("measure", ["spearman", "cosine"])
def test_every_pair_by_itself(case, measure):
    net, synthetic, made, natural, real = case
    layers = ["first", "second", ""]
    got = metrics.path_similarity(net, layers, synthetic, made, natural, real, measure=measure)
    assert got.layers == ("first", "second", "")
    assert got.classes == (0, 2)

    def similar(a, b):
        a, b = a.flatten().numpy().astype(float), b.flatten().numpy().astype(float)
        if measure == "spearman":
            return stats.spearmanr(a, b).statistic
        return a @ b / np.linalg.norm(a) / np.linalg.norm(b)

    with torch.no_grad():
        for row, part in enumerate([net.first, net, net]):
            s, n = part(synthetic), part(natural)
            for column, k in enumerate(got.classes):
                own = [i for i, label in enumerate(real) if label == k]
                other = [i for i, label in enumerate(real) if label != k]
                mine = [i for i, label in enumerate(made) if label == k]
                expected = [
                    np.mean([similar(s[i], n[j]) for i in mine for j in own]),
                    np.mean([similar(n[i], n[j]) for i, j in itertools.combinations(own, 2)]),
                    np.mean([similar(n[i], n[j]) for i in own for j in other]),
                ]
                table = [t[row, column] for t in (got.synthetic, got.same, got.different)]
                assert np.allclose(table, expected, atol=1e-5)


def test_linear_network_with_known_normalised_value():
    # photographs of class k: e_k with a private unit each, so cosines are 1/(1+a²) and 0;
    # class picture: share t of e_k beside a unit nobody else has
    a, t, classes, each = 0.8, 0.6, 3, 4
    size = classes + classes * each + 1
    natural = torch.zeros(classes * each, size, dtype=torch.float64)
    labels = torch.arange(classes).repeat_interleave(each)
    for i, k in enumerate(labels.tolist()):
        natural[i, k], natural[i, classes + i] = 1, a
    synthetic = torch.zeros(classes, size, dtype=torch.float64)
    synthetic[:, :classes], synthetic[:, -1] = t * torch.eye(classes), (1 - t * t) ** 0.5
    net = nn.Linear(size, size, bias=False).double()
    turn, _ = torch.linalg.qr(torch.randn(size, size, generator=G, dtype=torch.float64))
    net.weight.data = 3 * turn  # a rotation keeps every cosine
    got = metrics.path_similarity(
        net, [""], synthetic, range(classes), natural, labels, measure="cosine"
    )
    assert torch.allclose(got.same, torch.tensor(1 / (1 + a * a)).double())
    assert torch.allclose(got.different, torch.zeros(1, 3).double(), atol=1e-12)
    expected = t / (1 + a * a) ** 0.5 * (1 + a * a)
    assert float(got.normalized) == pytest.approx(expected)


def test_fresh_photographs_score_one_and_those_of_another_class_nought():
    torch.manual_seed(0)
    centres = 2 * torch.randn(2, 1, 6, 5)
    natural = torch.cat([c + torch.randn(300, 1, 6, 5) for c in centres])
    labels = [0] * 300 + [1] * 300
    fresh = torch.cat([c + torch.randn(300, 1, 6, 5) for c in centres])
    net = Two()
    same = metrics.path_similarity(net, ["first"], fresh, labels, natural, labels)
    assert float(same.normalized) == pytest.approx(1, abs=0.05)
    swapped = metrics.path_similarity(net, ["first"], fresh.flip(0), labels, natural, labels)
    assert float(swapped.normalized) == pytest.approx(0, abs=0.05)


def test_ranks_do_not_see_a_monotone_change_and_cosines_do(case):
    _, synthetic, made, natural, real = case

    class Curved(nn.Module):
        def forward(self, x):
            return x.flatten(1).exp()

    flat = nn.Flatten()
    for measure, alike in (("spearman", True), ("cosine", False)):
        one, two = (
            metrics.path_similarity(n, [""], synthetic, made, natural, real, measure=measure)
            for n in (flat, Curved())
        )
        assert torch.allclose(one.synthetic, two.synthetic, atol=1e-6) is alike


def test_constant_units_and_many_chunks(case, monkeypatch):
    net, synthetic, made, natural, real = case
    whole = metrics.path_similarity(net, ["first"], synthetic, made, natural, real)
    monkeypatch.setattr("actmax_lib.metrics.paths.AT_ONCE", 4)
    parts = metrics.path_similarity(net, ["first"], synthetic, made, natural, real)
    assert torch.allclose(whole.same, parts.same)
    dead = metrics.path_similarity(
        net, ["first"], torch.zeros(1, 1, 6, 5), [0], torch.zeros(4, 1, 6, 5), [0, 0, 1, 1]
    )
    assert dead.same.isfinite().all()  # three maps, each constant, but not equal ones
    flat = metrics.path_similarity(
        nn.Flatten(), [""], torch.ones(1, 1, 6, 5), [0], torch.rand(4, 1, 6, 5), [0, 0, 1, 1]
    )
    assert float(flat.synthetic) == 0


def test_network_is_left_as_it_was(case):
    net, synthetic, made, natural, real = case
    net.train()
    metrics.path_similarity(net, ["first"], synthetic, made, natural, real)
    assert net.training
    assert not net.first._forward_hooks


def test_refusals(case):
    net, synthetic, made, natural, real = case
    with pytest.raises(ValueError, match=r"measure must be one of \['cosine', 'spearman'\]"):
        metrics.path_similarity(net, [""], synthetic, made, natural, real, measure="pearson")
    with pytest.raises(ValueError, match="class 2 needs two natural pictures"):
        metrics.path_similarity(net, [""], synthetic, made, natural[:5], real[:5])
    with pytest.raises(ValueError, match="one of another class"):
        metrics.path_similarity(net, [""], synthetic[:1], [0], natural, [0] * 9)
    with pytest.raises(ValueError, match="5 synthetic images and 2 labels"):
        metrics.path_similarity(net, [""], synthetic, [0, 1], natural, real)
    with pytest.raises(ValueError, match="layer 'conv9' is not in the network"):
        metrics.path_similarity(net, ["conv9"], synthetic, made, natural, real)
