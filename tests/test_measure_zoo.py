"""How scripts/measure_zoo.py asks: labels and seeds of survivors, judges, what is kept."""

import json
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from actmax_lib.attacks import Robustness
from scripts import measure_zoo, results, robust_numbers
from scripts.measure_score_matching import starts
from scripts.measure_zoo import PLANS, Bench
from scripts.scoreboard import ROWS

pytestmark = pytest.mark.usefixtures("one_thread")


class Flat(nn.Module):
    """Class 0 for every picture."""

    def forward(self, x):
        return torch.eye(10)[0].to(x) + 0 * x.flatten(1)[:, :1]


def test_survivors_keep_their_labels_and_seeds(monkeypatch):
    asked = []

    def fake(net, x, y, *, eps, norm, seed, steps, **_):
        asked.append((y.tolist(), list(seed), steps))
        standing = x[:, 0] > eps
        return Robustness(norm, eps, standing, standing, None, {})

    monkeypatch.setattr(robust_numbers, "robust_accuracy", fake)
    plan = replace(PLANS["fashion"], eps={"a": ("l2", 0.2), "b": ("l2", 0.4)}, steps=7)
    x, y = torch.tensor([[0.1], [0.5], [0.3], [0.9]]), torch.tensor([5, 6, 7, 8])
    robust_numbers.attacked(None, x, y, plan)
    assert asked == [([5, 6, 7, 8], [0, 1, 2, 3], 7), ([6, 7, 8], [1, 2, 3], 7)]


def test_what_only_the_square_attack_fooled_and_what_it_left(monkeypatch):
    after_pgd = torch.tensor([1, 1, 1, 0, 0, 0, 0, 0]).bool()
    after_square = torch.tensor([0, 0, 1, 1, 1, 1, 0, 0]).bool()
    run = Robustness("linf", 0.1, torch.ones(8).bool(), after_pgd, after_square, {})
    monkeypatch.setattr(robust_numbers, "robust_accuracy", lambda *_, **__: run)
    plan = replace(PLANS["fashion"], eps={"linf": ("linf", 0.1)})
    found = robust_numbers.attacked(None, torch.zeros(8, 1), torch.zeros(8), plan)
    assert found == {"robust_linf": 1 / 8, "square_linf": 4 / 8, "masked_linf": 2 / 8}


def test_boundaries_of_a_flat_network_are_numbers():
    """No answer ever changes: as far as black from white, and no correlation."""
    x, y = torch.rand(6, 1, 4, 9, generator=torch.Generator().manual_seed(0)), torch.arange(6) % 2
    found = robust_numbers.boundaries(Flat().eval(), x, y)
    assert (found["distance"], found["alpha_correlation"]) == (6.0, 0.0)
    assert math.isinf(found["linear_robustness"])


def test_mean_pictures_are_those_of_a_class(monkeypatch):
    pixels = torch.rand(30, 3, 2, 4, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(30) % 10
    train = SimpleNamespace(labels=labels, images=lambda chosen: pixels[chosen])
    monkeypatch.setattr(robust_numbers.data, "load", lambda name, part: train)
    means = robust_numbers.class_means("cifar-10")
    for k in range(10):
        expected = np.mean([pixels[i].numpy() for i in range(30) if labels[i] == k], axis=0)
        np.testing.assert_allclose(means[k].numpy(), expected, rtol=1e-6)


def test_one_climb_is_pulled_to_gray_and_the_plain_one_is_not():
    """Where the logit says nothing, the regularizer alone moves."""
    plan = replace(PLANS["fashion"], shape=(1, 4, 4))
    made = robust_numbers.pictures(Flat().eval(), plan)
    start = starts(plan.shape)[0]
    away = {key: (x - start).flatten(1).norm(dim=1) for key, x in made.items()}
    assert away["pictures"].min() > 0.01
    assert float(away["plain_pictures"].max()) == 0


def test_no_network_is_its_own_judge():
    for prefix, plan in PLANS.items():
        for method in plan.methods():
            for seed in measure_zoo.train_zoo.SEEDS:
                name = f"{prefix}-{method}-{seed}"
                judge = Bench.judge(SimpleNamespace(plan=plan), name)
                assert judge != name
                if prefix == "cifar":
                    assert judge.startswith("cifar-standard-")
                    assert judge[-1] != name[-1]  # nor one of the same start and order


def test_pictures_are_shown_to_the_other_seeds_and_not_to_their_own_network(monkeypatch):
    bench = object.__new__(Bench)
    bench.plan, bench.folder, bench.means = PLANS["fashion"], None, None
    bench.names = [f"fashion-fgsm-{seed}" for seed in (0, 1, 2)]
    bench.hashes = dict.fromkeys(bench.names, "")
    shares = {"fashion-fgsm-0": 0.25, "fashion-fgsm-1": 0.5, "fashion-fgsm-2": 1.0}
    judges = []
    monkeypatch.setattr(measure_zoo.trained, "build", lambda name, folder=None: name)
    monkeypatch.setattr(measure_zoo.zoo, "load", lambda name, device: name)
    monkeypatch.setattr(measure_zoo.zoo, "names", lambda: ("fashion-judge",))
    monkeypatch.setattr(measure_zoo.metrics, "gan_test", lambda net, *_: shares[net])

    def of_pictures(images, labels, judge, means):
        judges.append(judge)
        return {"gan_test": 0.125}

    monkeypatch.setattr(measure_zoo, "of_pictures", of_pictures)
    found = bench.seen("fashion-fgsm-1", torch.zeros(100, 1, 28, 28))
    assert found == {"gan_test": 0.125, "transfer": (0.25 + 1.0) / 2}
    assert judges == ["fashion-judge"]
    monkeypatch.setattr(measure_zoo.zoo, "names", tuple)  # there is no judge yet
    bench.names = bench.names[1:2]
    found = bench.seen("fashion-fgsm-1", torch.zeros(100, 1, 28, 28))
    assert found == {"gan_test": None, "transfer": None}


def test_another_network_of_the_name_is_measured_anew(monkeypatch, tmp_path):
    monkeypatch.setattr(results, "KEPT", tmp_path)
    bench, made = object.__new__(Bench), []

    def make():
        made.append(1)
        return {"much": len(made)}

    def kept(sha, settings):
        bench.hashes = {"net": sha}
        return {key: float(v) for key, v in bench.kept("net", "part", settings, make).items()}

    assert kept("a", 40) == kept("a", 40) == {"much": 1}
    assert kept("b", 40) == {"much": 2}
    assert kept("a", 50) == {"much": 3}
    monkeypatch.setattr(measure_zoo, "VERSION", -1)
    assert kept("a", 40) == {"much": 4}


def test_every_row_of_the_scoreboard_asks_for_a_number_that_is_measured():
    rows = json.loads(PLANS["fashion"].file.read_text())["networks"].values()
    for row in ROWS:
        for name in row.measure.split(" ~ "):
            assert all(name.partition("[")[0] in measures for measures in rows), row.key
