"""Objectives as sums: names, batches, evaluation, what the algebra refuses."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from actmax_lib import Objective, affine, channel, function, l2, logit, maximize, point
from actmax_lib.terms import Term, placed
from tests import nets

pytestmark = pytest.mark.usefixtures("one_thread")
NET = nets.cnn()
X = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def test_names_say_what_was_asked():
    f = logit(NET, 3) + channel(NET, "conv1", [1, 2]) - 2 * l2(1) + logit(NET, 3)
    assert f.names == ["logit(3)", "channel('conv1', [1, 2])", "l2", "logit(3) #2"]
    assert repr(f).count("-2*l2") == 1
    assert logit(NET, 3).names == ["logit(3)"]
    assert len(logit(NET, list(range(7)) * 40).names[0]) < 60


@given(st.lists(st.sampled_from(["a", "b", "a #2", "a #3", "b #2 #2"]), min_size=1, max_size=7))
def test_names_are_distinct(names):
    f = sum(function(lambda x: x.sum(1), name) for name in names)
    assert len(set(f.names)) == len(names)
    assert f.names[0] == names[0]
    assert set(maximize(f, point([[0.0]]), steps=1).terms) == set(f.names)


def test_sums_of_lists_and_numbers_of_any_kind():
    f, x = affine([1.0, 2]), torch.tensor([[3.0, 4]])
    assert float(sum([f, f, l2(1)])(x)) == 2 * 11 - 25
    for number in (2, 2.0, np.float64(2), np.float32(2), np.int64(2)):
        assert float((number * f)(x)) == float((f * number)(x)) == 22
        assert float((f / number)(x)) == 5.5
    assert isinstance(np.float64(2) * f, Objective)


@pytest.mark.parametrize("act", [
    lambda f: f + 1, lambda f: 1 - f, lambda f: f * f, lambda f: f / f, lambda f: 1 / f,
    lambda f: f * True, lambda f: f * "2", lambda f: f + None, lambda f: f * [1, 2],
])  # fmt: skip
def test_what_has_no_meaning_is_refused(act):
    with pytest.raises(TypeError):
        act(l2(1))


def test_the_parts_of_a_sum_are_left_as_they_were():
    f, g = logit(NET, 1), l2(1)
    before = f(X), g(X)
    h = 3 * (f - g) / 2 + f
    assert (f.terms[0][0], g.terms[0][0], len(f.terms)) == (1, 1, 1)
    torch.testing.assert_close(h(X), 2.5 * before[0] - 1.5 * before[1])


def test_batches_and_networks():
    other = nets.cnn(seed=5)
    f = logit(NET, [1, 2]) + channel(NET, "conv1", 3) + l2(1) - logit(other, [1, 2])
    assert f.batch == 2
    assert (logit(NET, 1) + l2(1)).batch is None
    assert f.nets == [NET, other]
    assert {len(probe.layers) for probe in f.probes().values()} == {1, 2}
    with pytest.raises(ValueError, match="different numbers"):
        (logit(NET, [1, 2]) + logit(NET, [1, 2, 3])).batch


def test_evaluation_is_differentiable_and_leaves_no_trace():
    x = X.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(logit(NET, 1)(x).sum(), x)
    assert float(gradient.abs().max()) > 0
    assert all(p.requires_grad and p.grad is None for p in NET.parameters())


def test_targets_are_checked_for_every_shape():
    f = function(lambda x: x.sum(1)) + affine([1.0, 2])
    assert f(torch.ones(1, 2)).shape == (1,)
    with pytest.raises(ValueError, match="w has 2 entries, an image has 3"):
        f(torch.ones(1, 3))


def test_a_term_of_ones_own():
    f = Objective([(2.0, Term("half", lambda x: x.sum(1) / 2, sees_image=True))])
    assert f(torch.ones(3, 4)).tolist() == [4, 4, 4]
    for bad in (lambda x: x, lambda x: x.sum(), lambda x: 1.0, lambda x: x.sum(1)[:1]):
        with pytest.raises(ValueError, match="bad must give one value an image"):
            Objective([(1.0, Term("bad", bad))])(torch.ones(3, 4))


def test_constants_follow_the_type_of_the_image():
    like = placed(torch.ones(2, dtype=torch.float64))
    assert like(torch.ones(1)).dtype == torch.float32
    assert like(torch.ones(1)) is like(torch.zeros(3))
    assert placed(torch.tensor([1, 2]))(torch.ones(1)).dtype == torch.int64
    for dtype in (torch.float32, torch.float64):
        assert (affine([1.0, 2]) + l2(1))(torch.ones(1, 2, dtype=dtype)).dtype == dtype
