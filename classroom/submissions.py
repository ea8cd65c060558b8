"""Find who handed in what: plain files, folders and zips, as Canvas, Moodle and nbgrader give them.

Nothing is unpacked to the disk and nothing is opened but zips; a notebook is bytes until it is in
the sandbox.
"""

import io
import os
import re
import unicodedata
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from classroom.frames import NOTEBOOK
from classroom.sheets import SHEETS

CANVAS = re.compile(r"^(?P<name>[^_]+)_(?P<late>LATE_)?(?P<id>\d+)_\d+_(?P<file>.+)$")
MOODLE = re.compile(r"^(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(file|onlinetext)(_.*)?$")
IGNORED = {"__MACOSX", "__pycache__", ".ipynb_checkpoints", "Thumbs.db", "desktop.ini"}
MEMBERS, UNPACKED = 5000, 2_000_000_000  # of a zip that holds a whole class


class NoSubmissions(ValueError):
    """There is nothing to grade at that place."""


@dataclass(frozen=True)
class Submission:
    """What a student handed in. `problem`: why there is no notebook to grade, in words.

    student: a name for files, nobody else's; name, id: as Canvas or Moodle wrote them.
    """

    student: str
    file: str
    flags: tuple[str, ...] = ()
    problem: str = ""
    _read: Callable[[], bytes] = field(default=lambda: b"", repr=False, compare=False)
    name: str = ""
    id: str = ""

    def read(self) -> bytes:
        """The notebook's bytes, b"" where there is a problem. Raises OSError."""
        return b"" if self.problem else self._read()


@dataclass(frozen=True)
class _File:
    parts: tuple[str, ...]  # of the path inside the submissions
    time: tuple
    size: int
    read: Callable[[], bytes]
    problem: str = ""


def find(place: Path, sheet: str) -> list[Submission]:
    """All submissions in a folder or zip, by student. Raises NoSubmissions."""
    if not place.exists():
        raise NoSubmissions(f"there is no {place}")
    if place.is_file() and place.suffix != ".zip":
        raise NoSubmissions(f"{place} is neither a folder nor a zip file")
    packed = place.is_file()
    files = list(_zipped(place.read_bytes, (), 2) if packed else _listed(place))
    if len({f.parts[0] for f in files}) == 1 and _wraps(files, sheet, packed):
        files = [_File(f.parts[1:], f.time, f.size, f.read, f.problem) for f in files]
    others = set(SHEETS) - {sheet}  # of a folder with all that nbgrader collected
    files = [f for f in files if len(f.parts) < 3 or f.parts[1] not in others]
    by_student: dict[tuple[str, str], list[_File]] = defaultdict(list)
    for file in files:
        by_student[_who(file.parts, sheet)].append(file)
    if not by_student:
        raise NoSubmissions(f"there is nothing to grade in {place}")
    taken: set[str] = set()
    chosen = []
    for name, number in sorted(by_student):
        student = _safe(f"{name}_{number}" if number else name, taken)
        taken.add(student.casefold())
        handed_in = _chosen(student, by_student[name, number], sheet)
        chosen.append(replace(handed_in, name=name, id=number))
    return chosen


def _wraps(files: list[_File], sheet: str, packed: bool) -> bool:
    """Whether the one folder around all is no student's: it holds folders or several files."""
    if not all(len(f.parts) > 1 for f in files):
        return False
    notebooks = [f.parts for f in files if f.parts[-1].lower().endswith(".ipynb")]
    folders = {parts[1] for parts in notebooks if len(parts) > 2} - {sheet}
    flat = {f.parts[1] for f in files if len(f.parts) == 2}
    told = flat and not folders and all(CANVAS.match(n) or MOODLE.match(n) for n in flat)
    return len(folders) > 1 or bool(told) or (packed and len(folders | flat) > 1)


def _listed(place: Path) -> Iterator[_File]:
    for folder, inner, names in os.walk(place):
        links = [name for name in inner if (Path(folder) / name).is_symlink()]
        inner[:] = sorted(n for n in inner if n not in IGNORED and n[0] != "." and n not in links)
        for name in sorted([*names, *links]):
            path = Path(folder) / name
            parts = path.relative_to(place).parts
            if name in IGNORED or name.startswith("."):
                continue
            if path.is_symlink() or not path.is_file():
                told = f"{name} is a link or no plain file; it was not followed."
                yield _File(parts, (0,), 0, bytes, told)
            elif path.suffix.lower() == ".zip":
                yield from _zipped(path.read_bytes, parts, 2)
            else:
                found = path.stat()
                yield _File(parts, (found.st_mtime,), found.st_size, path.read_bytes)


