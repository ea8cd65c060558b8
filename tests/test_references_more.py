"""More of the references: no graph, the precision of the images, and which of them are shared."""

import pytest
import torch
from torch import nn

from actmax_lib import inversion
from actmax_lib._references import References
from actmax_lib.streams import Streams


def rand(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(*shape, generator=generator)


def conv():
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return nn.Sequential(nn.Conv2d(3, 4, 3))  # its weights ask for gradients


def terms_of(net, *images):
    return [inversion(net, "0", image).terms[0][1] for image in images]


@pytest.mark.parametrize("autocast", [None, torch.bfloat16])
def test_answers_carry_no_graph_and_have_the_precision_of_the_images(autocast):
    x = rand(2, 3, 6, 6)
    (term,) = terms_of(conv(), rand(1, 3, 6, 6, seed=1))
    references = References([term], x.device, x.dtype)
    for look in (None, lambda image: 2 * image):
        answer = references(x, look, autocast)[term]
        assert not answer.requires_grad
        assert answer.grad_fn is None
        assert answer.dtype == x.dtype


def test_references_that_differ_a_little_are_two():
    net, image = conv(), rand(1, 3, 6, 6).double()
    net.double()
    near = image * (1 + 1e-9)
    x = rand(2, 3, 6, 6).double()
    first, second, again = terms = terms_of(net, image, near, image.clone())
    references = References(terms, x.device, x.dtype)
    assert len(references.groups) == 2
    answers = references(x)
    assert torch.equal(answers[first], answers[again])
    assert not torch.equal(answers[first], answers[second])


def test_a_replay_draws_on_the_device_of_the_streams(monkeypatch):
    made, real = [], torch.Generator

    def generator(device="no device given"):
        made.append(device)
        return real(device)

    streams = Streams([1, 2])
    monkeypatch.setattr(torch, "Generator", generator)
    twin = streams.replay()
    assert made == [streams.device] * 2
    assert torch.equal(twin.normal(3), streams.normal(3))
