"""A request of a batch: what is asked, by which id its answer is known again, and how both are written."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

from pytest_ftgate.models import Request
from pytest_ftgate.models.endpoints.apis import APIS
from pytest_ftgate.models.endpoints.openai_endpoint import OpenAIEndpoint
from pytest_ftgate.models.endpoints.settings import EndpointSettings

_AZURE_DEPLOYMENT = re.compile(r"(/openai)/deployments/[^/]+/?$")
_ID_LENGTH = 20


class RequestName(NamedTuple):
    """What a request is for; `repeat` counts from 1."""

    suite: str
    case: str
    arm: str
    repeat: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRequest:
    """One request, without its body. `asked` is the case's digest, `where` its file and line."""

    custom_id: str
    spec: str
    suite: str
    case: str
    arm: str
    repeat: int
    asked: str
    where: str

    @property
    def name(self) -> RequestName:
        """What it is for; no two requests of a batch have the same."""
        return RequestName(self.suite, self.case, self.arm, self.repeat)

    @property
    def shown(self) -> str:
        """As messages name it."""
        nth = f", repeat {self.repeat}" if self.repeat > 1 else ""
        return f"{self.where}: case '{self.case}' ({self.arm}{nth})"

    def as_json(self) -> dict[str, Any]:
        """Builtins only."""
        return asdict(self)


class BatchEndpoint:
    """One arm's endpoint, as a batch asks it: the bodies of live requests, but for streaming."""

    def __init__(self, spec: str, settings: EndpointSettings) -> None:
        self.spec = spec
        self.settings = settings
        self._endpoint = OpenAIEndpoint(replace(settings, stream=False))

    def line(self, request: Request) -> tuple[BatchRequest, bytes]:
        """The request, and its line of the input file; equal requests give equal lines."""
        asks = self._endpoint.asks(request)
        body = {key: each for key, each in asks["body"].items() if key not in ("stream", "stream_options")}
        case = request.case
        content = (request.arm, self.spec, case.suite, case.id, request.repeat, {**asks, "body": body})
        digest = hashlib.sha256(_canonical(content).encode()).hexdigest()[:24]
        named = BatchRequest(
            custom_id=f"{request.arm.value}-{case.id[:_ID_LENGTH]}-{request.repeat}-{digest}",
            spec=self.spec,
            suite=case.suite,
            case=case.id,
            arm=request.arm.value,
            repeat=request.repeat,
            asked=case.asked,
            where=f"{case.path}:{case.line}",
        )
        url = batch_url(self.settings)
        row = {"custom_id": named.custom_id, "method": "POST", "url": url, "body": body}
        # As live bodies are written.
        line = json.dumps(row, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return named, line.encode() + b"\n"


def batch_url(settings: EndpointSettings) -> str:
    """What a batch calls the API. Source: OpenAI's reference of the Batch API; Azure's, of its dated one."""
    path = APIS[settings.api].path
    return path if _is_dated_azure(settings) and settings.api == "chat" else f"/v1{path}"


def batch_base(settings: EndpointSettings) -> EndpointSettings:
    """The settings with the base of files and batches: Azure has them beside its deployments."""
    if not _is_dated_azure(settings):
        return settings
    return replace(settings, base_url=_AZURE_DEPLOYMENT.sub(r"\1", settings.base_url))


def _is_dated_azure(settings: EndpointSettings) -> bool:
    return "api-version" in settings.query


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def ids_in(lines: Iterator[bytes]) -> Iterator[str]:
    """The ids of an input file that we wrote."""
    return (json.loads(line)["custom_id"] for line in lines)


def differences(before: Sequence[BatchRequest], now: Sequence[BatchRequest]) -> Iterator[str]:
    """How what is to be asked now differs from what was submitted, a line for each request."""
    old: Mapping[RequestName, BatchRequest] = {one.name: one for one in before}
    new = {one.name: one for one in now}
    for name in sorted({*old, *new}):
        if name not in new:
            yield f"{old[name].shown} was submitted, and is not asked now"
        elif name not in old:
            yield f"{new[name].shown} is asked now, and was not submitted"
        elif old[name].custom_id != new[name].custom_id:
            yield f"{new[name].shown} asks something else than what was submitted, or somebody else"
