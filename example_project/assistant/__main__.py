"""`python -m assistant` serves the models over HTTP until Ctrl-C, or until it is terminated."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread

# One core is enough for matrices this small, and more of them only wait for each other. Whichever library
# NumPy was built with reads its variable once, at the first import.
_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
os.environ.update(dict.fromkeys(_VARIABLES, "1"))

from .models import ModelFileError, read_models  # noqa: E402 - imports NumPy
from .server import Server  # noqa: E402 - imports NumPy


def main() -> None:
    """Prints the base URL, then serves."""
    options = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), _server(options) as server:
        if options.until_stdin_closes:
            Thread(target=_stop_with_stdin, args=[server], daemon=True).start()
        print(server.base_url, flush=True)
        server.serve_forever(poll_interval=0.1)


def _server(options: argparse.Namespace) -> Server:
    try:
        return Server((options.host, options.port), read_models(options.models))
    except ModelFileError as error:
        sys.exit(f"assistant: {error}")
    except OSError as error:
        sys.exit(f"assistant: {options.host}:{options.port}: {error.strerror}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m assistant", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="0 is any free port (default: 8000)")
    parser.add_argument(
        "--models",
        type=Path,
        default=Path(__file__).parent,
        help="a folder with vocabulary.json and weights/",
    )
    parser.add_argument(
        "--until-stdin-closes",
        action="store_true",
        help="end with the process that holds the other end of stdin",
    )
    return parser.parse_args()


def _stop_with_stdin(server: Server) -> None:
    # Past sys.stdin, whose lock would still be held when the interpreter ends.
    while os.read(0, 1024):
        pass
    server.shutdown()


if __name__ == "__main__":
    main()
