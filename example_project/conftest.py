"""Starts the assistant's own server for a run that names a model, and stops it when the run is over."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

#: Where the server is; `ftgate.yaml` names it in `base_url_env`. Set it to use a server that runs already.
URL = "PARCEL_ASSISTANT_URL"
#: The same each time: a run that was cut short is gone on with only at the same address. Any, if it is taken.
PORT = 8471


def pytest_configure(config: pytest.Config) -> None:
    """Runs before pytest-xdist starts its workers: they inherit the variable, and start nothing."""
    if _asks_a_model(config) and URL not in os.environ:
        environment = pytest.MonkeyPatch()
        environment.setenv(URL, _start_server(config))
        config.add_cleanup(environment.undo)


def _asks_a_model(config: pytest.Config) -> bool:
    if not config.pluginmanager.has_plugin("ftgate") or config.option.collectonly:
        return False
    return bool(config.getoption("ftgate_model") or config.getini("ftgate_model"))


def _start_server(config: pytest.Config) -> str:
    """The base URL of a server that ends with this process, however that ends."""
    # Another run may take the port between the question whether it is free and the start.
    for port in dict.fromkeys((_free_port(), 0)):
        server = subprocess.Popen(
            [sys.executable, "-m", "assistant", f"--port={port}", "--until-stdin-closes"],
            cwd=Path(__file__).parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for pytest alone, which may still wait for answers.
        )
        config.add_cleanup(
            lambda started=server: started.__exit__(None, None, None)
        )  # closes its stdin, and waits
        assert server.stdout
        if url := server.stdout.readline().strip():
            return url
    raise pytest.UsageError(f"the assistant's server did not start (exit status {server.wait()})")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PORT))
        except OSError:
            return 0
    return PORT
