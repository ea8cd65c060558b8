"""The command line: ``python -m actmax_lib.study --help``."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from actmax_lib.study.merge import MARK, Gathered, expanded, gather, report
from actmax_lib.study.records import COLUMNS
from actmax_lib.study.session import LENGTHS, LEVELS, load_design, schedule
from actmax_lib.study.table import shown
from actmax_lib.study.told import text

MERGED = ",".join(("participant", *COLUMNS))  # the header of --csv


def parser() -> argparse.ArgumentParser:
    """The two commands and their options."""
    p = argparse.ArgumentParser(
        prog="python -m actmax_lib.study", description="The study of the book, for a teacher."
    )
    commands = p.add_subparsers(dest="command", required=True)
    m = commands.add_parser(
        "merge",
        help="pool the CSV files of many readers",
        description="Pool the files that readers exported, with intervals over participants. A "
        "file that is cut, changed, doubled or of another version is named and left out. Exit "
        "status: 0 every file counted, 1 some were left out, 2 none counted or a wrong request.",
    )
    m.add_argument(
        "files", nargs="+", help="files, folders, or patterns such as '*.csv' and '**/*.csv'"
    )
    m.add_argument("--json", type=Path, metavar="FILE", help="write the whole report there too")
    m.add_argument("--csv", type=Path, metavar="FILE", help="write all counted answers there too")
    m.add_argument(
        "--catch", type=float, metavar="BAR", help="drop participants below this share of right "
        "catch trials, such as 0.8; without it they are named and kept",
    )  # fmt: skip
    s = commands.add_parser("schedule", help="print the trials of a seed, with the right answers")
    s.add_argument("seed", type=int)
    s.add_argument("--mode", choices=tuple(LEVELS), default="matching")
    s.add_argument("--length", choices=LENGTHS, default="short")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status as `parser` says."""
    options = parser().parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a file may be called what a terminal cannot show
            stream.reconfigure(errors="backslashreplace")
    try:
        return _schedule(options) if options.command == "schedule" else _merge(options)
    except (OSError, ValueError) as error:
        print(f"study: {shown(error)}", file=sys.stderr)
        return 2


def _merge(options: argparse.Namespace) -> int:
    for option, start in (("csv", MERGED), ("json", f'{{\n "report": "{MARK}"')):
        _may_write(f"--{option}", getattr(options, option), start)
    results = {path.resolve() for path in (options.csv, options.json) if path}
    files = [path for path in expanded(options.files) if path.resolve() not in results]
    gathered = gather(files)
    found = report(gathered, catch=options.catch)
    print(text(found), end="")
    if options.json:
        told = json.dumps(found, indent=1, allow_nan=False)
        options.json.write_text(told + "\n", encoding="utf-8", newline="\n")
    if options.csv:
        options.csv.write_text(_table(gathered, found), encoding="utf-8", newline="\n")
    if not found["counted"]:
        print("study: no file counted", file=sys.stderr)
        return 2
    return 1 if gathered.left_out else 0


def _may_write(option: str, path: Path | None, start: str) -> None:
    """Raise ValueError where ``path`` holds anything but an earlier result: it may be answers."""
    if path is None or not path.exists():
        return
    if not path.is_file() or not path.read_bytes().startswith(start.encode()):
        raise ValueError(
            f"{option} {path} is there already and is no earlier result of merge; nothing was "
            "written, give another name"
        )


def _table(gathered: Gathered, found: dict) -> str:
    """All answers that count, under the number of their participant: no name of a file."""
    counted = {
        p["participant"] for m in found["modes"].values() for p in m["participants"] if p["counted"]
    }
    lines = [
        ",".join((str(number), *row))
        for number, session in enumerate(gathered.sessions, 1)
        if number in counted
        for row in session.rows
    ]
    return "\n".join([MERGED, *lines]) + "\n"


def _schedule(options: argparse.Namespace) -> int:
    trials = schedule(options.seed, options.mode, options.length, load_design())
    print("trial  phase     condition  unit  batch  level      right answer")
    for t in trials:
        print(
            f"{t.index:>5}  {t.phase:<8}  {t.condition:<9}  {t.unit:>4}  {t.batch:>5}  "
            f"{t.level:<9}  {t.side}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
