"""The two tiny books of books.py, each built once a session."""

import shutil

import pytest

from scripts.gates import Book
from tests.book import books


@pytest.fixture(scope="session")
def good(tmp_path_factory):
    """(folder, build) of the good book."""
    folder = books.write_book(tmp_path_factory.mktemp("good") / "book", books.GOOD)
    return folder, books.build(folder)


@pytest.fixture(scope="session")
def bad(tmp_path_factory):
    """(folder, build) of the book full of faults."""
    folder = books.write_book(tmp_path_factory.mktemp("bad") / "book", books.BAD)
    return folder, books.build(folder)


@pytest.fixture
def good_copy(good, tmp_path):
    """A built good book to plant a fault in."""
    folder = shutil.copytree(good[0], tmp_path / "book")
    return Book(folder, folder / "_build" / "html")
