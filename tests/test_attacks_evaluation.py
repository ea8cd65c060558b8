"""Robust accuracy: exact on linear networks, its books, masked gradients, and what makes it so."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from actmax_lib.attacks import Robustness, robust_accuracy
from tests import nets
from tests.attacked import Bent, Linear, Rounded, clear, images, labels_of
from tests.contracts import assert_no_trace, assert_one_generator

pytestmark = pytest.mark.usefixtures("one_thread")
NORMS = pytest.mark.parametrize("norm", ["l2", "linf"])
LEAN = {"steps": 20, "restarts": 1, "queries": 30}


class Scaled(nn.Module):
    """Logits so large that the cross-entropy of a right answer is 0, and its gradient too."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self.eval()

    def forward(self, x):
        return 1e5 * self.net(x)


@NORMS
def test_on_a_linear_network_it_is_the_share_beyond_eps_times_the_dual_norm(norm):
    net, x = Linear(2), images(60)
    y = labels_of(net, x)
    y[:6] = 1 - y[:6]
    w = (net.weight[1] - net.weight[0]).flatten().numpy()
    b = (net.bias[1] - net.bias[0]).item()
    distance = (2 * y.numpy() - 1) * (x.flatten(1).numpy() @ w + b)
    distance /= np.linalg.norm(w, 2 if norm == "l2" else 1)
    eps = float(np.median(distance[6:]))
    expected = distance > eps
    got = robust_accuracy(net, x, y, eps=eps, norm=norm, **LEAN)
    assert got.standing.tolist() == expected.tolist()
    assert got.accuracy == expected.mean()
    assert got.clean.tolist() == [False] * 6 + [True] * 54
    assert got.after_square[expected].all()
    assert not got.masked
    # all that one attack leaves or takes is in the books
    assert sum(got.fooled.values()) == pytest.approx(0.9 - got.accuracy)
    assert (got.norm, got.eps) == (norm, eps)


def test_gradients_that_are_hidden_are_found_and_said():
    net, (x, y) = Rounded(Linear(3)), clear(Linear(3))
    got = robust_accuracy(net, x, y, eps=0.1, norm="linf", steps=10, restarts=1, queries=200)
    assert got.pgd == 1.0
    assert got.square < 0.3
    assert got.accuracy == got.square
    assert got.masked
    assert "masked" in str(got)
    honest = robust_accuracy(net.net, x, y, eps=0.1, norm="linf", **LEAN)
    assert not honest.masked
    assert "masked" not in str(honest)
    assert honest.accuracy <= got.accuracy


@pytest.mark.parametrize(
    ("pgd_only", "square_only", "masked"),
    [(0, 1, False), (0, 2, True), (5, 2, False), (5, 11, True), (20, 11, True), (0, 0, False)],
)
def test_the_rule_for_masked(pgd_only, square_only, masked):
    n = 1000
    after_pgd, after_square = torch.ones(2, n, dtype=torch.bool)
    after_pgd[:pgd_only] = False
    after_square[n - square_only :] = False
    clean = torch.ones(n, dtype=torch.bool)
    got = Robustness("l2", 0.5, clean, after_pgd, after_square, {})
    assert got.masked is masked
    assert got.accuracy == pytest.approx(1 - (pgd_only + square_only) / n)
    assert Robustness("l2", 0.5, clean, after_pgd, None, {}).masked is False


def test_without_the_square_attack_nothing_is_claimed_of_it():
    net, x = Linear(2), images(5)
    got = robust_accuracy(net, x, labels_of(net, x), eps=0.1, **LEAN | {"queries": 0})
    assert got.square is None
    assert got.after_square is None
    assert got.accuracy == got.pgd
    assert not any("square" in name for name in got.fooled)


