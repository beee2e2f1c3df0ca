"""A real HTTP server with the endpoints of files and batches, for tests; no chat endpoint is there.

    with BatchServer(lambda body: "Paris") as server:
        ...                       # server.url goes into base_url; server.batches says what was ordered

What goes wrong is said by a `Fault` for the n-th request of a step, and by what `answer` and `edit` give.
As a program (`python -m tests.support.batch_server`) it prints its URL and serves until its input is closed.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

from tests.support.local_server import AppServer
from tests.support.server import Reply

Step = Literal["upload", "files", "create", "batches", "batch", "content"]
#: What `answer` gives for a request that was not executed in time.
EXPIRED = "\0expired"
Answer = Callable[[dict[str, Any]], "str | Reply | None"]
Edit = Callable[[list[bytes], list[bytes]], tuple[list[bytes], list[bytes]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens to one request: `done` says whether the server does first what it is asked.

    Then a reply of `status` is sent, or without one the connection is dropped; with `held`, which is
    then set, nothing comes until the client is gone; with `half` the reply to what is
    done breaks off.
    """

    done: bool = False
    status: int | None = None
    message: str = "a fault"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    held: threading.Event | None = None
    half: bool = False

    def content(self) -> bytes:
        """The body of the reply."""
        return (
            self.body if self.body is not None else json.dumps({"error": {"message": self.message}}).encode()
        )


LOST = Fault(done=True)
DROPPED = Fault()


@dataclass(slots=True, kw_only=True)
class Batch:
    """One batch as the server keeps it; `statuses` are those that the next looks at it find."""

    id: str
    order: dict[str, Any]
    status: str = "validating"
    statuses: list[str] = field(default_factory=list)
    output: str | None = None
    errors_file: str | None = None
    errors: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


class BatchServer(AppServer):
    """Serves on a free loopback port, in a thread and loop of its own, inside its `with` block."""

    def __init__(
        self,
        answer: Answer = lambda body: str((body.get("messages") or body["input"])[-1]["content"]),
        *,
        path: str = "/v1",
        statuses: Sequence[str] = ("completed",),
        errors: Sequence[dict[str, Any]] = (),
        edit: Edit = lambda output, errors: (output, errors),
        keeps_metadata: bool = True,
        page: int = 100,
    ) -> None:
        super().__init__(path)
        self.answer = answer
        self.statuses = statuses
        self.errors = errors
        self.edit = edit
        self.keeps_metadata = keeps_metadata
        self.page = page
        self.files: dict[str, tuple[str, bytes]] = {}
        self.batches: list[Batch] = []
        #: Steps in the order in which they came, and the headers of each.
        self.steps: list[str] = []
        self.headers: list[Mapping[str, str]] = []
        self.queries: list[Mapping[str, str]] = []
        self._faults: dict[str, list[Fault | None]] = defaultdict(list)

    def fault(self, step: Step, *faults: Fault | None) -> None:
        """What the next requests of a step meet; None is none."""
        self._faults[step] += faults

    @property
    def sent(self) -> list[dict[str, Any]]:
        """All requests that were ordered, over all batches: one that is there twice was paid for twice."""
        return [row for batch in self.batches for row in self.input_of(batch)]

    def input_of(self, batch: Batch) -> list[dict[str, Any]]:
        """The requests of a batch."""
        content = self.files[batch.order["input_file_id"]][1]
        return [json.loads(line) for line in content.splitlines()]

    def _routes(self, router: web.UrlDispatcher) -> None:
        base = self._path
        router.add_post(f"{base}/files", self._step("upload", self._upload))
        router.add_get(f"{base}/files", self._step("files", self._list_files))
        router.add_get(f"{base}/files/{{id}}/content", self._step("content", self._content))
        router.add_post(f"{base}/batches", self._step("create", self._create))
        router.add_get(f"{base}/batches", self._step("batches", self._list_batches))
        router.add_get(f"{base}/batches/{{id}}", self._step("batch", self._get))

    def _step(self, step: Step, handle: Callable[[web.Request, Any], Any]) -> Any:
        async def served(request: web.Request) -> web.StreamResponse:
            sent = await (_uploaded(request) if step == "upload" else request.text())
            self.steps.append(step)
            self.headers.append({name.lower(): value for name, value in request.headers.items()})
            self.queries.append(dict(request.query))
            faults = self._faults[step]
            fault = faults.pop(0) if faults else None
            if fault is None:
                return _reply(handle(request, sent))
            content = handle(request, sent) if fault.done else None
            if fault.half:
                return await _broken_off(request, _reply(content))
            if fault.held is not None:
                fault.held.set()
                await asyncio.Event().wait()  # until the client is gone
            if fault.status is None:
                assert request.transport is not None
                request.transport.close()
                return web.Response()
            return web.Response(status=fault.status, body=fault.content(), headers=fault.headers)

        return served

    def _upload(self, _request: web.Request, form: Any) -> dict[str, Any]:
        assert form[0] == "batch"
        return self._keep(form[1], form[2], "batch")

    def _keep(self, name: str, content: bytes, purpose: str) -> dict[str, Any]:
        file_id = f"file-{len(self.files) + 1}"
        self.files[file_id] = (name, content)
        return self._file(file_id) | {"purpose": purpose}

    def _file(self, file_id: str) -> dict[str, Any]:
        name, content = self.files[file_id]
        row = {"id": file_id, "object": "file", "bytes": len(content), "created_at": 1, "filename": name}
        return row | {"purpose": "batch", "status": "processed"}

    def _list_files(self, request: web.Request, _: Any) -> dict[str, Any]:
        return self._paged(request, [self._file(file_id) for file_id in reversed(self.files)])

    def _content(self, request: web.Request, _: Any) -> bytes | None:
        file = self.files.get(request.match_info["id"])
        return file[1] if file else None

    def _create(self, _request: web.Request, text: str) -> dict[str, Any]:
        batch = Batch(id=f"batch_{len(self.batches) + 1}", order=json.loads(text), statuses=[*self.statuses])
        self.batches.append(batch)
        return self._batch(batch)

    def _list_batches(self, request: web.Request, _: Any) -> dict[str, Any]:
        return self._paged(request, [self._batch(batch) for batch in reversed(self.batches)])

    def _get(self, request: web.Request, _: Any) -> dict[str, Any] | None:
        batch = next((each for each in self.batches if each.id == request.match_info["id"]), None)
        if batch is None:
            return None
        if batch.statuses:
            batch.status = batch.statuses.pop(0)
        if batch.status in ("completed", "expired", "cancelled") and not batch.counts:
            self._execute(batch)
        if batch.status == "failed":
            batch.errors = [*self.errors]
        return self._batch(batch)

    def _execute(self, batch: Batch) -> None:
        results = [(row, self.answer(row["body"])) for row in self.input_of(batch)]
        output = [_line(row, each) for row, each in results if _is_answer(each)]
        errors = [_line(row, each) for row, each in results if each is not None and not _is_answer(each)]
        batch.counts = {"total": len(results), "completed": len(output), "failed": len(errors)}
        output, errors = self.edit(output, errors)
        batch.output = self._keep("output.jsonl", b"".join(output), "batch_output")["id"] if output else None
        batch.errors_file = (
            self._keep("errors.jsonl", b"".join(errors), "batch_output")["id"] if errors else None
        )

    def _batch(self, batch: Batch) -> dict[str, Any]:
        row = {"id": batch.id, "object": "batch", **batch.order, "status": batch.status}
        row |= {"created_at": 1_700_000_000, "expires_at": 1_700_086_400}
        row |= {"output_file_id": batch.output, "error_file_id": batch.errors_file}
        counts = batch.counts or {"total": 0, "completed": 0, "failed": 0}
        row |= {"request_counts": counts, "errors": {"object": "list", "data": batch.errors}}
        return row if self.keeps_metadata else row | {"metadata": None}

    def _paged(self, request: web.Request, rows: list[dict[str, Any]]) -> dict[str, Any]:
        after = request.query.get("after")
        start = next((at + 1 for at, row in enumerate(rows) if row["id"] == after), 0)
        page = rows[start : start + self.page]
        return {"object": "list", "data": page, "has_more": start + self.page < len(rows)}


