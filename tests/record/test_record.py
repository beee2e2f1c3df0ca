from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from pytest_ftgate.cases import AnswerRule, Arm, EvalCase, Expectation
from pytest_ftgate.completions import Completion, ToolCall, Usage
from pytest_ftgate.errors import RecordError
from pytest_ftgate.record import (
    Outcome,
    Plan,
    PlannedItem,
    Record,
    RunRecord,
    Trial,
    TrialError,
    TrialKey,
    case_plan,
    in_shard,
    merge,
    parse_record,
    record_lines,
)
from pytest_ftgate.scores import Score
from tests.support.records import BOTH, case, entry, python_item, record, trial, trials
from tests.support.strategies import records

KEY = TrialKey("tools", "a", Arm.MODEL, 1, "evals/tools.evalcase.yaml::a")


def full_record() -> Record:
    """A record that uses every field."""
    check = entry("all_of", "everything", entry("contains"), entry("not", None, entry("regex")))
    planned = [
        case("a", tags=("slow",), repeat=2, must_pass=True, expect=[replace(check, weight=2.0)], prompt="Hi"),
        case("b", skip="later", digest="d", asked="q"),
        case("c", role="general", expect=(), items=[python_item("c", *BOTH, repeats=(1,))]),
    ]
    call = ToolCall(name="get", arguments={"city": "Tōkyō"}, text="")
    completion = Completion(
        text="“ok” \ud800",
        tool_calls=(call,),
        finish_reason="stop",
        usage=Usage(input_tokens=3, output_tokens=1),
        latency_s=0.25,
        logprobs=(-0.5,),
        created=1.5,
    )
    came_in = [one for plan in planned for one in trials(plan, completion=completion)]
    error = TrialError(kind="scorer", message="regex took too long")
    came_in[0] = replace(came_in[0], outcome=Outcome.ERRORED, scores=(), error=error)
    made = record(
        planned,
        came_in,
        left_out=["evals/b.evalcase.yaml"],
        gate={"max_errors": "1"},
        gate_options=("--ftgate-strict",),
        models={"model": {"name": "ft:x"}},
        cut_short="Ctrl-C",
        warnings=("unverified",),
        shard=(1, 2),
        no_model=True,
        started="2024-05-01T10:00:00+00:00",
        lag_p95_s=0.0,
    )
    return replace(made, conflicts=(came_in[2].key,))


def test_a_record_survives_its_file() -> None:
    made = full_record()

    assert parse_record(record_lines(made), "run.jsonl") == made


def test_the_lines_are_ascii_json_with_the_schema_first_and_the_end_last() -> None:
    rows = [json.loads(line) for line in record_lines(full_record())]

    assert rows[0]["schema"] == "ftgate.record/1"
    assert {row["kind"] for row in rows[1:-1]} == {"case", "trial", "conflict"}
    assert rows[-1]["kind"] == "end"
    assert all(line.isascii() for line in record_lines(full_record()))


def test_line_ends_and_empty_lines_make_no_difference() -> None:
    made = full_record()

    assert parse_record([f"{line}\r\n" for line in record_lines(made)] + ["\n"], "run.jsonl") == made


def damaged(change: Any) -> str:
    """What is said of a record whose rows were changed, its end line made to fit."""
    lines = list(record_lines(record([case("a")])))
    with pytest.raises(RecordError) as raised:
        parse_record(change(lines), "run.jsonl")
    return str(raised.value)


def with_row(number: int, **changes: Any) -> Any:
    def change(lines: list[str]) -> list[str]:
        row = json.loads(lines[number]) | changes
        kept = {key: value for key, value in row.items() if value is not None}
        return [*lines[:number], json.dumps(kept), *lines[number + 1 :]]

    return change


