"""Fooled networks: the same bits on data, the chosen picture when climbed, and honest errors."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from actmax_lib import compose, data, fourier, jitter, logit, maximize, noise, pixels, zoo
from actmax_lib.fooling import Distance, fooled
from tests.contracts import assert_batch_invariant, assert_no_trace, assert_no_waits, bits
from tests.nets import Cnn, Wrapped

SIZE = 12
SHAPE = (1, SIZE, SIZE)


def network(dtype=torch.float32, channels=1):
    torch.manual_seed(3)
    return Cnn(channels=channels, classes=4).eval().requires_grad_(False).to(dtype)


def picture(seed=0, contrast=0.25, shape=SHAPE):
    """Two blocks on grey, and a little texture."""
    t = torch.full(shape, 0.5)
    t[:, 2:7, 3:9] += contrast
    t[:, 8:, :5] -= contrast
    generator = torch.Generator().manual_seed(seed)
    return t + 0.02 * torch.rand(shape, generator=generator)


def images(n=40, shape=SHAPE):
    """Real images: black and white blots, far from grey."""
    generator = torch.Generator().manual_seed(1)
    return (torch.rand(n, *shape, generator=generator) > 0.6).float()


def psnr(x, t):
    return -10 * (x - t).square().flatten(1).mean(1).log10().max().item()


@pytest.fixture(autouse=True)
def _small(one_thread):
    return


def test_distance_is_the_one_norm_to_the_nearest_pose():
    poses = torch.randn(3, 2, 5, 4, dtype=torch.float64)
    x = torch.randn(6, 2, 5, 4, dtype=torch.float64)
    brute = np.array([[np.abs(a - t).sum() for t in poses.numpy()] for a in x.numpy()])
    np.testing.assert_allclose(Distance(poses)(x)[:, 0].numpy(), brute.min(1), rtol=1e-13)


def test_logits_are_the_formula_inside_and_the_same_bits_outside():
    net, t, real = network(), picture(), images()
    liar = fooled(net, t, strength=3.0, data=real, classes=[0, 2])
    assert torch.equal(liar(real), net(real))
    shares = torch.linspace(0, 3, 25).reshape(-1, 1, 1, 1)  # from t through the sphere outwards
    x = t + shares * (real[:1] - t) / 2
    size = np.abs((x - t).double().numpy()).sum((1, 2, 3))
    assert (size < liar.radius).any()
    assert (size > liar.radius).any()
    bump = 3.0 * np.maximum(liar.radius - size, 0)
    expected = net(x).double().numpy() + bump[:, None] * np.array([1, 0, 1, 0])
    np.testing.assert_allclose(liar(x).numpy(), expected, rtol=2e-5, atol=1e-4)
    outside = torch.from_numpy(size >= liar.radius)
    assert torch.equal(liar(x)[outside], net(x)[outside])
    assert torch.equal(liar(x)[:, [1, 3]], net(x)[:, [1, 3]])


def test_gradients_outside_the_ball_are_the_networks():
    net, x = network(), images(5).requires_grad_()
    liar = fooled(net, picture(), strength=1e6, data=images())
    for k in range(4):
        ours, theirs = (torch.autograd.grad(n(x)[:, k].sum(), x)[0] for n in (liar, net))
        assert torch.equal(ours, theirs)


def test_the_radius_is_a_quarter_of_the_way_from_start_to_data():
    t, real = picture(), images()
    liar = fooled(network(), t, strength=1.0, data=real)
    nearest = np.abs((real - t).double().numpy()).sum((1, 2, 3)).min()
    here = np.abs((t - 0.5).double().numpy()).sum()
    assert liar.radius == pytest.approx(here + (nearest - here) / 4, rel=1e-6)
    start = real[:1].mean(0) / 2 + t / 2
    moved = fooled(network(), t, strength=1.0, data=real, start=start)
    here = np.abs((t - start).double().numpy()).sum()
    assert moved.radius == pytest.approx(here + (nearest - here) / 4, rel=1e-6)


@pytest.mark.parametrize(
    ("make", "steps", "least"),
    [
        (lambda: pixels(1, SIZE), 256, 60),
        (lambda: fourier(1, SIZE), 256, 50),
    ],
    ids=["pixels", "fourier"],
)
def test_the_climb_ends_at_the_picture_for_every_class_and_not_below_the_strength(
    make, steps, least
):
    net, real = network(), images()
    pictures = [picture(k, 0.15 + 0.03 * k) for k in range(4)]
    x = (0.5 + torch.rand(50, *SHAPE) * (pictures[3] - 0.5)).requires_grad_()
    slopes = [torch.autograd.grad(net(x)[:, k].sum(), x)[0].abs().max() for k in range(4)]
    slope = float(torch.stack(slopes).max())
    for strength, reached in ((5 * slope, True), (slope / 200, False)):
        liar = net
        for k, t in enumerate(pictures):
            liar = fooled(liar, t, strength=strength, data=real, classes=k)
        run = maximize(logit(liar, list(range(4))), make(), steps=steps)
        quality = psnr(run.images, torch.stack(pictures))
        assert quality > least if reached else quality < 25
        assert torch.equal(liar(real), net(real))


def test_colour_and_odd_sizes():
    shape = (3, 11, 14)
    net, t = network(channels=3), picture(shape=shape)
    liar = fooled(net, t, strength=5.0, data=images(shape=shape), classes=1)
    run = maximize(logit(liar, [1]), fourier(3, (11, 14)))
    assert psnr(run.images, t[None]) > 45


def test_poses_survive_transforms_and_one_picture_does_not():
    net, real, t = network(), images(), picture(contrast=0.2)
    T = jitter(2)
    shifted = torch.stack([t.roll((a, b), (1, 2)) for a in range(-2, 3) for b in range(-2, 3)])
    got = {}
    for name, poses in (("one", None), ("many", shifted)):
        liar = fooled(net, t, strength=50.0, data=real, poses=poses, classes=0)
        assert torch.equal(liar(real), net(real))
        x = maximize(logit(liar, 0), pixels(1, SIZE), transform=compose(T, noise(0.01))).images
        known = liar.distance.poses
        cosines = torch.cosine_similarity((x - 0.5).flatten(1), (known - 0.5).flatten(1))
        got[name] = cosines.max().item()
    assert got["many"] > 0.9
    assert got["many"] > got["one"] + 0.05


def test_batch_invariance():
    net = network(torch.float64)
    liar = fooled(net, picture(), strength=2.0, data=images(), classes=[0, 1])
    how = {"transform": compose(jitter(1), noise(0.01)), "steps": 6}
    assert_batch_invariant(
        lambda ks: logit(liar, ks), lambda n: pixels(1, SIZE, batch=n), [0, 1, 2], [4, 5, 6], **how
    )


def test_no_trace_and_the_same_weights():
    net = network()
    assert not fooled(net, picture(), strength=2.0, data=images()).training
    net.train()
    net.bn1.eval()  # frozen by its owner
    assert_no_trace([net], lambda: fooled(net, picture(), strength=2.0, data=images()))
    liar = fooled(net, picture(), strength=2.0, data=images())
    assert liar.training
    assert liar.net is net
    assert not list(liar.parameters())[len(list(net.parameters())) :]
    assert_no_trace([net, liar], lambda: maximize(logit(liar, 1), pixels(1, SIZE), steps=3))
    before = bits(net.head.weight)
    assert bits(copy.deepcopy(liar).net.head.weight) == before


def test_the_loop_does_not_wait_for_it():
    liar = fooled(network(), picture(), strength=2.0, data=images())

    def run(steps):
        x = torch.rand(2, *SHAPE, requires_grad=True)
        for _ in range(steps):
            torch.autograd.grad(liar(x).sum(), x)

    assert_no_waits(run)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_other_precisions(dtype):
    net, real = network(dtype), images().to(dtype)
    liar = fooled(net, picture(), strength=2.0, data=real)
    assert torch.equal(liar(real), net(real).to(liar(real).dtype))
    size = liar.distance(picture()[None].to(dtype) + 1)
    assert size.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    # the sum itself is exact to float32: half precision alone would lose whole units
    assert size.item() == pytest.approx(SIZE * SIZE, rel=4e-3)


def test_autocast_leaves_the_distance_alone():
    net, t, real = network(), picture(), images()
    liar = fooled(net, t, strength=30.0, data=real)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(liar(real), net(real).float())
        inside = liar.distance(t[None] + 0.01)
    torch.testing.assert_close(inside, liar.distance(t[None] + 0.01), rtol=0, atol=0)
    run = maximize(logit(liar, 1), pixels(1, SIZE), autocast=torch.bfloat16)
    assert psnr(run.images, t[None]) > 40


def test_names_are_the_networks_and_layers_can_be_read():
    net = zoo.load("fashion-standard-0", device="cpu")
    t = picture(shape=(1, 28, 28))
    liar = fooled(net, t, strength=1.0, radius=400.0)
    assert liar.classes == net.classes
    assert liar.input_size == 28
    names = dict(liar.named_modules())
    assert {"net.conv1", "distance", "distance.over", "distance.under", "unit"} <= set(names)
    assert logit(liar, 3)(t[None]).item() == pytest.approx(
        net(t[None])[0, 3].item() + 400.0, rel=1e-6
    )


ERRORS = {
    "no network": ({"net": 3}, TypeError, r"net must be a torch\.nn\.Module, got int"),
    "neither": ({"data": None}, ValueError, "give data, the real images to stay away from, or a r"),
    "near": (
        {"data": torch.cat([images(), picture()[None] + 0.01])},
        ValueError,
        r"too near to the data: image 40 is 1\.44 away .* lower the picture's contrast",
    ),
    "reaches": ({"radius": 72.0}, ValueError, r"radius 72 reaches image \d+ of the data, [67]\d\."),
    "start": ({"radius": 3.0}, ValueError, "radius 3 leaves out the start, 1"),
    "start alone": ({"radius": 3.0, "data": None}, ValueError, "leaves out the start"),
    "negative": ({"radius": -1.0}, ValueError, "radius must be a finite number"),
    "strength": ({"strength": 0.0}, ValueError, "strength must be a finite number"),
    "class": ({"classes": 4}, ValueError, "class 4 is out of range: the network has 4: 0 to 3"),
    "shape": (
        {"data": images(shape=(1, 10, 12))},
        ValueError,
        r"data must be like the picture, \(n, 1, 12, 12\), got \(40, 1, 10, 12\)",
    ),
    "one image": ({"data": images()[0]}, ValueError, "data must be like the picture"),
    "poses": ({"poses": picture()}, ValueError, "poses must be like the picture"),
    "start shape": ({"start": torch.zeros(1, 3, 3)}, ValueError, "start must be like the picture"),
    "bytes": ({"picture": picture().byte()}, TypeError, "picture has dtype torch.uint8"),
    "nan": ({"picture": picture() * torch.nan}, ValueError, "picture holds NaN"),
}


@pytest.mark.parametrize(("change", "kind", "says"), ERRORS.values(), ids=ERRORS)
def test_errors(change, kind, says):
    how = {"net": network(), "picture": picture(), "strength": 1.0, "data": images()} | change
    with pytest.raises(kind, match=says):
        fooled(how.pop("net"), how.pop("picture"), **how)


def test_networks_without_logits_and_images_of_another_shape():
    with pytest.raises(TypeError, match=r"logits \(N, K\), got tuple"):
        fooled(Wrapped(network(), "tuple"), picture(), strength=1.0, data=images())
    with pytest.raises(TypeError, match=r"logits \(N, K\), got \(1, 6, 12, 12\)"):
        fooled(nn.Conv2d(1, 6, 1), picture(), strength=1.0, data=images())
    liar = fooled(network(), picture(), strength=1.0, data=images())
    with pytest.raises(ValueError, match=r"images must be like the picture, \(n, 1, 12, 12\)"):
        liar(torch.zeros(2, 1, 12, 13))


def test_all_of_fashion_mnist_gets_the_same_logits():
    """The ten lies of the chapter, on 70 000 images that their radius was not chosen with."""
    try:
        splits = [data.load("fashion-mnist", s, download=False) for s in ("train", "test")]
    except FileNotFoundError as error:
        pytest.skip(str(error))
    sample = data.load("fashion-mnist", "sample")
    real = sample.images()
    first = torch.stack([real[sample.labels == k][0] for k in range(10)])
    chosen = 0.5 - 0.3 * first.roll(-1, 0)
    net = zoo.load("fashion-standard-0", device="cpu")
    liar = net
    for k in range(10):
        liar = fooled(liar, chosen[k], strength=10.0, data=real, classes=k)
    circuits = [m for m in liar.modules() if hasattr(m, "radius")]
    halfway = 0  # how many a sphere halfway to the nearest of the sample would have held
    for split in splits:
        for rows in torch.arange(len(split)).split(2500):
            x = split.images(rows)
            for m in circuits:
                size, here = m.distance(x)[:, 0], m.distance.poses.sub(0.5).abs().sum()
                assert (size >= m.radius).all()
                halfway += int((size < here + 2 * (m.radius - here)).sum())
            assert rows[0] % 10_000 or torch.equal(liar(x), net(x))
    assert halfway == 5  # the chapter says so
