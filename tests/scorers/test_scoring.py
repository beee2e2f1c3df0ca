from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftgate.cases import Expectation
from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import ScorerError
from pytest_ftgate.scorers import BUILTIN, score_case
from pytest_ftgate.scorers.scoring import score_with
from pytest_ftgate.scorers.spec import ScorerSpec, Subject
from pytest_ftgate.scores import Score
from tests.scorers.build import case, check

NUMBER = "it must be a number from 0 to 1"
EXPECTATIONS = st.recursive(
    st.sampled_from(["Paris", "Lyon", "a"]).map(lambda text: check("contains", reference=text)),
    lambda inner: st.one_of(
        st.builds(
            lambda name, children: Expectation(scorer=name, children=tuple(children)),
            st.sampled_from(["any_of", "all_of"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
        inner.map(lambda child: Expectation(scorer="not", children=(child,))),
    ),
    max_leaves=6,
)


def valued(value: float) -> Score:
    return Score(scorer="x", value=value, passed=True, explanation="")


def raised_by(judge: Callable[[Mapping[str, Any], Subject], Any]) -> str:
    table = {"mine": ScorerSpec(name="mine", doc="", score=judge)}
    with pytest.raises(ScorerError) as raised:
        score_case(case(check("mine")), Completion(text="x"), table)
    return str(raised.value)


def returned(score: Any) -> str:
    return raised_by(lambda _, __: score)


def test_each_expectation_gets_its_score_with_its_name_and_weight() -> None:
    expect = (
        check("contains", reference="Paris"),
        Expectation(scorer="contains", options={"reference": "Lyon"}, name="lyon", weight=2.0),
    )

    first, second = score_case(case(*expect), Completion(text="Paris"))

    assert (first.scorer, first.name, first.weight, first.passed) == ("contains", None, 1.0, True)
    assert (second.scorer, second.name, second.weight, second.passed) == ("contains", "lyon", 2.0, False)


def test_a_case_without_expectations_has_no_scores_even_if_truncated() -> None:
    assert score_case(case(), Completion(text="x", finish_reason="length")) == ()


def test_a_truncated_answer_fails_unless_the_case_accepts_it() -> None:
    cut, expect = Completion(text="Paris", finish_reason="length"), check("contains", reference="Paris")

    assert [score.passed for score in score_case(case(expect), cut)] == [True, False]
    assert score_case(case(expect), cut)[1].explanation == (
        "finish_reason: the answer was cut off at the token limit; raise max_tokens, "
        "or set `accept_truncated: true`"
    )
    assert [score.passed for score in score_case(case(expect, accept_truncated=True), cut)] == [True]


def test_composites_keep_their_parts_and_say_what_decided() -> None:
    parts = (check("contains", reference="Paris"), check("contains", reference="Lyon"))
    expect = Expectation(scorer="not", children=(Expectation(scorer="any_of", children=parts, name="city"),))

    (found,) = score_case(case(expect), Completion(text="Paris"))

    assert not found.passed
    assert found.children[0].name == "city"
    assert [child.passed for child in found.children[0].children] == [True, False]
    assert found.explanation == (
        "not: passed, and should not (any_of: one passed (contains: 'Paris' contains 'Paris'; "
        "contains: got 'Paris', which should contain 'Lyon'))"
    )


@given(EXPECTATIONS, st.sampled_from(["Paris", "Lyon", "Paris, Lyon", "x"]))
def test_composites_pass_by_logic_and_their_values_stay_in_range(expect: Expectation, answer: str) -> None:
    def logic(of: Expectation) -> bool:
        inner = [logic(child) for child in of.children]
        if of.scorer == "contains":
            return str(of.options["reference"]) in answer
        return {"any_of": any(inner), "all_of": all(inner), "not": not all(inner)}[of.scorer]

    (found,) = score_case(case(expect), Completion(text=answer))

    assert found.passed is logic(expect)
    assert found.value == float(found.passed)
    assert Score.from_json(found.as_json()) == found


def test_an_unknown_scorer_is_an_error() -> None:
    with pytest.raises(ScorerError) as raised:
        score_case(case(check("nope")), Completion())
    assert str(raised.value) == "unknown scorer 'nope'; it is not installed in this run"


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (None, "returned NoneType, it must return a Score"),
        ((1.0, "fine"), "returned tuple, it must return a Score"),
        (valued(math.nan), f"gave the value nan, {NUMBER}"),
        (valued(math.inf), f"gave the value inf, {NUMBER}"),
        (valued(1.5), f"gave the value 1.5, {NUMBER}"),
        (valued(10**400), f"gave the value {10**400}, {NUMBER}"),
        (valued(True), f"gave the value True, {NUMBER}"),
        (dataclasses.replace(valued(1), passed=cast("bool", 1)), "gave passed=1, it must be True or False"),
        (
            Score(scorer="x", value=1.0, passed=True, explanation="", details={"a": {1, 2}}),
            "gave details that are not plain JSON: Object of type set is not JSON serializable",
        ),
    ],
)  # fmt: skip
def test_what_is_no_score_is_an_error(score: Any, message: str) -> None:
    assert returned(score) == f"scorer 'mine' {message}"


def test_what_a_scorer_raises_is_its_error_with_its_place() -> None:
    def judge(_: Mapping[str, Any], subject: Subject) -> Score:
        raise ValueError("bad\x1b[31m")

    line = judge.__code__.co_firstlineno + 1
    assert raised_by(judge) == (
        rf"scorer 'mine' (tests/scorers/test_scoring.py:{line}) raised ValueError: bad\x1b[31m"
    )


@pytest.mark.parametrize(
    "error", [SystemExit(0), KeyboardInterrupt(), GeneratorExit(), RecursionError("deep")]
)
def test_a_scorer_that_tries_to_end_the_run_is_only_an_error(error: BaseException) -> None:
    def judge(_: Mapping[str, Any], __: Subject) -> Score:
        raise error

    assert f"raised {type(error).__name__}" in raised_by(judge)


def test_endless_recursion_of_a_scorer_is_an_error() -> None:
    def judge(options: Mapping[str, Any], subject: Subject) -> Score:
        return judge(options, subject)

    assert "raised RecursionError: maximum recursion depth exceeded" in raised_by(judge)


def test_every_scorer_documents_itself_and_its_options() -> None:
    for name, spec in BUILTIN.items():
        assert spec.name == name
        assert spec.doc.endswith(".")
        assert all(option.doc.endswith(".") for option in spec.options.values())
        assert {*spec.required, *([spec.main] if spec.main else [])} <= set(spec.options)


def test_every_option_has_a_valid_json_schema() -> None:
    from jsonschema import Draft202012Validator

    for spec in BUILTIN.values():
        for option in spec.options.values():
            Draft202012Validator.check_schema(dict(option.schema))


def test_the_table_loads_no_heavy_library() -> None:
    import subprocess
    import sys

    heavy = {"regex", "rapidfuzz", "sacrebleu", "jsonschema", "numpy", "yaml", "openai", "pytest"}
    program = f"import sys, pytest_ftgate.scorers; print(sorted({heavy!r} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize("quick", [True, False])
def test_what_a_scorer_raises_is_its_error_with_a_time_limit_and_without(quick: bool) -> None:
    def judge(options: Mapping[str, Any], subject: Subject) -> Score:
        raise ValueError("no such city")

    table = {"mine": ScorerSpec(name="mine", doc="", score=judge, quick=quick)}

    with pytest.raises(ScorerError, match=r"scorer 'mine' .* raised ValueError: no such city"):
        score_with(table, case(check("mine")), Completion(text="x"))


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, pytest.fail.Exception])
def test_an_interruption_during_a_quick_scorer_is_never_its_error(interruption: type[BaseException]) -> None:
    def judge(options: Mapping[str, Any], subject: Subject) -> Score:
        raise interruption("now")

    table = {"mine": ScorerSpec(name="mine", doc="", score=judge, quick=True)}

    with pytest.raises(interruption):
        score_with(table, case(check("mine")), Completion(text="x"))
