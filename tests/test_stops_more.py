"""More of ``plateau``: a gain of exactly what is asked for is no gain."""

import torch

from actmax_lib.stops import plateau


def test_values_that_do_not_change_at_all_are_a_plateau():
    assert plateau(2, gain=0.0)(4, torch.zeros(4, 3))
    assert plateau(2, gain=0.0)(4, torch.full((4, 3), -2.0))


def test_a_rise_by_exactly_the_gain_is_a_plateau():
    history = torch.tensor([[4.0], [4.0], [5.0], [5.0]])
    assert plateau(2, gain=0.25)(4, history)
    assert not plateau(2, gain=0.24)(4, history)
