"""Contract 4: a run, whether it ends, is interrupted or raises, leaves no trace; planted faults."""

import contextlib
import importlib
import random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.hooks import RemovableHandle

from actmax_lib import channel, function, logit, maximize, neuron, noise, pixels, probes, robust
from actmax_lib.learned import learned_prior
from tests import nets
from tests.contracts import assert_no_trace, scramble

pytestmark = pytest.mark.usefixtures("one_thread")
verb = importlib.import_module("actmax_lib.maximize")  # the name in the package is the function


def lived_in():
    """A network as found in the middle of somebody's work."""
    net = nets.cnn()
    net.train()
    net.bn1.eval()
    net.conv2.weight.requires_grad_(False)
    net(torch.rand(2, 3, 8, 8)).sum().backward()
    net.conv1.register_forward_hook(lambda *_: None)
    net.head.register_forward_pre_hook(lambda *_: None)
    net.conv2.register_full_backward_hook(lambda *_: None)
    return net


def failing(at, error):
    """An objective that raises ``error`` in its ``at``-th evaluation."""
    calls = iter(range(10_000))

    def fn(x):
        if next(calls) == at:
            raise error
        return x.flatten(1).sum(1)

    return function(fn)


def act(net, f=None, **how):
    f = logit(net, 2) + neuron(net, "conv2", 1) if f is None else f
    return lambda: maximize(f, pixels(3, 8), **{"steps": 3, "transform": robust()} | how)


@pytest.mark.parametrize("make", [lived_in, nets.cnn, nets.vit, lambda: nets.seeded(nets.Drawing),
                                  lambda: nets.seeded(nets.Remembering),
                                  lambda: nets.seeded(nets.Clipping)])  # fmt: skip
def test_no_trace_of_a_run_nor_of_an_evaluation(make):
    net = make()
    scramble(5)
    assert_no_trace([net], act(net, logit(net, 2)))
    assert_no_trace(
        [net], lambda: logit(net, 2)(torch.rand(3, 3, 8, 8, generator=torch.Generator()))
    )


def test_no_trace_in_a_decoder():
    """Its networks are the image's, also when the objective knows none."""
    decoder, net = nets.decoder(), lived_in()
    decoder.train()
    decoder.up.weight.requires_grad_(False)
    image = learned_prior(decoder, 6)
    for f in (logit(net, [1, 2]), function(lambda x: x.sum((1, 2, 3)))):
        assert_no_trace([net, decoder], lambda f=f: maximize(f, image, steps=2, transform=robust()))
    bad = failing(1, ValueError("planted"))
    assert_no_trace([decoder], lambda: maximize(bad, image, steps=4), ValueError)


def test_no_trace_in_any_of_several_networks():
    several = [lived_in(), nets.seeded(nets.Remembering), nets.cnn()]
    f = logit(several[0], 1) - logit(several[1], 1) + channel(several[2], "conv1", 1)
    assert_no_trace(several, act(several[0], f, frames=2))


@given(st.integers(0, 4), st.sampled_from([ValueError, KeyboardInterrupt, RuntimeError]))
def test_no_trace_when_the_objective_raises(at, error):
    net = lived_in()
    f = channel(net, "conv2", 1) + failing(at, error("planted"))
    interrupted = error is KeyboardInterrupt and at < 3  # inside the loop, the run is returned
    raises = None if at > 3 or interrupted else error
    assert_no_trace([net], act(net, f, transform=None), raises)


@pytest.mark.parametrize("wrong", [
    {"f": lambda net: logit(net, 99)}, {"f": lambda net: neuron(net, "conv3", 1)},
    {"f": lambda net: neuron(net, "conv2", 1, (50, 50))}, {"steps": 0}, {"lr": -1.0},
    {"optimizer": "sgd"}, {"schedule": "linear"},
    {"seed": [1, 2], "f": lambda net: logit(net, [1])},
    {"transform": lambda x, streams: x[:, :1]}, {"transform": lambda x, streams: x * float("nan")},
    {"optimizer": lambda p, lr: torch.optim.Adam(p, lr)},
])  # fmt: skip
def test_no_trace_of_bad_input(wrong):
    net = lived_in()
    how = dict(wrong)
    f = how.pop("f", lambda net: logit(net, 1))(net)
    errors = (ValueError, TypeError, RuntimeError, ArithmeticError)
    assert_no_trace([net], act(net, f, **how), raises=errors)


def test_a_backward_pass_that_was_pending_goes_on():
    gradients = []
    for between in (lambda net: None, lambda net: act(net)()):
        net = nets.cnn()
        loss = net(torch.full((2, 3, 8, 8), 0.5)).square().sum()
        between(net)
        loss.backward()
        gradients.append([p.grad for p in net.parameters()])
    for a, b in zip(*gradients, strict=True):
        assert torch.equal(a, b)


