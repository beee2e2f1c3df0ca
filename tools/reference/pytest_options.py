"""The page of pytest's options: recorded from the function that declares them."""

from __future__ import annotations

from typing import Any, cast

import pytest

from pytest_ftgate.plugin.options import ALIASES, add_options
from tools.reference.markdown import code, table

_HEAD = """# Options of pytest

Options and their ini twins (`pyproject.toml`: `[tool.pytest.ini_options]`; `pytest.ini`: `[pytest]`).
The command line
wins over the ini file, and that over `ftgate.yaml`. What each kind of run ends with: [exit
status](../gate.md#exit-status).

Short names, unless the project has options of these names itself: {}. Write them with an equals sign;
with a space pytest takes
the value for a path.

"""
_INI = "\n## Ini keys\n\n"


class _Recorder:
    """Stands in for pytest's parser, and keeps what is declared to it."""

    def __init__(self) -> None:
        self.options: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, dict[str, Any]] = {}

    def getgroup(self, *_: object) -> _Recorder:
        return self

    def addoption(self, name: str, **declared: Any) -> None:
        self.options[name] = declared

    def addini(self, name: str, **declared: Any) -> None:
        self.keys[name] = declared


def pytest_options_page() -> str:
    """Every option and every ini key."""
    found = _Recorder()
    add_options(cast("pytest.Parser", found))
    short = " and ".join(f"`{alias}=` for `{name}=`" for alias, name in ALIASES.items())
    options = [(code(_shown(name, kept)), kept["help"]) for name, kept in found.options.items()]
    keys = [(code(name), kept.get("type", "text"), kept["help"]) for name, kept in found.keys.items()]
    return (
        _HEAD.format(short)
        + table(("option", "meaning"), options)
        + _INI
        + table(("key", "value", "meaning"), keys)
    )


def _shown(name: str, declared: dict[str, Any]) -> str:
    metavar = declared.get("metavar")
    return f"{name}={metavar}" if metavar else name
