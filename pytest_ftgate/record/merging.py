"""The record of a whole run from those of its shards, or all that speaks against judging them together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pytest_ftgate.cases import canonical
from pytest_ftgate.errors import RecordError
from pytest_ftgate.record.calibrations import merged_calibrations
from pytest_ftgate.record.plan import CaseKey, Plan
from pytest_ftgate.record.run_record import RunRecord
from pytest_ftgate.record.runs import Record, RunInfo
from pytest_ftgate.record.votes import merged_votes

_NAMED = 5
_SHORT = 60


def merge(records: Sequence[Record]) -> Record:
    """The record of a whole run from those of its shards, in any order; a single whole record is itself.

    A shard given twice counts once; where its trials differ they are conflicts. Records that can't be judged
    together, and shards that are missing, are a `RecordError` that lists all of them, a line each.
    """
    if len(records) == 1 and records[0].run.shard is None:
        return records[0]
    problems = _problems(records)
    if len(problems) == 1:
        raise RecordError(f"these records can't be judged together: {problems[0]}")
    if problems:
        raise RecordError("\n".join(["these records can't be judged together:", *_listed(problems)]))
    ordered = sorted(records, key=lambda record: (_number(record.run), record.run.started))
    plan = Plan(
        cases=ordered[0].plan.cases,
        left_out=tuple(name for record in ordered for name in record.plan.left_out),
    )
    collected = RunRecord()
    for record in ordered:
        for trial in record.trials:
            collected.add(trial)
    merged = collected.freeze(_merged_run(ordered), plan)
    conflicts = {*merged.conflicts, *(key for record in ordered for key in record.conflicts)}
    return Record(
        run=merged.run,
        plan=plan,
        trials=merged.trials,
        conflicts=tuple(sorted(conflicts)),
        votes=merged_votes(vote for record in ordered for vote in record.votes),
    )


def _listed(problems: Sequence[str]) -> list[str]:
    return [f"- {problem}" for problem in problems]


def _problems(records: Sequence[Record]) -> list[str]:
    if not records:
        return ["none were given"]
    whole = sum(record.run.shard is None for record in records)
    if whole:
        return [f"{whole} of {len(records)} are whole runs, not shards: give one whole record, or all shards"]
    missing = list(_missing_shards(records))
    different = list(_differences(records))
    uneven = [] if missing or different else list(_uneven(records))
    return [*different, *missing, *uneven, *_strangers(records)]


def _differences(records: Sequence[Record]) -> Iterator[str]:
    """What all shards of one run have in common, where they do not."""
    runs = [record.run for record in records]
    traits: dict[str, list[str]] = {
        "run ids": [run.run_id for run in runs],
        "versions of pytest-ftgate": [run.version for run in runs],
        **{f"gates differ in {name}": told for name, told in _fields([run.gate for run in runs])},
        "gate options": [" ".join(run.gate_options) or "none" for run in runs],
        **{f"models differ in {name}": told for name, told in _fields([run.models for run in runs])},
        "plans": [record.plan.digest for record in records],
        **{f"test code differs in {name}": told for name, told in _fields([run.code for run in runs])},
        "numbers of shards": [str(run.shard[1]) for run in runs if run.shard],
        "ways to share out the cases": [_way(run) for run in runs],
    }
    for what, values in traits.items():
        if len(set(values)) > 1:
            verb = "" if " differ" in what else " differ"
            yield f"their {what}{verb}: {_told(values, runs)}"


def _way(run: RunInfo) -> str:
    return f"balanced ({run.share.balance})" if run.share else "by key"


def _fields(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    """The values that each of them has, by field; of a mapping in a mapping its fields one by one."""
    names = sorted({name for row in rows for name in row})
    found: list[tuple[str, list[str]]] = []
    for name in names:
        values = [row.get(name) for row in rows]
        if all(value is None or isinstance(value, Mapping) for value in values):
            inner = _fields([value or {} for value in values])
            found += [(f"{name}.{field}", told) for field, told in inner]
        else:
            found.append((name, [value if isinstance(value, str) else _shown(value) for value in values]))
    return found


def _shown(value: object) -> str:
    return "none" if value is None else canonical(value)


def _told(values: Sequence[str], runs: Sequence[RunInfo]) -> str:
    """Who has what: `0.1.0 (shards 1, 3), 0.2.0 (shard 2)`; long values are left out."""
    holders: dict[str, set[int]] = defaultdict(set)
    for value, run in zip(values, runs, strict=True):
        holders[value].add(_number(run))
    ordered = sorted(holders.items(), key=lambda one: sorted(one[1]))
    if any(len(value) > _SHORT for value in holders):
        return " against ".join(_numbers(numbers) for _, numbers in ordered)
    return ", ".join(f"{value} ({_numbers(numbers)})" for value, numbers in ordered)


def _number(run: RunInfo) -> int:
    assert run.shard is not None  # whole runs were refused
    return run.shard[0]


def _numbers(numbers: set[int]) -> str:
    return f"shard{'s' if len(numbers) > 1 else ''} {_some(sorted(numbers), limit=20)}"


def _missing_shards(records: Sequence[Record]) -> Iterator[str]:
    shards = {record.run.shard for record in records if record.run.shard}
    of = max(count for _, count in shards)
    missing = set(range(1, of + 1)) - {number for number, _ in shards}
    if missing:
        yield f"{_numbers(missing)} of {of} {'is' if len(missing) == 1 else 'are'} missing"


def _uneven(records: Sequence[Record]) -> Iterator[str]:
    """Of balanced shards: cases that two of them have, or none, or that are not planned at all."""
    holders: dict[CaseKey, set[int]] = defaultdict(set)
    for run in (record.run for record in records):
        for key in run.share.cases if run.share else ():
            holders[key].add(_number(run))
    if not any(record.run.share for record in records):
        return
    planned = {case.key for case in records[0].plan.cases}
    twice = sorted(key for key, numbers in holders.items() if len(numbers) > 1)
    for found, what in (
        (twice, "in more than one shard"),
        (sorted(planned - holders.keys()), "in no shard"),
        (sorted(holders.keys() - planned), "in a shard, and not planned"),
    ):
        if found:
            cases = "1 case is" if len(found) == 1 else f"{len(found)} cases are"
            yield f"{cases} {what}: {_some(['::'.join(key) for key in found])}"


def _strangers(records: Sequence[Record]) -> Iterator[str]:
    """Trials in a shard's record that belong to another shard."""
    found = set()
    for record in records:
        strange = [trial for trial in record.trials if not record.run.has(trial.key[:2])]
        if strange:
            noun = "trial" if len(strange) == 1 else "trials"
            found.add(
                f"shard {_number(record.run)} holds {len(strange)} {noun} of other shards: {strange[0].key}"
            )
    yield from sorted(found)


