"""The table of built-in metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from pytest_ftgate.gates import takes
from pytest_ftgate.gates.entries import has_entry
from pytest_ftgate.gates.estimates import amounts, percentile, totals, totals_p, wins
from pytest_ftgate.gates.metrics import MAJORITY, Metric
from pytest_ftgate.gates.strata import BY_TRAFFIC, SEEN_OR_NOT
from pytest_ftgate.record.plan import PlannedCase
from pytest_ftgate.summary.amounts import cost, output_tokens
from pytest_ftgate.summary.case_results import trial_passed
from pytest_ftgate.summary.latencies import PERCENTILES, Clock


def _has_scorer(case: PlannedCase, scorer: str) -> bool:
    return any(has_entry(check, (scorer,)) for check in case.expect)


def _time_metrics(prefix: str, clock: Clock, doc: str) -> list[Metric]:
    metric = Metric(
        name=prefix,
        doc=doc,
        unit="seconds",
        counts="calls",
        nothing="no call was measured (recorded and stored answers have no latency)",
        of_any_answer=True,
        take=partial(takes.times, clock=clock),
        is_lost=partial(takes.time_lost, clock=clock),
    )
    return [
        replace(
            metric,
            name=f"{prefix}_p{percent}",
            combine=partial(takes.ranked, percent=percent),
            estimate=partial(percentile, percent=percent),
        )
        for percent in PERCENTILES
    ]


def _votes_metric(name: str, doc: str) -> Metric:
    return Metric(
        name=name, doc=doc, unit="rate", compares=("value",), counts="votes", nothing="no votes were given"
    )


_PASS_RATE = Metric(
    name="pass_rate",
    doc="Share of cases that passed.",
    unit="rate",
    compares=("value", "delta"),
    nothing="no trial was judged",
    passed=trial_passed,
    judges=True,
)

_METRICS = (
    _PASS_RATE,
    replace(
        _PASS_RATE,
        name="weighted_pass_rate",
        doc="Pass rate with each category weighted by its share of the traffic.",
        split=BY_TRAFFIC,
    ),
    replace(
        _PASS_RATE,
        name="generalization_gap",
        doc="Pass rate on cases seen in training minus that on all others.",
        compares=("value",),
        split=SEEN_OR_NOT,
        judges=False,
    ),
    MAJORITY,
    Metric(
        name="win_rate",
        doc="Share of cases whose mean score beats the baseline's.",
        unit="rate",
        compares=("value",),
        nothing="no case has a score of both arms",
        take=takes.mean_score,
        combine=takes.won,
        estimate=wins,
        paired=True,
        judges=True,
    ),
    Metric(
        name="bleu",
        doc="Corpus BLEU of the cases that have a `bleu` entry.",
        unit="rate",
        compares=("value", "delta"),
        nothing="no trial holds the statistics of `bleu`",
        applies=partial(_has_scorer, scorer="bleu"),
        take=partial(takes.statistics, of_trial=takes.bleu_of),
        combine=takes.bleu,
        estimate=partial(totals, score="bleu"),
        p_of_equal=partial(totals_p, score="bleu"),
    ),
    Metric(
        name="chrf",
        doc="Corpus chrF of the cases that have a `chrf` entry.",
        unit="rate",
        compares=("value", "delta"),
        nothing="no trial holds the statistics of `chrf`",
        applies=partial(_has_scorer, scorer="chrf"),
        take=partial(takes.statistics, of_trial=takes.chrf_of),
        combine=takes.chrf,
        estimate=partial(totals, score="chrf"),
        p_of_equal=partial(totals_p, score="chrf"),
    ),
    Metric(
        name="perplexity",
        doc="exp of minus the mean log-probability of all answer tokens.",
        nothing="no answer has log-probabilities",
        of_any_answer=True,
        take=partial(takes.statistics, of_trial=takes.logprobs_of),
        is_lost=takes.without_logprobs,
        combine=takes.perplexity,
        estimate=partial(totals, score="perplexity"),
        p_of_equal=partial(totals_p, score="perplexity"),
    ),
    Metric(
        name="tokens",
        doc="Mean tokens of the answers, by case.",
        nothing="the endpoint did not say how many tokens its answers have",
        of_any_answer=True,
        take=partial(takes.amount_of, amount=output_tokens),
        is_lost=takes.unanswered,
        estimate=amounts,
    ),
    Metric(
        name="cost",
        doc="Mean cost of the answers, by case, in the currency of the price.",
        nothing="no answer has a cost; give the model a `price: {input, output}` in ftgate.yaml, "
        "or install pytest-ftgate[cost], which knows public prices",
        of_any_answer=True,
        take=partial(takes.amount_of, amount=cost),
        is_lost=takes.unanswered,
        estimate=amounts,
    ),
    *_time_metrics("latency", "latency_s", "Seconds to the last byte, nearest rank over calls."),
    *_time_metrics(
        "time_to_first_token",
        "time_to_first_token_s",
        "Seconds to the first content, nearest rank over calls.",
    ),
    _votes_metric("human_preference", "Wins of all votes that are no tie, by majority of reviewers."),
    _votes_metric("agreement", "Agreement between reviewers."),
    _votes_metric("judge_agreement", "Agreement between reviewers and the judge."),
)

BUILTIN_METRICS: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in _METRICS})
