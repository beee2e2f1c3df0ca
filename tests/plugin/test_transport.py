from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftgate.cases import Arm
from pytest_ftgate.completions import Completion
from pytest_ftgate.plugin import transport
from pytest_ftgate.record import Outcome, Record, Trial, TrialKey
from tests.support.strategies import records


def report(when: str = "setup", outcome: str = "passed") -> pytest.TestReport:
    return pytest.TestReport(
        nodeid="a.evalcase.yaml::one",
        location=("a.evalcase.yaml", 3, "one"),
        keywords={"one": 1},
        outcome=outcome,  # type: ignore[arg-type]
        longrepr=None,
        when=when,  # type: ignore[arg-type]
        user_properties=[("ftgate_outcome", "passed")],
    )


def sent(made: pytest.TestReport) -> pytest.TestReport:
    """As it arrives in another process."""
    return pytest.TestReport._from_json(json.loads(json.dumps(made._to_json())))


def trial(**fields: Any) -> Trial:
    key = TrialKey("suite", "one", Arm.MODEL, 1, "a.evalcase.yaml::one")
    return Trial(key=key, outcome=Outcome.PASSED, completion=Completion(text="Paris"), **fields)


@given(records())
def test_what_is_told_in_this_process_is_what_arrives_in_another(record: Record) -> None:
    here, there = report(), report()
    transport.attach(here, {"attempt": 2}, record.trials, is_sent=False)
    transport.attach(there, {"attempt": 2}, record.trials)

    told, arrived = transport.take(here), transport.take(sent(there))

    assert told[0] == arrived[0] == {"attempt": 2}
    assert [each.fingerprint for each in told[1]] == [each.fingerprint for each in arrived[1]]


def test_a_report_does_not_hold_its_trials_to_the_end_of_the_run() -> None:
    made = report()
    transport.attach(made, {"miss": True}, [trial()], is_sent=False)
    transport.take(made)

    assert transport.take(made) == ({"miss": True}, [])


def test_a_trial_that_json_cannot_hold_is_errored_in_this_process_too() -> None:
    made = report()
    broken = trial(asides=(Completion(text="x", finish_reason=object()),))  # type: ignore[arg-type]
    transport.attach(made, {}, [broken], is_sent=False)

    _, (found,) = transport.take(made)

    assert found.outcome is Outcome.ERRORED
    assert found.error is not None
    assert found.error.message.startswith("the answer can't be kept: ")


@pytest.mark.parametrize(
    ("when", "outcome", "has_properties", "has_keywords"),
    [
        ("setup", "passed", False, False),
        ("setup", "failed", True, True),
        ("call", "passed", True, True),
        ("teardown", "passed", True, False),
        ("teardown", "failed", True, True),
    ],
)
def test_a_worker_says_once_what_reports_that_went_well_would_say_again(
    when: str, outcome: str, has_properties: bool, has_keywords: bool
) -> None:
    made = report(when, outcome)

    transport.lighten(made)

    assert bool(made.user_properties) is has_properties
    assert bool(made.keywords) is has_keywords


@pytest.mark.parametrize("payload", [{}, {"miss": True}])
def test_a_miss_is_known_on_every_process(payload: Mapping[str, Any]) -> None:
    made = report("call", "failed")
    transport.attach(made, payload, [trial()])

    assert transport.is_miss(sent(made)) is bool(payload)


@given(st.text(st.characters()))
def test_a_packed_text_is_plain_ascii_and_comes_out_as_it_was(text: str) -> None:
    assert transport.packed(text).isascii()
    assert transport.unpacked(transport.packed(text)) == text


def test_a_packed_text_with_half_a_character_comes_out_as_it_was() -> None:
    assert transport.unpacked(transport.packed("\ud83d")) == "\ud83d"
