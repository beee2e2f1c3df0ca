"""An answer as people see it: texts and tool calls by turn. Nothing in it says who answered."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_ftgate.completions import Completion, ToolCall, turn_answers
from pytest_ftgate.reports.inert import inert_json, inert_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One tool call: its arguments as pairs of texts, or its text where that is no JSON object."""

    name: str
    arguments: tuple[tuple[str, str], ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The answer to one turn; most conversations have one."""

    text: str = ""
    refusal: str = ""
    calls: tuple[Call, ...] = ()


Answer = tuple[Turn, ...]


def answer_of(completion: Completion) -> Answer:
    """What a person may see of a completion: no model name, time, cost or finish reason."""
    return tuple(
        Turn(text=turn.text, refusal=turn.refusal or "", calls=tuple(map(_call, turn.tool_calls)))
        for turn in turn_answers(completion)
    )


def visible(answer: Answer) -> Answer:
    r"""The same with all that is invisible or commands a terminal as visible escapes (`\x1b`)."""
    return tuple(
        Turn(
            text=inert_text(turn.text),
            refusal=inert_text(turn.refusal),
            calls=tuple(map(_visible_call, turn.calls)),
        )
        for turn in answer
    )


def answer_json(answer: Answer) -> list[dict[str, Any]]:
    """Builtins only, ready for `json.dumps`."""
    return [
        {
            "text": turn.text,
            "refusal": turn.refusal,
            "calls": [
                {"name": call.name, "arguments": [list(pair) for pair in call.arguments], "text": call.text}
                for call in turn.calls
            ],
        }
        for turn in answer
    ]


def answer_text(answer: Answer) -> str:
    """The answer in one text, for the cell of a table."""
    turns = ["\n".join(_rows(turn)) for turn in answer]
    if len(turns) < 2:
        return turns[0] if turns else ""
    return "\n\n".join(f"[answer {number}]\n{text}" for number, text in enumerate(turns, 1))


def _rows(turn: Turn) -> Iterator[str]:
    if turn.text or not (turn.calls or turn.refusal):
        yield turn.text or "(empty)"
    if turn.refusal:
        yield f"[declined] {turn.refusal}"
    for call in turn.calls:
        inside = call.text or ", ".join(f"{name}={value}" for name, value in call.arguments)
        yield f"[tool call] {call.name}({inside})"


def _call(call: ToolCall) -> Call:
    if not isinstance(call.arguments, Mapping):
        return Call(name=call.name, text=call.text)
    return Call(name=call.name, arguments=tuple((str(k), _value(v)) for k, v in call.arguments.items()))


def _value(value: object) -> str:
    """As JSON, so that a number is told from its text."""
    return inert_json(json.dumps(value, ensure_ascii=False, indent=1 if _is_nested(value) else None))


def _is_nested(value: object) -> bool:
    return isinstance(value, Mapping | list) and len(str(value)) > 40


def _visible_call(call: Call) -> Call:
    pairs = tuple((inert_text(name), inert_text(value)) for name, value in call.arguments)
    return Call(name=inert_text(call.name), arguments=pairs, text=inert_text(call.text))
