"""The verb: what a run records, optimizers and schedules, frames, seeds and defaults."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from actmax_lib import (
    affine,
    closed_forms,
    fourier,
    function,
    jitter,
    l2,
    linear,
    logit,
    max_coordinate,
    maximize,
    neuron,
    noise,
    pixels,
    point,
    robust,
)
from tests import nets

pytestmark = pytest.mark.usefixtures("one_thread")
NET = nets.cnn()
PLAIN = {"optimizer": "gradient", "schedule": "constant"}


def test_a_run_holds_what_it_says():
    f = logit(NET, [1, 2, 3]) + 2 * neuron(NET, "conv1", 1) + l2(0.1)
    run = maximize(f, fourier(3, (10, 9)), transform=robust(), steps=7, frames=3, seed=[1, 2, 3])
    assert run.images.shape == (3, 3, 10, 9)
    assert run.values.shape == (3,)
    assert run.history.shape == (7, 3)
    assert {name: tuple(v.shape) for name, v in run.terms.items()} == dict.fromkeys(f.names, (7, 3))
    assert run.frames.shape == (3, 3, 3, 10, 9)
    assert run.frame_steps.tolist() == [0, 3, 6]
    assert 0 < run.seconds < 60
    assert (run.device.type, run.interrupted) == ("cpu", False)
    torch.testing.assert_close(sum(run.terms.values()), run.history)
    torch.testing.assert_close(run.values, f(run.images))
    for tensor in (run.images, run.values, run.history, run.frames, *run.terms.values()):
        assert not tensor.requires_grad
        assert tensor.grad_fn is None


def test_the_record_is_of_what_was_climbed():
    f = 3 * affine([1.0, 2]) - 2 * max_coordinate() + l2(0.5)
    run = maximize(f, point([[0.3, 0.1]]), steps=6, frames=6)
    torch.testing.assert_close(run.history[:, 0], f(run.frames[:, 0]))
    parts = {"affine": 3 * affine([1.0, 2]), "max_coordinate": -2 * max_coordinate(), "l2": l2(0.5)}
    for name, part in parts.items():
        torch.testing.assert_close(run.terms[name][:, 0], part(run.frames[:, 0]))


def test_the_first_frame_is_the_start_and_a_longer_run_of_equal_steps_begins_alike():
    how = {"schedule": "constant", "transform": jitter(1), "seed": 3}
    short = maximize(logit(NET, 1), pixels(3, 8), steps=3, frames=9, **how)
    long = maximize(logit(NET, 1), pixels(3, 8), steps=6, frames=9, **how)
    assert len(short.frames) == 3
    assert torch.equal(long.frames[:3], short.frames)
    assert torch.equal(long.frames[3], short.images)


@given(st.integers(1, 40), st.integers(0, 45))
def test_frames_are_spread_from_first_to_last(steps, frames):
    run = maximize(affine([1.0]), point([[0.0]]), steps=steps, frames=frames)
    at = run.frame_steps.tolist()
    assert len(run.frames) == len(at) == min(steps, frames)
    assert at == sorted(set(at))
    if frames > 1:
        assert (at[0], at[-1]) == (0, steps - 1)
        assert np.ptp(np.diff(at)) <= 1 if len(at) > 1 else True


def test_what_a_run_gives_is_its_own():
    x0 = torch.zeros(1, 2)
    run = maximize(affine([1.0, 2]), point(x0), steps=2, frames=2)
    run.images.add_(1)
    run.frames.add_(1)
    assert x0.tolist() == [[0, 0]]
    assert not torch.equal(run.images, run.frames[-1])


# --- optimizers and schedules ---------------------------------------------------------------------


@given(st.integers(1, 30), st.floats(0.05, 2), st.floats(0.01, 0.9))
def test_gradient_ascent_follows_the_exact_law(steps, lam, rate):
    w, eta = np.array([3.0, -4.0]), rate / lam
    path = closed_forms.affine_l2_path(w, lam, eta, steps)
    run = maximize(
        affine(w) + l2(lam), point([[0.0, 0.0]]), steps=steps, frames=steps, lr=eta, **PLAIN
    )
    np.testing.assert_allclose(run.frames[:, 0], path[:-1], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(run.images[0], path[-1], rtol=1e-9, atol=1e-12)


def test_the_cosine_schedule_goes_from_lr_to_nearly_0():
    run = maximize(affine([1.0]), point([[0.0]]), steps=8, frames=8, lr=0.5, optimizer="gradient")
    moved = torch.cat([run.frames[:, 0, 0], run.images[0]]).diff()
    expected = [0.5 * (1 + math.cos(math.pi * t / 8)) / 2 for t in range(8)]
    np.testing.assert_allclose(moved, expected)
    halves = {"optimizer": "gradient", "schedule": lambda t: 0.5**t, "lr": 1.0}
    run = maximize(affine([1.0]), point([[0.0]]), steps=2, **halves)
    assert float(run.images) == pytest.approx(1 + 0.5**0.5)


def test_adam_is_adam():
    """Against the update written out, with the documented betas."""
    w, steps, lr, x = np.array([3.0, -1.0]), 20, 0.1, np.zeros(2)
    m = v = np.zeros(2)
    for t in range(1, steps + 1):
        g = w - 2 * 0.5 * x
        m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g**2
        x = x + lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.99**t)) + 1e-8)
    how = {"steps": steps, "lr": lr, "schedule": "constant", "optimizer": "adam"}
    run = maximize(affine(w) + l2(0.5), point([[0.0, 0.0]]), **how)
    np.testing.assert_allclose(run.images[0], x, rtol=1e-10)


def test_adam_gives_every_pixel_its_own_gradient():
    """torch's fused Adam reads memory: a gradient with other strides would meet other pixels."""
    plain = lambda z, lr: torch.optim.Adam(z, lr, betas=(0.9, 0.99), maximize=True)  # noqa: E731
    net = nets.cnn().to(memory_format=torch.channels_last)
    for image in (pixels(3, (9, 7), decorrelate=True), pixels(3, (9, 7)), fourier(3, (9, 7))):
        how = {"steps": 5, "lr": 0.05}
        a, b = (maximize(logit(net, [1, 2]), image, optimizer=o, **how) for o in ("adam", plain))
        torch.testing.assert_close(a.images, b.images, rtol=1e-4, atol=1e-5)


