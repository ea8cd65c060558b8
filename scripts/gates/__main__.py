"""Command line of the gates: prints each with its problems; exit status 1 if there is any."""

import sys
from pathlib import Path

from . import GATES, Book


def main(arguments: list[str]) -> int:
    """Run every gate on the book built in `arguments[0]` (default `_build/html`)."""
    html = Path(arguments[0] if arguments else "_build/html").resolve()
    book = Book(source=html.parents[1], html=html)
    total = 0
    for name, gate in GATES.items():
        problems = gate(book)
        total += len(problems)
        print(f"gate {name.replace('_', ' ')}: {len(problems) or 'no'} problems", flush=True)
        for problem in problems:
            print(f"  {problem}", flush=True)
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
