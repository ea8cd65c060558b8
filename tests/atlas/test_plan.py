"""Chunks, memory, and what a request may say."""

import os
from pathlib import Path

import pytest
import torch
from torch import nn

from actmax_lib import atlas, fourier, logit, maximize
from actmax_lib.atlas import lookup, plan
from actmax_lib.atlas.__main__ import main
from actmax_lib.atlas.distribute import Team
from actmax_lib.atlas.files import size
from actmax_lib.atlas.progress import clock
from tests.atlas import nets
from tests.atlas.conftest import arguments


@pytest.mark.parametrize(("count", "batch"), [(7, 2), (1000, 16), (1000, 128), (5, 9), (1, 1)])
def test_chunks_cover_all_in_order_and_are_alike(count, batch):
    spans = plan.chunks(count, batch)
    assert [k for a, b in spans for k in range(a, b)] == list(range(count))
    lengths = [b - a for a, b in spans]
    assert max(lengths) <= batch
    assert max(lengths) - min(lengths) <= 1
    assert len(spans) == -(-count // batch)


def test_bytes_per_image_are_what_the_backward_pass_keeps():
    """Counted by hand: a product of two pictures keeps both, and the weights do not count."""

    class Squares(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1000))

        def forward(self, x):
            y = x * 2.0  # kept by the square: 4 * 3 * 100 bytes
            z = y.square()  # kept by the cube: the same
            return (z**3).mean((1, 2, 3))[:, None] * self.weight[None, :2]

    net = Squares()
    picture = 4 * 3 * 10 * 10
    climb = lambda n: maximize(logit(net, [0] * n), fourier(3, 10, decorrelate=False), steps=1)  # noqa: E731
    each = plan.bytes_per_image(climb) / plan.TRANSIENT
    # y, z, the sigmoid's answer, and what is small beside a picture
    assert 3 * picture <= each < 4 * picture


def test_a_larger_picture_takes_more_and_the_batch_follows():
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    net = nets.tiny()

    def climb(side):
        return lambda n: maximize(logit(net, [0] * n), fourier(3, side), steps=1)

    small, large = (plan.bytes_per_image(climb(side)) for side in (16, 64))
    assert 12 < large / small < 20
    assert plan.batch_size("auto", 10 * large, large, cpu) == 5
    assert plan.batch_size("auto", large // 2, large, cpu) == 1
    assert plan.batch_size("auto", 10**15, large, cpu) == 16
    assert plan.batch_size("auto", 10**15, large, gpu) == 128
    assert plan.batch_size(40, 1, large, cpu) == 40


def test_free_memory_is_some_of_what_the_machine_has():
    page, total = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_PHYS_PAGES")
    unused = page * os.sysconf("SC_AVPHYS_PAGES")
    group = Path("/sys/fs/cgroup/memory.max")
    limited = group.exists() and group.read_text().strip() != "max"
    assert (0 if limited else unused / 2) < plan.free_memory(torch.device("cpu")) <= page * total


NAMES = ["ant", "bee", "crane", "crane", "eel"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [("all", [0, 1, 2, 3, 4]), ("1-3", [1, 2, 3]), ("eel, 0", [4, 0]), ("2,bee,3-4", [2, 1, 3, 4])],
)
def test_classes(asked, found):
    assert lookup.classes(asked, NAMES) == found


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ("bea", "there is no class 'bea'; closest names: 'bee'"),
        ("5", "not a range within 0 to 4"),
        ("3-1", "not a range within 0 to 4"),
        ("1,0-2", r"asks for 1 \(bee\) twice"),
        ("crane", "several classes are called 'crane'"),
        (",", 'must be "all"'),
    ],
)
def test_classes_that_are_refused(asked, problem):
    with pytest.raises(ValueError, match=problem):
        lookup.classes(asked, NAMES)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"network": "efficientnet-lite9"}, "closest names: 'efficientnet-lite"),
        ({"network": "tests.atlas.nets:no"}, "has no attribute 'no'"),
        ({"network": "tests.nothing:no"}, "No module named 'tests.nothing'"),
        ({"network": "tests.atlas.nets:no_module"}, "must give a torch.nn.Module"),
        ({"judge": "tests.atlas.nets:tiny"}, "is the network itself"),
        ({"judge": "tests.atlas.nets:grey_net"}, "takes pictures of 1 channels, the network of 3"),
        ({"size": "12x"}, "size must be a number or HEIGHTxWIDTH, got '12x'"),
        ({"size": "0"}, "size must be at least 1, got 0"),
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"objective": "loss"}, "objective must be one of logit, log_prob, got 'loss'"),
        ({"autocast": "fp8"}, "autocast must be one of none, bf16, got 'fp8'"),
        ({"image": "waves"}, "image 'waves' is neither one of fourier, pixels"),
        ({"transform": "strong"}, "transform 'strong' is neither one of robust, none"),
        ({"batch": 0}, "batch must be at least 1, got 0"),
        ({"batch": "many"}, "batch must be an integer, got 'many'"),
        ({"patience": 0}, "patience must be a finite number"),
        ({"classes": "ape"}, "there is no class 'ape'"),
    ],
)
def test_requests_that_make_no_sense_are_told_so(tmp_path, capsys, change, problem):
    words = arguments(tmp_path / "a") + [w for k, v in change.items() for w in (f"--{k}", str(v))]
    assert main(words) == 2
    assert problem in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.npz"))


