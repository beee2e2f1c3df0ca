"""Gate metrics: how one number is taken from the trials of the cases that a criterion selects.

A metric sees one case and one arm at a time and never compares with a threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Literal

from pytest_ftgate.gates.criteria import Compare
from pytest_ftgate.gates.entries import entry_passed, entry_value, has_entry
from pytest_ftgate.gates.estimates import Estimator, Test, by_resampling, graded, graded_p, rate_by_resampling
from pytest_ftgate.gates.samples import Combine, Sample, mean_of
from pytest_ftgate.gates.strata import WHOLE, Split
from pytest_ftgate.gates.thresholds import Unit, parse_count
from pytest_ftgate.record.plan import PlannedCase
from pytest_ftgate.record.trials import Trial
from pytest_ftgate.record.votes import Choice
from pytest_ftgate.stats.repeats import majority, pass_all, pass_at
from pytest_ftgate.summary.case_results import exact_share, mean, trial_passed

MEAN, PASS_AT, PASS_ALL = "mean:", "pass_at:", "pass_all:"


def _any_case(_: PlannedCase) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Voted:
    """How a number is taken from what reviewers said: `of_case` of one case, `number` of all with votes.

    `number` is None where it is undefined, and `undefined` says when that is; `too_few` says what votes lack
    that give nothing. `detail` says in words what the number is made of.
    """

    of_case: Callable[[Sequence[Choice]], Sequence[Sample]]
    too_few: str = ""
    number: Callable[[Sequence[Sample]], Fraction | None]
    detail: Callable[[Sequence[Sample]], str] = lambda _: ""
    undefined: str
    noun: str = "reviewed cases"
    #: How many of them decide, where some say nothing of the number.
    decided: Callable[[Sequence[Sample]], int] = len


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric that a criterion can name.

    With `passed` it is a share of passes: of one trial it says passed, failed or nothing (None), and an
    errored trial counts against shipping; `of_repeats` makes a case's value, 0…1, of how many of its repeats
    passed and how many there are, None if they do not tell. Otherwise `take` gets the trials of one case and
    one arm, and gives a sample, several (one per call), or none; `combine` makes one finite number of all
    samples (at least one). An errored trial that `is_lost` is not taken and makes the criterion
    INCONCLUSIVE. `applies` says for which planned cases the metric has a value. `paired` metrics see samples
    that hold the model's numbers and then the baseline's. `estimate` says what the samples show of the truth;
    without one, passes are taken as such, and all else is resampled by case. `p_of_equal` is the p-value of
    two equal arms, for `compare: delta`. `nothing` says why there was nothing to measure, `lacking` what is
    the matter with single cases that gave no value. With `voted` it is taken from what people said
    of the answers, and not from the trials.
    """

    name: str
    doc: str
    unit: Unit = "number"
    compares: tuple[Compare, ...] = ("value", "delta", "ratio")
    counts: Literal["cases", "calls", "votes"] = "cases"
    nothing: str
    lacking: str = "gave no value"
    applies: Callable[[PlannedCase], bool] = _any_case
    passed: Callable[[Trial], bool | None] | None = None
    of_repeats: Callable[[int, int], Fraction | None] = exact_share
    take: Callable[[Sequence[Trial]], Sequence[Sample]] = lambda _: ()
    combine: Combine = mean_of
    estimate: Estimator | None = None
    p_of_equal: Test | None = None
    split: Split = WHOLE
    is_lost: Callable[[Trial], bool] = lambda _: True
    voted: Voted | None = None
    #: Taken from the calibrations of judges, not from this run's own answers.
    calibrated: bool = False
    #: Told as 0.69, not as 69%.
    is_coefficient: bool = False
    paired: bool = False
    #: Whether answers that nothing judges (`expect: none`) count too.
    of_any_answer: bool = False
    #: Whether a failed case shows in this metric, so that the case needs no other criterion.
    judges: bool = False

    @property
    def noun(self) -> str:
        """What `n` counts, in the plural."""
        return self.voted.noun if self.voted else self.counts

    @property
    def estimator(self) -> Estimator:
        """What the samples show of the truth."""
        if self.estimate or self.passed:
            return self.estimate or graded
        return rate_by_resampling if self.unit == "rate" else by_resampling

    @property
    def test(self) -> Test | None:
        """The test of two equal arms; None without one."""
        return self.p_of_equal or (graded_p if self.passed else None)


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
        estimate=graded,
        p_of_equal=graded_p,
    )


def _pass_at(k: int, passed: int, n: int) -> Fraction | None:
    return pass_at(k, passed=passed, n=n)


def _pass_all(k: int, passed: int, n: int) -> Fraction | None:
    return pass_all(k, passed=passed, n=n)


def _majority(passed: int, n: int) -> Fraction | None:
    return None if (found := majority(passed=passed, n=n)) is None else Fraction(found)


def _of_repeats(name: str, doc: str, value: Callable[[int, int], Fraction | None], least: int = 1) -> Metric:
    return Metric(
        name=name,
        doc=doc,
        unit="rate",
        compares=("value", "delta"),
        nothing=f"no case has {least} repeats: give the cases `repeat: {least}` or more",
        lacking=f"have fewer than {least} repeats",
        passed=trial_passed,
        of_repeats=value,
        judges=True,
    )


def _pass_at_metric(written: str) -> Metric:
    k = parse_count(written, 1, ("metric",))
    doc = "The chance that at least one of K answers to a case passes, mean over cases."
    return _of_repeats(f"{PASS_AT}{k}", doc, partial(_pass_at, k), k)


def _pass_all_metric(written: str) -> Metric:
    k = parse_count(written, 1, ("metric",))
    doc = "The chance that all of K answers to a case pass, mean over cases."
    return _of_repeats(f"{PASS_ALL}{k}", doc, partial(_pass_all, k), k)


MAJORITY = _of_repeats("majority", "Share of cases of whose repeats more than half passed.", _majority)

#: Metrics with a name of two parts: what stands before the colon, and what makes a metric of the rest.
FAMILIES: Mapping[str, Callable[[str], Metric]] = {
    MEAN: mean_metric,
    PASS_AT: _pass_at_metric,
    PASS_ALL: _pass_all_metric,
}


def is_entry(name: str, metrics: Mapping[str, Metric]) -> bool:
    """Whether a name in a criterion is that of a scorer or entry, and not a metric's."""
    return name not in metrics and not name.startswith(tuple(FAMILIES))


def metric_of(names: Sequence[str], metrics: Mapping[str, Metric]) -> Metric:
    """The metric that a criterion names: one of the table or of a family, or the entries of these names.

    Raises `GateError` for the name of a family whose second part is wrong.
    """
    if len(names) == 1 and names[0] in metrics:
        return metrics[names[0]]
    family = next((family for family in FAMILIES if names[0].startswith(family)), None)
    if len(names) == 1 and family is not None:
        return FAMILIES[family](names[0].removeprefix(family))
    return entry_metric(tuple(names))
