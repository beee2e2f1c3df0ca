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
from pytest_ftgate.planning.powers import Powers

_SELECTORS = ("category", "role", "suite", "tag")
_POINT = "write `evidence: point` for it"
#: A model that is nearly always right, to show what a threshold of 100 % asks of it.
_NEARLY = 0.99


def counted(n: int, scope: Scope) -> str:
    """`12 cases`, in what the metric counts."""
    counts = scope.metric.counts
    return f"{n:,} {counts if n != 1 else counts.removesuffix('s')}"


def more(n: int, scope: Scope, *, roughly: bool = False) -> str:
    """What to add: `add about 36 cases of category adversarial`."""
    of = kind(scope.criterion)
    how = " (cases, or repeats of them)" if scope.metric.counts == "calls" else ""
    return f"add {'about ' if roughly else ''}{counted(n, scope)}{of}{how}"


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
        if self._wants_all and self.truth.rate >= 1:
            nearly = about(self.powers.go(self.scope.planned, _NEARLY))
            return f"one miss is NO-GO: a model that is right in 99% of cases gets GO in {nearly} of runs"
        word = "GO" if self.powers.is_met else "NO-GO"
        return f"if {self._if}: {word} in {about(chance)} of runs"

    def remedy(self, cases: int | None) -> str:
        """What to do where the chance is too small."""
        if cases is None:
            return "this truth is too near the threshold: no number of cases decides it; move the threshold"
        return more(max(cases - self.scope.planned, 1), self.scope, roughly=True)

    def impossible(self) -> str:
        """Why no number of cases makes this GO."""
        if not is_difference(self.scope):
            return f"no number of cases shows {self.criterion.needed} at {self._confidence} confidence"
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

    def too_small(self, least: int) -> str:
        """Why so few cases never make this GO; `least` would, if all went well."""
        n, needed = self.scope.planned, self.criterion.needed
        at = f"{needed} at {self._confidence} confidence"
        if is_difference(self.scope):
            best = math.floor(self.powers.best * n + 1e-9)
            good, bad = ("win", "loss") if self.criterion.bound == "at_least" else ("loss", "win")
            both = f"{best} {plural(good, best)} and no {bad}"
            return f"not even {both} in {counted(n, self.scope)} show {at}; {least:,} cases could"
        perfect = f"{n} of {n}" if self.criterion.bound == "at_least" else f"0 of {n}"
        return f"{perfect} never show{'s' if n == 1 else ''} {at}; {least:,} of such could"

    def at_power(self, cases: int, least: int) -> str:
        """How many cases more than the least would do in four of five runs, in brackets."""
        return f" at least; about {cases:,} for 80% power" if cases > least else " at least"

    @property
    def _wants_all(self) -> bool:
        criterion = self.criterion
        return not is_difference(self.scope) and criterion.bound == "at_least" and criterion.threshold == 1

    @property
    def _if(self) -> str:
        truth = self.truth
        if not is_difference(self.scope):
            return f"the true rate is {percent(truth.rate)}"
        discordance = percent(truth.wins + truth.losses)
        return f"the model is truly {_better(truth.change)} and the arms differ on {discordance} of cases"

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
