"""The boundary: the one place where text from a model is made safe to store, show and compare. No I/O.

Model output is hostile text. It stays what it is, except for code points that break files and terminals:
those become visible escapes. `SafeModel` applies this to every answer and error of every model; secrets
are replaced there too, by the one `Redactor` of a run (`redaction.py`). How text is *shown* is decided in
`reports/inert.py`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pytest_ftgate.models.redaction import REDACTED, Redactor

__all__ = [
    "REDACTED",
    "Redactor",
    "bounded",
    "parse_json",
    "public_url",
    "quoted",
    "safe_json",
    "safe_message",
    "safe_text",
]

# C0 without tab and newline, DEL, C1, surrogates (always lone in a Python str), and the two noncharacters
# that XML 1.0 refuses.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_QUOTED_LENGTH = 200
_MESSAGE_LENGTH = 4000
#: How deep the JSON of a model may nest. Deeper values can be read, but not be walked by everybody after.
MAX_DEPTH = 64


def safe_text(text: str) -> str:
    r"""The text with `\r\n` as `\n` and unencodable or invisible code points as `\x00` or `\ud800`."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(_escape, text.replace("\r\n", "\n"))


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def safe_message(text: str) -> str:
    """Why something went wrong, in others' words: made safe, and no longer than anybody would read."""
    return safe_text(bounded(text, _MESSAGE_LENGTH))


def bounded(text: str, length: int) -> str:
    """Its first `length` characters, and how many there are more."""
    return text if len(text) <= length else f"{text[:length]}… ({len(text) - length:,} more characters)"


def safe_json(value: Any, depth: int = MAX_DEPTH) -> Any:
    """JSON builtins with all texts in them, names included, made safe; a deeper value raises ValueError."""
    if isinstance(value, str):
        return safe_text(value)
    if depth == 0 and isinstance(value, (Mapping, list, tuple)):
        raise ValueError(_TOO_DEEP)
    if isinstance(value, Mapping):
        return {safe_text(str(name)): safe_json(part, depth - 1) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [safe_json(part, depth - 1) for part in value]
    return value


_TOO_DEEP = "nested too deeply"


def quoted(text: str) -> str:
    """The first 200 characters on one line, escaped and in quotes, for a message."""
    short = text[: _QUOTED_LENGTH + 1]
    cut = "…" if len(short) > _QUOTED_LENGTH else ""
    return json.dumps(safe_text(short[:_QUOTED_LENGTH]), ensure_ascii=False) + cut


def parse_json(text: str, depth: int = MAX_DEPTH) -> Any:
    """Strict JSON: raises ValueError for NaN, infinity, names that occur twice, and too deep a nesting."""
    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite_float
        )
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    if _is_deeper(value, depth):
        raise ValueError(_TOO_DEEP)
    return value


def _is_deeper(value: Any, depth: int) -> bool:
    """Whether mappings and lists stand in each other more than so many times; itself it does not recurse."""
    level = [value]
    for _ in range(depth):
        level = [each for each in level if isinstance(each, dict | list)]
        if not level:
            return False
        level = [part for each in level for part in (each.values() if isinstance(each, dict) else each)]
    return any(isinstance(each, dict | list) for each in level)


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
