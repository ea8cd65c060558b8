"""The rubric sheet: what earns points, question by question, to print or to read."""

import html

from markdown_it import MarkdownIt

from classroom.sheets import Question, Sheet

STYLE = """\
body { font: 11pt/1.45 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; }
body { padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: .6rem 0; }
td, th { border: 1px solid #777; padding: .25rem .5rem; text-align: left; vertical-align: top; }
td:last-child, th:last-child { width: 4rem; }
h2 { border-top: 2px solid #777; padding-top: .6rem; break-after: avoid; }
table { break-inside: avoid; }"""


def rubric(sheet: Sheet) -> str:
    """Markdown: points a check, rubric and model answer of the question in words, likely slips."""
    parts = [
        f"# Rubric. Sheet {sheet.number}, {sheet.title}",
        f"{sheet.points} points. For teachers only: it names the hidden checks.",
        "Student: ______________________________  Marked by: ____________________",
    ]
    rows = [f"| {q.number}. {q.title} | {q.points} | |" for q in sheet.questions]
    table = ["| question | points | earned |", "|:--|--:|--:|", *rows]
    parts.append("\n".join([*table, f"| **together** | **{sheet.points}** | |"]))
    for question in sheet.questions:
        parts.append(f"## Question {question.number}. {question.title} ({question.points} points)")
        parts += _words(sheet, question) if question.words else _code(sheet, question)
    return "\n\n".join(parts) + "\n"


def _code(sheet: Sheet, question: Question) -> list[str]:
    checks = [check for check in sheet.hidden() if check.question == question.name]
    rows = [f"| {_cell(check.title)} | {check.points} | |" for check in checks]
    table = "\n".join(["| hidden check | points | earned |", "|:--|--:|--:|", *rows])
    wrong = [m for m in sheet.mutants() if m.function in question.functions]
    slips = "\n".join(f"- `{m.function}`: {m.slip}" for m in wrong)
    return [table, f"Slips to look for:\n\n{slips}"] if slips else [table]


def _words(sheet: Sheet, question: Question) -> list[str]:
    told = [cell for cell in sheet.cells if cell.question == question.name]
    parts = [_to_fill_in(cell.source) for cell in told if cell.kind == "rubric"]
    models = [cell.source.strip() for cell in told if cell.kind == "model"]
    return parts + [f"**Model answer.** {model}" for model in models]


def _to_fill_in(source: str) -> str:
    """Its table with a column for the points that are given."""
    rows = source.strip().splitlines()
    start = next((k for k, row in enumerate(rows) if row.startswith("|")), len(rows))
    for k, row in enumerate(rows[start:], start):
        if row.startswith("|"):
            rows[k] = row.rstrip() + {0: " earned |", 1: "--:|"}.get(k - start, " |")
    return "\n".join(rows)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def printable(markdown: str) -> str:
    """A rubric as one HTML file that needs no other; formulas stay as they are written."""
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    title = html.escape(markdown.splitlines()[0].lstrip("# "))
    head = f'<meta charset="utf-8"><title>{title}</title>\n<style>\n{STYLE}\n</style>'
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}</body></html>\n'
