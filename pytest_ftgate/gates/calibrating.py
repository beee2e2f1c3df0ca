"""The metric `judge_agreement`: how far the judges of a run agree with people, by their calibrations."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from pytest_ftgate.gates.estimates import Unbounded
from pytest_ftgate.gates.samples import Sample, Sampled
from pytest_ftgate.record.calibrations import LABELS, Calibration
from pytest_ftgate.record.runs import RunInfo
from pytest_ftgate.stats.agreement import cohen_kappa
from pytest_ftgate.stats.estimates import Estimate
from pytest_ftgate.stats.unseen import with_unseen
from pytest_ftgate.summary.estimating import SEED

_LABELS = sorted({label for labels in LABELS for label in labels})
JUDGE = "judge"


def applicable(run: RunInfo) -> list[Calibration]:
    """The calibrations that are of a judge and a check of this run."""
    return [one for one in run.calibrations if _applies(one, run)]


def uncovered(run: RunInfo) -> list[tuple[str, str]]:
    """Judges and digests of their checks that no calibration covers."""
    covered = {
        (name, one.check)
        for one in applicable(run)
        for name, judge in _judges(run)
        if any(_is_same(judge, described) for described in one.judges)
    }
    asked = {(name, check) for name, judge in _judges(run) for check in judge.get("checks", ())}
    return sorted(asked - covered)


def samples_of(calibration: Calibration) -> list[Sample]:
    """A pair of labels as numbers, each label by its place."""
    return [
        (Fraction(_LABELS.index(human)), Fraction(_LABELS.index(judge))) for human, judge in calibration.pairs
    ]


def kappa(samples: Sequence[Sample]) -> Fraction | None:
    """Cohen's kappa; None where chance alone would agree."""
    found = cohen_kappa((human, judge) for human, judge in samples)
    return None if found is None else Fraction(found)


def kappa_estimate(sampled: Sampled) -> Estimate | Unbounded:
    """Of kappa: bootstrap by labelled answer, and never surer than so many answers allow."""
    from pytest_ftgate.stats.any_statistic import statistic_estimate  # noqa: PLC0415  (loads numpy)

    pairs = [(human, judge) for human, judge in sampled.columns[0]]
    found = statistic_estimate(
        lambda places: cohen_kappa(pairs[place] for place in places), len(pairs), seed=SEED
    )
    value = cohen_kappa(pairs)
    if found is None or value is None or math.isnan(value):
        return Unbounded(why="the labels differ in too few answers to resample them")
    return with_unseen(found, value=value, n=len(pairs), least=-1.0, most=1.0)


def _applies(one: Calibration, run: RunInfo) -> bool:
    """Whether each of its judges is one of the run's, and judges there by the same check."""
    judges = [judge for _, judge in _judges(run)]
    return bool(one.judges) and all(
        any(_is_same(judge, described) and one.check in judge.get("checks", ()) for judge in judges)
        for described in one.judges
    )


def _judges(run: RunInfo) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, described in run.models.items():
        if name.partition(" ")[0] == JUDGE:
            yield name, described


def _is_same(judge: Mapping[str, Any], described: Mapping[str, Any]) -> bool:
    return {key: value for key, value in judge.items() if key != "checks"} == dict(described)
