"""Bad input to every attack: the error names the argument, the value and what would be right."""

import math

import pytest
import torch

from actmax_lib import attacks
from actmax_lib.attacks import Ball
from tests import nets
from tests.attacked import Linear, images

pytestmark = pytest.mark.usefixtures("one_thread")
WITH_EPS = {
    "pgd": lambda net, x, y, eps: attacks.pgd(net, x, y, eps=eps, norm="linf", steps=1),
    "pgd-l2": lambda net, x, y, eps: attacks.pgd(net, x, y, eps=eps, norm="l2", steps=1),
    "fgsm": lambda net, x, y, eps: attacks.fgsm(net, x, y, eps=eps),
    "square": lambda net, x, y, eps: attacks.square(net, x, y, eps=eps, queries=2),
    "square-l2": lambda net, x, y, eps: attacks.square(net, x, y, eps=eps, norm="l2", queries=2),
    "robust_accuracy": lambda net, x, y, eps: attacks.robust_accuracy(
        net, x, y, eps=eps, norm="linf", steps=1, queries=2
    ),
}
WITHOUT = {
    "deepfool": lambda net, x, y, _eps: attacks.deepfool(net, x, y, steps=1),
    "boundary_distance": lambda net, x, y, _eps: attacks.boundary_distance(net, x, y, steps=1),
}
ANY = pytest.mark.parametrize("attack", [*WITH_EPS.values(), *WITHOUT.values()],
                              ids=[*WITH_EPS, *WITHOUT])  # fmt: skip
SOME = pytest.mark.parametrize("attack", WITH_EPS.values(), ids=WITH_EPS)


def good(n=3):
    return Linear(3), images(n), torch.arange(n) % 3


@SOME
@pytest.mark.parametrize("eps", [0, 0.0, -0.1, math.nan, -math.inf])
def test_eps_must_be_positive(attack, eps):
    with pytest.raises(ValueError, match=r"must be .* got (0|0\.0|-0\.1|nan|-inf)"):
        attack(*good(), eps)


@SOME
@pytest.mark.parametrize("eps", ["0.1", None, True, torch.tensor([0.1, 0.2])])
def test_eps_must_be_a_number(attack, eps):
    with pytest.raises(TypeError, match="eps must be a real number"):
        attack(*good(), eps)


@SOME
@pytest.mark.parametrize("eps", [8, 8.0, 16, 127.5])
def test_an_eps_of_0_to_255_is_explained(attack, eps):
    with pytest.raises(ValueError, match=rf"eps={eps:g} is no limit.*ε / 255"):
        attack(*good(), eps)


def test_the_largest_eps_that_says_something_is_the_diagonal():
    x = torch.zeros(1, 3, 4, 4)
    Ball("linf", 0.999).check_units(x)
    Ball("l2", math.sqrt(48) - 1e-6).check_units(x)
    Ball("l2", math.inf).check_units(x)
    for norm, eps in (("linf", 1.0), ("l2", math.sqrt(48))):
        with pytest.raises(ValueError, match="no two images are further apart"):
            Ball(norm, eps).check_units(x)


@ANY
def test_images_of_0_to_255_are_explained(attack):
    net, x, y = good()
    with pytest.raises(ValueError, match=r"in \[0, 1\], got .* to .*divide 8-bit images by 255"):
        attack(net, x * 255, y, 0.1)
    with pytest.raises(
        TypeError, match=r"got torch.uint8; for 8-bit images: image.float\(\) / 255"
    ):
        attack(net, (x * 255).byte(), y, 0.1)


@ANY
@pytest.mark.parametrize("spoilt", [-1e-6, 1.001, math.nan, math.inf])
def test_one_pixel_outside_the_box_is_enough(attack, spoilt):
    net, x, y = good()
    x[1, 0, 2, 3] = spoilt
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        attack(net, x, y, 0.1)


@ANY
@pytest.mark.parametrize("label", [3, 10, -1])
def test_labels_must_be_in_range(attack, label):
    net, x, y = good()
    y[2] = label
    with pytest.raises(ValueError, match=f"label {label} is out of range: there are 3 logits"):
        attack(net, x, y, 0.1)


@ANY
@pytest.mark.parametrize("name", ["", "dropout", "bn2"])
def test_a_network_in_training_mode_is_refused_and_left_so(attack, name):
    net = nets.cnn()
    net.get_submodule(name).train()
    modes = [module.training for module in net.modules()]
    x, y = images(3, (3, 8, 8)).float(), torch.arange(3)
    with pytest.raises(ValueError, match=r"training mode; call net\.eval\(\)"):
        attack(net, x, y, 0.1)
    assert [module.training for module in net.modules()] == modes


