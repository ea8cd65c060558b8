"""Draws are those of the browser's twin, and even."""

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from actmax_lib.study.draws import Draws
from scripts.export_live import normals

SEEDS = st.integers(0, 2**32 - 1)


@given(SEEDS, st.integers(1, 40))
def test_uniform_draws_are_those_of_the_page_s_normals(seed, count):
    """The twin of web/normals.js written for the live networks, undone: Box and Muller."""
    draws = Draws(seed)
    made = []
    for _ in range(count):
        radius = math.sqrt(-2 * math.log(1 - draws.uniform()))
        angle = 2 * math.pi * draws.uniform()
        made += [radius * math.cos(angle), radius * math.sin(angle)]
    assert np.allclose(made, normals(seed, 2 * count), atol=1e-12)


def test_stated_draws():
    """From the JavaScript of T. Ettinger's mulberry32, run in Node."""
    draws = Draws(7)
    expected = [0.011704753153026104, 0.06195825757458806, 0.97690763277933]
    assert [draws.uniform() for _ in range(3)] == expected
    assert draws.shuffled(range(6)) == [5, 0, 3, 1, 2, 4]


@given(SEEDS, st.lists(st.integers()))
def test_a_shuffle_keeps_what_it_shuffles(seed, items):
    before = list(items)
    mixed = Draws(seed).shuffled(items)
    assert sorted(mixed) == sorted(items)
    assert items == before
    assert Draws(seed).shuffled(tuple(items)) == mixed


def test_every_order_is_as_likely():
    draws = Draws(1)
    counts = dict.fromkeys(permutations("abcd"), 0)
    for _ in range(24 * 200):
        counts[tuple(draws.shuffled("abcd"))] += 1
    assert stats.chisquare(list(counts.values())).pvalue > 0.01


@pytest.mark.parametrize(
    ("seed", "error", "words"),
    [
        (-1, ValueError, "seed must be at least 0, got -1"),
        (2**32, ValueError, r"seed must be below 2\*\*32, got 4294967296"),
        (1.5, TypeError, "seed must be an integer, got 1.5"),
        (True, TypeError, "seed must be an integer"),
    ],
)
def test_seeds_that_the_browser_would_not_take_are_refused(seed, error, words):
    with pytest.raises(error, match=words):
        Draws(seed)
