"""Splitting, joining, keeping and fetching: what holds of every batch, and of providers that misbehave."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftgate.cases import Arm
from pytest_ftgate.errors import BatchError
from pytest_ftgate.models.batches.client import BatchClient, LostReply, ProviderError
from pytest_ftgate.models.batches.joining import AnswerReader, Index
from pytest_ftgate.models.batches.requests import BatchEndpoint
from pytest_ftgate.models.batches.splitting import Limits, part_numbers
from pytest_ftgate.models.batches.state import Asked, BatchFolder, Part, Snapshot, State
from pytest_ftgate.models.batches.submitting import Line, write_parts
from pytest_ftgate.models.endpoints.retry import RetryPolicy
from pytest_ftgate.models.endpoints.settings import EndpointSettings
from pytest_ftgate.models.redaction import Redactor
from tests.support.batch_server import BatchServer, Fault
from tests.support.requests import request

KEY = "sk-0123456789"
FAST = RetryPolicy(timeout_s=5.0, attempts=3, base_s=0.001)
SETTINGS = EndpointSettings(name="tuned", model="ft-1", api_key=KEY, base_url="http://h/v1")


@given(
    sizes=st.lists(st.integers(1, 50), max_size=60), requests=st.integers(1, 10), size=st.integers(50, 200)
)
def test_each_request_is_in_one_file_and_no_file_is_too_large(
    sizes: list[int], requests: int, size: int
) -> None:
    numbers = list(part_numbers(sizes, Limits(requests=requests, bytes=size)))

    filled: Counter[int] = Counter()
    for number, each in zip(numbers, sizes, strict=True):
        filled[number] += each
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(len(set(numbers))))
    assert all(count <= requests for count in Counter(numbers).values())
    assert all(total <= size for total in filled.values())


@given(sizes=st.lists(st.integers(1, 50), min_size=1, max_size=30))
def test_no_file_is_begun_before_the_last_is_full(sizes: list[int]) -> None:
    numbers = list(part_numbers(sizes, Limits(requests=7, bytes=100)))

    for at in range(1, len(sizes)):
        if numbers[at] != numbers[at - 1]:
            before = [size for size, number in zip(sizes, numbers, strict=True) if number == numbers[at - 1]]
            assert len(before) == 7 or sum(before) + sizes[at] > 100


def test_a_line_that_no_file_holds_is_an_error() -> None:
    with pytest.raises(ValueError, match="101 bytes, and a file holds at most 100"):
        list(part_numbers([100, 101], Limits(bytes=100)))


def result(custom_id: str, text: str = "yes") -> bytes:
    body = {"choices": [{"message": {"content": text}, "finish_reason": "stop"}], "model": "ft-1"}
    row = {"custom_id": custom_id, "response": {"status_code": 200, "body": body}, "error": None}
    return json.dumps(row).encode() + b"\n"


IDS = [f"model-{number}" for number in range(8)]


@given(
    there=st.lists(st.sampled_from(IDS), max_size=20),
    foreign=st.lists(st.sampled_from(["other-1", "other-2"]), max_size=3),
    junk=st.lists(st.sampled_from([b"{}\n", b"\n", b"null\n", b"{\n", b"\xfe\n"]), max_size=3),
    seed=st.integers(0, 1000),
)
def test_joining_finds_each_answer_wherever_it_stands(
    there: list[str], foreign: list[str], junk: list[bytes], seed: int
) -> None:
    lines = [*(result(one, f"answer to {one}") for one in [*there, *foreign]), *junk]
    Random(seed).shuffle(lines)
    index = Index()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "output.jsonl"
        path.write_bytes(b"".join(lines))
        index.add(path, set(IDS), 1000)
        reader = AnswerReader(SETTINGS, Redactor([]))
        answers = {one: reader.read(places) for one, places in index.places.items()}

    assert {one: getattr(answer, "text", None) for one, answer in answers.items()} == {
        one: f"answer to {one}" for one in there
    }
    assert {one: len(places) for one, places in index.places.items()} == Counter(there)
    assert sorted(index.unknown) == sorted(foreign)
    assert len(index.troubles) == sum(line != b"\n" for line in junk)
    assert index.whole == ([] if index.troubles else ["output.jsonl"])


def test_a_line_longer_than_an_answer_may_be_is_named_and_the_next_is_read(tmp_path: Path) -> None:
    path = tmp_path / "output.jsonl"
    path.write_bytes(result("model-0", "x" * 300_000) + result("model-1"))
    index = Index()

    index.add(path, {"model-0", "model-1"}, 1000)

    assert index.troubles == [f"{path}:1: longer than an answer may be"]
    assert [place.number for place in index.places["model-1"]] == [2]


WRONG = "http://h/v1 sent no chat completion: "


@pytest.mark.parametrize(
    ("response", "error", "why"),
    [
        (None, None, "its result has neither response nor error"),
        (None, "gone", '"gone"'),
        (None, {"code": "batch_expired", "message": "Too late."}, "batch_expired: Too late."),
        (None, {"why": 1}, r'"{\"why\": 1}"'),
        ({"status_code": True, "body": {}}, None, 'its result has the status "True"'),
        ({"body": {}}, None, 'its result has the status "None"'),
        ({"status_code": 200}, None, WRONG + 'the body is not a JSON object: "null"'),
        ({"status_code": 200, "body": "x"}, None, WRONG + 'the body is not JSON: "x"'),
        ({"status_code": 503, "body": {}}, None, 'HTTP 503 from http://h/v1: "{}"'),
        (
            {"status_code": 401, "body": {}},
            None,
            "HTTP 401 from http://h/v1/chat/completions for model 'ft-1': \"{}\". "
            "No key was sent: name its variable as api_key_env in ftgate.yaml",
        ),
    ],
)
def test_what_is_no_answer_says_why(tmp_path: Path, response: object, error: object, why: str) -> None:
    path = tmp_path / "output.jsonl"
    row = {"custom_id": "model-0", "response": response, "error": error}
    path.write_text(json.dumps(row), encoding="utf-8")
    index = Index()
    index.add(path, {"model-0"}, 1000)

    assert AnswerReader(SETTINGS, Redactor([])).read(index.places["model-0"]) == why


def custom_id(spec: str = "tuned", settings: EndpointSettings = SETTINGS, **asked: Any) -> str:
    return BatchEndpoint(spec, settings).line(request("Hi", **asked))[0].custom_id


def test_ids_are_short_stable_and_tell_all_requests_apart() -> None:
    other_key = EndpointSettings(name="tuned", model="ft-1", api_key="sk-other", base_url="http://h/v1")
    moved = EndpointSettings(name="tuned", model="ft-1", base_url="http://i/v1")

    ids = [
        custom_id(),
        custom_id(arm=Arm.BASELINE),
        custom_id(id="x" * 100),
        custom_id(id="x" * 99),
        custom_id(suite="other"),
        custom_id(repeat=2),
        custom_id("other"),
        custom_id(settings=moved),
        custom_id(params={"temperature": 0}),
    ]

    assert len(set(ids)) == len(ids)
    assert custom_id(settings=other_key) == ids[0]  # a new key asks the same
    assert ids[0].startswith("model-capital-1-")
    assert max(map(len, ids)) <= 64


def test_a_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    snapshot = Snapshot(id="b", status="failed", created_at=1.5, total=3, errors=("line 1: bad",))
    part = Part(
        name="1-model-001", round=1, arm="model", spec="t", requests=3, bytes=9, token="x", batch=snapshot
    )
    asked = Asked(arm="model", spec="t", who="t at h")
    state = State(rootdir=".", config=None, asked=(asked,), parts=[part])

    with BatchFolder(tmp_path / "batch") as folder:
        folder.write(state)
        read = folder.read()

    assert read == state


def test_parts_are_written_line_by_line(tmp_path: Path) -> None:
    """A file is on disk before the line after next is made: together they may be larger than memory."""
    seen: list[int] = []

    def lines() -> Iterator[Line]:
        for number in range(6):
            seen.append(len([*(tmp_path / "batch").glob("*.input.jsonl")]))
            named, line = BatchEndpoint("t", SETTINGS).line(request("Hi", id=str(number)))
            yield Line(request=named, line=line)

    state = State(rootdir=".", config=None, asked=())
    with BatchFolder(tmp_path / "batch") as folder:
        write_parts(folder, state, lines(), Limits(requests=2))

    assert [part.requests for part in state.parts] == [2, 2, 2]
    assert seen == [0, 0, 0, 1, 1, 2]


def asked(server: BatchServer, work: Callable[[BatchClient], Coroutine[Any, Any, Any]], **given: Any) -> Any:
    """What comes of it with a client of this server."""
    retry = given.pop("retry", FAST)
    settings = EndpointSettings(name="tuned", model="ft-1", base_url=server.url, retry=retry, api_key=KEY)

    async def run() -> Any:
        async with BatchClient(settings, **given) as client:
            return await work(client)

    return asyncio.run(run())


def test_a_list_without_an_end_is_not_taken_for_all() -> None:
    with BatchServer() as server:
        endless = json.dumps({"data": [{"id": "batch_9"}], "has_more": True}).encode()
        server.fault("batches", *[Fault(status=200, body=endless)] * 3)

        with pytest.raises(ProviderError) as error:
            asked(server, lambda client: client.find_batch("file-1", "t"))

        assert str(error.value) == f"{server.url}/batches has no end: its list can't be read to the last page"


@pytest.mark.parametrize("is_last", [{}, {"has_more": False}])
def test_a_list_ends_where_it_says_so_or_repeats_itself(is_last: dict[str, bool]) -> None:
    with BatchServer() as server:
        page = json.dumps({"data": [{"id": "batch_9"}], **is_last}).encode()
        server.fault("batches", *[Fault(status=200, body=page)] * 2)

        assert asked(server, lambda client: client.find_batch("file-1", "t")) is None


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"<html>", b'{"id": "b"}', b'{"id": 3, "status": "x"}'])
def test_a_creation_with_a_senseless_reply_may_have_been_done(body: bytes) -> None:
    with BatchServer() as server:
        server.fault("create", Fault(done=True, status=200, body=body))

        with pytest.raises(LostReply):
            asked(server, lambda client: client.create("file-1", "t"))


def test_a_creation_without_a_reply_in_time_may_have_been_done() -> None:
    with BatchServer() as server:
        server.fault("create", Fault(done=True, held=threading.Event()))
        hasty = RetryPolicy(timeout_s=0.1, attempts=3, base_s=0.001)

        with pytest.raises(LostReply) as error:
            asked(server, lambda client: client.create("file-1", "t"), retry=hasty)

        assert str(error.value) == f"no reply from {server.url} in time"


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_a_creation_that_is_refused_was_not_done(status: int) -> None:
    with BatchServer() as server:
        server.fault("create", Fault(status=status, message="no"))

        with pytest.raises(ProviderError) as error:
            asked(server, lambda client: client.create("file-1", "t"))

        assert not isinstance(error.value, LostReply)
        advice = ". No key was sent: name its variable as api_key_env in ftgate.yaml" if status == 403 else ""
        assert str(error.value) == f'HTTP {status} from {server.url}: "no"{advice}'


def test_a_server_that_is_not_there_was_not_asked() -> None:
    with BatchServer() as server:
        pass

    with pytest.raises(ProviderError) as error:
        asked(server, lambda client: client.create("file-1", "t"))

    assert not isinstance(error.value, LostReply)
    assert str(error.value) == f"{server.url} can't be reached: Connection refused"


def test_a_download_that_never_ends_is_stopped(tmp_path: Path) -> None:
    with BatchServer() as server:
        server.files["file-1"] = ("x", b"x" * 5000)

        with pytest.raises(BatchError) as error:
            asked(server, lambda client: client.download("file-1", tmp_path / "output"), max_download=4000)

        assert str(error.value) == f"the reply is longer than 4,000 bytes, from {server.url}"
        assert [*tmp_path.iterdir()] == []
        assert server.steps == ["content"]  # it would be too long again


def test_a_secret_that_lies_across_two_pieces_of_a_download_is_taken_out(tmp_path: Path) -> None:
    with BatchServer() as server:
        content = b"x" * ((1 << 18) - 4) + f"{KEY} and so on\n{KEY}".encode()
        server.files["file-1"] = ("x", content)

        asked(server, lambda client: client.download("file-1", tmp_path / "output"))

        assert (tmp_path / "output").read_bytes() == content.replace(KEY.encode(), b"[redacted]")


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(BatchError) as error, BatchFolder(tmp_path / "file/batch"):
        pass

    assert str(error.value) == f"{tmp_path / 'file/batch'} can't be used: Not a directory"


def test_a_lock_that_is_something_else_is_named(tmp_path: Path) -> None:
    (tmp_path / "lock").write_bytes(b"not a lock" * 1000)

    with pytest.raises(BatchError) as error, BatchFolder(tmp_path):
        pass

    assert str(error.value) == f"{tmp_path / 'lock'}: not a lock of ours (file is not a database); delete it"
