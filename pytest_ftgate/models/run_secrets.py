"""What must never be shown in a run: the secrets of all endpoints that `ftgate.yaml` names, and of others.

Reads the environment that it is given. A user's function may know keys that no entry names, so whatever the
environment calls a key or a token, and looks like one, counts too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from pytest_ftgate.errors import ConfigError

if TYPE_CHECKING:
    from pytest_ftgate.files.config_file import ConfigFile

_NAME = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?)$", re.IGNORECASE)
#: Not a path, and hardly a word: long, without spaces, of letters and digits.
_RANDOM = re.compile(r"(?!/)(?=\S*\d)(?=\S*[A-Za-z])\S{16,}")
_KEYS = ("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY")


def secrets_of(config: ConfigFile, environ: Mapping[str, str]) -> list[str]:
    """All of them, each once, sorted; those of entries that this run does not use as well."""
    found = {*_of_entries(config, environ), *_of_environment(environ)}
    return sorted(text for text in found if text)


def _of_entries(config: ConfigFile, environ: Mapping[str, str]) -> Iterator[str]:
    names = {*_KEYS, *(entry.api_key_env for entry in config.models.values())}
    yield from (environ.get(name or "", "").strip() for name in names)
    for entry in config.models.values():
        if entry.kind == "openai":
            # Not for a run that only collects, or plays saved answers: it brings asyncio along.
            from pytest_ftgate.models.endpoints.endpoint_entry import entry_settings  # noqa: PLC0415

            try:
                yield from entry_settings(entry, environ, None).secrets()
            except ConfigError:  # what it lacks is said when it is asked
                continue


def _of_environment(environ: Mapping[str, str]) -> Iterator[str]:
    for name, value in environ.items():
        if _NAME.search(name) and _RANDOM.fullmatch(value.strip()):
            yield value.strip()
        elif "://" in value:
            yield from _of_url(value)


def _of_url(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
        password = parts.password
    except ValueError:
        return
    named = [value for name, value in parse_qsl(parts.query) if _NAME.search(name)]
    user = parts.username if _RANDOM.fullmatch(parts.username or "") else None
    for text in (password, user, *named):
        yield from {text, unquote(text)} if text else ()
