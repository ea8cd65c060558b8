"""Help for dead ReLUs: which images it moves, where to, and what it leaves alone."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.overrides import _get_current_function_mode_stack

from actmax_lib import fourier, function, l2, learned_prior, logit, maximize, neuron, pixels, point
from actmax_lib.images import Image
from actmax_lib.revive import FLAT, Gates, compiled
from actmax_lib.streams import Streams
from tests import nets
from tests.contracts import (
    assert_batch_invariant,
    assert_lean,
    assert_no_trace,
)

pytestmark = pytest.mark.usefixtures("one_thread")
PLAIN = {"optimizer": "gradient", "schedule": "constant"}


class Ends(nn.Module):
    """A linear map and a ReLU in one of its many forms."""

    def __init__(self, relu, d=3, bias=-1.0):
        super().__init__()
        self.linear, self.relu = nn.Linear(d, 2), relu
        self.linear.weight.data = torch.tensor([[1.0, 2.0, -3.0], [0.5, -1.0, 0.25]])
        self.linear.bias.data.fill_(bias)

    def forward(self, x):
        return self.relu(self.linear(x))


FORMS = {
    "module": nn.ReLU(), "module, in place": nn.ReLU(inplace=True), "F.relu": F.relu,
    "F.relu, in place": lambda x: F.relu(x, inplace=True), "F.relu(input=)": lambda x: F.relu(
        input=x, inplace=True), "torch.relu": torch.relu, "torch.relu_": torch.relu_,
    "F.relu_": F.relu_, "method": lambda x: x.relu(), "method, in place": lambda x: x.relu_(),
    "ReLU6": nn.ReLU6(), "ReLU6, in place": nn.ReLU6(inplace=True), "F.relu6": F.relu6,
    "F.relu6, in place": lambda x: F.relu6(x, True), "Hardtanh": nn.Hardtanh(0, 1),
    "Hardtanh, in place": nn.Hardtanh(-0.5, 2, inplace=True),
    "F.hardtanh": lambda x: F.hardtanh(x, 0.0, 9.0),
    "F.hardtanh(named)": lambda x: F.hardtanh(x, max_val=9.0, min_val=0.0),
    "F.hardtanh_": lambda x: F.hardtanh_(x, 0.0, 9.0),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_shut_unit_opens_whatever_its_form(form):
    net = Ends(FORMS[form])
    asleep = maximize(logit(net, 0), point(torch.zeros(1, 3)), steps=9, lr=0.02, revive=0, **PLAIN)
    assert torch.equal(asleep.images, torch.zeros(1, 3))
    run = maximize(logit(net, 0), point(torch.zeros(1, 3)), steps=9, lr=0.02, frames=9, **PLAIN)
    moved = run.frames[1, 0]  # along the weights, as were it linear
    torch.testing.assert_close(moved, 0.02 * torch.tensor([1.0, 2, -3]))
    assert torch.equal(run.history[0], asleep.history[0])  # the value is that of the network
    assert float(run.values) > float(asleep.values)
    torch.testing.assert_close(run.values, logit(net, 0)(run.images))


@pytest.mark.parametrize("form", FORMS)
def test_an_image_that_is_awake_is_moved_as_without_help(form):
    """Bit for bit, at the edges of the flat parts too, where a gradient is a choice."""
    values = torch.tensor([-1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 6.0, 7.0, 9.0, 0.3])
    x0 = values.reshape(1, -1).repeat(2, 1)
    f = function(lambda x: (FORMS[form](x * 1.0) * torch.linspace(-1, 1, 10)).sum(1))
    runs = [
        maximize(f, point(x0), steps=5, frames=5, lr=0.1, revive=n, **PLAIN) for n in (0, 3, 16)
    ]
    assert not torch.equal(runs[0].images, x0)
    for run in runs[1:]:
        assert torch.equal(run.frames, runs[0].frames)
        assert torch.equal(run.images, runs[0].images)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("make", [nets.cnn, nets.vit, nets.small])
def test_a_network_that_is_awake_is_climbed_bit_for_bit_as_before(make, layout, dtype):
    net = make().to(dtype).to(memory_format=layout)
    f, how = logit(net, [1, 2]) + l2(0.01), {"steps": 4, "frames": 4}
    for image in (fourier(3, 16), pixels(3, 16)):
        run, plain = maximize(f, image, **how), maximize(f, image, revive=0, **how)
        assert torch.equal(run.images, plain.images)
        assert torch.equal(run.history, plain.history)
        assert torch.equal(run.frames, plain.frames)


def test_forward_values_are_those_of_the_network():
    x = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0)).requires_grad_()
    for net in (nets.cnn(), nets.small(), nets.vit()):
        with Gates() as gates:
            seen = net(x)
        assert torch.equal(seen, net(x))
        assert gates.met
        for flag in (torch.float16, torch.bfloat16):
            with torch.autocast("cpu", flag), Gates():
                seen = net(x)
            with torch.autocast("cpu", flag):
                assert torch.equal(seen, net(x))


class InPlace(nn.Module):
    """What a ReLU in place overwrites is used again."""

    def forward(self, x):
        h = x * 2
        F.relu_(h)
        return h + h.square()


def test_what_is_changed_in_place_is_changed_for_all_who_hold_it():
    x = torch.tensor([[-1.0, 0.5]], requires_grad=True)
    net = InPlace()
    with Gates():
        y = net(x)
    assert torch.equal(y, net(x))
    (a,), (b,) = torch.autograd.grad(y.sum(), x), torch.autograd.grad(net(x).sum(), x)
    assert torch.equal(a, b)


# --- the direction --------------------------------------------------------------------------------


def test_two_layers_against_the_rule_written_out():
    """Shut units pass what would open them, in each layer; then a matrix product."""
    rng = np.random.default_rng(3)
    W, V = rng.normal(size=(5, 4)), rng.normal(size=(1, 5))
    net = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 1), nn.ReLU()).double()
    net[0].weight.data, net[2].weight.data = torch.from_numpy(W), torch.from_numpy(V)
    net[0].bias.data.fill_(-0.1)
    net[2].bias.data.fill_(-100)  # the last unit is shut, some of the first are
    x0 = rng.normal(size=(1, 4))
    hidden = W @ x0[0] - 0.1
    back = np.where((hidden <= 0) & (V[0] < 0), 0, V[0])
    assert 0 < (hidden <= 0).sum() < 5
    assert (back == 0).any()
    run = maximize(logit(net, 0), point(x0), steps=1, lr=0.5, **PLAIN)
    np.testing.assert_allclose(run.images, x0 + 0.5 * (back @ W)[None], atol=1e-12)


def test_a_value_at_its_maximum_stays_there():
    """-ReLU is 0 at most; ReLU6 saturated is 6 at most; downhill from there it is opened."""
    net = Ends(nn.ReLU())
    for revive in (0, 16):
        run = maximize(-logit(net, 0), point(torch.zeros(1, 3)), steps=3, revive=revive, **PLAIN)
        assert torch.equal(run.images, torch.zeros(1, 3))
    full = Ends(nn.ReLU6(), bias=7.0)
    run = maximize(logit(full, 0), point(torch.zeros(1, 3)), steps=3, **PLAIN)
    assert torch.equal(run.images, torch.zeros(1, 3))
    run = maximize(-logit(full, 0), point(torch.zeros(1, 3)), steps=1, lr=0.1, **PLAIN)
    torch.testing.assert_close(run.images, -0.1 * torch.tensor([[1.0, 2, -3]]))


def test_a_regularizer_does_not_make_it_awake():
    x0 = torch.tensor([[0.1, -0.2, 0.0]])
    f = logit(Ends(nn.ReLU()), 0) + l2(0.5)
    run = maximize(f, point(x0), steps=1, lr=0.1, **PLAIN)
    torch.testing.assert_close(run.images, x0 + 0.1 * (torch.tensor([[1.0, 2, -3]]) - x0))
    run = maximize(f, point(x0), steps=1, lr=0.1, revive=0, **PLAIN)
    torch.testing.assert_close(run.images, x0 - 0.1 * x0)


@pytest.mark.parametrize("lam", [None, 0.005])
def test_a_prior_does_not_make_it_awake_and_a_decoder_is_helped(lam):
    decoder = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
    decoder[0].weight.data, decoder[0].bias.data = torch.eye(3), torch.full((3,), -50.0)
    image, f = learned_prior(decoder, 3, lam=lam), function(lambda x: x.sum(1), "sum")
    z = image.start(Streams([0]))
    expected = z + 100 * (1 - 2 * (lam or 0) * z) - 50
    run = maximize(f, image, steps=1, lr=100.0, **PLAIN)
    torch.testing.assert_close(run.images, expected)
    run = maximize(f, image, steps=1, lr=100.0, revive=0, **PLAIN)
    assert torch.equal(run.images, torch.zeros(1, 3))


# --- which images, and when -----------------------------------------------------------------------


def mixed(targets):
    """Unit 0 is asleep at 0, unit 1 awake."""
    net = Ends(nn.ReLU()).double()
    net.linear.bias.data = torch.tensor([-1.0, 0.5], dtype=torch.float64)
    return logit(net, targets)


def test_each_image_is_judged_alone():
    image = lambda n: point(torch.zeros(n, 3, dtype=torch.float64))  # noqa: E731
    for optimizer in ("gradient", "adam", "normalized"):
        how = {"steps": 20, "lr": 0.02, "optimizer": optimizer}
        assert_batch_invariant(mixed, image, [0, 1, 0, 1], 3, **how)
    run = maximize(mixed([0, 1]), image(2), steps=1, lr=0.1, **PLAIN)
    expected = 0.1 * torch.tensor([[1, 2, -3], [0.5, -1, 0.25]])
    torch.testing.assert_close(run.images, expected.double())


@pytest.mark.parametrize("revive", [0, 1, 3, 16])
def test_it_is_for_the_first_steps(revive):
    net = Ends(nn.ReLU(), bias=-1e6)
    run = maximize(
        logit(net, 0), point(torch.zeros(1, 3)), steps=20, lr=1.0, revive=revive, **PLAIN
    )
    torch.testing.assert_close(run.images, revive * torch.tensor([[1.0, 2, -3]]))


def test_an_image_that_falls_asleep_later_is_left():
    """One look, at step 0; so that a GPU is not waited for again, and a CPU does the same."""
    f = function(lambda x: (-4 * x.relu()).sum(1), "down") + function(
        lambda x: 3 * (x - 5).relu().sum(1), "far"
    )
    how = {"steps": 8, "lr": 0.5, "frames": 8, **PLAIN}
    runs = [maximize(f, point(torch.ones(1, 1)), revive=n, **how) for n in (0, 16)]
    assert torch.equal(runs[0].frames, runs[1].frames)
    assert float(runs[1].images) < 0
    beside = maximize(f, point(torch.tensor([[-9.0], [1.0]])), **how)  # one that is helped
    assert torch.equal(beside.frames[:, 1:], runs[0].frames)
    assert float(beside.images[0]) > -9


def test_no_more_forwards_and_no_trace():
    net = nets.cnn()
    net.bn2.bias.data.fill_(-100.0)  # its ReLU is shut everywhere
    f = neuron(net, "relu", 1)
    assert float(maximize(f, pixels(3, 8), steps=2, revive=0).images.sub(0.5).abs().max()) < 0.1
    before = maximize(f, pixels(3, 8), steps=1, revive=0)
    run = maximize(f, pixels(3, 8), steps=4, lr=10.0, seed=0)
    assert not torch.allclose(run.images, before.images, atol=0.01)
    assert_lean(net, f, pixels(3, 8), ["dropout", "head"])
    assert_no_trace([nets.cnn()], lambda: maximize(f, pixels(3, 8), steps=3))


def test_the_mode_is_left_when_the_objective_raises():
    def bad(x):
        raise ValueError("planted")

    before = len(_get_current_function_mode_stack())
    with pytest.raises(ValueError, match="planted"):
        maximize(function(bad), pixels(1, 4), steps=3)
    assert len(_get_current_function_mode_stack()) == before


def test_a_gradient_of_a_gradient_is_as_before():
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1)).double()

    def slope(x):
        with torch.enable_grad():
            x = x if x.requires_grad else x.detach().requires_grad_()
            (g,) = torch.autograd.grad(net(x).square().sum(), x, create_graph=True)
        return g.square().sum(1)

    x0 = torch.tensor([[0.5, -1.0, 2.0], [1.0, 1.0, 1.0]], dtype=torch.float64)
    runs = [maximize(function(slope), point(x0), steps=4, revive=n) for n in (0, 16)]
    assert not torch.equal(runs[0].images, x0)
    assert torch.equal(runs[0].images, runs[1].images)


class Plain(Image):
    """One number an image, without a further axis."""

    def start(self, streams):
        return streams.normal()


def test_latents_of_one_axis():
    """A number an image is enough; one of two is asleep."""
    relu = function(lambda x: (x - torch.tensor([-9.0, 9.0])).relu(), "relu")
    run = maximize(relu, Plain(), steps=2, lr=0.5, seed=[0, 0], **PLAIN)
    begin = Plain().start(Streams([0, 0]))
    torch.testing.assert_close(run.images, begin + 1)


# --- what it keeps out of -------------------------------------------------------------------------


class PerSample(nn.Module):
    """Its own vmap, under which a custom function would not run."""

    def forward(self, x):
        return torch.vmap(lambda row: F.relu(row - 10).sum()[None])(x)


def test_functional_transforms_in_a_network_run_as_before():
    x0 = torch.randn(2, 5, generator=torch.Generator().manual_seed(1))
    run = maximize(logit(PerSample(), 0), point(x0), steps=2)
    assert torch.equal(run.images, x0)


def test_compiled_networks_are_known(monkeypatch):
    net = nets.cnn()
    assert not compiled([net, nets.vit()])
    assert compiled([nets.vit(), torch.compile(net, backend="eager")])
    assert compiled([nn.Sequential(torch.compile(net, backend="eager"))])
    inner = nets.cnn()
    inner.compile(backend="eager")
    assert compiled([inner])
    monkeypatch.setattr("actmax_lib.climb.compiled", lambda nets: True)
    run = maximize(logit(Ends(nn.ReLU()), 0), point(torch.zeros(1, 3)), steps=3, **PLAIN)
    assert torch.equal(run.images, torch.zeros(1, 3))


@pytest.mark.parametrize("wrong", [-1, 1.5, True, None])
def test_numbers_of_steps_that_are_none(wrong):
    with pytest.raises((ValueError, TypeError), match="revive must be"):
        maximize(logit(nets.cnn(), 1), pixels(3, 8), revive=wrong)


@pytest.mark.parametrize("form", ["F.relu", "ReLU6", "F.hardtanh"])
def test_the_checks_catch_a_form_that_is_not_known(monkeypatch, form):
    for known in list(FLAT):
        monkeypatch.delitem(FLAT, known)
    with pytest.raises(AssertionError):
        test_a_shut_unit_opens_whatever_its_form(form)
