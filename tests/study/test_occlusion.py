"""The gray square of the second mode."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from actmax_lib.study.occlusion import GRAY, extremes, hardest, occluded, positions


@given(st.integers(1, 40), st.integers(2, 9), st.integers(0, 40))
def test_places_are_even_and_reach_both_ends(side, along, more):
    size = side + along - 1 + more
    found = positions(size, side, along)
    assert (found[0], found[-1], len(found)) == (0, size - side, along)
    steps = np.diff(found)
    assert steps.min() >= 1
    assert np.ptp(steps) <= 1


def test_places_of_the_study():
    assert positions(32) == [0, 3, 6, 10, 13, 16, 19]  # 19/6 apart, as whole pixels; 9.5 to even


def test_the_square_is_gray_and_the_rest_is_as_it_was():
    x = torch.rand(3, 8, 10, generator=torch.Generator().manual_seed(0)) * 0.4
    before = x.clone()
    pictures, places = occluded(x, side=3, along=4)
    assert pictures.shape == (16, 3, 8, 10)
    assert places[:5] == [(0, 0), (0, 2), (0, 5), (0, 7), (2, 0)]
    for picture, (top, left) in zip(pictures, places, strict=True):
        inside = torch.zeros(8, 10, dtype=torch.bool)
        inside[top : top + 3, left : left + 3] = True
        assert bool((picture[:, inside] == GRAY).all())
        assert torch.equal(picture[:, ~inside], x[:, ~inside])
    assert torch.equal(x, before)


def test_a_bright_spot_is_found():
    """A unit that sees only a spot loses it under the square and nowhere else."""
    x = torch.zeros(3, 32, 32)
    x[:, 26:28, 4:6] = 1
    x[:, 2, 30] = 0.9  # covered, this one lowers a little less

    def value(pictures):
        assert not torch.is_grad_enabled()
        seen = pictures[:, 0]
        return seen[:, 26:28, 4:6].sum((1, 2)) + seen[:, 2, 30] - seen[:, 14:18, 14:18].sum((1, 2))

    (most, least), places, values = hardest(value, x)
    (top, left), (other_top, other_left) = places
    pictures, _ = occluded(x)
    every = value_of_all(value, pictures)
    assert float(values[0]) == min(every)
    assert float(values[1]) == max(every)
    # gray raises what is subtracted in the middle: most is lost where a square covers that
    assert top <= 14 <= 18 <= top + 13
    assert left <= 14 <= 18 <= left + 13
    assert float(most[0, 16, 16]) == GRAY
    assert float(least[0, 16, 16]) == 0
    assert float(least[0, 26, 4]) == 1
    assert (other_top, other_left) != (top, left)


def value_of_all(value, pictures):
    with torch.no_grad():
        return [float(value(one[None])) for one in pictures]


def test_extremes_and_no_answer():
    assert extremes(torch.tensor([2.0, -1.0, 5.0, 0.0])) == (1, 2)
    with pytest.raises(ValueError, match=r"all 3 values are 1\.0"):
        extremes(torch.ones(3))
    with pytest.raises(ValueError, match="NaN"):
        extremes(torch.tensor([1.0, float("nan")]))


def test_a_square_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="6 places along 8, not 7"):
        positions(8, 3, 7)
    with pytest.raises(ValueError, match="one picture"):
        occluded(torch.zeros(1, 3, 32, 32))
    with pytest.raises(ValueError, match="along must be at least 2"):
        positions(8, 3, 1)
