"""What hooks add to our tables: scorers for case files, metrics for the gate; taken names are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Generic, TypeVar

import pytest

from pytest_ftgate.errors import ConfigError

if TYPE_CHECKING:
    from pytest_ftgate.gates import Metric
    from pytest_ftgate.scorers.spec import ScorerSpec

_T = TypeVar("_T")
_Seen = TypeVar("_Seen")


def all_scorers(config: pytest.Config) -> Mapping[str, ScorerSpec]:
    """Our scorers and those of `pytest_ftgate_scorers`; raises UsageError for a name that is taken."""
    from pytest_ftgate.scorers import BUILTIN  # noqa: PLC0415  (not without a case)

    added = config.hook.pytest_ftgate_scorers(config=config)
    return _merged(BUILTIN, added, "pytest_ftgate_scorers", "scorer")


def all_metrics(config: pytest.Config) -> Mapping[str, Metric]:
    """Our gate metrics and those of `pytest_ftgate_metrics`; raises UsageError for a name that is taken."""
    from pytest_ftgate.gates import BUILTIN_METRICS  # noqa: PLC0415  (not without a case)

    added = config.hook.pytest_ftgate_metrics(config=config)
    return _merged(BUILTIN_METRICS, added, "pytest_ftgate_metrics", "metric")


def scorers_of_project() -> Mapping[str, ScorerSpec]:
    """All scorers that the project in the current folder knows, its conftest's included; collects nothing.

    Raises ConfigError where pytest can't start; it has said why itself.
    """
    return _look(all_scorers)


def metrics_of_project() -> Mapping[str, Metric]:
    """The same for metrics."""
    return _look(all_metrics)


def _look(at: Callable[[pytest.Config], _Seen]) -> _Seen:
    seen = _Look(at)
    status = pytest.main(["-p", "no:terminal", "--assert=plain", "-Wignore"], plugins=[seen])
    if seen.found is None:
        raise ConfigError(f"pytest can't start in this folder (exit status {int(status)})")
    return seen.found


class _Look(Generic[_Seen]):
    """Looks at what pytest knows once the initial conftests are loaded, and ends the run there."""

    def __init__(self, at: Callable[[pytest.Config], _Seen]) -> None:
        self._at = at
        self.found: _Seen | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> int:
        self.found = self._at(config)
        return 0


def _merged(
    ours: Mapping[str, _T], added: Iterable[Mapping[str, _T] | None], hook: str, kind: str
) -> Mapping[str, _T]:
    table = dict(ours)
    for mapping in added:
        for name, spec in (mapping or {}).items():
            if name in table:
                raise pytest.UsageError(f"{hook}: there already is a {kind} '{name}'")
            table[name] = spec
    return table
