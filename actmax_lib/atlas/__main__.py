"""The command line: ``python -m actmax_lib.atlas --help``."""

import argparse
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from actmax_lib.atlas.build import build
from actmax_lib.atlas.distribute import ElsewhereError
from actmax_lib.atlas.files import AtlasError


def parser() -> argparse.ArgumentParser:
    """The options; their defaults are those of `build`."""
    p = argparse.ArgumentParser(
        prog="python -m actmax_lib.atlas",
        description="Draw every class of a network. The same call again goes on where it stopped; "
        "under torchrun the classes are shared out.",
    )  # fmt: skip
    p.add_argument("--network", required=True, help="a name of the zoo, or module:function")
    p.add_argument("--out", required=True, type=Path, help="folder; it may hold a begun atlas")
    p.add_argument("--classes", default="all", help="all, 0-99, indices and names with commas")
    p.add_argument("--size", help="224 or HEIGHTxWIDTH; the network's own when left out")
    p.add_argument("--steps", type=int, default=256)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--judge", default="auto", help="a network that takes no part, or none")
    p.add_argument("--image", default="fourier", help="fourier, pixels, or module:function")
    p.add_argument("--transform", default="robust", help="robust, none, or module:function")
    p.add_argument("--objective", default="logit", help="logit or log_prob")
    p.add_argument("--autocast", default="none", help="none or bf16")
    p.add_argument("--batch", default="auto", help="pictures at once; auto asks the memory")
    p.add_argument("--device", help="cpu or cuda; a GPU when there is one")
    p.add_argument("--patience", type=float, default=1800, help="seconds to wait for others")
    p.add_argument("--quiet", action="store_true", help="no progress; trouble is still told")
    return p


def _bare(word: str, out: Path) -> str:
    """A word of the command without the folders above ``out``: they say nothing to others."""
    option, equals, value = word.rpartition("=")
    return f"{option}{equals}{out.name}" if value and Path(value) == out else word


def _batch(text: str) -> str | int:
    return int(text) if text.isdecimal() else text


def _stop(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status: 0 done, 1 trouble on the way (call again), 2 a request that makes no sense."""
    argv = list(sys.argv[1:] if argv is None else argv)
    options = vars(parser().parse_args(argv))
    named = [_bare(word, options["out"]) for word in argv]
    options["batch"] = _batch(options["batch"])
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        build(options.pop("out"), **options, command=f"{parser().prog} {shlex.join(named)}")
        return 0
    except ElsewhereError as error:
        return _told(error, 1) if str(error) else 1
    except AtlasError as error:
        return _told(error, 1)
    except (ValueError, TypeError, ImportError) as error:
        return _told(error, 2)
    except KeyboardInterrupt:
        return _told("interrupted; what is finished is kept, call again to go on", 130)
    except SystemExit as stop:
        return _told("ended from outside; what is finished is kept, call again to go on", stop.code)
    finally:
        signal.signal(signal.SIGTERM, before)


def _told(problem: object, status: int) -> int:
    print(f"atlas: {problem}", file=sys.stderr, flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
