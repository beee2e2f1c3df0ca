from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from pytest_ftgate.cases import Arm, EvalCase, Expectation
from pytest_ftgate.completions import Completion, Usage
from pytest_ftgate.gates import BUILTIN_METRICS, Metric, assess, parse_gate
from pytest_ftgate.gates.corpus import perplexity
from pytest_ftgate.gates.criteria import CriterionResult, Status
from pytest_ftgate.gates.metrics import metric_of
from pytest_ftgate.record import PlannedCase
from pytest_ftgate.scorers.spec import Subject
from pytest_ftgate.scorers.translation import SCORERS
from pytest_ftgate.scores import Score
from tests.support.records import (
    BOTH,
    case,
    entry,
    gate_of,
    judged,
    python_item,
    record,
    result,
    trial,
    trials,
)


def score(scorer: str, value: float, *children: Score, name: str | None = None, **details: Any) -> Score:
    return Score(
        scorer=scorer,
        value=value,
        passed=value >= 0.5,
        explanation="",
        name=name,
        children=children,
        details=details,
    )


def measured(planned: PlannedCase, *scores: Score, outcome: str = "P", **criterion: Any) -> CriterionResult:
    """One case of one arm, with these scores."""
    came_in = [trial(key, outcome, scores=scores) for key in planned.trial_keys()]
    return result(judged([planned], came_in, gate_of(**{"at_least": "50%", **criterion})))


# Entries.


def test_a_metric_is_a_scorer_or_an_entry_by_name() -> None:
    planned = case("a", expect=[entry(), entry("python", "tone")])
    scores = [score("exact_match", 0.0), score("python", 1.0, name="tone")]

    assert measured(planned, *scores, outcome="F", metric="exact_match").observed == 0
    assert measured(planned, *scores, outcome="F", metric="tone").observed == 1
    assert measured(planned, *scores, outcome="F", metric="python").observed == 1
    assert measured(planned, *scores, outcome="F", metric=["tone", "exact_match"]).observed == 0


COMPOSITES = {
    "any_of": (entry("any_of", None, entry("contains"), entry("regex"), entry("contains")), 1, 1.0),
    "all_of": (entry("all_of", None, entry("contains"), entry("regex"), entry("contains")), 0, 0.5),
}


@pytest.mark.parametrize("composite", COMPOSITES)
def test_inside_any_of_one_entry_of_the_name_suffices_and_elsewhere_all_must_pass(composite: str) -> None:
    check, passed, value = COMPOSITES[composite]
    parts = [score("contains", 0.0), score("regex", 0.0), score("contains", 1.0)]

    assert (
        measured(case("a", expect=[check]), score(composite, 1.0, *parts), metric="contains").observed
        == passed
    )
    mean = measured(case("a", expect=[check]), score(composite, 1.0, *parts), metric="mean:contains")
    assert mean.observed == Fraction(value)


def test_what_stands_inside_not_counts_only_by_the_name_of_the_not() -> None:
    check = entry("not", "polite", entry("contains"))
    scored = score("not", 1.0, score("contains", 0.0), name="polite")
    planned = case("a", expect=[check, entry("any_of", None, entry("contains"))])
    other = score("any_of", 1.0, score("contains", 1.0))

    assert measured(planned, scored, other, metric="polite").observed == 1
    assert measured(planned, scored, other, metric="contains").observed == 1
    assert measured(planned, scored, other, metric="mean:contains").observed == 1
    assert measured(case("b", expect=[check]), scored, metric="contains").status is Status.NOT_MEASURED


def test_a_failure_that_no_check_explains_fails_its_entries_too() -> None:
    assert measured(case("a"), score("exact_match", 1.0), outcome="F", metric="exact_match").observed == 0


@pytest.mark.parametrize(("outcome", "observed"), [("P", 1), ("F", 0)])
def test_a_trial_without_scores_takes_its_outcome(outcome: str, observed: int) -> None:
    planned = case("a", items=[python_item("a", *BOTH)])

    assert measured(planned, outcome=outcome, metric="exact_match").observed == observed
    assert measured(planned, outcome=outcome, metric="mean:exact_match").reason == "no trial was scored"


def test_composites_without_the_entry_say_nothing_of_it() -> None:
    planned = case("a", expect=[entry("all_of", None, entry("regex")), entry()])
    scores = [score("all_of", 0.0, score("regex", 0.0)), score("exact_match", 0.25)]

    assert measured(planned, *scores, metric="exact_match").observed == 0
    assert measured(planned, *scores, metric="mean:exact_match").observed == Fraction(1, 4)


