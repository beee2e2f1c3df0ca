"""The hooks that a conftest or another plugin may implement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_ftgate.gates import Assessment, Metric
    from pytest_ftgate.scorers.spec import ScorerSpec


@pytest.hookspec(firstresult=True)
def pytest_ftgate_make_model(config: pytest.Config, spec: str) -> object | None:
    """Turns what `--model` or `--baseline` was given into a model, or returns None to leave it to others.

    Called once per arm, where answers are generated (under xdist: on each worker), after collection and
    before the first request. The result is a function like those of `python:` models, or an object with the
    methods of `pytest_ftgate.models.Model`. The first result wins. Example::

        def pytest_ftgate_make_model(config, spec):
            if spec == "app":
                from my_app.bot import answer
                return answer
    """


@pytest.hookspec
def pytest_ftgate_scorers(config: pytest.Config) -> Mapping[str, ScorerSpec] | None:
    """Adds scorers by name to those that case files may use.

    Called once, before the first case file is read, on every process that collects. A name that is taken is
    refused.
    """


@pytest.hookspec
def pytest_ftgate_metrics(config: pytest.Config) -> Mapping[str, Metric] | None:
    """Adds metrics by name to those that criteria in `ftgate.yaml` may use.

    Called once on every process, before the gate is read. A name that is taken is refused. Example::

        def pytest_ftgate_metrics(config):
            return {"polite": Metric(name="polite", doc="Share of polite answers.", unit="rate",
                                     compares=("value", "delta"), nothing="no answer", passed=is_polite)}
    """


@pytest.hookspec
def pytest_ftgate_decided(config: pytest.Config, assessment: Assessment) -> None:
    """Called once, after the verdict, in the process that decides (under xdist: the controller)."""
