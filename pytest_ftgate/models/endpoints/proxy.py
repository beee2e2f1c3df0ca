"""Which proxy the environment names for a URL. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined] # missing in typeshed


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A proxy, and the variable that names it; the URL may hold a password."""

    variable: str
    url: str = field(repr=False)


def environment_proxy(url: str, environ: Mapping[str, str]) -> Proxy | None:
    """The proxy for this URL by `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, in either case."""
    parts = urlsplit(url)
    exceptions = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    if proxy_bypass_environment(parts.netloc.rpartition("@")[2], {"no": exceptions}):
        return None
    lower = (f"{parts.scheme}_proxy", "all_proxy")
    names = (name for pair in lower for name in (pair, pair.upper()))
    variable = next((name for name in names if environ.get(name)), None)
    return Proxy(variable=variable, url=environ[variable]) if variable else None
