"""Whether a suite can decide a criterion: one word under each kind of evidence, and the numbers behind it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pytest_ftgate.gates.criteria import Criterion, Evidence
from pytest_ftgate.gates.selection import Scope, decides_by_plan, scopes
from pytest_ftgate.planning import advice
from pytest_ftgate.planning.assumptions import Assumptions, Truth, is_difference, truth_for
from pytest_ftgate.planning.hopeless import too_few_calls, why_never
from pytest_ftgate.planning.observed import Observed
from pytest_ftgate.planning.powers import powers_of
from pytest_ftgate.planning.preview import Preview
from pytest_ftgate.stats.rate_power import POWER

#: Values in 0…1, one a case, that vary at most as passes do.
_LIKE_RATES = re.compile(r"win_rate|mean:.+")
EVIDENCES: tuple[Evidence, ...] = ("point", "strict")


class Prospect(StrEnum):
    """Whether a run of this suite decides a criterion rightly, in at least four of five runs.

    NEVER can't become GO, whatever the models answer; NO CASES neither, but does not decide anyway.
    """

    DECIDABLE = "DECIDABLE"
    TOO_FEW = "TOO FEW"
    NEVER = "NEVER"
    UNKNOWN = "UNKNOWN"
    NO_CASES = "NO CASES"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What to expect of a criterion under one kind of evidence.

    `chance` (0…1) is that of ending as the assumed truth has it. `detectable` is the lowest (under `at_most`
    the highest) true value that is shown in four of five runs, 0…1 or a difference of such. `needed` cases
    decide with 80 % power. `if_unchanged` is the chance of GO for a model that is just as good as the
    baseline. None where that is not known, or there is no such number. `sentence` says what to make of it,
    `remedy` what to do, "" for nothing.
    """

    prospect: Prospect
    sentence: str
    remedy: str = ""
    chance: float | None = None
    detectable: float | None = None
    needed: int | None = None
    if_unchanged: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionPlan:
    """One criterion before anything is asked. `n` counts what its metric counts: cases, calls or votes."""

    criterion: Criterion
    n: int
    counts: str
    decides: bool
    truth: Truth | None
    outlooks: Mapping[Evidence, Outlook]

    @property
    def outlook(self) -> Outlook:
        """Under the evidence that the gate asks for."""
        return self.outlooks[self.criterion.evidence]


def criteria_plans(
    preview: Preview, assumptions: Assumptions, observed: Observed | None
) -> tuple[CriterionPlan, ...]:
    """What to expect of every criterion, `per:` ones split, ftgate's own last."""
    cases = preview.plan.cases
    return tuple(
        _Expectation(preview, scope, assumptions, observed).plan()
        for scope in scopes(preview.gate, cases, preview.metrics)
    )


class _Expectation:
    """Looks at one criterion; lives for one call of `plan`."""

    def __init__(
        self, preview: Preview, scope: Scope, assumptions: Assumptions, observed: Observed | None
    ) -> None:
        self._preview = preview
        self._scope = scope
        self._criterion = scope.criterion
        self._confidence = float(preview.gate.confidence)
        self._truth = truth_for(scope, assumptions, observed) if _is_rate(scope) else None

    def plan(self) -> CriterionPlan:
        scope = self._scope
        return CriterionPlan(
            criterion=self._criterion,
            n=scope.planned,
            counts=scope.metric.counts,
            decides=decides_by_plan(scope, self._preview.gate),
            truth=self._truth,
            outlooks={evidence: self._outlook(evidence) for evidence in EVIDENCES},
        )

    def _outlook(self, evidence: Evidence) -> Outlook:
        if never := why_never(self._scope, self._preview):
            is_absent = not self._scope.items and not decides_by_plan(self._scope, self._preview.gate)
            word = Prospect.NO_CASES if is_absent else Prospect.NEVER
            return Outlook(prospect=word, sentence=never[0], remedy=never[1])
        if self._truth is None:
            return self._unknown(evidence)
        return self._by_power(self._truth, evidence)

    def _unknown(self, evidence: Evidence) -> Outlook:
        scope = self._scope
        if scope.metric.counts == "votes":
            wanted = self._criterion.min_cases
            return Outlook(
                prospect=Prospect.UNKNOWN, sentence=f"decided by {wanted} votes or more, given after a run"
            )
        if evidence == "strict" and (few := too_few_calls(scope)):
            return Outlook(prospect=Prospect.NEVER, sentence=few[0], remedy=few[1])
        if len(scope.strata) > 1:
            smallest = min(Counter(scope.strata_of.values()).values())
            told = f"made of {len(scope.strata)} groups of cases, the smallest of {smallest:,}"
            return Outlook(prospect=Prospect.UNKNOWN, sentence=f"{told}: it is no surer than that one")
        noun = "the estimate decides; how far" if evidence == "point" else "how far"
        return Outlook(
            prospect=Prospect.UNKNOWN, sentence=f"{noun} noise moves it, only a run of these models can tell"
        )

    def _by_power(self, truth: Truth, evidence: Evidence) -> Outlook:
        scope, n = self._scope, self._scope.planned
        powers = powers_of(self._criterion, truth, evidence, self._confidence, compares=is_difference(scope))
        least = powers.least_cases()
        told = advice.Told(scope=scope, truth=truth, powers=powers)
        if least is None:
            return Outlook(prospect=Prospect.NEVER, sentence=told.impossible(), remedy=told.instead())
        needed = powers.needed()
        # To see that a bad model is bad takes fewer cases than it takes to see that a good one is good.
        fewest = max(least if powers.is_met else 1, self._criterion.min_cases)
        cases = max(needed.cases, fewest) if needed else None
        if least > n:
            more = max(cases or 0, least) - n
            return Outlook(
                prospect=Prospect.NEVER,
                sentence=told.too_small(least),
                remedy=advice.more(least - n, scope) + told.at_power(more, least - n),
                needed=cases,
            )
        chance = powers.right(n)
        enough = chance >= POWER
        return Outlook(
            prospect=Prospect.DECIDABLE if enough else Prospect.TOO_FEW,
            sentence=told.chance(chance),
            remedy="" if enough else told.remedy(cases),
            chance=chance,
            detectable=self._as_written(powers.detectable(n)),
            needed=cases,
            if_unchanged=powers.go(n, 0.0) if is_difference(scope) else None,
        )

    def _as_written(self, value: float | None) -> float | None:
        """Back from `at_least` to the criterion's own bound."""
        if value is None or self._criterion.bound == "at_least":
            return value
        return -value if is_difference(self._scope) else 1 - value


def _is_rate(scope: Scope) -> bool:
    metric = scope.metric
    return (
        len(scope.strata) <= 1
        and metric.unit == "rate"
        and (metric.passed is not None or _LIKE_RATES.fullmatch(metric.name) is not None)
    )
