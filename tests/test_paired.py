"""Objectives with a reference image: formulas, the same draw of T, and what the pairing costs."""

import pytest
import torch
from torch import nn

from actmax_lib import (
    NonFiniteError,
    UnboundedProblemError,
    accentuation,
    caricature,
    channel,
    compose,
    crop,
    function,
    inversion,
    jitter,
    logit,
    maximize,
    neuron,
    noise,
    pixels,
    point,
    robust,
    rotate,
)
from actmax_lib.climb import Climb
from actmax_lib.streams import Streams
from actmax_lib.transparency import alpha_penalty, over, transparent
from tests import nets
from tests.contracts import (
    F64,
    Calls,
    assert_batch_invariant,
    assert_no_trace,
    assert_no_waits,
    assert_per_image,
)

pytestmark = pytest.mark.usefixtures("one_thread")
CNN, VIT = nets.cnn().double(), nets.vit().double()
close = torch.testing.assert_close


def rand(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(*shape, generator=generator, dtype=torch.float64)


X, REF = rand(3, 3, 16, 12), rand(3, 3, 16, 12, seed=1)
CASES = {  # network, layer, images, references, positions of the layer
    "maps": (CNN, "conv2", X, REF, 4 * 3),
    "tokens": (VIT, "blocks.1", X, REF, 4 * 3),
    "no positions": (CNN, "", X, REF, 1),
    "grey": (nets.grey().double(), "conv1", rand(3, 1, 32, 32), rand(3, 1, 32, 32, seed=1), 256),
    "volumes": (nets.seeded(lambda: nn.Conv3d(2, 4, 2), seed=8).double(), "",
                rand(3, 2, 3, 4, 5), rand(3, 2, 3, 4, 5, seed=1), 2 * 3 * 4),
}  # fmt: skip


def flat(net, layer, x):
    """The activations, one row an image, in NumPy."""
    seen = []
    handle = net.get_submodule(layer).register_forward_hook(
        lambda _m, _i, out: seen.append(out.clone())
    )
    with torch.no_grad():
        net(x)
    handle.remove()
    return seen[-1].flatten(1).numpy()


# --- formulas -------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", [True, False], ids=["one reference", "one an image"])
@pytest.mark.parametrize("case", CASES)
def test_values_are_the_formulas(case, one):
    net, layer, x, ref, positions = CASES[case]
    ref = ref[:1] if one else ref
    a, r = flat(net, layer, x), flat(net, layer, ref)
    dot = (a * r).sum(1)
    cosine = dot / ((a**2).sum(1) * (r**2).sum(1)) ** 0.5
    for power in (0, 1, 2.5):
        expected = dot * cosine.clip(0.1) ** power / positions
        close(caricature(net, layer, ref, power=power)(x), torch.tensor(expected))
    gap = torch.tensor(-((a - r) ** 2).sum(1) / (r**2).sum(1))
    f = inversion(net, layer, ref)
    close(f(x), gap)
    bright = function(lambda x: x.flatten(1).mean(1))
    close(accentuation(bright, net, layer, ref, 0.7)(x), bright(x) + 0.7 * gap)
    assert f.batch == (None if one else 3)
    for g in (f, caricature(net, layer, ref)):
        assert_per_image(g, x)


def test_a_silent_reference_divides_by_one():
    silent = nn.Conv2d(3, 4, 1, bias=False).double()
    f = inversion(silent, "", torch.zeros(1, 3, 16, 12))
    close(f(X), -torch.tensor((flat(silent, "", X) ** 2).sum(1)))
    x = torch.zeros(1, 3, 16, 12, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(caricature(silent, "", X[:1])(x).sum(), x)
    assert gradient.isfinite().all()


def test_an_invertible_layer_gives_the_picture_back():
    layer = nn.Linear(6, 8).double()
    target = rand(2, 6, seed=3)
    run = maximize(inversion(layer, "", target), point(torch.zeros(2, 6).double()), steps=600)
    close(run.images, target, rtol=0, atol=1e-6)
    close(run.values, torch.zeros(2).double(), rtol=0, atol=1e-10)


def test_accentuation_stays_nearer_the_heavier_it_weighs():
    f, ref = channel(CNN, "conv2", 2), X[:1]
    far, gains = [], []
    for weight in (0.01, 0.3, 30.0):
        g = accentuation(f, CNN, "conv1", ref, weight)
        run = maximize(g, point(ref, box=(0, 1)), transform=jitter(2), steps=30, lr=0.02)
        far.append(-float(inversion(CNN, "conv1", ref)(run.images)))
        gains.append(float(f(run.images) - f(ref)))
    assert min(gains[:2]) > 0
    assert far[0] > 1.5 * far[1] > 1.5 * far[2] > 0


# --- one draw of T for both -----------------------------------------------------------------------

TRANSFORMS = {**nets.TRANSFORMS, "bare": lambda: lambda x, streams: x * streams.uniform(1, 1, 1)}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_the_reference_gets_the_draw_of_the_image(name):
    """From the reference itself there is nothing to climb: both are the same at every step."""
    ref = rand(3, 3, 12, 12, seed=1)
    two = inversion(CNN, "conv2", ref.roll(1, 0)) + inversion(CNN, "conv1", ref)
    f = inversion(CNN, "conv1", ref) + inversion(CNN, "bn2", ref)
    how = {"transform": TRANSFORMS[name](), "steps": 5, "seed": [3, 8, 3]}
    run = maximize(f, point(ref), **how)
    assert run.history.abs().max() == 0
    assert torch.equal(run.images, ref)
    run = maximize(two, point(ref), lr=1e-30, **how)  # two references, two forwards, one draw
    assert run.terms["inversion('conv1')"].abs().max() == 0
    assert (run.terms["inversion('conv2')"] < 0).all()


def test_noise_falls_out_of_a_linear_layer():
    layer = nn.Conv2d(6, 8, 1, bias=False).double()
    x, ref = rand(2, 6, 1, 1), rand(2, 6, 1, 1, seed=1)
    run = maximize(inversion(layer, "", ref), point(x), transform=noise(1), steps=4, lr=1e-30,
                   seed=[5, 6])  # fmt: skip
    streams = Streams([5, 6], dtype=torch.float64)
    with torch.no_grad():
        gap = layer(x - ref).square().sum((1, 2, 3))  # whatever the noise is
        for values in run.history:
            seen = layer(ref + streams.normal(6, 1, 1)).square().sum((1, 2, 3))
            close(values, -gap / seen)


def test_the_images_draws_are_what_they_were_without_a_reference():
    f, how = logit(CNN, 3), {"transform": robust(), "steps": 4, "lr": 1e-30, "seed": [1, 2]}
    start = point(X[:2])
    alone = maximize(f, start, **how)
    paired = maximize(f + inversion(CNN, "conv1", REF[:1]), start, **how)
    assert torch.equal(paired.terms["logit(3)"], alone.history)


def test_without_a_transform_and_at_the_end_the_reference_is_itself():
    f = inversion(CNN, "conv2", REF)
    for transform in (None, compose(crop(9), noise(0.1))):
        run = maximize(f, point(X), transform=transform, steps=2, lr=0.01)
        close(run.values, f(run.images), **F64)
    close(maximize(f, point(X), steps=1, lr=1e-30).history[0], f(X), **F64)


def test_a_transparent_reference_gets_the_same_backgrounds():
    image = transparent(pixels(3, 12))
    how = {"transform": robust(), "seed": [2, 9], "lr": 1e-30}
    start = maximize(alpha_penalty(1.0), image, steps=1, **how).images
    assert start[:, 3].std() > 0
    net = nets.cnn()
    f = inversion(net, "conv1", start)
    assert maximize(f, image, steps=4, **how).history.abs().max() == 0
    other = start.roll(1, 0)
    seen = inversion(net, "conv1", over(other, 0.5))(over(start, 0.5))  # without T, on mid-grey
    close(maximize(inversion(net, "conv1", other), image, steps=1, **how).values, seen)


def test_a_bad_gradient_is_blamed_on_its_term():
    sharp = function(lambda x: (x - x.detach()).abs().sqrt().flatten(1).sum(1), "sharp")
    f = inversion(CNN, "conv1", REF[:1]) + sharp
    with pytest.raises(NonFiniteError, match="gradient of sharp"):
        maximize(f, point(X[:1]), transform=jitter(1), steps=2)
    net, ref = nets.cnn(), torch.rand(1, 4, 12, 12, generator=torch.Generator().manual_seed(0))
    with pytest.raises(NonFiniteError, match="gradient of sharp"):
        maximize(inversion(net, "conv1", ref) + sharp, transparent(pixels(3, 12)), steps=2)


@pytest.mark.parametrize("make", [
    lambda t: caricature(CNN, "conv2", rand(5, 3, 12, 12)[t]),
    lambda t: accentuation(logit(CNN, t), CNN, "bn1", rand(5, 3, 12, 12)[t], 2.0),
    lambda t: inversion(CNN, "bn1", rand(1, 3, 12, 12)),
])  # fmt: skip
def test_an_image_with_a_reference_does_not_depend_on_its_batch(make):
    how = {"transform": robust(), "steps": 3}
    assert_batch_invariant(make, lambda n: pixels(3, 12, batch=n), [4, 0, 4], [7, 7, 5], **how)


# --- what it costs, and what it leaves ------------------------------------------------------------


@pytest.mark.parametrize(("transform", "forwards"), [(None, 5 + 1 + 1), (rotate(9), 2 * 5 + 2 + 2)])
def test_one_more_forward_without_gradient(transform, forwards):
    net = nets.cnn()
    calls, graphs = Calls(net, ["conv2", "head"]), []
    net.conv1.register_forward_hook(lambda _m, _i, out: graphs.append(out.requires_grad))
    ref = X[:1].float()
    f = inversion(net, "conv1", ref) + caricature(net, "bn1", ref.clone()) + logit(net, 1)
    maximize(f, pixels(3, (16, 12)), transform=transform, steps=5)
    # the trial without T and the final values are two forwards, and the plain reference one
    assert calls.counts[""] <= forwards
    assert sum(graphs) == 5
    plain = 2 + (transform is not None)
    assert calls.counts["head"] <= 5 + plain + 1  # the references stop at their layers


def test_references_that_differ_are_not_shared():
    f = inversion(CNN, "conv1", REF[:1])
    both = f + inversion(CNN, "conv1", REF[1:2]) + inversion(VIT, "patch", REF[:1])
    expected = f(X) + inversion(CNN, "conv1", REF[1:2])(X) + inversion(VIT, "patch", REF[:1])(X)
    close(both(X), expected)
    assert len(both.references(X.device, X.dtype).groups) == 3
    alike = f + 2 * f + inversion(CNN, "bn1", REF[:1].clone()) + neuron(CNN, "conv1", 1)
    assert len(alike.references(X.device, X.dtype).groups) == 1


def test_the_loop_does_not_wait_for_the_device(monkeypatch):
    net = nets.cnn()
    f = accentuation(logit(net, 1), net, "conv1", rand(1, 3, 8, 8), 1.0)
    monkeypatch.setattr(Climb, "check", lambda self, done: None)  # it waits on purpose
    assert_no_waits(lambda steps: maximize(f, pixels(3, 8), transform=robust(), steps=steps))


class Writing(nn.Module):
    """Writes on its own input, as some networks do to normalize it."""

    def __init__(self):
        super().__init__()
        self.head = nn.Conv2d(3, 2, 3)

    def forward(self, x):
        return self.head(x.sub_(0.5).mul_(2))


def test_networks_and_references_are_left_alone():
    net, ref = nets.seeded(Writing).double(), X.clone()
    f = inversion(net, "head", ref)
    with torch.no_grad():
        first, again = f(REF.clone()), f(REF.clone())
    assert torch.equal(first, again)
    assert torch.equal(ref, X)
    ref.zero_()  # it was copied
    with torch.no_grad():
        assert torch.equal(f(REF.clone()), first)
    for t in (None, robust()):
        f = caricature(CNN, "relu", X)
        assert_no_trace([CNN], lambda t=t, f=f: maximize(f, pixels(3, (16, 12)), steps=2,
                                                         transform=t))  # fmt: skip


def test_precisions_meet():
    f = inversion(CNN, "conv1", REF[:1].float())
    run = maximize(f, point(REF[:1]), steps=2, lr=1e-30)
    assert run.images.dtype == torch.float64
    assert -1e-10 < float(run.values) < 0  # the reference was rounded, the image was not
    net, ref = nets.cnn(), REF[:1].float()
    how = {"steps": 3, "autocast": torch.bfloat16, "transform": robust()}
    run = maximize(inversion(net, "conv2", ref), point(ref), **how)
    assert run.history.abs().max() == 0  # both in bfloat16


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: inversion(CNN, "conv1", torch.ones(6)), ValueError, r"give reference\[None\]"),
    (lambda: inversion(CNN, "conv1", REF[:, :, :5])(X), ValueError, r"\(3, 3, 5, 12\)"),
    (lambda: inversion(CNN, "conv1", REF[:2])(X), ValueError, "x has 3 images"),
    (lambda: inversion(CNN, "conv1", REF[0])(X), ValueError, "give one of|one an image"),
    (lambda: caricature(CNN, "conv1", (REF * 255).byte()), TypeError, "8-bit"),
    (lambda: caricature(CNN, "conv1", REF * torch.nan), ValueError, "reference holds NaN"),
    (lambda: caricature(CNN, "conv1", REF, power=-1), ValueError, "power"),
    (lambda: caricature(CNN, "conv3", REF)(X), ValueError, "conv2"),
    (lambda: caricature(None, "conv1", REF), TypeError, "net must be"),
    (lambda: accentuation(3, CNN, "conv1", REF, 1.0), TypeError, "f must be an Objective"),
    (lambda: accentuation(logit(CNN, 1), CNN, "conv1", REF, 0.0), UnboundedProblemError, "weight"),
    (lambda: maximize(inversion(CNN, "conv1", REF[:1]), pixels(3, 9), steps=1), ValueError,
     "reference of inversion"),
    (lambda: maximize(logit(CNN, [1, 2]) + inversion(CNN, "conv1", REF), pixels(3, 9), steps=1),
     ValueError, "different numbers"),
])  # fmt: skip
def test_bad_input(make, error, message):
    with pytest.raises(error, match=message):
        make()
