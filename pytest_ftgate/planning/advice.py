"""What to expect of a criterion and what to do about it, in one sentence each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from pytest_ftgate.gates import BUILTIN_METRICS
from pytest_ftgate.gates.criteria import Criterion
from pytest_ftgate.gates.metrics import MEAN, is_entry
from pytest_ftgate.gates.selection import Scope
from pytest_ftgate.gates.thresholds import percent_text, points_text
from pytest_ftgate.planning.assumptions import Truth, is_difference
from pytest_ftgate.planning.earlier import Scaled
from pytest_ftgate.planning.powers import Powers
from pytest_ftgate.stats import rate_power

_SELECTORS = ("category", "role", "suite", "tag")
_POINT = "write `evidence: point` for it"
#: A model that is nearly always right, to show what a threshold of 100 % asks of it.
_NEARLY = 0.99


def counted(n: int, scope: Scope) -> str:
    """`12 cases`, in what the metric counts."""
    counts = scope.metric.counts
    return f"{n:,} {counts if n != 1 else counts.removesuffix('s')}"


def more(n: int, scope: Scope, *, how: str = "") -> str:
    """What to add: `add 36 cases of category adversarial`; `how` is `about ` or `at least `."""
    of = kind(scope.criterion)
    either = " (cases, or repeats of them)" if scope.metric.counts == "calls" else ""
    return f"add {how}{counted(n, scope)}{of}{either}"


def to_add(cases: int | None, scope: Scope) -> str:
    """What to do where the chance is too small; None for a truth that no number of cases decides."""
    if cases is None or cases > rate_power.MOST_CASES:
        return "this is too near the threshold: no number of cases decides it; move the threshold"
    alike = ", of each group as many as now in proportion" if len(scope.strata) > 1 else ""
    return more(max(cases - scope.planned, 1), scope, how="about ") + alike


def as_before(earlier: Scaled, chance: float) -> str:
    """How a run ends, if the truth is as an earlier run saw it."""
    word = "GO" if earlier.is_met else "NO-GO"
    return f"if it truly is as in {earlier.name} ({earlier.seen}): {word} in {about(chance)} of runs"


def kind(criterion: Criterion) -> str:
    """Which cases a criterion takes: ` of category adversarial`; "" where it takes all."""
    wanted = [
        f"{name} {' or '.join(getattr(criterion, name))}" for name in _SELECTORS if getattr(criterion, name)
    ]
    names = [name for name in criterion.metric if name.startswith(MEAN) or is_entry(name, BUILTIN_METRICS)]
    entries = " or ".join(f"`{name.removeprefix(MEAN)}`" for name in names)
    return (f" of {' and '.join(wanted)}" if wanted else "") + (f" with {entries}" if entries else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The sentences about one criterion on rates under one kind of evidence."""

    scope: Scope
    truth: Truth
    powers: Powers

    @property
    def criterion(self) -> Criterion:
        """What was configured."""
        return self.scope.criterion

    def chance(self, chance: float) -> str:
        """How a run ends, if the truth is as assumed."""
        word = "GO" if self.powers.is_met else "NO-GO"
        return f"if {self._if}: {word} in {about(chance)} of runs"

    def at_the_end_of_the_scale(self) -> str:
        """How a run ends where all cases must pass, or none may: there, more cases show no more."""
        rate = self.powers.value
        nearly = rate if rate < 1 else _NEARLY
        chance = about(self.powers.go(self.scope.planned, nearly))
        if self.criterion.bound == "at_least":
            model = f"a model that is right in {percent(nearly)} of cases"
            return f"one miss is NO-GO: {model} gets GO in {chance} of runs"
        return f"one such case is NO-GO: at a true rate of {percent(1 - nearly)} GO in {chance} of runs"

    def impossible(self) -> str:
        """Why no number of cases makes this GO."""
        if not is_difference(self.scope):
            return f"no number of cases shows {self.criterion.needed} with {self._confidence} confidence"
        room = self._points(self.powers.best)
        return (
            f"a baseline at {percent(self.truth.baseline)} leaves room for {room} points, "
            f"and {self.criterion.needed} is wanted"
        )

    def instead(self) -> str:
        """What to do then."""
        if is_difference(self.scope):
            return "lower the threshold, or take harder cases"
        return f"lower the threshold, or {_POINT}: one miss is NO-GO then"

    def too_small(self, least: int, *, possible: bool = False) -> str:
        """Why so few cases never make this GO; `least` would, if all went well.

        `possible`: with a baseline that is worse than assumed even so few could.
        """
        n, needed = self.scope.planned, self.criterion.needed
        at = f"{needed} with {self._confidence} confidence"
        if is_difference(self.scope):
            best = math.floor(self.powers.best * n + 1e-9)
            good, bad = ("win", "loss") if self.criterion.bound == "at_least" else ("loss", "win")
            both = f"{best} {plural(good, best)} and no {bad}"
            if_so = f"with a baseline at {percent(self.truth.baseline)}, " if possible else ""
            return (
                f"{if_so}not even {both} in {counted(n, self.scope)} would show {at}; {least:,} cases could"
            )
        wanted, enough = (
            (f"{n:,} of {n:,}", f"{least:,} of {least:,}")
            if self.criterion.bound == "at_least"
            else (f"0 of {n:,}", f"0 of {least:,}")
        )
        return f"even {wanted} would not show {at}; {enough} would"

    def at_least(self, least: int, cases: int) -> str:
        """How many to add for GO to be possible, and how many for it to be likely."""
        likely = f" (about {cases:,} for GO in 4 of 5 runs)" if cases > least else ""
        return more(least, self.scope, how="at least ") + likely

    @property
    def _if(self) -> str:
        truth = self.truth
        if not is_difference(self.scope):
            return f"the true rate is {percent(truth.rate)}"
        discordance = percent(truth.wins + truth.losses)
        models = f"the two models disagree on {discordance} of cases"
        return f"the model is truly {_better(truth.change)} and {models}"

    @property
    def _confidence(self) -> str:
        return percent(self.powers.confidence)

    def _points(self, room: float) -> str:
        return points(room if self.criterion.bound == "at_least" else -room)


def plural(noun: str, n: int) -> str:
    """`win` or `wins`."""
    return noun if n == 1 else f"{noun}es" if noun.endswith("s") else f"{noun}s"


def percent(share: float) -> str:
    """A share 0…1 as people say it: `86%`, `97.5%`, never rounded onto nothing or all."""
    return percent_text(_near(share))


def about(chance: float) -> str:
    """A chance 0…1 in whole percent, never rounded onto never or always."""
    shown = f"{100 * chance:.0f}%"
    return {"0%": "under 1%", "100%": "over 99%"}.get(shown, shown)


def _better(change: float) -> str:
    if not change:
        return "no different"
    return f"{points(abs(change)).removeprefix('+')} points {'better' if change > 0 else 'worse'}"


def points(change: float) -> str:
    """A change in percentage points with its sign: `+10`."""
    return points_text(_near(change))


def _near(value: float) -> Fraction:
    """The decimal that was meant: 0.97 - 0.9 is 0.07."""
    return Fraction(round(value, 9)).limit_denominator(10**9)
