from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest

from pytest_ftgate.gates import GateError, parse_gate


def one(**changes: Any) -> dict[str, Any]:
    """A gate of one criterion, changed; None removes a key."""
    row = {"metric": "pass_rate", "at_least": "85%"} | changes
    return {"criteria": {"x": {key: value for key, value in row.items() if value != "gone"}}}


def timed(**changes: Any) -> dict[str, Any]:
    return one(metric="latency_p99", at_least="gone", **changes)


def test_the_defaults_are_the_seven_criteria() -> None:
    gate = parse_gate({})

    assert [criterion.name for criterion in gate.criteria] == [
        "target_task_improvement",
        "general_regression",
        "exact_match_accuracy",
        "latency_p99",
        "human_preference",
        "adversarial_robustness",
        "schema_compliance",
    ]
    assert [criterion.needed for criterion in gate.criteria] == [
        "≥ 5%", "≥ -5%", "≥ 85%", "≤ 2", "≥ 60%", "≥ 90%", "≥ 100%"
    ]  # fmt: skip
    assert [criterion.min_cases for criterion in gate.criteria] == [10, 10, 10, 100, 30, 10, 10]
    assert (gate.is_default, gate.max_errors, gate.confidence) == (True, 0, Fraction(19, 20))


@pytest.mark.parametrize(
    ("written", "exact"),
    [
        ("85%", Fraction(17, 20)),
        ("85 %", Fraction(17, 20)),
        ("0.85", Fraction(17, 20)),
        (0.85, Fraction(17, 20)),
        (".85", Fraction(17, 20)),
        ("8.5e-1", Fraction(17, 20)),
        (1, Fraction(1)),
        ("0%", Fraction(0)),
        ("99.95%", Fraction(9995, 10000)),
    ],
)
def test_rates_are_exact_however_they_are_written(written: object, exact: Fraction) -> None:
    criterion = parse_gate(one(at_least=written)).criteria[0]

    assert criterion.threshold == exact
    assert criterion.needed == f"≥ {written}"


def test_differences_may_be_negative_and_less_than_a_point() -> None:
    assert parse_gate(one(compare="delta", at_least="-0.5%")).criteria[0].threshold == Fraction(-1, 200)


def test_other_units_are_plain_numbers() -> None:
    assert parse_gate(timed(compare="ratio", at_most="1.5")).criteria[0].threshold == Fraction(3, 2)
    assert parse_gate(timed(compare="delta", at_most="-0.1")).criteria[0].threshold == Fraction(-1, 10)
    assert parse_gate(one(metric="tokens", at_least="gone", at_most="250")).criteria[0].threshold == 250


def test_the_keys_of_a_gate_are_read() -> None:
    raw = one(role=["target"], category="edge", tag=["a", "b"], suite="s", per="tag", advisory="true")

    gate = parse_gate(raw | {"max_errors": "2", "min_cases": "3", "confidence": "90%", "suites": "evals/**"})

    criterion = gate.criteria[0]
    assert (criterion.role, criterion.category, criterion.tag) == (("target",), ("edge",), ("a", "b"))
    assert (criterion.suite, criterion.per, criterion.min_cases) == (("s",), "tag", 3)
    assert (criterion.advisory, criterion.optional) == (True, False)
    assert (gate.max_errors, gate.confidence, gate.suites) == (2, Fraction(9, 10), ("evals/**",))
    assert gate.is_default is False


def test_the_strict_option_is_noted() -> None:
    assert parse_gate({}, ("--ftgate-strict",)).strict
    assert not parse_gate({}, ("--ftgate-review=votes.csv",)).strict


