"""Two runs as one record: the model's answers of the earlier one are the baseline of the later one's model.

Cases are paired by suite and id. What can't be paired is named: nothing is compared across different prompts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pytest_ftgate.cases import Arm
from pytest_ftgate.errors import RecordError
from pytest_ftgate.record.plan import CaseKey, Plan, PlannedCase, PlannedItem, TrialKey
from pytest_ftgate.record.runs import Record, RunInfo

_NAMED = 5
#: Its scores are of two answers of one run, so they say nothing beside another run's answers.
_OF_PAIRS = "prefer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A record and what its reader calls it, which is mostly the name of its file."""

    name: str
    record: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pairing:
    """The cases of both runs, and the keys of those that can't be compared, by the reason."""

    pairs: tuple[tuple[PlannedCase, PlannedCase], ...]
    only_earlier: tuple[CaseKey, ...]
    only_later: tuple[CaseKey, ...]
    asked_otherwise: tuple[CaseKey, ...]
    judged_in_pairs: tuple[CaseKey, ...]


def compared(earlier: Named, later: Named) -> Record:
    """The record of a run whose model is the later run's, and whose baseline is the earlier run's model.

    Its `warnings` name what is not alike in the two runs. What could flatter the later one is in `cut_short`,
    too, so that no gate ships it: cases that only one run has, and others that are not asked or judged as
    they were. Raises RecordError where there is nothing to compare.
    """
    pairing = _paired(earlier.record, later.record)
    if not pairing.pairs:
        reasons = "".join(f"; {told}" for told in _unpaired(pairing, earlier.name, later.name))
        raise RecordError(f"{earlier.name} and {later.name} have no case to compare{reasons}")
    cases = [_joined(*pair) for pair in pairing.pairs]
    planned = {key for case in cases for key in case.trial_keys()}
    renamed = _renamed(pairing.pairs)
    own = [trial for trial in later.record.trials if trial.key.arm is Arm.MODEL]
    before = [replace(one, key=renamed[one.key]) for one in earlier.record.trials if one.key in renamed]
    conflicts = {
        *later.record.conflicts,
        *(renamed[key] for key in earlier.record.conflicts if key in renamed),
    }
    return Record(
        run=_run(earlier, later, pairing),
        plan=Plan(cases=tuple(cases), left_out=later.record.plan.left_out),
        trials=tuple(sorted((one for one in (*own, *before) if one.key in planned), key=lambda one: one.key)),
        conflicts=tuple(sorted(conflicts & planned)),
    )


def _paired(earlier: Record, later: Record) -> _Pairing:
    """The cases that the model answered, by their key."""
    before, after = _answered(earlier), _answered(later)
    both = sorted(before.keys() & after.keys())
    otherwise = [key for key in both if _asked_otherwise(before[key], after[key])]
    in_pairs = [key for key in both if _is_of_pairs(before[key]) or _is_of_pairs(after[key])]
    left = {*otherwise, *in_pairs}
    return _Pairing(
        pairs=tuple((before[key], after[key]) for key in both if key not in left),
        only_earlier=tuple(sorted(before.keys() - after.keys())),
        only_later=tuple(sorted(after.keys() - before.keys())),
        asked_otherwise=tuple(otherwise),
        judged_in_pairs=tuple(key for key in in_pairs if key not in otherwise),
    )


def _answered(record: Record) -> dict[CaseKey, PlannedCase]:
    there = {trial.key[:2] for trial in record.trials if trial.key.arm is Arm.MODEL}
    return {key: case for key, case in _planned(record).items() if key in there}


def _planned(record: Record) -> dict[CaseKey, PlannedCase]:
    return {case.key: case for case in record.cases if case.skip is None and _items(case)}


def _items(case: PlannedCase) -> list[PlannedItem]:
    return [item for item in case.items if Arm.MODEL in item.arms]


def _asked_otherwise(one: PlannedCase, other: PlannedCase) -> bool:
    return bool(one.asked and other.asked) and one.asked != other.asked


def _is_of_pairs(case: PlannedCase) -> bool:
    return any(leaf.scorer == _OF_PAIRS for check in case.expect for leaf in check.leaves())


def _joined(before: PlannedCase, after: PlannedCase) -> PlannedCase:
    """The later case with the items of both; those that both have judge both arms."""
    partners = {new: item for item, new in _matched(before, after) if new is not None}
    repeat = min(before.repeat, after.repeat)
    items = []
    for item in _items(after):
        partner = partners.get(item.nodeid)
        arms = (Arm.MODEL,) if partner is None else (Arm.MODEL, Arm.BASELINE)
        items.append(replace(item, arms=arms, repeats=_common(repeat, item, partner or item)))
    items += [
        replace(item, arms=(Arm.BASELINE,), repeats=_common(repeat, item, item))
        for item, new in _matched(before, after)
        if new is None
    ]
    return replace(after, repeat=repeat, items=tuple(item for item in items if item.repeats))


