"""Inside the sandbox: limits on this process, and an IPython that runs one cell at a time."""

import resource
import signal
from typing import Any

GIGA = 10**9


class TimeIsUp(BaseException):
    """A cell or a call has had its time; no `except Exception` holds it up."""


def limited(memory: float, files: float, seconds: float, tasks: int) -> None:
    """What this process and its children may have; nothing raises it again."""
    wanted = {
        "RLIMIT_DATA": int(memory * GIGA),  # not AS: torch maps gigabytes that it never touches
        "RLIMIT_FSIZE": int(files * GIGA),
        "RLIMIT_CPU": int(seconds) + 60,
        "RLIMIT_CORE": 0,
        "RLIMIT_NOFILE": 256,
        "RLIMIT_NPROC": tasks,
    }
    for name, value in wanted.items():
        hard = resource.getrlimit(getattr(resource, name))[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(getattr(resource, name), (value, value))


def alarm(seconds: float) -> None:
    """Raise TimeIsUp in the main thread after that time, then each second; 0: no more."""

    def up(number: int, frame: Any) -> None:
        raise TimeIsUp

    signal.signal(signal.SIGALRM, up)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0 if seconds else 0.0)


def shell() -> Any:
    """An IPython without history, colours, windows or commands."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    def skipped(command: str = "", *args: Any, **kwargs: Any) -> list[str]:
        print(f"(not run here: {command[:200]})")
        return []

    class Shell(InteractiveShell):
        system = system_raw = system_piped = getoutput = staticmethod(skipped)

        def enable_gui(self, gui: Any = None) -> None:
            """`%matplotlib inline` and its like: there is no window."""

    off = {"HistoryManager": {"enabled": False}, "InteractiveShell": {"cache_size": 0}}
    made = Shell.instance(config=Config(off))
    made.run_line_magic("colors", "nocolor")
    return made


def run_cell(interpreter: Any, source: str, seconds: float) -> str:
    """Run a cell; "" or what stopped it."""
    alarm(seconds)
    try:
        done = interpreter.run_cell(source, store_history=False)
        alarm(0)
        error = done.error_before_exec or done.error_in_exec
    except BaseException as caught:
        alarm(0)
        error = caught
    if isinstance(error, TimeIsUp):
        return "TimeIsUp: took too long"
    return "" if error is None else f"{type(error).__name__[:80]}: {said(error)[:300]}"


def said(error: BaseException) -> str:
    """An error's words, whatever it does when asked for them."""
    try:
        return str(error)
    except BaseException:
        return "(an error without words)"
