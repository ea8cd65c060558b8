"""Hidden checks inside a hosted grader (otter, Gradescope): they run in the student's own process.

So a student who changes this process can change the result: see the appendix for instructors.
`python -m classroom grade` judges in a process of its own.
"""

import os
import signal
from collections.abc import Callable, Mapping
from typing import Any

from classroom.calls import Local, run

SEED = int.from_bytes(os.urandom(4), "big")  # fresh for each submission
LIMIT = 60  # seconds a check may take in all


def judge(body: Callable[..., None], held: Mapping[str, Any]) -> None:
    """Run a hidden check on the functions that a notebook holds.

    Raises AssertionError with what the student should read if it does not pass.
    """
    functions = {name: Local(name, value) for name, value in held.items() if callable(value)}
    before = signal.signal(signal.SIGALRM, _late)
    signal.setitimer(signal.ITIMER_REAL, LIMIT, 1)  # again each second: the first may be caught
    try:
        outcome = run(body.check, functions, SEED)
    except TimeoutError:
        raise AssertionError(f"this took longer than {LIMIT} seconds") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if outcome.kind != "passed":
        raise AssertionError(outcome.message)


def _late(*_: Any) -> None:
    raise TimeoutError("the time of this check is over")