def test_the_digest_covers_what_decides_and_not_how_it_is_written() -> None:
    plain = parse_gate(one()).digest

    assert parse_gate(one(at_least=0.85)).digest == plain
    assert parse_gate({"max_errors": 0, **one(min_cases="10")}).digest == plain
    changes: list[dict[str, Any]] = [
        {"at_least": "85.1%"}, {"metric": "exact_match"}, {"role": "target"}, {"min_cases": "9"},
        {"advisory": True}, {"optional": True}, {"compare": "delta"}, {"per": "category"},
        {"category": "x"}, {"tag": "x"}, {"suite": "x"},
    ]  # fmt: skip
    raws = [one(**change) for change in changes]
    raws += [one() | {"max_errors": 1}, one() | {"confidence": "0.9"}]
    digests = {parse_gate(raw).digest for raw in raws} | {parse_gate(one(), ("--ftgate-strict",)).digest}
    assert len(digests - {plain}) == len(raws) + 1


NUMBER = "criteria.x.at_least: "
FINITE = "is not a finite number: write e.g. 85% or 0.85"
RANGE = "is not a rate: rates go from 0 to 1, or from 0% to 100%"
NEGATIVE = "is negative: that takes `compare: delta`, else a number from 0"
KEYS = "metric, compare, at_least, at_most, role, suite, category, tag"


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        # The whole.
        (None, "a mapping was expected, not nothing"),
        ([], "a mapping was expected, not a list"),
        ({"critera": {}}, "critera: unknown key 'critera'. Did you mean 'criteria'?"),
        ({"criteria": None}, "criteria: a mapping was expected, not nothing"),
        ({"criteria": {}}, "criteria: there is no criterion; leave `criteria` out for the seven defaults"),
        ({"evidence": "strickt"}, "evidence: 'strickt' is none of point | strict. Did you mean 'strict'?"),
        ({"min_cases": "0"}, "min_cases: 0 is too small: write a whole number from 1"),
        ({"max_errors": "-1"}, "max_errors: -1 is not a whole number from 0"),
        ({"max_errors": "some"}, "max_errors: some is not a whole number from 0"),
        ({"confidence": "95"}, "confidence: 95 is not between 0 and 1: write e.g. 0.95 or 95%"),
        ({"confidence": "100%"}, "confidence: 100% is not between 0 and 1: write e.g. 0.95 or 95%"),
        (
            {"confidence": "5%"},
            "confidence: 5% is too low: write the chance of being right, e.g. 0.95 or 95%",
        ),
        (
            {"traffic": {}},
            "traffic: the share of each category is missing, e.g. {simple: 70%, edge_case: 30%}",
        ),
        ({"traffic": "70%"}, "traffic: a mapping was expected, not '70%'"),
        (
            {"traffic": {1: "50%", "a": "50%"}},
            "traffic: a category is a text, and 1 is none: write it in quotes",
        ),
        (
            {"confidence": "0.99999999999999999999"},
            "confidence: 0.99999999999999999999 is more than any suite can show: "
            "write at most 99.9%, e.g. 95%",
        ),
        ({"traffic": {"a": "70"}}, "traffic.a: 70 is not a share: write e.g. 0.3 or 30%"),
        ({"traffic": {"a": "-1%", "b": "101%"}}, "traffic.a: -1% is not a share: write e.g. 0.3 or 30%"),
        ({"traffic": {"a": "some"}}, "traffic.a: some is not a finite number: write e.g. 85% or 0.85"),
        (
            {"traffic": {"a": "70%", "b": "0.5"}},
            "traffic: the shares add up to 120%, and have to make 100%",
        ),
        ({"suites": []}, "suites: the list is empty"),
        ({"suites": 5}, "suites: a text was expected, not '5'"),
        # Names.
        ({"criteria": {"x": "85%"}}, "criteria.x: a mapping was expected, not '85%'"),
        (
            {"criteria": {"a b": {}}},
            "criteria.a b: a name holds only letters, digits and `_ . -`, at most 100",
        ),
        ({"criteria": {1: {}}}, "criteria.1: a name holds only letters, digits and `_ . -`, at most 100"),
        *[
            (
                {"criteria": {name: {}}},
                f"criteria.{name}: '{name}' is a name of ftgate's own; choose another one",
            )
            for name in ("other_cases", "must_pass", "every_case", "verdict")
        ],
        (one(catgory="x"), "criteria.x.catgory: unknown key 'catgory'. Did you mean 'category'?"),
        (
            one(zzz="x"),
            f"criteria.x.zzz: unknown key 'zzz'; known are {KEYS}, per, seen, min_cases, "
            "evidence, optional, advisory",
        ),
        # Thresholds.
        (one(at_least="NaN"), f"{NUMBER}NaN {FINITE}"),
        (one(at_least=math.nan), f"{NUMBER}nan {FINITE}"),
        (one(at_least="inf"), f"{NUMBER}inf {FINITE}"),
        (one(at_least=math.inf), f"{NUMBER}inf {FINITE}"),
        (one(at_least="1e999"), f"{NUMBER}1e999 {FINITE}"),
        (one(at_least="1/2"), f"{NUMBER}1/2 {FINITE}"),
        (one(at_least="most"), f"{NUMBER}most {FINITE}"),
        (one(at_least="٨٥%"), f"{NUMBER}٨٥% {FINITE}"),
        (one(at_least=None), f"{NUMBER}the number is missing: write e.g. 85% or 0.85"),
        (one(at_least=""), f"{NUMBER}the number is missing: write e.g. 85% or 0.85"),
        (one(at_least=True), f"{NUMBER}true is not a number: write e.g. 85% or 0.85"),
        (one(at_least=[1]), f"{NUMBER}a list is not a number: write e.g. 85% or 0.85"),
        (one(at_least="85"), f"{NUMBER}85 is not a rate: write 85% or 0.85"),
        (one(at_least=85), f"{NUMBER}85 is not a rate: write 85% or 0.85"),
        (one(compare="delta", at_least="-5"), f"{NUMBER}-5 is not a rate: write -5% or -0.05"),
        (one(at_least="120%"), f"{NUMBER}120% {RANGE}"),
        (one(at_least="8500"), f"{NUMBER}8500 {RANGE}"),
        (one(compare="delta", at_least="-120%"), f"{NUMBER}-120% {RANGE}"),
        (
            one(at_least="0.8%"),
            f"{NUMBER}0.8% is less than one percent; probably 80%: write 80% or 0.8",
        ),
        (one(at_least="-5%"), f"{NUMBER}-5% {NEGATIVE}"),
        (timed(at_most="-1"), f"criteria.x.at_most: -1 {NEGATIVE}"),
        (
            timed(at_most="5%"),
            "criteria.x.at_most: 5% is a percentage, but this metric takes a plain number, e.g. 2",
        ),
        (
            timed(compare="ratio", at_most="200%"),
            "criteria.x.at_most: 200% is a percentage, but a ratio takes a plain number, e.g. 2",
        ),
        (
            timed(compare="ratio", at_most="0"),
            "criteria.x.at_most: 0 is not a ratio: write a number above 0, e.g. 2",
        ),
        (one(at_least="gone"), "criteria.x: write `at_least` or `at_most`; neither is given"),
        (one(at_most="1"), "criteria.x: write `at_least` or `at_most`; both are given"),
        # Metrics.
        (one(metric="gone"), "criteria.x: `metric` is missing, e.g. `metric: pass_rate`"),
        (one(metric=None), "criteria.x.metric: a text was expected, not nothing"),
        (one(metric=True), "criteria.x.metric: a text was expected, not true"),
        (one(metric={"a": 1}), "criteria.x.metric: a text was expected, not a mapping"),
        (one(metric=["a", "a"]), "criteria.x.metric: 'a' stands twice in the list"),
        (one(metric="pas_rate"), "criteria.x.metric: unknown metric 'pas_rate'. Did you mean 'pass_rate'?"),
        (
            one(metric="latency_p98"),
            "criteria.x.metric: unknown metric 'latency_p98'. Did you mean 'latency_p99'?",
        ),
        (
            one(metric="mean:"),
            "criteria.x.metric: 'mean:' is not a metric: write one `mean:NAME` with the name of an entry",
        ),
        (
            one(metric=["a", "mean:b"]),
            "criteria.x.metric: 'mean:b' is not a metric: write one `mean:NAME` with the name of an entry",
        ),
        (
            one(metric=["a", "pass_rate"]),
            "criteria.x.metric: 'pass_rate' can't stand in a list: a list holds names of scorers or entries",
        ),
        # The rest.
        (
            one(compare="ratio"),
            "criteria.x.compare: 'pass_rate' can't be compared as ratio; it takes `value` or `delta`",
        ),
        (
            one(metric="win_rate", compare="delta"),
            "criteria.x.compare: 'win_rate' can't be compared as delta; it takes `value`",
        ),
        (one(compare="diff"), "criteria.x.compare: 'diff' is none of value | delta | ratio"),
        (
            one(role="targett"),
            "criteria.x.role: 'targett' is none of target | general. Did you mean 'target'?",
        ),
        (
            one(per="tags"),
            "criteria.x.per: 'tags' is none of category | suite | role | tag. Did you mean 'tag'?",
        ),
        (one(category=""), "criteria.x.category: a text was expected, not nothing"),
        (one(optional="yes"), "criteria.x.optional: write true or false, not 'yes'"),
        (
            one(optional=True, advisory=True),
            "criteria.x: `advisory` criteria never decide; leave `optional` out",
        ),
        (one(min_cases="1.5"), "criteria.x.min_cases: 1.5 is not a whole number from 1"),
        (one(min_cases=True), "criteria.x.min_cases: true is not a whole number from 1"),
        (one(min_cases=None), "criteria.x.min_cases: nothing is not a whole number from 1"),
        *[
            (
                one(metric=name),
                f"criteria.x.metric: '{name}' is not a metric: write one `{family}:K` with a whole number "
                f"from 1, e.g. {family}:3",
            )
            for name, family in [
                ("pass_at", "pass_at"),
                ("pass_at:", "pass_at"),
                ("pass_at:0", "pass_at"),
                ("pass_at:1.5", "pass_at"),
                ("pass_all:-2", "pass_all"),
                ("pass_all:many", "pass_all"),
            ]
        ],
        (
            one(metric=["pass_at:3", "exact_match"]),
            "criteria.x.metric: 'pass_at:3' is not a metric: write one `pass_at:K` with a whole number "
            "from 1, e.g. pass_at:3",
        ),
        (one(seen="trained"), "criteria.x: `seen` belongs to `metric: generalization_gap`"),
        (one(seen=["a", "b"]), "criteria.x.seen: one tag was expected, not a list"),
        (
            one(metric="generalization_gap"),
            "criteria.x: 'generalization_gap' needs `seen: TAG`, the tag of the cases that are in the "
            "training data",
        ),
        (
            one(metric="generalization_gap", seen="trained", compare="delta"),
            "criteria.x.compare: 'generalization_gap' can't be compared as delta; it takes `value`",
        ),
        (
            one(metric="weighted_pass_rate"),
            "criteria.x: 'weighted_pass_rate' needs the share of each category in real use, "
            "e.g. gate: {traffic: {simple: 70%, edge_case: 30%}}",
        ),
        *[
            (
                one(metric="weighted_pass_rate", **more) | {"traffic": {"a": "100%"}},
                "criteria.x: 'weighted_pass_rate' is of all categories: leave `category` and "
                "`per: category` out",
            )
            for more in [{"category": "a"}, {"per": "category"}]
        ],
        (
            one(metric="weighted_pass_rate", seen="a") | {"traffic": {"a": "100%"}},
            "criteria.x: `seen` belongs to `metric: generalization_gap`",
        ),
        (one(evidence="strong"), "criteria.x.evidence: 'strong' is none of point | strict"),
    ],
)
def test_a_mistake_says_where_it_is_and_what_would_be_right(raw: Any, message: str) -> None:
    with pytest.raises(GateError) as raised:
        parse_gate(raw)

    assert str(raised.value) == message
    where = f"{'.'.join(raised.value.where)}: " if raised.value.where else ""
    assert where + raised.value.reason == message


