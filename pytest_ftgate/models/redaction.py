"""The one place where secrets are replaced, by value, in whatever form somebody repeats them. No I/O.

A run has one `Redactor`, with all secrets that this process can know (`secrets_of`), and it is applied where
text enters: to each answer and error of a model (`SafeModel`), and to all that pytest is told of a test
(`plugin/safe_output.py`). An endpoint scrubs what it reads with its own secrets besides.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

REDACTED = "[redacted]"
_SHORTEST_SECRET = 6
_SHORTEST_WORD = 12
_LONG_SECRET = 20
_PERCENT = re.compile("%[0-9A-F]{2}")


class Redactor:
    """Replaces secrets by value, in the forms in which gateways echo them; its repr shows none.

    A short word such as `dummy` protects nothing and occurs in answers, so it is no secret here.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets if _is_secret(secret) for form in _forms(secret)}
        # The longest first: an end of the key must not be replaced within the whole one.
        self._forms = sorted(forms, key=lambda form: (-len(form), form))

    def __call__(self, text: str) -> str:
        """The text without any of the secrets."""
        for form in self._forms:
            text = text.replace(form, REDACTED)
        return text

    def finds(self, text: str) -> bool:
        """Whether one of the secrets is in it."""
        return any(form in text for form in self._forms)

    def scrub(self, data: bytes) -> bytes:
        """The same for bytes in UTF-8."""
        for form in self._forms:
            data = data.replace(form.encode("utf-8", "surrogateescape"), REDACTED.encode())
        return data

    def json(self, value: Any) -> Any:
        """The same for all texts within builtins, names included."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, Mapping):
            return {self(str(name)): self.json(part) for name, part in value.items()}
        return [self.json(part) for part in value] if isinstance(value, list | tuple) else value


def _is_secret(text: str) -> bool:
    return len(text) >= (_SHORTEST_WORD if text.isalpha() else _SHORTEST_SECRET)


def _forms(secret: str) -> Iterator[str]:
    """The secret as it may stand in a text, a URL, JSON, HTML, and within something encoded."""
    yield from _spellings(secret)
    data = secret.encode("utf-8", "surrogateescape")
    yield from (data.hex(), data.hex().upper())
    for text in _base64(data):
        yield from (text, text.replace("+", "-").replace("/", "_"))
    # A gateway that masks a key often leaves its ends; the first ones are a vendor's prefix like `sk-proj-`.
    if len(secret) >= _LONG_SECRET:
        yield from _spellings(secret[:12])
        yield from _spellings(secret[-8:])


def _spellings(text: str) -> Iterator[str]:
    escaped = json.dumps(text)[1:-1]
    yield from (text, escaped, escaped.replace("/", "\\/"), html.escape(text), repr(text)[1:-1])
    for url in (quote(text, safe="", errors="surrogateescape"), quote_plus(text, errors="replace")):
        yield from (url, _PERCENT.sub(lambda found: found[0].lower(), url))
    yield quote(text, errors="surrogateescape")


def _base64(data: bytes) -> Iterator[str]:
    """Alone, and within a longer text, at each of the three places where it may begin in a group of three.

    Of the latter only the digits that do not depend on what stands around it.
    """
    yield base64.b64encode(data).decode().rstrip("=")
    for before, unknown in ((0, 0), (1, 2), (2, 3)):
        digits = base64.b64encode(bytes(before) + data).decode().rstrip("=")
        rest = (before + len(data)) % 3
        yield digits[unknown : -1 if rest else None]
