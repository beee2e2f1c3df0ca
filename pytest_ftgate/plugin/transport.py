"""What this plugin sends along with a test report: one attribute of JSON text.

It survives the crash of the xdist worker that made it, and ASCII-only JSON passes through every channel.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from pytest_ftgate.record import Outcome, Trial, TrialError
from pytest_ftgate.record.trials import sound

ATTRIBUTE = "ftgate"
_NOT_JSON = (TypeError, ValueError, OverflowError, RecursionError)


def attach(report: pytest.TestReport, payload: Mapping[str, Any], trials: Sequence[Trial] = ()) -> None:
    """Puts builtins and trials on a report; a trial that JSON can't hold is errored, and says so."""
    if trials:
        setattr(report, ATTRIBUTE, _with_trials(payload, [sound(trial) for trial in trials]))
    elif payload:
        setattr(report, ATTRIBUTE, dumps(payload))


def _with_trials(payload: Mapping[str, Any], trials: Sequence[Trial]) -> str:
    try:
        return dumps({**payload, "trials": [trial.as_json() for trial in trials]})
    except _NOT_JSON:
        return dumps({**payload, "trials": [_row_of(trial) for trial in trials]})


def dumps(payload: Mapping[str, Any]) -> str:
    """The text form of a payload."""
    return json.dumps(payload, allow_nan=False)


def _row_of(trial: Trial) -> dict[str, Any]:
    row = trial.as_json()
    try:
        dumps(row)
    except _NOT_JSON as error:
        reason = TrialError(kind="protocol", message=f"the answer can't be kept: {error}")
        return Trial(key=trial.key, outcome=Outcome.ERRORED, error=reason).as_json()
    return row


def detach(report: object) -> dict[str, Any]:
    """What `attach` put on this report, on whatever process; {} if nothing."""
    return loads(getattr(report, ATTRIBUTE, None))


def loads(text: object) -> dict[str, Any]:
    """The payload of a text, {} if there is none."""
    payload: dict[str, Any] = json.loads(text) if isinstance(text, str) else {}
    return payload


def is_miss(report: object) -> bool:
    """Whether a report is a miss: a failure that the gate judges, so that the exit status leaves it to it."""
    return bool(getattr(report, "failed", False) and detach(report).get("miss"))
