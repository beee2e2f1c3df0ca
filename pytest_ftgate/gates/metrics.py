"""Gate metrics: how one number is taken from the trials of the cases that a criterion selects.

A metric sees one case and one arm at a time and never compares with a threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from types import MappingProxyType
from typing import Literal

from pytest_ftgate.gates import corpus
from pytest_ftgate.gates.criteria import Compare
from pytest_ftgate.gates.entries import entry_passed, entry_value, has_entry, scores_named
from pytest_ftgate.gates.thresholds import Unit
from pytest_ftgate.record.plan import PlannedCase
from pytest_ftgate.record.trials import Trial
from pytest_ftgate.summary.case_results import exact, mean, total, trial_passed, trial_score
from pytest_ftgate.summary.latencies import PERCENTILES, Clock, measured, measured_calls, nearest_rank

MEAN = "mean:"

#: What one case (or one call) gives: a value, or sums that only mean something over all cases.
Sample = tuple[Fraction, ...]


def _mean_of(samples: Sequence[Sample]) -> Fraction:
    return mean([sample[0] for sample in samples])


def _any_case(_: PlannedCase) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric that a criterion can name.

    With `passed` it is a share of passes: of one trial it says passed, failed or nothing (None), and an
    errored trial counts against shipping. Otherwise `take` gets the trials of one case and one arm, and gives
    a sample, several (one per call), or none; `combine` makes one finite number of all samples (at least
    one). An errored trial that `is_lost` is not taken and makes the criterion INCONCLUSIVE. `applies` says
    for which planned cases the metric has a value. `paired` metrics see samples that hold the model's numbers
    and then the baseline's. `nothing` says why there was nothing to measure.
    """

    name: str
    doc: str
    unit: Unit = "number"
    compares: tuple[Compare, ...] = ("value", "delta", "ratio")
    counts: Literal["cases", "calls", "votes"] = "cases"
    nothing: str
    applies: Callable[[PlannedCase], bool] = _any_case
    passed: Callable[[Trial], bool | None] | None = None
    take: Callable[[Sequence[Trial]], Sequence[Sample]] = lambda _: ()
    combine: Callable[[Sequence[Sample]], Fraction] = _mean_of
    is_lost: Callable[[Trial], bool] = lambda _: True
    paired: bool = False
    #: Whether answers that nothing judges (`expect: none`) count too.
    of_any_answer: bool = False
    #: Whether a failed case shows in this metric, so that the case needs no other criterion.
    judges: bool = False


def entry_metric(names: Sequence[str]) -> Metric:
    """The share of trials whose entries of these names all passed.

    A trial without such entries, or one that failed though its checks passed, takes its outcome.
    """

    def passed(trial: Trial) -> bool:
        found = [value for score in trial.scores if (value := entry_passed(score, names)) is not None]
        return all(found) and not trial.failed_elsewhere if found else trial_passed(trial)

    return Metric(
        name=" and ".join(names),
        doc="Share of cases whose entries of this name passed.",
        unit="rate",
        compares=("value", "delta"),
        nothing="no trial was judged",
        applies=lambda case: any(has_entry(check, names) for check in case.expect),
        passed=passed,
    )


def mean_metric(name: str) -> Metric:
    """The mean value of the entries of one name."""

    def take(trials: Sequence[Trial]) -> Sequence[Sample]:
        found = [
            mean(values)
            for trial in trials
            if (values := [v for score in trial.scores if (v := entry_value(score, (name,))) is not None])
        ]
        return [(mean(found),)] if found else ()

    return Metric(
        name=f"{MEAN}{name}",
        doc="Mean value of the entries of this name.",
        unit="rate",
        compares=("value", "delta"),
        nothing="no trial was scored",
        applies=lambda case: any(has_entry(check, (name,)) for check in case.expect),
        take=take,
    )


def _scores_metric(trials: Sequence[Trial]) -> Sequence[Sample]:
    return [(mean([trial_score(trial) for trial in trials]),)] if trials else ()


def _won(samples: Sequence[Sample]) -> Fraction:
    return Fraction(sum(model > baseline for model, baseline in samples), len(samples))


def _of_completions(trials: Sequence[Trial], amount: Callable[[Trial], float | None]) -> Sequence[Sample]:
    found = [exact(value) for trial in trials if (value := amount(trial)) is not None]
    return [(mean(found),)] if found else ()


def _output_tokens(trial: Trial) -> float | None:
    return trial.completion.usage.output_tokens if trial.completion else None


def _cost(trial: Trial) -> float | None:
    return trial.completion.cost if trial.completion else None


def _unanswered(trial: Trial) -> bool:
    return trial.completion is None


def _without_logprobs(trial: Trial) -> bool:
    return trial.completion is None or not trial.completion.logprobs


def _times(trials: Sequence[Trial], clock: Clock) -> Sequence[Sample]:
    return [(exact(seconds),) for seconds in measured_calls(trials, clock)]


def _time_lost(trial: Trial, clock: Clock) -> bool:
    recorded = trial.completion is not None and trial.completion.source == "recorded"
    return not recorded and measured(trial.completion, clock) is None


