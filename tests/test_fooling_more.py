"""More of the fooled network: radii that touch the start or the data are refused."""

import pytest
import torch
from torch import nn

from actmax_lib.fooling import fooled

NET = nn.Sequential(nn.Flatten(), nn.Linear(12, 3)).requires_grad_(False)
PICTURE = torch.full((3, 2, 2), 0.75)  # 3 from mid-grey
DATA = torch.stack([torch.full((3, 2, 2), 0.25), torch.full((3, 2, 2), 0.375)])  # 6 and 4.5 away


def test_a_radius_that_ends_at_the_start_or_at_an_image_is_refused():
    with pytest.raises(ValueError, match=r"radius 4.5 reaches image 1 of the data"):
        fooled(NET, PICTURE, strength=1.0, radius=4.5, data=DATA)
    with pytest.raises(ValueError, match=r"radius 3 leaves out the start"):
        fooled(NET, PICTURE, strength=1.0, radius=3.0, data=DATA)
    assert fooled(NET, PICTURE, strength=1.0, radius=3.5, data=DATA).radius == 3.5


def test_a_start_as_near_as_the_data_is_refused():
    with pytest.raises(ValueError, match="too near to the data: image 1"):
        fooled(NET, PICTURE, strength=1.0, data=DATA, start=torch.full((3, 2, 2), 0.375))


def test_with_more_poses_than_images_a_pass_all_data_are_looked_at():
    poses = PICTURE + torch.linspace(-0.01, 0.01, 300).reshape(-1, 1, 1, 1)
    liar = fooled(NET, PICTURE, strength=1.0, data=DATA, poses=poses)
    nearest = float(liar.distance(DATA).min())
    here = float(liar.distance(torch.full((1, 3, 2, 2), 0.5)))
    assert liar.radius == pytest.approx(here + (nearest - here) / 4)


@pytest.mark.parametrize("at", [0, 299])
def test_the_nearest_image_may_be_anywhere_in_the_data(at):
    data = torch.zeros(300, 3, 2, 2)
    data[at] = 0.4
    with pytest.raises(ValueError, match=f"radius 4.5 reaches image {at} "):
        fooled(NET, PICTURE, strength=1.0, radius=4.5, data=data)


def test_heights_and_poses_are_kept_with_the_weights():
    kept = fooled(NET, PICTURE, strength=2.0, data=DATA, classes=1).state_dict()
    assert torch.equal(kept["heights"], torch.tensor([0.0, 2.0, 0.0]))
    assert torch.equal(kept["distance.poses"], PICTURE[None])


def test_a_network_in_training_is_left_as_it_was():
    net = nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2), nn.Flatten()).train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    fooled(net, PICTURE, strength=2.0, data=DATA)
    assert net.training
    assert all(module.training for module in net.modules())
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_size_and_class_names_are_those_of_the_network():
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 3))
    net.input_size, net.classes = 2, ("a", "b", "c")
    liar = fooled(net, PICTURE, strength=2.0, data=DATA)
    assert (liar.input_size, liar.classes) == (2, ("a", "b", "c"))
