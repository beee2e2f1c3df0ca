"""The table of built-in metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from types import MappingProxyType
from typing import Literal

from pytest_ftgate.gates import calibrating, takes, voting
from pytest_ftgate.gates.entries import has_entry
from pytest_ftgate.gates.estimates import amounts, percentile, totals, totals_p, wins
from pytest_ftgate.gates.metrics import MAJORITY, Metric, Voted
from pytest_ftgate.gates.samples import Sample
from pytest_ftgate.gates.strata import BY_TRAFFIC, SEEN_OR_NOT
from pytest_ftgate.record.plan import PlannedCase
from pytest_ftgate.record.trials import Trial
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


def _corpus_metric(
    name: Literal["bleu", "chrf"],
    written: str,
    of_trial: Callable[[Trial], Sequence[Sample]],
    combine: Callable[[Sequence[Sample]], Fraction],
) -> Metric:
    """A score of all cases' summed statistics, which the scorer of the same name leaves in their trials."""
    return Metric(
        name=name,
        doc=f"Corpus {written} of the cases that have a `{name}` entry.",
        unit="rate",
        compares=("value", "delta"),
        nothing=f"no trial holds the statistics of `{name}`",
        applies=partial(_has_scorer, scorer=name),
        take=partial(takes.statistics, of_trial=of_trial),
        combine=combine,
        estimate=partial(totals, score=name),
        p_of_equal=partial(totals_p, score=name),
    )


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
    _corpus_metric("bleu", "BLEU", takes.bleu_of, takes.bleu),
    _corpus_metric("chrf", "chrF", takes.chrf_of, takes.chrf),
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
    replace(
        _votes_metric(
            "human_preference", "Cases won among those won or lost, by majority of their reviewers."
        ),
        of_any_answer=True,
        estimate=voting.preference_estimate,
        voted=Voted(
            of_case=voting.outcome,
            number=voting.preference,
            detail=voting.preference_detail,
            decided=voting.won_or_lost,
            undefined="all of them are ties",
        ),
    ),
    replace(
        _votes_metric("agreement", "How far reviewers agree beyond chance: Krippendorff's alpha."),
        of_any_answer=True,
        estimate=voting.agreement_estimate,
        voted=Voted(
            of_case=voting.labels,
            number=voting.agreement,
            undefined="only one label was ever given, so that chance alone would agree",
            too_few="no case has votes of two reviewers",
        ),
        is_coefficient=True,
    ),
    replace(
        _votes_metric(
            "judge_agreement",
            "How far the judges agree with people beyond chance, by their calibrations: Cohen's kappa, the "
            "least of them.",
        ),
        of_any_answer=True,
        nothing="no calibration of this run's judges was given: make one with `ftgate judge calibrate`, and "
        "name it by --ftgate-calibration",
        estimate=calibrating.kappa_estimate,
        voted=Voted(
            of_case=lambda _: (),
            number=calibrating.kappa,
            undefined="only one label was ever given, so that chance alone would agree",
            noun="labelled answers",
        ),
        calibrated=True,
        is_coefficient=True,
    ),
)

BUILTIN_METRICS: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in _METRICS})
