"""Gates on pages as written: one for each entry, described images, no other host, live links."""

import re
from collections import Counter
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag

from .book import Book

# Attributes whose address the browser asks for without being told to.
LOADING = {
    "script": ["src"],
    "img": ["src", "srcset"],
    "iframe": ["src"],
    "audio": ["src"],
    "video": ["src", "poster"],
    "source": ["src", "srcset"],
    "embed": ["src"],
    "input": ["src"],
    "object": ["data"],
    "use": ["href", "xlink:href"],
    "image": ["href", "xlink:href"],
}
LOADING_LINKS = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "dns-prefetch",
                 "modulepreload", "manifest", "apple-touch-icon", "shortcut"}  # fmt: skip
CSS_ADDRESS = re.compile(r"""(?:url\(\s*|@import\s+)["']?((?:https?:)?//[^"')\s]+)""")
# Ids that the theme itself writes twice, with the reason.
TWICE = {"search-input": "the search page carries its own form and the theme's search dialog"}
NO_WORDS = re.compile(r"^(\.\./)*_images/|^\S+\.(png|svg|jpe?g|gif|webp)$|^<Figure size", re.I)


def every_entry_has_a_page(book: Book) -> list[str]:
    """Each name in _toc.yml has a source and a page; there is at least one."""
    names = book.documents()
    problems = [] if names else ["_toc.yml names no document"]
    for name in names:
        if not book.text(name):
            problems.append(f"{name}: no source")
        if not (book.html / f"{name}.html").is_file():
            problems.append(f"{name}: no page")
    doubled = [name for name, count in Counter(names).items() if count > 1]
    return problems + [f"{name}: twice in _toc.yml" for name in doubled]


def _decorative(tag: Tag) -> bool:
    return tag.get("role") in ("presentation", "none") or tag.get("aria-hidden") == "true"


def images_described(book: Book) -> list[str]:
    """Every image has an alternative text that a person wrote, or is marked as decoration."""
    problems = []
    for page, soup in book.pages().items():
        for image in soup.find_all("img"):
            alt = image.get("alt")
            where = f"{page}: image {str(image.get('src', ''))[:60]}"
            if alt is None:
                problems.append(f"{where} has no alt text")
            elif not alt.strip():
                if not _decorative(image):
                    problems.append(f"{where} has an empty alt text and is not marked decorative")
            elif NO_WORDS.search(alt.strip()):
                problems.append(f"{where} has a file name for alt text: {alt}")
            elif len(alt.strip()) < 10:
                problems.append(f"{where} has an alt text too short to describe it: {alt}")
    return problems


def _external(address: str) -> bool:
    return urlsplit(address.strip()).netloc != ""


def _loaded(soup: BeautifulSoup):
    """Addresses that a page loads by itself."""
    for tag in soup.find_all(LOADING):
        for attribute in LOADING[tag.name]:
            value = tag.get(attribute, "")
            if attribute == "srcset":
                yield from (part.split()[0] for part in value.split(",") if part.split())
            elif value:
                yield value
    for link in soup.find_all("link", href=True):
        if LOADING_LINKS & set(link.get("rel", [])):
            yield link["href"]
    for style in soup.find_all("style"):
        yield from CSS_ADDRESS.findall(style.get_text())
    for tag in soup.find_all(style=True):
        yield from CSS_ADDRESS.findall(tag["style"])


def nothing_external(book: Book) -> list[str]:
    """No page and no style sheet loads anything from another host."""
    problems = []
    for page, soup in book.pages().items():
        problems += [f"{page} loads {a}" for a in _loaded(soup) if _external(a)]
    for sheet in sorted(book.html.rglob("*.css")):
        text = sheet.read_text(encoding="utf-8", errors="replace")
        name = sheet.relative_to(book.html).as_posix()
        problems += [f"{name} loads {address}" for address in CSS_ADDRESS.findall(text)]
    return problems


def _anchors(soup: BeautifulSoup) -> list[str]:
    names = [tag["name"] for tag in soup.find_all("a", attrs={"name": True})]
    return [tag["id"] for tag in soup.find_all(id=True)] + names


def links_resolve(book: Book) -> list[str]:
    """Every link and file inside the book exists, every anchor too, and no id occurs twice."""
    pages = book.pages()
    anchors = {page: Counter(_anchors(soup)) for page, soup in pages.items()}
    problems = []
    for page, counts in anchors.items():
        twice = [name for name, n in counts.items() if n > 1 and name not in TWICE]
        problems += [f"{page}: the id {name} occurs more than once" for name in twice]
    for page, soup in pages.items():
        links = [tag["href"] for tag in soup.find_all(["a", "link"], href=True)]
        for address in {*links, *_loaded(soup)}:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc or address == "#":
                continue
            target = book.html / page
            if parts.path:
                target = target.parent / unquote(parts.path)
            if target.is_dir():
                target /= "index.html"
            if not target.is_file():
                problems.append(f"{page}: {address} leads to no file")
                continue
            name = target.resolve().relative_to(book.html.resolve()).as_posix()
            if parts.fragment and name in anchors and unquote(parts.fragment) not in anchors[name]:
                problems.append(f"{page}: {address} leads to no anchor")
    return problems
