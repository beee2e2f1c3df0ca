"""The pairs of answers in a record that people can be asked about, and a stratified choice of them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from pytest_ftgate.cases import Arm
from pytest_ftgate.completions import Completion
from pytest_ftgate.record.plan import PlannedCase
from pytest_ftgate.record.runs import Record
from pytest_ftgate.record.trials import Trial
from pytest_ftgate.record.votes import answers_digest
from pytest_ftgate.reports.answers import Answer, answer_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Both answers to one case; `answers` digests what a vote on it is about."""

    suite: str
    case: str
    category: str
    prompt: str
    model: Answer
    baseline: Answer
    answers: str

    @property
    def name(self) -> str:
        """How messages name it."""
        return f"{self.suite}::{self.case}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """All pairs of a record, sorted; how many cases have two equal answers, and how many have not two."""

    pairs: tuple[Pair, ...]
    equal: int
    unanswered: int


def pairs_of(record: Record) -> Found:
    """The pair of each case: of its first repeat and item that both arms answered."""
    trials: dict[tuple[str, str], list[Trial]] = defaultdict(list)
    for trial in record.trials:
        trials[trial.key[:2]].append(trial)
    found = [_pair(case, trials[case.key]) for case in record.cases if case.skip is None]
    pairs = [pair for pair in found if pair is not None]
    different = [pair for pair in pairs if pair.model != pair.baseline]
    return Found(
        pairs=tuple(different), equal=len(pairs) - len(different), unanswered=len(found) - len(pairs)
    )


def choose(pairs: Sequence[Pair], most: int, seed: str) -> list[Pair]:
    """At most so many pairs, each category by its share of them, in the order that the seed draws."""
    by_category: dict[str, list[Pair]] = defaultdict(list)
    for pair in drawn(pairs, seed):
        by_category[pair.category].append(pair)
    places = _places({category: len(of) for category, of in by_category.items()}, min(most, len(pairs)))
    return drawn([pair for category, of in by_category.items() for pair in of[: places[category]]], seed)


def drawn(pairs: Sequence[Pair], seed: str) -> list[Pair]:
    """The pairs in the order that the seed draws, which a further case does not change."""
    return sorted(pairs, key=lambda pair: (draw(seed, "pair", pair.suite, pair.case), pair.name))


def draw(seed: str, *words: str) -> int:
    """A number that seed and words decide, the same in every version of Python."""
    hashed = hashlib.sha256("\0".join((seed, *words)).encode("utf-8", "backslashreplace")).digest()
    return int.from_bytes(hashed[:8], "big")


def _places(sizes: Mapping[str, int], places: int) -> dict[str, int]:
    """By the largest remainders (Hamilton); each category gets a place where there are enough."""
    total = sum(sizes.values())
    exact = {name: Fraction(size * places, max(total, 1)) for name, size in sizes.items()}
    given = {name: int(share) for name, share in exact.items()}
    if places >= len(sizes):
        given = {name: max(one, 1) for name, one in given.items()}
    order = sorted(sizes, key=lambda name: (given[name] - exact[name], name))
    while sum(given.values()) < places:
        name = next(name for name in order if given[name] < sizes[name])
        given[name] += 1
        order.sort(key=lambda name: (given[name] - exact[name], name))
    while sum(given.values()) > places:
        given[max(given, key=lambda name: (given[name] > 1, given[name] - exact[name], name))] -= 1
    return given


def _pair(case: PlannedCase, trials: Sequence[Trial]) -> Pair | None:
    answers: dict[tuple[int, str], dict[Arm, Completion]] = defaultdict(dict)
    for trial in trials:
        if trial.completion is not None:
            answers[trial.key.repeat, trial.key.item][trial.key.arm] = trial.completion
    both = next((answers[place] for place in sorted(answers) if len(answers[place]) == len(Arm)), None)
    if both is None:
        return None
    model, baseline = both[Arm.MODEL], both[Arm.BASELINE]
    return Pair(
        suite=case.suite,
        case=case.id,
        category=case.category,
        prompt=case.prompt,
        model=answer_of(model),
        baseline=answer_of(baseline),
        answers=answers_digest(case.asked, model, baseline),
    )
