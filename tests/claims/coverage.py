"""Reads the chapters and finds the equations, statements and numbers that have no claim.

Not scanned for numbers: code cells and blocks, display mathematics, directive lines and options,
roles (``{glue:text}`` is how a chapter prints a number its own code computed), link targets,
tags, comments, front matter, version strings with two dots.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from . import all_claims, definitions, measure

STATEMENTS = re.compile(
    r"prf:(proposition|theorem|lemma|corollary|criterion|property|observation|conjecture)"
)
LITERAL = re.compile(
    r"code|code-block|code-cell|sourcecode|literalinclude|raw|eval-rst|mermaid|toctree|"
    r"tableofcontents|bibliography|include|image|video|iframe"
)
FENCE = re.compile(r"^(?P<indent>[\s>]*)(?P<mark>`{3,}|~{3,}|:{3,})\s*(?P<info>.*?)\s*$")
OPTION = re.compile(r"^[\s>]*:(?P<key>[\w-]+):\s*(?P<value>.*?)\s*$")
DOLLARS = re.compile(r"\$\$(?P<body>.*?)\$\$(?:[ \t]*\((?P<label>[^()\s]+)\))?", re.DOTALL)
AMSMATH = re.compile(r"\\begin\{(?:equation|align|gather|multline|eqnarray|alignat|flalign)\}")
TAGS = (
    "a|abbr|b|br|button|code|dd|details|div|dl|dt|em|figcaption|figure|i|iframe|img|input|kbd|label|"
    "li|ol|p|picture|script|section|source|span|strong|style|sub|summary|sup|svg|table|tbody|td|th|"
    "thead|tr|ul|video"
)
NOT_PROSE = [
    re.compile(r"<!--.*?-->", re.DOTALL),
    re.compile(r"(?m)^\s*%.*$"),  # comment line
    re.compile(r"(?m)^\([^()\s]+\)=\s*$"),  # target
    re.compile(r"\{(?!math\})[\w:+.-]+\}(?P<tick>`+)[^`]+(?P=tick)"),  # role
    re.compile(r"(?<=\])\([^)\n]*\)"),  # link target
    re.compile(r"(?m)^\s*\[[^\]\n]+\]:\s*\S+.*$"),  # link definition
    re.compile(r"https?://\S+"),
    re.compile(rf"</?(?:{TAGS})\b[^<>]*>", re.IGNORECASE),
]
NUMBER = re.compile(
    r"(?<![\w.])(?:"
    r"(?P<percent>\d*\.?\d+)\s*(?:%|per\s?cent\b)"
    r"|(?P<decimal>\d*\.\d+(?:e[-+]?\d+)?|\d+e[-+]?\d+)(?!\w|\.\d)"
    r")"
)


SOURCE = "sheet.md"  # of an assignment: the page made of it counts


@dataclass(frozen=True)
class Gap:
    """Something a chapter states without a claim."""

    file: str
    line: int
    kind: str
    text: str


@dataclass
class Page:
    """labels: (line, kind, label or None) of equations and statements; prose: the rest, by line."""

    labels: list[tuple[int, str, str | None]] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)


def _blank(text: str) -> str:
    return "\n" * text.count("\n") or " "


def _options(lines: list[str], start: int) -> tuple[dict[str, str], int]:
    """The ``:key: value`` lines, or the ``---`` block, that follow a directive's first line."""
    options, at = {}, start
    if at < len(lines) and lines[at].strip(" >") == "---":
        end = next((i for i in range(at + 1, len(lines)) if lines[i].strip(" >") == "---"), at)
        pairs = (line.partition(":") for line in lines[at + 1 : end])
        return {key.strip(" >"): value.strip() for key, _, value in pairs}, end + 1
    while at < len(lines) and (found := OPTION.match(lines[at])):
        options[found["key"]] = found["value"]
        at += 1
    return options, at


