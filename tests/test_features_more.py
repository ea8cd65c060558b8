"""More of directions, interpolation and diversity: small numbers, large groups, wrong shapes."""

import pytest
import torch
from torch import nn

from actmax_lib import direction, diversity, function, interpolation

SAME = nn.Sequential(nn.Identity())  # its layer "0" is the picture itself
close = torch.testing.assert_close


def rand(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(*shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("size", [1e-9, 1e-4, 1e6])
def test_a_cosine_does_not_depend_on_the_size_of_the_activation(size):
    x, v = rand(2, 5, 3, 3) - 0.3, rand(5, seed=1)
    f = direction(SAME, "0", v, measure="cosine")
    close(f(size * x), f(x))
    g = direction(SAME, "0", v, measure="dot_cosine")
    close(g(size * x) / size, g(x))


def test_groups_with_large_numbers_are_told_apart():
    x = rand(4, 3, 2, 2)
    large = diversity(SAME, "0", groups=[2**24, 2**24 + 1, 2**24, 2**24 + 1])
    close(large(x), diversity(SAME, "0", groups=[0, 1, 0, 1])(x))


def test_interpolation_refuses_an_objective_with_one_value_for_all_images():
    f, g = function(lambda x: x.sum()[None], "all"), function(lambda x: x.flatten(1).sum(1), "each")
    for path in (interpolation(f, g, 3), interpolation(g, f, 3)):
        with pytest.raises(ValueError, match="all"):
            path(rand(3, 2))
