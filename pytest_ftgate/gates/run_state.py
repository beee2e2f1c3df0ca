"""Whether a run is whole: what it lacks, and what its reader is warned of. No criterion is judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_ftgate.cases import Arm
from pytest_ftgate.gates.calibrating import applicable
from pytest_ftgate.gates.criteria import Gate
from pytest_ftgate.gates.disagreement import disagreements
from pytest_ftgate.gates.thresholds import percent_text
from pytest_ftgate.record.plan import TrialKey
from pytest_ftgate.record.runs import RunInfo
from pytest_ftgate.record.trials import Outcome, Trial
from pytest_ftgate.summary import Summary

_NAMED = 3


def lacks(summary: Summary, gate: Gate) -> list[str]:
    """Why the run is INCOMPLETE, the most telling first; empty for a whole run, and for a whole shard."""
    record = summary.record
    if record.run.no_model:
        return ["no model was named, so nothing was asked: add --model=NAME"]
    return [
        *_nothing_planned(summary),
        *_narrowed(summary),
        *([f"cut short: {record.run.cut_short}"] if record.run.cut_short else []),
        *_missing(summary),
        *_named("conflicting trial", "came in twice with different results", record.conflicts),
        *_named("surplus trial", "that nobody planned", summary.surplus),
        *_errors(summary, gate),
    ]


def in_brief(summary: Summary, gate: Gate) -> list[str]:
    """The same for the verdict's sentence: what follows from the run's end is left to the reasons."""
    cut_short = summary.record.run.cut_short
    if not cut_short or summary.record.run.no_model:
        return lacks(summary, gate)[:_NAMED]
    narrowed = list(_narrowed(summary))
    return [*narrowed, f"cut short: {cut_short}"] if narrowed else [cut_short]


def warnings(summary: Summary, gate: Gate) -> tuple[str, ...]:
    """Sentences that stand beside the verdict, whatever it is; sorted where their order says nothing."""
    run = summary.record.run
    touched = [f"options touched the gate: {' '.join(run.gate_options)}"] if run.gate_options else []
    within = []
    if 0 < len(summary.errored) <= gate.max_errors:
        count = _count(len(summary.errored), "errored trial")
        counted = "counted as failed by the model and passed by the baseline"
        within = [f"{count} within max_errors: {gate.max_errors}, {counted}"]
    return (
        *sorted(set(run.warnings)),
        *_same_models(run.models),
        *_served(summary),
        *touched,
        *within,
        *_strange_votes(summary),
        *_strange_calibrations(summary.record.run),
        *_of_traffic(summary, gate),
        *disagreements(summary.cases, float(gate.confidence)),
    )


def _of_traffic(summary: Summary, gate: Gate) -> Iterator[str]:
    """Where a rate is weighted: shares that were scaled, categories whose cases are left out."""
    if not any("weighted_pass_rate" in one.metric for one in gate.criteria):
        return
    if gate.traffic_written != 1:
        written = percent_text(gate.traffic_written)
        yield f"the shares of `traffic` add up to {written}: they are scaled to 100%"
    planned = Counter(case.planned.category for case in summary.cases if case.planned.skip is None)
    left_out = [name for name in sorted(planned) if name not in gate.traffic]
    if left_out:
        cases = _count(sum(planned[name] for name in left_out), "case")
        yield f"`traffic` has no share for {_quoted(left_out)}: {cases} not in weighted_pass_rate"


def _strange_votes(summary: Summary) -> Iterator[str]:
    """Votes that count nowhere, by the cases that they were given for."""
    planned = {case.key for case in summary.record.plan.cases}
    strangers = summary.votes.strangers if summary.votes else ()
    for why, votes in (
        ("are on other answers than this run's", [one for one in strangers if one.case_key in planned]),
        ("are on cases that are not in this run", [one for one in strangers if one.case_key not in planned]),
    ):
        cases = list(dict.fromkeys("::".join(vote.case_key) for vote in votes))
        if votes:
            verb = why.replace("are", "is", 1) if len(votes) == 1 else why
            counts = "does" if len(votes) == 1 else "do"
            yield f"{_count(len(votes), 'vote')} {verb} and {counts} not count: {_some(cases, 'case')}"


def _strange_calibrations(run: RunInfo) -> Iterator[str]:
    """Calibrations that count nowhere: of other judges, or by other criteria than this run's."""
    counted = applicable(run)
    for one in run.calibrations:
        if one not in counted:
            names = ", ".join(str(judge.get("name")) for judge in one.judges)
            yield (
                f"a calibration of {names} is of another judge, or another check, than this run's: "
                "it does not count"
            )


