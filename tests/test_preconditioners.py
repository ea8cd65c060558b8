"""Preconditioners: against NumPy, against `fourier`, and in the loop."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from actmax_lib import affine, fourier, function, jitter, logit, maximize, noise, pixels, point
from actmax_lib.preconditioners import clip, spectral, unit
from tests import nets
from tests.contracts import F64, assert_batch_invariant, assert_no_trace

pytestmark = pytest.mark.usefixtures("one_thread")
NET = nets.cnn().double()
PLAIN = {"optimizer": "gradient", "schedule": "constant"}


def gradients(shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


# --- spectral -------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(8, 8), (9, 9), (8, 9), (9, 12), (1, 4), (3, 1), (2, 2), (1, 1)])
@pytest.mark.parametrize("decay", [0, 0.5, 1, 2])
def test_spectral_is_the_matrix_of_the_fourier_picture(size, decay):
    """A Aᵀ, with A written out: the derivative of the latent picture in z."""
    image = fourier(1, size, decay=decay)
    z = torch.zeros(1, 1, size[0], size[1] // 2 + 1, 2, dtype=torch.float64)
    A = torch.autograd.functional.jacobian(lambda z: image.render(z).logit(), z)
    A = A.reshape(size[0] * size[1], -1).numpy()
    g = gradients((2, 3, *size))
    expected = np.einsum("ij,ncj->nci", A @ A.T, g.reshape(2, 3, -1).numpy())
    np.testing.assert_allclose(spectral(decay)(g).reshape(2, 3, -1), expected, atol=1e-12)


@pytest.mark.parametrize("size", [(8, 8), (9, 11), (10, 9)])
@pytest.mark.parametrize("colors", [True, False])
@pytest.mark.parametrize("decay", [0.5, 1.0])
def test_ascent_on_preconditioned_pixels_is_ascent_on_waves(size, colors, decay):
    x0 = np.random.default_rng(0).uniform(0.2, 0.8, (2, 3, *size))
    how = {"steps": 6, "lr": 300.0, "transform": [jitter(1), noise(0.05)], "frames": 6, **PLAIN}
    f = logit(NET, [1, 4])
    waves = maximize(f, fourier(start=x0, decay=decay, decorrelate=colors), **how)
    seen = pixels(start=x0, decorrelate=colors)
    there = maximize(f, seen, precondition=spectral(decay), **how)
    assert float((waves.images - waves.frames[0]).abs().max()) > 0.01
    torch.testing.assert_close(there.images, waves.images, **F64)
    torch.testing.assert_close(there.frames, waves.frames, **F64)
    for other in ({}, {"precondition": spectral(decay + 0.1)}):
        assert not torch.allclose(maximize(f, seen, **how, **other).images, waves.images, atol=1e-4)


def test_spectral_needs_a_picture():
    with pytest.raises(ValueError, match=r"pixels \(N, C, H, W\), got \(1, 3, 8, 5, 2\)") as caught:
        maximize(logit(NET, 1), fourier(3, 8), precondition=spectral())
    assert "at step 0" in caught.value.__notes__[0]
    with pytest.raises(TypeError, match="decay must be"):
        spectral("1")


# --- lengths --------------------------------------------------------------------------------------


@given(st.integers(0, 99), st.floats(0.01, 100), st.sampled_from([(3,), (2, 3, 4), (1, 4, 3, 2)]))
def test_unit_and_clip(seed, most, shape):
    g = gradients((4, *shape), seed) * torch.tensor([0, 1, 5, 1e-3]).reshape(4, *[1] * len(shape))
    flat = g.reshape(4, -1).numpy()
    norms = np.sqrt((flat**2).sum(1))
    lengths = np.sqrt((unit()(g).reshape(4, -1).numpy() ** 2).sum(1))
    np.testing.assert_allclose(lengths, [0, 1, 1, 1])
    np.testing.assert_allclose(unit()(g).reshape(4, -1)[1:], flat[1:] / norms[1:, None])
    factor = np.array([min(1, most / n) if n else 1 for n in norms])
    np.testing.assert_allclose(clip(most)(g).reshape(4, -1), flat * factor[:, None])
    assert torch.equal(unit()(g[:1]), torch.zeros_like(g[:1]))


def test_unit_steps_are_those_of_the_normalized_optimizer():
    f, how = logit(NET, [1, 2]), {"steps": 4, "lr": 0.3, "schedule": "constant"}
    image = pixels(3, 9)
    a = maximize(f, image, optimizer="gradient", precondition=unit(), **how)
    b = maximize(f, image, optimizer="normalized", **how)
    assert torch.equal(a.images, b.images)


@pytest.mark.parametrize("wrong", [0, -1.0, float("nan"), "1"])
def test_a_clip_of_no_length(wrong):
    with pytest.raises((ValueError, TypeError), match="most must be"):
        clip(wrong)


# --- in the loop ----------------------------------------------------------------------------------


def test_what_it_is_given_and_what_becomes_of_it():
    seen = []

    def turned(gradient):
        seen.append(gradient.clone())
        return -2 * gradient

    f = function(lambda x: (x * torch.tensor([[1.0, 2], [3, 4]], dtype=x.dtype)).sum(1))
    x0 = torch.zeros(2, 2, dtype=torch.float64)
    run = maximize(f, point(x0), steps=3, lr=0.5, precondition=turned, **PLAIN)
    assert [g.tolist() for g in seen] == [[[1, 2], [3, 4]]] * 3
    assert run.images.tolist() == [[-3, -6], [-9, -12]]
    adam = maximize(f, point(x0), steps=1, lr=0.1, precondition=turned)  # before the optimizer
    np.testing.assert_allclose(adam.images, -0.1, rtol=1e-6)


@pytest.mark.parametrize("make", [unit, lambda: clip(0.1), spectral])
def test_an_image_does_not_depend_on_its_batch_and_nothing_is_left(make):
    how = {"transform": noise(0.1), "steps": 3, "precondition": make()}
    image = nets.IMAGES["pixels, colours"]
    assert_batch_invariant(lambda t: logit(NET, t), image, [3, 0], [7, 5], **how)
    assert_no_trace([NET], lambda: maximize(logit(NET, 1), image(1), **how))


@pytest.mark.parametrize(("wrong", "error", "message"), [
    ("spectral", TypeError, "precondition must be callable, got 'spectral'"),
    (lambda g: g[..., 0], ValueError, r"precondition must keep the shape .*\[1, 2\].*\[1\]"),
    (lambda g: None, ValueError, "got NoneType"),
])  # fmt: skip
def test_preconditioners_that_are_none(wrong, error, message):
    with pytest.raises(error, match=message):
        maximize(affine([1.0, 2]), point([[0.0, 0]]), precondition=wrong)
