"""From what a user wrote after `--model=` to the model that it means. Reads the environment it is given.

Nothing is sent here, and no client is loaded; saved answers are read and functions imported, so that mistakes
in them come before the first request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pytest_ftgate.cases import Arm
from pytest_ftgate.errors import ConfigError
from pytest_ftgate.models import Model
from pytest_ftgate.models.openai_chat import DEFAULT_BASE_URL, ChatSettings, OpenAIChat, Price
from pytest_ftgate.models.proxy import environment_proxy
from pytest_ftgate.models.retry import RetryPolicy
from pytest_ftgate.models.wording import did_you_mean

if TYPE_CHECKING:
    from pytest_ftgate.files.config_file import ConfigFile
    from pytest_ftgate.files.model_entries import ModelEntry

SCHEMES = ("openai", "recorded", "python")
_OPENAI_KEY = "OPENAI_API_KEY"
_OPENAI_URL = "OPENAI_BASE_URL"


def make_model(
    spec: str, arm: Arm, config: ConfigFile, *, rootdir: Path, environ: Mapping[str, str]
) -> Model:
    """The model that `spec` names: an entry of `ftgate.yaml`, a scheme and what follows it, or an OpenAI id.

    Raises `ConfigError`, and `FileError` for saved answers with mistakes in them.
    """
    maker = _Maker(arm, config, rootdir, environ)
    if spec in config.models:
        return maker.from_entry(config.models[spec])
    scheme, colon, rest = spec.partition(":")
    if colon and scheme in SCHEMES:
        if not rest:
            raise ConfigError(f"'{spec}': nothing follows the colon; write {_EXAMPLES[scheme]}")
        return {"openai": maker.openai, "recorded": maker.recorded, "python": maker.python}[scheme](rest)
    if colon and scheme != "ft":
        raise ConfigError(_unknown_scheme(spec, scheme, config.models))
    return maker.openai(spec)


_EXAMPLES = {
    "openai": "openai:MODEL, such as openai:gpt-5",
    "recorded": "recorded:FILE, such as recorded:baselines/prod.jsonl",
    "python": "python:module:function, such as python:my_app.bot:answer",
}


def _unknown_scheme(spec: str, scheme: str, names: Mapping[str, Any]) -> str:
    near = did_you_mean(scheme, SCHEMES) or did_you_mean(spec, names)
    known = ", ".join(f"{name}:" for name in SCHEMES)
    entries = f", and names in ftgate.yaml ({', '.join(sorted(names))})" if names else ""
    return (
        f"'{spec}': unknown scheme '{scheme}:'{near}; there are {known}, those of plugins{entries}. "
        f"For a model whose id holds a colon, write openai:{spec}"
    )


class _Maker:
    """Makes one model; lives for one call of `make_model`."""

    def __init__(self, arm: Arm, config: ConfigFile, rootdir: Path, environ: Mapping[str, str]) -> None:
        self._arm = arm
        self._config = config
        self._rootdir = rootdir
        self._environ = environ

    def openai(self, model: str) -> Model:
        base_url = self._environ.get(_OPENAI_URL) or DEFAULT_BASE_URL
        near = did_you_mean(model, self._config.models).strip()
        settings = ChatSettings(
            name=model,
            model=model,
            base_url=_checked_url(base_url, _OPENAI_URL),
            api_key=self._key(_OPENAI_KEY, f"model '{model}'", hint=near),
            api_key_env=_OPENAI_KEY,
            hint=f" {near}" if near else "",
            proxy=environment_proxy(base_url, self._environ),
        )
        return OpenAIChat(settings)

    def recorded(self, rest: str) -> Model:
        file, _, wanted = rest.partition("#")
        return self._recorded(f"recorded:{rest}", self._found(file), file, wanted or None)

    def python(self, rest: str) -> Model:
        from pytest_ftgate.models.python_function import PythonFunction  # noqa: PLC0415 - for this kind only

        return PythonFunction(f"python:{rest}", self._imported(rest))

    def from_entry(self, entry: ModelEntry) -> Model:
        if entry.recorded is not None:
            path = self._rootdir / entry.recorded
            return self._recorded(entry.name, path, self._shown(path), entry.arm, entry)
        if entry.python is not None:
            return self._python_entry(entry, entry.python)
        return self._openai_entry(entry)

    def _recorded(
        self, name: str, path: Path, shown: str, wanted: str | None, entry: ModelEntry | None = None
    ) -> Model:
        from pytest_ftgate.models.answer_rows import read_answers  # noqa: PLC0415 - for this kind only
        from pytest_ftgate.models.recorded import Recorded, answers_of  # noqa: PLC0415

        answers = answers_of(read_answers(path, shown), self._arm, wanted, shown)
        revision, price = (entry.revision, _price(entry)) if entry else (None, None)
        return Recorded(name, answers, shown=shown, revision=revision, price=price)

    def _python_entry(self, entry: ModelEntry, spec: str) -> Model:
        from pytest_ftgate.models.python_function import (  # noqa: PLC0415 - for this kind only
            DEFAULT_TIMEOUT_S,
            PythonFunction,
        )

        return PythonFunction(
            entry.name,
            self._imported(spec),
            shown=f"python:{spec}",
            concurrency=entry.concurrency,
            timeout_s=entry.timeout_s or DEFAULT_TIMEOUT_S,
            params=entry.params,
            system=entry.system,
            revision=entry.revision,
            price=_price(entry),
        )

    def _openai_entry(self, entry: ModelEntry) -> Model:
        if entry.api == "responses":
            raise ConfigError(
                f"model '{entry.name}': 'api: responses' is not there yet; leave it out for chat completions"
            )
        base_url, origin = self._base_url(entry)
        key_env = entry.api_key_env or (_OPENAI_KEY if self._is_openais(base_url) else None)
        policy = RetryPolicy(timeout_s=entry.timeout_s) if entry.timeout_s else RetryPolicy()
        settings = ChatSettings(
            name=entry.name,
            model=entry.model or entry.name,
            base_url=_checked_url(base_url, origin),
            api_key=self._key(key_env, f"model '{entry.name}'") if key_env else None,
            api_key_env=key_env,
            headers=dict(entry.headers),
            params=dict(entry.params),
            system=entry.system,
            revision=entry.revision,
            retry=policy,
            concurrency=entry.concurrency,
            price=_price(entry),
            proxy=environment_proxy(base_url, self._environ),
        )
        return OpenAIChat(settings)

    def _base_url(self, entry: ModelEntry) -> tuple[str, str]:
        """The URL, and where it comes from, for messages."""
        if entry.base_url:
            return entry.base_url, f"base_url of model '{entry.name}'"
        variable = entry.base_url_env or _OPENAI_URL
        if self._environ.get(variable):
            return self._environ[variable], variable
        if entry.base_url_env:
            raise ConfigError(f"model '{entry.name}': base_url_env names {variable}, which is not set")
        return DEFAULT_BASE_URL, "the default"

    def _is_openais(self, base_url: str) -> bool:
        """Whether OpenAI's key belongs there. It is sent to no other host, unless an entry says so."""
        own = (DEFAULT_BASE_URL, self._environ.get(_OPENAI_URL) or DEFAULT_BASE_URL)
        return urlsplit(base_url).netloc in {urlsplit(url).netloc for url in own}

    def _key(self, variable: str, who: str, *, hint: str = "") -> str:
        # A newline, from a file that was read into the variable, would break the header.
        key = self._environ.get(variable, "").strip()
        if not key:
            raise ConfigError(
                f"{who}: no key: the environment variable {variable} is not set{hint and ' ' + hint}"
            )
        if not key.isascii() or not key.isprintable():
            raise ConfigError(f"{who}: the key in {variable} holds characters that no header may hold")
        return key

    def _imported(self, spec: str) -> Callable[..., Any]:
        from pytest_ftgate.models.python_import import import_function  # noqa: PLC0415 - for this kind only

        return import_function(spec, (self._rootdir / (self._config.path or "ftgate.yaml")).parent)

    def _found(self, file: str) -> Path:
        """As every path on the command line, relative to the current folder; else to the rootdir."""
        here = Path.cwd() / file
        return here if here.is_file() else self._rootdir / file

    def _shown(self, path: Path) -> str:
        return path.relative_to(self._rootdir).as_posix() if path.is_relative_to(self._rootdir) else str(path)


def _checked_url(url: str, origin: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"{origin}: not an http(s) URL, such as http://localhost:8000/v1")
    return url


def _price(entry: ModelEntry) -> Price | None:
    price = entry.price
    if price is None:
        return None
    if "input" not in price or "output" not in price:
        raise ConfigError(
            f"model '{entry.name}': 'price' needs both 'input' and 'output', per million tokens"
        )
    return Price(input=price["input"], output=price["output"])
