"""Whether a suite can decide a criterion, looked at criterion by criterion."""

from __future__ import annotations

from collections import Counter

from pytest_ftgate.gates.criteria import Evidence
from pytest_ftgate.gates.estimates import graded, wins
from pytest_ftgate.gates.evidence import is_extreme
from pytest_ftgate.gates.selection import Scope, decides_by_plan, scopes
from pytest_ftgate.planning import advice
from pytest_ftgate.planning.assumptions import Assumptions, Truth, is_difference, truth_for
from pytest_ftgate.planning.earlier import Scaled, scaled
from pytest_ftgate.planning.hopeless import too_few_calls, why_never
from pytest_ftgate.planning.observed import Observed
from pytest_ftgate.planning.outlook import CriterionPlan, Outlook, Prospect
from pytest_ftgate.planning.powers import DifferencePowers, Powers, powers_of
from pytest_ftgate.planning.preview import Preview
from pytest_ftgate.stats.rate_power import POWER

EVIDENCES: tuple[Evidence, ...] = ("point", "strict")
_FROM = "give --from RECORD of an earlier run"


def criteria_plans(
    preview: Preview, assumptions: Assumptions, observed: Observed | None
) -> tuple[CriterionPlan, ...]:
    """What to expect of every criterion, `per:` ones split, ftgate's own last."""
    scoped = scopes(preview.gate, preview.plan.cases, preview.metrics)
    parts = Counter(scope.family for scope in scoped if scope.items)
    return tuple(
        _Expectation(
            preview, scope, assumptions, observed, tests=parts[scope.family] if scope.family else 1
        ).plan()
        for scope in scoped
    )