def with_line(number: int, text: str) -> Any:
    return lambda lines: [*lines[:number], text, *lines[number + 1 :]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda _: [], "run.jsonl: the file is empty; a record of ftgate was expected"),
        (
            lambda lines: lines[:-1],
            "run.jsonl:4: the file ends here, without its last line ('kind': 'end'): it was cut off",
        ),
        (
            lambda lines: [*lines, *lines],
            "run.jsonl:6: there is more after the last line ('kind': 'end'): two files were joined?",
        ),
        (
            lambda lines: [*lines[:-2], lines[-1]],
            "run.jsonl:4: the file's count of trials is 2, and 1 are there",
        ),
        (
            lambda lines: [lines[0], *lines[2:]],
            "run.jsonl:4: the file's count of cases is 1, and 0 are there",
        ),
        (
            with_row(2, outcome="failed"),
            "run.jsonl:5: the file was changed after it was written: its digest does not match",
        ),
        (
            with_line(0, "{}"),
            "run.jsonl:1: not a record that this version reads: its first line has no 'schema', "
            "'ftgate.record/1' was expected",
        ),
        (
            with_row(0, schema="ftgate.record/9"),
            "run.jsonl:1: not a record that this version reads: its schema is 'ftgate.record/9', "
            "'ftgate.record/1' was expected",
        ),
        (with_row(0, run_id=None), "run.jsonl:1: this run has no 'run_id'"),
        (with_row(0, lag_p95_s=-1), "run.jsonl:1: this run is damaged: lag_p95_s is -1"),
        (
            with_row(0, lag_p95_s="x"),
            "run.jsonl:1: this run is damaged: '<=' not supported between instances of 'int' and 'str'",
        ),
        (with_line(1, "{"), "run.jsonl:2: not JSON: Expecting property name enclosed in double quotes: "
         "line 1 column 2 (char 1)"),
        (with_line(1, "[1]"), "run.jsonl:2: a JSON object was expected, not list"),
        (with_line(1, '{"a": NaN}'), "run.jsonl:2: not JSON: NaN is not a JSON number"),
        (with_line(1, '{"a": 1e999}'), "run.jsonl:2: not JSON: 1e999 is not a finite number"),
        (
            with_line(1, '{"a": 0.5}'),
            "run.jsonl:2: the kind None is none of 'case', 'trial', 'conflict', 'vote', 'end'",
        ),
        (with_row(1, role="other"), "run.jsonl:2: this case is damaged: 'other' is not a valid Role"),
        (with_row(2, item=None), "run.jsonl:3: this trial has no 'item'"),
        (with_row(2, outcome="maybe"), "run.jsonl:3: this trial is damaged: 'maybe' is not a valid Outcome"),
        (
            lambda lines: [*lines[:3], lines[2], *lines[3:]],
            "run.jsonl:4: the trial evals/tools.evalcase.yaml::a (baseline) stands here a second time",
        ),
    ],
)  # fmt: skip
def test_a_damaged_record_is_refused_with_its_line(change: Any, message: str) -> None:
    assert damaged(change) == message


def test_deep_nesting_is_refused_and_not_a_crash() -> None:
    message = damaged(with_line(1, '{"a":' * 100_000))

    assert message.startswith("run.jsonl:2: not JSON: ")


def collected(*came_in: Trial) -> Record:
    made = RunRecord()
    for one in came_in:
        made.add(one)
    return made.freeze(record([]).run, Plan())


def test_the_same_trial_told_twice_changes_nothing() -> None:
    one = trial(KEY)

    assert collected(one, Trial.from_json(one.as_json())) == collected(one)


def test_when_and_whence_an_answer_came_makes_no_difference() -> None:
    first = trial(KEY, completion=Completion(text="x", latency_s=0.5, created=1.0))
    again = trial(KEY, completion=Completion(text="x", latency_s=0.5, created=2.0, source="resumed"))

    assert collected(first, again).conflicts == ()
    assert collected(first, again) == collected(again, first)


def test_another_trial_under_the_same_key_is_a_conflict_in_any_order() -> None:
    passed, failed = trial(KEY), trial(KEY, "F")

    assert collected(passed, failed).conflicts == (KEY,)
    assert collected(passed, failed) == collected(failed, passed) == collected(failed, passed, failed)


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.1, 1.1, "0.5", True, None])
def test_a_score_that_is_no_number_in_range_makes_the_trial_errored(value: Any) -> None:
    inner = Score(scorer="mine", value=value, passed=True, explanation="")
    outer = Score(scorer="all_of", value=1.0, passed=True, explanation="", children=(inner,))

    kept = collected(trial(KEY, scores=[outer])).trials[0]

    assert (kept.outcome, kept.scores) == (Outcome.ERRORED, ())
    assert kept.error == TrialError(kind="scorer", message=f"mine gave {value!r}, not a number from 0 to 1")


@pytest.mark.parametrize("weight", [math.nan, math.inf, 0.0, -1.0])
def test_a_weight_that_is_no_number_above_zero_makes_the_trial_errored(weight: float) -> None:
    score = Score(scorer="x", name="mine", value=1.0, passed=True, explanation="", weight=weight)

    kept = collected(trial(KEY, scores=[score])).trials[0]

    assert kept.error == TrialError(
        kind="scorer", message=f"mine has the weight {weight!r}, not a number above 0"
    )