def test_means_are_exact_decimals() -> None:
    planned = case("a", expect=[entry("rouge_l")])
    model, baseline = planned.trial_keys()
    came_in = [
        trial(model, scores=[score("rouge_l", 0.85)]),
        trial(baseline, scores=[score("rouge_l", 0.8)]),
    ]
    gate = gate_of(metric="mean:rouge_l", compare="delta", at_least="5%")

    found = result(judged([planned], came_in, gate))

    assert (found.status, found.observed) == (Status.GO, Fraction(1, 20))
    assert found.reason == "+5 points on 1 case (from 80% to 85%), ≥ 5% is needed; noise could explain it"


def test_the_win_rate_is_of_all_pairs_by_their_mean_score() -> None:
    cases = [case(f"c{number}") for number in range(4)]
    values = [(0.9, 0.1), (0.9, 0.9), (0.1, 0.9), (0.8, 0.7)]
    came_in = [
        trial(key, "P" if value >= 0.5 else "F", scores=[score("rouge_l", value)])
        for one, pair in zip(cases, values, strict=True)
        for key, value in zip(one.trial_keys(), pair, strict=True)
    ]

    found = result(judged(cases, came_in, gate_of(metric="win_rate", at_least="50%")))

    assert (found.observed, found.n) == (Fraction(1, 2), 4)
    assert found.reason == "50% on 4 cases, ≥ 50% is needed; noise could explain it"


# What calls cost and how long they took.


def timed(cases: list[PlannedCase], model: list[float | None], baseline: list[float | None]) -> Any:
    seconds: Mapping[Arm, list[float | None]] = {Arm.MODEL: model, Arm.BASELINE: baseline}
    return [
        trial(key, latency_s=seconds[key.arm][number], time_to_first_token_s=seconds[key.arm][number])
        for number, one in enumerate(cases)
        for key in one.trial_keys()
    ]


@pytest.mark.parametrize("metric", ["latency_p50", "time_to_first_token_p50"])
def test_a_ratio_of_latencies_uses_the_calls_measured_on_both_arms(metric: str) -> None:
    cases = [case(f"c{number}") for number in range(3)]
    came_in = timed(cases, [0.3, 9.0, 0.4], [0.2, None, 0.1])

    found = result(judged(cases, came_in, gate_of(metric=metric, compare="ratio", at_most="3")))

    assert (found.observed, found.n) == (3, 2)
    assert found.reason == "3 times the baseline on 2 calls (from 0.1 s to 0.3 s), ≤ 3 is needed"


def test_latency_is_in_seconds_and_counts_calls() -> None:
    repeated = case("a", repeat=3)

    found = result(
        judged([repeated], trials(repeated, latency_s=0.1), gate_of(metric="latency_p90", at_most="0.1"))
    )

    assert (found.status, found.reason) == (
        Status.GO,
        "0.1 s on 3 calls, ≤ 0.1 is needed; p90 of fewer than 10 calls is just their largest",
    )


def test_a_difference_in_seconds_shows_its_sign() -> None:
    cases = [case("a")]
    gate = gate_of(metric="latency_p50", compare="delta", at_most="0.25")

    assert result(judged(cases, timed(cases, [0.75], [0.5]), gate)).reason == (
        "+0.25 s on 1 call (from 0.5 s to 0.75 s), ≤ 0.25 is needed; "
        "p50 of fewer than 2 calls is just their largest"
    )
    assert result(judged(cases, timed(cases, [0.5], [0.75]), gate)).reason == (
        "-0.25 s on 1 call (from 0.75 s to 0.5 s), ≤ 0.25 is needed; "
        "p50 of fewer than 2 calls is just their largest"
    )


def test_tokens_and_cost_are_means_by_case() -> None:
    cases = [case("a", repeat=2, arms=[Arm.MODEL]), case("b", arms=[Arm.MODEL], expect=())]
    tokens = iter([10, 20, 45])
    came_in = [
        trial(key, completion=Completion(text="x", cost=0.1, usage=Usage(output_tokens=next(tokens))))
        for one in cases
        for key in one.trial_keys()
    ]

    def mean(metric: str) -> object:
        return result(judged(cases, came_in, gate_of(metric=metric, at_most="30"))).observed

    assert mean("tokens") == 30
    assert mean("cost") == Fraction(1, 10)


