"""What scripts/train_zoo.py trains: labels, seeds, mirrors, precision, teachers, lengths."""

import hashlib
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from actmax_lib import zoo
from actmax_lib.training import accuracy
from actmax_lib.zoo import trained
from actmax_lib.zoo.fashion import FashionNet
from scripts import train_zoo

pytestmark = pytest.mark.usefixtures("one_thread")


def split(n, seed, *shape):
    """Random pictures in the place of a part of a data set."""
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(256, (n, *shape), generator=generator, dtype=torch.uint8)
    labels = torch.randint(10, (n,), generator=generator)
    return SimpleNamespace(pixels=pixels, labels=labels, images=lambda: pixels / 255)


@pytest.fixture
def parts(monkeypatch):
    """(name, split) -> data, all made up."""
    held = {
        (name, part): split(n, n, *shape)
        for name, shape in (("fashion-mnist", (1, 28, 28)), ("cifar-10", (3, 32, 32)))
        for part, n in (("train", 60), ("test", 37))
    }
    monkeypatch.setattr(train_zoo.data, "load", lambda name, part: held[name, part])
    return held


@pytest.fixture
def fits(monkeypatch):
    """What `fit` was asked; it trains nothing."""
    asked = []

    def spy(net, loss, x, y, **how):
        start = {key: value.clone() for key, value in net.state_dict().items()}
        asked.append(SimpleNamespace(net=net, start=start, loss=loss, x=x, y=y, how=how))
        net.eval()

    monkeypatch.setattr(train_zoo, "fit", spy)
    return asked


def test_labels_are_shuffled_for_the_control_alone(parts, fits, tmp_path):
    for method, seed in (("shuffled-labels", 1), ("shuffled-labels", 2), ("fgsm", 1)):
        train_zoo.fashion(method, seed, tmp_path, epochs=1)
    own = parts["fashion-mnist", "train"].labels
    one, two, plain = (fit.y for fit in fits)
    assert torch.equal(plain, own)
    for labels in (one, two):
        assert torch.equal(labels.sort().values, own.sort().values)
        assert (labels == own).double().mean() < 0.4  # a tenth by chance
    assert not torch.equal(one, two)


@pytest.mark.parametrize("make", [train_zoo.fashion, train_zoo.cifar])
def test_a_seed_is_a_start_and_an_order_and_the_test_split_decides(make, parts, fits, tmp_path):
    for seed in (0, 1, 0):
        net, entry = make("pgd-l2", seed, tmp_path, epochs=3, checkpoint="file")
    a, b, again = (next(iter(fit.start.values())) for fit in fits)
    assert torch.equal(a, again)
    assert not torch.equal(a, b)
    assert [fit.how["seed"] for fit in fits] == [0, 1, 0]
    assert all((fit.how["epochs"], fit.how["checkpoint"]) == (3, "file") for fit in fits)
    train, test = (parts[key] for key in parts if key[0].startswith(make.__name__))
    assert torch.equal(fits[0].x, train.images())
    expected = [accuracy(net, part.images(), part.labels) for part in (test, train)]
    assert entry["accuracy"] == expected[0] != expected[1]
    assert entry["data"] == hashlib.sha256(train.pixels.numpy().tobytes()).hexdigest()
    assert all(torch.equal(p, p.half().float()) for p in net.parameters())


@pytest.mark.parametrize("method", train_zoo.CIFAR)
def test_penalties_have_all_of_float32_and_the_others_half(method, parts, fits, tmp_path):
    net, _ = train_zoo.cifar(method, 0, tmp_path)
    penalised = method in ("gradient-norm", "score-matched")
    assert fits[0].how["precision"] == (None if penalised else torch.bfloat16)
    given = fits[0].net
    assert any(isinstance(m, nn.BatchNorm2d) for m in given.modules())
    assert not any(isinstance(m, nn.BatchNorm2d) for m in net.modules())
    x = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(net(x), given(x), atol=0.05)


