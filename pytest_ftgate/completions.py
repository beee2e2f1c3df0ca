"""Completions: one answer of one arm. Plain values, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Literal, Self, TypeVar

from pytest_ftgate.cases import Arm

Source = Literal["live", "recorded", "resumed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """One call that the model made.

    `arguments` is None if the model's text for them is not a JSON object; `text` then holds that text.
    """

    name: str
    arguments: Mapping[str, Any] | None
    text: str = ""

    def as_json(self) -> dict[str, Any]:
        """Builtins only, ready for `json.dumps`."""
        row: dict[str, Any] = {"name": self.name, "arguments": self.arguments}
        return row | ({"text": self.text} if self.text else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one call, as the endpoint counts them; None where it does not say."""

    input_tokens: int | None = None
    output_tokens: int | None = None


#: Of an answer whose endpoint does not count; one for all, since they are many.
NO_USAGE = Usage()


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One answer of one arm.

    `latency_s` and `time_to_first_token_s` are seconds on the wire, None where nothing was measured.
    `logprobs` are natural logarithms of the answer tokens' probabilities. `refusal` is the text of the API's
    refusal field. `cost` is in the currency of the entry's price, None without a price. `model` is what the
    endpoint says it served.

    Of a scripted conversation it is the last turn's answer, with all calls in `steps`; usage, cost, latency
    and log-probabilities are then those of the whole (None where one of the calls has none).
    """

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None
    refusal: str | None = None
    usage: Usage = NO_USAGE
    latency_s: float | None = None
    time_to_first_token_s: float | None = None
    logprobs: tuple[float, ...] | None = None
    cost: float | None = None
    model: str | None = None
    fingerprint: str | None = None
    source: Source = "live"
    #: Who answered; set where a test is handed the answer, so that judging it need not say whose it is.
    arm: Arm | None = None
    #: Likewise the suite, id and repeat of the case that it answers; None for the answer to another prompt.
    answers: tuple[str, str, int] | None = None
    #: Seconds since the epoch at which the answer arrived; a stamp, never compared.
    created: float | None = None
    #: Every answer of a scripted conversation, each with its turn, in order; () for any other case.
    steps: tuple[Completion, ...] = ()
    #: Which turn of its conversation this is an answer to, from 1; None outside one.
    turn: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Builtins only, empty fields left out, ready for `json.dumps`."""
        row: dict[str, Any] = {
            "text": self.text,
            "tool_calls": [call.as_json() for call in self.tool_calls] or None,
            "finish_reason": self.finish_reason,
            "refusal": self.refusal,
            "usage": self._usage_as_json() or None,
            "latency_s": self.latency_s,
            "time_to_first_token_s": self.time_to_first_token_s,
            "logprobs": list(self.logprobs) if self.logprobs else None,
            "cost": self.cost,
            "model": self.model,
            "fingerprint": self.fingerprint,
            "source": self.source,
            "created": self.created,
            "turn": self.turn,
            "steps": [step.as_json() for step in self.steps] if self.steps else None,
        }
        return {key: value for key, value in row.items() if value is not None}

    def _usage_as_json(self) -> dict[str, int]:
        usage = self.usage
        if usage is NO_USAGE:
            return {}
        counted = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
        return {key: value for key, value in counted.items() if value is not None}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """The inverse of `as_json`; unknown keys are ignored."""
        usage = row.get("usage")
        calls = row.get("tool_calls") or ()
        return cls(
            text=row.get("text") or "",
            tool_calls=tuple(
                ToolCall(name=call["name"], arguments=call.get("arguments"), text=call.get("text") or "")
                for call in calls
            ),
            finish_reason=row.get("finish_reason"),
            refusal=row.get("refusal"),
            usage=Usage(input_tokens=usage.get("input_tokens"), output_tokens=usage.get("output_tokens"))
            if usage
            else NO_USAGE,
            latency_s=row.get("latency_s"),
            time_to_first_token_s=row.get("time_to_first_token_s"),
            logprobs=tuple(row["logprobs"]) if row.get("logprobs") is not None else None,
            cost=row.get("cost"),
            model=row.get("model"),
            fingerprint=row.get("fingerprint"),
            source=row.get("source") or "live",
            created=row.get("created"),
            turn=row.get("turn"),
            steps=tuple(cls.from_json(step) for step in row.get("steps") or ()),
        )


def conversation(steps: Sequence[Completion]) -> Completion:
    """The completion of a scripted conversation, from all its answers (at least one, each with its turn)."""
    answers = turn_answers(replace(steps[-1], steps=tuple(steps)))
    return replace(_together(steps, answers[-1]), steps=tuple(steps), turn=None)


def turn_answers(completion: Completion) -> tuple[Completion, ...]:
    """The answer to each turn, in order; of a completion without steps, itself.

    What a turn amounts to is the text of its last answer and the calls of all of them, since the model goes
    on after a call.
    """
    by_turn = groupby(completion.steps, key=lambda step: step.turn)
    return tuple(_turn_answer(list(steps)) for _, steps in by_turn) or (completion,)


def _turn_answer(steps: Sequence[Completion]) -> Completion:
    if len(steps) == 1:
        return steps[0]
    was_cut = any(step.finish_reason == "length" for step in steps)
    return replace(
        _together(steps, steps[-1]),
        tool_calls=tuple(call for step in steps for call in step.tool_calls),
        finish_reason="length" if was_cut else steps[-1].finish_reason,
    )


def _together(steps: Sequence[Completion], last: Completion) -> Completion:
    """`last` with what was measured over all steps."""
    logprobs = [step.logprobs for step in steps]
    return replace(
        last,
        usage=Usage(
            input_tokens=_sum(step.usage.input_tokens for step in steps),
            output_tokens=_sum(step.usage.output_tokens for step in steps),
        ),
        cost=_sum(step.cost for step in steps),
        latency_s=_sum(step.latency_s for step in steps),
        time_to_first_token_s=steps[0].time_to_first_token_s,
        logprobs=None
        if any(each is None for each in logprobs)
        else tuple(value for each in logprobs for value in each or ()),
    )


_Number = TypeVar("_Number", int, float)


def _sum(values: Iterable[_Number | None]) -> _Number | None:
    """The sum, None if one of the values is not known."""
    known = list(values)
    return None if None in known else sum(value for value in known if value is not None)