@pytest.mark.parametrize(
    ("completion", "field"),
    [
        (Completion(latency_s=math.nan), "latency_s"),
        (Completion(latency_s=-1.0), "latency_s"),
        (Completion(time_to_first_token_s=math.inf), "time_to_first_token_s"),
        (Completion(cost=math.nan), "cost"),
        (Completion(logprobs=(-1.0, -math.inf)), "logprobs"),
        (Completion(usage=Usage(output_tokens=math.nan)), "usage"),  # type: ignore[arg-type]  # as JSON may hold
    ],
)
def test_an_answer_with_a_number_that_is_not_finite_is_errored_and_kept(
    completion: Completion, field: str
) -> None:
    kept = collected(trial(KEY, completion=replace(completion, text="Paris"))).trials[0]

    assert kept.outcome is Outcome.ERRORED
    assert kept.completion == Completion(text="Paris")
    assert kept.error == TrialError(
        kind="protocol", message=f"the answer's {field} is not a finite number from 0"
    )


def test_the_score_of_a_trial_is_weighted() -> None:
    scores = [
        Score(scorer="a", value=1.0, passed=True, explanation="", weight=3.0),
        Score(scorer="b", value=0.0, passed=False, explanation=""),
    ]

    assert trial(KEY, scores=scores).score == 0.75
    assert trial(KEY, scores=()).score is None


def eval_case(**changes: Any) -> EvalCase:
    base: dict[str, Any] = {
        "suite": "tools",
        "id": "a",
        "path": "evals/tools.evalcase.yaml",
        "line": 4,
        "messages": ({"role": "user", "content": "Capital of France?"},),
        "expect": (
            Expectation(
                scorer="not",
                name="polite",
                weight=2.0,
                children=(Expectation(scorer="contains", options={"reference": "Paris"}, line=7),),
                line=6,
            ),
        ),
    }
    return EvalCase(**base | changes)


def test_a_planned_case_keeps_the_checks_without_their_options() -> None:
    items = [PlannedItem(nodeid="b", arms=BOTH), PlannedItem(nodeid="a", arms=BOTH)]

    planned = case_plan(eval_case(), items)

    inner = Expectation(scorer="contains")
    assert planned.expect == (Expectation(scorer="not", name="polite", weight=2.0, children=(inner,)),)
    assert planned.prompt == "Capital of France?"
    assert planned.asked == eval_case().asked
    assert [item.nodeid for item in planned.items] == ["a", "b"]


@pytest.mark.parametrize(
    "change",
    [
        {"messages": ({"role": "user", "content": "Capital of Spain?"},)},
        {"params": {"temperature": 0}},
        {"expect": (Expectation(scorer="contains", options={"reference": "Paris"}),)},
        {"answer": AnswerRule(lines=1)},
        {"accept_truncated": True},
        {"metadata": {"x": 1}},
    ],
)
def test_the_digest_of_a_case_covers_all_that_changes_its_outcome(change: dict[str, Any]) -> None:
    assert case_plan(eval_case(**change), ()).digest != case_plan(eval_case(), ()).digest


def test_the_digest_of_a_case_does_not_depend_on_where_it_stands() -> None:
    assert case_plan(eval_case(line=9, column=3), ()).digest == case_plan(eval_case(), ()).digest


def test_the_plans_digest_covers_cases_and_not_what_was_left_out() -> None:
    plan = Plan(cases=(case("b"), case("a")))

    assert plan.digest == Plan(cases=(case("a"), case("b")), left_out=("x",)).digest
    assert plan.digest != Plan(cases=(case("a"),)).digest


def shards(made: Record, of: int) -> list[Record]:
    return [
        replace(
            made,
            run=replace(made.run, shard=(number, of)),
            trials=tuple(one for one in made.trials if in_shard(one.key[:2], (number, of))),
        )
        for number in range(1, of + 1)
    ]


def test_every_case_is_in_exactly_one_shard() -> None:
    cases = [case(f"c{n}") for n in range(50)]

    split = [[one.id for one in cases if in_shard(one.key, (number, 3))] for number in (1, 2, 3)]

    assert sorted(one for part in split for one in part) == sorted(one.id for one in cases)
    assert all(split)


def test_merged_shards_are_the_whole_record() -> None:
    whole = record([case(f"c{n}", repeat=2) for n in range(10)])

    assert merge(list(reversed(shards(whole, 3)))) == whole


def test_a_single_whole_record_is_itself() -> None:
    whole = record([case("a")])

    assert merge([whole]) is whole


def test_a_shard_given_twice_counts_once() -> None:
    whole = record([case(f"c{n}") for n in range(10)])
    parts = shards(whole, 2)

    assert merge([*parts, parts[0]]) == whole


def test_a_shard_that_ran_twice_with_other_results_is_a_conflict() -> None:
    whole = record([case(f"c{n}") for n in range(10)])
    first, second = shards(whole, 2)
    other = replace(first.trials[0], outcome=Outcome.FAILED)

    merged = merge([first, second, replace(first, trials=(other, *first.trials[1:]))])

    assert merged.conflicts == (other.key,)


