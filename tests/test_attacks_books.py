"""Attacks: defaults, which random numbers belong to which image, and what restarts keep."""

import pytest
import torch
from torch.testing import assert_close

from actmax_lib.attacks import evaluation, pgd, robust_accuracy, square
from tests import nets
from tests.attacked import Bent, Linear, Lookup, images, labels_of

pytestmark = pytest.mark.usefixtures("one_thread")
NORMS = pytest.mark.parametrize("norm", ["l2", "linf"])
STILL = {"norm": "linf", "steps": 1, "step": 1e-9}  # what counts is the start


def middle(n=20):
    """Pixels of which a third of the starts within 0.3 is below one half."""
    return torch.full((n, 1, 1, 1), 0.6, dtype=torch.float64), torch.zeros(n, dtype=torch.int64)


@NORMS
def test_the_step_left_out_is_two_and_a_half_eps_over_the_steps(norm):
    net, x = nets.grey().double(), images(3, shape=(1, 12, 12))
    y, how = labels_of(net, x), {"eps": 0.06, "norm": norm, "steps": 6}
    assert_close(pgd(net, x, y, **how), pgd(net, x, y, step=0.025, **how), rtol=0, atol=1e-12)


def test_of_all_ends_one_that_is_the_target_is_kept_before_one_of_higher_value():
    # below one half the target has more probability, and another class still more
    net, (x, y) = Lookup(low=[0.40, 0.50, 0.10], high=[0.35, 0.34, 0.31]), middle()
    ends = pgd(net, x, y, eps=0.3, targeted=True, restarts=12, **STILL)
    assert (ends >= 0.5).all()


def test_without_a_random_start_the_first_is_the_image_and_the_others_are_random():
    net, (x, y) = Lookup(low=[0.40, 0.50, 0.10], high=[0.35, 0.34, 0.31]), middle()
    one, many = (pgd(net, x, y, eps=0.3, random_start=False, restarts=n, **STILL) for n in (1, 12))
    assert torch.equal(one, x)
    assert (many < 0.5).all()


@NORMS
def test_square_gives_an_image_its_own_numbers_when_others_have_left(norm):
    net, x = Bent(), images(12)
    y, how = labels_of(net, x), {"eps": 0.02 if norm == "linf" else 0.1, "norm": norm}
    together = square(net, x, y, queries=60, **how)
    assert 0 < (net(together).argmax(1) != y).sum() < 12, "the test needs both kinds"
    for k in range(12):
        alone = square(net, x[k : k + 1], y[k : k + 1], queries=60, seed=k, **how)
        assert_close(alone[0], together[k], rtol=0, atol=1e-12)


def test_each_attack_has_a_start_of_its_own_and_so_has_each_image():
    """Where the gradient is 0 nothing but the start can fool."""
    net, (x, y) = Lookup(low=[0.4, 0.6], high=[0.6, 0.4]), middle(40)
    how = {
        "eps": 0.3, "norm": "linf", "restarts": 3, "step_sizes": [0.01], "values": ["margin"],
        "queries": 0,
    }  # fmt: skip
    got = robust_accuracy(net, x, y, **how)
    assert all(share > 0 for share in got.fooled.values())
    assert 0 < got.accuracy < 0.6  # (2/3)³ = 0.30 is expected
    alone = [robust_accuracy(net, x[:1], y[:1], seed=k, **how).standing[0] for k in range(40)]
    assert got.standing.tolist() == [bool(one) for one in alone]


def test_the_square_attack_is_tried_on_all_right_answers_each_with_its_seed():
    net, x = Bent(), images(30)
    y = labels_of(net, x)
    y[[0, 4, 9]] = (y[[0, 4, 9]] + 1) % 4
    how = {"eps": 0.03, "norm": "linf"}
    got = robust_accuracy(net, x, y, restarts=1, queries=25, **how)
    for k in range(30):
        z = square(net, x[k : k + 1], y[k : k + 1], queries=25, seed=k, **how)
        stands = bool(got.clean[k]) and int(net(z).argmax()) == int(y[k])
        assert bool(got.after_square[k]) == stands, k
    assert (got.after_square & ~got.after_pgd).any(), "some fall to gradients alone"
    assert (got.clean & ~got.after_square).any()


def test_a_wrong_answer_takes_no_seed_of_the_square_attack_away():
    net, (x, y) = Lookup(low=[0.4, 0.6], high=[0.6, 0.4]), middle(40)
    y[::5] = 1
    got = robust_accuracy(net, x, y, eps=0.3, norm="linf", steps=1, restarts=1, queries=1)
    for k in range(40):
        z = square(net, x[:1], y[:1], eps=0.3, queries=1, seed=k)  # up or down, a coin an image
        assert bool(got.after_square[k]) == (k % 5 > 0 and float(z) > 0.5), k


def test_steps_are_shares_of_eps_and_as_many_as_asked(monkeypatch):
    asked, climb = [], evaluation.climb

    def spy(*args, steps, step):
        asked.append((steps, step))
        return climb(*args, steps=steps, step=step)

    monkeypatch.setattr(evaluation, "climb", spy)
    net, x = Linear(2), images(2)
    net.bias[0] += 1e3  # too certain to be fooled
    robust_accuracy(
        net, x, labels_of(net, x), eps=0.2, steps=25, restarts=1, step_sizes=[0.05, 0.5],
        values=["margin"], queries=0,
    )  # fmt: skip
    assert [steps for steps, _ in asked] == [10, 10, 5] * 2
    assert [step for _, step in asked] == pytest.approx([0.01] * 3 + [0.1] * 3)