def _common(repeat: int, *items: PlannedItem) -> tuple[int, ...]:
    """The repeats that all of these items run."""
    every = range(1, repeat + 1)
    return tuple(number for number in every if all(number in (item.repeats or every) for item in items))


def _matched(before: PlannedCase, after: PlannedCase) -> list[tuple[PlannedItem, str | None]]:
    """The items of the earlier case, each with its node id in the later one, None for none.

    Those of equal node ids are the same; of the others those whose name no second one has on either side.
    """
    here, there = _items(before), _items(after)
    same = {item.nodeid for item in here} & {item.nodeid for item in there}
    old, new = (_alone([item for item in items if item.nodeid not in same]) for items in (here, there))
    found = {old[name]: new[name] for name in old.keys() & new.keys()} | {nodeid: nodeid for nodeid in same}
    return [(item, found.get(item.nodeid)) for item in here]


def _alone(items: Sequence[PlannedItem]) -> dict[str, str]:
    """The node ids of the items whose name no second one has, by that name."""
    counts = Counter(map(_name, items))
    return {_name(item): item.nodeid for item in items if counts[_name(item)] == 1}


def _name(item: PlannedItem) -> str:
    """An item without its folder and file, which may have moved between two runs."""
    return item.nodeid.rpartition("::")[2]


def _renamed(pairs: Iterable[tuple[PlannedCase, PlannedCase]]) -> dict[TrialKey, TrialKey]:
    """The keys of the earlier model's trials, and those that they have as the baseline's."""
    found = {}
    for before, after in pairs:
        for item, new in _matched(before, after):
            nodeid = new or item.nodeid
            for repeat in item.repeats or range(1, before.repeat + 1):
                key = TrialKey(*before.key, Arm.MODEL, repeat, item.nodeid)
                found[key] = key._replace(arm=Arm.BASELINE, item=nodeid)
    return found


def _run(earlier: Named, later: Named, pairing: _Pairing) -> RunInfo:
    before, after = earlier.record.run, later.record.run
    models = {name: told for name, told in after.models.items() if name not in list(Arm)}
    # A name may stand for other weights than it did: only the same run is the same model for certain.
    for arm, run in ((Arm.MODEL, after), (Arm.BASELINE, before)):
        if told := run.models.get(Arm.MODEL):
            models[str(arm)] = {**told, "run": f"{run.run_id} of {run.started}"}
    unlike = list(_unlike(earlier, later, pairing))
    lacking = [*unlike, *_not_compared(earlier, later, pairing)]
    named = sorted([*unlike, *_warnings(earlier, later, pairing)])
    return replace(
        after,
        run_id=f"{before.run_id}..{after.run_id}",
        models=models,
        mode=after.mode if before.mode == after.mode else "mixed",
        shard=None,
        share=None,
        cut_short="; ".join(lacking) or None,
        warnings=tuple(named),
    )


def _not_compared(earlier: Named, later: Named, pairing: _Pairing) -> Iterator[str]:
    """Why the comparison is not one of all of both runs."""
    paired = {after.key for _, after in pairing.pairs}
    for named in (later, earlier):
        planned = _planned(named.record)
        if left := sorted(planned.keys() - paired):
            yield f"{len(left)} of {len(planned)} cases of {named.name} are not compared: {_some(left)}"


def _warnings(earlier: Named, later: Named, pairing: _Pairing) -> Iterator[str]:
    yield from _unpaired(pairing, earlier.name, later.name)
    yield from _which_run_is_which(earlier, later)
    if later.record.votes:
        yield "votes of people were given on other pairs of answers, and do not count"


def _unlike(earlier: Named, later: Named, pairing: _Pairing) -> Iterator[str]:
    """What was another question, or another judgement, in one of the runs: it could flatter the later one."""
    yield from _parts(earlier)
    yield from _parts(later)
    yield from _graders(earlier, later)
    for what, is_unlike in _UNLIKE.items():
        if keys := [after.key for before, after in pairing.pairs if is_unlike(before, after)]:
            yield f"{_count(keys)} {what}: {_some(keys)}"


def _lacks_test(before: PlannedCase, after: PlannedCase) -> bool:
    return any(new is None for _, new in _matched(before, after))


def _is_judged_otherwise(before: PlannedCase, after: PlannedCase) -> bool:
    return bool(before.digest and after.digest) and before.digest != after.digest