def _nothing_planned(summary: Summary) -> Iterator[str]:
    """A shard may be left without a case where there are few; a plan may not."""
    everything = [case for case in summary.record.plan.cases if case.skip is None]
    if summary.record.run.shard is not None and any(case.items for case in everything):
        return
    planned = [case for case in summary.cases if case.planned.skip is None]
    if any(case.planned.items for case in planned):
        return
    if not summary.cases:
        yield "nothing was planned: no eval case was found"
    elif not planned:
        skipped = len(summary.cases)
        whole = "the only case is" if skipped == 1 else f"all {skipped} cases are"
        yield f"nothing was planned: {whole} skipped"
    else:
        yield "nothing was planned: no test asks an eval case"


def _narrowed(summary: Summary) -> Iterator[str]:
    left_out = summary.record.plan.left_out
    if left_out:
        yield f"narrowed: left out before the start: {_some(left_out)}"


def _missing(summary: Summary) -> Iterator[str]:
    left_out = frozenset(summary.record.plan.left_out)
    missing = [key for key in summary.missing if left_out.isdisjoint(_nodes(key.item))]
    if missing:
        every = [key for case in summary.cases for key in case.planned.trial_keys()]
        arms = {key.arm for key in missing}
        whose = f" ({arms.pop()})" if len(arms) < len({key.arm for key in every}) else ""
        verb = "is" if len(missing) == 1 else "are"
        tests = _some(list(dict.fromkeys(key.item for key in missing)), "test")
        yield f"{len(missing)} of {_count(len(every), 'planned trial')} {verb} missing{whose}: {tests}"


def _nodes(nodeid: str) -> Iterator[str]:
    """The node id and those of all that it stands in."""
    while nodeid:
        yield nodeid
        nodeid = nodeid.rpartition("::")[0]


def _named(what: str, how: str, keys: Sequence[TrialKey]) -> Iterator[str]:
    if keys:
        yield f"{_count(len(keys), what)} {how}: {_some(keys)}"


def _errors(summary: Summary, gate: Gate) -> Iterator[str]:
    if len(summary.errored) <= gate.max_errors:
        return
    trials = [trial for case in summary.cases for trial in case.trials]
    errored = [trial for trial in trials if trial.outcome is Outcome.ERRORED]
    kinds = Counter(trial.error.kind if trial.error else "unknown" for trial in errored)
    listed = ", ".join(
        f"{count} {kind}" for kind, count in sorted(kinds.items(), key=lambda one: (-one[1], one[0]))
    )
    share = f"{len(errored)} of {_count(len(trials), 'trial')}"
    yield f"{share} errored, more than max_errors: {gate.max_errors} ({listed}); first: {_first(errored[0])}"


def _first(trial: Trial) -> str:
    return f"{trial.key}: {trial.error.message if trial.error else 'no reason was given'}"


def _same_models(models: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    model, baseline = (models.get(arm) for arm in (Arm.MODEL, Arm.BASELINE))
    if model and model == baseline:
        both = f"model and baseline are both '{model.get('name')}'"
        yield f"{both}: an A/A run, which compares a model with itself"


def _served(summary: Summary) -> Iterator[str]:
    """Where an endpoint says that another model answered than was asked, or several did."""
    for arm in Arm:
        described = summary.record.run.models.get(arm, {})
        models = [described, *described.get("roles", {}).values()]
        asked = [str(one.get("model") or one.get("name")) for one in models]
        live = described and all(one.get("kind") not in ("recorded", "python") for one in models)
        served = _distinct(summary, arm, "model")
        others = [name for name in served if live and not any(_is_served_as(one, name) for one in asked)]
        if others:
            yield f"the {arm} was asked for as {_quoted(asked)}, and served by {_quoted(others)}"
        elif len(served) > len(models):
            yield f"the {arm}'s answers come from {len(served)} models: {_quoted(served)}"
        prints = _distinct(summary, arm, "fingerprint")
        if len(prints) > len(models):
            yield f"the {arm}'s answers come from {len(prints)} system fingerprints: {_quoted(prints)}"


def _is_served_as(asked: str, served: str) -> bool:
    """A name may stand for its newest snapshot: gpt-4o-mini is served as gpt-4o-mini-2024-07-18."""
    return served == asked or served.startswith(f"{asked}-")


def _distinct(summary: Summary, arm: Arm, name: str) -> list[str]:
    found = {
        str(value)
        for case in summary.cases
        for trial in case.trials
        if trial.key.arm is arm and trial.completion
        for answer in trial.completion.steps or (trial.completion,)
        if (value := getattr(answer, name))
    }
    return sorted(found)


def _some(names: Sequence[object], noun: str = "") -> str:
    """The first names; a noun says what the others are that are only counted."""
    left = len(names) - _NAMED
    more = f" and {left} more" if left > 0 else ""
    if more and noun:
        more += f" {noun}" if left == 1 else f" {noun}s"
    return ", ".join(str(name) for name in names[:_NAMED]) + more


def _quoted(names: Sequence[str]) -> str:
    return _some([f"'{name}'" for name in names])


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
