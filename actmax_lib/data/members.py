"""Files by name, from a folder or from a tar archive, one at a time."""

import gzip
import tarfile
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

from actmax_lib.data.dataset import DataFileError

LIMIT = 64 * 2**20  # bytes; the largest file that is asked for has 31 million


def members(source: Path, names: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """(name, content) of each of ``names``, in the order in which ``source`` has them.

    An archive is read as a stream, front to back, and nothing of it is written to the disk.
    Raises DataFileError when one is missing or too large, or when the archive is damaged.
    """
    missing = set(names)
    for name, content in (_folder if source.is_dir() else _archive)(source, missing):
        missing.discard(name)
        yield name, content
    if missing:
        raise DataFileError(source, f"does not hold {', '.join(sorted(missing))}")


def _folder(source: Path, wanted: set[str]) -> Iterator[tuple[str, bytes]]:
    for name in sorted(wanted):
        if (source / name).is_file():
            _limit(source / name, (source / name).stat().st_size)
            yield name, (source / name).read_bytes()


def _archive(source: Path, wanted: set[str]) -> Iterator[tuple[str, bytes]]:
    try:
        with gzip.open(source) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                name = PurePosixPath(member.name).name
                if name in wanted and member.isfile():
                    _limit(f"{source}:{member.name}", member.size)
                    yield name, archive.extractfile(member).read()
                if not wanted:
                    return
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataFileError(source, f"truncated or damaged ({error})") from error


def _limit(file: object, size: int) -> None:
    if size > LIMIT:
        raise DataFileError(file, f"has {size} bytes, more than any file of this data set")
