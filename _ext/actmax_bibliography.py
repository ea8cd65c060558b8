"""A reference list whose labels are what the text says, "Olah et al., 2017", instead of numbers."""

import codecs
from collections import Counter

import latexcodec  # noqa: F401  # registers "ulatex"
from pybtex.plugin import register_plugin
from pybtex.style.formatting.plain import Style as PlainStyle
from pybtex.style.labels import BaseLabelStyle


def author_year(entry) -> str:
    """Label of one entry, without regard to the others."""
    people = entry.persons.get("author", [])
    names = [_plain(" ".join(p.prelast_names + p.last_names)) for p in people]
    who = " and ".join(names[:2]) if len(names) < 3 else f"{names[0]} et al."
    return f"{who or entry.key}, {entry.fields.get('year', 'no date')}"


def _plain(name: str) -> str:
    """A name as it is read, without LaTeX's accents and braces."""
    return codecs.decode(name, "ulatex").replace("{", "").replace("}", "")


class AuthorYear(BaseLabelStyle):
    """Author and year, with a, b, ... where these agree."""

    def format_labels(self, sorted_entries):
        """Labels in the order of the entries."""
        labels = [author_year(entry) for entry in sorted_entries]
        count, used = Counter(labels), Counter()
        for label in labels:
            yield label + (chr(ord("a") + used[label]) if count[label] > 1 else "")
            used[label] += 1


class Style(PlainStyle):
    """The plain style with these labels."""

    default_label_style = AuthorYear


def setup(app) -> dict:
    """Register the style `actmax`."""
    register_plugin("pybtex.style.formatting", "actmax", Style)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
