"""Criteria that nothing a model answers can make GO: what the plan itself lacks for them, and what to do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from pytest_ftgate.cases import Arm
from pytest_ftgate.gates.criteria import Evidence
from pytest_ftgate.gates.selection import Scope, nothing_selected
from pytest_ftgate.gates.thresholds import percent_text
from pytest_ftgate.planning import advice
from pytest_ftgate.planning.preview import Preview
from pytest_ftgate.stats.ranks import values_to_bound
from pytest_ftgate.summary.case_results import exact
from pytest_ftgate.summary.latencies import enough_calls

#: What is the matter, and what to do about it ("" where the former says it).
Reason = tuple[str, str]

_OF_REPEATS = re.compile(r"pass_(?:at|all):(\d+)")
_PERCENTILE = re.compile(r"(?:latency|time_to_first_token)_p(\d+)")


def why_never(scope: Scope, preview: Preview) -> Reason | None:
    """Why a criterion can't become GO, whatever the evidence; None if it can."""
    if scope.metric.counts == "votes":
        return None
    return next((reason for find in _REASONS if (reason := find(scope, preview))), None)


def too_few_calls(scope: Scope, evidence: Evidence, confidence: float) -> Reason | None:
    """Why a percentile of so few calls says little: nothing bounds it, so strict evidence never takes it."""
    found = _PERCENTILE.fullmatch(scope.metric.name)
    if found is None:
        return None
    percent = int(found[1])
    single, enough = enough_calls(percent), _calls_to_show(scope, percent, evidence, confidence)
    if scope.planned >= enough:
        return None
    told = f"the p{percent} of {advice.counted(scope.planned, scope)} "
    if scope.planned >= single:
        told += f"has no upper bound at {percent_text(exact(confidence))} confidence: "
    else:
        told += "is just the slowest of them: "
    told += "strict evidence never takes it" if evidence == "strict" else "a single slow call decides"
    return told, advice.more(enough - scope.planned, scope)


def _calls_to_show(scope: Scope, percent: int, evidence: Evidence, confidence: float) -> int:
    """From how many calls on a percentile can be GO by more than its largest call."""
    is_bounded_above = scope.compares or scope.criterion.bound == "at_most"
    if evidence == "point" or not is_bounded_above:
        return enough_calls(percent)
    return max(enough_calls(percent), values_to_bound(percent, confidence))


def _no_case(scope: Scope, preview: Preview) -> Reason | None:
    return None if scope.items else (nothing_selected(scope, preview.plan.cases), "")


def _no_group(scope: Scope, _: Preview) -> Reason | None:
    return (scope.lacking, "") if scope.lacking else None


def _saved(scope: Scope, preview: Preview) -> Reason | None:
    arms = tuple(Arm) if scope.compares else (Arm.MODEL,)
    if scope.metric.counts != "calls" or not any(map(preview.is_recorded, arms)):
        return None
    return "saved answers have no times", f"measure {'both arms' if scope.compares else 'the model'} live"


def _few_repeats(scope: Scope, _: Preview) -> Reason | None:
    """Cases that are not repeated as often as `pass_at:K` draws."""
    found = _OF_REPEATS.fullmatch(scope.metric.name)
    if found is None:
        return None
    read = [case for case in scope.selected if case.key in scope.items]
    few = sum(case.repeat < int(found[1]) for case in read)
    told = f"{few:,} of {advice.counted(len(read), scope)} have fewer than {found[1]} repeats"
    return (told, f"give the cases `repeat: {found[1]}`") if few else None


def _no_price(scope: Scope, preview: Preview) -> Reason | None:
    if scope.metric.name != "cost":
        return None
    arms = tuple(Arm) if scope.compares else (Arm.MODEL,)
    asked = [ask.answerer for ask in preview.asks if ask.arm in arms and ask.answerer.kind == "openai"]
    name = next((one.name for one in asked if one.price is None), None)
    if name is None:
        return None
    told = "give it a `price: {input, output}` in ftgate.yaml, or install pytest-ftgate[cost]"
    return f"what answers of {name} cost is not known", f"{told}, which knows public prices"


def _few_cases(scope: Scope, _: Preview) -> Reason | None:
    least = scope.criterion.min_cases
    if scope.metric.split.contrast:
        smallest = min(Counter(scope.strata_of.values()).values())
        told = f"the smaller group has {advice.counted(smallest, scope)} of the {least} that min_cases wants"
        return (told, f"add {least - smallest} there") if smallest < least else None
    if scope.planned >= least:
        return None
    told = f"{advice.counted(scope.planned, scope)} of the {least} that min_cases wants"
    return told, advice.more(least - scope.planned, scope)


_REASONS: tuple[Callable[[Scope, Preview], Reason | None], ...] = (
    _no_case,
    _no_group,
    _few_repeats,
    _saved,
    _no_price,
    _few_cases,
)
