"""What the verdict says of answers that this run did not ask for: how many, and from when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pytest_ftgate.cases import Arm

if TYPE_CHECKING:
    from pytest_ftgate.completions import Completion
    from pytest_ftgate.models.answer_store.store import AnswerStore
    from pytest_ftgate.record import Trial


def taken_over_remarks(
    trials: Iterable[Trial], models: Mapping[str, Mapping[str, Any]], *, takes_any: bool, started: float
) -> list[str]:
    """One sentence, or none; `started` in seconds since the epoch.

    Where any stored answer counts (`takes_any`), those are meant that are older than this run.
    """
    answers = _answers(trials, {arm for arm, model in models.items() if model.get("kind") == "recorded"})
    if takes_any:
        taken = [one for one in answers if one.created is not None and one.created < started]
    else:
        taken = [one for one in answers if one.source == "resumed"]
    if not taken:
        return []
    oldest = min((one.created for one in taken if one.created is not None), default=None)
    from_when = f" from {_stamp(oldest, started)}" if oldest is not None else ""
    count = f"{len(taken):,} of {len(answers):,} answers{from_when}"
    return [f"stored: {count}; times were not measured" if takes_any else f"resumed: {count}"]


def going_on(store: AnswerStore, now: float) -> str | None:
    """What to say at the start of answers that are there already; `now` in seconds since the epoch."""
    if store.session.reuse.takes_any:
        return None
    count, first = store.taken_up()
    if count and first is not None:
        return f"going on with an unfinished run: {_kept(count)} from {_stamp(first, now)}"
    count, first = store.passed_over()
    if count and first is not None:
        return (
            f"asking for everything: the unfinished run of {_stamp(first, now)} ({_kept(count)}) had another "
            "plan; --ftgate-cache=use takes its answers"
        )
    return None


def _kept(count: int) -> str:
    return "1 answer is kept" if count == 1 else f"{count:,} answers are kept"


def _answers(trials: Iterable[Trial], recorded: set[str]) -> list[Completion]:
    """Each answer once, however many items judge it."""
    found: dict[tuple[str, str, Arm, int], Completion] = {}
    for trial in trials:
        if trial.completion is not None and trial.key.arm not in recorded:
            found[trial.key[:4]] = trial.completion
    return list(found.values())


def _stamp(seconds: float, started: float) -> str:
    """The time of day, with its date where that is not the run's."""
    then, now = (datetime.fromtimestamp(one, UTC) for one in (seconds, started))
    return f"{then:%H:%M} UTC" if then.date() == now.date() else f"{then:%Y-%m-%d %H:%M} UTC"