def _zipped(read: Callable[[], bytes], parts: tuple[str, ...], depth: int) -> Iterator[_File]:
    """The files of a zip as if they lay beside it; zips in it, too, down to `depth`."""
    above = (*parts[:-1], Path(parts[-1]).stem) if parts else ()
    try:
        archive = zipfile.ZipFile(io.BytesIO(read()))
        members = [m for m in archive.infolist() if not m.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        yield _File((*above, parts[-1] if parts else "zip"), (0,), 0, bytes, _damaged(parts))
        return
    if len(members) > MEMBERS or sum(m.file_size for m in members) > UNPACKED:
        told = f"{parts[-1] if parts else 'the zip'} unpacks to too much; it was not opened."
        yield _File((*above, parts[-1] if parts else "zip"), (0,), 0, bytes, told)
        return
    for member in members:
        inner = tuple(p for p in re.split(r"[/\\]", member.filename) if p not in ("", ".", ".."))
        if not inner or any(p in IGNORED or p.startswith(".") for p in inner):
            continue
        taken = _member(archive, member)
        if (member.external_attr >> 16) & 0o170000 == 0o120000:
            told = f"{inner[-1]} is a link or no plain file; it was not followed."
            yield _File((*above, *inner), (0,), 0, bytes, told)
        elif inner[-1].lower().endswith(".zip") and depth and member.file_size <= 10 * NOTEBOOK:
            yield from _zipped(taken, (*above, *inner), depth - 1)
        else:
            yield _File((*above, *inner), member.date_time, member.file_size, taken)


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            with archive.open(member) as opened:
                return opened.read(10 * NOTEBOOK)  # more than it says it is: cut
        except (RuntimeError, zipfile.BadZipFile, NotImplementedError, EOFError, ValueError):
            raise OSError("it cannot be unpacked (damaged, or locked with a password)") from None
        except Exception as error:  # zlib.error, lzma.LZMAError and their like
            raise OSError(f"it cannot be unpacked ({type(error).__name__})") from None

    return read


def _damaged(parts: tuple[str, ...]) -> str:
    return f"{parts[-1] if parts else 'the zip'} is damaged; it cannot be unpacked."


def _who(parts: tuple[str, ...], sheet: str) -> tuple[str, str]:
    """Whose file it is: name, and Canvas's or Moodle's number or ""."""
    first = unicodedata.normalize("NFC", parts[0])
    told = CANVAS.match(first) or MOODLE.match(first)  # a file, or the folder of a zip file
    if told:
        return told["name"], told["id"]
    if len(parts) > 1:
        return first, ""
    name = re.sub(r"(\.ipynb)+$", "", first, flags=re.IGNORECASE)
    name = name if name != first else Path(first).stem
    return re.sub(rf"(^{sheet}[-_ ]+)|([-_ ]+{sheet}$)", "", name), ""


def _late(file: _File) -> bool:
    """Whether Canvas says so in the name."""
    told = CANVAS.match(file.parts[0])
    return bool(told and told["late"])


def _safe(name: str, taken: set[str]) -> str:
    """A name that is good as a file's and nobody else's: letters, digits, "-", "_", "."."""
    name = "".join(c if c.isalnum() or c in "-_." else "-" for c in name.strip())[:80]
    name = name.strip(".-") or "nameless"
    free = (f"{name}-{k}" if k > 1 else name for k in range(1, len(taken) + 2))
    return next(n for n in free if n.casefold() not in taken)


def _chosen(student: str, files: list[_File], sheet: str) -> Submission:
    named = lambda f: "/".join(f.parts)  # noqa: E731 - used twice, right here
    notebooks = [f for f in files if f.parts[-1].lower().endswith(".ipynb")]
    usable = [f for f in notebooks if not f.problem]
    if not usable:
        first = (notebooks or sorted(files, key=lambda f: not f.problem))[0]
        names = ", ".join(f.parts[-1] for f in files)[:200]
        told = first.problem or f"No notebook (.ipynb) was handed in; there is {names}."
        return Submission(student, named(first), ("late",) * _late(first), told)
    own = [f for f in usable if sheet in "/".join(f.parts[-2:]).lower()] or usable
    newest = max(own, key=lambda f: (_late(f), f.time, f.parts))
    flags = ["late"] if _late(newest) else []
    if len(usable) > 1:
        flags.append(f"{len(usable)} notebooks, the newest was taken: {newest.parts[-1]}")
    if newest.size > NOTEBOOK:
        told = f"The notebook has {newest.size / 1e6:.0f} MB; clear its outputs and save again."
        return Submission(student, named(newest), tuple(flags), told)
    return Submission(student, named(newest), tuple(flags), "", newest.read)
