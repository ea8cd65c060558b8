"""The attacks against foolbox's (Rauber et al. 2017), on networks that the book has trained."""

import warnings

import pytest
import torch

from actmax_lib import attacks, data, zoo

with warnings.catch_warnings():  # theirs: an old name of scipy's
    warnings.simplefilter("ignore", DeprecationWarning)
    import foolbox

pytestmark = pytest.mark.usefixtures("one_thread")
POINTS = 0.005  # half a point
N = 200
NAMES = pytest.mark.parametrize("name", ["fashion-standard-0", "fashion-pgd-l2-0"])
THEIRS = {
    "l2": foolbox.attacks.L2ProjectedGradientDescentAttack,
    "linf": foolbox.attacks.LinfProjectedGradientDescentAttack,
}
EPS = {"l2": 0.75, "linf": 0.04}  # where neither network gets all right or all wrong


def asked(name, n=N):
    sample = data.load("fashion-mnist", "sample")
    net = zoo.load(name, device="cpu")
    theirs = foolbox.PyTorchModel(net, bounds=(0, 1), device="cpu")
    return net, theirs, sample.images()[:n], sample.labels[:n]


def right(net, x, labels):
    with torch.no_grad():
        return net(x).argmax(1) == labels


@NAMES
@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_pgd_leaves_as_many_right_as_foolboxs(name, norm):
    net, model, x, labels = asked(name)
    eps, steps = EPS[norm], 20
    ours = attacks.pgd(
        net, x, labels, eps=eps, norm=norm, steps=steps, step=eps / 8, random_start=False
    )
    attack = THEIRS[norm](steps=steps, abs_stepsize=eps / 8, random_start=False)
    _, theirs, _ = attack(model, x, labels, epsilons=eps)
    a, b = (right(net, z, labels).double().mean().item() for z in (ours, theirs))
    clean = right(net, x, labels).double().mean().item()
    assert 0.02 < a < clean - 0.02, "the attack should do something, and not all"
    assert abs(a - b) <= POINTS
    # and the images are the same ones, but for what rounding does to a sign or a kink
    assert ((ours - theirs).abs().flatten(1).amax(1) < eps / 10).double().mean() > 0.9


@NAMES
def test_fgsm_is_foolboxs(name):
    net, model, x, labels = asked(name)
    ours = attacks.fgsm(net, x, labels, eps=0.03)
    _, theirs, _ = foolbox.attacks.LinfFastGradientAttack(random_start=False)(
        model, x, labels, epsilons=0.03
    )
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


@NAMES
def test_the_robust_accuracy_is_foolboxs_or_a_little_less(name):
    """Theirs is the best of two random starts with another random stream; ours sweeps as well."""
    net, model, x, labels = asked(name, 100)
    ours = attacks.robust_accuracy(net, x, labels, eps=0.75, steps=20, restarts=1, queries=0)
    attack = foolbox.attacks.L2PGD(steps=20, rel_stepsize=0.125).repeat(2)
    torch.manual_seed(0)
    _, _, fooled = attack(model, x, labels, epsilons=0.75)
    theirs = 1 - fooled.double().mean().item()
    assert theirs - 0.03 <= ours.accuracy <= theirs + POINTS


@NAMES
def test_distances_are_those_of_foolboxs_deepfool_or_less(name):
    net, _, x, labels = asked(name, 40)
    found = attacks.boundary_distance(net, x, labels)
    ok = right(net, x, labels)
    attack = foolbox.attacks.L2DeepFoolAttack(steps=50, candidates=10, loss="logits")
    raw, _, _ = attack(foolbox.PyTorchModel(net, bounds=(-9, 9), device="cpu"), x, labels,
                       epsilons=None)  # fmt: skip
    theirs = (raw - x).flatten(1).norm(dim=1)
    assert torch.equal(found > 0, ok)
    assert (found[ok] <= 1.001 * theirs[ok]).double().mean() > 0.97
    away = (attacks.deepfool(net, x, labels) - x).flatten(1).norm(dim=1)
    ratio = (away / theirs)[ok]
    assert ((ratio - 1).abs() < 0.01).double().mean() > 0.8
