"""What an earlier run says of the next one: how often each case passed, how long its answers were."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from pytest_ftgate.cases import Arm
from pytest_ftgate.errors import RecordError
from pytest_ftgate.planning.tokens import estimated_tokens
from pytest_ftgate.record import CaseKey, Outcome, PlannedCase, Record, Trial
from pytest_ftgate.summary.case_results import CaseResult, case_result, mean, share_passed

_SCHEMA = "ftgate.report/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Passes of cases in an earlier run, each case a share of its repeats.

    `pairs` are (model, baseline) of the cases that have both.
    """

    model: tuple[Fraction, ...]
    baseline: tuple[Fraction, ...]
    pairs: tuple[tuple[Fraction, Fraction], ...]


class Observed:
    """The trials of an earlier run by case and arm; made once, changed by nobody.

    `name` is what the user called the file.
    """

    def __init__(self, name: str, trials: Iterable[Trial]) -> None:
        self.name = name
        self._trials: dict[tuple[CaseKey, Arm], list[Trial]] = {}
        for trial in trials:
            self._trials.setdefault((trial.key[:2], trial.key.arm), []).append(trial)

    def shares(self, keys: Iterable[CaseKey], passed: Callable[[Trial], bool | None]) -> Shares:
        """How often these cases passed, by a metric's `passed`; errored trials say nothing here."""
        rows = [[self._share(key, arm, passed) for arm in (Arm.MODEL, Arm.BASELINE)] for key in keys]
        return Shares(
            model=tuple(model for model, _ in rows if model is not None),
            baseline=tuple(baseline for _, baseline in rows if baseline is not None),
            pairs=tuple(
                (model, baseline) for model, baseline in rows if model is not None and baseline is not None
            ),
        )

    def results(
        self, cases: Iterable[PlannedCase], items: Mapping[CaseKey, Collection[str]]
    ) -> dict[CaseKey, CaseResult]:
        """What became of these cases in the items that are to be read, as far as they were answered.

        Items that go by another name than in the earlier run take what it knows of their case.
        """
        found = {}
        for case in cases:
            known = [trial for arm in Arm for trial in self._trials.get((case.key, arm), ())]
            answered = [trial for trial in known if trial.outcome is not Outcome.ERRORED]
            if answered and (read := items.get(case.key)):
                found[case.key] = case_result(case, _in_items(answered, read))
        return found

    def tokens_out(self, arm: Arm, key: CaseKey) -> float | None:
        """Tokens of one answer to a case: the mean of its repeats; None if it was not answered.

        Where the endpoint did not count them, they are estimated.
        """
        answers = [trial.completion for trial in self._trials.get((key, arm), ()) if trial.completion]
        counts = [
            answer.usage.output_tokens
            if answer.usage.output_tokens is not None
            else estimated_tokens(answer.text)
            for answer in answers
        ]
        return sum(counts) / len(counts) if counts else None

    def _share(self, key: CaseKey, arm: Arm, passed: Callable[[Trial], bool | None]) -> Fraction | None:
        return share_passed(self._trials.get((key, arm), ()), passed)


def _in_items(trials: Sequence[Trial], items: Collection[str]) -> Sequence[Trial]:
    same = [trial for trial in trials if trial.key.item in items]
    return same or [replace(trial, key=trial.key._replace(item=min(items))) for trial in trials]


def observed_in_record(name: str, record: Record) -> Observed:
    """What a record says."""
    return Observed(name, record.trials)


def observed_in_report(name: str, report: Mapping[str, Any]) -> Observed:
    """What a JSON report says; raises RecordError if this is none."""
    if (
        not isinstance(report, dict)
        or "cases" not in report
        or not str(report.get("schema")).startswith(_SCHEMA)
    ):
        raise RecordError(f"{name} is not a JSON report with cases: give what --ftgate-report wrote")
    try:
        trials = [trial for row in report["cases"] for trial in _trials(row)]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordError(f"{name} is a damaged JSON report: {error}") from None
    return Observed(name, trials)


def _trials(row: Mapping[str, Any]) -> Sequence[Trial]:
    """The trials of one case of a report; what is null there is left out."""
    made = []
    for each in row["trials"]:
        there = {key: value for key, value in each.items() if value is not None}
        made.append(Trial.from_json({**there, "suite": row["suite"], "case": row["id"]}))
    return made


def mean_share(values: Sequence[Fraction]) -> float:
    """The mean share of passes, drawn in by half a pass and half a failure, so that it is never 0 or 1.

    The posterior mean under Jeffreys' prior: a hundred of a hundred is no proof of perfection.
    """
    return (float(mean(values)) * len(values) + 0.5) / (len(values) + 1)
