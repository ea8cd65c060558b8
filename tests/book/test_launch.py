"""Buttons for a notebook: from one address, to the right file, and none that leads nowhere."""

import json
import os
import shutil
import subprocess
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup
from sphinx.errors import ConfigError

from _ext.actmax_launch import Repository, repository
from scripts import gates
from scripts.notebooks import documents
from tests.book import books
from tests.book.books import ROOT

NOTEBOOK = "chapters/first.ipynb"
GITHUB = Repository("https://github.com/someone/a-book", "main", "")


def with_notebooks(folder, url: str, hub: str = ""):
    """The good tiny book with a notebook beside its chapter, and this address."""
    books.write_book(folder, {**books.GOOD, "chapters/bare": "# Bare\n\nNo notebook.\n"})
    (folder / NOTEBOOK).write_text(json.dumps({"cells": [], "nbformat": 4, "nbformat_minor": 5}))
    settings = yaml.safe_load((folder / "_config.yml").read_text())
    settings["repository"] = {"url": url, "branch": "main"}
    settings["launch_buttons"]["jupyterhub_url"] = hub
    (folder / "_config.yml").write_text(yaml.safe_dump(settings))
    return folder


def links(page) -> dict[str, str]:
    """Address by name, of all links in the page's header."""
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    found = soup.select(".article-header-buttons a")
    return {link.get_text(strip=True): link["href"] for link in found}


@pytest.fixture(scope="module")
def online(tmp_path_factory):
    """A book with an address, built with warnings as errors and checked by all gates."""
    address = "https://github.com/someone/a-book"
    folder = with_notebooks(tmp_path_factory.mktemp("online") / "book", address)
    result = books.build(folder)
    assert result.returncode == 0, result.stdout
    return folder


def test_with_an_address_a_page_opens_its_notebook(online):
    found = links(online / "_build/html/chapters/first.html")
    assert found == {
        "Google Colab": "https://colab.research.google.com/github/someone/a-book/blob/main/"
        "chapters/first.ipynb",
        "JupyterLab on Binder": "https://mybinder.org/v2/gh/someone/a-book/main"
        "?urlpath=lab%2Ftree%2Fchapters%2Ffirst.ipynb",
        ".ipynb": "../_sources/chapters/first.ipynb",
        ".md": "../_sources/chapters/first.md",
    }
    copy = online / "_build/html/_sources" / NOTEBOOK
    assert copy.read_bytes() == (online / NOTEBOOK).read_bytes()


@pytest.mark.parametrize("page", ["chapters/bare", "intro"])
def test_a_page_without_a_notebook_has_no_button(online, page):
    assert list(links(online / f"_build/html/{page}.html")) == [".md"]


def test_the_buttons_load_nothing_from_elsewhere_and_have_names(online):
    page = (online / "_build/html/chapters/first.html").read_text()
    soup = BeautifulSoup(page, "html.parser")
    pictures = soup.select(".dropdown-launch-buttons img")
    assert len(pictures) == 2
    for picture in pictures:
        assert (online / "_build/html/chapters" / picture["src"]).resolve().is_file()
    assert soup.select_one(".dropdown-launch-buttons button")["aria-label"]
    sheet = next((online / "_build/html/_static/vendor/fontawesome").glob("*/css/all.min.css"))
    assert ".fa-rocket:before" in sheet.read_text()
    book = gates.Book(online, online / "_build/html")
    assert [gate(book) for gate in gates.GATES.values()] == [[]] * len(gates.GATES)


def test_without_an_address_it_can_be_downloaded_only(good, tmp_path):
    folder = shutil.copytree(good[0], tmp_path / "book")
    assert list(links(folder / "_build/html/chapters/first.html")) == [".md"]
    (folder / NOTEBOOK).write_text("{}")
    assert books.build(folder).returncode == 0
    assert list(links(folder / "_build/html/chapters/first.html")) == [".ipynb", ".md"]


def test_every_page_with_a_notebook_offers_it():
    built = ROOT / "_build/html"
    if not (built / "index.html").is_file():
        pytest.skip("the book is not built: run `make book` first")
    for name in documents():
        assert links(built / f"{name}.html")[".ipynb"].endswith(f"_sources/{name}.ipynb"), name


