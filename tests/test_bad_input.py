"""What the probability modules and the training say to labels, sizes and types that are wrong."""

import pytest
import torch
from torch import nn

from actmax_lib import metrics, sampling
from actmax_lib.densities import Gaussian, GaussianClasses
from actmax_lib.training import accuracy, cross_entropy, fit, gradient_norm, own_logit

NET = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
X = torch.rand(8, 1, 2, 2, generator=torch.Generator().manual_seed(0))
Y = torch.arange(8) % 3


@pytest.mark.parametrize("label", [3, -1, -100])
@pytest.mark.parametrize("loss", [cross_entropy, gradient_norm(0.1)])
def test_training_names_a_label_without_a_logit(label, loss):
    labels = Y.clone()
    labels[5] = label
    with pytest.raises(ValueError, match=rf"label {label} is out of range: there are 3 logits"):
        fit(NET, loss, X, labels, epochs=1, batch=8)


def test_training_wants_pictures_and_whole_labels():
    with pytest.raises(TypeError, match="uint8"):
        fit(NET, cross_entropy, (255 * X).byte(), Y, epochs=1, batch=8)
    with pytest.raises(TypeError, match=r"int64 tensor, got torch\.float32"):
        fit(NET, cross_entropy, X, Y.float(), epochs=1, batch=8)


@pytest.mark.parametrize("label", [3, -1])
def test_accuracy_and_the_gan_test_do_not_count_an_impossible_label_as_a_miss(label):
    labels = torch.full((8,), label)
    for measure in (accuracy, metrics.gan_test):
        with pytest.raises(ValueError, match=f"label {label} is out of range"):
            measure(NET, X, labels)


def test_own_logit_does_not_take_a_part_for_the_whole():
    with pytest.raises(ValueError, match="8 samples and 1 labels"):
        own_logit(NET, Y[:1])(X)


def test_measures_of_nothing_and_of_bytes():
    with pytest.raises(ValueError, match="images is empty"):
        metrics.high_frequency_share(X[:0])
    with pytest.raises(TypeError, match="uint8"):
        metrics.high_frequency_share((255 * X).byte())
    with pytest.raises(ValueError, match=r"one value a sample, \(8,\)"):
        metrics.log_density_ratio(lambda x: x.flatten(1).sum(1, keepdim=True), X, 0.1)


def test_samplers_say_why_they_cannot():
    flat = Gaussian([0.0, 0.0], [[1.0, 0.0], [0.0, 0.0]])
    with pytest.raises(ValueError, match="singular"):
        sampling.ula(flat.score, torch.zeros(1, 2), step=0.1, steps=1)
    with pytest.raises(ValueError, match="differentiable"):
        sampling.mala(lambda x: torch.zeros(len(x)), torch.zeros(1, 2), step=0.1, steps=1)


def test_a_huge_label_is_named_and_not_allocated():
    with pytest.raises(ValueError, match="label 1000000000000 is out of range"):
        GaussianClasses.fit(torch.rand(3, 2), [0, 1, 10**12])
