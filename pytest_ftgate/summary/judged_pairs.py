"""What judges preferred, pair by pair, and how far the order decided in which the two answers stood."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from pytest_ftgate.cases import Arm
from pytest_ftgate.record.plan import PlannedCase
from pytest_ftgate.scores import Score
from pytest_ftgate.summary.case_results import CaseResult

SCORER = "prefer"
_WORTH = {"first": 2, "tie": 1, "second": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedPairs:
    """Pairs of answers that were compared: wins, losses and ties of the model.

    `votes` are comparisons in both orders; in `turned` of them the two orders disagree, `to_first` of these
    in favour of the place that is read first, `to_second` in favour of the other. `alike` of the ties are
    pairs of equal answers, about which nobody was asked.
    """

    wins: int
    losses: int
    ties: int
    alike: int
    votes: int
    turned: int
    to_first: int
    to_second: int

    @property
    def pairs(self) -> int:
        """How many pairs were compared."""
        return self.wins + self.losses + self.ties

    @property
    def position_bias(self) -> Fraction | None:
        """The share of votes that changed with the order of the answers, 0…1; None without a vote."""
        return Fraction(self.turned, self.votes) if self.votes else None

    def as_json(self) -> dict[str, Any]:
        """Builtins only, ready for `json.dumps`."""
        bias = self.position_bias
        return {
            "pairs": self.pairs,
            "wins": self.wins,
            "losses": self.losses,
            "ties": self.ties,
            "win_rate": self.wins / self.pairs,
            "loss_rate": self.losses / self.pairs,
            "tie_rate": self.ties / self.pairs,
            "alike": self.alike,
            "position_bias": {
                "rate": None if bias is None else float(bias),
                "votes": self.votes,
                "turned": self.turned,
                "to_first": self.to_first,
                "to_second": self.to_second,
            },
        }


def judged_pairs(cases: Iterable[CaseResult]) -> JudgedPairs | None:
    """All pairs that judges compared, each once, however many items judge its case; None without any."""
    details = [found for case in cases if _is_compared(case.planned) for found in _details(case)]
    if not details:
        return None
    results = Counter(each["result"] for each in details)
    votes = [vote["chosen"] for each in details for vote in each["votes"]]
    # Points of the place that is read first, in both orders together: 2 where the order made no difference.
    points = [_WORTH[ahead] + _WORTH[behind] for ahead, behind in votes]
    return JudgedPairs(
        wins=results["win"],
        losses=results["loss"],
        ties=results["tie"],
        alike=sum(not each["votes"] for each in details),
        votes=len(votes),
        turned=sum(count != 2 for count in points),
        to_first=sum(count > 2 for count in points),
        to_second=sum(count < 2 for count in points),
    )


def _is_compared(planned: PlannedCase) -> bool:
    return any(leaf.scorer == SCORER for check in planned.expect for leaf in check.leaves())


def _details(case: CaseResult) -> Iterator[Mapping[str, Any]]:
    """What `prefer` kept of the case's pairs, by repeat, from the first item that has it."""
    by_repeat: dict[int, list[Mapping[str, Any]]] = {}
    for trial in case.trials:
        if trial.key.arm is Arm.MODEL and not by_repeat.get(trial.key.repeat):
            leaves = [score for score in _leaves(trial.scores) if score.scorer == SCORER]
            by_repeat[trial.key.repeat] = [score.details for score in leaves if "result" in score.details]
    for found in by_repeat.values():
        yield from found


def _leaves(scores: Iterable[Score]) -> Iterator[Score]:
    for score in scores:
        if score.children:
            yield from _leaves(score.children)
        else:
            yield score
