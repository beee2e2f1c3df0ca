"""Whatever a provider does, and wherever processes die: each file is ordered once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from pytest_ftgate.errors import BatchError
from pytest_ftgate.models.batches.requests import BatchEndpoint
from pytest_ftgate.models.batches.splitting import Limits
from pytest_ftgate.models.batches.state import Asked, BatchFolder, State
from pytest_ftgate.models.batches.submitting import Line, Submitter, write_parts
from pytest_ftgate.models.endpoints.retry import RetryPolicy
from pytest_ftgate.models.endpoints.settings import EndpointSettings
from tests.support.batch_server import DROPPED, LOST, BatchServer, Fault
from tests.support.requests import requests

#: Done or not done, and no honest word about it; or an honest refusal.
MUDDLED = (None, LOST, DROPPED, Fault(status=500), Fault(done=True, status=502), Fault(done=True, half=True))
REFUSED = (Fault(status=401), Fault(status=429, headers={"Retry-After": "0"}))
SENSELESS = (Fault(done=True, status=200, body=b"{}"), Fault(done=True, status=200, body=b"<html>"))


class Dying(Exception):
    """The process is gone."""


class DyingFolder(BatchFolder):
    """A folder whose process dies at the n-th writing of its state, before or after it is on disk."""

    def __init__(self, path: Path, deaths: Iterator[tuple[int, bool]]) -> None:
        super().__init__(path)
        self.left, self.is_written = next(deaths, (1000, True))

    def write(self, state: State) -> None:
        self.left -= 1
        if self.left or self.is_written:
            super().write(state)
        if not self.left:
            raise Dying


def settings(server: BatchServer) -> EndpointSettings:
    policy = RetryPolicy(timeout_s=5.0, attempts=2, base_s=0.0001)
    return EndpointSettings(name="t", model="ft-1", base_url=server.url, retry=policy)


def begin(path: Path, server: BatchServer) -> None:
    """Three files of two requests."""
    endpoint = BatchEndpoint("t", settings(server))
    lines = (Line(request=named, line=line) for named, line in map(endpoint.line, requests(6)))
    with BatchFolder(path) as folder:
        state = State(rootdir=".", config=None, asked=(Asked(arm="model", spec="t", who="x"),))
        write_parts(folder, state, lines, Limits(requests=2))
        folder.write(state)


def go_on(path: Path, server: BatchServer, deaths: Iterator[tuple[int, bool]]) -> bool:
    """One process; whether it says that all is submitted."""
    with DyingFolder(path, deaths) as folder:
        state = folder.read()
        assert state is not None
        submitter = Submitter(folder, state, settle_s=0.0, say=lambda _: None)
        try:
            asyncio.run(submitter.run({("model", "t"): settings(server)}))
        except (BatchError, Dying):
            return False
    return True


@how(max_examples=40, deadline=None)
@given(
    uploads=st.lists(st.sampled_from(MUDDLED + REFUSED + SENSELESS), max_size=6),
    creations=st.lists(st.sampled_from(MUDDLED + REFUSED + SENSELESS), max_size=8),
    looks=st.lists(st.sampled_from((*MUDDLED, Fault(status=404), *SENSELESS)), max_size=6),
    lists=st.lists(st.sampled_from((*MUDDLED, Fault(status=404))), max_size=4),
    deaths=st.lists(st.tuples(st.integers(1, 12), st.booleans()), max_size=4),
    keeps_metadata=st.booleans(),
    page=st.sampled_from((1, 100)),
)
def test_each_file_is_ordered_once(
    *,
    uploads: list[Fault | None],
    creations: list[Fault | None],
    looks: list[Fault | None],
    lists: list[Fault | None],
    deaths: list[tuple[int, bool]],
    keeps_metadata: bool,
    page: int,
) -> None:
    with TemporaryDirectory() as name, BatchServer(keeps_metadata=keeps_metadata, page=page) as server:
        path = Path(name) / "batch"
        begin(path, server)
        server.fault("upload", *uploads)
        server.fault("create", *creations)
        server.fault("batches", *looks)
        server.fault("files", *lists)
        dying = iter(deaths)

        runs = 0
        while not go_on(path, server, dying):
            runs += 1
            assert runs < 50

        assert set(Counter(row["custom_id"] for row in server.sent).values()) == {1}
        assert (len(server.sent), len(server.batches)) == (6, 3)
        state = BatchFolder(path).read()
        assert state is not None
        assert {part.batch.id for part in state.parts if part.batch} == {"batch_1", "batch_2", "batch_3"}
