from __future__ import annotations

import json

import pytest

from pytest_ftgate.errors import RecordError
from pytest_ftgate.gates import assess
from pytest_ftgate.planning import Assumptions, observed_in_record, observed_in_report, plan_run
from pytest_ftgate.planning.assumptions import Truth
from pytest_ftgate.record import Record
from pytest_ftgate.reports.json_report import json_text, report_json
from tests.planning.previews import cases, one_criterion, preview
from tests.support.records import case as planned_case
from tests.support.records import record, trials

OF = cases(10)


def earlier(model: str, baseline: str) -> Record:
    """A run of the ten cases: a letter for each of them, P or F (or E), of both arms."""
    planned = [planned_case(one.id, suite=one.suite) for one in OF]
    told = zip(planned, model, baseline, strict=True)
    return record(planned, [trial for one, m, b in told for trial in trials(one, m, b)])


def truth(of: Record, assumptions: Assumptions | None = None, **criterion: str) -> Truth:
    made = plan_run(preview(OF, one_criterion(**criterion)), assumptions, observed_in_record("r.jsonl", of))
    found = made.criteria[0].truth
    assert found is not None
    return found


def test_rates_of_an_earlier_run_are_drawn_in_a_little() -> None:
    of = earlier("PPPPPPPPPP", "PPPPPPPPFF")

    found = truth(of, at_least="90%")

    assert found.rate == pytest.approx(10.5 / 11)
    assert found.baseline == pytest.approx(8.5 / 11)
    assert found.source == "observed on 10 cases"


def test_a_comparison_takes_change_and_discordance_of_pairs() -> None:
    of = earlier("PPPPPFPPPP", "PPPPPPFFFF")

    found = truth(of, compare="delta", at_least="5%")

    assert found.change == pytest.approx(0.3)
    assert found.discordance == pytest.approx(5.5 / 11)
    assert found.wins - found.losses == pytest.approx(0.3)


def test_errors_say_nothing() -> None:
    assert truth(earlier("PPPPPEEEEE", "PPPPPPPPPP"), at_least="90%").source == "observed on 5 cases"


def test_what_is_given_beats_what_was_observed() -> None:
    found = truth(earlier("P" * 10, "P" * 10), Assumptions(rate=0.6), at_least="90%")

    assert (found.rate, found.source) == (0.6, "given")


def test_cases_that_the_earlier_run_lacks_are_assumed() -> None:
    of = record([planned_case("other")])

    assert truth(of, at_least="90%").source == "assumed"


def test_a_json_report_says_the_same_as_the_record() -> None:
    of = earlier("PPPPPFPPPE", "PPPPPPFFFF")
    report = json.loads(json_text(report_json(assess(of))))
    made = preview(OF, one_criterion(compare="delta", at_least="5%"))

    by_record = plan_run(made, observed=observed_in_record("r", of))
    by_report = plan_run(made, observed=observed_in_report("r", report))

    assert by_report == by_record


@pytest.mark.parametrize(
    ("report", "message"),
    [
        ([], "r.json is not a JSON report with cases: give what --ftgate-report wrote"),
        (
            {"schema": "ftgate.report/1"},
            "r.json is not a JSON report with cases: give what --ftgate-report wrote",
        ),
        ({"schema": "ftgate.report/1", "cases": [{}]}, "r.json is a damaged JSON report: 'trials'"),
    ],
)
def test_what_is_no_report_is_refused(report: object, message: str) -> None:
    with pytest.raises(RecordError) as caught:
        observed_in_report("r.json", report)  # type: ignore[arg-type]

    assert str(caught.value) == message
