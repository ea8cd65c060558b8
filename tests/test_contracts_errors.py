"""Contract 6, bad input: every error names the argument, the value and what would be right."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import actmax_lib as am
from actmax_lib import UnboundedProblemError, affine, function, l2, maximize, point
from tests import nets

pytestmark = pytest.mark.usefixtures("one_thread")
NET, D = nets.cnn(), 6


def zeros(n=1):
    return point(torch.zeros(n, D))


def climb(f=None, image=None, **how):
    return maximize(am.logit(nets.mlp(), 1) if f is None else f, image or zeros(), steps=2, **how)


# every line: what is done, the error, and words that its message must have
BAD = {
    # targets and layers
    "class": (lambda: climb(am.logit(nets.mlp(), 4)), ValueError, "class 4 .* 4: 0 to 3"),
    "classes": (lambda: climb(am.log_prob(nets.mlp(), [1, 9]), zeros(2)), ValueError, "class 9"),
    "negative class": (lambda: am.logit(NET, -1), ValueError, "class must be at least 0, got -1"),
    "class name": (lambda: am.logit(NET, "cat"), TypeError, "class .*'cat'"),
    "float class": (lambda: am.logit(NET, 1.5), TypeError, "class .*1.5"),
    "float tensor": (lambda: am.logit(NET, torch.tensor([1.7])), TypeError, "class .*1.7"),
    "boolean class": (lambda: am.logit(NET, True), TypeError, "class .*True"),
    "no classes": (lambda: am.logit(NET, []), ValueError, "class is an empty list"),
    "channel": (lambda: climb(am.channel(NET, "conv1", 6), am.pixels(3, 8)), ValueError,
                "channel 6 is out of range: layer 'conv1' has 6"),
    "position": (lambda: climb(am.neuron(NET, "conv1", 0, (4, 0)), am.pixels(3, 8)), ValueError,
                 r"position 4 .*conv1.*\(4, 4\)"),
    "positions": (lambda: climb(am.neuron(NET, "conv1", 0, (1,)), am.pixels(3, 8)), ValueError,
                  "position"),
    "layer": (lambda: climb(am.layer(NET, "conv3"), am.pixels(3, 8)), ValueError,
              "'conv3' .*closest names: .*'conv"),
    "layer type": (lambda: climb(am.layer(NET, 3), am.pixels(3, 8)), TypeError, "layer .*3"),
    "output shape": (lambda: climb(am.logit(nn.Conv2d(3, 4, 1), 1), am.pixels(3, 8)), ValueError,
                     r"\(N, classes\)"),
    "no module": (lambda: am.logit(lambda x: x, 1), TypeError, "net must be a torch.nn.Module"),
    "direction": (lambda: climb(am.direction(NET, "conv1", [1.0, 2]), am.pixels(3, 8)), ValueError,
                  "vector has 2 .* has 6"),
    # weights and inputs
    "NaN direction": (lambda: am.direction(NET, "conv1", [math.nan]), ValueError, "vector .*NaN"),
    "NaN w": (lambda: affine([1.0, math.nan]), ValueError, "w holds NaN"),
    "infinite b": (lambda: affine([1.0], math.inf), ValueError, "b must be .*finite"),
    "w": (lambda: climb(affine([1.0, 2.0])), ValueError, "w has 2 entries, an image has 6"),
    "H": (lambda: am.quadratic(np.eye(2), [1.0]), ValueError, r"H .*\(2, 2\)"),
    "H not symmetric": (lambda: am.quadratic([[1.0, 2], [0, 1]], [1.0, 1]), ValueError,
                        r"H is not symmetric; give \(H \+ H.T\) / 2"),
    "beta": (lambda: am.smooth_max(0), ValueError, "beta"),
    "empty w": (lambda: affine([]), ValueError, "w is empty"),
    "lam 0": (lambda: l2(0), UnboundedProblemError, "lam must be > 0, got 0"),
    "lam < 0": (lambda: am.lp(-1, 2), UnboundedProblemError, "lam must be > 0, got -1"),
    "lam TV": (lambda: am.total_variation(0.0), UnboundedProblemError, "lam"),
    "lam NaN": (lambda: l2(math.nan), ValueError, "lam .*finite.*nan"),
    "lam text": (lambda: l2("0.1"), TypeError, "lam .*'0.1'"),
    "p": (lambda: am.lp(1, 0.5), ValueError, "p must be at least 1, got 0.5"),
    "center": (lambda: climb(affine([1.0] * D) + l2(1, [0.0, 1])), ValueError,
               r"center .*\(2,\).*\(6,\)"),
    "Sigma": (lambda: am.gaussian_prior([0.0], np.eye(2)), ValueError, "Sigma has shape"),
    "Sigma < 0": (lambda: am.gaussian_prior([0.0] * 2, np.diag([1, -1.0])), ValueError,
                  "negative eigenvalue -1"),
    "mu": (lambda: climb(am.gaussian_prior([0.0] * 2, np.eye(2))), ValueError, "mu has 2 entries"),
    "TV": (lambda: climb(am.total_variation(1)), ValueError, r"\(N, C, H, W\)"),
    "plus": (lambda: l2(1) + 1, TypeError, "unsupported operand"),
    "times": (lambda: l2(1) * l2(1), TypeError, "unsupported operand"),
    # images
    "integers": (lambda: point(torch.zeros(1, 3, dtype=torch.uint8)), TypeError,
                 r"x0 has dtype torch.uint8.*float\(\) / 255"),
    "integer array": (lambda: point(np.zeros((1, 3), int)), TypeError, "x0 has dtype"),
    "integers in f(x)": (lambda: am.logit(NET, 1)(torch.zeros(1, 3, 8, 8, dtype=torch.uint8)),
                         TypeError, "x must be .*uint8"),
    "array in f(x)": (lambda: am.logit(NET, 1)(np.zeros((1, 3))), TypeError, "x must be .*ndarray"),
    "NaN image": (lambda: point([[math.nan]]), ValueError, "x0 holds NaN"),
    "zero-size": (lambda: am.fourier(3, 0), ValueError, "size must be at least 1, got 0"),
    "zero-size x0": (lambda: point(torch.zeros(1, 0)), ValueError, r"x0 is empty .*\(1, 0\)"),
    "no batch axis": (lambda: point([1.0, 2]), ValueError, r"x0 .*\(2,\).*x0\[None\]"),
    "size": (lambda: am.pixels(3, 224.0), TypeError, "size .*224.0"),
    "sizes": (lambda: am.pixels(3, (2, 3, 4)), ValueError, "size"),
    "size of none": (lambda: am.fourier(3, ()), ValueError, "size"),
    "colours": (lambda: am.pixels(1, 8, decorrelate=True), ValueError, "decorrelate .*channels=1"),
    "box": (lambda: point([[0.0]], box=(1, 0)), ValueError, "box"),
    "half a box": (lambda: point([[0.0]], box=(0,)), ValueError, "box .*pair"),
    "box shape": (lambda: point([[0.0, 1]], box=([0.0] * 3, 1)), ValueError, r"box .*\(3,\)"),
    "ball": (lambda: point([[0.0]], ball=3), ValueError, "ball .*pair"),
    "ball p": (lambda: point([[0.0]], ball=(0.5, 1)), ValueError, "p must be in .*0.5"),
    "ball eps": (lambda: point([[0.0]], ball=(2, 0)), ValueError, "eps"),
    "both": (lambda: point([[0.0]], box=(0, 1), ball=(2, 1)), ValueError, "box or ball"),
    "linear": (lambda: am.linear(np.eye(3), [0.0, 1]), ValueError, r"A has shape \(3, 3\)"),
    # transforms
    "crop": (lambda: climb(am.layer(NET, "conv1"), am.pixels(3, 8), transform=am.crop(9)),
             ValueError, "crop size .*9.*larger"),
    "scale": (lambda: am.scale(1.2, 0.8), ValueError, "high must be at least low"),
    "noise": (lambda: am.noise(-1), ValueError, "sd must be at least 0, got -1"),
    "jitter": (lambda: am.jitter(0.5), TypeError, "pixels must be an integer, got 0.5"),
    "compose": (lambda: am.compose(3), TypeError, "transform must be callable .*3"),
    "transform": (lambda: climb(transform=5), TypeError, "transform must be callable .*5"),
    "forgotten call": (lambda: climb(transform=am.robust), TypeError, r"give robust\(\.\.\.\)"),
    "T of vectors": (lambda: climb(transform=am.robust()), ValueError, r"\(N, C, H, W\).*\(1, 6\)"),
    "T doubles": (lambda: climb(am.logit(NET, 1), am.pixels(3, 8),
                                transform=lambda x, streams: x.repeat(2, 1, 1, 1)),
                  ValueError, "transform made 2 images of 1"),
    # the verb
    "steps 0": (lambda: maximize(l2(1), zeros(), steps=0), ValueError, "steps .*at least 1, got 0"),
    "steps < 0": (lambda: maximize(l2(1), zeros(), steps=-3), ValueError, "steps .*got -3"),
    "steps 2.5": (lambda: maximize(l2(1), zeros(), steps=2.5), TypeError, "steps .*2.5"),
    "frames": (lambda: climb(frames=-1), ValueError, "frames"),
    "lr": (lambda: climb(lr=0), ValueError, "lr"),
    "optimizer": (lambda: climb(optimizer="sgd"), ValueError, "optimizer .*'adam'.*'sgd'"),
    "optimizers": (lambda: climb(optimizer=["adam"]), ValueError, "optimizer"),
    "descent": (lambda: climb(optimizer=lambda p, lr: torch.optim.Adam(p, lr)), ValueError,
                "optimizer Adam descends.*maximize=True"),
    "schedule": (lambda: climb(schedule="linear"), ValueError, "schedule .*'cosine'"),
    "autocast": (lambda: climb(autocast=True), TypeError, "autocast .*True"),
    "seed": (lambda: climb(seed=-1), ValueError, "seed must be at least 0, got -1"),
    "no seed": (lambda: climb(seed=None), TypeError, "seed"),
    "huge seed": (lambda: climb(seed=2**70), ValueError, "seed"),
    "objective": (lambda: maximize(torch.sum, zeros()), TypeError, "objective .*function()"),
    "image": (lambda: maximize(l2(1), torch.zeros(1, 3)), TypeError, "image .*point"),
    "function": (lambda: function(3), TypeError, "fn must be callable"),
    "batch of targets": (lambda: climb(am.logit(nets.mlp(), [1, 2, 3]), zeros(2)), ValueError,
                         "objective has 3, image has 2"),
    "batch of seeds": (lambda: climb(am.logit(nets.mlp(), [1, 2]), zeros(2), seed=[1, 2, 3]),
                       ValueError, "seed has 3"),
    "two batches": (lambda: climb(am.logit(NET, [1, 2]) + am.channel(NET, "conv1", [1, 2, 3])),
                    ValueError, "different numbers of images"),
    "batch in f(x)": (lambda: am.logit(nets.mlp(), [1, 2])(torch.zeros(3, D)), ValueError,
                      "x has 3 images, the objective has 2"),
    "scalar": (lambda: climb(function(lambda x: x.sum(), "total")), ValueError,
               r"total must give one value an image, shape \(1,\), got \(\)"),
    "matrix": (lambda: climb(function(lambda x: x)), ValueError, r"one value an image.*\(1, 6\)"),
    "number": (lambda: climb(function(lambda x: 1.0)), ValueError, "got float"),
    "not differentiable": (lambda: climb(function(lambda x: (x > 0).float().sum(1))), ValueError,
                           "differentiably"),
    "two kinds of output": (lambda: climb(am.logit(nets.Wrapped(nets.mlp(), "dict"), 1)),
                            TypeError, "the network returns dict"),
}  # fmt: skip


def assert_clear(act, error, message):
    """``act`` raises exactly this error, in the words of this library and not of torch."""
    with pytest.raises(error, match=f"(?s){message}") as caught:
        act()
    assert type(caught.value) in (ValueError, TypeError, UnboundedProblemError)


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named(case):
    assert_clear(*BAD[case])


def test_a_missing_check_is_caught(monkeypatch):
    """Planted faults: no check, or one that does not say what is wrong."""
    nothing = monkeypatch.context
    with nothing() as patch:
        patch.setattr(am.checks, "in_range", lambda *_: None)
        with pytest.raises((AssertionError, RuntimeError)):
            assert_clear(*BAD["class"])
    with nothing() as patch:
        patch.setattr(am.checks, "entries", lambda *_: None)
        with pytest.raises((AssertionError, RuntimeError)):
            assert_clear(*BAD["w"])
    with nothing() as patch:
        patch.setattr(am.checks, "real_tensor", lambda name, value: torch.as_tensor(value))
        for case in ("NaN w", "integers"):
            with pytest.raises((AssertionError, pytest.fail.Exception)):
                assert_clear(*BAD[case])


def test_the_closest_names_come_first():
    with pytest.raises(ValueError, match=r"closest names: 'blocks\.1\.linear1'"):
        climb(am.channel(nets.vit(), "blocks.1.linaer1", 0), am.pixels(3, 8))
    with pytest.raises(ValueError, match="there are no names"):
        climb(am.layer(nn.Identity(), "conv"), zeros())


@pytest.mark.parametrize("where", ["conv1.weight", "bn2.running_var"])
def test_weights_that_are_not_finite(where):
    net = nets.cnn()
    net.state_dict()[where].view(-1)[1] = math.inf
    assert_clear(
        lambda: climb(am.logit(net, 1), am.pixels(3, 8)), ValueError, f"'{where}' .*NaN or Inf"
    )


def test_an_unbounded_problem_is_a_value_error_and_can_carry_a_direction():
    error = UnboundedProblemError("grows", np.ones(2))
    assert isinstance(error, ValueError)
    assert error.direction.tolist() == [1, 1]
    with pytest.raises(UnboundedProblemError) as caught:
        am.closed_forms.affine_l2([3.0, 4.0], 0, 0)
    assert caught.value.direction @ [3.0, 4.0] > 0