def _nearest_rank(samples: Sequence[Sample], percent: int) -> Fraction:
    return nearest_rank(sorted((sample[0] for sample in samples), key=float), percent)


def _statistics(trials: Sequence[Trial], of_trial: Callable[[Trial], Sequence[Sample]]) -> Sequence[Sample]:
    """A case's mean over its trials of their summed statistics: each case weighs as one."""
    found = [_summed(samples) for trial in trials if (samples := of_trial(trial))]
    return [tuple(part / len(found) for part in _summed(found))] if found else ()


def _summed(samples: Sequence[Sample]) -> Sample:
    return tuple(total(parts) for parts in zip(*samples, strict=True))


def _bleu_of(trial: Trial) -> Sequence[Sample]:
    return _details_of(trial, "bleu", ("counts", "totals", "sys_len", "ref_len"), 2 * corpus.ORDERS + 2)


def _chrf_of(trial: Trial) -> Sequence[Sample]:
    return _details_of(trial, "chrf", ("statistics",), 3 * corpus.CHAR_ORDERS)


def _details_of(trial: Trial, scorer: str, keys: Sequence[str], length: int) -> Sequence[Sample]:
    """The statistics that a scorer left in its details, flat; scores without all of them give nothing."""
    details = [found.details for score in trial.scores for found in scores_named(score, scorer)]
    flat = [tuple(number for key in keys for number in _flat(row.get(key))) for row in details]
    return [tuple(map(Fraction, row)) for row in flat if len(row) == length]


def _flat(value: object) -> Iterator[int]:
    if isinstance(value, int):
        yield value
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for part in value:
            yield from _flat(part)


def _logprobs_of(trial: Trial) -> Sequence[Sample]:
    logprobs = trial.completion.logprobs if trial.completion else None
    return [(total(map(exact, logprobs)), Fraction(len(logprobs)))] if logprobs else ()


def _bleu(samples: Sequence[Sample]) -> Fraction:
    return exact(corpus.bleu(_summed(samples)))


def _chrf(samples: Sequence[Sample]) -> Fraction:
    return exact(corpus.chrf(_summed(samples)))


def _perplexity(samples: Sequence[Sample]) -> Fraction:
    return exact(corpus.perplexity(*_summed(samples)))


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
        take=partial(_times, clock=clock),
        is_lost=partial(_time_lost, clock=clock),
    )
    return [
        replace(metric, name=f"{prefix}_p{percent}", combine=partial(_nearest_rank, percent=percent))
        for percent in PERCENTILES
    ]


def _votes_metric(name: str, doc: str) -> Metric:
    return Metric(
        name=name, doc=doc, unit="rate", compares=("value",), counts="votes", nothing="no votes were given"
    )


_METRICS = (
    Metric(
        name="pass_rate",
        doc="Share of cases that passed.",
        unit="rate",
        compares=("value", "delta"),
        nothing="no trial was judged",
        passed=trial_passed,
        judges=True,
    ),
    Metric(
        name="win_rate",
        doc="Share of cases whose mean score beats the baseline's.",
        unit="rate",
        compares=("value",),
        nothing="no case has a score of both arms",
        take=_scores_metric,
        combine=_won,
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
        take=partial(_statistics, of_trial=_bleu_of),
        combine=_bleu,
    ),
    Metric(
        name="chrf",
        doc="Corpus chrF of the cases that have a `chrf` entry.",
        unit="rate",
        compares=("value", "delta"),
        nothing="no trial holds the statistics of `chrf`",
        applies=partial(_has_scorer, scorer="chrf"),
        take=partial(_statistics, of_trial=_chrf_of),
        combine=_chrf,
    ),
    Metric(
        name="perplexity",
        doc="exp of minus the mean log-probability of all answer tokens.",
        nothing="no answer has log-probabilities",
        of_any_answer=True,
        take=partial(_statistics, of_trial=_logprobs_of),
        is_lost=_without_logprobs,
        combine=_perplexity,
    ),
    Metric(
        name="tokens",
        doc="Mean tokens of the answers, by case.",
        nothing="the endpoint did not say how many tokens its answers have",
        of_any_answer=True,
        take=partial(_of_completions, amount=_output_tokens),
        is_lost=_unanswered,
    ),
    Metric(
        name="cost",
        doc="Mean cost of the answers, by case, in the currency of the price.",
        nothing="no answer has a cost; give the model a `price: {input, output}` in ftgate.yaml",
        of_any_answer=True,
        take=partial(_of_completions, amount=_cost),
        is_lost=_unanswered,
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


def metric_of(names: Sequence[str], metrics: Mapping[str, Metric]) -> Metric:
    """The metric that a criterion names: one of the table, `mean:NAME`, or the entries of these names."""
    if len(names) == 1 and names[0] in metrics:
        return metrics[names[0]]
    if len(names) == 1 and names[0].startswith(MEAN):
        return mean_metric(names[0].removeprefix(MEAN))
    return entry_metric(tuple(names))
