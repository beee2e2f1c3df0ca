"""The command line and ini options: declared in one function, read in one function."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ftgate.plugin.shard_options import add_shard_options, names_shard, read_shard, with_record
from pytest_ftgate.plugin.stash import run_id_key, taken_aliases_key

if TYPE_CHECKING:
    from pytest_ftgate.models.answer_store.session import Reuse
    from pytest_ftgate.models.limits import Spending
    from pytest_ftgate.record import Shard

#: Short names, promised to users but never registered: a project's own option of that name must keep working.
ALIASES = {"--model": "--ftgate-model", "--baseline": "--ftgate-baseline"}

#: Each with what stands for its value in `pytest --help`.
_TEXT_OPTIONS = {
    "model": (
        "MODEL",
        "the model that may ship: a name from ftgate.yaml, an OpenAI model id, openai:ID, recorded:FILE or "
        "python:MODULE:FUNCTION. Without one nothing is asked. Short: --model=MODEL",
    ),
    "baseline": ("MODEL", "what it is compared with, written in the same way. Short: --baseline=MODEL"),
    "judge": ("MODEL", "who grades for the checks `judge` and `prefer`, written in the same way"),
    "embeddings": ("MODEL", "whose embeddings the check `similarity` compares, written in the same way"),
    "config": ("PATH", "models and gate (default: ftgate.yaml in the rootdir)"),
    "concurrency": ("N", "how many requests may be in flight, by all workers together (default: 32)"),
    "verdict": ("PATH", "where to write the verdict (default: .ftgate/verdict.json in the rootdir)"),
    "run-id": ("ID", "what `ftgate verify --run-id` has to be given (default: $FTGATE_RUN_ID, else random)"),
    "save-answers": ("PATH", "write all answers to this file, to be played later by recorded:PATH"),
    "cache": (
        "resume|use|refresh|off|only",
        "which kept answers count: resume (the default) goes on with an unfinished run of the same plan; use "
        "takes any that is there and asks for the rest, only asks for none; refresh asks for all, and off "
        "keeps none either",
    ),
    "max-tokens": ("N", "stop when the answers of this run have used so many tokens; what came is kept"),
    "max-cost": ("AMOUNT", "stop when the answers have cost so much, in the currency of the prices"),
    "deadline": ("TIME", "stop after so long (90s, 30m, 2h); what came is kept, and the next run goes on"),
}
_SWITCHES = {
    "strict": "every single case has to pass, whatever the gate allows (the criterion every_case)",
    "require-verdict": "fail if cases were left out (-k, --lf, node ids, ...): such a run decides nothing",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the user asked for; paths are absolute."""

    model: str | None
    baseline: str | None
    judge: str | None
    embeddings: str | None
    config_path: Path | None
    concurrency: int
    strict: bool
    require_verdict: bool
    verdict_path: Path
    run_id: str
    reports: tuple[Path, ...]
    reviews: tuple[Path, ...]
    calibrations: tuple[Path, ...]
    save_answers: Path | None
    junit_properties: bool
    reuse: Reuse
    resume_max_age_s: float
    spending: Spending | None
    deadline_s: float | None
    #: Which of how many shards this run is, and the records by which they are balanced.
    shard: Shard | None
    shard_durations: tuple[Path, ...]
    #: The model was named on the command line itself, not in addopts, ini or ftgate.yaml.
    asked_for: bool
    #: Short names that belong to another plugin or conftest of this project.
    taken_aliases: tuple[str, ...]

    @property
    def gate_options(self) -> tuple[str, ...]:
        """The options that touch the gate, as they stand in the verdict."""
        return ("--ftgate-strict",) if self.strict else ()

    def option_of(self, arm: str) -> str:
        """The option for an arm that a message should tell the user to use."""
        alias = f"--{arm}"
        return ALIASES[alias] if alias in self.taken_aliases else alias


