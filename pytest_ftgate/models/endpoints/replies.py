"""What an endpoint's reply means: an answer, or why there is none and whether asking again may help."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from urllib.parse import urlsplit

from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import FatalModelError, ModelError
from pytest_ftgate.models.boundary import Redactor, public_url, quoted
from pytest_ftgate.models.endpoints.apis import APIS
from pytest_ftgate.models.endpoints.bodies import (
    FailedAnswer,
    MalformedAnswer,
    error_code,
    error_message,
    is_out_of_quota,
)
from pytest_ftgate.models.endpoints.event_stream import is_event_stream, parse_events, seconds_at
from pytest_ftgate.models.endpoints.exchange import Reply
from pytest_ftgate.models.endpoints.quota import retry_after_s
from pytest_ftgate.models.endpoints.retry import Again, NoAnswer, Sign
from pytest_ftgate.models.endpoints.settings import EndpointSettings

_RETRIED = frozenset({408, 409, 425, 429})
#: Codes of failures under a status of 200 that pass.
_TOO_MANY = "rate_limit_exceeded"
_PASSING = frozenset({_TOO_MANY, "server_error"})


class ReplyReader:
    """Reads the replies of one endpoint; owned by its model. Nothing that it says holds a secret."""

    def __init__(self, settings: EndpointSettings) -> None:
        self._settings = settings
        self._api = APIS[settings.api]
        self._host = settings.host
        self._redact = Redactor(settings.secrets())

    def read(self, reply: Reply, *, answered: bool) -> Completion:
        """The answer; raises `NoAnswer`. `answered`: the endpoint has answered some request before."""
        if not 200 <= reply.status < 300:
            return self._read_status(replace(reply, body=self._redact.scrub(reply.body)), answered)
        try:
            body, time_to_first_token_s = self._unstreamed(reply)
            answer = self._api.parse(self._redact.scrub(body))
        except MalformedAnswer as error:
            raise self._no_answer(error) from None
        cost = self._settings.price.of(answer.usage) if self._settings.price else None
        return replace(
            answer,
            latency_s=reply.latency_s,
            time_to_first_token_s=time_to_first_token_s,
            cost=cost,
            created=time.time(),
        )

    def _unstreamed(self, reply: Reply) -> tuple[bytes, float | None]:
        """The body as it is without streaming, and when its first content came."""
        if not is_event_stream(reply.headers.get("content-type", ""), reply.body):
            return reply.body, None
        # Redacted event by event, since messages quote them, and once more when the pieces are together.
        events = (replace(event, data=self._redact(event.data)) for event in parse_events(reply.body))
        collected = self._api.collect(events)
        end = collected.content_end
        return json.dumps(collected.payload).encode(), None if end is None else seconds_at(reply.marks, end)

    def _no_answer(self, error: MalformedAnswer) -> NoAnswer:
        message = f"{self._host} sent no {self._api.noun}: {error}"
        if isinstance(error, FailedAnswer) and error.code in _PASSING:
            too_many = error.code == _TOO_MANY
            kind = "rate_limit" if too_many else "status"
            sign = Sign.BUSY if too_many else Sign.DOWN
            return NoAnswer(ModelError(message, kind=kind), Again.YES, sign=sign)
        return NoAnswer(ModelError(message, kind="protocol"), Again.ONCE)

    def _read_status(self, reply: Reply, answered: bool) -> Completion:
        status, code = reply.status, error_code(reply.body)
        if status == 400 and code == "content_filter":
            return Completion(finish_reason="content_filter", latency_s=reply.latency_s, created=time.time())
        if status in (401, 402) or is_out_of_quota(reply.body):
            raise NoAnswer(self._fatal(reply), Again.NEVER)
        # After an answer these say something of one request: not every request fails.
        if status in (403, 404) and not answered:
            raise NoAnswer(self._fatal(reply), Again.NEVER)
        message = status_message(reply, self._host, self._redact)
        error = ModelError(message, kind="rate_limit" if status == 429 else "status")
        if status not in _RETRIED and status < 500:
            raise NoAnswer(error, Again.NEVER)
        sign = Sign.BUSY if status == 429 else Sign.DOWN if status >= 500 else Sign.UP
        raise NoAnswer(error, Again.YES, sign=sign, retry_after_s=retry_after_s(reply.headers))

    def _fatal(self, reply: Reply) -> FatalModelError:
        settings = self._settings
        message = (
            f"HTTP {reply.status} from {self._host}{self._api.path} for model "
            f"{settings.deployment or settings.model!r}: {error_message(reply.body)}. {self._advice(reply)}"
        )
        return FatalModelError(message, kind="status")

    def _advice(self, reply: Reply) -> str:
        settings = self._settings
        if is_out_of_quota(reply.body) or reply.status == 402:
            return "The account has no quota left; retrying does not help"
        if reply.status in (401, 403):
            return key_advice(settings, "use this model")
        path = urlsplit(settings.base_url).path.rstrip("/")
        where = "" if path else f", and base_url, which usually ends in /v1 (it is {self._host})"
        return f"Check the model's name{where}{settings.hint}"


def key_advice(settings: EndpointSettings, purpose: str) -> str:
    """What to do about a key that an endpoint refuses: which variable holds it, never what is in it."""
    if settings.api_key_env:
        return f"Check the key in {settings.api_key_env}, and that it may {purpose}"
    return "No key was sent: name its variable as api_key_env in ftgate.yaml"


def status_message(reply: Reply, host: str, redact: Redactor) -> str:
    """What a status that is no success means; the body has to be rid of secrets."""
    if 300 <= reply.status < 400:
        target = redact(public_url(reply.headers.get("location", "")))
        return (
            f"HTTP {reply.status} from {host}: redirected to {quoted(target)}; "
            "redirects are not followed, base_url must name the final address"
        )
    return f"HTTP {reply.status} from {host}: {error_message(reply.body)}"