def _some(names: Sequence[object], limit: int = _NAMED) -> str:
    left = len(names) - limit
    return ", ".join(map(str, names[:limit])) + (f" and {left} more" if left > 0 else "")


def _merged_run(ordered: Sequence[Record]) -> RunInfo:
    runs = [record.run for record in ordered]
    first = runs[0]
    cut = [f"shard {_number(run)}: {run.cut_short}" for run in runs if run.cut_short]
    modes = {run.mode for run in runs}
    lags_s = [run.lag_p95_s for run in runs if run.lag_p95_s is not None]
    told = {warning for run in runs for warning in run.warnings}
    warnings = {*told, *_told_twice(ordered), *_far_apart(runs)}
    return RunInfo(
        run_id=first.run_id,
        started=min(run.started for run in runs),
        finished=max(run.finished for run in runs),
        version=first.version,
        gate=first.gate,
        gate_options=first.gate_options,
        models=first.models,
        mode=first.mode if len(modes) == 1 else "mixed",
        no_model=any(run.no_model for run in runs),
        cut_short="; ".join(dict.fromkeys(cut)) or None,
        warnings=tuple(sorted(warnings)),
        # The busiest client's: a criterion reads the calls of all of them together.
        lag_p95_s=max(lags_s, default=None),
        calibrations=merged_calibrations(one for run in runs for one in run.calibrations),
    )


def _told_twice(records: Sequence[Record]) -> Iterator[str]:
    """A shard that ran again and ended otherwise: which of its records counts is for people to say."""
    by_number: dict[int, list[Record]] = defaultdict(list)
    for record in records:
        by_number[_number(record.run)].append(record)
    for number, told in by_number.items():
        if len({canonical(_outcome(record)) for record in told}) > 1:
            when = " and ".join(sorted({record.run.started for record in told}))
            yield (
                f"shard {number} is there {len(told)} times and ended differently (started {when}): "
                "leave out the records that do not count"
            )


def _far_apart(runs: Sequence[RunInfo]) -> Iterator[str]:
    """Models change; parts of one run that are a day apart may not have asked the same one."""
    first, last = min(runs, key=lambda run: run.finished), max(runs, key=lambda run: run.started)
    try:
        apart = datetime.fromisoformat(last.started) - datetime.fromisoformat(first.finished)
    except (ValueError, TypeError):  # not our stamps
        return
    if apart >= timedelta(days=1):
        ended = f"shard {_number(first)} ended at {first.finished}"
        began = f"shard {_number(last)} began at {last.started}"
        yield f"the shards ran {apart // timedelta(hours=1)} hours apart: {ended}, {began}"


def _outcome(record: Record) -> list[object]:
    trials = [trial.fingerprint for trial in record.trials]
    return [record.run.cut_short, record.plan.left_out, [key.as_json() for key in record.conflicts], trials]
