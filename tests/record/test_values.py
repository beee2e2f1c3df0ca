"""The values of a record, field by field: what is written of each, and what is read where it is left out."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftgate.cases import Arm, EvalCase, Expectation, Role, Turn, canonical, digest, digest_of_list
from pytest_ftgate.completions import Completion, Usage
from pytest_ftgate.errors import RecordError
from pytest_ftgate.record import (
    Outcome,
    PlannedCase,
    PlannedItem,
    Record,
    RunInfo,
    Share,
    Trial,
    TrialError,
    TrialKey,
    case_plan,
    in_shard,
    merge,
    parse_record,
    record_lines,
)
from pytest_ftgate.record.plan import expectation_as_json, expectation_from_json
from pytest_ftgate.record.trials import sound
from pytest_ftgate.scores import UNASKED, Score
from tests.support.records import BOTH, case, entry, python_item, record

KEY = TrialKey("tools", "a", Arm.MODEL, 1, "evals/tools.evalcase.yaml::a")
FULL_RUN = RunInfo(
    run_id="run-7",
    started="2026-01-01T00:00:00+00:00",
    finished="2026-01-01T00:10:00+00:00",
    version="1.2",
    gate={"max_errors": "1"},
    gate_options=("--ftgate-strict",),
    models={"model": {"name": "tuned"}},
    mode="mixed",
    shard=(2, 3),
    share=Share(balance="d1", cases=frozenset({("tools", "a"), ("tools", "b")})),
    code={"conftest.py": "ab12"},
    no_model=True,
    cut_short="Ctrl-C",
    warnings=("slow",),
    lag_p95_s=0.0,
)


def test_every_field_of_a_run_is_written_and_read() -> None:
    assert RunInfo.from_json(json.loads(json.dumps(FULL_RUN.as_json()))) == FULL_RUN


def test_what_a_run_does_not_say_is_neither_written_nor_guessed() -> None:
    bare = RunInfo(run_id="run-7")

    assert bare.as_json() == {"run_id": "run-7", "mode": "live"}
    assert RunInfo.from_json(bare.as_json()) == bare


@pytest.mark.parametrize("lag_p95_s", [math.inf, math.nan, -0.1])
def test_a_lag_is_a_number_of_seconds(lag_p95_s: float) -> None:
    with pytest.raises(ValueError, match="lag_p95_s"):
        RunInfo.from_json({"run_id": "x", "mode": "live", "lag_p95_s": lag_p95_s})


def test_a_key_is_made_of_builtins_and_tells_its_repeat_from_the_second_on() -> None:
    assert {type(value) for value in KEY.as_json().values()} == {str, int}
    assert str(KEY) == "evals/tools.evalcase.yaml::a (model)"
    assert str(KEY._replace(repeat=2)) == "evals/tools.evalcase.yaml::a (model, repeat 2)"


def test_what_a_case_does_not_say_is_not_written() -> None:
    bare = PlannedCase(suite="s", id="a", role=Role.TARGET, category="c", path="s.yaml", line=3)

    assert bare.as_json() == {
        "suite": "s", "id": "a", "role": "target", "category": "c", "path": "s.yaml", "line": 3
    }  # fmt: skip
    assert PlannedCase.from_json(bare.as_json()) == bare


def test_a_planned_case_is_what_the_case_says() -> None:
    turns = (Turn(user="Hi"), Turn(user="Ho"))
    planned = case_plan(
        EvalCase(
            suite="s", id="a", path="s.yaml", line=3, role=Role.GENERAL, category="c", tags=("slow",),
            messages=(), turns=turns, repeat=3, must_pass=True, skip="later",
        ),
        [PlannedItem(nodeid="z", arms=BOTH), PlannedItem(nodeid="a", arms=BOTH)],
    )  # fmt: skip

    assert planned.role is Role.GENERAL
    assert (planned.suite, planned.id, planned.path, planned.line) == ("s", "a", "s.yaml", 3)
    assert (planned.category, planned.tags, planned.repeat) == ("c", ("slow",), 3)
    assert (planned.must_pass, planned.skip, planned.turns, planned.prompt) == (True, "later", 2, "Hi\nHo")
    assert [item.nodeid for item in planned.items] == ["a", "z"]


@pytest.mark.parametrize("weight", [0.5, 1.0, 2.0])
def test_a_weight_is_written_unless_it_is_one(weight: float) -> None:
    check = Expectation(scorer="regex", weight=weight)

    assert ("weight" in expectation_as_json(check)) is (weight != 1)
    assert expectation_from_json(expectation_as_json(check)) == check


def test_an_item_that_judges_both_arms_makes_pairs() -> None:
    alone = PlannedItem(nodeid="x::a", arms=(Arm.MODEL,))

    assert (alone.pairs, replace(alone, arms=BOTH).pairs) == (False, True)


def test_the_own_item_of_a_case_that_expects_nothing_judges_nothing() -> None:
    own, test = PlannedItem(nodeid="evals/tools.evalcase.yaml::a", arms=BOTH), python_item("a", Arm.MODEL)

    asked = case("a", expect=(), items=[own, test])
    judged = case("a", items=[own, test])

    assert (asked.judging_items, asked.paired_items) == ((test,), ())
    assert (judged.judging_items, judged.paired_items) == ((own, test), (own,))


def test_the_cases_of_a_shard_are_those_that_it_runs() -> None:
    cases = [case(f"c{number}") for number in range(9)]
    whole = record(cases)
    shard = replace(whole, run=replace(whole.run, shard=(1, 3)))

    assert whole.cases == whole.plan.cases
    assert shard.cases == tuple(one for one in cases if in_shard(one.key, (1, 3)))
    assert 0 < len(shard.cases) < 9


def test_a_trial_failed_elsewhere_if_all_that_the_case_asks_passed() -> None:
    def made(outcome: Outcome, *scored: tuple[str, bool]) -> bool:
        scores = [
            {"scorer": name, "value": float(passed), "passed": passed, "explanation": ""}
            for name, passed in scored
        ]
        return Trial.from_json({**KEY.as_json(), "outcome": outcome.value, "scores": scores}).failed_elsewhere

    assert made(Outcome.FAILED, ("regex", True), ("contains", True))
    assert not made(Outcome.FAILED, ("regex", True), ("contains", False))
    assert not made(Outcome.PASSED, ("regex", True))
    assert made(Outcome.FAILED, ("regex", True), (next(iter(UNASKED)), False))


def test_answers_asked_along_the_way_are_kept() -> None:
    one = Trial(key=KEY, outcome=Outcome.PASSED, asides=(Completion(text="aside"),))

    assert Trial.from_json(json.loads(json.dumps(one.as_json()))) == one
    assert "asides" not in replace(one, asides=()).as_json()


# The file


def test_a_line_is_ascii_whatever_the_text() -> None:
    made = record([case("a", prompt="Tōkyō \ud800")])

    assert all(line.isascii() for line in record_lines(made))
    assert parse_record(record_lines(made), "x") == made


def test_a_number_that_is_not_finite_is_never_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        list(record_lines(record([case("a")], gate={"confidence": math.nan})))


def sealed(rows: list[dict[str, Any]], **ending: Any) -> list[str]:
    """Lines with an end that fits them, as somebody who edits a record could write it."""
    lines = [json.dumps(row) for row in rows]
    digest = hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()
    return [*lines, json.dumps({"kind": "end", "cases": 0, "trials": 0, "digest": digest, **ending})]


HEAD = {"schema": "ftgate.record/1", "run_id": "x", "mode": "live"}


@pytest.mark.parametrize("left_out", [{}, {"left_out": None}, {"left_out": []}])
def test_a_record_need_not_say_what_was_left_out(left_out: dict[str, Any]) -> None:
    assert parse_record(sealed([HEAD | left_out]), "x") == Record(
        run=RunInfo(run_id="x"), plan=record([]).plan
    )


def test_a_conflict_without_its_key_is_refused() -> None:
    with pytest.raises(RecordError, match="x:2: this conflict has no 'suite'"):
        parse_record(sealed([HEAD, {"kind": "conflict"}]), "x")


def test_text_that_no_file_can_hold_is_a_change_and_no_crash() -> None:
    lines = sealed([HEAD])

    with pytest.raises(RecordError, match="changed after it was written"):
        parse_record([lines[0].replace("live", "\ud800"), lines[1]], "x")


# Shards


def shards(of: int = 2, **run: Any) -> list[Record]:
    """The shards of one run, by key."""
    whole = record([case(f"c{number}", tags=("slow",)) for number in range(9)])
    return [
        replace(
            whole,
            run=replace(FULL_RUN, shard=(number, of), share=None, **run),
            trials=tuple(one for one in whole.trials if in_shard(one.key[:2], (number, of))),
        )
        for number in range(1, of + 1)
    ]


def test_a_merged_run_says_what_its_shards_said() -> None:
    first, second = shards()
    second = replace(
        second, run=replace(second.run, started="2025", finished="2027", cut_short=None, warnings=("fast",))
    )

    made = merge([second, first])

    assert made.run == replace(
        FULL_RUN,
        started="2025",
        finished="2027",
        shard=None,
        share=None,
        code={},
        cut_short="shard 1: Ctrl-C",
        warnings=("fast", "slow"),
    )


def test_strangers_are_counted() -> None:
    first, second = shards()
    strange = replace(first, trials=(*first.trials, *second.trials[:2]))

    with pytest.raises(RecordError, match=r"shard 1 holds 2 trials of other shards: "):
        merge([strange, second])


def test_entries_inside_entries_keep_their_names() -> None:
    check = entry("all_of", "whole", entry("regex", "inner"))

    assert expectation_from_json(expectation_as_json(check)) == check


def scored(value: Any, **fields: Any) -> Score:
    return Score(scorer="regex", value=value, passed=True, explanation="", **fields)


@pytest.mark.parametrize("value", [0, 1, 0.0, 1.0, 0.5])
def test_whole_numbers_and_fractions_are_scores(value: float) -> None:
    one = Trial(key=KEY, outcome=Outcome.PASSED, scores=(scored(value),))

    assert sound(one) is one


@pytest.mark.parametrize(("name", "who"), [("tone", "tone"), (None, "regex")])
def test_a_wrong_score_is_told_by_its_name(name: str | None, who: str) -> None:
    value = sound(Trial(key=KEY, outcome=Outcome.PASSED, scores=(scored(True, name=name),))).error
    weight = sound(Trial(key=KEY, outcome=Outcome.PASSED, scores=(scored(1, name=name, weight=0),))).error

    assert value == TrialError(kind="scorer", message=f"{who} gave True, not a number from 0 to 1")
    assert weight == TrialError(kind="scorer", message=f"{who} has the weight 0, not a number above 0")


@pytest.mark.parametrize(("tokens", "kept"), [(2**53 - 1, True), (2**53, False), (-1, False), (True, False)])
def test_a_count_that_no_float_holds_exactly_is_no_measurement(tokens: int, kept: bool) -> None:
    answer = Completion(text="x", usage=Usage(input_tokens=1, output_tokens=tokens))

    found = sound(Trial(key=KEY, outcome=Outcome.PASSED, completion=answer))

    assert (found.outcome is Outcome.PASSED) is kept
    assert found.completion == (answer if kept else replace(answer, usage=Usage()))


def test_what_went_wrong_first_stays_the_reason() -> None:
    first = TrialError(kind="timeout", message="no answer within 60 s")
    answer = Completion(text="x", latency_s=math.nan)

    found = sound(Trial(key=KEY, outcome=Outcome.ERRORED, completion=answer, error=first))

    assert (found.error, found.completion) == (first, Completion(text="x"))


def test_outcomes_are_written_in_the_words_of_the_schema() -> None:
    assert [outcome.value for outcome in Outcome] == ["passed", "failed", "errored"]


@given(
    st.lists(
        st.dictionaries(
            st.text(),
            st.none() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
        )
    )
)
def test_the_digest_of_a_list_does_not_need_all_of_it_at_once(values: list[dict[str, object]]) -> None:
    assert digest_of_list(map(canonical, values)) == digest(values)