def opened(where: Repository) -> dict[str, str]:
    return {place["text"]: place["url"] for place in where.launchers(NOTEBOOK)}


@pytest.mark.parametrize(
    ("url", "begins"),
    [
        ("https://gitlab.com/group/part/book", "gl/group%2Fpart%2Fbook/main"),
        ("https://git.example.edu/x/book", "git/https%3A%2F%2Fgit.example.edu%2Fx%2Fbook/main"),
    ],
)
def test_another_host_has_binder_and_no_colab(url, begins):
    found = opened(Repository(url, "main", ""))
    assert list(found) == ["JupyterLab on Binder"]
    assert found["JupyterLab on Binder"].startswith(f"https://mybinder.org/v2/{begins}?urlpath=")


def test_a_branch_with_a_slash():
    found = opened(Repository(GITHUB.url, "autumn/2026", ""))
    assert "/blob/autumn/2026/chapters/" in found["Google Colab"]
    assert "/a-book/autumn%2F2026?urlpath=" in found["JupyterLab on Binder"]


def test_a_hub_of_ones_own():
    where = Repository(GITHUB.url, "main", "https://hub.example.edu")
    address = urlsplit(opened(where)["JupyterLab on our hub"])
    assert address.netloc == "hub.example.edu"
    assert address.path == "/hub/user-redirect/git-pull"
    asked = {key: unquote(value) for key, (value,) in parse_qs(address.query).items()}
    assert asked == {"repo": GITHUB.url, "branch": "main", "urlpath": f"lab/tree/a-book/{NOTEBOOK}"}


def test_no_address_no_place():
    assert Repository("", "main", "https://hub.example.edu").launchers(NOTEBOOK) == []


@pytest.mark.parametrize(
    ("text", "url", "branch"),
    [
        ("title: x", "", "main"),
        ("repository:", "", "main"),
        ("repository: {url: ''}", "", "main"),
        ("repository: {url: https://github.com/a/b.git}", "https://github.com/a/b", "main"),
        ("repository: {url: https://github.com/a/b/, branch: x}", "https://github.com/a/b", "x"),
    ],
)
def test_the_setting_is_read(tmp_path, text, url, branch):
    (tmp_path / "_config.yml").write_text(text)
    assert repository(tmp_path) == Repository(url, branch, "")


@pytest.mark.parametrize(
    "url", ["github.com/a/b", "git@github.com:a/b.git", "https://github.com/a"]
)
def test_an_address_that_is_none_is_refused_in_words(tmp_path, url):
    (tmp_path / "_config.yml").write_text(yaml.safe_dump({"repository": {"url": url}}))
    with pytest.raises(ConfigError, match="must look like https://host/owner/name"):
        repository(tmp_path)


def test_binder_gets_the_tested_set():
    folder = ROOT / ".binder"
    lines = (folder / "requirements.txt").read_text(encoding="utf-8").splitlines()
    named = [line.split()[1] for line in lines if line.startswith(("-r ", "-c "))]
    assert [(folder / name).resolve() for name in named] == [
        ROOT / "requirements.txt",
        ROOT / "constraints.txt",
    ]
    assert (folder / "runtime.txt").read_text().strip() == "python-3.11"


def test_binder_installs_the_library_and_opens_markdown_as_notebooks(tmp_path):
    (tmp_path / "python").write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / "python").chmod(0o755)
    path = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    path.pop("JUPYTER_CONFIG_PATH", None)

    def said(*command: str) -> str:
        done = subprocess.run(
            command, cwd=ROOT, env=path, capture_output=True, text=True, check=True
        )
        return done.stdout

    assert said(".binder/postBuild").split()[:3] == ["-m", "pip", "install"]
    assert said(".binder/postBuild").split()[-2:] == ["-e", "."]
    found = said(".binder/start", "printenv", "JUPYTER_CONFIG_PATH").strip()
    assert found == f"{ROOT}/.jupyter"
