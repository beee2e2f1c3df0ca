"""Criteria and the verdict as results of their own: synthetic reports, so that JUnit and CI show them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import pytest

from pytest_ftgate.gates import Status, Word
from pytest_ftgate.reports.junit import criterion_text, verdict_text

if TYPE_CHECKING:
    from pytest_ftgate.gates import Assessment, CriterionResult

PREFIX = "ftgate::"
_Outcome = Literal["passed", "failed", "skipped"]


def criterion_reports(assessment: Assessment, *, must_decide: bool) -> Iterator[pytest.TestReport]:
    """Setup, call and teardown of `ftgate::<criterion>` for each one of a whole run; last the verdict."""
    verdict, run = assessment.verdict, assessment.record.run
    is_whole = not (verdict.narrowed or run.cut_short or run.no_model or run.shard)
    for criterion in verdict.criteria if is_whole else ():
        yield from _reports(criterion.name, _outcome(criterion), criterion_text(criterion))
    if not verdict.whole_shard and (must_decide or not (verdict.narrowed or run.no_model)):
        outcome: _Outcome = "passed" if verdict.word is Word.SHIP else "failed"
        yield from _reports("verdict", outcome, verdict_text(verdict))


def is_criterion(report: object) -> bool:
    """Whether a report is one of these."""
    return str(getattr(report, "nodeid", "")).startswith(PREFIX)


def forget_criteria(config: pytest.Config, first_failed: str | None) -> None:
    """Takes criteria out of what --lf and --stepwise remember: they name no test that could run again."""
    cache = getattr(config, "cache", None)
    if cache is None:
        return
    failed = cache.get("cache/lastfailed", {})
    if tests := {nodeid: value for nodeid, value in failed.items() if not nodeid.startswith(PREFIX)}:
        cache.set("cache/lastfailed", tests)
    elif failed:
        cache.set("cache/lastfailed", {})
    steps = cache.get("cache/stepwise", None)
    if isinstance(steps, dict) and str(steps.get("last_failed")).startswith(PREFIX):
        cache.set("cache/stepwise", {**steps, "last_failed": first_failed})
    elif isinstance(steps, str) and steps.startswith(PREFIX):
        cache.set("cache/stepwise", first_failed or [])


def _outcome(criterion: CriterionResult) -> _Outcome:
    """A criterion that does not decide is passed or skipped, never failed."""
    if criterion.status is Status.GO:
        return "passed"
    return "failed" if criterion.decides else "skipped"


def _reports(name: str, outcome: _Outcome, text: str) -> Iterator[pytest.TestReport]:
    location = ("ftgate", None, name)
    longrepr = None if outcome == "passed" else ("ftgate", 0, text) if outcome == "skipped" else text
    for when, result in (("setup", "passed"), ("call", outcome), ("teardown", "passed")):
        yield pytest.TestReport(
            nodeid=PREFIX + name,
            location=location,
            keywords={},
            outcome=result,  # type: ignore[arg-type]  # a literal, widened by the tuple
            longrepr=longrepr if when == "call" else None,
            when=when,  # type: ignore[arg-type]  # the same
        )
