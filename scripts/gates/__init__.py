"""Checks of the built book that the builder itself does not make.

Each gate maps a `Book` to a list of problems, one sentence each; an empty list is a pass.
`python -m scripts.gates [html folder]` runs them all; `make book` ends with it.
"""

from .book import Book
from .execution import current, every_cell_ran, no_stderr, no_traceback
from .html import every_entry_has_a_page, images_described, links_resolve, nothing_external

GATES = {
    gate.__name__: gate
    for gate in [
        every_entry_has_a_page,
        current,
        every_cell_ran,
        no_traceback,
        no_stderr,
        images_described,
        nothing_external,
        links_resolve,
    ]
}

__all__ = ["GATES", "Book", *GATES]
