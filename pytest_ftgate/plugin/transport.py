"""What this plugin sends along with a test report: one attribute of JSON text.

It survives the crash of the xdist worker that made it, and ASCII-only JSON passes through every channel. In
the process that made it the text still has at hand what it says, so that nothing is parsed there.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from pytest_ftgate.record import Outcome, Trial, TrialError
from pytest_ftgate.record.trials import sound

ATTRIBUTE = "ftgate"
#: Where a payload has its trials.
TRIALS = "trials"
#: Where the first payload of a worker has its plan, packed.
PLAN = "plan"
_NOT_JSON = (TypeError, ValueError, OverflowError, RecursionError)


class _Told(str):
    """The text of a payload, beside what it says."""

    __slots__ = ("payload", "trials")
    payload: Mapping[str, Any]
    trials: Sequence[Trial]


def attach(
    report: pytest.TestReport,
    payload: Mapping[str, Any],
    trials: Sequence[Trial] = (),
    *,
    is_sent: bool = True,
) -> None:
    """Puts builtins and trials on a report; a trial that JSON can't hold is errored, and says so.

    Without `is_sent` the report stays in this process.
    """
    if trials:
        setattr(report, ATTRIBUTE, _with_trials(payload, [sound(trial) for trial in trials], is_sent=is_sent))
    elif payload:
        setattr(report, ATTRIBUTE, dumps(payload))


def _with_trials(payload: Mapping[str, Any], trials: Sequence[Trial], *, is_sent: bool) -> str:
    try:
        text = dumps({**payload, TRIALS: [trial.as_json() for trial in trials]})
    except _NOT_JSON:
        return dumps({**payload, TRIALS: [_row_of(trial) for trial in trials]})
    if is_sent:
        return text
    told = _Told(text)
    told.payload, told.trials = payload, trials
    return told


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


def take(report: object) -> tuple[Mapping[str, Any], Sequence[Trial]]:
    """What `attach` put on this report, on whatever process; trials and plan are no longer on it then.

    pytest keeps every report to the end, and the record holds them.
    """
    text = getattr(report, ATTRIBUTE, None)
    if isinstance(text, _Told):
        payload, trials = text.payload, text.trials
    else:
        payload = loads(text)
        trials = [Trial.from_json(row) for row in payload.pop(TRIALS, ())]
    if trials or PLAN in payload:
        kept = {name: value for name, value in payload.items() if name != PLAN}
        setattr(report, ATTRIBUTE, dumps(kept) if kept else None)
    return payload, trials


def move(source: pytest.TestReport, target: pytest.TestReport) -> None:
    """Puts what `attach` put on one report on another one, beside what that has already."""
    told, more = getattr(source, ATTRIBUTE, None), getattr(target, ATTRIBUTE, None)
    if told is None:
        return
    delattr(source, ATTRIBUTE)
    setattr(target, ATTRIBUTE, dumps({**loads(told), **loads(more)}) if more else told)


def packed(text: str) -> str:
    """A long text as a short one: on its way from process to process there are several copies of it."""
    return base64.b64encode(zlib.compress(text.encode("utf-8", "surrogatepass"), level=1)).decode("ascii")


def unpacked(text: str) -> str:
    """The inverse of `packed`."""
    return zlib.decompress(base64.b64decode(text)).decode("utf-8", "surrogatepass")


def loads(text: object) -> dict[str, Any]:
    """The payload of a text, {} if there is none."""
    payload: dict[str, Any] = json.loads(text) if isinstance(text, str) else {}
    return payload


def lighten(report: pytest.TestReport) -> None:
    """Takes off reports of setup and teardown that went well what that of the call says, too.

    The properties stay on that of the teardown, where pytest writes them into the JUnit file.
    """
    if not report.passed or report.when == "call":
        return
    report.keywords = {}
    if report.when == "setup":
        report.user_properties = []


def is_miss(report: object) -> bool:
    """Whether a report is a miss: a failure that the gate judges, so that the exit status leaves it to it."""
    return bool(getattr(report, "failed", False) and loads(getattr(report, ATTRIBUTE, None)).get("miss"))