def seen_by(loss, shape, n=40):
    """(images given, images that the loss trains a small network on)."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(shape[0] * shape[1] * shape[2], 10))
    asked = []
    net.register_forward_pre_hook(lambda _net, given: asked.append(given[0].detach()))
    generator = torch.Generator().manual_seed(0)
    x = 0.3 + 0.4 * torch.rand(n, *shape, generator=generator)
    loss(net, x, torch.arange(n) % 10, generator)
    return x, asked[-1]


def test_pictures_of_cifar_are_mirrored(parts, fits, tmp_path):
    train_zoo.cifar("standard", 0, tmp_path)
    x, seen = seen_by(fits[0].loss, (3, 32, 32))
    turned = (seen == x.flip(3)).flatten(1).all(1)
    assert torch.equal(~turned, (seen == x).flatten(1).all(1))
    assert 5 < turned.sum() < 35


@pytest.mark.parametrize(
    ("loss", "shape", "order", "eps"),
    [
        (train_zoo.FASHION["pgd-l2"](0, None), (1, 28, 28), 2, 1.5),
        (train_zoo.FASHION["pgd-linf"](0, None), (1, 28, 28), torch.inf, 0.1),
        (train_zoo.FASHION["fgsm"](0, None), (1, 28, 28), torch.inf, 0.1),
        (train_zoo.CIFAR["pgd-l2"], (3, 32, 32), 2, 0.5),
    ],
)
def test_attacks_are_as_long_as_the_table_says(loss, shape, order, eps):
    x, seen = seen_by(loss, shape)
    away = torch.linalg.vector_norm((seen - x).flatten(1), order, 1)
    assert torch.allclose(away, torch.full_like(away, eps), rtol=1e-4)


def test_students_have_the_teacher_they_are_named_after(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(train_zoo, "teacher", lambda *of: asked.append(of) or nn.Identity())
    for name in ("saliency-guided-standard", "saliency-guided-robust"):
        train_zoo.FASHION[name](2, tmp_path)
    assert asked == [("standard", 2, tmp_path), ("pgd-linf", 2, tmp_path)]


def test_a_teacher_is_that_of_the_folder_or_the_books(tmp_path):
    book = zoo.load("fashion-standard-1", device="cpu")
    assert torch.equal(train_zoo.teacher("standard", 1, tmp_path).conv1.weight, book.conv1.weight)
    other = trained.rounded(train_zoo.fresh(FashionNet, 7))
    trained.save(other, "fashion-standard-1", {**book.manifest}, tmp_path)
    assert torch.equal(train_zoo.teacher("standard", 1, tmp_path).conv1.weight, other.conv1.weight)


def test_a_stopped_training_goes_on_and_a_whole_one_leaves_no_checkpoint(monkeypatch, tmp_path):
    monkeypatch.setattr(train_zoo, "KEPT", tmp_path)
    name, stops, asked = "fashion-fgsm-2", [True, False], []

    def how(method, seed, folder, *, checkpoint, **_):
        asked.append((method, seed, checkpoint.exists()))
        checkpoint.write_text("state")
        if stops.pop(0):
            raise KeyboardInterrupt
        entry = {"kwargs": {}, "accuracy": 0.5, "data": "0"}
        return trained.rounded(train_zoo.fresh(FashionNet, seed)), entry

    monkeypatch.setattr(train_zoo, "recipes", lambda: {name: (how, "fgsm", 2)})
    with pytest.raises(KeyboardInterrupt):
        train_zoo.make(name, tmp_path / "zoo", 3)
    train_zoo.make(name, tmp_path / "zoo", 3)
    assert asked == [("fgsm", 2, False), ("fgsm", 2, True)]
    assert not list(tmp_path.glob("*checkpoint"))
    told = trained.manifest(tmp_path / "zoo")[name]
    assert (told["seed"], told["epochs"]) == (2, 3)
    assert told["command"].endswith(f"train_zoo {name}")
