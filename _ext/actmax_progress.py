"""Say which cell of which chapter is running: a chapter that draws for a minute is not a hang."""

import threading
import time

from jupyter_cache.executors import utils
from nbclient import execute

PERIOD = 5.0  # seconds from one look to the next
SILENCE = 15.0  # longest time without a line, in seconds


class Heartbeat(threading.Thread):
    """Looks every `PERIOD` seconds; prints a line for a new cell, or after `SILENCE`."""

    def __init__(self, chapter: str, cells: int):
        super().__init__(daemon=True)
        self.chapter, self.cells, self.cell = chapter, cells, 0
        self.start_time, self.over = time.monotonic(), threading.Event()

    def run(self) -> None:
        """Thread body."""
        said, when = None, 0.0
        while not self.over.wait(PERIOD):
            seconds = time.monotonic() - self.start_time
            if self.cell == said and seconds - when < SILENCE:
                continue
            said, when = self.cell, seconds
            where = f"code cell {said} of {self.cells}" if said else "starting the kernel"
            print(f"  {self.chapter}: {where}, {seconds:.0f} s", flush=True)


def install(app) -> None:
    """Wrap the one call by which the cache runs a notebook; it offers no hook of its own."""
    current = {"chapter": ""}
    app.connect("source-read", lambda _, docname, __: current.update(chapter=docname))

    def run(nb, **options):
        is_code = [cell.cell_type == "code" for cell in nb.cells]
        beat = Heartbeat(current["chapter"], sum(is_code))

        def on_cell_start(cell, cell_index):
            beat.cell = sum(is_code[: cell_index + 1])

        print(f"executing {beat.chapter} ({beat.cells} code cells)", flush=True)
        beat.start()
        try:
            return execute(nb, on_cell_start=on_cell_start, **options)
        finally:
            beat.over.set()
            seconds = time.monotonic() - beat.start_time
            print(f"executed {beat.chapter} in {seconds:.1f} s", flush=True)

    utils.executenb = run


def setup(app) -> dict:
    """Register with Sphinx."""
    app.connect("builder-inited", install)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