def test_all_mistakes_of_a_gate_are_told_at_once() -> None:
    raw = {
        "min_case": 1,
        "max_errors": -1,
        "confidence": "2",
        "criteria": {
            "a": {"metric": "pass_rat", "at_least": "50%", "role": "genral"},
            "b b": {},
            "c": {"metrik": "pass_rate", "at_lest": "50%", "per": "tags"},
            "d": {"metric": "pass_rate", "at_least": "85", "compare": "dela", "optional": "yes"},
            "verdict": {},
            "e": "90%",
            "f": {},
        },
    }

    with pytest.raises(GateError) as raised:
        parse_gate(raw)

    told = [
        "min_case: unknown key 'min_case'. Did you mean 'min_cases'?",
        "criteria.a.metric: unknown metric 'pass_rat'. Did you mean 'pass_rate'?",
        "criteria.a.role: 'genral' is none of target | general. Did you mean 'general'?",
        "criteria.b b: a name holds only letters, digits and `_ . -`, at most 100",
        "criteria.c.metrik: unknown key 'metrik'. Did you mean 'metric'?",
        "criteria.c.at_lest: unknown key 'at_lest'. Did you mean 'at_least'?",
        "criteria.c.per: 'tags' is none of category | suite | role | tag. Did you mean 'tag'?",
        "criteria.d.compare: 'dela' is none of value | delta | ratio. Did you mean 'delta'?",
        "criteria.d.at_least: 85 is not a rate: write 85% or 0.85",
        "criteria.d.optional: write true or false, not 'yes'",
        "criteria.verdict: 'verdict' is a name of ftgate's own; choose another one",
        "criteria.e: a mapping was expected, not '90%'",
        "criteria.f: `metric` is missing, e.g. `metric: pass_rate`",
        "criteria.f: write `at_least` or `at_most`; neither is given",
        "max_errors: -1 is not a whole number from 0",
        "confidence: 2 is not between 0 and 1: write e.g. 0.95 or 95%",
    ]
    assert str(raised.value).split("\n") == told
    assert [message for _, message in raised.value.each()] == told


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"metric": "pass_rat", "at_leest": "5%"},
            "criteria.x.at_leest: unknown key 'at_leest'. Did you mean 'at_least'?\n"
            "criteria.x.metric: unknown metric 'pass_rat'. Did you mean 'pass_rate'?",
        ),
        (
            {"metrik": "pass_rate", "at_least": "5%", "at_most": "9%"},
            "criteria.x.metrik: unknown key 'metrik'. Did you mean 'metric'?\n"
            "criteria.x: write `at_least` or `at_most`; both are given",
        ),
        (
            {"metric": "pass_rate", "compare": "ratio", "at_least": "9", "per": "day"},
            "criteria.x.compare: 'pass_rate' can't be compared as ratio; it takes `value` or `delta`\n"
            "criteria.x.per: 'day' is none of category | suite | role | tag",
        ),
    ],
)
def test_what_is_written_is_checked_beside_a_misspelt_key(row: dict[str, str], message: str) -> None:
    with pytest.raises(GateError) as caught:
        parse_gate({"criteria": {"x": row}})

    assert str(caught.value) == message


def test_an_entry_may_have_a_long_name_that_begins_like_a_time() -> None:
    name = "latency_of_all_the_tool_calls_that_a_conversation_makes"

    assert parse_gate(one(metric=name)).criteria[0].metric == (name,)


def test_a_gate_that_says_nothing_of_it_decides_by_the_estimate_and_by_no_traffic() -> None:
    gate = parse_gate(one())

    assert {criterion.evidence for criterion in (*gate.criteria, *parse_gate({}).criteria)} == {"point"}
    assert not gate.traffic
    assert gate.traffic_written == 1


@pytest.mark.parametrize(
    ("written", "read"), [("true", True), ("false", False), (True, True), (False, False)]
)
def test_a_flag_may_be_text(written: object, read: bool) -> None:
    assert parse_gate(one(optional=written)).criteria[0].optional is read
