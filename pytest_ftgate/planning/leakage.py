"""Eval prompts that stand in the training data, word for word or nearly. Values in, values out.

Training texts are seen once, one after the other, and not kept: the index is of the eval prompts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from rapidfuzz import fuzz

from pytest_ftgate.cases import EvalCase, message_text
from pytest_ftgate.planning.normalizing import words_of
from pytest_ftgate.planning.training_data import BrokenRow, TrainingRow

Kind = Literal["exact", "inside", "near"]

#: Prompts at least so alike are the same one in other words.
NEAR = 0.9
#: A prompt of so many words inside a longer text is no coincidence.
_LONG = 8
#: Messages of fewer words ("yes, please") say nothing in a conversation of several.
_TELLING = 4
#: Pairs of words that more prompts share than this name none of them …
_COMMON = 64
#: … unless a prompt has no others; then its rarest few must do.
_RAREST = 4
#: Of a prompt's pairs, one in so many must be met before the texts are compared in full.
_MET = 4
_KEPT_PLACES = 20
_KEPT_BROKEN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalPrompt:
    """One thing that a user says in an eval case, and where the case stands."""

    case: EvalCase
    text: str

    @property
    def place(self) -> str:
        """`evals/tools.evalcase.yaml:14 tokyo`."""
        return f"{self.case.path}:{self.case.line} {self.case.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """An eval prompt in a training file: `exact`, `inside` a longer text, or `near`, with the likeness 0…1.

    `line` is the row's in the file, from 1; `text` what stands there.
    """

    prompt: EvalPrompt
    file: str
    line: int
    kind: Kind
    likeness: float
    text: str

    @property
    def is_exact(self) -> bool:
        """Whether the prompt stands there word for word."""
        return self.kind != "near"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaks:
    """What was found in all training files: the leaks kept, by case, the clearest first, and all counted.

    `cases` and `exact_cases` count eval cases, `places` all places, of which at most 20 a case are kept.
    `broken` rows could not be read; `broken_rows` counts them all.
    """

    leaks: tuple[Leak, ...]
    places: int
    rows: int
    files: tuple[str, ...]
    broken: tuple[BrokenRow, ...]
    broken_rows: int

    @property
    def cases(self) -> int:
        """Eval cases with a leak of any kind."""
        return len({_key(leak) for leak in self.leaks})

    @property
    def exact_cases(self) -> int:
        """Eval cases that stand in the training data word for word."""
        return len({_key(leak) for leak in self.leaks if leak.is_exact})


def eval_prompts(cases: Iterable[EvalCase]) -> list[EvalPrompt]:
    """Every telling message of a user in these cases."""
    found = []
    for case in cases:
        messages = [*case.messages, *(turn.message for turn in case.turns)]
        texts = [message_text(message) for message in messages if message.get("role") == "user"]
        found += [EvalPrompt(case=case, text=text) for text in telling(texts)]
    return found


def telling(texts: Sequence[str]) -> list[str]:
    """The messages that say something: all but the shortest, if there are several."""
    if len(texts) == 1:
        return list(texts)
    return [text for text in texts if len(words_of(text)) >= _TELLING]


class LeakFinder:
    """The index of eval prompts; made once, asked for each training text."""

    def __init__(self, prompts: Sequence[EvalPrompt]) -> None:
        self._prompts = [(prompt, words_of(prompt.text)) for prompt in prompts]
        self._texts = [" ".join(words) for _, words in self._prompts]
        self._numbers = [_numbers(words) for _, words in self._prompts]
        self._exact: dict[str, list[int]] = {}
        for at, text in enumerate(self._texts):
            if text:
                self._exact.setdefault(text, []).append(at)
        self._wanted = [0] * len(prompts)
        self._by_pair = self._index()

    def find(self, text: str) -> Iterator[tuple[EvalPrompt, Kind, float]]:
        """The eval prompts that this text is, holds, or nearly is, with their likeness."""
        words = words_of(text)
        joined = " ".join(words)
        exact = self._exact.get(joined, ())
        for at in exact:
            yield self._prompts[at][0], "exact", 1.0
        met: Counter[int] = Counter()
        for pair in set(_pairs(words)):
            if pair in self._by_pair:
                met.update(self._by_pair[pair])
        for at, hits in met.items():
            if hits >= self._wanted[at] and at not in exact and (found := self._compare(at, words, joined)):
                yield self._prompts[at][0], *found

    def _compare(self, at: int, words: Sequence[str], joined: str) -> tuple[Kind, float] | None:
        wanted = self._texts[at]
        if (
            len(self._prompts[at][1]) >= _LONG
            and len(joined) > len(wanted)
            and f" {wanted} " in f" {joined} "
        ):
            return "inside", 1.0
        likeness = fuzz.ratio(wanted, joined, score_cutoff=100 * NEAR)
        if not likeness and abs(len(wanted) - len(joined)) <= (1 - NEAR) * (len(wanted) + len(joined)):
            likeness = fuzz.token_sort_ratio(wanted, joined, score_cutoff=100 * NEAR)
        # 17 + 25 and 17 + 26 look alike, and are two questions.
        if likeness and _numbers(words) == self._numbers[at]:
            return "near", likeness / 100
        return None

    def _index(self) -> dict[tuple[str, ...], list[int]]:
        """Which prompts each pair of neighbouring words stands in, without those that too many share."""
        pairs = [set(_pairs(words)) for _, words in self._prompts]
        shared = Counter(pair for own in pairs for pair in own)
        index: dict[tuple[str, ...], list[int]] = {}
        for at, own in enumerate(pairs):
            telling_pairs = [pair for pair in own if shared[pair] <= _COMMON]
            chosen = telling_pairs or sorted(own, key=lambda pair: (shared[pair], pair))[:_RAREST]
            self._wanted[at] = max(1, len(chosen) // _MET)
            for pair in chosen:
                index.setdefault(pair, []).append(at)
        return index


def find_leaks(
    cases: Iterable[EvalCase], files: Iterable[tuple[str, Iterable[TrainingRow | BrokenRow]]]
) -> Leaks:
    """All eval prompts that stand in training files, each file with its rows, which are read only once."""
    finder = LeakFinder(eval_prompts(cases))
    found: dict[tuple[str, str], list[Leak]] = {}
    broken: list[BrokenRow] = []
    names, places, rows, broken_rows = [], 0, 0, 0
    for name, each in files:
        names.append(name)
        for row in each:
            rows += 1
            if isinstance(row, BrokenRow):
                broken_rows += 1
                broken += [row] if len(broken) < _KEPT_BROKEN else []
                continue
            for leak in _leaks_in(row, name, finder):
                places += 1
                kept = found.setdefault(_key(leak), [])
                kept.append(leak)
                if len(kept) > 2 * _KEPT_PLACES:
                    kept[:] = sorted_leaks(kept)[:_KEPT_PLACES]
    leaks = [leak for _, kept in sorted(found.items()) for leak in sorted_leaks(kept)[:_KEPT_PLACES]]
    return Leaks(
        leaks=tuple(leaks),
        places=places,
        rows=rows,
        files=tuple(names),
        broken=tuple(broken),
        broken_rows=broken_rows,
    )


def sorted_leaks(leaks: Iterable[Leak]) -> list[Leak]:
    """The clearest first, then in the order of the files."""
    return sorted(leaks, key=lambda leak: (-leak.likeness, leak.kind != "exact"))


def _leaks_in(row: TrainingRow, file: str, finder: LeakFinder) -> Iterator[Leak]:
    """The leaks of one row, each case once: the clearest."""
    best: dict[tuple[str, str], Leak] = {}
    for text in telling(row.texts):
        for prompt, kind, likeness in finder.find(text):
            leak = Leak(prompt=prompt, file=file, line=row.line, kind=kind, likeness=likeness, text=text)
            known = best.setdefault(_key(leak), leak)
            if (leak.likeness, leak.kind == "exact") > (known.likeness, known.kind == "exact"):
                best[_key(leak)] = leak
    yield from best.values()


def _key(leak: Leak) -> tuple[str, str]:
    return leak.prompt.case.suite, leak.prompt.case.id


def _pairs(words: Sequence[str]) -> Iterable[tuple[str, ...]]:
    """Neighbouring words; of a text of one word, the word."""
    return pairwise(words) if len(words) > 1 else [tuple(words)]


def _numbers(words: Sequence[str]) -> list[str]:
    return sorted(word for word in words if any(character.isdigit() for character in word))
