"""The page of a sheet in the book: statement, hints, what to write, public checks; nothing runs."""

from _ext.actmax_launch import Repository
from classroom.notebooks import questions_table, stated
from classroom.sheets import Cell, Question, Sheet

SHOWN = "text", "setup", "answer", "public", "given"


def page(sheet: Sheet, where: Repository) -> str:
    """MyST of the page; `where` decides in which places the notebook can be opened."""
    opening = [
        f"<!-- Made from {sheet.name}/sheet.md by `python -m classroom build`: edit that one. -->",
        f"(sheet-{sheet.name})=",
        f"# Sheet {sheet.number}. {sheet.title}\n",
        f"About {sheet.minutes} minutes, {sheet.points} points. "
        f"{', or '.join(_ways(sheet, where))}: it needs Python with {_listed(sheet.packages)}, and "
        "nothing of this book. Its first cells hold three helpers that you meet below: `close` "
        "compares numbers, `public` runs a check, `show` draws a figure.\n",
        questions_table(sheet, lambda question: f"#{_label(sheet, question)}"),
    ]
    parts, texts, labelled = ["\n".join(opening)], 0, set()
    for cell in sheet.cells:
        if cell.kind not in SHOWN:
            continue
        if cell.is_code:
            parts.append(_code(sheet, cell))
            continue
        texts += 1
        source = stated(sheet, cell, texts == 1).strip()
        if cell.question and cell.question not in labelled:
            labelled.add(cell.question)
            source = f"({_label(sheet, sheet.question(cell.question))})=\n{source}"
        parts.append(source)
    return "\n\n".join(part for part in parts if part) + "\n"


def _ways(sheet: Sheet, where: Repository) -> list[str]:
    ways = [f"Work in the notebook {{download}}`{sheet.name}.ipynb`"]
    places = where.launchers(f"chapters/assignments/{sheet.name}.ipynb")
    return ways + [f"open it in [{place['text']}]({place['url']})" for place in places]


def _label(sheet: Sheet, question: Question) -> str:
    return f"sheet-{sheet.name}-{question.name}"


def _listed(names: tuple[str, ...]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _code(sheet: Sheet, cell: Cell) -> str:
    if cell.carries:
        return "*The data follow in the notebook, as text in a folded cell.*"
    block = f"```{{code-block}} python\n{sheet.code(cell, 'blank').strip()}\n```"
    if cell.kind == "public":
        return f"````{{admonition}} Public checks\n:class: dropdown\n\n{block}\n````"
    return block
