"""Bad classes, labels and data are named."""

import math

import numpy as np
import pytest
import torch

from actmax_lib.densities import GaussianClasses, gamma_objective, gamma_path

TWO = [[0.0, 0.0], [1.0, 1.0]]
EYE = np.eye(2)


@pytest.mark.parametrize(
    ("means", "covariances", "priors", "words"),
    [
        (TWO, [[1.0, 2.0], [2.0, 1.0]], None, "covariances has the negative eigenvalue -1"),
        (TWO, [EYE, -EYE], None, r"covariances\[1\] has the negative eigenvalue -1"),
        (TWO, np.eye(3), None, r"give \(2, 2\) or \(2, 2, 2\)"),
        (TWO, [EYE, [[1, 0.5], [0, 1]]], None, r"covariances\[1\] is not symmetric"),
        ([0.0, 1.0], EYE, None, r"means must have shape \(K, d\)"),
        (np.zeros((0, 2)), EYE, None, "means is empty"),
        (TWO, EYE, [0.5, 0.6], "priors sum to 1.1"),
        (TWO, EYE, [0.5, 0.501], "priors sum to 1.001"),
        (TWO, EYE, [0.0, 1.0], r"priors\[0\] is 0"),
        (TWO, EYE, [-0.5, 1.5], r"priors\[0\] is -0.5"),
        (TWO, EYE, [1.0], "for 2 classes"),
        (TWO, EYE, [math.nan, 1.0], "priors holds NaN"),
        (TWO, np.diag([1.0, 0.0]), None, "classes 0 and 1 live on different planes"),
        (
            [[0.0, 0.0], [1.0, 0.0]],
            [np.diag([1.0, 0.0]), np.diag([0.0, 1.0])],
            None,
            "different planes",
        ),
        ([[0.0, 0.0], [1.0, 0.0]], [np.diag([1.0, 0.0]), EYE], None, "different planes"),
        ([[0.0, 0.0], [1.0, 0.0]], [EYE, np.diag([1.0, 0.0])], None, "different planes"),
    ],
)
def test_bad_parameters(means, covariances, priors, words):
    with pytest.raises(ValueError, match=words):
        GaussianClasses(means, np.array(covariances), priors)


@pytest.mark.parametrize("use", ["prototype", "most_certain", "score", "objective", "path"])
@pytest.mark.parametrize("k", [2, -1])
def test_a_label_out_of_range(use, k):
    classes = GaussianClasses(TWO, EYE)
    calls = {
        "prototype": lambda: classes.prototype(k),
        "most_certain": lambda: classes.most_certain(k),
        "score": lambda: classes.score(torch.zeros(1, 2), k),
        "objective": lambda: gamma_objective(classes, k, 1.0),
        "path": lambda: gamma_path(classes, k, [1.0]),
    }
    with pytest.raises(ValueError, match="k 2 is out of range" if k > 0 else "at least 0"):
        calls[use]()


@pytest.mark.parametrize(
    ("x", "labels", "words"),
    [
        (np.zeros((0, 2)), [], "x is empty"),
        (np.zeros((3, 2)), [], "labels is an empty list"),
        (np.zeros((3, 2)), [0, 1], "labels has 2 entries for 3 rows"),
        (np.zeros((3, 2)), [0, 0, 2], "class 1 has no row"),
        (np.zeros((3, 2)), [0, 0, -1], "labels must be at least 0"),
        (np.zeros(3), [0, 0, 1], r"x must have shape \(n, d\)"),
    ],
)
def test_fit_of_bad_data(x, labels, words):
    with pytest.raises(ValueError, match=words):
        GaussianClasses.fit(x, labels)


@pytest.mark.parametrize("gamma", [-0.1, math.nan, math.inf])
def test_gamma_is_not_negative(gamma):
    classes = GaussianClasses(TWO, EYE)
    with pytest.raises(ValueError, match="gamma must be"):
        gamma_objective(classes, 0, gamma)
    with pytest.raises(ValueError, match="gamma must be"):
        gamma_path(classes, 0, [1.0, gamma])


def test_other_arguments():
    classes = GaussianClasses(TWO, EYE)
    with pytest.raises(ValueError, match="gammas is empty"):
        gamma_path(classes, 0, [])
    with pytest.raises(TypeError, match="classes must be GaussianClasses"):
        gamma_path([[0.0]], 0, [1.0])
    with pytest.raises(ValueError, match="quadratic"):
        GaussianClasses(TWO, np.stack([EYE, 2 * EYE])).lda_logits()
    with pytest.raises(ValueError, match="n must be at least 1"):
        classes.sample(0)
