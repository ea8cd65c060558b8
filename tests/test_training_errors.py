"""What losses on changed images say to ε in the wrong units, labels and images that are wrong."""

import math

import pytest

from actmax_lib.training import (
    fgsm_training,
    fit,
    interpretation_discrepancy,
    noise_training,
    pgd_training,
    saliency_guided,
)
from tests.test_training_adversarial import LOSSES, batch, generator, linear

pytestmark = pytest.mark.usefixtures("one_thread")

MAKERS = {
    "fgsm": fgsm_training,
    "pgd": lambda eps: pgd_training(eps, "linf"),
    "guided": lambda eps: saliency_guided(linear(), eps),
    "int": lambda eps: interpretation_discrepancy(1.0, eps),
}


@pytest.mark.parametrize("name", MAKERS)
def test_an_eps_that_is_none(name):
    for eps in (0, -0.1, math.nan):
        with pytest.raises(ValueError, match="eps must be > 0"):
            MAKERS[name](eps)
    with pytest.raises(ValueError, match="eps must be finite"):
        MAKERS[name](math.inf)
    with pytest.raises(TypeError, match="eps must be a real number, got '8'"):
        MAKERS[name]("8")


@pytest.mark.parametrize("name", MAKERS)
def test_units_of_255_are_named(name):
    net, (x, y) = linear(), batch()
    train = lambda loss, x: fit(net, loss, x, y, epochs=1, batch=6)  # noqa: E731  # used once, here
    with pytest.raises(ValueError, match=r"eps=8 .* ε / 255"):
        train(MAKERS[name](8), x)
    with pytest.raises(ValueError, match=r"images must be in \[0, 1\], got .*; divide"):
        train(MAKERS[name](0.1), x * 255)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("label", [2, -1, -100])
def test_labels_out_of_range_are_named(name, label):
    (x, y), net = batch(), linear()
    y[3] = label
    with pytest.raises(ValueError, match=f"label {label} is out of range: there are 2 logits"):
        LOSSES[name](net)(net, x, y, generator())


def test_other_bad_numbers():
    for wrong in (1.5, -0.1):
        with pytest.raises(ValueError, match="most is a probability"):
            saliency_guided(linear(), 0.1, most=wrong)
    with pytest.raises(ValueError, match="steps"):
        pgd_training(0.1, steps=0)
    with pytest.raises(ValueError, match="norm must be one of l2, linf"):
        pgd_training(0.1, "l1")
    with pytest.raises(ValueError, match="sigma"):
        noise_training(0.0)
