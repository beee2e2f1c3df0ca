"""What both kinds of evidence can see of a criterion, as one set of questions about `at_least`.

`at_most` is asked of failures, or of the other arm, so that a larger number is always a better one.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from fractions import Fraction
from functools import lru_cache

from pytest_ftgate.gates.criteria import Criterion, Evidence
from pytest_ftgate.planning import point_power
from pytest_ftgate.planning.assumptions import Truth
from pytest_ftgate.stats import difference_power, rate_power
from pytest_ftgate.stats.distributions import crossing
from pytest_ftgate.stats.paired_passes import PairedEstimate
from pytest_ftgate.stats.rate_power import POWER, Needed

_CLOSE = 1e-4


class Powers(ABC):
    """What one criterion can see with a number of cases; `threshold` is that of `at_least`."""

    def __init__(self, threshold: Fraction, evidence: Evidence, confidence: float, *, tests: int = 1) -> None:
        self.threshold = threshold
        self.evidence = evidence
        self.confidence = confidence
        #: NO-GO in one of several parts that `per:` made: Holm's correction is at most Bonferroni's.
        self.miss_confidence = 1 - (1 - confidence) / tests

    @property
    @abstractmethod
    def value(self) -> float:
        """The true value of what is compared with the threshold."""

    @property
    @abstractmethod
    def best(self) -> float:
        """The best true value there can be."""

    @abstractmethod
    def go(self, n: int, value: float | None = None) -> float:
        """The chance that `n` cases end in GO, at the assumed true value or another one."""

    @abstractmethod
    def no_go(self, n: int) -> float:
        """The chance that `n` cases end in NO-GO at the assumed true value."""

    @abstractmethod
    def needed(self) -> Needed | None:
        """From how many cases on it is decided as the truth has it, with 80 % power; None if never."""

    @abstractmethod
    def least_cases(self) -> int | None:
        """The fewest cases that can end in GO at all, if all goes well; None if no number can."""

    @property
    def is_met(self) -> bool:
        """Whether the assumed truth meets the threshold."""
        return self.value >= float(self.threshold) - 1e-12

    @property
    def deciding_confidence(self) -> float:
        """That of the side on which the assumed truth lies."""
        return self.confidence if self.is_met else self.miss_confidence

    def right(self, n: int) -> float:
        """The chance that `n` cases end as the assumed truth has it."""
        return self.go(n) if self.is_met else self.no_go(n)

    def detectable(self, n: int) -> float | None:
        """The lowest true value that `n` cases show with 80 % power; None if not even the best one is."""
        low = min(float(self.threshold), self.best)
        if self.go(n, self.best) < POWER:
            return None
        if self.go(n, low) >= POWER:
            return low
        return crossing(lambda value: self.go(n, value) >= POWER, low, self.best, to=_CLOSE)


class RatePowers(Powers):
    """A rate of one arm; what only has a mean in 0…1 varies less, so this is the worst case for it."""

    def __init__(
        self, rate: float, threshold: Fraction, evidence: Evidence, confidence: float, *, tests: int = 1
    ) -> None:
        super().__init__(threshold, evidence, confidence, tests=tests)
        self._rate = rate

    @property
    def value(self) -> float:
        """The true rate."""
        return self._rate

    @property
    def best(self) -> float:
        """Everything passes."""
        return 1.0

    def go(self, n: int, value: float | None = None) -> float:
        """By the binomial distribution."""
        rate = self._rate if value is None else value
        if self.evidence == "point":
            return point_power.chance_of_rate(n, rate, self.threshold)
        return rate_power.power_to_show(n, rate, float(self.threshold), self.confidence)

    def no_go(self, n: int) -> float:
        """Likewise."""
        if self.evidence == "point":
            return 1 - self.go(n)
        return rate_power.power_to_refute(n, self._rate, float(self.threshold), self.miss_confidence)

    def needed(self) -> Needed | None:
        """Found once for equal questions: criteria `per:` ask the same."""
        return _rate_needed(self._rate, self.threshold, self.evidence, self.deciding_confidence)

    def least_cases(self) -> int | None:
        """So many, all passed; any under `point`."""
        if self.evidence == "point":
            return 1
        return rate_power.least_cases_to_show(float(self.threshold), self.confidence)


class DifferencePowers(Powers):
    """A paired difference of both arms' rates."""

    def __init__(
        self, truth: Truth, threshold: Fraction, evidence: Evidence, confidence: float, *, tests: int = 1
    ) -> None:
        super().__init__(threshold, evidence, confidence, tests=tests)
        self._truth = truth

    @property
    def value(self) -> float:
        """The true difference."""
        return self._truth.change

    @property
    def best(self) -> float:
        """The model passes all that the baseline fails, and loses nothing."""
        return 1 - self._truth.baseline

    def go(self, n: int, value: float | None = None) -> float:
        """By the trinomial distribution of wins, losses and ties."""
        wins, losses = self._truth.split(self.value if value is None else value)
        if self.evidence == "point":
            return point_power.chance_of_difference(n, wins=wins, losses=losses, at_least=self.threshold)
        threshold = float(self.threshold)
        return difference_power.power_to_show(
            n, wins=wins, losses=losses, at_least=threshold, confidence=self.confidence
        )

    def no_go(self, n: int) -> float:
        """Likewise."""
        if self.evidence == "point":
            return 1 - self.go(n)
        truth, threshold = self._truth, float(self.threshold)
        return difference_power.power_to_refute(
            n, wins=truth.wins, losses=truth.losses, at_least=threshold, confidence=self.miss_confidence
        )

    def needed(self) -> Needed | None:
        """Found once for equal questions."""
        truth = self._truth
        confidence = self.deciding_confidence
        return _difference_needed(truth.wins, truth.losses, self.threshold, self.evidence, confidence)

    def least_cases(self) -> int | None:
        """So many, with all that the baseline fails won; any under `point`."""
        room = self.best
        if float(self.threshold) > room + 1e-12:
            return None
        if self.evidence == "point":
            return 1
        if float(self.threshold) >= room:
            return None
        found = rate_power.smallest(lambda n: float(self._could_show(n)), 0.5, look=_look(room))
        return found.cases if found else None

    def ever(self, n: int) -> bool:
        """Whether any answers to `n` cases show it: at best the model wins all, whatever was assumed."""
        return n > 1 and PairedEstimate(wins=n, losses=0, n=n).lower(self.confidence) >= float(self.threshold)

    def _could_show(self, n: int) -> bool:
        """Whether winning every case that the baseline fails, and losing none, would do."""
        wins = math.floor(self.best * n + 1e-9)
        lower = PairedEstimate(wins=wins, losses=0, n=n).lower(self.confidence)
        return n > 1 and lower >= float(self.threshold)