def test_hooks_of_the_user_run_and_stay():
    net, seen = nets.cnn(), []
    net.conv1.register_forward_hook(lambda _module, _inputs, output: seen.append(len(output)))
    net.bn1.register_forward_hook(lambda _module, _inputs, output: output * 0)
    run = maximize(neuron(net, "bn1", 1), pixels(3, 8), steps=2)
    assert seen == [1, 1, 1]
    assert float(run.values[0]) == 0  # the probe reads what the user's own hook made


# --- planted faults -------------------------------------------------------------------------------


def scarring(mark):
    """``untouched`` followed by something that it should not have left."""

    @contextlib.contextmanager
    def broken(networks, seed=None):
        networks = list(networks)
        with probes.untouched(networks, seed):
            yield
        for net in networks:
            mark(net)

    return broken


SCARS = {
    "training mode": lambda net: net.train(),
    "one module's mode": lambda net: net.relu.train(not net.relu.training),
    "frozen": lambda net: net.requires_grad_(False),
    "thawed": lambda net: net.conv2.weight.requires_grad_(True),
    "gradient": lambda net: setattr(net.head.bias, "grad", torch.ones(7)),
    "gradients set to none": lambda net: net.zero_grad(),
    "parameter": lambda net: net.head.bias.data.add_(1e-7),
    "buffer": lambda net: net.bn1.num_batches_tracked.add_(1),
    "replaced buffer": lambda net: setattr(net.bn1, "running_mean", net.bn1.running_mean.clone()),
    "hook": lambda net: net.conv1.register_forward_hook(lambda *_: None),
    "backward hook": lambda net: net.conv1.register_full_backward_hook(lambda *_: None),
    "lost hook": lambda net: net.head._forward_pre_hooks.clear(),
    "attribute": lambda net: setattr(net, "probe", 1),
    "torch RNG": lambda net: torch.rand(1),
    "NumPy RNG": lambda net: np.random.rand(),
    "random": lambda net: random.random(),
    "cudnn": lambda net: setattr(torch.backends.cudnn, "benchmark", True),
    "matmul": lambda net: torch.set_float32_matmul_precision("medium"),
    "anomaly": lambda net: torch.autograd.set_detect_anomaly(True),
}


@pytest.fixture
def flags_kept():
    before = torch.backends.cudnn.benchmark, torch.get_float32_matmul_precision()
    yield
    torch.backends.cudnn.benchmark = before[0]
    torch.set_float32_matmul_precision(before[1])
    torch.autograd.set_detect_anomaly(False)


@pytest.mark.parametrize("scar", SCARS)
@pytest.mark.usefixtures("flags_kept")
def test_contract_4_catches_a_scar(monkeypatch, scar):
    net = lived_in()
    assert_no_trace([net], act(net))
    monkeypatch.setattr(verb, "untouched", scarring(SCARS[scar]))
    with pytest.raises(AssertionError, match="changed"):
        assert_no_trace([net], act(net))


LEFT = contextlib.ExitStack()  # the test closes it in the end


@contextlib.contextmanager
def without_finally(networks, seed=None):
    LEFT.enter_context(probes.untouched(networks, seed))
    yield
    LEFT.close()


@contextlib.contextmanager
def only_eval(networks, seed=None):
    for net in networks:
        net.eval()
    yield


@pytest.mark.parametrize("broken", [without_finally, only_eval, "nothing at all"])
def test_contract_4_catches_a_context_that_restores_too_little(monkeypatch, request, broken):
    net = lived_in()
    request.addfinalizer(LEFT.close)
    if broken == "nothing at all":  # batch norm counts
        broken = lambda networks, seed=None: contextlib.nullcontext()  # noqa: E731
    monkeypatch.setattr(verb, "untouched", broken)
    f = logit(net, 1) + failing(2, ValueError("planted"))
    with pytest.raises(AssertionError, match="changed"):
        assert_no_trace([net], act(net, f), ValueError)


def test_contract_4_catches_what_the_loop_itself_leaves(monkeypatch):
    net = lived_in()
    with monkeypatch.context() as patch:  # hooks that are not removed
        patch.setattr(RemovableHandle, "remove", lambda self: None)
        with pytest.raises(AssertionError, match="_forward_hooks"):
            assert_no_trace([net], act(net))
    net = lived_in()

    def backward(values, z):  # a gradient by .backward(), into weights that were not frozen
        values.backward()
        return (z.grad,)

    with monkeypatch.context() as patch:
        patch.setattr(torch.autograd, "grad", backward)
        patch.setattr(verb, "untouched", lambda networks, seed=None: contextlib.nullcontext())
        net.eval()
        with pytest.raises(AssertionError, match="parameter"):
            assert_no_trace([net], act(net, transform=noise(0.1), revive=0))
