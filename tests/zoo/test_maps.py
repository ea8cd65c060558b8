"""Class maps of the book's own networks, and CIFAR-10's with and without its batch norms."""

import pytest
import torch
from torch import nn

from actmax_lib import zoo
from actmax_lib.zoo import trained
from actmax_lib.zoo.cifar import CLASSES, MEAN, SD, CifarNet
from actmax_lib.zoo.fashion import FashionNet
from tests.nets import seeded
from tests.zoo.tiny import ENTRY


def pictures(channels, size, n=3):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(n, channels, *size, dtype=torch.float64, generator=generator)


def cifar(**kwargs):
    return seeded(CifarNet, (3, 4, 5, 6, 7), **kwargs).double()


NETS = {
    "fashion": (lambda: seeded(FashionNet, (3, 4, 5)).double(), 1),
    "cifar": (cifar, 3),
    "cifar, normed": (lambda: cifar(batch_norm=True), 3),
}


@pytest.mark.parametrize("size", [(28, 28), (32, 32), (16, 24), (37, 41)])
@pytest.mark.parametrize("name", NETS)
def test_maps_sum_to_the_logits_without_the_bias(name, size):
    make, channels = NETS[name]
    net, x = make(), pictures(channels, size)
    nn.init.uniform_(net.classifier.bias, -5, 5)
    with torch.no_grad():
        maps = net.maps(x)
        assert torch.allclose(maps.flatten(2).sum(2) + net.classifier.bias, net(x), rtol=1e-10)


@pytest.mark.parametrize("name", NETS)
def test_a_map_tells_where(name):
    """A change in one corner stays in that corner of the maps."""
    make, channels = NETS[name]
    net, x = make(), pictures(channels, (64, 64) if channels == 3 else (28, 28))
    near = x.clone()
    near[:, :, :2, :2] = 1 - near[:, :, :2, :2]
    with torch.no_grad():
        change = (net.maps(near) - net.maps(x)).abs().amax((0, 1))
    half = len(change) // 2
    assert float(change[0, 0]) > 1e-5
    assert float(change[half + 1 :].max()) == float(change[:, half + 1 :].max()) == 0


# CIFAR-10


def test_folded_is_the_same_function_without_norms():
    net, x = cifar(batch_norm=True), pictures(3, (32, 32))
    state = {key: value.clone() for key, value in net.state_dict().items()}
    with torch.no_grad():
        expected = net(x)
        folded = net.train().folded()
        assert torch.allclose(folded(x), expected, rtol=1e-10)
        assert not torch.allclose(net(x), expected)  # the batch's statistics: not what is folded
    assert net.training
    assert not folded.training
    assert not any(isinstance(m, nn.BatchNorm2d) for m in folded.modules())
    net.load_state_dict(state)
    nn.init.zeros_(folded.convs[0].weight)  # a copy: nothing is shared
    assert torch.equal(net.convs[0].weight, state["convs.0.weight"])


def test_the_folded_network_is_one_that_the_zoo_can_keep(tmp_path, monkeypatch):
    monkeypatch.setattr(trained, "FOLDER", tmp_path)
    net = trained.rounded(seeded(CifarNet, batch_norm=True).folded())
    trained.save(net, "tiny-1", {**ENTRY, "kwargs": {}})
    again, x = zoo.load("tiny-1", device="cpu"), pictures(3, (32, 32)).float()
    assert isinstance(again, CifarNet)
    assert (again.input_size, again.classes, len(CLASSES)) == (32, CLASSES, 10)
    with torch.no_grad():
        assert torch.equal(again(x), net(x))


def test_it_is_the_composition_it_says():
    """Normalised; softplus of convolutions; halved after the second, third and fourth; averaged."""
    net, x = cifar(beta=3.0), pictures(3, (32, 32), n=2)
    y = (x - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(SD).view(3, 1, 1)
    for k, conv in enumerate(net.convs):
        y = nn.functional.conv2d(y, conv.weight, conv.bias, padding=1)
        y = (3 * y).exp().log1p() / 3
        if k in (1, 2, 3):
            y = y.unflatten(2, (-1, 2)).unflatten(4, (-1, 2)).amax((3, 5))
    expected = y.mean((2, 3)) @ net.classifier.weight.T + net.classifier.bias
    assert torch.allclose(net(x), expected, rtol=1e-6)


@pytest.mark.parametrize(("kwargs", "error"), [
    ({"widths": (3, 0)}, ValueError), ({"widths": (3, 2.5)}, TypeError),
    ({"beta": 0.0}, ValueError), ({"beta": "10"}, TypeError),
])  # fmt: skip
def test_bad_input(kwargs, error):
    with pytest.raises(error, match=next(iter(kwargs))):
        CifarNet(**kwargs)
