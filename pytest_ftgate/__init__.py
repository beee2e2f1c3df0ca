"""A pytest plugin that decides whether a fine-tuned model may ship."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_ftgate.cases import EvalCase
    from pytest_ftgate.completions import Completion, ToolCall, Usage
    from pytest_ftgate.gates import Metric
    from pytest_ftgate.plugin.handles import as_model
    from pytest_ftgate.scorers.spec import Option, ScorerSpec, Subject
    from pytest_ftgate.scores import Score

__version__ = "0.1.0"
__all__ = [
    "Completion",
    "EvalCase",
    "Metric",
    "Option",
    "Score",
    "ScorerSpec",
    "Subject",
    "ToolCall",
    "Usage",
    "__version__",
    "as_model",
]

_HOMES = {
    "Completion": "completions",
    "EvalCase": "cases",
    "Metric": "gates",
    "Option": "scorers.spec",
    "Score": "scores",
    "ScorerSpec": "scorers.spec",
    "Subject": "scorers.spec",
    "ToolCall": "completions",
    "Usage": "completions",
    "as_model": "plugin.handles",
}


def __getattr__(name: str) -> object:
    """Loads a public name when it is first used, since this module loads in every pytest run."""
    if name not in _HOMES:
        raise AttributeError(f"module 'pytest_ftgate' has no attribute '{name}'")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(f"pytest_ftgate.{_HOMES[name]}"), name)
