"""The boundary: what crosses it from a model is made safe to store, show and compare, once. No I/O.

Model output is hostile text. It stays what it is, except for code points that break files and terminals:
those become visible escapes. Keys are replaced by value wherever they turn up.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

# C0 without tab and newline, DEL, C1, surrogates (always lone in a Python str), and the two noncharacters
# that XML 1.0 refuses.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_QUOTED_LENGTH = 200
_SHORTEST_SECRET = 6
_LONG_SECRET = 20
REDACTED = "[redacted]"


def safe_text(text: str) -> str:
    r"""The text with `\r\n` as `\n` and unencodable or invisible code points as `\x00` or `\ud800`."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(_escape, text.replace("\r\n", "\n"))


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def safe_json(value: Any) -> Any:
    """JSON builtins with every text in them, names included, made safe."""
    if isinstance(value, str):
        return safe_text(value)
    if isinstance(value, Mapping):
        return {safe_text(name): safe_json(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [safe_json(part) for part in value]
    return value


def quoted(text: str) -> str:
    """The first 200 characters on one line, escaped and in quotes, for a message."""
    short = text[: _QUOTED_LENGTH + 1]
    cut = "…" if len(short) > _QUOTED_LENGTH else ""
    return json.dumps(safe_text(short[:_QUOTED_LENGTH]), ensure_ascii=False) + cut


def parse_json(text: str) -> Any:
    """Strict JSON: raises ValueError for NaN, infinity, names that occur twice, and too deep a nesting."""
    try:
        return json.loads(
            text, object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite_float
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) == len(pairs):
        return names
    seen: set[str] = set()
    twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value] # add returns None
    raise ValueError(f"the name {quoted(twice)} occurs twice")


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _finite_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is too large a number")
    return value


def public_url(url: str) -> str:
    """The URL without user, password, query and fragment: what may be shown."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


class Redactor:
    """Replaces secrets by value, in the forms in which gateways echo them; its repr shows none."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets if len(secret) >= _SHORTEST_SECRET for form in _forms(secret)}
        # The longest first: an end of the key must not be replaced within the whole one.
        self._forms = sorted(forms, key=lambda form: (-len(form), form))

    def __call__(self, text: str) -> str:
        """The text without any of the secrets."""
        for form in self._forms:
            text = text.replace(form, REDACTED)
        return text

    def scrub(self, data: bytes) -> bytes:
        """The same for bytes in UTF-8."""
        for form in self._forms:
            data = data.replace(form.encode("utf-8", "surrogateescape"), REDACTED.encode())
        return data


def _forms(secret: str) -> Iterable[str]:
    yield secret
    yield quote(secret, safe="", errors="surrogateescape")
    yield json.dumps(secret)[1:-1]
    yield base64.b64encode(secret.encode("utf-8", "surrogateescape")).decode().rstrip("=")
    # A gateway that masks a key often leaves its ends; the first ones are a vendor's prefix like `sk-proj-`.
    if len(secret) >= _LONG_SECRET:
        yield secret[:12]
        yield secret[-8:]
