"""Saved answers played again: a model without an endpoint. It waits for nothing and measures nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from pytest_ftgate.cases import Arm
from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import ConfigError, FileError, Mistake, ModelError
from pytest_ftgate.models import Request
from pytest_ftgate.models.answer_rows import SavedAnswer
from pytest_ftgate.models.conversation import asked_turns
from pytest_ftgate.models.price import Price

_NAMED = 5


class Recorded:
    """Plays the answers of one arm of a file; `shown` is the file's name in messages."""

    concurrency: int | None = None
    is_replay = True

    def __init__(
        self,
        name: str,
        answers: Sequence[SavedAnswer],
        *,
        shown: str,
        revision: str | None = None,
        price: Price | None = None,
    ) -> None:
        self.name = name
        self._shown = shown
        self._revision = revision
        self._price = price
        self._answers = _by_key(answers, shown)
        self._has_suites = any(saved.suite is not None for saved in self._answers.values())

    def describe(self) -> dict[str, Any]:
        """Builtins for header and record."""
        row = {"name": self.name, "kind": "recorded", "file": self._shown}
        served = sorted({saved.answer.model for saved in self._answers.values() if saved.answer.model})
        shown = {"model": ", ".join(served), "revision": self._revision}
        return row | {key: value for key, value in shown.items() if value}

    def missing(self, requests: Sequence[Request]) -> Sequence[str]:
        """One line for each answer that is not here, or that is one to something else; turns have their own.

        What is asked about here counts as used, so that each of several processes makes the same remarks.
        """
        turns = [turn for request in requests for turn in asked_turns(request)]
        found = [(request, self._find(request)) for request in turns]
        for _, saved in found:
            if saved is not None:
                saved.is_used = True
        return [
            *self._ambiguous(found),
            *dict.fromkeys(line for request, saved in found if (line := self._why_not(request, saved))),
        ]

    def remarks(self) -> Sequence[str]:
        """What was taken on trust, and what nobody asked for."""
        used = [saved for saved in self._answers.values() if saved.is_used]
        unverified = sum(saved.asked is None for saved in used)
        surplus = sorted({saved.id for saved in self._answers.values() if not saved.is_used})
        remarks = []
        if unverified:
            of = f"{unverified} of {len(used)} answers"
            remarks.append(f"{self._shown}: {of} are unverified: the file does not say what was asked")
        if surplus:
            named = ", ".join(surplus[:_NAMED]) + (", …" if len(surplus) > _NAMED else "")
            remarks.append(f"{self._shown}: answers that no selected case needs: {len(surplus)} ({named})")
        return remarks

    def answer_now(self, request: Request) -> Completion:
        """The saved answer. Raises `ModelError` if there is none, or what is asked has changed since."""
        saved = self._find(request)
        if why_not := self._why_not(request, saved):
            raise ModelError(why_not, kind="recorded")
        assert saved is not None
        saved.is_used = True
        answer = saved.answer
        return replace(answer, cost=self._price.of(answer.usage)) if self._price else answer

    async def complete(self, request: Request) -> Completion:
        """The saved answer, as `answer_now` gives it."""
        return self.answer_now(request)

    async def aclose(self) -> None:
        """Nothing is open."""

    def _find(self, request: Request) -> SavedAnswer | None:
        case = request.case
        if self._has_suites:
            whole = _key(case.suite, case.id, request.repeat, request.turn)
            if saved := self._answers.get(whole):
                return saved
        return self._answers.get(_key(None, case.id, request.repeat, request.turn))

    def _why_not(self, request: Request, saved: SavedAnswer | None) -> str | None:
        case = request.case
        where = f"{case.path}:{case.line}: case '{case.id}': "
        if saved is None:
            nth = [f"repeat {request.repeat}"] * (request.repeat > 1) + [f"turn {request.turn}"] * bool(
                case.turns
            )
            return f"{where}no answer{' for ' if nth else ''}{', '.join(nth)} in {self._shown}"
        if saved.asked is not None and saved.asked != case.asked:
            parts = "turns, tools" if case.turns else "prompt, tools"
            changed = f"asked something else when the answer was saved ({parts} or params changed)"
            return f"{where}{changed}: {self._shown}:{saved.line}"
        return None

    def _ambiguous(self, found: Iterable[tuple[Request, SavedAnswer | None]]) -> list[str]:
        """Rows without a suite can't tell apart two cases with one id."""
        suites = {
            (request.case.id, request.case.suite)
            for request, saved in found
            if saved is None or saved.suite is None
        }
        twice = [name for name, count in sorted(Counter(name for name, _ in suites).items()) if count > 1]
        return [
            f"{self._shown}: the rows of '{name}' need a 'suite': "
            f"there is such a case in {' and '.join(sorted(suite for case, suite in suites if case == name))}"
            for name in twice
            if _key(None, name, 1, 1) in self._answers
        ]


def answers_of(answers: Sequence[SavedAnswer], arm: Arm, wanted: str | None, shown: str) -> list[SavedAnswer]:
    """The rows to play: of the `wanted` arm, else of the arm that is played, else of the only arm there is.

    Rows that name no arm always count. Raises `ConfigError` if there are none of the wanted arm.
    """
    arms = sorted({saved.arm for saved in answers if saved.arm is not None})
    chosen = wanted or (arm.value if arm.value in arms or len(arms) != 1 else arms[0])
    if (wanted or arms) and chosen not in arms:
        raise ConfigError(
            f"{shown}: no answers of '{chosen}' in it, only of {' and '.join(arms) or 'no named arm'}"
        )
    return [saved for saved in answers if saved.arm is None or saved.arm == chosen]


#: Where an answer belongs: suite (None where the row does not say), id, repeat and turn. Of a row that has
#: but an id it is that id: there may be many.
_Key = str | tuple[str | None, str, int, int]


def _key(suite: str | None, name: str, repeat: int, turn: int) -> _Key:
    return name if suite is None and repeat == 1 and turn == 1 else (suite, name, repeat, turn)


def _by_key(answers: Iterable[SavedAnswer], shown: str) -> dict[_Key, SavedAnswer]:
    """One answer per key. Equal ones are one; a `FileError` names those that differ."""
    found: dict[_Key, SavedAnswer] = {}
    mistakes = []
    for saved in answers:
        first = found.setdefault(_key(saved.suite, saved.id, saved.repeat, saved.turn), saved)
        if first is not saved and (_unstamped(first), first.asked) != (_unstamped(saved), saved.asked):
            message = f"another answer of '{saved.id}' than in line {first.line}"
            mistakes.append(Mistake(path=shown, line=saved.line, column=1, message=message))
    if mistakes:
        raise FileError(mistakes)
    return found


def _unstamped(saved: SavedAnswer) -> Completion:
    return replace(saved.answer, created=None)
