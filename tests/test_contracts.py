"""Contracts 1 to 3: per-image values, batch invariance, one generator; each with planted faults."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from actmax_lib import function, logit, maximize, noise, pixels, point, regularizers, robust
from actmax_lib.terms import Objective, Term
from tests import nets
from tests.contracts import (
    F64,
    assert_batch_invariant,
    assert_one_generator,
    assert_per_image,
    scramble,
)

pytestmark = pytest.mark.usefixtures("one_thread")
NET = nets.cnn().double()
TARGETED, UNTARGETED = nets.targeted(NET), nets.untargeted(NET, 3 * 9 * 8)


def images(n, seed=0, size=(9, 8)):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(n, 3, *size, generator=generator, dtype=torch.float64)


def reducing_over_the_batch():
    """Planted faults: objectives and a regularizer that mix the images of a batch."""

    def dot(x):  # the whole batch in one dot product
        return (x * x.detach().mean(0)).flatten(1).sum(1)

    def normalised(x):  # by the batch's statistics
        return ((x - x.mean(0)) ** 2).flatten(1).sum(1)

    def total(x):
        return x.sum().expand(len(x))

    mixing = Objective([(1.0, Term("mixing", normalised, sees_image=True))])
    return [function(dot), function(normalised), function(total), mixing]


# --- 1. per-image values --------------------------------------------------------------------------


@pytest.mark.parametrize("name", TARGETED)
def test_a_value_belongs_to_its_image_and_target(name):
    targets = [4, 0, 2]
    assert_per_image(TARGETED[name](targets), images(3))
    values = TARGETED[name](targets)(images(3))
    for k, target in enumerate(targets):
        alone = TARGETED[name]([target])(images(3)[k : k + 1])
        torch.testing.assert_close(values[k], alone[0], **F64)


@pytest.mark.parametrize("name", UNTARGETED)
def test_a_value_belongs_to_its_image(name):
    f, x = UNTARGETED[name], images(3)
    assert_per_image(f, x)
    torch.testing.assert_close(f(x), torch.cat([f(x[k : k + 1]) for k in range(3)]), **F64)
    torch.testing.assert_close(f(x.flip(0)), f(x).flip(0), **F64)


@given(st.data())
def test_the_algebra_means_what_it_says(data):
    x, terms = images(3), {**UNTARGETED, "logit": TARGETED["logit"]([1, 4, 0])}
    leaves = st.sampled_from(sorted(terms)).map(lambda name: (terms[name], terms[name](x)))
    number = st.floats(-3, 3).filter(lambda c: abs(c) > 1e-3)
    pairs = st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(lambda a, b: (a[0] + b[0], a[1] + b[1]), inner, inner),
            st.builds(lambda a, b: (a[0] - b[0], a[1] - b[1]), inner, inner),
            st.builds(lambda a, c: (c * a[0], c * a[1]), inner, number),
            st.builds(lambda a, c: (a[0] * c, a[1] * c), inner, number),
            st.builds(lambda a, c: (a[0] / c, a[1] / c), inner, number),
            st.builds(lambda a: (-a[0], -a[1]), inner),
        ),
        max_leaves=4,
    )
    objective, expected = data.draw(pairs)
    torch.testing.assert_close(objective(x), expected, rtol=1e-8, atol=1e-8)
    assert len(set(objective.names)) == len(objective.terms)


def test_contract_1_catches_planted_faults(monkeypatch):
    for broken in reducing_over_the_batch():
        with pytest.raises(AssertionError, match="depends on the images"):
            assert_per_image(broken, images(3))
    whole = lambda name, power, lam, center: regularizers._regularizer(  # noqa: E731 - one-line fault
        name, lambda x: -lam * power(x).sum().expand(len(x)), lambda x: None
    )
    monkeypatch.setattr(regularizers, "_penalty", whole)  # an l2 that sums over the batch
    with pytest.raises(AssertionError, match="depends on the images"):
        assert_per_image(regularizers.l2(1.0), images(2))


# --- 2. batch invariance --------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["adam", "gradient", "normalized"])
@pytest.mark.parametrize("image", nets.IMAGES)
def test_an_image_does_not_depend_on_its_batch(image, optimizer):
    make, f = nets.IMAGES[image], TARGETED["sum"]
    for transform in (None, *nets.TRANSFORMS.values()):
        how = {"transform": transform and transform(), "optimizer": optimizer, "lr": 0.1}
        assert_batch_invariant(f, make, [3, 0, 3], [7, 7, 5], steps=3, **how)


@settings(max_examples=8)
@given(st.sampled_from(sorted(TARGETED)), st.lists(st.integers(0, 4), min_size=2, max_size=4),
       st.integers(0, 2**40))  # fmt: skip
def test_one_seed_is_the_seed_of_every_image(name, targets, seed):
    how = {"transform": robust(), "steps": 3}
    assert_batch_invariant(TARGETED[name], nets.IMAGES["fourier"], targets, seed, **how)


@pytest.mark.parametrize("name", UNTARGETED)
def test_batch_invariance_of_other_objectives(name):
    how = {"transform": nets.TRANSFORMS["robust"](), "steps": 3}
    f = nets.untargeted(NET, 3 * 12 * 12)[name] + 0.1 * logit(NET, 1)
    assert_batch_invariant(lambda _: f, nets.IMAGES["fourier"], [0, 0], [4, 9], **how)


def test_contract_2_catches_planted_faults():
    def shared(x, streams):  # one draw for images whose seeds differ
        return x + 0.1 * streams.normal(*x.shape[1:])[0]

    def rows(x, streams):  # numbers by place in the batch
        return x + 0.1 * torch.linspace(0, 1, len(x)).reshape(-1, 1, 1, 1)

    def everyone(x, streams):  # torch's global generator
        return x + 0.1 * torch.randn_like(x)

    def check(objective=TARGETED["logit"], image=nets.IMAGES["pixels"], **how):
        assert_batch_invariant(objective, image, [3, 0], [7, 5], steps=3, **how)

    check(transform=noise(0.1))
    for broken in (shared, rows, everyone):
        with pytest.raises(AssertionError):
            check(transform=broken)
    for broken in reducing_over_the_batch():
        with pytest.raises(AssertionError):
            check(lambda _, broken=broken: broken)

    class OneStream(type(pixels())):  # all start as the first image does
        def start(self, streams):
            return super().start(streams)[:1].expand(len(streams), -1, -1, -1)

    with pytest.raises(AssertionError):
        check(image=lambda n: OneStream(3, 12, False, n))


# --- 3. one generator -----------------------------------------------------------------------------


@pytest.mark.parametrize("net", [NET, nets.seeded(nets.Drawing).double()], ids=["cnn", "drawing"])
@pytest.mark.parametrize(
    "image", ["pixels", "fourier, odd", "blurred waves", "maco", "learned prior"]
)
def test_the_seed_decides_every_bit(image, net):
    def run(seed):
        one = nets.IMAGES[image](2)
        return maximize(
            logit(net, [0, 1]), one, transform=robust(), steps=4, seed=[seed, seed + 1]
        ).images

    assert_one_generator(run)


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_seeds_lead_to_their_own_streams(a, b):
    start = pixels(1, 4)
    runs = [maximize(function(lambda x: x.sum((1, 2, 3))), start, seed=[s], steps=1).images
            for s in (a, b, a)]  # fmt: skip
    assert torch.equal(runs[0], runs[2])
    assert torch.equal(runs[0], runs[1]) == (a == b)


def test_contract_3_catches_planted_faults():
    def run(transform):
        return lambda seed: (
            maximize(logit(NET, 1), pixels(3, 8), transform=transform, steps=3, seed=seed).images
        )

    entropy = np.random.default_rng()  # not the seed's

    def from_numpy(x, streams):
        return x * torch.from_numpy(entropy.uniform(0.5, 1.5, x.shape))

    assert_one_generator(run(noise(0.1)))
    with pytest.raises(AssertionError, match="other bits"):
        assert_one_generator(run(from_numpy))
    with pytest.raises(AssertionError, match="changes nothing"):
        assert_one_generator(lambda seed: torch.zeros(1))
    with pytest.raises(AssertionError, match="moved"):
        assert_one_generator(lambda seed: torch.rand(3))
    with pytest.raises(AssertionError, match="moved"):
        assert_one_generator(lambda seed: [scramble(seed), run(None)(seed)][1])


def test_a_network_on_the_cpu_leaves_the_gpu_generators_alone(monkeypatch):
    net = nets.mlp()

    def moved(seed):
        raise AssertionError("every GPU's generator was seeded")

    monkeypatch.setattr(torch.cuda, "manual_seed_all", moved)
    maximize(logit(net, 1), point(torch.zeros(1, 6)), steps=1)
