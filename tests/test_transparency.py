"""Alpha: what is seen of it, on which backgrounds, and what a run of it leaves."""

import numpy as np
import pytest
import torch

from actmax_lib import (
    NonFiniteError,
    fourier,
    function,
    jitter,
    l2,
    logit,
    maco,
    maximize,
    noise,
    pixels,
    point,
)
from actmax_lib.images import COLOR
from actmax_lib.spectral import blurred
from actmax_lib.streams import Streams
from actmax_lib.transparency import alpha_penalty, over, transparent
from tests import nets
from tests.contracts import assert_batch_invariant, assert_no_trace, assert_per_image

pytestmark = pytest.mark.usefixtures("one_thread")
NET = nets.cnn().double()
KINDS = {
    "pixels": lambda n=None: pixels(3, (12, 13), batch=n),
    "pixels, colours": lambda n=None: pixels(3, (12, 13), decorrelate=True, batch=n),
    "waves": lambda n=None: fourier(3, (11, 12), batch=n),
    "waves, other colours": lambda n=None: fourier(
        3, 12, decorrelate=np.diag([1, 0.5, 0.2]), batch=n
    ),
    "grey": lambda n=None: fourier(1, 12, batch=n),
}


def streams(*seeds):
    return Streams(seeds or (0, 1), "cpu", torch.float64)


def latents(image, *seeds):
    return image.start(streams(*seeds)).contiguous() * 30


def over_by_numpy(x, background):
    x = np.asarray(x)
    return x[:, -1:] * x[:, :-1] + (1 - x[:, -1:]) * background


def test_over():
    x = torch.rand(2, 4, 5, 6, dtype=torch.float64)
    for background in (1.0, 0.0, np.random.default_rng(0).random((2, 3, 5, 6))):
        given_ = torch.as_tensor(background)
        np.testing.assert_allclose(over(x, given_), over_by_numpy(x, background))
    np.testing.assert_allclose(over(x), over_by_numpy(x, 1))
    x[:, 3] = 1
    assert torch.equal(over(x, 0.3), x[:, :3])
    x[:, 3] = 0
    assert torch.equal(over(x, 0.25), torch.full((2, 3, 5, 6), 0.25, dtype=x.dtype))


@pytest.mark.parametrize("kind", KINDS)
def test_colours_are_the_images_and_alpha_is_a_picture_of_the_same_kind(kind):
    base = KINDS[kind]()
    image = transparent(base)
    z, c = latents(image), base.channels
    x = image.render(z)
    assert x.shape == (2, c + 1, *base.size)
    assert torch.equal(x[:, :c], base.render(z[:, :c]))
    make = fourier if base.latents == "waves" else pixels
    assert torch.equal(x[:, c:], make(1, base.size).render(z[:, c:]))
    begin = image.render(image.start(streams()))
    assert float((begin[:, c:] - 0.5).abs().max()) < 0.1
    assert not torch.equal(begin[0, c:], begin[1, c:])  # a stream an image
    one = image.start(streams(7))  # drawn after the colours
    assert not torch.allclose(one[:, :1], one[:, c:])
    assert (image.batch, image.lr, image.latents) == (base.batch, base.lr, base.latents)


@pytest.mark.parametrize("sd", [0.0, 0.5, 1.0])
def test_the_background_is_a_random_natural_picture(sd):
    """Written out with NumPy's inverse transform from the numbers of the stream."""
    image = transparent(fourier(3, (6, 7)), sd=sd)
    seen, plain = image.views(None)
    x = image.render(latents(image))
    drawn = streams(3, 4).normal(3, 6, 4, 2).numpy()
    frequency = np.maximum(np.hypot(np.fft.fftfreq(6)[:, None], np.fft.rfftfreq(7)), 1 / 7)
    spectrum = sd * (drawn[..., 0] + 1j * drawn[..., 1]) / frequency * np.sqrt(42) / 4
    y = np.einsum("rc,nchw->nrhw", COLOR.double().numpy(), np.fft.irfft2(spectrum, s=(6, 7)))
    expected = over_by_numpy(x, 1 / (1 + np.exp(-y)))
    np.testing.assert_allclose(seen(x, streams(3, 4)), expected, atol=1e-7)
    np.testing.assert_allclose(plain(x, streams(3, 4)), over_by_numpy(x, 0.5))
    if sd == 0:
        np.testing.assert_allclose(expected, over_by_numpy(x, 0.5))


def test_backgrounds_change_at_every_step_and_before_t():
    image = transparent(pixels(3, 8))
    seen, plain = image.views(lambda x, streams: 10 * x)
    x, numbers = image.render(latents(image)), streams()
    first, second = seen(x, numbers), seen(x, numbers)
    assert not torch.allclose(first, second)
    bare = image.views(None)[0](x, streams())
    torch.testing.assert_close(first, 10 * bare)
    np.testing.assert_allclose(plain(x, numbers), over_by_numpy(x, 0.5))  # without T


