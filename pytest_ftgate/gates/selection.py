"""Which cases and items each criterion of a gate reads, found from the plan alone, before anything ran."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction

from pytest_ftgate.cases import Arm
from pytest_ftgate.gates.builtin_metrics import BUILTIN_METRICS
from pytest_ftgate.gates.config import ALWAYS_DECIDING
from pytest_ftgate.gates.criteria import Criterion, Gate, Per
from pytest_ftgate.gates.entries import entry_names, is_covered
from pytest_ftgate.gates.metrics import MEAN, Metric, is_entry, metric_of
from pytest_ftgate.gates.splitting import SELECTORS, absent, selects, split, values_of
from pytest_ftgate.gates.strata import Stratum, Traffic
from pytest_ftgate.record.plan import CaseKey, PlannedCase, PlannedItem

#: Node ids.
Items = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One criterion, split by `per:`, with the items that it reads of each case.

    `selected` are the cases that its selectors take; `planned` counts those with a value, or calls. `strata`
    are the groups of cases that its number is made of, `strata_of` gives that of each case. `family` is the
    name of the criterion that `per:` split, empty for a whole one.
    """

    criterion: Criterion
    metric: Metric
    selected: Sequence[PlannedCase]
    items: Mapping[CaseKey, Items]
    planned: int
    strata: Mapping[str, Stratum]
    strata_of: Mapping[CaseKey, str]
    family: str = ""

    @property
    def lacking(self) -> str | None:
        """Why its number can't be made: a group without any case; None if each has one."""
        if len(self.strata) == 1:
            return None if self.items else next(iter(self.strata.values())).lacking
        there = set(self.strata_of.values())
        return next((stratum.lacking for key, stratum in self.strata.items() if key not in there), None)

    @property
    def compares(self) -> bool:
        """Whether it reads the baseline too."""
        return self.criterion.compare != "value" or self.metric.paired


def scopes(gate: Gate, cases: Sequence[PlannedCase], metrics: Mapping[str, Metric]) -> list[Scope]:
    """What every criterion reads, in the gate's order, then `other_cases`, `must_pass` and `every_case`."""
    there = [case for case in cases if case.skip is None]
    written = [
        _scope(one, metric_of(one.metric, metrics), selected, gate.traffic, criterion)
        for criterion in gate.criteria
        for one, selected in [*split(criterion, there), *absent(criterion, there, gate)]
    ]
    judging = [scope for scope in written if _judges(scope, metrics)]
    own = [_own("other_cases", there, _unread(judging, metrics, there))]
    must_pass = [case for case in there if case.must_pass]
    own.append(_own("must_pass", must_pass, _judged_items(must_pass)))
    if gate.strict:
        own.append(_own("every_case", there, _judged_items(there)))
    return [*written, *(scope for scope in own if scope.items)]


def decides_by_plan(scope: Scope, gate: Gate) -> bool:
    """Whether a criterion decides; an optional one only if anything was measured, too.

    Those of ftgate's own always do: they are there only where they have a case.
    """
    criterion = scope.criterion
    if criterion.advisory:
        return False
    if criterion.optional:
        return scope.planned >= criterion.min_cases
    if gate.is_default and criterion.name not in ALWAYS_DECIDING:
        return bool(scope.items)
    return True


def nothing_selected(scope: Scope, cases: Sequence[PlannedCase]) -> str:
    """Why a criterion finds no case in the plan, with the nearest name that would be found."""
    there = [case for case in cases if case.skip is None]
    criterion = scope.criterion
    if not there:
        return "no case is planned"
    for selector in SELECTORS:
        known = sorted({value for case in there for value in values_of(case, selector)})
        wanted = getattr(criterion, selector)
        if wanted and not set(wanted) & set(known):
            return _unknown(selector, wanted, known, cases)
    chosen = scope.selected
    if not chosen:
        return _none_at_once(criterion, there)
    if scope.lacking or not any(map(scope.metric.applies, chosen)):
        return scope.lacking or _no_entry(criterion, chosen, there)
    if scope.compares and not any(Arm.BASELINE in item.arms for case in there for item in case.items):
        is_python = all(item.repeats for case in chosen for item in case.items)
        asked = "no test asks a baseline: add the fixture `baseline` to the tests, and"
        return f"{asked if is_python else 'there is no baseline to compare with: add'} --baseline=NAME"
    what = "judged on both arms" if scope.compares else "judged"
    return f"no case that it selects is {what}"


def _none_at_once(criterion: Criterion, there: Sequence[PlannedCase]) -> str:
    if any(selects(criterion, case) for case in there):
        return "no case that it selects has a tag, and `per: tag` makes one criterion for each"
    wanted = [f"{one} {_listed(getattr(criterion, one))}" for one in SELECTORS if getattr(criterion, one)]
    return f"no case has {' and '.join(wanted)} at once"


def _scope(
    criterion: Criterion,
    metric: Metric,
    selected: Sequence[PlannedCase],
    traffic: Traffic,
    written: Criterion,
) -> Scope:
    compares = criterion.compare != "value" or metric.paired
    strata = metric.split.strata(criterion, traffic)
    items: dict[CaseKey, Items] = {}
    strata_of: dict[CaseKey, str] = {}
    calls = 0
    for case in selected:
        stratum = metric.split.stratum_of(case, criterion, traffic)
        if stratum is None or not metric.applies(case):
            continue
        candidates = case.items if metric.of_any_answer else case.judging_items
        read = [item for item in candidates if (item.pairs if compares else Arm.MODEL in item.arms)]
        if read:
            items[case.key] = _node_ids(case, read)
            calls += _repeats(case, read) * max(case.turns, 1)
            if len(strata) > 1:
                strata_of[case.key] = stratum
    planned = {"cases": len(items), "calls": calls, "votes": 0}[metric.counts]
    return Scope(
        criterion=criterion,
        metric=metric,
        selected=selected,
        items=items,
        planned=planned,
        strata=strata,
        strata_of=strata_of if len(strata) > 1 else _Alike(items, next(iter(strata))),
        family=written.name if written.per else "",
    )


