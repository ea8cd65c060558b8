"""Make everything of the sheets: `python -m classroom build [sheet ...]`; `make assignments`.

Committed: the page and the student notebook beside each source. In the output folder: solution,
rubric, hand-out and autograder, which are for teachers.
"""

import argparse
import sys
from os.path import relpath
from pathlib import Path

from _ext.actmax_launch import repository
from classroom import packages
from classroom.notebooks import solution_notebook, student_notebook, text_of
from classroom.pages import page
from classroom.rubric import printable, rubric
from classroom.sheets import ROOT, SHEETS, Sheet, load

OUTPUT = ROOT / "_build" / "assignments"


def committed(sheet: Sheet) -> dict[Path, str]:
    """The files beside the source that are made from it: path to content."""
    where, beside = repository(ROOT), sheet.folder.parent
    return {
        beside / f"{sheet.name}.md": page(sheet, where),
        beside / f"{sheet.name}.ipynb": text_of(student_notebook(sheet, where)),
    }


def differing(sheet: Sheet) -> list[Path]:
    """Committed files that are missing or not what the source makes."""
    return [
        path
        for path, text in committed(sheet).items()
        if not path.is_file() or path.read_text("utf-8") != text
    ]


def write(sheet: Sheet, output: Path) -> list[Path]:
    """Write all files of a sheet; the committed ones in place, the others to `output`/<sheet>/.

    The autograder is left out where otter-grader is not installed. Returns what was written.
    """
    sheet.hidden()  # refuses points that do not agree, before anything is written
    folder = output / sheet.name
    folder.mkdir(parents=True, exist_ok=True)
    texts, marks = committed(sheet), rubric(sheet)
    notebook = texts[sheet.folder.parent / f"{sheet.name}.ipynb"]
    texts[folder / f"{sheet.name}-solution.ipynb"] = text_of(
        solution_notebook(sheet, repository(ROOT))
    )
    texts[folder / f"{sheet.name}-rubric.md"] = marks
    texts[folder / f"{sheet.name}-rubric.html"] = printable(marks)
    for path, text in texts.items():
        path.write_text(text, "utf-8")
    zips = [folder / f"{sheet.name}-handout.zip", folder / f"{sheet.name}-autograder.zip"]
    zips[0].write_bytes(packages.hand_out(sheet, notebook))
    if packages.otter_installed():
        packages.autograder(sheet, zips[1])
    else:
        zips.pop().unlink(missing_ok=True)
    return [*texts, *zips]


def main(arguments: list[str] | None = None) -> int:
    """The command line; 0 if all went well, with --check if nothing is out of step."""
    parser = argparse.ArgumentParser("python -m classroom build", description=__doc__)
    known = ", ".join(SHEETS)
    told_help = f"one of {known}, or a folder with a sheet of your own (default: all)"
    parser.add_argument("sheets", nargs="*", metavar="sheet", help=told_help)
    parser.add_argument("--out", type=Path, default=OUTPUT, help="default: _build/assignments")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if a committed file is old"
    )
    told = parser.parse_args(arguments)
    for name in told.sheets:
        if name not in SHEETS and not Path(name, "sheet.md").is_file():
            parser.error(f"{name} is no sheet and no folder with a sheet.md; there is {known}")
    names = told.sheets or SHEETS
    sheets = [load(name if name in SHEETS else Path(name).resolve()) for name in names]
    if told.check:
        old = [path for sheet in sheets for path in differing(sheet)]
        for path in old:
            print(f"{relpath(path)} is not what its source makes: run `make assignments`")
        return 1 if old else 0
    for sheet in sheets:
        made = write(sheet, told.out)
        print(f"{sheet.name}: {', '.join(relpath(path) for path in made[:2])}", flush=True)
    if not packages.otter_installed():
        print("otter-grader is not installed: no autograder packages (`make assignments` adds it)")
    print(f"The zips to hand out, and what is for teachers alone: {relpath(told.out)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
