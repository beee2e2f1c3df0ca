"""Finds the function that `python:module:function` names. Imports the user's code, and nothing else."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pytest_ftgate.errors import ConfigError
from pytest_ftgate.models.wording import did_you_mean


def import_function(spec: str, folder: Path) -> Callable[..., Any]:
    """The function; `folder` is first on `sys.path` from now on. Raises `ConfigError`.

    The folder stays there, because functions import when they are called, too.
    """
    shown = f"python:{spec}"
    module_name, _, path = spec.partition(":")
    if not module_name or not path:
        raise ConfigError(f"{shown}: write python:module:function, such as python:my_app.bot:answer")
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    found: Any = _import(module_name, shown, folder)
    for name in path.split("."):
        if not hasattr(found, name):
            names = [other for other in dir(found) if callable(getattr(found, other)) and other[0] != "_"]
            raise ConfigError(f"{shown}: {module_name} has no '{name}'{did_you_mean(name, names)}")
        found = getattr(found, name)
    if not callable(found):
        raise ConfigError(f"{shown}: that is a {type(found).__name__}, not a function")
    return found  # type: ignore[no-any-return] # whatever a user's module holds


def _import(name: str, shown: str, folder: Path) -> object:
    # A module that appeared since the folder was last listed, in a test or by a build step.
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise ConfigError(
                f"{shown}: there is no module '{error.name}' in {folder} or on sys.path"
            ) from None
        raise ConfigError(_broken(shown, name, error)) from None
    except Exception as error:  # noqa: BLE001 - around a user's model
        raise ConfigError(_broken(shown, name, error)) from None


def _broken(shown: str, name: str, error: Exception) -> str:
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename
    ]
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if len(frames) > 1 else ""
    return f"{shown}: importing {name} raised {type(error).__name__}: {error}{where}"