@ANY
def test_what_is_given_must_fit_together(attack):
    net, x, y = good()
    for bad_x, bad_y, error, match in (
        (x, y[:2], ValueError, r"got 3 images and labels of shape \(2,\)"),
        (x, y[:, None], ValueError, r"labels of shape \(3, 1\)"),
        (x, y.int(), TypeError, "labels must be an int64 tensor, got torch.int32"),
        (x, y.double(), TypeError, "labels must be an int64 tensor"),
        (x, y.tolist(), TypeError, "labels must be an int64 tensor"),
        (x[:0], y[:0], ValueError, "at least one"),
        (x.numpy(), y, TypeError, "floating-point tensor"),
    ):
        with pytest.raises(error, match=match):
            attack(net, bad_x, bad_y, 0.1)
    with pytest.raises(TypeError, match=r"net must be a torch\.nn\.Module, got function"):
        attack(lambda z: z, x, y, 0.1)


@ANY
def test_a_network_must_give_logits(attack):
    x, y = images(3, (3, 8, 8)).float(), torch.arange(3)
    with pytest.raises(ValueError, match=r"must give logits \(N, K\).*got tuple"):
        attack(nets.Wrapped(nets.cnn(), "tuple").eval(), x, y, 0.1)
    with pytest.raises(ValueError, match=r"logits \(N, K\) with K >= 2, got .*8, 8"):
        attack(torch.nn.Identity().eval(), x, y, 0.1)


@pytest.mark.parametrize(
    ("how", "error", "match"),
    [
        ({"norm": "l1"}, ValueError, "norm must be one of l2, linf, got 'l1'"),
        ({"steps": 0}, ValueError, "steps must be at least 1"),
        ({"restarts": 0}, ValueError, "restarts must be at least 1"),
        ({"restarts": 1.5}, TypeError, "restarts must be an integer"),
        ({"seed": [1, 2]}, ValueError, "got 3 images and 2 seeds"),
        ({"seed": -1}, ValueError, "seed must be at least 0"),
    ],
)
@pytest.mark.parametrize("name", ["pgd", "robust_accuracy"])
def test_the_other_arguments(name, how, error, match):
    with pytest.raises(error, match=match):
        getattr(attacks, name)(*good(), eps=0.1, **how)


@pytest.mark.parametrize(
    ("name", "how", "error", "match"),
    [
        ("pgd", {"step": 0}, ValueError, "step must be"),
        ("pgd", {"value": "logit"}, ValueError, "cross_entropy, margin, got 'logit'"),
        ("pgd", {"eps": math.inf, "targeted": True}, ValueError, "step must be given"),
        (
            "robust_accuracy",
            {"values": ["logit"]},
            ValueError,
            "cross_entropy, margin, got 'logit'",
        ),
        ("robust_accuracy", {"values": []}, ValueError, "at least one"),
        ("robust_accuracy", {"step_sizes": []}, ValueError, "at least one"),
        ("robust_accuracy", {"step_sizes": [0.1, -1]}, ValueError, "step_sizes must be"),
        ("robust_accuracy", {"queries": -1}, ValueError, "queries must be at least 0"),
        ("robust_accuracy", {"batch": 0}, ValueError, "batch must be at least 1"),
        ("robust_accuracy", {"eps": math.inf}, ValueError, "eps must be a finite number"),
        ("square", {"queries": 0}, ValueError, "queries must be at least 1"),
        ("square", {"eps": math.inf}, ValueError, "eps must be a finite number"),
        ("square", {"norm": "l1"}, ValueError, "norm must be one of"),
    ],
)
def test_arguments_of_one(name, how, error, match):
    with pytest.raises(error, match=match):
        getattr(attacks, name)(*good(), **{"eps": 0.1} | how)


def test_distances_check_theirs_and_the_ball_attack_needs_three_pixels():
    with pytest.raises(ValueError, match="steps must be at least 1"):
        attacks.deepfool(*good(), steps=0)
    with pytest.raises(ValueError, match="overshoot must be"):
        attacks.deepfool(*good(), overshoot=0)
    with pytest.raises(ValueError, match="batch must be at least 1"):
        attacks.boundary_distance(*good(), batch=0)
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(8, 2)).eval()
    small, y = torch.rand(1, 1, 2, 4), torch.tensor([0])
    with pytest.raises(ValueError, match="3 by 3"):
        attacks.square(net, small, y, eps=0.1, norm="l2")
    assert attacks.square(net, small, y, eps=0.1, queries=3).shape == small.shape
