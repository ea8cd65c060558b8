"""What the build promises: failures stay failures, the cache knows its inputs, pages are whole."""

import re
import shutil
import time

import pytest

from _ext import actmax_access, actmax_cache, actmax_offline, actmax_progress
from scripts import build_book
from tests.book import books


def test_a_failed_build_fails_again(bad):
    folder, first = bad
    second = books.build(folder)
    assert (first.returncode, second.returncode) == (1, 1)
    assert "stderr was found" in second.stdout
    assert "ZeroDivisionError" in second.stdout


def test_dead_references_stop_the_build(tmp_path):
    faults = [
        "{ref}`no-label`",
        "{cite:t}`nobody1900`",
        "{eq}`eq:none`",
        "![A lost picture](x.png)",
    ]
    text = "# One page\n\n" + "\n\n".join(faults) + "\n"
    result = books.build(books.write_book(tmp_path / "book", {"intro": text}))
    assert result.returncode == 1
    for name in ("no-label", "nobody1900", "eq:none", "x.png"):
        assert re.search(rf"(WARNING|ERROR): .*{name}", result.stdout), name


def test_a_change_in_the_library_reaches_every_page_and_prose_costs_nothing(good, tmp_path):
    folder = shutil.copytree(good[0], tmp_path / "book")
    page = folder / "_build" / "html" / "chapters" / "first.html"
    assert "executing chapters/first" in good[1].stdout
    books.build(folder)

    source = folder / "chapters" / "first.md"
    source.write_text(source.read_text() + "\nMore prose.\n")
    after_prose = books.build(folder)
    assert after_prose.returncode == 0
    assert "executing" not in after_prose.stdout
    assert "the first answer" in page.read_text()

    (folder / "actmax_lib" / "__init__.py").write_text("VALUE = 'the second answer'\n")
    assert "executing chapters/first" in books.build(folder).stdout
    assert "the second answer" in page.read_text()
    assert "the first answer" not in page.read_text()


def _plant(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    "change",
    [
        lambda root: _plant(root / "actmax_lib" / "a.py", "x = 2\n"),
        lambda root: _plant(root / "actmax_lib" / "deep" / "new.npy", "data"),
        lambda root: (root / "actmax_lib" / "a.py").rename(root / "actmax_lib" / "b.py"),
        lambda root: (root / "actmax_lib" / "a.py").unlink(),
        lambda root: _plant(root / "requirements.txt", "numpy==1.0\nscipy\n"),
        lambda root: _plant(root / "constraints.txt", "numpy==1.0\n"),
    ],
    ids=["library", "data", "rename", "removal", "pin", "constraint"],
)
def test_the_fingerprint_sees(tmp_path, change):
    _plant(tmp_path / "actmax_lib" / "a.py", "x = 1\n")
    _plant(tmp_path / "requirements.txt", "numpy==1.0\n")
    patterns = ["actmax_lib/**/*", "requirements.txt", "constraints.txt"]
    before = actmax_cache.fingerprint(tmp_path, patterns, "1")
    _plant(tmp_path / "actmax_lib" / "__pycache__" / "a.pyc", "byte code")
    assert actmax_cache.fingerprint(tmp_path, patterns, "1") == before
    change(tmp_path)
    assert actmax_cache.fingerprint(tmp_path, patterns, "1") != before


def test_the_fingerprint_sees_the_figure_mode_and_what_is_installed(tmp_path, monkeypatch):
    _plant(tmp_path / "requirements.txt", "numpy==1.0\nno-such-package\n")
    before = actmax_cache.fingerprint(tmp_path, [], "1")
    assert actmax_cache.fingerprint(tmp_path, [], "") != before
    assert "no-such-package is absent" in actmax_cache.installed(tmp_path / "requirements.txt")
    monkeypatch.setattr(actmax_cache.metadata, "version", lambda _: "0.0")
    assert actmax_cache.fingerprint(tmp_path, [], "1") != before


def test_the_project_depends_on_all_that_its_outputs_show():
    config = books.ROOT / "_config.yml"
    patterns = build_book_depends(config)
    files = {path.relative_to(books.ROOT).as_posix() for path in
             actmax_cache.dependencies(books.ROOT, patterns)}  # fmt: skip
    assert {"actmax_lib/__init__.py", "web/kit.js", "requirements.txt", "constraints.txt"} <= files
    assert "web/page/book.css" not in files  # a colour of the page is no reason to run all chapters


def build_book_depends(config):
    """The list `actmax_depends` of a _config.yml."""
    from scripts.gates import Book

    return Book(config.parent, config.parent / "_build" / "html").config()["actmax_depends"]


def test_pages_carry_mathjax_and_nothing_of_thebe(good):
    html = good[0] / "_build" / "html"
    engine = html / "_static" / "mathjax"
    assert (engine / "tex-mml-chtml.js").stat().st_size > 1_000_000
    assert len(list(engine.glob("output/chtml/fonts/woff-v2/*.woff"))) > 10
    assert (engine / "input/tex/extensions/boldsymbol.js").is_file()
    assert sum(p.stat().st_size for p in engine.rglob("*") if p.is_file()) < 2_500_000
    page = (html / "chapters" / "first.html").read_text()
    assert "thebe" not in page.lower()
    assert "all.min.js" not in page
    assert 'rel="preload" as="font"' not in page
    assert not list(html.rglob("*thebe*"))


def test_only_the_icons_of_the_pages_stay_in_the_icon_sheet(good):
    css = '.fa{font:x}.fa-sun:before{content:"1"}.fa-a:before,.fa-b:before{content:"2"}'
    slim = actmax_offline.used_icons(css, ['<i class="fa-solid fa-b">'])
    assert slim == '.fa{font:x}.fa-a:before,.fa-b:before{content:"2"}'
    (sheet,) = (good[0] / "_build/html/_static/vendor/fontawesome").glob("*/css/all.min.css")
    assert ".fa-sun:before" in sheet.read_text()  # the theme switch
    assert ".fa-whatsapp:before" not in sheet.read_text()


def test_post_processing_changes_only_what_it_names():
    page = '<p>kept</p><script src="x.js"></script><link rel="stylesheet" href="a.css"/>'
    assert actmax_offline.slim(page) == page
    assert actmax_access.repair(page) == page


def test_repairs_are_stable(good):
    text = (good[0] / "_build" / "html" / "intro.html").read_text()
    assert 'role="listitem"' in text
    assert "doc-biblioentry" not in text
    assert actmax_access.repair(text) == text


def test_a_long_cell_is_announced(capsys, monkeypatch):
    monkeypatch.setattr(actmax_progress, "PERIOD", 0.01)
    beat = actmax_progress.Heartbeat("chapters/slow", 3)
    beat.cell = 2
    beat.start()
    time.sleep(0.1)
    beat.over.set()
    beat.join()
    assert "chapters/slow: code cell 2 of 3" in capsys.readouterr().out


def test_kernels_see_none_of_the_readers_settings():
    variables = build_book.environment(books.ROOT)
    assert variables["ACTMAX_STATIC"] == "1"
    for name in ("IPYTHONDIR", "MPLCONFIGDIR"):
        assert variables[name].startswith(str(books.sys.prefix))
