"""What to expect of a criterion, in values: a word under each kind of evidence, and its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pytest_ftgate.gates.criteria import Criterion, Evidence
from pytest_ftgate.planning.assumptions import Truth


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
    `remedy` what to do, "" for nothing. `sees` is `detectable` in the words of a metric that is no rate.
    """

    prospect: Prospect
    sentence: str
    remedy: str = ""
    chance: float | None = None
    detectable: float | None = None
    needed: int | None = None
    if_unchanged: float | None = None
    sees: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionPlan:
    """One criterion before anything is asked. `n` counts what its metric counts: cases, calls or votes.

    `truth` is what is taken for true of rates, None where the earlier run's own numbers stand for it, or
    nothing is known.
    """

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