class _Expectation:
    """Looks at one criterion, one of `tests` parts that `per:` made; lives for one call of `plan`."""

    def __init__(
        self,
        preview: Preview,
        scope: Scope,
        assumptions: Assumptions,
        observed: Observed | None,
        *,
        tests: int,
    ) -> None:
        self._preview = preview
        self._scope = scope
        self._criterion = scope.criterion
        self._confidence = float(preview.gate.confidence)
        self._tests = max(tests, 1)
        self._earlier: Scaled | str = ""
        # What the user says of rates beats what was observed.
        if observed and not _is_passes(scope) and not (assumptions.is_given and _is_like_passes(scope)):
            self._earlier = scaled(scope, observed, self._confidence)
        has_formula = _is_passes(scope) or (_is_like_passes(scope) and isinstance(self._earlier, str))
        self._truth = truth_for(scope, assumptions, observed) if has_formula else None

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
        if is_extreme(self._criterion, self._scope.metric):
            evidence = "point"  # as the gate does: no bound reaches the end of the scale
        if never := why_never(self._scope, self._preview):
            is_absent = not self._scope.items and not decides_by_plan(self._scope, self._preview.gate)
            word = Prospect.NO_CASES if is_absent else Prospect.NEVER
            return Outlook(prospect=word, sentence=never[0], remedy=never[1])
        if self._scope.metric.counts == "votes":
            cases = "1 case" if self._criterion.min_cases == 1 else f"{self._criterion.min_cases} cases"
            told = f"decided by votes on {cases} or more, given after a run"
            return Outlook(prospect=Prospect.UNKNOWN, sentence=told)
        if few := too_few_calls(self._scope, evidence, self._confidence):
            word = Prospect.NEVER if evidence == "strict" else Prospect.UNKNOWN
            return Outlook(prospect=word, sentence=few[0], remedy=few[1])
        if isinstance(self._earlier, Scaled):
            return self._by_earlier_run(self._earlier, evidence)
        return self._by_power(self._truth, evidence) if self._truth else self._unknown()

    def _unknown(self) -> Outlook:
        """Of a number that follows no formula, and of which no earlier run tells."""
        scope = self._scope
        if isinstance(self._earlier, str) and self._earlier:
            return Outlook(prospect=Prospect.UNKNOWN, sentence=self._earlier)
        told = "how much this number varies by chance, only a run can tell"
        if len(scope.strata) > 1:
            smallest = min(Counter(scope.strata_of.values()).values())
            told = (
                f"made of {len(scope.strata)} groups of cases, the smallest of {smallest:,}, "
                "and no surer than that one"
            )
        return Outlook(prospect=Prospect.UNKNOWN, sentence=told, remedy=_FROM)

    def _by_earlier_run(self, earlier: Scaled, evidence: Evidence) -> Outlook:
        scope, n = self._scope, self._scope.planned
        chance, needed = earlier.right(n, evidence), earlier.needed(evidence)
        detectable = earlier.detectable(n, evidence)
        cases = None if needed is None else max(needed, self._criterion.min_cases)
        enough = chance >= POWER
        remedy = "" if enough else advice.to_add(cases, scope)
        return Outlook(
            prospect=Prospect.DECIDABLE if enough else Prospect.TOO_FEW,
            sentence=advice.as_before(earlier, chance),
            remedy=remedy,
            chance=chance,
            detectable=detectable,
            needed=cases,
            sees="" if detectable is None else earlier.text(detectable),
        )

    def _by_power(self, truth: Truth, evidence: Evidence) -> Outlook:
        scope, n = self._scope, self._scope.planned
        powers = powers_of(
            self._criterion,
            truth,
            evidence,
            self._confidence,
            compares=is_difference(scope),
            tests=self._tests,
        )
        least = powers.least_cases()
        told = advice.Told(scope=scope, truth=truth, powers=powers)
        if is_extreme(self._criterion, scope.metric) and not is_difference(scope):
            return Outlook(prospect=Prospect.DECIDABLE, sentence=told.at_the_end_of_the_scale())
        if least is None:
            return Outlook(prospect=Prospect.NEVER, sentence=told.impossible(), remedy=told.instead())
        cases = self._needed(powers, least)
        if least > n:
            return self._too_small(told, least, cases)
        chance = powers.right(n)
        enough = chance >= POWER
        return Outlook(
            prospect=Prospect.DECIDABLE if enough else Prospect.TOO_FEW,
            sentence=told.chance(chance),
            remedy="" if enough else advice.to_add(cases, scope) + self._perhaps_fewer(),
            chance=chance,
            detectable=self._as_written(powers.detectable(n)),
            needed=cases,
            if_unchanged=powers.go(n, 0.0) if is_difference(scope) else None,
        )

    def _needed(self, powers: Powers, least: int) -> int | None:
        needed = powers.needed()
        # To see that a bad model is bad takes fewer cases than it takes to see that a good one is good.
        fewest = max(least if powers.is_met else 1, self._criterion.min_cases)
        return max(needed.cases, fewest) if needed else None

    def _too_small(self, told: advice.Told, least: int, cases: int | None) -> Outlook:
        n = self._scope.planned
        # A mean is never surer than as many passes; of changes that differ little that is not known.
        if _is_graded(self._scope) and is_difference(self._scope):
            said = f"were its values all or nothing: {told.too_small(least)}"
            return Outlook(prospect=Prospect.UNKNOWN, sentence=said, remedy=f"{_FROM} to see how they vary")
        more = max(cases or 0, least) - n
        # What the assumed baseline rules out is not ruled out: a worse one leaves more to win.
        possible = isinstance(told.powers, DifferencePowers) and told.powers.ever(n)
        return Outlook(
            prospect=Prospect.TOO_FEW if possible else Prospect.NEVER,
            sentence=told.too_small(least, possible=possible),
            remedy=told.at_least(least - n, more),
            needed=cases,
        )

    def _perhaps_fewer(self) -> str:
        return (
            f"; fewer may do, since its values vary less than passes: {_FROM}"
            if _is_graded(self._scope)
            else ""
        )

    def _as_written(self, value: float | None) -> float | None:
        """Back from `at_least` to the criterion's own bound."""
        if value is None or self._criterion.bound == "at_least":
            return value
        return -value if is_difference(self._scope) else 1 - value


def _is_passes(scope: Scope) -> bool:
    """Whether it is a rate of passes of all cases alike, for which there is a formula."""
    return len(scope.strata) <= 1 and scope.metric.unit == "rate" and scope.metric.passed is not None


def _is_like_passes(scope: Scope) -> bool:
    """Values in 0…1, one a case, that vary at most as passes do."""
    return scope.metric.unit == "rate" and scope.metric.estimate in (graded, wins)


def _is_graded(scope: Scope) -> bool:
    return scope.metric.estimate is graded
