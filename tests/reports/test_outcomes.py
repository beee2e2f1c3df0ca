"""Which cases are shown where not all have room."""

from __future__ import annotations

from dataclasses import replace

from pytest_ftgate.reports.outcomes import samples_of
from pytest_ftgate.summary import CaseResult, Flip, summarize
from tests.reports.samples import Category, record


def regressions(must_pass: str = "") -> list[CaseResult]:
    made = record([Category("a", regressed=1), Category("b", regressed=4), Category("c", regressed=2)])
    cases = tuple(replace(case, must_pass=case.id == must_pass) for case in made.plan.cases)
    summary = summarize(replace(made, plan=replace(made.plan, cases=cases)))
    return [case for case in summary.cases if case.flip is Flip.REGRESSION]


def ids(cases: list[CaseResult]) -> list[str]:
    return [case.planned.id for case in cases]


def test_each_category_is_shown_before_any_is_shown_twice_and_the_worst_begins() -> None:
    assert ids(samples_of(regressions(), 5)) == ["b-01", "c-01", "a-01", "b-02", "c-02"]


def test_what_must_pass_comes_first() -> None:
    assert ids(samples_of(regressions("b-03"), 3)) == ["b-03", "b-01", "c-01"]


def test_where_there_is_room_all_are_there() -> None:
    assert sorted(ids(samples_of(regressions(), 50))) == sorted(ids(regressions()))
