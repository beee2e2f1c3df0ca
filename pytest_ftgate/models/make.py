"""From what a user wrote after `--model=` to the model that it means. Reads the environment it is given.

Nothing is sent here, and no client is loaded; saved answers are read and functions imported, so that mistakes
in them come before the first request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pytest_ftgate.cases import Arm
from pytest_ftgate.errors import ConfigError
from pytest_ftgate.models import Model
from pytest_ftgate.models.endpoints.endpoint_entry import (
    entry_settings,
    entry_url,
    openai_settings,
    openai_url,
)
from pytest_ftgate.models.endpoints.openai_endpoint import OpenAIEndpoint
from pytest_ftgate.models.price import Price
from pytest_ftgate.models.price_table import listed_price
from pytest_ftgate.models.wording import did_you_mean

if TYPE_CHECKING:
    from pytest_ftgate.files.config_file import ConfigFile
    from pytest_ftgate.files.model_entries import ModelEntry
    from pytest_ftgate.models.endpoints.settings import EndpointSettings

Kind = Literal["openai", "recorded", "python"]
SCHEMES: tuple[Kind, ...] = ("openai", "recorded", "python")


def make_model(
    spec: str, arm: Arm, config: ConfigFile, *, rootdir: Path, environ: Mapping[str, str]
) -> Model:
    """The model that `spec` names: an entry of `ftgate.yaml`, a scheme and what follows it, or an OpenAI id.

    Raises `ConfigError`, and `FileError` for saved answers with mistakes in them.
    """
    maker = _Maker(arm, config, rootdir, environ)
    if spec in config.models:
        return maker.from_entry(config.models[spec])
    scheme, rest = _scheme_of(spec, config)
    return {"openai": maker.openai, "recorded": maker.recorded, "python": maker.python}[scheme](rest)


def make_grader(
    spec: str, role: str, config: ConfigFile, *, rootdir: Path, environ: Mapping[str, str]
) -> Model:
    """The judge or the embeddings that `spec` names, written as for an arm; `role` says which of the two.

    Raises `ConfigError`; saved answers of an arm answer no question about answers.
    """
    entry = config.models.get(spec)
    kind = entry.kind if entry is not None else _scheme_of(spec, config)[0]
    if kind == "recorded":
        raise ConfigError(
            f"'{spec}' plays saved answers, and is no {role}: name an endpoint or a python: function; what "
            "it replied is kept, and --ftgate-cache=use asks for nothing twice"
        )
    if kind == "openai" and role == "embeddings":
        settings = endpoint_settings(spec, config, environ)
        assert settings is not None
        return OpenAIEndpoint(replace(settings, api="embeddings", stream=False, system=None))
    # An arm matters to saved answers only.
    return make_model(spec, Arm.MODEL, config, rootdir=rootdir, environ=environ)


def endpoint_settings(spec: str, config: ConfigFile, environ: Mapping[str, str]) -> EndpointSettings | None:
    """Where and how the endpoint that `spec` names is asked; None if it names no endpoint.

    Raises `ConfigError` for what is no name, and for what the environment lacks.
    """
    if (entry := config.models.get(spec)) is not None:
        return entry_settings(entry, environ, _price(entry)) if entry.kind == "openai" else None
    scheme, rest = _scheme_of(spec, config)
    return _openai_settings(rest, config, environ) if scheme == "openai" else None


def _openai_settings(model: str, config: ConfigFile, environ: Mapping[str, str]) -> EndpointSettings:
    near = did_you_mean(model, config.models).strip()
    return openai_settings(model, environ, hint=near)


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What is known of a model before it is asked: its kind, the price of its answers, saved answers."""

    kind: Kind
    price: Price | None = None
    recorded: Model | None = None


def foresee_model(
    spec: str, arm: Arm, config: ConfigFile, *, rootdir: Path, environ: Mapping[str, str]
) -> Foreseen:
    """What `make_model` would make, without the key and the user's function that this takes.

    Raises as that does for a name that is none, and for saved answers that are not there or have mistakes.
    """
    maker = _Maker(arm, config, rootdir, environ)
    entry = config.models.get(spec)
    if entry is not None:
        recorded = maker.from_entry(entry) if entry.kind == "recorded" else None
        return Foreseen(kind=entry.kind, price=_foreseen_price(entry, environ), recorded=recorded)
    scheme, rest = _scheme_of(spec, config)
    if scheme == "openai":
        return Foreseen(kind="openai", price=listed_price(rest, openai_url(environ)))
    return Foreseen(kind=scheme, recorded=maker.recorded(rest) if scheme == "recorded" else None)