def powers_of(
    criterion: Criterion,
    truth: Truth,
    evidence: Evidence,
    confidence: float,
    *,
    compares: bool,
    tests: int = 1,
) -> Powers:
    """The powers of a criterion on rates, one of `tests` parts; `at_most` turned into `at_least`."""
    threshold = criterion.threshold
    if criterion.bound == "at_most":
        threshold, truth = (-threshold if compares else 1 - threshold), truth.mirrored
    if compares:
        return DifferencePowers(truth, threshold, evidence, confidence, tests=tests)
    return RatePowers(truth.rate, threshold, evidence, confidence, tests=tests)


def _look(room: float) -> int:
    return min(200, int(2 / max(room, 0.01)))


@lru_cache(maxsize=1024)
def _rate_needed(rate: float, threshold: Fraction, evidence: Evidence, confidence: float) -> Needed | None:
    if evidence == "point":
        return point_power.rate_cases(rate, threshold)
    if rate >= float(threshold) == 1.0:
        return None
    return rate_power.cases_to_decide(rate, float(threshold), confidence)


@lru_cache(maxsize=1024)
def _difference_needed(
    wins: float, losses: float, threshold: Fraction, evidence: Evidence, confidence: float
) -> Needed | None:
    if evidence == "point":
        return point_power.difference_cases(wins=wins, losses=losses, at_least=threshold)
    return difference_power.cases_to_decide(
        wins=wins, losses=losses, at_least=float(threshold), confidence=confidence
    )
