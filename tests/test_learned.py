"""A learned prior: x = G(z) with its log density, seen by the climb; planted faults."""

import numpy as np
import pytest
import torch
from torch import nn

from actmax_lib import UnboundedProblemError, affine, climb, function, l2, maximize
from actmax_lib.errors import NonFiniteError
from actmax_lib.images import Image
from actmax_lib.learned import learned_prior
from actmax_lib.streams import Streams
from tests import nets

pytestmark = pytest.mark.usefixtures("one_thread")
PLAIN = {"optimizer": "gradient", "schedule": "constant", "lr": 0.1, "steps": 300}


def linear_decoder(d=5, k=3, seed=0):
    torch.manual_seed(seed)
    return nn.Linear(k, d).double()


def test_a_linear_decoder_is_the_gaussian_prior():
    """x* = μ + A A'w / (2 λ): the closed form of chapter l2-closed-forms, through the climb."""
    G, w, lam = linear_decoder(), torch.linspace(-1, 2, 5, dtype=torch.float64), 0.7
    A, mu = G.weight.detach().numpy(), G.bias.detach().numpy()
    run = maximize(affine(w), learned_prior(G, 3, lam=lam), **PLAIN)
    expected = mu + A @ A.T @ w.numpy() / (2 * lam)
    np.testing.assert_allclose(run.images[0], expected, atol=1e-9)
    value = w.numpy() @ expected - (A.T @ w.numpy() @ (A.T @ w.numpy())) / (4 * lam)
    assert float(run.values[0]) == pytest.approx(value)
    half = maximize(affine(w), learned_prior(G, 3), **PLAIN).images[0]  # λ = ½: N(μ, A A')
    np.testing.assert_allclose(half, mu + A @ A.T @ w.numpy(), atol=1e-9)


def test_the_prior_is_a_term_of_the_run():
    image = learned_prior(nets.decoder(), 6, lam=0.25)
    f = function(lambda x: x.sum((1, 2, 3)), "sum")
    run = maximize(f, image, steps=4, seed=[3, 9])
    assert set(run.terms) == {"sum", "prior"}
    z = image.start(Streams([3, 9]))
    torch.testing.assert_close(run.terms["prior"][0], -0.25 * z.square().sum(1))
    torch.testing.assert_close(run.history, run.terms["sum"] + run.terms["prior"])
    torch.testing.assert_close(run.values[0] < f(run.images)[0], torch.tensor(True))
    own = function(lambda x: x.sum((1, 2, 3)), "prior")
    assert set(maximize(own, image, steps=1).terms) == {"prior", "prior of the image"}


def test_without_a_prior_there_is_no_term():
    image = learned_prior(nets.decoder(), 6, lam=None)
    f = function(lambda x: x.sum((1, 2, 3)), "sum")
    run = maximize(f, image, steps=2)
    assert set(run.terms) == {"sum"}
    torch.testing.assert_close(run.values, f(run.images))


def test_start_and_shape():
    image = learned_prior(nets.decoder(), (6,), batch=2)
    assert image.batch == 2
    z = image.start(Streams([0, 1]))
    assert torch.equal(z, Streams([0, 1]).normal(6))
    maps = learned_prior(nn.Conv2d(4, 1, 1), (4, 5, 3))
    assert maximize(l2(1), maps, steps=1).images.shape == (1, 1, 5, 3)


def test_types():
    f = function(lambda x: x.sum((1, 2, 3)), "sum")
    assert (
        maximize(f, learned_prior(nets.decoder().double(), 6), steps=1).images.dtype
        == torch.float64
    )
    half = nets.decoder().bfloat16()
    assert maximize(f, learned_prior(half, 6), steps=1).images.dtype == torch.float32


def test_a_regularizer_of_the_picture_sees_the_picture():
    image = learned_prior(nets.decoder(), 6)
    run = maximize(l2(1.0), image, steps=3, frames=3)
    torch.testing.assert_close(run.terms["l2"], -run.frames.square().sum((2, 3, 4)))


def test_nan_in_decoder_or_prior_is_named():
    broken = nets.decoder()
    broken.up.bias.data[0] = torch.inf
    f = function(lambda x: x.sum((1, 2, 3)), "sum")
    with pytest.raises(ValueError, match=r"'up.bias' .*NaN or Inf"):
        maximize(f, learned_prior(broken, 6))

    class Bad(type(learned_prior(nets.decoder(), 6))):
        def prior(self, z):
            return z.sum(1) * torch.nan

    with pytest.raises(NonFiniteError, match="value of prior") as caught:
        maximize(f, Bad(nets.decoder(), (6,), 1.0, None), steps=2)
    assert caught.value.term == "prior"

    class Steep(Bad):  # the value is finite, its gradient is not
        def prior(self, z):
            return -(z - z.detach()).abs().sum(1).sqrt()

    with pytest.raises(NonFiniteError, match="gradient of prior"):
        maximize(f, Steep(nets.decoder(), (6,), 1.0, None), steps=2)


def test_a_prior_of_the_wrong_shape():
    class Whole(Image):
        def start(self, streams):
            return torch.zeros(len(streams), 3)

        def prior(self, z):
            return -z.square().sum()

    with pytest.raises(ValueError, match=r"prior must give \(2,\), got \(\)"):
        maximize(function(lambda x: x.sum(1)), Whole(), seed=[1, 2], steps=1)


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: learned_prior(lambda z: z, 3), TypeError, "decoder must be a torch.nn.Module"),
    (lambda: learned_prior(nets.decoder(), 0), ValueError, "latent must be at least 1, got 0"),
    (lambda: learned_prior(nets.decoder(), 2.5), TypeError, "latent .*2.5"),
    (lambda: learned_prior(nets.decoder(), ()), ValueError, "latent is an empty shape"),
    (lambda: learned_prior(nets.decoder(), 6, lam=0), UnboundedProblemError, "lam must be > 0"),
    (lambda: learned_prior(nets.decoder(), 6, lam="x"), TypeError, "lam .*'x'"),
    (lambda: learned_prior(nets.decoder(), 6, batch=0), ValueError, "batch"),
    (lambda: maximize(l2(1), learned_prior(nn.Flatten(0), 6), steps=1), ValueError,
     r"decoder must map z of \(1, 6\)"),
    (lambda: maximize(l2(1), learned_prior(nets.Wrapped(nets.mlp(), "dict"), 6), steps=1),
     ValueError, "got dict"),
])  # fmt: skip
def test_bad_input(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_climb_that_forgets_the_prior_is_caught(monkeypatch):
    test_the_prior_is_a_term_of_the_run()
    objective_alone = lambda self, z, x, transformed, pairs=None: self.objective.term_values(  # noqa: E731
        x, transformed, self.probes, self.autocast
    )
    monkeypatch.setattr(climb.Climb, "terms", objective_alone)
    with pytest.raises((AssertionError, RuntimeError)):
        test_the_prior_is_a_term_of_the_run()