def test_what_shards_say_of_their_runs_is_joined() -> None:
    first, second = shards(record([case(f"c{n}") for n in range(4)], mode="live"), 2)
    first = replace(
        first,
        run=replace(
            first.run, cut_short="Ctrl-C", warnings=("b",), started="2", finished="3", lag_p95_s=0.01
        ),
        plan=replace(first.plan, left_out=("evals/x.evalcase.yaml",)),
        conflicts=(KEY,),
    )
    second = replace(
        second,
        run=replace(second.run, mode="mixed", warnings=("a", "b"), started="1", finished="4", lag_p95_s=0.03),
    )

    merged = merge([first, second])

    assert (merged.run.started, merged.run.finished) == ("1", "4")
    assert (merged.run.mode, merged.run.shard) == ("mixed", None)
    assert merged.run.cut_short == "shard 1: Ctrl-C"
    assert merged.run.warnings == ("a", "b")
    assert merged.run.lag_p95_s == 0.03
    assert merged.plan.left_out == ("evals/x.evalcase.yaml",)
    assert merged.conflicts == (KEY,)


WHOLE = record([case(f"c{n}") for n in range(6)])
FIRST, SECOND, THIRD = shards(WHOLE, 3)


def with_run(one: Record, **changes: Any) -> Record:
    return replace(one, run=replace(one.run, **changes))


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ([], "none were given"),
        ([WHOLE, WHOLE], "2 of 2 are whole runs, not shards: give one whole record, or all shards"),
        ([SECOND, THIRD], "shard 1 of 3 is missing"),
        ([SECOND], "shards 1, 3 of 3 are missing"),
        (
            [FIRST, SECOND, with_run(THIRD, version="0.2.0")],
            "their versions of pytest-ftgate differ: 0.1.0 (shards 1, 2), 0.2.0 (shard 3)",
        ),
        (
            [FIRST, SECOND, with_run(THIRD, gate={"max_errors": "3"})],
            'their gates differ: {} (shards 1, 2), {"max_errors":"3"} (shard 3)',
        ),
        (
            [FIRST, SECOND, with_run(THIRD, gate_options=("--ftgate-strict",))],
            "their gate options differ: none (shards 1, 2), --ftgate-strict (shard 3)",
        ),
        (
            [FIRST, SECOND, with_run(THIRD, models={"model": {"name": "m" * 90}})],
            "their models differ in model.name: shards 1, 2 against shard 3",
        ),
        (
            [FIRST, SECOND, with_run(THIRD, run_id="run-0")],
            "their run ids differ: run-1 (shards 1, 2), run-0 (shard 3)",
        ),
        (
            [FIRST, SECOND, with_run(THIRD, code={"conftest.py": "ab"})],
            "their test code differs in conftest.py: none (shards 1, 2), ab (shard 3)",
        ),
    ],
)
def test_records_that_can_not_be_judged_together_are_refused(given: Sequence[Record], problem: str) -> None:
    with pytest.raises(RecordError) as raised:
        merge(given)

    assert str(raised.value) == f"these records can't be judged together: {problem}"


def test_all_that_speaks_against_judging_together_is_listed() -> None:
    with pytest.raises(RecordError) as raised:
        merge([FIRST, with_run(SECOND, version="0.2.0", shard=(2, 4))])

    assert str(raised.value).splitlines() == [
        "these records can't be judged together:",
        "- their versions of pytest-ftgate differ: 0.1.0 (shard 1), 0.2.0 (shard 2)",
        "- their numbers of shards differ: 3 (shard 1), 4 (shard 2)",
        "- shards 3, 4 of 4 are missing",
        f"- shard 2 holds 6 trials of other shards: {SECOND.trials[0].key}",
    ]


def test_shards_of_different_plans_are_refused() -> None:
    other = replace(THIRD, plan=Plan(cases=(*THIRD.plan.cases, case("new"))))

    with pytest.raises(
        RecordError,
        match=r"can't be judged together: their plans differ: \w+ \(shards 1, 2\), \w+ \(shard 3\)$",
    ):
        merge([FIRST, SECOND, other])


def test_a_shard_that_ran_cases_of_another_is_refused() -> None:
    strange = replace(FIRST, trials=(*FIRST.trials, THIRD.trials[0]))

    with pytest.raises(RecordError) as raised:
        merge([strange, SECOND, THIRD])

    problem = f"shard 1 holds 1 trial of other shards: {THIRD.trials[0].key}"
    assert str(raised.value) == f"these records can't be judged together: {problem}"


@given(records())
def test_a_plan_survives_as_text(made: Record) -> None:
    told = Plan.from_text(made.plan.as_text())

    assert told == made.plan
    assert told.digest == replace(told).digest == made.plan.digest


def test_the_trials_of_a_plan_are_its_cases_items_arms_and_repeats() -> None:
    plan = full_record().plan

    assert len(list(plan.trial_keys())) == 6