def test_a_ratio_to_nothing_is_not_measured() -> None:
    one = case("a")
    came_in = [trial(key, completion=Completion(text="x", cost=0.0)) for key in one.trial_keys()]

    found = result(judged([one], came_in, gate_of(metric="cost", compare="ratio", at_most="2")))

    assert (found.status, found.reason) == (
        Status.NOT_MEASURED,
        "the baseline's cost is 0, so there is no ratio",
    )


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        (
            "cost",
            "no answer has a cost; give the model a `price: {input, output}` in ftgate.yaml, "
            "or install pytest-ftgate[cost], which knows public prices",
        ),
        ("perplexity", "no answer has log-probabilities"),
        ("latency_p99", "no call was measured (recorded and stored answers have no latency)"),
    ],
)
def test_what_no_answer_tells_is_not_measured(metric: str, reason: str) -> None:
    assert result(judged([case("a")], None, gate_of(metric=metric, at_most="2"))).reason == reason


@pytest.mark.parametrize("metric", ["human_preference", "agreement"])
def test_without_votes_nothing_is_measured(metric: str) -> None:
    found = result(judged([case("a")], None, gate_of(metric=metric, at_least="60%")))

    assert (found.status, found.reason, found.decides) == (Status.NOT_MEASURED, "no votes were given", True)


def test_perplexity_is_over_all_tokens() -> None:
    cases = [case("a", arms=[Arm.MODEL]), case("b", arms=[Arm.MODEL])]
    logprobs = [(-1.0, -2.0, -3.0), (-2.0,)]
    came_in = [
        trial(key, completion=Completion(text="x", logprobs=given))
        for one, given in zip(cases, logprobs, strict=True)
        for key in one.trial_keys()
    ]

    found = result(judged(cases, came_in, gate_of(metric="perplexity", at_most="8")))

    assert found.observed == pytest.approx(math.exp(2))


def test_perplexity_stays_finite() -> None:
    assert math.isfinite(perplexity(Fraction(-(10**6)), Fraction(1)))


# Corpus scores, against sacrebleu.

WORDS = st.lists(st.sampled_from(["the", "cat", "sat", "on", "a", "mat", ",", "dog", "é"]), max_size=12).map(
    " ".join
)
PAIRS = st.lists(st.tuples(WORDS, WORDS.filter(bool)), min_size=1, max_size=6)
SCORE = {spec.name: spec.score for spec in SCORERS}


def corpus(scorer: str, pairs: list[tuple[str, str]], repeat: int = 1) -> object:
    """The gate's number for answers that the scorer really judged."""
    cases, came_in = [], []
    for number, (answer, reference) in enumerate(pairs):
        eval_case = EvalCase(suite="s", id="c", path="p", line=1, messages=())
        subject = Subject(case=eval_case, completion=Completion(text=answer), text=answer)
        scored = SCORE[scorer]({"reference": reference, "at_least": 0.0}, subject)
        planned = case(f"c{number}", expect=[Expectation(scorer=scorer)], arms=[Arm.MODEL], repeat=repeat)
        cases.append(planned)
        came_in += [trial(key, scores=[scored]) for key in planned.trial_keys()]
    return result(judged(cases, came_in, gate_of(metric=scorer, at_least="0%"))).observed


@settings(max_examples=60, deadline=None)
@given(PAIRS, st.sampled_from([1, 2]))
def test_corpus_bleu_is_sacrebleus(pairs: list[tuple[str, str]], repeat: int) -> None:
    answers, references = zip(*pairs, strict=True)

    expected = BLEU().corpus_score(list(answers), [list(references)]).score / 100

    assert corpus("bleu", pairs, repeat) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(PAIRS, st.sampled_from([1, 2]))
def test_corpus_chrf_is_sacrebleus(pairs: list[tuple[str, str]], repeat: int) -> None:
    answers, references = zip(*pairs, strict=True)

    expected = CHRF().corpus_score(list(answers), [list(references)]).score / 100

    assert corpus("chrf", pairs, repeat) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("pair", [("a mat on the sea", "a"), ("a", "a mat on the sea")])
def test_orders_that_one_side_is_too_short_for_do_not_count(pair: tuple[str, str]) -> None:
    expected = CHRF().corpus_score([pair[0]], [[pair[1]]]).score / 100

    assert corpus("chrf", [pair]) == pytest.approx(expected, abs=1e-12)


def test_statistics_are_found_inside_composites_and_not_inside_not() -> None:
    planned = case("a", expect=[entry("all_of", None, entry("chrf")), entry("not", None, entry("chrf"))])
    whole = score("chrf", 1.0, statistics=[[2, 2, 2]] * 6)
    none = score("chrf", 0.0, statistics=[[2, 2, 0]] * 6)
    scores = [score("all_of", 1.0, whole), score("not", 1.0, none)]

    assert measured(planned, *scores, metric="chrf").observed == 1