def test_the_margin_sees_what_the_cross_entropy_rounds_away():
    net, x = Scaled(Linear(3)), images(30)
    y = labels_of(net, x)
    how = {"eps": 0.05, "norm": "linf", **LEAN, "queries": 0}
    one = robust_accuracy(net, x, y, values=["cross_entropy"], **how)
    both = robust_accuracy(net, x, y, **how)
    plain = robust_accuracy(net.net, x, y, **how)
    assert both.standing.tolist() == plain.standing.tolist()
    assert one.accuracy > both.accuracy + 0.1
    assert both.fooled["PGD on margin, step 0.05 ε, start 1"] > 0.1


def test_the_attacks_are_tried_in_order_and_each_only_on_what_is_left():
    net, x = Bent(), images(40)
    y, seen = labels_of(net, x), []
    hook = net.register_forward_pre_hook(lambda _net, given: seen.append(len(given[0])))
    got = robust_accuracy(
        net, x, y, eps=0.1, steps=15, step_sizes=[0.01, 0.2], restarts=2, queries=0
    )
    hook.remove()
    assert list(got.fooled) == [
        f"PGD on {value}, step {size} ε, start {start}"
        for start in (1, 2) for size in (0.01, 0.2) for value in ("cross_entropy", "margin")
    ]  # fmt: skip
    assert sum(share > 0 for share in got.fooled.values()) >= 2, "the sweep matters"
    assert 0 < got.accuracy < 1
    assert all(a >= b for a, b in pairwise(seen[1:])), "never more again"
    assert seen[-1] == got.standing.sum()


def test_images_are_attacked_by_themselves_whatever_the_batch():
    net, x = nets.small().double(), images(11, shape=(3, 8, 8))
    y = labels_of(net, x)
    how = {"eps": 0.3, "steps": 10, "restarts": 1, "queries": 20}
    whole, parts = (robust_accuracy(net, x, y, batch=batch, **how) for batch in (100, 4))
    for name in ("clean", "after_pgd", "after_square"):
        assert torch.equal(getattr(whole, name), getattr(parts, name))
    assert whole.fooled == parts.fooled
    back = robust_accuracy(net, x.flip(0), y.flip(0), seed=list(range(10, -1, -1)), **how)
    assert torch.equal(back.standing.flip(0), whole.standing)


def test_the_seed_alone_decides_and_the_network_is_left_as_it_was():
    net, x = Bent(), images(40)
    y = labels_of(net, x)
    how = {"eps": 0.1, "steps": 1, "restarts": 1, "queries": 3}
    assert_one_generator(
        lambda seed: torch.stack(
            [(got := robust_accuracy(net, x, y, seed=seed, **how)).after_pgd, got.after_square]
        )
    )

    def act():
        with torch.inference_mode():
            robust_accuracy(net, x, y, **how)

    assert_no_trace([net], act)


def test_a_network_that_answers_always_the_same_is_not_robust():
    net = nn.Sequential(nn.Flatten(), nn.Linear(36, 4)).double().eval()
    nn.init.zeros_(net[1].weight)
    nn.init.zeros_(net[1].bias)
    got = robust_accuracy(net, images(8), torch.arange(8) % 4, eps=0.1, **LEAN)
    assert got.accuracy == 0


def test_a_network_that_breaks_under_attack_raises_and_is_not_robust():
    class Breaks(Linear):
        def forward(self, x):
            return super().forward(x) + 0 * (0.799 - x.amax((1, 2, 3))[:, None]).sqrt()

    net, x = Breaks(2), images(3).clamp(max=0.79)
    with pytest.raises(ArithmeticError, match="NaN"):
        robust_accuracy(net, x, labels_of(net, x), eps=0.2, norm="linf", **LEAN)


def test_the_text_says_the_numbers():
    clean = torch.tensor([True, True, True, False])
    left = torch.tensor([True, False, True, False])
    text = str(Robustness("linf", 8 / 255, clean, left, None, {"PGD": 0.25}))
    assert [line.split()[0] for line in text.splitlines()] == ["linf,", "75.0%", "-25.0%", "50.0%"]
    assert math.isclose(float(text.split("ε = ")[1].split(",")[0]), 8 / 255, rel_tol=1e-3)