def _foreseen_price(entry: ModelEntry, environ: Mapping[str, str]) -> Price | None:
    """An entry's own price, else the public one of its model."""
    if entry.price is not None or entry.kind != "openai":
        return _price(entry)
    try:
        return listed_price(entry.model or entry.name, entry_url(entry, environ))
    except ConfigError:  # a variable that is not set yet
        return None


def _scheme_of(spec: str, config: ConfigFile) -> tuple[Kind, str]:
    """How a model that is no entry is to be made, and of what; raises `ConfigError`."""
    scheme, colon, rest = spec.partition(":")
    if colon and (known := next((one for one in SCHEMES if one == scheme), None)):
        if not rest:
            raise ConfigError(f"'{spec}': nothing follows the colon; write {_EXAMPLES[scheme]}")
        return known, rest
    if colon and scheme != "ft":
        raise ConfigError(_unknown_scheme(spec, scheme, config.models))
    if not colon and (mistaken := _mistaken_id(spec, config.models)):
        raise ConfigError(mistaken)
    return "openai", spec


_EXAMPLES = {
    "openai": "openai:MODEL, such as openai:gpt-5",
    "recorded": "recorded:FILE, such as recorded:baselines/prod.jsonl",
    "python": "python:module:function, such as python:my_app.bot:answer",
}


def _mistaken_id(spec: str, names: Mapping[str, Any]) -> str | None:
    """Why a bare name is hardly an OpenAI id: prompts must not leave the house for a slip of the pen."""
    if spec.endswith((".jsonl", ".json")):
        return f"'{spec}' looks like a file: to play saved answers write recorded:{spec}"
    near = get_close_matches(spec, names, n=1, cutoff=0.8)
    if near:
        meant = f"'{spec}' is no entry of ftgate.yaml's `models:`. Did you mean '{near[0]}'?"
        return f"{meant} For an OpenAI model of that id write openai:{spec}"
    return None


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
        return OpenAIEndpoint(_openai_settings(model, self._config, self._environ))

    def recorded(self, rest: str) -> Model:
        file, _, wanted = rest.partition("#")
        return self._recorded(f"recorded:{rest}", self._found(file), file, wanted or None)

    def python(self, rest: str) -> Model:
        from pytest_ftgate.models.functions.python_function import PythonFunction  # noqa: PLC0415 - for this kind only

        return PythonFunction(f"python:{rest}", self._imported(rest))

    def from_entry(self, entry: ModelEntry) -> Model:
        if entry.recorded is not None:
            path = self._rootdir / entry.recorded
            return self._recorded(entry.name, path, self._shown(path), entry.arm, entry)
        if entry.python is not None:
            return self._python_entry(entry, entry.python)
        return OpenAIEndpoint(entry_settings(entry, self._environ, _price(entry)))

    def _recorded(
        self, name: str, path: Path, shown: str, wanted: str | None, entry: ModelEntry | None = None
    ) -> Model:
        from pytest_ftgate.models.answer_rows import read_answers  # noqa: PLC0415 - for this kind only
        from pytest_ftgate.models.recorded import Recorded, answers_of  # noqa: PLC0415

        answers = answers_of(read_answers(path, shown), self._arm, wanted, shown)
        revision, price = (entry.revision, _price(entry)) if entry else (None, None)
        return Recorded(name, answers, shown=shown, revision=revision, price=price)

    def _python_entry(self, entry: ModelEntry, spec: str) -> Model:
        from pytest_ftgate.models.functions.python_function import (  # noqa: PLC0415 - for this kind only
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

    def _imported(self, spec: str) -> Callable[..., Any]:
        from pytest_ftgate.models.functions.python_import import import_function  # noqa: PLC0415 - for this kind only

        return import_function(spec, (self._rootdir / (self._config.path or "ftgate.yaml")).parent)

    def _found(self, file: str) -> Path:
        """As every path on the command line, relative to the current folder; else to the rootdir."""
        here = Path.cwd() / file
        return here if here.is_file() else self._rootdir / file

    def _shown(self, path: Path) -> str:
        return path.relative_to(self._rootdir).as_posix() if path.is_relative_to(self._rootdir) else str(path)


def _price(entry: ModelEntry) -> Price | None:
    price = entry.price
    if price is None:
        return None
    if "input" not in price or "output" not in price:
        raise ConfigError(
            f"model '{entry.name}': 'price' needs both 'input' and 'output', per million tokens"
        )
    return Price(input=price["input"], output=price["output"])