async def _uploaded(request: web.Request) -> tuple[object, str, bytes]:
    """Purpose, name and content."""
    form = await request.post()
    file = form["file"]
    assert isinstance(file, web.FileField)
    with file.file:
        return form["purpose"], file.filename, file.file.read()


def _reply(content: object) -> web.Response:
    if content is None:
        return web.Response(status=404, body=b'{"error": {"message": "no such thing"}}')
    if isinstance(content, bytes):
        return web.Response(body=content, headers={"Content-Type": "application/octet-stream"})
    return web.json_response(content)


async def _broken_off(request: web.Request, whole: web.Response) -> web.StreamResponse:
    body = whole.body
    assert isinstance(body, bytes)
    response = web.StreamResponse(headers={"Content-Length": str(len(body))})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    assert request.transport is not None
    request.transport.close()
    return response


def _is_answer(result: object) -> bool:
    return (
        result is not None and result != EXPIRED and not (isinstance(result, Reply) and result.status != 200)
    )


def _line(row: Mapping[str, Any], result: object) -> bytes:
    head = {"id": f"batch_req_{row['custom_id']}", "custom_id": row["custom_id"]}
    if result == EXPIRED:
        error = {"code": "batch_expired", "message": "This request could not be executed in time."}
        return json.dumps({**head, "response": None, "error": error}).encode() + b"\n"
    reply = result if isinstance(result, Reply) else Reply(text=str(result))
    body = json.loads(reply.content(str(row["url"]), row["body"]))
    response = {"status_code": reply.status, "request_id": "req_1", "body": body}
    return json.dumps({**head, "response": response, "error": None}).encode() + b"\n"


def main() -> None:
    """Serves until standard input is closed."""
    with BatchServer(statuses=("in_progress", "completed")) as server:
        print(server.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
