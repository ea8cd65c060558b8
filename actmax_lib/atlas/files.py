"""Whole files or none, and the names of what can go wrong with them."""

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


class AtlasError(RuntimeError):
    """An atlas could not be made or read; the message names the file and the remedy."""


class AtlasFileError(AtlasError):
    """A file of an atlas is missing, or is not the one that its manifest describes (``.file``)."""

    def __init__(self, file: Path, problem: str) -> None:
        super().__init__(f"{file}: {problem}")
        self.file = file


class DiskFullError(AtlasError):
    """There was no room for a file of ``bytes`` bytes; what was finished before is untouched."""

    def __init__(self, file: Path, bytes: int) -> None:
        super().__init__(f"{file}: no space left on the device for {size(bytes)}")
        self.file, self.bytes = file, bytes


def size(bytes: float) -> str:
    """A number of bytes as text, in kB, MB or GB."""
    for unit in ("kB", "MB"):
        bytes /= 1000
        if bytes < 1000:
            return f"{bytes:.1f} {unit}"
    return f"{bytes / 1000:.1f} GB"


def sha256(content: bytes | Path) -> str:
    """Hex digest of bytes or of a file."""
    content = content.read_bytes() if isinstance(content, Path) else content
    return hashlib.sha256(content).hexdigest()


def _flush(descriptor: int) -> None:
    os.fsync(descriptor)


def write(file: Path, content: bytes) -> None:
    """Write ``file`` so that after a crash at any moment it is the old one or the new one, whole.

    Raises DiskFullError when there is no room; then nothing of it is left behind.
    """
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as handle:
            handle.write(content)
            handle.flush()
            _flush(handle.fileno())
        os.replace(temporary, file)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError(file, len(content)) from error
        raise
    if os.name == "posix":  # the name itself must reach the disk, too
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            _flush(folder)
        finally:
            os.close(folder)


def sweep(folder: Path) -> None:
    """Remove what killed processes left half-written; only for who holds the folder alone."""
    for temporary in folder.glob("**/.*.tmp"):
        temporary.unlink(missing_ok=True)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold ``folder`` against a second call; the system lets go of it when the process dies."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY) if fcntl else None
    try:
        if handle is not None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AtlasError(
                    f"{folder}: another process makes this atlas; wait for it or end it"
                ) from None
        yield
    finally:
        if handle is not None:
            os.close(handle)
