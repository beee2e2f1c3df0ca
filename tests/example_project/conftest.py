"""A running server with small models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from example_project.assistant.models import read_models
from example_project.assistant.server import Server
from tests.example_project.small_models import write_models

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
