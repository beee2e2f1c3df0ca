"""What planning has to assume of the models, from where it comes, and how it follows for one criterion.

Rates are 0…1, changes are model minus baseline.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches

from pytest_ftgate.errors import ConfigError
from pytest_ftgate.gates.metrics import PASS_ALL, PASS_AT
from pytest_ftgate.gates.selection import Scope
from pytest_ftgate.planning.observed import Observed, Shares, mean_share

BASELINE = 0.70
DISCORDANCE = 0.20
#: How far from the threshold the truth of a comparison is assumed: where a drop is allowed there is none.
MARGIN = 0.05
NAMES = ("baseline", "discordance", "rate", "change")

_SHARE = re.compile(r"([+-]?)(\d{1,3}(?:\.\d{1,9})?)\s?(%?)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What the user says of the models; None is left to an earlier run, and without one to a default.

    `rate` is the model's true pass rate, `baseline` the baseline's, `change` their difference, and
    `discordance` the share of cases on which the two arms disagree.
    """

    rate: float | None = None
    baseline: float | None = None
    change: float | None = None
    discordance: float | None = None

    @property
    def is_given(self) -> bool:
        """Whether anything is said at all."""
        return self != Assumptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is taken for true of the cases of one criterion.

    `rate` is the model's. `wins` and `losses` are shares of cases that only the model, or only the baseline,
    passes. `source` says where it comes from: assumed, given, or observed on so many cases.
    """

    rate: float
    baseline: float
    change: float
    discordance: float
    source: str

    @property
    def wins(self) -> float:
        """The share of cases that only the model passes."""
        return self.split(self.change)[0]

    @property
    def losses(self) -> float:
        """The share of cases that only the baseline passes."""
        return self.split(self.change)[1]

    def split(self, change: float) -> tuple[float, float]:
        """Wins and losses of a change: as discordant as assumed, or as the change itself demands.

        Nobody wins more cases than the baseline fails, or loses more than it passes.
        """
        discordance = max(self.discordance, abs(change))
        most = min(2 * (1 - self.baseline) - change, 2 * self.baseline + change)
        discordance = max(min(discordance, most), abs(change))
        return (discordance + change) / 2, (discordance - change) / 2

    @property
    def mirrored(self) -> Truth:
        """The same with passes and failures exchanged: `at_most` of one is `at_least` of the other."""
        return replace(self, rate=1 - self.rate, baseline=1 - self.baseline, change=-self.change)


def parse_assumptions(texts: Iterable[str]) -> Assumptions:
    """From `baseline=70%` and the like, several in one text too; raises ConfigError."""
    given: dict[str, float] = {}
    for text in texts:
        for part in re.split(r"[\s,]+", text.strip()):
            name, equals, value = part.partition("=")
            if name not in NAMES or not equals:
                near = get_close_matches(name, NAMES, 1)
                hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(NAMES)}"
                raise ConfigError(f"--assume {part}: write e.g. baseline=70%; {hint}")
            given[name] = _share(name, value)
    made = Assumptions(**given)
    _check(made)
    return made


def _share(name: str, written: str) -> float:
    found = _SHARE.fullmatch(written)
    example = "+5%" if name == "change" else "70%"
    if found is None or (found[1] and name != "change"):
        raise ConfigError(f"--assume {name}={written}: this is not a share; write e.g. {name}={example}")
    value = float(found[1] + found[2]) / (100 if found[3] else 1)
    if abs(value) > 1:
        meant = f"{name}={written}%" if not found[3] and abs(value) <= 100 else f"{name}={example}"
        raise ConfigError(f"--assume {name}={written} is more than 100%; write e.g. {meant}")
    return value


def _check(made: Assumptions) -> None:
    """What can't be true at once."""
    if None not in (made.rate, made.baseline, made.change):
        raise ConfigError("--assume: rate, baseline and change say one thing twice; leave one of them out")
    if made.baseline is not None and made.change is not None and not 0 <= made.baseline + made.change <= 1:
        raise ConfigError(
            f"--assume baseline={made.baseline:.4g} and change={made.change:+.4g}: "
            "together that is no rate from 0 to 1"
        )


def truth_for(scope: Scope, assumptions: Assumptions, observed: Observed | None) -> Truth:
    """What is taken for true of one criterion: as given, else as observed, else by default."""
    # What is drawn from repeats is no pass rate, so an earlier pass rate says nothing of it.
    passed = None if scope.metric.name.startswith((PASS_AT, PASS_ALL)) else scope.metric.passed
    seen = observed.shares(scope.items, passed) if observed and passed else None
    baseline = _baseline(assumptions, seen)
    change = _change(scope, assumptions, seen, baseline)
    return Truth(
        rate=_rate(scope, assumptions, seen),
        baseline=baseline,
        change=change,
        discordance=_discordance(assumptions, seen),
        source=_source(scope, assumptions, seen),
    )


def is_difference(scope: Scope) -> bool:
    """Whether a criterion compares both arms' rates, and does not look at one rate."""
    return scope.criterion.compare == "delta"


def default_rate(scope: Scope) -> float:
    """Halfway from the threshold to perfection."""
    threshold = float(scope.criterion.threshold)
    return (1 + threshold) / 2 if scope.criterion.bound == "at_least" else threshold / 2


def default_change(scope: Scope, baseline: float) -> float:
    """None where a drop is allowed, else five points better than the threshold, if there is room for it."""
    threshold, room = float(scope.criterion.threshold), 1 - baseline
    if scope.criterion.bound == "at_most":
        threshold, room = -threshold, baseline
    change = 0.0 if threshold < 0 else min(threshold + MARGIN, room)
    return change if scope.criterion.bound == "at_least" else -change


def _rate(scope: Scope, given: Assumptions, seen: Shares | None) -> float:
    if given.rate is not None:
        return given.rate
    if given.baseline is not None and given.change is not None:
        return given.baseline + given.change
    return mean_share(seen.model) if seen and seen.model else default_rate(scope)


def _baseline(given: Assumptions, seen: Shares | None) -> float:
    if given.baseline is not None:
        return given.baseline
    return mean_share(seen.baseline) if seen and seen.baseline else BASELINE


def _change(scope: Scope, given: Assumptions, seen: Shares | None, baseline: float) -> float:
    if given.change is not None:
        return given.change
    if given.rate is not None and given.baseline is not None:
        return given.rate - given.baseline
    if seen and seen.pairs and given.baseline is None:
        return float(sum(model - other for model, other in seen.pairs)) / len(seen.pairs)
    return default_change(scope, baseline)


def _discordance(given: Assumptions, seen: Shares | None) -> float:
    if given.discordance is not None:
        return given.discordance
    if seen and seen.pairs:
        return mean_share([abs(model - baseline) for model, baseline in seen.pairs])
    return DISCORDANCE


def _source(scope: Scope, given: Assumptions, seen: Shares | None) -> str:
    names = ("change", "baseline", "discordance") if is_difference(scope) else ("rate",)
    if any(getattr(given, name) is not None for name in names):
        return "given"
    n = (len(seen.pairs) if is_difference(scope) else len(seen.model)) if seen else 0
    return f"observed on {n} case{'s' if n != 1 else ''}" if n else "assumed"
