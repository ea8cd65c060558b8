"""Checks of arguments: what passes unchanged, and what is refused by name."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from actmax_lib import checks
from actmax_lib.errors import UnboundedProblemError, closest


@given(arrays.arrays(st.sampled_from([np.float32, np.float64]), arrays.array_shapes(max_dims=3),
                     elements=st.floats(-1e6, 1e6, width=32)))  # fmt: skip
def test_real_tensor_keeps_values_shape_and_type(array):
    for value in (array, torch.from_numpy(array.copy()), array[::-1][::-1]):
        tensor = checks.real_tensor("a", value)
        assert tensor.numpy().dtype == array.dtype
        assert tensor.shape == array.shape
        np.testing.assert_array_equal(tensor.numpy(), array)
    assert checks.real_tensor("a", array.tolist()).dtype == torch.float64


def test_real_tensor_makes_a_copy_without_history():
    w = torch.ones(3, requires_grad=True)
    tensor = checks.real_tensor("w", w)
    assert not tensor.requires_grad
    with torch.no_grad():
        w.zero_()
    assert tensor.tolist() == [1, 1, 1]


@pytest.mark.parametrize(("value", "error"), [
    (torch.ones(2, dtype=torch.int64), TypeError), (np.ones(2, np.uint8), TypeError),
    (torch.ones(2, dtype=torch.complex64), TypeError), (torch.ones(2) > 0, TypeError),
    ([], ValueError), (torch.ones(0, 3), ValueError), ([1, math.nan], ValueError),
    (torch.tensor([-math.inf]), ValueError),
])  # fmt: skip
def test_real_tensor_refuses(value, error):
    with pytest.raises(error, match=r"^mine "):
        checks.real_tensor("mine", value)


@pytest.mark.parametrize("value", [["a"], "abc", None, [[1.0], [1.0, 2.0]], {}])
def test_real_tensor_names_what_is_no_array(value):
    with pytest.raises((TypeError, ValueError), match="mine"):
        checks.real_tensor("mine", value)


def test_real():
    for value in (2, 2.0, np.float32(2), np.int64(2), Fraction(4, 2), torch.tensor(2.0)):
        found = checks.real("a", value)
        assert (found, type(found)) == (2.0, float)
    assert checks.real("a", 0.5, above=0, below=1) == 0.5
    for value in (0, 1, -1, math.nan, math.inf):
        with pytest.raises(ValueError, match=r"mine must be a finite number in \(0, 1\), got"):
            checks.real("mine", value, above=0, below=1)
    for value in (True, "1", None, [1.0], 1j, torch.ones(2)):
        with pytest.raises(TypeError, match="mine must be a real number"):
            checks.real("mine", value)


def test_weight():
    assert checks.weight("lam", 1e-9) == 1e-9
    for value in (0, -1, -1e-300):
        with pytest.raises(UnboundedProblemError, match="lam must be > 0"):
            checks.weight("lam", value)


def test_count():
    assert checks.count("n", np.int32(3)) == 3
    assert checks.count("n", 0, at_least=0) == 0
    for value, error in [(0, ValueError), (-1, ValueError), (1.0, TypeError), (True, TypeError),
                         ("1", TypeError), (None, TypeError)]:  # fmt: skip
        with pytest.raises(error, match="mine must be"):
            checks.count("mine", value)


@given(st.lists(st.integers(0, 99), min_size=1))
def test_indices(given_):
    for kind in (list, tuple, np.array, torch.tensor):
        assert checks.indices("k", kind(given_)) == (tuple(given_), True)
    assert checks.indices("k", given_[0]) == ((given_[0],), False)
    assert checks.indices("k", np.int64(given_[0])) == ((given_[0],), False)
    assert checks.indices("k", torch.tensor(given_[0])) == ((given_[0],), False)


@pytest.mark.parametrize("value", [1.5, [1.0], "3", ["3"], None, [None], -1, [2, -1], [], [[1]],
                                   torch.tensor([1.5]), np.array([0.5]), True])  # fmt: skip
def test_indices_refused(value):
    with pytest.raises((TypeError, ValueError), match=r"^mine "):
        checks.indices("mine", value)


def test_in_range():
    checks.in_range("class", (0, 9), 10, "ten")
    with pytest.raises(ValueError, match="class 10 is out of range: ten: 0 to 9"):
        checks.in_range("class", (3, 10), 10, "ten")


def test_image_size():
    assert checks.image_size(5) == (5, 5)
    assert checks.image_size((5, 7)) == checks.image_size([5, 7]) == (5, 7)
    assert checks.image_size(torch.ones(5, 7).shape) == (5, 7)
    for value in (0, -1, (3, 0), (1,), (1, 2, 3), 2.5, None, "ab", (1, 2.5), True):
        with pytest.raises((TypeError, ValueError), match="size must be"):
            checks.image_size(value)


def test_closest():
    names = ["", "conv1", "conv2", "head"]
    assert closest("conv3", names) in (
        "closest names: 'conv2', 'conv1'",
        "closest names: 'conv1', 'conv2'",
    )
    assert closest("zzz", names) == "closest names: 'conv1', 'conv2', 'head'"
    assert closest("x", [""]) == "there are no names"
