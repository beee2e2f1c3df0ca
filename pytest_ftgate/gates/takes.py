"""From the trials of one case and one arm to samples: what the built-in metrics look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

from pytest_ftgate.gates import corpus
from pytest_ftgate.gates.entries import scores_named
from pytest_ftgate.gates.samples import Sample
from pytest_ftgate.record.trials import Trial
from pytest_ftgate.summary.amounts import Amount, mean_amount
from pytest_ftgate.summary.case_results import exact, mean, total, trial_score
from pytest_ftgate.summary.latencies import Clock, measured, measured_calls, nearest_rank


def mean_score(trials: Sequence[Trial]) -> Sequence[Sample]:
    """The mean score of the trials."""
    return [(mean([trial_score(trial) for trial in trials]),)] if trials else ()


def won(samples: Sequence[Sample]) -> Fraction:
    """The share of pairs in which the model's number is the larger one."""
    return Fraction(sum(model > baseline for model, baseline in samples), len(samples))


def amount_of(trials: Sequence[Trial], amount: Amount) -> Sequence[Sample]:
    """The mean amount of the trials that have one."""
    found = mean_amount(trials, amount)
    return [(found,)] if found is not None else ()


def unanswered(trial: Trial) -> bool:
    """Whether no answer arrived."""
    return trial.completion is None


def without_logprobs(trial: Trial) -> bool:
    """Whether there are no log-probabilities."""
    return trial.completion is None or not trial.completion.logprobs


def times(trials: Sequence[Trial], clock: Clock) -> Sequence[Sample]:
    """The seconds of each measured call."""
    return [(exact(seconds),) for seconds in measured_calls(trials, clock)]


def time_lost(trial: Trial, clock: Clock) -> bool:
    """Whether an answer that should have been measured was not."""
    recorded = trial.completion is not None and trial.completion.source == "recorded"
    return not recorded and measured(trial.completion, clock) is None


def ranked(samples: Sequence[Sample], percent: int) -> Fraction:
    """The nearest-rank percentile of one-number samples."""
    return nearest_rank(sorted((sample[0] for sample in samples), key=float), percent)


def statistics(trials: Sequence[Trial], of_trial: Callable[[Trial], Sequence[Sample]]) -> Sequence[Sample]:
    """A case's mean over its trials of their summed statistics: each case weighs as one."""
    found = [_summed(samples) for trial in trials if (samples := of_trial(trial))]
    return [tuple(part / len(found) for part in _summed(found))] if found else ()


def bleu_of(trial: Trial) -> Sequence[Sample]:
    """The statistics that the scorer `bleu` left in its details."""
    return _details_of(trial, "bleu", ("counts", "totals", "sys_len", "ref_len"), 2 * corpus.ORDERS + 2)


def chrf_of(trial: Trial) -> Sequence[Sample]:
    """The statistics that the scorer `chrf` left in its details."""
    return _details_of(trial, "chrf", ("statistics",), 3 * corpus.CHAR_ORDERS)


def logprobs_of(trial: Trial) -> Sequence[Sample]:
    """The sum of an answer's log-probabilities, and how many there are."""
    logprobs = trial.completion.logprobs if trial.completion else None
    return [(total(map(exact, logprobs)), Fraction(len(logprobs)))] if logprobs else ()


def bleu(samples: Sequence[Sample]) -> Fraction:
    """Corpus BLEU of summed statistics."""
    return exact(corpus.bleu(_summed(samples)))


def chrf(samples: Sequence[Sample]) -> Fraction:
    """Corpus chrF of summed statistics."""
    return exact(corpus.chrf(_summed(samples)))


def perplexity(samples: Sequence[Sample]) -> Fraction:
    """Perplexity of summed log-probabilities."""
    return exact(corpus.perplexity(*_summed(samples)))


def _summed(samples: Sequence[Sample]) -> Sample:
    return tuple(total(parts) for parts in zip(*samples, strict=True))


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
