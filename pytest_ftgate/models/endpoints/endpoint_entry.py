"""From an entry of `ftgate.yaml`, or a bare OpenAI id, to the settings of its endpoint.

Reads the environment that it is given, and hands each key to no other host than the one it belongs to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, urlsplit

from pytest_ftgate.errors import ConfigError
from pytest_ftgate.models.endpoints.proxy import environment_proxy
from pytest_ftgate.models.endpoints.retry import RetryPolicy
from pytest_ftgate.models.endpoints.settings import DEFAULT_BASE_URL, ApiName, EndpointSettings
from pytest_ftgate.models.price import Price

if TYPE_CHECKING:
    from pytest_ftgate.files.model_entries import ModelEntry

_OPENAI_KEY = "OPENAI_API_KEY"
_OPENAI_URL = "OPENAI_BASE_URL"
_AZURE_KEY = "AZURE_OPENAI_API_KEY"
#: Whom OpenAI bills where a key may be used for several; the headers and variables of the openai package.
_BILLED = {"OpenAI-Organization": "OPENAI_ORG_ID", "OpenAI-Project": "OPENAI_PROJECT_ID"}


def openai_settings(model: str, environ: Mapping[str, str], *, hint: str = "") -> EndpointSettings:
    """OpenAI's model of this id; raises `ConfigError` without a key."""
    base_url = openai_url(environ)
    return EndpointSettings(
        name=model,
        model=model,
        base_url=_checked_url(base_url, _OPENAI_URL),
        api_key=_key(_OPENAI_KEY, f"model '{model}'", environ, hint=hint),
        api_key_env=_OPENAI_KEY,
        headers=_billed(environ),
        hint=f" {hint}" if hint else "",
        proxy=environment_proxy(base_url, environ),
    )


def openai_url(environ: Mapping[str, str]) -> str:
    """Where a bare id is asked."""
    return environ.get(_OPENAI_URL) or DEFAULT_BASE_URL


def entry_url(entry: ModelEntry, environ: Mapping[str, str]) -> str:
    """Where an entry is asked; raises `ConfigError` for a variable that is not set, or holds no URL."""
    where = _azure(entry, environ) if _is_azure(entry) else _plain(entry, environ)
    return str(where["base_url"])


def entry_settings(entry: ModelEntry, environ: Mapping[str, str], price: Price | None) -> EndpointSettings:
    """What an entry says; raises `ConfigError` for what the environment lacks."""
    where = _azure(entry, environ) if _is_azure(entry) else _plain(entry, environ)
    key_env = where["api_key_env"]
    default = RetryPolicy()
    return EndpointSettings(
        **where,
        name=entry.name,
        model=entry.model or entry.name,
        deployment=entry.deployment,
        # The file's reader lets nothing else through.
        api=cast("ApiName", entry.api or "chat"),
        stream=entry.stream,
        api_key=_key(key_env, f"model '{entry.name}'", environ) if key_env else None,
        headers={**(_billed(environ) if key_env == _OPENAI_KEY else {}), **entry.headers},
        params=dict(entry.params),
        system=entry.system,
        revision=entry.revision,
        retry=RetryPolicy(
            timeout_s=entry.timeout_s or default.timeout_s,
            retry_budget_s=entry.retry_budget_s or default.retry_budget_s,
        ),
        concurrency=entry.concurrency,
        price=price,
        proxy=environment_proxy(where["base_url"], environ),
    )


def _plain(entry: ModelEntry, environ: Mapping[str, str]) -> dict[str, Any]:
    base_url, origin = entry.base_url, f"base_url of model '{entry.name}'"
    if base_url is None and entry.base_url_env:
        base_url, origin = _variable(entry, "base_url_env", entry.base_url_env, environ), entry.base_url_env
    if base_url is None:
        base_url, origin = openai_url(environ), _OPENAI_URL
    key_env = entry.api_key_env or (_OPENAI_KEY if _is_openais(base_url, environ) else None)
    return {"base_url": _checked_url(base_url, origin), "api_key_env": key_env}


def _is_azure(entry: ModelEntry) -> bool:
    return entry.azure_endpoint is not None or entry.azure_endpoint_env is not None


def _azure(entry: ModelEntry, environ: Mapping[str, str]) -> dict[str, Any]:
    """Where Azure's dated API is. Only chat completions have the deployment in their path.

    Source: `AzureOpenAI` of the openai package.
    """
    endpoint, origin = entry.azure_endpoint, f"azure_endpoint of model '{entry.name}'"
    if endpoint is None:
        origin = entry.azure_endpoint_env or ""
        endpoint = _variable(entry, "azure_endpoint_env", origin, environ)
    base_url = f"{_checked_url(endpoint, origin).rstrip('/')}/openai"
    if entry.api != "responses":
        base_url += f"/deployments/{quote(entry.deployment or entry.model or entry.name, safe='')}"
    return {
        "base_url": base_url,
        "query": {"api-version": entry.api_version or ""},
        "api_key_env": entry.api_key_env or _AZURE_KEY,
        "key_header": "api-key",
    }


def _variable(entry: ModelEntry, key: str, variable: str, environ: Mapping[str, str]) -> str:
    if not environ.get(variable):
        raise ConfigError(f"model '{entry.name}': {key} names {variable}, which is not set")
    return environ[variable]


def _is_openais(base_url: str, environ: Mapping[str, str]) -> bool:
    """Whether OpenAI's key belongs there. It is sent to no other host, unless an entry says so."""
    own = (DEFAULT_BASE_URL, openai_url(environ))
    return urlsplit(base_url).netloc in {urlsplit(url).netloc for url in own}


def _billed(environ: Mapping[str, str]) -> dict[str, str]:
    return {header: text for header, name in _BILLED.items() if (text := environ.get(name, "").strip())}


def _key(variable: str, who: str, environ: Mapping[str, str], *, hint: str = "") -> str:
    # A newline, from a file that was read into the variable, would break the header.
    key = environ.get(variable, "").strip()
    if not key:
        raise ConfigError(
            f"{who}: no key: the environment variable {variable} is not set{hint and ' ' + hint}"
        )
    if not key.isascii() or not key.isprintable():
        raise ConfigError(f"{who}: the key in {variable} holds characters that no header may hold")
    return key


def _checked_url(url: str, origin: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"{origin}: not an http(s) URL, such as http://localhost:8000/v1")
    return url
