"""The line of a criterion, its reason and its interval."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pytest

from pytest_ftgate.gates import CriterionResult, Status, Word
from pytest_ftgate.reports.criterion_lines import criterion_lines
from pytest_ftgate.reports.lines import cells, plain_text
from pytest_ftgate.reports.page import Page
from pytest_ftgate.reports.terminal import render_terminal
from tests.reports.samples import SUITE, assessment, criterion, record

NEXT = (
    "next: add cases as the reasons say (repeats are no cases), or let the gate ask for\n"
    "  less; `ftgate plan` shows beforehand what a suite can decide\n"
)
REASON = (
    "-3.2 points on 126 cases (from 81.7% to 78.6%), at least -8.1 points with 95% confidence; "
    "≥ -5% is needed, which one of 12 parts may miss so by chance; about 140 more cases would decide"
)


def open_criterion(**changes: Any) -> CriterionResult:
    made: dict[str, Any] = {
        "compare": "delta",
        "observed": Fraction(-4, 126),
        "threshold": "≥ -5%",
        "n": 126,
        "evidence": "strict",
        "reason": REASON,
        "interval": (-0.093, 0.021),
    }
    return criterion("general_regression[capitals]", Status.INCONCLUSIVE, **made | changes)


def lines_of(results: Sequence[CriterionResult], *, width: int = 80, verbosity: int = 0) -> list[str]:
    page = Page(width=width, verbosity=verbosity)
    return plain_text(criterion_lines(results, Fraction(95, 100), page)).splitlines()


@pytest.mark.parametrize("width", [72, 80, 100, 120, 130, 140, 160])
def test_what_would_decide_is_shown_however_long_the_reason_is(width: int) -> None:
    weighted = REASON.replace("points on", "points, weighted by the traffic of twelve categories, on")
    rows = lines_of([open_criterion(reason=weighted)], width=width)

    assert " ".join(" ".join(rows).split()).endswith("about 140 more cases would decide")
    assert len(rows) <= 4
    assert max(map(cells, rows)) <= width


def test_a_reason_too_long_for_its_lines_gives_way_before_its_last_part() -> None:
    weighted = REASON.replace("points on", "points, weighted by the traffic of twelve categories, on")

    assert lines_of([open_criterion(reason=weighted)])[1:] == [
        "              -3.2 points, weighted by the traffic of twelve categories, on 126",
        "              cases (from 81.7% to 78.6%), at least -8.1 points with 95% confid…",
        "              about 140 more cases would decide",
    ]


def test_a_long_reason_of_one_part_is_cut_at_its_end() -> None:
    rows = lines_of([open_criterion(reason="word " * 100)])

    assert len(rows) == 4
    assert rows[-1].endswith("…")


def test_the_interval_is_shown_with_v() -> None:
    short, full = lines_of([open_criterion()]), lines_of([open_criterion()], verbosity=1)

    assert full[-1] == "              95% CI [-9, +2] points; the bounds decide"
    assert not [row for row in short if "CI" in row]


def test_what_is_go_has_its_reason_with_v() -> None:
    met = criterion(
        "any", Status.GO, reason="95% on 40 cases (38 of 40), ≥ 90% is needed; noise could explain it"
    )

    assert lines_of([met]) == ["GO  any  50.0%  ≥ 90%  n=20"]
    assert lines_of([met], width=110, verbosity=1) == [
        "GO  any  50.0%  ≥ 90%  n=20  95% on 40 cases (38 of 40), ≥ 90% is needed; noise could explain it",
    ]


@pytest.mark.parametrize(
    ("evidence", "said"), [("point", "the estimate decides"), ("strict", "the bounds decide")]
)
def test_v_says_what_decides(evidence: str, said: str) -> None:
    rows = lines_of([open_criterion(evidence=evidence)], verbosity=1)

    assert rows[-1].endswith(f"; {said}")


def test_an_open_criterion_says_what_to_do_next() -> None:
    made = assessment(record(SUITE), Word.INCONCLUSIVE, "not decided", criteria=[open_criterion()])

    text = plain_text(render_terminal(made, width=84))

    assert text.endswith(f"INCONCLUSIVE: not decided\n{NEXT}")


@pytest.mark.parametrize(
    ("word", "changes", "verbosity"),
    [
        (Word.ITERATE, {}, 0),
        (Word.INCONCLUSIVE, {"decides": False}, 0),
        (Word.INCONCLUSIVE, {"interval": None}, 0),
        (Word.INCONCLUSIVE, {}, -1),
    ],
)
def test_where_cases_would_not_help_nothing_is_said_of_them(
    word: Word, changes: dict[str, Any], verbosity: int
) -> None:
    made = assessment(record(SUITE), word, "why", criteria=[open_criterion(**changes)])

    assert "next:" not in plain_text(render_terminal(made, width=80, verbosity=verbosity))