def read(text: str) -> Page:
    """Split a MyST page into labels and prose; line numbers are kept."""
    page, lines = Page(), text.split("\n")
    at, closers = 0, []
    if lines[0].strip() == "---":
        at = next((i + 1 for i in range(1, len(lines)) if lines[i].strip() == "---"), 0)
        page.prose += [""] * at
    while at < len(lines):
        found = FENCE.match(lines[at])
        if not found:
            page.prose.append(lines[at])
            at += 1
            continue
        mark, info, opened = found["mark"], found["info"], at
        if not info and closers and mark[0] == closers[-1][0] and len(mark) >= len(closers[-1]):
            closers.pop()
            page.prose.append("")
            at += 1
            continue
        directive = re.match(r"\{([\w:+-]+)\}\s*(.*)", info)
        name, title = directive.groups() if directive else ("", "")
        options, at = _options(lines, at + 1) if directive else ({}, at + 1)
        if STATEMENTS.fullmatch(name):
            page.labels.append((opened + 1, "statement", options.get("label")))
        # a directive's title is prose; the argument of these is a name or a path
        literal = not name or name == "math" or LITERAL.fullmatch(name)
        page.prose += ["" if literal else title, *[""] * (at - opened - 1)]
        if not literal:
            closers.append(mark)
            continue
        if name == "math" and (options.get("label") or options.get("name")):
            label = options.get("label") or options.get("name")
            page.labels.append((opened + 1, "equation", label))
        end = re.compile(rf"^[\s>]*{re.escape(mark[0])}{{{len(mark)},}}\s*$")
        body = at
        while at < len(lines) and not end.match(lines[at]):
            at += 1
        if name == "math" and re.search(r"\\label\{", "\n".join(lines[body:at])):
            page.labels.append((opened + 1, "equation", None))
        at = min(at + 1, len(lines))
        page.prose += [""] * (at - body)
    page.prose = _without_display(page, "\n".join(page.prose)).split("\n")
    return page


def _without_display(page: Page, prose: str) -> str:
    """``prose`` without ``$$`` blocks and other non-prose; their labels go to the page."""
    prose = NOT_PROSE[0].sub(lambda found: _blank(found[0]), prose)

    def take(found: re.Match) -> str:
        line = prose.count("\n", 0, found.start()) + 1
        if found["label"]:
            page.labels.append((line, "equation", found["label"]))
        return _blank(found[0])

    out = DOLLARS.sub(take, prose)
    for found in AMSMATH.finditer(out):  # MyST numbers these, and nothing can refer to them
        page.labels.append((out.count("\n", 0, found.start()) + 1, "equation", None))
    for pattern in NOT_PROSE[1:]:
        out = pattern.sub(lambda found: _blank(found[0]), out)
    out = out.replace(r"\%", "%").replace(r"\,", " ").replace("\u00a0", " ").replace("~", " ")
    return re.sub(r"\\[a-zA-Z]+", " ", out)  # \lambda0.5 is a number too


def normal(number: str) -> str:
    """One spelling for a number: "82%" and "82 per cent" are "82 %"; no sign."""
    found = NUMBER.search(number)
    if not found:
        return number
    return f"{found['percent']} %" if found["percent"] else found["decimal"]


def pages(root: Path) -> Iterable[tuple[str, str, Page]]:
    """(path from root, chapter, page) of the book's Markdown."""
    for path in [root / "intro.md", *sorted((root / "chapters").rglob("*.md"))]:
        if path.exists() and "_build" not in path.parts and path.name != SOURCE:
            name = path.relative_to(root).as_posix()
            yield name, path.stem, read(path.read_text(encoding="utf-8"))


def coverage(root: Path) -> list[Gap]:
    """What the book under ``root`` states without a claim; empty when all is checked."""
    known = {label for entry in all_claims() for label in entry.labels}
    exempt = definitions()
    numbers: dict[str, set[str]] = {}
    gaps = []
    for name, chapter, page in pages(Path(root)):
        for line, kind, label in sorted(page.labels, key=lambda entry: entry[0]):
            if label is None:
                gaps.append(Gap(name, line, kind, "has no label"))
            elif label not in known and not (kind == "equation" and label in exempt):
                gaps.append(Gap(name, line, kind, label))
        for line, text in enumerate(page.prose, 1):
            for found in NUMBER.finditer(text):
                if chapter not in numbers:
                    own = [entry for entry in all_claims() if entry.chapter == chapter]
                    numbers[chapter] = {normal(n) for e in own for n in measure(e).numbers}
                if normal(found[0]) not in numbers[chapter]:
                    gaps.append(Gap(name, line, "number", found[0]))
    return gaps


def orphans(root: Path) -> list[str]:
    """Claimed or exempted labels that no page of the book has.

    ``remark:...`` names a claim about running text, which has no label to find.
    """
    present = {label for _, _, page in pages(Path(root)) for _, _, label in page.labels}
    claimed = {label for entry in all_claims() for label in entry.labels}
    missing = {*claimed, *definitions()} - present
    return sorted(label for label in missing if not label.startswith("remark:"))
