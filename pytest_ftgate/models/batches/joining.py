"""From the files that came back to the answer of each request, by its id alone: order means nothing.

Files may be as large as they like: only where each line is stands in memory.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import ModelError
from pytest_ftgate.models.boundary import Redactor, quoted, safe_message, safe_text
from pytest_ftgate.models.endpoints.bodies import MalformedAnswer, is_number
from pytest_ftgate.models.endpoints.exchange import Reply
from pytest_ftgate.models.endpoints.openai_endpoint import OpenAIEndpoint
from pytest_ftgate.models.endpoints.replies import ReplyReader
from pytest_ftgate.models.endpoints.retry import NoAnswer
from pytest_ftgate.models.endpoints.settings import EndpointSettings
from pytest_ftgate.models.price_table import listed_price
from pytest_ftgate.models.safe_model import SafeModel

_LINE_OVERHEAD = 100_000
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a line stands: its file, its number from 1, and its bytes."""

    path: Path
    number: int
    start: int
    size: int


@dataclass(slots=True, kw_only=True)
class Index:
    """The lines of each request, and what is wrong with the others, a sentence each."""

    places: dict[str, list[Place]] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)
    #: Ids that are none of those that were sent in this part.
    unknown: list[str] = field(default_factory=list)
    #: Files in which every line can be read.
    whole: list[str] = field(default_factory=list)

    def add(self, path: Path, known: Collection[str], max_bytes: int) -> None:
        """Notes where each line of a file is; raises OSError if it can't be read."""
        is_whole = True
        with path.open("rb") as file:
            for number, (start, size, line) in enumerate(_lines(file, max_bytes + _LINE_OVERHEAD), 1):
                if line is not None and not line.strip():
                    continue
                custom_id = _custom_id(line) if line is not None else None
                if custom_id is None:
                    is_whole = False
                    what = "longer than an answer may be" if line is None else f"no result: {_quoted(line)}"
                    self.troubles.append(f"{path}:{number}: {what}")
                elif custom_id not in known:
                    self.unknown.append(custom_id)
                else:
                    place = Place(path=path, number=number, start=start, size=size)
                    self.places.setdefault(custom_id, []).append(place)
        if is_whole:
            self.whole.append(path.name)


def _lines(file: IO[bytes], limit: int) -> Iterator[tuple[int, int, bytes | None]]:
    """Start, size and content of each line; None for the content of one that is longer than `limit`."""
    start = 0
    while line := file.readline(limit):
        size, content = len(line), line
        while not line.endswith(b"\n") and (line := file.readline(_CHUNK)):
            size += len(line)
        yield start, size, content if len(content) == size else None
        start += size


def _custom_id(line: bytes) -> str | None:
    row = _row(line)
    custom_id = row.get("custom_id") if row is not None else None
    return custom_id if isinstance(custom_id, str) else None


def _row(line: bytes) -> Mapping[str, Any] | None:
    try:
        row = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, Mapping) else None


def _quoted(line: bytes) -> str:
    return quoted(line[:800].decode("utf-8", "replace").rstrip("\n"))


class AnswerReader:
    """Reads results as the live endpoint reads replies; what it gives is safe, and holds no secret."""

    def __init__(self, settings: EndpointSettings, redact: Redactor) -> None:
        price = settings.price or listed_price(settings.model, settings.base_url)
        self._reader = ReplyReader(replace(settings, price=price))
        self._model = SafeModel(OpenAIEndpoint(settings), redact)
        self._redact = redact

    def read(self, places: Sequence[Place]) -> Completion | str:
        """The one answer to a request, or why there is none, in one line."""
        found = [self._result(place) for place in places]
        answers = [one for one in found if isinstance(one, Completion)]
        if not found:
            return "no result came"
        if not answers:
            return str(found[0])
        if any(_unstamped(one) != _unstamped(answers[0]) for one in answers):
            lines = " and ".join(f"{place.path.name}:{place.number}" for place in places)
            return f"different answers to it came: {lines}"
        return answers[0]

    def _result(self, place: Place) -> Completion | str:
        with place.path.open("rb") as file:
            file.seek(place.start)
            row = _row(file.read(place.size)) or {}
        try:
            return self._model.safe(self._answer(row))
        except (NoAnswer, MalformedAnswer, ModelError) as error:
            return safe_message(self._redact(safe_text(str(error))))

    def _answer(self, row: Mapping[str, Any]) -> Completion:
        error, response = row.get("error"), row.get("response")
        if not isinstance(response, Mapping):
            raise MalformedAnswer(_said_of(error) if error else "its result has neither response nor error")
        status = response.get("status_code")
        body = response.get("body")
        if not isinstance(status, int) or isinstance(status, bool):
            raise MalformedAnswer(f"its result has the status {quoted(str(status))}")
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        reply = Reply(status=status, headers={}, body=content, latency_s=0.0)
        answer = self._reader.read(reply, answered=True)
        # Nothing was measured: how long a batch took says nothing of how fast the model answers.
        return replace(answer, latency_s=None, time_to_first_token_s=None, created=_created(body))


def _said_of(error: object) -> str:
    if not isinstance(error, Mapping):
        return quoted(str(error))
    parts = [quoted(text)[1:-1] for key in ("code", "message") if isinstance(text := error.get(key), str)]
    return ": ".join(parts) or quoted(json.dumps(error))


def _created(body: object) -> float | None:
    """When the provider says that it answered: equal files then give equal answers."""
    stamp = (body.get("created") or body.get("created_at")) if isinstance(body, Mapping) else None
    return float(stamp) if is_number(stamp) and stamp >= 0 else None


def _unstamped(answer: Completion) -> Completion:
    return replace(answer, created=None)
