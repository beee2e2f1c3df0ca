"""One endpoint and how it is asked, as plain values. No I/O, and no environment: keys are handed in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from pytest_ftgate.models.boundary import public_url
from pytest_ftgate.models.endpoints.proxy import Proxy
from pytest_ftgate.models.endpoints.retry import RetryPolicy
from pytest_ftgate.models.price import Price

ApiName = Literal["chat", "responses", "embeddings"]
_SECRET_NAME = re.compile("auth|cookie|credential|key|pass|secret|session|signature|token", re.IGNORECASE)
_RANDOM = re.compile(r"(?=\S*\d)(?=\S*[A-Za-z])\S{20,}")
DEFAULT_BASE_URL = "https://api.openai.com/v1"
MAX_BYTES = 8_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSettings:
    """One endpoint and how it is asked; what may hold a secret stays out of the repr.

    `deployment` is what the endpoint knows the model by, where that is another name. `query` goes with each
    request and holds no secret. The key travels as `key_header`, by default as a bearer's authorization.
    `hint` is added to the message of an unknown model.
    """

    name: str
    model: str
    deployment: str | None = None
    api: ApiName = "chat"
    stream: bool = False
    base_url: str = field(default=DEFAULT_BASE_URL, repr=False)
    query: Mapping[str, str] = field(default_factory=dict)
    api_key: str | None = field(default=None, repr=False)
    api_key_env: str | None = None
    key_header: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Mapping[str, Any] = field(default_factory=dict)
    system: str | None = None
    revision: str | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    concurrency: int | None = None
    price: Price | None = None
    max_bytes: int = MAX_BYTES
    hint: str = ""
    proxy: Proxy | None = None

    @property
    def host(self) -> str:
        """Where it is, as it may be shown."""
        return public_url(self.base_url).rstrip("/")

    @property
    def public_headers(self) -> Mapping[str, str]:
        """The entry's headers that may be shown, by names in lower case."""
        return {name.lower(): value for name, value in self.headers.items() if not _holds_secret(name, value)}

    def secrets(self) -> list[str]:
        """All that must never be shown, in the forms in which it is written."""
        parts = urlsplit(self.base_url)
        proxy = urlsplit(self.proxy.url).password if self.proxy else None
        pairs = [pair.partition("=") for pair in parts.query.split("&")]
        query = [value for name, _, value in pairs if name != "api-version"]
        private = [value for name, value in self.headers.items() if _holds_secret(name, value)]
        headers = [text for value in private for text in (value, value.rpartition(" ")[2])]
        texts = [self.api_key, proxy, parts.username, parts.password, *query, *headers]
        return [form for text in texts if text for form in {text, unquote(text)}]


def _holds_secret(header: str, value: str) -> bool:
    """Whether a header must not be shown; a word such as a team's name occurs in answers, too."""
    return bool(_SECRET_NAME.search(header) or _RANDOM.search(value))
