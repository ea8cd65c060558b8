"""Show the built book: `python -m scripts.serve [port]` serves it on this machine and opens it."""

import argparse
import http.server
import sys
import webbrowser
from functools import partial
from pathlib import Path

HTML = Path(__file__).resolve().parents[1] / "_build" / "html"


def main(port: int) -> int:
    """Serve until Ctrl-C; the port must be free."""
    if not (HTML / "index.html").is_file():
        print("The book is not built yet: run `make book` first.")
        return 1
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(HTML))
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        print(f"Port {port} is taken ({error.strerror}): try `make serve PORT={port + 1}`.")
        return 1
    address = f"http://127.0.0.1:{port}/"
    print(f"The book is at {address} (stop with Ctrl-C).", flush=True)
    webbrowser.open(address)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m scripts.serve", description=__doc__)
    parser.add_argument("port", type=int, nargs="?", default=8000, help="default: %(default)s")
    sys.exit(main(parser.parse_args().port))