def _is_sorted_otherwise(before: PlannedCase, after: PlannedCase) -> bool:
    one, other = (
        (case.role, case.category, frozenset(case.tags), case.must_pass) for case in (before, after)
    )
    return one != other


def _is_unknown(before: PlannedCase, after: PlannedCase) -> bool:
    return not all((before.asked, after.asked, before.digest, after.digest))


def _is_cut(before: PlannedCase, after: PlannedCase) -> bool:
    """Whether a run has repeats that the other one has not: what these show is left out."""
    kept = {item.nodeid: len(item.repeats) for item in _joined(before, after).items}
    own = [(item.nodeid, item, after) for item in _items(after)]
    own += [(new or item.nodeid, item, before) for item, new in _matched(before, after)]
    return any(len(item.repeats or range(case.repeat)) != kept.get(nodeid) for nodeid, item, case in own)


#: Of pairs of cases, in the words that follow "1 case is".
_UNLIKE: Mapping[str, Callable[[PlannedCase, PlannedCase], bool]] = {
    "judged for the earlier run by a test that the later one has not": _lacks_test,
    "asked the same, and judged by other expectations": _is_judged_otherwise,
    "of another role or category, has other tags, or must pass in one run only": _is_sorted_otherwise,
    "paired by name alone, since a record does not say what was asked or expected": _is_unknown,
    "answered more often in one run, and only the repeats of both count": _is_cut,
}


def _which_run_is_which(earlier: Named, later: Named) -> Iterator[str]:
    """Where the files may have been named the wrong way round, or one run twice."""
    before, after = earlier.record.run, later.record.run
    if (before.run_id, before.started) == (after.run_id, after.started):
        yield f"{earlier.name} and {later.name} hold the same run, {after.run_id}"
        return
    began = _stamp(before.started), _stamp(after.started)
    if began[0] and began[1] and began[0] > began[1]:
        yield (
            f"{later.name} was begun before {earlier.name} ({after.when}, {before.when}): "
            "are they the wrong way round? The model of the file that is named last is the one that is judged"
        )
    if _who(before)[0] and _who(before) == _who(after):
        told = f"both runs asked for '{_who(after)[0]}'"
        yield f"{told}: if these are the same weights, every difference is noise of this suite"
    if _has_times(earlier.record) and _has_times(later.record):
        yield "times were measured in two runs: a difference may be the day's or the machine's"


def _stamp(started: str) -> datetime | None:
    try:
        return datetime.fromisoformat(started).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _has_times(record: Record) -> bool:
    answers = (trial.completion for trial in record.trials if trial.key.arm is Arm.MODEL)
    return any(one is not None and one.latency_s is not None and one.source == "live" for one in answers)


def _who(run: RunInfo) -> tuple[object, ...]:
    told = run.models.get(Arm.MODEL, {})
    return tuple(told.get(key) for key in ("name", "model", "host", "revision"))


def _unpaired(pairing: _Pairing, earlier: str, later: str) -> Iterator[str]:
    told = (
        (pairing.only_earlier, f"answered only in {earlier}"),
        (pairing.only_later, f"answered only in {later}"),
        (pairing.asked_otherwise, "asked otherwise in the two runs"),
        (pairing.judged_in_pairs, "judged by `prefer`, which compared it with another answer"),
    )
    for keys, what in told:
        if keys:
            yield f"{_count(keys)} {what}, and not compared: {_some(keys)}"


def _parts(named: Named) -> Iterator[str]:
    """Where a run is not whole its numbers are those of a part."""
    run = named.record.run
    if run.shard is not None:
        yield "{} is shard {} of {} alone".format(named.name, *run.shard)
    if named.record.plan.left_out:
        yield f"{named.name} was narrowed to a part of its cases"
    if run.cut_short:
        yield f"{named.name} was cut short: {run.cut_short}"


def _graders(earlier: Named, later: Named) -> Iterator[str]:
    """Other graders may see the same answer otherwise."""
    before, after = earlier.record.run.models, later.record.run.models
    for role in sorted((before.keys() & after.keys()) - set(Arm)):
        one, other = (
            f"{told.get('name')} {told.get('revision') or ''}".strip() for told in (before[role], after[role])
        )
        if one != other:
            yield f"not graded alike: the {role} was {one} in {earlier.name}, and {other} in {later.name}"


def _count(keys: Sequence[CaseKey]) -> str:
    return "1 case is" if len(keys) == 1 else f"{len(keys)} cases are"


def _some(keys: Sequence[CaseKey]) -> str:
    left = len(keys) - _NAMED
    return ", ".join("::".join(key) for key in keys[:_NAMED]) + (f" and {left} more" if left > 0 else "")
