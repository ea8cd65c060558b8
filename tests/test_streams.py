"""Streams: one an image, the same in every batch, and nothing of the global generator."""

import pytest
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st

from actmax_lib.streams import Streams


@given(st.lists(st.integers(0, 2**62), min_size=1, max_size=5))
def test_an_image_has_its_own_numbers(seeds):
    together = Streams(seeds)
    alone = [Streams([seed]) for seed in seeds]
    for draw in (lambda s: s.uniform(2, 3), lambda s: s.normal(4), lambda s: s.uniform(1)):
        numbers = draw(together)
        assert torch.equal(numbers, torch.cat([draw(stream) for stream in alone]))
    assert len(together) == len(seeds)
    same = [i == j for i in seeds for j in seeds]
    drawn = together.normal(3)
    assert same == [torch.equal(a, b) for a in drawn for b in drawn]


def test_numbers_are_of_their_kind():
    streams = Streams(range(20))
    uniform, normal = streams.uniform(200), streams.normal(200)
    assert 0 <= float(uniform.min()) <= float(uniform.max()) < 1
    assert scipy.stats.kstest(uniform.flatten(), "uniform").pvalue > 1e-3
    assert scipy.stats.kstest(normal.flatten(), "norm").pvalue > 1e-3


def test_numbers_are_the_same_in_every_precision():
    single, double = (
        Streams([3], dtype=dtype).normal(9) for dtype in (torch.float32, torch.float64)
    )
    assert (single.dtype, double.dtype) == (torch.float32, torch.float64)
    assert torch.equal(single.double(), double)


def test_the_global_generator_is_neither_read_nor_moved():
    before = torch.get_rng_state()
    first = Streams([1]).normal(3)
    assert torch.equal(torch.get_rng_state(), before)
    with torch.random.fork_rng([]):
        torch.manual_seed(99)
        assert torch.equal(Streams([1]).normal(3), first)


@pytest.mark.parametrize("seed", [-1, 2**63, 2**70, 1.5, "1", None, True])
def test_seeds_that_are_none(seed):
    with pytest.raises((ValueError, TypeError), match="seed must be"):
        Streams([seed])


@given(st.lists(st.integers(0, 9), min_size=1, max_size=4), st.integers(0, 3))
def test_a_replay_draws_what_the_streams_draw_next(seeds, before):
    streams, alone = Streams(seeds), Streams(seeds)
    for _ in range(before):
        assert torch.equal(streams.normal(3), alone.normal(3))
    replay = streams.replay()
    ahead = replay.uniform(2), replay.normal(5), replay.replay().normal(4)
    for drawn in (streams, alone):  # neither waits for the other
        assert torch.equal(drawn.uniform(2), ahead[0])
        assert torch.equal(drawn.normal(5), ahead[1])
        assert torch.equal(drawn.normal(4), ahead[2])
    assert (replay.seeds, replay.dtype, len(replay)) == (seeds, torch.float32, len(seeds))