@pytest.mark.parametrize("details", [{}, {"statistics": "many"}, {"statistics": [[1, 2]]}])
def test_scores_without_statistics_are_not_measured(details: Mapping[str, Any]) -> None:
    planned = case("a", expect=[entry("chrf")])

    found = measured(planned, score("chrf", 1.0, **details), metric="chrf")

    assert found.reason == "no trial holds the statistics of `chrf`"


def test_no_shared_n_gram_is_a_corpus_score_of_nothing() -> None:
    assert corpus("bleu", [("dog", "the cat sat on a mat")]) == 0
    assert corpus("chrf", [("xyz", "abc")]) == 0
    assert corpus("bleu", [("the", "the")]) == 0  # no 4-gram at all, as sacrebleu has it


# The table.


def test_a_built_in_metric_wins_over_a_scorer_of_its_name() -> None:
    assert metric_of(("bleu",), BUILTIN_METRICS) is BUILTIN_METRICS["bleu"]


def test_the_table_names_each_metric_by_its_key() -> None:
    assert {name: metric.name for name, metric in BUILTIN_METRICS.items()} == {
        name: name for name in BUILTIN_METRICS
    }


def test_a_plugin_can_add_a_metric() -> None:
    longest = Metric(
        name="longest",
        doc="Characters of the longest answer.",
        nothing="there is no answer",
        take=lambda found: [(Fraction(len(one.completion.text)),) for one in found if one.completion],
        combine=lambda samples: max(sample[0] for sample in samples),
    )
    table = MappingProxyType({**BUILTIN_METRICS, "longest": longest})
    one = case("a")
    raw = gate_of(metric="longest", compare="delta", at_most="3")
    answers = {Arm.MODEL: "Lisbon", Arm.BASELINE: "Rome"}
    came_in = [trial(key, completion=Completion(text=answers[key.arm])) for key in one.trial_keys()]

    assessment = assess(record([one], came_in), parse_gate(raw, metrics=table), metrics=table)

    assert result(assessment).reason == "+2 on 1 case (from 4 to 6), ≤ 3 is needed"


def test_rounding_never_shows_a_threshold_that_was_missed() -> None:
    cases = [case(f"c{number}", arms=[Arm.MODEL]) for number in range(10_000)]
    came_in = [
        one for number, planned in enumerate(cases) for one in trials(planned, "P" if number < 8499 else "F")
    ]

    found = result(judged(cases, came_in, gate_of(at_least="85%")))

    assert found.status is Status.NO_GO
    assert found.reason == "84.99% on 10000 cases, ≥ 85% is needed; noise could explain it"


def test_a_plugins_share_of_passes_may_say_nothing_of_a_trial() -> None:
    short = Metric(
        name="short",
        doc="Share of answers below ten characters.",
        unit="rate",
        nothing="there is no answer",
        passed=lambda one: len(one.completion.text) < 10 if one.completion else None,
    )
    table = MappingProxyType({**BUILTIN_METRICS, "short": short})
    answered, silent = case("a", arms=[Arm.MODEL]), case("b", arms=[Arm.MODEL])
    came_in = [*trials(answered), replace(trials(silent)[0], completion=None)]

    assessment = assess(
        record([answered, silent], came_in),
        parse_gate(gate_of(metric="short", at_least="1"), metrics=table),
        metrics=table,
    )

    assert (result(assessment).observed, result(assessment).n) == (1, 1)


def test_entries_that_a_case_names_but_no_score_tells_of_take_the_outcome() -> None:
    planned = case("a", expect=[entry("any_of", None, entry("contains"))])

    assert measured(planned, score("any_of", 1.0), metric="mean:contains").reason == "no trial was scored"
    assert measured(planned, score("any_of", 1.0), metric="contains").observed == 1


def test_a_win_needs_a_score_of_both_arms() -> None:
    one = case("a")
    came_in = [trial(key, "E") for key in one.trial_keys()]
    gate = {**gate_of(metric="win_rate", at_least="50%"), "max_errors": 2}

    found = result(judged([one], came_in, gate))

    assert (found.status, found.reason) == (Status.INCONCLUSIVE, "2 values were lost to errors")


def test_an_errored_answer_without_log_probabilities_is_lost_to_perplexity() -> None:
    one = case("a", arms=[Arm.MODEL])
    answer = Completion(text="x", logprobs=(-1.0,))
    gate = {**gate_of(metric="perplexity", at_most="8"), "max_errors": 1}

    def of(completion: Completion | None) -> CriterionResult:
        return result(
            judged([one], [trial(key, "E", completion=completion) for key in one.trial_keys()], gate)
        )

    assert of(answer).status is Status.GO
    assert of(Completion(text="x")).reason == "1 value was lost to errors"
    assert of(None).reason == "1 value was lost to errors"
