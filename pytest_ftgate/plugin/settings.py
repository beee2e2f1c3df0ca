"""What the options say: read in one function, on processes that have a reason to."""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ftgate.plugin.options import ALIASES, SWITCHES, TEXT_OPTIONS, asked_for_model, ini_name, option_of
from pytest_ftgate.plugin.shard_options import read_shard, with_record
from pytest_ftgate.plugin.stash import run_id_key, taken_aliases_key

if TYPE_CHECKING:
    from pytest_ftgate.models.answer_store.session import Reuse
    from pytest_ftgate.models.limits import Spending
    from pytest_ftgate.record import Shard


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


def read_settings(config: pytest.Config) -> Settings:
    """The one reader of options and ini values; the command line wins. Raises UsageError for a bad value."""
    texts = {name: _text(config, name) for name in TEXT_OPTIONS}
    switches = {name: bool(option_of(config, name) or config.getini(ini_name(name))) for name in SWITCHES}
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
        config.stash[run_id_key] = str(_given_run_id(config) or secrets.token_hex(8))
    return config.stash[run_id_key]


def has_run_id(config: pytest.Config) -> bool:
    """Whether somebody said what this run is called."""
    return bool(_given_run_id(config))


def _given_run_id(config: pytest.Config) -> object:
    return (
        option_of(config, "run-id")
        or config.getini("ftgate_run_id")
        or os.environ.get("FTGATE_RUN_ID", "").strip()
    )


def _text(config: pytest.Config, name: str) -> str | None:
    given = option_of(config, name)
    value = config.getini(ini_name(name)) if given is None else given
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
    if given := option_of(config, name):
        return config.invocation_params.dir / str(given)
    written = config.getini(ini_name(name))
    return config.rootpath / str(written) if written else None


def _paths(config: pytest.Config, name: str) -> tuple[Path, ...]:
    """The same for an option that may be repeated."""
    if given := config.getoption(ini_name(name)):
        return tuple(config.invocation_params.dir / path for path in given)
    return tuple(config.rootpath / path for path in config.getini(ini_name(name)))


def _reports(config: pytest.Config, shard: Shard | None) -> tuple[Path, ...]:
    reports = _paths(config, "report")
    return reports if shard is None else with_record(reports, shard, config)
