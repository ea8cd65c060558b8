"""Judge one submission: its code runs in a sandbox, the checks run here, on data alone."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from classroom.calls import Outcome, run
from classroom.checks import Check
from classroom.remote import Remote, Session
from classroom.sandbox import Gone, Limits
from classroom.sheets import Question, Sheet
from classroom.wall import Wall

LOSSES = 2  # calls that end or never end, after which a question's other checks are not tried


def judge(sheet: Sheet, notebook: bytes, seed: int, wall: Wall, limits: Limits) -> dict[str, Any]:
    """What the submission earns and why, as plain data for JSON.

    questions: per question its points and outcomes; words: answers in words; problem: why nothing
    could be run; flags and log: for the teacher alone. Raises `sandbox.Failed` where the sandbox
    and not the submission is at fault.
    """
    words = [(q.name, q.number) for q in sheet.questions if q.words]
    checks, problem = sheet.hidden(), ""
    with Session(notebook, wall, limits, words) as session:
        try:
            problem = session.start().unusable
        except Gone as gone:
            problem = f"The notebook could not be run: its code {gone}."
        outcomes = [] if problem else judged(checks, session, seed)
    if outcomes and all(
        o.kind == "missing" and "did you rename" not in o.message for o in outcomes
    ):
        problem = "None of this sheet's functions is in the notebook. Is it that of another sheet?"
    found, flags = session.found, [f"cell {k + 1} {w}" for k, w, _ in session.found.stopped]
    flags = [flag for flag in flags if "NotImplementedError" not in flag]
    if session.starts > 1:
        flags.append(f"started {session.starts} times: the code {session.reason}")
    flags += [o.message for o in outcomes if o.kind == "missing" and "did you rename" in o.message]
    # a form that a check did not expect is the answer's fault, or, if many have it, the check's
    flags += [f"{o.check}: {o.message}" for o in outcomes if o.kind == "unreadable"]
    return {
        "total": sum(o.earned for o in outcomes),
        "points": sheet.points,
        "problem": problem,
        "flags": list(dict.fromkeys(flags)),
        "words": found.words,
        "questions": [answered(q, outcomes) for q in sheet.questions],
        "log": "\n".join(session.logs),
    }


def answered(question: Question, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What a question earned: by its own among the outcomes; None for one in words."""
    own = [o for o in outcomes if o.question == question.name]
    return {
        "name": question.name,
        "number": question.number,
        "title": question.title,
        "points": question.points,
        "words": question.words,
        "earned": None if question.words else sum(o.earned for o in own),
        "checks": [asdict(outcome) for outcome in own],
    }


def judged(checks: Sequence[Check], session: Session, seed: int) -> list[Outcome]:
    """What each check finds; a question that ends the program twice is not tried further."""
    lost: Counter[str] = Counter()
    outcomes = []
    for check in checks:
        if lost[check.question] >= LOSSES or session.left <= 0:
            told = "not tried, after what happened before"
            told = told if session.left > 0 else "not tried: the time for this notebook is used up"
            fields = (check.name, check.title, check.question, check.points, 0, "slow", told)
            outcomes.append(Outcome(*fields))
            continue
        outcome = _one(check, session, seed)
        lost[check.question] += outcome.kind in ("slow", "died")
        outcomes.append(outcome)
    return outcomes


def _one(check: Check, session: Session, seed: int) -> Outcome:
    functions = {name: Remote(session, name) for name in session.found.names}
    for function in functions.values():
        function.seconds = check.seconds
    outcome = run(check, functions, seed)
    if outcome.kind == "died" and session.reason:
        return replace(outcome, message=f"the code {session.reason}")
    if outcome.kind == "missing":
        return _why(outcome, check, session)
    return outcome


def _why(outcome: Outcome, check: Check, session: Session) -> Outcome:
    """A function that is not there because its cell stopped: say so instead."""
    missing = next((n for n in check.needs if n not in session.found.names), "")
    for number, why, names in session.found.stopped:
        if missing in names:
            why = re.sub(r"^TimeIsUp: ", "", why)
            told = f"cell {number + 1}, which defines `{missing}`, stopped: {why}"
            kind = "slow" if "too long" in why or "never ended" in why else "raised"
            return replace(outcome, kind=kind, message=told)
    return outcome
