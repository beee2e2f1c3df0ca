"""A scripted conversation: which request follows from which answer. Plain computation: nothing is sent here.

Works with every model, since it only sees requests and completions; each call has its own deadline and
retries.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pytest_ftgate.cases import Turn
from pytest_ftgate.completions import Completion, ToolCall, conversation
from pytest_ftgate.models import Request

Message = Mapping[str, Any]
Talk = Generator[Request, Completion, Completion]

#: How often a model goes on after the results of its calls, within one turn.
MAX_ROUNDS = 5
#: What a call of a tool returns that the case has no result for: the API refuses to go on without one.
UNAVAILABLE = {"error": "unavailable"}


async def converse(complete: Callable[[Request], Awaitable[Completion]], request: Request) -> Completion:
    """The whole conversation with a model that has to be waited for; raises what one of its calls raises."""
    talk = _talk(request)
    try:
        asked = next(talk)
        while True:
            asked = talk.send(await complete(asked))
    except StopIteration as end:
        return _ended(end)


def converse_now(answer_now: Callable[[Request], Completion], request: Request) -> Completion:
    """The same with a model that never waits."""
    talk = _talk(request)
    try:
        asked = next(talk)
        while True:
            asked = talk.send(answer_now(asked))
    except StopIteration as end:
        return _ended(end)


def _ended(end: StopIteration) -> Completion:
    whole: Completion = end.value
    return whole


def _talk(request: Request) -> Talk:
    """Yields one request after the other, is sent their answers, and returns the conversation."""
    steps: list[Completion] = []
    said: list[Message] = []
    for number, turn in enumerate(request.case.turns, 1):
        said.append(turn.message)
        for round_ in range(MAX_ROUNDS + 1):
            answer = yield replace(request, said=tuple(said), turn=number, round=round_ + 1)
            steps.append(replace(answer, turn=number, steps=()))
            said += _exchange(turn, answer, first_call=sum(len(step.tool_calls) for step in steps[:-1]))
            # A saved answer is that of the whole turn: its calls were answered when it was given.
            if not answer.tool_calls or answer.source == "recorded":
                break
    return conversation(steps)


def _exchange(turn: Turn, answer: Completion, first_call: int) -> list[Message]:
    """What the model said, and what its calls returned."""
    content = answer.text or answer.refusal or ""
    if not answer.tool_calls:
        return [{"role": "assistant", "content": content}]
    # Nine letters and digits: the only form that every server's chat template takes.
    ids = [f"call{first_call + number:05}" for number in range(len(answer.tool_calls))]
    calls = [_as_sent(call, its_id) for call, its_id in zip(answer.tool_calls, ids, strict=True)]
    results = [
        {"role": "tool", "tool_call_id": its_id, "content": _result(turn.tool_results, call.name)}
        for call, its_id in zip(answer.tool_calls, ids, strict=True)
    ]
    return [{"role": "assistant", "content": content or None, "tool_calls": calls}, *results]


def _as_sent(call: ToolCall, its_id: str) -> Message:
    # Arguments that are no JSON object make some servers refuse the whole conversation, and it is the model
    # that is judged for them, not us.
    arguments = json.dumps(call.arguments or {}, ensure_ascii=False)
    return {"id": its_id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _result(results: Mapping[str, Any], tool: str) -> str:
    """What a call of this tool returns: text as it is, all else as JSON."""
    # APIs that allow no dots in names are given the tool `a.b` as `a_b`.
    flat = {name.replace(".", "_"): result for name, result in results.items()} | dict(results)
    result = flat.get(tool, UNAVAILABLE)
    return result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)


def asked_turns(request: Request) -> Sequence[Request]:
    """The request of each turn, as far as it is known beforehand; for a case without turns, itself."""
    return [replace(request, turn=number) for number in range(1, len(request.case.turns) + 1)] or [request]
