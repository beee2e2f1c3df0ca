"""`python -m assistant` starts, says where it is, and ends when it should."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from openai import OpenAI

from tests.example_project.conftest import RECITED
from tests.example_project.small_models import write_models

EXAMPLE = Path(__file__).parents[2] / "example_project"


def command(*options: object) -> list[str]:
    return [sys.executable, "-m", "assistant", *map(str, options)]


@contextmanager
def started(folder: Path, *options: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server's process and its base URL; killed at the end if it still runs."""
    pipe = subprocess.PIPE
    arguments = command("--port=0", f"--models={folder}", *options)
    with subprocess.Popen(arguments, cwd=EXAMPLE, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as server:
        try:
            assert server.stdout
            yield server, server.stdout.readline().strip()
        finally:
            server.kill()


def failure(*options: object) -> str:
    """What a server that can't start says."""
    done = subprocess.run(
        command(*options), cwd=EXAMPLE, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


def test_the_one_line_it_prints_is_where_clients_find_it(models_folder: Path) -> None:
    with started(models_folder) as (server, url), OpenAI(base_url=url, api_key="any") as client:
        answer = client.chat.completions.create(
            model="speaker", messages=[{"role": "user", "content": "Hello"}], temperature=0
        )
        server.terminate()
        rest, errors = server.communicate(timeout=60)

    assert answer.choices[0].message.content == RECITED["speaker"]
    assert (urlsplit(url).hostname, urlsplit(url).path) == ("127.0.0.1", "/v1")
    assert (rest, errors, server.returncode) == ("", "", 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_while_a_client_is_connected(
    models_folder: Path, number: signal.Signals
) -> None:
    with started(models_folder) as (server, url):
        parts = urlsplit(url)
        with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=60) as client:
            client.sendall(b"GET /v1/models HTTP/1.1\r\n\r\n")
            assert client.recv(1) == b"H"

            server.send_signal(number)

            assert server.communicate(timeout=60) == ("", "")
    assert server.returncode == 0


def test_it_ends_with_the_process_that_holds_its_stdin(models_folder: Path) -> None:
    with started(models_folder, "--until-stdin-closes") as (server, _):
        assert server.stdin
        server.stdin.write("ignored\n")

        assert server.communicate(timeout=60) == ("", "")
    assert server.returncode == 0


def test_otherwise_it_needs_no_stdin(models_folder: Path) -> None:
    with started(models_folder) as (server, url), OpenAI(base_url=url, api_key="any") as client:
        assert server.stdin
        server.stdin.close()
        server.stdin = None

        assert client.models.list().data


def test_without_weights_it_says_how_they_are_made(tmp_path: Path) -> None:
    assert failure(f"--models={tmp_path}") == (
        f"assistant: no weights in {tmp_path / 'weights'}: `python -m training` makes them\n"
    )


def test_weights_that_can_not_be_read_are_named(tmp_path: Path) -> None:
    folder = write_models(tmp_path / "models", "good")
    path = folder / "weights" / "bad.npz"
    path.write_bytes(b"PK\x03\x04 and no more")

    assert failure(f"--models={folder}").startswith(f"assistant: {path} is no weights file: ")


def test_weights_for_another_vocabulary_are_refused(tmp_path: Path) -> None:
    folder = write_models(tmp_path / "models", "good")
    (folder / "vocabulary.json").write_text('{"specials": ["<end>"], "merges": []}', encoding="utf-8")

    assert failure(f"--models={folder}") == (
        f"assistant: {folder / 'weights' / 'good.npz'} was made for 279 tokens, vocabulary.json has 257: "
        "train it again\n"
    )


def test_a_vocabulary_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    folder = write_models(tmp_path / "models", "good")
    (folder / "vocabulary.json").write_text("[]", encoding="utf-8")

    assert failure(f"--models={folder}").startswith(
        f"assistant: {folder / 'vocabulary.json'} is no vocabulary: "
    )


def test_a_port_in_use_is_said(models_folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        assert failure(f"--models={models_folder}", f"--port={port}") == (
            f"assistant: 127.0.0.1:{port}: Address already in use\n"
        )


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts threads as Linux shows them")
def test_numpy_computes_on_one_core() -> None:
    code = "import os, assistant.__main__; print(len(os.listdir('/proc/self/task')))"
    environment = {key: value for key, value in os.environ.items() if not key.endswith("_NUM_THREADS")}

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=EXAMPLE, env=environment, capture_output=True, text=True, check=True
    )

    assert done.stdout == "1\n"
