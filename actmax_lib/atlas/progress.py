"""What a waiting person sees on stderr: how much is done and how long the rest will take."""

import sys
import time
from collections.abc import Callable
from pathlib import Path


def clock(seconds: float) -> str:
    """A duration in two units at most."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


class Progress:
    """Counts finished parts in the folder, so those of other processes count, too.

    say: sentences that matter, always printed. Lines about progress stay away when ``quiet``.
    """

    def __init__(self, name: str, quiet: bool, speaks: bool) -> None:
        self.name, self.shown = name, speaks and not quiet
        self.live = self.shown and sys.stderr.isatty()
        self.begin = self.last = time.monotonic()
        self.total = self.before = 0
        self.count: Callable[[], int] = lambda: 0

    def start(self, parts: Path, sizes: dict[str, int]) -> None:
        """sizes: the classes of each part, by file name."""
        self.count = lambda: sum(sizes.get(file.name, 0) for file in parts.glob("*.npz"))
        self.total, self.before = sum(sizes.values()), self.count()
        self.begin = time.monotonic()
        if self.before and self.before < self.total:
            self.line(f"{self.before} of {self.total} classes are there already")

    def say(self, text: str) -> None:
        """A sentence that matters."""
        print(f"{self.name}: {text}", file=sys.stderr, flush=True)

    def line(self, text: str) -> None:
        """A sentence that --quiet leaves out."""
        if self.shown:
            self.say(text)

    def report(self, ahead: float = 0.0, end: str = "\n") -> None:
        """How far it is; ``ahead``: classes' worth of steps done since the last part."""
        if not self.shown:
            return
        done = min(self.count() + ahead, self.total)
        gone = time.monotonic() - self.begin
        new = done - self.before
        left = f", about {clock(gone * (self.total - done) / new)} left" if new > 0 else ""
        text = f"{done:.0f} of {self.total} classes, {clock(gone)} gone{left}"
        print(f"{self.name}: {text}", end=end, file=sys.stderr, flush=True)

    def tick(self, ahead: float) -> None:
        """The same within a part, on a terminal only and at most once a second."""
        now = time.monotonic()
        if self.live and now - self.last > 1:
            self.last = now
            self.report(ahead, end="   \r")
