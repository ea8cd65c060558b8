import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from actmax_lib import zoo
from actmax_lib.study import embeddings
from actmax_lib.study.embeddings import CHUNK, averaged, corresponding, maps, pixels


def pictures(n: int, side: int = 32, seed: int = 0) -> torch.Tensor:
    return torch.rand(n, 3, side, side, generator=torch.Generator().manual_seed(seed))


class Tiny(nn.Module):
    """Two convolutions; "second" is linear."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3, stride=2), nn.Conv2d(4, 5, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(self.first(x).relu()).relu()


@pytest.fixture
def tiny() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Tiny().eval()


def test_pixels_are_normalized_and_larger_ones_made_smaller():
    x = pictures(2)
    told = (x.double() - torch.tensor([0.491, 0.482, 0.447])[:, None, None]) / torch.tensor(
        [0.247, 0.243, 0.262]
    )[:, None, None]
    torch.testing.assert_close(pixels(x).double(), told.flatten(1), rtol=1e-5, atol=1e-6)
    large = pictures(1, 96)
    bytes_ = (large[0].permute(1, 2, 0) * 255).byte().numpy()
    small = Image.fromarray(bytes_).resize((32, 32), Image.Resampling.BILINEAR)  # antialiased
    told = pixels(torch.from_numpy(np.array(small)).permute(2, 0, 1)[None].float() / 255)
    assert (pixels(large) - told).abs().max() < 0.03


def test_averages_are_of_the_layer_before_its_activation_whatever_the_chunks(tiny):
    x = pictures(CHUNK + 3)
    with torch.no_grad():
        told = tiny.second(tiny.first(x).relu()).mean((2, 3))
    assert told.min() < 0
    torch.testing.assert_close(averaged(tiny, "second", "cifar")(x), told, rtol=1e-4, atol=1e-6)
    assert maps(tiny, ["first"], "cifar")(x[:2])["first"].shape == (2, 4, 15, 15)


def test_imagenet_networks_see_pictures_enlarged(tiny):
    assert maps(tiny, ["first"], "imagenet")(pictures(1))["first"].shape[-1] == 63
    assert maps(tiny, ["first"], "imagenet")(pictures(1, 96))["first"].shape[-1] == 63


LITE = ("efficientnet-lite0", "efficientnet-lite1")


@pytest.mark.parametrize(
    ("layer", "told"),
    [
        ("blocks.0", "blocks.0"), ("blocks.1", "blocks.1"), ("blocks.2", "blocks.2"),
        ("blocks.3", "blocks.4"), ("blocks.4", "blocks.5"), ("blocks.5", "blocks.7"),
        ("blocks.7", "blocks.9"), ("blocks.8", "blocks.11"), ("blocks.10.project",
        "blocks.13.project"), ("blocks.14", "blocks.18"), ("blocks.15", "blocks.20"),
    ],
)  # fmt: skip
def test_corresponding_block_has_the_stage_and_the_place(layer, told):
    assert corresponding(layer, *LITE) == told


def test_corresponding_blocks_have_as_many_channels():
    a, b = (zoo.load(name, device="cpu") for name in LITE)
    for k, block in enumerate(a.blocks):
        other = b.get_submodule(corresponding(f"blocks.{k}", *LITE))
        assert other.project.conv.out_channels == block.project.conv.out_channels
        assert other.depthwise.conv.stride == block.depthwise.conv.stride
    assert corresponding("convs.3", "cifar-standard-0", "cifar-standard-1") == "convs.3"


@pytest.mark.parametrize("layer", ["head", "convs.2", "blocks.16"])
def test_layers_that_are_in_no_block_are_named(layer):
    with pytest.raises(ValueError, match=layer):
        corresponding(layer, *LITE)


@pytest.mark.parametrize("name", ["cifar-standard-0", "efficientnet-lite0"])
def test_random_network_is_seeded_alive_and_nobody_elses(name):
    layer = "convs.4" if name.startswith("cifar") else "blocks.14"
    kind = "cifar" if name.startswith("cifar") else "imagenet"
    x = pictures(24) * torch.linspace(0.2, 1, 24).view(-1, 1, 1, 1)
    state = torch.get_rng_state()
    trained = averaged(zoo.load(name, device="cpu"), layer, kind)(x[:4])
    nets = [embeddings.random_network(name, x, seed) for seed in (0, 0, 1)]
    a, again, b = (averaged(net, layer, kind)(x[:4]) for net in nets)
    assert torch.equal(torch.get_rng_state(), state)
    torch.testing.assert_close(a, again)
    assert (a - b).abs().max() > 0.01
    assert (a - trained).abs().max() > 0.01
    assert a.std(0).median() > 1e-3  # pictures still differ this deep
    torch.testing.assert_close(averaged(zoo.load(name, device="cpu"), layer, kind)(x[:4]), trained)
    assert not any(net.training for net in nets)