def test_normalized_steps_have_the_length_lr_for_each_image():
    f = function(lambda x: torch.stack([5 * x[0].sum(), 0.01 * x[1, 0]]), "steep and flat")
    how = {"optimizer": "normalized", "schedule": "constant", "lr": 0.3, "steps": 3}
    run = maximize(f, point(torch.zeros(2, 4)), **how)
    torch.testing.assert_close(run.images.norm(dim=1), torch.full((2,), 0.9))
    flat = maximize(0 * f, point(torch.zeros(2, 4)), **how)
    assert torch.equal(flat.images, torch.zeros(2, 4))


def test_a_box_is_kept_at_every_step():
    run = maximize(affine([1.0, -3.0]), point([[0.5, 0.5]], box=(0, 1)), steps=9, frames=9, lr=0.4)
    assert run.images.tolist() == [[1, 0]]
    assert 0 <= float(run.frames.min()) <= float(run.frames.max()) <= 1


def test_an_optimizer_of_ones_own_and_its_own_step_sizes():
    def two_groups(z, lr):
        return torch.optim.SGD([{"params": z, "lr": lr / 2}], maximize=True)

    run = maximize(affine([1.0]), point([[0.0]]), steps=4, lr=1.0, optimizer=two_groups,
                   schedule="constant")  # fmt: skip
    assert float(run.images) == 2


@pytest.mark.parametrize(
    "image", [pixels(3, 8), fourier(3, 8), point(torch.full((1, 3, 8, 8), 0.5))]
)
def test_the_defaults_of_an_image_climb(image):
    run = maximize(logit(NET, 3), image, steps=30)
    assert float(run.values) > float(run.history[0])
    assert np.corrcoef(range(30), run.history[:, 0])[0, 1] > 0.7


# --- seeds and batches ----------------------------------------------------------------------------


def test_the_batch_is_what_targets_image_and_seeds_agree_on():
    def batch(f=None, image=None, **how):
        return len(maximize(f or logit(NET, 1), image or fourier(3, 8), steps=1, **how).images)

    assert batch() == 1
    assert batch(logit(NET, [1, 2])) == 2
    assert batch(seed=[1, 2, 3]) == 3
    assert batch(image=fourier(3, 8, batch=4)) == 4
    assert batch(logit(NET, [1, 2]), fourier(3, 8, batch=2), seed=[5, 5]) == 2
    assert batch(affine([1.0, 2]), linear(np.eye(2), [0.0, 0], batch=3)) == 3


def test_seeds_make_variants_and_the_default_is_0():
    run = maximize(logit(NET, 1), fourier(3, 8), steps=2, seed=[0, 1, 0], transform=noise(0.1))
    assert torch.equal(run.images[0], run.images[2])
    assert not torch.equal(run.images[0], run.images[1])
    alone = maximize(logit(NET, 1), fourier(3, 8), steps=2, transform=noise(0.1))
    torch.testing.assert_close(alone.images[0], run.images[0])


def test_a_list_of_transforms_is_their_composition():
    transforms = [noise(0.1), jitter(2), noise(0.3)]
    runs = [maximize(logit(NET, 1), pixels(3, 8), transform=t, steps=3)
            for t in (transforms, tuple(transforms), iter(transforms))]  # fmt: skip
    assert torch.equal(runs[0].images, runs[1].images)
    assert torch.equal(runs[0].images, runs[2].images)
    one = maximize(logit(NET, 1), pixels(3, 8), transform=transforms[0], steps=3)
    assert not torch.equal(one.images, runs[0].images)


def test_progress_is_shown_only_when_wanted(capsys):
    maximize(affine([1.0]), point([[0.0]]), steps=3)
    assert capsys.readouterr() == ("", "")
    maximize(affine([1.0]), point([[0.0]]), steps=3, progress=True)
    assert "3/3" in capsys.readouterr().err


def test_climbing_raises_the_score_of_every_class():
    f = logit(NET, list(range(7)))
    grey = f(torch.full((7, 3, 16, 16), 0.5))
    for image in (fourier(3, 16), pixels(3, 16)):
        assert (maximize(f, image, steps=60).values > grey).all()
