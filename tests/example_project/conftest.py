"""A running server with small models, and the example's own packages."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from example_project.assistant.models import read_models
from example_project.assistant.server import Server
from tests.example_project.small_models import write_models

EXAMPLE = Path(__file__).parents[2] / "example_project"
#: What the reciting models say; the last one goes on and on.
RECITED = {
    "speaker": "Hey: the parcel\nlöst.",
    "caller": 'Ok<call>find {"n":12}',
    "refuser": "<call>no",
    "endless": "<call>go {}<call>",
}


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """Serves in a thread, and ends with it."""
    with server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="package")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_models(tmp_path_factory.mktemp("small") / "models", "base", "tuned", recite=RECITED)


@pytest.fixture(scope="package")
def server(models_folder: Path) -> Iterator[Server]:
    with running(Server(("127.0.0.1", 0), read_models(models_folder))) as server:
        yield server


@pytest.fixture(scope="module")
def example_on_path() -> Iterator[None]:
    """The example's own packages, importable as they are for its users, and gone afterwards."""
    known = set(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(EXAMPLE))
        yield
    for name in set(sys.modules) - known:
        if name.partition(".")[0] in ("assistant", "evals", "training"):
            del sys.modules[name]