def add_options(parser: pytest.Parser) -> None:
    """Declares every option and its ini twin."""
    group = parser.getgroup("ftgate", "ftgate (may this fine-tuned model ship?)")
    for name, (value, text) in _TEXT_OPTIONS.items():
        group.addoption(f"--ftgate-{name}", default=None, metavar=value, help=text)
        parser.addini(_ini(name), help=text, default=None)
    for name, text in _SWITCHES.items():
        group.addoption(f"--ftgate-{name}", action="store_true", default=None, help=text)
        parser.addini(_ini(name), help=text, type="bool", default=False)
    add_shard_options(group)
    text = (
        "write a report: .json for programs, .md for people, .jsonl for the whole record of the run; "
        "may be repeated"
    )
    reviews = "count the votes in this file, which `ftgate review apply` wrote; may be repeated"
    trusted = "how far a judge agrees with people, as `ftgate judge calibrate` wrote it; may be repeated"
    group.addoption("--ftgate-calibration", action="append", default=None, metavar="PATH", help=trusted)
    parser.addini("ftgate_calibration", help=trusted, type="linelist", default=[])
    group.addoption("--ftgate-review", action="append", default=None, metavar="PATH", help=reviews)
    parser.addini("ftgate_review", help=reviews, type="linelist", default=[])
    group.addoption("--ftgate-report", action="append", default=None, metavar="PATH", help=text)
    parser.addini("ftgate_report", help=text, type="linelist", default=[])
    text = "how long after its last answer --ftgate-cache=resume goes on with a run (default: 1h)"
    parser.addini("ftgate_resume_max_age", help=text, default=None)
    text = "put outcomes, scores, latency, tokens and cost of each case into the JUnit file (default: true)"
    parser.addini("ftgate_junit_properties", help=text, type="bool", default=True)


def rewrite_aliases(parser: pytest.Parser, args: list[str]) -> tuple[str, ...]:
    """Turns `--model=X` into `--ftgate-model=X` in place, up to `--`; returns those of other owners."""
    taken = tuple(alias for alias in ALIASES if _is_known(parser, alias))
    end = args.index("--") if "--" in args else len(args)
    for position, arg in enumerate(args[:end]):
        name, equals, value = arg.partition("=")
        if name in ALIASES and name not in taken:
            args[position] = ALIASES[name] + equals + value
    return taken


def _is_known(parser: pytest.Parser, option: str) -> bool:
    _, unknown = parser.parse_known_and_unknown_args([f"{option}=x"])
    return not unknown


def is_used(config: pytest.Config) -> bool:
    """Whether the command line or the ini file sets anything of ours."""
    names = (*_TEXT_OPTIONS, *_SWITCHES, "report", "review", "calibration")
    return names_shard(config) or any(
        _option(config, name) is not None or config.getini(_ini(name)) for name in names
    )


def read_settings(config: pytest.Config) -> Settings:
    """The one reader of options and ini values; the command line wins. Raises UsageError for a bad value."""
    texts = {name: _text(config, name) for name in _TEXT_OPTIONS}
    switches = {name: bool(_option(config, name) or config.getini(_ini(name))) for name in _SWITCHES}
    shard, durations = read_shard(config)
    return Settings(
        model=texts["model"],
        baseline=texts["baseline"],
        judge=texts["judge"],
        embeddings=texts["embeddings"],
        config_path=_path(config, "config"),
        concurrency=_concurrency(texts["concurrency"]),
        strict=switches["strict"],
        require_verdict=switches["require-verdict"],
        verdict_path=read_verdict_path(config),
        run_id=read_run_id(config),
        reports=_reports(config, shard),
        reviews=_paths(config, "review"),
        calibrations=_paths(config, "calibration"),
        save_answers=_path(config, "save-answers"),
        junit_properties=bool(config.getini("ftgate_junit_properties")),
        reuse=_reuse(texts["cache"]),
        resume_max_age_s=_duration("ftgate_resume_max_age", config.getini("ftgate_resume_max_age") or "1h"),
        spending=_spending(texts["max-tokens"], texts["max-cost"]),
        deadline_s=_duration("--ftgate-deadline", texts["deadline"]) if texts["deadline"] else None,
        shard=shard,
        shard_durations=durations,
        asked_for=asked_for_model(config),
        taken_aliases=config.stash.get(taken_aliases_key, ()),
    )


def read_verdict_path(config: pytest.Config) -> Path:
    """Where the verdict file goes; readable even when the other settings are not."""
    return _path(config, "verdict") or config.rootpath / ".ftgate" / "verdict.json"