def test_an_imagenet_network_has_a_judge_that_is_another():
    assert lookup.judge_name("auto", "efficientnet-lite0") == "efficientnet-lite1"
    assert lookup.judge_name("auto", "efficientnet-lite1") == "efficientnet-lite2"
    assert lookup.judge_name("auto", "fashion-standard-0") is None
    assert lookup.judge_name("none", "efficientnet-lite0") is None
    assert lookup.judge_name("fashion-judge", "fashion-standard-0") == "fashion-judge"


def test_the_hash_knows_values_names_and_types_and_not_the_layout():
    net = nets.tiny()
    first = lookup.weights_hash(net)
    assert lookup.weights_hash(nets.tiny()) == first
    assert lookup.weights_hash(net.to(memory_format=torch.channels_last)) == first
    assert lookup.weights_hash(nets.tiny().double()) != first
    assert lookup.weights_hash(nets.tiny().net) != first
    with torch.no_grad():
        net.net.bn1.running_var[0] += 1e-6
    assert lookup.weights_hash(net) != first


def test_pictures_have_the_networks_own_size_where_none_is_said():
    net = nn.Linear(1, 1)
    assert lookup.picture_size(None, net) == (224, 224)
    net.input_size = 28
    assert lookup.picture_size(None, net) == (28, 28)
    assert lookup.picture_size("48x64", net) == (48, 64)
    assert lookup.picture_size(96, net) == (96, 96)


def test_a_team_of_one_needs_no_group_and_a_gpu_that_is_not_there_is_refused(monkeypatch):
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    with Team("cpu") as team:
        assert (team.rank, team.world) == (0, 1)
        assert team.decide(lambda: 3) == 3
        assert team.meet(None) == []
        assert team.meet("trouble") == ["trouble"]
    assert not torch.distributed.is_initialized()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="asks for a GPU and there is none"):
        Team("cuda")


def test_each_process_takes_its_gpu(monkeypatch):
    chosen = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    monkeypatch.setenv("RANK", "3")
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert Team().device == torch.device("cuda:1")
    assert chosen == [torch.device("cuda:1")]
    assert Team("cpu").device == torch.device("cpu")
    with pytest.raises(ValueError, match="one GPU for all processes"):
        Team("cuda:0")
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(ValueError, match="there are 2 GPUs, none is cuda:2"):
        Team()


def test_a_class_that_is_not_there_is_a_key_error(whole):
    made = atlas.load(whole)
    with pytest.raises(KeyError, match="closest names: 'ant'"):
        made.picture("anto")
    with pytest.raises(KeyError, match="is there twice, use its index"):
        made.picture("crane")
    with pytest.raises(KeyError, match="class 9 is not in this atlas"):
        made.picture(9)


def test_numbers_for_people():
    assert [size(b) for b in (999, 12_345, 3.2e6, 4.56e9)] == [
        "1.0 kB",
        "12.3 kB",
        "3.2 MB",
        "4.6 GB",
    ]
    assert [clock(s) for s in (5, 89, 600, 7000)] == ["5 s", "89 s", "10 min", "1 h 57 min"]
