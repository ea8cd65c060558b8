"""`python -m classroom grade ...` and `python -m classroom build ...`."""

import os
import sys

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before NumPy: judges are forked, one per core

USAGE = """usage, in the folder of the book:
  python -m classroom grade SHEET SUBMISSIONS --out FOLDER   grade a class in a sandbox
  python -m classroom build [SHEET ...]                      write what is handed out, and the rest
Each has --help."""


def main() -> int:
    """Run a subcommand; 2 for one that is not known."""
    command, arguments = (sys.argv[1:2] or [""])[0], sys.argv[2:]
    if command == "grade":
        from classroom.grade import main as grade

        return grade(arguments)
    if command == "build":
        from classroom.build import main as build

        return build(arguments) or 0
    print(USAGE, file=sys.stderr)
    return 0 if command in ("-h", "--help") else 2


if __name__ == "__main__":
    sys.exit(main())