def read_run_id(config: pytest.Config) -> str:
    """This run's id: given, from the environment, or random, and then the same all through the run."""
    if run_id_key not in config.stash:
        import secrets  # noqa: PLC0415 - nobody who does not use the plugin pays for it

        config.stash[run_id_key] = str(_given_run_id(config) or secrets.token_hex(8))
    return config.stash[run_id_key]


def has_run_id(config: pytest.Config) -> bool:
    """Whether somebody said what this run is called."""
    return bool(_given_run_id(config))


def _given_run_id(config: pytest.Config) -> object:
    return (
        _option(config, "run-id")
        or config.getini("ftgate_run_id")
        or os.environ.get("FTGATE_RUN_ID", "").strip()
    )


def asked_for_model(config: pytest.Config) -> bool:
    """Whether the command line itself names a model, however it is spelt."""
    is_taken = "--model" in config.stash.get(taken_aliases_key, ())
    return _names(
        config.invocation_params.args, ("--ftgate-model",) if is_taken else ("--ftgate-model", "--model")
    )


def _names(args: Sequence[object], names: tuple[str, ...]) -> bool:
    written = [str(arg) for arg in args]
    written = written[: written.index("--")] if "--" in written else written
    return any(arg.partition("=")[0] in names for arg in written)


def _ini(name: str) -> str:
    return f"ftgate_{name.replace('-', '_')}"


def _option(config: pytest.Config, name: str) -> object:
    return config.getoption(_ini(name))


def _text(config: pytest.Config, name: str) -> str | None:
    given = _option(config, name)
    value = config.getini(_ini(name)) if given is None else given
    if value is None or (given is None and value == ""):  # an unset ini value is "" on pytest 8
        return None
    if not str(value).strip():
        raise pytest.UsageError(f"--ftgate-{name} is empty: give it a value, or leave it out")
    return str(value)


def _concurrency(text: str | None) -> int:
    if text is None:
        return 32
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 1024:
        raise pytest.UsageError(f"--ftgate-concurrency={text}: a whole number from 1 to 1024 is needed")
    return int(text)


def _reuse(text: str | None) -> Reuse:
    from pytest_ftgate.models.answer_store.session import Reuse  # noqa: PLC0415  (not for every run of pytest)

    try:
        return Reuse(text or "resume")
    except ValueError:
        known = ", ".join(Reuse)
        raise pytest.UsageError(f"--ftgate-cache={text}: one of {known} is needed") from None


def _spending(tokens: str | None, cost: str | None) -> Spending | None:
    if tokens is None and cost is None:
        return None
    from pytest_ftgate.models.limits import Spending  # noqa: PLC0415  (not for every run of pytest)

    if tokens is not None and (not _WHOLE.fullmatch(tokens) or not int(tokens)):
        raise pytest.UsageError(f"--ftgate-max-tokens={tokens}: a whole number from 1 is needed")
    if cost is not None and (not _AMOUNT.fullmatch(cost) or not float(cost)):
        raise pytest.UsageError(f"--ftgate-max-cost={cost}: a positive number such as 5 or 0.50 is needed")
    return Spending(
        tokens=int(tokens) if tokens is not None else None, cost=float(cost) if cost is not None else None
    )


_WHOLE = re.compile(r"\d(?:_?\d){0,14}", re.ASCII)
_AMOUNT = re.compile(r"\d{1,12}(?:\.\d{1,12})?", re.ASCII)


def _duration(name: str, text: str) -> float:
    from pytest_ftgate.durations import parse_duration  # noqa: PLC0415  (not for every run of pytest)

    try:
        return parse_duration(text)
    except ValueError as error:
        raise pytest.UsageError(f"{name}: {error}") from None


def _path(config: pytest.Config, name: str) -> Path | None:
    """As in pytest: an option is relative to the current folder, an ini value to the rootdir."""
    if given := _option(config, name):
        return config.invocation_params.dir / str(given)
    written = config.getini(_ini(name))
    return config.rootpath / str(written) if written else None


def _paths(config: pytest.Config, name: str) -> tuple[Path, ...]:
    """The same for an option that may be repeated."""
    if given := config.getoption(_ini(name)):
        return tuple(config.invocation_params.dir / path for path in given)
    return tuple(config.rootpath / path for path in config.getini(_ini(name)))


def _reports(config: pytest.Config, shard: Shard | None) -> tuple[Path, ...]:
    reports = _paths(config, "report")
    return reports if shard is None else with_record(reports, shard, config)