def test_what_a_run_leaves():
    sees = []
    watch = function(lambda x: [sees.append(tuple(x.shape)), x.flatten(1).mean(1)][1], "mean")
    f = watch + logit(NET, [1, 2]) + alpha_penalty(0.5) + l2(0.01)
    image = transparent(fourier(3, 12))
    run = maximize(f, image, steps=4, frames=4, transform=[jitter(2), noise(0.01)], seed=[1, 2])
    assert run.images.shape == (2, 4, 12, 12)
    assert run.frames.shape == (4, 2, 4, 12, 12)
    assert 0 <= float(run.images.min()) <= float(run.images.max()) <= 1
    assert set(sees) == {(2, 3, 12, 12)}
    on_grey = torch.from_numpy(over_by_numpy(run.images, 0.5))
    objectives = on_grey.flatten(1).mean(1) + logit(NET, [1, 2])(on_grey)
    whole = l2(0.01)(run.images) - 0.5 * run.images[:, 3].mean((1, 2))
    torch.testing.assert_close(run.values, objectives + whole)
    torch.testing.assert_close(run.terms["l2"], torch.stack([l2(0.01)(x) for x in run.frames]))
    assert "alpha" in run.terms


def test_what_is_not_needed_turns_transparent_and_what_is_stays():
    """The objective wants a bright left half, on whatever background."""
    left = function(lambda x: 4 * x[..., :4].flatten(1).mean(1), "left")
    run = maximize(left + alpha_penalty(1.0), transparent(pixels(3, 8)), steps=150, lr=0.1)
    alpha = run.images[0, 3]
    assert float(alpha[:, :4].min()) > 0.9
    assert float(alpha[:, 4:].max()) < 0.1
    assert float(run.images[0, :3, :, :4].min()) > 0.9
    free = maximize(left, transparent(pixels(3, 8)), steps=150, lr=0.1).images[0, 3]
    assert float(free[:, 4:].sub(0.5).abs().max()) < 0.1  # nothing moves it


@pytest.mark.parametrize("kind", ["pixels, colours", "waves"])
def test_an_image_does_not_depend_on_its_batch_and_nothing_is_left(kind):
    make = lambda n: transparent(KINDS[kind](n))  # noqa: E731
    f = lambda targets: logit(NET, targets) + alpha_penalty(0.1)  # noqa: E731
    for transform in (None, nets.TRANSFORMS["compose"]()):
        assert_batch_invariant(f, make, [3, 0, 3], [7, 7, 5], steps=3, transform=transform)
    assert_no_trace([NET], lambda: maximize(f([1]), make(1), steps=2))
    assert_per_image(alpha_penalty(0.3), torch.rand(3, 4, 5, 6, dtype=torch.float64))


def test_it_goes_with_blur_and_a_start():
    x0 = np.random.default_rng(0).uniform(0.1, 0.9, (3, 9, 8))
    run = maximize(logit(NET, 1), blurred(transparent(fourier(start=x0)), 0.5), steps=2, frames=2)
    np.testing.assert_allclose(run.frames[0, 0, :3], x0, atol=1e-6)
    blur = maximize(logit(NET, 1), transparent(fourier(start=x0)), steps=2, frames=2)
    assert not torch.allclose(blur.images, run.images, atol=1e-3)


def test_a_bad_gradient_is_named():
    bad = function(lambda x: (0 * x).flatten(1).sum(1).sqrt(), "root of 0")
    f = logit(NET, 1) + bad + alpha_penalty(0.1)
    with pytest.raises(NonFiniteError, match="the gradient of root of 0 is NaN") as caught:
        maximize(f, transparent(pixels(3, 12)))
    assert caught.value.images.shape == (1, 4, 12, 12)


def test_gradients():
    image = transparent(fourier(3, (4, 3)))
    seen = lambda z: image.views(None)[0](image.render(z), streams(1))  # noqa: E731
    assert torch.autograd.gradcheck(seen, latents(image, 0).requires_grad_())


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: transparent(maco(nets.magnitude(3, 8, 8))), TypeError, "transparent needs pixels"),
    (lambda: transparent(point([[0.0]])), TypeError, "transparent needs pixels"),
    (lambda: transparent(blurred(pixels(), 1)), TypeError, "transparent needs pixels"),
    (lambda: transparent(pixels(), sd=-1), ValueError, "sd must be at least 0"),
    (lambda: transparent(pixels(), sd="1"), TypeError, "sd must be"),
    (lambda: over(torch.rand(2, 1, 3, 3)), ValueError, r"\(N, C \+ 1, H, W\)"),
    (lambda: over(torch.rand(4, 3, 3)), ValueError, r"\(N, C \+ 1, H, W\)"),
    (lambda: alpha_penalty(1.0)(torch.rand(2, 3)), ValueError, "alpha_penalty needs"),
    (lambda: alpha_penalty(0), ValueError, "lam must be > 0"),
])  # fmt: skip
def test_bad_input(make, error, message):
    with pytest.raises(error, match=message):
        make()