class _Alike(Mapping[CaseKey, str]):
    """The group of each case where there is but one: a criterion over many cases need not say it of each."""

    def __init__(self, items: Mapping[CaseKey, Items], stratum: str) -> None:
        self._items = items
        self._stratum = stratum

    def __getitem__(self, key: CaseKey) -> str:
        if key in self._items:
            return self._stratum
        raise KeyError(key)

    def __iter__(self) -> Iterator[CaseKey]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)


def _node_ids(case: PlannedCase, read: Sequence[PlannedItem]) -> Items:
    """The ids of the items that are read; of all of a case's, the one object that it has for them."""
    return case.node_ids if len(read) == len(case.items) else tuple(item.nodeid for item in read)


def _repeats(case: PlannedCase, items: Sequence[PlannedItem]) -> int:
    return max(case.repeat, *(len(item.repeats) for item in items))


def _own(name: str, cases: Sequence[PlannedCase], items: Mapping[CaseKey, Items]) -> Scope:
    criterion = Criterion(
        name=name, metric=("pass_rate",), threshold=Fraction(1), written="100%", min_cases=1
    )
    read = {case.key: items[case.key] for case in cases if case.key in items}
    metric = BUILTIN_METRICS["pass_rate"]
    strata = metric.split.strata(criterion, {})
    return Scope(
        criterion=criterion,
        metric=metric,
        selected=cases,
        items=read,
        planned=len(read),
        strata=strata,
        strata_of=_Alike(read, next(iter(strata))),
    )


def _judged_items(cases: Sequence[PlannedCase]) -> dict[CaseKey, Items]:
    """The items of each case in which its model is judged."""
    found = {
        case.key: _node_ids(case, [item for item in case.judging_items if Arm.MODEL in item.arms])
        for case in cases
    }
    return {key: items for key, items in found.items() if items}


def _judges(scope: Scope, metrics: Mapping[str, Metric]) -> bool:
    """Whether a failed case shows in this criterion and stops it; under `at_most` a failure helps."""
    criterion = scope.criterion
    if criterion.optional or criterion.advisory or criterion.bound == "at_most":
        return False
    return scope.metric.judges or _names_entries(criterion, metrics)


def _names_entries(criterion: Criterion, metrics: Mapping[str, Metric]) -> bool:
    return all(is_entry(name, metrics) for name in criterion.metric)


def _unread(
    judging: Sequence[Scope], metrics: Mapping[str, Metric], cases: Sequence[PlannedCase]
) -> dict[CaseKey, Items]:
    """Items whose failure no deciding criterion would see.

    A comparison reads only the items that judge both arms. One without any such item reads nothing, but it
    blocks the verdict as NOT MEASURED; its cases are left to it, so that the verdict names what is missing.
    """
    read: dict[CaseKey, Items] = {}
    named: dict[CaseKey, Items] = {}
    for scope in judging:
        entries = _names_entries(scope.criterion, metrics)
        for case in scope.selected:
            items = scope.items.get(case.key, ())
            if scope.compares and not scope.items:
                items = case.node_ids
            if entries and items:
                named[case.key] = _joined(named.get(case.key), scope.criterion.metric)
            elif not entries:
                read[case.key] = _joined(read.get(case.key), items)
    unread: dict[CaseKey, Items] = {}
    by_key = {case.key: case for case in cases}
    for key, items in _judged_items(cases).items():
        names = set(named.get(key, ()))
        expect = by_key[key].expect
        covered = bool(expect) and all(is_covered(check, names) for check in expect)
        seen = read.get(key, ())
        rest = () if covered or items is seen else tuple(item for item in items if item not in seen)
        if rest:
            unread[key] = rest
    return unread


def _joined(names: Items | None, more: Items) -> Items:
    """Both; the second itself where there is nothing else."""
    if not names or names is more:
        return more
    return (*names, *(name for name in more if name not in names))


def _unknown(selector: Per, wanted: Sequence[str], known: Sequence[str], cases: Sequence[PlannedCase]) -> str:
    if any(value in wanted for case in cases for value in values_of(case, selector)):
        return f"every case with {selector} {_listed(wanted)} is skipped"
    if selector == "role":
        return f"no suite has `role: {wanted[0]}`"
    near = [match for value in wanted for match in get_close_matches(value, known, 1)]
    return f"no case has the {selector} {_listed(wanted)}" + (f". Did you mean '{near[0]}'?" if near else "")


def _no_entry(criterion: Criterion, chosen: Sequence[PlannedCase], cases: Sequence[PlannedCase]) -> str:
    names = [name.removeprefix(MEAN) for name in criterion.metric]
    known = sorted({name for case in cases for check in case.expect for name in entry_names(check)})
    whose = "no case" if len(chosen) == len(cases) else "no case that it selects"
    near = [match for name in names for match in get_close_matches(name, known, 1) if match not in names]
    return f"{whose} has an entry {_listed(names)}" + (f". Did you mean '{near[0]}'?" if near else "")


def _listed(names: Sequence[str]) -> str:
    return " or ".join(f"'{name}'" for name in names)
