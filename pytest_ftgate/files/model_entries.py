"""`models:` of `ftgate.yaml` → who can be asked, and how. No key is ever read here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pytest_ftgate.cases import Arm
from pytest_ftgate.files import values
from pytest_ftgate.files.labels import label
from pytest_ftgate.files.nodes import MapNode, Node, NodeError, wrong
from pytest_ftgate.files.references import References
from pytest_ftgate.files.wording import quoted

Kind = Literal["openai", "recorded", "python"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    """One entry under `models:`.

    `name` is its key, `model` the API's id. `recorded` is a file of saved answers, of which `arm` is played.
    `python` is `module:function`. A parameter that is None takes the case's away. `price` is per million
    tokens. `system` is the text itself, also where the entry names a file.
    """

    name: str
    kind: Kind
    line: int
    model: str | None = None
    recorded: Path | None = None
    arm: Arm | None = None
    python: str | None = None
    base_url: str | None = None
    base_url_env: str | None = None
    api_key_env: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    system: str | None = None
    revision: str | None = None
    api: str | None = None
    stream: bool = False
    azure_endpoint: str | None = None
    azure_endpoint_env: str | None = None
    api_version: str | None = None
    deployment: str | None = None
    timeout_s: float | None = None
    retry_budget_s: float | None = None
    concurrency: int | None = None
    price: Mapping[Literal["input", "output"], float] | None = None


_ASKED = ("params", "system", "revision", "timeout_s", "concurrency", "price")
_AZURE = ("azure_endpoint", "azure_endpoint_env", "api_version", "deployment")
KEYS: Mapping[Kind, tuple[str, ...]] = {
    "openai": (
        "name",
        "base_url",
        "base_url_env",
        "api_key_env",
        "headers",
        "api",
        "stream",
        "retry_budget_s",
        *_AZURE,
        *_ASKED,
    ),
    "recorded": ("recorded", "revision", "price"),
    "python": ("python", *_ASKED),
}
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FUNCTION = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}[A-Za-z-]*")
_AZURE_HOST = "https://NAME.openai.azure.com"
_AZURE_V1 = f"for {_AZURE_HOST}/openai/v1/ write 'base_url' instead"
_SECRET_KEYS = ("api_key", "key", "token", "password", "secret")
_SECRET_HEADERS = ("authorization", "proxy-authorization", "api-key", "x-api-key", "cookie")
_KEY_RULE = "keys never stand in a file: name the variable that holds it, 'api_key_env: …'"


def parse_entry(name: str, node: Node, references: References) -> ModelEntry:
    """One entry; raises `NodeError` with all that is wrong with it, and never with the value of a secret."""
    entry = values.mapping(node, f"the model {quoted(name)}")
    kind = _kind(name, entry)
    notes = [_unknown(entry, key, kind) for key in entry.keys if key not in KEYS[kind]]
    given: dict[str, Any] = {}
    for key, value in entry.values.items():
        if key not in KEYS[kind]:
            continue
        try:
            given.update(_read(key, value, references))
        except NodeError as error:
            notes.extend(error.notes)
    if kind == "openai":
        notes.extend(_places(entry))
    if notes:
        raise NodeError(*notes)
    return ModelEntry(name=name, kind=kind, line=entry.line, **given)


_PLACES = ("base_url", "base_url_env", "azure_endpoint", "azure_endpoint_env")


def _places(entry: MapNode) -> Iterator[tuple[int, int, str]]:
    """What is wrong with the keys that together say where the endpoint is."""
    first, *others = [key for key in _PLACES if key in entry.values] or [""]
    for other in others:
        at = entry.keys[other]
        yield at.line, at.column, f"{quoted(first)} and {quoted(other)} exclude each other"
    is_azure = first.startswith("azure") or any(other.startswith("azure") for other in others)
    if is_azure and "api_version" not in entry.values:
        at = entry.keys[next(key for key in _PLACES[2:] if key in entry.values)]
        yield at.line, at.column, f"the endpoint needs 'api_version', such as 2024-10-21; {_AZURE_V1}"
    if "api_version" in entry.values and not is_azure:
        at = entry.keys["api_version"]
        yield at.line, at.column, f"'api_version' goes with 'azure_endpoint'; {_AZURE_V1}"


def _kind(name: str, entry: MapNode) -> Kind:
    named = [key for key in ("name", "recorded", "python") if key in entry.values]
    if len(named) > 1:
        both = " and ".join(map(quoted, named))
        raise wrong(entry.keys[named[1]], f"the model {quoted(name)} has {both}: it is one of them")
    if not named:
        secret = [_unknown(entry, key, "openai") for key in entry.keys if key in _SECRET_KEYS]
        rule = "needs 'name' (the API's model id), 'recorded' (a file) or 'python' (module:function)"
        raise NodeError((entry.line, entry.column, f"the model {quoted(name)} {rule}"), *secret)
    kinds: dict[str, Kind] = {"name": "openai", "recorded": "recorded", "python": "python"}
    return kinds[named[0]]


def _unknown(entry: MapNode, key: str, kind: Kind) -> tuple[int, int, str]:
    at = entry.keys[key]
    if key in _SECRET_KEYS:
        return at.line, at.column, f"{quoted(key)} is refused: {_KEY_RULE}"
    if any(key in keys for keys in KEYS.values()):
        return at.line, at.column, f"{quoted(key)} does not go with {quoted(_MAIN[kind])}"
    return values.unknown_key(at, KEYS[kind])


_MAIN = {"openai": "name", "recorded": "recorded", "python": "python"}


def _read(key: str, node: Node, references: References) -> dict[str, Any]:
    if key == "recorded":
        return _recorded(node, references)
    if key == "system":
        return {"system": _system(node, references)}
    return {"model" if key == "name" else key: _READERS[key](node)}


def _recorded(node: Node, references: References) -> dict[str, Any]:
    written, mark, arm = values.filled_text(node, "'recorded'").partition("#")
    if mark and arm not in tuple(Arm):
        raise wrong(node, f"after '#' stands the arm, 'model' or 'baseline', and this is {quoted(arm)}")
    return {"recorded": references.resolve(written, node), "arm": Arm(arm) if mark else None}


def _system(node: Node, references: References) -> str:
    """A system message as text, or `{file: path}`; one final line break of a file does not count."""
    if not values.is_mapping(node):
        return values.filled_text(node, "'system'")
    holder = values.mapping(node, "'system'")
    values.known_keys(holder, ("file",))
    if "file" not in holder.values:
        raise wrong(node, "'system' takes text, or {file: path}")
    return references.read_text(values.filled_text(holder.values["file"], "'file'"), holder.values["file"])


def _azure_endpoint(node: Node) -> str:
    written = _url(node, "azure_endpoint")
    if urlsplit(written).path.strip("/"):
        raise wrong(node, f"'azure_endpoint' ends with the host: {_AZURE_HOST}; {_AZURE_V1}")
    return written


def _url(node: Node, key: str) -> str:
    written = values.filled_text(node, quoted(key))
    try:
        parts = urlsplit(written)
        secret = parts.username is not None or bool(parts.query)
    except ValueError:
        raise wrong(node, f"{quoted(key)} is no URL") from None
    if secret:  # the URL itself is not repeated: it may hold a token
        raise wrong(
            node,
            f"{quoted(key)} holds a user name or a query, perhaps a secret: write '{key}_env: …'",
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise wrong(node, f"{quoted(key)} takes http://… or https://…, and this is {quoted(written)}")
    for path in ("/chat/completions", "/responses"):
        if parts.path.rstrip("/").endswith(path):
            raise wrong(node, f"{quoted(key)} ends before {path}, which is added to it: leave that out")
    return written


def _api_version(node: Node) -> str:
    written = values.filled_text(node, "'api_version'")
    if not _VERSION.fullmatch(written):
        raise wrong(node, f"'api_version' is a date such as 2024-10-21, and this is {quoted(written)}")
    return written


def _variable(node: Node) -> str:
    written = values.filled_text(node, "an environment variable")
    if not _VARIABLE.fullmatch(written):  # perhaps the key itself
        raise wrong(node, "this is no name of an environment variable: letters, digits and '_'")
    return written


def _function(node: Node) -> str:
    written = values.filled_text(node, "'python'")
    if not _FUNCTION.fullmatch(written):
        raise wrong(node, f"'python' takes 'module:function', and this is {quoted(written)}")
    return written


def _headers(node: Node) -> dict[str, str]:
    headers = values.mapping(node, "'headers'")
    for name, key in headers.keys.items():
        if name.lower() in _SECRET_HEADERS:
            raise wrong(key, f"the header {quoted(name)} is refused: {_KEY_RULE}")
        if not _HEADER.fullmatch(name):
            raise wrong(key, f"{quoted(name)} is no name of a header")
    read = {name: values.text(value, "a header") for name, value in headers.values.items()}
    broken = next(
        (name for name, value in read.items() if not value.isascii() or not value.isprintable()), None
    )
    if broken is not None:
        raise wrong(headers.values[broken], f"the header {quoted(broken)} is not printable ASCII")
    return read


def _price(node: Node) -> dict[str, float]:
    price = values.mapping(node, "'price'")
    values.known_keys(price, ("input", "output"))
    return {key: values.number(value, f"the price of {key}", least=0) for key, value in price.values.items()}


def _params(node: Node) -> dict[str, Any]:
    return {key: values.plain(value) for key, value in values.mapping(node, "'params'").values.items()}


_READERS: Mapping[str, Callable[[Node], Any]] = {
    "name": lambda node: values.filled_text(node, "'name'"),
    "python": _function,
    "base_url": lambda node: _url(node, "base_url"),
    "base_url_env": _variable,
    "azure_endpoint": _azure_endpoint,
    "azure_endpoint_env": _variable,
    "api_version": _api_version,
    "deployment": lambda node: values.filled_text(node, "'deployment'"),
    "api_key_env": _variable,
    "headers": _headers,
    "params": _params,
    "revision": lambda node: values.filled_text(node, "'revision'"),
    "api": lambda node: values.choice(node, "'api'", ("chat", "responses")),
    "stream": lambda node: values.boolean(node, "'stream'"),
    "timeout_s": lambda node: values.number(node, "'timeout_s'", least=0, above=True),
    "retry_budget_s": lambda node: values.number(node, "'retry_budget_s'", least=0, above=True),
    "concurrency": lambda node: values.whole_number(node, "'concurrency'", least=1),
    "price": _price,
}


def entry_name(key: Node) -> str:
    """The name of an entry, which `--model` takes: no scheme and no path can be confused with it."""
    return label(key, "the name of a model")
