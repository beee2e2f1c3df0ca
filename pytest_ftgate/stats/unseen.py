"""Bounds of a mean that allow for cases of a kind that was not seen, which resampling can never draw."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_ftgate.stats.estimates import Estimate
from pytest_ftgate.stats.few_changes import FewChangesEstimate, cases_to_decide


@dataclass(frozen=True, slots=True, kw_only=True)
class UnseenEstimate:
    """Bounds of a mean by `seen`, never narrower than what `unseen` says of a kind of case among none of n.

    Where 5 % of all cases score 0.2 and the others 0.98, 60 % of the suites of ten hold none of the former.
    Resampling them finds no spread at all, though up to 25.9 % of all cases may be as low as a score goes
    (Clopper and Pearson 1934, for 0 of 10). So a mean of n graded scores is never surer than n passes in n
    cases. The bound of what was not seen closes in as 1/n, that of resampling as the root of it: of more than
    some dozens of cases the latter decides.
    """

    seen: Estimate
    unseen: FewChangesEstimate

    def lower(self, confidence: float) -> float:
        """The lower of both lower bounds."""
        return min(self.seen.lower(confidence), self.unseen.lower(confidence))

    def upper(self, confidence: float) -> float:
        """The higher of both upper bounds."""
        return max(self.seen.upper(confidence), self.unseen.upper(confidence))

    def p_below(self, threshold: float) -> float:
        """The larger of both p-values: both have to show it."""
        return max(self.seen.p_below(threshold), self.unseen.p_below(threshold))

    def p_above(self, threshold: float) -> float:
        """The larger of both p-values: both have to show it."""
        return max(self.seen.p_above(threshold), self.unseen.p_above(threshold))

    def least_cases(self, threshold: float, confidence: float) -> int:
        """How many cases it takes, whatever `seen` says, if their mean stays what it is: not `threshold`."""
        return cases_to_decide(self.unseen, threshold, confidence)


def with_unseen(seen: Estimate, *, value: float, n: int, least: float, most: float) -> UnseenEstimate:
    """The bounds by `seen` of a mean of `n` cases in `least`…`most`, and what may not have been seen."""
    unseen = FewChangesEstimate(
        value=value, below=0, above=0, n=n, common=min(max(value, least), most), least=least, most=most
    )
    return UnseenEstimate(seen=seen, unseen=unseen)
